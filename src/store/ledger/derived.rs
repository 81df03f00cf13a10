//! Derived tables: what follows from the entries so that they are found: the combinations that occur, and how far
//! clocks were ever set back. Read to be checked.

use std::collections::BTreeMap;

use super::super::row::Row;
use super::super::statement::statements;
use super::super::{Store, StoreError};

statements! {
    KINDS = ["SELECT about, service, environment, person, action, outcome FROM ledger_about"];
    TIMES = ["SELECT log, latest, slip FROM ledger_head WHERE log = 'main'"];
}

/// A combination of what entries are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryKind {
    pub service: Option<String>,
    pub environment: Option<String>,
    pub person: Option<String>,
    pub action: String,
    pub outcome: String,
}

/// The latest time that was recorded, and how far a time ever lay before one recorded earlier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    pub latest: i64,
    pub slip: i64,
}

impl Times {
    /// Goes on with the next entry's time.
    pub fn next(&mut self, at: i64) {
        self.slip = self.slip.max(self.latest - at);
        self.latest = self.latest.max(at);
    }
}

/// Every combination by its word.
pub async fn kinds(store: &Store) -> Result<BTreeMap<String, EntryKind>, StoreError> {
    let rows = sqlx::query(KINDS.text(store.dialect()))
        .fetch_all(store.reader())
        .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of(row, "ledger_about", "about");
            let kind = EntryKind {
                service: row.maybe_text("service")?,
                environment: row.maybe_text("environment")?,
                person: row.maybe_text("person")?,
                action: row.text("action")?,
                outcome: row.text("outcome")?,
            };
            Ok((row.text("about")?, kind))
        })
        .collect()
}

pub async fn times(store: &Store) -> Result<Times, StoreError> {
    let row = sqlx::query(TIMES.text(store.dialect()))
        .fetch_one(store.reader())
        .await?;
    let row = Row::of(&row, "ledger_head", "log");
    Ok(Times {
        latest: row.number("latest")?,
        slip: row.number("slip")?,
    })
}
