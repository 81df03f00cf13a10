//! Components: the form that Discord wants of buttons, rows and forms.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::error::Complaints;

const ROW: u64 = 1;
pub(super) const BUTTON: u64 = 2;
pub(super) const TEXT_INPUT: u64 = 4;
const LABEL: u64 = 18;
const LINK: u64 = 5;
/// Menus of texts, users, roles, both, channels.
const MENUS: [u64; 5] = [3, 5, 6, 7, 8];

/// The rows of a message.
pub(super) fn of_message(at: &str, rows: &[Value], complaints: &mut Complaints) {
    let mut ids = BTreeSet::new();
    for (index, row) in rows.iter().enumerate() {
        let at = format!("{at}/{index}");
        if row["type"] != ROW {
            complaints.choices(&format!("{at}/type"), "1");
            continue;
        }
        let at = format!("{at}/components");
        let inside = complaints.list(&at, &row["components"], 5);
        if inside.is_empty() {
            let text = "Must be between 1 and 5 in length.";
            complaints.add(&at, "BASE_TYPE_BAD_LENGTH", text);
        }
        let is_menu = |one: &Value| {
            one["type"]
                .as_u64()
                .is_some_and(|kind| MENUS.contains(&kind))
        };
        if inside.len() > 1 && inside.iter().any(is_menu) {
            let text = "The specified component exceeds the maximum width";
            complaints.add(&at, "COMPONENT_LAYOUT_WIDTH_EXCEEDED", text);
        }
        for (index, one) in inside.iter().enumerate() {
            let at = format!("{at}/{index}");
            match one["type"].as_u64() {
                Some(BUTTON) => button(&at, one, complaints),
                Some(kind) if MENUS.contains(&kind) => {
                    custom_id(&at, one, complaints);
                    complaints.list(&format!("{at}/options"), &one["options"], 25);
                    complaints.text(&format!("{at}/placeholder"), &one["placeholder"], (0, 150));
                }
                _ => complaints.choices(&format!("{at}/type"), "2, 3, 5, 6, 7, 8"),
            }
            unique(&at, one, &mut ids, complaints);
        }
    }
}

fn custom_id(at: &str, one: &Value, complaints: &mut Complaints) {
    complaints.required_text(&format!("{at}/custom_id"), &one["custom_id"], (1, 100));
}

fn unique<'v>(
    at: &str,
    one: &'v Value,
    known: &mut BTreeSet<&'v str>,
    complaints: &mut Complaints,
) {
    if let Some(id) = one["custom_id"].as_str()
        && !known.insert(id)
    {
        let text = "Component custom id cannot be duplicated";
        let at = format!("{at}/custom_id");
        complaints.add(&at, "COMPONENT_CUSTOM_ID_DUPLICATED", text);
    }
}

fn button(at: &str, button: &Value, complaints: &mut Complaints) {
    complaints.text(&format!("{at}/label"), &button["label"], (0, 80));
    let is_shown = ["label", "emoji"].iter().any(|part| {
        let part = &button[*part];
        !part.is_null() && part != ""
    });
    if !is_shown {
        complaints.required(&format!("{at}/label"));
    }
    match button["style"].as_u64() {
        Some(1..=4) => {
            custom_id(at, button, complaints);
            if !button["url"].is_null() {
                exclusive(at, complaints);
            }
        }
        Some(LINK) => {
            let place = format!("{at}/url");
            complaints.required_text(&place, &button["url"], (1, 512));
            let is_url = |url: &str| {
                let schemes = ["http://", "https://", "discord://"];
                schemes
                    .iter()
                    .any(|scheme| url.starts_with(scheme) && url != *scheme)
            };
            if button["url"].as_str().is_some_and(|url| !is_url(url)) {
                complaints.add(&place, "URL_TYPE_INVALID_URL", "Not a well formed URL.");
            }
            if !button["custom_id"].is_null() {
                exclusive(at, complaints);
            }
        }
        _ => complaints.choices(&format!("{at}/style"), "1, 2, 3, 4, 5"),
    }
}

fn exclusive(at: &str, complaints: &mut Complaints) {
    let text = "A custom id and url cannot both be specified";
    complaints.add(
        at,
        "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
        text,
    );
}

/// A form to fill in.
pub(super) fn of_form(form: &Value, complaints: &mut Complaints) {
    complaints.required_text("data/custom_id", &form["custom_id"], (1, 100));
    complaints.required_text("data/title", &form["title"], (1, 45));
    let rows = complaints.list("data/components", &form["components"], 5);
    if rows.is_empty() {
        complaints.required("data/components");
    }
    let mut ids = BTreeSet::new();
    for (index, row) in rows.iter().enumerate() {
        let at = format!("data/components/{index}");
        let (at, input) = match row["type"].as_u64() {
            Some(LABEL) => {
                complaints.required_text(&format!("{at}/label"), &row["label"], (1, 45));
                complaints.text(&format!("{at}/description"), &row["description"], (0, 100));
                (format!("{at}/component"), &row["component"])
            }
            Some(ROW) => {
                let inside = complaints.list(&format!("{at}/components"), &row["components"], 1);
                let input = inside.first().unwrap_or(&Value::Null);
                let at = format!("{at}/components/0");
                complaints.required_text(&format!("{at}/label"), &input["label"], (1, 45));
                (at, input)
            }
            _ => {
                complaints.choices(&format!("{at}/type"), "1, 18");
                continue;
            }
        };
        if input["type"] == TEXT_INPUT {
            text_input(&at, input, complaints);
        } else {
            complaints.choices(&format!("{at}/type"), "4");
        }
        unique(&at, input, &mut ids, complaints);
    }
}

fn text_input(at: &str, input: &Value, complaints: &mut Complaints) {
    custom_id(at, input, complaints);
    if !matches!(input["style"].as_u64(), Some(1 | 2)) {
        complaints.choices(&format!("{at}/style"), "1, 2");
    }
    complaints.text(&format!("{at}/value"), &input["value"], (0, 4_000));
    complaints.text(
        &format!("{at}/placeholder"),
        &input["placeholder"],
        (0, 100),
    );
    for (name, least) in [("min_length", 0), ("max_length", 1)] {
        let is_in = |number: &Value| {
            number
                .as_u64()
                .is_some_and(|it| (least..=4_000).contains(&it))
        };
        let number = &input[name];
        if !number.is_null() && !is_in(number) {
            let text = format!("int value should be between {least} and 4000.");
            complaints.add(&format!("{at}/{name}"), "NUMBER_TYPE_RANGE", text);
        }
    }
    let bounds = input["min_length"]
        .as_u64()
        .zip(input["max_length"].as_u64());
    if bounds.is_some_and(|(least, most)| least > most) {
        let text = "min_length must be less than or equal to max_length";
        complaints.add(at, "TEXT_INPUT_COMPONENT_MIN_LENGTH_TOO_LONG", text);
    }
}

/// The components as Discord keeps them: each with a number.
pub(super) fn numbered(rows: &[Value]) -> Vec<Value> {
    let mut next = 0;
    let mut number = |one: &mut Value| {
        next += 1;
        if one["id"].is_null() {
            one["id"] = json!(next);
        }
    };
    let mut rows = rows.to_vec();
    for row in &mut rows {
        number(row);
        for one in row["components"].as_array_mut().into_iter().flatten() {
            number(one);
        }
        if row["component"].is_object() {
            number(&mut row["component"]);
        }
    }
    rows
}

/// The inputs of a form, in their order.
pub(super) fn inputs(rows: &[Value]) -> impl Iterator<Item = &Value> {
    let inside = |row: &Value| row["type"] == LABEL;
    rows.iter().map(move |row| {
        if inside(row) {
            &row["component"]
        } else {
            &row["components"][0]
        }
    })
}

/// The form as it comes back: the same rows, with nothing but what was written.
pub(super) fn submitted(rows: &[Value], written: impl Fn(&str) -> String) -> Vec<Value> {
    let filled = |input: &Value| {
        let id = input["custom_id"].as_str().unwrap_or_default();
        json!({ "type": TEXT_INPUT, "id": input["id"], "custom_id": id, "value": written(id) })
    };
    rows.iter()
        .map(|row| {
            if row["type"] == LABEL {
                json!({ "type": LABEL, "id": row["id"], "component": filled(&row["component"]) })
            } else {
                let inside = filled(&row["components"][0]);
                json!({ "type": ROW, "id": row["id"], "components": [inside] })
            }
        })
        .collect()
}
