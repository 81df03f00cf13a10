//! Private values lie beside the entries and can be erased: names, reasons, commands. The entries keep their bytes,
//! their commitments and their numbers, so everything that was proven of them stays true.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::super::row::Row;
use super::super::statement::statements;
use super::super::{StoreError, Tx};
use crate::domain::{Action, Actor, Detail, Entry};
use countersign_ledger::{self as ledger, Aside};

statements! {
    /// All who are or were called so.
    PEOPLE = ["SELECT person FROM person WHERE lower(login) = $1
        UNION SELECT ledger_entry.person AS person FROM ledger_private JOIN ledger_entry ON ledger_entry.seq = ledger_private.seq
            WHERE ledger_private.name = 'actor.login' AND lower(ledger_private.value) = $2 AND ledger_entry.person IS NOT NULL
        ORDER BY person"];
    /// What a person is and was called.
    LOGINS = ["SELECT login AS login FROM person WHERE person = $1
        UNION SELECT ledger_private.value AS login FROM ledger_private JOIN ledger_entry ON ledger_entry.seq = ledger_private.seq
            WHERE ledger_private.name = 'actor.login' AND ledger_entry.person = $1"];
    OF_PERSON = ["SELECT ledger_private.seq AS seq, ledger_private.name AS name FROM ledger_private
        JOIN ledger_entry ON ledger_entry.seq = ledger_private.seq
        WHERE ledger_entry.person = $1 AND ledger_private.name = 'actor.login'"];
    /// What may name a person; the caller looks closer.
    NAMING = ["SELECT seq, name, value FROM ledger_private WHERE seq > $1 AND lower(value) LIKE $2 ESCAPE '!' ORDER BY seq, name LIMIT $3"];
    OF_ENTRY = ["SELECT seq, name, salt, value FROM ledger_private WHERE seq = $1 ORDER BY name"];
    BODY = ["SELECT seq, body FROM ledger_entry WHERE seq = $1"];
    /// With what lies aside for its length goes what is private in it.
    ERASE = ["DELETE FROM ledger_private WHERE seq = $1
        AND (name = $2 OR substr(name, 1, length(CAST($2 AS TEXT)) + 1) = CAST($2 AS TEXT) || '.')"];
    FORGET = ["DELETE FROM person WHERE person = $1"];
    KEEP_WORDS = ["DELETE FROM ledger_word WHERE seq = $1 AND word NOT IN (SELECT value FROM" EACH_OF_2 ")"];
}

/// Entries whose asides are looked at in one go.
const PIECE: i64 = 1_000;
/// So many records fit into an entry without being moved aside themselves.
const RECORDS: usize = 150;

/// What is to be erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// What tells who a person is: `github:7`.
    Person(String),
    /// What names a person who never did anything here.
    Named(String),
    /// What lies aside of an entry; all of it, or what has this name.
    Entry { seq: i64, name: Option<String> },
}

/// A value that lies aside, by its entry and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    pub seq: i64,
    pub name: String,
}

/// The people who are or were called so.
pub async fn people(tx: &mut Tx, login: &str) -> Result<Vec<String>, StoreError> {
    let login = login.to_lowercase();
    let rows = sqlx::query(tx.sql(&PEOPLE))
        .bind(login.as_str())
        .bind(Value::from(login.as_str()).to_string())
        .fetch_all(tx.connection())
        .await?;
    rows.iter()
        .map(|row| Row::of(row, "person", "person").text("person"))
        .collect()
}

/// What would be erased, in order.
pub async fn find(tx: &mut Tx, whom: &Whom) -> Result<Vec<Found>, StoreError> {
    let found: BTreeSet<Found> = match whom {
        Whom::Person(person) => about_person(tx, person).await?,
        Whom::Named(login) => {
            let mut found = BTreeSet::new();
            naming(tx, login, &mut found).await?;
            found
        }
        Whom::Entry { seq, name } => {
            let asides = of_entry(tx, *seq).await?.into_iter();
            let is_meant = |aside: &Aside| name.as_ref().is_none_or(|name| aside.name == *name);
            asides
                .filter(is_meant)
                .map(|aside| Found {
                    seq: *seq,
                    name: aside.name,
                })
                .collect()
        }
    };
    let is_within = |one: &Found| {
        let whole = one.name.match_indices('.').map(|(end, _)| Found {
            seq: one.seq,
            name: one.name[..end].to_owned(),
        });
        whole.into_iter().any(|whole| found.contains(&whole))
    };
    Ok(found
        .iter()
        .filter(|one| !is_within(one))
        .cloned()
        .collect())
}

/// Erases, and records what and why. Returns what was erased.
pub async fn erase(
    tx: &mut Tx,
    whom: &Whom,
    operator: &str,
    reason: &str,
    at: Timestamp,
) -> Result<Vec<Found>, StoreError> {
    let found = find(tx, whom).await?;
    for one in &found {
        sqlx::query(tx.sql(&ERASE))
            .bind(one.seq)
            .bind(&one.name)
            .execute(tx.connection())
            .await?;
    }
    for seq in found.iter().map(|one| one.seq).collect::<BTreeSet<i64>>() {
        keep_words(tx, seq).await?;
    }
    if let Whom::Person(person) = whom {
        sqlx::query(tx.sql(&FORGET))
            .bind(person)
            .execute(tx.connection())
            .await?;
    }
    for piece in found.chunks(RECORDS) {
        let records = piece.iter().map(|one| {
            Detail::from([
                ("seq", Detail::from(one.seq.unsigned_abs())),
                ("name", Detail::from(one.name.as_str())),
            ])
        });
        let actor = Actor::Operator {
            name: operator.to_owned(),
        };
        let entry = Entry::new(at, Action::PrivateErased, actor)
            .with("erased", records.collect::<Detail>())
            .with_private("reason", reason);
        super::append(tx, &entry).await?;
    }
    Ok(found)
}

/// Whether a text names a person as a word of its own; `ann` is not in `ann-marie`.
pub fn names(text: &str, login: &str) -> bool {
    let (text, login) = (text.to_lowercase(), login.to_lowercase());
    let joins = |c: Option<char>, beyond: Option<char>| match c {
        Some('-') => beyond.is_some_and(char::is_alphanumeric),
        Some(c) => c.is_alphanumeric() || c == '_',
        None => false,
    };
    !login.is_empty()
        && text.match_indices(&login).any(|(start, found)| {
            let mut before = text[..start].chars().rev();
            let mut after = text[start + found.len()..].chars();
            !joins(before.next(), before.next()) && !joins(after.next(), after.next())
        })
}

async fn about_person(tx: &mut Tx, person: &str) -> Result<BTreeSet<Found>, StoreError> {
    let mut found = BTreeSet::new();
    let rows = sqlx::query(tx.sql(&OF_PERSON))
        .bind(person)
        .fetch_all(tx.connection())
        .await?;
    for row in &rows {
        found.insert(found_in(&Row::of(row, "ledger_private", "seq"))?);
    }
    for login in logins(tx, person).await? {
        naming(tx, &login, &mut found).await?;
    }
    Ok(found)
}

/// What a person is and was called, as far as it is still known; in lower case.
pub async fn logins(tx: &mut Tx, person: &str) -> Result<BTreeSet<String>, StoreError> {
    let rows = sqlx::query(tx.sql(&LOGINS))
        .bind(person)
        .fetch_all(tx.connection())
        .await?;
    let mut logins = BTreeSet::new();
    for row in &rows {
        let login = Row::of(row, "person", "login").text("login")?;
        // In an aside it is written as JSON.
        let login = serde_json::from_str(&login).unwrap_or(login);
        logins.insert(login.to_lowercase());
    }
    Ok(logins)
}

async fn naming(tx: &mut Tx, login: &str, found: &mut BTreeSet<Found>) -> Result<(), StoreError> {
    let escaped = ['!', '%', '_']
        .iter()
        .fold(login.to_lowercase(), |text, c| {
            text.replace(*c, &format!("!{c}"))
        });
    let pattern = format!("%{escaped}%");
    let mut after = 0;
    loop {
        let rows = sqlx::query(tx.sql(&NAMING))
            .bind(after)
            .bind(&pattern)
            .bind(PIECE)
            .fetch_all(tx.connection())
            .await?;
        let mut last = after;
        for row in &rows {
            let row = Row::of(row, "ledger_private", "seq");
            last = row.number("seq")?;
            if value_names(&row.text("value")?, login) {
                found.insert(found_in(&row)?);
            }
        }
        if rows.len() < usize::try_from(PIECE).unwrap_or(usize::MAX) {
            return Ok(());
        }
        // The last entry may have more.
        after = if last - 1 > after { last - 1 } else { last };
    }
}

fn value_names(value: &str, login: &str) -> bool {
    fn looks(value: &Value, login: &str) -> bool {
        match value {
            Value::String(text) => names(text, login),
            Value::Array(items) => items.iter().any(|item| looks(item, login)),
            Value::Object(parts) => parts.values().any(|part| looks(part, login)),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }
    serde_json::from_str(value).map_or_else(|_| names(value, login), |value| looks(&value, login))
}

/// Words are derived from what is there; the others go.
async fn keep_words(tx: &mut Tx, seq: i64) -> Result<(), StoreError> {
    let asides = of_entry(tx, seq).await?;
    let row = sqlx::query(tx.sql(&BODY))
        .bind(seq)
        .fetch_optional(tx.connection())
        .await?;
    let body = row
        .map(|row| Row::of(&row, "ledger_entry", "seq").bytes("body"))
        .transpose()?;
    let words = ledger::words(&body.unwrap_or_default(), &asides);
    // Only maps with keys that are not text can fail, and there are none.
    let list = serde_json::to_string(&words).unwrap_or_default();
    sqlx::query(tx.sql(&KEEP_WORDS))
        .bind(seq)
        .bind(list)
        .execute(tx.connection())
        .await?;
    Ok(())
}

async fn of_entry(tx: &mut Tx, seq: i64) -> Result<Vec<Aside>, StoreError> {
    let rows = sqlx::query(tx.sql(&OF_ENTRY))
        .bind(seq)
        .fetch_all(tx.connection())
        .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of(row, "ledger_private", "seq");
            Ok(Aside {
                name: row.text("name")?,
                salt: row.bytes("salt")?,
                value: row.text("value")?,
            })
        })
        .collect()
}

fn found_in(row: &Row<'_>) -> Result<Found, StoreError> {
    Ok(Found {
        seq: row.number("seq")?,
        name: row.text("name")?,
    })
}

/// What is to be erased, counted by name.
pub fn by_name(found: &[Found]) -> BTreeMap<String, u64> {
    let mut counted = BTreeMap::new();
    for one in found {
        // Places in a list are all of one kind.
        let kind: Vec<&str> = one
            .name
            .split('.')
            .map(|part| {
                if part.parse::<u64>().is_ok() {
                    "*"
                } else {
                    part
                }
            })
            .collect();
        *counted.entry(kind.join(".")).or_default() += 1;
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_counts_as_a_word() {
        let check = |text: &str, expect: bool| assert_eq!(names(text, "ann"), expect, "{text}");
        for text in [
            "ann",
            "`ann` said no",
            "@Ann: go",
            "by ann-",
            "x/ann",
            "ANN",
        ] {
            check(text, true);
        }
        for text in [
            "",
            "annual",
            "joann",
            "ann-marie",
            "jo-ann",
            "ann_2",
            "an n",
        ] {
            check(text, false);
        }
        check("annual ann", true);
        assert!(!names("anything", ""));
    }

    #[test]
    fn values_are_read_before_they_are_searched() {
        assert!(value_names("\"first\\nann\"", "ann"));
        assert!(value_names("{\"says\":[\"`ann` is\"]}", "ann"));
        assert!(!value_names("{\"ann\":\"x\"}", "ann"));
    }
}
