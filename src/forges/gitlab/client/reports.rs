//! Reports: everything that was reported about a commit, as GitLab has it now.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;

use super::pipelines::Pipeline;
use super::releases::Page;
use super::{Client, project};
use crate::call::CallError;
use crate::domain::{
    Account, CORRELATION, Report, ReportKind, Repository, SeenDeployment, Sha, made_on,
};
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
            let pipeline = self.page(repository, ran.pipeline.id).await?;
            let path = format!("{}/pipelines/{}/jobs?", project(repository), pipeline.id);
            let jobs: Vec<Job> = self.read_all(&path).await?;
            jobs_seen.extend(jobs.iter().map(|job| job.id.0));
            reports.extend(whole(repository, (&pipeline, ran.parent), &jobs, aside));
            reports.extend(jobs.into_iter().filter_map(|job| {
                let told = told(job, Some((&pipeline, ran.parent)));
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
            #[serde(default, rename = "ref")]
            reference: Option<String>,
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
            tag: Option<bool>,
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
                let is_tag = job.as_ref().map(|job| job.tag);
                let made_on = is_tag.map(|is_tag| made_on(deployment.reference.as_deref(), is_tag));
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
                let said = (deployment.status.as_str(), made_on);
                deployment_report(&seen, said, &url, deployment.updated_at)
            })
            .collect())
    }
}

impl Client {
    /// A report about a deployment, with what its job runs for, which webhooks do not tell.
    pub(super) async fn prove(
        &self,
        repository: &Repository,
        report: &Report,
    ) -> Result<Report, CallError> {
        let found = self.deployment(repository, report.rank.id).await?;
        let mut report = report.clone();
        if report.kind == ReportKind::Deployment && found.sha == report.sha {
            report.reference = found.made_on();
        }
        Ok(report)
    }
}

fn moment(job: &Job) -> Moment {
    job.finished_at.or(job.started_at).or(job.created_at)
}

/// What a pipeline says as a whole.
fn whole(
    repository: &Repository,
    (pipeline, parent): (&Page, Option<u64>),
    jobs: &[Job],
    aside: &[String],
) -> Option<Report> {
    let source = pipeline.source.as_deref()?;
    let own = pipeline.finished_at.max(pipeline.created_at);
    let told = PipelineTold {
        id: Id(pipeline.id),
        sha: pipeline.sha.clone(),
        name: name_of(pipeline.name.as_deref(), source).to_owned(),
        status: pipeline.status.clone(),
        at: jobs.iter().map(moment).fold(own, Moment::max),
        url: link(pipeline.web_url.as_deref()),
        made_on: pipeline.made_on(),
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
    Some(pipeline_report(repository.id, told, &weighed))
}

impl Job {
    /// Whether it is a job of GitLab's own, by its page.
    fn is_job(&self) -> bool {
        let page = self.target_url.as_deref().unwrap_or_default();
        let number = page.rsplit_once("/-/jobs/").map(|(_, number)| number);
        number.and_then(|number| number.parse().ok()) == Some(self.id.0)
    }
}

/// A job with its pipeline and what that runs for. Who reports from outside chooses the branch.
fn told(job: Job, ran: Option<(&Page, Option<u64>)>) -> JobTold {
    JobTold {
        at: moment(&job),
        id: job.id,
        pipeline: ran.map(|(page, _)| Id(page.id)),
        parent: ran.and_then(|(_, parent)| parent).map(Id),
        name: job.name,
        stage: job.stage,
        status: job.status,
        allow_failure: job.allow_failure,
        url: link(job.web_url.as_deref()),
        made_on: ran.map_or_else(|| made_on(None, None), |(page, _)| page.made_on()),
    }
}
