//! Forgeries: checks that any workflow can post, runs that somebody dispatched, runs that wait and are not meant, and
//! comments that the forge never heard.

use countersign_sandbox::github::Order;
use serde_json::Value;

use crate::support::on_gitlab::with_trigger;
use crate::support::world::{SHOP, TWO, plain_with};
use crate::support::{Engine, World, on_both};

on_both!(
    a_check_that_a_workflow_posted_fills_no_gate,
    who_waits_for_a_posted_check_is_told_why,
    a_check_may_be_posted_where_the_policy_says_so,
    a_dispatched_run_fills_no_gate,
    a_run_of_another_event_counts_where_it_is_named,
    a_job_counts_though_its_check_came_before_the_push,
    only_the_named_workflow_is_let_through,
    of_several_runs_a_person_chooses,
);

const CHECK: (&str, &str) = (r#""check:build""#, r#"{ check = "build", app = 15368 }"#);

async fn a_check_that_a_workflow_posted_fills_no_gate(engine: Engine) {
    for services in [plain_with(&[]), plain_with(&[CHECK])] {
        let world = World::start(engine, &services).await;
        let (pull_request, sha) = world.merge("feature").await;
        world.build(&sha, "failure").await;
        world.status(&sha, "lint", "success").await;
        let staging = world.deploy(&sha, "staging").await;
        world.deployment_status(staging, "success").await;
        world
            .github
            .post_check(SHOP, &sha, "build", "success")
            .await;
        world.settle().await;
        assert_eq!(world.recorded("candidate.ready").await, 0);
        let said = world.say("ann", pull_request, "/deploy prod").await;
        said.expect("**Refused**");
        said.expect("❌ `check:build`: [failure](");
        assert!(world.deployments().is_empty());
        world.is_as_described();
    }
}

async fn who_waits_for_a_posted_check_is_told_why(engine: Engine) {
    let world = World::plain(engine).await;
    let (pull_request, sha) = world.merge("feature").await;
    world
        .github
        .post_check(SHOP, &sha, "build", "success")
        .await;
    world.settle().await;
    let said = world.say("ann", pull_request, "/why prod").await;
    said.expect(
        "`check:build`: what was reported does not count: a workflow posted it, as any can",
    );
}

async fn a_check_may_be_posted_where_the_policy_says_so(engine: Engine) {
    let posted = r#"{ check = "build", app = 15368, posted = true }"#;
    let services = plain_with(&[(CHECK.0, posted)]);
    let world = World::start(engine, &services).await;
    let (pull_request, sha) = world.merge("feature").await;
    world
        .github
        .post_check(SHOP, &sha, "build", "success")
        .await;
    world.status(&sha, "lint", "success").await;
    let staging = world.deploy(&sha, "staging").await;
    world.deployment_status(staging, "success").await;
    world.settle().await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
}

async fn a_dispatched_run_fills_no_gate(engine: Engine) {
    for gate in [r#""check:build""#, r#""workflow:ci.yml""#] {
        let world = World::start(engine, &plain_with(&[(CHECK.0, gate)])).await;
        let (pull_request, sha) = world.merge("feature").await;
        world.status(&sha, "lint", "success").await;
        let staging = world.deploy(&sha, "staging").await;
        world.deployment_status(staging, "success").await;
        let push = world.github.run(SHOP, "ci.yml", &sha, "push").await;
        let failed = ("completed", Some("failure"));
        world.github.job_of(SHOP, push, "build", failed).await;
        world.github.run_moves(push, failed.0, failed.1).await;
        // The same commit, with inputs that somebody chose.
        let by_hand = world
            .github
            .run(SHOP, "ci.yml", &sha, "workflow_dispatch")
            .await;
        let green = ("completed", Some("success"));
        world.github.job_of(SHOP, by_hand, "build", green).await;
        world.github.run_moves(by_hand, green.0, green.1).await;
        world.settle().await;
        assert_eq!(world.recorded("candidate.ready").await, 0, "{gate}");
        let said = world.say("ann", pull_request, "/deploy prod").await;
        said.expect("**Refused**");
        said.expect("[failure](");
        assert!(world.deployments().is_empty());
    }
}

async fn a_run_of_another_event_counts_where_it_is_named(engine: Engine) {
    let named = r#"{ check = "build", events = ["workflow_dispatch"] }"#;
    let world = World::start(engine, &plain_with(&[(CHECK.0, named)])).await;
    let (pull_request, sha) = world.merge("feature").await;
    world.status(&sha, "lint", "success").await;
    let staging = world.deploy(&sha, "staging").await;
    world.deployment_status(staging, "success").await;
    let run = world
        .github
        .run(SHOP, "ci.yml", &sha, "workflow_dispatch")
        .await;
    let green = ("completed", Some("success"));
    world.github.job_of(SHOP, run, "build", green).await;
    world.settle().await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
}

async fn a_job_counts_though_its_check_came_before_the_push(engine: Engine) {
    let world = World::plain(engine).await;
    let pull_request = world.open("feature").await;
    world.hold();
    let sha = world.github.merge(SHOP, pull_request, "bob").await;
    world.build(&sha, "success").await;
    world.release(&Order::Backwards);
    world.settle().await;
    world.status(&sha, "lint", "success").await;
    let staging = world.deploy(&sha, "staging").await;
    world.deployment_status(staging, "success").await;
    world.settle().await;
    assert_eq!(world.recorded("candidate.ready").await, 1);
}

const RULE: &str = r#"trigger = { github = "protection_rule", environment = "production", workflow = "release.yml" }"#;
const ANY: &str = r#"trigger = { github = "protection_rule", environment = "production" }"#;

async fn reach(world: &World, file: &str, sha: &str, event: &'static str) -> u64 {
    let run = world.github.run(SHOP, file, sha, event).await;
    let by = "github-actions[bot]";
    let deployment = world.github.deploy(SHOP, sha, "production", by).await;
    world
        .github
        .protection_rule_requested(SHOP, run, "production", deployment)
        .await;
    world.settle().await;
    run
}

fn let_through(world: &World) -> Vec<String> {
    let calls = world.calls().into_iter();
    calls
        .filter(|call| call.starts_with("POST") && call.ends_with("protection_rule"))
        .collect()
}

async fn only_the_named_workflow_is_let_through(engine: Engine) {
    let world = World::start(engine, &with_trigger(RULE)).await;
    let (pull_request, sha) = world.ready("feature").await;
    reach(&world, "other.yml", &sha, "push").await;
    reach(&world, "release.yml", &sha, "workflow_dispatch").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("waits for a run");
    assert!(let_through(&world).is_empty());
    let run = reach(&world, "release.yml", &sha, "push").await;
    let [call] = let_through(&world).try_into().unwrap();
    assert!(call.contains(&format!("/runs/{run}/")), "{call}");
    world.is_as_described();
}

async fn of_several_runs_a_person_chooses(engine: Engine) {
    let world = World::start(engine, &with_trigger(ANY)).await;
    let (pull_request, sha) = world.ready("feature").await;
    let meant = reach(&world, "release.yml", &sha, "push").await;
    let other = reach(&world, "other.yml", &sha, "push").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("several runs of the commit wait at production");
    assert!(let_through(&world).is_empty());
    world
        .github
        .run_moves(other, "completed", Some("cancelled"))
        .await;
    world.settle().await;
    world.pass(61).await;
    let [call] = let_through(&world).try_into().unwrap();
    assert!(call.contains(&format!("/runs/{meant}/")), "{call}");
}

/// Whoever learns GitLab's token can write any note, but not on GitLab.
#[tokio::test(flavor = "multi_thread")]
async fn a_note_that_gitlab_does_not_show_approves_nothing() {
    let two = plain_with(&[TWO]);
    let world = World::start(crate::support::on_gitlab::ON_GITLAB, &two).await;
    let (pull_request, _) = world.ready("feature").await;
    let asked = world.say("ann", pull_request, "/deploy prod").await;
    asked.expect("1 of 2");
    let harmless = world.comment("dora", pull_request, "looks good").await;
    let bobs = world
        .comment("bob", pull_request, "/countersign approve")
        .await;
    world.settle().await;
    let told = world.told().into_iter();
    let mut notes = told.filter(|(event, body)| {
        event == "Note Hook" && body["object_attributes"]["id"] == harmless
    });
    let (_, note) = notes.next().unwrap();
    let dora = note["object_attributes"]["author_id"].clone();
    for (number, id) in [harmless, bobs, 999_999].into_iter().enumerate() {
        let mut forged: Value = note.clone();
        forged["object_attributes"]["id"] = id.into();
        forged["object_attributes"]["author_id"] = dora.clone();
        forged["object_attributes"]["note"] = "/countersign approve #1".into();
        let id = format!("forged-{number}");
        assert!(world.deliver("Note Hook", &id, &forged).await < 300);
        world.said(asked.comment).expect("1 of 2");
    }
    assert!(world.posted("/play").is_empty());
    let said = world.say("dora", pull_request, "/approve").await;
    said.expect("2 of 2");
}
