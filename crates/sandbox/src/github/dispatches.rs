//! Dispatches: our calls by which a workflow starts, or passes a gate.

use serde_json::{Value, json};

use super::actions::{Start, Workflow};
use super::call::{Answer, Call, Identity, Outcome};
use super::world::{Need, World};
use crate::history;

impl World {
    /// `POST /repos/{owner}/{repo}/actions/workflows/{file}/dispatches`
    pub(super) fn dispatch_workflow(
        &mut self,
        call: &Call,
        owner: &str,
        name: &str,
        file: &str,
    ) -> Outcome {
        let repository = self.reach(call, owner, name, Need::Write("actions"))?;
        let named = |one: &&Workflow| one.file == file || one.id.to_string() == file;
        let workflow = repository
            .workflows
            .iter()
            .find(named)
            .ok_or_else(Answer::not_found)?;
        let text = call.required("ref")?;
        let sha = history::named(&repository.tags, &repository.branches, text);
        let branch = text
            .strip_prefix("refs/heads/")
            .or_else(|| text.strip_prefix("refs/tags/"))
            .unwrap_or(text);
        let sha = sha.ok_or_else(|| Answer::invalid(&format!("No ref found for: {text}")))?;
        if !workflow.on.iter().any(|event| event == "workflow_dispatch") {
            return Err(Answer::invalid(
                "Workflow does not have 'workflow_dispatch' trigger",
            ));
        }
        let inputs = call
            .body
            .get("inputs")
            .cloned()
            .unwrap_or_else(|| json!({}));
        let given: Vec<&String> = inputs
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key)
            .collect();
        let most = if self.is_enterprise_server { 10 } else { 25 };
        if given.len() > most {
            return Err(Answer::invalid(&format!(
                "inputs may have at most {most} properties"
            )));
        }
        if let Some(declared) = &workflow.inputs {
            let unexpected: Vec<_> = given
                .iter()
                .filter(|name| !declared.contains(name))
                .collect();
            if !unexpected.is_empty() {
                return Err(Answer::invalid(&format!(
                    "Unexpected inputs provided: {unexpected:?}"
                )));
            }
        }
        let details = call.body.get("return_run_details");
        if self.is_enterprise_server && details.is_some() {
            return Err(Answer::invalid(
                "Invalid request.\n\n\"return_run_details\" is not a permitted key.",
            ));
        }
        let wants_details = details.and_then(Value::as_bool).unwrap_or(false);
        let (repository, workflow) = (repository.id, workflow.clone());
        let start = Start {
            event: "workflow_dispatch",
            branch: Some(branch.to_owned()),
            sha: sha.clone(),
            actor: self.actor(&call.identity),
            context: json!({ "inputs": inputs, "github": { "event": { "inputs": inputs } } }),
        };
        let payload = json!({
            "inputs": inputs, "ref": format!("refs/heads/{branch}"), "workflow": workflow.path(),
        });
        self.tell("workflow_dispatch", repository, start.actor, payload);
        let run = self.start_run(repository, &workflow, &start);
        if !wants_details {
            return Answer::nothing();
        }
        let found = self
            .repositories
            .get(&repository)
            .ok_or_else(Answer::not_found)?;
        Answer::ok(json!({
            "workflow_run_id": run,
            "run_url": format!("{}/actions/runs/{run}", self.api_url(found)),
            "html_url": format!("https://github.com/{}/actions/runs/{run}", found.full_name),
        }))
    }

    /// `POST /repos/{owner}/{repo}/dispatches`: always on the default branch, and no word of a run.
    pub(super) fn dispatch_repository(&mut self, call: &Call, owner: &str, name: &str) -> Outcome {
        let repository = self.reach(call, owner, name, Need::Write("contents"))?;
        let kind = call.required("event_type")?;
        let payload = call
            .body
            .get("client_payload")
            .cloned()
            .unwrap_or_else(|| json!({}));
        let keys = payload
            .as_object()
            .ok_or_else(|| Answer::invalid("Validation Failed"))?;
        if kind.len() > 100 || keys.len() > 10 || payload.to_string().len() >= 65_536 {
            return Err(Answer::invalid("Validation Failed"));
        }
        let branch = repository.default_branch.clone();
        let sha = repository
            .branches
            .get(&branch)
            .cloned()
            .unwrap_or_default();
        let repository = repository.id;
        let event = json!({ "action": kind, "branch": branch, "client_payload": payload });
        let start = Start {
            event: "repository_dispatch",
            branch: Some(branch),
            sha,
            actor: self.actor(&call.identity),
            context: json!({ "github": { "event": event } }),
        };
        self.tell("repository_dispatch", repository, start.actor, event);
        self.start_runs(repository, &start, None);
        Answer::nothing()
    }

    /// `POST /repos/{owner}/{repo}/actions/runs/{id}/deployment_protection_rule`
    pub(super) fn answer_rule(
        &mut self,
        call: &Call,
        owner: &str,
        name: &str,
        id: &str,
    ) -> Outcome {
        const MOST_REPORTS: usize = 10;
        let repository = self.reach(call, owner, name, Need::Write("deployments"))?;
        if !matches!(call.identity, Identity::Installation(_)) {
            return Err(Answer::inaccessible());
        }
        let run = id.parse().ok().and_then(|id| repository.runs.get(&id));
        let run = run.ok_or_else(Answer::not_found)?;
        let environment = call.required("environment_name")?.to_owned();
        let reports = run.waits_for.get(&environment).copied();
        let Some(reports) = reports.filter(|_| run.status == "waiting") else {
            return Err(Answer::invalid(
                "The run is not waiting for this environment.",
            ));
        };
        let id = run.id;
        match call.text("state") {
            Some("approved") => self.move_run(id, "in_progress", |run, _| {
                run.waits_for.remove(&environment);
                if run.waits_for.is_empty() {
                    "in_progress".clone_into(&mut run.status);
                }
            }),
            Some("rejected") => self.move_run(id, "completed", |run, _| {
                run.waits_for.clear();
                "completed".clone_into(&mut run.status);
                run.conclusion = Some("failure".to_owned());
            }),
            None if reports < MOST_REPORTS && call.text("comment").is_some() => {
                self.move_run(id, "", |run, _| {
                    run.waits_for.insert(environment, reports + 1);
                });
            }
            Some(_) | None => return Err(Answer::invalid("Validation Failed")),
        }
        Answer::nothing()
    }

    pub(super) fn ask_rule(
        &mut self,
        repository: u64,
        run: u64,
        environment: &str,
        deployment: u64,
    ) {
        let Some(found) = self.repositories.get(&repository) else {
            return;
        };
        let (Some(waiting), Some(deployment)) =
            (found.runs.get(&run), found.deployments.get(&deployment))
        else {
            return;
        };
        let url = format!(
            "{}/actions/runs/{run}/deployment_protection_rule",
            self.api_url(found)
        );
        let pulls = found
            .pulls
            .values()
            .filter(|pull| pull.head_sha == waiting.sha);
        let payload = json!({
            "action": "requested",
            "environment": environment,
            "event": waiting.event,
            "deployment_callback_url": url,
            "deployment": self.deployment_json(found, deployment),
            "pull_requests": pulls.map(|pull| self.whole_pull_json(found, pull)).collect::<Vec<_>>(),
        });
        let by = waiting.actor;
        self.tell("deployment_protection_rule", repository, by, payload);
    }
}
