//! Reports: everything that was reported about a commit, as GitLab has it now.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;

use super::pipelines::{Pipeline, Ran};
use super::{Client, project};
use crate::call::CallError;
use crate::domain::{Account, CORRELATION, Report, Repository, SeenDeployment, Sha};
use crate::forges::gitlab::interpret::deployments::deployment_report;
use crate::forges::gitlab::interpret::jobs::{JobTold, job_report};
use crate::forges::gitlab::interpret::link;
use crate::forges::gitlab::interpret::pipelines::{
    PipelineTold, Weighed, name as name_of, pipeline_report,
};
use crate::forges::gitlab::payload::{Id, Moment};
use crate::web::escaped;

/// What others reported from outside stands here in GitLab's own events.
const OUTSIDE: &str = "external";

#[derive(Deserialize)]
struct Job {
    id: Id,
    name: String,
    #[serde(default)]
    stage: Option<String>,
    status: String,
    #[serde(default)]
    allow_failure: bool,
    #[serde(default)]
    created_at: Moment,
    #[serde(default)]
    started_at: Moment,
    #[serde(default)]
    finished_at: Moment,
    #[serde(default)]
    web_url: Option<String>,
    /// Of what was reported from outside.
    #[serde(default)]
    target_url: Option<String>,
}

impl Client {
    /// `aside` names the jobs that release: what becomes of them says nothing about the commit.
    pub(super) async fn reports(
        &self,
        repository: &Repository,
        sha: &Sha,
        aside: &[String],
    ) -> Result<Vec<Report>, CallError> {
        let mut reports = Vec::new();
        let mut jobs_seen = BTreeSet::new();
        let mut pipelines = Vec::new();
        let found = self.pipelines(repository, sha).await?;
        let first = found.iter().filter_map(|one| one.created_at).min();
        for pipeline in found {
            if !self.is_release(repository, &pipeline).await? {
                pipelines.push(pipeline);
            }
        }
        for ran in self.with_children(repository, pipelines).await? {
            let pipeline = &ran.pipeline;
            let path = format!("{}/pipelines/{}/jobs?", project(repository), pipeline.id);
            let jobs: Vec<Job> = self.read_all(&path).await?;
            jobs_seen.extend(jobs.iter().map(|job| job.id.0));
            reports.extend(self.whole(repository, &ran, &jobs, aside).await?);
            reports.extend(jobs.into_iter().filter_map(|job| {
                let told = told(job, Some(&ran));
                job_report(repository.id, sha.clone(), told)
            }));
        }
        reports.extend(self.statuses(repository, sha, &jobs_seen).await?);
        reports.extend(self.deployments(repository, sha, first).await?);
        Ok(reports)
    }

    /// Whether a pipeline is a release of ours, by our mark among its variables.
    async fn is_release(
        &self,
        repository: &Repository,
        pipeline: &Pipeline,
    ) -> Result<bool, CallError> {
        #[derive(Deserialize)]
        struct Variable {
            key: String,
        }
        if !matches!(pipeline.source.as_deref(), Some("api" | "trigger")) {
            return Ok(false);
        }
        let path = format!(
            "{}/pipelines/{}/variables",
            project(repository),
            pipeline.id
        );
        let variables: Vec<Variable> = self.read(&path).await?;
        Ok(variables.iter().any(|one| one.key == CORRELATION))
    }

    /// What a pipeline says as a whole. Its name stands on its own page only.
    async fn whole(
        &self,
        repository: &Repository,
        Ran { pipeline, parent }: &Ran,
        jobs: &[Job],
        aside: &[String],
    ) -> Result<Option<Report>, CallError> {
        #[derive(Deserialize)]
        struct Page {
            id: Id,
            #[serde(default)]
            name: Option<String>,
            #[serde(default)]
            source: Option<String>,
            status: String,
            #[serde(default)]
            created_at: Moment,
            #[serde(default)]
            finished_at: Moment,
            #[serde(default)]
            web_url: Option<String>,
        }
        let path = format!("{}/pipelines/{}", project(repository), pipeline.id);
        let page: Page = self.read(&path).await?;
        let Some(source) = page.source else {
            return Ok(None);
        };
        let own = page.finished_at.max(page.created_at);
        let told = PipelineTold {
            id: page.id,
            sha: pipeline.sha.clone(),
            name: name_of(page.name.as_deref(), &source).to_owned(),
            status: page.status,
            at: jobs.iter().map(moment).fold(own, Moment::max),
            url: link(page.web_url.as_deref()),
            reference: pipeline.reference.clone(),
            parent: parent.map(Id),
        };
        let weighed: Vec<Weighed<'_>> = jobs
            .iter()
            .map(|job| Weighed {
                status: &job.status,
                allow_failure: job.allow_failure,
                by_hand: job.status == "manual" || aside.contains(&job.name),
            })
            .collect();
        Ok(Some(pipeline_report(repository.id, told, &weighed)))
    }

    /// What others reported from outside. GitLab lists jobs beside it, which are known already or do not count.
    async fn statuses(
        &self,
        repository: &Repository,
        sha: &Sha,
        jobs: &BTreeSet<u64>,
    ) -> Result<Vec<Report>, CallError> {
        let path = format!("{}/repository/commits/{sha}/statuses?", project(repository));
        let statuses: Vec<Job> = self.read_all(&path).await?;
        let outside = statuses
            .into_iter()
            .filter(|status| !jobs.contains(&status.id.0) && !status.is_job())
            .map(|status| Job {
                stage: Some(OUTSIDE.to_owned()),
                web_url: status.target_url.clone(),
                ..status
            });
        Ok(outside
            .filter_map(|status| job_report(repository.id, sha.clone(), told(status, None)))
            .collect())
    }

    /// The deployments of a commit. GitLab lists those of all commits, so only those are read that moved since it was
    /// there, which its first pipeline shows.
    async fn deployments(
        &self,
        repository: &Repository,
        sha: &Sha,
        first: Option<Timestamp>,
    ) -> Result<Vec<Report>, CallError> {
        #[derive(Deserialize)]
        struct Deployment {
            id: Id,
            sha: Sha,
            status: String,
            environment: Named,
            #[serde(default)]
            deployable: Option<Deployable>,
            #[serde(default)]
            updated_at: Moment,
        }
        #[derive(Deserialize)]
        struct Named {
            name: String,
        }
        #[derive(Deserialize)]
        struct Deployable {
            id: Id,
            #[serde(default)]
            web_url: Option<String>,
        }
        let first = match first {
            Some(first) => first,
            None => self.committed_at(repository, sha).await?,
        };
        let path = format!(
            "{}/deployments?updated_after={}&order_by=updated_at&sort=desc",
            project(repository),
            escaped(&first.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
        );
        let found: Vec<Deployment> = self.read_all(&path).await?;
        let of_commit = found
            .into_iter()
            .filter(|deployment| deployment.sha == *sha);
        Ok(of_commit
            .map(|deployment| {
                let job = deployment.deployable;
                let url = job.as_ref().and_then(|job| job.web_url.as_deref());
                let url = link(url);
                let seen = SeenDeployment {
                    repository: repository.clone(),
                    id: deployment.id.0,
                    sha: deployment.sha,
                    environment: deployment.environment.name,
                    creator: None::<Account>,
                    app: None,
                    correlation: None,
                    job: job.map(|job| job.id.0),
                };
                deployment_report(&seen, &deployment.status, &url, deployment.updated_at)
            })
            .collect())
    }
}

fn moment(job: &Job) -> Moment {
    job.finished_at.or(job.started_at).or(job.created_at)
}

impl Job {
    /// Whether it is a job of GitLab's own, by its page.
    fn is_job(&self) -> bool {
        let page = self.target_url.as_deref().unwrap_or_default();
        let number = page.rsplit_once("/-/jobs/").map(|(_, number)| number);
        number.and_then(|number| number.parse().ok()) == Some(self.id.0)
    }
}

/// A job with its pipeline and what that runs for.
fn told(job: Job, ran: Option<&Ran>) -> JobTold {
    JobTold {
        at: moment(&job),
        id: job.id,
        pipeline: ran.map(|ran| Id(ran.pipeline.id)),
        parent: ran.and_then(|ran| ran.parent).map(Id),
        name: job.name,
        stage: job.stage,
        status: job.status,
        allow_failure: job.allow_failure,
        url: link(job.web_url.as_deref()),
        reference: ran.and_then(|ran| ran.pipeline.reference.clone()),
    }
}
