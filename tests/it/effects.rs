//! Effects: what was decided is carried out, tried again with growing pauses, in the order of its importance,
//! and parked for a person when it keeps failing.

use std::collections::BTreeMap;
use std::process::Output;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign::domain::Planned;
use countersign::engine::Shared;
use countersign::engine::delivery::{DeliveryLoop, Pace};
use countersign::engine::hands::{Acted, Executor, Job};
use countersign::metrics::Metrics;
use countersign::store::Store;
use countersign::store::{outbox, quiet};
use countersign_ground::clock::{Clock, Hand};
use countersign_sandbox::github::{GitHub, Trouble};
use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::leases::{now, plan};
use crate::support::pinned::Page;
use crate::support::service::{self, TOKEN, Wishes};
use crate::support::{Database, Engine, Service, deliveries, eventually, on_both};

on_both!(
    a_failing_effect_comes_back_later_and_is_parked_at_last,
    a_given_retry_time_is_obeyed,
    what_is_parked_can_be_listed_retried_and_dropped,
    help_is_answered_once_however_often_it_is_delivered,
    an_answer_that_was_lost_is_not_given_twice,
    what_is_under_way_at_the_end_is_given_back,
    triggers_leave_first_also_after_a_pause,
);

/// Does what the test says, and remembers when it was asked.
struct Planted {
    clock: Clock,
    answer: Acted,
    asked: Mutex<Vec<(u64, i64)>>,
}

impl Executor for Planted {
    async fn act(&self, _job: Job<'_>) -> Acted {
        let second = self.clock.now().as_second() - now().as_second();
        let mut asked = self.asked.lock().unwrap();
        let attempt = asked.len() as u64 + 1;
        asked.push((attempt, second));
        self.answer.clone()
    }
}

struct Running {
    executor: Arc<Planted>,
    shared: Shared,
    hand: Hand,
    stop: CancellationToken,
}

fn run(store: &Store, answer: Acted, pace: Pace) -> Running {
    let (clock, hand) = Clock::by_hand(now());
    let shared = Shared::new(store.clone(), clock.clone(), Metrics::default());
    let executor = Arc::new(Planted {
        clock,
        answer,
        asked: Mutex::default(),
    });
    let stop = CancellationToken::new();
    let delivery = DeliveryLoop {
        shared: shared.clone(),
        catalog: watch::channel(Arc::default()).1,
        executor: executor.clone(),
        pace,
        hurry: CancellationToken::new(),
    };
    tokio::spawn(delivery.run(stop.clone()));
    Running {
        executor,
        shared,
        hand,
        stop,
    }
}

impl Running {
    fn asked(&self) -> Vec<(u64, i64)> {
        self.executor.asked.lock().unwrap().clone()
    }

    /// The only row, once the outcome of this attempt is recorded.
    async fn row_after(&self, attempts: u64) -> outbox::Listed {
        let store = &self.shared.store;
        eventually("the attempt is recorded", async || {
            let row = outbox::find(store, 1).await.unwrap()?;
            let recorded = row.attempts == attempts && row.due_at > self.shared.clock.now();
            recorded.then_some(row)
        })
        .await
    }
}

async fn a_failing_effect_comes_back_later_and_is_parked_at_last(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    plan(&store, 0..1).await;
    let pace = Pace {
        attempts: 4,
        ..Pace::default()
    };
    let failing = Acted::Later {
        why: "planted".to_owned(),
        wait: None,
    };
    let running = run(&store, failing, pace);
    for attempt in 1..4 {
        let row = running.row_after(attempt).await;
        assert_eq!(row.state, "waiting");
        let pause = row.due_at.duration_since(running.shared.clock.now());
        let whole = 1 << (attempt - 1);
        assert!(
            pause.as_millis() >= 500 * whole && pause.as_millis() <= 1_000 * whole,
            "attempt {attempt}: {pause:?}"
        );
        running.hand.advance(Duration::try_from(pause).unwrap());
        running.shared.decided.notify_waiters();
    }
    let parked = eventually("the row is parked", async || {
        let row = outbox::find(&store, 1).await.unwrap()?;
        (row.state == "parked").then_some(row)
    })
    .await;
    assert_eq!(running.asked().len(), 4);
    let problem = parked.problem.unwrap();
    assert!(
        problem.contains("4 times") && problem.contains("planted"),
        "{problem}"
    );
    let recorded = "SELECT COUNT(*) FROM ledger_entry WHERE action = 'effect.parked'";
    assert_eq!(database.number(recorded).await, 1);
    running.stop.cancel();
}

async fn a_given_retry_time_is_obeyed(engine: Engine) {
    let store = Database::migrated(engine).await.open().await;
    plan(&store, 0..1).await;
    let limited = Acted::Later {
        why: "limited".to_owned(),
        wait: Some(Duration::from_secs(90)),
    };
    let running = run(&store, limited, Pace::default());
    let row = running.row_after(1).await;
    let pause = row.due_at.duration_since(now()).as_secs();
    assert!((90..=91).contains(&pause), "{pause}");
    running.hand.advance(Duration::from_secs(92));
    running.shared.decided.notify_waiters();
    eventually("the second attempt", async || {
        (running.asked().len() == 2).then_some(())
    })
    .await;
    assert_eq!(running.asked()[1], (2, 92));
    running.stop.cancel();
}

fn outbox_command(database: &Database, words: &[&str]) -> Output {
    let config = service::write_config(database, None, &Wishes::default());
    service::command(&config, words).output().unwrap()
}

async fn what_is_parked_can_be_listed_retried_and_dropped(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    plan(&store, 0..3).await;
    let never = Acted::Never {
        why: "GitHub answered 404: Not Found".to_owned(),
    };
    let running = run(&store, never, Pace::default());
    eventually("all are parked", async || {
        (outbox::parked(&store).await.unwrap() == 3).then_some(())
    })
    .await;
    running.stop.cancel();

    let json = outbox_command(&database, &["outbox", "list", "--json"]).stdout;
    let json = String::from_utf8(json).unwrap();
    assert_eq!(json.lines().count(), 3);
    let first: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["id"], &first["effect"]),
        (&1.into(), &"react".into())
    );

    let mut page = Page::of_terminal("outbox");
    for words in [
        &["list"][..],
        &["list", "--state", "done"],
        &["retry", "1", "--reason", "repository is back"],
        &["drop", "2"],
        &["drop", "2"],
        &["retry", "2"],
        &["retry", "77"],
        &["list", "--state", "dropped"],
    ] {
        let words = [&["outbox"], words].concat();
        page.ran(&words, &outbox_command(&database, &words));
    }
    page.pin();
    let rows = "SELECT COUNT(*) FROM outbox WHERE state = ";
    for (state, count) in [("'waiting'", 1), ("'dropped'", 1), ("'parked'", 1)] {
        assert_eq!(database.number(&format!("{rows}{state}")).await, count);
    }
    for action in ["effect.retried", "effect.dropped"] {
        let sql = format!("SELECT COUNT(*) FROM ledger_entry WHERE action = '{action}'");
        assert_eq!(database.number(&sql).await, 1, "{action}");
    }
}

fn help(id: u64) -> Vec<u8> {
    deliveries::comment(9, id, "/help").to_string().into_bytes()
}

async fn help_is_answered_once_however_often_it_is_delivered(engine: Engine) {
    let database = Database::migrated(engine).await;
    let github = GitHub::start(TOKEN).await.unwrap();
    let service = Service::start(&database, Some(&github)).await;
    // The same body under new ids and as another event, and again after the answer.
    for (event, id) in [
        ("issue_comment", "a"),
        ("issue_comment", "a"),
        ("issue_comment", "b"),
        ("push", "c"),
    ] {
        assert_eq!(service.deliver(event, id, help(50)).await.unwrap(), 202);
    }
    eventually("the answer", async || {
        (!github.comments().is_empty()).then_some(())
    })
    .await;
    assert_eq!(
        service
            .deliver("issue_comment", "d", help(50))
            .await
            .unwrap(),
        202
    );
    eventually("everything is handled", async || {
        let open = "SELECT COUNT(*) FROM inbox WHERE handled_at IS NULL";
        (database.number(open).await == 0).then_some(())
    })
    .await;
    eventually("nothing waits to leave", async || {
        let waiting = "SELECT COUNT(*) FROM outbox WHERE state <> 'done'";
        (database.number(waiting).await == 0).then_some(())
    })
    .await;
    assert_eq!(github.reactions("acme/shop", 50), ["eyes"]);
    let comments = github.comments();
    assert_eq!(comments.len(), 1);
    assert!(comments[0].body.contains("/help"));
    let entries = "SELECT COUNT(*) FROM ledger_entry WHERE action = 'command.received'";
    assert_eq!(database.number(entries).await, 1);
    assert_eq!(service.stop().await, 0);
}

async fn an_answer_that_was_lost_is_not_given_twice(engine: Engine) {
    let database = Database::migrated(engine).await;
    let github = GitHub::start(TOKEN).await.unwrap();
    // Both effects are carried out, and GitHub says that they were not.
    let lost = |status| Trouble::FailAfterActing { status };
    github.expect_trouble_at("POST", "/reactions", lost(502));
    github.expect_trouble_at("POST", "/issues/3/comments", lost(500));
    let service = Service::start(&database, Some(&github)).await;
    service
        .deliver("issue_comment", "a", help(50))
        .await
        .unwrap();
    eventually("both are done", async || {
        let done = "SELECT COUNT(*) FROM outbox WHERE state = 'done' AND attempts = 2";
        (database.number(done).await == 2).then_some(())
    })
    .await;
    assert_eq!(github.comments().len(), 1);
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for call in github.calls() {
        *counted.entry(call).or_default() += 1;
    }
    assert_eq!(
        counted["POST /repos/acme/shop/issues/3/comments"], 1,
        "{counted:?}"
    );
    assert_eq!(
        counted["GET /repos/acme/shop/issues/3/comments"], 1,
        "{counted:?}"
    );
    assert_eq!(service.stop().await, 0);
}

pub(crate) fn posts(github: &GitHub) -> usize {
    let calls = github.calls();
    calls.iter().filter(|call| call.starts_with("POST")).count()
}

async fn what_is_under_way_at_the_end_is_given_back(engine: Engine) {
    let database = Database::migrated(engine).await;
    let github = GitHub::start(TOKEN).await.unwrap();
    github.expect_trouble_at("POST", "/reactions", Trouble::Silence);
    github.expect_trouble_at("POST", "/issues/3/comments", Trouble::Silence);
    let wishes = Wishes {
        server: "shutdown_timeout = \"6s\"".to_owned(),
        ..Wishes::default()
    };
    let service = Service::start_with(&database, Some(&github), &wishes).await;
    service
        .deliver("issue_comment", "a", help(50))
        .await
        .unwrap();
    eventually("both calls are under way", async || {
        (posts(&github) == 2).then_some(())
    })
    .await;
    assert_eq!(service.stop().await, 0, "in good order and in time");
    let free = "SELECT COUNT(*) FROM outbox WHERE state = 'waiting' AND lease_until = 0";
    assert_eq!(database.number(free).await, 2);

    let service = Service::start(&database, Some(&github)).await;
    eventually("the next process finishes it", async || {
        let done = "SELECT COUNT(*) FROM outbox WHERE state = 'done'";
        (database.number(done).await == 2).then_some(())
    })
    .await;
    assert_eq!(github.comments().len(), 1, "it looked before it repeated");
    assert_eq!(service.stop().await, 0);
}

async fn triggers_leave_first_also_after_a_pause(engine: Engine) {
    let store = Database::migrated(engine).await.open().await;
    let repository = json!({ "id": 9, "path": "acme/shop", "installation": 4 });
    let place = json!({
        "repository": repository, "pull_request": 3, "comment": 50, "written_at": now().to_string()
    });
    let sha = "a".repeat(40);
    let effects = [
        json!({
            "do": "commit_status", "repository": repository, "sha": sha,
            "context": "countersign/prod", "state": "pending", "description": "x"
        }),
        json!({ "do": "react", "place": place, "reaction": "eyes" }),
        json!({ "do": "trigger", "departure": {
            "request": 1, "attempt": 1, "correlation": "c", "repository": repository, "sha": sha,
            "service": "shop", "environment": "prod", "not_after": now().to_string(),
            "start": { "deployment": { "environment": "production" } }
        }}),
    ];
    for (number, effect) in effects.into_iter().enumerate() {
        let planned = Planned {
            token: number.to_string(),
            effect: serde_json::from_value(effect).unwrap(),
            not_before: None,
            is_back: false,
        };
        store
            .unit(move |tx| {
                let planned = planned.clone();
                Box::pin(async move { outbox::add(tx, &planned, 1, now()).await })
            })
            .await
            .unwrap();
    }
    let later = now() + jiff::SignedDuration::from_secs(60);
    store
        .unit(move |tx| {
            Box::pin(async move { quiet::keep(tx, "github/4", later, "a limit").await })
        })
        .await
        .unwrap();
    let claim = async |at| {
        let lease = Duration::from_secs(60);
        outbox::claim(&store, at, lease, 1).await.unwrap()
    };
    assert!(claim(now()).await.is_empty(), "nobody calls meanwhile");
    let mut left = Vec::new();
    while let Some(row) = claim(later).await.pop() {
        left.push(row.effect.unwrap().kind());
    }
    assert_eq!(left, ["trigger", "react", "commit_status"]);
}
