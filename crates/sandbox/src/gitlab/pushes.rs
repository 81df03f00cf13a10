//! Pushes: a branch or tag moved, so webhooks tell of it, merge requests follow, and a pipeline starts.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::{Call, Outcome};
use super::pipelines::Start;
use super::projects::Project;
use super::world::{World, merge, stamp};
use crate::history;

/// Where a branch was before it was made, and is after it was deleted.
pub(super) const NOTHING: &str = "0000000000000000000000000000000000000000";

/// A push tells of no more commits than these.
const LONGEST: usize = 20;

/// A branch was moved, as the project's events show it.
#[derive(Clone, Debug)]
pub(super) struct PushEvent {
    id: u64,
    branch: String,
    before: Option<String>,
    after: Option<String>,
    by: u64,
    at: Timestamp,
}

impl World {
    /// A push from one commit to another; nothing where the ref was not, or is no more.
    pub(super) fn push_payload(
        &self,
        project: &Project,
        (reference, before, after): (&str, Option<&str>, Option<&str>),
        by: u64,
    ) -> Value {
        let is_tag = reference.starts_with("refs/tags/");
        let default = project.branches.get(&project.default_branch);
        let pushed = match (before, after) {
            (_, None) => Vec::new(),
            (Some(before), Some(after)) if before == after => {
                history::in_order(&self.commits, std::iter::once(after))
            }
            (Some(before), Some(after)) => history::between(&self.commits, before, after),
            (None, Some(after)) if is_tag => {
                history::in_order(&self.commits, std::iter::once(after))
            }
            (None, Some(after)) => {
                history::between(&self.commits, default.map_or("", String::as_str), after)
            }
        };
        let total = pushed.len();
        let told = pushed.iter().skip(total.saturating_sub(LONGEST));
        let told: Vec<Value> = told
            .map(|commit| {
                let mut shown = self.commit_attributes(project, &commit.sha);
                let mut files = (Vec::new(), Vec::new(), Vec::new());
                for file in &commit.files {
                    match file.split_once(" => ") {
                        Some((old, new)) => {
                            files.0.push(new);
                            files.2.push(old);
                        }
                        None => files.1.push(file.as_str()),
                    }
                }
                let more = json!({ "added": files.0, "modified": files.1, "removed": files.2 });
                merge(&mut shown, more);
                shown
            })
            .collect();
        let person = self.people.get(&by);
        let kind = if is_tag { "tag_push" } else { "push" };
        json!({
            "object_kind": kind,
            "event_name": kind,
            "before": before.unwrap_or(NOTHING),
            "after": after.unwrap_or(NOTHING),
            "ref": reference,
            "ref_protected": reference.ends_with(&format!("/{}", project.default_branch)),
            "checkout_sha": after,
            "user_id": by,
            "user_name": person.map(|person| &person.name),
            "user_username": person.map(|person| &person.username),
            "user_email": "",
            "user_avatar": null,
            "project_id": project.id,
            "project": self.project_attributes(project),
            "repository": self.repository_attributes(project),
            "commits": told,
            "total_commits_count": total,
        })
    }

    /// Tells of a branch that moved, moves the merge requests from it, and starts a pipeline.
    pub(super) fn pushed(&mut self, project: u64, branch: &str, before: Option<&str>, by: u64) {
        let after = self.branch_head(project, branch);
        let reference = format!("refs/heads/{branch}");
        let Some(found) = self.projects.get(&project) else {
            return;
        };
        let payload = self.push_payload(found, (&reference, before, after.as_deref()), by);
        let plan = found.plan.clone();
        let (id, at) = (self.next_id(), self.now());
        let event = PushEvent {
            id,
            branch: branch.to_owned(),
            before: before.map(str::to_owned),
            after: after.clone(),
            by,
            at,
        };
        if let Some(found) = self.projects.get_mut(&project) {
            found.pushes.push(event);
        }
        self.tell("push_events", project, payload);
        let Some(after) = after else {
            return;
        };
        self.follow_branch(project, branch, &after, by);
        let commit = self.commits.get(&after);
        let message = commit.map_or("", |commit| commit.message.as_str());
        let is_skipped = ["[skip ci]", "[ci skip]"]
            .iter()
            .any(|mark| message.to_ascii_lowercase().contains(mark));
        let start = Start {
            sha: after.clone(),
            before: before.unwrap_or(NOTHING).to_owned(),
            reference: branch.to_owned(),
            source: "push".to_owned(),
            user: by,
            ..Start::default()
        };
        if !is_skipped {
            self.start(project, start, &plan);
        } else if let Some(skipped) = self.begin(project, start) {
            // A pipeline that is there, and has nothing to do.
            self.proceed(project, skipped);
        }
    }

    /// `GET /projects/:id/events`, of which only pushes to branches are shown.
    pub(super) fn list_events(&self, call: &Call, project: &Project) -> Outcome {
        let asked = call.asked("action");
        let word = |event: &PushEvent| match (&event.before, &event.after) {
            (None, _) => "created",
            (_, None) => "deleted",
            _ => "pushed",
        };
        let wanted = |event: &&PushEvent| asked.is_none_or(|action| action == word(event));
        let found = project.pushes.iter().rev().filter(wanted).collect();
        call.list(found, |event: &PushEvent| {
            let author = self.person_json(event.by);
            json!({
                "id": event.id,
                "project_id": project.id,
                "action_name": match word(event) { "pushed" => "pushed to", other => other },
                "target_id": null,
                "target_iid": null,
                "target_type": null,
                "author_id": event.by,
                "target_title": null,
                "created_at": stamp(event.at),
                "author": author,
                "imported": false,
                "imported_from": "none",
                "push_data": {
                    "commit_count": 1,
                    "action": word(event),
                    "ref_type": "branch",
                    "commit_from": event.before,
                    "commit_to": event.after,
                    "ref": event.branch,
                    "commit_title": null,
                    "ref_count": null,
                },
                "author_username": author["username"],
            })
        })
    }

    pub(super) fn tagged(&mut self, project: u64, tag: &str, sha: &str, by: u64) {
        let Some(found) = self.projects.get_mut(&project) else {
            return;
        };
        let before = found.tags.insert(tag.to_owned(), sha.to_owned());
        let reference = format!("refs/tags/{tag}");
        let Some(found) = self.projects.get(&project) else {
            return;
        };
        let payload = self.push_payload(found, (&reference, before.as_deref(), Some(sha)), by);
        let plan = found.plan.clone();
        self.tell("tag_push_events", project, payload);
        let start = Start {
            sha: sha.to_owned(),
            before: NOTHING.to_owned(),
            reference: tag.to_owned(),
            is_tag: true,
            source: "push".to_owned(),
            user: by,
            ..Start::default()
        };
        self.start(project, start, &plan);
    }
}
