//! What forges, chats and people outside say is shown to operators as text, whatever it holds.

use std::path::Path;
use std::process::Output;

use countersign::domain::{Account, Change, Chat, Forge, Speaker};
use countersign::store::state;
use countersign_sandbox::github::{GitHub, Trouble};
use sqlx::Executor as _;

use crate::leases::{now, plan};
use crate::support::service::{TOKEN, Wishes, command, write_config};
use crate::support::{Database, Engine, on_both};

on_both!(nothing_from_outside_moves_the_cursor_of_an_operator);

/// Clears a screen in both ways, hides, turns and overwrites.
const EVIL: &str = "evil\u{1b}[2J\u{9b}8m\u{202e}\u{7f}\rok      all";

#[track_caller]
fn is_harmless(what: &str, output: &Output) {
    for bytes in [&output.stdout, &output.stderr] {
        let text = std::str::from_utf8(bytes).unwrap();
        let is_bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        let bad = text.lines().find(|line| line.contains(is_bad));
        assert_eq!(bad, None, "{what}");
    }
}

async fn nothing_from_outside_moves_the_cursor_of_an_operator(engine: Engine) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    plan(&store, 0..1).await;
    store
        .unit(|tx| {
            Box::pin(async move {
                let speaker = Speaker {
                    chat: Chat::Discord,
                    tenant: "90".to_owned(),
                    user: "5".to_owned(),
                    name: EVIL.to_owned(),
                };
                let account = Account {
                    forge: Forge::GitHub,
                    id: 5,
                    login: EVIL.to_owned(),
                };
                let link = Change::Link { speaker, account };
                state::apply(tx, &link, now()).await
            })
        })
        .await
        .unwrap();
    let connection = &mut database.direct().await;
    let park = "UPDATE outbox SET state = 'parked', problem = $1";
    let park = sqlx::query(park).bind(EVIL);
    connection.execute(park).await.unwrap();
    let set_aside = "INSERT INTO inbox (source, delivery, event, lane, size, body, received_at, handled_at, outcome, problem)
        VALUES ('github', 'bad', $1, 'github/9', 0, '', 1, 1, 'parked', $1)";
    let set_aside = sqlx::query(set_aside).bind(EVIL);
    connection.execute(set_aside).await.unwrap();

    let github = GitHub::start(TOKEN).await.unwrap();
    for _ in 0..20 {
        let refusal = Trouble::Refuse {
            status: 403,
            headers: Vec::new(),
            message: EVIL,
        };
        github.expect_trouble_at("GET", "/", refusal);
    }
    let config = write_config(&database, Some(&github), &Wishes::default());
    for words in [
        &["outbox", "list"][..],
        &["outbox", "list", "--json"],
        &["inbox", "list"],
        &["inbox", "list", "--json"],
        &["people", "list"],
        &["people", "list", "--json"],
        &["doctor"],
        &["doctor", "--json"],
    ] {
        let what = words.join(" ");
        let output = run(&config, words);
        is_harmless(&what, &output);
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains("evil"), "{what}: {said}");
        if words.contains(&"--json") {
            for line in said.lines().filter(|_| words[0] != "doctor") {
                let read: serde_json::Value = serde_json::from_str(line).unwrap();
                assert!(read.to_string().contains("evil"), "{line}");
            }
        }
    }
}

fn run(config: &Path, words: &[&str]) -> Output {
    command(config, words).output().unwrap()
}
