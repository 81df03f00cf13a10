//! Packs: many rows of the log in one row of an answer, because handing over a row costs more than checking an entry.
//! What does not unpack exactly as it was written is left to the caller, to be read row by row.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use sqlx::any::AnyRow;

use super::super::row::Row;
use super::super::statement::statements;
use super::super::{Store, StoreError};
use super::entries::Beside;
use countersign_ledger::{self as ledger, Aside};

statements! {
    ENTRIES = ["SELECT MIN(seq) AS first, MAX(seq) AS last, CAST(" LISTS "(seq, at, action, outcome, service, environment, person,
            sha, request, about, octet_length(body), octet_length(leaf))) AS TEXT) AS lists,"
            JOINED ("body") "AS bodies," JOINED ("leaf") "AS leaves," NO_BYTES ("body", "leaf") "AS strange
        FROM (SELECT seq, at, action, outcome, service, environment, person, sha, request, about, body, leaf
            FROM ledger_entry WHERE seq > $1 AND seq <= $2 ORDER BY seq) some_entries"];
    /// One statement, so that an erasure is seen on both sides or on none.
    BESIDE = ["SELECT 0 AS first, private.lists AS lists, private.salts AS salts, private.strange AS strange, words.lists AS words
        FROM (SELECT CAST(" LISTS "(seq, name, octet_length(salt), value)) AS TEXT) AS lists," JOINED ("salt") "AS salts,"
                NO_BYTES ("salt", "salt") "AS strange FROM ledger_private WHERE seq >= $1 AND seq <= $2) private
            CROSS JOIN (SELECT CAST(" LISTS "(seq, word)) AS TEXT) AS lists FROM ledger_word
                WHERE seq >= $1 AND seq <= $2) words"];
}

/// Entries as the database packed them, with what lies beside them.
#[derive(Debug)]
pub struct Pack {
    lists: String,
    bodies: Vec<u8>,
    leaves: Vec<u8>,
    beside: PackedBeside,
}

#[derive(Debug)]
struct PackedBeside {
    lists: Option<String>,
    salts: Vec<u8>,
    words: Option<String>,
}

/// The columns of an entry, and the lengths of its bytes and of its leaf.
#[derive(Deserialize)]
struct Columns<'p>(
    i64,
    i64,
    #[serde(borrow)] Cow<'p, str>,
    #[serde(borrow)] Cow<'p, str>,
    #[serde(borrow)] Option<Text<'p>>,
    #[serde(borrow)] Option<Text<'p>>,
    #[serde(borrow)] Option<Text<'p>>,
    #[serde(borrow)] Option<Text<'p>>,
    Option<i64>,
    #[serde(borrow)] Cow<'p, str>,
    usize,
    usize,
);

/// A text that is not copied: serde borrows within an `Option` only what has a name.
#[derive(Deserialize)]
struct Text<'p>(#[serde(borrow)] Cow<'p, str>);

/// Entries after `after`, up to `last`, with what lies beside them; nothing where there are none. The entries are read
/// first: what lies beside an entry is written with it.
pub async fn pack(store: &Store, after: i64, last: i64) -> Result<Option<Pack>, StoreError> {
    let row = sqlx::query(ENTRIES.text(store.dialect()))
        .bind(after)
        .bind(last)
        .fetch_one(store.reader())
        .await?;
    let row = Row::of(&row, "ledger_entry", "first");
    let (Some(first), Some(last)) = (row.maybe_number("first")?, row.maybe_number("last")?) else {
        return Ok(None);
    };
    is_bytes(&row)?;
    let beside = sqlx::query(BESIDE.text(store.dialect()))
        .bind(first)
        .bind(last)
        .fetch_one(store.reader())
        .await?;
    Ok(Some(Pack {
        lists: row.text("lists")?,
        bodies: row.bytes("bodies")?,
        leaves: row.bytes("leaves")?,
        beside: packed_beside(&beside)?,
    }))
}

fn packed_beside(row: &AnyRow) -> Result<PackedBeside, StoreError> {
    let row = Row::of(row, "ledger_private", "first");
    is_bytes(&row)?;
    let lists = row.maybe_text("lists")?;
    let salts = match &lists {
        Some(_) => row.maybe_bytes("salts")?.unwrap_or_default(),
        None => Vec::new(),
    };
    Ok(PackedBeside {
        lists,
        salts,
        words: row.maybe_text("words")?,
    })
}

/// SQLite keeps a text where bytes should be, if one is written.
fn is_bytes(row: &Row<'_>) -> Result<(), StoreError> {
    match row.maybe_number("strange")? {
        Some(0) | None => Ok(()),
        Some(_) => Err(row.unreadable("strange", "not all of it is bytes".to_owned())),
    }
}

impl Pack {
    /// Hands every entry to `each`, in order, until it says that it wants no more. `false` when the pack does not
    /// unpack exactly.
    pub fn unpack<'p>(&'p self, mut each: impl FnMut(ledger::Row<'_>, Beside) -> bool) -> bool {
        let Some(mut beside) = self.beside.unpacked() else {
            return false;
        };
        let Ok(rows) = serde_json::from_str::<Vec<Columns<'p>>>(&self.lists) else {
            return false;
        };
        let (mut bodies, mut leaves) = (self.bodies.as_slice(), self.leaves.as_slice());
        let total = |length: fn(&Columns<'_>) -> usize| rows.iter().map(length).sum::<usize>();
        if total(|row| row.10) != bodies.len()
            || total(|row| row.11) != leaves.len()
            || !rows.is_sorted_by(|one, next| one.0 < next.0)
        {
            return false;
        }
        for row in &rows {
            let (Some((body, more_bodies)), Some((leaf, more_leaves))) = (
                bodies.split_at_checked(row.10),
                leaves.split_at_checked(row.11),
            ) else {
                return false;
            };
            (bodies, leaves) = (more_bodies, more_leaves);
            let beside = beside.remove(&row.0).unwrap_or_default();
            if !each(row.with(body, leaf), beside) {
                break;
            }
        }
        true
    }
}

impl Columns<'_> {
    fn with<'r>(&'r self, body: &'r [u8], leaf: &'r [u8]) -> ledger::Row<'r> {
        ledger::Row {
            seq: self.0,
            at: self.1,
            action: &self.2,
            outcome: &self.3,
            service: text(&self.4),
            environment: text(&self.5),
            person: text(&self.6),
            sha: text(&self.7),
            request: self.8,
            about: &self.9,
            body,
            leaf,
        }
    }
}

fn text<'t>(text: &'t Option<Text<'_>>) -> Option<&'t str> {
    text.as_ref().map(|text| text.0.as_ref())
}

impl PackedBeside {
    fn unpacked(&self) -> Option<BTreeMap<i64, Beside>> {
        let mut beside: BTreeMap<i64, Beside> = BTreeMap::new();
        let asides: Vec<(i64, String, usize, String)> = list(self.lists.as_deref())?;
        let mut salts = self.salts.as_slice();
        for (seq, name, length, value) in asides {
            let (salt, more) = salts.split_at_checked(length)?;
            salts = more;
            beside.entry(seq).or_default().asides.push(Aside {
                name,
                salt: salt.to_vec(),
                value,
            });
        }
        let words: Vec<(i64, String)> = list(self.words.as_deref())?;
        for (seq, word) in words {
            beside.entry(seq).or_default().words.insert(word);
        }
        salts.is_empty().then_some(beside)
    }
}

/// PostgreSQL says nothing where there is nothing, and SQLite an empty list.
fn list<'l, T: Deserialize<'l>>(packed: Option<&'l str>) -> Option<Vec<T>> {
    packed.map_or_else(
        || Some(Vec::new()),
        |packed| serde_json::from_str(packed).ok(),
    )
}
