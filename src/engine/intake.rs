//! Takes what was received to the desk: lane by lane, in order within a lane, side by side across
//! lanes. What a delivery causes is written in one transaction with "handled", under the lane's fence.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{FALLBACK, Shared};
use crate::domain::{Catalog, Outcome, Source, decide};
use crate::forges::github;
use crate::metrics::HandledLabels;
use crate::store::inbox::{self, Asking, Batch, Received, Verdict};
use crate::store::{Store, StoreError, Tx, lease, ledger, outbox};

/// How long a lane may be held. Handling takes milliseconds; this is for holders that vanish.
const LEASE: Duration = Duration::from_secs(30);
/// Deliveries of one lane that share a transaction.
const MOST: u32 = 64;
/// After so many vanished holders a delivery is set aside, so that its lane goes on. High enough that
/// a row of power cuts does not look like a deadly delivery.
const ATTEMPTS: u64 = 10;

/// One intake worker.
#[derive(Debug)]
pub struct Intake {
    pub shared: Shared,
    pub catalog: watch::Receiver<Arc<Catalog>>,
    pub lease: Duration,
}

/// What became of one delivery, ready to be written.
#[derive(Debug)]
struct Settled {
    id: i64,
    verdict: Verdict,
    outcome: Outcome,
}

impl Intake {
    pub fn new(shared: Shared, catalog: watch::Receiver<Arc<Catalog>>) -> Self {
        Self {
            shared,
            catalog,
            lease: LEASE,
        }
    }

    /// Works until it is told to stop; a batch that was begun is finished.
    pub async fn run(self, stop: CancellationToken) {
        let received = self.shared.received.clone();
        let mut after = String::new();
        while !stop.is_cancelled() {
            let woken = received.notified();
            tokio::pin!(woken);
            woken.as_mut().enable();
            match self.round(&mut after).await {
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

    /// Handles one batch of the next lane that is free; `false` when there is none. Lanes take turns:
    /// `after` is the one that was served last.
    pub async fn round(&self, after: &mut String) -> Result<bool, StoreError> {
        let start = after.clone();
        let mut wrapped = start.is_empty();
        loop {
            let Some(lane) = inbox::next_lane(&self.shared.store, after).await? else {
                if wrapped {
                    after.clear();
                    return Ok(false);
                }
                wrapped = true;
                after.clear();
                continue;
            };
            after.clone_from(&lane);
            let asking = Asking {
                holder: self.shared.holder.clone(),
                lease: self.lease,
                most: MOST,
            };
            if let Some(batch) = inbox::take(&self.shared.store, lane, asking).await? {
                let found = !batch.rows.is_empty();
                self.handle(batch).await?;
                if found {
                    return Ok(true);
                }
            }
            if wrapped && *after >= start && !start.is_empty() {
                return Ok(false);
            }
        }
    }

    async fn handle(&self, batch: Batch) -> Result<(), StoreError> {
        let now = self.shared.clock.now();
        let catalog = self.catalog.borrow().clone();
        let counted: Vec<(Source, &'static str)>;
        let settled: Arc<[Settled]> = {
            let settled: Vec<Settled> = batch
                .rows
                .iter()
                .map(|row| settle(row, &catalog, now))
                .collect();
            counted = batch
                .rows
                .iter()
                .zip(&settled)
                .map(|(row, settled)| (row.source, settled.verdict.columns().0))
                .collect();
            settled.into()
        };
        let written = write(&self.shared.store, batch.lease, settled.clone(), now).await?;
        if !written {
            tracing::warn!("a lane was lost to another worker; nothing of the batch was written");
            return Ok(());
        }
        for (source, outcome) in counted {
            let labels = HandledLabels {
                source: source.as_str(),
                outcome,
            };
            self.shared.metrics.handled.get_or_create(&labels).inc();
        }
        if settled.iter().any(|one| !one.outcome.effects.is_empty()) {
            self.shared.decided.notify_waiters();
        }
        Ok(())
    }
}

/// One transaction: under the lane's fence, every delivery's entries, effects and verdict.
async fn write(
    store: &Store,
    lease: lease::Lease,
    settled: Arc<[Settled]>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    store
        .unit(move |tx| {
            let (lease, settled) = (lease.clone(), settled.clone());
            Box::pin(async move {
                if !lease::release(tx, &lease).await? {
                    return Ok(false);
                }
                for one in settled.iter() {
                    record(tx, &one.outcome, now).await?;
                    inbox::handled(tx, one.id, &one.verdict, now).await?;
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
        let why = format!("its handler vanished {} times", row.attempts);
        (Verdict::Parked(why), Outcome::default())
    } else {
        let judged = catch_unwind(AssertUnwindSafe(|| judge(row, catalog, now)));
        judged.unwrap_or_else(|_| {
            let why = "its handler panicked".to_owned();
            (Verdict::Parked(why), Outcome::default())
        })
    };
    match &verdict {
        Verdict::Handled | Verdict::Ignored(_) => {}
        Verdict::Malformed(why) => {
            tracing::warn!(
                delivery.row = row.id,
                event = row.event,
                why,
                "a delivery cannot be read"
            );
        }
        Verdict::Parked(why) => {
            tracing::error!(
                delivery.row = row.id,
                event = row.event,
                why,
                "a delivery was set aside"
            );
        }
    }
    Settled {
        id: row.id,
        verdict,
        outcome,
    }
}

fn judge(row: &Received, catalog: &Catalog, now: Timestamp) -> (Verdict, Outcome) {
    let incoming = match row.source {
        Source::GitHub => github::edge::interpret(&row.event, &row.body),
    };
    match incoming {
        Err(why) => (Verdict::Malformed(why), Outcome::default()),
        Ok(incoming) => {
            let outcome = decide(&incoming, catalog, now);
            let verdict = outcome
                .ignored
                .clone()
                .map_or(Verdict::Handled, Verdict::Ignored);
            (verdict, outcome)
        }
    }
}
