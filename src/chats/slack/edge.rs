//! Slack's side of the door in. Pure: signed bytes, or an envelope of a socket that we opened, become a
//! delivery with its answer; and [`interpret`] says what stored bytes mean. Nothing is asked and nothing is
//! decided.

use std::fmt;

use http::HeaderMap;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::payload::{Request, field};
use crate::chats::json;
use crate::domain::{Chat, Delivery, Source};
use countersign_ground::digest;

pub use super::interpret::interpret;

/// How far a signature's time may be from ours, both ways, in seconds.
const FRESH: u64 = 5 * 60;

/// What Slack signs with: one secret, or two while one replaces the other.
#[derive(Clone)]
pub struct SigningSecrets(Vec<Vec<u8>>);

/// Why a request was turned away; nothing of it was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    #[error("the X-Slack-Signature or X-Slack-Request-Timestamp header is missing or doubled")]
    NoSignature,
    #[error("the X-Slack-Signature header is not `v0=` and 64 hex digits")]
    UnreadableSignature,
    #[error("the X-Slack-Request-Timestamp header is not a number of seconds")]
    UnreadableTime,
    #[error("the signature was made with another secret, or of another body")]
    WrongSignature,
    #[error("the signature was made more than five minutes from now")]
    Stale,
}

/// What an authentic request is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// Nothing to store; the answer has this body.
    Nothing(String),
    Kept(Kept),
}

/// Something to store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub delivery: Delivery,
    /// What is answered as soon as it is durable: JSON, or nothing.
    pub answer: String,
}

impl SigningSecrets {
    /// An empty secret is one that every attacker knows, so it is left out.
    pub fn new(secrets: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let secrets = secrets.into_iter();
        Self(secrets.filter(|secret| !secret.is_empty()).collect())
    }

    /// Without a secret nothing can be authentic.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn verify(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), Rejected> {
        let only = |name: &str| {
            let mut values = headers.get_all(name).iter();
            let value = values.next()?.to_str().ok()?;
            values.next().is_none().then_some(value)
        };
        let signature = only("x-slack-signature").ok_or(Rejected::NoSignature)?;
        let time = only("x-slack-request-timestamp").ok_or(Rejected::NoSignature)?;
        let tag = signature
            .strip_prefix("v0=")
            .and_then(digest::unhex)
            .ok_or(Rejected::UnreadableSignature)?;
        let is_number = !time.is_empty() && time.bytes().all(|b| b.is_ascii_digit());
        let signed_at: i64 = time
            .parse()
            .ok()
            .filter(|_| is_number)
            .ok_or(Rejected::UnreadableTime)?;
        let message = [b"v0:", time.as_bytes(), b":", body].concat();
        // All secrets are tried, so that the time does not tell which one is in use.
        let matches = self.0.iter().fold(false, |found, secret| {
            digest::hmac_sha256_matches(secret, &message, &tag) | found
        });
        if !matches {
            return Err(Rejected::WrongSignature);
        }
        if now.as_second().abs_diff(signed_at) > FRESH {
            return Err(Rejected::Stale);
        }
        Ok(())
    }
}

impl fmt::Debug for SigningSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningSecrets({} of them)", self.0.len())
    }
}

/// Checks who sent it, then reads just enough to answer. The body may be anything.
pub fn receive(
    secrets: &SigningSecrets,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<Received, Rejected> {
    // Slack looks whether the address has a certificate, and signs nothing then; it asks for nothing either.
    if field(body, "ssl_check").as_deref() == Some("1") {
        return Ok(Received::Nothing(String::new()));
    }
    secrets.verify(headers, body, now)?;
    if let Some(challenge) = challenge(body) {
        return Ok(Received::Nothing(challenge));
    }
    let request = match Request::read(body) {
        Ok(request) => request,
        Err(why) => return Ok(unreadable(body, why)),
    };
    let Some(event) = event(&request) else {
        return Ok(Received::Nothing(String::new()));
    };
    let (Some(id), Some(lane)) = (request.id(), lane(&request)) else {
        return Ok(unreadable(body, "it does not say who did what".to_owned()));
    };
    let answer = match &request {
        Request::Slash(_) => json!({ "response_type": "ephemeral", "text": "⏳ One moment." }),
        Request::Interaction(_) => json!(null),
    };
    Ok(Received::Kept(Kept {
        delivery: delivery(event, &id, lane),
        answer: if answer.is_null() {
            String::new()
        } else {
            answer.to_string()
        },
    }))
}

/// An envelope of a socket that we opened ourselves; what is stored of it is its payload.
pub fn from_socket(kind: &str, envelope: &str, payload: &[u8]) -> Option<Delivery> {
    if !matches!(kind, "slash_commands" | "interactive") {
        return None;
    }
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let is_id = (1..=100).contains(&envelope.len()) && envelope.bytes().all(is_plain);
    let malformed = |why: String| Delivery {
        source: Source::Chat(Chat::Slack),
        key: format!("slack/unreadable/{}", digest::sha256_hex(payload)),
        event: kind.to_owned(),
        lane: "chat/slack".to_owned(),
        malformed: Some(why),
    };
    let request = match Request::read(payload) {
        Ok(request) => request,
        Err(why) => return Some(malformed(why)),
    };
    let event = event(&request)?;
    let Some(lane) = lane(&request) else {
        return Some(malformed("it does not say who did what".to_owned()));
    };
    let id = request
        .id()
        .or_else(|| is_id.then(|| format!("envelope/{envelope}")));
    match id {
        Some(id) => Some(delivery(event, &id, lane)),
        None => Some(malformed("it has no id".to_owned())),
    }
}

fn delivery(event: &str, id: &str, lane: String) -> Delivery {
    Delivery {
        source: Source::Chat(Chat::Slack),
        key: format!("slack/{id}"),
        event: event.to_owned(),
        lane,
        malformed: None,
    }
}

/// Authentic, and not readable: kept for the operator.
fn unreadable(body: &[u8], why: String) -> Received {
    Received::Kept(Kept {
        delivery: Delivery {
            source: Source::Chat(Chat::Slack),
            key: format!("slack/unreadable/{}", digest::sha256_hex(body)),
            event: "unreadable".to_owned(),
            lane: "chat/slack".to_owned(),
            malformed: Some(why),
        },
        answer: String::new(),
    })
}

/// The kind of request; nothing if it is of no use to us.
fn event(request: &Request) -> Option<&'static str> {
    match request {
        Request::Slash(_) => Some("command"),
        Request::Interaction(interaction) => match interaction.kind.as_str() {
            "block_actions" => Some("actions"),
            "view_submission" => Some("view"),
            _ => None,
        },
    }
}

fn lane(request: &Request) -> Option<String> {
    let speaker = request.speaker()?;
    Some(format!("chat/slack/{}/{}", speaker.tenant, speaker.user))
}

/// What Slack wants to hear when an address for events is set; we have none, but it does no harm.
fn challenge(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Challenge {
        #[serde(rename = "type")]
        kind: String,
        challenge: String,
    }
    let asked: Challenge = json::object(body).ok()?;
    (asked.kind == "url_verification").then_some(asked.challenge)
}

#[cfg(test)]
pub(super) mod tests;
