//! A database for every test: a file for SQLite, a database of its own on the test cluster for PostgreSQL. Most begin
//! as a copy of one that was migrated once for this build of the tests.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use countersign::store::{Options, Store};
use countersign_ground::digest::sha256_hex;
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
    /// Nothing is in it.
    pub(crate) async fn fresh(engine: Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = match engine {
            Engine::Sqlite => sqlite(folder.path()),
            Engine::Postgres => create_on_cluster("template1").await,
        };
        Self::at(url, folder)
    }

    /// As the service leaves it that was never used.
    pub(crate) async fn migrated(engine: Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = match engine {
            Engine::Sqlite => {
                let url = sqlite(folder.path());
                std::fs::copy(migrated_file().await, file_in(folder.path())).unwrap();
                url
            }
            Engine::Postgres => create_on_cluster(&migrated_on_cluster().await).await,
        };
        Self::at(url, folder)
    }

    fn at(url: String, folder: TempDir) -> Self {
        sqlx::any::install_default_drivers();
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

fn file_in(folder: &Path) -> PathBuf {
    folder.join("test.db")
}

fn sqlite(folder: &Path) -> String {
    format!("sqlite://{}", file_in(folder).display())
}

/// What tells this build of the tests from all others.
fn build() -> String {
    let program = std::env::current_exe().unwrap();
    let built = program.metadata().unwrap().modified().unwrap();
    let built = built.duration_since(std::time::UNIX_EPOCH).unwrap();
    let name = program.file_stem().unwrap().to_string_lossy();
    format!("{name}-{}", built.as_millis())
}

/// A file that was migrated, beside the program. Whoever comes first makes it.
async fn migrated_file() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let beside = program.parent().unwrap();
    let file = beside.join(format!("{}.db", build()));
    if !file.exists() {
        let folder = tempfile::tempdir_in(beside).unwrap();
        let store = Store::open(&Options::new(sqlite(folder.path()))).await;
        store.unwrap().close().await;
        std::fs::rename(file_in(folder.path()), &file).unwrap();
    }
    file
}

/// The name of a database that was migrated. Whoever comes first makes it, and others wait.
async fn migrated_on_cluster() -> String {
    let name = format!("migrated_{}", &sha256_hex(build().as_bytes())[..16]);
    let mut connection = AnyConnection::connect(&cluster()).await.unwrap();
    let known = format!("SELECT COUNT(*) FROM pg_database WHERE datname = '{name}'");
    let is_there = async |connection: &mut AnyConnection| {
        let row = connection.fetch_one(AssertSqlSafe(known.clone())).await;
        row.unwrap().try_get::<i64, _>(0).unwrap() > 0
    };
    if is_there(&mut connection).await {
        return name;
    }
    let lock = "SELECT 1 FROM (SELECT pg_advisory_lock(7)) AS taken";
    connection.execute(lock).await.unwrap();
    if !is_there(&mut connection).await {
        let draft = format!("{name}_draft");
        for statement in [
            format!("DROP DATABASE IF EXISTS {draft}"),
            format!("CREATE DATABASE {draft}"),
        ] {
            connection.execute(AssertSqlSafe(statement)).await.unwrap();
        }
        let store = Store::open(&Options::new(on_cluster(&draft))).await;
        store.unwrap().close().await;
        let rename = format!("ALTER DATABASE {draft} RENAME TO {name}");
        eventually("the server has left it", async || {
            let mut other = AnyConnection::connect(&cluster()).await.unwrap();
            other.execute(AssertSqlSafe(rename.clone())).await.ok()
        })
        .await;
    }
    // The lock ends with the connection.
    connection.close().await.unwrap();
    name
}

fn cluster() -> String {
    sqlx::any::install_default_drivers();
    std::env::var("COUNTERSIGN_TEST_POSTGRES").expect(
        "COUNTERSIGN_TEST_POSTGRES names no PostgreSQL cluster: run the tests with script/test",
    )
}

/// The address of a database on the cluster.
fn on_cluster(name: &str) -> String {
    let cluster = cluster();
    let (server, _) = cluster.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

/// A new database, made as a copy.
async fn create_on_cluster(template: &str) -> String {
    let name = format!("test_{}", countersign_ground::chance::id());
    let mut connection = AnyConnection::connect(&cluster()).await.unwrap();
    let create = format!("CREATE DATABASE {name} TEMPLATE {template}");
    connection.execute(AssertSqlSafe(create)).await.unwrap();
    on_cluster(&name)
}
