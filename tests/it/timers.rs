//! Timers fire once for each time they are due, for one holder.

use std::sync::Arc;
use std::time::Duration;

use countersign::domain::{Delivery, Forge, Source};
use countersign::engine::Shared;
use countersign::engine::sweep::Sweep;
use countersign::engine::watching::Watching;
use countersign::forges::clients::Clients;
use countersign::metrics::Metrics;
use countersign::store::{Door, Store, timer};
use countersign_ground::clock::Clock;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::support::{Database, Engine, on_both};

on_both!(
    a_timer_fires_once_and_under_one_fence,
    a_timer_that_moves_voids_the_claim,
    handled_deliveries_leave_after_their_time,
);

const LEASE: Duration = Duration::from_secs(60);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

async fn set(store: &Store, name: &'static str, due_at: Timestamp) {
    store
        .unit(move |tx| Box::pin(async move { timer::set(tx, name, due_at).await }))
        .await
        .unwrap();
}

async fn a_timer_fires_once_and_under_one_fence(engine: Engine) {
    let store = Database::migrated(engine).await.open().await;
    set(&store, "late", at(200)).await;
    set(&store, "early", at(100)).await;

    assert!(
        timer::claim(&store, at(99), LEASE, 10)
            .await
            .unwrap()
            .is_empty()
    );
    let fired = timer::claim(&store, at(300), LEASE, 10).await.unwrap();
    let names: Vec<_> = fired.iter().map(|timer| timer.name.as_str()).collect();
    assert_eq!(names, ["early", "late"]);
    assert!(
        timer::claim(&store, at(300), LEASE, 10)
            .await
            .unwrap()
            .is_empty()
    );

    let (early, late) = (fired[0].clone(), fired[1].clone());
    store
        .unit(move |tx| {
            let (early, late) = (early.clone(), late.clone());
            Box::pin(async move {
                assert!(timer::done(tx, &early).await?);
                assert!(timer::again(tx, &late, at(400)).await?);
                Ok(())
            })
        })
        .await
        .unwrap();
    assert!(
        timer::claim(&store, at(399), LEASE, 10)
            .await
            .unwrap()
            .is_empty()
    );
    let again = timer::claim(&store, at(400), LEASE, 10).await.unwrap();
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].name, "late");
    assert!(again[0].fence > fired[1].fence);
}

async fn a_timer_that_moves_voids_the_claim(engine: Engine) {
    let store = Database::migrated(engine).await.open().await;
    set(&store, "soak", at(100)).await;
    let fired = timer::claim(&store, at(100), LEASE, 1)
        .await
        .unwrap()
        .remove(0);
    set(&store, "soak", at(500)).await;
    let kept = store
        .unit(move |tx| {
            let fired = fired.clone();
            Box::pin(async move { timer::done(tx, &fired).await })
        })
        .await
        .unwrap();
    assert!(!kept, "the old claim must not remove the new time");
    assert_eq!(
        timer::claim(&store, at(500), LEASE, 1).await.unwrap().len(),
        1
    );

    store
        .unit(|tx| Box::pin(async move { timer::cancel(tx, "soak").await }))
        .await
        .unwrap();
    assert!(
        timer::claim(&store, at(999), LEASE, 1)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn handled_deliveries_leave_after_their_time(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    let (clock, hand) = Clock::by_hand(at(1_000_000));
    let shared = Shared::new(store.clone(), clock.clone(), Metrics::default());
    let (door, committer) = Door::open(store.clone(), shared.received.clone(), 10);
    tokio::spawn(committer.run());
    for number in 0..450 {
        // Malformed deliveries are handled as soon as they are stored.
        let delivery = Delivery {
            source: Source::Forge(Forge::GitHub),
            key: format!("{number}"),
            event: "push".to_owned(),
            lane: "github".to_owned(),
            malformed: (number != 7).then(|| "planted".to_owned()),
        };
        door.store(delivery, b"{}", clock.now()).await.unwrap();
    }
    let (_keep, keep_handled) = watch::channel(Duration::from_secs(3_600));
    let (_catalog, catalog) = watch::channel(Arc::default());
    let forges = Clients {
        github: watch::channel(None).1,
        gitlab: watch::channel(None).1,
    };
    let sweep = Sweep {
        shared,
        catalog,
        forges,
        watching: Watching::new(watch::channel(None).1),
        keep_handled,
    };
    let stop = CancellationToken::new();
    sweep.chores(&stop).await.unwrap();
    assert_eq!(database.number("SELECT COUNT(*) FROM inbox").await, 450);

    hand.advance(Duration::from_secs(3_601));
    for _ in 0..4 {
        sweep.chores(&stop).await.unwrap();
    }
    assert_eq!(
        database.number("SELECT COUNT(*) FROM inbox").await,
        1,
        "what is not handled stays"
    );
}
