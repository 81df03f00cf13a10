//! Releases: how they go, and the search for those whose start GitLab did not answer.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{Client, PAGE, project};
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
/// Pipelines of one commit, whose jobs are read.
const MOST_PIPELINES: usize = 20;

/// A pipeline in a list, which does not say whether it is of a branch or of a tag with the same name.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Pipeline {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) source: Option<String>,
    #[serde(default)]
    pub(super) web_url: Option<String>,
}

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

impl Pipeline {
    /// Whether a push started it, or one of its own jobs did. Others may carry variables that a person gave.
    fn is_by_push(&self) -> bool {
        matches!(
            self.source.as_deref(),
            Some("push" | "parent_pipeline" | "merge_request_event")
        )
    }
}

impl Page {
    pub(super) fn made_on(&self) -> String {
        made_on(self.reference.as_deref(), self.tag)
    }

    /// Whether it is of the branch. Where heads of merge requests are released, those of their branches count; those of
    /// tags never do.
    fn is_of(&self, branch: Option<&str>) -> bool {
        let is_here = branch.is_none_or(|branch| self.reference.as_deref() == Some(branch));
        self.tag == Some(false) && is_here
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

    /// The pipelines of a commit, those that others of it started too; the newest first.
    pub(super) async fn pipelines(
        &self,
        repository: &Repository,
        sha: &Sha,
    ) -> Result<Vec<Pipeline>, CallError> {
        let own = format!("{}/pipelines?sha={sha}", project(repository));
        let children = format!("{own}&source=parent_pipeline");
        let (own, children) =
            tokio::try_join!(self.read_all(&own, 1), self.read_all(&children, 1))?;
        let mut pipelines: Vec<Pipeline> = [own.0, children.0].concat();
        pipelines.sort_by_key(|pipeline| std::cmp::Reverse(pipeline.id));
        pipelines.dedup_by_key(|pipeline| pipeline.id);
        pipelines.truncate(MOST_PIPELINES);
        Ok(pipelines)
    }

    /// The newest job of this name in the pipelines of a commit that a push to the branch started.
    pub(super) async fn newest_job(
        &self,
        repository: &Repository,
        (sha, branch): (&Sha, Option<&str>),
        name: &str,
    ) -> Result<Option<Job>, CallError> {
        let mut newest: Option<Job> = None;
        let mut pipelines = self.pipelines(repository, sha).await?;
        pipelines.retain(Pipeline::is_by_push);
        for pipeline in pipelines {
            if !self.page(repository, pipeline.id).await?.is_of(branch) {
                continue;
            }
            let path = format!("{}/pipelines/{}/jobs?", project(repository), pipeline.id);
            let (jobs, _): (Vec<Job>, bool) = self.read_all(&path, super::PAGES).await?;
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
            "{}/deployments?environment={}&order_by=id&sort=desc&per_page={PAGE}",
            project(repository),
            escaped(environment)
        );
        let found: Vec<Deployment> = self.read(&path).await?;
        let from = |deployment: &Deployment| {
            let is_of_tag = deployment.deployable.as_ref().map(|job| job.tag);
            is_of_tag == Some(Some(false))
                && branch.is_none_or(|branch| deployment.reference.as_deref() == Some(branch))
        };
        let mut found = found.into_iter();
        Ok(found.find(|deployment| deployment.sha == *sha && from(deployment)))
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

    /// The pipeline that has our mark among its variables.
    async fn sight_pipeline(
        &self,
        repository: &Repository,
        search: &Search,
        by_token: bool,
    ) -> Result<Option<External>, CallError> {
        #[derive(Deserialize)]
        struct Variable {
            key: String,
            value: String,
        }
        let since = search.since.checked_sub(MARKED_SINCE);
        let since = since.unwrap_or(search.since);
        let path = format!(
            "{}/pipelines?source={}&updated_after={}&order_by=id&sort=desc",
            project(repository),
            if by_token { "trigger" } else { "api" },
            escaped(&since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
        );
        let (pipelines, _): (Vec<Pipeline>, bool) = self.read_all(&path, 1).await?;
        // The mark is secret until the first pipeline that has it, so that copies of it are newer.
        for pipeline in pipelines.into_iter().rev() {
            let path = format!(
                "{}/pipelines/{}/variables",
                project(repository),
                pipeline.id
            );
            let variables: Vec<Variable> = self.read(&path).await?;
            let is_marked = variables
                .iter()
                .any(|one| one.key == CORRELATION && one.value == search.correlation);
            // Others can copy the mark. Whose trigger token it is, only the account that made it can read.
            if is_marked && (by_token || self.is_by_us(repository, pipeline.id).await?) {
                return Ok(Some(External {
                    kind: ExternalKind::Pipeline,
                    id: pipeline.id,
                    url: pipeline.web_url.unwrap_or_default(),
                }));
            }
        }
        Ok(None)
    }
}

impl Client {
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
