//! Triggers on GitLab: every way in which a release can start there, and what each says when it does not.

use countersign_sandbox::gitlab::{Access, JobPlan, NewCommit, Trouble};
use serde_json::json;

use crate::support::World;
use crate::support::on_gitlab::TRIGGER_TOKEN;
use crate::support::world::SHOP;

const CREATE: &str = r#"trigger = { gitlab = "create_pipeline", ref = "main", variables = { RELEASE_SHA = "{sha}" } }"#;
const BY_TOKEN: &str = r#"trigger = { gitlab = "trigger_token", ref = "main", token = { env = "TOKEN" }, variables = { RELEASE_SHA = "{sha}" } }"#;
const APPROVE: &str = r#"trigger = { gitlab = "approve_then_play", environment = "production" }"#;
const MAINTAINERS: Access = Access::Level(40);

fn refusal(status: u16, message: &'static str) -> Trouble {
    Trouble::Refuse {
        status,
        headers: Vec::new(),
        message,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_manual_job_of_the_commit_is_played_once() {
    let world = World::on_gitlab().await;
    world.ready("earlier").await;
    let (pull_request, sha) = world.ready("feature").await;
    let job = world.production_job(&sha);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    let [played] = world.posted("/play").try_into().unwrap();
    assert_eq!(played.path, format!("/projects/9/jobs/{job}/play"));
    assert_eq!(world.deployments(), [sha]);
    assert_eq!(world.external(1).await, job);
    assert_eq!(world.starts(), 1);
    world
        .say("ann", pull_request, "/deploy prod")
        .await
        .expect("Refused");
    world.finish("success").await;
    world.said(said.comment).expect("Live");
    assert_eq!(world.posted("/play").len(), 1);
    assert_eq!(world.recorded("production.unexplained").await, 0);
    world.is_as_described();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_gitlab_refuses_has_failed_in_its_own_words() {
    let world = World::on_gitlab().await;
    for (status, message) in [
        (400, "400 Bad request - Unplayable Job"),
        (403, "403 Forbidden"),
        (404, "404 Not found"),
        (409, "409 Conflict: something is in the way"),
        (422, "422 Unprocessable: no such thing"),
    ] {
        let (pull_request, _) = world.ready(&format!("case-{status}")).await;
        let trouble = refusal(status, message);
        world.gitlab.expect_trouble_at("POST", "/play", trouble);
        let said = world.say("ann", pull_request, "/deploy prod").await;
        let request = world.newest().await;
        said.expect("Failed");
        said.expect(message);
        said.expect(&format!("/retry #{request}"));
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

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_runs_already_is_not_played() {
    let world = World::on_gitlab().await;
    let (pull_request, sha) = world.ready("feature").await;
    let job = world.production_job(&sha);
    assert!(world.gitlab.play(job, "bob").await);
    world.settle().await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Failed");
    said.expect("the job deploy-prod is pending already, by bob");
    assert!(world.deployments().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_its_pipeline_has_not_reached_is_not_played() {
    let world = World::on_gitlab().await;
    let jobs = vec![
        JobPlan::new("build", "build"),
        JobPlan::new("package", "package"),
        JobPlan::new("deploy-prod", "deploy")
            .manual()
            .to("production"),
    ];
    world.gitlab.set_jobs(SHOP, jobs);
    let (pull_request, sha) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Failed");
    said.expect("its pipeline has not come so far (created)");
    assert!(world.deployments().is_empty());
    world.gitlab.pass(SHOP, &sha).await;
    world.settle().await;
    let again = world.say("ann", pull_request, "/retry #1").await;
    again.expect("Started");
    assert_eq!(world.deployments(), [sha]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_without_the_job_is_not_released() {
    let world = World::on_gitlab().await;
    world
        .gitlab
        .set_jobs(SHOP, vec![JobPlan::new("build", "build")]);
    let (pull_request, _) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Failed");
    said.expect("on main has a job called deploy-prod");
    assert_eq!(world.starts(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_a_child_pipeline_is_found() {
    let world = World::on_gitlab().await;
    let release = JobPlan::new("deploy-prod", "deploy")
        .manual()
        .to("production");
    let jobs = vec![
        JobPlan::new("build", "build"),
        JobPlan::new("release", "release").starting(vec![release]),
    ];
    world.gitlab.set_jobs(SHOP, jobs);
    let (pull_request, sha) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    assert_eq!(world.deployments(), [sha.as_str()]);
    world.finish("success").await;
    world.said(said.comment).expect("Live");
    assert_eq!(world.recorded("production.unexplained").await, 0);
    world.is_as_described();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_release_is_retried_as_another_job() {
    let world = World::on_gitlab().await;
    let (pull_request, sha) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    let first = world.external(1).await;
    world.finish("failure").await;
    world.said(said.comment).expect("Failed");
    let again = world.say("ann", pull_request, "/retry #1").await;
    again.expect("Started");
    let second = world.external(2).await;
    assert_ne!(first, second);
    assert_eq!(world.production_job(&sha), second);
    assert_eq!(
        (world.posted("/play").len(), world.posted("/retry").len()),
        (1, 1)
    );
    world.finish("success").await;
    world.said(again.comment).expect("Live");
    world.said(said.comment).expect("Failed");
    assert_eq!(world.starts(), 2);
    assert_eq!(world.recorded("production.unexplained").await, 0);
    world.is_as_described();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_runs_the_job_of_the_last_good_release_again() {
    let world = World::on_gitlab().await;
    let (_, old) = world.live("old").await;
    let (pull_request, new) = world.live("new").await;
    let before = world.external(1).await;
    let said = world.say("ann", pull_request, "/rollback prod").await;
    said.expect("Rollback");
    said.expect("Started");
    let again = world.external(3).await;
    assert!(![before, world.external(2).await].contains(&again));
    let [retried] = world.posted("/retry").try_into().unwrap();
    assert_eq!(retried.path, format!("/projects/9/jobs/{before}/retry"));
    assert_eq!(world.deployments(), [old.as_str(), &new, &old]);
    world.finish("success").await;
    world.said(said.comment).expect("Live");
    world
        .say("bob", pull_request, "/status")
        .await
        .expect(&format!("{old} since"));
    assert_eq!(world.recorded("production.unexplained").await, 0);
    world.is_as_described();
}

/// What a release pipeline consists of: among others a job of the name that a gate waits for.
fn release_jobs() -> Vec<JobPlan> {
    vec![
        JobPlan::new("build", "build"),
        JobPlan::new("ship", "ship").to("production"),
    ]
}

/// The request's pipeline goes through, and the request with it; meanwhile the gates stay as they were.
async fn goes_through(world: &World, sha: &str, comment: u64) {
    let pipeline = world.external(world.newest().await).await;
    assert_eq!(world.gitlab.pipeline_of(SHOP, sha), Some(pipeline));
    let (build, _) = world.gitlab.job_of(SHOP, sha, "build").unwrap();
    world.job_moves(build, "running").await;
    world.said(comment).expect("Deploying");
    let status = world.say("bob", 3, "/status").await;
    status.expect("✅ build, ✅ staging");
    world.gitlab.pass(SHOP, sha).await;
    world.settle().await;
    world.said(comment).expect("Live");
    assert_eq!(world.recorded("production.unexplained").await, 0);
    assert_eq!(world.recorded("candidate.ready").await, 1);
    world.is_as_described();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_is_created_and_followed_by_its_number() {
    let world = World::triggered_by(CREATE).await;
    let (pull_request, sha) = world.ready("feature").await;
    world.gitlab.set_jobs(SHOP, release_jobs());
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    let [created] = world.posted("/projects/9/pipeline").try_into().unwrap();
    let body = created.request_body.as_ref().unwrap();
    assert_eq!(body["ref"], "refs/heads/main");
    let mark = &body["variables"][0];
    assert_eq!(mark["key"], "COUNTERSIGN_CORRELATION");
    assert!(
        mark["value"]
            .as_str()
            .unwrap()
            .starts_with("countersign-1-")
    );
    let commit = json!({ "key": "RELEASE_SHA", "value": sha });
    assert_eq!(body["variables"][1], commit);
    goes_through(&world, &sha, said.comment).await;
    assert_eq!(world.posted("/pipeline").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_release_pipeline_leaves_the_gates_as_they_were() {
    let world = World::triggered_by(CREATE).await;
    let (pull_request, sha) = world.ready("feature").await;
    world.gitlab.set_jobs(SHOP, release_jobs());
    let said = world.say("ann", pull_request, "/deploy prod").await;
    let (build, _) = world.gitlab.job_of(SHOP, &sha, "build").unwrap();
    world.job_moves(build, "failed").await;
    world.said(said.comment).expect("Failed");
    let again = world.say("ann", pull_request, "/retry #1").await;
    again.expect("Started");
    goes_through(&world, &sha, again.comment).await;
    assert_eq!(world.posted("/pipeline").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_that_gitlab_does_not_create_has_failed() {
    let world = World::triggered_by(&CREATE.replace("\"main\"", "\"release\"")).await;
    let (pull_request, _) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Failed");
    said.expect("Reference not found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_token_creates_a_pipeline() {
    let world = World::triggered_by(BY_TOKEN).await;
    world
        .gitlab
        .add_trigger_token(SHOP, TRIGGER_TOKEN, "countersign");
    world.reconnect_to_gitlab(None);
    let (pull_request, sha) = world.ready("feature").await;
    world.gitlab.set_jobs(SHOP, release_jobs());
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    let [created] = world.posted("/trigger/pipeline").try_into().unwrap();
    let body = created.request_body.as_ref().unwrap();
    assert_eq!(body["variables"]["RELEASE_SHA"], sha.as_str());
    let mark = body["variables"]["COUNTERSIGN_CORRELATION"].as_str();
    assert!(mark.unwrap().starts_with("countersign-1-"));
    goes_through(&world, &sha, said.comment).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_token_that_ended_has_failed_without_being_shown() {
    let world = World::triggered_by(BY_TOKEN).await;
    world.reconnect_to_gitlab(None);
    let (pull_request, _) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Failed");
    said.expect("404 Not Found");
    said.never(TRIGGER_TOKEN);
}

/// A world where so many maintainers must approve what is deployed to production.
async fn protected(approvals: u64) -> World {
    let world = World::triggered_by(APPROVE).await;
    let environment = (SHOP, "production");
    world
        .gitlab
        .protect_environment(environment.0, environment.1, &[MAINTAINERS], approvals);
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn approving_is_not_starting_so_the_job_is_played_too() {
    let world = protected(1).await;
    let (pull_request, sha) = world.ready("feature").await;
    let job = world.production_job(&sha);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    let [approved] = world.posted("/approval").try_into().unwrap();
    let body = approved.request_body.as_ref().unwrap();
    assert_eq!(body["status"], "approved");
    assert!(body["comment"].as_str().unwrap().contains("#1"));
    let [played] = world.posted("/play").try_into().unwrap();
    assert_eq!(played.path, format!("/projects/9/jobs/{job}/play"));
    let order: Vec<String> = world
        .gitlab
        .calls()
        .into_iter()
        .filter(|call| call.ends_with("/approval") || call.ends_with("/play"))
        .collect();
    assert!(order[0].ends_with("/approval"), "{order:?}");
    assert_eq!(world.deployments(), [sha]);
    assert_eq!(world.starts(), 1);
    world.finish("success").await;
    world.said(said.comment).expect("Live");
    assert_eq!(world.recorded("production.unexplained").await, 0);
    world.is_as_described();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_released_again_is_approved_again() {
    let world = protected(1).await;
    // Who runs a job again is known as the one who deploys.
    world.gitlab.let_triggerer_approve(SHOP, true);
    for name in ["old", "new"] {
        let (pull_request, _) = world.ready(name).await;
        let said = world.say("ann", pull_request, "/deploy prod").await;
        said.expect("Started");
        world.finish("success").await;
        world.said(said.comment).expect("Live");
    }
    let said = world.say("ann", 3, "/rollback prod").await;
    world.pass(6).await;
    world.said(said.comment).expect("Started");
    assert_eq!(world.posted("/approval").len(), 3);
    assert_eq!(world.posted("/retry").len(), 1);
    world.finish("success").await;
    world.said(said.comment).expect("Live");
    assert_eq!(world.starts(), 3);
    assert_eq!(world.recorded("production.unexplained").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_more_approvals_are_needed_gitlab_says_so() {
    let world = protected(2).await;
    let (pull_request, _) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Failed");
    said.expect("one more approval is needed on GitLab");
    assert_eq!(world.starts(), 0);
    assert!(world.posted("/play").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_others_approved_the_job_is_only_played() {
    let world = protected(1).await;
    world.gitlab.add_person(11, "mia");
    world.gitlab.set_access(SHOP, "mia", Some(40));
    let (pull_request, _) = world.ready("feature").await;
    let there = world.gitlab.deployments(SHOP, "production");
    let (deployment, _, _) = there.last().unwrap();
    world
        .gitlab
        .approve("mia", *deployment, "approved")
        .await
        .unwrap();
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    assert!(world.posted("/approval").is_empty());
    assert_eq!(world.posted("/play").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_was_rejected_is_not_started() {
    let world = protected(1).await;
    let (pull_request, _) = world.ready("feature").await;
    let there = world.gitlab.deployments(SHOP, "production");
    let (deployment, _, _) = there.last().unwrap();
    world
        .gitlab
        .approve("ann", *deployment, "rejected")
        .await
        .unwrap();
    world.settle().await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Failed");
    said.expect("the deployment was rejected on GitLab by ann");
    assert_eq!(world.starts(), 0);
    assert_eq!(world.recorded("production.unexplained").await, 0);
    assert!(world.deployments().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_our_account_may_not_approve_gitlab_says_why() {
    let world = World::triggered_by(APPROVE).await;
    let ann = [Access::Person(5)];
    world
        .gitlab
        .protect_environment(SHOP, "production", &ann, 1);
    let (pull_request, _) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Failed");
    said.expect("permission to approve this deployment");
    assert_eq!(world.starts(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_deployment_that_waits_nothing_starts() {
    let world = protected(1).await;
    let build = vec![JobPlan::new("build", "build")];
    world.gitlab.set_jobs(SHOP, build);
    let (pull_request, _) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Failed");
    said.expect("no deployment of the commit to production waits");
    assert_eq!(world.starts(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_without_approvals_plays_the_job() {
    let world = protected(1).await;
    world.gitlab.set_premium(false);
    let (pull_request, sha) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    assert!(world.posted("/approval").is_empty());
    assert_eq!(world.deployments(), [sha]);
    // A commit that was not asked for is left alone.
    let other = world
        .push_to("main", vec![NewCommit::by("bob", "another")])
        .await;
    assert_eq!(
        world.gitlab.job_of(SHOP, &other, "deploy-prod").unwrap().1,
        "manual"
    );
}
