//! Healing of what was lost: deliveries, answers, tokens, and the service itself after a crash.

use std::time::Duration;

use countersign_sandbox::github::{NewCommit, Order, Trouble};

use crate::contract;
use crate::support::crew::{ALL, Part};
use crate::support::world::SHOP;
use crate::support::{Engine, Setting, World, eventually, on_both, on_both_forges};

on_both_forges!(
    two_services_on_one_database_start_once,
    a_trigger_that_vanished_may_not_leave_any_more,
);

// On GitHub only:
on_both!(
    // `gitlab_healing.rs` has these for each of GitLab's five ways to start a release.
    a_crash_before_the_decision,
    a_crash_after_the_decision,
    a_crash_after_the_trigger,
    a_crash_instead_of_the_trigger,
    a_crash_after_the_outcome,
    a_lost_answer_is_found_by_looking,
    a_lost_answer_is_found_by_the_event,
    a_trigger_that_vanished_is_sent_once_more_and_then_asked_about,
    lost_deliveries_are_read_again,
    names_are_looked_up_when_github_is_back,
    // GitLab is asked for them webhook by webhook: `webhooks::lost_deliveries_of_gitlab_are_asked_for`.
    failed_deliveries_are_asked_for,
    // GitLab's token is the one of the configuration, which the service cannot renew.
    tokens_that_ended_are_renewed,
);

const LONG: Duration = Duration::from_secs(30);

/// Waits for the call that starts a release, however it is answered.
async fn triggered(world: &World) {
    eventually("the trigger arrives", async || {
        (!world.deployments().is_empty()).then_some(())
    })
    .await;
}

/// The release goes on to its end, with one start.
async fn ends_well(world: &World, comment: u64) {
    for _ in 0..12 {
        if world.external(1).await != 0 {
            break;
        }
        world.pass(20).await;
    }
    assert_eq!(world.starts(), 1, "{:#?}", world.said(comment));
    world.finish("success").await;
    world.said(comment).expect("Live");
    world.pass(300).await;
    assert_eq!(world.starts(), 1);
    assert_eq!(world.recorded("succeeded").await, 1);
    assert_eq!(world.recorded("production.unexplained").await, 0);
    world.is_as_described();
}

async fn a_crash_before_the_decision(engine: Engine) {
    let world = World::plain(engine).await;
    let (pull_request, _) = world.ready("feature").await;
    world.crash().await;
    let comment = world
        .github
        .comment("ann", SHOP, pull_request, "/deploy prod")
        .await;
    world.github.delivered().await;
    assert_eq!(world.newest().await, 0);
    world.come_back().await;
    world.settle().await;
    ends_well(&world, comment).await;
}

async fn a_crash_after_the_decision(engine: Engine) {
    let world = World::plain(engine).await;
    let (pull_request, _) = world.ready("feature").await;
    world.crash().await;
    world.work(&[Part::Intake]).await;
    let comment = world
        .github
        .comment("ann", SHOP, pull_request, "/deploy prod")
        .await;
    let trigger = "SELECT COUNT(*) FROM outbox WHERE priority = 0 AND state = 'waiting'";
    eventually("it is decided", async || {
        (world.number(trigger).await == 1).then_some(())
    })
    .await;
    assert_eq!(world.starts(), 0);
    world.crash().await;
    world.come_back().await;
    world.settle().await;
    ends_well(&world, comment).await;
}

async fn a_crash_after_the_trigger(engine: Engine) {
    let world = World::plain(engine).await;
    let (pull_request, _) = world.ready("feature").await;
    world.reconnect(Some(LONG));
    world.github.hold();
    world
        .github
        .expect_trouble_at("POST", "/deployments", Trouble::Silence);
    let comment = world
        .github
        .comment("ann", SHOP, pull_request, "/deploy prod")
        .await;
    world.github.release(&Order::AsTheyCame);
    triggered(&world).await;
    world.crash().await;
    world.reconnect(None);
    world.come_back().await;
    world.settle().await;
    ends_well(&world, comment).await;
}

async fn a_crash_instead_of_the_trigger(engine: Engine) {
    let world = World::plain(engine).await;
    let (pull_request, _) = world.ready("feature").await;
    world.reconnect(Some(LONG));
    world
        .github
        .expect_trouble_at("POST", "/deployments", Trouble::SilenceBefore);
    let comment = world
        .github
        .comment("ann", SHOP, pull_request, "/deploy prod")
        .await;
    triggered(&world).await;
    world.crash().await;
    world.reconnect(None);
    world.come_back().await;
    world.settle().await;
    assert_eq!(world.starts(), 0);
    ends_well(&world, comment).await;
}

async fn a_crash_after_the_outcome(engine: Engine) {
    let world = World::plain(engine).await;
    let (pull_request, _) = world.ready("feature").await;
    world.crash().await;
    world.work(&[Part::Intake]).await;
    let comment = world
        .github
        .comment("ann", SHOP, pull_request, "/deploy prod")
        .await;
    let trigger = "SELECT COUNT(*) FROM outbox WHERE priority = 0 AND state";
    eventually("it is decided", async || {
        (world.number(&format!("{trigger} = 'waiting'")).await == 1).then_some(())
    })
    .await;
    world.crash().await;
    world.work(&[Part::Delivery]).await;
    eventually("its outcome is recorded", async || {
        (world.number(&format!("{trigger} = 'done'")).await == 1).then_some(())
    })
    .await;
    world.crash().await;
    world.come_back().await;
    world.settle().await;
    ends_well(&world, comment).await;
}

async fn two_services_on_one_database_start_once(setting: Setting) {
    let world = World::plain(setting).await;
    world.work(&ALL).await;
    world.repeat_each(3);
    let (pull_request, _) = world.ready("feature").await;
    let comment = world.comment("ann", pull_request, "/deploy prod").await;
    let second = world.comment("dora", pull_request, "/deploy prod").await;
    world.settle().await;
    assert_eq!(world.starts(), 1);
    assert_eq!(world.newest().await, 1);
    let (one, other) = (world.said(comment), world.said(second));
    let (winner, loser) = if one.answer().contains("Refused") {
        (other, one)
    } else {
        (one, other)
    };
    winner.expect("Started");
    loser.expect("#1");
    ends_well(&world, winner.comment).await;
}

async fn a_lost_answer_is_found_by_looking(engine: Engine) {
    let world = World::plain(engine).await;
    let (pull_request, _) = world.ready("feature").await;
    world.github.expect_trouble_at(
        "POST",
        "/deployments",
        Trouble::FailAfterActing { status: 502 },
    );
    let comment = world.say_unheard("ann", pull_request, "/deploy prod").await;
    world.said(comment).expect("lost");
    assert_eq!(world.external(1).await, 0);
    world.pass(6).await;
    assert_ne!(world.external(1).await, 0);
    world.said(comment).expect("Started");
    assert_eq!(world.recorded("trigger.found").await, 1);
    ends_well(&world, comment).await;
}

async fn a_lost_answer_is_found_by_the_event(engine: Engine) {
    let world = World::plain(engine).await;
    let (pull_request, _) = world.ready("feature").await;
    world
        .github
        .expect_trouble_at("POST", "/deployments", Trouble::Silence);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    assert_eq!(world.recorded("trigger.found").await, 1);
    ends_well(&world, said.comment).await;
}

async fn a_trigger_that_vanished_is_sent_once_more_and_then_asked_about(engine: Engine) {
    let world = World::plain(engine).await;
    let (pull_request, sha) = world.ready("feature").await;
    for _ in 0..2 {
        world
            .github
            .expect_trouble_at("POST", "/deployments", Trouble::Reset);
    }
    let said = world.say("ann", pull_request, "/deploy prod").await;
    for _ in 0..12 {
        world.pass(20).await;
    }
    assert_eq!(world.deployments().len(), 2, "sent twice, and never again");
    assert_eq!(world.starts(), 0);
    let said = world.said(said.comment);
    said.expect("/cancel #1");
    said.expect("/retry #1");
    assert_eq!(world.shown(&sha, "countersign/prod").unwrap().0, "pending");
    let marks: Vec<_> = world
        .github
        .exchanges()
        .into_iter()
        .filter(|exchange| exchange.method == "POST" && exchange.path.ends_with("/deployments"))
        .map(|exchange| exchange.request_body.as_ref().unwrap()["payload"].clone())
        .collect();
    assert_eq!(marks[0], marks[1]);
    world
        .say("ann", pull_request, "/cancel #1")
        .await
        .expect("Cancelled");
    assert_eq!(world.shown(&sha, "countersign/prod").unwrap().0, "error");
    let again = world.say("ann", pull_request, "/retry #1").await;
    again.expect("Started");
    assert_eq!(world.starts(), 1);
    world
        .github
        .deployment_status(world.external(2).await, "success")
        .await;
    world.settle().await;
    world.said(again.comment).expect("Live");
}

async fn a_trigger_that_vanished_may_not_leave_any_more(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, sha) = world.ready("feature").await;
    world.expect_trouble_at_start(Trouble::Reset);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    world.build(&sha, "failure").await;
    world.settle().await;
    for _ in 0..6 {
        world.pass(20).await;
    }
    assert_eq!(world.deployments().len(), 1);
    let said = world.said(said.comment);
    // It may have started all the same: a person must look.
    said.expect("no release with our mark");
    assert_eq!(world.starts(), 0);
}

async fn failed_deliveries_are_asked_for(engine: Engine) {
    let world = World::plain(engine).await;
    let (pull_request, _) = world.ready("feature").await;
    world.github.drop_next(1);
    let comment = world
        .github
        .comment("ann", SHOP, pull_request, "/deploy prod")
        .await;
    world.settle().await;
    assert_eq!(world.newest().await, 0);
    world.pass(301).await;
    eventually("the delivery is there", async || {
        (world.newest().await == 1).then_some(())
    })
    .await;
    world.settle().await;
    ends_well(&world, comment).await;
    contract::check(&world.github);
}

async fn lost_deliveries_are_read_again(engine: Engine) {
    let world = World::plain(engine).await;
    world.github.hold();
    let sha = world
        .github
        .push(SHOP, "main", vec![NewCommit::by("bob", "unheard")])
        .await;
    world.build(&sha, "success").await;
    world
        .github
        .status(SHOP, &sha, "lint", ("success", "bob"))
        .await;
    let staging = world.github.deploy(SHOP, &sha, "staging", "bob").await;
    world.github.deployment_status(staging, "success").await;
    world.github.release(&Order::Chosen(Vec::new()));
    world.settle().await;
    assert_eq!(world.recorded("candidate.ready").await, 0);
    world.pass(601).await;
    assert_eq!(world.recorded("candidate.ready").await, 1);
    let said = world.say("ann", 3, &format!("/deploy prod {sha}")).await;
    said.expect("Started");
    // What did not change is not sent again by GitHub, and does not count against our limit.
    world.pass(601).await;
    world.pass(601).await;
    assert!(world.github.unchanged() > 0);
    contract::check(&world.github);
}

async fn names_are_looked_up_when_github_is_back(engine: Engine) {
    let world = World::plain(engine).await;
    let renamed = crate::support::world::PLAIN.replace("[\"ann\", \"dora\"]", "[\"bob\"]");
    let pins = "SELECT COUNT(*) FROM pin WHERE name = 'bob'";
    for _ in 0..3 {
        world.github.expect_trouble_at("GET", "/", Trouble::Reset);
    }
    world.reconfigure_unheard(&renamed);
    eventually("it tried", async || {
        (world.github.trouble_left() < 3).then_some(())
    })
    .await;
    assert_eq!(world.number(pins).await, 0);
    eventually("the name is known", async || {
        world.pass(21).await;
        (world.number(pins).await == 1).then_some(())
    })
    .await;
}

async fn tokens_that_ended_are_renewed(engine: Engine) {
    let world = World::plain(engine).await;
    let (pull_request, _) = world.ready("feature").await;
    world.github.expire_tokens();
    let said = world.say("ann", pull_request, "/deploy prod").await;
    world.pass(5).await;
    let said = world.said(said.comment);
    said.expect("Started");
    world.github.expire_tokens();
    ends_well(&world, said.comment).await;
}
