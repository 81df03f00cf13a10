//! Pull requests: open, draft, closed or merged, from this repository or a fork.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Answer, Call, Outcome};
use super::people::merge;
use super::repositories::Repository;
use super::world::{Need, World, node, stamp};
use crate::history;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PullRequest {
    pub(super) id: u64,
    pub(super) number: u64,
    pub(super) title: String,
    pub(super) author: u64,
    pub(super) base: String,
    /// The base as it was when the pull request was opened.
    pub(super) base_sha: String,
    pub(super) head_repository: u64,
    pub(super) head: String,
    pub(super) head_sha: String,
    pub(super) is_draft: bool,
    pub(super) opened_at: Timestamp,
    pub(super) closed_at: Option<Timestamp>,
    pub(super) merged: Option<Merged>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Merged {
    pub(super) sha: String,
    pub(super) by: u64,
}

impl PullRequest {
    pub(super) fn is_open(&self) -> bool {
        self.closed_at.is_none()
    }
}

impl World {
    fn side(&self, repository: Option<&Repository>, branch: &str, sha: &str) -> Value {
        let owner = repository.map_or("unknown", Repository::owner);
        let user = repository.map_or(Value::Null, |found| self.owner_json(found));
        json!({
            "label": format!("{owner}:{branch}"),
            "ref": branch,
            "sha": sha,
            "user": user,
            "repo": repository.map_or(Value::Null, |found| self.repository_json(found)),
        })
    }

    /// As lists show it.
    pub(super) fn pull_json(&self, repository: &Repository, pull: &PullRequest) -> Value {
        let api = self.api_url(repository);
        let url = format!("{api}/pulls/{}", pull.number);
        let issue = format!("{api}/issues/{}", pull.number);
        let html = format!(
            "https://github.com/{}/pull/{}",
            repository.full_name, pull.number
        );
        let statuses = format!("{api}/statuses/{}", pull.head_sha);
        let head = self.repositories.get(&pull.head_repository);
        let closed_at = pull.closed_at.map(stamp);
        let mut shown = json!({
            "url": url,
            "id": pull.id,
            "node_id": node("PR", pull.id),
            "html_url": html,
            "diff_url": format!("{html}.diff"),
            "patch_url": format!("{html}.patch"),
            "issue_url": issue,
            "commits_url": format!("{url}/commits"),
            "review_comments_url": format!("{url}/comments"),
            "review_comment_url": format!("{api}/pulls/comments{{/number}}"),
            "comments_url": format!("{issue}/comments"),
            "statuses_url": statuses,
            "number": pull.number,
            "state": if pull.is_open() { "open" } else { "closed" },
            "locked": false,
            "active_lock_reason": null,
            "title": pull.title,
            "user": self.user_json(pull.author),
            "body": null,
            "labels": [],
            "milestone": null,
            "created_at": stamp(pull.opened_at),
            "updated_at": closed_at.clone().unwrap_or_else(|| stamp(pull.opened_at)),
            "closed_at": closed_at,
            "merged_at": pull.merged.as_ref().and(closed_at.clone()),
            "merge_commit_sha": pull.merged.as_ref().map(|merged| merged.sha.clone()),
            "assignee": null,
            "assignees": [],
            "requested_reviewers": [],
            "requested_teams": [],
            "draft": pull.is_draft,
            "head": self.side(head, &pull.head, &pull.head_sha),
            "base": self.side(Some(repository), &pull.base, &pull.base_sha),
            "author_association": self.association(repository, pull.author),
            "auto_merge": null,
        });
        let href = |url: String| json!({ "href": url });
        shown["_links"] = json!({
                "self": href(url.clone()),
                "html": href(html.clone()),
                "issue": href(issue.clone()),
                "comments": href(format!("{issue}/comments")),
                "review_comments": href(format!("{url}/comments")),
                "review_comment": href(format!("{api}/pulls/comments{{/number}}")),
                "commits": href(format!("{url}/commits")),
                "statuses": href(statuses.clone()),
        });
        shown
    }

    /// As a single answer and webhooks show it.
    pub(super) fn whole_pull_json(&self, repository: &Repository, pull: &PullRequest) -> Value {
        let mut json = self.pull_json(repository, pull);
        let base = history::ancestors(&self.commits, &pull.base_sha);
        let head = history::ancestors(&self.commits, &pull.head_sha);
        let commits = head.difference(&base).count();
        let comments = repository.comments.values();
        let comments = comments
            .filter(|comment| comment.issue == pull.number)
            .count();
        let merged_by = pull
            .merged
            .as_ref()
            .map_or(Value::Null, |merged| self.user_json(merged.by));
        let more = json!({
            "merged": pull.merged.is_some(),
            "mergeable": if pull.is_open() { Value::Bool(true) } else { Value::Null },
            "rebaseable": if pull.is_open() { Value::Bool(true) } else { Value::Null },
            "mergeable_state": if pull.is_draft { "draft" } else { "clean" },
            "merged_by": merged_by,
            "comments": comments,
            "review_comments": 0,
            "maintainer_can_modify": false,
            "commits": commits,
            "additions": commits,
            "deletions": 0,
            "changed_files": commits,
        });
        merge(&mut json, more);
        json
    }

    pub(super) fn association(&self, repository: &Repository, account: u64) -> &'static str {
        if repository.roles.contains_key(&account) {
            "COLLABORATOR"
        } else {
            "NONE"
        }
    }

    /// As check runs and workflow runs carry it.
    pub(super) fn pulls_of(&self, repository: &Repository, sha: &str) -> Vec<Value> {
        let api = self.api_url(repository);
        let side = |branch: &str, sha: &str| {
            json!({
                "ref": branch, "sha": sha,
                "repo": { "id": repository.id, "url": api, "name": repository.name() },
            })
        };
        let of_this = |pull: &&PullRequest| {
            pull.is_open() && pull.head_sha == sha && pull.head_repository == repository.id
        };
        let as_json = |pull: &PullRequest| {
            json!({
                "url": format!("{api}/pulls/{}", pull.number),
                "id": pull.id,
                "number": pull.number,
                "head": side(&pull.head, &pull.head_sha),
                "base": side(&pull.base, &pull.base_sha),
            })
        };
        repository
            .pulls
            .values()
            .filter(of_this)
            .map(as_json)
            .collect()
    }

    /// `GET /repos/{owner}/{repo}/pulls/{number}`
    pub(super) fn get_pull(&self, call: &Call, owner: &str, name: &str, number: &str) -> Outcome {
        let repository = self.reach(call, owner, name, Need::Read("pull_requests"))?;
        let pull = number
            .parse()
            .ok()
            .and_then(|number| repository.pulls.get(&number));
        Answer::ok(self.whole_pull_json(repository, pull.ok_or_else(Answer::not_found)?))
    }

    /// `GET /repos/{owner}/{repo}/commits/{sha}/pulls`: what brought it in, or else who has it open.
    pub(super) fn pulls_with(&self, call: &Call, owner: &str, name: &str, sha: &str) -> Outcome {
        let repository = self.reach(call, owner, name, Need::Read("pull_requests"))?;
        let sha = &self.known(repository, sha)?.sha;
        let contains = |pull: &PullRequest| {
            let of_head = || {
                history::ancestors(&self.commits, &pull.head_sha).contains(sha.as_str())
                    && !history::ancestors(&self.commits, &pull.base_sha).contains(sha.as_str())
            };
            pull.merged
                .as_ref()
                .is_some_and(|merged| merged.sha == *sha)
                || of_head()
        };
        let found: Vec<&PullRequest> = repository
            .pulls
            .values()
            .filter(|pull| contains(pull))
            .collect();
        call.list(found, |pull| self.pull_json(repository, pull))
    }
}
