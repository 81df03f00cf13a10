//! Approvals of deployments to protected environments. They start nothing: they only let a person start the job.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::{Answer, Call, Outcome};
use super::deployments::Deployment;
use super::jobs::Job;
use super::projects::Project;
use super::world::{Need, World, merge, stamp};
use super::{GitLab, lock};

#[derive(Clone, Debug)]
pub(super) struct Approval {
    pub(super) user: u64,
    pub(super) is_rejection: bool,
    comment: Option<String>,
    made_at: Timestamp,
}

impl GitLab {
    /// A person approves a deployment, or rejects it; why they may not.
    pub async fn approve(&self, person: &str, deployment: u64, status: &str) -> Result<(), String> {
        let mut world = lock(&self.world);
        let (person, is_rejection) = (world.person(person), status == "rejected");
        let project = world.project_with_deployment(deployment);
        let project = project.ok_or("There is no such deployment.")?;
        world.approve(project, deployment, (person, is_rejection), None)
    }
}

impl World {
    pub(super) fn project_with_deployment(&self, deployment: u64) -> Option<u64> {
        self.projects
            .values()
            .find(|project| project.deployments.contains_key(&deployment))
            .map(|project| project.id)
    }

    fn environment_of<'p>(project: &'p Project, one: &Deployment) -> &'p str {
        let found = project.environments.get(&one.environment);
        found.map_or("", |found| found.name.as_str())
    }

    /// How many more must say yes.
    fn pending_approvals(&self, project: &Project, one: &Deployment) -> u64 {
        let needed = self
            .protection(project, Self::environment_of(project, one))
            .map_or(0, |protection| protection.approvals);
        let given = one.approvals.iter().filter(|given| !given.is_rejection);
        needed.saturating_sub(given.count() as u64)
    }

    /// Whether a job waits for approvals still.
    pub(super) fn waits_for_approval(&self, project: &Project, job: &Job) -> bool {
        let mut deployments = project.deployments.values();
        deployments
            .find(|one| one.job == Some(job.id) && one.status == "blocked")
            .is_some_and(|one| self.pending_approvals(project, one) > 0)
    }

    fn objection(&self, project: &Project, one: &Deployment, person: u64) -> Option<&'static str> {
        let environment = Self::environment_of(project, one);
        let Some(protection) = self.protection(project, environment) else {
            return Some("This environment is not protected.");
        };
        if one.user == person && !project.triggerer_may_approve {
            return Some(
                "You cannot approve your own deployment. This configuration can be adjusted in the protected environment settings.",
            );
        }
        if protection.approvals == 0 {
            return Some("Deployment approvals is not configured for this environment.");
        }
        if one.status != "blocked" {
            return Some("This deployment is not waiting for approvals.");
        }
        if !self.may_deploy(project, environment, person) {
            return Some(
                "You don't have permission to approve this deployment. Contact the project or group owner for help.",
            );
        }
        None
    }

    /// Writes down what one person says, once; a rejection ends the job.
    pub(super) fn approve(
        &mut self,
        project: u64,
        deployment: u64,
        (user, is_rejection): (u64, bool),
        comment: Option<String>,
    ) -> Result<(), String> {
        let now = self.now();
        let found = self.projects.get(&project);
        let found = found.ok_or("There is no such project.")?;
        let one = found.deployments.get(&deployment);
        let one = one.ok_or("There is no such deployment.")?;
        let objection = self.objection(found, one, user);
        // The person who began it may still stop it.
        let is_own = is_rejection && one.user == user;
        if let Some(why) = objection.filter(|why| !(is_own && why.starts_with("You cannot"))) {
            return Err(why.to_owned());
        }
        let job = one.job;
        let found = self.projects.get_mut(&project);
        let Some(one) = found.and_then(|found| found.deployments.get_mut(&deployment)) else {
            return Ok(());
        };
        let known = one.approvals.iter_mut().find(|given| given.user == user);
        match known {
            Some(given) => {
                given.is_rejection = is_rejection;
                given.comment = comment;
            }
            None => one.approvals.push(Approval {
                user,
                is_rejection,
                comment,
                made_at: now,
            }),
        }
        one.moved_at = now;
        if let Some(job) = job.filter(|_| is_rejection) {
            let found = self.projects.get_mut(&project);
            if let Some(job) = found.and_then(|found| found.jobs.get_mut(&job)) {
                job.failure = Some("deployment_rejected");
            }
            self.move_job(project, job, "failed");
        }
        Ok(())
    }

    fn approval_json(&self, given: &Approval) -> Value {
        json!({
            "user": self.person_json(given.user),
            "status": if given.is_rejection { "rejected" } else { "approved" },
            "created_at": stamp(given.made_at),
            "comment": given.comment,
        })
    }

    /// What a deployment shows of its approvals.
    pub(super) fn approvals_json(&self, project: &Project, one: &Deployment) -> Value {
        let given = one.approvals.iter();
        let given: Vec<Value> = given.map(|given| self.approval_json(given)).collect();
        let protection = self.protection(project, Self::environment_of(project, one));
        let mut rules = protection.map_or_else(Vec::new, |found| self.rules(found));
        for rule in &mut rules {
            merge(rule, json!({ "deployment_approvals": given }));
        }
        json!({
            "pending_approval_count": self.pending_approvals(project, one),
            "approvals": given,
            "approval_summary": { "rules": rules },
        })
    }

    /// `POST /projects/:id/deployments/:deployment_id/approval`
    pub(super) fn post_approval(&mut self, call: &Call, project: &str, id: &str) -> Outcome {
        let found = self.reach(call, project, Need::Sight)?;
        let who = call.who.ok_or_else(Answer::unauthorized)?;
        if !self.is_premium {
            return Err(Answer::nowhere());
        }
        let status = call.one_of("status", &["approved", "rejected"])?;
        let (project, deployment) = (found.id, Self::find_deployment(found, id)?.id);
        let said = (who, status == "rejected");
        let comment = call.text("comment").map(str::to_owned);
        self.approve(project, deployment, said, comment)
            .map_err(|why| Answer::message(400, &why))?;
        let found = self.projects.get(&project);
        let one = found.and_then(|found| found.deployments.get(&deployment));
        let given = one.and_then(|one| one.approvals.iter().find(|given| given.user == who));
        Answer::created(given.map_or(Value::Null, |given| self.approval_json(given)))
    }
}
