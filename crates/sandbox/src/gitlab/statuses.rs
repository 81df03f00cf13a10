//! Commit statuses. GitLab keeps what others report as jobs of a pipeline, and lists the jobs of
//! pipelines as statuses.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::call::{Answer, Call, Outcome};
use super::jobs::{self, Job, Kind};
use super::pipelines::Start;
use super::plan::JobPlan;
use super::projects::Project;
use super::world::{DEVELOPER, Need, World, stamp};
use crate::history;

/// What a reporter says about a commit.
pub(super) struct Said<'s> {
    pub(super) name: &'s str,
    pub(super) state: &'static str,
    /// The branch that it is about; the first that has the commit where none is named.
    pub(super) reference: Option<&'s str>,
    pub(super) pipeline: Option<u64>,
    pub(super) description: Option<&'s str>,
    pub(super) target_url: Option<&'s str>,
}

/// What may be said, and what GitLab calls the step to it.
const STATES: [(&str, &str); 6] = [
    ("pending", "enqueue"),
    ("running", "run"),
    ("success", "success"),
    ("failed", "drop"),
    ("canceled", "cancel"),
    ("skipped", "skip"),
];

impl World {
    /// The first branch that a commit is on.
    pub(super) fn branch_with(&self, project: &Project, sha: &str) -> Option<String> {
        let has = |head: &str| history::ancestors(&self.commits, head).contains(sha);
        let default = project.branches.get_key_value(&project.default_branch);
        default
            .into_iter()
            .chain(&project.branches)
            .find(|(_, head)| has(head))
            .map(|(name, _)| name.clone())
    }

    /// The newest pipeline of a commit.
    pub(super) fn newest_pipeline(
        project: &Project,
        sha: &str,
        reference: Option<&str>,
    ) -> Option<u64> {
        let mut newest = project.pipelines.values().rev();
        newest
            .find(|one| {
                one.sha == sha
                    && one.parent.is_none()
                    && reference.is_none_or(|reference| one.reference == reference)
            })
            .map(|one| one.id)
    }

    /// Writes down what a reporter says about a commit; why it cannot be.
    pub(super) fn say(
        &mut self,
        project: u64,
        sha: &str,
        said: &Said<'_>,
        by: u64,
    ) -> Result<u64, Answer> {
        let found = self.projects.get(&project).ok_or_else(Answer::nowhere)?;
        let reference = match said.reference {
            Some(reference) => reference.to_owned(),
            None => self
                .branch_with(found, sha)
                .ok_or_else(|| Answer::message(404, "404 References for commit Not Found"))?,
        };
        let newest = Self::newest_pipeline(found, sha, Some(&reference));
        let pipeline = match said.pipeline.or(newest) {
            Some(pipeline) if found.pipelines.contains_key(&pipeline) => pipeline,
            Some(_) => return Err(Answer::not_found("Pipeline")),
            None => {
                let start = Start {
                    sha: sha.to_owned(),
                    before: "0".repeat(40),
                    reference,
                    source: "external".to_owned(),
                    user: by,
                    ..Start::default()
                };
                let begun = self.begin(project, start);
                begun.ok_or_else(Answer::nowhere)?
            }
        };
        let kind = Kind::External {
            target_url: said.target_url.map(str::to_owned),
            description: said.description.map(str::to_owned),
        };
        let found = self.projects.get(&project).ok_or_else(Answer::nowhere)?;
        let open = found.jobs_of(pipeline).find(|job| {
            job.is_external() && job.name == said.name && !job.is_retried && !job.is_over()
        });
        let id = match open {
            Some(job) if job.status == said.state => {
                let step = STATES.iter().find(|(state, _)| *state == said.state);
                let step = step.map_or("", |(_, step)| step);
                return Err(Answer::message(
                    400,
                    &format!(
                        "Cannot transition status via :{step} from :{} (Reason(s): Status cannot transition via \"{step}\")",
                        job.status
                    ),
                ));
            }
            Some(job) => job.id,
            None => self.report_anew(project, (pipeline, by), said.name),
        };
        let found = self.projects.get_mut(&project);
        if let Some(job) = found.and_then(|found| found.jobs.get_mut(&id)) {
            job.kind = kind;
        }
        self.move_job(project, id, said.state);
        Ok(id)
    }

    /// Another report under a name; what was said under it before is history.
    fn report_anew(&mut self, project: u64, (pipeline, by): (u64, u64), name: &str) -> u64 {
        let plan = JobPlan::new(name, "external");
        let id = self.add_job(project, (pipeline, by), &plan, usize::MAX);
        if let Some(found) = self.projects.get_mut(&project) {
            for other in found.jobs.values_mut() {
                if other.id == id {
                    other.kind = Kind::External {
                        target_url: None,
                        description: None,
                    };
                } else if other.pipeline == pipeline && other.name == name && other.is_external() {
                    other.is_retried = true;
                }
            }
        }
        id
    }

    fn status_json(&self, project: &Project, job: &Job) -> Value {
        let pipeline = project.pipelines.get(&job.pipeline);
        let (target, description) = match &job.kind {
            Kind::External {
                target_url,
                description,
            } => (target_url.clone(), description.clone()),
            Kind::Build | Kind::Bridge { .. } => (Some(self.job_url(project, job.id)), None),
        };
        json!({
            "id": job.id,
            "sha": pipeline.map(|pipeline| &pipeline.sha),
            "ref": pipeline.map(|pipeline| &pipeline.reference),
            "status": job.status,
            "name": job.name,
            "target_url": target,
            "description": description,
            "created_at": stamp(job.made_at),
            "started_at": Self::when(job.started_at),
            "finished_at": Self::when(job.finished_at),
            "allow_failure": job.may_fail,
            "coverage": null,
            "pipeline_id": job.pipeline,
            "author": self.person_json(job.user),
        })
    }

    /// `GET /projects/:id/repository/commits/:sha/statuses`
    pub(super) fn list_statuses(&self, call: &Call, project: &Project, text: &str) -> Outcome {
        let sha = &self.known(project, text)?.sha;
        let all = call.asked("all") == Some("true");
        let is = |name: &str, value: &str| call.asked(name).is_none_or(|asked| asked == value);
        let wanted = |job: &&Job| {
            let pipeline = project.pipelines.get(&job.pipeline);
            pipeline.is_some_and(|one| one.sha == *sha && is("ref", &one.reference))
                && (all || !job.is_retried)
                && is("stage", &job.stage)
                && is("name", &job.name)
                && is("pipeline_id", &job.pipeline.to_string())
        };
        let mut found: Vec<&Job> = project.jobs.values().filter(wanted).collect();
        if !all {
            // The latest of each name in each pipeline's branch.
            let mut seen = BTreeSet::new();
            found.reverse();
            found.retain(|job| seen.insert((job.name.as_str(), job.pipeline)));
            found.reverse();
        }
        if call.asked("sort") == Some("desc") {
            found.reverse();
        }
        call.list(found, |job| self.status_json(project, job))
    }

    /// `POST /projects/:id/statuses/:sha`
    pub(super) fn post_status(&mut self, call: &Call, project: &str, text: &str) -> Outcome {
        let found = self.reach(call, project, Need::Level(DEVELOPER))?;
        let names: Vec<&str> = STATES.iter().map(|(state, _)| *state).collect();
        let state = call.one_of("state", &names)?;
        let commit = self.known(found, text)?;
        let (project, sha) = (found.id, commit.sha.clone());
        let said = Said {
            name: call
                .text("name")
                .or(call.text("context"))
                .unwrap_or("default"),
            state: jobs::status(state).unwrap_or("pending"),
            reference: call.text("ref"),
            pipeline: call.number("pipeline_id"),
            description: call.text("description"),
            target_url: call.text("target_url"),
        };
        let id = self.say(project, &sha, &said, call.who.unwrap_or(0))?;
        let found = self.projects.get(&project).ok_or_else(Answer::nowhere)?;
        let job = found.jobs.get(&id).ok_or_else(Answer::nowhere)?;
        Answer::created(self.status_json(found, job))
    }
}
