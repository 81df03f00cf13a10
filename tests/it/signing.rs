//! The log is signed whatever happens between: a process that dies at any point, a file system that
//! refuses, two that sign side by side, a tree that grows a level.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use countersign::engine::signer::Standing;

use crate::support::database::keys;
use crate::support::log::{Running, append, entry};
use crate::support::{Engine, Log, World, on_both};

on_both!(
    a_signer_dies_at_any_point,
    a_process_is_killed_again_and_again,
    a_half_done_signing_is_finished,
    nothing_leaves_while_the_head_cannot_be_kept,
    two_sign_with_one_file,
);

/// What a start must find: all that was committed, all of it signed.
async fn starts_sound(log: &Log) -> i64 {
    let size = log.database.number("SELECT size FROM ledger_head").await;
    let running = log.start().await;
    running.is_sound(size).await;
    running.end().await;
    let entries = "SELECT COUNT(*) FROM ledger_entry";
    assert_eq!(log.database.number(entries).await, size);
    let covered = "SELECT MAX(size) FROM ledger_checkpoint";
    assert_eq!(log.database.number(covered).await, size);
    size
}

async fn a_signer_dies_at_any_point(engine: Engine) {
    let log = Log::new(engine).await;
    let running = log.start().await;
    running.is_sound(1).await;
    running.end().await;
    let mut appended = 1;
    for round in 0..30 {
        let running = log.start().await;
        let entries = (0..20).map(|n| entry(round * 20 + n)).collect();
        assert!(append(&running.shared.store, entries).await);
        appended += 20;
        running.shared.sign.notify_one();
        // Another moment of the work to die in each time, not a wait for a fact.
        tokio::time::sleep(std::time::Duration::from_millis(round * 7 % 90)).await;
        let stood = running.standing();
        running.die().await;
        assert!(!matches!(stood, Standing::Broken { .. }), "{stood:?}");
        log.database.is_quiet().await;
    }
    assert_eq!(starts_sound(&log).await, appended);
}

async fn a_process_is_killed_again_and_again(engine: Engine) {
    use crate::support::Service;

    let log = Log::new(engine).await;
    let others = log.database.open().await;
    let mut service = Service::start(&log.database, None).await;
    for round in 0..30_u64 {
        let _locked_out = append(&others, (0..5).map(|n| entry(round + n)).collect()).await;
        // Another moment of the work to die in each time, not a wait for a fact.
        tokio::time::sleep(std::time::Duration::from_millis(round * 37 % 400)).await;
        service.kill();
        service.read_to_end().await;
        let alarm = service.logged(
            "the audit log does not fit what was signed: nothing is released until an operator has looked; see `countersign audit verify` and docs/audit.md",
        );
        assert!(alarm.is_empty(), "{alarm:#?}");
        service = Service::start(&log.database, None).await;
    }
    let size = log.database.number("SELECT size FROM ledger_head").await;
    let covered = "SELECT MAX(size) FROM ledger_checkpoint";
    crate::support::eventually("a head covers all", async || {
        (log.database.number(covered).await >= size).then_some(())
    })
    .await;
    assert_eq!(service.stop().await, 0);
}

/// The states between the steps, put together from before and after.
async fn a_half_done_signing_is_finished(engine: Engine) {
    let log = Log::signed_at(engine, &[250]).await;
    let before = std::fs::read(&log.head).unwrap();
    let running = log.start().await;
    running.is_sound(250).await;
    assert!(append(&running.shared.store, (0..10).map(entry).collect()).await);
    running.is_sound(260).await;
    running.end().await;
    let mut hands = log.hands().await;
    hands.unlock().await;
    let forget = [
        "DELETE FROM ledger_checkpoint WHERE size = 260",
        "DELETE FROM ledger_tile",
        "UPDATE ledger_anchor SET size = 250",
    ];
    // Committed and signed nowhere; signed in the file only, with its draft left behind.
    for file in [Some(&before), None] {
        hands.undo().await;
        for sql in forget {
            hands.run(sql).await;
        }
        if let Some(file) = file {
            std::fs::write(&log.head, file).unwrap();
        } else {
            std::fs::write(log.head.with_extension("head.new"), "half a fi").unwrap();
        }
        assert_eq!(starts_sound(&log).await, 260);
        let tiles = "SELECT COUNT(*) FROM ledger_tile";
        assert_eq!(log.database.number(tiles).await, 1);
    }
}

/// Nothing can be written into the folder of the head file, or it can again. Root may write anywhere, so
/// the draft's place is taken as well.
fn refuse(folder: &Path, refuses: bool) {
    let draft = folder.join("countersign-log.head.new");
    if refuses {
        let _no_draft = std::fs::remove_file(&draft);
        std::fs::create_dir(&draft).unwrap();
    } else {
        std::fs::remove_dir(&draft).unwrap();
    }
    let mode = if refuses { 0o500 } else { 0o700 };
    std::fs::set_permissions(&draft, Permissions::from_mode(mode)).ok();
}

async fn nothing_leaves_while_the_head_cannot_be_kept(engine: Engine) {
    let world = World::plain(engine).await;
    let (pull_request, sha) = world.ready("feature").await;
    refuse(world.database.folder.path(), true);
    let asked = world.say("ann", pull_request, "/deploy prod").await;
    assert_eq!(world.starts(), 0);
    assert_eq!(world.recorded("trigger.held").await, 1);
    refuse(world.database.folder.path(), false);
    world.pass(31).await;
    assert_eq!(world.deployments(), [sha]);
    world.said(asked.comment).expect("Started");
}

async fn two_sign_with_one_file(engine: Engine) {
    let log = Log::new(engine).await;
    let signers = [log.start().await, log.start().await];
    for round in 0..25_usize {
        let signer = &signers[round % 2];
        let number = u64::try_from(round).unwrap();
        let entries = (0..3).map(|n| entry(number + n)).collect();
        assert!(append(&signer.shared.store, entries).await);
        for signer in &signers {
            signer.shared.sign.notify_one();
            let standing = signer.standing();
            assert!(!matches!(standing, Standing::Broken { .. }), "{standing:?}");
        }
        // The two meet at another moment each time.
        let rest = std::time::Duration::from_millis(number * 11 % 50);
        tokio::time::sleep(rest).await;
    }
    for signer in &signers {
        signer.is_sound(76).await;
    }
    for signer in signers {
        signer.end().await;
    }
    assert_eq!(starts_sound(&log).await, 76);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_log_has_tiles_of_tiles() {
    let log = Log::new(Engine::Sqlite).await;
    let store = log.database.open().await;
    let running = Running::start(store, log.head.clone());
    running.is_sound(1).await;
    // As many as fill a tile of tiles, and some more.
    let mut size = 1_i64;
    while size < 70_000 {
        let more = 10_000.min(70_000 - size);
        log.hands().await.append_many(more, &keys()).await;
        size += more;
    }
    running.is_sound(70_000).await;
    running.end().await;
    assert_eq!(starts_sound(&log).await, 70_000);
    let tiles = |level: u32| format!("SELECT COUNT(*) FROM ledger_tile WHERE level = {level}");
    assert_eq!(log.database.number(&tiles(0)).await, 70_000 / 256);
    assert_eq!(log.database.number(&tiles(1)).await, 1);
}
