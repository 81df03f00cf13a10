//! Faults on the way to GitHub: production starts once at most, and the people who wait can see how it ended.

use std::time::Duration;

use countersign_sandbox::github::Trouble;
use sqlx::Executor as _;

use crate::contract;
use crate::support::world::{PLAIN, SHOP, Said};
use crate::support::{Engine, World, on_both};

// On GitHub only: the calls are its own. GitLab's are in `gitlab_faults.rs`.
on_both!(
    trouble_while_asking_about_people,
    trouble_while_asking_about_the_commit,
    trouble_while_asking_how_it_came,
    trouble_at_the_trigger,
    trouble_while_telling,
    trouble_while_telling_about_the_deployment,
    what_the_database_will_not_have_is_set_aside_and_the_lane_goes_on,
);

/// Short, because many calls are never answered here.
const PATIENCE: Duration = Duration::from_millis(400);

/// Every way in which a call can go wrong.
fn troubles() -> Vec<Trouble> {
    vec![
        Trouble::SilenceBefore,
        Trouble::Silence,
        refusal(500),
        refusal(502),
        Trouble::Refuse {
            status: 429,
            headers: vec![("retry-after", "30".to_owned())],
            message: "Too many requests",
        },
        Trouble::secondary_limit(Some(45)),
        Trouble::Reset,
        Trouble::ResetAfterActing,
        Trouble::Garbage,
    ]
}

fn refusal(status: u16) -> Trouble {
    Trouble::Refuse {
        status,
        headers: Vec::new(),
        message: "Server Error",
    }
}

/// The deployers are a team, so that everything about people is asked.
fn services() -> String {
    PLAIN
        .replace("[roles.qa]\ngithub_teams = [\"acme/qa\"]\n", "")
        .replace(
            "github_users = [\"ann\", \"dora\"]",
            "github_teams = [\"acme/qa\"]",
        )
        .replace("exclude = []", "exclude = [\"opener\"]")
}

async fn what_the_database_will_not_have_is_set_aside_and_the_lane_goes_on(engine: Engine) {
    let world = World::plain(engine).await;
    let (pull_request, _) = world.ready("feature").await;
    world.say("ann", pull_request, "/deploy prod").await;
    world.finish("success").await;
    // Stands for a defect of ours that breaks a rule of the schema, each time that it is tried.
    let rule = "CREATE UNIQUE INDEX never_twice ON request (repository)";
    world.database.direct().await.execute(rule).await.unwrap();
    let (pull_request, _) = world.ready("second").await;
    let mut before = world.ledger().await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    assert_eq!(said.answers, Vec::<String>::new());
    let parked = "SELECT COUNT(*) FROM inbox WHERE outcome = 'parked'";
    assert_eq!(world.number(parked).await, 1);
    assert_eq!(world.recorded("delivery.parked").await, 1);
    before.extend(["command.received", "delivery.parked"].map(str::to_owned));
    assert_eq!(world.ledger().await, before, "and nothing half");
    let said = world.say("ann", pull_request, "/who prod").await;
    said.expect("→ **prod** needs these approvals");
    assert_eq!(world.starts(), 1);
}

async fn trouble_while_asking_about_people(engine: Engine) {
    survive(
        engine,
        &[
            ("POST", "/access_tokens"),
            ("GET", "/memberships/"),
            ("GET", "/users/quinn"),
            ("GET", "/teams/qa"),
        ],
    )
    .await;
}

async fn trouble_while_asking_about_the_commit(engine: Engine) {
    survive(
        engine,
        &[
            ("GET", "/pulls/"),
            ("GET", "/compare/"),
            ("GET", "/statuses"),
            ("GET", "/check-runs"),
            ("GET", "/actions/runs"),
            ("GET", "/deployments"),
        ],
    )
    .await;
}

async fn trouble_while_asking_how_it_came(engine: Engine) {
    survive(engine, &[("GET", "/commits/#/pulls")]).await;
}

async fn trouble_at_the_trigger(engine: Engine) {
    survive(engine, &[("POST", "/deployments")]).await;
}

async fn trouble_while_telling(engine: Engine) {
    survive(
        engine,
        &[
            ("POST", "/reactions"),
            ("POST", "/comments"),
            ("PATCH", "/comments/"),
            ("POST", "/statuses/"),
        ],
    )
    .await;
}

/// Where the release's own run ends it, Countersign writes the deployment's status.
async fn trouble_while_telling_about_the_deployment(engine: Engine) {
    survive(engine, &[("POST", "/deployments/")]).await;
}

/// Whether the requester sees that it is live.
pub(crate) fn is_told(said: &Said) -> bool {
    let is_live = said.answers.iter().any(|answer| answer.contains("Live"));
    is_live && said.reactions.contains(&"rocket".to_owned())
}

/// The newest run of a workflow.
fn newest_run(world: &World) -> u64 {
    let sent = world.github.sent();
    let newest = sent.iter().rfind(|sent| sent.event == "workflow_run");
    newest.unwrap().body["workflow_run"]["id"].as_u64().unwrap()
}

/// One release for every call and every trouble.
async fn survive(engine: Engine, calls: &[(&str, &str)]) {
    let world = World::patient(engine, &services(), PATIENCE).await;
    world
        .github
        .add_workflow(SHOP, "release.yml", &["deployment"]);
    let mut case = 0;
    for (call, (method, part)) in calls.iter().enumerate() {
        for trouble in troubles() {
            case += 1;
            // How an answer is read has nothing to do with the database: there, every third is enough.
            if engine == Engine::Postgres && (case + call) % 3 != 0 {
                continue;
            }
            let name = format!("{method} {part} meets {trouble:?}");
            one(&world, case, (method, part), trouble, &name).await;
        }
    }
    contract::check(&world.github);
}

async fn one(
    world: &World,
    case: usize,
    (method, part): (&str, &str),
    trouble: Trouble,
    name: &str,
) {
    let (pull_request, sha) = world.ready(&format!("case-{case}")).await;
    let (before, newest) = (world.starts(), world.newest().await);
    if part == "/access_tokens" {
        world.reconnect(Some(PATIENCE));
    }
    // The reaction to the command, the answer, and what is said later all have a path of comments.
    let part = if (method, part) == ("POST", "/comments") {
        format!("/issues/{pull_request}/comments")
    } else {
        part.to_owned()
    };
    world.github.expect_trouble_at(method, &part, trouble);
    let mut said = world.say("quinn", pull_request, "/deploy prod").await;
    if world.newest().await == newest {
        // Refused because something could not be found out: the answer says so, and asking again helps.
        for _ in 0..6 {
            if !said.answers.is_empty() {
                break;
            }
            world.pass(30).await;
            said = world.said(said.comment);
        }
        said.expect("Refused");
        said.expect("could not");
        assert_eq!(world.starts(), before, "{name}");
        world.pass(60).await;
        said = world.say("quinn", pull_request, "/deploy prod").await;
    }
    let request = newest + 1;
    for _ in 0..12 {
        let state = world.state(request).await.unwrap();
        match state.as_str() {
            "sent" | "running" => {
                if part != "/deployments/" {
                    let deployment = world.external(request).await;
                    world.github.deployment_status(deployment, "success").await;
                }
                let run = newest_run(world);
                world
                    .github
                    .run_moves(run, "completed", Some("success"))
                    .await;
                world.settle().await;
            }
            "departing" | "unknown" => world.pass(30).await,
            _ => break,
        }
    }
    // On a busy machine other calls run out of patience, too, and come back later.
    for _ in 0..6 {
        world.pass(120).await;
        let is_shown = world
            .shown(&sha, "countersign/prod")
            .is_some_and(|(state, _)| state == "success");
        if is_shown && is_told(&world.said(said.comment)) {
            break;
        }
    }
    let said = world.said(said.comment);
    assert_eq!(world.github.trouble_left(), 0, "never met: {name}");
    assert_eq!(world.starts(), before + 1, "{name}: {said:#?}");
    let state = world.state(request).await;
    assert_eq!(state.as_deref(), Some("succeeded"), "{name}: {said:#?}");
    assert_eq!(said.answers.len(), 1, "{name}: {said:#?}");
    said.expect("Live");
    assert!(
        said.reactions.contains(&"rocket".to_owned()),
        "{name}: {said:#?}"
    );
    let shown = world
        .shown(&sha, "countersign/prod")
        .map(|(state, _)| state);
    assert_eq!(shown.as_deref(), Some("success"), "{name}");
    assert_eq!(world.recorded("production.unexplained").await, 0, "{name}");
    assert_eq!(world.github.head(SHOP, "main"), Some(sha), "{name}");
}
