//! Limits: a trigger that could not leave at once is examined again before it does; what GitHub wants of one
//! call holds for all; and what operators do to a trigger is told to the people who wait for it.

use std::process::Stdio;

use countersign::domain::{Action, Actor, Entry};
use countersign_sandbox::github::{Order, Trouble};

use crate::support::crew::Part;
use crate::support::log;
use crate::support::service::{self, Wishes};
use crate::support::world::PLAIN;
use crate::support::{Setting, World, eventually, on_both_forges};

on_both_forges!(
    an_approver_who_left_meanwhile_stops_a_held_trigger,
    a_gate_that_turned_red_meanwhile_stops_a_held_trigger,
    a_policy_that_changed_meanwhile_stops_a_held_trigger,
    what_was_decided_by_rules_that_are_replaced_does_not_leave,
    a_process_that_has_not_read_the_newest_rules_releases_nothing,
    a_trigger_that_grew_stale_leaves_again,
    a_gate_that_turned_red_meanwhile_stops_a_stale_trigger,
    a_dropped_trigger_is_told,
    a_dropped_trigger_that_may_have_arrived_is_looked_for,
    a_retried_trigger_is_sent_once,
    a_retried_trigger_that_arrived_is_not_sent_again,
    a_limit_holds_for_every_call,
);

fn hold_trigger(world: &World) {
    world.hold_start(45);
}

async fn a_limit_holds_for_every_call(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, sha) = world.ready("feature").await;
    hold_trigger(&world);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    assert_eq!(world.recorded("trigger.held").await, 1);
    let before = world.calls().len();
    world.comment("bob", pull_request, "/status").await;
    world.settle().await;
    world.pass(40).await;
    assert_eq!(world.calls().len(), before);
    for _ in 0..3 {
        world.pass(6).await;
    }
    world.said(said.comment).expect("Started");
    assert_eq!(world.deployments(), [sha.as_str(), sha.as_str()]);
    assert_eq!(world.starts(), 1);
}

async fn an_approver_who_left_meanwhile_stops_a_held_trigger(setting: Setting) {
    let services = PLAIN.replace("{ deployer = 1 }", "{ qa = 1 }");
    let world = World::start(setting, &services).await;
    let (pull_request, sha) = world.ready("feature").await;
    hold_trigger(&world);
    let said = world.say("quinn", pull_request, "/deploy prod").await;
    assert_eq!(world.recorded("trigger.held").await, 1);
    world.set_member("quinn", false);
    for _ in 0..4 {
        world.pass(20).await;
    }
    let said = world.said(said.comment);
    said.expect("Void");
    said.expect("does not count");
    stopped(&world, &sha);
}

fn stopped(world: &World, sha: &str) {
    assert_eq!(world.starts(), 0);
    world.shows(sha, "error");
}

async fn a_gate_that_turned_red_meanwhile_stops_a_held_trigger(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, sha) = world.ready("feature").await;
    hold_trigger(&world);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    world.build(&sha, "failure").await;
    for _ in 0..4 {
        world.pass(20).await;
    }
    let said = world.said(said.comment);
    said.expect("Void");
    said.expect("build");
    stopped(&world, &sha);
}

async fn a_policy_that_changed_meanwhile_stops_a_held_trigger(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, sha) = world.ready("feature").await;
    hold_trigger(&world);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    let stricter = PLAIN.replace("{ deployer = 1 }", "{ deployer = 2 }");
    world.reconfigure(&stricter).await;
    for _ in 0..4 {
        world.pass(20).await;
    }
    world.said(said.comment).expect("the policy has changed");
    stopped(&world, &sha);
}

async fn what_was_decided_by_rules_that_are_replaced_does_not_leave(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, sha) = world.ready("feature").await;
    let comment = decided(&world, "ann", pull_request).await;
    let stricter = PLAIN.replace("{ deployer = 1 }", "{ deployer = 2 }");
    world.reconfigure_unheard(&stricter);
    world.come_back().await;
    world.settle().await;
    assert_eq!(world.recorded("trigger.held").await, 1);
    world.pass(10).await;
    world.said(comment).expect("the policy has changed");
    stopped(&world, &sha);
}

/// Another process loaded a configuration.
async fn loaded(world: &World, rules: &str) {
    let entry = Entry::new(
        world.shared.clock.now(),
        Action::ConfigurationLoaded,
        Actor::Countersign,
    );
    assert!(log::append(&world.store, vec![entry.with("rules", rules)]).await);
}

async fn a_process_that_has_not_read_the_newest_rules_releases_nothing(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, _) = world.ready("feature").await;
    loaded(&world, "others").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    assert_eq!(world.starts(), 0);
    assert_eq!(world.recorded("trigger.held").await, 1);
    for _ in 0..3 {
        world.pass(10).await;
    }
    assert_eq!(world.starts(), 0);
    let rules = world.rules();
    loaded(&world, &rules).await;
    world.pass(10).await;
    world.said(said.comment).expect("Started");
    assert_eq!(world.starts(), 1);
}

/// It is decided, and no delivery carries it out.
async fn decided(world: &World, person: &str, pull_request: u64) -> u64 {
    world.crash().await;
    world.work(&[Part::Intake]).await;
    let comment = world.comment(person, pull_request, "/deploy prod").await;
    eventually("it is decided", async || {
        (trigger(world).await != 0).then_some(())
    })
    .await;
    comment
}

/// The row of the trigger.
async fn trigger(world: &World) -> i64 {
    world
        .number("SELECT COALESCE(MAX(id), 0) FROM outbox WHERE priority = 0")
        .await
}

async fn a_trigger_that_grew_stale_leaves_again(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, sha) = world.ready("feature").await;
    let comment = decided(&world, "ann", pull_request).await;
    world.wait(90);
    world.come_back().await;
    world.settle().await;
    world.said(comment).expect("Started");
    assert_eq!(world.deployments(), [sha]);
    assert_eq!(world.recorded("triggered").await, 2);
}

async fn a_gate_that_turned_red_meanwhile_stops_a_stale_trigger(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, sha) = world.ready("feature").await;
    let comment = decided(&world, "ann", pull_request).await;
    world.build(&sha, "failure").await;
    world.wait(90);
    world.come_back().await;
    world.settle().await;
    let said = world.said(comment);
    said.expect("Void");
    said.expect("build");
    stopped(&world, &sha);
}

/// What an operator does to a row.
fn operate(world: &World, deed: &str, row: i64) {
    let config = service::write_config(&world.database, None, &Wishes::default());
    let row = row.to_string();
    let done = service::command(&config, &["outbox", deed, &row, "--reason", "tests"])
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(done.success(), "{deed}");
}

async fn a_dropped_trigger_is_told(setting: Setting) {
    let world = World::today(setting).await;
    let (pull_request, sha) = world.ready("feature").await;
    let comment = decided(&world, "ann", pull_request).await;
    world.crash().await;
    operate(&world, "drop", trigger(&world).await);
    world.come_back().await;
    world.settle().await;
    let said = world.said(comment);
    said.expect("an operator dropped the trigger");
    said.expect("/retry #1");
    assert!(world.deployments().is_empty());
    world.shows(&sha, "failure");
    world
        .say("ann", pull_request, "/retry #1")
        .await
        .expect("Started");
}

/// GitHub has it, and the sender died before it heard so.
async fn half_done(world: &World, pull_request: u64) -> u64 {
    world.reconnect(Some(std::time::Duration::from_secs(30)));
    world.hold();
    world.expect_trouble_at_start(Trouble::Silence);
    let comment = world.comment("ann", pull_request, "/deploy prod").await;
    world.release(&Order::AsTheyCame);
    eventually("the trigger arrives", async || {
        (!world.deployments().is_empty()).then_some(())
    })
    .await;
    world.crash().await;
    world.reconnect(None);
    world.leases_end().await;
    comment
}

async fn a_dropped_trigger_that_may_have_arrived_is_looked_for(setting: Setting) {
    let world = World::today(setting).await;
    let (pull_request, _) = world.ready("feature").await;
    let comment = half_done(&world, pull_request).await;
    operate(&world, "drop", trigger(&world).await);
    world.come_back().await;
    world.settle().await;
    world.pass(6).await;
    world.said(comment).expect("Started");
    assert_eq!(world.starts(), 1);
}

async fn a_retried_trigger_is_sent_once(setting: Setting) {
    let world = World::today(setting).await;
    let (pull_request, _) = world.ready("feature").await;
    let comment = decided(&world, "ann", pull_request).await;
    world.crash().await;
    operate(&world, "retry", trigger(&world).await);
    world.come_back().await;
    for _ in 0..6 {
        world.pass(20).await;
    }
    world.said(comment).expect("Started");
    assert_eq!(world.deployments().len(), 1);
    assert_eq!(world.starts(), 1);
}

async fn a_retried_trigger_that_arrived_is_not_sent_again(setting: Setting) {
    let world = World::today(setting).await;
    let (pull_request, _) = world.ready("feature").await;
    let comment = half_done(&world, pull_request).await;
    operate(&world, "retry", trigger(&world).await);
    world.come_back().await;
    for _ in 0..6 {
        world.pass(20).await;
    }
    world.said(comment).expect("Started");
    assert_eq!(world.deployments().len(), 1);
    assert_eq!(world.starts(), 1);
}
