//! Whether entries are found as what they are: the tables by which they are looked for follow from them.

use std::collections::BTreeMap;

use super::survey::{Trouble, Whole};
use crate::ledger::Fault;
use crate::store::ledger::{self, EntryKind, Times};
use crate::store::{Store, StoreError};

/// What the entries that were read say about those tables.
#[derive(Debug, Default)]
pub(super) struct Found {
    kinds: BTreeMap<String, (i64, EntryKind)>,
    times: Times,
    last: i64,
}

impl Found {
    pub(super) fn read(&mut self, whole: &Whole) {
        let stored = &whole.stored;
        self.last = stored.seq;
        self.times.next(stored.at);
        if !self.kinds.contains_key(&stored.about) {
            let kind = EntryKind {
                service: stored.service.clone(),
                environment: stored.environment.clone(),
                person: stored.person.clone(),
                action: stored.action.clone(),
                outcome: stored.outcome.clone(),
            };
            self.kinds.insert(stored.about.clone(), (stored.seq, kind));
        }
    }

    /// Compares it with the tables. `is_all`: every entry was read, and none was added since.
    pub(super) async fn check(&self, store: &Store, is_all: bool) -> Result<(), Trouble> {
        let known = ledger::kinds(store).await?;
        for (about, (seq, kind)) in &self.kinds {
            if known.get(about) != Some(kind) {
                return Err(Fault::at(*seq, "it is not found by what it is about").into());
            }
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
        found.read(row);
    }
    found.check(store, false).await
}

/// Whether nothing was added since the log had this size.
pub(super) async fn is_still(store: &Store, size: i64) -> Result<bool, StoreError> {
    Ok(ledger::size(store).await? == size)
}
