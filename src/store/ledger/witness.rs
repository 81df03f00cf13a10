//! Witnesses: what they have seen of the log: the cosigned checkpoint of each, which only moves under a lease, and what
//! the log itself remembers of that.

use std::time::Duration;

use super::super::lease::{self, Hold};
use super::super::row::Row;
use super::super::statement::statements;
use super::super::{Store, StoreError};
use super::{Anchor, Checkpoint, anchors, append, record_anchor};
use crate::domain::{Action, Entry};

statements! {
    OTHER_THAN = ["SELECT seq FROM ledger_entry WHERE seq > $1 AND seq <= $2 AND action <> $3 ORDER BY seq LIMIT 1"];
    RECENT = ["SELECT seq, body FROM ledger_entry WHERE action = $1 AND" OWN "ORDER BY seq DESC LIMIT $2"];
}

/// What `ledger_anchor` calls a witness.
pub const KIND: &str = "witness";

/// Whether entries after one and up to another hold anything but that checkpoints were anchored.
pub async fn is_news(store: &Store, after: i64, last: i64) -> Result<bool, StoreError> {
    let row = sqlx::query(OTHER_THAN.text(store.dialect()))
        .bind(after)
        .bind(last)
        .bind(Action::CheckpointAnchored.as_str())
        .fetch_optional(store.reader())
        .await?;
    Ok(row.is_some())
}

/// The newest entries about anchored checkpoints, the newest first.
pub async fn anchorings(store: &Store, most: u32) -> Result<Vec<Vec<u8>>, StoreError> {
    let rows = sqlx::query(RECENT.text(store.dialect()))
        .bind(Action::CheckpointAnchored.as_str())
        .bind(i64::from(most))
        .fetch_all(store.reader())
        .await?;
    rows.iter()
        .map(|row| Row::of(row, "ledger_entry", "seq").bytes("body"))
        .collect()
}

/// Takes a witness, unless another process has it.
pub async fn claim(
    store: &Store,
    name: &str,
    holder: &str,
    length: Duration,
) -> Result<Option<Hold>, StoreError> {
    let (place, holder) = (format!("{KIND}:{name}"), holder.to_owned());
    store
        .unit(move |tx| {
            let (place, holder) = (place.clone(), holder.clone());
            Box::pin(async move { lease::take_one(tx, &place, &holder, length).await })
        })
        .await
}

/// Keeps the lease for a while, or ends it at once.
pub async fn keep(store: &Store, hold: &Hold, length: Duration) -> Result<bool, StoreError> {
    let hold = hold.clone();
    store
        .unit(move |tx| {
            let hold = hold.clone();
            Box::pin(async move {
                if length.is_zero() {
                    lease::give_part_back(tx, &hold).await
                } else {
                    lease::extend(tx, &hold, length).await
                }
            })
        })
        .await
}

/// Keeps what a witness cosigned, and the entry about it if there is to be one; `false` when the lease was
/// lost, and nothing was kept.
pub async fn record(
    store: &Store,
    hold: &Hold,
    anchor: Anchor,
    entry: Option<Entry>,
    length: Duration,
) -> Result<bool, StoreError> {
    let hold = hold.clone();
    store
        .unit(move |tx| {
            let (hold, anchor, entry) = (hold.clone(), anchor.clone(), entry.clone());
            Box::pin(async move {
                if !lease::extend(tx, &hold, length).await? {
                    return Ok(false);
                }
                record_anchor(tx, &anchor).await?;
                if let Some(entry) = &entry {
                    append(tx, entry).await?;
                }
                Ok(true)
            })
        })
        .await
}

/// A checkpoint with the lines of all witnesses that saw exactly this one.
pub async fn cosigned(store: &Store, checkpoint: Checkpoint) -> Result<String, StoreError> {
    let mut note = checkpoint.note.clone();
    let seen = anchors(store).await?;
    for anchor in seen.iter().filter(|anchor| anchor.kind == KIND) {
        let kept = anchor.note.as_deref().unwrap_or_default();
        if let Some(lines) = kept.strip_prefix(&checkpoint.note) {
            note.push_str(lines);
        }
    }
    Ok(note)
}
