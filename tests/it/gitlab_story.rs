//! The whole road on GitLab, through HTTP only: the real binary, its door, a signed webhook, and a GitLab on
//! loopback.

use std::fmt::Write as _;

use countersign_sandbox::gitlab::{GitLab, JobPlan, NewCommit};

use crate::contract;
use crate::support::service::TOKEN;
use crate::support::{Database, Engine, Service, eventually, on_both};

on_both!(from_a_push_to_live);

const SHOP: &str = "acme/shop";
const SIGNING_TOKEN: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

const SERVICES: &str = r#"
[roles.deployer]
gitlab_access_level = "maintainer"

[[service]]
name = "shop"
repo = "gitlab:acme/shop"
branch = "main"

[[service.stage]]
name = "build"
gates = ["job:build", "status:unit tests"]

[[service.stage]]
name = "staging"
gates = ["deployment:staging"]

[[service.stage]]
name = "whole"
gates = ["pipeline:push"]

[[service.environment]]
name = "prod"
aliases = ["production"]
approvals = { deployer = 1 }
exclude = ["author"]
trigger = { gitlab = "play_job", job = "deploy-prod" }
"#;

async fn serve(database: &Database, gitlab: &GitLab) -> Service {
    let mut text = String::from("[server]\nlisten = \"127.0.0.1:0\"\n");
    writeln!(text, "[database]\nurl = \"{}\"", database.url).unwrap();
    writeln!(text, "[gitlab]\nurl = \"{}\"", gitlab.url()).unwrap();
    text.push_str("private_emails = \"users.noreply.gitlab.example\"\n");
    text.push_str(
        "token = { env = \"TEST_TOKEN\" }\nwebhook_secret = { env = \"SIGNING_TOKEN\" }\n",
    );
    text.push_str(SERVICES);
    let config = database.folder.path().join("bot.toml");
    std::fs::write(&config, text).unwrap();
    let service = Service::run(config, &[("SIGNING_TOKEN", SIGNING_TOKEN.to_owned())]).await;
    gitlab.hook_signed(&service.url("/hooks/gitlab"), SIGNING_TOKEN);
    service
}

/// The one answer to a note, once it says this.
async fn answer(gitlab: &GitLab, note: u64, expect: &str) -> String {
    let mark = format!("/comment/{note}/");
    eventually(expect, async || {
        let mut answers = gitlab.comments();
        answers.retain(|written| written.body.contains(&mark));
        assert!(answers.len() <= 1, "one answer for each command");
        let body = answers.pop()?.body;
        body.contains(expect).then_some(body)
    })
    .await
}

async fn from_a_push_to_live(engine: Engine) {
    let database = Database::fresh(engine).await;
    let gitlab = GitLab::start(TOKEN).await.unwrap();
    gitlab.set_jobs(
        SHOP,
        vec![
            JobPlan::new("build", "build"),
            JobPlan::new("deploy-staging", "staging").to("staging"),
            JobPlan::new("deploy-prod", "production")
                .manual()
                .to("production"),
        ],
    );
    let service = serve(&database, &gitlab).await;

    let head = gitlab.head(SHOP, "main").unwrap();
    gitlab.set_branch(SHOP, "faster", &head);
    // GitLab shows whose an address is where it is the one that it made itself.
    let faster = NewCommit::by("6-bob@users.noreply.gitlab.example", "Make it faster");
    gitlab.push(SHOP, "faster", vec![faster]).await;
    let number = gitlab
        .open_merge_request(SHOP, "bob", "faster", "main")
        .await;
    let sha = gitlab.fast_forward(SHOP, number, "bob").await;
    let early = gitlab.comment("ann", SHOP, number, "/deploy prod").await;
    let refusal = answer(&gitlab, early, "Refused").await;
    assert!(refusal.contains("no report yet"), "{refusal}");

    gitlab
        .status(SHOP, &sha, "unit tests", ("success", "bob"))
        .await;
    gitlab.pass(SHOP, &sha).await;

    // What happens in a project is handled in order, so the commit is ready by now.
    let unentitled = gitlab.comment("bob", SHOP, number, "/deploy prod").await;
    answer(&gitlab, unentitled, "Refused").await;
    let asked = gitlab.comment("ann", SHOP, number, "/deploy prod").await;
    let started = answer(&gitlab, asked, "Started").await;
    assert!(started.contains(&sha), "{started}");
    let sent = gitlab.exchanges().into_iter();
    let sent = sent.filter(|call| call.method == "POST" && call.path.ends_with("/play"));
    let [played] = sent.collect::<Vec<_>>().try_into().unwrap();
    let (job, status) = gitlab.job_of(SHOP, &sha, "deploy-prod").unwrap();
    assert_eq!(played.path, format!("/projects/9/jobs/{job}/play"));
    assert_eq!(
        played.response_body.as_ref().unwrap()["commit"]["id"],
        sha.as_str()
    );
    assert_eq!(status, "pending");

    gitlab.job_moves(job, "running").await;
    answer(&gitlab, asked, "Deploying").await;
    gitlab.job_moves(job, "success").await;
    answer(&gitlab, asked, "Live").await;
    eventually("the note shows it", async || {
        (gitlab.reactions(SHOP, asked) == ["eyes", "rocket"]).then_some(())
    })
    .await;
    gitlab.delivered().await;
    contract::gitlab::check(&gitlab);
    assert_eq!(service.stop().await, 0);
}
