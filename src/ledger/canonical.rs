//! The one spelling of an entry: JSON without spaces, keys in alphabetical order, text as it is.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::{Actor, Detail, Entry};

/// The version of the form below.
pub const SCHEMA_VERSION: u32 = 1;

/// Fields in alphabetical order, because that is the order in which they are written.
#[derive(Serialize)]
struct Form<'e> {
    action: &'static str,
    actor: Who<'e>,
    at: String,
    detail: &'e BTreeMap<&'static str, Detail>,
    v: u32,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Who<'e> {
    Person {
        forge: &'static str,
        id: u64,
        login: &'e str,
    },
    Operator {
        operator: &'e str,
    },
    Countersign {
        service: &'static str,
    },
}

/// The bytes of an entry, as they are stored and hashed.
pub fn bytes(entry: &Entry) -> Vec<u8> {
    let form = Form {
        action: entry.action.as_str(),
        actor: match &entry.actor {
            Actor::Person { forge, id, login } => Who::Person {
                forge,
                id: *id,
                login,
            },
            Actor::Operator { name } => Who::Operator { operator: name },
            Actor::Countersign => Who::Countersign {
                service: "countersign",
            },
        },
        at: entry.at.to_string(),
        detail: &entry.detail,
        v: SCHEMA_VERSION,
    };
    // Only maps with keys that are not text can fail, and there are none.
    serde_json::to_vec(&form).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::Action;

    #[test]
    fn the_spelling_never_changes() {
        let entry = Entry {
            at: Timestamp::from_microsecond(1_767_225_600_000_001).unwrap(),
            action: Action::CommandReceived,
            actor: Actor::Person {
                forge: "github",
                id: 7,
                login: "ann \"the\" deployer".to_owned(),
            },
            detail: BTreeMap::from([("sha", "é".into()), ("command", "/help".into())]),
        };
        assert_eq!(
            String::from_utf8(bytes(&entry)).unwrap(),
            r#"{"action":"command.received","actor":{"forge":"github","id":7,"login":"ann \"the\" deployer"},"at":"2026-01-01T00:00:00.000001Z","detail":{"command":"/help","sha":"é"},"v":1}"#
        );
    }
}
