//! Callers who hang up, processes that are killed, processes side by side: what was acknowledged is
//! there, and nothing is done by two holders of the same fence.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign::domain::{Delivery, Forge, Source};
use countersign::engine::Shared;
use countersign::metrics::Metrics;
use countersign::store::{Door, inbox};
use countersign_ground::chance;
use countersign_ground::clock::Clock;
use countersign_sandbox::github::GitHub;
use sqlx::{Executor as _, Row as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::leases::{now, plan};
use crate::support::service::{TOKEN, Wishes, write_config};
use crate::support::{Database, Engine, Service, deliveries, eventually, on_both};

on_both!(
    two_thousand_callers_hang_up_and_no_202_is_lost,
    two_thousand_dropped_futures_poison_nothing,
    thirty_kills_lose_nothing_that_was_acknowledged,
);

/// The ids of all deliveries in the inbox.
async fn stored_ids(database: &Database) -> BTreeSet<String> {
    let rows = database
        .direct()
        .await
        .fetch_all("SELECT delivery FROM inbox")
        .await
        .unwrap();
    rows.iter()
        .map(|row| {
            row.get::<String, _>(0)
                .split('/')
                .next()
                .unwrap()
                .to_owned()
        })
        .collect()
}

async fn two_thousand_callers_hang_up_and_no_202_is_lost(engine: Engine) {
    let database = Database::migrated(engine).await;
    let service = Service::start(&database, None).await;
    let acknowledged: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let mut callers = JoinSet::new();
    for number in 0..2_000 {
        if callers.len() >= 64 {
            callers.join_next().await.unwrap().unwrap();
        }
        let (address, acknowledged) = (service.address, acknowledged.clone());
        callers.spawn(async move {
            let id = format!("caller-{number}");
            let request = deliveries::raw_request("push", &id, &deliveries::push(number % 50));
            let mut socket = TcpStream::connect(address).await.unwrap();
            // One of eight waits for its answer, so that some get one however slow the machine is.
            let patience = if number % 8 == 1 {
                Duration::from_secs(60)
            } else {
                Duration::from_secs_f64(0.3 * chance::fraction())
            };
            // A quarter hangs up in the middle of the request, the others wait a random while.
            let sent = if number % 4 == 0 {
                let most = request.len() as f64;
                &request[..(most * chance::fraction()) as usize]
            } else {
                &request[..]
            };
            let talk = async {
                socket.write_all(sent).await?;
                let mut answer = [0; 12];
                socket.read_exact(&mut answer).await?;
                Ok::<_, std::io::Error>(answer)
            };
            if let Ok(Ok(answer)) = tokio::time::timeout(patience, talk).await {
                assert_eq!(&answer, b"HTTP/1.1 202");
                acknowledged.lock().unwrap().insert(id);
            }
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
    let acknowledged = acknowledged.lock().unwrap().clone();
    assert!(
        acknowledged.len() > 100,
        "only {} were acknowledged",
        acknowledged.len()
    );
    assert!(acknowledged.len() < 2_000, "nobody hung up");
    let stored = stored_ids(&database).await;
    let lost: Vec<_> = acknowledged.difference(&stored).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert_eq!(service.stop().await, 0);
}

async fn two_thousand_dropped_futures_poison_nothing(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    let (clock, _hand) = Clock::by_hand(now());
    let shared = Shared::new(store.clone(), clock, Metrics::default());
    let (door, committer) = Door::open(store.clone(), shared.received, 100);
    tokio::spawn(committer.run());
    let acknowledged: Arc<Mutex<Vec<String>>> = Arc::default();
    let mut callers = JoinSet::new();
    for number in 0..2_000 {
        if callers.len() >= 64 {
            callers.join_next().await.unwrap().unwrap();
        }
        let (door, store, acknowledged) = (door.clone(), store.clone(), acknowledged.clone());
        callers.spawn(async move {
            let key = format!("{number}/push/0");
            let delivery = Delivery {
                source: Source::Forge(Forge::GitHub),
                key: key.clone(),
                event: "push".to_owned(),
                lane: format!("{}", number % 7),
                malformed: None,
            };
            let patience = Duration::from_secs_f64(0.2 * chance::fraction());
            // As above.
            let waits = number % 8 == 0;
            let until = if waits {
                Duration::from_secs(60)
            } else {
                patience
            };
            let storing = tokio::time::timeout(until, door.store(delivery, b"{}", now()));
            if let Ok(Ok(_)) = storing.await {
                acknowledged.lock().unwrap().push(key);
            }
            // And a writer of another kind, dropped just the same.
            let claiming = countersign::store::outbox::claim(&store, now(), patience, 1);
            let _dropped = tokio::time::timeout(patience / 2, claiming).await;
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
    let acknowledged = acknowledged.lock().unwrap().clone();
    assert!(
        acknowledged.len() > 100,
        "only {} were acknowledged",
        acknowledged.len()
    );
    for key in &acknowledged {
        assert!(
            inbox::contains(&store, Source::Forge(Forge::GitHub), key)
                .await
                .unwrap(),
            "{key} is lost"
        );
    }
}

/// What the processes of one storm said they did: row, fence and holder of every attempt.
#[derive(Default)]
struct Attempts(Vec<(i64, i64, String)>);

impl Attempts {
    fn read(&mut self, service: &Service) {
        for line in service.logged("acting") {
            self.0.push((
                line["outbox.id"].as_i64().unwrap(),
                line["outbox.fence"].as_i64().unwrap(),
                line["holder"].as_str().unwrap().to_owned(),
            ));
        }
    }

    fn assert_one_holder_a_fence(&self) {
        let mut seen = BTreeSet::new();
        for (row, fence, holder) in &self.0 {
            assert!(
                seen.insert((row, fence)),
                "row {row} was executed twice under fence {fence}, lastly by {holder}"
            );
        }
    }
}

async fn thirty_kills_lose_nothing_that_was_acknowledged(engine: Engine) {
    const KILLS: usize = 32;
    let database = Database::migrated(engine).await;
    let github = GitHub::start(TOKEN).await.unwrap();
    for number in 0..KILLS * 16 {
        let (id, login) = helpless(number);
        github.add_person(id, &login);
        github.set_role("acme/shop", &login, Some("write"));
    }
    let config = write_config(&database, Some(&github), &Wishes::default());
    let acknowledged: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let mut attempts = Attempts::default();
    for kill in 0..KILLS {
        let mut service = Service::run(config.clone(), &[]).await;
        let load = start_load(&service, kill, &acknowledged);
        // Another moment of the work to die in each time, not a wait for a fact.
        tokio::time::sleep(Duration::from_secs_f64(0.02 + 0.25 * chance::fraction())).await;
        service.kill();
        drop(load);
        service.read_to_end().await;
        attempts.read(&service);
        database.is_quiet().await;
        // The leases of the dead run out, as they would in a while.
        let mut time = database.direct().await;
        time.execute("UPDATE outbox SET lease_until = 1 WHERE lease_until > 1")
            .await
            .unwrap();
        time.execute("UPDATE lease SET lease_until = 1 WHERE lease_until > 1")
            .await
            .unwrap();
    }
    let acknowledged = acknowledged.lock().unwrap().clone();
    let stored = stored_ids(&database).await;
    let lost: Vec<_> = acknowledged.difference(&stored).collect();
    assert!(
        acknowledged.len() > KILLS,
        "only {} were acknowledged",
        acknowledged.len()
    );
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");

    let service = Service::run(config, &[]).await;
    eventually("everything reaches its end", async || {
        let open = "SELECT (SELECT COUNT(*) FROM inbox WHERE handled_at IS NULL)
            + (SELECT COUNT(*) FROM outbox WHERE state <> 'done')";
        (database.number(open).await == 0).then_some(())
    })
    .await;
    attempts.read(&service);
    attempts.assert_one_holder_a_fence();
    let parked = database.number("SELECT COUNT(*) FROM inbox WHERE outcome = 'parked'");
    assert_eq!(
        parked.await,
        0,
        "a killed process is not the delivery's fault"
    );
    let effects = database.number("SELECT COUNT(*) FROM outbox").await;
    assert!(effects > 0, "nothing was ever decided");
    for id in acknowledged
        .iter()
        .filter_map(|id| id.strip_prefix("help-"))
    {
        let comment = id.parse().unwrap();
        assert_eq!(
            github.reactions("acme/shop", comment),
            ["eyes"],
            "{comment}"
        );
    }
    assert_eq!(service.stop().await, 0);
}

/// Who asks for help: each no more often than is answered.
fn helpless(number: usize) -> (u64, String) {
    (10_000 + number as u64, format!("helpless-{number}"))
}

/// Sixteen clients that send until the service is gone; half of them ask for help.
fn start_load(
    service: &Service,
    round: usize,
    acknowledged: &Arc<Mutex<BTreeSet<String>>>,
) -> JoinSet<()> {
    let mut clients = JoinSet::new();
    for client in 0..16 {
        let (address, acknowledged) = (service.address, acknowledged.clone());
        clients.spawn(async move {
            let Ok(mut socket) = TcpStream::connect(address).await else {
                return;
            };
            for number in 0..10_000 {
                let unique = (round * 16 + client) * 10_000 + number;
                let (event, id, body) = if client % 2 == 0 {
                    (
                        "push",
                        format!("push-{unique}"),
                        deliveries::push(client as u64),
                    )
                } else {
                    let (id, login) = helpless(round * 16 + client);
                    let by = (id, login.as_str());
                    let comment = deliveries::comment_by(by, 9, unique as u64, "/help");
                    let body = comment.to_string().into_bytes();
                    ("issue_comment", format!("help-{unique}"), body)
                };
                let request = deliveries::raw_request(event, &id, &body);
                if socket.write_all(&request).await.is_err() {
                    return;
                }
                let Some(answer) = read_answer(&mut socket).await else {
                    return;
                };
                assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
                acknowledged.lock().unwrap().insert(id);
                // Help is asked for now and then, so that the answers keep up: an answer that may have
                // been given is looked for among all of them.
                if client % 2 == 1 {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        });
    }
    clients
}

/// One answer with its short body, or nothing when the other side is gone.
async fn read_answer(socket: &mut TcpStream) -> Option<String> {
    let mut answer = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))?;
            if body.len() >= length.parse().ok()? {
                return Some(text.into_owned());
            }
        }
        let mut piece = [0; 1_024];
        match socket.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => answer.extend_from_slice(&piece[..read]),
        }
    }
}

/// Two processes share one outbox; on SQLite one process owns the file.
#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_only_two_processes_share_the_work_because_sqlite_has_one_process() {
    const JOBS: u64 = 2_000;
    let database = Database::migrated(Engine::Postgres).await;
    let github = GitHub::start(TOKEN).await.unwrap();
    plan(&database.open().await, 0..JOBS).await;
    let config = write_config(&database, Some(&github), &Wishes::default());
    let (one, two) = tokio::join!(
        Service::run(config.clone(), &[]),
        Service::run(config.clone(), &[])
    );
    eventually("all is done", async || {
        let done = "SELECT COUNT(*) FROM outbox WHERE state = 'done'";
        (database.number(done).await == 2_000).then_some(())
    })
    .await;
    let mut attempts = Attempts::default();
    for service in [&one, &two] {
        let before = attempts.0.len();
        attempts.read(service);
        assert!(attempts.0.len() > before, "one of the two did nothing");
    }
    attempts.assert_one_holder_a_fence();
    assert_eq!(attempts.0.len(), 2_000, "each job once");
    assert!(attempts.0.iter().all(|(_, fence, _)| *fence == 1));
    assert_eq!(one.stop().await, 0);
    assert_eq!(two.stop().await, 0);
}
