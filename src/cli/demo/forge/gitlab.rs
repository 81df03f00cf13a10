//! GitLab, as the demo plays it: merge requests, the jobs of a commit's pipeline, and a manual job for each release.

use std::net::SocketAddr;

use countersign_sandbox::gitlab::{GitLab, JobPlan, NewCommit, Sent};

use super::{Commit, SHOP, Stage, Words};
use crate::cli::demo::people::{EVERYBODY, Part, Person};
use crate::cli::demo::written::{Secret, Section, branch_of, filled, secret};
use crate::cli::setup::signing_token;

/// The manual job that releases.
const RELEASE: &str = "deploy-prod";

pub(in crate::cli::demo) const WORDS: Words = Words {
    forge: "GitLab",
    prefix: "gitlab",
    repository: "project",
    change: "merge request",
    place: "mr",
    in_full: "merge request !",
    in_brief: "!",
    approve: "/countersign approve",
    started: "the job was played once",
    not_asked: "no job was played on GitLab",
    known: "the job on GitLab is known",
    imitation: "`url` and `api_url` say so",
};

#[derive(Debug)]
pub(in crate::cli::demo) struct Played {
    gitlab: GitLab,
    token: String,
    signing_token: String,
}

impl Played {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let token = secret()?;
        let gitlab = GitLab::start(&token).await?;
        for person in EVERYBODY {
            gitlab.add_person(person.number, person.name);
            gitlab.set_access(SHOP, person.name, Some(level(person.part)));
        }
        let release = JobPlan::new(RELEASE, "production").manual();
        let jobs = vec![
            JobPlan::new("build", "build"),
            JobPlan::new("test", "test"),
            JobPlan::new("deploy-staging", "staging").to("staging"),
            JobPlan::new("regression", "regression"),
            release.to("production"),
        ];
        gitlab.set_jobs(SHOP, jobs);
        Ok(Self {
            gitlab,
            token,
            signing_token: signing_token()?,
        })
    }

    pub(super) fn section(&self) -> Section {
        Section {
            text: filled(
                include_str!("gitlab.toml"),
                &[("<gitlab>", self.gitlab.url())],
            ),
            secrets: vec![
                Secret::new("gitlab-bot.token", self.token.clone()),
                Secret::new("gitlab-webhook.secret", self.signing_token.clone()),
            ],
        }
    }

    pub(super) fn tell(&self, service: SocketAddr) {
        let door = format!("http://{service}/hooks/gitlab");
        self.gitlab.hook_signed(&door, &self.signing_token);
    }

    pub(super) async fn merge(&self, author: &Person, title: &str) -> Option<Commit> {
        let (gitlab, branch) = (&self.gitlab, branch_of(title));
        gitlab.set_branch(SHOP, &branch, &gitlab.head(SHOP, "main")?);
        let commit = NewCommit::by(author.name, title).touching(["src/shop.rs"]);
        gitlab.push(SHOP, &branch, vec![commit]).await;
        let change = gitlab
            .open_merge_request(SHOP, author.name, &branch, "main")
            .await;
        let sha = gitlab.merge(SHOP, change, author.name).await;
        Some(Commit { sha, change })
    }

    pub(super) fn has_told_of(&self, commit: &Commit) -> bool {
        let is_push = |sent: &Sent| {
            sent.body["object_kind"] == "push" && sent.body["after"] == commit.sha.as_str()
        };
        let mut sent = self.gitlab.sent().into_iter().rev();
        sent.find(|sent| is_push(sent)).is_some_and(|sent| {
            let mut answered = self.gitlab.deliveries().into_iter();
            answered.any(|(key, status)| key == sent.delivery && status.starts_with('2'))
        })
    }

    pub(super) async fn pass(&self, stage: Stage, sha: &str) -> &'static str {
        match stage {
            Stage::Build => {
                self.run("build", sha).await;
                "built: the job `build` is green"
            }
            Stage::Test => {
                self.run("test", sha).await;
                "tested: the job `test` is green"
            }
            Stage::Staging => {
                self.run("deploy-staging", sha).await;
                "staged: it was deployed to staging"
            }
            Stage::Regression => {
                self.run("regression", sha).await;
                "regression: the whole pipeline is green"
            }
        }
    }

    /// A job of the commit's pipeline runs and ends well.
    async fn run(&self, name: &str, sha: &str) {
        if let Some((job, _)) = self.gitlab.job_of(SHOP, sha, name) {
            self.begin(job).await;
            self.finish(job).await;
        }
    }

    pub(super) async fn comment(
        &self,
        who: &Person,
        change: u64,
        line: &str,
    ) -> Result<u64, String> {
        match self.gitlab.comment(who.name, SHOP, change, line).await {
            // Nothing was left of it.
            0 => Err(format!(
                "GitLab takes that for a quick action of its own, and tells nobody. Say: /countersign {}",
                line.trim_start_matches('/')
            )),
            note => Ok(note),
        }
    }

    pub(super) fn answer(&self, note: u64) -> Option<String> {
        let mark = format!("/comment/{note}/");
        let mut answers = self.gitlab.comments().into_iter();
        answers.find_map(|written| written.body.contains(&mark).then_some(written.body))
    }

    pub(super) fn waiting_release(&self, sha: &str) -> Option<u64> {
        let (job, status) = self.gitlab.job_of(SHOP, sha, RELEASE)?;
        (status == "pending").then_some(job)
    }

    pub(super) async fn begin(&self, job: u64) {
        self.gitlab.job_moves(job, "running").await;
    }

    pub(super) async fn finish(&self, job: u64) {
        self.gitlab.job_moves(job, "success").await;
    }

    pub(super) fn releases_asked(&self) -> usize {
        let calls = self.gitlab.exchanges().into_iter();
        calls
            .filter(|call| call.method == "POST" && call.path.ends_with("/play"))
            .count()
    }
}

/// What a person may do in the project, as GitLab counts it: a maintainer, a developer, a reporter.
fn level(part: Part) -> u8 {
    match part {
        Part::Deployer => 40,
        Part::Author | Part::Approver => 30,
        Part::Reader => 20,
    }
}
