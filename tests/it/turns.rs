//! Turns: one release at a time, newer before older, and back only when a person says so.

use crate::support::world::{TWO, plain_with};
use crate::support::{Setting, World, on_both_forges};

on_both_forges!(
    a_newer_commit_takes_the_place_of_an_older_one,
    a_newer_wish_takes_the_place_of_an_older_one,
    back_is_asked_for_as_a_rollback,
    one_release_at_a_time,
    a_failed_release_is_tried_again,
    a_request_expires,
    a_request_is_rejected_or_withdrawn,
    a_locked_environment_is_closed,
    a_frozen_environment_is_closed,
);

async fn a_newer_commit_takes_the_place_of_an_older_one(setting: Setting) {
    let world = World::start(setting, &plain_with(&[TWO])).await;
    let (first, old) = world.ready("one").await;
    let asked = world.say("ann", first, "/deploy prod").await;
    asked.expect("1 of 2");
    let (_, new) = world.merge("two").await;
    world.said(asked.comment).expect("1 of 2");
    world.make_ready(&new).await;
    let said = world.said(asked.comment);
    said.expect("Superseded");
    said.expect(&format!("{new} is newer, and ready"));
    assert_eq!(said.reactions, ["eyes", "confused"]);
    assert_eq!(world.recorded("superseded").await, 1);
    world.shows(&old, "error");
    let said = world.say("dora", first, "/approve #1").await;
    said.expect("does not wait for an answer: it is superseded");
    let said = world.say("dora", first, "/retry #1").await;
    said.expect("**Refused**");
    assert!(world.deployments().is_empty());
    world.is_as_described();
}

async fn a_newer_wish_takes_the_place_of_an_older_one(setting: Setting) {
    let world = World::start(setting, &plain_with(&[TWO])).await;
    let (first, _) = world.ready("one").await;
    let (second, new) = world.ready("two").await;
    let older = world.say("ann", first, "/deploy prod").await;
    older.expect("1 of 2");
    let newer = world.say("ann", second, "/deploy prod").await;
    newer.expect("**Release #2**");
    let said = world.said(older.comment);
    said.expect(&format!("{new} was asked for, which is newer"));
    let said = world.say("dora", first, "/deploy prod").await;
    said.expect("#2 asks for a newer commit. `/cancel #2` withdraws it.");
    world.say("dora", second, "/approve").await.expect("2 of 2");
    assert_eq!(world.deployments(), [new]);
}

async fn back_is_asked_for_as_a_rollback(setting: Setting) {
    let world = World::plain(setting).await;
    let (first, old) = world.live("one").await;
    let (second, new) = world.live("two").await;
    let said = world.say("ann", second, "/deploy prod").await;
    said.expect("the commit is live in **prod** already");
    let said = world.say("ann", first, "/deploy prod").await;
    said.expect("the commit is older than");
    said.expect(&format!("Ask for it with `/rollback prod {old}`."));
    assert_eq!(world.deployments(), [old.as_str(), &new]);

    let asked = world.say("ann", first, "/rollback prod").await;
    asked.expect(&format!("**Rollback #3**: shop → **prod** at {old}"));
    assert_eq!(world.deployments().last(), Some(&old));
    world.finish("success").await;
    world.said(asked.comment).expect("Live");
    let status = world.say("bob", first, "/status prod").await;
    status.expect(&format!("{old} since"));

    // Forward again is a deploy.
    let said = world
        .say("ann", first, &format!("/rollback prod {new}"))
        .await;
    said.expect(&format!("Ask for it with `/deploy prod {new}`."));
    let said = world.say("ann", second, "/deploy prod").await;
    said.expect("Started");
    world.is_as_described();
}

async fn one_release_at_a_time(setting: Setting) {
    let world = World::plain(setting).await;
    let (first, _) = world.ready("one").await;
    let (second, new) = world.ready("two").await;
    world
        .say("ann", first, "/deploy prod")
        .await
        .expect("Started");
    for state in ["queued", "in_progress"] {
        world.finish(state).await;
        for (person, command) in [("dora", "/deploy prod"), ("ann", "/deploy prod")] {
            let said = world.say(person, second, command).await;
            said.expect("#1 releases");
            said.expect("Wait for its end.");
        }
    }
    assert_eq!(world.deployments().len(), 1);
    let said = world.say("ann", first, "/cancel #1").await;
    said.expect("is under way");
    world.finish("success").await;
    world
        .say("dora", second, "/deploy prod")
        .await
        .expect("Started");
    assert_eq!(world.deployments().last(), Some(&new));
    world.is_as_described();
}

async fn a_failed_release_is_tried_again(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, sha) = world.ready("feature").await;
    let asked = world.say("ann", pull_request, "/deploy prod").await;
    let said = world.say("ann", pull_request, "/retry #1").await;
    said.expect("**Refused**");
    world.finish("failure").await;
    let said = world.said(asked.comment);
    said.expect("Failed");
    said.expect("`/retry #1` asks for it again");
    let said = world.say("bob", pull_request, "/retry #1").await;
    said.expect("`bob` has none of the roles");
    let said = world.say("ann", pull_request, "/retry").await;
    said.expect("Say `/retry #N`.");
    let said = world.say("dora", pull_request, "/retry #1").await;
    said.expect(&format!("**Retry #2**: shop → **prod** at {sha}"));
    world.finish("success").await;
    world.said(said.comment).expect("Live");
    assert_eq!(world.deployments(), [sha.as_str(), &sha]);
    let said = world.say("dora", pull_request, "/retry #2").await;
    said.expect("**Refused**");
    world.is_as_described();
}

async fn a_request_expires(setting: Setting) {
    let services = plain_with(&[TWO, ("exclude = []", "exclude = []\nexpires = \"30m\"")]);
    let world = World::start(setting, &services).await;
    let (pull_request, sha) = world.ready("feature").await;
    let asked = world.say("ann", pull_request, "/deploy prod").await;
    asked.expect("It expires at");
    world.pass(29 * 60).await;
    world.said(asked.comment).expect("Waiting for approval");
    world.pass(61).await;
    let said = world.said(asked.comment);
    said.expect("Expired");
    said.expect("`/retry #1`");
    assert_eq!(world.recorded("expired").await, 1);
    let said = world.say("dora", pull_request, "/approve #1").await;
    said.expect("it is expired");
    let said = world.say("dora", pull_request, "/retry #1").await;
    said.expect("Waiting for approval, 1 of 2");
    world
        .say("ann", pull_request, "/approve")
        .await
        .expect("2 of 2");
    assert_eq!(world.deployments(), [sha]);
    world.is_as_described();
}

async fn a_request_is_rejected_or_withdrawn(setting: Setting) {
    let world = World::start(setting, &plain_with(&[TWO])).await;
    let (pull_request, _) = world.ready("feature").await;
    let asked = world.say("ann", pull_request, "/deploy prod").await;
    for command in ["/reject #1", "/cancel #1"] {
        let said = world.say("bob", pull_request, command).await;
        said.expect("`bob` has none of the roles");
    }
    world.said(asked.comment).expect("Waiting");
    let command = "/reject #1 --reason \"not on a Friday\"";
    let said = world.say("dora", pull_request, command).await;
    said.expect("**Rejected** #1");
    let said = world.said(asked.comment);
    said.expect("`dora` said no: `not on a Friday`");
    assert_eq!(world.recorded("rejected").await, 1);

    let asked = world.say("ann", pull_request, "/deploy prod").await;
    let said = world.say("ann", pull_request, "/cancel").await;
    said.expect("**Cancelled** #2");
    world.said(asked.comment).expect("withdrawn by `ann`");
    assert_eq!(world.recorded("cancelled").await, 1);
    for command in ["/approve #1", "/approve #2", "/approve", "/approve #9"] {
        let said = world.say("dora", pull_request, command).await;
        said.expect("**Refused**");
    }
    assert!(world.deployments().is_empty());
    world.is_as_described();
}

async fn a_locked_environment_is_closed(setting: Setting) {
    let world = World::start(setting, &plain_with(&[TWO])).await;
    let (pull_request, sha) = world.ready("feature").await;
    let asked = world.say("ann", pull_request, "/deploy prod").await;
    asked.expect("1 of 2");
    let said = world
        .say("bob", pull_request, "/lock prod --reason mine")
        .await;
    said.expect("`bob` has none of the roles");
    let command = "/lock prod --for 2h --reason \"stock-taking\"";
    let said = world.say("ann", pull_request, command).await;
    said.expect("**Locked**: shop → **prod** until");
    let said = world.say("dora", pull_request, "/approve").await;
    said.expect("**prod** is locked by `ann` since");
    said.expect("`stock-taking`");
    said.expect("`/unlock prod` opens it.");
    let status = world.say("bob", pull_request, "/status").await;
    status.expect("**prod** is locked by `ann` since");
    status.expect("`stock-taking`");
    assert!(world.deployments().is_empty());

    world.pass(2 * 3_600 + 1).await;
    assert_eq!(world.recorded("unlocked").await, 1);
    world
        .say("dora", pull_request, "/approve")
        .await
        .expect("2 of 2");
    assert_eq!(world.deployments(), [sha]);
    world.finish("failure").await;

    let said = world
        .say("ann", pull_request, "/lock prod --reason broken")
        .await;
    said.expect("**Locked**: shop → **prod**: `broken`");
    world.pass(8 * 3_600).await;
    let said = world.say("dora", pull_request, "/retry #1").await;
    said.expect("**prod** is locked by `ann`");
    let said = world.say("bob", pull_request, "/unlock prod").await;
    said.expect("`bob` has none of the roles");
    let said = world.say("dora", pull_request, "/unlock prod").await;
    said.expect("**Unlocked**");
    let said = world.say("dora", pull_request, "/unlock prod").await;
    said.expect("**prod** is not locked");
    let said = world.say("dora", pull_request, "/retry #1").await;
    said.expect("1 of 2");
    world.is_as_described();
}

async fn a_frozen_environment_is_closed(setting: Setting) {
    let frozen = plain_with(&[("exclude = []", "exclude = []\nfreeze = \"until Monday\"")]);
    let world = World::start(setting, &frozen).await;
    let sha = world.push("change").await;
    world.make_ready(&sha).await;
    let command = format!("/deploy prod {sha}");
    let said = world.say("ann", 3, &command).await;
    said.expect("**prod** is frozen: `until Monday`");
    said.expect("The freeze ends when it is taken out of the configuration.");
    world.reconfigure(&plain_with(&[])).await;
    world.say("ann", 3, &command).await.expect("Started");
}
