//! Strangers: whoever may comment on a public repository spends nobody's rate limit, is answered once, and stands in
//! nobody's way.

use countersign_sandbox::github::Order;
use sqlx::{Executor as _, Row as _};

use crate::support::{Setting, World, on_both_forges};

on_both_forges!(
    a_strangers_flood_costs_four_calls_and_two_entries,
    a_flood_does_not_stand_before_a_rollback,
    whoever_belongs_here_is_heard,
    even_those_who_belong_here_have_a_measure,
    what_is_left_of_the_limit_is_kept_for_releases,
);

const FLOOD: usize = 200;

/// Entries about so many commands that were not answered.
async fn counted(world: &World, commands: u64) -> usize {
    let mut connection = world.database.direct().await;
    let rows = connection
        .fetch_all("SELECT body FROM ledger_entry WHERE action = 'refused'")
        .await
        .unwrap();
    let bodies = rows
        .iter()
        .map(|row| serde_json::from_slice::<serde_json::Value>(row.get(0)).unwrap());
    bodies
        .filter(|body| body["detail"]["count"] == commands)
        .count()
}

async fn a_strangers_flood_costs_four_calls_and_two_entries(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, _) = world.ready("feature").await;
    world.add_person(666, "mallory");
    let (calls, entries) = (world.calls().len(), world.ledger().await.len());
    world.hold();
    let mut comments = Vec::new();
    for _ in 0..FLOOD {
        comments.push(world.comment("mallory", pull_request, "/deploy prod").await);
    }
    world.release(&Order::AsTheyCame);
    world.settle().await;
    let cost = world.calls().split_off(calls);
    assert!(cost.len() <= 4, "{cost:?}");
    let said = world.said(comments[0]);
    said.expect("**Refused**");
    said.expect("`mallory` may not give commands here: no role names them");
    assert!(world.said(comments[1]).answers.is_empty());
    assert_eq!(world.ledger().await.len() - entries, 1);
    world.pass(61).await;
    let told = world.ledger().await.split_off(entries);
    assert_eq!(told, ["refused", "refused"]);
    assert_eq!(counted(&world, 199).await, 1);
    // A minute later there is one answer more.
    let said = world.say("mallory", pull_request, "/status").await;
    said.expect("may not give commands here");
    world.is_as_described();
}

async fn a_flood_does_not_stand_before_a_rollback(setting: Setting) {
    let world = World::plain(setting).await;
    let (_, old) = world.live("old").await;
    let (pull_request, _) = world.live("new").await;
    world.add_person(666, "mallory");
    let calls = world.calls().len();
    world.hold();
    for _ in 0..FLOOD {
        world
            .comment("mallory", pull_request, "/rollback prod")
            .await;
    }
    let asked = world.comment("ann", pull_request, "/rollback prod").await;
    world.release(&Order::AsTheyCame);
    // No time passes.
    world.settle().await;
    world.said(asked).expect("Started");
    assert_eq!(world.deployments().last(), Some(&old));
    let by_flood = |call: &&String| call.contains("mallory") || call.ends_with("/all/666");
    let cost = world.calls().split_off(calls);
    let cost = cost.iter().filter(by_flood).count();
    assert!(cost <= 3, "{cost}");
}

async fn whoever_belongs_here_is_heard(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, _) = world.ready("feature").await;
    world.add_person(667, "rob");
    let said = world.say("rob", pull_request, "/status").await;
    said.expect("**Refused**");
    // A member of a team that a role names.
    world.pass(61).await;
    world.set_member("rob", true);
    let said = world.say("rob", pull_request, "/status").await;
    said.expect("build");
    world.set_member("rob", false);
    let said = world.say("rob", pull_request, "/status").await;
    said.expect("**Refused**");
    world.pass(61).await;
    world.make_owner("rob");
    let said = world.say("rob", pull_request, "/status").await;
    said.expect("build");
    world.is_as_described();
}

async fn even_those_who_belong_here_have_a_measure(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, _) = world.ready("feature").await;
    let mut comments = Vec::new();
    world.hold();
    for _ in 0..40 {
        comments.push(world.comment("ann", pull_request, "/help").await);
    }
    world.release(&Order::AsTheyCame);
    world.settle().await;
    let is_answered = |comment: &&u64| !world.said(**comment).answers.is_empty();
    assert_eq!(comments.iter().filter(is_answered).count(), 30);
    world.pass(61).await;
    assert_eq!(counted(&world, 10).await, 1);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
}

/// Questions of others stop where a tenth of the limit is left; a release goes on.
async fn what_is_left_of_the_limit_is_kept_for_releases(setting: Setting) {
    let world = World::plain(setting).await;
    let (_, old) = world.live("old").await;
    let (pull_request, _) = world.live("new").await;
    world.leave_calls(300);
    // The answer says how many are left.
    world.say("ann", pull_request, "/why prod").await;
    let said = world.say("ann", pull_request, "/why prod").await;
    said.expect("which are kept for releases");
    let said = world.say("ann", pull_request, "/rollback prod").await;
    said.expect("Started");
    assert_eq!(world.deployments().last(), Some(&old));
}
