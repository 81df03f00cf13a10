//! The one spelling of an entry: JSON without spaces, keys in alphabetical order, text as it is. What is
//! private stands in it as a commitment: SHA-256 over a random salt and the value's own spelling, both of
//! which lie aside and can be erased. What would make an entry too long lies aside in the same way.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use super::base64;
use super::seal::{SEAL_LENGTH, Sealer};
use crate::entry::{Actor, Detail, Entry};

/// The version of the form below.
pub const SCHEMA_VERSION: u32 = 2;
/// No entry is longer.
pub const MOST_BYTES: usize = 16 << 10;
/// The random bytes before a private value.
pub const SALT_LENGTH: usize = 32;

/// Keys of the record that stands for a value which lies aside.
pub(super) const PRIVATE: &str = "private";
pub(super) const ASIDE: &str = "aside";

/// Random bytes, drawn by the caller.
pub type Salt = [u8; SALT_LENGTH];

/// An entry as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spelled {
    /// The exact bytes that are hashed.
    pub body: Vec<u8>,
    pub asides: Vec<Aside>,
}

/// A value to which an entry only holds a commitment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// Where in the entry it belongs: `command`, `evidence.reasons`, `actor.login`.
    pub name: String,
    pub salt: Vec<u8>,
    /// The value's spelling.
    pub value: String,
}

/// Fields in alphabetical order, because that is the order in which they are written.
#[derive(Serialize)]
struct Form<'e> {
    action: &'static str,
    actor: &'e Detail,
    at: String,
    detail: &'e BTreeMap<&'static str, Detail>,
    log: &'e str,
    seal: &'static str,
    seq: i64,
    v: u32,
}

/// Spells and seals an entry. Salts are drawn as they are needed.
pub fn spell(entry: &Entry, seq: i64, sealer: &Sealer, mut salt: impl FnMut() -> Salt) -> Spelled {
    let mut asides = Vec::new();
    let mut set_aside = |name: &str, key: &'static str, detail: &Detail| {
        let aside = Aside {
            name: name.to_owned(),
            salt: salt().to_vec(),
            value: text(detail),
        };
        let commitment = base64(&commitment(&aside.salt, &aside.value));
        asides.push(aside);
        Detail::from([(key, Detail::from(commitment))])
    };
    let actor = commit("actor", &actor(&entry.actor), &mut |name, detail| {
        set_aside(name, PRIVATE, detail)
    });
    let mut detail: BTreeMap<&'static str, Detail> = entry
        .detail
        .iter()
        .map(|(name, detail)| {
            let detail = commit(name, detail, &mut |name, detail| {
                set_aside(name, PRIVATE, detail)
            });
            (*name, detail)
        })
        .collect();
    loop {
        let form = Form {
            action: entry.action.as_str(),
            actor: &actor,
            at: entry.at.to_string(),
            detail: &detail,
            log: sealer.log(),
            seal: "",
            seq,
            v: SCHEMA_VERSION,
        };
        let unsealed = json(&form);
        let longest = detail
            .iter()
            .filter(|(_, detail)| !is_aside(detail))
            .max_by_key(|(_, detail)| text(detail).len())
            .map(|(name, _)| *name);
        match longest {
            Some(name) if unsealed.len() + SEAL_LENGTH > MOST_BYTES => {
                if let Some(detail) = detail.get_mut(name) {
                    *detail = set_aside(name, ASIDE, detail);
                }
            }
            Some(_) | None => {
                return Spelled {
                    body: sealer.seal(unsealed),
                    asides,
                };
            }
        }
    }
}

/// What a value that lies aside must hash to.
pub fn commitment(salt: &[u8], value: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(salt)
        .chain_update(value.as_bytes())
        .finalize()
        .into()
}

fn actor(actor: &Actor) -> Detail {
    match actor {
        Actor::Person { forge, id, login } => Detail::from([
            ("forge", Detail::from(*forge)),
            ("id", Detail::from(*id)),
            ("login", Detail::private(login.as_str())),
        ]),
        Actor::Stranger {
            chat,
            tenant,
            user,
            name,
        } => Detail::from([
            ("chat", Detail::from(*chat)),
            ("login", Detail::private(name.as_str())),
            ("tenant", Detail::from(tenant.as_str())),
            ("user", Detail::from(user.as_str())),
        ]),
        Actor::Operator { name } => Detail::from([("operator", Detail::private(name.as_str()))]),
        Actor::Countersign => Detail::from([("service", Detail::from("countersign"))]),
    }
}

/// The detail with everything private replaced by what `set_aside` says.
fn commit(
    name: &str,
    detail: &Detail,
    set_aside: &mut impl FnMut(&str, &Detail) -> Detail,
) -> Detail {
    match detail {
        Detail::Text(_) | Detail::Number(_) => detail.clone(),
        Detail::List(items) => Detail::List(
            items
                .iter()
                .enumerate()
                .map(|(index, item)| commit(&format!("{name}.{index}"), item, set_aside))
                .collect(),
        ),
        Detail::Record(parts) => Detail::Record(
            parts
                .iter()
                .map(|(key, part)| (*key, commit(&format!("{name}.{key}"), part, set_aside)))
                .collect(),
        ),
        Detail::Private(inner) => set_aside(name, inner),
    }
}

fn is_aside(detail: &Detail) -> bool {
    matches!(detail, Detail::Record(parts) if parts.contains_key(ASIDE) || parts.contains_key(PRIVATE))
}

impl Serialize for Detail {
    /// What is private within something private is private with it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::List(items) => serializer.collect_seq(items),
            Self::Record(parts) => serializer.collect_map(parts),
            Self::Private(inner) => inner.serialize(serializer),
        }
    }
}

fn text(detail: &Detail) -> String {
    // Only maps with keys that are not text can fail, and there are none.
    serde_json::to_string(detail).unwrap_or_default()
}

fn json(form: &Form<'_>) -> Vec<u8> {
    // Only maps with keys that are not text can fail, and there are none.
    serde_json::to_vec(form).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::Seen;
    use crate::entry::Action;

    fn at() -> Timestamp {
        Timestamp::from_microsecond(1_767_225_600_000_001).unwrap()
    }

    fn ann() -> Actor {
        Actor::Person {
            forge: "github",
            id: 7,
            login: "ann \"the\" deployer".to_owned(),
        }
    }

    fn sealer() -> Sealer {
        Sealer::new("example.com/log", "", [[1; 32]])
    }

    fn counting() -> impl FnMut() -> Salt {
        let mut drawn = 0;
        move || {
            drawn += 1;
            [drawn; SALT_LENGTH]
        }
    }

    #[test]
    fn the_spelling_never_changes() {
        let entry = Entry::new(at(), Action::CommandReceived, ann())
            .with("sha", "é")
            .with_private("command", "/help");
        let spelled = spell(&entry, 3, &sealer(), counting());
        assert_eq!(
            String::from_utf8(spelled.body).unwrap(),
            r#"{"action":"command.received","actor":{"forge":"github","id":7,"login":{"private":"FdexAZjz0eTqXDJLwzvORHIHkeNL9dNvnZZ8TCo+94s="}},"at":"2026-01-01T00:00:00.000001Z","detail":{"command":{"private":"0BTzvPCim0tH6LSozk5+CwFdJtOaOLI1/ZFpgVJm0us="},"sha":"é"},"log":"example.com/log","seal":"00a0ba6df032bc639dbec2471aa9e1bc03e9c7864a055e06edea6c92d92b7eac","seq":3,"v":2}"#
        );
        let names: Vec<_> = spelled
            .asides
            .iter()
            .map(|aside| aside.name.as_str())
            .collect();
        assert_eq!(names, ["actor.login", "command"]);
        assert_eq!(spelled.asides[0].value, r#""ann \"the\" deployer""#);
    }

    #[test]
    fn what_is_private_is_nowhere_in_the_body() {
        let inner = Detail::from([
            ("login", Detail::private("secret-login")),
            ("list", ["secret-one", "secret-two"].into_iter().collect()),
        ]);
        let entry = Entry::new(at(), Action::Refused, ann())
            .with(
                "approvals",
                [Detail::from([("login", Detail::private("secret-bob"))])]
                    .into_iter()
                    .collect::<Detail>(),
            )
            .with_private("evidence", inner);
        let spelled = spell(&entry, 1, &sealer(), counting());
        let body = String::from_utf8(spelled.body).unwrap();
        assert!(!body.contains("secret") && !body.contains("ann"), "{body}");
        let names: Vec<_> = spelled
            .asides
            .iter()
            .map(|aside| aside.name.as_str())
            .collect();
        assert_eq!(names, ["actor.login", "approvals.0.login", "evidence"]);
        assert_eq!(
            spelled.asides[2].value,
            r#"{"list":["secret-one","secret-two"],"login":"secret-login"}"#
        );
    }

    #[test]
    fn an_entry_that_would_be_too_long_lies_aside_in_parts() {
        for length in [16_000, 16_200, 16_384, 17_000, 100_000] {
            let entry = Entry::new(at(), Action::Refused, ann())
                .with("evidence", "x".repeat(length))
                .with("other", "y".repeat(9_000))
                .with("service", "shop");
            let spelled = spell(&entry, 1, &sealer(), counting());
            assert!(spelled.body.len() <= MOST_BYTES, "{length}");
            assert!(spelled.asides.iter().any(|aside| aside.name == "evidence"));
            let seen = Seen::read(&spelled.body).unwrap();
            assert_eq!(seen.facets.service.as_deref(), Some("shop"));
        }
    }
}
