//! Comments that their authors delete: what was to be done at them is done, and alarms nobody.

use countersign_sandbox::github::Order;

use crate::support::{Setting, World, on_both_forges};

on_both_forges!(
    a_comment_deleted_before_it_is_heard_alarms_nobody,
    a_comment_deleted_between_two_attempts_alarms_nobody,
    a_comment_deleted_after_its_answer_alarms_nobody,
    an_answer_that_was_deleted_is_written_again,
);

async fn world(setting: Setting) -> World {
    let world = World::plain(setting).await;
    world.github.deny_hearsay();
    world
}

async fn nobody_is_alarmed(world: &World) {
    let parked = "SELECT COUNT(*) FROM outbox WHERE state = 'parked'";
    assert_eq!(world.number(parked).await, 0);
    assert_eq!(world.recorded("effect.parked").await, 0);
    world.is_as_described();
}

async fn a_comment_deleted_before_it_is_heard_alarms_nobody(setting: Setting) {
    let world = world(setting).await;
    let (pull_request, _) = world.ready("feature").await;
    world.hold();
    let comment = world.comment("bob", pull_request, "/deploy prod").await;
    world.delete_comment("bob", comment).await;
    world.release(&Order::AsTheyCame);
    world.settle().await;
    let said = world.said(comment);
    said.expect("Refused");
    assert!(said.reactions.is_empty(), "{said:#?}");
    nobody_is_alarmed(&world).await;
}

async fn a_comment_deleted_between_two_attempts_alarms_nobody(setting: Setting) {
    let world = world(setting).await;
    let (pull_request, _) = world.ready("feature").await;
    world.expect_trouble_reacting();
    world.expect_trouble_reacting();
    let said = world.say("bob", pull_request, "/deploy prod").await;
    said.expect("Refused");
    world.delete_comment("bob", said.comment).await;
    world.pass(60).await;
    assert_eq!(world.trouble_left(), 0);
    nobody_is_alarmed(&world).await;
}

async fn a_comment_deleted_after_its_answer_alarms_nobody(setting: Setting) {
    let world = world(setting).await;
    let (pull_request, sha) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    world.delete_comment("ann", said.comment).await;
    world.finish("success").await;
    world.said(said.comment).expect("Live");
    assert_eq!(world.deployments(), [sha]);
    nobody_is_alarmed(&world).await;
}

async fn an_answer_that_was_deleted_is_written_again(setting: Setting) {
    let world = world(setting).await;
    let (pull_request, _) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    world.delete_comment("ann", world.newest_answer()).await;
    assert!(world.said(said.comment).answers.is_empty());
    world.finish("success").await;
    world.said(said.comment).expect("Live");
    nobody_is_alarmed(&world).await;
}
