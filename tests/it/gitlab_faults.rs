//! Faults on the way to GitLab: production starts once at most, and the people who wait can see how it ended.

use std::time::Duration;

use countersign_sandbox::gitlab::{Access, JobPlan, NewCommit, Order, Trouble, has};

use crate::faults::is_told;
use crate::support::crew::Part;
use crate::support::on_gitlab::{ON_GITLAB, TRIGGER_TOKEN};
use crate::support::world::{PLAIN, SHOP};
use crate::support::{World, eventually};

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

/// Every way in which a call can go wrong that may go right later. Where nothing is done, nothing can go wrong
/// after it was done.
fn troubles(method: &str) -> Vec<Trouble> {
    let mut troubles = vec![
        Trouble::SilenceBefore,
        refusal(500, "Server Error"),
        Trouble::too_many(30),
        Trouble::Reset,
        Trouble::Garbage,
    ];
    if method != "GET" {
        troubles.extend([
            Trouble::Silence,
            Trouble::FailAfterActing { status: 502 },
            Trouble::ResetAfterActing,
        ]);
    }
    troubles
}

/// What happens before a call meets its trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Nothing,
    /// The commit is asked for by the beginning of its id.
    Named,
    /// Its job was cancelled, so that it has to run again.
    Cancelled,
    /// The service is started anew and remembers no account, and a stranger wrote a commit.
    Forgotten,
    /// It is decided, and the trouble is there when it leaves.
    Decided,
    /// The answer to this call, which starts it, is lost, and so is what GitLab tells about it; and the
    /// service is started anew.
    Unanswered(&'static str),
    /// The answer to the first comment is lost.
    Untold,
    /// It goes through, and GitLab does not tell us.
    Unheard,
}

/// Calls that meet trouble on the way of one release.
struct Rows {
    trigger: &'static str,
    before: Before,
    calls: &'static [(&'static str, &'static str)],
}

/// The deployers are a group, so that everything about people is asked.
fn services(trigger: &str) -> String {
    PLAIN
        .replace("[roles.qa]\ngithub_teams = [\"acme/qa\"]\n", "")
        .replace(
            "github_users = [\"ann\", \"dora\"]",
            "github_teams = [\"acme/qa\"]\ngithub_roles = [\"maintain\"]",
        )
        .replace("exclude = []", "exclude = [\"opener\", \"pusher\"]")
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

const JOB: &str = DEPLOYMENT;
const POST_PIPELINE: &str = "/projects/9/pipeline$";

const PEOPLE: Rows = Rows {
    trigger: JOB,
    before: Before::Nothing,
    calls: &[
        ("GET", "/groups/acme%2Fqa$"),
        ("GET", "/groups/#/members/all/#$"),
        ("GET", "/projects/#/members/all/#$"),
    ],
};

const AUTHORS: Rows = Rows {
    trigger: JOB,
    before: Before::Forgotten,
    calls: &[("GET", "/users$"), ("GET", "/users/#$")],
};

const ARRIVALS: Rows = Rows {
    trigger: JOB,
    before: Before::Forgotten,
    calls: &[
        ("GET", "/repository/commits/#/merge_requests$"),
        ("GET", "/projects/#/events$"),
    ],
};

const MERGE_REQUEST: Rows = Rows {
    trigger: JOB,
    before: Before::Nothing,
    calls: &[
        ("GET", "/merge_requests/#$"),
        ("GET", "/merge_requests/#/notes/#$"),
        ("GET", "/repository/branches/main$"),
        ("GET", "/repository/compare$"),
    ],
};

const COMMIT: Rows = Rows {
    trigger: JOB,
    before: Before::Named,
    calls: &[("GET", "/repository/commits/#$")],
};

const REPORTS: Rows = Rows {
    trigger: JOB,
    before: Before::Nothing,
    calls: &[
        ("GET", "/pipelines$"),
        ("GET", "/pipelines/#$"),
        ("GET", "/pipelines/#/bridges$"),
        ("GET", "/pipelines/#/jobs$"),
        ("GET", "/statuses$"),
        ("GET", "/deployments$"),
    ],
};

const PLAY: Rows = Rows {
    trigger: JOB,
    before: Before::Nothing,
    calls: &[("POST", "/jobs/#/play$")],
};

const AGAIN: Rows = Rows {
    trigger: JOB,
    before: Before::Cancelled,
    calls: &[("POST", "/jobs/#/retry$")],
};

const CREATED: Rows = Rows {
    trigger: CREATE,
    before: Before::Nothing,
    calls: &[("POST", POST_PIPELINE)],
};

const CREATED_BY_TOKEN: Rows = Rows {
    trigger: BY_TOKEN,
    before: Before::Nothing,
    calls: &[("POST", "/trigger/pipeline$")],
};

const APPROVED: Rows = Rows {
    trigger: APPROVE,
    before: Before::Nothing,
    calls: &[
        ("POST", "/deployments/#/approval$"),
        ("POST", "/jobs/#/play$"),
    ],
};

const LEAVING: Rows = Rows {
    trigger: JOB,
    before: Before::Decided,
    calls: &[
        ("GET", "/pipelines$"),
        ("GET", "/pipelines/#$"),
        ("GET", "/pipelines/#/bridges$"),
        ("GET", "/pipelines/#/jobs$"),
    ],
};

const LEAVING_APPROVED: Rows = Rows {
    trigger: APPROVE,
    before: Before::Decided,
    calls: &[
        ("GET", "/deployments$"),
        ("GET", "/deployments/#$"),
        ("GET", "/jobs/#$"),
        ("GET", "/user$"),
    ],
};

const LOST: Rows = Rows {
    trigger: JOB,
    before: Before::Unanswered("/play"),
    calls: &[
        ("GET", "/user$"),
        ("GET", "/pipelines$"),
        ("GET", "/pipelines/#/bridges$"),
        ("GET", "/pipelines/#/jobs$"),
    ],
};

const LOST_PIPELINE: Rows = Rows {
    trigger: CREATE,
    before: Before::Unanswered(POST_PIPELINE),
    calls: &[
        ("GET", "/user$"),
        ("GET", "/pipelines$"),
        ("GET", "/pipelines/#$"),
        ("GET", "/pipelines/#/variables$"),
    ],
};

const FOLLOWED: Rows = Rows {
    trigger: JOB,
    before: Before::Unheard,
    calls: &[("GET", "/jobs/#$")],
};

const FOLLOWED_PIPELINE: Rows = Rows {
    trigger: CREATE,
    before: Before::Unheard,
    calls: &[("GET", "/pipelines/#$")],
};

const TELLING: Rows = Rows {
    trigger: JOB,
    before: Before::Nothing,
    calls: &[
        ("POST", "/notes/#/award_emoji$"),
        ("POST", "/merge_requests/#/notes$"),
        ("PUT", "/notes/#$"),
    ],
};

const TELLING_AGAIN: Rows = Rows {
    trigger: JOB,
    before: Before::Untold,
    calls: &[("GET", "/merge_requests/#/notes$")],
};

/// Every call that a release may make.
const TABLE: [&Rows; 19] = [
    &PEOPLE,
    &AUTHORS,
    &ARRIVALS,
    &MERGE_REQUEST,
    &COMMIT,
    &REPORTS,
    &PLAY,
    &AGAIN,
    &CREATED,
    &CREATED_BY_TOKEN,
    &APPROVED,
    &LEAVING,
    &LEAVING_APPROVED,
    &LOST,
    &LOST_PIPELINE,
    &FOLLOWED,
    &FOLLOWED_PIPELINE,
    &TELLING,
    &TELLING_AGAIN,
];

/// Calls that no release makes, and the tests in which they meet trouble.
const ELSEWHERE: [(&str, &str); 9] = [
    // `gitlab_healing::names_are_looked_up_when_gitlab_is_back`
    ("GET", "/projects/acme%2Fshop$"),
    // `trouble_while_a_branch_is_read_again`
    ("GET", "/repository/branches/"),
    // `webhooks::trouble_while_a_webhook_is_looked_after_is_over_at_the_next_look`
    ("GET", "/hooks$"),
    ("GET", "/hooks/#/events$"),
    ("POST", "/hooks/#/events/#/resend$"),
    ("POST", "/hooks/#/test/push_events$"),
    // `setup::what_gitlab_does_not_do_is_said_and_done_the_next_time`
    ("POST", "/projects/#/hooks$"),
    ("PUT", "/hooks/#$"),
    ("DELETE", "/hooks/#$"),
];

/// Whether what becomes of this call when it meets trouble is tried anywhere. The stories ask it for every call
/// that is made in them.
pub(crate) fn is_tried(method: &str, path: &str) -> bool {
    let rows = TABLE.iter().flat_map(|rows| rows.calls);
    let mut calls = rows.chain(&ELSEWHERE);
    calls.any(|(tried, part)| *tried == method && has(path, part))
}

/// One release for every call and every trouble.
async fn survive(rows: &Rows) {
    let world = world(rows.trigger).await;
    if rows.before == Before::Forgotten {
        // From here on there is something to compare with.
        let (pull_request, sha) = world.ready("first").await;
        world.say("quinn", pull_request, "/deploy prod").await;
        world.gitlab.pass(SHOP, &sha).await;
        world.settle().await;
    }
    for (method, part) in rows.calls {
        for trouble in troubles(method) {
            let name = format!("{method} {part} meets {trouble:?}");
            one(&world, rows.before, (method, part, trouble), &name).await;
        }
    }
    world.is_as_described();
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_while_asking_about_people() {
    survive(&PEOPLE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_while_asking_about_authors() {
    survive(&AUTHORS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_while_asking_how_commits_came() {
    survive(&ARRIVALS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_while_asking_about_the_merge_request() {
    survive(&MERGE_REQUEST).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_while_asking_about_the_commit() {
    survive(&COMMIT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_while_asking_for_reports() {
    survive(&REPORTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_when_a_job_is_played() {
    survive(&PLAY).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_when_a_job_is_run_again() {
    survive(&AGAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_when_a_pipeline_is_created() {
    survive(&CREATED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_when_a_pipeline_is_created_by_token() {
    survive(&CREATED_BY_TOKEN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_when_a_deployment_is_approved() {
    survive(&APPROVED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_when_a_job_is_looked_up_to_be_played() {
    survive(&LEAVING).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_when_a_deployment_is_looked_up_to_be_approved() {
    survive(&LEAVING_APPROVED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_while_looking_for_a_job() {
    survive(&LOST).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_while_looking_for_a_pipeline() {
    survive(&LOST_PIPELINE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_while_following_a_job() {
    survive(&FOLLOWED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_while_following_a_pipeline() {
    survive(&FOLLOWED_PIPELINE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_while_telling() {
    survive(&TELLING).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_while_looking_for_what_was_told() {
    survive(&TELLING_AGAIN).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_while_a_branch_is_read_again() {
    let world = world(JOB).await;
    for (number, trouble) in troubles("GET").into_iter().enumerate() {
        let name = format!("{trouble:?}");
        world.gitlab.hold();
        let commit = NewCommit::by("bob", "unheard");
        let sha = world.gitlab.push(SHOP, "main", vec![commit]).await;
        world.gitlab.release(&Order::Chosen(Vec::new()));
        world.settle().await;
        let part = "/repository/branches/main$";
        world.gitlab.expect_trouble_at("GET", part, trouble);
        let candidates = "SELECT COUNT(*) FROM candidate";
        let before = world.number(candidates).await;
        world.pass(601).await;
        assert_eq!(world.gitlab.trouble_left(), 0, "never met: {name}");
        world.pass(601).await;
        assert_eq!(world.number(candidates).await, before + 1, "{name}");
        world.make_ready(&sha).await;
        let ready = world.recorded("candidate.ready").await;
        assert_eq!(ready, number + 1, "{name}");
    }
    world.is_as_described();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forbidden_in_plain_text_is_said() {
    let world = world(JOB).await;
    world.gitlab.refuse_in_text();
    for part in [
        "/groups/#/members/all/",
        "/merge_requests/",
        "/repository/branches/main",
    ] {
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
    let retry = format!("/retry #{}", world.newest().await);
    let again = world.say("quinn", pull_request, &retry).await;
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
async fn ask(world: &World, (pull_request, command): (u64, &str), name: &str) -> u64 {
    let (before, newest) = (starts(world), world.newest().await);
    let mut said = world.say("quinn", pull_request, command).await;
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
    world.say("quinn", pull_request, command).await.comment
}

/// It is decided, and nothing was carried out when the trouble comes.
async fn decide(world: &World, pull_request: u64, trouble: impl FnOnce()) -> u64 {
    world.crash().await;
    world.work(&[Part::Intake]).await;
    let comment = world.comment("quinn", pull_request, "/deploy prod").await;
    let trigger = "SELECT COUNT(*) FROM outbox WHERE priority = 0 AND state = 'waiting'";
    eventually("it is decided", async || {
        (world.number(trigger).await == 1).then_some(())
    })
    .await;
    world.reconnect_to_gitlab(Some(PATIENCE));
    trouble();
    world.come_back().await;
    world.settle().await;
    comment
}

/// It is started and goes through while GitLab does not tell us, and the trouble comes when we ask.
async fn go_unheard(
    world: &World,
    (pull_request, sha): (u64, &str),
    trouble: impl FnOnce(),
) -> u64 {
    let said = world.say("quinn", pull_request, "/deploy prod").await;
    world.gitlab.hold();
    world.gitlab.pass(SHOP, sha).await;
    world.gitlab.release(&Order::Chosen(Vec::new()));
    world.settle().await;
    trouble();
    world.pass(1_000).await;
    world.pass(1_000).await;
    said.comment
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
        Before::Nothing | Before::Named | Before::Decided | Before::Unheard => {}
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
        Before::Untold => {
            let lost = Trouble::FailAfterActing { status: 502 };
            world.gitlab.expect_trouble_at("POST", "/notes$", lost);
        }
    }
    let (started, newest) = (starts(world), world.newest().await);
    let trouble = || world.gitlab.expect_trouble_at(method, part, trouble);
    let comment = match before {
        Before::Unanswered(_) => {
            let asked = world.say_unheard("quinn", pull_request, "/deploy prod");
            let comment = asked.await;
            trouble();
            comment
        }
        Before::Decided => decide(world, pull_request, trouble).await,
        Before::Unheard => go_unheard(world, (pull_request, &sha), trouble).await,
        Before::Named => {
            trouble();
            let command = format!("/deploy prod {}", &sha[..12]);
            ask(world, (pull_request, &command), name).await
        }
        Before::Nothing | Before::Cancelled | Before::Forgotten | Before::Untold => {
            trouble();
            ask(world, (pull_request, "/deploy prod"), name).await
        }
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
    // On a busy machine other calls run out of patience, too, and come back later.
    for _ in 0..6 {
        world.pass(120).await;
        if is_told(&world.said(comment)) {
            break;
        }
    }
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
