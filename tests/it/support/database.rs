//! A fresh database for every test: a file for SQLite, a database of its own on the test cluster for
//! PostgreSQL.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use countersign::store::{Options, Store};
use countersign_ledger::Keys;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _, Row as _};
use tempfile::TempDir;

use super::eventually;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) folder: TempDir,
}

impl Database {
    pub(crate) async fn fresh(engine: Engine) -> Self {
        sqlx::any::install_default_drivers();
        let folder = tempfile::tempdir().unwrap();
        let url = match engine {
            Engine::Sqlite => format!("sqlite://{}", folder.path().join("test.db").display()),
            Engine::Postgres => create_on_cluster().await,
        };
        let key = folder.path().join("countersign-log.key");
        std::fs::write(&key, keys().spelled()).unwrap();
        std::fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
        Self { url, folder }
    }

    pub(crate) async fn open(&self) -> Store {
        let store = Store::open(&Options::new(self.url.clone())).await.unwrap();
        store.seal_with(keys().sealer());
        store
    }

    /// A connection past the store, for looking and for mischief.
    pub(crate) async fn direct(&self) -> AnyConnection {
        AnyConnection::connect(&self.url).await.unwrap()
    }

    /// Waits until a dead process has nothing in flight any more: PostgreSQL still finishes what it was
    /// sent.
    pub(crate) async fn is_quiet(&self) {
        if self.url.starts_with("postgres") {
            let others = "SELECT COUNT(*) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
            eventually("the server has finished", async || {
                (self.number(others).await == 0).then_some(())
            })
            .await;
        }
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let mut connection = self.direct().await;
        let row = connection
            .fetch_one(AssertSqlSafe(sql.to_owned()))
            .await
            .unwrap();
        row.try_get(0).unwrap()
    }
}

/// The keys of every log that a test makes within its own process.
pub(crate) fn keys() -> Keys {
    Keys::new("deploys.example.com/log", [7; 32]).unwrap()
}

async fn create_on_cluster() -> String {
    let cluster = std::env::var("COUNTERSIGN_TEST_POSTGRES").expect(
        "COUNTERSIGN_TEST_POSTGRES names no PostgreSQL cluster: run the tests with script/test",
    );
    let name = format!("test_{}", countersign_ground::chance::id());
    let mut connection = AnyConnection::connect(&cluster).await.unwrap();
    connection
        .execute(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .await
        .unwrap();
    let (server, _) = cluster.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}
