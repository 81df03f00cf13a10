//! Exports: how far each has come. One process sends at a time: it holds the export's lease, and the cursor moves only
//! under a lease that was not lost.

use std::time::Duration;

use jiff::Timestamp;

use super::super::lease::{self, Hold};
use super::super::{Store, StoreError};
use super::{Anchor, anchor, record_anchor};

/// The right to send, and the last entry that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    place: String,
    hold: Hold,
    pub sent: i64,
}

/// The last entry that an export has sent.
pub async fn sent(store: &Store, name: &str) -> Result<i64, StoreError> {
    let known = anchor(store, &place(name)).await?;
    Ok(known.map_or(0, |known| known.size))
}

/// Takes an export, unless another process has it.
pub async fn claim(
    store: &Store,
    name: &str,
    holder: &str,
    length: Duration,
) -> Result<Option<Claim>, StoreError> {
    let place = place(name);
    let (wanted, holder) = (place.clone(), holder.to_owned());
    let hold = store
        .unit(move |tx| {
            let (wanted, holder) = (wanted.clone(), holder.clone());
            Box::pin(async move { lease::take_one(tx, &wanted, &holder, length).await })
        })
        .await?;
    let Some(hold) = hold else { return Ok(None) };
    // Only this process moves it now.
    let sent = sent(store, name).await?;
    Ok(Some(Claim { place, hold, sent }))
}

/// Moves the cursor; `false` when the lease was lost, and nothing moved.
pub async fn advance(
    store: &Store,
    claim: &Claim,
    sent: i64,
    at: Timestamp,
    length: Duration,
) -> Result<bool, StoreError> {
    let claim = claim.clone();
    store
        .unit(move |tx| {
            let claim = claim.clone();
            Box::pin(async move {
                if !lease::extend(tx, &claim.hold, length).await? {
                    return Ok(false);
                }
                let cursor = Anchor {
                    place: claim.place,
                    kind: "export".to_owned(),
                    size: sent,
                    at,
                    note: None,
                };
                record_anchor(tx, &cursor).await?;
                Ok(true)
            })
        })
        .await
}

/// Keeps the lease for a while, or ends it at once.
pub async fn keep(store: &Store, claim: &Claim, length: Duration) -> Result<bool, StoreError> {
    let claim = claim.clone();
    store
        .unit(move |tx| {
            let claim = claim.clone();
            Box::pin(async move {
                if length.is_zero() {
                    lease::give_part_back(tx, &claim.hold).await
                } else {
                    lease::extend(tx, &claim.hold, length).await
                }
            })
        })
        .await
}

fn place(name: &str) -> String {
    format!("export:{name}")
}
