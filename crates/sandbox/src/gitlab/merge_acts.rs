//! Merge requests come to be, change and end here, and webhooks tell of it.

use serde_json::{Value, json};

use super::NewCommit;
use super::merge_requests::{MergeRequest, Merged};
use super::projects::Project;
use super::world::{World, merge, spoken, stamp};
use crate::history;

/// How a merge request is merged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    Merge,
    Squash,
    FastForward,
}

impl World {
    /// A merge request, `source` being a branch or `project:branch` of a fork.
    pub(super) fn open(&mut self, project: u64, iid: u64, by: u64, (source, target): (&str, &str)) {
        let (id, now) = (self.next_id(), self.now());
        let Some(found) = self.projects.get(&project) else {
            return;
        };
        let (from, branch) = match source.split_once(':') {
            Some((fork, branch)) => (self.project_named(fork).unwrap_or(found), branch),
            None => (found, source),
        };
        let sha = |project: &Project, branch: &str| project.branches.get(branch).cloned();
        let made = MergeRequest {
            id,
            iid,
            title: format!("Merge {branch}"),
            author: by,
            target: target.to_owned(),
            source: branch.to_owned(),
            source_project: from.id,
            sha: sha(from, branch).unwrap_or_default(),
            base_sha: sha(found, target).unwrap_or_default(),
            is_draft: false,
            made_at: now,
            moved_at: now,
            closed_at: None,
            merged: None,
        };
        if let Some(found) = self.projects.get_mut(&project) {
            found.merge_requests.insert(iid, made);
        }
    }

    /// As webhooks about other things show it.
    pub(super) fn merge_request_attributes(&self, project: &Project, one: &MergeRequest) -> Value {
        let source = self.projects.get(&one.source_project).unwrap_or(project);
        json!({
            "id": one.id,
            "iid": one.iid,
            "target_branch": one.target,
            "source_branch": one.source,
            "source_project_id": one.source_project,
            "target_project_id": project.id,
            "author_id": one.author,
            "assignee_id": null,
            "title": one.shown_title(),
            "created_at": stamp(one.made_at),
            "updated_at": stamp(one.moved_at),
            "milestone_id": null,
            "state": one.state(),
            "merge_status": "can_be_merged",
            "detailed_merge_status": one.detailed_status(),
            "description": "",
            "labels": [],
            "work_in_progress": one.is_draft,
            "draft": one.is_draft,
            "source": self.project_attributes(source),
            "target": self.project_attributes(project),
            "last_commit": self.commit_attributes(project, &one.sha),
        })
    }

    pub(super) fn merge_request_event(
        &mut self,
        (project, iid): (u64, u64),
        action: &str,
        by: u64,
        more: Value,
    ) {
        let Some(found) = self.projects.get(&project) else {
            return;
        };
        let Some(one) = found.merge_requests.get(&iid) else {
            return;
        };
        let mut attributes = self.merge_request_attributes(found, one);
        let state = match one.state() {
            "opened" => 1,
            "closed" => 2,
            _ => 3,
        };
        let rest = json!({
            "assignee_ids": [],
            "reviewer_ids": [],
            "blocking_discussions_resolved": true,
            "first_contribution": false,
            "url": self.merge_request_url(found, iid),
            "last_edited_at": null,
            "last_edited_by_id": null,
            "state_id": state,
            "total_time_spent": 0,
            "time_change": 0,
            "human_total_time_spent": null,
            "human_time_change": null,
            "human_time_estimate": null,
            "action": action,
        });
        merge(&mut attributes, rest);
        let (mut changes, mut oldrev) = (json!({}), None);
        if let Value::Object(mut more) = more {
            oldrev = more.remove("oldrev");
            changes = Value::Object(more);
        }
        if let Some(oldrev) = oldrev {
            attributes["oldrev"] = oldrev;
        }
        let payload = json!({
            "object_kind": "merge_request",
            "event_type": "merge_request",
            "user": self.user_attributes(by),
            "project": self.project_attributes(found),
            "repository": self.repository_brief(found),
            "object_attributes": attributes,
            "labels": [],
            "changes": changes,
            "assignees": [],
            "reviewers": [],
        });
        self.tell("merge_requests_events", project, payload);
    }

    /// What webhooks about conversations call the repository.
    pub(super) fn repository_brief(&self, project: &Project) -> Value {
        let whole = self.repository_attributes(project);
        let fields = ["name", "url", "description", "homepage"];
        fields
            .into_iter()
            .map(|field| (field.to_owned(), whole[field].clone()))
            .collect()
    }

    pub(super) fn change_merge_request(
        &mut self,
        (project, iid): (&str, u64),
        by: &str,
        action: &str,
        change: impl FnOnce(&mut MergeRequest) -> Value,
    ) {
        let (project, by, now) = (self.id_of(project), self.person(by), self.now());
        let found = self.projects.get_mut(&project);
        let Some(one) = found.and_then(|found| found.merge_requests.get_mut(&iid)) else {
            return;
        };
        let before = one.moved_at;
        one.moved_at = now;
        let mut changes = change(one);
        let moved = json!({
            "updated_at": { "previous": spoken(before), "current": spoken(now) },
        });
        merge(&mut changes, moved);
        self.merge_request_event((project, iid), action, by, changes);
    }

    /// Merges as GitLab's button does; the commit that the target branch has then.
    pub(super) fn join(&mut self, project: u64, iid: u64, by: u64, how: Join) -> Option<String> {
        let now = self.now();
        let found = self.projects.get(&project)?;
        let one = found.merge_requests.get(&iid)?.clone();
        let path = found.path.clone();
        let before = self.branch_head(project, &one.target)?;
        let name = |id: &u64| self.people.get(id).map(|person| person.username.clone());
        let (merger, author) = (name(&by), name(&one.author));
        let squashed = (how == Join::Squash).then(|| NewCommit {
            message: one.title.clone(),
            author,
            committer: merger.clone(),
            files: history::files_between(&self.commits, &one.base_sha, &one.sha),
            merges: Vec::new(),
        });
        let squashed = squashed.map(|new| self.commit_on(project, vec![before.clone()], &new));
        let brought = squashed.clone().unwrap_or_else(|| one.sha.clone());
        let merge_commit = (how != Join::FastForward).then(|| {
            let new = NewCommit {
                message: format!(
                    "Merge branch '{}' into '{}'\n\n{}\n\nSee merge request {path}!{iid}",
                    one.source, one.target, one.title
                ),
                author: merger.clone(),
                committer: merger,
                ..NewCommit::default()
            };
            self.commit_on(project, vec![before.clone(), brought.clone()], &new)
        });
        let head = merge_commit.clone().unwrap_or(brought);
        self.point(project, &one.target, &head);
        let found = self.projects.get_mut(&project)?;
        let merged = found.merge_requests.get_mut(&iid)?;
        merged.moved_at = now;
        merged.merged = Some(Merged::new((by, now), merge_commit, squashed));
        let changes = json!({ "state_id": { "previous": 1, "current": 3 } });
        self.merge_request_event((project, iid), "merge", by, changes);
        self.pushed(project, &one.target, Some(&before), by);
        Some(head)
    }

    /// Merge requests follow the branch that they come from.
    pub(super) fn follow_branch(&mut self, project: u64, branch: &str, after: &str, by: u64) {
        let now = self.now();
        let mut moved = Vec::new();
        for found in self.projects.values_mut() {
            let target = found.id;
            let from = found.merge_requests.values_mut().filter(|one| {
                one.is_open()
                    && one.source_project == project
                    && one.source == branch
                    && one.sha != after
            });
            for one in from {
                let old = std::mem::replace(&mut one.sha, after.to_owned());
                one.moved_at = now;
                moved.push(((target, one.iid), old));
            }
        }
        for ((target, iid), old) in moved {
            self.note(target, iid, by, "added 1 commit");
            self.merge_request_event((target, iid), "update", by, json!({ "oldrev": old }));
        }
    }
}
