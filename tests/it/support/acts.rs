//! Acts of people and machines on the forge where a world's services live, with the same words for both.

use std::sync::Arc;

use countersign::domain::Forge;
use countersign::domain::command::written_on;
use countersign_sandbox::github::{APP_SLUG, Membership, NewCommit, Order, Trouble};

use super::World;
use super::world::{PRIVATE_ON_GITLAB, SHOP};
use crate::{contract, gitlab_faults};

/// GitLab's word for how something ended.
fn ended(word: &str) -> &str {
    match word {
        "failure" => "failed",
        "in_progress" => "running",
        "queued" => "pending",
        other => other,
    }
}

impl World {
    /// Commits on a branch; the last one's SHA.
    pub(crate) async fn push_to(&self, branch: &str, commits: Vec<NewCommit>) -> String {
        let sha = match self.forge {
            Forge::GitHub => self.github.push(SHOP, branch, commits).await,
            Forge::GitLab => self.gitlab.push(SHOP, branch, commits).await,
        };
        self.settle().await;
        sha
    }

    /// A person pushes commits that others may have written; the last one's SHA.
    pub(crate) async fn push_by(
        &self,
        person: &str,
        branch: &str,
        commits: Vec<NewCommit>,
    ) -> String {
        let sha = match self.forge {
            Forge::GitHub => self.github.push_as(person, SHOP, branch, commits).await,
            Forge::GitLab => self.gitlab.push_as(person, SHOP, branch, commits).await,
        };
        self.settle().await;
        sha
    }

    /// The private commit address of the account with this number, with a name that it once had.
    pub(crate) fn private_address(&self, id: u64, name: &str) -> String {
        match self.forge {
            Forge::GitHub => format!("{id}+{name}@users.noreply.github.com"),
            Forge::GitLab => format!("{id}-{name}@{PRIVATE_ON_GITLAB}"),
        }
    }

    /// A commit on the release branch while deliveries are held back; its SHA.
    pub(crate) async fn push_unheard(&self, commit: NewCommit) -> String {
        match self.forge {
            Forge::GitHub => self.github.push(SHOP, "main", vec![commit]).await,
            Forge::GitLab => self.gitlab.push(SHOP, "main", vec![commit]).await,
        }
    }

    /// A commit by bob on the release branch; its SHA.
    pub(crate) async fn push(&self, message: &str) -> String {
        self.push_to("main", vec![NewCommit::by("bob", message)])
            .await
    }

    pub(crate) fn head(&self, branch: &str) -> Option<String> {
        match self.forge {
            Forge::GitHub => self.github.head(SHOP, branch),
            Forge::GitLab => self.gitlab.head(SHOP, branch),
        }
    }

    /// Somebody tags a commit.
    pub(crate) async fn tag(&self, tag: &str, sha: &str) {
        match self.forge {
            Forge::GitHub => self.github.tag(SHOP, tag, sha).await,
            Forge::GitLab => self.gitlab.tag(SHOP, tag, sha, "bob").await,
        }
        self.settle().await;
    }

    /// The first commit below another.
    pub(crate) fn parent(&self, sha: &str) -> String {
        let parent = match self.forge {
            Forge::GitHub => self.github.parent(sha),
            Forge::GitLab => self.gitlab.parent(sha),
        };
        parent.unwrap()
    }

    /// A branch that was there before the service listened.
    pub(crate) fn set_branch(&self, branch: &str, sha: &str) {
        match self.forge {
            Forge::GitHub => self.github.set_branch(SHOP, branch, sha),
            Forge::GitLab => self.gitlab.set_branch(SHOP, branch, sha),
        }
    }

    /// Everything that the plain service's stages wait for is green.
    pub(crate) async fn make_ready(&self, sha: &str) {
        self.build(sha, "success").await;
        self.status(sha, "lint", "success").await;
        let staging = self.deploy(sha, "staging").await;
        self.deployment_status(staging, "success").await;
        self.settle().await;
    }

    /// How the build of a commit ends.
    pub(crate) async fn build(&self, sha: &str, conclusion: &str) {
        self.job(sha, "build", conclusion).await;
    }

    /// How a check or job of this name ends for a commit.
    pub(crate) async fn job(&self, sha: &str, name: &str, conclusion: &str) {
        match self.forge {
            Forge::GitHub => {
                let check = (name, "github-actions");
                let done = ("completed", Some(conclusion));
                self.github.check_run(SHOP, sha, check, done).await;
            }
            Forge::GitLab => {
                let conclusion = ended(conclusion);
                self.gitlab.job(SHOP, sha, name, conclusion).await;
            }
        }
    }

    /// Bob reports about a commit from outside.
    pub(crate) async fn status(&self, sha: &str, name: &str, state: &str) {
        let by_bob = (state, "bob");
        match self.forge {
            Forge::GitHub => self.github.status(SHOP, sha, name, by_bob).await,
            Forge::GitLab => {
                let by_bob = (ended(state), "bob");
                self.gitlab.status(SHOP, sha, name, by_bob).await;
            }
        }
    }

    /// Bob's own tool deploys a commit; the deployment's number.
    pub(crate) async fn deploy(&self, sha: &str, environment: &str) -> u64 {
        match self.forge {
            Forge::GitHub => self.github.deploy(SHOP, sha, environment, "bob").await,
            Forge::GitLab => self.gitlab.deploy(SHOP, sha, environment, "bob").await,
        }
    }

    /// How a deployment by others goes.
    pub(crate) async fn deployment_status(&self, deployment: u64, state: &str) {
        match self.forge {
            Forge::GitHub => self.github.deployment_status(deployment, state).await,
            Forge::GitLab => {
                let state = ended(state);
                self.gitlab.deployment_status(deployment, state).await;
            }
        }
    }

    /// A pull request of bob's with one commit.
    pub(crate) async fn open(&self, title: &str) -> u64 {
        let branch = format!("work-{title}");
        let head = self.head("main").unwrap();
        self.set_branch(&branch, &head);
        self.push_to(&branch, vec![NewCommit::by("bob", title)])
            .await;
        self.open_pull_request(&branch).await
    }

    /// A pull request of bob's to the release branch.
    pub(crate) async fn open_pull_request(&self, branch: &str) -> u64 {
        self.open_pull_request_to(branch, "main").await
    }

    pub(crate) async fn open_pull_request_to(&self, branch: &str, target: &str) -> u64 {
        self.open_by("bob", branch, target).await
    }

    /// A person opens a pull request from one branch to another.
    pub(crate) async fn open_by(&self, person: &str, branch: &str, target: &str) -> u64 {
        let (github, gitlab) = (&self.github, &self.gitlab);
        let number = match self.forge {
            Forge::GitHub => github.open_pull_request(SHOP, person, branch, target).await,
            Forge::GitLab => {
                gitlab
                    .open_merge_request(SHOP, person, branch, target)
                    .await
            }
        };
        self.settle().await;
        number
    }

    /// A pull request of bob's is merged; its number and the commit on the release branch.
    pub(crate) async fn merge(&self, title: &str) -> (u64, String) {
        let number = self.open(title).await;
        (number, self.merge_it(number).await)
    }

    pub(crate) async fn merge_it(&self, number: u64) -> String {
        self.merge_by("bob", number).await
    }

    /// A person merges with a merge commit; its SHA.
    pub(crate) async fn merge_by(&self, person: &str, number: u64) -> String {
        let sha = match self.forge {
            Forge::GitHub => self.github.merge(SHOP, number, person).await,
            Forge::GitLab => self.gitlab.merge(SHOP, number, person).await,
        };
        self.settle().await;
        sha
    }

    /// A person merges as one new commit; the SHA that the branch has then.
    pub(crate) async fn squash_by(&self, person: &str, number: u64) -> String {
        let sha = match self.forge {
            Forge::GitHub => self.github.squash(SHOP, number, person).await,
            Forge::GitLab => self.gitlab.squash(SHOP, number, person).await,
        };
        self.settle().await;
        sha
    }

    pub(crate) async fn make_draft(&self, number: u64) {
        match self.forge {
            Forge::GitHub => self.github.convert_to_draft(SHOP, number, "bob").await,
            Forge::GitLab => self.gitlab.convert_to_draft(SHOP, number, "bob").await,
        }
        self.settle().await;
    }

    pub(crate) async fn make_final(&self, number: u64) {
        match self.forge {
            Forge::GitHub => self.github.ready_for_review(SHOP, number, "bob").await,
            Forge::GitLab => self.gitlab.ready_for_review(SHOP, number, "bob").await,
        }
        self.settle().await;
    }

    pub(crate) async fn comment(&self, person: &str, pull_request: u64, text: &str) -> u64 {
        match self.forge {
            Forge::GitHub => self.github.comment(person, SHOP, pull_request, text).await,
            // As GitLab's people write what GitLab would take for its own.
            Forge::GitLab => {
                let text = said_on_gitlab(text);
                self.gitlab.comment(person, SHOP, pull_request, &text).await
            }
        }
    }

    pub(super) fn reactions(&self, comment: u64) -> Vec<String> {
        match self.forge {
            Forge::GitHub => self.github.reactions(SHOP, comment),
            Forge::GitLab => self.gitlab.reactions(SHOP, comment),
        }
    }

    /// The text of every comment.
    pub(crate) fn written(&self) -> Vec<String> {
        match self.forge {
            Forge::GitHub => {
                let written = self.github.comments().into_iter();
                written.map(|one| one.body).collect()
            }
            Forge::GitLab => {
                let written = self.gitlab.comments().into_iter();
                written.map(|one| one.body).collect()
            }
        }
    }

    /// How the newest release goes.
    pub(crate) async fn finish(&self, state: &str) {
        let release = self.deployment().await;
        match self.forge {
            Forge::GitHub => self.github.deployment_status(release, state).await,
            Forge::GitLab => self.gitlab.job_moves(release, ended(state)).await,
        }
        self.settle().await;
    }

    /// A person joins the team that approves for quality, or leaves it.
    pub(crate) fn set_member(&self, person: &str, is_member: bool) {
        self.set_member_of(40, person, is_member);
    }

    /// The same for the team with this number.
    pub(crate) fn set_member_of(&self, team: u64, person: &str, is_member: bool) {
        match self.forge {
            Forge::GitHub => {
                let membership = is_member.then_some(Membership::Active);
                self.github.set_member(team, person, membership);
            }
            Forge::GitLab => {
                let level = is_member.then_some(30);
                self.gitlab.set_member(team, person, level);
            }
        }
    }

    /// Keeps deliveries back until [`World::release`].
    pub(crate) fn hold(&self) {
        match self.forge {
            Forge::GitHub => self.github.hold(),
            Forge::GitLab => self.gitlab.hold(),
        }
    }

    pub(crate) fn release(&self, order: &Order) {
        match self.forge {
            Forge::GitHub => self.github.release(order),
            Forge::GitLab => self.gitlab.release(order),
        }
    }

    /// The next call that starts a release meets this trouble.
    pub(crate) fn expect_trouble_at_start(&self, trouble: Trouble) {
        match self.forge {
            Forge::GitHub => self
                .github
                .expect_trouble_at("POST", "/deployments", trouble),
            Forge::GitLab => self.gitlab.expect_trouble_at("POST", "/play", trouble),
        }
    }

    /// The next deliveries vanish; nothing shows that they were to be.
    pub(crate) fn lose_next(&self, count: usize) {
        match self.forge {
            Forge::GitHub => self.github.lose_next(count),
            Forge::GitLab => self.gitlab.lose_next(count),
        }
    }

    /// The commits whose production trigger was sent.
    pub(crate) fn deployments(&self) -> Vec<String> {
        match self.forge {
            Forge::GitHub => {
                let calls = self.github.exchanges().into_iter();
                let sent = calls
                    .filter(|call| call.method == "POST" && call.path.ends_with("/deployments"));
                sent.filter_map(|call| {
                    Some(call.request_body.as_ref()?["ref"].as_str()?.to_owned())
                })
                .collect()
            }
            Forge::GitLab => {
                let calls = self.gitlab.exchanges().into_iter();
                let sent = calls.filter(|call| call.method == "POST" && starts(&call.path));
                let jobs = sent.filter_map(|call| call.path.rsplit('/').nth(1)?.parse().ok());
                jobs.filter_map(|job: u64| self.commit_of(job)).collect()
            }
        }
    }

    /// The commit of a job of GitLab's.
    fn commit_of(&self, job: u64) -> Option<String> {
        let mut sent = self.gitlab.sent().into_iter();
        let told = sent.find(|sent| sent.body["build_id"] == job)?;
        Some(told.body["sha"].as_str()?.to_owned())
    }

    /// Production starts that happened on the forge, whatever we were told.
    pub(crate) fn starts(&self) -> usize {
        match self.forge {
            Forge::GitHub => self.starts_on_github(),
            Forge::GitLab => {
                let of_us = |sent: &&Arc<countersign_sandbox::gitlab::Sent>| {
                    let begins = ["pending", "running"];
                    sent.body["object_kind"] == "build"
                        && sent.body["build_name"] == "deploy-prod"
                        && begins.iter().any(|word| sent.body["build_status"] == *word)
                };
                let sent = self.gitlab.sent();
                let jobs = sent.iter().filter(of_us);
                let jobs: std::collections::BTreeSet<u64> = jobs
                    .filter_map(|sent| sent.body["build_id"].as_u64())
                    .collect();
                jobs.len()
            }
        }
    }

    /// Deployments by us, runs that our dispatch started, and runs that we let into production.
    fn starts_on_github(&self) -> usize {
        let ours = |sent: &&Arc<countersign_sandbox::github::Sent>| {
            let by_us = sent.body["sender"]["login"] == format!("{APP_SLUG}[bot]");
            by_us
                && match (sent.event.as_str(), sent.action.as_deref()) {
                    ("deployment", _) => sent.body["deployment"]["environment"] == "production",
                    ("workflow_run", Some("requested")) => {
                        let event = sent.body["workflow_run"]["event"].as_str();
                        event.is_some_and(|event| event.ends_with("_dispatch"))
                    }
                    _ => false,
                }
        };
        self.github.sent().iter().filter(ours).count()
    }

    /// A commit shows how its release stands. On GitLab it shows nothing: a status there would be a job of
    /// the very pipeline that gates wait for.
    pub(crate) fn shows(&self, sha: &str, state: &str) {
        self.shows_at(sha, "countersign/prod", state);
    }

    /// The same, under this name.
    pub(crate) fn shows_at(&self, sha: &str, context: &str, state: &str) {
        let shown = self.shown(sha, context);
        let expect = (self.forge == Forge::GitHub).then_some(state);
        assert_eq!(shown.as_ref().map(|(state, _)| state.as_str()), expect);
    }

    /// Every call and every webhook is as the forge describes it.
    pub(crate) fn is_as_described(&self) {
        match self.forge {
            Forge::GitHub => contract::check(&self.github),
            Forge::GitLab => {
                contract::gitlab::check(&self.gitlab);
                for call in self.gitlab.exchanges() {
                    let is_tried = gitlab_faults::is_tried(&call.method, &call.path);
                    let (method, path) = (&call.method, &call.path);
                    assert!(is_tried, "{method} {path} is in no row of the faults");
                }
            }
        }
    }
}

/// Every command as it is written on GitLab.
pub(super) fn said_on_gitlab(text: &str) -> String {
    let lines = text.lines().map(|line| written_on(Forge::GitLab, line));
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether a call starts a job.
fn starts(path: &str) -> bool {
    path.contains("/jobs/") && (path.ends_with("/play") || path.ends_with("/retry"))
}
