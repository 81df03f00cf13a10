//! Proofs that leave the service: receipts and exports. They are checked by the service's own program and by
//! the independent one, which is written from the public documents alone.

use std::path::Path;
use std::process::Command;

use countersign::store::ledger;
use countersign_ledger::Keys;
use serde_json::Value;

use super::support::pinned::Page;
use super::support::service::{self, Service, Wishes};
use super::support::{Database, Engine, World, eventually, neutral, on_both};

on_both! {
    a_release_is_proved_by_its_receipt,
    an_export_can_be_checked_and_continued,
    a_key_is_replaced_while_the_service_runs,
}

/// The real binary, on a test's database.
fn audit(database: &Database, words: &[&str]) -> (bool, String) {
    let config = service::write_config(database, None, &Wishes::default());
    let output = service::command(&config, &[&["audit"], words].concat())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

/// Runs it, and pins what it says.
fn pinned(page: &mut Page, database: &Database, words: &[&str]) {
    let config = service::write_config(database, None, &Wishes::default());
    let words = [&["audit"], words].concat();
    page.ran(&words, &service::command(&config, &words).output().unwrap());
}

fn done(database: &Database, words: &[&str]) -> String {
    let (done, text) = audit(database, words);
    assert!(done, "{words:?}: {text}");
    text
}

/// The word of a program that is none of the service, where it is there: the one of another hand, or the small one for
/// auditors.
fn by_others(program: &str, what: &str, path: &Path, key: &str) -> Option<(bool, String)> {
    let program = std::env::var_os(program)?;
    let output = Command::new(program)
        .arg(what)
        .arg(path)
        .args(["--key", key])
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8(text).unwrap()))
}

fn both_say(database: &Database, what: &str, path: &Path, key: &str) -> (bool, String) {
    let flag = format!("--{what}");
    let (ours, said) = audit(
        database,
        &["verify", &flag, path.to_str().unwrap(), "--key", key],
    );
    let mut all = said.clone();
    for program in ["COUNTERSIGN_TEST_CHECKER", "COUNTERSIGN_TEST_VERIFY"] {
        if let Some((theirs, says)) = by_others(program, what, path, key) {
            assert_eq!(ours, theirs, "we: {said}they: {says}");
            all.push_str(&says);
        }
    }
    (ours, all)
}

async fn is_signed(world: &World) {
    eventually("everything is signed", async || {
        let size = ledger::size(&world.store).await.unwrap();
        let head = ledger::last_checkpoint(&world.store).await.unwrap()?;
        (head.size == size).then_some(())
    })
    .await;
}

async fn a_release_is_proved_by_its_receipt(engine: Engine) {
    let world = World::plain(engine).await;
    world.live("one").await;
    world.live("two").await;
    is_signed(&world).await;
    let database = &world.database;
    let key = done(database, &["key"]).trim().to_owned();
    let file = database.folder.path().join("receipt.json");
    let mut page = Page::of_terminal("audit-receipt");
    let written = file.to_str().unwrap();
    pinned(&mut page, database, &["receipt", "#2", "--to", written]);
    pinned(
        &mut page,
        database,
        &["verify", "--receipt", written, "--key", &key],
    );
    let (good, said) = both_say(database, "receipt", &file, &key);
    assert!(good && said.contains("#2"), "{said}");

    let receipt: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let entries = receipt["entries"].as_array().unwrap();
    let actions: Vec<String> = entries
        .iter()
        .map(|entry| {
            let body: Value = serde_json::from_str(entry["body"].as_str().unwrap()).unwrap();
            body["action"].as_str().unwrap().to_owned()
        })
        .collect();
    for needed in ["requested", "approved", "triggered", "succeeded"] {
        assert!(actions.iter().any(|action| action == needed), "{actions:?}");
    }
    let spoiled = database.folder.path().join("spoiled.json");
    for (name, spoil) in spoilers() {
        let mut changed = receipt.clone();
        spoil(&mut changed);
        assert_ne!(changed, receipt, "{name}");
        std::fs::write(&spoiled, changed.to_string()).unwrap();
        let (good, said) = both_say(database, "receipt", &spoiled, &key);
        assert!(!good, "{name}: {said}");
        let ours = said.lines().take_while(|line| line.starts_with("bad: "));
        let ours: Vec<&str> = ours.take(1).collect();
        page.add(
            &format!("countersign audit verify --receipt, with {name}"),
            &neutral::terminal(&ours.concat()),
        );
    }
    std::fs::write(&spoiled, "{}").unwrap();
    for receipt in ["spoiled.json", "nowhere.json"] {
        let path = database.folder.path().join(receipt);
        let words = ["verify", "--receipt", path.to_str().unwrap(), "--key", &key];
        pinned(&mut page, database, &words);
    }

    // Without names it proves the same.
    let words = ["receipt", "2", "--without-private", "--to"];
    done(database, &[&words[..], &[file.to_str().unwrap()]].concat());
    let (good, said) = both_say(database, "receipt", &file, &key);
    assert!(good, "{said}");
    assert!(!std::fs::read_to_string(&file).unwrap().contains("\"ann"));

    pinned(&mut page, database, &["receipt", "#77"]);
    pinned(&mut page, database, &["receipt", "two"]);
    pinned(&mut page, database, &["proof", "7000"]);
    pinned(&mut page, database, &["verify", "--receipt", written]);
    pinned(&mut page, database, &["key"]);
    page.pin();
    let proof = done(database, &["proof", "3"]);
    assert!(
        proof.starts_with("c2sp.org/tlog-proof@v1\nindex 2\n"),
        "{proof}"
    );
}

type Spoil = (&'static str, fn(&mut Value));

fn spoilers() -> Vec<Spoil> {
    fn body(receipt: &mut Value, action: &str, from: &str, to: &str) {
        for entry in receipt["entries"].as_array_mut().unwrap() {
            let text = entry["body"].as_str().unwrap().to_owned();
            if text.contains(&format!("\"action\":\"{action}\"")) {
                entry["body"] = text.replacen(from, to, 1).into();
            }
        }
    }
    fn drop_action(receipt: &mut Value, action: &str) {
        let mark = format!("\"action\":\"{action}\"");
        let entries = receipt["entries"].as_array_mut().unwrap();
        entries.retain(|entry| !entry["body"].as_str().unwrap().contains(&mark));
    }
    vec![
        ("another person", |it| {
            body(it, "approved", "\"id\":", "\"id\":1");
        }),
        ("another environment", |it| {
            body(it, "triggered", "\"prod\"", "\"test\"");
        }),
        ("no approval", |it| drop_action(it, "approved")),
        ("no start", |it| drop_action(it, "triggered")),
        ("a proof cut short", |it| {
            it["entries"][0]["proof"].as_array_mut().unwrap().pop();
        }),
        ("a proof of another entry", |it| {
            let other = it["entries"][1]["proof"].clone();
            it["entries"][0]["proof"] = other;
        }),
        ("another number", |it| it["entries"][0]["seq"] = 1.into()),
        ("another request", |it| it["request"] = 1.into()),
        ("another name", |it| {
            it["entries"][0]["private"][0]["value"] = "\"eve\"".into();
        }),
        ("another salt", |it| {
            let salt = it["entries"][1]["private"][0]["salt"].clone();
            it["entries"][0]["private"][0]["salt"] = salt;
        }),
        ("a larger tree", |it| {
            let note = it["checkpoint"].as_str().unwrap().to_owned();
            let size = note.lines().nth(1).unwrap().to_owned();
            it["checkpoint"] = note.replacen(&size, &format!("{size}0"), 1).into();
        }),
        ("no signature", |it| {
            let note = it["checkpoint"].as_str().unwrap();
            let text = note.split("\n\n").next().unwrap();
            it["checkpoint"] = format!("{text}\n\n").into();
        }),
    ]
}

async fn an_export_can_be_checked_and_continued(engine: Engine) {
    let world = World::plain(engine).await;
    world.live("one").await;
    is_signed(&world).await;
    let database = &world.database;
    let key = done(database, &["key"]).trim().to_owned();
    let folder = database.folder.path().join("export");
    let to = folder.to_str().unwrap();
    let mut page = Page::of_terminal("audit-export");
    pinned(&mut page, database, &["export", "--to", to]);
    let (good, said) = both_say(database, "export", &folder, &key);
    assert!(good, "{said}");

    // It goes on where it ended.
    world.live("two").await;
    is_signed(&world).await;
    pinned(&mut page, database, &["export", "--to", to]);
    pinned(
        &mut page,
        database,
        &["verify", "--export", to, "--key", &key],
    );
    let (good, said) = both_say(database, "export", &folder, &key);
    assert!(good, "{said}");

    for file in files(&folder) {
        let kept = std::fs::read(&file).unwrap();
        for place in [0, kept.len() / 2, kept.len() - 2] {
            let mut changed = kept.clone();
            changed[place] ^= 1;
            std::fs::write(&file, &changed).unwrap();
            let (good, said) = both_say(database, "export", &folder, &key);
            assert!(!good, "{} at {place}: {said}", file.display());
        }
        std::fs::write(&file, &kept[..kept.len() - 1]).unwrap();
        let (good, said) = both_say(database, "export", &folder, &key);
        assert!(!good, "{} cut: {said}", file.display());
        std::fs::write(&file, &kept).unwrap();
    }
    let (good, said) = both_say(database, "export", &folder, &key);
    assert!(good, "{said}");

    // Without names.
    let bare = database.folder.path().join("bare");
    let words = [
        "export",
        "--without-private",
        "--to",
        bare.to_str().unwrap(),
    ];
    pinned(&mut page, database, &words);
    let words = ["verify", "--export", bare.to_str().unwrap(), "--key", &key];
    pinned(&mut page, database, &words);
    let (good, said) = both_say(database, "export", &bare, &key);
    assert!(good && !bare.join("private.ndjson").exists(), "{said}");
    let other = Keys::new("deploys.example.com/log", [8; 32]).unwrap();
    let other = other.public();
    pinned(
        &mut page,
        database,
        &["verify", "--export", to, "--key", &other],
    );
    // A question that cannot be asked is not an answer about the export.
    pinned(
        &mut page,
        database,
        &["verify", "--export", to, "--key", "nonsense"],
    );
    pinned(&mut page, database, &["verify", "--export", to]);
    let folder = database.folder.path().to_str().unwrap();
    pinned(
        &mut page,
        database,
        &["verify", "--export", folder, "--key", &key],
    );
    pinned(&mut page, database, &["export", "--to", folder]);
    page.pin();
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

async fn a_key_is_replaced_while_the_service_runs(engine: Engine) {
    let database = Database::migrated(engine).await;
    let service = Service::start(&database, None).await;
    ready(&service, true).await;
    let old = done(&database, &["key"]).trim().to_owned();
    let mut page = Page::of_terminal("audit-key");
    pinned(&mut page, &database, &["key"]);
    pinned(&mut page, &database, &["rotate-key"]);
    let new = done(&database, &["key"]).trim().to_owned();
    assert_ne!(old, new);
    let signed = async || {
        let text = audit(&database, &["verify"]).1;
        let signed = text.contains("signed as far as entry 3");
        assert!(!text.starts_with("bad:"), "{text}");
        signed.then_some(())
    };
    eventually("the new key has signed", signed).await;
    pinned(&mut page, &database, &["verify"]);
    pinned(&mut page, &database, &["verify", "--key", &old]);
    page.pin();
    ready(&service, true).await;
    // A verifier who trusts either key can follow.
    let folder = database.folder.path().join("export");
    done(&database, &["export", "--to", folder.to_str().unwrap()]);
    for key in [&old, &new] {
        let (good, said) = both_say(&database, "export", &folder, key);
        assert!(good, "{said}");
    }
    assert_eq!(service.stop().await, 0);
    let service = Service::start(&database, None).await;
    ready(&service, true).await;
    assert_eq!(service.stop().await, 0);
}

async fn ready(service: &Service, expect: bool) {
    eventually("it is as ready as it should be", async || {
        let answer = service.get("/readyz").await;
        (answer.status().is_success() == expect).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_database_that_was_put_back_is_noticed_and_can_be_accepted() {
    let database = Database::migrated(Engine::Sqlite).await;
    let service = Service::start(&database, None).await;
    ready(&service, true).await;
    assert_eq!(service.stop().await, 0);
    let file = database.folder.path().join("test.db");
    let copy = database.folder.path().join("copy.db");
    std::fs::copy(&file, &copy).unwrap();
    for _ in 0..2 {
        let service = Service::start(&database, None).await;
        ready(&service, true).await;
        assert_eq!(service.stop().await, 0);
    }
    let mut page = Page::of_terminal("audit-restore");
    pinned(&mut page, &database, &["verify"]);
    for rest in ["test.db-wal", "test.db-shm"] {
        let _gone = std::fs::remove_file(database.folder.path().join(rest));
    }
    std::fs::copy(&copy, &file).unwrap();
    pinned(&mut page, &database, &["verify"]);
    let service = Service::start(&database, None).await;
    ready(&service, false).await;
    let answer = service.get("/readyz").await.text().await.unwrap();
    let condition: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(condition["ledger"], "broken");

    let reason = ["accept-restore", "--reason", "the disk died"];
    pinned(&mut page, &database, &["accept-restore", "--reason", " "]);
    pinned(&mut page, &database, &reason);
    ready(&service, true).await;
    pinned(&mut page, &database, &["verify"]);
    pinned(&mut page, &database, &["show", "4"]);
    page.pin();
    assert_eq!(service.stop().await, 0);
}
