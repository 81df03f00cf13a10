//! Deployments and their statuses. One is made only where GitHub would make one: not when it merges
//! first, and not when a status is in the way.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::NewCommit;
use super::actions::Start;
use super::call::{Answer, Call, Outcome};
use super::repositories::Repository;
use super::world::{Need, World, node, stamp};
use crate::history;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Deployment {
    id: u64,
    sha: String,
    reference: String,
    task: String,
    payload: Value,
    pub(super) environment: String,
    description: Option<String>,
    creator: u64,
    is_production: bool,
    is_transient: bool,
    at: Timestamp,
    statuses: Vec<Stage>,
}

/// One status of a deployment.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stage {
    id: u64,
    state: String,
    description: String,
    log_url: String,
    environment_url: String,
    creator: u64,
    at: Timestamp,
}

/// A deployment that is about to be made.
pub(super) struct NewDeployment {
    pub(super) sha: String,
    pub(super) reference: String,
    pub(super) task: String,
    pub(super) payload: Value,
    pub(super) environment: String,
    pub(super) description: Option<String>,
    pub(super) is_production: bool,
    pub(super) is_transient: bool,
}

const STATES: [&str; 7] = [
    "error",
    "failure",
    "inactive",
    "in_progress",
    "queued",
    "pending",
    "success",
];

impl World {
    pub(super) fn deployment_json(
        &self,
        repository: &Repository,
        deployment: &Deployment,
    ) -> Value {
        let api = self.api_url(repository);
        let url = format!("{api}/deployments/{}", deployment.id);
        let moved_at = deployment
            .statuses
            .last()
            .map_or(deployment.at, |stage| stage.at);
        json!({
            "url": url,
            "id": deployment.id,
            "node_id": node("DE", deployment.id),
            "sha": deployment.sha,
            "ref": deployment.reference,
            "task": deployment.task,
            "payload": deployment.payload,
            "original_environment": deployment.environment,
            "environment": deployment.environment,
            "description": deployment.description,
            "creator": self.user_json(deployment.creator),
            "created_at": stamp(deployment.at),
            "updated_at": stamp(moved_at),
            "statuses_url": format!("{url}/statuses"),
            "repository_url": api,
            "transient_environment": deployment.is_transient,
            "production_environment": deployment.is_production,
            "performed_via_github_app": null,
        })
    }

    fn stage_json(&self, repository: &Repository, deployment: &Deployment, stage: &Stage) -> Value {
        let api = self.api_url(repository);
        let url = format!("{api}/deployments/{}", deployment.id);
        json!({
            "url": format!("{url}/statuses/{}", stage.id),
            "id": stage.id,
            "node_id": node("DES", stage.id),
            "state": stage.state,
            "creator": self.user_json(stage.creator),
            "description": stage.description,
            "environment": deployment.environment,
            "target_url": stage.log_url,
            "created_at": stamp(stage.at),
            "updated_at": stamp(stage.at),
            "deployment_url": url,
            "repository_url": api,
            "environment_url": stage.environment_url,
            "log_url": stage.log_url,
            "performed_via_github_app": null,
        })
    }

    /// Records a deployment, tells about it, and starts the workflows that wait for one.
    pub(super) fn deploy(&mut self, repository: u64, new: NewDeployment, by: u64) -> u64 {
        let (id, now) = (self.next_id(), self.now());
        let deployment = Deployment {
            id,
            sha: new.sha,
            reference: new.reference,
            task: new.task,
            payload: new.payload,
            environment: new.environment,
            description: new.description,
            creator: by,
            is_production: new.is_production,
            is_transient: new.is_transient,
            at: now,
            statuses: Vec::new(),
        };
        let Some(found) = self.repositories.get_mut(&repository) else {
            return id;
        };
        let branch = found.branches.contains_key(&deployment.reference);
        let start = Start {
            event: "deployment",
            branch: branch.then(|| deployment.reference.clone()),
            sha: deployment.sha.clone(),
            actor: by,
            context: json!({ "github": { "event": { "deployment": {
                "id": id, "environment": deployment.environment, "payload": deployment.payload,
                "task": deployment.task, "ref": deployment.reference, "sha": deployment.sha,
            } } } }),
        };
        found.deployments.insert(id, deployment.clone());
        let Some(found) = self.repositories.get(&repository) else {
            return id;
        };
        let payload = json!({
            "action": "created",
            "deployment": self.deployment_json(found, &deployment),
            "workflow": null,
            "workflow_run": null,
        });
        self.tell("deployment", repository, by, payload);
        self.start_runs(repository, &start, None);
        id
    }

    /// `POST /repos/{owner}/{repo}/deployments`
    pub(super) fn post_deployment(&mut self, call: &Call, owner: &str, name: &str) -> Outcome {
        let repository = self.reach(call, owner, name, Need::Write("deployments"))?;
        let reference = call.required("ref")?;
        let commit = self.resolve(repository, reference);
        let commit =
            commit.ok_or_else(|| Answer::invalid(&format!("No ref found for: {reference}")))?;
        let sha = commit.sha.clone();
        let (number, by) = (repository.id, self.actor(&call.identity));
        if call.flag("auto_merge") != Some(false) {
            let default = &repository.default_branch;
            let head = repository
                .branches
                .get(default)
                .cloned()
                .unwrap_or_default();
            if !history::ancestors(&self.commits, &sha).contains(head.as_str()) {
                let text = format!("Auto-merged {default} into {reference} on deployment.");
                let new = NewCommit {
                    message: text.clone(),
                    ..NewCommit::default()
                };
                let is_branch = repository.branches.contains_key(reference);
                if is_branch {
                    let merged = self.commit_on(number, vec![sha, head], &new);
                    self.point(number, reference, &merged);
                }
                return Ok(Answer::new(202, json!({ "message": text })));
            }
        }
        let unready = World::unready(repository, &sha);
        let asked = call.body.get("required_contexts").and_then(Value::as_array);
        let in_the_way: Vec<String> = match asked {
            None => unready,
            Some(contexts) => {
                let said = |context: &str| {
                    repository.has_status(&sha, context)
                        && !unready.iter().any(|one| one == context)
                };
                let named = contexts.iter().filter_map(Value::as_str);
                named
                    .filter(|context| !said(context))
                    .map(str::to_owned)
                    .collect()
            }
        };
        if !in_the_way.is_empty() {
            let text = format!("Conflict: Commit status checks failed for {reference}.");
            return Err(Answer::message(409, &text));
        }
        let environment = call.text("environment").unwrap_or("production").to_owned();
        let new = NewDeployment {
            sha,
            reference: reference.to_owned(),
            task: call.text("task").unwrap_or("deploy").to_owned(),
            payload: call
                .body
                .get("payload")
                .cloned()
                .unwrap_or_else(|| json!({})),
            is_production: call
                .flag("production_environment")
                .unwrap_or(environment == "production"),
            environment,
            description: call.text("description").map(str::to_owned),
            is_transient: call.flag("transient_environment").unwrap_or(false),
        };
        let id = self.deploy(number, new, by);
        let found = self
            .repositories
            .get(&number)
            .ok_or_else(Answer::not_found)?;
        let made = found.deployments.get(&id).ok_or_else(Answer::not_found)?;
        Answer::created(self.deployment_json(found, made))
    }

    /// `GET /repos/{owner}/{repo}/deployments`, newest first.
    pub(super) fn list_deployments(&self, call: &Call, owner: &str, name: &str) -> Outcome {
        let repository = self.reach(call, owner, name, Need::Read("deployments"))?;
        let fits = |asked: &str, value: &str| {
            call.asked(asked)
                .is_none_or(|wanted| wanted == "none" || wanted == value)
        };
        let wanted = repository.deployments.values().rev().filter(|deployment| {
            fits("sha", &deployment.sha)
                && fits("ref", &deployment.reference)
                && fits("task", &deployment.task)
                && fits("environment", &deployment.environment)
        });
        call.list(wanted.collect(), |deployment| {
            self.deployment_json(repository, deployment)
        })
    }

    /// `GET /repos/{owner}/{repo}/deployments/{id}`
    pub(super) fn get_deployment(&self, call: &Call, owner: &str, name: &str, id: &str) -> Outcome {
        let repository = self.reach(call, owner, name, Need::Read("deployments"))?;
        Answer::ok(self.deployment_json(repository, repository.deployment(id)?))
    }

    /// `GET /repos/{owner}/{repo}/deployments/{id}/statuses`, newest first.
    pub(super) fn list_stages(&self, call: &Call, owner: &str, name: &str, id: &str) -> Outcome {
        let repository = self.reach(call, owner, name, Need::Read("deployments"))?;
        let deployment = repository.deployment(id)?;
        let stages: Vec<&Stage> = deployment.statuses.iter().rev().collect();
        call.list(stages, |stage| {
            self.stage_json(repository, deployment, stage)
        })
    }

    /// `POST /repos/{owner}/{repo}/deployments/{id}/statuses`
    pub(super) fn post_stage(&mut self, call: &Call, owner: &str, name: &str, id: &str) -> Outcome {
        let repository = self.reach(call, owner, name, Need::Write("deployments"))?;
        let deployment = repository.deployment(id)?;
        let state = call.required("state")?;
        if !STATES.contains(&state)
            || call
                .text("description")
                .is_some_and(|text| text.chars().count() > 140)
        {
            return Err(Answer::invalid("Validation Failed"));
        }
        let (number, id) = (repository.id, deployment.id);
        let by = self.actor(&call.identity);
        let mut stage = self.new_stage(state, by);
        call.text("description")
            .unwrap_or_default()
            .clone_into(&mut stage.description);
        let log_url = call.text("log_url").or_else(|| call.text("target_url"));
        log_url.unwrap_or_default().clone_into(&mut stage.log_url);
        call.text("environment_url")
            .unwrap_or_default()
            .clone_into(&mut stage.environment_url);
        if let Some(environment) = call.text("environment") {
            let found = self.repositories.get_mut(&number);
            if let Some(deployment) = found.and_then(|found| found.deployments.get_mut(&id)) {
                environment.clone_into(&mut deployment.environment);
            }
        }
        let deactivates = call.flag("auto_inactive").unwrap_or(true);
        let shown = self.reach_stage(number, id, &stage, deactivates);
        Answer::created(shown.ok_or_else(Answer::not_found)?)
    }

    fn new_stage(&mut self, state: &str, creator: u64) -> Stage {
        Stage {
            id: self.next_id(),
            state: state.to_owned(),
            description: String::new(),
            log_url: String::new(),
            environment_url: String::new(),
            creator,
            at: self.now(),
        }
    }

    /// A person outside says how a deployment goes.
    pub(super) fn advance(
        &mut self,
        repository: u64,
        deployment: u64,
        state: &str,
        by: u64,
    ) -> Option<Value> {
        let stage = self.new_stage(state, by);
        self.reach_stage(repository, deployment, &stage, true)
    }

    fn reach_stage(
        &mut self,
        repository: u64,
        id: u64,
        stage: &Stage,
        deactivates: bool,
    ) -> Option<Value> {
        let found = self.repositories.get_mut(&repository)?;
        let deployment = found.deployments.get_mut(&id)?;
        deployment.statuses.push(stage.clone());
        let environment = deployment.environment.clone();
        if deactivates && stage.state == "success" {
            self.deactivate_others(repository, id, &environment);
        }
        let found = self.repositories.get(&repository)?;
        let deployment = found.deployments.get(&id)?;
        let shown = self.stage_json(found, deployment, stage);
        let payload = json!({
            "action": "created",
            "deployment_status": shown,
            "deployment": self.deployment_json(found, deployment),
            "check_run": null,
            "workflow": null,
            "workflow_run": null,
        });
        self.tell("deployment_status", repository, stage.creator, payload);
        Some(shown)
    }

    /// Earlier successes in this environment end, except in production and in passing ones.
    fn deactivate_others(&mut self, repository: u64, id: u64, environment: &str) {
        let (fresh, now) = (self.next_id(), self.now());
        let Some(found) = self.repositories.get_mut(&repository) else {
            return;
        };
        let others = found.deployments.values_mut().filter(|other| {
            other.id != id
                && other.environment == environment
                && !other.is_transient
                && !other.is_production
        });
        for other in others {
            let Some(last) = other.statuses.last().filter(|last| last.state == "success") else {
                continue;
            };
            let mut stage = last.clone();
            stage.id = fresh;
            stage.at = now;
            "inactive".clone_into(&mut stage.state);
            other.statuses.push(stage);
        }
    }
}

impl Repository {
    fn deployment(&self, id: &str) -> Result<&Deployment, Answer> {
        let found = id.parse().ok().and_then(|id| self.deployments.get(&id));
        found.ok_or_else(Answer::not_found)
    }
}
