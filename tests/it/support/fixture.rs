//! Fixtures: a database as a program of before left it, with the forge and the chats that it spoke to, written
//! down as text and brought back to life.

use std::path::PathBuf;
use std::process::Command;

use countersign::domain::Forge;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _, Row as _};

use super::world::{ANSWERS_WITHIN, Beginning};
use super::{Database, Engine, World};

/// What a database alone does not hold.
#[derive(Serialize, Deserialize)]
pub(crate) struct Around {
    /// What the clock says.
    at: Timestamp,
    /// The file beside the database that holds the last signed head.
    head: String,
    /// What the maker of the fixture wants to know again.
    pub(crate) story: Value,
    github: Value,
    discord: Value,
    slack: Value,
}

/// Where what a version left is kept.
fn path(version: &str, file: &str) -> PathBuf {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests");
    tests.join("data/upgrade").join(version).join(file)
}

fn name(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "sqlite",
        Engine::Postgres => "postgres",
    }
}

impl World {
    /// Writes everything down. No crew may be at work.
    pub(crate) async fn keep(&self, (version, engine): (&str, Engine), story: Value) {
        let talk = self.talk();
        let around = Around {
            at: self.shared.clock.now(),
            head: std::fs::read_to_string(&self.desk.head).unwrap(),
            story,
            github: self.github.memory(),
            discord: talk.discord.memory(),
            slack: talk.slack.memory(),
        };
        let around = serde_json::to_string_pretty(&around).unwrap();
        let sql = match engine {
            Engine::Sqlite => of_sqlite(&self.database).await,
            Engine::Postgres => of_postgres(&self.database),
        };
        let file = |ending: &str| path(version, &format!("{}.{ending}", name(engine)));
        std::fs::create_dir_all(path(version, "")).unwrap();
        std::fs::write(file("json"), around + "\n").unwrap();
        std::fs::write(file("sql"), legible(&sql, engine)).unwrap();
    }

    /// The world that was written down, in which no crew works yet; and what was told of it.
    pub(crate) async fn kept((version, engine): (&str, Engine), services: &str) -> (Self, Value) {
        let file = |ending: &str| {
            let path = path(version, &format!("{}.{ending}", name(engine)));
            std::fs::read_to_string(path).unwrap()
        };
        let around: Around = serde_json::from_str(&file("json")).unwrap();
        let database = Database::fresh(engine).await;
        let made = match engine {
            Engine::Sqlite => format!("{}?mode=rwc", database.url),
            Engine::Postgres => database.url.clone(),
        };
        let mut connection = AnyConnection::connect(&made).await.unwrap();
        let restored = connection.execute(AssertSqlSafe(file("sql"))).await;
        restored.unwrap();
        let head = database.folder.path().join("countersign-log.head");
        std::fs::write(head, around.head).unwrap();
        let world = Self::still(Beginning {
            forge: Forge::GitHub,
            database,
            at: around.at,
            services,
            talks: true,
            deadline: ANSWERS_WITHIN,
        })
        .await;
        world.github.remember(around.github).unwrap();
        world.talk().discord.remember(around.discord).unwrap();
        world.talk().slack.remember(around.slack).unwrap();
        world.open_door().await;
        (world, around.story)
    }
}

/// Bytes that are a text stand there as one, so that people see what changes: what was hashed, above all.
fn legible(sql: &str, engine: Engine) -> String {
    let (opening, before, after) = match engine {
        Engine::Sqlite => ("X'", "CAST('", "' AS BLOB)"),
        Engine::Postgres => ("'\\x", "convert_to('", "', 'UTF8')"),
    };
    let mut pieces = sql.split(opening);
    let mut script = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let text = piece.split_once('\'').and_then(|(digits, rest)| {
            let text = String::from_utf8(unhex(digits)?).ok()?;
            let is_plain = !text.is_empty() && !text.chars().any(char::is_control);
            is_plain.then(|| (text.replace('\'', "''"), rest))
        });
        match text {
            Some((text, rest)) => script.extend([before, &text, after, rest]),
            None => script.extend([opening, piece]),
        }
    }
    script
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let digit = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    let is_whole = digits.len().is_multiple_of(2);
    (0..digits.len())
        .step_by(2)
        .map(digit)
        .collect::<Option<_>>()
        .filter(|_| is_whole)
}

async fn texts(connection: &mut AnyConnection, sql: String) -> Vec<String> {
    let rows = connection.fetch_all(AssertSqlSafe(sql)).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Tables, then rows, then what watches over them: triggers would refuse the rows, or write them again.
async fn of_sqlite(database: &Database) -> String {
    let connection = &mut database.direct().await;
    let schema = |what: &str| {
        format!("SELECT sql FROM sqlite_schema WHERE {what} AND sql IS NOT NULL ORDER BY rowid")
    };
    let is_ours = "type = 'table' AND name NOT LIKE 'sqlite_%'";
    let mut script = vec!["BEGIN".to_owned()];
    script.extend(texts(connection, schema(is_ours)).await);
    let names = format!("SELECT name FROM sqlite_schema WHERE {is_ours} ORDER BY name");
    let mut tables = texts(connection, names).await;
    // It appears with the first table that counts by itself.
    tables.push("sqlite_sequence".to_owned());
    for table in tables {
        let columns =
            format!("SELECT 'quote(\"' || name || '\")' FROM pragma_table_info('{table}')");
        let columns = texts(connection, columns).await;
        let values = columns.join(" || ', ' || ");
        let rows = format!(
            "SELECT {values} FROM \"{table}\" ORDER BY {}",
            columns.join(", ")
        );
        // What counts by itself was counted again when the rows came.
        if table == "sqlite_sequence" {
            script.push("DELETE FROM sqlite_sequence".to_owned());
        }
        for row in texts(connection, rows).await {
            script.push(format!("INSERT INTO \"{table}\" VALUES ({row})"));
        }
    }
    script.extend(texts(connection, schema("type IN ('index', 'trigger')")).await);
    script.push("COMMIT".to_owned());
    script.join(";\n") + ";\n"
}

/// What the server's own tool says, without what belongs to a session of that tool.
fn of_postgres(database: &Database) -> String {
    let dumped = Command::new("pg_dump")
        .args(["--inserts", "--no-owner", "--no-privileges", "--dbname"])
        .arg(&database.url)
        .output()
        .expect("pg_dump makes fixtures of PostgreSQL");
    let said = String::from_utf8_lossy(&dumped.stderr);
    assert!(dumped.status.success(), "{said}");
    let dumped = String::from_utf8(dumped.stdout).unwrap();
    let is_of_session = |line: &str| {
        let beginnings = ["\\", "--", "SET ", "SELECT pg_catalog.set_config"];
        line.is_empty() || beginnings.iter().any(|one| line.starts_with(one))
    };
    let mut script = "BEGIN;\n".to_owned();
    // A row may be of several lines, empty ones among them.
    let mut is_in_row = false;
    for line in dumped.lines() {
        let begins = !is_in_row && line.starts_with("INSERT INTO ");
        if is_in_row || begins || !is_of_session(line) {
            script.push_str(line);
            script.push('\n');
        }
        is_in_row = (is_in_row || begins) && !line.ends_with(");");
    }
    script + "COMMIT;\n"
}
