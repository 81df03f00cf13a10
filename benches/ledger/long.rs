//! A long log, written past the program so that it does not take hours: forty services, two hundred people
//! who each work on a few of them, and a beginning that looks like nothing later.

use std::time::Duration;

use countersign::store::{Options, Store};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _};

pub(crate) const ENTRIES: u64 = 1_000_000;

/// The first entry's time; the others follow, one a minute.
pub(crate) const START: i64 = 1_700_000_000;
pub(crate) const STEP: i64 = 60;

pub(crate) struct Log {
    pub(crate) database: &'static str,
    pub(crate) store: Store,
    _folder: tempfile::TempDir,
}

impl Log {
    pub(crate) async fn of(database: &'static str, entries: u64) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let url = match database {
            "SQLite" => format!("sqlite://{}", folder.path().join("bench.db").display()),
            _ => fresh_postgres().await?,
        };
        Store::open(&Options::new(url.clone()))
            .await
            .unwrap()
            .close()
            .await;
        let mut connection = AnyConnection::connect(&url).await.unwrap();
        for statement in statements(database, entries) {
            connection.execute(AssertSqlSafe(statement)).await.unwrap();
        }
        connection.close().await.unwrap();
        let store = Store::open(&Options::new(url)).await.unwrap();
        Some(Self {
            database,
            store,
            _folder: folder,
        })
    }
}

/// The words of an engine that the statements below need.
struct Words {
    numbers: String,
    hex: &'static str,
    body: &'static str,
    leaf: &'static str,
    last: &'static str,
}

fn statements(database: &str, entries: u64) -> Vec<String> {
    let words = if database == "SQLite" {
        Words {
            numbers: format!(
                "(WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {entries}) SELECT i FROM n)"
            ),
            hex: "printf('%08x', x)",
            body: "zeroblob(700)",
            leaf: "zeroblob(32)",
            last: "PRAGMA wal_checkpoint(TRUNCATE)",
        }
    } else {
        Words {
            numbers: format!(
                "(SELECT i FROM generate_series(CAST(1 AS BIGINT), {entries}) AS g (i))"
            ),
            hex: "lpad(to_hex(x), 8, '0')",
            body: "decode(repeat('00', 700), 'hex')",
            leaf: "decode(repeat('00', 32), 'hex')",
            last: "VACUUM ANALYZE",
        }
    };
    let Words {
        numbers,
        hex,
        body,
        leaf,
        last,
    } = words;
    let latest = (START + i64::try_from(entries).unwrap() * STEP) * 1_000_000;
    let drawn = format!(
        "SELECT i, h, (i / 20 * 2654435761) % 4294967296 AS x, h % 40 AS s, (h / 641) % 12 AS a
            FROM (SELECT i, (i * CAST(2654435761 AS BIGINT)) % 4294967296 AS h FROM {numbers} AS m) AS k"
    );
    let named = format!(
        "SELECT i, x,
            CASE WHEN i <= 200 THEN 'oldest' ELSE 'service-' || s END AS service,
            CASE (h / 40) % 3 WHEN 0 THEN 'prod' WHEN 1 THEN 'canary' ELSE 'staging' END AS environment,
            CASE WHEN a >= 6 THEN 'github:' || ((s * 5 + (h / 120) % 15) % 200) END AS person,
            CASE WHEN i % 50000 = 7 THEN 'trigger.lost' ELSE CASE a
                WHEN 0 THEN 'stage.passed' WHEN 1 THEN 'stage.failed' WHEN 2 THEN 'candidate.ready'
                WHEN 3 THEN 'started' WHEN 4 THEN 'succeeded' WHEN 5 THEN 'triggered'
                WHEN 6 THEN 'command.received' WHEN 7 THEN 'requested' WHEN 8 THEN 'approved'
                WHEN 9 THEN 'refused' WHEN 10 THEN 'locked' ELSE 'cancelled' END END AS action
            FROM ({drawn}) AS d"
    );
    let word = |word: &str, condition: &str| {
        format!(
            "INSERT INTO ledger_word (word, seq) SELECT '{word}', seq FROM ledger_entry
                WHERE action = 'refused' AND {condition}"
        )
    };
    vec![
        format!(
            "INSERT INTO ledger_entry (seq, at, action, outcome, service, environment, person, sha, request, about, body, leaf)
            SELECT i, ({START} + i * {STEP}) * 1000000, action,
                CASE action WHEN 'refused' THEN 'refused' WHEN 'stage.failed' THEN 'failed' WHEN 'trigger.lost' THEN 'alarm'
                    WHEN 'stage.passed' THEN 'succeeded' WHEN 'candidate.ready' THEN 'succeeded' WHEN 'succeeded' THEN 'succeeded'
                    WHEN 'started' THEN 'noted' WHEN 'triggered' THEN 'noted' WHEN 'command.received' THEN 'noted'
                    ELSE 'allowed' END,
                service, environment, person, {hex} || '00000000000000000000000000000000',
                CASE WHEN i % 2 = 0 THEN i / 25 + 1 END,
                service || '|' || environment || '|' || COALESCE(person, '') || '|' || action, {body}, {leaf}
            FROM ({named}) AS e"
        ),
        format!(
            "UPDATE ledger_head SET size = {entries}, latest = {latest}"
        ),
        "INSERT INTO person (person, login, at) VALUES ('github:15', 'ann', 1)".to_owned(),
        word("gate", "seq % 2 = 0"),
        word("soak", "seq % 3 = 0"),
        word("soaking", "seq % 5 = 0"),
        word("author", "seq % 7 < 2"),
        word("rarely", "seq % 20000 = 100"),
        last.to_owned(),
    ]
}

pub(crate) async fn fresh_postgres() -> Option<String> {
    let cluster = std::env::var("COUNTERSIGN_BENCH_POSTGRES").ok()?;
    let name = format!("bench_{}", countersign_ground::chance::id());
    let mut connection = AnyConnection::connect(&cluster).await.unwrap();
    connection
        .execute(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .await
        .unwrap();
    let (server, _) = cluster.rsplit_once('/').unwrap();
    Some(format!("{server}/{name}"))
}

pub(crate) fn in_words(taken: Duration) -> String {
    format!("{:.2} ms", taken.as_secs_f64() * 1e3)
}
