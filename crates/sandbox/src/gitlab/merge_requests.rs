//! Merge requests as GitLab shows them: open, draft, closed or merged, from this project or a fork.
//! People count them by `iid`; `id` is another number.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::{Answer, Call, Outcome};
use super::projects::Project;
use super::world::{World, merge, stamp};
use crate::history;

#[derive(Clone, Debug)]
pub(super) struct MergeRequest {
    pub(super) id: u64,
    pub(super) iid: u64,
    pub(super) title: String,
    pub(super) author: u64,
    pub(super) target: String,
    pub(super) source: String,
    pub(super) source_project: u64,
    /// The head of its source branch.
    pub(super) sha: String,
    /// The target's head when it was opened.
    pub(super) base_sha: String,
    pub(super) is_draft: bool,
    pub(super) made_at: Timestamp,
    pub(super) moved_at: Timestamp,
    pub(super) closed_at: Option<Timestamp>,
    pub(super) merged: Option<Merged>,
}

#[derive(Clone, Debug)]
pub(super) struct Merged {
    pub(super) by: u64,
    at: Timestamp,
    /// Nothing where the branch was only moved forward.
    pub(super) merge_commit: Option<String>,
    pub(super) squash_commit: Option<String>,
}

impl Merged {
    pub(super) fn new(
        (by, at): (u64, Timestamp),
        merge_commit: Option<String>,
        squash_commit: Option<String>,
    ) -> Self {
        Self {
            by,
            at,
            merge_commit,
            squash_commit,
        }
    }
}

impl MergeRequest {
    pub(super) fn is_open(&self) -> bool {
        self.closed_at.is_none() && self.merged.is_none()
    }

    pub(super) fn state(&self) -> &'static str {
        match (&self.merged, self.closed_at) {
            (Some(_), _) => "merged",
            (None, Some(_)) => "closed",
            (None, None) => "opened",
        }
    }

    pub(super) fn shown_title(&self) -> String {
        let mark = if self.is_draft { "Draft: " } else { "" };
        format!("{mark}{}", self.title)
    }

    pub(super) fn detailed_status(&self) -> &'static str {
        match (self.is_open(), self.is_draft) {
            (false, _) => "not_open",
            (true, true) => "draft_status",
            (true, false) => "mergeable",
        }
    }
}

impl World {
    pub(super) fn merge_request_url(&self, project: &Project, iid: u64) -> String {
        format!("{}/-/merge_requests/{iid}", self.web_url(project))
    }

    fn basic_json(&self, project: &Project, one: &MergeRequest) -> Value {
        let merged = one.merged.as_ref();
        let merger = merged.map_or(Value::Null, |merged| self.person_json(merged.by));
        let notes = project.notes.values().filter(|note| note.iid == one.iid);
        let mut shown = json!({
            "id": one.id,
            "iid": one.iid,
            "project_id": project.id,
            "title": one.shown_title(),
            "description": "",
            "state": one.state(),
            "created_at": stamp(one.made_at),
            "updated_at": stamp(one.moved_at),
            "merged_by": merger,
            "merge_user": merger,
            "merged_at": merged.map(|merged| stamp(merged.at)),
            "closed_by": null,
            "closed_at": Self::when(one.closed_at),
            "target_branch": one.target,
            "source_branch": one.source,
            "user_notes_count": notes.filter(|note| !note.is_system).count(),
            "upvotes": 0,
            "downvotes": 0,
            "author": self.person_json(one.author),
            "assignees": [],
            "assignee": null,
            "reviewers": [],
            "source_project_id": one.source_project,
            "target_project_id": project.id,
        });
        let more = json!({
            "labels": [],
            "draft": one.is_draft,
            "imported": false,
            "imported_from": "none",
            "work_in_progress": one.is_draft,
            "milestone": null,
            "merge_when_pipeline_succeeds": false,
            "merge_status": "can_be_merged",
            "detailed_merge_status": one.detailed_status(),
            "merge_after": null,
            "sha": one.sha,
            "merge_commit_sha": merged.and_then(|merged| merged.merge_commit.as_ref()),
            "squash_commit_sha": merged.and_then(|merged| merged.squash_commit.as_ref()),
            "discussion_locked": null,
            "should_remove_source_branch": null,
            "force_remove_source_branch": false,
            "prepared_at": stamp(one.made_at),
            "reference": format!("!{}", one.iid),
            "references": {
                "short": format!("!{}", one.iid),
                "relative": format!("!{}", one.iid),
                "full": format!("{}!{}", project.path, one.iid),
            },
            "web_url": self.merge_request_url(project, one.iid),
            "time_stats": {
                "time_estimate": 0, "total_time_spent": 0,
                "human_time_estimate": null, "human_total_time_spent": null,
            },
            "squash": merged.is_some_and(|merged| merged.squash_commit.is_some()),
            "squash_on_merge": false,
            "task_completion_status": { "count": 0, "completed_count": 0 },
            "has_conflicts": false,
            "blocking_discussions_resolved": true,
        });
        merge(&mut shown, more);
        shown
    }

    /// `GET /projects/:id/merge_requests/:iid`
    pub(super) fn get_merge_request(&self, project: &Project, iid: &str) -> Outcome {
        let one = Self::find_merge_request(project, iid)?;
        let mut shown = self.basic_json(project, one);
        let head = Self::newest_pipeline(project, &one.sha, None);
        let head = head.and_then(|id| project.pipelines.get(&id));
        let head = head.map(|pipeline| self.pipeline_basic(project, pipeline));
        let files = history::files_between(&self.commits, &one.base_sha, &one.sha).len();
        let more = json!({
            "subscribed": false,
            "changes_count": files.to_string(),
            "latest_build_started_at": null,
            "latest_build_finished_at": null,
            "first_deployed_to_production_at": null,
            "pipeline": head,
            "head_pipeline": head,
            "diff_refs": {
                "base_sha": one.base_sha, "head_sha": one.sha, "start_sha": one.base_sha,
            },
            "merge_error": null,
            "first_contribution": false,
            "user": { "can_merge": true },
        });
        merge(&mut shown, more);
        Answer::ok(shown)
    }

    pub(super) fn find_merge_request<'p>(
        project: &'p Project,
        iid: &str,
    ) -> Result<&'p MergeRequest, Answer> {
        let wrong = || Answer::error(400, "merge_request_iid is invalid");
        let iid = iid.parse().map_err(|_| wrong())?;
        let found = project.merge_requests.get(&iid);
        found.ok_or_else(|| Answer::message(404, "404 Not found"))
    }

    /// `GET /projects/:id/merge_requests`
    pub(super) fn list_merge_requests(&self, call: &Call, project: &Project) -> Outcome {
        let wanted = |one: &&MergeRequest| {
            let is = |name: &str, value: &str| call.asked(name).is_none_or(|asked| asked == value);
            let state = call.asked("state");
            state.is_none_or(|state| state == "all" || state == one.state())
                && is("source_branch", &one.source)
                && is("target_branch", &one.target)
        };
        let mut found: Vec<&MergeRequest> =
            project.merge_requests.values().filter(wanted).collect();
        found.reverse();
        call.list(found, |one| self.basic_json(project, one))
    }

    /// `GET /projects/:id/repository/commits/:sha/merge_requests`
    pub(super) fn merge_requests_with(
        &self,
        call: &Call,
        project: &Project,
        text: &str,
    ) -> Outcome {
        let sha = &self.known(project, text)?.sha;
        let brings = |one: &&MergeRequest| {
            let made = one.merged.iter();
            let made = made.flat_map(|merged| [&merged.merge_commit, &merged.squash_commit]);
            made.flatten().any(|made| made == sha)
                || history::between(&self.commits, &one.base_sha, &one.sha)
                    .iter()
                    .any(|commit| commit.sha == *sha)
        };
        let found = project.merge_requests.values().filter(brings).collect();
        call.list(found, |one| self.basic_json(project, one))
    }
}
