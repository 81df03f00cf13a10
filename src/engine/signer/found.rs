//! Finding: whether entries are found as what they are. The tables by which they are looked for follow from them.

use std::collections::HashMap;

use super::survey::{Trouble, Whole};
use crate::store::ledger::{self, EntryKind, Times};
use crate::store::{Store, StoreError};
use countersign_ledger::{Fault, Row};

/// What the entries that were read say about those tables.
#[derive(Debug, Default)]
pub(super) struct Found {
    kinds: HashMap<String, (i64, EntryKind)>,
    times: Times,
    last: i64,
}

impl Found {
    pub(super) fn read(&mut self, row: &Row<'_>) {
        self.follow(row.seq, row.at);
        if !self.kinds.contains_key(row.about) {
            let kind = EntryKind {
                service: row.service.map(str::to_owned),
                environment: row.environment.map(str::to_owned),
                person: row.person.map(str::to_owned),
                action: row.action.to_owned(),
                outcome: row.outcome.to_owned(),
            };
            self.kinds.insert(row.about.to_owned(), (row.seq, kind));
        }
    }

    /// The next entry's time.
    pub(super) fn follow(&mut self, seq: i64, at: i64) {
        self.last = seq;
        self.times.next(at);
    }

    /// Adds what later entries said; their times are followed one by one.
    pub(super) fn add(&mut self, later: Self) {
        for (about, seen) in later.kinds {
            self.kinds.entry(about).or_insert(seen);
        }
    }

    /// Compares it with the tables. `is_all`: every entry was read, and none was added since.
    pub(super) async fn check(&self, store: &Store, is_all: bool) -> Result<(), Trouble> {
        let known = ledger::kinds(store).await?;
        let unknown = self
            .kinds
            .iter()
            .filter(|(about, (_, kind))| known.get(*about) != Some(kind))
            .map(|(_, (seq, _))| *seq);
        if let Some(first) = unknown.min() {
            return Err(Fault::at(first, "it is not found by what it is about").into());
        }
        let times = ledger::times(store).await?;
        let fits = if is_all {
            times == self.times
        } else {
            times.latest >= self.times.latest && times.slip >= self.times.slip
        };
        if !fits {
            return Err(Fault::at(
                self.last,
                "the times by which entries are found do not follow from them",
            )
            .into());
        }
        if is_all && let Some(stray) = known.keys().find(|about| !self.kinds.contains_key(*about)) {
            return Err(Fault::at(
                self.last,
                format!("no entry is about {stray:?}, by which entries are looked for"),
            )
            .into());
        }
        Ok(())
    }
}

/// Whether the tables have all of these entries.
pub(super) async fn are_found(store: &Store, rows: &[Whole]) -> Result<(), Trouble> {
    let mut found = Found::default();
    for row in rows {
        found.read(&row.stored.row());
    }
    found.check(store, false).await
}

/// Whether nothing was added since the log had this size.
pub(super) async fn is_still(store: &Store, size: i64) -> Result<bool, StoreError> {
    Ok(ledger::size(store).await? == size)
}
