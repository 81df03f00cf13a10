//! Reports of machines about a commit: statuses, and check runs of apps.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Answer, Call, Outcome};
use super::repositories::Repository;
use super::world::{Need, World, node, stamp};
use crate::history;

/// GitHub keeps this many for one commit and context.
const MOST_STATUSES: usize = 1_000;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Status {
    id: u64,
    sha: String,
    context: String,
    state: String,
    description: Option<String>,
    target_url: Option<String>,
    creator: u64,
    at: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct CheckRun {
    pub(super) id: u64,
    pub(super) suite: u64,
    pub(super) sha: String,
    pub(super) name: String,
    pub(super) status: String,
    pub(super) conclusion: Option<String>,
    /// The slug of the app that reports.
    pub(super) app: String,
    /// The run whose job it is; none where it was posted.
    #[serde(default)]
    pub(super) run: Option<u64>,
    pub(super) started_at: Timestamp,
    pub(super) completed_at: Option<Timestamp>,
}

/// What a status says, before it has a number.
pub(super) struct Said<'s> {
    pub(super) context: &'s str,
    pub(super) state: &'s str,
    pub(super) description: Option<&'s str>,
    pub(super) target_url: Option<&'s str>,
}

/// What a check run says.
pub(super) struct Checked<'s> {
    pub(super) name: &'s str,
    pub(super) status: &'s str,
    pub(super) conclusion: Option<&'s str>,
    pub(super) app: &'s str,
    /// The run whose job it is.
    pub(super) run: Option<u64>,
}

impl Repository {
    pub(super) fn has_status(&self, sha: &str, context: &str) -> bool {
        let mut statuses = self.statuses.iter();
        statuses.any(|status| status.sha == sha && status.context == context)
    }
}

impl World {
    fn status_json(&self, repository: &Repository, status: &Status) -> Value {
        json!({
            "url": format!("{}/statuses/{}", self.api_url(repository), status.sha),
            "avatar_url": format!("https://avatars.githubusercontent.com/u/{}?v=4", status.creator),
            "id": status.id,
            "node_id": node("SC", status.id),
            "state": status.state,
            "description": status.description,
            "target_url": status.target_url,
            "context": status.context,
            "created_at": stamp(status.at),
            "updated_at": stamp(status.at),
            "creator": self.user_json(status.creator),
        })
    }

    /// Records a status and tells about it; nothing happens in a repository that is not there.
    pub(super) fn say(
        &mut self,
        repository: u64,
        sha: &str,
        said: &Said<'_>,
        by: u64,
    ) -> Option<Value> {
        let status = Status {
            id: self.next_id(),
            sha: sha.to_owned(),
            context: said.context.to_owned(),
            state: said.state.to_owned(),
            description: said.description.map(str::to_owned),
            target_url: said.target_url.map(str::to_owned),
            creator: by,
            at: self.now(),
        };
        let found = self.repositories.get_mut(&repository)?;
        found.statuses.push(status.clone());
        let found = self.repositories.get(&repository)?;
        let commit = self.commits.get(sha)?;
        let api = self.api_url(found);
        let branches = found
            .branches
            .iter()
            .filter(|(_, head)| history::ancestors(&self.commits, head).contains(sha));
        let branches: Vec<Value> = branches
            .map(|(name, head)| {
                let commit = json!({ "sha": head, "url": format!("{api}/commits/{head}") });
                json!({ "name": name, "commit": commit, "protected": false })
            })
            .collect();
        let payload = json!({
            "id": status.id,
            "sha": sha,
            "name": found.full_name,
            "avatar_url": format!("https://avatars.githubusercontent.com/u/{by}?v=4"),
            "target_url": status.target_url,
            "context": status.context,
            "description": status.description,
            "state": status.state,
            "commit": self.commit_json(found, commit),
            "branches": branches,
            "created_at": stamp(status.at),
            "updated_at": stamp(status.at),
        });
        let shown = self.status_json(found, &status);
        self.tell("status", repository, by, payload);
        Some(shown)
    }

    /// `POST /repos/{owner}/{repo}/statuses/{sha}`
    pub(super) fn post_status(
        &mut self,
        call: &Call,
        owner: &str,
        name: &str,
        sha: &str,
    ) -> Outcome {
        let repository = self.reach(call, owner, name, Need::Write("statuses"))?;
        let sha = self.known(repository, sha)?.sha.clone();
        let state = call.required("state")?;
        if !matches!(state, "error" | "failure" | "pending" | "success") {
            return Err(Answer::invalid("Validation Failed"));
        }
        let context = call.text("context").unwrap_or("default");
        let same =
            |status: &&Status| status.sha == sha && status.context.eq_ignore_ascii_case(context);
        if repository.statuses.iter().filter(same).count() >= MOST_STATUSES {
            return Err(Answer::invalid(
                "Validation Failed: This SHA and context has reached the maximum number of statuses.",
            ));
        }
        let said = Said {
            context,
            state,
            description: call.text("description"),
            target_url: call.text("target_url"),
        };
        let (repository, by) = (repository.id, self.actor(&call.identity));
        let shown = self.say(repository, &sha, &said, by);
        Answer::created(shown.ok_or_else(Answer::not_found)?)
    }

    /// `GET /repos/{owner}/{repo}/commits/{ref}/statuses`, newest first.
    pub(super) fn list_statuses(
        &self,
        call: &Call,
        owner: &str,
        name: &str,
        text: &str,
    ) -> Outcome {
        let repository = self.reach(call, owner, name, Need::Read("statuses"))?;
        let sha = &self
            .resolve(repository, text)
            .ok_or_else(Answer::not_found)?
            .sha;
        let of_this = repository
            .statuses
            .iter()
            .rev()
            .filter(|status| status.sha == *sha);
        call.list(of_this.collect(), |status| {
            self.status_json(repository, status)
        })
    }

    /// The latest status of each context.
    fn latest<'r>(repository: &'r Repository, sha: &str) -> BTreeMap<String, &'r Status> {
        let of_this = repository
            .statuses
            .iter()
            .filter(|status| status.sha == sha);
        of_this
            .map(|status| (status.context.to_ascii_lowercase(), status))
            .collect()
    }

    /// The contexts that are not green.
    pub(super) fn unready(repository: &Repository, sha: &str) -> Vec<String> {
        let latest = Self::latest(repository, sha);
        let failing = latest.values().filter(|status| status.state != "success");
        failing.map(|status| status.context.clone()).collect()
    }

    /// `GET /repos/{owner}/{repo}/commits/{ref}/status`
    pub(super) fn combined_status(
        &self,
        call: &Call,
        owner: &str,
        name: &str,
        text: &str,
    ) -> Outcome {
        let repository = self.reach(call, owner, name, Need::Read("statuses"))?;
        let sha = &self
            .resolve(repository, text)
            .ok_or_else(Answer::not_found)?
            .sha;
        let latest = Self::latest(repository, sha);
        let any = |states: &[&str]| {
            latest
                .values()
                .any(|status| states.contains(&status.state.as_str()))
        };
        let state = if any(&["failure", "error"]) {
            "failure"
        } else if latest.is_empty() || any(&["pending"]) {
            "pending"
        } else {
            "success"
        };
        let shown = latest.values().map(|status| {
            let mut json = self.status_json(repository, status);
            if let Some(fields) = json.as_object_mut() {
                fields.remove("creator");
            }
            json
        });
        let api = self.api_url(repository);
        let count = latest.len();
        let (shown, _) = call.page(shown.collect(), 30);
        Answer::ok(json!({
            "state": state,
            "statuses": shown,
            "sha": sha,
            "total_count": count,
            "repository": self.minimal_json(repository),
            "commit_url": format!("{api}/commits/{sha}"),
            "url": format!("{api}/commits/{sha}/status"),
        }))
    }

    pub(super) fn check_json(&self, repository: &Repository, check: &CheckRun) -> Value {
        let api = self.api_url(repository);
        let url = format!("{api}/check-runs/{}", check.id);
        let html = format!(
            "https://github.com/{}/runs/{}",
            repository.full_name, check.id
        );
        let app = self.apps.get(&check.app).map(|app| self.app_json(app));
        json!({
            "id": check.id,
            "head_sha": check.sha,
            "node_id": node("CR", check.id),
            "external_id": "",
            "url": url,
            "html_url": html,
            "details_url": html,
            "status": check.status,
            "conclusion": check.conclusion,
            "started_at": stamp(check.started_at),
            "completed_at": check.completed_at.map(stamp),
            "output": {
                "title": null, "summary": null, "text": null, "annotations_count": 0,
                "annotations_url": format!("{url}/annotations"),
            },
            "name": check.name,
            "check_suite": { "id": check.suite },
            "app": app,
            "pull_requests": self.pulls_of(repository, &check.sha),
        })
    }

    /// A new run of a check, or the next word of the one that is not finished.
    pub(super) fn check(
        &mut self,
        repository: u64,
        sha: &str,
        checked: &Checked<'_>,
    ) -> Option<u64> {
        self.app_named(checked.app);
        let (now, fresh) = (self.now(), self.next_id());
        let suite = u64::from_str_radix(sha.get(..8)?, 16).ok()?;
        let found = self.repositories.get_mut(&repository)?;
        let completed_at = (checked.status == "completed").then_some(now);
        let open = found.checks.iter_mut().find(|check| {
            check.sha == sha
                && check.name == checked.name
                && check.app == checked.app
                && check.completed_at.is_none()
        });
        let (id, is_new) = match open {
            Some(check) => {
                checked.status.clone_into(&mut check.status);
                check.conclusion = checked.conclusion.map(str::to_owned);
                check.completed_at = completed_at;
                (check.id, false)
            }
            None => {
                found.checks.push(CheckRun {
                    id: fresh,
                    suite,
                    sha: sha.to_owned(),
                    name: checked.name.to_owned(),
                    status: checked.status.to_owned(),
                    conclusion: checked.conclusion.map(str::to_owned),
                    app: checked.app.to_owned(),
                    run: checked.run,
                    started_at: now,
                    completed_at,
                });
                (fresh, true)
            }
        };
        self.check_events(repository, id, is_new);
        Some(id)
    }

    /// GitHub tells of the beginning and of the end, not of what lies between.
    fn check_events(&mut self, repository: u64, id: u64, is_new: bool) {
        let Some(found) = self.repositories.get(&repository) else {
            return;
        };
        let Some(check) = found.checks.iter().find(|check| check.id == id) else {
            return;
        };
        let mut shown = self.check_json(found, check);
        shown["check_suite"] = self.suite_json(found, check);
        let by = self.apps.get(&check.app).map_or(0, |app| app.bot);
        let is_over = check.completed_at.is_some();
        for (action, applies) in [("created", is_new), ("completed", is_over)] {
            if applies {
                let payload = json!({ "action": action, "check_run": shown });
                self.tell("check_run", repository, by, payload);
            }
        }
    }

    fn suite_json(&self, repository: &Repository, check: &CheckRun) -> Value {
        let url = format!("{}/check-suites/{}", self.api_url(repository), check.suite);
        let branch = repository
            .branches
            .iter()
            .find(|(_, head)| **head == check.sha);
        json!({
            "id": check.suite,
            "node_id": node("CS", check.suite),
            "head_branch": branch.map(|(name, _)| name),
            "head_sha": check.sha,
            "status": check.status,
            "conclusion": check.conclusion,
            "url": url,
            "before": null,
            "after": check.sha,
            "pull_requests": self.pulls_of(repository, &check.sha),
            "app": self.apps.get(&check.app).map(|app| self.app_json(app)),
            "created_at": stamp(check.started_at),
            "updated_at": stamp(check.started_at),
        })
    }

    /// `GET /repos/{owner}/{repo}/commits/{ref}/check-runs`
    pub(super) fn list_checks(&self, call: &Call, owner: &str, name: &str, text: &str) -> Outcome {
        let repository = self.reach(call, owner, name, Need::Read("checks"))?;
        let sha = &self.known(repository, text)?.sha;
        let app_id = |check: &CheckRun| self.apps.get(&check.app).map(|app| app.id.to_string());
        let wanted = |check: &&CheckRun| {
            check.sha == *sha
                && call
                    .asked("check_name")
                    .is_none_or(|name| name == check.name)
                && call
                    .asked("status")
                    .is_none_or(|status| status == check.status)
                && call
                    .asked("app_id")
                    .is_none_or(|id| app_id(check).as_deref() == Some(id))
        };
        let shows_all = call.asked("filter") == Some("all");
        let mut seen = BTreeSet::new();
        let newest_first = repository.checks.iter().rev().filter(wanted);
        let shown =
            newest_first.filter(|check| seen.insert((&check.app, &check.name)) || shows_all);
        call.counted("check_runs", shown.collect(), |check| {
            self.check_json(repository, check)
        })
    }
}
