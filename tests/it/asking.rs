//! Questions to the audit log: auditors ask in a comment, operators at the machine.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use countersign::domain::{Account, Action, Actor, Detail, Entry, Forge};
use countersign::store::{Store, ledger};
use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::pinned::Page;
use crate::support::service::{self, Wishes};
use crate::support::world::{PLAIN, plain_with};
use crate::support::{Database, Engine, Setting, World, eventually, on_both, on_both_forges};

on_both_forges!(
    an_auditor_sees_what_happened_to_the_services_of_the_repository,
    others_are_refused_and_that_is_recorded,
    mistakes_in_filters_are_answered_with_a_way_out,
);

// Asked at the machine, where the forge has no part.
on_both!(
    entries_are_printed_as_a_table_as_json_and_as_a_sheet,
    one_entry_is_shown_with_its_evidence,
    new_entries_are_followed_until_told_to_stop,
);

const EVIL: &str = "@everyone | `x` [free](https://evil.example) # big";

/// The plain service, with quinn for an auditor.
fn audited() -> String {
    let auditor = "[roles.auditor]\ngithub_users = [\"quinn\"]\n[roles.qa]";
    plain_with(&[("[roles.qa]", auditor)])
}

async fn append(store: &Store, entry: Entry) -> i64 {
    store
        .unit(move |tx| {
            let entry = entry.clone();
            Box::pin(async move { ledger::append(tx, &entry).await })
        })
        .await
        .unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn ann() -> Actor {
    Actor::from(&Account {
        forge: Forge::GitHub,
        id: 7,
        login: "ann".to_owned(),
    })
}

async fn an_auditor_sees_what_happened_to_the_services_of_the_repository(setting: Setting) {
    let world = World::start(setting, &audited()).await;
    let (pull_request, sha) = world.live("feature").await;
    let elsewhere = Entry::new(at("2026-01-01T00:00:00Z"), Action::Answered, ann())
        .with("service", "elsewhere")
        .with_private("reason", "a secret of others");
    append(&world.store, elsewhere).await;
    for _ in 0..3 {
        let passed = Entry::new(
            world.shared.clock.now(),
            Action::StagePassed,
            Actor::Countersign,
        );
        append(&world.store, passed.with("service", "shop")).await;
    }
    let lock = format!("/lock prod --reason '{EVIL}'");
    world.say("ann", pull_request, &lock).await.expect("Locked");

    let before = world.recorded("command.received").await;
    let said = world.say("quinn", pull_request, "/audit").await;
    said.expect("| `locked` | `shop` | `prod` | `ann` |");
    said.expect("`@everyone \\| 'x' [free](https://evil.example) # big`");
    said.expect(&format!("`{}`", &sha[..10]));
    said.never("elsewhere");
    said.never("secret");
    let rows = said.answer().lines().filter(|line| line.contains("`shop`"));
    assert_eq!(rows.count(), 10);
    said.expect("The newest 10; there are more.");

    let ask = "/audit action=requested who=ann since=1d #1";
    let said = world.say("quinn", pull_request, ask).await;
    said.expect("`requested`");
    said.never("`locked`");
    let said = world.say("quinn", pull_request, "/audit everyo").await;
    said.expect("`locked`");
    let said = world
        .say("quinn", pull_request, "/audit who:bob action:locked")
        .await;
    said.expect("No entry about the services of this repository matches.");
    assert_eq!(world.recorded("refused").await, 0);
    assert_eq!(world.recorded("command.received").await, before + 4);
    world.is_as_described();
}

async fn others_are_refused_and_that_is_recorded(setting: Setting) {
    let world = World::start(setting, &audited()).await;
    let (pull_request, _) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "/audit").await;
    said.expect("`ann` does not have the role that may search the audit log");
    said.expect("It is for `auditor` (`quinn`).");
    assert_eq!(world.recorded("refused").await, 1);
    world.reconfigure(PLAIN).await;
    let said = world.say("quinn", pull_request, "/audit").await;
    said.expect("no role `auditor` is configured");
    said.expect("Whoever runs Countersign can add");
    assert_eq!(world.recorded("refused").await, 2);
    assert_eq!(world.recorded("command.received").await, 2);
    world.is_as_described();
}

async fn mistakes_in_filters_are_answered_with_a_way_out(setting: Setting) {
    let world = World::start(setting, &audited()).await;
    let (pull_request, _) = world.ready("feature").await;
    for (command, expect) in [
        ("/audit servce=shop", "did you mean `service`?"),
        ("/audit action=approve", "did you mean `approved`?"),
        (
            "/audit service=elsewhere",
            "no service here is called `elsewhere`",
        ),
        ("/audit sha=main", "is not the beginning of a commit's id"),
    ] {
        let said = world.say("quinn", pull_request, command).await;
        said.expect(expect);
    }
    assert_eq!(world.recorded("refused").await, 4);
}

/// Runs the real program, and pins what it says.
fn pinned(page: &mut Page, database: &Database, words: &[&str]) {
    let words = [&["audit"], words].concat();
    let config = service::write_config(database, None, &Wishes::default());
    page.ran(&words, &service::command(&config, &words).output().unwrap());
}

/// Runs the real program; what it printed, where to, and how it ended.
fn audit(database: &Database, words: &[&str]) -> (String, String, i32) {
    let config = service::write_config(database, None, &Wishes::default());
    let output = service::command(&config, &[&["audit"], words].concat())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    (text(output.stdout), text(output.stderr), code)
}

async fn with_entries(engine: Engine) -> (Database, Store) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    let evidence = Detail::from([
        ("commits", ["ab", "cd"].into_iter().collect()),
        ("titles", Detail::private("a title")),
    ]);
    let refused = Entry::new(at("2026-01-31T14:30:00.5Z"), Action::Refused, ann())
        .with("service", "shop")
        .with("environment", "prod")
        .with("sha", "0123456789abcdef0123456789abcdef01234567")
        .with("request", 42)
        .with("evidence", evidence)
        .with_private("why", "=cmd, \u{1b}[31mred");
    append(&store, refused).await;
    let started = Entry::new(
        at("2026-01-31T14:31:00Z"),
        Action::Started,
        Actor::Countersign,
    )
    .with("service", "billing");
    append(&store, started).await;
    (database, store)
}

async fn entries_are_printed_as_a_table_as_json_and_as_a_sheet(engine: Engine) {
    let (database, store) = with_entries(engine).await;
    let mut page = Page::of_terminal("audit-query");
    pinned(&mut page, &database, &["query"]);

    let by_shop = [
        "query",
        "--who",
        "ANN",
        "--sha",
        "0123",
        "--from",
        "2026-01-31",
    ];
    let (out, _, _) = audit(&database, &[&by_shop[..], &["--output", "ndjson"]].concat());
    let entry: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(entry["seq"], 2);
    assert_eq!(entry["detail"]["why"], "=cmd, \u{1b}[31mred");
    assert!(!out.trim_end().contains(char::is_control), "{out:?}");
    let (out, _, _) = audit(&database, &["query", "--output", "json", "--all"]);
    let list: Vec<Value> = serde_json::from_str(&out).unwrap();
    let numbers: Vec<_> = list
        .iter()
        .map(|entry| entry["seq"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers, [3, 2, 1]);
    let (out, _, _) = audit(
        &database,
        &["query", "--output", "json", "--text", "nothing"],
    );
    assert_eq!(out, "[]\n");

    let (out, _, _) = audit(&database, &["query", "--output", "csv", "--request", "42"]);
    assert_eq!(
        out,
        "number,time,action,outcome,service,environment,who,person,sha,request,why\r\n\
         2,2026-01-31T14:30:00.5Z,refused,refused,shop,prod,ann,github:7,0123456789abcdef0123456789abcdef01234567,42,\"'=cmd,  [31mred\"\r\n"
    );

    for words in [
        &["--limit", "1"][..],
        &["--before", "3", "--limit", "5"],
        &["--service", "nothing"],
        &["--action", "refuse"],
        &["--outcome", "good"],
        &["--since", "yesterday"],
        &["--sha", "main"],
        &["--text", "?!"],
        &["--limit", "many"],
    ] {
        pinned(&mut page, &database, &[&["query"], words].concat());
    }

    // What was erased is said to be.
    let mut past = database.direct().await;
    sqlx::query("DELETE FROM ledger_private WHERE name = 'why'")
        .execute(&mut past)
        .await
        .unwrap();
    let (out, _, _) = audit(
        &database,
        &["query", "--output", "ndjson", "--action", "refused"],
    );
    let entry: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(entry["erased"], serde_json::json!(["why"]));
    pinned(&mut page, &database, &["show", "2"]);
    page.pin();
    drop(store);
}

async fn one_entry_is_shown_with_its_evidence(engine: Engine) {
    let (database, store) = with_entries(engine).await;
    let mut page = Page::of_terminal("audit-show");
    for seq in ["1", "2", "3", "9", "0", "two"] {
        pinned(&mut page, &database, &["show", seq]);
    }
    page.pin();
    drop(store);
}

async fn new_entries_are_followed_until_told_to_stop(engine: Engine) {
    let (database, store) = with_entries(engine).await;
    let config = service::write_config(&database, None, &Wishes::default());
    let words = ["audit", "follow", "--service", "shop", "--output", "ndjson"];
    let mut child = service::command(&config, &words)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let reader = BufReader::new(child.stdout.take().unwrap());
    let kept = Arc::clone(&lines);
    let thread = std::thread::spawn(move || {
        for line in reader.lines() {
            let entry: Value = serde_json::from_str(&line.unwrap()).unwrap();
            kept.lock().unwrap().push(entry["seq"].as_i64().unwrap());
        }
    });
    let seen = async |expect: &[i64]| {
        eventually("the entries are printed", async || {
            (*lines.lock().unwrap() == expect).then_some(())
        })
        .await;
    };
    seen(&[2]).await;
    for service in ["shop", "billing", "shop"] {
        let entry = Entry::new(
            at("2026-02-01T00:00:00Z"),
            Action::Started,
            Actor::Countersign,
        );
        append(&store, entry.with("service", service)).await;
    }
    seen(&[2, 4, 6]).await;
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    thread.join().unwrap();
}
