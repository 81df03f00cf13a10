//! Migrations: both engines get the same schema from those of the same names, and both refuse by themselves to
//! change what must never change.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot reach its database has failed"
)]

use std::collections::{BTreeMap, BTreeSet};

use countersign::domain::{Action, Actor, Entry};
use countersign::store::{Options, Store, StoreError, ledger};
use countersign_ground::chance;
use countersign_ledger::Sealer;
use jiff::Timestamp;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _, Row as _};
use tempfile::TempDir;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

/// A database of its own, empty at first.
struct Database {
    engine: Engine,
    url: String,
    _folder: TempDir,
}

impl Database {
    async fn fresh(engine: Engine) -> Self {
        sqlx::any::install_default_drivers();
        let folder = tempfile::tempdir().unwrap();
        let url = match engine {
            Engine::Sqlite => format!("sqlite://{}", folder.path().join("law.db").display()),
            Engine::Postgres => create_on_cluster().await,
        };
        Self {
            engine,
            url,
            _folder: folder,
        }
    }

    async fn open(&self) -> Result<Store, StoreError> {
        Store::open(&Options::new(self.url.clone())).await
    }

    async fn migrate(&self) {
        self.open().await.unwrap().close().await;
    }

    /// Past the store, as an attacker with the database's password would.
    async fn execute(&self, sql: &str) -> Result<u64, sqlx::Error> {
        let mut connection = AnyConnection::connect(&self.url).await?;
        let done = connection.execute(AssertSqlSafe(sql.to_owned())).await?;
        connection.close().await?;
        Ok(done.rows_affected())
    }

    /// The first columns of every row, as text.
    async fn rows<const N: usize>(&self, sql: &str) -> Vec<[String; N]> {
        let mut connection = AnyConnection::connect(&self.url).await.unwrap();
        let rows = connection
            .fetch_all(AssertSqlSafe(sql.to_owned()))
            .await
            .unwrap();
        connection.close().await.unwrap();
        rows.iter()
            .map(|row| std::array::from_fn(|column| row.try_get(column).unwrap()))
            .collect()
    }
}

async fn create_on_cluster() -> String {
    let Ok(cluster) = std::env::var("COUNTERSIGN_TEST_POSTGRES") else {
        panic!(
            "COUNTERSIGN_TEST_POSTGRES must name the `postgres` database of a cluster for tests; script/test starts one and sets it"
        );
    };
    let name = format!("law_{}", chance::id());
    let mut connection = AnyConnection::connect(&cluster).await.unwrap();
    connection
        .execute(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .await
        .unwrap();
    let (server, _) = cluster.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

/// What both engines must agree on.
#[derive(Debug, Default, PartialEq, Eq)]
struct Schema {
    /// By table: name, type, nullability and default of every column, in order.
    tables: BTreeMap<String, Vec<[String; 4]>>,
    /// Table and columns of primary keys and unique constraints.
    keys: BTreeSet<[String; 3]>,
    /// Name and columns of every other index.
    indexes: BTreeSet<[String; 2]>,
}

const SQLITE_COLUMNS: &str = "SELECT m.name, c.name,
        CASE c.type WHEN 'INTEGER' THEN 'BIGINT' WHEN 'BLOB' THEN 'BYTEA' ELSE c.type END,
        CASE WHEN c.\"notnull\" = 1 OR (c.pk = 1 AND c.type = 'INTEGER') THEN 'NOT NULL' ELSE 'NULL' END,
        COALESCE(c.dflt_value, '')
    FROM sqlite_master m JOIN pragma_table_info(m.name) c
    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid";

const POSTGRES_COLUMNS: &str = "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT),
        upper(CAST(data_type AS TEXT)),
        CASE is_nullable WHEN 'NO' THEN 'NOT NULL' ELSE 'NULL' END,
        COALESCE(CAST(column_default AS TEXT), '')
    FROM information_schema.columns
    WHERE table_schema = 'public' ORDER BY table_name, ordinal_position";

const SQLITE_KEYS: &str = "SELECT m.name, 'p', group_concat(c.name, ',' ORDER BY c.pk)
    FROM sqlite_master m JOIN pragma_table_info(m.name) c
    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND c.pk > 0 GROUP BY m.name
    UNION ALL SELECT m.name, l.origin, group_concat(i.name, ',' ORDER BY i.seqno)
    FROM sqlite_master m JOIN pragma_index_list(m.name) l JOIN pragma_index_info(l.name) i
    WHERE m.type = 'table' AND l.origin = 'u' GROUP BY m.name, l.name";

const POSTGRES_KEYS: &str = "SELECT CAST(t.relname AS TEXT), CAST(c.contype AS TEXT),
        string_agg(CAST(a.attname AS TEXT), ',' ORDER BY k.place)
    FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
        JOIN pg_namespace n ON n.oid = t.relnamespace
        CROSS JOIN unnest(c.conkey) WITH ORDINALITY AS k (number, place)
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number
    WHERE n.nspname = 'public' AND c.contype IN ('p', 'u') GROUP BY t.relname, c.oid, c.contype";

const SQLITE_INDEXES: &str =
    "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL";

const POSTGRES_INDEXES: &str = "SELECT CAST(t.relname AS TEXT), pg_get_indexdef(t.oid)
    FROM pg_index i JOIN pg_class t ON t.oid = i.indexrelid
        JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE n.nspname = 'public'
        AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = t.oid)";

impl Schema {
    async fn of(database: &Database) -> Self {
        let (columns, keys, indexes) = match database.engine {
            Engine::Sqlite => (SQLITE_COLUMNS, SQLITE_KEYS, SQLITE_INDEXES),
            Engine::Postgres => (POSTGRES_COLUMNS, POSTGRES_KEYS, POSTGRES_INDEXES),
        };
        let mut schema = Self::default();
        for [table, name, kind, null, default] in database.rows(columns).await {
            let columns = schema.tables.entry(table).or_default();
            columns.push([name, kind, null, default]);
        }
        schema.keys.extend(database.rows(keys).await);
        for [name, definition] in database.rows(indexes).await {
            schema
                .indexes
                .insert([name, between_parentheses(&definition)]);
        }
        schema
    }
}

fn between_parentheses(definition: &str) -> String {
    let inner = definition.split_once('(').map_or("", |(_, rest)| rest);
    inner.split(')').next().unwrap_or_default().to_owned()
}

fn files_of(engine: &str) -> BTreeSet<String> {
    let folder = format!("{}/migrations/{engine}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// One row in every table that protects something.
async fn fill(database: &Database) {
    let store = database.open().await.unwrap();
    store.seal_with(Sealer::new("example.com/log", "key", [[7; 32]]));
    let entry = Entry {
        at: Timestamp::UNIX_EPOCH,
        action: Action::CommandReceived,
        actor: Actor::Operator {
            name: "ann".to_owned(),
        },
        detail: BTreeMap::new(),
    };
    for _ in 0..2 {
        let entry = entry.clone();
        store
            .unit(move |tx| {
                let entry = entry.clone();
                Box::pin(async move { ledger::append(tx, &entry).await })
            })
            .await
            .unwrap();
    }
    store
        .unit(|tx| {
            Box::pin(async move {
                let (level, n, root) = (0, 0, vec![0; 32]);
                let hashes = vec![0; 256 * 32];
                let tile = ledger::Tile {
                    level,
                    n,
                    hashes,
                    root: root.clone(),
                };
                ledger::record_tiles(tx, &[tile]).await?;
                let (size, note) = (2, "note".to_owned());
                let head = ledger::Checkpoint { size, root, note };
                ledger::record_checkpoint(tx, &head).await
            })
        })
        .await
        .unwrap();
    store.close().await;
    for sql in [
        "INSERT INTO inbox (source, delivery, event, lane, received_at, size, body)
            SELECT 'github', 'a', 'ping', 'github', 0, 0, body FROM ledger_entry WHERE seq = 1",
        "INSERT INTO outbox (token, effect, cause, priority, created_at, due_at, state)
            VALUES ('a', '{}', 1, 1, 0, 0, 'waiting')",
    ] {
        assert_eq!(database.execute(sql).await.unwrap(), 1);
    }
}

/// Every attempt, and a piece of the sentence with which the database must refuse it.
const MISCHIEF: &[(&str, &str)] = &[
    (
        "UPDATE ledger_entry SET action = 'x'",
        "ledger_entry is append-only",
    ),
    (
        "UPDATE ledger_entry SET body = body WHERE seq = 1",
        "ledger_entry is append-only",
    ),
    (
        "UPDATE ledger_entry SET seq = 9 WHERE seq = 2",
        "ledger_entry is append-only",
    ),
    ("DELETE FROM ledger_entry", "ledger_entry is append-only"),
    (
        "DELETE FROM ledger_entry WHERE seq = 2",
        "ledger_entry is append-only",
    ),
    (
        "UPDATE ledger_head SET size = size - 1",
        "ledger_head only grows",
    ),
    (
        "UPDATE ledger_head SET size = size",
        "ledger_head only grows",
    ),
    (
        "UPDATE ledger_head SET log = 'x', size = size + 1",
        "ledger_head only grows",
    ),
    ("DELETE FROM ledger_head", "ledger_head only grows"),
    (
        "UPDATE ledger_private SET value = 'x'",
        "ledger_private never changes",
    ),
    (
        "UPDATE ledger_tile SET root = root",
        "ledger_tile is append-only",
    ),
    ("DELETE FROM ledger_tile", "ledger_tile is append-only"),
    (
        "UPDATE ledger_checkpoint SET note = 'x'",
        "ledger_checkpoint is append-only",
    ),
    (
        "DELETE FROM ledger_checkpoint",
        "ledger_checkpoint is append-only",
    ),
    (
        "INSERT INTO ledger_unsigned (seq, at, action, body) SELECT seq, at, action, body FROM ledger_entry",
        "ledger_unsigned is closed",
    ),
    (
        "UPDATE inbox SET body = body",
        "what was received never changes",
    ),
    (
        "UPDATE inbox SET delivery = 'b'",
        "what was received never changes",
    ),
    (
        "UPDATE inbox SET received_at = 1, handled_at = 1",
        "what was received never changes",
    ),
    (
        "UPDATE outbox SET effect = '{\"do\":\"x\"}'",
        "what was decided never changes",
    ),
    (
        "UPDATE outbox SET token = 'b'",
        "what was decided never changes",
    ),
    (
        "UPDATE outbox SET cause = 2",
        "what was decided never changes",
    ),
];

/// REPLACE deletes without firing the triggers of DELETE.
const MISCHIEF_ON_SQLITE: &[(&str, &str)] = &[
    (
        "INSERT OR REPLACE INTO ledger_entry (seq, at, action, outcome, body, leaf) SELECT 1, at, action, outcome, body, leaf FROM ledger_entry WHERE seq = 2",
        "ledger_entry is append-only",
    ),
    (
        "REPLACE INTO ledger_private (seq, name, salt, value) VALUES (2, 'actor.operator', x'00', 'x')",
        "ledger_private never changes",
    ),
    (
        "REPLACE INTO ledger_checkpoint (size, root, note) SELECT size, root, 'x' FROM ledger_checkpoint",
        "ledger_checkpoint is append-only",
    ),
    (
        "REPLACE INTO ledger_head (log, size) VALUES ('main', 0)",
        "ledger_head only grows",
    ),
    (
        "REPLACE INTO outbox (id, token, effect, cause, priority, created_at, due_at, state) VALUES (1, 'x', 'x', 1, 0, 0, 0, 'waiting')",
        "what was decided never changes",
    ),
];

const MISCHIEF_ON_POSTGRES: &[(&str, &str)] = &[
    ("TRUNCATE ledger_tile", "ledger_tile is append-only"),
    (
        "TRUNCATE ledger_checkpoint",
        "ledger_checkpoint is append-only",
    ),
    ("TRUNCATE ledger_entry", "ledger_entry is append-only"),
    ("TRUNCATE ledger_head", "ledger_head only grows"),
    (
        "TRUNCATE timer, ledger_entry CASCADE",
        "ledger_entry is append-only",
    ),
];

#[test]
fn both_engines_have_migrations_of_the_same_names() {
    assert_eq!(files_of("sqlite"), files_of("postgres"));
    assert!(!files_of("sqlite").is_empty());
}

#[tokio::test]
async fn both_engines_get_the_same_schema() {
    let (sqlite, postgres) = (
        Database::fresh(Engine::Sqlite).await,
        Database::fresh(Engine::Postgres).await,
    );
    sqlite.migrate().await;
    postgres.migrate().await;
    let schema = Schema::of(&sqlite).await;
    assert_eq!(schema, Schema::of(&postgres).await);
    assert!(schema.tables.contains_key("ledger_entry"), "{schema:?}");
    assert!(!schema.indexes.is_empty());
}

#[tokio::test]
async fn a_difference_would_be_seen() {
    for planted in [
        "ALTER TABLE timer ADD COLUMN planted TEXT",
        "ALTER TABLE timer RENAME COLUMN fence TO gate",
        "DROP INDEX timer_due",
        "DROP INDEX timer_due; CREATE INDEX timer_due ON timer (fence)",
        "CREATE UNIQUE INDEX planted ON timer (fence)",
        "CREATE TABLE planted (id BIGINT PRIMARY KEY NOT NULL)",
    ] {
        let database = Database::fresh(Engine::Sqlite).await;
        database.migrate().await;
        let before = Schema::of(&database).await;
        database.execute(planted).await.unwrap();
        assert_ne!(Schema::of(&database).await, before, "{planted}");
    }
}

#[tokio::test]
async fn every_file_is_applied_once() {
    const APPLIED: &str = "SELECT name, digest FROM schema_migration ORDER BY version";
    for engine in ENGINES {
        let database = Database::fresh(engine).await;
        database.migrate().await;
        let applied = database.rows::<2>(APPLIED).await;
        let names = applied.iter().map(|[name, _]| format!("{name}.sql"));
        assert_eq!(names.collect::<BTreeSet<_>>(), files_of("sqlite"));
        fill(&database).await;
        let before = Schema::of(&database).await;
        database.migrate().await;
        assert_eq!(database.rows::<2>(APPLIED).await, applied);
        assert_eq!(Schema::of(&database).await, before);
        let kept = database.rows::<1>("SELECT token FROM outbox").await;
        assert_eq!(kept, [["a".to_owned()]]);
    }
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_the_past() {
    const STATE: &str = "SELECT CAST(seq AS TEXT), action FROM ledger_entry
        UNION ALL SELECT log, CAST(size AS TEXT) FROM ledger_head
        UNION ALL SELECT delivery, CAST(received_at AS TEXT) FROM inbox
        UNION ALL SELECT token, effect FROM outbox ORDER BY 1, 2";
    for engine in ENGINES {
        let database = Database::fresh(engine).await;
        fill(&database).await;
        let before = database.rows::<2>(STATE).await;
        let more = match engine {
            Engine::Sqlite => MISCHIEF_ON_SQLITE,
            Engine::Postgres => MISCHIEF_ON_POSTGRES,
        };
        for (sql, expect) in MISCHIEF.iter().chain(more) {
            let refusal = database.execute(sql).await;
            let refusal = refusal.expect_err(sql).to_string();
            assert!(refusal.contains(expect), "{engine:?}: {sql}: {refusal}");
        }
        assert_eq!(database.rows::<2>(STATE).await, before, "{engine:?}");
    }
}

#[tokio::test]
async fn what_is_meant_to_change_can_change() {
    for engine in ENGINES {
        let database = Database::fresh(engine).await;
        fill(&database).await;
        for sql in [
            "UPDATE inbox SET handled_at = 1, outcome = 'handled'",
            "DELETE FROM inbox",
            "UPDATE outbox SET state = 'done', finished_at = 1",
            "DELETE FROM outbox",
            "UPDATE ledger_head SET size = size + 1",
        ] {
            assert_eq!(database.execute(sql).await.unwrap(), 1, "{engine:?}: {sql}");
        }
    }
}

#[tokio::test]
async fn a_schema_that_is_not_ours_is_refused() {
    for engine in ENGINES {
        for (sql, expect) in [
            (
                "INSERT INTO schema_migration (version, name, digest) VALUES (999, '0999_later', 'x')",
                &["newer countersign", "0999_later"][..],
            ),
            (
                "UPDATE schema_migration SET digest = 'x' WHERE version = 1",
                &["0001_ground", "changed"],
            ),
        ] {
            let database = Database::fresh(engine).await;
            database.migrate().await;
            assert_eq!(database.execute(sql).await.unwrap(), 1);
            let refusal = match database.open().await {
                Err(StoreError::Unusable(why)) => why,
                other => panic!("{engine:?}: {other:?}"),
            };
            for word in expect {
                assert!(refusal.contains(word), "{engine:?}: {refusal}");
            }
        }
    }
}
