//! Exports to collectors: every entry that a signed head covers, in order and without a gap, whatever dies or
//! refuses on the way.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use countersign::domain::{Account, Action, Actor, Entry, Forge};
use countersign::engine::Shared;
use countersign::engine::shipping::{Sender, Shipping, Step, Target};
use countersign::evidence::siem::Format;
use countersign::metrics::Metrics;
use countersign::outposts::siem::Collector;
use countersign::store::{Store, ledger};
use countersign_ground::clock::Clock;
use countersign_ledger::{Edge, leaf};
use serde_json::Value;
use sqlx::Executor as _;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::support::database::keys;
use crate::support::service::{Wishes, write_config};
use crate::support::{Database, Engine, Service, eventually, on_both};

on_both!(
    only_what_a_signed_head_covers_is_sent,
    a_crash_after_the_file_was_written_repeats_and_loses_nothing,
    a_crash_after_the_collector_had_it_repeats_and_loses_nothing,
    only_a_good_answer_moves_the_cursor,
    two_exporters_leave_no_gap_and_keep_the_order,
    who_lost_the_lease_moves_nothing,
    a_running_service_sends_its_log_through_kills,
);

struct Log {
    database: Database,
    store: Store,
    metrics: Metrics,
}

impl Log {
    async fn of(engine: Engine, entries: usize) -> Self {
        let database = Database::migrated(engine).await;
        let store = database.open().await;
        let log = Self {
            database,
            store,
            metrics: Metrics::default(),
        };
        if entries > 0 {
            log.grow(entries).await;
            log.sign().await;
        }
        log
    }

    async fn grow(&self, entries: usize) {
        self.store
            .unit(move |tx| {
                Box::pin(async move {
                    let ann = Account {
                        forge: Forge::GitHub,
                        id: 7,
                        login: "ann".to_owned(),
                    };
                    let at = jiff::Timestamp::UNIX_EPOCH;
                    for number in 0..entries {
                        let entry = Entry::new(at, Action::Answered, Actor::from(&ann))
                            .with_private("command", format!("/help {number}"));
                        ledger::append(tx, &entry).await?;
                    }
                    Ok(())
                })
            })
            .await
            .unwrap();
    }

    async fn sign(&self) -> i64 {
        let mut edge = Edge::default();
        let entries = ledger::entries(&self.store, 0, 100_000).await.unwrap();
        for entry in &entries {
            edge.push(leaf(&entry.body), |_| {});
        }
        let head = ledger::Checkpoint {
            size: i64::try_from(entries.len()).unwrap(),
            root: edge.root().to_vec(),
            note: keys().sign_head(edge.size(), edge.root()).unwrap(),
        };
        let size = head.size;
        self.store
            .unit(move |tx| {
                let head = head.clone();
                Box::pin(async move { ledger::record_checkpoint(tx, &head).await })
            })
            .await
            .unwrap();
        size
    }

    async fn shipping(&self, target: Target) -> Shipping {
        // Each process has its own connections.
        let store = self.database.open().await;
        Shipping {
            shared: Shared::new(store, Clock::system(), self.metrics.clone()),
            name: "siem".to_owned(),
            format: Format::Ecs,
            target,
        }
    }

    fn path(&self) -> PathBuf {
        self.database.folder.path().join("audit.ndjson")
    }

    async fn to_file(&self) -> Shipping {
        self.shipping(Target::File(self.path())).await
    }

    fn written(&self) -> Vec<i64> {
        sequence(&std::fs::read_to_string(self.path()).unwrap_or_default())
    }

    async fn cursor(&self) -> i64 {
        ledger::export::sent(&self.store, "siem").await.unwrap()
    }

    /// What a dead process held is free again.
    async fn leases_end(&self) {
        let mut connection = self.database.direct().await;
        let expired = "UPDATE lease SET lease_until = 1 WHERE lease_until <> 0";
        connection.execute(expired).await.unwrap();
    }
}

/// The numbers of the entries in lines, as they stand there; a torn line has none.
fn sequence(lines: &str) -> Vec<i64> {
    lines
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|line| line["event"]["sequence"].as_i64())
        .collect()
}

/// Everything from one to `last` arrived, and each for the first time after those before it.
#[track_caller]
fn complete(seen: &[i64], last: i64) {
    let mut next = 1;
    for seq in seen {
        assert!(*seq <= next, "{seq} came before {next}");
        next = next.max(seq + 1);
    }
    assert_eq!(next, last + 1);
}

/// A status, and headers.
type Answer = (u16, Vec<(&'static str, String)>);

/// A collector with a will of its own.
#[derive(Clone, Default)]
struct Place {
    answers: Arc<Mutex<Vec<Answer>>>,
    got: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    /// How many more may be answered, if answers are held back.
    gate: Option<Arc<Semaphore>>,
}

impl Place {
    async fn open(self) -> SocketAddr {
        async fn take(
            State(place): State<Place>,
            headers: HeaderMap,
            body: Bytes,
        ) -> (StatusCode, HeaderMap) {
            let text = String::from_utf8(body.to_vec()).unwrap();
            place.got.lock().unwrap().push((headers, text));
            if let Some(gate) = &place.gate {
                gate.acquire().await.unwrap().forget();
            }
            let mut answers = place.answers.lock().unwrap();
            let answer = if answers.is_empty() {
                None
            } else {
                Some(answers.remove(0))
            };
            let (status, headers) = answer.unwrap_or((200, Vec::new()));
            let headers = headers
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            (StatusCode::from_u16(status).unwrap(), headers.collect())
        }
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/in", post(take))
            .route("/elsewhere", post(take).get(take))
            .with_state(self);
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    fn seen(&self) -> Vec<i64> {
        let got = self.got.lock().unwrap();
        got.iter().flat_map(|(_, text)| sequence(text)).collect()
    }

    fn calls(&self) -> usize {
        self.got.lock().unwrap().len()
    }
}

fn collector(address: SocketAddr) -> Target {
    let url = format!("http://{address}/in");
    Target::Collector(Box::new(Collector::new(&url, Some("hush")).unwrap()))
}

async fn send_all(shipping: &Shipping, sender: &mut Sender) {
    while shipping.step(sender).await.unwrap() == Step::Sent {}
}

async fn only_what_a_signed_head_covers_is_sent(engine: Engine) {
    let log = Log::of(engine, 0).await;
    let shipping = log.to_file().await;
    let mut sender = Sender::default();
    assert_eq!(shipping.step(&mut sender).await.unwrap(), Step::Idle);
    log.grow(3).await;
    assert_eq!(shipping.step(&mut sender).await.unwrap(), Step::Idle);
    let signed = log.sign().await;
    log.grow(1).await;
    assert_eq!(shipping.step(&mut sender).await.unwrap(), Step::Sent);
    assert_eq!(shipping.step(&mut sender).await.unwrap(), Step::Idle);
    assert_eq!(log.written(), (1..=signed).collect::<Vec<_>>());
    assert_eq!(log.cursor().await, signed);
    let metrics = log.metrics.encode().unwrap();
    let behind = "countersign_export_behind_entries{export=\"siem\"} 1";
    assert!(metrics.contains(behind), "{metrics}");
    log.sign().await;
    send_all(&shipping, &mut sender).await;
    assert_eq!(log.written(), (1..=signed + 1).collect::<Vec<_>>());
    let text = std::fs::read_to_string(log.path()).unwrap();
    assert!(
        text.contains("\"user\":{\"id\":\"github:7\",\"name\":\"ann\"}"),
        "{text}"
    );
}

async fn a_crash_after_the_file_was_written_repeats_and_loses_nothing(engine: Engine) {
    let log = Log::of(engine, 1_200).await;
    let size = ledger::size(&log.store).await.unwrap();
    let first = log.to_file().await;
    assert_eq!(
        first.step(&mut Sender::default()).await.unwrap(),
        Step::Sent
    );
    let sent = log.cursor().await;
    assert_eq!(sent, 500);
    // It died before the cursor was moved, and in the middle of a line.
    let mut connection = log.database.direct().await;
    let back = "UPDATE ledger_anchor SET size = 300 WHERE place = 'export:siem'";
    connection.execute(back).await.unwrap();
    let text = std::fs::read_to_string(log.path()).unwrap();
    std::fs::write(log.path(), &text[..text.len() - 20]).unwrap();
    let second = log.to_file().await;
    let mut sender = Sender::default();
    assert_eq!(
        second.step(&mut sender).await.unwrap(),
        Step::Idle,
        "the lease holds"
    );
    log.leases_end().await;
    send_all(&second, &mut sender).await;
    complete(&log.written(), size);
    assert_eq!(log.cursor().await, size);
}

async fn a_crash_after_the_collector_had_it_repeats_and_loses_nothing(engine: Engine) {
    let log = Log::of(engine, 700).await;
    let size = ledger::size(&log.store).await.unwrap();
    let place = Place {
        gate: Some(Arc::new(Semaphore::new(0))),
        ..Place::default()
    };
    let address = place.clone().open().await;
    let dying = log.shipping(collector(address)).await;
    let task = tokio::spawn(async move { dying.step(&mut Sender::default()).await });
    eventually("the collector has it", async || {
        (place.calls() == 1).then_some(())
    })
    .await;
    task.abort();
    let _dead = task.await;
    assert_eq!(log.cursor().await, 0);
    log.leases_end().await;
    place.gate.as_ref().unwrap().add_permits(100);
    let next = log.shipping(collector(address)).await;
    send_all(&next, &mut Sender::default()).await;
    let seen = place.seen();
    assert_eq!(seen.len() as i64, size + 500, "the first piece came twice");
    complete(&seen, size);
    let (headers, _) = place.got.lock().unwrap()[0].clone();
    assert_eq!(headers["authorization"], "Bearer hush");
    assert_eq!(headers["content-type"], "application/x-ndjson");
}

async fn only_a_good_answer_moves_the_cursor(engine: Engine) {
    let log = Log::of(engine, 2).await;
    let size = ledger::size(&log.store).await.unwrap();
    let place = Place::default();
    let address = place.clone().open().await;
    let elsewhere = format!("http://{address}/elsewhere");
    let wrong = [
        (500, vec![]),
        (503, vec![("retry-after", "77".to_owned())]),
        (302, vec![("location", elsewhere.clone())]),
        (307, vec![("location", elsewhere)]),
        (400, vec![]),
        (401, vec![]),
        (413, vec![]),
    ];
    place.answers.lock().unwrap().extend(wrong.clone());
    let shipping = log.shipping(collector(address)).await;
    let mut sender = Sender::default();
    for (status, _) in &wrong {
        let step = shipping.step(&mut sender).await.unwrap();
        let Step::Failed(wait) = step else {
            panic!("{status}: {step:?}");
        };
        if *status == 503 {
            assert!(wait >= Duration::from_secs(77), "{wait:?}");
        }
        assert_eq!(log.cursor().await, 0, "{status}");
    }
    assert_eq!(place.calls(), wrong.len(), "no redirect is followed");
    place.answers.lock().unwrap().push((204, vec![]));
    assert_eq!(shipping.step(&mut sender).await.unwrap(), Step::Sent);
    assert_eq!(log.cursor().await, size);
    complete(&place.seen(), size);

    // A collector that does not answer, and then one that does not listen.
    log.grow(1).await;
    log.sign().await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    let silent = Collector::new(&format!("http://{address}/in"), None).unwrap();
    let silent = silent.within(Duration::from_millis(50));
    log.leases_end().await;
    let shipping = log.shipping(Target::Collector(Box::new(silent))).await;
    let mut sender = Sender::default();
    let step = shipping.step(&mut sender).await.unwrap();
    assert!(matches!(step, Step::Failed(_)), "{step:?}");
    drop(closed);
    let step = shipping.step(&mut sender).await.unwrap();
    assert!(matches!(step, Step::Failed(_)), "{step:?}");
    assert_eq!(log.cursor().await, size);
}

async fn two_exporters_leave_no_gap_and_keep_the_order(engine: Engine) {
    let log = Log::of(engine, 1_300).await;
    let stop = CancellationToken::new();
    let (one, other) = (log.to_file().await, log.to_file().await);
    let tasks = [one, other].map(|shipping| tokio::spawn(shipping.run(stop.clone())));
    for _ in 0..3 {
        log.grow(400).await;
        log.sign().await;
    }
    let size = ledger::size(&log.store).await.unwrap();
    eventually("everything is sent", async || {
        (log.cursor().await == size).then_some(())
    })
    .await;
    stop.cancel();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(log.written(), (1..=size).collect::<Vec<_>>());
    let held = "SELECT COUNT(*) FROM lease WHERE lease_until <> 0";
    assert_eq!(log.database.number(held).await, 0, "given back at the end");
}

async fn who_lost_the_lease_moves_nothing(engine: Engine) {
    let log = Log::of(engine, 20).await;
    let size = ledger::size(&log.store).await.unwrap();
    let slow = Place {
        gate: Some(Arc::new(Semaphore::new(0))),
        ..Place::default()
    };
    let address = slow.clone().open().await;
    let sleeper = log.shipping(collector(address)).await;
    let task = tokio::spawn(async move { sleeper.step(&mut Sender::default()).await });
    eventually("the slow one sends", async || {
        (slow.calls() == 1).then_some(())
    })
    .await;
    log.leases_end().await;
    log.grow(5).await;
    log.sign().await;
    let quick = log.to_file().await;
    send_all(&quick, &mut Sender::default()).await;
    assert_eq!(log.cursor().await, size + 5);
    slow.gate.as_ref().unwrap().add_permits(1);
    assert_eq!(task.await.unwrap().unwrap(), Step::Idle);
    assert_eq!(log.cursor().await, size + 5, "the cursor never goes back");
    complete(&log.written(), size + 5);
}

async fn a_running_service_sends_its_log_through_kills(engine: Engine) {
    use std::io::Write as _;

    let database = Database::migrated(engine).await;
    let config = write_config(&database, None, &Wishes::default());
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(&config)
        .unwrap();
    file.write_all(
        b"[[ledger.export]]\nname = \"siem\"\nto = \"file:audit.ndjson\"\nformat = \"ocsf\"\n",
    )
    .unwrap();
    let path = database.folder.path().join("audit.ndjson");
    let written = || -> Vec<i64> {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let lines = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines
            .map(|line| line["metadata"]["sequence"].as_i64().unwrap())
            .collect()
    };
    let size = "SELECT size FROM ledger_head WHERE log = 'main'";
    for round in 1..=3 {
        let mut service = Service::run(config.clone(), &[]).await;
        let size = eventually("the log is sent", async || {
            let size = database.number(size).await;
            (size > round && written().last() == Some(&size)).then_some(size)
        })
        .await;
        complete(&written(), size);
        if round == 3 {
            let behind = "countersign_export_behind_entries{export=\"siem\"}";
            eventually("nothing is behind", async || {
                (service.metric(behind).await == 0.0).then_some(())
            })
            .await;
            assert_eq!(service.stop().await, 0);
            return;
        }
        service.kill();
        database.is_quiet().await;
        database
            .direct()
            .await
            .execute("UPDATE lease SET lease_until = 1 WHERE lease_until <> 0")
            .await
            .unwrap();
    }
}
