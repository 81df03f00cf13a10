//! The opening of the database: pools, settings of each connection, the check of SQLite's version, and the migrations.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AnyConnection, AnyPool, ConnectOptions as _, Connection as _, Executor as _, Row as _};

use super::{Dialect, StoreError};
use countersign_ledger::Sealer;

/// SQLite before this version has bugs in WAL mode that lose data.
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);

const FIRST_CONNECTION: Duration = Duration::from_secs(10);

/// How to open a store.
#[derive(Clone, Debug)]
pub struct Options {
    /// `sqlite:` or `postgres:`; holds a password perhaps, so it is never printed.
    pub url: String,
    /// How long a statement waits for another writer's lock.
    pub lock_wait: Duration,
    /// Connections to PostgreSQL; readers of SQLite.
    pub connections: u32,
}

impl Options {
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            lock_wait: Duration::from_secs(2),
            connections: 8,
        }
    }

    /// The file of a database that is one.
    pub fn file(&self) -> Option<PathBuf> {
        if Dialect::of(&self.url) != Some(Dialect::Sqlite) {
            return None;
        }
        let options = self.url.parse::<SqliteConnectOptions>().ok()?;
        Some(options.get_filename().to_owned())
    }
}

/// The database, open and migrated. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    writer: AnyPool,
    reader: AnyPool,
    dialect: Dialect,
    sealer: RwLock<Option<Arc<Sealer>>>,
}

impl Store {
    /// Connects, creates what is missing, and brings the schema up to date.
    pub async fn open(options: &Options) -> Result<Self, StoreError> {
        if let Some(file) = options.file() {
            keep_private(&file);
        }
        let options = Options {
            url: created_if_missing(&options.url),
            ..options.clone()
        };
        let store = Self::connect(&options).await?;
        super::migrate::run(&store).await?;
        Ok(store)
    }

    /// Connects to a database that a running service uses: nothing is created and nothing changed, and
    /// a schema that is not this program's is refused.
    pub async fn attach(options: &Options) -> Result<Self, StoreError> {
        let store = Self::connect(options).await?;
        super::migrate::check(&store).await?;
        Ok(store)
    }

    async fn connect(options: &Options) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let dialect = Dialect::of(&options.url).ok_or_else(|| {
            StoreError::Unusable("the database URL must start with sqlite: or postgres:".to_owned())
        })?;
        let settings = settings(dialect, options.lock_wait);
        let (writer, reader) = match dialect {
            Dialect::Sqlite => {
                let writer = pool(options, 1, settings.clone()).await?;
                require_recent_sqlite(&writer).await?;
                let read_only = [settings, vec!["PRAGMA query_only = ON".to_owned()]].concat();
                (writer, pool(options, options.connections, read_only).await?)
            }
            Dialect::Postgres => {
                let shared = pool(options, options.connections, settings).await?;
                (shared.clone(), shared)
            }
        };
        Ok(Self(Arc::new(Inner {
            writer,
            reader,
            dialect,
            sealer: RwLock::default(),
        })))
    }

    /// From now on, entries of the audit log are sealed so. Without it nothing can be appended.
    pub fn seal_with(&self, sealer: Sealer) {
        *self
            .0
            .sealer
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(sealer));
    }

    pub fn sealer(&self) -> Option<Arc<Sealer>> {
        self.0
            .sealer
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    pub(super) fn writer(&self) -> &AnyPool {
        &self.0.writer
    }

    pub(super) fn reader(&self) -> &AnyPool {
        &self.0.reader
    }

    /// Waits for work in progress and closes every connection.
    pub async fn close(&self) {
        self.0.writer.close().await;
        self.0.reader.close().await;
    }
}

async fn pool(
    options: &Options,
    connections: u32,
    settings: Vec<String>,
) -> Result<AnyPool, StoreError> {
    let connect = options
        .url
        .parse::<AnyConnectOptions>()
        .map_err(|_| StoreError::Unusable("the database URL cannot be parsed".to_owned()))?
        .disable_statement_logging();
    // A pool only says that its time ran out; a connection says why.
    let trial = async {
        let mut connection = connect.connect().await?;
        apply(&mut connection, &settings).await?;
        connection.close().await
    };
    match tokio::time::timeout(FIRST_CONNECTION, trial).await {
        Ok(connected) => connected?,
        Err(_) => {
            return Err(StoreError::Unusable(format!(
                "the database did not answer within {} s",
                FIRST_CONNECTION.as_secs()
            )));
        }
    }
    let settings = Arc::new(settings);
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(options.lock_wait + Duration::from_secs(1))
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(move |connection, _| {
            let settings = settings.clone();
            Box::pin(async move { apply(connection, &settings).await })
        })
        .connect_with(connect)
        .await
        .map_err(StoreError::from)
}

/// Makes SQLite's file, if it is missing, so that only its owner can read it; the files beside it follow. If that
/// fails, SQLite says why.
fn keep_private(file: &Path) {
    let mut made = std::fs::OpenOptions::new();
    drop(made.write(true).create_new(true).mode(0o600).open(file));
}

/// SQLite's file is created at the first start.
fn created_if_missing(url: &str) -> String {
    if Dialect::of(url) != Some(Dialect::Sqlite) || url.contains("mode=") {
        return url.to_owned();
    }
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}mode=rwc")
}

async fn apply(connection: &mut AnyConnection, settings: &[String]) -> Result<(), sqlx::Error> {
    for setting in settings {
        connection
            .execute(sqlx::AssertSqlSafe(setting.as_str()))
            .await?;
    }
    Ok(())
}

/// What every connection is told first.
fn settings(dialect: Dialect, lock_wait: Duration) -> Vec<String> {
    let wait = lock_wait.as_millis();
    match dialect {
        Dialect::Sqlite => vec![
            format!("PRAGMA busy_timeout = {wait}"),
            // A stored delivery takes a few kilobytes; it should lie on one page.
            "PRAGMA page_size = 8192".to_owned(),
            "PRAGMA journal_mode = WAL".to_owned(),
            "PRAGMA synchronous = FULL".to_owned(),
            "PRAGMA wal_autocheckpoint = 4000".to_owned(),
            "PRAGMA temp_store = MEMORY".to_owned(),
            "PRAGMA foreign_keys = ON".to_owned(),
            "PRAGMA cache_size = -16000".to_owned(),
            "PRAGMA journal_size_limit = 67108864".to_owned(),
        ],
        Dialect::Postgres => vec![
            format!("SET lock_timeout = {wait}"),
            "SET statement_timeout = '30s'".to_owned(),
            "SET idle_in_transaction_session_timeout = '30s'".to_owned(),
            "SET synchronous_commit = on".to_owned(),
            "SET default_transaction_isolation = 'read committed'".to_owned(),
            "SET application_name = 'countersign'".to_owned(),
        ],
    }
}

async fn require_recent_sqlite(pool: &AnyPool) -> Result<(), StoreError> {
    let row = pool.fetch_one("SELECT sqlite_version() AS version").await?;
    let version: String = row.try_get("version")?;
    if is_recent(&version) {
        Ok(())
    } else {
        let (major, minor, patch) = OLDEST_SQLITE;
        Err(StoreError::Unusable(format!(
            "SQLite {version} is too old: {major}.{minor}.{patch} or newer is needed"
        )))
    }
}

fn is_recent(version: &str) -> bool {
    let mut parts = version.split('.').map(str::parse::<u32>);
    let mut next = || parts.next().and_then(Result::ok);
    match (next(), next(), next()) {
        (Some(major), Some(minor), patch) => (major, minor, patch.unwrap_or(0)) >= OLDEST_SQLITE,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_missing_file_is_created() {
        for (url, expect) in [
            ("sqlite:///a.db", "sqlite:///a.db?mode=rwc"),
            (
                "sqlite:///a.db?cache=private",
                "sqlite:///a.db?cache=private&mode=rwc",
            ),
            ("sqlite:///a.db?mode=ro", "sqlite:///a.db?mode=ro"),
            ("postgres://host/name", "postgres://host/name"),
        ] {
            assert_eq!(created_if_missing(url), expect);
        }
    }

    #[test]
    fn versions_compare_as_numbers() {
        for (version, expect) in [
            ("3.51.3", true),
            ("3.100.0", true),
            ("4.0", true),
            ("3.51.2", false),
            ("3.9.0", false),
            ("", false),
            ("new", false),
        ] {
            assert_eq!(is_recent(version), expect, "{version}");
        }
    }
}
