//! The parts of GitLab's payloads that we use. Fields we do not name are passed over; fields that may
//! be absent are optional; numbers, commit ids and needed times that cannot be right are refused, and
//! the refusal shows nothing of what was sent.

pub(crate) mod pipelines;
pub(crate) mod push;
pub(crate) mod talk;
mod time;

use serde::Deserialize;
use serde::de::DeserializeOwned;

pub(crate) use time::{Moment, Written};

/// What the edge reads of any event.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope {
    #[serde(default)]
    pub(crate) project: Option<Numbered>,
    #[serde(default)]
    pub(crate) project_id: Option<Id>,
}

/// What kind of event a body says that it is.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Kind {
    #[serde(default)]
    pub(crate) object_kind: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Numbered {
    pub(crate) id: Id,
}

/// A number of GitLab's. Refuses what GitLab never gives and what would not fit beside the numbers of
/// other forges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u64")]
pub(crate) struct Id(pub(crate) u64);

impl TryFrom<u64> for Id {
    type Error = &'static str;

    fn try_from(number: u64) -> Result<Self, Self::Error> {
        if number == 0 || number >= 1 << 62 {
            return Err("this is not a number that GitLab gives to anything");
        }
        Ok(Self(number))
    }
}

/// GitLab calls a repository a project.
#[derive(Debug, Deserialize)]
pub(crate) struct Project {
    pub(crate) id: Id,
    pub(crate) path_with_namespace: String,
    #[serde(default)]
    pub(crate) web_url: Option<String>,
}

/// A user, as far as GitLab tells who it is.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct User {
    #[serde(default)]
    pub(crate) id: Option<Id>,
    #[serde(default)]
    pub(crate) username: Option<String>,
}

/// Reads a payload, or says which field cannot be read. Says nothing of what stands in it: a pipeline's
/// variables are in clear text.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let error = match serde_json::from_slice(body) {
        Ok(payload) => return Ok(payload),
        Err(error) => error,
    };
    // Only what cannot be read is read again, slower, to learn which field it is.
    let mut again = serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, T>(&mut again) {
        Err(named) => {
            let path = named.path().to_string();
            let why = without_values(&named.into_inner().to_string());
            Err(match path.as_str() {
                // The whole, or something in it that has no name yet.
                "." | "?" => why,
                _ => format!("{path}: {why}"),
            })
        }
        Ok(_) => Err(without_values(&error.to_string())),
    }
}

/// Where serde quotes what it found, what it wanted comes last.
fn without_values(why: &str) -> String {
    match why.rsplit_once(", expected ") {
        Some((_, expected)) => format!("this should be {expected}"),
        None => why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_gitlab_never_gives_are_refused() {
        let check = |json: &str, expect: Option<u64>| {
            let id = serde_json::from_str::<Id>(json).ok();
            assert_eq!(id.map(|id| id.0), expect, "{json}");
        };
        check("1", Some(1));
        check("4611686018427387903", Some((1 << 62) - 1));
        check("4611686018427387904", None);
        check("18446744073709551615", None);
        check("0", None);
        check("-1", None);
        check("1.5", None);
        check("\"1\"", None);
    }

    #[test]
    fn what_cannot_be_read_is_named_and_never_shown() {
        let check = |json: &str, expect: &str| {
            let why = read::<Envelope>(json.as_bytes()).unwrap_err();
            assert!(why.starts_with(expect), "{why}");
            assert!(!why.contains("canary"), "{why}");
        };
        check(
            r#"{"project":{"id":"canary"}}"#,
            "project.id: this should be u64",
        );
        check(
            r#"{"project":{"id":"canary, expected canary, expected x"}}"#,
            "project.id: this should be u64",
        );
        check(
            r#"{"project":"canary"}"#,
            "project: this should be struct Numbered",
        );
        check(r#"{"project":{}}"#, "project: missing field `id`");
        check(r#"{"project_id":0}"#, "project_id: this is not a number");
        check(r#"{"project_id":1}{"canary":1}"#, "trailing characters");
        check(r#"{"canary"#, "EOF while parsing");
    }
}
