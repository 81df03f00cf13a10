//! The inbox keeps what it accepted, once, and hands it out lane by lane.

use std::sync::Arc;
use std::time::Duration;

use countersign::domain::{Catalog, Delivery, Forge, Source};
use countersign::engine::Shared;
use countersign::engine::facts::Facts;
use countersign::engine::intake::Intake;
use countersign::forges::clients::Clients;
use countersign::metrics::Metrics;
use countersign::store::inbox::{self, Verdict};
use countersign::store::{Door, Store, lanes, lease};
use countersign_ground::clock::Clock;
use sqlx::Executor as _;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::leases::now;
use crate::support::pinned::Page;
use crate::support::service::{Wishes, command, write_config};
use crate::support::{Database, Engine, eventually, on_both};

on_both!(
    a_repeated_delivery_is_stored_once,
    a_lane_is_handled_by_one_and_in_order,
    a_delivery_that_brings_its_handler_down_is_set_aside,
    other_lanes_are_not_blamed_for_a_deadly_delivery,
    intake_wakes_up_without_waiting_for_the_fallback,
    a_long_transaction_of_somebody_else_stalls_no_lane_and_blames_nobody,
);

pub(crate) fn delivery(key: &str, lane: &str) -> Delivery {
    Delivery {
        source: Source::Forge(Forge::GitHub),
        key: key.to_owned(),
        event: "push".to_owned(),
        lane: lane.to_owned(),
        malformed: None,
    }
}

pub(crate) fn open_door(store: &Store) -> (Door, Shared) {
    let (clock, _hand) = Clock::by_hand(now());
    let shared = Shared::new(store.clone(), clock, Metrics::default());
    let (door, committer) = Door::open(store.clone(), shared.received.clone(), 100);
    tokio::spawn(committer.run());
    (door, shared)
}

async fn a_repeated_delivery_is_stored_once(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    let (door, _shared) = open_door(&store);
    let repeats = (0..100).map(|number| {
        let door = door.clone();
        tokio::spawn(async move {
            let key = format!("{}", number % 3);
            door.store(delivery(&key, "lane"), b"{}", now())
                .await
                .unwrap();
        })
    });
    for repeat in repeats.collect::<Vec<_>>() {
        repeat.await.unwrap();
    }
    assert_eq!(database.number("SELECT COUNT(*) FROM inbox").await, 3);
    assert!(
        inbox::contains(&store, Source::Forge(Forge::GitHub), "2")
            .await
            .unwrap()
    );
    assert!(
        !inbox::contains(&store, Source::Forge(Forge::GitHub), "3")
            .await
            .unwrap()
    );
}

async fn a_lane_is_handled_by_one_and_in_order(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    let (door, _shared) = open_door(&store);
    for number in 0..6 {
        let lane = if number % 2 == 0 { "even" } else { "odd" };
        let body = format!("body {number}");
        door.store(delivery(&number.to_string(), lane), body.as_bytes(), now())
            .await
            .unwrap();
    }
    let take = async |most| {
        lanes::take(&store, Duration::from_secs(60), most)
            .await
            .unwrap()
    };
    let bodies = |batch: &lanes::Batch| -> Vec<String> {
        batch
            .rows
            .iter()
            .map(|row| String::from_utf8(row.body.clone()).unwrap())
            .collect()
    };
    // The oldest row decides which lane comes first; the lane is then taken whole.
    let even = take(1).await.unwrap();
    assert_eq!(bodies(&even), ["body 0"]);
    let odd = take(10).await.unwrap();
    assert_eq!(bodies(&odd), ["body 1", "body 3", "body 5"]);
    assert!(take(10).await.is_none(), "both lanes are taken");

    // What is not handled when a lane is given back comes again, in its order.
    store
        .unit(move |tx| {
            let hold = even.hold.clone();
            Box::pin(async move {
                assert!(lease::give_back(tx, &hold).await?);
                inbox::handled(tx, &[1], &Verdict::Handled, now()).await
            })
        })
        .await
        .unwrap();
    let even = take(10).await.unwrap();
    assert_eq!(bodies(&even), ["body 2", "body 4"]);
}

async fn other_lanes_are_not_blamed_for_a_deadly_delivery(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    let (door, _shared) = open_door(&store);
    for (key, lane) in [("bad", "one"), ("innocent", "two")] {
        door.store(delivery(key, lane), b"{}", now()).await.unwrap();
    }
    for _ in 0..8 {
        let batch = lanes::take(&store, Duration::from_secs(60), 10).await;
        assert!(batch.unwrap().is_some());
        database
            .direct()
            .await
            .execute("UPDATE lease SET lease_until = 1 WHERE lease_until <> 0")
            .await
            .unwrap();
    }
    let blamed = "SELECT attempts FROM inbox WHERE delivery = 'innocent'";
    assert_eq!(
        database.number(blamed).await,
        1,
        "once, when both were taken"
    );
}

async fn a_delivery_that_brings_its_handler_down_is_set_aside(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    let (door, shared) = open_door(&store);
    for key in ["bad", "innocent"] {
        door.store(delivery(key, "lane"), b"{}", now())
            .await
            .unwrap();
    }
    // Eleven holders take the lane and vanish; their leases end.
    for round in 0..11 {
        let batch = lanes::take(&store, Duration::from_secs(60), 10)
            .await
            .unwrap()
            .unwrap();
        let expect = if round == 0 { 2 } else { 1 };
        assert_eq!(
            batch.rows.len(),
            expect,
            "after a crash rows come one at a time"
        );
        assert_eq!(batch.rows[0].attempts, round);
        database
            .direct()
            .await
            .execute("UPDATE lease SET lease_until = 1 WHERE name LIKE 'inbox/%'")
            .await
            .unwrap();
    }
    let (_catalog, catalog) = watch::channel(Arc::new(Catalog::default()));
    let stop = CancellationToken::new();
    let intake = tokio::spawn(intake(shared, catalog).run(stop.clone()));
    eventually("everything is handled", async || {
        inbox::oldest(&store).await.unwrap().is_none().then_some(())
    })
    .await;
    stop.cancel();
    intake.await.unwrap();
    let parked = "SELECT COUNT(*) FROM inbox WHERE outcome = 'parked' AND delivery = 'bad'";
    assert_eq!(database.number(parked).await, 1);
    let open = "SELECT COUNT(*) FROM inbox WHERE handled_at IS NULL";
    assert_eq!(database.number(open).await, 0, "the lane goes on");

    let config = write_config(&database, None, &Wishes::default());
    let mut page = Page::of_terminal("inbox");
    let mut inbox = |words: &[&str]| page.ran(words, &command(&config, words).output().unwrap());
    inbox(&["inbox", "list"]);
    inbox(&["inbox", "retry", "1", "--reason", "mended"]);
    assert_eq!(database.number(open).await, 1);
    inbox(&["inbox", "retry", "1"]);
    inbox(&["inbox", "list"]);
    page.pin();
    for action in ["delivery.parked", "delivery.retried"] {
        let sql = format!("SELECT COUNT(*) FROM ledger_entry WHERE action = '{action}'");
        assert_eq!(database.number(&sql).await, 1, "{action}");
    }
}

/// Intake without a GitHub to ask.
fn intake(shared: Shared, catalog: watch::Receiver<Arc<Catalog>>) -> Intake {
    let forges = Clients {
        github: watch::channel(None).1,
        gitlab: watch::channel(None).1,
    };
    let facts = Facts::new(shared.store.clone(), shared.clock.clone(), forges);
    Intake::new(shared, catalog, Arc::new(facts))
}

async fn a_long_transaction_of_somebody_else_stalls_no_lane_and_blames_nobody(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    let (door, shared) = open_door(&store);
    for lane in ["one", "two"] {
        door.store(delivery(lane, lane), b"{}", now())
            .await
            .unwrap();
    }
    let mut other = database.direct().await;
    let begin = match engine {
        Engine::Sqlite => "BEGIN IMMEDIATE",
        Engine::Postgres => "BEGIN; SELECT id FROM inbox FOR UPDATE",
    };
    other.execute(begin).await.unwrap();
    let (_catalog, catalog) = watch::channel(Arc::new(Catalog::default()));
    let stop = CancellationToken::new();
    let intake = tokio::spawn(intake(shared, catalog).run(stop.clone()));
    match engine {
        // Who waits as long as intake gives up like it.
        Engine::Sqlite => {
            let second = Duration::from_secs(1);
            let taken = store.unit(move |tx| {
                Box::pin(async move { lease::take_one(tx, "other", "nobody", second).await })
            });
            taken.await.unwrap_err();
        }
        Engine::Postgres => {
            eventually(
                "the lanes were given back and are taken again",
                async || {
                    let fence =
                        "SELECT COALESCE(MAX(fence), 0) FROM lease WHERE name LIKE 'inbox/%'";
                    (database.number(fence).await > 1).then_some(())
                },
            )
            .await;
        }
    }
    other.execute("ROLLBACK").await.unwrap();
    let handled = eventually("both are handled", async || {
        inbox::oldest(&store).await.unwrap().is_none().then_some(())
    });
    // A lease would take three times as long.
    tokio::time::timeout(Duration::from_secs(20), handled)
        .await
        .expect("the lanes are taken up");
    let blamed = "SELECT COALESCE(SUM(attempts), 0) FROM inbox";
    assert_eq!(
        database
            .number(&format!("SELECT CAST(({blamed}) AS BIGINT)"))
            .await,
        0
    );
    stop.cancel();
    intake.await.unwrap();
}

async fn intake_wakes_up_without_waiting_for_the_fallback(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    let (door, shared) = open_door(&store);
    let (_catalog, catalog) = watch::channel(Arc::new(Catalog::default()));
    let stop = CancellationToken::new();
    let intake = tokio::spawn(intake(shared, catalog).run(stop.clone()));
    // Two hundred rounds of a second each would outlast the patience of this test.
    for number in 0..200 {
        door.store(delivery(&number.to_string(), "lane"), b"{}", now())
            .await
            .unwrap();
        eventually("the delivery is handled", async || {
            inbox::oldest(&store).await.unwrap().is_none().then_some(())
        })
        .await;
    }
    stop.cancel();
    intake.await.unwrap();
}
