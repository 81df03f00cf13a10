//! Workflows and their runs: what starts one, how it is called, and how it moves.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Answer, Call, Outcome};
use super::repositories::Repository;
use super::world::{Need, World, node, stamp};
use super::{GitHub, lock};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Workflow {
    pub(super) id: u64,
    /// The file's name without its folder.
    pub(super) file: String,
    pub(super) on: Vec<String>,
    /// What it says under `run-name`; its own name where that is not said.
    run_name: Option<String>,
    /// The inputs that it declares; anything goes where that is not said.
    pub(super) inputs: Option<Vec<String>>,
    pub(super) is_off: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) id: u64,
    pub(super) workflow: u64,
    pub(super) number: u64,
    pub(super) attempt: u64,
    pub(super) title: String,
    pub(super) branch: Option<String>,
    pub(super) sha: String,
    pub(super) event: String,
    pub(super) status: String,
    pub(super) conclusion: Option<String>,
    pub(super) actor: u64,
    pub(super) made_at: Timestamp,
    pub(super) started_at: Timestamp,
    pub(super) moved_at: Timestamp,
    /// By environment that waits for a protection rule, the reports so far.
    pub(super) waits_for: BTreeMap<String, usize>,
}

/// Why a run starts.
pub(super) struct Start {
    pub(super) event: &'static str,
    pub(super) branch: Option<String>,
    pub(super) sha: String,
    pub(super) actor: u64,
    /// What templates may name, under `inputs` and `github`.
    pub(super) context: Value,
}

impl GitHub {
    /// A workflow on the default branch that starts on these events.
    pub fn add_workflow(&self, repository: &str, file: &str, on: &[&str]) -> u64 {
        let mut world = lock(&self.world);
        let (repository, id) = (world.id_of(repository), world.next_id());
        if let Some(repository) = world.repositories.get_mut(&repository) {
            repository.workflows.push(Workflow {
                id,
                file: file.to_owned(),
                on: on.iter().map(|event| (*event).to_owned()).collect(),
                run_name: None,
                inputs: None,
                is_off: false,
            });
        }
        id
    }

    /// The runs of a commit that an event started, by id.
    pub fn runs_of(&self, sha: &str, event: &str) -> Vec<u64> {
        let world = lock(&self.world);
        let repositories = world.repositories.values();
        repositories
            .flat_map(|repository| repository.runs.values())
            .filter(|run| run.sha == sha && run.event == event)
            .map(|run| run.id)
            .collect()
    }

    /// How far a run is.
    pub fn run_status(&self, run: u64) -> Option<String> {
        let world = lock(&self.world);
        let mut repositories = world.repositories.values();
        let run = repositories.find_map(|repository| repository.runs.get(&run));
        run.map(|run| run.status.clone())
    }

    /// The workflow's `run-name`, such as `Deploy ${{ inputs.release }}`.
    pub fn set_run_name(&self, repository: &str, file: &str, template: &str) {
        self.change_workflow(repository, file, |workflow| {
            workflow.run_name = Some(template.to_owned());
        });
    }

    /// From now on a dispatch with any other input is refused.
    pub fn set_inputs(&self, repository: &str, file: &str, inputs: &[&str]) {
        self.change_workflow(repository, file, |workflow| {
            workflow.inputs = Some(inputs.iter().map(|name| (*name).to_owned()).collect());
        });
    }

    fn change_workflow(&self, repository: &str, file: &str, change: impl FnOnce(&mut Workflow)) {
        let mut world = lock(&self.world);
        let id = world.id_of(repository);
        let found = world.repositories.get_mut(&id);
        let workflow =
            found.and_then(|found| found.workflows.iter_mut().find(|one| one.file == file));
        if let Some(workflow) = workflow {
            change(workflow);
        }
    }

    /// Dispatches are answered as GitHub Enterprise Server does: 204, and no run details.
    pub fn be_enterprise_server(&self) {
        lock(&self.world).is_enterprise_server = true;
    }
}

impl World {
    /// Starts every workflow that waits for this event, or only the one named.
    pub(super) fn start_runs(
        &mut self,
        repository: u64,
        start: &Start,
        only: Option<&str>,
    ) -> Vec<u64> {
        let Some(found) = self.repositories.get(&repository) else {
            return Vec::new();
        };
        let listening = found.workflows.iter().filter(|workflow| {
            workflow.on.iter().any(|event| event == start.event)
                && only.is_none_or(|file| file == workflow.file)
        });
        let workflows: Vec<Workflow> = listening.cloned().collect();
        workflows
            .iter()
            .map(|workflow| self.start_run(repository, workflow, start))
            .collect()
    }

    pub(super) fn start_run(&mut self, repository: u64, workflow: &Workflow, start: &Start) -> u64 {
        let (id, now) = (self.next_id(), self.now());
        let message = self
            .commits
            .get(&start.sha)
            .map(|commit| commit.message.as_str());
        let title = match (&workflow.run_name, start.event) {
            (Some(template), _) => filled(template, &start.context),
            (None, "push" | "pull_request") => message.unwrap_or_default().to_owned(),
            (None, _) => workflow.name().to_owned(),
        };
        if let Some(found) = self.repositories.get_mut(&repository) {
            let number = found
                .runs
                .values()
                .filter(|run| run.workflow == workflow.id)
                .count()
                + 1;
            found.runs.insert(
                id,
                Run {
                    id,
                    workflow: workflow.id,
                    number: number as u64,
                    attempt: 1,
                    title,
                    branch: start.branch.clone(),
                    sha: start.sha.clone(),
                    event: start.event.to_owned(),
                    status: "queued".to_owned(),
                    conclusion: None,
                    actor: start.actor,
                    made_at: now,
                    started_at: now,
                    moved_at: now,
                    waits_for: BTreeMap::new(),
                },
            );
        }
        self.run_event(repository, id, "requested");
        id
    }

    /// A workflow by its file; one that was not added is made up.
    pub(super) fn workflow(&mut self, repository: u64, file: &str) -> Option<Workflow> {
        let id = self.next_id();
        let found = self.repositories.get_mut(&repository)?;
        if !found.workflows.iter().any(|workflow| workflow.file == file) {
            found.workflows.push(Workflow {
                id,
                file: file.to_owned(),
                on: Vec::new(),
                run_name: None,
                inputs: None,
                is_off: false,
            });
        }
        found
            .workflows
            .iter()
            .find(|workflow| workflow.file == file)
            .cloned()
    }

    /// Finds the run wherever it is, changes it, and tells what happened to it.
    pub(super) fn move_run(
        &mut self,
        id: u64,
        action: &str,
        change: impl FnOnce(&mut Run, Timestamp),
    ) {
        let now = self.now();
        let found = self
            .repositories
            .values_mut()
            .find(|found| found.runs.contains_key(&id));
        let Some(found) = found else {
            return;
        };
        let repository = found.id;
        if let Some(run) = found.runs.get_mut(&id) {
            change(run, now);
            run.moved_at = now;
        }
        if !action.is_empty() {
            self.run_event(repository, id, action);
        }
    }

    fn run_event(&mut self, repository: u64, id: u64, action: &str) {
        let Some(found) = self.repositories.get(&repository) else {
            return;
        };
        let Some(run) = found.runs.get(&id) else {
            return;
        };
        let workflow = found
            .workflows
            .iter()
            .find(|workflow| workflow.id == run.workflow);
        let payload = json!({
            "action": action,
            "workflow_run": self.run_json(found, run),
            "workflow": workflow.map(|workflow| self.workflow_json(found, workflow)),
        });
        let actor = run.actor;
        self.tell("workflow_run", repository, actor, payload);
    }

    fn workflow_json(&self, repository: &Repository, workflow: &Workflow) -> Value {
        let html = format!("https://github.com/{}", repository.full_name);
        let made = stamp(repository.made_at);
        json!({
            "id": workflow.id,
            "node_id": node("W", workflow.id),
            "name": workflow.name(),
            "path": workflow.path(),
            "state": "active",
            "created_at": made,
            "updated_at": made,
            "url": format!("{}/actions/workflows/{}", self.api_url(repository), workflow.id),
            "html_url": format!("{html}/blob/main/{}", workflow.path()),
            "badge_url": format!("{html}/workflows/{}/badge.svg", workflow.name()),
        })
    }

    pub(super) fn run_json(&self, repository: &Repository, run: &Run) -> Value {
        let url = format!("{}/actions/runs/{}", self.api_url(repository), run.id);
        let workflow = repository
            .workflows
            .iter()
            .find(|one| one.id == run.workflow);
        let head = self.commits.get(&run.sha).map(|commit| {
            json!({
                "id": commit.sha,
                "tree_id": Self::tree_of(&commit.sha),
                "message": commit.message,
                "timestamp": stamp(commit.at),
                "author": self.signatory(commit.author),
                "committer": self.signatory(commit.committer),
            })
        });
        let previous = (run.attempt > 1).then(|| format!("{url}/attempts/{}", run.attempt - 1));
        json!({
            "id": run.id,
            "name": workflow.map(Workflow::name),
            "node_id": node("WFR", run.id),
            "head_branch": run.branch,
            "head_sha": run.sha,
            "path": workflow.map(Workflow::path),
            "display_title": run.title,
            "run_number": run.number,
            "event": run.event,
            "status": run.status,
            "conclusion": run.conclusion,
            "workflow_id": run.workflow,
            "check_suite_id": run.id,
            "check_suite_node_id": node("CS", run.id),
            "url": url,
            "html_url": format!("https://github.com/{}/actions/runs/{}", repository.full_name, run.id),
            "pull_requests": self.pulls_of(repository, &run.sha),
            "created_at": stamp(run.made_at),
            "updated_at": stamp(run.moved_at),
            "actor": self.user_json(run.actor),
            "run_attempt": run.attempt,
            "referenced_workflows": [],
            "run_started_at": stamp(run.started_at),
            "triggering_actor": self.user_json(run.actor),
            "jobs_url": format!("{url}/jobs"),
            "logs_url": format!("{url}/logs"),
            "check_suite_url": format!("{}/check-suites/{}", self.api_url(repository), run.id),
            "artifacts_url": format!("{url}/artifacts"),
            "cancel_url": format!("{url}/cancel"),
            "rerun_url": format!("{url}/rerun"),
            "previous_attempt_url": previous,
            "workflow_url": format!("{}/actions/workflows/{}", self.api_url(repository), run.workflow),
            "head_commit": head,
            "repository": self.minimal_json(repository),
            "head_repository": self.minimal_json(repository),
        })
    }

    /// `GET /repos/{owner}/{repo}/actions/runs`, newest first.
    pub(super) fn list_runs(&self, call: &Call, owner: &str, name: &str) -> Outcome {
        let repository = self.reach(call, owner, name, Need::Read("actions"))?;
        let fits = |asked: &str, value: Option<&str>| {
            call.asked(asked).is_none_or(|wanted| value == Some(wanted))
        };
        let wanted = |run: &&Run| {
            let state = call.asked("status").is_none_or(|wanted| {
                run.status == wanted || run.conclusion.as_deref() == Some(wanted)
            });
            let actor = self
                .accounts
                .get(&run.actor)
                .map(|actor| actor.login.as_str());
            let created = call
                .asked("created")
                .is_none_or(|range| lies_in(run.made_at, range));
            state
                && created
                && fits("head_sha", Some(&run.sha))
                && fits("event", Some(&run.event))
                && fits("branch", run.branch.as_deref())
                && fits("actor", actor)
                && fits("check_suite_id", Some(&run.id.to_string()))
        };
        let shown = repository.runs.values().rev().filter(wanted).collect();
        call.counted("workflow_runs", shown, |run: &Run| {
            self.run_json(repository, run)
        })
    }

    /// `GET /repos/{owner}/{repo}/actions/runs/{id}`
    pub(super) fn get_run(&self, call: &Call, owner: &str, name: &str, id: &str) -> Outcome {
        let repository = self.reach(call, owner, name, Need::Read("actions"))?;
        let run = id.parse().ok().and_then(|id| repository.runs.get(&id));
        Answer::ok(self.run_json(repository, run.ok_or_else(Answer::not_found)?))
    }
}

impl Run {
    /// The next attempt, under the same number.
    pub(super) fn begin_again(&mut self, now: Timestamp) {
        self.attempt += 1;
        "queued".clone_into(&mut self.status);
        self.conclusion = None;
        self.started_at = now;
    }
}

impl Workflow {
    fn name(&self) -> &str {
        self.file.split('.').next().unwrap_or_default()
    }

    pub(super) fn path(&self) -> String {
        format!(".github/workflows/{}", self.file)
    }
}

/// Puts values where a template says `${{ inputs.name }}`.
fn filled(template: &str, context: &Value) -> String {
    let mut parts = template.split("${{");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or((part, ""));
        let pointer = format!("/{}", name.trim().replace('.', "/"));
        match context.pointer(&pointer) {
            Some(Value::String(text)) => out.push_str(text),
            Some(Value::Null) | None => {}
            Some(other) => out.push_str(&other.to_string()),
        }
        out.push_str(rest);
    }
    out
}

/// `created` takes a day or a time, a comparison, or `from..to`.
fn lies_in(time: Timestamp, range: &str) -> bool {
    let text = stamp(time);
    let cut = |limit: &str| text[..limit.len().min(text.len())].to_owned();
    let limit = range.trim_start_matches(['<', '>', '=']);
    if let Some((from, to)) = range.split_once("..") {
        return (from == "*" || cut(from).as_str() >= from)
            && (to == "*" || cut(to).as_str() <= to);
    }
    match &range[..range.len() - limit.len()] {
        ">=" => cut(limit).as_str() >= limit,
        ">" => cut(limit).as_str() > limit,
        "<=" => cut(limit).as_str() <= limit,
        "<" => cut(limit).as_str() < limit,
        _ => cut(limit) == limit,
    }
}
