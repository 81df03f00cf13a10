//! Jobs: builds, bridges to child pipelines, and what others reported about a commit, which GitLab
//! keeps among them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::{Answer, Call, Content, Outcome};
use super::environments::Refusal;
use super::pipelines::Pipeline;
use super::plan::JobPlan;
use super::projects::Project;
use super::world::{DEVELOPER, Need, World, merge, seconds, stamp};

#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) id: u64,
    pub(super) pipeline: u64,
    pub(super) name: String,
    pub(super) stage: String,
    /// Where its stage stands among the others.
    pub(super) rank: usize,
    pub(super) status: &'static str,
    pub(super) kind: Kind,
    pub(super) is_manual: bool,
    pub(super) may_fail: bool,
    pub(super) environment: Option<String>,
    pub(super) user: u64,
    /// Another one has taken its place.
    pub(super) is_retried: bool,
    pub(super) failure: Option<&'static str>,
    pub(super) variables: Vec<(String, String)>,
    pub(super) made_at: Timestamp,
    pub(super) started_at: Option<Timestamp>,
    pub(super) finished_at: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Build,
    /// With its child pipeline, once there is one.
    Bridge {
        child: Option<u64>,
        plan: Vec<JobPlan>,
    },
    External {
        target_url: Option<String>,
        description: Option<String>,
    },
}

/// The statuses that a job can have.
const STATUSES: [&str; 8] = [
    "created", "pending", "running", "success", "failed", "canceled", "skipped", "manual",
];

/// The status of this name.
pub(super) fn status(name: &str) -> Option<&'static str> {
    STATUSES.into_iter().find(|known| *known == name)
}

impl Job {
    pub(super) fn is_build(&self) -> bool {
        matches!(self.kind, Kind::Build)
    }

    pub(super) fn is_external(&self) -> bool {
        matches!(self.kind, Kind::External { .. })
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.status, "success" | "failed" | "canceled" | "skipped")
    }
}

impl Project {
    pub(super) fn jobs_of(&self, pipeline: u64) -> impl Iterator<Item = &Job> {
        self.jobs
            .values()
            .filter(move |job| job.pipeline == pipeline)
    }

    /// The one of this name that nothing has replaced.
    pub(super) fn job_named(&self, pipeline: u64, name: &str) -> Option<&Job> {
        self.jobs_of(pipeline)
            .find(|job| job.name == name && !job.is_retried && !job.is_external())
    }
}

impl World {
    pub(super) fn job_url(&self, project: &Project, job: u64) -> String {
        format!("{}/-/jobs/{job}", self.web_url(project))
    }

    pub(super) fn job_json(&self, project: &Project, job: &Job) -> Value {
        let pipeline = project.pipelines.get(&job.pipeline);
        let commit = pipeline.and_then(|pipeline| self.commits.get(&pipeline.sha));
        let shown = |pipeline: &Pipeline| self.pipeline_basic(project, pipeline);
        let mut json = json!({
            "id": job.id,
            "status": job.status,
            "stage": job.stage,
            "name": job.name,
            "ref": pipeline.map(|pipeline| &pipeline.reference),
            "tag": pipeline.is_some_and(|pipeline| pipeline.is_tag),
            "coverage": null,
            "allow_failure": job.may_fail,
            "created_at": stamp(job.made_at),
            "started_at": Self::when(job.started_at),
            "finished_at": Self::when(job.finished_at),
            "erased_at": null,
            "duration": seconds(job.started_at, job.finished_at),
            "queued_duration": seconds(Some(job.made_at), job.started_at),
            "user": self.person_json(job.user),
            "commit": commit.map(|commit| self.commit_json(project, commit)),
            "pipeline": pipeline.map(shown),
            "web_url": self.job_url(project, job.id),
            "project": { "ci_job_token_scope_enabled": false },
        });
        if let Some(failure) = job.failure {
            json["failure_reason"] = failure.into();
        }
        let more = match &job.kind {
            Kind::Build => json!({
                "artifacts": [], "runner": null, "runner_manager": null, "artifacts_expire_at": null,
                "archived": false, "tag_list": [],
            }),
            Kind::Bridge { child, .. } => {
                let child = child.and_then(|child| project.pipelines.get(&child));
                json!({ "downstream_pipeline": child.map(shown) })
            }
            Kind::External { .. } => json!({}),
        };
        merge(&mut json, more);
        json
    }

    fn scoped(call: &Call, job: &Job) -> bool {
        let scope = call.asked_all("scope");
        scope.is_empty() || scope.contains(&job.status)
    }

    /// `GET /projects/:id/pipelines/:pipeline_id/jobs`
    pub(super) fn list_jobs(&self, call: &Call, project: &Project, pipeline: &Pipeline) -> Outcome {
        let with_retried = call.asked("include_retried") == Some("true");
        let wanted = |job: &&Job| {
            job.is_build() && (with_retried || !job.is_retried) && Self::scoped(call, job)
        };
        let mut found: Vec<&Job> = project.jobs_of(pipeline.id).filter(wanted).collect();
        found.reverse();
        call.list(found, |job| self.job_json(project, job))
    }

    /// `GET /projects/:id/pipelines/:pipeline_id/bridges`
    pub(super) fn list_bridges(
        &self,
        call: &Call,
        project: &Project,
        pipeline: &Pipeline,
    ) -> Outcome {
        let wanted =
            |job: &&Job| matches!(job.kind, Kind::Bridge { .. }) && Self::scoped(call, job);
        let found = project.jobs_of(pipeline.id).filter(wanted).collect();
        call.list(found, |job| self.job_json(project, job))
    }

    /// `GET /projects/:id/jobs`
    pub(super) fn list_all_jobs(&self, call: &Call, project: &Project) -> Outcome {
        let wanted = |job: &&Job| job.is_build() && Self::scoped(call, job);
        let mut found: Vec<&Job> = project.jobs.values().filter(wanted).collect();
        found.reverse();
        call.list(found, |job| self.job_json(project, job))
    }

    fn find_job<'p>(project: &'p Project, id: &str) -> Result<&'p Job, Answer> {
        let id = id
            .parse()
            .map_err(|_| Answer::error(400, "job_id is invalid"))?;
        let job = project.jobs.get(&id).filter(|job| !job.is_external());
        job.ok_or_else(|| Answer::message(404, "404 Not found"))
    }

    /// `GET /projects/:id/jobs/:job_id`
    pub(super) fn get_job(&self, project: &Project, id: &str) -> Outcome {
        let job = Self::find_job(project, id)?;
        Answer::ok(self.job_json(project, job))
    }

    /// `POST /projects/:id/jobs/:job_id/play`
    pub(super) fn play_job(&mut self, call: &Call, project: &str, id: &str) -> Outcome {
        let project = self.reach_id(call, project, Need::Level(DEVELOPER))?;
        let variables = call.pairs("job_variables_attributes")?;
        let found = self.projects.get(&project).ok_or_else(Answer::nowhere)?;
        let job = Self::find_job(found, id)?.id;
        self.play(project, job, call.who.unwrap_or(0), variables)
            .map_err(|why| match why {
                Refusal::MayNot => Answer::forbidden(),
                Refusal::CanNot => Answer::bad_request("Unplayable Job"),
            })?;
        self.show_job(project, job, 200)
    }

    /// `POST /projects/:id/jobs/:job_id/retry`
    pub(super) fn retry_job(&mut self, call: &Call, project: &str, id: &str) -> Outcome {
        let project = self.reach_id(call, project, Need::Level(DEVELOPER))?;
        let found = self.projects.get(&project).ok_or_else(Answer::nowhere)?;
        let job = Self::find_job(found, id)?.id;
        let again = self
            .run_again(project, job, call.who.unwrap_or(0))
            .map_err(|why| match why {
                Refusal::MayNot => Answer::forbidden(),
                Refusal::CanNot => Answer::message(403, "403 Forbidden - Job is not retryable"),
            })?;
        self.show_job(project, again, 201)
    }

    /// `POST /projects/:id/jobs/:job_id/cancel`
    pub(super) fn cancel_job(&mut self, call: &Call, project: &str, id: &str) -> Outcome {
        let project = self.reach_id(call, project, Need::Level(DEVELOPER))?;
        let found = self.projects.get(&project).ok_or_else(Answer::nowhere)?;
        let job = Self::find_job(found, id)?;
        let (job, is_over) = (job.id, job.is_over());
        if !is_over {
            self.move_job(project, job, "canceled");
        }
        self.show_job(project, job, 201)
    }

    fn show_job(&self, project: u64, job: u64, status: u16) -> Outcome {
        let project = self.projects.get(&project).ok_or_else(Answer::nowhere)?;
        let job = project.jobs.get(&job).ok_or_else(Answer::nowhere)?;
        let shown = Content::Json(self.job_json(project, job));
        Ok(Answer::new(status, shown))
    }
}
