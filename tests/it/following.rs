//! Following a release to its end, whatever tells about it and however late; and finding what others release.

use crate::contract;
use crate::support::world::{PLAIN, SHOP};
use crate::support::{Engine, World, on_both};

// On GitHub only: releases are followed there by deployments, their statuses and the runs that they start, of
// which GitLab has none. The stories of its jobs, pipelines and deployments are in `gitlab_following.rs`, among
// them those of late, repeated and shuffled events, of a mark that is forged, and of what others release.
on_both!(
    a_run_without_statuses_ends_its_release,
    a_run_of_another_deployment_ends_nothing,
    an_earlier_run_of_the_commit_ends_nothing,
    without_any_event_github_is_asked,
    without_any_event_the_runs_of_a_deployment_are_asked,
    a_failed_release_heals_when_it_runs_again,
    a_failed_run_without_statuses_heals_when_it_runs_again,
    late_and_repeated_events_change_nothing,
    a_deployment_by_somebody_else_is_found_once,
    a_run_by_somebody_else_is_found_once,
    an_old_release_that_runs_again_is_found,
    a_forged_mark_is_not_adopted,
);

/// What the commit shows for production.
fn shown(world: &World, sha: &str) -> String {
    world.shown(sha, "countersign/prod").unwrap().0
}

/// A release has started; its deployment.
async fn start(world: &World, name: &str) -> (u64, String, u64) {
    let (pull_request, sha) = world.ready(name).await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    (
        said.comment,
        sha,
        world.external(world.newest().await).await,
    )
}

/// The newest run of a workflow.
fn newest_run(world: &World) -> u64 {
    let sent = world.github.sent();
    let newest = sent
        .iter()
        .rfind(|sent| sent.event == "workflow_run")
        .unwrap();
    newest.body["workflow_run"]["id"].as_u64().unwrap()
}

async fn a_run_without_statuses_ends_its_release(engine: Engine) {
    let world = World::plain(engine).await;
    world
        .github
        .add_workflow(SHOP, "release.yml", &["deployment"]);
    for (conclusion, word, state, deployment_state) in [
        ("failure", "Failed", "failure", "failure"),
        ("success", "Live", "success", "success"),
    ] {
        let (comment, sha, deployment) = start(&world, conclusion).await;
        assert_eq!(shown(&world, &sha), "pending");
        let run = newest_run(&world);
        world.github.run_moves(run, "in_progress", None).await;
        world.settle().await;
        world.said(comment).expect("Deploying");
        assert_eq!(shown(&world, &sha), "pending");
        world
            .github
            .run_moves(run, "completed", Some(conclusion))
            .await;
        world.settle().await;
        world.said(comment).expect(word);
        assert_eq!(shown(&world, &sha), state);
        let path = format!("/deployments/{deployment}/statuses");
        let exchanges = world.github.exchanges();
        let written: Vec<_> = exchanges
            .iter()
            .filter(|one| one.method == "POST" && one.path.ends_with(&path))
            .map(|one| one.request_body.clone().unwrap()["state"].clone())
            .collect();
        assert_eq!(written, ["in_progress", deployment_state]);
    }
    contract::check(&world.github);
}

async fn an_old_release_that_runs_again_is_found(engine: Engine) {
    let world = World::plain(engine).await;
    world
        .github
        .add_workflow(SHOP, "release.yml", &["deployment"]);
    let mut runs = Vec::new();
    for name in ["old", "new"] {
        let (comment, _, _) = start(&world, name).await;
        let run = newest_run(&world);
        world
            .github
            .run_moves(run, "completed", Some("success"))
            .await;
        world.settle().await;
        world.said(comment).expect("Live");
        runs.push(run);
    }
    world.github.rerun(runs[1]).await;
    world.settle().await;
    assert_eq!(
        world.recorded("production.unexplained").await,
        0,
        "it is live"
    );
    world.github.rerun(runs[0]).await;
    world.github.run_moves(runs[0], "in_progress", None).await;
    world.settle().await;
    assert_eq!(world.recorded("production.unexplained").await, 1);
}

async fn a_run_of_another_deployment_ends_nothing(engine: Engine) {
    let world = World::plain(engine).await;
    world
        .github
        .add_workflow(SHOP, "release.yml", &["deployment"]);
    let (pull_request, sha) = world.ready("feature").await;
    let staging = newest_run(&world);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    let ours = newest_run(&world);
    assert_ne!(staging, ours);
    for conclusion in ["failure", "success"] {
        world
            .github
            .run_moves(staging, "completed", Some(conclusion))
            .await;
        world.settle().await;
        world.pass(1_000).await;
        world.said(said.comment).expect("Started");
    }
    world
        .github
        .run_moves(ours, "completed", Some("success"))
        .await;
    world.settle().await;
    world.said(said.comment).expect("Live");
    assert_eq!(shown(&world, &sha), "success");
}

async fn an_earlier_run_of_the_commit_ends_nothing(engine: Engine) {
    let world = World::plain(engine).await;
    world
        .github
        .add_workflow(SHOP, "release.yml", &["deployment"]);
    let (comment, _, _) = start(&world, "feature").await;
    let first = newest_run(&world);
    world
        .github
        .run_moves(first, "completed", Some("failure"))
        .await;
    world.settle().await;
    world.said(comment).expect("Failed");
    let again = world.say("ann", 3, "/retry #1").await;
    again.expect("Started");
    let second = newest_run(&world);
    world.github.hold();
    world.github.run_moves(second, "in_progress", None).await;
    world
        .github
        .release(&countersign_sandbox::github::Order::Chosen(Vec::new()));
    world.pass(1_000).await;
    world.said(again.comment).expect("Deploying");
    world
        .github
        .run_moves(second, "completed", Some("success"))
        .await;
    world.settle().await;
    world.said(again.comment).expect("Live");
    world.said(comment).expect("Failed");
}

async fn without_any_event_github_is_asked(engine: Engine) {
    let world = World::plain(engine).await;
    let (comment, sha, deployment) = start(&world, "feature").await;
    world.github.lose_next(1);
    world.github.deployment_status(deployment, "success").await;
    world.settle().await;
    world.said(comment).expect("Started");
    world.pass(1_000).await;
    world.said(comment).expect("Live");
    assert_eq!(shown(&world, &sha), "success");
    contract::check(&world.github);
}

async fn without_any_event_the_runs_of_a_deployment_are_asked(engine: Engine) {
    let world = World::plain(engine).await;
    world
        .github
        .add_workflow(SHOP, "release.yml", &["deployment"]);
    let (comment, _, deployment) = start(&world, "feature").await;
    let run = newest_run(&world);
    world.github.lose_next(1);
    world
        .github
        .run_moves(run, "completed", Some("success"))
        .await;
    world.settle().await;
    world.said(comment).expect("Started");
    world.pass(1_000).await;
    world.said(comment).expect("Live");
    let path = format!("POST /repos/{SHOP}/deployments/{deployment}/statuses");
    assert!(world.github.calls().contains(&path));
}

async fn a_failed_release_heals_when_it_runs_again(engine: Engine) {
    let world = World::plain(engine).await;
    let (comment, sha, deployment) = start(&world, "feature").await;
    world
        .github
        .deployment_status(deployment, "in_progress")
        .await;
    world.github.deployment_status(deployment, "failure").await;
    world.settle().await;
    let said = world.said(comment);
    said.expect("Failed");
    said.expect("/retry #1");
    said.expect("/rollback prod");
    assert_eq!(shown(&world, &sha), "failure");
    world
        .github
        .deployment_status(deployment, "in_progress")
        .await;
    world.settle().await;
    world.github.deployment_status(deployment, "success").await;
    world.settle().await;
    world.said(comment).expect("Live");
    assert_eq!(shown(&world, &sha), "success");
    world
        .say("bob", 3, "/status")
        .await
        .expect(&format!("{sha} since"));
}

async fn a_failed_run_without_statuses_heals_when_it_runs_again(engine: Engine) {
    let world = World::plain(engine).await;
    world
        .github
        .add_workflow(SHOP, "release.yml", &["deployment"]);
    let (comment, sha, _) = start(&world, "feature").await;
    let run = newest_run(&world);
    world
        .github
        .run_moves(run, "completed", Some("failure"))
        .await;
    world.settle().await;
    world.said(comment).expect("Failed");
    world.github.rerun(run).await;
    world
        .github
        .run_moves(run, "completed", Some("success"))
        .await;
    world.settle().await;
    world.said(comment).expect("Live");
    assert_eq!(shown(&world, &sha), "success");
}

async fn late_and_repeated_events_change_nothing(engine: Engine) {
    let world = World::plain(engine).await;
    world.github.repeat_each(2);
    let (comment, sha, deployment) = start(&world, "feature").await;
    world.github.hold();
    for state in ["queued", "in_progress", "success"] {
        world.github.deployment_status(deployment, state).await;
    }
    world
        .github
        .release(&countersign_sandbox::github::Order::Backwards);
    world.settle().await;
    let answer = world.said(comment).answer().to_owned();
    assert!(answer.contains("Live"), "{answer}");
    for state in ["failure", "in_progress", "error", "pending"] {
        world.github.deployment_status(deployment, state).await;
    }
    world.push("more").await;
    world.pass(1_000).await;
    assert_eq!(world.said(comment).answer(), answer);
    assert_eq!(shown(&world, &sha), "success");
    assert_eq!(world.recorded("succeeded").await, 1);
    assert_eq!(world.recorded("failed").await, 0);
    assert_eq!(world.starts(), 1);
}

async fn a_deployment_by_somebody_else_is_found_once(engine: Engine) {
    let world = World::plain(engine).await;
    let (_, sha) = world.ready("feature").await;
    world.github.repeat_each(2);
    let deployment = world.github.deploy(SHOP, &sha, "production", "bob").await;
    world.github.deployment_status(deployment, "success").await;
    world.settle().await;
    assert_eq!(world.recorded("production.unexplained").await, 1);
    let (state, words) = world.shown(&sha, "countersign/prod").unwrap();
    assert_eq!(state, "error");
    assert!(words.contains("bob"), "{words}");
    world
        .say("ann", 3, "/status")
        .await
        .expect("released without Countersign");
    contract::check(&world.github);
}

async fn a_run_by_somebody_else_is_found_once(engine: Engine) {
    let trigger = r#"trigger = { github = "deployment", environment = "production" }"#;
    let dispatch = r#"trigger = { github = "workflow_dispatch", workflow = "release.yml", ref = "main", inputs = { sha = "{sha}", release = "{correlation}" } }"#;
    let world = World::start(engine, &PLAIN.replace(trigger, dispatch)).await;
    world
        .github
        .add_workflow(SHOP, "release.yml", &["workflow_dispatch"]);
    let (pull_request, sha) = world.ready("feature").await;
    let run = world
        .github
        .run(SHOP, "release.yml", &sha, "workflow_dispatch")
        .await;
    world.github.run_moves(run, "in_progress", None).await;
    world
        .github
        .run_moves(run, "completed", Some("success"))
        .await;
    world.settle().await;
    assert_eq!(world.recorded("production.unexplained").await, 1);
    assert_eq!(shown(&world, &sha), "error");
    world
        .say("ann", pull_request, "/deploy prod")
        .await
        .expect("Started");
    let ours = world.external(1).await;
    world
        .github
        .run_moves(ours, "completed", Some("success"))
        .await;
    world.settle().await;
    assert_eq!(shown(&world, &sha), "success");
    assert_eq!(world.recorded("production.unexplained").await, 1);
}

async fn a_forged_mark_is_not_adopted(engine: Engine) {
    let world = World::plain(engine).await;
    let (pull_request, sha) = world.ready("feature").await;
    let reset = countersign_sandbox::github::Trouble::Reset;
    world
        .github
        .expect_trouble_at("POST", "/deployments", reset);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("lost");
    let exchanges = world.github.exchanges();
    let sent = exchanges
        .iter()
        .rfind(|one| one.method == "POST" && one.path.ends_with("/deployments"));
    let body = sent.unwrap().request_body.clone().unwrap();
    world.github.add_token("bobs", "bob");
    let caller = crate::support::caller::Caller::new(&world.github, "bobs");
    let path = format!("/repos/{SHOP}/deployments");
    assert_eq!(caller.post(&path, body).await.status, 201);
    world.settle().await;
    world.pass(6).await;
    assert_eq!(world.external(1).await, 0);
    assert_eq!(world.recorded("trigger.found").await, 0);
    for _ in 0..5 {
        world.pass(20).await;
    }
    // It left once more, and that one is ours.
    assert_ne!(world.external(1).await, 0);
    assert_eq!(world.starts(), 1);
    let ours = world.external(1).await;
    world.github.deployment_status(ours, "success").await;
    world.settle().await;
    assert_eq!(shown(&world, &sha), "success");
}
