//! Tags that have the release branch's name: whoever may push one makes no commit merged by it, fills no gate, and owns
//! no job that is played.

use countersign::domain::Forge;
use countersign_sandbox::gitlab::{Access, JobPlan};

use crate::support::on_gitlab::{ON_GITLAB, with_trigger};
use crate::support::world::{SHOP, plain_with};
use crate::support::{Setting, World, on_both_forges};

const APPROVE: &str = r#"trigger = { gitlab = "approve_then_play", environment = "production" }"#;
const CREATE: &str =
    r#"trigger = { gitlab = "create_pipeline", variables = { RELEASE_SHA = "{sha}" } }"#;
const DISPATCH: &str = r#"trigger = { github = "workflow_dispatch", workflow = "release.yml", inputs = { sha = "{sha}" } }"#;

on_both_forges!(a_tag_makes_no_commit_merged, a_commit_stays_merged);

/// An unmerged commit, which has passed its stages, under a tag that is called like the branch.
async fn a_tag_makes_no_commit_merged(setting: Setting) {
    let world = World::plain(setting).await;
    let pull_request = world.open("feature").await;
    let sha = world.head("work-feature").unwrap();
    world.make_ready(&sha).await;
    world.tag("main", &sha).await;
    for command in [
        format!("/deploy prod {sha}"),
        format!("/rollback prod {sha}"),
    ] {
        let said = world.say("ann", pull_request, &command).await;
        said.expect("the commit is not on the release branch `main`");
    }
    assert!(world.deployments().is_empty());
    assert_eq!(world.starts(), 0);
    world.is_as_described();
}

/// The tag is elsewhere, and takes nothing away from what was merged.
async fn a_commit_stays_merged(setting: Setting) {
    let world = World::plain(setting).await;
    let before = world.head("main").unwrap();
    let (pull_request, sha) = world.ready("feature").await;
    world.tag("main", &before).await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    assert_eq!(world.deployments(), [sha]);
    world.is_as_described();
}

/// Without a build of its own, so that what a test reports is of the newest pipeline.
fn jobs() -> Vec<JobPlan> {
    vec![
        JobPlan::new("build", "build"),
        JobPlan::new("deploy-staging", "staging").to("staging"),
        JobPlan::new("deploy-prod", "deploy")
            .manual()
            .to("production"),
    ]
}

/// The job of this name in the newest pipeline of a commit.
fn job(world: &World, sha: &str, name: &str) -> u64 {
    world.gitlab.job_of(SHOP, sha, name).unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn the_green_pipeline_of_a_tag_fills_no_gate() {
    for gates in [
        r#""job:build", "status:lint""#,
        r#""pipeline", "status:lint""#,
    ] {
        let other = plain_with(&[(r#""check:build", "status:lint""#, gates)]);
        let world = World::start(ON_GITLAB, &other).await;
        world.gitlab.set_jobs(SHOP, jobs());
        let (pull_request, sha) = world.merge("feature").await;
        world.job_moves(job(&world, &sha, "build"), "failed").await;
        let own = world.gitlab.pipeline_of(SHOP, &sha);
        world.tag("main", &sha).await;
        assert!(world.gitlab.pipeline_of(SHOP, &sha) > own);
        world.gitlab.pass(SHOP, &sha).await;
        world.status(&sha, "lint", "success").await;
        world.settle().await;
        assert_eq!(world.recorded("candidate.ready").await, 0, "{gates}");
        let status = world.say("bob", pull_request, "/status").await;
        status.expect("❌ build");
        let said = world.say("ann", pull_request, "/deploy prod").await;
        said.expect("**Refused**");
        assert!(world.posted("/play").is_empty());
        world.is_as_described();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deployment_of_a_tags_job_fills_no_gate() {
    let world = World::on_gitlab().await;
    world.gitlab.set_jobs(SHOP, jobs());
    let (pull_request, sha) = world.merge("feature").await;
    let own = job(&world, &sha, "build");
    world.job_moves(own, "success").await;
    world.status(&sha, "lint", "success").await;
    let staging = job(&world, &sha, "deploy-staging");
    world.tag("main", &sha).await;
    world.gitlab.pass(SHOP, &sha).await;
    world.settle().await;
    let status = world.say("bob", pull_request, "/status").await;
    status.expect("✅ build, ⏳ staging");
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("**Refused**");
    // That of the branch does.
    world.job_moves(staging, "success").await;
    let status = world.say("bob", pull_request, "/status").await;
    status.expect("✅ build, ✅ staging");
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    world.is_as_described();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_job_of_a_tag_is_not_played() {
    let world = World::on_gitlab().await;
    let (pull_request, sha) = world.ready("feature").await;
    let own = world.production_job(&sha);
    world.tag("main", &sha).await;
    assert_ne!(world.production_job(&sha), own);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    let [played] = world.posted("/play").try_into().unwrap();
    assert_eq!(played.path, format!("/projects/9/jobs/{own}/play"));
    world.is_as_described();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deployment_of_a_tag_is_not_approved() {
    let world = World::start(ON_GITLAB, &with_trigger(APPROVE)).await;
    world
        .gitlab
        .protect_environment(SHOP, "production", &[Access::Level(40)], 1);
    let (pull_request, sha) = world.ready("feature").await;
    let own = world.production_job(&sha);
    world.tag("main", &sha).await;
    assert_ne!(world.production_job(&sha), own);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    let [played] = world.posted("/play").try_into().unwrap();
    assert_eq!(played.path, format!("/projects/9/jobs/{own}/play"));
}

/// GitLab refuses a name that is a branch's and a tag's; GitHub takes one of them.
#[tokio::test(flavor = "multi_thread")]
async fn what_runs_at_the_branch_does_not_run_at_a_tag() {
    for (setting, trigger) in [
        (ON_GITLAB, CREATE),
        (crate::support::Engine::Sqlite.into(), DISPATCH),
    ] {
        let world = World::start(setting, &with_trigger(trigger)).await;
        world
            .github
            .add_workflow(SHOP, "release.yml", &["workflow_dispatch"]);
        let ship = JobPlan::new("ship", "ship").to("elsewhere");
        world.gitlab.set_jobs(SHOP, vec![ship]);
        let before = world.head("main").unwrap();
        let (pull_request, _) = world.ready("feature").await;
        world.tag("main", &before).await;
        let said = world.say("ann", pull_request, "/deploy prod").await;
        said.expect("Started");
        let called = match world.forge {
            Forge::GitLab => world
                .posted("/pipeline")
                .pop()
                .unwrap()
                .request_body
                .clone(),
            Forge::GitHub => {
                let calls = world.github.exchanges().into_iter();
                let mut sent = calls.filter(|call| call.path.ends_with("/dispatches"));
                sent.next().unwrap().request_body.clone()
            }
        };
        assert_eq!(called.unwrap()["ref"], "refs/heads/main");
    }
}
