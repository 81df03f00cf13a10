//! Evidence for auditors: reports that agree with the log, and erasure that leaves its proofs as they were.

use std::path::PathBuf;
use std::process::Output;

use countersign::engine::signer::survey;
use countersign::store::ledger;
use countersign_ledger::{Edge, PublicKeys, Verifier, leaf};
use serde_json::Value;

use crate::support::database::keys;
use crate::support::pinned::Page;
use crate::support::service::{Wishes, command, write_config};
use crate::support::world::{TWO, plain_with};
use crate::support::{Engine, Setting, World, eventually, on_both, on_both_forges};

on_both_forges!(
    a_report_agrees_with_the_log,
    an_erased_person_is_gone_and_the_tree_stays,
);

// In these the forge has no part.
on_both!(
    a_report_of_a_quiet_period_says_so,
    one_part_of_an_entry_is_erased,
    so_many_records_that_one_entry_could_not_hold_them,
);

/// The configuration and the log's key beside the database, as a service would have left them.
fn at_the_machine(world: &World) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;

    let key = world.database.folder.path().join("countersign-log.key");
    std::fs::write(&key, keys().spelled()).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    write_config(&world.database, None, &Wishes::default())
}

async fn output(world: &World, words: &[&str]) -> Output {
    let mut command = command(&at_the_machine(world), words);
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

/// Runs a command, and pins what it says.
async fn pinned(page: &mut Page, world: &World, words: &[&str]) {
    page.ran(words, &output(world, words).await);
}

/// What an operator reads after a command that goes well.
pub(crate) async fn run(world: &World, words: &[&str]) -> String {
    let output = output(world, words).await;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

async fn report(world: &World, more: &[&str]) -> String {
    let period = [
        "audit",
        "report",
        "--from",
        "2000-01-01",
        "--to",
        "2200-01-01",
    ];
    run(world, &[&period, more].concat()).await
}

async fn rows(world: &World) -> Vec<Vec<String>> {
    let text = report(world, &["--output", "csv"]).await;
    text.lines()
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect()
}

async fn recorded(world: &World, action: &str) -> i64 {
    i64::try_from(world.recorded(action).await).unwrap()
}

async fn a_report_agrees_with_the_log(setting: Setting) {
    let world = World::start(setting, &plain_with(&[TWO])).await;
    // One that goes well, one that fails and is asked for again, one that is still open.
    let (pull_request, first) = world.ready("first").await;
    world.say("bob", pull_request, "/deploy prod").await;
    world.say("ann", pull_request, "/deploy prod").await;
    world.say("dora", pull_request, "/approve").await;
    world.pass(60).await;
    world.finish("in_progress").await;
    world.finish("success").await;
    world.push("<script>alert(1)</script>").await;
    let (pull_request, second) = world.ready("second").await;
    world.say("dora", pull_request, "/deploy prod").await;
    world.say("ann", pull_request, "/approve").await;
    world.finish("failure").await;
    world.say("ann", pull_request, "/retry #2").await;
    world.say("dora", pull_request, "/approve").await;
    // A person goes round us.
    let third = world.push("third").await;
    world.deploy(&third, "production").await;
    world.settle().await;

    let rows = rows(&world).await;
    let triggered = recorded(&world, "triggered").await;
    assert_eq!(triggered, 3);
    assert_eq!(i64::try_from(rows.len()).unwrap(), triggered + 1);
    let column = |name: &str| rows[0].iter().position(|title| title == name).unwrap();
    let of = |name: &str| -> Vec<&str> {
        let column = column(name);
        rows[1..].iter().map(|row| row[column].as_str()).collect()
    };
    assert_eq!(of("request"), ["1", "2", "3"]);
    assert_eq!(of("sha"), [first.as_str(), &second, &second]);
    assert_eq!(of("kind"), ["deploy", "deploy", "retry of #2"]);
    assert_eq!(of("requester"), ["ann", "dora", "ann"]);
    assert_eq!(of("self_approved"), ["yes", "yes", "yes"]);
    assert_eq!(of("end"), ["succeeded", "failed", "still open"]);
    assert!(of("started_at")[0] > of("triggered_at")[0]);
    let row = &rows[1].join(",");
    for part in [
        "dora (github:7) as deployer (named in role deployer as dora)",
        "check:build: build success",
    ] {
        assert!(row.contains(&world.read_as(part)), "no {part:?} in {row}");
    }

    let size = signed(&world).await;
    let mut page = Page::of_terminal(&format!("audit-report-{}", world.forge.prefix()));
    let period = ["--from", "2000-01-01", "--to", "2200-01-01"];
    for more in [&[][..], &["--service", "billing"]] {
        let words = [&["audit", "report"], &period[..], more].concat();
        pinned(&mut page, &world, &words).await;
    }
    page.pin();
    assert!(recorded(&world, "refused").await > 0);
    assert_eq!(recorded(&world, "production.unexplained").await, 1);

    let page = report(&world, &["--output", "html"]).await;
    let says = |text: &str| assert!(page.contains(text), "no {text:?} in\n{page}");
    says(&format!(
        "The signed head of {size} entries covers all of them"
    ));
    says("&lt;script&gt;alert(1)&lt;/script&gt;");
    says("default-src 'none'");
    assert!(!page.contains("<script"));
    assert!(!page.contains("http-equiv=\"refresh\""));
}

async fn a_report_of_a_quiet_period_says_so(engine: Engine) {
    let world = World::plain(engine).await;
    world.live("feature").await;
    let quiet = [
        "audit",
        "report",
        "--from",
        "2000-01-01",
        "--to",
        "2000-12-31",
    ];
    let mut page = Page::of_terminal("audit-report-quiet");
    pinned(&mut page, &world, &quiet).await;
    for period in [["2001-01-01", "2000-01-01"], ["soon", "2000-01-01"]] {
        let words = ["audit", "report", "--from", period[0], "--to", period[1]];
        pinned(&mut page, &world, &words).await;
    }
    page.pin();
    let path = world.database.folder.path().join("evidence.csv");
    let file = ["--output", "csv", "--file", path.to_str().unwrap()];
    assert_eq!(report(&world, &file).await.trim(), "");
    assert_eq!(std::fs::read_to_string(path).unwrap().lines().count(), 2);
}

/// The root of the whole log as its bodies say, and every stored leaf is that of its body.
async fn root(world: &World, size: i64) -> [u8; 32] {
    let mut edge = Edge::default();
    for entry in ledger::entries(&world.store, 0, 10_000).await.unwrap() {
        assert_eq!(entry.leaf, leaf(&entry.body));
        if entry.seq <= size {
            edge.push(leaf(&entry.body), |_| {});
        }
    }
    edge.root()
}

/// Everything fits: bytes, columns, commitments, words, and what is said to be erased.
pub(crate) async fn verify(world: &World) {
    let keys = keys();
    let mut verifier = Verifier::new(keys.log(), Some((keys.sealer(), 1)));
    for whole in survey::chunk(&world.store, 0, 10_000).await.unwrap() {
        survey::take(&mut verifier, &whole, |_| {}).unwrap();
    }
    let trusted = PublicKeys::new(keys.publics()).unwrap();
    verifier.finish(&trusted).unwrap();
}

/// Waits until a signed head covers everything; how much that is.
async fn signed(world: &World) -> i64 {
    eventually("a head covers everything", async || {
        let head = ledger::last_checkpoint(&world.store).await.unwrap();
        let size = ledger::size(&world.store).await.unwrap();
        head.filter(|head| head.size == size).map(|_| size)
    })
    .await
}

/// Everything readable in the tables of the log, in one text.
async fn dump(world: &World) -> String {
    use sqlx::{Executor as _, Row as _};
    let mut connection = world.database.direct().await;
    let mut text = String::new();
    for column in [
        "SELECT body FROM ledger_entry",
        "SELECT value FROM ledger_private",
        "SELECT name FROM ledger_private",
        "SELECT salt FROM ledger_private",
        "SELECT word FROM ledger_word",
        "SELECT login FROM person",
        "SELECT note FROM ledger_checkpoint",
        "SELECT COALESCE(person, '') FROM ledger_entry",
    ] {
        for row in connection.fetch_all(column).await.unwrap() {
            let bytes = row
                .try_get::<Vec<u8>, _>(0)
                .or_else(|_| row.try_get::<String, _>(0).map(String::into_bytes));
            text.push_str(&String::from_utf8_lossy(&bytes.unwrap()));
            text.push('\n');
        }
    }
    text
}

async fn an_erased_person_is_gone_and_the_tree_stays(setting: Setting) {
    let world = World::start(setting, &plain_with(&[TWO])).await;
    let (pull_request, _) = world.ready("feature").await;
    world.say("dora", pull_request, "/deploy prod").await;
    world.say("ann", pull_request, "/approve").await;
    world.finish("success").await;
    let lock = "/lock prod --reason \"dora asked for quiet\"";
    world.say("ann", pull_request, lock).await;
    world.say("quinn", pull_request, "/deploy prod").await;
    let size = ledger::size(&world.store).await.unwrap();
    let before = root(&world, size).await;
    let words = |text: &str| dumped_word(text, "dora");
    assert!(words(&dump(&world).await));

    let number = &world.read_as("github:7");
    let mut page = Page::of_terminal(&format!("audit-erase-{}", world.forge.prefix()));
    for person in ["dora", "@dora", number] {
        let named = [
            "audit",
            "erase",
            "--person",
            person,
            "--reason",
            "Dora left",
            "--yes",
        ];
        let refused = output(&world, &named).await;
        assert_eq!(
            refused.status.code(),
            Some(2),
            "the reason would name her again"
        );
        page.ran(&named, &refused);
    }
    let erase = ["audit", "erase", "--person", "dora", "--reason", "she left"];
    pinned(&mut page, &world, &erase).await;
    assert_eq!(ledger::size(&world.store).await.unwrap(), size);
    assert!(words(&dump(&world).await));

    pinned(&mut page, &world, &[&erase[..], &["--yes"]].concat()).await;
    let after = dump(&world).await;
    assert!(!words(&after), "{after}");
    assert!(dumped_word(&after, "ann"));
    assert_eq!(root(&world, size).await, before);
    assert_eq!(recorded(&world, "private.erased").await, 1);
    verify(&world).await;
    let record = ledger::one(&world.store, size + 1).await.unwrap().unwrap();
    let body: Value = serde_json::from_slice(&record.body).unwrap();
    assert!(body["detail"]["erased"][0]["seq"].is_number(), "{body}");
    assert_eq!(record.person.as_deref(), Some("operator"));

    let rows = rows(&world).await;
    let row = rows[1].join(",");
    for part in [
        "erased,github:7",
        "erased (github:7) as deployer (erased)",
        "ann (github:",
    ] {
        assert!(row.contains(&world.read_as(part)), "no {part:?} in {row}");
    }
    // Once is enough, and the number still names her.
    let again = [
        "audit", "erase", "--person", number, "--reason", "x", "--yes",
    ];
    pinned(&mut page, &world, &again).await;
    let unknown = ["audit", "erase", "--person", "dora", "--reason", " "];
    pinned(&mut page, &world, &unknown).await;
    page.pin();
    assert_eq!(recorded(&world, "private.erased").await, 1);
}

/// Whether a text holds a name as a word of its own.
fn dumped_word(text: &str, name: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric())
        .any(|word| word.eq_ignore_ascii_case(name))
}

async fn one_part_of_an_entry_is_erased(engine: Engine) {
    let world = World::plain(engine).await;
    let (pull_request, _) = world.ready("feature").await;
    let lock = "/lock prod --reason \"customer Zebulon complained\"";
    world.say("ann", pull_request, lock).await;
    let seq = world
        .number("SELECT MAX(seq) FROM ledger_entry WHERE action = 'locked'")
        .await;
    let words = format!("SELECT COUNT(*) FROM ledger_word WHERE seq = {seq}");
    assert_eq!(world.number(&words).await, 3);
    let number = seq.to_string();
    let erase = [
        "audit", "erase", "--entry", &number, "--name", "reason", "--reason", "a name", "--yes",
    ];
    let mut page = Page::of_terminal("audit-erase-entry");
    let shown = run(&world, &erase).await;
    page.said(
        "countersign audit erase --entry N --name reason --yes",
        (&shown, ""),
        Some(0),
    );
    page.pin();
    assert_eq!(world.number(&words).await, 0);
    verify(&world).await;
    let left = format!("SELECT COUNT(*) FROM ledger_private WHERE seq = {seq}");
    assert_eq!(world.number(&left).await, 1, "the login stays");
}

async fn so_many_records_that_one_entry_could_not_hold_them(engine: Engine) {
    use countersign::domain::{Account, Action, Actor, Detail, Entry, Forge};

    let world = World::plain(engine).await;
    world
        .store
        .unit(|tx| {
            Box::pin(async move {
                let zoe = Account {
                    forge: Forge::GitHub,
                    id: 99,
                    login: "zoe".to_owned(),
                };
                let at = jiff::Timestamp::UNIX_EPOCH;
                for _ in 0..200 {
                    let entry = Entry::new(at, Action::CommandReceived, Actor::from(&zoe))
                        .with_private("command", "/help me, says zoe");
                    ledger::append(tx, &entry).await?;
                }
                // This one is too long, and lies aside with what is private in it.
                let evidence = Detail::from([
                    ("long", Detail::from(format!("{} zoe", "x".repeat(20_000)))),
                    ("titles", Detail::private("zoe's change")),
                ]);
                let entry =
                    Entry::new(at, Action::Refused, Actor::from(&zoe)).with("evidence", evidence);
                ledger::append(tx, &entry).await?;
                Ok(())
            })
        })
        .await
        .unwrap();
    let erase = [
        "audit", "erase", "--person", "ZOE", "--reason", "asked", "--yes",
    ];
    let done = run(&world, &erase).await;
    assert!(done.contains("github:99: 402 private values"), "{done}");
    assert!(!dumped_word(&dump(&world).await, "zoe"));
    assert_eq!(recorded(&world, "private.erased").await, 3);
    let records = ledger::entries(&world.store, 0, 1_000).await.unwrap();
    let records = records
        .iter()
        .filter(|entry| entry.action == "private.erased");
    let count: usize = records
        .map(|entry| {
            let body: Value = serde_json::from_slice(&entry.body).unwrap();
            body["detail"]["erased"].as_array().unwrap().len()
        })
        .sum();
    assert_eq!(count, 402);
    verify(&world).await;
}
