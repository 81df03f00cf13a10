//! Entries as they are stored, with nothing left out: the exact bytes, the columns beside them, and what lies aside.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::any::AnyRow;

use super::super::row::Row;
use super::super::statement::statements;
use super::super::{Statement, Store, StoreError};
use crate::domain::Action;
use countersign_ledger::{self as ledger, Aside};

statements! {
    SIZE = ["SELECT size, log FROM ledger_head WHERE log = 'main'"];
    ENTRIES = ["SELECT seq, at, action, outcome, service, environment, person, sha, request, about, body, leaf FROM ledger_entry
        WHERE seq > $1 ORDER BY seq LIMIT $2"];
    ONE = ["SELECT seq, at, action, outcome, service, environment, person, sha, request, about, body, leaf FROM ledger_entry WHERE seq = $1"];
    OF_REQUEST = ["SELECT seq, at, action, outcome, service, environment, person, sha, request, about, body, leaf FROM ledger_entry
        WHERE request = $1 ORDER BY seq"];
    LATEST = ["SELECT seq, at, action, outcome, service, environment, person, sha, request, about, body, leaf FROM ledger_entry
        WHERE action = $1 AND" OWN "ORDER BY seq DESC LIMIT 1"];
    /// One statement, so that an erasure is seen on both sides or on none.
    BESIDE = ["SELECT seq, 1 AS kind, name, salt, value FROM ledger_private WHERE seq >= $1 AND seq <= $2
        UNION ALL SELECT seq, 2 AS kind, word AS name, CAST('' AS BYTEA) AS salt, '' AS value FROM ledger_word
        WHERE seq >= $1 AND seq <= $2"];
    NUMBERS = ["SELECT seq FROM ledger_entry WHERE action = $1 AND" OWN "ORDER BY seq"];
    /// The farthest of each kind, and what lies before the first entry.
    BEYOND = ["SELECT 0 AS kind, MAX(seq) AS seq, '' AS name FROM ledger_entry WHERE seq > $1
        UNION ALL SELECT 1 AS kind, seq, MIN(name) AS name FROM ledger_private
        WHERE seq < 1 OR seq = (SELECT MAX(seq) FROM ledger_private WHERE seq > $1) GROUP BY seq
        UNION ALL SELECT 2 AS kind, seq, MIN(word) AS name FROM ledger_word
        WHERE seq < 1 OR seq = (SELECT MAX(seq) FROM ledger_word WHERE seq > $1) GROUP BY seq
        UNION ALL SELECT 3 AS kind, MAX(n) AS seq, CAST(level AS TEXT) AS name FROM ledger_tile GROUP BY level"];
    ASIDES = ["SELECT seq, name, salt, value FROM ledger_private WHERE seq >= $1 AND seq <= $2 ORDER BY seq, name"];
}

/// A row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub seq: i64,
    pub at: i64,
    pub action: String,
    pub outcome: String,
    pub service: Option<String>,
    pub environment: Option<String>,
    pub person: Option<String>,
    pub sha: Option<String>,
    pub request: Option<i64>,
    pub about: String,
    pub body: Vec<u8>,
    pub leaf: Vec<u8>,
}

/// A value that lies aside, with the number of its entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAside {
    pub seq: i64,
    pub aside: Aside,
}

/// How many entries there are.
pub async fn size(store: &Store) -> Result<i64, StoreError> {
    let row = sqlx::query(SIZE.text(store.dialect()))
        .fetch_one(store.reader())
        .await?;
    Row::of(&row, "ledger_head", "log").number("size")
}

/// Entries by number, after `after`.
pub async fn entries(store: &Store, after: i64, most: u32) -> Result<Vec<Stored>, StoreError> {
    let rows = sqlx::query(ENTRIES.text(store.dialect()))
        .bind(after)
        .bind(i64::from(most))
        .fetch_all(store.reader())
        .await?;
    rows.iter().map(stored).collect()
}

pub async fn one(store: &Store, seq: i64) -> Result<Option<Stored>, StoreError> {
    maybe(store, &ONE, seq).await
}

/// Everything that was recorded about a request.
pub async fn of_request(store: &Store, request: i64) -> Result<Vec<Stored>, StoreError> {
    let rows = sqlx::query(OF_REQUEST.text(store.dialect()))
        .bind(request)
        .fetch_all(store.reader())
        .await?;
    rows.iter().map(stored).collect()
}

/// The newest entry of one kind, about the log or the service themselves.
pub async fn latest(store: &Store, action: Action) -> Result<Option<Stored>, StoreError> {
    let row = sqlx::query(LATEST.text(store.dialect()))
        .bind(action.as_str())
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(stored).transpose()
}

/// What lies aside for the entries from `first` to `last`.
pub async fn asides(store: &Store, first: i64, last: i64) -> Result<Vec<StoredAside>, StoreError> {
    let rows = sqlx::query(ASIDES.text(store.dialect()))
        .bind(first)
        .bind(last)
        .fetch_all(store.reader())
        .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of(row, "ledger_private", "seq");
            Ok(StoredAside {
                seq: row.number("seq")?,
                aside: Aside {
                    name: row.text("name")?,
                    salt: row.bytes("salt")?,
                    value: row.text("value")?,
                },
            })
        })
        .collect()
}

/// What lies beside an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    pub asides: Vec<Aside>,
    /// The words under which it is found.
    pub words: BTreeSet<String>,
}

/// What lies beside the entries from `first` to `last`, by their numbers.
pub async fn beside(
    store: &Store,
    first: i64,
    last: i64,
) -> Result<BTreeMap<i64, Beside>, StoreError> {
    let rows = sqlx::query(BESIDE.text(store.dialect()))
        .bind(first)
        .bind(last)
        .fetch_all(store.reader())
        .await?;
    let mut beside: BTreeMap<i64, Beside> = BTreeMap::new();
    for row in &rows {
        let row = Row::of(row, "ledger_private", "seq");
        let of = beside.entry(row.number("seq")?).or_default();
        if row.number("kind")? == 2 {
            of.words.insert(row.text("name")?);
        } else {
            of.asides.push(Aside {
                name: row.text("name")?,
                salt: row.bytes("salt")?,
                value: row.text("value")?,
            });
        }
    }
    Ok(beside)
}

/// What may lie where nothing should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beyond {
    /// The number of the entry or of the tile.
    pub at: i64,
    pub what: Stray,
}

/// What it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stray {
    Entry,
    Private(String),
    Word(String),
    Tile { level: i64 },
}

/// The farthest entry, private value and word after `last`, what lies before the first entry, and the
/// farthest tile of each level.
pub async fn beyond(store: &Store, last: i64) -> Result<Vec<Beyond>, StoreError> {
    let rows = sqlx::query(BEYOND.text(store.dialect()))
        .bind(last)
        .fetch_all(store.reader())
        .await?;
    let mut beyond = Vec::new();
    for row in &rows {
        let row = Row::of(row, "ledger_entry", "seq");
        let Some(at) = row.maybe_number("seq")? else {
            continue;
        };
        let name = row.text("name")?;
        let what = match row.number("kind")? {
            0 => Stray::Entry,
            1 => Stray::Private(name),
            2 => Stray::Word(name),
            _ => Stray::Tile {
                level: name.parse().unwrap_or(i64::MAX),
            },
        };
        beyond.push(Beyond { at, what });
    }
    Ok(beyond)
}

/// The numbers of all entries of one kind, about the log or the service themselves.
pub async fn numbers(store: &Store, action: Action) -> Result<Vec<i64>, StoreError> {
    let rows = sqlx::query(NUMBERS.text(store.dialect()))
        .bind(action.as_str())
        .fetch_all(store.reader())
        .await?;
    rows.iter()
        .map(|row| Row::of(row, "ledger_entry", "seq").number("seq"))
        .collect()
}

impl Stored {
    /// As it is checked.
    pub fn row(&self) -> ledger::Row<'_> {
        ledger::Row {
            seq: self.seq,
            at: self.at,
            action: &self.action,
            outcome: &self.outcome,
            service: self.service.as_deref(),
            environment: self.environment.as_deref(),
            person: self.person.as_deref(),
            sha: self.sha.as_deref(),
            request: self.request,
            about: &self.about,
            body: &self.body,
            leaf: &self.leaf,
        }
    }
}

async fn maybe(
    store: &Store,
    statement: &Statement,
    key: i64,
) -> Result<Option<Stored>, StoreError> {
    let row = sqlx::query(statement.text(store.dialect()))
        .bind(key)
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(stored).transpose()
}

pub(super) fn stored(row: &AnyRow) -> Result<Stored, StoreError> {
    let row = Row::of(row, "ledger_entry", "seq");
    Ok(Stored {
        seq: row.number("seq")?,
        at: row.number("at")?,
        action: row.text("action")?,
        outcome: row.text("outcome")?,
        service: row.maybe_text("service")?,
        environment: row.maybe_text("environment")?,
        person: row.maybe_text("person")?,
        sha: row.maybe_text("sha")?,
        request: row.maybe_number("request")?,
        about: row.text("about")?,
        body: row.bytes("body")?,
        leaf: row.bytes("leaf")?,
    })
}
