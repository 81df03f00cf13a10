//! Following a release on GitLab to its end, whatever tells about it and however late; and finding what others
//! release there.

use std::sync::Arc;

use countersign_sandbox::gitlab::{JobPlan, Order, Trouble};

use crate::contract;
use crate::support::World;
use crate::support::on_gitlab::{TRIGGER_TOKEN, with_trigger};
use crate::support::world::SHOP;

const CREATE: &str = r#"trigger = { gitlab = "create_pipeline", ref = "main", variables = { RELEASE_SHA = "{sha}" } }"#;

const BY_TOKEN: &str = r#"trigger = { gitlab = "trigger_token", ref = "main", token = { env = "TOKEN" }, variables = { RELEASE_SHA = "{sha}" } }"#;

/// A release has started; the comment that asked for it, its commit and its number on GitLab.
async fn start(world: &World, name: &str) -> (u64, String, u64) {
    let (pull_request, sha) = world.ready(name).await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    let number = world.external(world.newest().await).await;
    (said.comment, sha, number)
}

/// A world whose releases are pipelines with one job.
async fn of_pipelines() -> World {
    let world = World::triggered_by(CREATE).await;
    let ship = JobPlan::new("ship", "ship").to("production");
    world
        .gitlab
        .set_jobs(SHOP, vec![JobPlan::new("build", "build"), ship]);
    world
}

/// Runs the jobs of a commit's newest pipeline; of what GitLab tells about it only these events arrive.
async fn only(world: &World, events: &[&str], sha: &str) {
    let before = world.gitlab.sent().len();
    world.gitlab.hold();
    world.gitlab.pass(SHOP, sha).await;
    let sent = world.gitlab.sent();
    let heard = |(_, sent): &(usize, &Arc<countersign_sandbox::gitlab::Sent>)| {
        events.contains(&sent.event.as_str())
    };
    let places = sent[before..].iter().enumerate().filter(heard);
    let places: Vec<usize> = places.map(|(place, _)| place).collect();
    assert_eq!(places.is_empty(), events.is_empty());
    world.gitlab.release(&Order::Chosen(places));
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_job_moves_its_request_to_the_end() {
    let world = World::on_gitlab().await;
    for (end, word) in [
        ("failed", "Failed"),
        ("canceled", "cancelled in GitLab"),
        ("success", "Live"),
    ] {
        let (comment, sha, job) = start(&world, end).await;
        world.job_moves(job, "running").await;
        world.said(comment).expect("Deploying");
        world.said(comment).expect(&format!("/-/jobs/{job}"));
        world.job_moves(job, end).await;
        world.said(comment).expect(word);
        world.shows(&sha, "success");
    }
    assert_eq!(world.recorded("production.unexplained").await, 0);
    contract::gitlab::check(&world.gitlab);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_kind_of_event_is_enough() {
    let world = World::on_gitlab().await;
    for kind in ["Job Hook", "Deployment Hook"] {
        let (comment, sha, _) = start(&world, &kind.replace(' ', "-")).await;
        only(&world, &[kind], &sha).await;
        world.said(comment).expect("Live");
    }
    let world = of_pipelines().await;
    let (comment, sha, _) = start(&world, "pipeline").await;
    only(&world, &["Pipeline Hook"], &sha).await;
    world.said(comment).expect("Live");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_event_gitlab_is_asked() {
    for world in [World::on_gitlab().await, of_pipelines().await] {
        let (comment, sha, _) = start(&world, "feature").await;
        only(&world, &[], &sha).await;
        world.said(comment).expect("Started");
        world.pass(1_000).await;
        world.said(comment).expect("Live");
        assert_eq!(world.recorded("production.unexplained").await, 0);
        contract::gitlab::check(&world.gitlab);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn late_repeated_and_shuffled_events_change_nothing() {
    for world in [World::on_gitlab().await, of_pipelines().await] {
        world.gitlab.repeat_each(2);
        let (comment, sha, _) = start(&world, "feature").await;
        world.gitlab.hold();
        world.gitlab.pass(SHOP, &sha).await;
        world.gitlab.release(&Order::Backwards);
        world.settle().await;
        let answer = world.said(comment).answer().to_owned();
        assert!(answer.contains("Live"), "{answer}");
        world.push("more").await;
        world.pass(1_000).await;
        assert_eq!(world.said(comment).answer(), answer);
        assert_eq!(world.recorded("succeeded").await, 1);
        assert_eq!(world.recorded("failed").await, 0);
        assert_eq!(world.recorded("production.unexplained").await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_pipeline_heals_when_its_job_runs_again() {
    let world = of_pipelines().await;
    let (comment, sha, _) = start(&world, "feature").await;
    let (build, _) = world.gitlab.job_of(SHOP, &sha, "build").unwrap();
    world.job_moves(build, "failed").await;
    world.said(comment).expect("Failed");
    world.gitlab.retry(build, "ann").await.unwrap();
    world.gitlab.pass(SHOP, &sha).await;
    world.settle().await;
    world.said(comment).expect("Live");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_pipeline_ends_its_request() {
    let world = of_pipelines().await;
    let (comment, _, pipeline) = start(&world, "feature").await;
    world.gitlab.cancel_pipeline(pipeline).await;
    world.settle().await;
    world.said(comment).expect("cancelled in GitLab");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_played_by_somebody_else_is_found_once() {
    let world = World::on_gitlab().await;
    let (_, sha) = world.ready("feature").await;
    world.gitlab.repeat_each(2);
    let job = world.production_job(&sha);
    assert!(world.gitlab.play(job, "bob").await);
    world.settle().await;
    assert_eq!(world.recorded("production.unexplained").await, 1);
    for state in ["running", "success"] {
        world.job_moves(job, state).await;
    }
    assert_eq!(world.recorded("production.unexplained").await, 1);
    let status = world.say("ann", 3, "/status").await;
    status.expect(&sha);
    status.expect("released without Countersign");
    contract::gitlab::check(&world.gitlab);
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_job_is_no_surprise_when_its_events_are_faster_than_the_answer() {
    let world = World::on_gitlab().await;
    let (pull_request, sha) = world.ready("feature").await;
    let job = world.production_job(&sha);
    world
        .gitlab
        .expect_trouble_at("POST", "/play", Trouble::Silence);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    assert_eq!(world.external(1).await, job);
    world.pass(600).await;
    assert_eq!(world.recorded("production.unexplained").await, 0);
    world.finish("success").await;
    world.said(said.comment).expect("Live");
    assert_eq!(world.starts(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_production_job_that_ends_without_being_played_is_no_surprise() {
    let world = World::on_gitlab().await;
    let (_, sha) = world.ready("feature").await;
    world
        .job_moves(world.production_job(&sha), "canceled")
        .await;
    let pipeline = world.gitlab.pipeline_of(SHOP, &sha).unwrap();
    world.gitlab.cancel_pipeline(pipeline).await;
    world.settle().await;
    assert_eq!(world.recorded("production.unexplained").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_played_by_somebody_else_meanwhile_is_not_taken_for_ours() {
    let world = World::on_gitlab().await;
    let (_, other) = world.ready("other").await;
    let (pull_request, _) = world.ready("feature").await;
    world
        .gitlab
        .expect_trouble_at("POST", "/play", Trouble::Reset);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("lost");
    let theirs = world.production_job(&other);
    assert!(world.gitlab.play(theirs, "bob").await);
    world.settle().await;
    world.pass(130).await;
    assert_eq!(world.recorded("production.unexplained").await, 1);
    assert_ne!(world.external(1).await, theirs);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_mark_is_not_adopted() {
    let world = of_pipelines().await;
    let (pull_request, _) = world.ready("feature").await;
    world
        .gitlab
        .expect_trouble_at("POST", "/projects/9/pipeline", Trouble::Reset);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("lost");
    let [sent] = world.posted("/projects/9/pipeline").try_into().unwrap();
    world.gitlab.add_token("bobs", "bob");
    let forged = reqwest::Client::new()
        .post(format!("{}/api/v4/projects/9/pipeline", world.gitlab.url()))
        .header("private-token", "bobs")
        .header("content-type", "application/json")
        .body(sent.request_body.as_ref().unwrap().to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(forged.status().as_u16(), 201);
    world.settle().await;
    world.pass(6).await;
    assert_eq!(world.external(1).await, 0);
    assert_eq!(world.recorded("trigger.found").await, 0);
    for _ in 0..5 {
        world.pass(20).await;
    }
    // It left once more, and that one is ours.
    assert_ne!(world.external(1).await, 0);
    assert_eq!(world.posted("/projects/9/pipeline").len(), 3);
    world.said(said.comment).expect("Started");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_our_mark_is_newer_than_ours() {
    let world = World::triggered_by(BY_TOKEN).await;
    let gitlab = &world.gitlab;
    gitlab.add_trigger_token(SHOP, TRIGGER_TOKEN, "countersign");
    gitlab.add_trigger_token(SHOP, "glptt-of-bob", "bob");
    world.reconnect_to_gitlab(None);
    let (pull_request, sha) = world.ready("feature").await;
    let lost = Trouble::FailAfterActing { status: 502 };
    gitlab.expect_trouble_at("POST", "/trigger/pipeline", lost);
    let comment = world.say_unheard("ann", pull_request, "/deploy prod").await;
    let ours = gitlab.pipeline_of(SHOP, &sha).unwrap();
    // Bob reads the mark where it stands by now, and starts a pipeline that has it, too.
    let [sent] = world.posted("/trigger/pipeline").try_into().unwrap();
    let mut body = sent.request_body.clone().unwrap();
    body["token"] = "glptt-of-bob".into();
    let copied = reqwest::Client::new()
        .post(format!("{}/api/v4{}", gitlab.url(), sent.path))
        .header("content-type", "application/json")
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(copied.status().as_u16(), 201);
    world.settle().await;
    assert_ne!(gitlab.pipeline_of(SHOP, &sha), Some(ours));
    world.pass(6).await;
    world.said(comment).expect("Started");
    assert_eq!(world.external(1).await, ours);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_job_that_runs_again_is_found() {
    let world = World::on_gitlab().await;
    let (_, old) = world.live("old").await;
    world.live("new").await;
    let job = world.external(1).await;
    let again = world.gitlab.retry(job, "bob").await.unwrap();
    world.settle().await;
    world.job_moves(again, "success").await;
    assert_eq!(world.recorded("production.unexplained").await, 1);
    let status = world.say("ann", 3, "/status").await;
    status.expect(&format!("{old} since"));
    status.expect("released without Countersign");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_by_other_means_is_found_once() {
    for trigger in [
        r#"trigger = { github = "deployment", environment = "production" }"#,
        r#"trigger = { gitlab = "approve_then_play", environment = "production" }"#,
    ] {
        let services = with_trigger(trigger);
        let world = World::start(crate::support::on_gitlab::ON_GITLAB, &services).await;
        let (_, sha) = world.ready("feature").await;
        world.gitlab.repeat_each(2);
        let deployment = world.gitlab.deploy(SHOP, &sha, "production", "bob").await;
        world.gitlab.deployment_status(deployment, "success").await;
        world.settle().await;
        assert_eq!(world.recorded("production.unexplained").await, 1);
        world
            .say("ann", 3, "/status")
            .await
            .expect("released without Countersign");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_release_pipeline_deploys_at_a_newer_head_is_explained() {
    let world = of_pipelines().await;
    let (pull_request, _) = world.ready("feature").await;
    let head = world.push("newer").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    world.gitlab.pass(SHOP, &head).await;
    world.settle().await;
    world.said(said.comment).expect("Live");
    assert_eq!(world.recorded("production.unexplained").await, 0);
}
