//! The terminal where something is missing: no configuration, no database, no key, an address that is taken. Every
//! command says so, and what it says is pinned whole.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::pinned::Page;
use crate::support::service::{self, Wishes};
use crate::support::{Database, Engine};

/// Every command that needs a database, except those that wait.
const ASKED: [&[&str]; 18] = [
    &["inbox", "list"],
    &["inbox", "retry", "1"],
    &["outbox", "list"],
    &["outbox", "retry", "1"],
    &["people", "list"],
    &["token", "list"],
    &["token", "create", "--name", "x", "--scope", "log"],
    &["audit", "query"],
    &["audit", "show", "1"],
    &[
        "audit",
        "report",
        "--from",
        "2000-01-01",
        "--to",
        "2001-01-01",
    ],
    &["audit", "erase", "--entry", "1", "--reason", "asked"],
    &["audit", "verify"],
    &["audit", "export", "--to", "/dev/null/nowhere"],
    &["audit", "receipt", "#1"],
    &["audit", "proof", "1"],
    &["audit", "key"],
    &["audit", "rotate-key"],
    &["audit", "accept-restore", "--reason", "a test"],
];

fn ran(page: &mut Page, config: &Path, words: &[&str]) {
    page.ran(words, &service::command(config, words).output().unwrap());
}

#[test]
fn without_a_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("bot.toml");
    let mut page = Page::of_terminal("without-a-configuration");
    for words in [
        &["check"][..],
        &["serve"],
        &["doctor"],
        &["outbox", "list"],
        &["audit", "query"],
        &["setup", "gitlab"],
        &["setup", "github"],
        &["deploy"],
        &["audit", "qery"],
    ] {
        ran(&mut page, &config, words);
    }
    page.pin();
}

#[tokio::test]
async fn without_a_database() {
    let database = Database::fresh(Engine::Sqlite).await;
    let config = service::write_config(&database, None, &Wishes::default());
    let mut page = Page::of_terminal("without-a-database");
    for words in ASKED {
        ran(&mut page, &config, words);
    }
    page.pin();
}

#[tokio::test]
async fn with_a_log_that_nobody_has_written_to() {
    let database = Database::fresh(Engine::Sqlite).await;
    database.open().await.close().await;
    let config = service::write_config(&database, None, &Wishes::default());
    let mut page = Page::of_terminal("with-an-empty-log");
    for words in ASKED {
        ran(&mut page, &config, words);
    }
    page.pin();
}

#[tokio::test]
async fn the_service_does_not_start() {
    let database = Database::fresh(Engine::Sqlite).await;
    database.open().await.close().await;
    let config = service::write_config(&database, None, &Wishes::default());
    let good = std::fs::read_to_string(&config).unwrap();
    let key = database.folder.path().join("countersign-log.key");
    let mut page = Page::of_terminal("serve-refused");
    let mut serve = |title: &str, text: &str| {
        std::fs::write(&config, text).unwrap();
        let output = service::command(&config, &["serve"]).output().unwrap();
        page.ran_so(&format!("countersign serve, {title}"), &output);
    };
    let token = "token = { env = \"TEST_TOKEN\" }";
    let pem = "-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----\n";
    std::fs::write(database.folder.path().join("app.pem"), pem).unwrap();
    let app = "app_id = 1\nprivate_key = { file = \"app.pem\" }";
    serve("with a key that is none", &good.replace(token, app));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    serve(
        "on an address that is taken",
        &good.replace("127.0.0.1:0", &address),
    );
    let nowhere = format!("sqlite://{}/nowhere/c.db", database.folder.path().display());
    serve(
        "with a folder that is not there",
        &good.replace(&database.url, &nowhere),
    );
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    serve("with a log key that others may read", &good);
    // A log that has entries gets no other key by accident.
    let made = ["token", "create", "--name", "x", "--scope", "log"];
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&config, &good).unwrap();
    assert!(service::command(&config, &made).status().unwrap().success());
    std::fs::write(&key, "nonsense").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    serve("with a log key that is none", &good);
    std::fs::remove_file(&key).unwrap();
    serve("with a log whose key is gone", &good);
    page.pin();
}

#[test]
fn chats_are_set_up_and_pages_made() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("bot.toml");
    let mut page = Page::of_terminal("setup-chats");
    let public = "https://deploys.example.com";
    for words in [
        &[
            "setup",
            "discord",
            "--application",
            "1000000000000000001",
            "--url",
            public,
        ][..],
        &[
            "setup",
            "discord",
            "--application",
            "1",
            "--url",
            "http://deploys.example.com",
        ],
        &["setup", "discord", "--application", "0", "--url", public],
        &["setup", "slack", "--url", public],
        &["setup", "slack", "--socket"],
        &["setup", "slack", "--socket", "--manifest"],
        &["setup", "slack"],
        &["setup", "slack", "--url", public, "--socket"],
        &["man", "/dev/null/nowhere"],
        &["completions", "cmd"],
    ] {
        ran(&mut page, &config, words);
    }
    page.pin();
}
