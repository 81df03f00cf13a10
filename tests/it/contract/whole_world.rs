//! The whole sandbox against GitHub's descriptions: every call once, every webhook once.

use countersign_sandbox::github::{Fate, GitHub, INSTALLATION_ID, NewCommit};
use serde_json::{Value, json};

use super::{check, descriptions, examples, schema};
use crate::support::caller::Caller;
use crate::support::service::TOKEN;

async fn every_act(github: &GitHub) {
    let hook = github.hook("http://127.0.0.1:9/hooks", "secret");
    github.ping(hook).await;
    github.add_workflow("acme/shop", "deploy.yml", &["deployment"]);
    github.add_workflow(
        "acme/shop",
        "release.yml",
        &["workflow_dispatch", "repository_dispatch"],
    );
    let commits = vec![
        NewCommit::by("ann", "One"),
        NewCommit::by("ann", "Two").touching(["a.rs"]),
    ];
    let sha = github.push("acme/shop", "topic", commits).await;
    let number = github
        .open_pull_request("acme/shop", "ann", "topic", "main")
        .await;
    github.convert_to_draft("acme/shop", number, "ann").await;
    github.ready_for_review("acme/shop", number, "ann").await;
    github
        .push("acme/shop", "topic", vec![NewCommit::by("ann", "Three")])
        .await;
    github.force_push("acme/shop", "topic", &sha).await;
    let comment = github.comment("ann", "acme/shop", number, "/status").await;
    github
        .edit_comment("ann", "acme/shop", comment, "/help")
        .await;
    github.delete_comment("ann", "acme/shop", comment).await;
    github
        .status("acme/shop", &sha, "ci/build", ("success", "ann"))
        .await;
    let check = ("build", "github-actions");
    github
        .check_run("acme/shop", &sha, check, ("in_progress", None))
        .await;
    github
        .check_run("acme/shop", &sha, check, ("completed", Some("success")))
        .await;
    let run = github.run("acme/shop", "ci.yml", &sha, "push").await;
    github.run_moves(run, "in_progress", None).await;
    github.run_moves(run, "completed", Some("failure")).await;
    github.rerun(run).await;
    let deployment = github.deploy("acme/shop", &sha, "prod", "ann").await;
    github.deployment_status(deployment, "success").await;
    github
        .protection_rule_requested("acme/shop", run, "prod", deployment)
        .await;
    github.merge("acme/shop", number, "ann").await;
    github.delete_branch("acme/shop", "topic").await;
    github.close("acme/shop", 3, "ann").await;
    github.add_repository(10, "acme/depot");
    github
        .choose_repository(INSTALLATION_ID, "acme/depot", false)
        .await;
    github
        .choose_repository(INSTALLATION_ID, "acme/depot", true)
        .await;
    for fate in [
        Fate::Suspended,
        Fate::Unsuspended,
        Fate::NewPermissionsAccepted,
        Fate::Deleted,
        Fate::Created,
    ] {
        github.installation(INSTALLATION_ID, "acme", fate).await;
    }
    github
        .rename_repository("acme/depot", "acme/store", "ann")
        .await;
}

async fn every_call(github: &GitHub) {
    let person = Caller::new(github, TOKEN);
    let (app, bot) = (Caller::app(github), Caller::installation(github).await);
    let sha = github.head("acme/shop", "main").unwrap();
    github.add_team(21, "acme", "deployers");
    github.set_member(
        21,
        "ann",
        Some(countersign_sandbox::github::Membership::Active),
    );
    let comment = bot
        .post(
            "/repos/acme/shop/issues/3/comments",
            json!({ "body": "Hello" }),
        )
        .await;
    assert_eq!(comment.body["user"]["type"], "Bot");
    let comment = format!("/repos/acme/shop/issues/comments/{}", comment.body["id"]);
    for (path, body) in [
        (format!("{comment}/reactions"), json!({ "content": "eyes" })),
        (
            format!("/repos/acme/shop/statuses/{sha}"),
            json!({ "state": "success", "context": "gate" }),
        ),
        (
            "/repos/acme/shop/actions/workflows/release.yml/dispatches".to_owned(),
            json!({ "ref": "main" }),
        ),
        (
            "/repos/acme/shop/actions/workflows/release.yml/dispatches".to_owned(),
            json!({ "ref": "main", "inputs": { "to": "prod" }, "return_run_details": true }),
        ),
        (
            "/repos/acme/shop/dispatches".to_owned(),
            json!({ "event_type": "release", "client_payload": {} }),
        ),
    ] {
        let answer = bot.post(&path, body).await;
        assert!((200..205).contains(&answer.status), "{path}: {answer:?}");
    }
    assert_eq!(
        bot.patch(&comment, json!({ "body": "Hello again" }))
            .await
            .status,
        200
    );
    let deployment =
        json!({ "ref": sha, "auto_merge": false, "required_contexts": [], "payload": { "a": 1 } });
    let deployment = bot.post("/repos/acme/shop/deployments", deployment).await;
    let (id, deployment) = (
        deployment.body["id"].as_u64().unwrap(),
        format!("/repos/acme/shop/deployments/{}", deployment.body["id"]),
    );
    let stage = json!({ "state": "in_progress", "log_url": "https://example.com/log" });
    assert_eq!(
        bot.post(&format!("{deployment}/statuses"), stage)
            .await
            .status,
        201
    );
    let runs = bot
        .get("/repos/acme/shop/actions/runs?event=deployment&per_page=1&page=1")
        .await;
    let run = runs.body["workflow_runs"][0]["id"].as_u64().unwrap();
    github
        .protection_rule_requested("acme/shop", run, "prod", id)
        .await;
    let rule = format!("/repos/acme/shop/actions/runs/{run}/deployment_protection_rule");
    for body in [
        json!({ "environment_name": "prod", "comment": "Two more approvals." }),
        json!({ "environment_name": "prod", "state": "approved", "comment": "Approved." }),
    ] {
        assert_eq!(bot.post(&rule, body).await.status, 204);
    }
    let repository = "/repos/acme/shop";
    for path in [
        "",
        "/collaborators/ann/permission",
        "/pulls/3",
        "/commits/main",
        &format!("/commits/{sha}/pulls"),
        "/branches/main",
        "/compare/main...more",
        &format!("/commits/{sha}/statuses?per_page=5"),
        &format!("/commits/{sha}/status"),
        &format!("/commits/{sha}/check-runs?filter=all"),
        &format!("/actions/runs?head_sha={sha}&created=%3E%3D2020-01-01"),
        &format!("/actions/runs/{run}"),
        &format!("/deployments?sha={sha}&environment=production"),
        "/issues/3/comments?since=2020-01-01T00:00:00Z",
    ] {
        let answer = bot.get(&format!("{repository}{path}")).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
    for path in [
        &deployment,
        &format!("{deployment}/statuses"),
        &comment,
        "/users/ann",
        "/user/5",
        "/apps/countersign",
        "/orgs/acme/teams/deployers",
        "/orgs/acme/teams/deployers/memberships/ann",
    ] {
        assert_eq!(bot.get(path).await.status, 200, "{path}");
    }
    assert_eq!(person.get("/user").await.status, 200);
    let failed = app.get("/app/hook/deliveries?per_page=2").await;
    assert_eq!(failed.body[0]["status_code"], 0);
    let again = format!("/app/hook/deliveries/{}/attempts", failed.body[0]["id"]);
    assert_eq!(app.post(&again, Value::Null).await.status, 202);
    for path in ["/app", "/repos/acme/shop/installation"] {
        assert_eq!(app.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn the_sandbox_speaks_and_listens_as_github_does() {
    let github = GitHub::start(TOKEN).await.unwrap();
    every_act(&github).await;
    github.delivered().await;
    every_call(&github).await;
    github.delivered().await;
    check(&github);
}

#[tokio::test]
async fn what_github_would_not_understand_is_found() {
    let Some(descriptions) = descriptions() else {
        return;
    };
    let github = GitHub::start(TOKEN).await.unwrap();
    let caller = Caller::new(&github, TOKEN);
    caller.get("/repos/acme/shop/pulls/3/nothing").await;
    caller.get("/repos/acme/shop/actions/runs?head=main").await;
    let sha = github.head("acme/shop", "main").unwrap();
    let misspelt = json!({ "state": "success", "contex": "gate" });
    caller
        .post(&format!("/repos/acme/shop/statuses/{sha}"), misspelt)
        .await;
    let wrong = json!({ "event_type": "release", "client_payload": { "a": 1 }, "ref": 1 });
    caller.post("/repos/acme/shop/dispatches", wrong).await;
    let complaints = descriptions.complaints(&github);
    for expect in ["no such call", "parameter `head`", "/contex", "/ref"] {
        assert!(
            complaints.iter().any(|one| one.contains(expect)),
            "{expect}: {complaints:?}"
        );
    }
    assert_eq!(complaints.len(), 4, "{complaints:?}");
}

#[test]
fn the_reader_of_descriptions_takes_githubs_own_examples() {
    // The examples are older than the descriptions: they lack fields, and write some times otherwise.
    let is_of_age = |complaint: &String| {
        complaint.ends_with("is a required property")
            || complaint.ends_with("is not a \"date-time\"")
    };
    let Some(descriptions) = descriptions() else {
        return;
    };
    let examples = examples().unwrap();
    let mut taken = 0;
    for event in [
        "check_run",
        "deployment",
        "deployment_status",
        "issue_comment",
        "push",
        "status",
        "workflow_run",
    ] {
        let of_event = examples.iter().filter(|one| one["name"] == event);
        for example in of_event.flat_map(|one| one["examples"].as_array().unwrap()) {
            let action = example["action"].as_str();
            let schema = descriptions.webhook_schema(event, action).unwrap();
            let mut complaints = schema::complaints(descriptions.webhooks, schema, example);
            complaints.retain(|complaint| !is_of_age(complaint));
            assert!(complaints.is_empty(), "{event}: {complaints:#?}");
            taken += 1;
        }
    }
    assert!(taken > 10, "only {taken} examples");
}
