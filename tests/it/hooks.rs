//! Hooks: what the door lets in and what it turns away.

use std::sync::Arc;

use countersign::engine::Shared;
use countersign::forges::door::Guard;
use countersign::forges::github::edge::WebhookSecrets;
use countersign::http::{Doorway, Limits, Listener, Readiness, router};
use countersign::metrics::Metrics;
use countersign::store::{Door, Stored};
use countersign_ground::clock::Clock;
use countersign_ground::digest;
use reqwest::header::RETRY_AFTER;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::inbox::delivery;
use crate::leases::now;
use crate::support::deliveries::{self, SECRET};
use crate::support::service::Wishes;
use crate::support::{Database, Engine, Service, eventually, on_both};

on_both!(
    a_wrong_signature_is_turned_away_and_nothing_is_stored,
    a_body_is_taken_up_to_its_limit,
    junk_that_is_signed_is_stored_as_malformed,
    what_is_not_served_is_said_plainly,
    metrics_come_in_the_form_that_is_asked_for,
    an_overload_is_answered_before_the_body_is_read,
);

async fn stored(database: &Database) -> i64 {
    database.number("SELECT COUNT(*) FROM inbox").await
}

async fn a_wrong_signature_is_turned_away_and_nothing_is_stored(engine: Engine) {
    let database = Database::migrated(engine).await;
    let service = Service::start(&database, None).await;
    let body = deliveries::push(9);
    let right = format!(
        "sha256={}",
        digest::hmac_sha256_hex(SECRET.as_bytes(), &body)
    );
    let wrong = format!(
        "sha256={}",
        digest::hmac_sha256_hex(b"another secret", &body)
    );
    let table: [(&str, Vec<String>); 10] = [
        ("absent", vec![]),
        ("empty", vec![String::new()]),
        ("wrong", vec![wrong.clone()]),
        ("short", vec![right[..70].to_owned()]),
        ("long", vec![format!("{right}0")]),
        ("not hex", vec![format!("sha256={}", "x".repeat(64))]),
        ("without its prefix", vec![right[7..].to_owned()]),
        ("of the old kind", vec![right.replace("sha256", "sha1")]),
        (
            "doubled, right and right",
            vec![right.clone(), right.clone()],
        ),
        ("doubled, wrong and right", vec![wrong, right.clone()]),
    ];
    let client = reqwest::Client::new();
    for (what, signatures) in &table {
        let mut request = client
            .post(service.url("/hooks/github"))
            .header("x-github-event", "push")
            .header("x-github-delivery", "1");
        for signature in signatures {
            request = request.header("x-hub-signature-256", signature);
        }
        let answer = request.body(body.clone()).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{what}");
        assert!(!answer.text().await.unwrap().contains(SECRET));
    }
    assert_eq!(stored(&database).await, 0);
    let counted = r#"countersign_deliveries_total{source="github",answer="unauthentic"}"#;
    assert_eq!(service.metric(counted).await, 10.0);

    // The same body with the right one is let in, so the table failed for its signatures.
    assert_eq!(service.deliver("push", "1", body).await.unwrap(), 202);
    assert_eq!(stored(&database).await, 1);
    assert!(!service.log().join("\n").contains(SECRET));
    assert_eq!(service.stop().await, 0);
}

async fn a_body_is_taken_up_to_its_limit(engine: Engine) {
    const LIMIT: usize = 100 << 10;
    let database = Database::migrated(engine).await;
    let wishes = Wishes {
        server: "max_body = \"100KiB\"".to_owned(),
        ..Wishes::default()
    };
    let service = Service::start_with(&database, None, &wishes).await;
    let body = |size: usize| {
        let mut body = deliveries::push(9);
        body.resize(size, b' ');
        body
    };
    assert_eq!(
        service.deliver("push", "a", body(LIMIT)).await.unwrap(),
        202
    );
    assert_eq!(
        service.deliver("push", "b", body(LIMIT + 1)).await.unwrap(),
        413
    );

    // Without an announced length the limit holds all the same.
    let mut socket = TcpStream::connect(service.address).await.unwrap();
    socket
        .write_all(b"POST /hooks/github HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n")
        .await
        .unwrap();
    let piece = [&b"8000\r\n"[..], &[b' '; 0x8000], b"\r\n"].concat();
    for _ in 0..4 {
        if socket.write_all(&piece).await.is_err() {
            break;
        }
    }
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    assert_eq!(stored(&database).await, 1);
    assert_eq!(service.stop().await, 0);
}

async fn junk_that_is_signed_is_stored_as_malformed(engine: Engine) {
    let database = Database::migrated(engine).await;
    let service = Service::start(&database, None).await;
    let junk: [&[u8]; 7] = [
        b"",
        b"not json",
        b"[1, 2, 3]",
        b"\"text\"",
        b"{\"repository\":",
        b"\xff\xfe\x00",
        br#"{"repository":{"id":"nine"}}"#,
    ];
    for (number, body) in junk.iter().enumerate() {
        let id = number.to_string();
        assert_eq!(
            service.deliver("push", &id, body.to_vec()).await.unwrap(),
            202
        );
    }
    // Readable as a delivery, unreadable as what it says it is.
    let half = br#"{"repository":{"id":9},"action":"created"}"#.to_vec();
    assert_eq!(
        service.deliver("issue_comment", "h", half).await.unwrap(),
        202
    );
    let malformed =
        "SELECT COUNT(*) FROM inbox WHERE outcome = 'malformed' AND problem IS NOT NULL";
    eventually("all are malformed", async || {
        (database.number(malformed).await == 8).then_some(())
    })
    .await;
    let counted = r#"countersign_deliveries_total{source="github",answer="malformed"}"#;
    assert_eq!(service.metric(counted).await, 7.0);
    assert_eq!(
        service.deliver("ping", "p", b"{}".to_vec()).await.unwrap(),
        202
    );
    assert_eq!(service.stop().await, 0);
}

async fn metrics_come_in_the_form_that_is_asked_for(engine: Engine) {
    let database = Database::migrated(engine).await;
    let service = Service::start(&database, None).await;
    let hook = service.url("/hooks/github");
    let client = reqwest::Client::new();
    client.post(hook).body("{}").send().await.unwrap();
    let asked = async |accept: Option<&str>| {
        let mut asked = client.get(service.url("/metrics"));
        if let Some(accept) = accept {
            asked = asked.header("accept", accept);
        }
        let answer = asked.send().await.unwrap();
        let kind = answer.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        (kind, answer.text().await.unwrap())
    };
    // What Prometheus 3 sends.
    let prometheus =
        "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
    let (kind, open) = asked(Some(prometheus)).await;
    assert_eq!(
        kind,
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert!(open.ends_with("# EOF\n"), "{open}");
    for accept in [None, Some("text/plain"), Some("*/*")] {
        let (kind, plain) = asked(accept).await;
        assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
        assert!(!plain.contains("# EOF"), "{plain}");
        let counter = "# TYPE countersign_deliveries_total counter\n";
        assert!(plain.contains(counter), "{plain}");
        let sample = "\ncountersign_deliveries_total{";
        assert!(plain.contains(sample) && open.contains(sample), "{plain}");
        judged_by_promtool(&plain);
    }
    assert_eq!(service.stop().await, 0);
}

/// Prometheus' own judgement, where it is installed.
fn judged_by_promtool(text: &str) {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = promtool else {
        return;
    };
    promtool
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let judged = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&judged.stderr);
    assert!(judged.status.success(), "{said}\n{text}");
}

async fn what_is_not_served_is_said_plainly(engine: Engine) {
    let database = Database::migrated(engine).await;
    let service = Service::start(&database, None).await;
    for (path, status) in [
        ("/livez", 200),
        ("/readyz", 200),
        ("/metrics", 200),
        ("/hooks/github", 405),
        ("/", 404),
        ("/setup", 404),
    ] {
        let answer = service.get(path).await;
        assert_eq!(answer.status(), status, "{path}");
        assert!(answer.headers().contains_key("x-request-id"), "{path}");
    }
    let client = reqwest::Client::new();
    for source in ["gitlab", "slack", "nobody"] {
        let url = service.url(&format!("/hooks/{source}"));
        let answer = client.post(url).body("{}").send().await.unwrap();
        assert_eq!(answer.status(), 404, "{source}");
    }
    let given = client
        .get(service.url("/livez"))
        .header("x-request-id", "from-the-proxy-1")
        .send()
        .await
        .unwrap();
    assert_eq!(given.headers()["x-request-id"], "from-the-proxy-1");
    assert_eq!(service.stop().await, 0);
}

/// A door that is full, because no committer stores what waits at it, and a client who announces a body and
/// keeps it back until it hears the answer.
async fn an_overload_is_answered_before_the_body_is_read(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    let (clock, metrics) = (Clock::system(), Metrics::default());
    let shared = Shared::new(store.clone(), clock.clone(), metrics.clone());
    let (door, committer) = Door::open(store.clone(), shared.received.clone(), 1);
    let waiting = tokio::spawn({
        let door = door.clone();
        async move { door.store(delivery("1", "lane"), b"{}", now()).await }
    });
    eventually("the door is full", async || {
        (door.room() == 0).then_some(())
    })
    .await;

    let stop = CancellationToken::new();
    let standing = shared.standing.subscribe();
    let readiness = Readiness::new(store, clock, metrics.clone(), stop.clone(), standing);
    let (_secrets, secrets) = watch::channel(Arc::new(WebhookSecrets::new([SECRET.into()])));
    let limits = Limits::default();
    let forges = Guard {
        github: secrets,
        gitlab: watch::channel(Arc::default()).1,
    };
    let doorway = Doorway::new(door, readiness, limits, forges);
    let listener = Listener::bind(([127, 0, 0, 1], 0).into(), limits, metrics).unwrap();
    let address = listener.address().unwrap();
    let serving = tokio::spawn(listener.serve(router(doorway), stop.clone()));

    let request = deliveries::raw_request("push", "2", &deliveries::push(9));
    let head = request
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap()
        + 4;
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(&request[..head]).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("retry-after: "), "{answer}");

    // As soon as the committer runs, the door is open again, and what waited is stored.
    tokio::spawn(committer.run());
    assert_eq!(waiting.await.unwrap(), Ok(Stored));
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(&request).await.unwrap();
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 202");
    drop(socket);
    stop.cancel();
    serving.await.unwrap();
    assert_eq!(stored(&database).await, 2);
}

/// How a database stops taking writes, and starts again.
struct Outage {
    begin: &'static str,
    end: &'static str,
}

async fn survive(database: &Database, service: &Service, outage: &Outage) {
    let before = stored(database).await;
    let mut mischief = database.direct().await;
    mischief
        .execute(AssertSqlSafe(outage.begin.to_owned()))
        .await
        .unwrap();
    let client = reqwest::Client::new();
    let body = deliveries::push(9);
    let mut request = client.post(service.url("/hooks/github"));
    for (name, value) in deliveries::headers("push", "during", &body) {
        request = request.header(name, value);
    }
    let answer = request.body(body).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key(RETRY_AFTER));
    eventually("not ready", async || {
        (service.get("/readyz").await.status() == 503).then_some(())
    })
    .await;
    assert_eq!(service.get("/livez").await.status(), 200);

    mischief
        .execute(AssertSqlSafe(outage.end.to_owned()))
        .await
        .unwrap();
    mischief.close().await.unwrap();
    assert_eq!(stored(database).await, before, "nothing was acknowledged");
    eventually("ready again", async || {
        (service.get("/readyz").await.status() == 200).then_some(())
    })
    .await;
    let sent = service.deliver("push", "during", deliveries::push(9)).await;
    assert_eq!(sent.unwrap(), 202, "it recovers by itself");
    assert_eq!(stored(database).await, before + 1);
}

/// What a disk says when it is full, broken, or mounted read-only.
#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_only_a_failing_disk_is_an_outage_because_postgres_has_its_own_disk() {
    let database = Database::migrated(Engine::Sqlite).await;
    let folder = database.folder.path();
    let (library, fault) = (folder.join("faults.so"), folder.join("fault"));
    let compiled = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/it/support/faults.c"
        ))
        .arg("-ldl")
        .status()
        .unwrap();
    assert!(compiled.success());
    let wishes = Wishes {
        variables: vec![
            ("LD_PRELOAD", library.display().to_string()),
            ("COUNTERSIGN_TEST_FAULT", fault.display().to_string()),
        ],
        ..Wishes::default()
    };
    let service = Service::start_with(&database, None, &wishes).await;
    for (name, number) in [("no space", 28), ("input/output", 5), ("read-only", 30)] {
        let before = stored(&database).await;
        std::fs::write(&fault, number.to_string()).unwrap();
        let sent = service.deliver("push", "during", deliveries::push(9)).await;
        assert_eq!(sent.unwrap(), 503, "{name}");
        eventually("not ready", async || {
            (service.get("/readyz").await.status() == 503).then_some(())
        })
        .await;
        std::fs::remove_file(&fault).unwrap();
        assert_eq!(
            stored(&database).await,
            before,
            "{name}: nothing was acknowledged"
        );
        eventually("ready again", async || {
            (service.get("/readyz").await.status() == 200).then_some(())
        })
        .await;
        let id = format!("after-{number}");
        let sent = service.deliver("push", &id, deliveries::push(9)).await;
        assert_eq!(sent.unwrap(), 202, "{name}: it recovers by itself");
        assert_eq!(stored(&database).await, before + 1);
    }
    assert_eq!(service.stop().await, 0);
}

/// Only SQLite has one lock for the whole file.
#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_only_a_locked_file_is_an_outage_because_postgres_locks_rows() {
    let database = Database::migrated(Engine::Sqlite).await;
    let service = Service::start(&database, None).await;
    let outage = Outage {
        begin: "BEGIN EXCLUSIVE",
        end: "COMMIT",
    };
    survive(&database, &service, &outage).await;
    assert_eq!(service.stop().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_only_a_locked_table_is_an_outage_because_sqlite_has_no_table_locks() {
    let database = Database::migrated(Engine::Postgres).await;
    let service = Service::start(&database, None).await;
    let outage = Outage {
        begin: "BEGIN; LOCK TABLE inbox, lease IN ACCESS EXCLUSIVE MODE",
        end: "COMMIT",
    };
    survive(&database, &service, &outage).await;
    assert_eq!(service.stop().await, 0);
}

/// PostgreSQL is made read-only by a setting, which new connections obey.
#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_only_a_read_only_server_is_an_outage_because_sqlite_is_a_file() {
    let database = Database::migrated(Engine::Postgres).await;
    let service = Service::start(&database, None).await;
    let name = database.url.rsplit_once('/').unwrap().1.to_owned();
    let switch = async |to: &str| {
        let mut connection = database.direct().await;
        connection
            .execute(AssertSqlSafe(format!(
                "BEGIN READ WRITE; ALTER DATABASE {name} SET default_transaction_read_only = {to}; COMMIT"
            )))
            .await
            .unwrap();
        // The pool's connections are cut, so that it makes new ones.
        let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        connection.execute(others).await.unwrap();
    };
    switch("on").await;
    eventually("not ready", async || {
        (service.get("/readyz").await.status() == 503).then_some(())
    })
    .await;
    assert_eq!(
        service
            .deliver("push", "a", deliveries::push(9))
            .await
            .unwrap(),
        503
    );
    assert_eq!(stored(&database).await, 0);
    switch("off").await;
    eventually("ready again", async || {
        (service.get("/readyz").await.status() == 200).then_some(())
    })
    .await;
    assert_eq!(
        service
            .deliver("push", "a", deliveries::push(9))
            .await
            .unwrap(),
        202
    );
    assert_eq!(service.stop().await, 0);
}
