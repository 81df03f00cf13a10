//! What people look for in an entry, read off its bytes. The store keeps it in columns and verification
//! reads it again, so that a column can never say something else than the entry.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::canonical::{Aside, SCHEMA_VERSION};
use crate::domain::{Action, words_of};

/// The searchable side of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facets {
    pub at: Timestamp,
    pub action: String,
    pub outcome: &'static str,
    pub service: Option<String>,
    pub environment: Option<String>,
    /// `github:7`, or `operator` for somebody at the machine.
    pub person: Option<String>,
    pub sha: Option<String>,
    pub request: Option<i64>,
}

/// An entry as far as its frame goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub seq: i64,
    pub log: String,
    pub facets: Facets,
}

#[derive(Deserialize)]
struct Frame<'b> {
    #[serde(borrow)]
    action: Cow<'b, str>,
    #[serde(borrow)]
    actor: Who<'b>,
    #[serde(borrow)]
    at: Cow<'b, str>,
    #[serde(borrow)]
    detail: What<'b>,
    #[serde(borrow)]
    log: Cow<'b, str>,
    seq: i64,
    v: u32,
}

#[derive(Deserialize)]
struct Who<'b> {
    #[serde(borrow, default)]
    forge: Option<Cow<'b, str>>,
    #[serde(default)]
    id: Option<u64>,
    #[serde(default)]
    operator: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct What<'b> {
    #[serde(borrow, default)]
    service: Option<Cow<'b, str>>,
    #[serde(borrow, default)]
    environment: Option<Cow<'b, str>>,
    #[serde(borrow, default)]
    sha: Option<Cow<'b, str>>,
    #[serde(default)]
    request: Option<i64>,
}

impl Facets {
    /// Service, environment, person and action in one word, by which entries that are alike are found.
    pub fn about(&self) -> String {
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        format!(
            "{}|{}|{}|{}",
            part(&self.service),
            part(&self.environment),
            part(&self.person),
            self.action
        )
    }
}

impl Seen {
    /// Reads what was stored, or says why it is no entry of ours.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        let frame: Frame<'_> = serde_json::from_slice(body)
            .map_err(|error| format!("it does not read as an entry: {error}"))?;
        if frame.v != SCHEMA_VERSION {
            return Err(format!(
                "it is an entry of version {}, and this program knows {SCHEMA_VERSION}",
                frame.v
            ));
        }
        let at = frame
            .at
            .parse()
            .map_err(|_| "its time cannot be read".to_owned())?;
        let action = Action::parse(&frame.action)
            .ok_or_else(|| format!("its action {:?} is unknown", frame.action))?;
        let person = match (frame.actor.forge, frame.actor.id, frame.actor.operator) {
            (Some(forge), Some(id), None) => Some(person(&forge, id)),
            (None, None, Some(_)) => Some(OPERATOR.to_owned()),
            _ => None,
        };
        Ok(Self {
            seq: frame.seq,
            log: frame.log.into_owned(),
            facets: Facets {
                at,
                action: action.as_str().to_owned(),
                outcome: action.ending().as_str(),
                service: frame.detail.service.map(Cow::into_owned),
                environment: frame.detail.environment.map(Cow::into_owned),
                person,
                sha: frame.detail.sha.map(Cow::into_owned),
                request: frame.detail.request,
            },
        })
    }
}

/// Whoever was at the machine.
pub const OPERATOR: &str = "operator";

/// How a person is called in the column and in a filter.
pub fn person(forge: &str, id: u64) -> String {
    format!("{forge}:{id}")
}

/// Whether there can be words at all; quick, because most entries have none.
fn may_have_words(body: &[u8]) -> bool {
    [
        &br#""why":"#[..],
        br#""reason":"#,
        br#""problem":"#,
        br#""reasons":"#,
        br#"{"aside":"#,
    ]
    .iter()
    .any(|piece| body.windows(piece.len()).any(|window| window == *piece))
}

/// The words of the reasons in an entry: why something was refused or failed, and what people wrote for
/// a reason. `asides` are those that still exist.
pub fn words(body: &[u8], asides: &[Aside]) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    if !may_have_words(body) {
        return words;
    }
    let Ok(entry) = serde_json::from_slice::<Value>(body) else {
        return words;
    };
    let is_refusal = entry.get("action").and_then(Value::as_str) == Some(Action::Refused.as_str());
    let is_reason = |name: &str| match name {
        "why" | "reason" | "problem" => true,
        "evidence.reasons" => is_refusal,
        _ => false,
    };
    if let Some(Value::Object(detail)) = entry.get("detail") {
        for (name, part) in detail {
            if is_reason(name) && part.is_string() {
                collect(part, &mut words);
            }
        }
    }
    for aside in asides.iter().filter(|aside| is_reason(&aside.name)) {
        if let Ok(value) = serde_json::from_str(&aside.value) {
            collect(&value, &mut words);
        }
    }
    words
}

fn collect(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => words.extend(words_of(text)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, words)),
        Value::Object(parts) => parts
            .iter()
            .filter(|(name, _)| *name != "verdict")
            .for_each(|(_, part)| collect(part, words)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Every place in an entry where a commitment stands, with the commitment.
pub fn commitments(body: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let entry: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let mut found = BTreeMap::new();
    if let Some(actor) = entry.get("actor") {
        find("actor", actor, &mut found);
    }
    if let Some(Value::Object(detail)) = entry.get("detail") {
        for (name, part) in detail {
            find(name, part, &mut found);
        }
    }
    Ok(found)
}

/// The same, quickly where there are none, and with those within what lies aside for its length.
pub(super) fn every_commitment(
    body: &[u8],
    asides: &[Aside],
) -> Result<BTreeMap<String, String>, String> {
    let contains = |piece: &[u8]| body.windows(piece.len()).any(|window| window == piece);
    let is_long = contains(br#"{"aside":""#);
    if !is_long && !contains(br#"{"private":""#) {
        return Ok(BTreeMap::new());
    }
    let mut found = commitments(body)?;
    for aside in asides.iter().filter(|_| is_long) {
        if let Ok(value) = serde_json::from_str(&aside.value) {
            find(&aside.name, &value, &mut found);
        }
    }
    Ok(found)
}

fn find(name: &str, value: &Value, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(parts) => {
            if let (1, Some(Value::String(commitment))) = (
                parts.len(),
                parts
                    .get(super::canonical::PRIVATE)
                    .or_else(|| parts.get(super::canonical::ASIDE)),
            ) {
                found.insert(name.to_owned(), commitment.clone());
                return;
            }
            for (key, part) in parts {
                find(&format!("{name}.{key}"), part, found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find(&format!("{name}.{index}"), item, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
