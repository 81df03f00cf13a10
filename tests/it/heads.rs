//! Heads: an approval is for one full commit, asked for in one place; whatever moves in between, it is void.

use countersign::domain::Forge;
use countersign_sandbox::github::{NewCommit, Order};

use crate::support::world::{PLAIN, TWO, plain_with};
use crate::support::{Setting, World, on_both_forges};

on_both_forges!(
    a_changed_policy_voids_what_waits,
    a_push_to_the_pull_request_voids_what_waits,
    a_push_that_nobody_told_of_is_noticed,
    a_yes_from_before_the_request_is_not_meant_for_it,
    a_yes_elsewhere_is_another_yes,
    a_commit_is_named_by_its_own_id,
    only_merged_commits_are_released_by_default,
    a_draft_is_refused_until_it_is_none,
    a_head_that_moves_while_the_trigger_is_held_stays_here,
    a_commit_that_leaves_the_release_branch_is_void,
    a_sibling_inherits_no_approval,
    a_fork_is_refused_unless_the_policy_lets_it,
);

const OPEN: (&str, &str) = ("exclude = []", "exclude = []\nallow = [\"open-heads\"]");

fn open_heads(also: &str) -> String {
    let allow = format!("exclude = []\nallow = [\"open-heads\"{also}]");
    plain_with(&[TWO, ("exclude = []", &allow)])
}

/// An open pull request whose head is green.
async fn open_and_green(world: &World, title: &str) -> (u64, String) {
    let pull_request = world.open(title).await;
    let branch = format!("work-{title}");
    let sha = world.head(&branch).unwrap();
    world.make_ready(&sha).await;
    (pull_request, sha)
}

async fn a_changed_policy_voids_what_waits(setting: Setting) {
    let two = plain_with(&[TWO]);
    let fewer_gates = plain_with(&[TWO, (r#""check:build", "#, "")]);
    let other_target = plain_with(&[TWO, ("\"production\"", "\"elsewhere\"")]);
    let world = World::start(setting, &two).await;
    let (pull_request, _) = world.ready("feature").await;
    let mut number = 0;
    for changed in [PLAIN, &fewer_gates, &other_target] {
        number += 1;
        let asked = world.say("ann", pull_request, "/deploy prod").await;
        asked.expect("1 of 2");
        world.reconfigure(changed).await;
        let said = world.say("dora", pull_request, "/approve").await;
        said.expect("is void, because the policy has changed since it was asked for");
        world.said(asked.comment).expect("Void since");
        assert_eq!(world.recorded("voided").await, number);
        world.reconfigure(&two).await;
    }
    assert!(world.deployments().is_empty());

    // Who asks again is not held up by it.
    let asked = world.say("ann", pull_request, "/deploy prod").await;
    world.reconfigure(PLAIN).await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    world.said(asked.comment).expect("the policy has changed");
    world.is_as_described();
}

async fn a_push_to_the_pull_request_voids_what_waits(setting: Setting) {
    let world = World::start(setting, &open_heads("")).await;
    let (pull_request, sha) = open_and_green(&world, "feature").await;
    let asked = world.say("ann", pull_request, "/deploy prod").await;
    asked.expect("1 of 2");
    asked.expect(&sha);
    let commit = NewCommit::by("bob", "sneaked in");
    let head = world.push_to("work-feature", vec![commit]).await;
    world.settle().await;
    let said = world.said(asked.comment);
    said.expect("Void since");
    said.expect(&format!("the pull request's head is {head} now"));
    assert_eq!(world.recorded("voided").await, 1);
    let said = world.say("dora", pull_request, "/approve #1").await;
    said.expect("does not wait for an answer: it is voided");
    assert!(world.deployments().is_empty());
    world.is_as_described();
}

async fn a_push_that_nobody_told_of_is_noticed(setting: Setting) {
    let world = World::start(setting, &open_heads("")).await;
    let (pull_request, sha) = open_and_green(&world, "feature").await;
    world
        .say("ann", pull_request, "/deploy prod")
        .await
        .expect("1 of 2");
    world.lose_next(2);
    let commit = NewCommit::by("bob", "sneaked in");
    let head = world.push_to("work-feature", vec![commit]).await;
    let said = world.say("dora", pull_request, "/approve #1").await;
    said.expect(&format!(
        "the head of pull request {pull_request} is {head} now"
    ));
    assert!(world.deployments().is_empty());
    assert_ne!(sha, head);
}

async fn a_head_that_moves_while_the_trigger_is_held_stays_here(setting: Setting) {
    let world = World::start(setting, &plain_with(&[OPEN])).await;
    let (pull_request, _) = open_and_green(&world, "feature").await;
    world.hold_start(120);
    let asked = world.say("ann", pull_request, "/deploy prod").await;
    assert_eq!(world.recorded("trigger.held").await, 1);
    let commit = NewCommit::by("bob", "sneaked in");
    world.push_to("work-feature", vec![commit]).await;
    world.settle().await;
    world.pass(130).await;
    world.said(asked.comment).expect("Void since");
    assert_eq!(world.recorded("voided").await, 1);
    assert_eq!(world.recorded("started").await, 0);
    assert_eq!(world.deployment().await, 0);
}

async fn a_commit_that_leaves_the_release_branch_is_void(setting: Setting) {
    let world = World::start(setting, &plain_with(&[TWO])).await;
    let before = world.head("main").unwrap();
    let (pull_request, sha) = world.ready("feature").await;
    let asked = world.say("ann", pull_request, "/deploy prod").await;
    asked.expect("1 of 2");
    world.force_push("main", &before).await;
    let gone = "the commit is not on `main` any more";
    world.said(asked.comment).expect(gone);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("the commit is not on the release branch `main`");

    world.force_push("main", &sha).await;
    let asked = world.say("ann", pull_request, "/deploy prod").await;
    asked.expect("1 of 2");
    world.delete_branch("main").await;
    world.said(asked.comment).expect(gone);
    assert_eq!(world.recorded("voided").await, 2);
    assert!(world.deployments().is_empty());
    world.is_as_described();
}

async fn a_sibling_inherits_no_approval(setting: Setting) {
    let world = World::start(setting, &open_heads("")).await;
    let (first, sha) = open_and_green(&world, "feature").await;
    world.set_branch("sibling", &sha);
    let sibling = world.open_pull_request("sibling").await;
    let asked = world.say("ann", first, "/deploy prod").await;
    asked.expect("1 of 2");
    let said = world.say("dora", sibling, "/deploy prod").await;
    said.expect("#1 asks for this already");
    assert!(world.deployments().is_empty());

    world.close(first).await;
    world
        .said(asked.comment)
        .expect("the pull request is not open any more");
    let said = world.say("dora", sibling, "/deploy prod").await;
    said.expect("**Release #2**");
    said.expect("Waiting for approval, 1 of 2");
    said.expect("Approved by `dora`.");
    assert!(world.deployments().is_empty());
    world.say("ann", sibling, "/approve").await.expect("2 of 2");
    assert_eq!(world.deployments(), [sha]);
    world.is_as_described();
}

async fn a_yes_from_before_the_request_is_not_meant_for_it(setting: Setting) {
    let world = World::start(setting, &plain_with(&[TWO])).await;
    let (pull_request, _) = world.ready("feature").await;
    world.hold();
    let early = world.comment("dora", pull_request, "/approve #1").await;
    // The comments' times are the forge's own, in whole seconds.
    world.wait(1);
    let asked = world.comment("ann", pull_request, "/deploy prod").await;
    world.release(&Order::Backwards);
    world.settle().await;
    world
        .said(early)
        .expect("this was written before #1, shop → **prod**");
    world.said(asked).expect("1 of 2");
    assert!(world.deployments().is_empty());
}

async fn a_yes_elsewhere_is_another_yes(setting: Setting) {
    let world = World::start(setting, &plain_with(&[TWO])).await;
    let (pull_request, sha) = world.ready("feature").await;
    let (other, _) = world.merge("other").await;
    let asked = world.say("ann", pull_request, "/deploy prod").await;
    for command in ["/approve", "/reject", "/cancel"] {
        let said = world.say("dora", other, command).await;
        said.expect("no request of this pull request waits for an answer. Name another one: #1.");
    }
    world.said(asked.comment).expect("1 of 2");
    assert!(world.deployments().is_empty());
    let said = world.say("dora", other, "/approve #1").await;
    said.expect("2 of 2");
    assert_eq!(world.deployments(), [sha]);
}

async fn a_commit_is_named_by_its_own_id(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, sha) = world.ready("feature").await;
    let (other, wrong) = world.ready("other").await;
    // A branch that looks like the beginning of the commit.
    world.set_branch(&sha[..8], &wrong);
    let command = format!("/deploy prod {}", &sha[..8]);
    let said = world.say("ann", other, &command).await;
    said.expect("whose id does not begin so");
    assert!(world.deployments().is_empty());
    let command = format!("/deploy prod {}", &sha[..9]);
    let said = world.say("ann", other, &command).await;
    said.expect("Started");
    world.finish("failure").await;
    let command = format!("/deploy prod #{pull_request}");
    let said = world.say("ann", other, &command).await;
    said.expect("Started");
    assert_eq!(world.deployments(), [sha.as_str(), &sha]);
    world.is_as_described();
}

async fn only_merged_commits_are_released_by_default(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, sha) = open_and_green(&world, "feature").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect(&format!("pull request {pull_request} is not merged"));
    said.expect("Merge it first.");
    // Nor by its name.
    for command in [
        format!("/deploy prod {sha}"),
        format!("/rollback prod {sha}"),
    ] {
        let said = world.say("ann", pull_request, &command).await;
        said.expect("the commit is not on the release branch `main`");
    }
    let said = world
        .say("ann", pull_request, "/deploy prod 12345678")
        .await;
    said.expect("which commit `12345678` is could not be found out");
    assert!(world.deployments().is_empty());
    world.is_as_described();
}

async fn a_fork_is_refused_unless_the_policy_lets_it(setting: Setting) {
    let world = World::start(setting, &open_heads("")).await;
    let (pull_request, sha) = world.open_from_fork().await;
    world.make_ready(&sha).await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("comes from a fork, whose code the policy does not release");
    let said = world
        .say("ann", pull_request, &format!("/deploy prod {sha}"))
        .await;
    said.expect("the commit is not on the release branch `main`");

    // What tests a fork's commit is no push to a branch here.
    let services = open_heads(", \"forks\"");
    let services = match world.forge {
        Forge::GitHub => {
            let named = r#"{ check = "build", events = ["pull_request"] }"#;
            services.replace(r#""check:build""#, named)
        }
        Forge::GitLab => services,
    };
    world.reconfigure(&services).await;
    let asked = world.say("ann", pull_request, "/deploy prod").await;
    asked.expect("Waiting for approval, 1 of 2");
    // The fork is gone, and with it whose code it was.
    world.delete_fork();
    let said = world.say("dora", pull_request, "/approve").await;
    said.expect("2 of 2");
    assert_eq!(world.deployments(), [sha]);
}

async fn a_draft_is_refused_until_it_is_none(setting: Setting) {
    let world = World::start(setting, &open_heads("")).await;
    let (pull_request, sha) = open_and_green(&world, "feature").await;
    world.make_draft(pull_request).await;
    world.settle().await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect(&format!("pull request {pull_request} is a draft"));
    said.expect("Mark it as ready for review.");

    world.make_final(pull_request).await;
    world.settle().await;
    let asked = world.say("ann", pull_request, "/deploy prod").await;
    asked.expect("1 of 2");
    world.make_draft(pull_request).await;
    world.settle().await;
    let said = world.said(asked.comment);
    said.expect("Void since");
    said.expect("the pull request is a draft now");

    world.reconfigure(&open_heads(", \"drafts\"")).await;
    let asked = world.say("ann", pull_request, "/deploy prod").await;
    asked.expect("1 of 2");
    let said = world.say("dora", pull_request, "/approve").await;
    said.expect("2 of 2");
    assert_eq!(world.deployments(), [sha]);
    world.is_as_described();
}
