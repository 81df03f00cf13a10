//! Carries out what was decided: claims rows with a lease and a fence, acts, records how it went. A row
//! that keeps failing is parked for a person to look at. Never decides.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::hands::{Acted, Executor};
use super::{FALLBACK, Shared, backoff};
use crate::chance;
use crate::clock::later;
use crate::domain::{Action, Actor, Effect, Entry};
use crate::metrics::EffectLabels;
use crate::store::outbox::{self, Claimed, Ending};
use crate::store::{StoreError, ledger};

/// How the delivery loop works.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long a row is held; must be longer than any call.
    pub lease: Duration,
    /// When a call is given up; its outcome is then unknown.
    pub call: Duration,
    /// Calls at the same time.
    pub width: usize,
    /// Failed attempts after which a row is parked.
    pub attempts: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(90),
            call: Duration::from_secs(60),
            width: 16,
            attempts: 12,
        }
    }
}

/// The delivery loop.
#[derive(Debug)]
pub struct DeliveryLoop<E> {
    pub shared: Shared,
    pub executor: Arc<E>,
    pub pace: Pace,
    /// Cancelled when what is under way must be given back: the service is about to end.
    pub hurry: CancellationToken,
}

impl<E: Executor> DeliveryLoop<E> {
    /// Works until it is told to stop. What was begun is finished; what was claimed and not begun is
    /// given back.
    pub async fn run(self, stop: CancellationToken) {
        let decided = self.shared.decided.clone();
        let room = Arc::new(Semaphore::new(self.pace.width));
        let mut running = JoinSet::new();
        while !stop.is_cancelled() {
            let woken = decided.notified();
            tokio::pin!(woken);
            woken.as_mut().enable();
            match self.round(&room, &mut running, &stop).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(error = %error, "delivery could not work and will try again");
                }
            }
            tokio::select! {
                () = woken => {}
                () = tokio::time::sleep(FALLBACK) => {}
                () = stop.cancelled() => {}
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Claims as many rows as there is room for and starts them; `false` when nothing was due.
    async fn round(
        &self,
        room: &Arc<Semaphore>,
        running: &mut JoinSet<()>,
        stop: &CancellationToken,
    ) -> Result<bool, StoreError> {
        while running.try_join_next().is_some() {}
        let first = tokio::select! {
            permit = room.clone().acquire_owned() => permit,
            () = stop.cancelled() => return Ok(false),
        };
        let Ok(first) = first else { return Ok(false) };
        let mut permits = vec![first];
        while let Ok(permit) = room.clone().try_acquire_owned() {
            permits.push(permit);
        }
        let most = u32::try_from(permits.len()).unwrap_or(u32::MAX);
        let shared = &self.shared;
        let claimed =
            outbox::claim(&shared.store, shared.clock.now(), self.pace.lease, most).await?;
        if claimed.is_empty() {
            return Ok(false);
        }
        for row in claimed {
            // Whatever was claimed must end, so none is passed over for want of a permit.
            let permit = match permits.pop() {
                Some(permit) => permit,
                None => match room.clone().acquire_owned().await {
                    Ok(permit) => permit,
                    Err(_) => return Ok(false),
                },
            };
            if stop.is_cancelled() {
                conclude(shared, &row, Ending::GivenBack).await;
            } else {
                self.start(running, row, permit);
            }
        }
        Ok(true)
    }

    fn start(&self, running: &mut JoinSet<()>, row: Claimed, permit: OwnedSemaphorePermit) {
        let (shared, executor, pace) = (self.shared.clone(), self.executor.clone(), self.pace);
        let hurry = self.hurry.clone();
        running.spawn(async move {
            let _room = permit;
            let (ending, outcome) = tokio::select! {
                ended = attempt(&shared, executor.as_ref(), pace, &row) => ended,
                () = hurry.cancelled() => (interrupted(&shared), "interrupted"),
            };
            let labels = EffectLabels {
                kind: row.effect.as_ref().map_or("unknown", Effect::kind),
                outcome,
            };
            shared.metrics.effects.get_or_create(&labels).inc();
            conclude(&shared, &row, ending).await;
        });
    }
}

/// Nobody knows whether it was done: the next holder has a higher fence and looks first.
fn interrupted(shared: &Shared) -> Ending {
    Ending::Later {
        due_at: shared.clock.now(),
        problem: "interrupted when the service stopped".to_owned(),
    }
}

/// Acts once and says how the row goes on.
async fn attempt<E: Executor>(
    shared: &Shared,
    executor: &E,
    pace: Pace,
    row: &Claimed,
) -> (Ending, &'static str) {
    let effect = match &row.effect {
        Ok(effect) => effect,
        Err(why) => {
            let problem = format!("this version cannot read the effect: {why}");
            return (Ending::Parked { problem }, "parked");
        }
    };
    if row.attempts > pace.attempts {
        let problem = format!(
            "whoever acted on it vanished; {} attempts were begun",
            row.attempts - 1
        );
        return (Ending::Parked { problem }, "parked");
    }
    tracing::info!(
        outbox.id = row.id,
        outbox.fence = row.fence,
        outbox.token = row.token,
        effect = effect.kind(),
        holder = shared.holder,
        "acting"
    );
    let acted = tokio::time::timeout(pace.call, executor.act(row, effect))
        .await
        .unwrap_or_else(|_| Acted::Later {
            why: format!("no answer within {} s", pace.call.as_secs()),
            wait: None,
        });
    let now = shared.clock.now();
    match acted {
        Acted::Done => (Ending::Done { at: now }, "done"),
        Acted::Later { why, wait } if row.attempts < pace.attempts => {
            tracing::warn!(
                outbox.id = row.id,
                outbox.fence = row.fence,
                why,
                "an effect failed and will be tried again"
            );
            let due_at = later(now, backoff::pause(row.attempts, wait, chance::fraction()));
            (
                Ending::Later {
                    due_at,
                    problem: why,
                },
                "failed",
            )
        }
        Acted::Later { why, .. } => {
            let problem = format!("failed {} times, lastly: {why}", row.attempts);
            (Ending::Parked { problem }, "parked")
        }
        Acted::Never { why } => (Ending::Parked { problem: why }, "parked"),
    }
}

/// Records the ending. When the database is away, it is asked again until the lease is over; then
/// another holder will act again, and look first.
async fn conclude(shared: &Shared, row: &Claimed, ending: Ending) {
    for _ in 0..30 {
        match record(shared, row, &ending).await {
            Ok(true) => return,
            Ok(false) => {
                tracing::warn!(
                    outbox.id = row.id,
                    outbox.fence = row.fence,
                    "the claim was lost before its outcome could be recorded"
                );
                return;
            }
            Err(error) => {
                tracing::error!(outbox.id = row.id, error = %error, "an outcome could not be recorded and will be tried again");
                tokio::time::sleep(FALLBACK).await;
            }
        }
    }
}

async fn record(shared: &Shared, row: &Claimed, ending: &Ending) -> Result<bool, StoreError> {
    let now = shared.clock.now();
    let (row, ending) = (row.clone(), ending.clone());
    shared
        .store
        .unit(move |tx| {
            let (row, ending) = (row.clone(), ending.clone());
            Box::pin(async move {
                let ours = outbox::end(tx, &row, &ending).await?;
                if let (true, Ending::Parked { problem }) = (ours, &ending) {
                    tracing::error!(
                        outbox.id = row.id,
                        problem,
                        "an effect was parked: see `countersign outbox list`"
                    );
                    let entry = Entry {
                        at: now,
                        action: Action::EffectParked,
                        actor: Actor::Countersign,
                        detail: [
                            ("outbox", row.id.to_string()),
                            ("problem", problem.clone()),
                            ("token", row.token.clone()),
                        ]
                        .into(),
                    };
                    ledger::append(tx, &entry).await?;
                }
                Ok(ours)
            })
        })
        .await
}
