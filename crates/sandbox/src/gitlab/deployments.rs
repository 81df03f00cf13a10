//! Deployments: made when the turn of a job comes that deploys, or by a tool from outside. They keep step with
//! their job.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::approvals::Approval;
use super::call::{Answer, Call, Content, Outcome};
use super::projects::Project;
use super::world::{DEVELOPER, Need, World, merge, stamp};

#[derive(Clone, Debug)]
pub(super) struct Deployment {
    pub(super) id: u64,
    iid: u64,
    pub(super) environment: u64,
    pub(super) sha: String,
    pub(super) reference: String,
    pub(super) status: &'static str,
    /// The person who began the pipeline; who starts the job changes nothing about that.
    pub(super) user: u64,
    pub(super) job: Option<u64>,
    pub(super) approvals: Vec<Approval>,
    made_at: Timestamp,
    pub(super) moved_at: Timestamp,
    finished_at: Option<Timestamp>,
}

/// What is to be deployed.
pub(super) struct NewDeployment {
    pub(super) environment: String,
    pub(super) sha: String,
    pub(super) reference: String,
    pub(super) user: u64,
    pub(super) job: Option<u64>,
}

/// What a tool may say about its own deployment.
const SAYABLE: [&str; 4] = ["running", "success", "failed", "canceled"];

impl World {
    pub(super) fn new_deployment(&mut self, project: u64, new: NewDeployment) -> u64 {
        let environment = self.environment(project, &new.environment);
        let (id, now) = (self.next_id(), self.now());
        let Some(found) = self.projects.get_mut(&project) else {
            return 0;
        };
        let last = found.deployments.values().map(|one| one.iid).max();
        let deployment = Deployment {
            id,
            iid: last.unwrap_or(0) + 1,
            environment,
            sha: new.sha,
            reference: new.reference,
            status: "created",
            user: new.user,
            job: new.job,
            approvals: Vec::new(),
            made_at: now,
            moved_at: now,
            finished_at: None,
        };
        found.deployments.insert(id, deployment);
        id
    }

    /// The deployment of a job whose turn has come, if it deploys.
    pub(super) fn plan_deployment(&mut self, project: u64, job: u64) {
        let Some(found) = self.projects.get(&project) else {
            return;
        };
        let has_one = found.deployments.values().any(|one| one.job == Some(job));
        let Some(planned) = found.jobs.get(&job).filter(|_| !has_one) else {
            return;
        };
        let pipeline = found.pipelines.get(&planned.pipeline);
        let Some((environment, pipeline)) = planned.environment.clone().zip(pipeline) else {
            return;
        };
        let new = NewDeployment {
            environment,
            sha: pipeline.sha.clone(),
            reference: pipeline.reference.clone(),
            user: planned.user,
            job: Some(job),
        };
        self.new_deployment(project, new);
    }

    /// A deployment follows its job. One that waits to be played is blocked, approvals or not.
    pub(super) fn follow_job(&mut self, project: u64, job: u64, status: &'static str) {
        let found = self.projects.get(&project);
        let deployment = found
            .and_then(|found| found.deployments.values().find(|one| one.job == Some(job)))
            .map(|one| one.id);
        let status = match status {
            "manual" => "blocked",
            // It stays blocked until a runner takes the job.
            "pending" => return,
            other => other,
        };
        if let Some(deployment) = deployment {
            self.move_deployment(project, deployment, status);
        }
    }

    /// Webhooks tell when it runs and when it is over, not that it waits.
    pub(super) fn move_deployment(&mut self, project: u64, id: u64, status: &'static str) {
        let now = self.now();
        let found = self.projects.get_mut(&project);
        let Some(deployment) = found.and_then(|found| found.deployments.get_mut(&id)) else {
            return;
        };
        if deployment.status == status {
            return;
        }
        deployment.status = status;
        deployment.moved_at = now;
        let is_over = matches!(status, "success" | "failed" | "canceled");
        if is_over {
            deployment.finished_at = Some(now);
        }
        if is_over || status == "running" {
            self.deployment_event(project, id);
        }
    }

    /// The word for a deployment, as a tool may say it.
    pub(super) fn sayable(status: &str) -> Option<&'static str> {
        SAYABLE.into_iter().find(|known| *known == status)
    }

    pub(super) fn deployment_json(&self, project: &Project, one: &Deployment) -> Value {
        let environment = project.environments.get(&one.environment);
        let job = one.job.and_then(|job| project.jobs.get(&job));
        json!({
            "id": one.id,
            "iid": one.iid,
            "ref": one.reference,
            "sha": one.sha,
            "created_at": stamp(one.made_at),
            "updated_at": stamp(one.moved_at),
            "status": one.status,
            "user": self.person_json(one.user),
            "environment": environment.map(|found| self.environment_basic(found)),
            "deployable": job.map(|job| self.job_json(project, job)),
        })
    }

    fn extended(&self, project: &Project, one: &Deployment) -> Value {
        let mut shown = self.deployment_json(project, one);
        if self.is_premium {
            merge(&mut shown, self.approvals_json(project, one));
        }
        shown
    }

    pub(super) fn find_deployment<'p>(
        project: &'p Project,
        id: &str,
    ) -> Result<&'p Deployment, Answer> {
        let wrong = || Answer::error(400, "deployment_id is invalid");
        let id = id.parse().map_err(|_| wrong())?;
        let found = project.deployments.get(&id);
        found.ok_or_else(|| Answer::not_found("Deployment"))
    }

    /// `GET /projects/:id/deployments`
    pub(super) fn list_deployments(&self, call: &Call, project: &Project) -> Outcome {
        let time = |name: &str| -> Option<Timestamp> { call.asked(name)?.parse().ok() };
        let (after, before) = (time("updated_after"), time("updated_before"));
        let order = call.asked("order_by").unwrap_or("id");
        if (after.is_some() || before.is_some()) && order != "updated_at" {
            let text = "`updated_at` filter requires `updated_at` sort";
            return Err(Answer::message(400, text));
        }
        let name = |one: &Deployment| {
            let found = project.environments.get(&one.environment);
            found.map_or("", |found| found.name.as_str())
        };
        let wanted = |one: &&Deployment| {
            let there = call
                .asked("environment")
                .is_none_or(|asked| name(one) == asked);
            let so = call.asked("status").is_none_or(|asked| one.status == asked);
            there
                && so
                && after.is_none_or(|after| one.moved_at >= after)
                && before.is_none_or(|before| one.moved_at <= before)
        };
        let mut found: Vec<&Deployment> = project.deployments.values().filter(wanted).collect();
        match order {
            "updated_at" => found.sort_by_key(|one| (one.moved_at, one.id)),
            "created_at" => found.sort_by_key(|one| (one.made_at, one.id)),
            "finished_at" => found.sort_by_key(|one| (one.finished_at, one.id)),
            _ => {}
        }
        if call.asked("sort") == Some("desc") {
            found.reverse();
        }
        call.list(found, |one| self.deployment_json(project, one))
    }

    /// `GET /projects/:id/deployments/:deployment_id`
    pub(super) fn get_deployment(&self, project: &Project, id: &str) -> Outcome {
        let found = Self::find_deployment(project, id)?;
        Answer::ok(self.extended(project, found))
    }

    fn show_deployment(&self, project: u64, id: u64, status: u16) -> Outcome {
        let project = self.projects.get(&project).ok_or_else(Answer::nowhere)?;
        let one = project.deployments.get(&id).ok_or_else(Answer::nowhere)?;
        let shown = Content::Json(self.extended(project, one));
        Ok(Answer::new(status, shown))
    }

    /// `POST /projects/:id/deployments`
    pub(super) fn post_deployment(&mut self, call: &Call, project: &str) -> Outcome {
        let found = self.reach(call, project, Need::Level(DEVELOPER))?;
        let environment = call.required("environment")?;
        let (sha, reference) = (call.required("sha")?, call.required("ref")?);
        if call.flag("tag").is_none() {
            return Err(Answer::error(400, "tag is missing"));
        }
        let status = call.one_of("status", &SAYABLE)?;
        if !self.may_deploy(found, environment, call.who.unwrap_or(0)) {
            return Err(Answer::forbidden());
        }
        if self.resolve(found, sha).is_none() {
            return Err(Answer::message(400, "The commit does not exist"));
        }
        if self.resolve(found, reference).is_none() {
            return Err(Answer::message(400, "The branch or tag does not exist"));
        }
        let status = Self::sayable(status).unwrap_or("running");
        let project = found.id;
        let new = NewDeployment {
            environment: environment.to_owned(),
            sha: sha.to_owned(),
            reference: reference.to_owned(),
            user: call.who.unwrap_or(0),
            job: None,
        };
        let id = self.new_deployment(project, new);
        self.move_deployment(project, id, status);
        self.show_deployment(project, id, 201)
    }

    /// `PUT /projects/:id/deployments/:deployment_id`
    pub(super) fn put_deployment(&mut self, call: &Call, project: &str, id: &str) -> Outcome {
        let found = self.reach(call, project, Need::Level(DEVELOPER))?;
        let one = Self::find_deployment(found, id)?;
        if one.job.is_some() {
            // What a job carries out, the job alone moves.
            return Err(Answer::forbidden());
        }
        let status = call.one_of("status", &SAYABLE)?;
        let status = Self::sayable(status).unwrap_or("running");
        if one.status == status {
            let text = format!("Cannot transition status via :{status} from :{status}");
            return Err(Answer::message(400, &text));
        }
        let (project, id) = (found.id, one.id);
        self.move_deployment(project, id, status);
        self.show_deployment(project, id, 200)
    }
}
