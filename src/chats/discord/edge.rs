//! Discord's side of the door in. Pure: signed bytes become a delivery with its answer, a form, or choices for
//! what is being typed; and [`interpret`] says what stored bytes mean. Nothing is asked and nothing is decided.

use http::HeaderMap;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use serenity::interactions_endpoint::Verifier;

use super::interpret::given;
use super::payload::{Data, Interaction};
use crate::chats::json;
use crate::chats::outside::{one_line, shortened, units};
use crate::domain::chat::Question;
use crate::domain::{Button, Chat, Delivery, Source};
use countersign_ground::digest;

pub use super::interpret::interpret;

/// How far a signature's time may be from ours, both ways, in seconds.
const FRESH: i64 = 5 * 60;
/// What Discord takes for a form's title and an input's label.
const FORM_WORDS: usize = 45;
/// How long a reason is at most.
const REASON: u64 = 400;
/// How many choices Discord shows, and how long one is.
const CHOICES: usize = 25;
const CHOICE: usize = 100;

/// The application's public key, from the developer portal.
#[derive(Clone)]
pub struct PublicKey(Verifier);

/// Why a request was turned away. Discord sends wrong signatures on purpose to see that we do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    #[error("the X-Signature-Ed25519 or X-Signature-Timestamp header is missing or doubled")]
    NoSignature,
    #[error("the signature was made with another key, or of another body")]
    WrongSignature,
    #[error("the X-Signature-Timestamp header is not a number of seconds")]
    UnreadableTime,
    #[error("the signature was made more than five minutes from now")]
    Stale,
}

/// What an authentic request is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// Discord asks whether we are there.
    Pong,
    Kept(Kept),
    /// The answer is a form; what is filled in comes later.
    Form(String),
    /// A person is typing and wants to be shown what there is.
    Choices(Wanted),
    /// The answer says why not; nothing is stored.
    Refused(String),
}

/// Something to store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub delivery: Delivery,
    /// What is answered as soon as it is durable.
    pub answer: String,
}

/// A part of a command that is being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub guild: Option<String>,
    pub channel: Option<String>,
    pub command: String,
    pub option: String,
    pub typed: String,
    /// What was filled in already.
    pub given: Vec<(String, String)>,
}

/// The answer to a ping, as JSON.
pub const PONG: &str = r#"{"type":1}"#;

impl PublicKey {
    /// Reads 64 hex digits; `None` when they are not a key.
    pub fn parse(hex: &str) -> Option<Self> {
        Verifier::try_new(digest::unhex(hex)?).ok().map(Self)
    }

    /// Whether Discord signed this body, and when.
    fn verify(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), Rejected> {
        let only = |name: &str| {
            let mut values = headers.get_all(name).iter();
            let value = values.next()?.to_str().ok()?;
            values.next().is_none().then_some(value)
        };
        let signature = only("x-signature-ed25519").ok_or(Rejected::NoSignature)?;
        let timestamp = only("x-signature-timestamp").ok_or(Rejected::NoSignature)?;
        self.0
            .verify(signature, timestamp, body)
            .map_err(|()| Rejected::WrongSignature)?;
        let is_number = !timestamp.is_empty() && timestamp.bytes().all(|b| b.is_ascii_digit());
        let signed_at: i64 = timestamp
            .parse()
            .ok()
            .filter(|_| is_number)
            .ok_or(Rejected::UnreadableTime)?;
        if now.as_second().abs_diff(signed_at) > FRESH.unsigned_abs() {
            return Err(Rejected::Stale);
        }
        Ok(())
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PublicKey")
    }
}

/// Checks who sent it, then reads just enough to answer. The body may be anything.
pub fn receive(
    key: &PublicKey,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<Received, Rejected> {
    key.verify(headers, body, now)?;
    Ok(read(body))
}

/// What an authentic body is.
fn read(body: &[u8]) -> Received {
    let kind: Kind = match json::object(body) {
        Ok(kind) => kind,
        Err(why) => return unreadable("interaction", body, why),
    };
    let event = match kind.kind {
        1 => return Received::Pong,
        2 => "command",
        3 => "component",
        4 => "autocomplete",
        5 => "modal",
        _ => return refused("Countersign does not know what this is."),
    };
    let interaction: Interaction = match json::object(body) {
        Ok(interaction) => interaction,
        // The person who types gets no choices then.
        Err(_) if event == "autocomplete" => return Received::Refused(choices(&[])),
        Err(why) => return unreadable(event, body, why),
    };
    if event == "autocomplete" {
        return Received::Choices(wanted(interaction));
    }
    let (Some(guild), Some(member)) = (&interaction.guild_id, &interaction.member) else {
        return refused("Say it in a channel of the server: releases are not decided in private.");
    };
    if event == "component"
        && let Some(form) = form(interaction.data.as_ref())
    {
        return Received::Form(form);
    }
    let delivery = Delivery {
        source: Source::Chat(Chat::Discord),
        key: format!("discord/{}", interaction.id),
        event: event.to_owned(),
        lane: format!("chat/discord/{guild}/{}", member.user.id),
        malformed: None,
    };
    Received::Kept(Kept {
        delivery,
        answer: deferred(),
    })
}

/// What kind of interaction it is.
#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: u64,
}

/// Authentic, and not readable: kept for the operator.
fn unreadable(event: &str, body: &[u8], why: String) -> Received {
    let digest = digest::sha256_hex(body);
    Received::Kept(Kept {
        delivery: Delivery {
            source: Source::Chat(Chat::Discord),
            key: format!("discord/unreadable/{digest}"),
            event: event.to_owned(),
            lane: "chat/discord".to_owned(),
            malformed: Some(why),
        },
        answer: said("Countersign cannot read what Discord sent."),
    })
}

/// The form of a button that asks something before it counts.
fn form(data: Option<&Data>) -> Option<String> {
    let button = Button::parse(data?.custom_id.as_deref()?)?;
    let Question { title, label } = button.asks()?;
    let form = json!({
        "type": 9,
        "data": {
            "custom_id": button.spelled(),
            "title": shortened(title, FORM_WORDS),
            "components": [{
                "type": 18,
                "label": shortened(label, FORM_WORDS),
                "component": {
                    "type": 4,
                    "custom_id": "reason",
                    "style": 2,
                    "min_length": 1,
                    "max_length": REASON,
                    "required": true,
                },
            }],
        },
    });
    Some(form.to_string())
}

fn wanted(interaction: Interaction) -> Wanted {
    let mut wanted = Wanted {
        guild: interaction.guild_id.map(|id| id.to_string()),
        channel: interaction.channel_id.map(|id| id.to_string()),
        command: String::new(),
        option: String::new(),
        typed: String::new(),
        given: Vec::new(),
    };
    let Some(data) = interaction.data else {
        return wanted;
    };
    let options = data.options.iter().flatten();
    if let Some(typing) = options.into_iter().find(|option| option.focused) {
        wanted.option.clone_from(&typing.name);
        wanted.typed = typing.text().unwrap_or_default();
    }
    wanted.given = given(&data);
    wanted.given.retain(|(name, _)| *name != wanted.option);
    wanted.command = data.name.unwrap_or_default();
    wanted
}

/// What is shown to a person who types: pairs of what is shown and what it stands for.
pub fn choices(found: &[(String, String)]) -> String {
    // A value that is cut would stand for something else.
    let fits = |value: &str| (1..=CHOICE).contains(&units(value));
    let choices: Vec<Value> = found
        .iter()
        .map(|(shown, value)| (shortened(&one_line(shown), CHOICE), value))
        .filter(|(shown, value)| !shown.is_empty() && fits(value))
        .take(CHOICES)
        .map(|(shown, value)| json!({ "name": shown, "value": value }))
        .collect();
    json!({ "type": 8, "data": { "choices": choices } }).to_string()
}

/// The answer comes later, and only the requester sees it.
fn deferred() -> String {
    json!({ "type": 5, "data": { "flags": 64 } }).to_string()
}

fn refused(text: &str) -> Received {
    Received::Refused(said(text))
}

/// An answer that only the requester sees.
fn said(text: &str) -> String {
    let answer = json!({
        "type": 4,
        "data": {
            "content": text,
            "flags": 64,
            "allowed_mentions": { "parse": [] },
        },
    });
    answer.to_string()
}

#[cfg(test)]
pub(super) mod tests;
