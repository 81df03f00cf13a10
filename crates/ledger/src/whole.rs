//! A whole entry, as far as it is still known: what lies aside is put back in its place, after it was compared with the
//! commitment that stands there. What was erased, or does not fit, is simply not there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::canonical::{ASIDE, Aside, PRIVATE, commitment};
use super::facets::Seen;
use super::unbase64;
use crate::entry::Action;

/// An entry with everything that is still known of it. A value that is not there any more is `null`.
#[derive(Clone, Debug, PartialEq)]
pub struct Whole {
    pub seq: i64,
    pub log: String,
    pub at: Timestamp,
    pub action: Action,
    pub service: Option<String>,
    pub environment: Option<String>,
    /// `github:7`, or `operator`.
    pub person: Option<String>,
    pub sha: Option<String>,
    pub request: Option<i64>,
    /// What the person or the operator was called.
    pub name: Option<String>,
    pub detail: Value,
    /// Values that lie aside and are not what the entry committed to.
    pub altered: Vec<String>,
}

struct Asides<'a> {
    known: BTreeMap<&'a str, &'a Aside>,
    altered: Vec<String>,
}

impl Whole {
    /// Joins stored bytes with what lies aside, or says why they are no entry of ours.
    pub fn join(body: &[u8], asides: &[Aside]) -> Result<Self, String> {
        let seen = Seen::read(body)?;
        let mut entry: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let mut asides = Asides {
            known: asides
                .iter()
                .map(|aside| (aside.name.as_str(), aside))
                .collect(),
            altered: Vec::new(),
        };
        let actor = asides.put_back("actor", part(&mut entry, "actor"));
        let mut detail = Map::new();
        if let Value::Object(parts) = part(&mut entry, "detail") {
            for (name, part) in parts {
                let part = asides.put_back(&name, part);
                detail.insert(name, part);
            }
        }
        let action = Action::parse(&seen.facets.action)
            .ok_or_else(|| format!("its action {:?} is unknown", seen.facets.action))?;
        let name = actor.get("login").or_else(|| actor.get("operator"));
        Ok(Self {
            seq: seen.seq,
            log: seen.log,
            at: seen.facets.at,
            action,
            service: seen.facets.service,
            environment: seen.facets.environment,
            person: seen.facets.person,
            sha: seen.facets.sha,
            request: seen.facets.request,
            name: name.and_then(Value::as_str).map(str::to_owned),
            detail: Value::Object(detail),
            altered: asides.altered,
        })
    }

    /// A text of the detail, by its path: `evidence.policy`.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.value(path).as_str()
    }

    /// A value of the detail; `null` where there is none.
    pub fn value(&self, path: &str) -> &Value {
        let mut value = &self.detail;
        for key in path.split('.') {
            value = value.get(key).unwrap_or(&Value::Null);
        }
        value
    }

    /// A list of the detail; empty where there is none.
    pub fn list(&self, path: &str) -> &[Value] {
        self.value(path).as_array().map_or(&[], Vec::as_slice)
    }
}

impl Asides<'_> {
    fn put_back(&mut self, name: &str, value: Value) -> Value {
        match value {
            Value::Object(parts) => {
                if let (1, Some(Value::String(expected))) =
                    (parts.len(), parts.get(PRIVATE).or_else(|| parts.get(ASIDE)))
                {
                    return self.find(name, expected);
                }
                let parts = parts.into_iter().map(|(key, part)| {
                    let part = self.put_back(&format!("{name}.{key}"), part);
                    (key, part)
                });
                Value::Object(parts.collect())
            }
            Value::Array(items) => {
                let items = items.into_iter().enumerate();
                let items = items.map(|(n, item)| self.put_back(&format!("{name}.{n}"), item));
                Value::Array(items.collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
        }
    }

    fn find(&mut self, name: &str, expected: &str) -> Value {
        let Some(aside) = self.known.remove(name) else {
            return Value::Null;
        };
        let fits = unbase64(expected)
            .is_some_and(|expected| expected == commitment(&aside.salt, &aside.value));
        match serde_json::from_str(&aside.value) {
            // What lay aside for its length may hold commitments of its own.
            Ok(value) if fits => self.put_back(name, value),
            Ok(_) | Err(_) => {
                self.altered.push(name.to_owned());
                Value::Null
            }
        }
    }
}

fn part(entry: &mut Value, name: &str) -> Value {
    entry.get_mut(name).map(Value::take).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Actor, Detail, Entry};
    use crate::{Sealer, check_asides, spell};

    fn spelled(length: usize) -> (Vec<u8>, Vec<Aside>) {
        let ann = Actor::Person {
            forge: "github",
            id: 7,
            login: "ann".to_owned(),
        };
        let entry = Entry::new(Timestamp::UNIX_EPOCH, Action::Refused, ann)
            .with("service", "shop")
            .with(
                "evidence",
                Detail::from([
                    ("titles", Detail::private("a title")),
                    ("long", Detail::from("x".repeat(length))),
                ]),
            );
        let mut salt = 0;
        let spelled = spell(&entry, 5, &Sealer::new("log", "key", [[1; 32]]), || {
            salt += 1;
            [salt; 32]
        });
        (spelled.body, spelled.asides)
    }

    #[test]
    fn what_lies_aside_is_put_back_where_it_was() {
        for length in [1, 20_000] {
            let (body, asides) = spelled(length);
            let whole = Whole::join(&body, &asides).unwrap();
            assert_eq!(whole.name.as_deref(), Some("ann"));
            assert_eq!(whole.text("evidence.titles"), Some("a title"));
            assert_eq!(whole.text("evidence.long").unwrap().len(), length);
            assert!(whole.altered.is_empty());
            assert_eq!(check_asides(&body, &asides), Ok(Vec::new()));
        }
    }

    #[test]
    fn what_was_erased_or_changed_is_not_there() {
        let (body, mut asides) = spelled(1);
        let whole = Whole::join(&body, &[]).unwrap();
        assert_eq!(
            (whole.name, whole.person),
            (None, Some("github:7".to_owned()))
        );
        let login = asides.iter_mut().find(|aside| aside.name == "actor.login");
        login.unwrap().value = "\"eve\"".to_owned();
        let whole = Whole::join(&body, &asides).unwrap();
        assert_eq!(whole.name, None);
        assert_eq!(whole.altered, ["actor.login"]);
        assert_eq!(whole.text("evidence.titles"), Some("a title"));
    }
}
