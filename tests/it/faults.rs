//! Whatever goes wrong on the way to GitHub: production starts once at most, and the people who wait
//! can see how it ended.

use countersign::sandbox::github::Trouble;

use crate::contract;
use crate::support::world::{ANSWERS_WITHIN, PLAIN, SHOP};
use crate::support::{Engine, World, on_both};

on_both!(
    trouble_while_asking_about_people,
    trouble_while_asking_about_the_commit,
    trouble_at_the_trigger,
    trouble_while_telling,
);

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

/// One release for every call and every trouble.
async fn survive(engine: Engine, calls: &[(&str, &str)]) {
    let world = World::start(engine, &services()).await;
    world.reconnect(ANSWERS_WITHIN);
    let mut case = 0;
    for (method, part) in calls {
        for trouble in troubles() {
            case += 1;
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
        world.reconnect(ANSWERS_WITHIN);
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
                let deployment = world.external(request).await;
                world.github.deployment_status(deployment, "success").await;
                world.settle().await;
            }
            "departing" | "unknown" => world.pass(30).await,
            _ => break,
        }
    }
    world.pass(120).await;
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
