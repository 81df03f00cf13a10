//! Pushes: a branch moved, so webhooks tell of it, pull requests follow, and workflows start.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::actions::Start;
use super::call::{Answer, Call, Outcome};
use super::world::{Need, World, node, stamp};
use crate::history;

/// Where a branch was before it was made, and is after it was deleted.
const NOTHING: &str = "0000000000000000000000000000000000000000";

/// How a branch was moved, as the repository's activity shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Move {
    id: u64,
    branch: String,
    before: String,
    after: String,
    kind: String,
    by: u64,
    at: Timestamp,
}

/// A branch has just been moved.
pub(super) struct Moved<'m> {
    pub(super) branch: &'m str,
    pub(super) before: Option<&'m str>,
    /// What the push brought.
    pub(super) commits: &'m [String],
    /// The author of the newest commit, or ann, where nobody is named.
    pub(super) by: Option<u64>,
    pub(super) is_merge: bool,
}

impl World {
    pub(super) fn branch_head(&self, repository: u64, branch: &str) -> Option<String> {
        self.repositories
            .get(&repository)?
            .branches
            .get(branch)
            .cloned()
    }

    pub(super) fn branch_of(&self, repository: u64, sha: &str) -> Option<String> {
        let branches = &self.repositories.get(&repository)?.branches;
        let found = branches.iter().find(|(_, head)| *head == sha);
        found.map(|(name, _)| name.clone())
    }

    /// Tells of a branch that moved, moves the pull requests from it, and starts workflows.
    pub(super) fn pushed(&mut self, repository: u64, moved: &Moved<'_>) {
        let Moved {
            branch,
            before,
            commits: pushed,
            ..
        } = *moved;
        let after = self.branch_head(repository, branch);
        let Some(found) = self.repositories.get(&repository) else {
            return;
        };
        let html = format!("https://github.com/{}", found.full_name);
        let listed = history::in_order(&self.commits, pushed.iter().map(String::as_str));
        let listed: Vec<Value> = listed
            .iter()
            .map(|commit| self.pushed_json(&html, &commit.sha))
            .collect();
        let head = after.as_deref().map(|sha| self.pushed_json(&html, sha));
        let commit = after.as_deref().and_then(|sha| self.commits.get(sha));
        let author = commit.and_then(|commit| commit.author);
        let pusher = moved.by.or(author).unwrap_or(5);
        let forced = match (before, after.as_deref()) {
            (Some(before), Some(after)) => {
                !history::ancestors(&self.commits, after).contains(before)
            }
            _ => false,
        };
        let (old, new) = (
            before.unwrap_or(NOTHING),
            after.as_deref().unwrap_or(NOTHING),
        );
        let kind = match (before, after.as_deref()) {
            _ if moved.is_merge => "pr_merge",
            (None, _) => "branch_creation",
            (_, None) => "branch_deletion",
            _ if forced => "force_push",
            _ => "push",
        };
        let done = Move {
            id: 0,
            branch: branch.to_owned(),
            before: old.to_owned(),
            after: new.to_owned(),
            kind: kind.to_owned(),
            by: pusher,
            at: self.now(),
        };
        let payload = json!({
            "ref": format!("refs/heads/{branch}"),
            "before": old,
            "after": new,
            "base_ref": null,
            "created": before.is_none(),
            "deleted": after.is_none(),
            "forced": forced,
            "compare": format!("{html}/compare/{}...{}", &old[..12], &new[..12]),
            "commits": listed,
            "head_commit": head,
            "pusher": self.signatory(Some(pusher)),
        });
        let id = self.next_id();
        if let Some(found) = self.repositories.get_mut(&repository) {
            found.moves.push(Move { id, ..done });
        }
        self.tell("push", repository, pusher, payload);
        let Some(after) = after else {
            return;
        };
        self.synchronize(repository, branch, &after, pusher);
        let start = Start {
            event: "push",
            branch: Some(branch.to_owned()),
            sha: after,
            actor: pusher,
            context: json!({}),
        };
        self.start_runs(repository, &start, None);
    }

    /// Tells of a new tag, and starts workflows.
    pub(super) fn tagged(&mut self, repository: u64, tag: &str, sha: &str) {
        let Some(found) = self.repositories.get_mut(&repository) else {
            return;
        };
        let before = found.tags.insert(tag.to_owned(), sha.to_owned());
        let html = format!("https://github.com/{}", found.full_name);
        let pusher = self
            .commits
            .get(sha)
            .and_then(|commit| commit.author)
            .unwrap_or(5);
        let old = before.as_deref().unwrap_or(NOTHING);
        let payload = json!({
            "ref": format!("refs/tags/{tag}"),
            "before": old,
            "after": sha,
            "base_ref": null,
            "created": before.is_none(),
            "deleted": false,
            "forced": false,
            "compare": format!("{html}/compare/{tag}"),
            "commits": [],
            "head_commit": self.pushed_json(&html, sha),
            "pusher": self.signatory(Some(pusher)),
        });
        self.tell("push", repository, pusher, payload);
        let start = Start {
            event: "push",
            // A run does not say whether this is a branch.
            branch: Some(tag.to_owned()),
            sha: sha.to_owned(),
            actor: pusher,
            context: json!({}),
        };
        self.start_runs(repository, &start, None);
    }

    /// `GET /repos/{owner}/{repo}/activity`, newest first, paged by a cursor.
    pub(super) fn activity(&self, call: &Call, owner: &str, name: &str) -> Outcome {
        let repository = self.reach(call, owner, name, Need::Read("contents"))?;
        let per_page = call.number("per_page").unwrap_or(30).clamp(1, 100);
        let below = match call.asked("after") {
            Some(cursor) => {
                let id = cursor.strip_prefix("c_").and_then(|id| id.parse().ok());
                Some(id.ok_or_else(|| Answer::invalid("Invalid cursor"))?)
            }
            None => None,
        };
        let wanted = |one: &&Move| {
            let reference = format!("refs/heads/{}", one.branch);
            call.asked("ref")
                .is_none_or(|asked| asked == reference || asked == one.branch)
                && below.is_none_or(|below: u64| one.id < below)
        };
        let mut found = repository.moves.iter().rev().filter(wanted);
        let shown: Vec<&Move> = found.by_ref().take(per_page).collect();
        let last = shown.last().map(|one| one.id);
        let shown = shown.into_iter().map(|one| {
            json!({
                "id": one.id,
                "node_id": node("PSH", one.id),
                "before": one.before,
                "after": one.after,
                "ref": format!("refs/heads/{}", one.branch),
                "timestamp": stamp(one.at),
                "activity_type": one.kind,
                "actor": self.user_json(one.by),
            })
        });
        let mut answer = Answer::new(200, shown.collect());
        if let (Some(last), Some(_)) = (last, found.next()) {
            let cursor = [("after", format!("c_{last}"))];
            answer.headers.push(("link", call.link("next", &cursor)));
        }
        Ok(answer)
    }

    fn pushed_json(&self, html: &str, sha: &str) -> Value {
        let Some(commit) = self.commits.get(sha) else {
            return Value::Null;
        };
        let person = |account: Option<u64>| {
            let mut person = self.signatory(account);
            if let Some(account) = account.and_then(|id| self.accounts.get(&id)) {
                person["username"] = account.login.clone().into();
            }
            person
        };
        json!({
            "id": sha,
            "tree_id": Self::tree_of(sha),
            "distinct": true,
            "message": commit.message,
            "timestamp": stamp(commit.at),
            "url": format!("{html}/commit/{sha}"),
            "author": person(commit.author),
            "committer": person(commit.committer),
            "added": [],
            "removed": [],
            "modified": commit.files,
        })
    }

    /// Pull requests follow the branch that they come from.
    fn synchronize(&mut self, repository: u64, branch: &str, after: &str, by: u64) {
        let mut moved = Vec::new();
        for found in self.repositories.values_mut() {
            let base = found.id;
            let of_branch = found.pulls.values_mut().filter(|pull| {
                pull.is_open() && pull.head_repository == repository && pull.head == branch
            });
            for pull in of_branch {
                let before = std::mem::replace(&mut pull.head_sha, after.to_owned());
                moved.push((base, pull.number, before));
            }
        }
        for (base, number, before) in moved {
            let more = json!({ "before": before, "after": after });
            self.pull_event((base, number), "synchronize", by, more);
        }
    }
}
