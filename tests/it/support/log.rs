//! A log of many entries, and the hands of an attacker who has its database and its head file.

use std::path::PathBuf;
use std::time::Duration;

use countersign::domain::{Action, Actor, Detail, Entry};
use countersign::engine::Shared;
use countersign::engine::signer::{Place, Signer, Standing};
use countersign::metrics::Metrics;
use countersign::store::{Store, ledger};
use countersign_ground::clock::Clock;
use countersign_ledger::{self as spelling, Keys, SALT_LENGTH, spell};
use jiff::Timestamp;
use sqlx::{AnyConnection, AssertSqlSafe, Executor as _, Row as _};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::database::keys;
use super::{Database, Engine};

/// How long a signer may take to see something.
const PATIENCE: Duration = Duration::from_secs(60);
/// What makes up the log.
const TABLES: [&str; 8] = [
    "ledger_entry",
    "ledger_private",
    "ledger_word",
    "ledger_tile",
    "ledger_checkpoint",
    "ledger_head",
    "ledger_about",
    "ledger_anchor",
];

/// Triggers that refuse nothing: they write what follows from an entry.
const DERIVING: [(&str, &str); 2] = [
    ("ledger_entry", "ledger_entry_is_found"),
    ("ledger_private", "ledger_private_knows"),
];

pub(crate) struct Log {
    pub(crate) database: Database,
    pub(crate) head: PathBuf,
}

/// A signer at work.
pub(crate) struct Running {
    pub(crate) shared: Shared,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) fn start(store: Store, head: PathBuf) -> Self {
        let shared = Shared::new(store, Clock::system(), Metrics::default());
        let stop = CancellationToken::new();
        let signer = Signer {
            shared: shared.clone(),
            read_keys: std::sync::Arc::new(|| Ok(keys())),
            place: Place::new(head),
            anchor: None,
        };
        let task = tokio::spawn(signer.run(stop.clone()));
        Self { shared, stop, task }
    }

    pub(crate) fn standing(&self) -> Standing {
        self.shared.standing.borrow().clone()
    }

    /// Waits until the log stands like this, and rings meanwhile.
    pub(crate) async fn until(&self, what: &str, is: impl Fn(&Standing) -> bool) -> Standing {
        let mut standing = self.shared.standing.subscribe();
        let wait = async {
            loop {
                let now = standing.borrow_and_update().clone();
                if is(&now) {
                    return now;
                }
                // Who is being started looks by itself.
                if now != Standing::Checking {
                    self.shared.sign.notify_one();
                }
                let changed = standing.changed();
                let _slow = tokio::time::timeout(Duration::from_secs(1), changed).await;
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(seen) => seen,
            Err(_) => panic!("never came: {what}; it stands {:?}", self.standing()),
        }
    }

    pub(crate) async fn is_sound(&self, entries: i64) {
        let entries = u64::try_from(entries).unwrap();
        self.until(
            &format!("a head of {entries}"),
            |standing| matches!(standing, Standing::Sound(head) if head.size == entries),
        )
        .await;
    }

    /// What is wrong.
    pub(crate) async fn is_broken(&self, what: &str) -> String {
        let seen = self.until(what, |standing| matches!(standing, Standing::Broken { .. }));
        match seen.await {
            Standing::Broken { why } => why,
            Standing::Checking | Standing::Sound(_) => unreachable!(),
        }
    }

    /// Ends in the middle of whatever it does.
    pub(crate) async fn die(self) {
        self.task.abort();
        let _ended = self.task.await;
        self.shared.store.close().await;
    }

    pub(crate) async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
        self.shared.store.close().await;
    }
}

/// Entries as a service makes them.
pub(crate) fn entry(number: u64) -> Entry {
    let person = Actor::Person {
        forge: "github",
        id: 5 + number % 3,
        login: format!("person-{}", number % 3),
    };
    let sha = format!("{:040x}", number / 8);
    let about = |action: Action, actor: Actor| {
        Entry::new(Clock::system().now(), action, actor)
            .with("service", "shop")
            .with("environment", "prod")
            .with("sha", sha.as_str())
            .with("request", number / 8 + 1)
    };
    let evidence = || {
        let reasons = ["the build is red", "nobody of qa said yes"];
        Detail::from([
            ("policy", "abc".into()),
            (
                "reasons",
                Detail::private(reasons.into_iter().collect::<Detail>()),
            ),
        ])
    };
    match number % 8 {
        0 => Entry::new(Clock::system().now(), Action::CommandReceived, person)
            .with_private("command", format!("/deploy prod, please ({number})")),
        1 => about(Action::Refused, person)
            .with("evidence", evidence())
            .with_private("why", format!("attempt {number} came too early")),
        2 => about(Action::Requested, person).with_private("reason", "customers wait"),
        3 => about(Action::Approved, person).with("evidence", evidence()),
        4 => about(Action::Triggered, Actor::Countersign)
            .with("departure", format!("{{\"request\":{number}}}"))
            .with(
                "approvals",
                [Detail::from([
                    ("forge", "github".into()),
                    ("login", Detail::private("person-1")),
                    ("number", 6.into()),
                ])]
                .into_iter()
                .collect::<Detail>(),
            ),
        5 => about(Action::StagePassed, Actor::Countersign).with("stage", "build"),
        6 => about(Action::Failed, Actor::Countersign).with("why", "the release failed"),
        _ => about(Action::Started, Actor::Countersign).with("url", "https://ci.example.com/1"),
    }
}

/// Appends entries as the service does, in one transaction.
pub(crate) async fn append(store: &Store, entries: Vec<Entry>) -> bool {
    let done = store.unit(move |tx| {
        let entries = entries.clone();
        Box::pin(async move {
            for entry in &entries {
                ledger::append(tx, entry).await?;
            }
            Ok(())
        })
    });
    done.await.is_ok()
}

impl Log {
    pub(crate) async fn new(engine: Engine) -> Self {
        let database = Database::fresh(engine).await;
        let head = database.folder.path().join("countersign-log.head");
        Self { database, head }
    }

    /// Entries up to each of these numbers, signed there; some private values are erased on the way.
    pub(crate) async fn signed_at(engine: Engine, sizes: &[i64]) -> Self {
        let log = Self::new(engine).await;
        let running = log.start().await;
        running.is_sound(1).await;
        let mut size = 1;
        for signed in sizes {
            if size > 300 {
                let refused = (size - 200) / 8 * 8 + 2;
                log.hands().await.erase(&[(refused, None)]).await;
                size += 1;
            }
            let numbers = u64::try_from(size).unwrap()..u64::try_from(*signed).unwrap();
            assert!(append(&running.shared.store, numbers.map(entry).collect()).await);
            size = *signed;
            running.is_sound(size).await;
        }
        running.end().await;
        log
    }

    pub(crate) async fn of_a_thousand(engine: Engine) -> Self {
        Self::signed_at(engine, &[90, 256, 300, 513, 700, 768, 990, 1_000]).await
    }

    /// A signer with the log's head file.
    pub(crate) async fn start(&self) -> Running {
        Running::start(self.database.open().await, self.head.clone())
    }

    /// How a start finds the log.
    pub(crate) async fn found(&self) -> Standing {
        let fresh = self.start().await;
        let found = fresh
            .until("a start", |standing| *standing != Standing::Checking)
            .await;
        fresh.die().await;
        found
    }

    pub(crate) async fn hands(&self) -> Hands {
        Hands::of(&self.database).await
    }
}

/// An attacker who may do anything to the database and the head file.
pub(crate) struct Hands {
    connection: AnyConnection,
    engine: Engine,
    pub(crate) head: PathBuf,
}

impl Hands {
    pub(crate) async fn of(database: &Database) -> Self {
        let is_server = database.url.starts_with("postgres");
        Self {
            connection: database.direct().await,
            engine: if is_server {
                Engine::Postgres
            } else {
                Engine::Sqlite
            },
            head: database.folder.path().join("countersign-log.head"),
        }
    }

    pub(crate) async fn run(&mut self, sql: impl Into<String>) {
        let sql = sql.into();
        let done = self.connection.execute(AssertSqlSafe(sql.clone())).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    pub(crate) async fn number(&mut self, sql: impl Into<String>) -> i64 {
        let row = self.connection.fetch_one(AssertSqlSafe(sql.into())).await;
        row.unwrap().get(0)
    }

    pub(crate) async fn bytes(&mut self, sql: impl Into<String>) -> Vec<u8> {
        let row = self.connection.fetch_one(AssertSqlSafe(sql.into())).await;
        row.unwrap().get(0)
    }

    pub(crate) async fn text(&mut self, sql: impl Into<String>) -> String {
        let row = self.connection.fetch_one(AssertSqlSafe(sql.into())).await;
        row.unwrap().get(0)
    }

    /// Bytes as this database writes them.
    pub(crate) fn literal(&self, bytes: &[u8]) -> String {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self.engine {
            Engine::Sqlite => format!("x'{digits}'"),
            Engine::Postgres => format!("'\\x{digits}'::bytea"),
        }
    }

    /// Nothing of the log is append-only any more, and a copy of it lies aside.
    pub(crate) async fn unlock(&mut self) {
        for table in TABLES {
            if self.engine == Engine::Postgres {
                self.run(format!("ALTER TABLE {table} DISABLE TRIGGER ALL"))
                    .await;
            }
            self.run(format!(
                "CREATE TABLE kept_{table} AS SELECT * FROM {table}"
            ))
            .await;
        }
        if self.engine == Engine::Postgres {
            for (table, trigger) in DERIVING {
                self.run(format!("ALTER TABLE {table} ENABLE TRIGGER {trigger}"))
                    .await;
            }
        }
        if self.engine == Engine::Sqlite {
            let names =
                "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name LIKE 'ledger%'";
            let rows = self.connection.fetch_all(names).await.unwrap();
            for row in rows {
                let name: String = row.get(0);
                if DERIVING.iter().all(|(_, deriving)| *deriving != name) {
                    self.run(format!("DROP TRIGGER {name}")).await;
                }
            }
        }
        std::fs::copy(&self.head, self.head.with_extension("kept")).unwrap();
    }

    /// Everything is as it was when it was unlocked.
    pub(crate) async fn undo(&mut self) {
        self.begin().await;
        for table in TABLES {
            self.run(format!("DELETE FROM {table}")).await;
            self.run(format!("INSERT INTO {table} SELECT * FROM kept_{table}"))
                .await;
        }
        self.run("COMMIT").await;
        std::fs::copy(self.head.with_extension("kept"), &self.head).unwrap();
    }

    pub(crate) async fn begin(&mut self) {
        let begin = match self.engine {
            Engine::Sqlite => "BEGIN IMMEDIATE",
            Engine::Postgres => "BEGIN",
        };
        self.run(begin).await;
    }

    /// One bit of a value is another.
    pub(crate) async fn flip(&mut self, table: &str, column: &str, which: &str, bit: usize) {
        let mut bytes = self
            .bytes(format!("SELECT {column} FROM {table} WHERE {which}"))
            .await;
        let at = bit / 8 % bytes.len();
        bytes[at] ^= 1 << (bit % 8);
        let value = self.literal(&bytes);
        self.run(format!(
            "UPDATE {table} SET {column} = {value} WHERE {which}"
        ))
        .await;
    }

    pub(crate) async fn cut(&mut self, table: &str, which: &str) {
        self.run(format!("DELETE FROM {table} WHERE {which}")).await;
    }

    /// The tiles follow from the entries, whatever these are.
    pub(crate) async fn retile(&mut self) {
        for n in 0_i64..3 {
            let leaves = format!(
                "SELECT leaf FROM ledger_entry WHERE seq > {} AND seq <= {} ORDER BY seq",
                n * 256,
                n * 256 + 256
            );
            let rows = self
                .connection
                .fetch_all(AssertSqlSafe(leaves))
                .await
                .unwrap();
            let hashes: Vec<u8> = rows
                .iter()
                .flat_map(|row| row.get::<Vec<u8>, _>(0))
                .collect();
            let root = spelling::tile_root(&hashes).unwrap();
            let (hashes, root) = (self.literal(&hashes), self.literal(&root));
            self.run(format!(
                "UPDATE ledger_tile SET hashes = {hashes}, root = {root} WHERE level = 0 AND n = {n}"
            ))
            .await;
        }
    }

    /// Writes a row that is well-formed: all that it needs are keys.
    pub(crate) async fn forge(&mut self, seq: i64, entry: &Entry, keys: &Keys) {
        let spelled = spell(entry, seq, &keys.sealer(), || [9; SALT_LENGTH]);
        self.put(seq, &spelled.body).await;
        for aside in &spelled.asides {
            let (name, salt) = (&aside.name, self.literal(&aside.salt));
            let value = aside.value.replace('\'', "''");
            self.run(format!(
                "INSERT INTO ledger_private (seq, name, salt, value) VALUES ({seq}, '{name}', {salt}, '{value}')"
            ))
            .await;
        }
        for word in spelling::words(&spelled.body, &spelled.asides) {
            self.run(format!(
                "INSERT INTO ledger_word (word, seq) VALUES ('{word}', {seq})"
            ))
            .await;
        }
    }

    /// Appends many small entries in one transaction.
    pub(crate) async fn append_many(&mut self, count: i64, keys: &Keys) {
        let entry = Entry::new(
            Clock::system().now(),
            Action::StagePassed,
            Actor::Countersign,
        );
        let sealer = keys.sealer();
        self.begin().await;
        let first = self.number("SELECT size FROM ledger_head").await + 1;
        for seq in first..first + count {
            let body = spell(&entry, seq, &sealer, || [9; SALT_LENGTH]).body;
            let insert = "INSERT INTO ledger_entry (seq, at, action, outcome, about, body, leaf)
                VALUES ($1, $2, 'stage.passed', 'succeeded', '|||stage.passed', $3, $4)";
            sqlx::query(insert)
                .bind(seq)
                .bind(entry.at.as_microsecond())
                .bind(body.as_slice())
                .bind(spelling::leaf(&body).to_vec())
                .execute(&mut self.connection)
                .await
                .unwrap();
        }
        self.run(
            "INSERT INTO ledger_about (about, action, outcome)
             VALUES ('|||stage.passed', 'stage.passed', 'succeeded') ON CONFLICT (about) DO NOTHING",
        )
        .await;
        self.count(count, entry.at).await;
        self.run("COMMIT").await;
    }

    /// Counts entries of this time, as the service does.
    async fn count(&mut self, count: i64, at: Timestamp) {
        let at = at.as_microsecond();
        self.run(format!(
            "UPDATE ledger_head SET size = size + {count},
                slip = CASE WHEN latest - {at} > slip THEN latest - {at} ELSE slip END,
                latest = CASE WHEN latest < {at} THEN {at} ELSE latest END"
        ))
        .await;
    }

    /// Writes a row whose columns and leaf follow from its bytes.
    pub(crate) async fn put(&mut self, seq: i64, body: &[u8]) {
        let facets = spelling::Seen::read(body).unwrap().facets;
        let text = |text: &Option<String>| {
            text.as_ref()
                .map_or_else(|| "NULL".to_owned(), |text| format!("'{text}'"))
        };
        let request = facets
            .request
            .map_or_else(|| "NULL".to_owned(), |request| request.to_string());
        let (bytes, leaf) = (self.literal(body), self.literal(&spelling::leaf(body)));
        let about = facets.about();
        self.run(format!(
            "INSERT INTO ledger_about (about, service, environment, person, action, outcome)
             VALUES ('{about}', {}, {}, {}, '{}', '{}') ON CONFLICT (about) DO NOTHING",
            text(&facets.service),
            text(&facets.environment),
            text(&facets.person),
            facets.action,
            facets.outcome,
        ))
        .await;
        self.run(format!(
            "INSERT INTO ledger_entry (seq, at, action, outcome, service, environment, person, sha, request, about, body, leaf)
             VALUES ({seq}, {}, '{}', '{}', {}, {}, {}, {}, {request}, '{about}', {bytes}, {leaf})",
            facets.at.as_microsecond(),
            facets.action,
            facets.outcome,
            text(&facets.service),
            text(&facets.environment),
            text(&facets.person),
            text(&facets.sha),
        ))
        .await;
    }

    /// Erases private values, all of an entry's or one of them, and says so, in one transaction.
    pub(crate) async fn erase(&mut self, what: &[(i64, Option<&str>)]) -> i64 {
        self.begin().await;
        let at = Clock::system().now();
        self.count(1, at).await;
        let seq = self.number("SELECT size FROM ledger_head").await;
        let mut erased = Vec::new();
        for (of, name) in what {
            let names = format!("SELECT name FROM ledger_private WHERE seq = {of} ORDER BY name");
            let rows = self
                .connection
                .fetch_all(AssertSqlSafe(names))
                .await
                .unwrap();
            for row in rows {
                let found: String = row.get(0);
                if name.is_none_or(|name| name == found) {
                    self.run(format!(
                        "DELETE FROM ledger_private WHERE seq = {of} AND name = '{found}'"
                    ))
                    .await;
                    let of = u64::try_from(*of).unwrap();
                    erased.push(Detail::from([("seq", of.into()), ("name", found.into())]));
                }
            }
            self.reword(*of).await;
        }
        let entry = Entry::new(at, Action::PrivateErased, Actor::Countersign)
            .with("erased", erased.into_iter().collect::<Detail>());
        self.forge(seq, &entry, &keys()).await;
        self.run("COMMIT").await;
        seq
    }

    /// An entry is found by exactly the words that it still has.
    async fn reword(&mut self, seq: i64) {
        let body = self
            .bytes(format!("SELECT body FROM ledger_entry WHERE seq = {seq}"))
            .await;
        let asides = format!("SELECT name, salt, value FROM ledger_private WHERE seq = {seq}");
        let rows = self
            .connection
            .fetch_all(AssertSqlSafe(asides))
            .await
            .unwrap();
        let asides: Vec<_> = rows
            .iter()
            .map(|row| spelling::Aside {
                name: row.get(0),
                salt: row.get(1),
                value: row.get(2),
            })
            .collect();
        self.run(format!("DELETE FROM ledger_word WHERE seq = {seq}"))
            .await;
        for word in spelling::words(&body, &asides) {
            self.run(format!(
                "INSERT INTO ledger_word (word, seq) VALUES ('{word}', {seq})"
            ))
            .await;
        }
    }
}
