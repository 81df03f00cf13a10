//! Branches on GitLab: only the pipelines of the release branch fill gates and are released; others run the
//! same commit with variables that another person chose.

use countersign_sandbox::gitlab::{Access, JobPlan};

use crate::support::World;
use crate::support::on_gitlab::{ON_GITLAB, with_trigger};
use crate::support::world::{SHOP, plain_with};

const APPROVE: &str = r#"trigger = { gitlab = "approve_then_play", environment = "production" }"#;

fn jobs() -> Vec<JobPlan> {
    let release = JobPlan::new("deploy-prod", "deploy");
    vec![
        JobPlan::new("build", "build"),
        release.manual().to("production"),
    ]
}

/// How a commit comes to a pipeline on another branch, which is newer than that of the release branch.
#[derive(Clone, Copy, Debug)]
enum Aside {
    /// Bob starts it by hand.
    ByHand,
    /// The branch is pushed.
    ByPush,
}

async fn run_aside(world: &World, sha: &str, how: Aside) {
    let before = world.gitlab.pipeline_of(SHOP, sha);
    match how {
        Aside::ByHand => {
            world.gitlab.set_branch(SHOP, "aside", sha);
            world.gitlab.run_pipeline(SHOP, "aside", "bob").await;
        }
        Aside::ByPush => world.gitlab.force_push(SHOP, "aside", sha).await,
    }
    world.settle().await;
    assert!(world.gitlab.pipeline_of(SHOP, sha) > before, "{how:?}");
}

/// The job of this name in the newest pipeline of a commit.
fn job(world: &World, sha: &str, name: &str) -> u64 {
    world.gitlab.job_of(SHOP, sha, name).unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_green_job_of_another_branch_fills_no_gate() {
    for how in [Aside::ByHand, Aside::ByPush] {
        let world = World::on_gitlab().await;
        world.gitlab.set_jobs(SHOP, jobs());
        let (pull_request, sha) = world.merge("feature").await;
        let own = job(&world, &sha, "build");
        run_aside(&world, &sha, how).await;
        // Everything else is green, too.
        world.make_ready(&sha).await;
        let theirs = world.gitlab.job_of(SHOP, &sha, "build").unwrap();
        assert_eq!(theirs.1, "success");
        assert_ne!(theirs.0, own);
        let status = world.say("bob", pull_request, "/status").await;
        status.expect("⏳ build, ✅ staging");
        let said = world.say("ann", pull_request, "/deploy prod").await;
        said.expect("**Refused**");
        said.expect("❌ `job:build`: ");
        assert_eq!(world.recorded("candidate.ready").await, 0);

        world.job_moves(own, "success").await;
        assert_eq!(world.recorded("candidate.ready").await, 1);
        let said = world.say("ann", pull_request, "/deploy prod").await;
        said.expect("Started");
        world.is_as_described();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_red_job_of_another_branch_spoils_nothing() {
    let world = World::on_gitlab().await;
    world.gitlab.set_jobs(SHOP, jobs());
    let (pull_request, sha) = world.ready("feature").await;
    run_aside(&world, &sha, Aside::ByHand).await;
    world.job_moves(job(&world, &sha, "build"), "failed").await;
    let status = world.say("bob", pull_request, "/status").await;
    status.expect("✅ build, ✅ staging");
    // What is heard next is weighed with what is stored.
    world.status(&sha, "lint", "success").await;
    let staging = world.deploy(&sha, "staging").await;
    world.deployment_status(staging, "success").await;
    world.settle().await;
    let status = world.say("bob", pull_request, "/status").await;
    status.expect("✅ build, ✅ staging");
    assert_eq!(world.recorded("stage.failed").await, 0);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_job_of_another_branch_is_not_played() {
    for how in [Aside::ByHand, Aside::ByPush] {
        let world = World::on_gitlab().await;
        let (pull_request, sha) = world.ready("feature").await;
        let own = world.production_job(&sha);
        run_aside(&world, &sha, how).await;
        let theirs = world.production_job(&sha);
        assert_ne!(theirs, own);
        let said = world.say("ann", pull_request, "/deploy prod").await;
        said.expect("Started");
        let [played] = world.posted("/play").try_into().unwrap();
        assert_eq!(played.path, format!("/projects/9/jobs/{own}/play"));
        let (_, status) = world.gitlab.job_of(SHOP, &sha, "deploy-prod").unwrap();
        assert_eq!(status, "manual");
        world.finish("success").await;
        world.said(said.comment).expect("Live");
        assert_eq!(world.starts(), 1);
        world.is_as_described();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_only_another_branch_has_is_none() {
    for how in [Aside::ByHand, Aside::ByPush] {
        let world = World::on_gitlab().await;
        world
            .gitlab
            .set_jobs(SHOP, vec![JobPlan::new("build", "build")]);
        let (pull_request, sha) = world.ready("feature").await;
        world.gitlab.set_jobs(SHOP, jobs());
        run_aside(&world, &sha, how).await;
        let said = world.say("ann", pull_request, "/deploy prod").await;
        said.expect("Failed");
        said.expect("on main has a job called deploy-prod");
        assert!(world.posted("/play").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_of_another_branch_is_not_approved() {
    let world = World::start(ON_GITLAB, &with_trigger(APPROVE)).await;
    let maintainers = [Access::Level(40)];
    world
        .gitlab
        .protect_environment(SHOP, "production", &maintainers, 1);
    let (pull_request, sha) = world.ready("feature").await;
    let own = world.production_job(&sha);
    let newest = || {
        world
            .gitlab
            .deployments(SHOP, "production")
            .pop()
            .unwrap()
            .0
    };
    let of_main = newest();
    run_aside(&world, &sha, Aside::ByPush).await;
    assert_ne!(newest(), of_main);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    let [approved] = world.posted("/approval").try_into().unwrap();
    let path = format!("/projects/9/deployments/{of_main}/approval");
    assert_eq!(approved.path, path);
    let [played] = world.posted("/play").try_into().unwrap();
    assert_eq!(played.path, format!("/projects/9/jobs/{own}/play"));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_heads_are_released_their_pipelines_count() {
    let open = ("exclude = []", "exclude = []\nallow = [\"open-heads\"]");
    let world = World::start(ON_GITLAB, &plain_with(&[open])).await;
    let pull_request = world.open("feature").await;
    let sha = world.head("work-feature").unwrap();
    world.make_ready(&sha).await;
    let job = world.production_job(&sha);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    let [played] = world.posted("/play").try_into().unwrap();
    assert_eq!(played.path, format!("/projects/9/jobs/{job}/play"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_child_of_a_pipeline_that_does_not_count_is_not_played() {
    let world = World::on_gitlab().await;
    let release = JobPlan::new("deploy-prod", "deploy").manual();
    let child = vec![release.to("production")];
    let start = JobPlan::new("release", "release").starting(child);
    let jobs = vec![JobPlan::new("build", "build"), start];
    world.gitlab.set_jobs(SHOP, jobs);
    let (pull_request, sha) = world.ready("feature").await;
    let newest = || world.gitlab.newest_job(SHOP, &sha, "deploy-prod");
    let own = newest().unwrap();
    // Bob can give that pipeline variables, and its child gets them.
    world.gitlab.run_pipeline(SHOP, "main", "bob").await;
    world.gitlab.job(SHOP, &sha, "build", "success").await;
    world.settle().await;
    assert_ne!(newest(), Some(own));
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    let [played] = world.posted("/play").try_into().unwrap();
    assert_eq!(played.path, format!("/projects/9/jobs/{own}/play"));
    world.is_as_described();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_child_of_a_release_says_nothing_about_its_commit() {
    let create = r#"trigger = { gitlab = "create_pipeline", ref = "main", variables = { RELEASE_SHA = "{sha}" } }"#;
    let world = World::start(ON_GITLAB, &with_trigger(create)).await;
    let build = JobPlan::new("build", "build");
    world.gitlab.set_jobs(SHOP, vec![build.clone()]);
    let (pull_request, sha) = world.ready("feature").await;
    let own = job(&world, &sha, "build");
    let ship = JobPlan::new("ship", "ship").starting(vec![build]);
    world.gitlab.set_jobs(SHOP, vec![ship]);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    let theirs = world.gitlab.newest_job(SHOP, &sha, "build").unwrap();
    assert_ne!(theirs, own);
    world.job_moves(theirs, "failed").await;
    assert_eq!(world.recorded("stage.failed").await, 0);
    let status = world.say("bob", pull_request, "/status").await;
    status.expect("✅ build, ✅ staging");
    let dry = world
        .say("ann", pull_request, "/deploy prod --dry-run")
        .await;
    dry.never("❌ `job:build`");
    world.is_as_described();
}
