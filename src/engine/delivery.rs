//! The delivery loop carries out what was decided: it claims rows with a lease and a fence, acts, and records how it
//! went. A row that keeps failing is parked for a person to look at. It never decides.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::anchored::anchored;
use super::covered::{Uncovered, covered};
use super::hands::{self, Acted, Executor, Job};
use super::{FALLBACK, Shared, backoff};
use crate::domain::{Action, Actor, Catalog, Departure, Effect, Entry, Internal, Went};
use crate::metrics::EffectLabels;
use crate::store::outbox::{self, Claimed, Ending};
use crate::store::{StoreError, ledger, note, quiet};
use countersign_ground::chance;
use countersign_ground::clock::later;
use countersign_ledger::{Standing, short};

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

/// Holders that may vanish for each attempt that may fail.
const VANISHED_FOR_EACH: u64 = 4;

/// The delivery loop.
#[derive(Debug)]
pub struct DeliveryLoop<E> {
    pub shared: Shared,
    pub catalog: watch::Receiver<Arc<Catalog>>,
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
                conclude(
                    shared,
                    &row,
                    Attempted::new(Ending::GivenBack, "given_back"),
                )
                .await;
            } else {
                self.start(running, row, permit);
            }
        }
        Ok(true)
    }

    fn start(&self, running: &mut JoinSet<()>, row: Claimed, permit: OwnedSemaphorePermit) {
        let (shared, executor, pace) = (self.shared.clone(), self.executor.clone(), self.pace);
        let hurry = self.hurry.clone();
        let catalog = self.catalog.borrow().clone();
        running.spawn(async move {
            let _room = permit;
            let attempted = tokio::select! {
                attempted = attempt((&shared, &catalog), executor.as_ref(), pace, &row) => attempted,
                () = hurry.cancelled() => interrupted(&shared),
            };
            let labels = EffectLabels {
                kind: row.effect.as_ref().map_or("unknown", Effect::kind),
                outcome: attempted.word,
            };
            shared.metrics.effects.get_or_create(&labels).inc();
            conclude(&shared, &row, attempted).await;
        });
    }
}

/// How an attempt ended, and what goes with it.
#[derive(Clone, Debug)]
struct Attempted {
    ending: Ending,
    word: &'static str,
    /// What the desk is told.
    note: Option<Internal>,
    /// Until when no process may call the same way, and why.
    quiet: Option<(Timestamp, String)>,
    /// A trigger that the audit log does not know.
    unproven: bool,
}

impl Attempted {
    fn new(ending: Ending, word: &'static str) -> Self {
        Self {
            ending,
            word,
            note: None,
            quiet: None,
            unproven: false,
        }
    }

    fn parked(problem: String) -> Self {
        Self::new(Ending::Parked { problem }, "parked")
    }
}

/// It is not known whether it was done: the next holder has a higher fence and looks first.
fn interrupted(shared: &Shared) -> Attempted {
    let ending = Ending::Later {
        due_at: shared.clock.now(),
        problem: "interrupted when the service stopped".to_owned(),
    };
    Attempted::new(ending, "interrupted")
}

/// Acts once and says how the row goes on.
async fn attempt<E: Executor>(
    (shared, catalog): (&Shared, &Catalog),
    executor: &E,
    pace: Pace,
    row: &Claimed,
) -> Attempted {
    let effect = match &row.effect {
        Ok(effect) => effect,
        Err(why) => {
            return Attempted::parked(format!("this version cannot read the effect: {why}"));
        }
    };
    let is_trigger = matches!(effect, Effect::Trigger(_));
    // A process that dies is seldom the effect's fault, so it may vanish more often than it may fail.
    if row.attempts > pace.attempts * VANISHED_FOR_EACH && !is_trigger && !effect.is_patient() {
        return Attempted::parked(format!(
            "whoever acted on it vanished; {} attempts were begun",
            row.attempts - 1
        ));
    }
    tracing::info!(
        outbox.id = row.id,
        outbox.fence = row.fence,
        outbox.token = row.token,
        effect = effect.kind(),
        holder = shared.holder,
        "acting"
    );
    if let Effect::Trigger(departure) = effect
        && row.fence == 1
        && let Err(why) = covered(shared, catalog, departure, (&row.token, row.cause)).await
    {
        return uncovered(departure, &why, shared.clock.now());
    }
    let made = match &row.thread {
        Some(thread) => match outbox::result(&shared.store, thread).await {
            Ok(made) => made,
            Err(error) => return again(shared, pace, row, (error.to_string(), None)),
        },
        None => None,
    };
    let anchor = match &*shared.standing.borrow() {
        Standing::Sound(head) => Some(short(*head)),
        Standing::Checking | Standing::Broken { .. } => None,
    };
    let anchored = anchored(effect, anchor.as_deref());
    let job = Job {
        effect: &anchored,
        token: &row.token,
        is_first: row.fence == 1,
        made,
        anchor,
    };
    let acted = tokio::time::timeout(pace.call, executor.act(job))
        .await
        .unwrap_or_else(|_| too_slow(effect, pace.call));
    let now = shared.clock.now();
    match acted {
        Acted::Done { result } => Attempted::new(Ending::Done { at: now, result }, "done"),
        Acted::Told(note) => Attempted {
            quiet: held(&note, now),
            note: Some(note),
            ..Attempted::new(
                Ending::Done {
                    at: now,
                    result: None,
                },
                "told",
            )
        },
        Acted::Later { why, wait } => again(shared, pace, row, (why, wait)),
        Acted::Never { why } => Attempted::parked(why),
    }
}

/// A trigger that the audit log does not allow. Where the log does not know of it at all, it is not from us: that is
/// recorded, and the row kept for a person to look at.
fn uncovered(departure: &Departure, why: &Uncovered, now: Timestamp) -> Attempted {
    let note = match hands::told(departure, why.went(departure)) {
        Acted::Told(note) => Some(note),
        Acted::Done { .. } | Acted::Later { .. } | Acted::Never { .. } => None,
    };
    let ended = match why {
        Uncovered::Unproven(why) => Attempted {
            unproven: true,
            ..Attempted::parked(format!("the audit log does not allow it: {why}"))
        },
        Uncovered::NotYet(_) | Uncovered::ByOtherRules(_) | Uncovered::Broken(_) => Attempted::new(
            Ending::Done {
                at: now,
                result: None,
            },
            "uncovered",
        ),
    };
    Attempted { note, ..ended }
}

/// What made a trigger wait holds for every call that shares its limit.
fn held(note: &Internal, now: Timestamp) -> Option<(Timestamp, String)> {
    match note {
        Internal::Triggered {
            outcome: Went::Held { why, seconds },
            ..
        } => Some((later(now, Duration::from_secs(*seconds)), why.clone())),
        Internal::Triggered { .. }
        | Internal::Due(_)
        | Internal::Heard { .. }
        | Internal::Parked { .. } => None,
    }
}

fn too_slow(effect: &Effect, deadline: Duration) -> Acted {
    let why = format!("no answer within {} s", deadline.as_secs());
    match effect {
        Effect::Trigger(departure) => hands::told(departure, hands::lost(&why)),
        Effect::Forge(_) | Effect::Chat(_) => Acted::Later { why, wait: None },
    }
}

/// Comes back later, or is parked when it came back often enough.
fn again(
    shared: &Shared,
    pace: Pace,
    row: &Claimed,
    (why, wait): (String, Option<Duration>),
) -> Attempted {
    let is_patient = row.effect.as_ref().is_ok_and(Effect::is_patient);
    // Being asked to wait is no failure.
    if row.attempts >= pace.attempts && wait.is_none() && !is_patient {
        return Attempted::parked(format!("failed {} times, lastly: {why}", row.attempts));
    }
    tracing::warn!(
        outbox.id = row.id,
        outbox.fence = row.fence,
        why,
        "an effect failed and will be tried again"
    );
    let now = shared.clock.now();
    let due_at = later(now, backoff::pause(row.attempts, wait, chance::fraction()));
    let quiet = wait.map(|wait| (later(now, wait), why.clone()));
    let ending = Ending::Later {
        due_at,
        problem: why,
    };
    Attempted {
        quiet,
        ..Attempted::new(ending, "failed")
    }
}

/// Records the ending. When the database is away, it is asked again until the lease is over; then
/// another holder will act again, and look first.
async fn conclude(shared: &Shared, row: &Claimed, attempted: Attempted) {
    for _ in 0..30 {
        match record(shared, row, &attempted).await {
            Ok(true) => {
                if attempted.note.is_some() {
                    shared.received.notify_waiters();
                }
                // What waited behind it in its thread may go on.
                shared.decided.notify_waiters();
                return;
            }
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

async fn record(shared: &Shared, row: &Claimed, attempted: &Attempted) -> Result<bool, StoreError> {
    let now = shared.clock.now();
    let (row, attempted) = (row.clone(), attempted.clone());
    shared
        .store
        .unit(move |tx| {
            let (row, attempted) = (row.clone(), attempted.clone());
            Box::pin(async move {
                let ours = outbox::end(tx, &row, &attempted.ending).await?;
                if !ours {
                    return Ok(false);
                }
                if let Ok(effect) = &row.effect {
                    if let (Some(note), Some(repository)) = (&attempted.note, effect.repository()) {
                        note::leave(tx, &note::lane(repository.id), note, now).await?;
                    }
                    if let Some((until, why)) = &attempted.quiet {
                        quiet::keep(tx, &effect.limit(), *until, why).await?;
                    }
                }
                if let Ending::Parked { problem } = &attempted.ending {
                    tracing::error!(
                        outbox.id = row.id,
                        problem,
                        "an effect was parked: see `countersign outbox list`"
                    );
                    let action = if attempted.unproven {
                        Action::TriggerUnproven
                    } else {
                        Action::EffectParked
                    };
                    let entry = Entry::new(now, action, Actor::Countersign)
                        .with("outbox", row.id.to_string())
                        .with("problem", problem.as_str())
                        .with("token", row.token.as_str());
                    ledger::append(tx, &entry).await?;
                    if let Ok(effect) = &row.effect
                        && let Some(repository) = effect.repository()
                    {
                        let told = Internal::Parked {
                            outbox: row.id,
                            effect: effect.kind().to_owned(),
                            problem: problem.clone(),
                            repository: repository.clone(),
                        };
                        note::leave(tx, &note::lane(repository.id), &told, now).await?;
                    }
                }
                Ok(true)
            })
        })
        .await
}
