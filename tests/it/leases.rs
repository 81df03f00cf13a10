//! Leases: no worker works under another's fence.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign::domain::{
    Effect, Forge, OnForge, Place, Planned, Reaction, Repository, RepositoryId,
};
use countersign::store::lease::{self, Hold};
use countersign::store::outbox::{self, Ending};
use countersign::store::{Store, lanes, timer};
use jiff::Timestamp;
use sqlx::Executor as _;

use crate::inbox::{delivery, open_door};
use crate::support::{Database, Engine, on_both};

on_both!(
    eight_workers_execute_each_job_under_one_fence,
    a_lease_is_held_by_one_and_inherited_after_its_time,
    a_slow_holder_cannot_overwrite_the_next_one,
    units_that_collide_are_repeated_until_all_are_done,
);

pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

pub(crate) fn reaction_to(comment: u64) -> Planned {
    Planned {
        token: format!("github/comment/{comment}/eyes"),
        effect: Effect::from(OnForge::React {
            place: Place {
                repository: Repository {
                    id: RepositoryId::on(Forge::GitHub, 9),
                    path: "acme/shop".to_owned(),
                    installation: None,
                },
                pull_request: 3,
                comment,
                written_at: now(),
            },
            reaction: Reaction::Eyes,
        }),
        not_before: None,
        is_back: false,
    }
}

/// Plans so many reactions, due at once.
pub(crate) async fn plan(store: &Store, comments: std::ops::Range<u64>) {
    let planned: Arc<[Planned]> = comments.map(reaction_to).collect();
    store
        .unit(move |tx| {
            let planned = planned.clone();
            Box::pin(async move {
                for one in planned.iter() {
                    assert!(outbox::add(tx, one, 0, Timestamp::UNIX_EPOCH).await?);
                }
                Ok(())
            })
        })
        .await
        .unwrap();
}

async fn eight_workers_execute_each_job_under_one_fence(engine: Engine) {
    const JOBS: u64 = 2_000;
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    plan(&store, 0..JOBS).await;
    let executed: Arc<Mutex<Vec<(i64, i64)>>> = Arc::default();
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let (store, executed) = (store.clone(), executed.clone());
            tokio::spawn(async move {
                loop {
                    let rows = outbox::claim(&store, now(), Duration::from_secs(60), 7)
                        .await
                        .unwrap();
                    if rows.is_empty() {
                        return;
                    }
                    assert!(rows.len() <= 7, "{} rows instead of 7", rows.len());
                    for row in rows {
                        executed.lock().unwrap().push((row.id, row.fence));
                        let ours = store
                            .unit(move |tx| {
                                let row = row.clone();
                                Box::pin(async move {
                                    outbox::end(
                                        tx,
                                        &row,
                                        &Ending::Done {
                                            at: now(),
                                            result: None,
                                        },
                                    )
                                    .await
                                })
                            })
                            .await
                            .unwrap();
                        assert!(ours, "the outcome must be written under our fence");
                    }
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    let executed = executed.lock().unwrap();
    let rows: BTreeSet<i64> = executed.iter().map(|(row, _)| *row).collect();
    assert_eq!(executed.len(), 2_000, "each job once");
    assert_eq!(rows.len(), 2_000, "every job");
    assert!(executed.iter().all(|(_, fence)| *fence == 1));
}

async fn take(store: &Store) -> Option<lanes::Batch> {
    lanes::take(store, Duration::from_secs(60), 10)
        .await
        .unwrap()
}

async fn give_back(store: &Store, hold: &Hold) -> bool {
    let hold = hold.clone();
    store
        .unit(move |tx| {
            let hold = hold.clone();
            Box::pin(async move { lease::give_back(tx, &hold).await })
        })
        .await
        .unwrap()
}

async fn a_lease_is_held_by_one_and_inherited_after_its_time(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    let (door, _shared) = open_door(&store);
    door.store(delivery("1", "lane"), b"{}", now())
        .await
        .unwrap();
    let fence = |batch: &lanes::Batch| batch.hold.fences["inbox/lane"];

    let first = take(&store).await.unwrap();
    assert_eq!((fence(&first), first.rows[0].attempts), (1, 0));
    assert!(take(&store).await.is_none(), "the lane is taken");
    assert!(give_back(&store, &first.hold).await);
    assert!(
        !give_back(&store, &first.hold).await,
        "a lease is given back once"
    );
    let second = take(&store).await.unwrap();
    assert_eq!((fence(&second), second.rows[0].attempts), (2, 0));

    // Its holder vanishes and its time passes.
    database
        .direct()
        .await
        .execute("UPDATE lease SET lease_until = 1")
        .await
        .unwrap();
    let third = take(&store).await.unwrap();
    assert_eq!((fence(&third), third.rows[0].attempts), (3, 1));
    assert!(
        !give_back(&store, &second.hold).await,
        "the old fence is void"
    );
    assert!(give_back(&store, &third.hold).await);
}

async fn a_slow_holder_cannot_overwrite_the_next_one(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    plan(&store, 0..1).await;
    let claim = async || {
        outbox::claim(&store, now(), Duration::from_secs(60), 1)
            .await
            .unwrap()
    };
    let slow = claim().await.remove(0);
    assert!(claim().await.is_empty());
    database
        .direct()
        .await
        .execute("UPDATE outbox SET lease_until = 1")
        .await
        .unwrap();
    let next = claim().await.remove(0);
    assert_eq!((slow.id, slow.fence, next.fence), (next.id, 1, 2));
    let end = async |row: &outbox::Claimed, ending: Ending| {
        let row = row.clone();
        store
            .unit(move |tx| {
                let (row, ending) = (row.clone(), ending.clone());
                Box::pin(async move { outbox::end(tx, &row, &ending).await })
            })
            .await
            .unwrap()
    };
    for ending in [
        Ending::Done {
            at: now(),
            result: None,
        },
        Ending::GivenBack,
        Ending::Parked {
            problem: "late".to_owned(),
        },
        Ending::Later {
            due_at: now(),
            problem: "late".to_owned(),
        },
    ] {
        assert!(!end(&slow, ending).await);
    }
    assert!(
        end(
            &next,
            Ending::Done {
                at: now(),
                result: None,
            }
        )
        .await
    );
    assert!(!end(&next, Ending::GivenBack).await, "what is done is done");
}

/// Half of them take two rows in one order and half in the other, which PostgreSQL ends as deadlocks and
/// SQLite does not let happen.
async fn units_that_collide_are_repeated_until_all_are_done(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    // PostgreSQL takes a second to see a deadlock, so there are only a few.
    let writers: Vec<_> = (0..2)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                let names = if writer % 2 == 0 {
                    ["first", "second"]
                } else {
                    ["second", "first"]
                };
                for _ in 0..6 {
                    store
                        .unit(move |tx| {
                            Box::pin(async move {
                                timer::set(tx, names[0], now()).await?;
                                tokio::time::sleep(Duration::from_millis(20)).await;
                                timer::set(tx, names[1], now()).await
                            })
                        })
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    // The fence of each row counts the units that wrote it, the first of which made it.
    let written = "SELECT MIN(fence) + MAX(fence) FROM timer WHERE name IN ('first', 'second')";
    assert_eq!(database.number(written).await, 2 * (2 * 6 - 1));
}
