//! Long lists of the forges: what stands behind a hundred newer ones is found, and what may stand behind more than
//! we read is never taken to be absent.

use std::future::Future;

use countersign::domain::Forge;
use countersign_sandbox::github::{Order, Trouble};
use countersign_sandbox::gitlab::{Access, JobPlan};

use crate::support::on_gitlab::{ON_GITLAB, TRIGGER_TOKEN, with_trigger};
use crate::support::world::SHOP;
use crate::support::{Setting, World, on_both_forges};

on_both_forges!(
    a_staging_behind_many_newer_deployments_is_seen,
    an_answer_behind_many_newer_comments_is_found,
);

const CREATE: &str = r#"trigger = { gitlab = "create_pipeline", ref = "main", variables = { RELEASE_SHA = "{sha}" } }"#;
const BY_TOKEN: &str = r#"trigger = { gitlab = "trigger_token", ref = "main", token = { env = "TOKEN" }, variables = { RELEASE_SHA = "{sha}" } }"#;
const APPROVE: &str = r#"trigger = { gitlab = "approve_then_play", environment = "production" }"#;

/// What happens a number of times, of which nobody tells us.
async fn unheard<F: Future>(world: &World, times: usize, act: impl Fn(usize) -> F) {
    world.hold();
    for number in 0..times {
        act(number).await;
    }
    world.release(&Order::Chosen(Vec::new()));
    world.settle().await;
}

/// A service on GitLab whose releases are pipelines of their own, and a commit that is ready.
async fn with_pipelines(trigger: &str) -> (World, u64) {
    let world = World::start(ON_GITLAB, &with_trigger(trigger)).await;
    world.reconnect_to_gitlab(None);
    let build = JobPlan::new("build", "build");
    world.gitlab.set_jobs(SHOP, vec![build]);
    let owner = "countersign";
    world.gitlab.add_trigger_token(SHOP, TRIGGER_TOKEN, owner);
    let (pull_request, _) = world.ready("feature").await;
    let ship = JobPlan::new("ship", "ship").to("production");
    world.gitlab.set_jobs(SHOP, vec![ship]);
    (world, pull_request)
}

const WAYS: [(&str, &str, &str); 2] = [
    (CREATE, "/projects/9/pipeline", "api"),
    (BY_TOKEN, "/trigger/pipeline", "trigger"),
];

async fn run_many(world: &World, source: &str, count: usize) {
    unheard(world, count, |_| {
        let by = (source, "countersign");
        world.gitlab.run_pipeline_from(SHOP, "main", by)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_pipeline_behind_many_newer_ones_is_found() {
    for (trigger, call, source) in WAYS {
        let (world, pull_request) = with_pipelines(trigger).await;
        let lost = Trouble::FailAfterActing { status: 502 };
        world.gitlab.expect_trouble_at("POST", call, lost);
        let comment = world.say_unheard("ann", pull_request, "/deploy prod").await;
        assert_eq!(world.external(1).await, 0, "{source}");
        run_many(&world, source, 150).await;
        for _ in 0..12 {
            world.pass(20).await;
        }
        assert_eq!(world.posted(call).len(), 1, "{source}");
        assert_ne!(world.external(1).await, 0, "{source}");
        world.said(comment).expect("Started");
        world.is_as_described();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_among_too_many_pipelines_is_not_started_again() {
    for (trigger, call, source) in WAYS {
        let (world, pull_request) = with_pipelines(trigger).await;
        world.gitlab.expect_trouble_at("POST", call, Trouble::Reset);
        let comment = world.say_unheard("ann", pull_request, "/deploy prod").await;
        run_many(&world, source, 510).await;
        for _ in 0..30 {
            world.pass(20).await;
        }
        assert_eq!(world.posted(call).len(), 1, "{source}");
        assert_eq!(world.external(1).await, 0, "{source}");
        world.said(comment).expect("The answer of GitLab was lost");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_job_behind_many_newer_pipelines_is_played() {
    let world = World::on_gitlab().await;
    let (pull_request, sha) = world.ready("feature").await;
    let own = world.production_job(&sha);
    unheard(&world, 25, |_| {
        let by = ("schedule", "bob");
        world.gitlab.run_pipeline_from(SHOP, "main", by)
    })
    .await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    let [played] = world.posted("/play").try_into().unwrap();
    assert_eq!(played.path, format!("/projects/9/jobs/{own}/play"));
    world.is_as_described();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_waits_behind_many_newer_ones_is_approved() {
    let world = World::start(ON_GITLAB, &with_trigger(APPROVE)).await;
    let maintainers = [Access::Level(40)];
    let gitlab = &world.gitlab;
    gitlab.protect_environment(SHOP, "production", &maintainers, 1);
    let (_, other) = world.merge("other").await;
    let (pull_request, _) = world.ready("feature").await;
    unheard(&world, 120, |_| {
        gitlab.deploy(SHOP, &other, "production", "bob")
    })
    .await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    assert_eq!(world.posted("/approval").len(), 1);
    world.is_as_described();
}

async fn a_staging_behind_many_newer_deployments_is_seen(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, sha) = world.merge("feature").await;
    world.build(&sha, "success").await;
    world.status(&sha, "lint", "success").await;
    world.settle().await;
    unheard(&world, 1, |_| async {
        let staging = world.deploy(&sha, "staging").await;
        world.deployment_status(staging, "success").await;
    })
    .await;
    unheard(&world, 120, |_| world.deploy(&sha, "review")).await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    world.is_as_described();
}

async fn an_answer_behind_many_newer_comments_is_found(setting: Setting) {
    let world = World::plain(setting).await;
    let (pull_request, _) = world.ready("feature").await;
    let lost = Trouble::FailAfterActing { status: 502 };
    match world.forge {
        Forge::GitHub => {
            let path = format!("/issues/{pull_request}/comments");
            world.github.expect_trouble_at("POST", &path, lost);
        }
        Forge::GitLab => world.gitlab.expect_trouble_at("POST", "/notes", lost),
    }
    let comment = world.say_unheard("bob", pull_request, "/help").await;
    unheard(&world, 250, |_| {
        world.comment("bob", pull_request, "So what?")
    })
    .await;
    world.pass(60).await;
    assert_eq!(world.trouble_left(), 0);
    assert_eq!(world.said(comment).answers.len(), 1);
    world.is_as_described();
}
