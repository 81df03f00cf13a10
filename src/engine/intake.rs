//! Takes what was received to the desk: in order within a lane. A process takes many lanes at once and
//! decides one delivery after the other, because deciding waits for nothing; processes share the lanes.
//! What a delivery causes is written in one transaction with "handled", under the fences of the lanes.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{FALLBACK, Shared};
use crate::domain::{Action, Actor, Catalog, Entry, Outcome, Source, decide};
use crate::forges::github;
use crate::metrics::HandledLabels;
use crate::store::inbox::{self, Verdict};
use crate::store::lanes::{self, Received};
use crate::store::lease::{self, Hold};
use crate::store::{Store, StoreError, Tx, ledger, outbox};

/// How long a lane may be held. Handling takes milliseconds; this is for holders that vanish.
const LEASE: Duration = Duration::from_secs(30);
/// Deliveries that share a transaction.
const MOST: u32 = 256;
/// After so many vanished holders a delivery is set aside, so that its lane goes on. High enough that
/// a row of power cuts does not look like a deadly delivery.
const ATTEMPTS: u64 = 10;

/// The intake loop; one for each process, so that a delivery that is handled alone is really alone.
#[derive(Debug)]
pub struct Intake {
    pub shared: Shared,
    pub catalog: watch::Receiver<Arc<Catalog>>,
}

/// What became of one delivery, ready to be written.
#[derive(Debug)]
struct Settled {
    id: i64,
    verdict: Verdict,
    outcome: Outcome,
}

impl Intake {
    /// Works until it is told to stop; a batch that was begun is finished.
    pub async fn run(self, stop: CancellationToken) {
        let received = self.shared.received.clone();
        while !stop.is_cancelled() {
            let woken = received.notified();
            tokio::pin!(woken);
            woken.as_mut().enable();
            match self.round().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(error = %error, "intake could not work and will try again");
                }
            }
            tokio::select! {
                () = woken => {}
                () = tokio::time::sleep(FALLBACK) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Handles one batch; `false` when there is nothing that nobody else works on.
    pub async fn round(&self) -> Result<bool, StoreError> {
        let Some(batch) = lanes::take(&self.shared.store, LEASE, MOST).await? else {
            return Ok(false);
        };
        let now = self.shared.clock.now();
        let catalog = self.catalog.borrow().clone();
        let rows = batch.rows.iter();
        let settled: Arc<[Settled]> = rows.map(|row| settle(row, &catalog, now)).collect();
        if !write(&self.shared.store, batch.hold, settled.clone(), now).await? {
            tracing::warn!("a lane was lost to another worker; nothing of the batch was written");
            return Ok(true);
        }
        for (row, one) in batch.rows.iter().zip(settled.iter()) {
            let labels = HandledLabels {
                source: row.source.as_str(),
                outcome: one.verdict.columns().0,
            };
            self.shared.metrics.handled.get_or_create(&labels).inc();
        }
        if settled.iter().any(|one| !one.outcome.effects.is_empty()) {
            self.shared.decided.notify_waiters();
        }
        Ok(true)
    }
}

/// One transaction: under the fences of the lanes, every delivery's entries, effects and verdict.
async fn write(
    store: &Store,
    hold: Hold,
    settled: Arc<[Settled]>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    store
        .unit(move |tx| {
            let (hold, settled) = (hold.clone(), settled.clone());
            Box::pin(async move {
                if !lease::give_back(tx, &hold).await? {
                    return Ok(false);
                }
                let mut ended: BTreeMap<&Verdict, Vec<i64>> = BTreeMap::new();
                for one in settled.iter() {
                    record(tx, &one.outcome, now).await?;
                    ended.entry(&one.verdict).or_default().push(one.id);
                }
                for (verdict, ids) in ended {
                    inbox::handled(tx, &ids, verdict, now).await?;
                }
                Ok(true)
            })
        })
        .await
}

/// Writes an outcome unless its meaning was written before, under whatever delivery id.
async fn record(tx: &mut Tx, outcome: &Outcome, now: Timestamp) -> Result<(), StoreError> {
    if let Some(first) = outcome.effects.first()
        && outbox::knows(tx, &first.token).await?
    {
        return Ok(());
    }
    let mut cause = 0;
    for entry in &outcome.entries {
        cause = ledger::append(tx, entry).await?;
    }
    for planned in &outcome.effects {
        outbox::add(tx, planned, cause, now).await?;
    }
    Ok(())
}

/// Reads and decides one delivery. A defect of ours in it costs this delivery, not the service.
fn settle(row: &Received, catalog: &Catalog, now: Timestamp) -> Settled {
    let (verdict, outcome) = if row.attempts >= ATTEMPTS {
        park(
            row,
            now,
            format!("its handler vanished {} times", row.attempts),
        )
    } else {
        catch_unwind(AssertUnwindSafe(|| judge(row, catalog, now)))
            .unwrap_or_else(|_| park(row, now, "its handler panicked".to_owned()))
    };
    if let Verdict::Malformed(why) = &verdict {
        tracing::warn!(
            delivery.row = row.id,
            event = row.event,
            why,
            "a delivery cannot be read"
        );
    }
    Settled {
        id: row.id,
        verdict,
        outcome,
    }
}

/// Sets a delivery aside for a person to look at.
fn park(row: &Received, now: Timestamp, why: String) -> (Verdict, Outcome) {
    tracing::error!(
        delivery.row = row.id,
        event = row.event,
        why,
        "a delivery was set aside: see `countersign inbox list`"
    );
    let entry = Entry {
        at: now,
        action: Action::DeliveryParked,
        actor: Actor::Countersign,
        detail: [
            ("inbox", row.id.to_string()),
            ("problem", why.clone()),
            ("source", row.source.as_str().to_owned()),
        ]
        .into(),
    };
    let outcome = Outcome {
        entries: vec![entry],
        ..Outcome::default()
    };
    (Verdict::Parked(why), outcome)
}

fn judge(row: &Received, catalog: &Catalog, now: Timestamp) -> (Verdict, Outcome) {
    let incoming = match row.source {
        Source::GitHub => github::edge::interpret(&row.event, &row.body),
    };
    match incoming {
        Err(why) => (Verdict::Malformed(why), Outcome::default()),
        Ok(incoming) => {
            let decided = incoming.iter().map(|one| decide(one, catalog, now));
            let outcome = decided.reduce(together).unwrap_or_default();
            let verdict = outcome
                .ignored
                .clone()
                .map_or(Verdict::Handled, Verdict::Ignored);
            (verdict, outcome)
        }
    }
}

/// What two things told by one delivery cause; it is ignored if both are.
fn together(mut first: Outcome, second: Outcome) -> Outcome {
    first.ignored = first.ignored.filter(|_| second.ignored.is_some());
    first.entries.extend(second.entries);
    first.effects.extend(second.effects);
    first
}
