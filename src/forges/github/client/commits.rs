//! Commits, branches, pull requests, and everything that was reported about a commit.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::authors::{RawCommit, behind};
use super::{As, Client, PAGE, PAGES};
use crate::call::CallError;
use crate::domain::{Commit, Comparison, PullRequest, Relation, Report, Repository, Sha};
use crate::forges::github::interpret::{commits as said, releases};
use crate::forges::github::payload::commits::{Check, Run};
use crate::forges::github::payload::releases::{Deployment, Step};
use crate::forges::github::payload::{Id, Moment, User};
use crate::web::escaped;

/// GitHub tells at most so many paths.
const MOST_PATHS: usize = 300;
/// Deployments of one commit whose statuses are read.
const MOST_DEPLOYMENTS: usize = 60;
/// Of those by the same account to the same environment, the newest say all.
const NEWEST_DEPLOYMENTS: usize = 3;

impl Client {
    pub(super) async fn commit(
        &self,
        repository: &Repository,
        reference: &str,
    ) -> Result<Commit, CallError> {
        let path = format!("/repos/{}/commits/{}", repository.path, escaped(reference));
        let found: RawCommit = self.read(As::In(repository), &path).await?;
        Ok(self.known(found))
    }

    /// Where a branch stands; nothing when there is none.
    pub(super) async fn head(
        &self,
        repository: &Repository,
        branch: &str,
    ) -> Result<Option<Sha>, CallError> {
        #[derive(Deserialize)]
        struct Branch {
            commit: Tip,
        }
        #[derive(Deserialize)]
        struct Tip {
            sha: Sha,
        }
        let path = format!("/repos/{}/branches/{}", repository.path, escaped(branch));
        let found: Option<Branch> = self.read_maybe(As::In(repository), &path).await?;
        Ok(found.map(|branch| branch.commit.sha))
    }

    pub(super) async fn pull_request(
        &self,
        repository: &Repository,
        number: u64,
    ) -> Result<PullRequest, CallError> {
        #[derive(Deserialize)]
        struct Pull {
            number: u64,
            #[serde(default)]
            user: Option<User>,
            state: String,
            #[serde(default)]
            draft: bool,
            #[serde(default)]
            merged: bool,
            #[serde(default)]
            merge_commit_sha: Option<Sha>,
            head: Head,
            base: Base,
        }
        #[derive(Deserialize)]
        struct Head {
            sha: Sha,
            #[serde(default)]
            repo: Option<Numbered>,
        }
        #[derive(Deserialize)]
        struct Numbered {
            id: u64,
        }
        #[derive(Deserialize)]
        struct Base {
            #[serde(rename = "ref")]
            reference: String,
        }
        let path = format!("/repos/{}/pulls/{number}", repository.path);
        let pull: Pull = self.read(As::In(repository), &path).await?;
        let merged = match (pull.merged, pull.merge_commit_sha) {
            (true, Some(sha)) => Some(sha),
            (true, None) => {
                return Err(CallError::Never(format!(
                    "GitHub does not say which commit merged pull request {number}"
                )));
            }
            (false, _) => None,
        };
        Ok(PullRequest {
            number: pull.number,
            opener: behind(pull.user),
            head: pull.head.sha,
            head_repository: pull.head.repo.map(|repo| repo.id),
            base: pull.base.reference,
            open: pull.state == "open",
            draft: pull.draft,
            merged,
        })
    }

    pub(super) async fn compare(
        &self,
        repository: &Repository,
        base: &str,
        head: &str,
    ) -> Result<Comparison, CallError> {
        #[derive(Deserialize)]
        struct Compared {
            status: String,
            total_commits: usize,
            commits: Vec<RawCommit>,
            #[serde(default)]
            files: Option<Vec<File>>,
        }
        #[derive(Deserialize)]
        struct File {
            filename: String,
            #[serde(default)]
            previous_filename: Option<String>,
        }
        let mut commits: Vec<Commit> = Vec::new();
        let mut first: Option<(Relation, Option<Vec<String>>)> = None;
        let mut total = 0;
        for page in 1..=PAGES {
            let path = format!(
                "/repos/{}/compare/{}...{}?per_page={PAGE}&page={page}",
                repository.path,
                escaped(base),
                escaped(head)
            );
            let compared: Compared = self.read(As::In(repository), &path).await?;
            if first.is_none() {
                let relation = match compared.status.as_str() {
                    "identical" => Relation::Identical,
                    "ahead" => Relation::Ahead,
                    "behind" => Relation::Behind,
                    "diverged" => Relation::Diverged,
                    other => {
                        return Err(CallError::Never(format!(
                            "GitHub compares with a word that is not known: {other}"
                        )));
                    }
                };
                let files = compared.files.unwrap_or_default();
                let paths = (files.len() < MOST_PATHS).then(|| {
                    files
                        .into_iter()
                        .flat_map(|file| {
                            std::iter::once(file.filename).chain(file.previous_filename)
                        })
                        .collect()
                });
                first = Some((relation, paths));
            }
            total = compared.total_commits;
            let is_last = compared.commits.len() < PAGE;
            commits.extend(compared.commits.into_iter().map(|raw| self.known(raw)));
            if is_last || commits.len() >= total {
                break;
            }
        }
        let (relation, paths) = first.unwrap_or((Relation::Diverged, None));
        Ok(Comparison {
            relation,
            complete: commits.len() >= total,
            commits,
            paths,
        })
    }

    /// Every report about a commit, as GitHub has them now.
    pub(super) async fn reports(
        &self,
        repository: &Repository,
        sha: &Sha,
    ) -> Result<Vec<Report>, CallError> {
        let of_commit = format!("head_sha={sha}&exclude_pull_requests=true");
        let (statuses, mut checks, runs, deployments) = tokio::try_join!(
            self.statuses(repository, sha),
            self.checks(repository, sha),
            self.runs_where(repository, &of_commit),
            self.deployments(repository, sha),
        )?;
        self.prove(repository, &runs, &mut checks).await?;
        let runs = runs.iter();
        let runs = runs.filter_map(|run| said::run_report(run, repository.id));
        Ok([statuses, checks, runs.collect(), deployments].concat())
    }

    async fn statuses(&self, repository: &Repository, sha: &Sha) -> Result<Vec<Report>, CallError> {
        #[derive(Deserialize)]
        struct Status {
            id: Id,
            state: String,
            context: String,
            #[serde(default)]
            target_url: Option<String>,
            #[serde(default)]
            created_at: Moment,
            #[serde(default)]
            updated_at: Moment,
            #[serde(default)]
            creator: Option<User>,
        }
        let mut reports = Vec::new();
        for page in 1..=PAGES {
            let path = format!(
                "/repos/{}/commits/{sha}/statuses?per_page={PAGE}&page={page}",
                repository.path
            );
            let found: Vec<Status> = self.read(As::In(repository), &path).await?;
            let is_last = found.len() < PAGE;
            reports.extend(found.into_iter().filter_map(|status| {
                let told = said::StatusTold {
                    id: status.id,
                    state: status.state,
                    context: status.context,
                    url: status.target_url,
                    at: status.updated_at.or(status.created_at),
                };
                status
                    .creator
                    .map(|creator| said::status_report(repository.id, sha.clone(), told, creator))
            }));
            if is_last {
                return Ok(reports);
            }
        }
        Err(too_many("statuses"))
    }

    async fn checks(&self, repository: &Repository, sha: &Sha) -> Result<Vec<Report>, CallError> {
        #[derive(Deserialize)]
        struct Checks {
            check_runs: Vec<Check>,
        }
        let mut reports = Vec::new();
        for page in 1..=PAGES {
            let path = format!(
                "/repos/{}/commits/{sha}/check-runs?per_page={PAGE}&page={page}",
                repository.path
            );
            let found: Checks = self.read(As::In(repository), &path).await?;
            let is_last = found.check_runs.len() < PAGE;
            let checks = found.check_runs.into_iter();
            reports.extend(checks.filter_map(|check| said::check_report(check, repository.id)));
            if is_last {
                return Ok(reports);
            }
        }
        Err(too_many("checks"))
    }

    /// Runs that a query finds.
    pub(super) async fn runs_where(
        &self,
        repository: &Repository,
        query: &str,
    ) -> Result<Vec<Run>, CallError> {
        #[derive(Deserialize)]
        struct Runs {
            workflow_runs: Vec<Run>,
        }
        let mut runs = Vec::new();
        for page in 1..=PAGES {
            let path = format!(
                "/repos/{}/actions/runs?{query}&per_page={PAGE}&page={page}",
                repository.path
            );
            let found: Runs = self.read(As::In(repository), &path).await?;
            let is_last = found.workflow_runs.len() < PAGE;
            runs.extend(found.workflow_runs);
            if is_last {
                return Ok(runs);
            }
        }
        Err(too_many("runs"))
    }

    async fn deployments(
        &self,
        repository: &Repository,
        sha: &Sha,
    ) -> Result<Vec<Report>, CallError> {
        let path = format!("/repos/{}/deployments?sha={sha}", repository.path);
        let mut of_a_kind: BTreeMap<_, usize> = BTreeMap::new();
        let mut newest = Vec::new();
        self.read_until(As::In(repository), &path, |page: Vec<Deployment>| {
            let seen = page.into_iter();
            let seen = seen.map(|deployment| releases::seen(deployment, repository.clone()));
            newest.extend(seen.filter(|seen| {
                let maker = seen.creator.as_ref().map(|maker| maker.id);
                let kind = (seen.environment.clone(), maker, seen.app);
                let newer = of_a_kind.entry(kind).or_default();
                *newer += 1;
                *newer <= NEWEST_DEPLOYMENTS
            }));
            false
        })
        .await?;
        if newest.len() > MOST_DEPLOYMENTS {
            return Err(too_many("deployments"));
        }
        let mut reports = Vec::new();
        for seen in newest {
            let steps = self.steps(repository, seen.id).await?;
            reports.extend(
                steps
                    .iter()
                    .filter_map(|step| releases::step_report(&seen, step)),
            );
        }
        Ok(reports)
    }

    /// What was reported about a deployment, the newest first.
    pub(super) async fn steps(
        &self,
        repository: &Repository,
        deployment: u64,
    ) -> Result<Vec<Step>, CallError> {
        let path = format!(
            "/repos/{}/deployments/{deployment}/statuses?per_page={PAGE}",
            repository.path
        );
        self.read(As::In(repository), &path).await
    }
}

fn too_many(what: &str) -> CallError {
    CallError::Never(format!("there are too many {what} to read them all"))
}
