//! GitHub, as the demo plays it: pull requests, checks and workflows, and a deployment for each release.

use std::net::SocketAddr;

use countersign_sandbox::github::{APP_ID, GitHub, NewCommit, Sent};

use super::{Commit, SHOP, Stage, Words};
use crate::cli::demo::people::{BOB, EVERYBODY, Part, Person};
use crate::cli::demo::written::{Secret, Section, branch_of, filled, secret};

/// The workflow that carries deployments out.
const RELEASE: &str = "release.yml";
const REGRESSION: &str = "regression.yml";

pub(in crate::cli::demo) const WORDS: Words = Words {
    forge: "GitHub",
    prefix: "github",
    repository: "repository",
    change: "pull request",
    place: "pr",
    in_full: "pull request ",
    in_brief: "pull request ",
    approve: "/approve",
    started: "the run was started once",
    not_asked: "no deployment was asked of GitHub",
    known: "the deployment on GitHub is known",
    imitation: "`api_url` says so",
};

#[derive(Debug)]
pub(in crate::cli::demo) struct Played {
    github: GitHub,
    webhook_secret: String,
}

impl Played {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let github = GitHub::start(&secret()?).await?;
        for person in EVERYBODY {
            github.add_person(person.number, person.name);
            github.set_role(SHOP, person.name, Some(role(person.part)));
        }
        github.add_workflow(SHOP, REGRESSION, &["workflow_dispatch"]);
        github.add_workflow(SHOP, RELEASE, &["deployment"]);
        let mark = "Release ${{ github.event.deployment.payload.countersign.correlation }}";
        github.set_run_name(SHOP, RELEASE, mark);
        Ok(Self {
            github,
            webhook_secret: secret()?,
        })
    }

    pub(super) fn section(&self) -> Section {
        let gaps = [
            ("<github>", self.github.url()),
            ("<app>", APP_ID.to_string()),
        ];
        Section {
            text: filled(include_str!("github.toml"), &gaps),
            secrets: vec![
                Secret::new("github-app.pem", self.github.app_key()),
                Secret::new("github-webhook.secret", self.webhook_secret.clone()),
            ],
        }
    }

    pub(super) fn tell(&self, service: SocketAddr) {
        let door = format!("http://{service}/hooks/github");
        self.github.hook(&door, &self.webhook_secret);
    }

    pub(super) async fn merge(&self, author: &Person, title: &str) -> Option<Commit> {
        let (github, branch) = (&self.github, branch_of(title));
        github.set_branch(SHOP, &branch, &github.head(SHOP, "main")?);
        let commit = NewCommit::by(author.name, title).touching(["src/shop.rs"]);
        github.push(SHOP, &branch, vec![commit]).await;
        let change = github
            .open_pull_request(SHOP, author.name, &branch, "main")
            .await;
        let sha = github.merge(SHOP, change, author.name).await;
        Some(Commit { sha, change })
    }

    pub(super) fn has_told_of(&self, commit: &Commit) -> bool {
        let is_push =
            |sent: &Sent| sent.event == "push" && sent.body["after"] == commit.sha.as_str();
        let sent = self.github.sent().into_iter().rev();
        let push = sent.into_iter().find(|sent| is_push(sent));
        push.is_some_and(|sent| {
            let mut answered = self.github.deliveries().into_iter();
            answered.any(|(guid, status)| guid == sent.delivery && status == "OK")
        })
    }

    pub(super) async fn pass(&self, stage: Stage, sha: &str) -> &'static str {
        let github = &self.github;
        match stage {
            Stage::Build => {
                self.check("build", sha).await;
                "built: the check `build` is green"
            }
            Stage::Test => {
                self.check("test", sha).await;
                "tested: the check `test` is green"
            }
            Stage::Staging => {
                let staging = github.deploy(SHOP, sha, "staging", BOB.name).await;
                for run in github.runs_of(sha, "deployment") {
                    self.finish(run).await;
                }
                github.deployment_status(staging, "success").await;
                "staged: it was deployed to staging"
            }
            Stage::Regression => {
                let run = github.run(SHOP, REGRESSION, sha, "push").await;
                self.finish(run).await;
                "regression: the workflow is green"
            }
        }
    }

    async fn check(&self, name: &str, sha: &str) {
        let done = ("completed", Some("success"));
        let check = (name, "github-actions");
        self.github.check_run(SHOP, sha, check, done).await;
    }

    pub(super) async fn comment(&self, who: &Person, change: u64, line: &str) -> u64 {
        self.github.comment(who.name, SHOP, change, line).await
    }

    pub(super) fn answer(&self, comment: u64) -> Option<String> {
        let mark = format!("/comment/{comment}/");
        let mut answers = self.github.comments().into_iter();
        answers.find_map(|written| written.body.contains(&mark).then_some(written.body))
    }

    pub(super) fn waiting_release(&self, sha: &str) -> Option<u64> {
        let mut runs = self.github.runs_of(sha, "deployment").into_iter();
        runs.find(|run| self.github.run_status(*run).as_deref() == Some("queued"))
    }

    pub(super) async fn begin(&self, run: u64) {
        self.github.run_moves(run, "in_progress", None).await;
    }

    pub(super) async fn finish(&self, run: u64) {
        let done = Some("success");
        self.github.run_moves(run, "completed", done).await;
    }

    pub(super) fn releases_asked(&self) -> usize {
        let calls = self.github.exchanges().into_iter();
        calls
            .filter(|call| call.method == "POST" && call.path.ends_with("/deployments"))
            .count()
    }
}

/// The role of a person in the repository.
fn role(part: Part) -> &'static str {
    match part {
        Part::Deployer => "maintain",
        Part::Author | Part::Approver => "write",
        Part::Reader => "triage",
    }
}
