//! The whole road, through HTTP only: the real binary, its door, and a GitHub on loopback.

use std::fmt::Write as _;

use countersign_sandbox::github::{APP_ID, APP_KEY, GitHub, NewCommit};

use crate::contract;
use crate::support::deliveries::SECRET;
use crate::support::service::TOKEN;
use crate::support::{Database, Engine, Service, eventually, on_both};

on_both!(from_a_push_to_live);

const SHOP: &str = "acme/shop";

const SERVICES: &str = r#"
[roles.deployer]
github_roles = ["maintain"]

[[service]]
name = "shop"
repo = "github:acme/shop"
branch = "main"

[[service.stage]]
name = "build"
gates = ["check:build", "status:unit tests"]

[[service.stage]]
name = "staging"
gates = ["deployment:staging"]

[[service.stage]]
name = "regression"
gates = ["workflow:regression.yml"]

[[service.environment]]
name = "prod"
approvals = { deployer = 1 }
exclude = ["author"]
trigger = { github = "deployment", environment = "production" }
"#;

/// The binary as a GitHub App.
async fn serve(database: &Database, github: &GitHub) -> Service {
    let folder = database.folder.path();
    std::fs::write(folder.join("app.pem"), APP_KEY).unwrap();
    let mut text = String::from("[server]\nlisten = \"127.0.0.1:0\"\n");
    writeln!(text, "[database]\nurl = \"{}\"", database.url).unwrap();
    writeln!(text, "[github]\napi_url = \"{}\"", github.url()).unwrap();
    writeln!(
        text,
        "app_id = {APP_ID}\nprivate_key = {{ file = \"app.pem\" }}"
    )
    .unwrap();
    text.push_str("webhook_secret = { env = \"TEST_SECRET\" }\n");
    text.push_str(SERVICES);
    let config = folder.join("bot.toml");
    std::fs::write(&config, text).unwrap();
    let service = Service::run(config, &[]).await;
    github.hook(&service.url("/hooks/github"), SECRET);
    service
}

/// The one answer to a comment, once it says this.
async fn answer(github: &GitHub, comment: u64, expect: &str) -> String {
    let mark = format!("/comment/{comment}/");
    eventually(expect, async || {
        let mut answers = github.comments();
        answers.retain(|written| written.body.contains(&mark));
        assert!(answers.len() <= 1, "one answer for each command");
        let body = answers.pop()?.body;
        body.contains(expect).then_some(body)
    })
    .await
}

async fn from_a_push_to_live(engine: Engine) {
    let database = Database::fresh(engine).await;
    let github = GitHub::start(TOKEN).await.unwrap();
    github.add_person(6, "bob");
    github.set_role(SHOP, "bob", Some("write"));
    github.add_workflow(SHOP, "regression.yml", &["workflow_dispatch"]);
    github.add_workflow(SHOP, "release.yml", &["deployment"]);
    let mark = "Release ${{ github.event.deployment.payload.countersign.correlation }}";
    github.set_run_name(SHOP, "release.yml", mark);
    let service = serve(&database, &github).await;

    let head = github.head(SHOP, "main").unwrap();
    github.set_branch(SHOP, "faster", &head);
    github
        .push(SHOP, "faster", vec![NewCommit::by("bob", "Make it faster")])
        .await;
    let number = github
        .open_pull_request(SHOP, "bob", "faster", "main")
        .await;
    let sha = github.merge(SHOP, number, "bob").await;
    let early = github.comment("ann", SHOP, number, "/deploy prod").await;
    let refusal = answer(&github, early, "Refused").await;
    assert!(refusal.contains("no report yet"), "{refusal}");

    let done = ("completed", Some("success"));
    github
        .check_run(SHOP, &sha, ("build", "github-actions"), done)
        .await;
    github
        .status(SHOP, &sha, "unit tests", ("success", "bob"))
        .await;
    let staging = github.deploy(SHOP, &sha, "staging", "bob").await;
    github.deployment_status(staging, "success").await;
    let regression = github.run(SHOP, "regression.yml", &sha, "push").await;
    github
        .run_moves(regression, "completed", Some("success"))
        .await;

    // What happens in a repository is handled in order, so the commit is ready by now.
    let asked = github.comment("ann", SHOP, number, "/deploy prod").await;
    let started = answer(&github, asked, "Started").await;
    assert!(started.contains(&sha), "{started}");
    let sent: Vec<_> = github
        .exchanges()
        .into_iter()
        .filter(|call| call.method == "POST" && call.path.ends_with("/deployments"))
        .collect();
    assert_eq!(sent.len(), 1, "{sent:#?}");
    let order = sent[0].request_body.clone().unwrap();
    assert_eq!(
        (&order["ref"], &order["auto_merge"]),
        (&sha.as_str().into(), &false.into())
    );
    assert_eq!(order["environment"], "production");

    let runs = github.runs_of(&sha, "deployment");
    let [stagings, run] = runs[..] else {
        panic!("each deployment starts one run: {runs:?}");
    };
    // The run of another deployment of the same commit says nothing about this one.
    github
        .run_moves(stagings, "completed", Some("failure"))
        .await;
    github.run_moves(run, "in_progress", None).await;
    answer(&github, asked, "Deploying").await;
    github.run_moves(run, "completed", Some("success")).await;
    answer(&github, asked, "Live").await;
    eventually("GitHub's own pages tell it", async || {
        let written = github.exchanges();
        let shows = |path: &str| {
            written.iter().any(|call| {
                let body = call.request_body.as_ref();
                call.method == "POST"
                    && call.path.ends_with(path)
                    && body.is_some_and(|body| body["state"] == "success")
            })
        };
        let rocket = github.reactions(SHOP, asked) == ["eyes", "rocket"];
        (rocket && shows(&format!("/statuses/{sha}")) && shows("/statuses")).then_some(())
    })
    .await;
    github.delivered().await;
    contract::check(&github);
    assert_eq!(service.stop().await, 0);
}
