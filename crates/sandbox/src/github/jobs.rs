//! Jobs of runs, and the runs that test a push: what GitHub Actions reports of itself, and what of it can be looked up.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::actions::Run;
use super::call::{Answer, Call, Outcome};
use super::reports::CheckRun;
use super::repositories::Repository;
use super::world::{Need, World, node, stamp};
use crate::history;

impl World {
    fn job_json(&self, repository: &Repository, check: &CheckRun, run: &Run) -> Value {
        let api = self.api_url(repository);
        let html = format!(
            "https://github.com/{}/actions/runs/{}",
            repository.full_name, run.id
        );
        json!({
            "id": check.id,
            "run_id": run.id,
            "run_url": format!("{api}/actions/runs/{}", run.id),
            "run_attempt": run.attempt,
            "node_id": node("CR", check.id),
            "head_sha": check.sha,
            "head_branch": run.branch,
            "url": format!("{api}/actions/jobs/{}", check.id),
            "html_url": format!("{html}/job/{}", check.id),
            "status": check.status,
            "conclusion": check.conclusion,
            "created_at": stamp(check.started_at),
            "started_at": stamp(check.started_at),
            "completed_at": check.completed_at.map(stamp),
            "name": check.name,
            "steps": [],
            "check_run_url": format!("{api}/check-runs/{}", check.id),
            "labels": ["ubuntu-latest"],
            "runner_id": null,
            "runner_name": null,
            "runner_group_id": null,
            "runner_group_name": null,
            "workflow_name": null,
        })
    }

    /// `GET /repos/{owner}/{repo}/actions/runs/{id}/jobs`: the newest try of each.
    pub(super) fn list_jobs(&self, call: &Call, owner: &str, name: &str, id: &str) -> Outcome {
        let repository = self.reach(call, owner, name, Need::Read("actions"))?;
        let run = id.parse().ok().and_then(|id| repository.runs.get(&id));
        let run = run.ok_or_else(Answer::not_found)?;
        let mut newest: BTreeMap<&str, &CheckRun> = BTreeMap::new();
        for check in &repository.checks {
            if check.run == Some(run.id) {
                newest.insert(&check.name, check);
            }
        }
        call.counted(
            "jobs",
            newest.into_values().collect(),
            |check: &CheckRun| self.job_json(repository, check, run),
        )
    }

    /// `GET /repos/{owner}/{repo}/actions/jobs/{id}`
    pub(super) fn get_job(&self, call: &Call, owner: &str, name: &str, id: &str) -> Outcome {
        let repository = self.reach(call, owner, name, Need::Read("actions"))?;
        let check = repository
            .checks
            .iter()
            .find(|check| check.id.to_string() == id);
        let run = |check: &CheckRun| repository.runs.get(&check.run?);
        let found = check.and_then(|check| Some((check, run(check)?)));
        let (check, run) = found.ok_or_else(Answer::not_found)?;
        Answer::ok(self.job_json(repository, check, run))
    }

    /// What was written down before jobs were told from what workflows post were jobs.
    pub(super) fn find_runs(&mut self) {
        let repositories: Vec<u64> = self.repositories.keys().copied().collect();
        for repository in repositories {
            let found = self.repositories.get(&repository);
            let checks = found.map(|found| found.checks.clone()).unwrap_or_default();
            for check in checks {
                if check.run.is_some() || check.app != "github-actions" {
                    continue;
                }
                let run = self.tested(repository, &check.sha);
                let found = self.repositories.get_mut(&repository);
                let mut checks = found.into_iter().flat_map(|found| &mut found.checks);
                if let Some(one) = checks.find(|one| one.id == check.id) {
                    one.run = run;
                }
            }
        }
    }

    /// The run by which a push to a commit's branch has it tested; made without a word where there is none.
    pub(super) fn tested(&mut self, repository: u64, sha: &str) -> Option<u64> {
        const FILE: &str = "ci.yml";
        let workflow = self.workflow(repository, FILE)?;
        let found = self.repositories.get(&repository)?;
        let mut runs = found.runs.values();
        let is_test = |run: &&Run| matches!(run.event.as_str(), "push" | "pull_request");
        let known = runs.find(|run| run.sha == sha && is_test(run) && run.workflow == workflow.id);
        if let Some(known) = known {
            return Some(known.id);
        }
        let head = self.branch_of(repository, sha);
        let below = || {
            let found = self.repositories.get(&repository)?;
            let holds = |head: &String| history::ancestors(&self.commits, head).contains(sha);
            let holding = found.branches.iter().filter(|(_, head)| holds(head));
            let mut holding: Vec<_> = holding.map(|(name, _)| name.clone()).collect();
            // A commit that came by a merge is tested where it was merged into.
            holding.sort_by_key(|name| *name != found.default_branch);
            holding.into_iter().next()
        };
        let branch = head.or_else(below);
        // A commit of a fork is tested with the pull request that it comes by.
        let event = if branch.is_some() {
            "push"
        } else {
            "pull_request"
        };
        let commit = self.commits.get(sha)?;
        let actor = commit.author.unwrap_or(5);
        let (id, now) = (self.next_id(), self.now());
        let title = self.commits.get(sha)?.message.clone();
        let found = self.repositories.get_mut(&repository)?;
        let number = found
            .runs
            .values()
            .filter(|run| run.workflow == workflow.id)
            .count()
            + 1;
        let run = Run {
            id,
            workflow: workflow.id,
            number: number as u64,
            attempt: 1,
            title,
            branch,
            sha: sha.to_owned(),
            event: event.to_owned(),
            status: "in_progress".to_owned(),
            conclusion: None,
            actor,
            made_at: now,
            started_at: now,
            moved_at: now,
            waits_for: BTreeMap::new(),
        };
        found.runs.insert(id, run);
        Some(id)
    }
}
