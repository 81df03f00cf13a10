//! Facets: what people look for in an entry, read off its bytes. The store keeps it in columns and verification reads
//! it again, so that a column can never say something else than the entry.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::canonical::{Aside, SCHEMA_VERSION};
use super::rows::Row;
use crate::entry::Action;

/// The searchable side of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facets {
    pub at: Timestamp,
    pub action: String,
    pub outcome: &'static str,
    pub service: Option<String>,
    pub environment: Option<String>,
    /// `github:7`, `slack:T0/U7` for a speaker who is not linked, or `operator` for the person at the machine.
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

/// A text that is not copied, where there is one: serde borrows within an `Option` only what has a name.
#[derive(Deserialize)]
struct Text<'b>(#[serde(borrow)] Cow<'b, str>);

#[derive(Deserialize)]
struct Who<'b> {
    #[serde(borrow, default)]
    forge: Option<Text<'b>>,
    #[serde(default)]
    id: Option<u64>,
    #[serde(default)]
    operator: Option<serde::de::IgnoredAny>,
    #[serde(borrow, default)]
    chat: Option<Text<'b>>,
    #[serde(borrow, default)]
    tenant: Option<Text<'b>>,
    #[serde(borrow, default)]
    user: Option<Text<'b>>,
}

impl Who<'_> {
    fn person(&self) -> Option<String> {
        match (&self.forge, self.id, &self.operator) {
            (Some(Text(forge)), Some(id), None) => Some(person(forge, id)),
            (None, None, Some(_)) => Some(OPERATOR.to_owned()),
            (None, None, None) => match (&self.chat, &self.tenant, &self.user) {
                (Some(Text(chat)), Some(Text(tenant)), Some(Text(user))) => {
                    Some(stranger(chat, tenant, user))
                }
                _ => None,
            },
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct What<'b> {
    #[serde(borrow, default)]
    service: Option<Text<'b>>,
    #[serde(borrow, default)]
    environment: Option<Text<'b>>,
    #[serde(borrow, default)]
    sha: Option<Text<'b>>,
    #[serde(default)]
    request: Option<i64>,
}

impl Text<'_> {
    fn of(text: &Option<Self>) -> Option<&str> {
        text.as_ref().map(|text| text.0.as_ref())
    }

    fn owned(text: Option<Self>) -> Option<String> {
        text.map(|text| text.0.into_owned())
    }
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

/// An entry whose frame could be read, as long as its bytes are there.
pub(super) struct Read<'b> {
    frame: Frame<'b>,
    at: Timestamp,
    pub(super) action: Action,
}

impl<'b> Read<'b> {
    /// Reads what was stored, or says why it is no entry of ours.
    pub(super) fn of(body: &'b [u8]) -> Result<Self, String> {
        let frame: Frame<'_> = match std::str::from_utf8(body) {
            Ok(text) => serde_json::from_str(text),
            Err(_) => serde_json::from_slice(body),
        }
        .map_err(|error| format!("it cannot be read as an entry: {error}"))?;
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
        Ok(Self { frame, at, action })
    }

    pub(super) fn seq(&self) -> i64 {
        self.frame.seq
    }

    pub(super) fn log(&self) -> &str {
        &self.frame.log
    }

    fn person(&self) -> Option<String> {
        self.frame.actor.person()
    }

    /// The first column of a row that says something else.
    pub(super) fn other_column(&self, row: &Row<'_>) -> Option<&'static str> {
        let detail = &self.frame.detail;
        let (service, environment) = (Text::of(&detail.service), Text::of(&detail.environment));
        let person = self.person();
        let about = [
            service.unwrap_or_default(),
            environment.unwrap_or_default(),
            person.as_deref().unwrap_or_default(),
            self.action.as_str(),
        ];
        [
            ("at", self.at.as_microsecond() == row.at),
            ("action", self.action.as_str() == row.action),
            ("outcome", self.action.ending().as_str() == row.outcome),
            ("service", service == row.service),
            ("environment", environment == row.environment),
            ("person", person.as_deref() == row.person),
            ("sha", Text::of(&detail.sha) == row.sha),
            ("request", detail.request == row.request),
            ("about", is_joined(row.about, about)),
        ]
        .into_iter()
        .find_map(|(column, agrees)| (!agrees).then_some(column))
    }
}

/// Whether a text is these parts with lines between them.
fn is_joined(text: &str, parts: [&str; 4]) -> bool {
    let mut rest = text;
    for (index, part) in parts.into_iter().enumerate() {
        let begins = if index == 0 {
            Some(rest)
        } else {
            rest.strip_prefix('|')
        };
        match begins.and_then(|rest| rest.strip_prefix(part)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}

impl Seen {
    /// Reads what was stored, or says why it is no entry of ours.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        let read = Read::of(body)?;
        let person = read.person();
        let Read { frame, at, action } = read;
        Ok(Self {
            seq: frame.seq,
            log: frame.log.into_owned(),
            facets: Facets {
                at,
                action: action.as_str().to_owned(),
                outcome: action.ending().as_str(),
                service: Text::owned(frame.detail.service),
                environment: Text::owned(frame.detail.environment),
                person,
                sha: Text::owned(frame.detail.sha),
                request: frame.detail.request,
            },
        })
    }
}

/// The person at the machine.
pub const OPERATOR: &str = "operator";

/// How a person is called in the column and in a filter.
pub fn person(forge: &str, id: u64) -> String {
    format!("{forge}:{id}")
}

/// How a person is called of whom only the account in a chat is known.
pub fn stranger(chat: &str, tenant: &str, user: &str) -> String {
    format!("{chat}:{tenant}/{user}")
}

/// Whether there can be words at all; quick, because most entries have none.
fn may_have_words(body: &[u8]) -> bool {
    holds(
        body,
        [
            r#""why":"#,
            r#""reason":"#,
            r#""problem":"#,
            r#""reasons":"#,
            r#"{"aside":"#,
        ],
    )
}

/// Whether any of these pieces stands in an entry.
pub(super) fn holds<const N: usize>(body: &[u8], pieces: [&str; N]) -> bool {
    match std::str::from_utf8(body) {
        // The standard library looks for a text many bytes at a time, and for bytes one by one.
        Ok(text) => pieces.iter().any(|piece| text.contains(piece)),
        Err(_) => pieces.iter().any(|piece| {
            body.windows(piece.len())
                .any(|window| window == piece.as_bytes())
        }),
    }
}

/// The words of the reasons in an entry: why something was refused or failed, and what people wrote for
/// a reason. `asides` are those that still exist.
pub fn words(body: &[u8], asides: &[Aside]) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    if !may_have_words(body) {
        return words;
    }
    let Some(reasons) = Reasons::of(body) else {
        return words;
    };
    let is_refusal = reasons.action.as_str() == Some(Action::Refused.as_str());
    let is_reason = |name: &str| match name {
        "why" | "why.says" | "reason" | "problem" => true,
        // The first version kept the whole tree under one commitment.
        "evidence.reasons" | "evidence.reasons.says" => is_refusal,
        _ => false,
    };
    let parts = reasons.detail;
    for part in [parts.problem, parts.reason, parts.why] {
        if part.is_string() {
            collect(&part, &mut words);
        }
    }
    for aside in asides.iter().filter(|aside| is_reason(&aside.name)) {
        if let Ok(value) = serde_json::from_str(&aside.value) {
            collect(&value, &mut words);
        }
    }
    words
}

/// What an entry says itself of reasons, without a copy of all the rest.
#[derive(Default, Deserialize)]
struct Reasons {
    action: Value,
    detail: Said,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    problem: Value,
    reason: Value,
    why: Value,
}

impl Reasons {
    fn of(body: &[u8]) -> Option<Self> {
        if let Ok(reasons) = serde_json::from_slice(body) {
            return Some(reasons);
        }
        let mut entry: Value = serde_json::from_slice(body).ok()?;
        let mut said = |name: &str| {
            let part = entry.pointer_mut(&format!("/detail/{name}"));
            part.map(Value::take).unwrap_or_default()
        };
        let detail = Said {
            problem: said("problem"),
            reason: said("reason"),
            why: said("why"),
        };
        let action = entry.get_mut("action").map(Value::take).unwrap_or_default();
        Some(Self { action, detail })
    }
}

/// The shortest and the longest word that can be looked for.
pub const WORD_LENGTHS: std::ops::RangeInclusive<usize> = 2..=40;

/// The words of a text as they are looked for.
pub fn words_of(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric())
        .map(str::to_lowercase)
        .filter(|word| WORD_LENGTHS.contains(&word.chars().count()))
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
