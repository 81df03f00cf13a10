//! The intake loop takes what was received to the desk: in order within a lane, lanes side by side. What needs nothing
//! from outside is decided many at once; a lane that must ask the forge goes on by itself, and the others do not wait
//! for it. What a delivery causes is written in one transaction with "handled", under the fence of its lane.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::facts::{Facts, Purpose};
use super::turn::{self, Asking, Spoilt, Turn};
use super::{FALLBACK, Shared};
use crate::domain::{Catalog, Question};
use crate::metrics::HandledLabels;
use crate::store::StoreError;
use crate::store::lanes::{self, Received};
use crate::store::lease::{self, Hold};

/// How long a lane may be held between two transactions; this is for holders that vanish.
const LEASE: Duration = Duration::from_secs(60);
/// Deliveries that share a transaction.
const MOST: u32 = 256;
/// Lanes that ask the forge at the same time.
const ASKING: usize = 32;
/// How often a delivery may find that it must ask more. The desk needs four at most.
const ROUNDS: usize = 10;

/// The intake loop.
#[derive(Debug)]
pub struct Intake {
    shared: Shared,
    catalog: watch::Receiver<Arc<Catalog>>,
    facts: Arc<Facts>,
    /// Holds whose work failed. They are given back before anything else is taken: that the database was away is no
    /// delivery's fault, and nobody waits for the end of their leases.
    dropped: Mutex<Vec<Hold>>,
}

/// A lane that must ask, and its rows from there on.
#[derive(Debug)]
struct Stuck {
    hold: Hold,
    rows: Arc<[Received]>,
    asking: Asking,
}

impl Intake {
    pub fn new(shared: Shared, catalog: watch::Receiver<Arc<Catalog>>, facts: Arc<Facts>) -> Self {
        Self {
            shared,
            catalog,
            facts,
            dropped: Mutex::default(),
        }
    }

    /// Works until it is told to stop; a batch that was begun is finished, and lanes that wait for the
    /// forge are given back.
    pub async fn run(self, stop: CancellationToken) {
        let intake = Arc::new(self);
        let received = intake.shared.received.clone();
        let room = Arc::new(Semaphore::new(ASKING));
        let mut asking = JoinSet::new();
        while !stop.is_cancelled() {
            let woken = received.notified();
            tokio::pin!(woken);
            woken.as_mut().enable();
            let round = async {
                intake.give_back().await?;
                intake.round(&room, &mut asking, &stop).await
            };
            match round.await {
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
        while asking.join_next().await.is_some() {}
        if let Err(error) = intake.give_back().await {
            tracing::debug!(error = %error, "lanes are left to their leases");
        }
    }

    /// Gives back what was dropped.
    async fn give_back(&self) -> Result<(), StoreError> {
        let mut dropped = self.dropped.lock().await;
        while let Some(hold) = dropped.last().cloned() {
            let given = self.shared.store.unit(move |tx| {
                let hold = hold.clone();
                Box::pin(async move { lease::drop_all(tx, &hold).await })
            });
            given.await?;
            dropped.pop();
        }
        Ok(())
    }

    /// Handles one batch; `false` when all that waits is worked on already.
    async fn round(
        self: &Arc<Self>,
        room: &Arc<Semaphore>,
        asking: &mut JoinSet<()>,
        stop: &CancellationToken,
    ) -> Result<bool, StoreError> {
        while asking.try_join_next().is_some() {}
        // While all lanes that may ask do, no more are taken.
        let permit = tokio::select! {
            permit = room.clone().acquire_owned() => permit,
            () = stop.cancelled() => return Ok(false),
        };
        drop(permit);
        let Some(batch) = lanes::take(&self.shared.store, LEASE, MOST).await? else {
            return Ok(false);
        };
        let rows: Arc<[Received]> = batch.rows.into();
        let turn = Turn {
            whole: true,
            hold: batch.hold.clone(),
            rows: rows.clone(),
            known: None,
            catalog: self.catalog.borrow().clone(),
            spoilt: Spoilt::default(),
        };
        let stuck = match self.take_turn(turn).await {
            Ok(Some(stuck)) => stuck,
            Ok(None) => return Ok(true),
            Err(error) => {
                self.dropped.lock().await.push(batch.hold);
                return Err(error);
            }
        };
        for one in stuck {
            let (intake, stop, room) = (self.clone(), stop.clone(), room.clone());
            let lane = rows.iter().filter(|row| row.lane == one.lane);
            let stuck = Stuck {
                hold: batch
                    .hold
                    .only(|name| name == format!("inbox/{}", one.lane)),
                rows: lane.filter(|row| row.id >= one.row).cloned().collect(),
                asking: one,
            };
            asking.spawn(async move {
                let hold = stuck.hold.clone();
                if let Err(error) = intake.wait_and_go_on(stuck, room, &stop).await {
                    tracing::error!(error = %error, "a lane could not be finished and is given back");
                    intake.dropped.lock().await.push(hold);
                }
                intake.shared.received.notify_waiters();
            });
        }
        Ok(true)
    }

    /// Waits for its turn to ask, and holds its lane meanwhile.
    async fn wait_and_go_on(
        &self,
        stuck: Stuck,
        room: Arc<Semaphore>,
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        let mut turn = std::pin::pin!(room.acquire_owned());
        loop {
            tokio::select! {
                room = &mut turn => {
                    let ended = self.go_on(stuck, stop).await;
                    drop(room);
                    return ended;
                }
                () = tokio::time::sleep(LEASE / 3) => {}
                () = stop.cancelled() => return self.go_on(stuck, stop).await,
            }
            let part = stuck.hold.clone();
            let kept = self
                .shared
                .store
                .unit(move |tx| {
                    let part = part.clone();
                    Box::pin(async move { lease::extend(tx, &part, LEASE).await })
                })
                .await?;
            if !kept {
                return Ok(());
            }
        }
    }

    /// Asks the forge for one lane, and decides on, until its rows are done.
    async fn go_on(&self, mut stuck: Stuck, stop: &CancellationToken) -> Result<(), StoreError> {
        let mut rounds = 0;
        loop {
            let questions = std::mem::take(&mut stuck.asking.questions);
            let answers = tokio::select! {
                answers = self.ask(questions, stuck.asking.purpose, rounds) => answers,
                () = stop.cancelled() => {
                    let part = stuck.hold;
                    return self.shared.store.unit(move |tx| {
                        let part = part.clone();
                        Box::pin(async move { lease::give_part_back(tx, &part).await.map(drop) })
                    }).await;
                }
            };
            stuck.asking.known.extend(answers);
            let turn = Turn {
                whole: false,
                hold: stuck.hold.clone(),
                rows: stuck.rows.clone(),
                known: Some(stuck.asking.clone()),
                catalog: self.catalog.borrow().clone(),
                spoilt: Spoilt::default(),
            };
            let before = (stuck.asking.row, stuck.asking.part);
            let Some(mut again) = self.take_turn(turn).await? else {
                return Ok(());
            };
            let Some(asking) = again.pop() else {
                return Ok(());
            };
            rounds = if (asking.row, asking.part) == before {
                rounds + 1
            } else {
                0
            };
            let rows = stuck.rows.iter().filter(|row| row.id >= asking.row);
            stuck.rows = rows.cloned().collect();
            stuck.asking = asking;
        }
    }

    async fn ask(
        &self,
        questions: Vec<Question>,
        purpose: Purpose,
        rounds: usize,
    ) -> BTreeMap<Question, crate::domain::Finding> {
        if rounds >= ROUNDS {
            let endless = || Err("there was no end of questions".to_owned());
            return questions.into_iter().map(|one| (one, endless())).collect();
        }
        self.facts.find(questions, purpose).await
    }

    /// One transaction; the lanes that must ask, or nothing when the lanes were lost.
    async fn take_turn(&self, turn: Turn) -> Result<Option<Vec<Asking>>, StoreError> {
        let now = self.shared.clock.now();
        let Some(done) = turn::take(&self.shared.store, turn, LEASE, now).await? else {
            tracing::warn!("a lane was lost to another worker; nothing of the batch was written");
            return Ok(None);
        };
        for (source, outcome) in &done.handled {
            let labels = HandledLabels {
                source: source.as_str(),
                outcome,
            };
            self.shared.metrics.handled.get_or_create(&labels).inc();
        }
        if done.has_effects {
            self.shared.decided.notify_waiters();
        }
        if done.has_timers {
            self.shared.timed.notify_waiters();
        }
        Ok(Some(done.asking))
    }
}
