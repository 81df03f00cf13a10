//! Triggers on GitHub: every way in which a release can start there, and what each says when it does not.

use countersign_sandbox::github::Trouble;
use serde_json::Value;

use crate::contract;
use crate::support::world::{PLAIN, SHOP};
use crate::support::{Engine, World, on_both};

// On GitHub only: these are its triggers. GitLab's are in `gitlab_triggers.rs`.
on_both!(
    a_deployment_names_the_commit_and_carries_our_mark,
    what_github_refuses_has_failed_in_its_own_words,
    a_dispatched_workflow_is_followed_by_its_number,
    a_dispatched_workflow_is_found_by_its_title,
    a_run_that_cannot_be_found_is_asked_about,
    a_repository_dispatch_is_found_by_its_title,
    a_run_that_waits_is_let_through,
    a_run_that_comes_later_is_let_through,
    a_run_of_another_commit_is_not_let_through,
    a_rejected_run_ends,
    each_environment_of_a_run_is_answered,
    a_run_that_runs_again_is_answered_again,
);

const TRIGGER: &str = r#"trigger = { github = "deployment", environment = "production" }"#;
const DISPATCH: &str = r#"trigger = { github = "workflow_dispatch", workflow = "release.yml", ref = "main", inputs = { sha = "{sha}", release = "{correlation}" } }"#;
const EVENT: &str = r#"trigger = { github = "repository_dispatch", event_type = "release" }"#;
const RULE: &str = r#"trigger = { github = "protection_rule", environment = "production" }"#;

fn with_trigger(trigger: &str) -> String {
    assert!(PLAIN.contains(TRIGGER));
    PLAIN.replace(TRIGGER, trigger)
}

/// The bodies of our calls to this path.
fn bodies(world: &World, end: &str) -> Vec<Value> {
    let exchanges = world.github.exchanges().into_iter();
    exchanges
        .filter(|exchange| exchange.method == "POST" && exchange.path.ends_with(end))
        .filter_map(|exchange| exchange.request_body.clone())
        .collect()
}

async fn a_deployment_names_the_commit_and_carries_our_mark(engine: Engine) {
    let world = World::plain(engine).await;
    let (pull_request, sha) = world.ready("feature").await;
    world
        .say("ann", pull_request, "/deploy prod")
        .await
        .expect("Started");
    let [body] = bodies(&world, "/deployments").try_into().unwrap();
    assert_eq!(body["ref"], sha.as_str());
    assert_eq!(body["auto_merge"], false);
    assert_eq!(body["required_contexts"], serde_json::json!([]));
    assert_eq!(body["environment"], "production");
    let mark = &body["payload"]["countersign"];
    assert_eq!(mark["sha"], sha.as_str());
    assert_eq!(mark["request"], 1);
    assert!(
        mark["correlation"]
            .as_str()
            .unwrap()
            .starts_with("countersign-1-")
    );
    contract::check(&world.github);
}

async fn what_github_refuses_has_failed_in_its_own_words(engine: Engine) {
    let world = World::plain(engine).await;
    for (status, message) in [
        (202, "Auto-merged main into topic on deployment."),
        (409, "Conflict: Commit status checks failed."),
        (422, "Validation Failed: no such thing"),
        (403, "Resource not accessible by integration"),
        (404, "Not Found"),
    ] {
        let (pull_request, sha) = world.ready(&format!("case-{status}")).await;
        let trouble = Trouble::Refuse {
            status,
            headers: Vec::new(),
            message,
        };
        world
            .github
            .expect_trouble_at("POST", "/deployments", trouble);
        let said = world.say("ann", pull_request, "/deploy prod").await;
        let request = world.newest().await;
        said.expect("Failed");
        said.expect(message);
        said.expect(&format!("/retry #{request}"));
        let (state, _) = world.shown(&sha, "countersign/prod").unwrap();
        assert_eq!(state, "failure");
        assert_eq!(said.reactions, ["eyes", "confused"]);
        assert_eq!(world.starts(), 0);
    }
    let request = world.newest().await;
    world
        .say("ann", 3, &format!("/retry #{request}"))
        .await
        .expect("Started");
    assert_eq!(world.starts(), 1);
}

async fn a_dispatched_workflow_is_followed_by_its_number(engine: Engine) {
    let world = World::start(engine, &with_trigger(DISPATCH)).await;
    world
        .github
        .add_workflow(SHOP, "release.yml", &["workflow_dispatch"]);
    let (pull_request, sha) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    let [body] = bodies(&world, "/dispatches").try_into().unwrap();
    assert_eq!(body["inputs"]["sha"], sha.as_str());
    assert_eq!(body["return_run_details"], true);
    finish(&world, said.comment).await;
}

/// The run goes through, and its request with it.
async fn finish(world: &World, comment: u64) {
    let run = world.external(world.newest().await).await;
    assert_ne!(run, 0);
    world.github.run_moves(run, "in_progress", None).await;
    world.settle().await;
    world.said(comment).expect("Deploying");
    world
        .github
        .run_moves(run, "completed", Some("success"))
        .await;
    world.settle().await;
    world.said(comment).expect("Live");
    assert_eq!(world.starts(), 1);
    assert_eq!(world.recorded("production.unexplained").await, 0);
    contract::check(&world.github);
}

async fn a_dispatched_workflow_is_found_by_its_title(engine: Engine) {
    let world = World::start(engine, &with_trigger(DISPATCH)).await;
    world.github.be_enterprise_server();
    world
        .github
        .add_workflow(SHOP, "release.yml", &["workflow_dispatch"]);
    world
        .github
        .set_run_name(SHOP, "release.yml", "Release ${{ inputs.release }}");
    let (pull_request, _) = world.ready("feature").await;
    // Its events are lost, so that it must be looked for.
    let comment = world.say_unheard("ann", pull_request, "/deploy prod").await;
    world.said(comment).expect("Started");
    assert_eq!(world.external(1).await, 0);
    world.pass(6).await;
    assert_eq!(bodies(&world, "/dispatches").len(), 2);
    finish(&world, comment).await;
}

async fn a_run_that_cannot_be_found_is_asked_about(engine: Engine) {
    let world = World::start(engine, &with_trigger(DISPATCH)).await;
    world.github.be_enterprise_server();
    world
        .github
        .add_workflow(SHOP, "release.yml", &["workflow_dispatch"]);
    let (pull_request, _) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    for _ in 0..8 {
        world.pass(40).await;
    }
    world.said(said.comment).expect("run-name");
    world.said(said.comment).expect("/cancel #1");
    // That it was us is no secret.
    assert_eq!(world.recorded("production.unexplained").await, 0);
    assert_eq!(world.starts(), 1);
    world
        .say("ann", pull_request, "/cancel #1")
        .await
        .expect("it may be running");
    world.pass(600).await;
    world
        .say("ann", pull_request, "/cancel #1")
        .await
        .expect("Cancelled");
    world
        .say("ann", pull_request, "/retry #1")
        .await
        .expect("Started");
    assert_eq!(world.starts(), 2);
    for _ in 0..8 {
        world.pass(40).await;
    }
    assert_eq!(world.starts(), 2);
    assert_eq!(world.recorded("production.unexplained").await, 0);
}

async fn a_repository_dispatch_is_found_by_its_title(engine: Engine) {
    let world = World::start(engine, &with_trigger(EVENT)).await;
    world
        .github
        .add_workflow(SHOP, "release.yml", &["repository_dispatch"]);
    let title = "Release ${{ github.event.client_payload.correlation }}";
    world.github.set_run_name(SHOP, "release.yml", title);
    let (pull_request, sha) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    let [body] = bodies(&world, "/dispatches").try_into().unwrap();
    assert_eq!(body["client_payload"]["sha"], sha.as_str());
    finish(&world, said.comment).await;
}

/// A run of this commit reaches the environment; its number.
async fn arrive(world: &World, sha: &str, environment: &str) -> u64 {
    let run = world.github.run(SHOP, "release.yml", sha, "push").await;
    reach(world, (run, sha), environment).await;
    run
}

async fn reach(world: &World, (run, sha): (u64, &str), environment: &str) {
    world.github.hold();
    let deployment = world
        .github
        .deploy(SHOP, sha, environment, "github-actions[bot]")
        .await;
    world
        .github
        .protection_rule_requested(SHOP, run, environment, deployment)
        .await;
    world
        .github
        .release(&countersign_sandbox::github::Order::AsTheyCame);
    world.settle().await;
}

fn answers(world: &World, run: u64) -> Vec<String> {
    let bodies = bodies(world, &format!("/runs/{run}/deployment_protection_rule"));
    let word = |body: Value| body["state"].as_str().unwrap().to_owned();
    bodies.into_iter().map(word).collect()
}

async fn a_run_that_waits_is_let_through(engine: Engine) {
    let world = World::start(engine, &with_trigger(RULE)).await;
    let (pull_request, sha) = world.ready("feature").await;
    let run = arrive(&world, &sha, "production").await;
    assert!(answers(&world, run).is_empty());
    let said = world.say("ann", pull_request, "/deploy prod").await;
    assert_eq!(answers(&world, run), ["approved"]);
    world
        .say("dora", pull_request, "/approve #1")
        .await
        .expect("Refused");
    world
        .say("ann", pull_request, "/deploy prod")
        .await
        .expect("Refused");
    assert_eq!(answers(&world, run), ["approved"]);
    world
        .github
        .run_moves(run, "completed", Some("success"))
        .await;
    world.settle().await;
    world.said(said.comment).expect("Live");
    assert_eq!(answers(&world, run), ["approved"]);
    contract::check(&world.github);
}

async fn a_run_that_comes_later_is_let_through(engine: Engine) {
    let world = World::start(engine, &with_trigger(RULE)).await;
    let (pull_request, sha) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("waits for a run");
    world.github.repeat_each(3);
    let run = arrive(&world, &sha, "production").await;
    assert_eq!(answers(&world, run), ["approved"]);
    world
        .github
        .run_moves(run, "completed", Some("failure"))
        .await;
    world.settle().await;
    world.said(said.comment).expect("Failed");
    assert_eq!(answers(&world, run), ["approved"]);
}

async fn a_run_of_another_commit_is_not_let_through(engine: Engine) {
    let world = World::start(engine, &with_trigger(RULE)).await;
    let (_, other) = world.ready("first").await;
    let (pull_request, sha) = world.ready("second").await;
    let run = arrive(&world, &other, "production").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("waits for a run");
    let staging = arrive(&world, &sha, "staging").await;
    assert!(answers(&world, run).is_empty());
    assert!(answers(&world, staging).is_empty());
    let right = arrive(&world, &sha, "production").await;
    assert_eq!(answers(&world, right), ["approved"]);
    assert!(answers(&world, run).is_empty());
}

async fn a_rejected_run_ends(engine: Engine) {
    let two = with_trigger(RULE).replace("{ deployer = 1 }", "{ deployer = 1, qa = 1 }");
    let world = World::start(engine, &two).await;
    let (pull_request, sha) = world.ready("feature").await;
    let run = arrive(&world, &sha, "production").await;
    world
        .say("ann", pull_request, "/deploy prod")
        .await
        .expect("Waiting");
    world
        .say("quinn", pull_request, "/reject #1 --reason \"too risky\"")
        .await
        .expect("Rejected");
    assert_eq!(answers(&world, run), ["rejected"]);
    contract::check(&world.github);
}

async fn each_environment_of_a_run_is_answered(engine: Engine) {
    let second = format!(
        "{}\n[[service.environment]]\nname = \"prod-us\"\napprovals = {{ deployer = 1 }}\nexclude = []\n{}",
        with_trigger(RULE),
        RULE.replace("production", "production-us")
    );
    let world = World::start(engine, &second).await;
    let (pull_request, sha) = world.ready("feature").await;
    let run = arrive(&world, &sha, "production").await;
    world.say("ann", pull_request, "/deploy prod").await;
    reach(&world, (run, &sha), "production-us").await;
    let said = world.say("ann", pull_request, "/deploy prod-us").await;
    assert_eq!(answers(&world, run), ["approved", "approved"], "{said:#?}");
}

async fn a_run_that_runs_again_is_answered_again(engine: Engine) {
    let world = World::start(engine, &with_trigger(RULE)).await;
    let (pull_request, sha) = world.ready("feature").await;
    let run = arrive(&world, &sha, "production").await;
    world.say("ann", pull_request, "/deploy prod").await;
    world
        .github
        .run_moves(run, "completed", Some("failure"))
        .await;
    world.settle().await;
    // Asked for again before the run is run again: nothing waits yet.
    let said = world.say("ann", pull_request, "/retry #1").await;
    said.expect("waits for a run");
    world.github.rerun(run).await;
    reach(&world, (run, &sha), "production").await;
    assert_eq!(answers(&world, run), ["approved", "approved"]);
    world
        .github
        .run_moves(run, "completed", Some("success"))
        .await;
    world.settle().await;
    world.said(said.comment).expect("Live");
}
