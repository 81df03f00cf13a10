//! A token's life: made and revoked at the machine, used over HTTP, and nowhere to be seen.

use std::cell::RefCell;
use std::time::Duration;

use countersign::domain::{Action, Scope};
use countersign::store::ledger as log;
use countersign_ground::digest;
use reqwest::StatusCode;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor as _, Row as _};

use crate::support::doorway::Opened;
use crate::support::pinned::Page;
use crate::support::service::{self, Wishes};
use crate::support::{Database, Engine, Service, eventually, on_both};

on_both!(
    a_token_is_made_used_and_revoked,
    a_token_ends_by_the_clock,
    what_cannot_be_made_is_refused,
);

/// A path that asks for a token before anything else.
const ENTRIES: &str = "/log/tile/entries/000";

async fn a_token_is_made_used_and_revoked(engine: Engine) {
    let database = Database::migrated(engine).await;
    let wishes = Wishes {
        variables: vec![("COUNTERSIGN_LOG", "trace".to_owned())],
        ..Wishes::default()
    };
    let service = Service::start_with(&database, None, &wishes).await;
    let page = RefCell::new(Page::of_terminal("token"));
    let run = |words: &[&str]| {
        let output = service::command(&service.config, words).output().unwrap();
        if !words.contains(&"--json") {
            page.borrow_mut().ran(words, &output);
        }
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    run(&["token", "list"]);
    let made = run(&[
        "token",
        "create",
        "--name",
        "the auditors",
        "--scope",
        "log",
        "--expires",
        "90d",
    ]);
    assert_eq!(made.0, Some(0), "{made:?}");
    let token = made.1.trim();
    assert_eq!(token.len(), 4 + 64);
    assert!(
        token.starts_with("cst_") && !made.2.contains(token),
        "{made:?}"
    );

    let ask = async |token: &str| {
        let request = reqwest::Client::new().get(service.url(ENTRIES));
        request.bearer_auth(token).send().await.unwrap().status()
    };
    // The token is good; the log has no signed head that reaches so far.
    assert_eq!(ask(token).await, StatusCode::NOT_FOUND);
    let other = format!("cst_{}", "0".repeat(64));
    assert_eq!(ask(&other).await, StatusCode::UNAUTHORIZED);
    let listed = eventually("the use is noted", async || {
        let line = run(&["token", "list", "--json"]).1;
        let token: Value = serde_json::from_str(&line).unwrap();
        token["last_used_at"].is_string().then_some(token)
    })
    .await;
    assert_eq!(listed["name"], "the auditors");
    assert_eq!(listed["state"], "in force");
    assert_eq!(listed["scopes"], serde_json::json!(["log"]));
    let shown = run(&["token", "list"]).1;
    assert!(
        shown.contains("the auditors") && !shown.contains(token),
        "{shown}"
    );

    let id = listed["id"].to_string();
    let revoked = run(&["token", "revoke", &id, "--reason", "the audit is over"]);
    assert_eq!(revoked.0, Some(0));
    assert_eq!(ask(token).await, StatusCode::UNAUTHORIZED);
    assert_eq!(run(&["token", "revoke", &id]).0, Some(1));
    assert_eq!(run(&["token", "revoke", "4711"]).0, Some(1));
    run(&["token", "list"]);

    let store = database.open().await;
    for (action, secrets) in [
        (Action::TokenMade, vec!["auditors"]),
        (Action::TokenRevoked, vec!["auditors", "is over"]),
    ] {
        let entry = log::latest(&store, action).await.unwrap().unwrap();
        assert_eq!(entry.person.as_deref(), Some("operator"));
        let body = String::from_utf8(entry.body).unwrap();
        assert!(body.contains(&format!("\"token\":\"{id}\"")), "{body}");
        let aside = log::asides(&store, entry.seq, entry.seq).await.unwrap();
        let aside: String = aside.iter().map(|kept| kept.aside.value.as_str()).collect();
        for secret in secrets {
            assert!(
                !body.contains(secret) && aside.contains(secret),
                "{body} {aside}"
            );
        }
    }

    let everything = dump(&database).await;
    let holds = |place: &str, text: &str| {
        place.contains(text) || place.contains(&digest::hex(text.as_bytes()))
    };
    assert!(holds(&everything, "the auditors") && holds(&everything, "the audit is over"));
    let log = service.log().join("\n");
    assert!(log.contains("answered"), "nothing was logged");
    for place in [&everything, &log] {
        assert!(!holds(place, &token[4..]), "the token is kept");
    }
    assert_eq!(service.stop().await, 0);
    page.into_inner().pin();
}

async fn a_token_ends_by_the_clock(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    let opened = Opened::new(&store);
    let token = opened.token(&[Scope::Log], Some(60)).await;
    let other = opened.token(&[Scope::Audit], None).await;
    let status = async |token: &str| opened.get(ENTRIES, token).await.status();
    assert_eq!(status(&token).await, StatusCode::NOT_FOUND);
    assert_eq!(status(&other).await, StatusCode::FORBIDDEN);
    let used = async || {
        database
            .number("SELECT COALESCE(MAX(last_used_at), 0) FROM api_token WHERE scopes = 'audit'")
            .await
    };
    let start = opened.clock.now().as_microsecond();
    eventually("the use is noted", async || {
        (used().await == start).then_some(())
    })
    .await;
    opened.hand.advance(Duration::from_secs(59));
    assert_eq!(status(&token).await, StatusCode::NOT_FOUND);
    assert_eq!(status(&other).await, StatusCode::FORBIDDEN);
    opened.hand.advance(Duration::from_secs(1));
    assert_eq!(status(&token).await, StatusCode::UNAUTHORIZED);
    assert_eq!(used().await, start, "noted more than once a minute");
    assert_eq!(status(&other).await, StatusCode::FORBIDDEN);
    let later = start + 60_000_000;
    eventually("the use is noted again", async || {
        (used().await == later).then_some(())
    })
    .await;
}

async fn what_cannot_be_made_is_refused(engine: Engine) {
    let database = Database::migrated(engine).await;
    database.open().await.close().await;
    let config = service::write_config(&database, None, &Wishes::default());
    let mut page = Page::of_terminal("token-refused");
    for words in [
        &["--name", "x"][..],
        &["--scope", "log"],
        &["--name", " ", "--scope", "log"],
        &["--name", "a\nb", "--scope", "log"],
        &["--name", "x", "--scope", "admin"],
        &["--name", "x", "--scope", "log", "--expires", "0d"],
        &["--name", "x", "--scope", "log", "--expires", "soon"],
    ] {
        let words = [&["token", "create"], words].concat();
        let output = service::command(&config, &words).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        page.ran(&words, &output);
    }
    // Without the log's key nothing can be recorded, so nothing is made.
    std::fs::remove_file(database.folder.path().join("countersign-log.key")).unwrap();
    let words = ["token", "create", "--name", "x", "--scope", "log"];
    let output = service::command(&config, &words).output().unwrap();
    page.ran_so("countersign token create, without the log's key", &output);
    page.pin();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    assert_eq!(database.number("SELECT COUNT(*) FROM api_token").await, 0);
}

/// All text and bytes that the database holds; bytes as hex.
async fn dump(database: &Database) -> String {
    let columns = if database.url.starts_with("postgres") {
        "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns
            WHERE table_schema = 'public' AND data_type IN ('text', 'bytea')"
    } else {
        "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
            WHERE m.type = 'table' AND c.type IN ('TEXT', 'BLOB')"
    };
    let mut connection = database.direct().await;
    let rows = connection
        .fetch_all(AssertSqlSafe(columns.to_owned()))
        .await
        .unwrap();
    let mut found = String::new();
    for row in rows {
        let (table, column): (String, String) = (row.get(0), row.get(1));
        let sql = if database.url.starts_with("postgres") {
            format!(
                "SELECT COALESCE(string_agg(CAST({table}.{column} AS TEXT), ' '), '') FROM {table}"
            )
        } else {
            format!(
                "SELECT lower(COALESCE(group_concat(hex({table}.{column}), ' '), '')) FROM {table}"
            )
        };
        let row = connection.fetch_one(AssertSqlSafe(sql)).await.unwrap();
        found.push_str(&row.get::<String, _>(0));
        found.push('\n');
    }
    found
}
