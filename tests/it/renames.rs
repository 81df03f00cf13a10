//! Renames: a service or an environment gets another name, and everything that was its own stays its own.

use crate::support::world::{Setting, TWO, plain_with};
use crate::support::{World, on_both_forges};

on_both_forges!(
    what_is_live_released_and_locked_stays,
    what_waits_and_what_runs_goes_on,
    what_is_held_leaves_under_its_new_name,
);

/// The configuration with new names, which says what they were.
fn renamed(changes: &[(&str, &str)]) -> String {
    let names = [
        ("name = \"shop\"", "name = \"store\"\nformerly = \"shop\""),
        ("name = \"prod\"", "name = \"live\"\nformerly = \"prod\""),
    ];
    plain_with(&[changes, &names].concat())
}

async fn is_live(world: &World) -> (String, String, String) {
    use sqlx::{Executor as _, Row as _};
    let mut connection = world.database.direct().await;
    let newest = "SELECT service, environment, sha FROM live ORDER BY since DESC";
    let row = connection.fetch_all(newest).await.unwrap().remove(0);
    (row.get(0), row.get(1), row.get(2))
}

async fn what_is_live_released_and_locked_stays(setting: Setting) {
    let world = World::plain(setting).await;
    let mut shas = Vec::new();
    for branch in ["old", "new"] {
        let (pull_request, sha) = world.ready(branch).await;
        world.say("ann", pull_request, "/deploy prod").await;
        world.finish("success").await;
        world.pass(60).await;
        shas.push((pull_request, sha));
    }
    let [(_, old), (pull_request, new)] = shas.as_slice() else {
        panic!("{shas:?}");
    };
    let pull_request = *pull_request;
    world
        .say("ann", pull_request, "/lock prod --reason audit")
        .await;
    world.reconfigure(&renamed(&[])).await;
    let said = world.say("ann", pull_request, "/status").await;
    said.expect("store");
    said.expect(&new[..7]);
    let said = world.say("ann", pull_request, "/deploy live").await;
    said.expect("**live** is locked");
    said.expect("audit");
    let said = world.say("ann", pull_request, "/unlock live").await;
    said.expect("**Unlocked**: store → **live**");
    let said = world.say("ann", pull_request, "/deploy live").await;
    said.expect("is live in **live** already");
    let said = world.say("ann", pull_request, "/rollback live").await;
    said.expect("Started");
    world.finish("success").await;
    let live = ["store", "live", old].map(str::to_owned);
    assert_eq!(is_live(&world).await, live.into());
    assert_eq!(world.recorded("production.unexplained").await, 0);
    world.is_as_described();
}

async fn what_waits_and_what_runs_goes_on(setting: Setting) {
    let world = World::start(setting, &plain_with(&[TWO])).await;
    let (pull_request, sha) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("1 of 2");
    world.reconfigure(&renamed(&[TWO])).await;
    // Its policy is the same, so that what was said about it counts.
    world.say("dora", pull_request, "/approve").await;
    world.said(said.comment).expect("Started");
    assert_eq!(world.starts(), 1);
    // Under way since before the next rename, which is back.
    let back = [
        ("name = \"shop\"", "name = \"shop\"\nformerly = \"store\""),
        ("name = \"prod\"", "name = \"prod\"\nformerly = \"live\""),
        TWO,
    ];
    world.reconfigure(&plain_with(&back)).await;
    let (next, _) = world.ready("next").await;
    let waits = world.say("ann", next, "/deploy prod").await;
    world.say("dora", next, "/approve").await;
    world.said(waits.comment).expect("#1 releases");
    assert_eq!(world.starts(), 1);
    world.finish("success").await;
    world.said(said.comment).expect("Live");
    assert_eq!(is_live(&world).await.2, sha);
}

async fn what_is_held_leaves_under_its_new_name(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, sha) = world.ready("feature").await;
    world.hold_start(120);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    assert_eq!(world.recorded("trigger.held").await, 1);
    world.reconfigure(&renamed(&[])).await;
    world.pass(130).await;
    world.said(said.comment).expect("Started");
    assert_eq!(world.starts(), 1);
    world.finish("success").await;
    world.said(said.comment).expect("Live");
    let live = ["store", "live", &sha].map(str::to_owned);
    assert_eq!(is_live(&world).await, live.into());
}
