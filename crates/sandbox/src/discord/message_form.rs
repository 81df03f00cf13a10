//! Messages, and the form that Discord wants of them: texts, embeds, components, mentions.

use serde_json::Value;

use super::components;
use super::error::{self, Complaints};
use super::mentions::{self, Mention, Unsaid};
use crate::desk::Answer;

pub(super) const EPHEMERAL: u64 = 1 << 6;
pub(super) const LOADING: u64 = 1 << 7;
const COMPONENTS_V2: u64 = 1 << 15;
/// Suppressed embeds, suppressed notifications.
const ORDINARY_FLAGS: u64 = 1 << 2 | 1 << 12;

/// A message that may be stored.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub(super) content: String,
    pub(super) embeds: Vec<Value>,
    pub(super) components: Vec<Value>,
    pub(super) flags: u64,
    pub(super) mentioned: Vec<Mention>,
}

/// Reads a message, on top of what was there before. A message from an interaction may be ephemeral.
pub(super) fn read(body: &Value, before: Draft, unsaid: Unsaid) -> Result<Draft, Answer> {
    read_at("", body, before, unsaid)
}

/// The same for a message inside of something else, such as `data`.
pub(super) fn read_at(
    root: &str,
    body: &Value,
    before: Draft,
    unsaid: Unsaid,
) -> Result<Draft, Answer> {
    let at = |field: &str| {
        if root.is_empty() {
            field.to_owned()
        } else {
            format!("{root}/{field}")
        }
    };
    if !body.is_object() {
        return Err(error::error(
            400,
            50_109,
            "The request body contains invalid JSON.",
        ));
    }
    let mut complaints = Complaints::default();
    complaints.text(&at("content"), &body["content"], (0, 2_000));
    embeds(&at("embeds"), &body["embeds"], &mut complaints);
    let rows = complaints.list(&at("components"), &body["components"], 5);
    components::of_message(&at("components"), rows, &mut complaints);
    mentions::examine(&body["allowed_mentions"], &mut complaints);
    complaints.text(&at("nonce"), &nonce(body), (0, 25));
    let flags = flags(&at("flags"), &body["flags"], unsaid, &mut complaints);
    complaints.settle()?;

    let mut draft = before;
    draft.flags |= flags;
    if let Some(content) = body.get("content") {
        content
            .as_str()
            .unwrap_or("")
            .clone_into(&mut draft.content);
    }
    if body.get("embeds").is_some() {
        draft.embeds = body["embeds"].as_array().cloned().unwrap_or_default();
        draft.embeds.iter_mut().for_each(complete);
    }
    if body.get("components").is_some() {
        draft.components = components::numbered(rows);
    }
    if draft.content.trim().is_empty() && draft.embeds.is_empty() && draft.components.is_empty() {
        return Err(error::error(400, 50_006, "Cannot send an empty message"));
    }
    draft.mentioned = mentions::mentioned(&draft.content, &body["allowed_mentions"], unsaid);
    Ok(draft)
}

/// A nonce as text; a number is as good.
pub(super) fn nonce(body: &Value) -> Value {
    match body["nonce"].as_i64() {
        Some(number) => number.to_string().into(),
        None => body["nonce"].clone(),
    }
}

fn flags(at: &str, value: &Value, unsaid: Unsaid, complaints: &mut Complaints) -> u64 {
    let Some(flags) = value.as_u64() else {
        if !value.is_null() {
            complaints.add(
                at,
                "NUMBER_TYPE_COERCE",
                format!("Value {value} is not int."),
            );
        }
        return 0;
    };
    if flags & COMPONENTS_V2 != 0 {
        let text = "The sandbox knows no components of version 2.";
        complaints.add(at, "BITFIELD_TYPE_UNKNOWN", text);
    }
    let known = match unsaid {
        Unsaid::Everything => ORDINARY_FLAGS,
        Unsaid::Users => ORDINARY_FLAGS | EPHEMERAL,
    };
    flags & known
}

fn embeds(at: &str, value: &Value, complaints: &mut Complaints) {
    let embeds = complaints.list(at, value, 10);
    for (index, embed) in embeds.iter().enumerate() {
        let at = format!("{at}/{index}");
        if !embed.is_object() {
            let text = "Only dictionaries may be used in a DictType";
            complaints.add(&at, "DICT_TYPE_CONVERT", text);
            continue;
        }
        for (path, most) in [
            ("title", 256),
            ("description", 4_096),
            ("footer/text", 2_048),
            ("author/name", 256),
        ] {
            let value = embed.pointer(&format!("/{path}")).unwrap_or(&Value::Null);
            complaints.text(&format!("{at}/{path}"), value, (0, most));
        }
        let place = format!("{at}/fields");
        let fields = complaints.list(&place, &embed["fields"], 25);
        for (index, field) in fields.iter().enumerate() {
            let at = format!("{place}/{index}");
            complaints.required_text(&format!("{at}/name"), &field["name"], (1, 256));
            complaints.required_text(&format!("{at}/value"), &field["value"], (1, 1_024));
        }
        for part in ["url", "timestamp"] {
            complaints.text(&format!("{at}/{part}"), &embed[part], (0, 2_048));
        }
        if embed["timestamp"]
            .as_str()
            .is_some_and(|time| time.parse::<jiff::Timestamp>().is_err())
        {
            let text = "Could not parse the timestamp. Should be ISO8601.";
            complaints.add(&format!("{at}/timestamp"), "DATE_TIME_TYPE_PARSE", text);
        }
        if embed["color"]
            .as_u64()
            .is_some_and(|color| color > 0xff_ffff)
        {
            let text = "int value should be less than or equal to 16777215.";
            complaints.add(&format!("{at}/color"), "NUMBER_TYPE_MAX", text);
        }
    }
    if embeds.iter().map(letters).sum::<usize>() > 6_000 {
        let text = "Embed size exceeds maximum size of 6000";
        complaints.add(at, "MAX_EMBED_SIZE_EXCEEDED", text);
    }
}

/// How many letters of an embed count.
fn letters(embed: &Value) -> usize {
    let of = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
    let fields = embed["fields"].as_array();
    let fields = fields.into_iter().flatten();
    let fields: usize = fields
        .map(|field| of(&field["name"]) + of(&field["value"]))
        .sum();
    let footer = of(&embed["footer"]["text"]);
    of(&embed["title"]) + of(&embed["description"]) + footer + of(&embed["author"]["name"]) + fields
}

/// As Discord shows an embed that it was given.
fn complete(embed: &mut Value) {
    embed["type"] = "rich".into();
    for field in embed["fields"].as_array_mut().into_iter().flatten() {
        if field["inline"].is_null() {
            field["inline"] = false.into();
        }
    }
    if let Some(fields) = embed.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
}
