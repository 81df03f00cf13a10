//! Whatever goes wrong on the way to GitLab: production starts once at most, and the people who wait can see
//! how it ended.

use std::time::Duration;

use countersign::sandbox::gitlab::{Access, JobPlan, NewCommit, Trouble};

use crate::contract;
use crate::support::World;
use crate::support::on_gitlab::{ON_GITLAB, TRIGGER_TOKEN};
use crate::support::world::{PLAIN, SHOP};

/// Short, because many calls are never answered here.
const PATIENCE: Duration = Duration::from_millis(400);

const DEPLOYMENT: &str = r#"trigger = { github = "deployment", environment = "production" }"#;
const CREATE: &str = r#"trigger = { gitlab = "create_pipeline", ref = "main", variables = { RELEASE_SHA = "{sha}" } }"#;
const BY_TOKEN: &str = r#"trigger = { gitlab = "trigger_token", ref = "main", token = { env = "TOKEN" }, variables = { RELEASE_SHA = "{sha}" } }"#;
const APPROVE: &str = r#"trigger = { gitlab = "approve_then_play", environment = "production" }"#;

fn refusal(status: u16, message: &'static str) -> Trouble {
    Trouble::Refuse {
        status,
        headers: Vec::new(),
        message,
    }
}

/// Every way in which a call can go wrong that may go right later.
fn troubles() -> Vec<Trouble> {
    vec![
        Trouble::SilenceBefore,
        Trouble::Silence,
        refusal(500, "Server Error"),
        Trouble::FailAfterActing { status: 502 },
        Trouble::too_many(30),
        Trouble::Reset,
        Trouble::ResetAfterActing,
        Trouble::Garbage,
    ]
}

/// What happens to a commit before it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Nothing,
    /// Its job was cancelled, so that it has to run again.
    Cancelled,
    /// The service is started anew and remembers nobody, and a stranger wrote a commit.
    Forgotten,
    /// The answer to this call, which starts it, will be lost, and so will what GitLab tells about it; and
    /// the service is started anew.
    Unanswered(&'static str),
}

/// The deployers are a group, so that everything about people is asked.
fn services(trigger: &str) -> String {
    PLAIN
        .replace("[roles.qa]\ngithub_teams = [\"acme/qa\"]\n", "")
        .replace(
            "github_users = [\"ann\", \"dora\"]",
            "github_teams = [\"acme/qa\"]",
        )
        .replace(DEPLOYMENT, trigger)
}

async fn world(trigger: &str) -> World {
    let world = World::patient(ON_GITLAB, &services(trigger), PATIENCE).await;
    world.reconnect_to_gitlab(Some(PATIENCE));
    let gitlab = &world.gitlab;
    if [CREATE, BY_TOKEN].contains(&trigger) {
        let ship = JobPlan::new("ship", "ship").to("elsewhere");
        gitlab.set_jobs(SHOP, vec![ship]);
        gitlab.add_trigger_token(SHOP, TRIGGER_TOKEN, "countersign");
    }
    if trigger == APPROVE {
        gitlab.protect_environment(SHOP, "production", &[Access::Level(40)], 1);
    }
    world
}

/// One release for every call and every trouble.
async fn survive(trigger: &str, before: Before, calls: &[(&str, &str)]) {
    let world = world(trigger).await;
    if before == Before::Forgotten {
        // From here on there is something to compare with.
        let (pull_request, sha) = world.ready("first").await;
        world.say("quinn", pull_request, "/deploy prod").await;
        world.gitlab.pass(SHOP, &sha).await;
        world.settle().await;
    }
    for (method, part) in calls {
        for trouble in troubles() {
            let name = format!("{method} {part} meets {trouble:?}");
            one(&world, before, (method, part, trouble), &name).await;
        }
    }
    contract::gitlab::check(&world.gitlab);
}

const JOB: &str = DEPLOYMENT;
const POST_PIPELINE: &str = "/projects/9/pipeline$";

#[tokio::test(flavor = "multi_thread")]
async fn trouble_while_asking_about_people() {
    let calls = [("GET", "/members/all/"), ("GET", "/groups/")];
    survive(JOB, Before::Nothing, &calls).await;
    // Whose addresses they are is remembered.
    survive(JOB, Before::Forgotten, &[("GET", "/users$")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_while_asking_about_the_commit() {
    let calls = [("GET", "/merge_requests/"), ("GET", "/repository/compare")];
    survive(JOB, Before::Nothing, &calls).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_while_asking_for_reports() {
    let calls = [
        ("GET", "/pipelines$"),
        ("GET", "/jobs$"),
        ("GET", "/statuses$"),
        ("GET", "/deployments$"),
    ];
    survive(JOB, Before::Nothing, &calls).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_when_a_job_is_played() {
    survive(JOB, Before::Nothing, &[("POST", "/play")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_when_a_job_is_run_again() {
    survive(JOB, Before::Cancelled, &[("POST", "/retry")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_when_a_pipeline_is_created() {
    survive(CREATE, Before::Nothing, &[("POST", POST_PIPELINE)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_when_a_pipeline_is_created_by_token() {
    survive(BY_TOKEN, Before::Nothing, &[("POST", "/trigger/pipeline")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_when_a_deployment_is_approved() {
    let calls = [
        ("POST", "/approval"),
        ("GET", "/deployments/"),
        ("GET", "/projects/9/jobs/"),
        ("POST", "/play"),
    ];
    survive(APPROVE, Before::Nothing, &calls).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_while_looking_for_a_job() {
    survive(JOB, Before::Unanswered("/play"), &[("GET", "/user$")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_while_looking_for_a_pipeline() {
    let calls = [("GET", "/user$"), ("GET", "/variables")];
    survive(CREATE, Before::Unanswered(POST_PIPELINE), &calls).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_while_telling() {
    let calls = [
        ("POST", "/award_emoji"),
        ("POST", "/notes$"),
        ("PUT", "/notes/"),
    ];
    survive(JOB, Before::Nothing, &calls).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forbidden_in_plain_text_is_said() {
    let world = world(JOB).await;
    world.gitlab.refuse_in_text();
    for part in ["/members/all/", "/merge_requests/", "/repository/compare"] {
        let (pull_request, _) = world.ready(&part.replace('/', "-")).await;
        let (started, newest) = (starts(&world), world.newest().await);
        let forbidden = refusal(403, "403 Forbidden");
        world.gitlab.expect_trouble_at("GET", part, forbidden);
        let said = world.say("quinn", pull_request, "/deploy prod").await;
        said.expect("403 Forbidden");
        assert_eq!(world.newest().await, newest, "{said:#?}");
        assert_eq!(starts(&world), started, "{part}");
    }
    let (pull_request, _) = world.ready("play").await;
    let forbidden = refusal(403, "403 Forbidden");
    world.gitlab.expect_trouble_at("POST", "/play", forbidden);
    let said = world.say("quinn", pull_request, "/deploy prod").await;
    said.expect("Failed");
    said.expect("GitLab answered 403: 403 Forbidden");
    let again = world.say("quinn", pull_request, "/retry #1").await;
    again.expect("Started");
    assert_eq!(starts(&world), 1);
    assert_eq!(world.gitlab.trouble_left(), 0);
}

/// The releases that began: jobs that were played or run again, or pipelines with our mark.
fn starts(world: &World) -> usize {
    let told = world.gitlab.sent().into_iter();
    let marked = told.filter(|sent| {
        let attributes = &sent.body["object_attributes"];
        sent.event == "Pipeline Hook" && attributes["variables"].to_string().contains("COUNTERSIGN")
    });
    let pipelines: std::collections::BTreeSet<u64> = marked
        .filter_map(|sent| sent.body["object_attributes"]["id"].as_u64())
        .collect();
    world.starts() + pipelines.len()
}

/// A commit is asked for, once more where that was refused because something could not be found out.
async fn ask(world: &World, pull_request: u64, name: &str) -> u64 {
    let (before, newest) = (starts(world), world.newest().await);
    let mut said = world.say("quinn", pull_request, "/deploy prod").await;
    if world.newest().await != newest {
        return said.comment;
    }
    for _ in 0..6 {
        if !said.answers.is_empty() {
            break;
        }
        world.pass(30).await;
        said = world.said(said.comment);
    }
    if world.newest().await != newest {
        return said.comment;
    }
    said.expect("Refused");
    said.expect("could not");
    assert_eq!(starts(world), before, "{name}");
    world.pass(60).await;
    world
        .say("quinn", pull_request, "/deploy prod")
        .await
        .comment
}

async fn one(
    world: &World,
    before: Before,
    (method, part, trouble): (&str, &str, Trouble),
    name: &str,
) {
    let case = world.gitlab.sent().len();
    if before == Before::Forgotten {
        let by_a_stranger = NewCommit {
            message: format!("before case-{case}"),
            ..NewCommit::default()
        };
        world.push_to("main", vec![by_a_stranger]).await;
    }
    let (pull_request, sha) = world.ready(&format!("case-{case}")).await;
    match before {
        Before::Nothing => {}
        Before::Cancelled => {
            world
                .job_moves(world.production_job(&sha), "canceled")
                .await;
        }
        Before::Forgotten => world.reconnect_to_gitlab(Some(PATIENCE)),
        Before::Unanswered(call) => {
            world.reconnect_to_gitlab(Some(PATIENCE));
            let lost = Trouble::FailAfterActing { status: 502 };
            world.gitlab.expect_trouble_at("POST", call, lost);
        }
    }
    let (started, newest) = (starts(world), world.newest().await);
    world.gitlab.expect_trouble_at(method, part, trouble);
    let comment = if matches!(before, Before::Unanswered(_)) {
        let asked = world.say_unheard("quinn", pull_request, "/deploy prod");
        asked.await
    } else {
        ask(world, pull_request, name).await
    };
    let request = newest + 1;
    for _ in 0..14 {
        let state = world.state(request).await.unwrap();
        match state.as_str() {
            "sent" | "running" if world.external(request).await != 0 => {
                world.gitlab.pass(SHOP, &sha).await;
                world.settle().await;
            }
            "departing" | "unknown" | "sent" | "running" => world.pass(30).await,
            _ => break,
        }
    }
    world.pass(120).await;
    let said = world.said(comment);
    assert_eq!(world.gitlab.trouble_left(), 0, "never met: {name}");
    assert_eq!(starts(world), started + 1, "{name}: {said:#?}");
    let state = world.state(request).await;
    assert_eq!(state.as_deref(), Some("succeeded"), "{name}: {said:#?}");
    assert_eq!(said.answers.len(), 1, "{name}: {said:#?}");
    said.expect("Live");
    assert!(
        said.reactions.contains(&"rocket".to_owned()),
        "{name}: {said:#?}"
    );
    assert_eq!(world.recorded("production.unexplained").await, 0, "{name}");
    assert_eq!(world.gitlab.head(SHOP, "main"), Some(sha), "{name}");
}
