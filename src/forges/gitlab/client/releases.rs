//! Releases: how they go, and the search for those whose start GitLab did not answer.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::people::User;
use super::pipelines::Pipeline;
use super::{Client, project};
use crate::call::CallError;
use crate::domain::{
    CORRELATION, External, ExternalKind, FoundRun, Progress, Repository, Search, Sha, Target,
    made_on,
};
use crate::forges::gitlab::payload::Moment;
use crate::web::escaped;

/// How far GitLab's clock may be from ours.
const SKEW: SignedDuration = SignedDuration::from_secs(60);
/// Our mark is unique, so that the pipeline that has it may be looked for further back: to overlook it because
/// of a clock would start a second one.
const MARKED_SINCE: SignedDuration = SignedDuration::from_hours(24);
/// Pipelines whose variables are read to find it.
const MOST_LOOKED_AT: usize = 500;

/// A pipeline on its own page.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Page {
    pub(super) id: u64,
    pub(super) sha: Sha,
    #[serde(default)]
    pub(super) name: Option<String>,
    pub(super) status: String,
    #[serde(default, rename = "ref")]
    reference: Option<String>,
    #[serde(default)]
    tag: Option<bool>,
    #[serde(default)]
    pub(super) source: Option<String>,
    #[serde(default)]
    pub(super) created_at: Moment,
    #[serde(default)]
    pub(super) finished_at: Moment,
    #[serde(default)]
    pub(super) web_url: Option<String>,
    #[serde(default)]
    user: Option<Somebody>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Job {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) status: String,
    #[serde(default)]
    tag: Option<bool>,
    #[serde(default)]
    pub(super) created_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) started_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) user: Option<Somebody>,
    #[serde(default)]
    pub(super) web_url: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Somebody {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) username: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Deployment {
    pub(super) id: u64,
    pub(super) sha: Sha,
    #[serde(default, rename = "ref")]
    pub(super) reference: Option<String>,
    pub(super) status: String,
    #[serde(default)]
    pub(super) deployable: Option<Job>,
    /// Only where approvals are asked for.
    #[serde(default)]
    pub(super) pending_approval_count: Option<u64>,
    #[serde(default)]
    pub(super) approvals: Vec<Approval>,
}

/// What an approver on GitLab said about a deployment.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Approval {
    pub(super) user: Somebody,
    pub(super) status: String,
}

impl Deployment {
    /// What its job runs for. Who deploys without a job chooses what to say.
    pub(super) fn made_on(&self) -> Option<String> {
        let job = self.deployable.as_ref()?;
        Some(made_on(self.reference.as_deref(), job.tag))
    }

    /// How many more must say yes on GitLab before its job can be played.
    pub(super) fn lacks(&self) -> u64 {
        let lacking = self.pending_approval_count.unwrap_or_default();
        if self.status == "blocked" { lacking } else { 0 }
    }

    pub(super) fn rejected_by(&self) -> Option<&str> {
        let mut approvals = self.approvals.iter();
        let no = approvals.find(|said| said.status == "rejected");
        no.map(|said| said.user.username.as_str())
    }
}

impl Page {
    pub(super) fn made_on(&self) -> String {
        made_on(self.reference.as_deref(), self.tag)
    }

    /// Whether it says that it is of a branch, which may have a tag's name.
    pub(super) fn is_of_a_branch(&self) -> bool {
        self.tag == Some(false)
    }
}

impl Client {
    pub(super) async fn progress(
        &self,
        repository: &Repository,
        external: &External,
    ) -> Result<(Progress, String), CallError> {
        let (status, url) = match external.kind {
            ExternalKind::Job => {
                let job = self.job(repository, external.id).await?;
                (job.status, job.web_url)
            }
            ExternalKind::Pipeline | ExternalKind::Run => {
                let pipeline = self.page(repository, external.id).await?;
                (pipeline.status, pipeline.web_url)
            }
            ExternalKind::Deployment => {
                let deployment = self.deployment(repository, external.id).await?;
                let url = deployment.deployable.and_then(|job| job.web_url);
                (deployment.status, url)
            }
        };
        Ok((progress_of(&status), url.unwrap_or_default()))
    }

    pub(super) async fn job(&self, repository: &Repository, id: u64) -> Result<Job, CallError> {
        self.read(&format!("{}/jobs/{id}", project(repository)))
            .await
    }

    pub(super) async fn page(&self, repository: &Repository, id: u64) -> Result<Page, CallError> {
        self.read(&format!("{}/pipelines/{id}", project(repository)))
            .await
    }

    pub(super) async fn found_pipeline(
        &self,
        repository: &Repository,
        id: u64,
    ) -> Result<FoundRun, CallError> {
        let page = self.page(repository, id).await?;
        Ok(FoundRun {
            sha: page.sha,
            file: None,
            event: page.source,
            home: Some(repository.id.number()),
        })
    }

    pub(super) async fn deployment(
        &self,
        repository: &Repository,
        id: u64,
    ) -> Result<Deployment, CallError> {
        self.read(&format!("{}/deployments/{id}", project(repository)))
            .await
    }

    /// The newest job of this name in the pipelines of a commit that a push to the branch started.
    pub(super) async fn newest_job(
        &self,
        repository: &Repository,
        place: (&Sha, Option<&str>),
        name: &str,
    ) -> Result<Option<Job>, CallError> {
        let mut newest: Option<Job> = None;
        for ran in self.pipelines_by_push(repository, place).await? {
            let id = ran.pipeline.id;
            let path = format!("{}/pipelines/{id}/jobs?", project(repository));
            let jobs: Vec<Job> = self.read_all(&path).await?;
            let named = jobs.into_iter().filter(|job| job.name == name);
            newest = newest.into_iter().chain(named).max_by_key(|job| job.id);
        }
        Ok(newest)
    }

    /// The newest deployment of a commit to an environment, from the branch.
    pub(super) async fn newest_deployment(
        &self,
        repository: &Repository,
        (sha, branch): (&Sha, Option<&str>),
        environment: &str,
    ) -> Result<Option<Deployment>, CallError> {
        let path = format!(
            "{}/deployments?environment={}&order_by=id&sort=desc",
            project(repository),
            escaped(environment)
        );
        let from = |deployment: &Deployment| {
            let is_of_tag = deployment.deployable.as_ref().map(|job| job.tag);
            is_of_tag == Some(Some(false))
                && branch.is_none_or(|branch| deployment.reference.as_deref() == Some(branch))
        };
        self.read_first(&path, |deployment: &Deployment| {
            deployment.sha == *sha && from(deployment)
        })
        .await
    }

    /// Looks for a release that we may have started.
    pub(super) async fn sight(
        &self,
        repository: &Repository,
        search: &Search,
    ) -> Result<Option<External>, CallError> {
        match &search.target {
            Target::Job { name, branch } => {
                let place = (&search.sha, branch.as_deref());
                let job = self.newest_job(repository, place, name).await?;
                self.started_by_us(job, search).await
            }
            Target::WaitingJob {
                environment,
                branch,
            } => {
                let place = (&search.sha, branch.as_deref());
                let deployment = self
                    .newest_deployment(repository, place, environment)
                    .await?;
                let job = deployment.and_then(|deployment| deployment.deployable);
                let Some(job) = job else { return Ok(None) };
                let job = self.job(repository, job.id).await?;
                self.started_by_us(Some(job), search).await
            }
            Target::Pipeline { by_token } => {
                self.sight_pipeline(repository, search, *by_token).await
            }
            Target::Deployment { .. }
            | Target::WorkflowDispatch { .. }
            | Target::RepositoryDispatch
            | Target::WaitingRun { .. } => {
                Err(CallError::Never("GitLab has no such releases".to_owned()))
            }
        }
    }

    /// A job belongs to the account that played it last. One that waits to be played belongs to none.
    async fn started_by_us(
        &self,
        job: Option<Job>,
        search: &Search,
    ) -> Result<Option<External>, CallError> {
        let Some(job) = job.filter(|job| !waits(&job.status)) else {
            return Ok(None);
        };
        let ourselves = self.ourselves().await?.id;
        let by_us = job.user.as_ref().is_some_and(|user| user.id == ourselves);
        let began = job.started_at.or_else(|| {
            let is_under_way = progress_of(&job.status) <= Progress::Running;
            job.created_at.filter(|_| !is_under_way)
        });
        let since = search.since.checked_sub(SKEW).unwrap_or(search.since);
        // What did not begin yet was played a moment ago.
        let is_new = began.is_none_or(|began| began >= since);
        Ok((by_us && is_new).then(|| External {
            kind: ExternalKind::Job,
            id: job.id,
            url: job.web_url.unwrap_or_default(),
        }))
    }

    /// The pipeline that has our mark among its variables. It is looked for where it should be, and then further back:
    /// it is not there only if it is not among all that it could be.
    async fn sight_pipeline(
        &self,
        repository: &Repository,
        search: &Search,
        by_token: bool,
    ) -> Result<Option<External>, CallError> {
        let mut query = if by_token {
            "source=trigger".to_owned()
        } else {
            // By the name that it has now: by a former one nothing would be found.
            let ourselves: User = self.read("/user").await?;
            format!("source=api&username={}", escaped(&ourselves.username))
        };
        query.push_str("&order_by=id&sort=asc");
        let mut looked_at = BTreeSet::new();
        for back in [SKEW, MARKED_SINCE] {
            let since = search.since.checked_sub(back).unwrap_or(search.since);
            let since = since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            let path = format!(
                "{}/pipelines?{query}&updated_after={}",
                project(repository),
                escaped(&since)
            );
            let pipelines: Vec<Pipeline> = self.read_all(&path).await?;
            // The mark is secret until the first pipeline that has it, so that copies of it are newer.
            for pipeline in pipelines {
                if !looked_at.insert(pipeline.id) {
                    continue;
                }
                if looked_at.len() > MOST_LOOKED_AT {
                    return Err(CallError::Never(format!(
                        "there are more than {MOST_LOOKED_AT} pipelines that it may be"
                    )));
                }
                if self.is_marked(repository, &pipeline, search).await?
                    // Whose trigger token it is, only the account that made it can read.
                    && (by_token || self.is_by_us(repository, pipeline.id).await?)
                {
                    return Ok(Some(External {
                        kind: ExternalKind::Pipeline,
                        id: pipeline.id,
                        url: pipeline.web_url.unwrap_or_default(),
                    }));
                }
            }
        }
        Ok(None)
    }

    /// Whether a pipeline carries our mark, which others can copy.
    async fn is_marked(
        &self,
        repository: &Repository,
        pipeline: &Pipeline,
        search: &Search,
    ) -> Result<bool, CallError> {
        #[derive(Deserialize)]
        struct Variable {
            key: String,
            value: String,
        }
        let path = format!(
            "{}/pipelines/{}/variables",
            project(repository),
            pipeline.id
        );
        let variables: Vec<Variable> = self.read(&path).await?;
        let mut variables = variables.iter();
        Ok(variables.any(|one| one.key == CORRELATION && one.value == search.correlation))
    }

    /// Whether our own account made a pipeline, which only its own page tells.
    async fn is_by_us(&self, repository: &Repository, pipeline: u64) -> Result<bool, CallError> {
        let page = self.page(repository, pipeline).await?;
        let ourselves = self.ourselves().await?.id;
        Ok(page.user.is_some_and(|user| user.id == ourselves))
    }
}

/// Whether a job waits to be played, or for its turn to be.
pub(super) fn waits(status: &str) -> bool {
    matches!(status, "manual" | "created" | "skipped" | "scheduled")
}

/// How far jobs, pipelines and deployments are, which GitLab says with the same words.
pub(super) fn progress_of(status: &str) -> Progress {
    match status {
        "success" => Progress::Succeeded,
        "failed" => Progress::Failed,
        "canceled" => Progress::Cancelled,
        "skipped" => Progress::Skipped,
        "running" | "canceling" => Progress::Running,
        _ => Progress::Waiting,
    }
}
