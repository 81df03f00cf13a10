//! Re-runs: somebody on the forge starts a release again that is over, or says how one goes. An approval does not last
//! for ever, and not everybody's word counts.

use countersign_sandbox::gitlab::JobPlan;

use crate::support::world::{SHOP, plain_with};
use crate::support::{Engine, World, on_both};

on_both!(
    a_release_that_runs_again_after_weeks_under_a_lock_is_told,
    what_ran_again_and_failed_changes_nothing,
    what_runs_again_beside_a_newer_release_is_told_and_holds_nothing_up,
    a_late_success_is_not_believed_for_ever,
    a_strangers_word_ends_no_release,
    whom_the_policy_names_is_believed,
    the_run_knows_better_than_what_workflows_say,
);

const DAY: u64 = 86_400;

/// A release whose run failed, and a newer one that is live.
async fn failed_and_live(world: &World) -> (u64, String, String) {
    world
        .github
        .add_workflow(SHOP, "release.yml", &["deployment"]);
    let (run, old) = failed(world).await;
    world.pass(DAY).await;
    let (pull_request, new) = world.ready("new").await;
    world.say("ann", pull_request, "/deploy prod").await;
    let newer = run_of(world, &new);
    world
        .github
        .run_moves(newer, "completed", Some("success"))
        .await;
    world.settle().await;
    assert_eq!(is_live(world).await, new);
    (run, old, new)
}

/// A release whose run failed a moment ago.
async fn failed(world: &World) -> (u64, String) {
    let (pull_request, sha) = world.ready("old").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    let run = run_of(world, &sha);
    world
        .github
        .run_moves(run, "completed", Some("failure"))
        .await;
    world.settle().await;
    world.said(said.comment).expect("Failed");
    (run, sha)
}

fn run_of(world: &World, sha: &str) -> u64 {
    *world.github.runs_of(sha, "deployment").last().unwrap()
}

async fn is_live(world: &World) -> String {
    use sqlx::{Executor as _, Row as _};
    let mut connection = world.database.direct().await;
    let row = connection.fetch_one("SELECT sha FROM live").await.unwrap();
    row.get(0)
}

async fn a_release_that_runs_again_after_weeks_under_a_lock_is_told(engine: Engine) {
    let world = World::plain(engine).await;
    let (run, old, _) = failed_and_live(&world).await;
    let (pull_request, _) = world.ready("third").await;
    world
        .say("ann", pull_request, "/lock prod --reason audit")
        .await;
    world.pass(24 * DAY).await;
    world.github.rerun(run).await;
    world.github.run_moves(run, "in_progress", None).await;
    world.settle().await;
    assert_eq!(world.recorded("production.unexplained").await, 1);
    // It is under way, and another release waits for its end.
    world.say("ann", pull_request, "/unlock prod").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("#1 releases");
    said.expect("there at this moment");
    world
        .github
        .run_moves(run, "completed", Some("success"))
        .await;
    world.settle().await;
    assert_eq!(is_live(&world).await, old);
    assert_eq!(world.recorded("production.unexplained").await, 1);
    assert_eq!(world.recorded("succeeded").await, 1);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    world.is_as_described();
}

async fn what_ran_again_and_failed_changes_nothing(engine: Engine) {
    let world = World::plain(engine).await;
    let (run, _, new) = failed_and_live(&world).await;
    world.github.rerun(run).await;
    world.github.run_moves(run, "in_progress", None).await;
    world.settle().await;
    assert_eq!(world.recorded("production.unexplained").await, 1);
    world
        .github
        .run_moves(run, "completed", Some("failure"))
        .await;
    // The forge says it once more.
    world
        .github
        .run_moves(run, "completed", Some("failure"))
        .await;
    world.settle().await;
    assert_eq!(is_live(&world).await, new);
    let (pull_request, _) = world.ready("third").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
}

async fn what_runs_again_beside_a_newer_release_is_told_and_holds_nothing_up(engine: Engine) {
    let world = World::plain(engine).await;
    world
        .github
        .add_workflow(SHOP, "release.yml", &["deployment"]);
    let (run, old) = failed(&world).await;
    let (pull_request, new) = world.ready("new").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    let newer = run_of(&world, &new);
    world.github.run_moves(newer, "in_progress", None).await;
    world.github.rerun(run).await;
    world.github.run_moves(run, "in_progress", None).await;
    world.settle().await;
    // Moments after its end, and still nobody meant it: another commit is on its way.
    assert_eq!(world.recorded("production.unexplained").await, 1);
    world.said(said.comment).expect("Deploying");
    world
        .github
        .run_moves(newer, "completed", Some("success"))
        .await;
    world.settle().await;
    world.said(said.comment).expect("Live");
    assert_eq!(is_live(&world).await, new);
    world
        .github
        .run_moves(run, "completed", Some("success"))
        .await;
    world.settle().await;
    // It is there now, and no approval says so.
    assert_eq!(is_live(&world).await, old);
    assert_eq!(world.recorded("succeeded").await, 1);
    let parked = "SELECT COUNT(*) FROM inbox WHERE outcome = 'parked'";
    assert_eq!(world.number(parked).await, 0);
    world.is_as_described();
}

async fn a_late_success_is_not_believed_for_ever(engine: Engine) {
    let world = World::plain(engine).await;
    let (pull_request, old) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    let deployment = world.deployment().await;
    world.github.deployment_status(deployment, "failure").await;
    world.settle().await;
    world.said(said.comment).expect("Failed");
    world.pass(DAY).await;
    world.github.deployment_status(deployment, "success").await;
    world.settle().await;
    world.said(said.comment).expect("Failed");
    assert_eq!(world.recorded("production.unexplained").await, 1);
    assert_eq!(world.recorded("succeeded").await, 0);
    assert_eq!(is_live(&world).await, old);
}

async fn a_strangers_word_ends_no_release(engine: Engine) {
    let world = World::plain(engine).await;
    let (pull_request, _) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    let deployment = world.deployment().await;
    for state in ["failure", "success"] {
        world
            .github
            .deployment_status_by(deployment, state, "bob")
            .await;
        world.settle().await;
        world.said(said.comment).expect("Started");
    }
    // Nor when it is asked how it goes.
    world.pass(3_600).await;
    world.said(said.comment).expect("Started");
    world.finish("success").await;
    world.said(said.comment).expect("Live");
    world.is_as_described();
}

async fn whom_the_policy_names_is_believed(engine: Engine) {
    let named = r#"environment = "production", reporter = "Bob" }"#;
    let services = plain_with(&[(r#"environment = "production" }"#, named)]);
    let world = World::start(engine, &services).await;
    let (pull_request, _) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    let deployment = world.deployment().await;
    world
        .github
        .deployment_status_by(deployment, "success", "bob")
        .await;
    world.settle().await;
    world.said(said.comment).expect("Live");
}

async fn the_run_knows_better_than_what_workflows_say(engine: Engine) {
    let world = World::plain(engine).await;
    world
        .github
        .add_workflow(SHOP, "release.yml", &["deployment"]);
    let (pull_request, sha) = world.ready("feature").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    let run = run_of(&world, &sha);
    world.github.run_moves(run, "in_progress", None).await;
    world.settle().await;
    world.said(said.comment).expect("Deploying");
    // Any workflow can say so with its token.
    world.finish("failure").await;
    world.said(said.comment).expect("Deploying");
    world
        .github
        .run_moves(run, "completed", Some("success"))
        .await;
    world.settle().await;
    world.said(said.comment).expect("Live");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_runs_again_after_weeks_is_told() {
    let world = World::on_gitlab().await;
    world.gitlab.set_jobs(
        SHOP,
        vec![
            JobPlan::new("build", "build"),
            JobPlan::new("deploy-prod", "deploy").manual(),
        ],
    );
    let (pull_request, old) = world.ready("old").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    let job = world.production_job(&old);
    world.job_moves(job, "failed").await;
    world.said(said.comment).expect("Failed");
    world.pass(DAY).await;
    world.live("new").await;
    world.pass(24 * DAY).await;
    let again = world.gitlab.retry(job, "bob").await.unwrap();
    world.job_moves(again, "running").await;
    assert_eq!(world.recorded("production.unexplained").await, 1);
    let (pull_request, _) = world.ready("third").await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("#1 releases");
    world.job_moves(again, "success").await;
    assert_eq!(is_live(&world).await, old);
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    world.is_as_described();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_followed_though_its_environment_is_taken_out() {
    for setting in [Engine::Sqlite.into(), crate::support::on_gitlab::ON_GITLAB] {
        let services = plain_with(&[]);
        let world = World::start(setting, &services).await;
        let (pull_request, sha) = world.ready("feature").await;
        let said = world.say("ann", pull_request, "/deploy prod").await;
        said.expect("Started");
        let other = plain_with(&[("name = \"prod\"", "name = \"later\"")]);
        world.reconfigure(&other).await;
        for command in ["/cancel #1", "/reject #1"] {
            let refused = world.say("bob", pull_request, command).await;
            refused.expect("**Refused**");
        }
        world.finish("success").await;
        assert_eq!(is_live(&world).await, sha);
        assert_eq!(world.recorded("succeeded").await, 1);
        world.reconfigure(&services).await;
        let said = world.say("ann", pull_request, "/deploy prod").await;
        said.expect("is live in **prod** already");
    }
}

/// Nobody may stop what is not theirs because its environment is not configured for a while.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_stopped_by_its_people_though_its_environment_is_taken_out() {
    let two = plain_with(&[crate::support::world::TWO]);
    let world = World::start(Engine::Sqlite, &two).await;
    let (pull_request, _) = world.ready("feature").await;
    let asked = world.say("ann", pull_request, "/deploy prod").await;
    asked.expect("1 of 2");
    let other = two.replace("name = \"prod\"", "name = \"later\"");
    world.reconfigure(&other).await;
    for command in ["/cancel #1", "/reject #1"] {
        let refused = world.say("dora", pull_request, command).await;
        refused.expect("only those who asked for it or approved it stop it");
    }
    let said = world.say("ann", pull_request, "/cancel #1").await;
    said.expect("**Cancelled**");
}
