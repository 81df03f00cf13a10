//! Progress of pipelines: jobs move, the next stages follow, deployments keep step, and webhooks tell of it.

use super::environments::Refusal;
use super::jobs::{Job, Kind};
use super::pipelines::Start;
use super::world::World;

/// What several jobs amount to, as GitLab reckons it.
fn composite<'j>(jobs: impl Iterator<Item = &'j Job>) -> &'static str {
    let words: Vec<&str> = jobs
        .map(|job| match job.status {
            "failed" if job.may_fail => "success",
            "manual" if job.may_fail => "ignored",
            status => status,
        })
        .collect();
    let only = |allowed: &[&str]| words.iter().all(|word| allowed.contains(word));
    let any = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    if only(&["skipped", "ignored"]) {
        "skipped"
    } else if only(&["success", "skipped", "ignored"]) {
        "success"
    } else if only(&["created", "skipped", "ignored"]) {
        "created"
    } else if only(&["canceled", "success", "skipped", "ignored"]) {
        "canceled"
    } else if only(&["pending", "created", "skipped", "ignored"]) {
        "pending"
    } else if any(&["running", "pending"]) {
        "running"
    } else if any(&["manual"]) {
        "manual"
    } else if any(&["created"]) {
        "running"
    } else {
        "failed"
    }
}

impl World {
    /// Moves a job and whatever follows from that.
    pub(super) fn move_job(&mut self, project: u64, job: u64, status: &'static str) {
        if let Some(pipeline) = self.set_job(project, job, status) {
            self.proceed(project, pipeline);
        }
    }

    /// Moves a job by itself; its pipeline, if it moved.
    fn set_job(&mut self, project: u64, id: u64, status: &'static str) -> Option<u64> {
        let now = self.now();
        let job = self.projects.get_mut(&project)?.jobs.get_mut(&id)?;
        if job.status == status {
            return None;
        }
        job.status = status;
        match status {
            "running" => job.started_at = Some(now),
            "success" | "failed" | "canceled" => {
                job.started_at.get_or_insert(now);
                job.finished_at = Some(now);
            }
            _ => {}
        }
        if status == "failed" {
            job.failure.get_or_insert("script_failure");
        }
        let (pipeline, is_build) = (job.pipeline, job.is_build());
        if matches!(status, "pending" | "manual" | "running") {
            self.plan_deployment(project, id);
        }
        if is_build {
            self.job_event(project, id);
        }
        self.follow_job(project, id, status);
        Some(pipeline)
    }

    /// Lets everything move whose turn it is.
    pub(super) fn proceed(&mut self, project: u64, pipeline: u64) {
        loop {
            let due = self.due(project, pipeline);
            if due.is_empty() {
                break;
            }
            for (job, status) in due {
                self.set_job(project, job, status);
                if status == "pending" {
                    self.start_child(project, job);
                }
            }
        }
        self.reckon(project, pipeline);
    }

    /// The jobs whose stage has been reached or will not be, and what becomes of them.
    fn due(&self, project: u64, pipeline: u64) -> Vec<(u64, &'static str)> {
        let Some(found) = self.projects.get(&project) else {
            return Vec::new();
        };
        let latest = || {
            found
                .jobs_of(pipeline)
                .filter(|job| !job.is_retried && !job.is_external())
        };
        let next = |job: &Job| match composite(latest().filter(|one| one.rank < job.rank)) {
            "success" | "skipped" if job.is_manual => Some("manual"),
            "success" | "skipped" => Some("pending"),
            "failed" | "canceled" => Some("skipped"),
            _unfinished => None,
        };
        latest()
            .filter(|job| job.status == "created")
            .filter_map(|job| Some((job.id, next(job)?)))
            .collect()
    }

    /// A bridge that is reached starts its child pipeline.
    fn start_child(&mut self, project: u64, bridge: u64) {
        let found = self.projects.get(&project);
        let Some(job) = found.and_then(|found| found.jobs.get(&bridge)) else {
            return;
        };
        let Kind::Bridge { plan, .. } = &job.kind else {
            return;
        };
        let parent = found.and_then(|found| found.pipelines.get(&job.pipeline));
        let Some(parent) = parent else {
            return;
        };
        let start = Start {
            sha: parent.sha.clone(),
            before: parent.before.clone(),
            reference: parent.reference.clone(),
            is_tag: parent.is_tag,
            source: "parent_pipeline".to_owned(),
            user: parent.user,
            parent: Some(bridge),
            ..Start::default()
        };
        let plan = plan.clone();
        let started = self.start(project, start, &plan);
        let found = self.projects.get_mut(&project);
        if let Some(Kind::Bridge { child, .. }) = found
            .and_then(|found| found.jobs.get_mut(&bridge))
            .map(|job| &mut job.kind)
        {
            *child = started;
        }
    }

    /// Reckons a pipeline's status, and tells of it where it is another one.
    fn reckon(&mut self, project: u64, id: u64) {
        let now = self.now();
        let Some(found) = self.projects.get_mut(&project) else {
            return;
        };
        let status = composite(found.jobs_of(id).filter(|job| !job.is_retried));
        let Some(pipeline) = found.pipelines.get_mut(&id) else {
            return;
        };
        if pipeline.status == status {
            return;
        }
        pipeline.status = status;
        pipeline.moved_at = now;
        match status {
            "running" => {
                pipeline.started_at.get_or_insert(now);
                pipeline.finished_at = None;
            }
            "success" | "failed" | "canceled" => pipeline.finished_at = Some(now),
            _ => {}
        }
        let parent = pipeline.parent;
        self.pipeline_event(project, id);
        if let Some(bridge) = parent
            && let Some(status) = super::jobs::status(status)
            && status != "created"
        {
            self.move_job(project, bridge, status);
        }
    }

    /// A person starts a job that waits for them.
    pub(super) fn play(
        &mut self,
        project: u64,
        id: u64,
        by: u64,
        variables: Vec<(String, String)>,
    ) -> Result<(), Refusal> {
        let found = self.projects.get(&project).ok_or(Refusal::CanNot)?;
        let job = found.jobs.get(&id).ok_or(Refusal::CanNot)?;
        if !self.may_start(found, job, by) {
            return Err(Refusal::MayNot);
        }
        if job.status != "manual" || self.waits_for_approval(found, job) {
            return Err(Refusal::CanNot);
        }
        let found = self.projects.get_mut(&project);
        if let Some(job) = found.and_then(|found| found.jobs.get_mut(&id)) {
            job.user = by;
            job.variables = variables;
        }
        self.move_job(project, id, "pending");
        Ok(())
    }

    /// A person runs a job again: another job in its place, whose number comes back.
    pub(super) fn run_again(&mut self, project: u64, id: u64, by: u64) -> Result<u64, Refusal> {
        let (again, now) = (self.next_id(), self.now());
        let found = self.projects.get(&project).ok_or(Refusal::CanNot)?;
        let job = found.jobs.get(&id).ok_or(Refusal::CanNot)?;
        if !self.may_start(found, job, by) {
            return Err(Refusal::MayNot);
        }
        if !job.is_over() || job.status == "skipped" || job.is_retried || !job.is_build() {
            return Err(Refusal::CanNot);
        }
        let job = Job {
            id: again,
            status: "created",
            user: by,
            failure: None,
            made_at: now,
            started_at: None,
            finished_at: None,
            ..job.clone()
        };
        let (pipeline, rank) = (job.pipeline, job.rank);
        let mut to_tell = vec![again];
        if let Some(found) = self.projects.get_mut(&project) {
            found.jobs.insert(again, job);
            for other in found.jobs.values_mut() {
                if other.id == id {
                    other.is_retried = true;
                } else if other.pipeline == pipeline
                    && other.rank > rank
                    && other.status == "skipped"
                    && !other.is_retried
                {
                    other.status = "created";
                    to_tell.push(other.id);
                }
            }
        }
        for job in to_tell {
            self.job_event(project, job);
        }
        // What has to be approved before it is deployed has to be approved each time.
        let status = if self.needs_approval(project, again) {
            "manual"
        } else {
            "pending"
        };
        self.move_job(project, again, status);
        Ok(again)
    }

    fn needs_approval(&self, project: u64, job: u64) -> bool {
        let found = self.projects.get(&project);
        let environment = found.and_then(|found| found.jobs.get(&job)?.environment.as_deref());
        let protection = found
            .zip(environment)
            .and_then(|(found, environment)| self.protection(found, environment));
        protection.is_some_and(|protection| protection.approvals > 0)
    }

    pub(super) fn cancel(&mut self, project: u64, pipeline: u64) {
        let Some(found) = self.projects.get(&project) else {
            return;
        };
        let open = found
            .jobs_of(pipeline)
            .filter(|job| matches!(job.status, "created" | "pending" | "running"));
        for job in open.map(|job| job.id).collect::<Vec<_>>() {
            self.set_job(project, job, "canceled");
        }
        self.reckon(project, pipeline);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn a_pipeline_is_what_its_jobs_amount_to() {
        for (jobs, expect) in [
            (vec![], "skipped"),
            (vec![("success", false), ("manual", true)], "success"),
            (vec![("success", false), ("manual", false)], "manual"),
            (vec![("success", false), ("created", false)], "running"),
            (vec![("created", false), ("created", false)], "created"),
            (vec![("pending", false), ("created", false)], "pending"),
            (vec![("success", false), ("pending", false)], "running"),
            (vec![("failed", true), ("success", false)], "success"),
            (vec![("failed", false), ("skipped", false)], "failed"),
            (vec![("canceled", false), ("success", false)], "canceled"),
        ] {
            let jobs: Vec<Job> = jobs
                .iter()
                .map(|(status, may_fail)| job(status, *may_fail))
                .collect();
            assert_eq!(composite(jobs.iter()), expect, "{jobs:?}");
        }
    }

    fn job(status: &str, may_fail: bool) -> Job {
        Job {
            id: 1,
            pipeline: 1,
            name: String::new(),
            stage: String::new(),
            rank: 0,
            status: super::super::jobs::status(status).unwrap(),
            kind: Kind::Build,
            is_manual: false,
            may_fail,
            environment: None,
            user: 1,
            is_retried: false,
            failure: None,
            variables: Vec::new(),
            made_at: Timestamp::UNIX_EPOCH,
            started_at: None,
            finished_at: None,
        }
    }
}
