//! Acts of people on GitLab: they push, open, merge, write. Each act changes the world and tells about it.

use serde_json::json;

use super::merge_acts::Join;
use super::{GitLab, NewCommit, lock};

impl GitLab {
    /// The last one's committer pushes commits onto a branch; the last one's SHA. A pipeline starts.
    pub async fn push(&self, project: &str, branch: &str, commits: Vec<NewCommit>) -> String {
        let last = commits.last().and_then(|new| new.committer.clone());
        let pusher = last.as_deref().unwrap_or("ann").to_owned();
        self.push_as(&pusher, project, branch, commits).await
    }

    /// A person pushes what others may have written; ann does for those who are not known.
    pub async fn push_as(
        &self,
        person: &str,
        project: &str,
        branch: &str,
        commits: Vec<NewCommit>,
    ) -> String {
        let mut world = lock(&self.world);
        let id = world.id_of(project);
        let before = world.branch_head(id, branch);
        let pusher = match world.person(person) {
            0 => world.person("ann"),
            known => known,
        };
        for new in commits {
            world.commit(id, branch, new);
        }
        world.pushed(id, branch, before.as_deref(), pusher);
        world.branch_head(id, branch).unwrap_or_default()
    }

    /// Points a branch at another commit, whatever was there. The pusher is ann.
    pub async fn force_push(&self, project: &str, branch: &str, sha: &str) {
        let mut world = lock(&self.world);
        let (id, pusher) = (world.id_of(project), world.person("ann"));
        let before = world.branch_head(id, branch);
        world.point(id, branch, sha);
        world.pushed(id, branch, before.as_deref(), pusher);
    }

    pub async fn delete_branch(&self, project: &str, branch: &str) {
        let mut world = lock(&self.world);
        let (id, pusher) = (world.id_of(project), world.person("ann"));
        let before = world.branch_head(id, branch);
        if let Some(found) = world.projects.get_mut(&id) {
            found.branches.remove(branch);
        }
        world.pushed(id, branch, before.as_deref(), pusher);
    }

    /// A person tags a commit. A pipeline starts.
    pub async fn tag(&self, project: &str, tag: &str, sha: &str, by: &str) {
        let mut world = lock(&self.world);
        let (id, by) = (world.id_of(project), world.person(by));
        world.tagged(id, tag, sha, by);
    }

    /// A release of a tag is published.
    pub async fn publish_release(&self, project: &str, tag: &str) {
        let mut world = lock(&self.world);
        let id = world.id_of(project);
        world.release_event(id, tag, "create");
    }

    /// Opens a merge request from one branch to another; its iid.
    pub async fn open_merge_request(
        &self,
        project: &str,
        by: &str,
        source: &str,
        target: &str,
    ) -> u64 {
        let mut world = lock(&self.world);
        let (id, by) = (world.id_of(project), world.person(by));
        let found = world.projects.get(&id);
        let last = found.and_then(|found| found.merge_requests.keys().next_back().copied());
        let iid = last.unwrap_or(0) + 1;
        world.open(id, iid, by, (source, target));
        world.merge_request_event((id, iid), "open", by, json!({}));
        iid
    }

    /// Merges with a merge commit; its SHA.
    pub async fn merge(&self, project: &str, iid: u64, by: &str) -> String {
        self.join(project, iid, by, Join::Merge)
    }

    /// Merges as one new commit of the author's, and a merge commit on top; the latter's SHA.
    pub async fn squash(&self, project: &str, iid: u64, by: &str) -> String {
        self.join(project, iid, by, Join::Squash)
    }

    /// Moves the target branch forward and makes no commit; the SHA that it has then.
    pub async fn fast_forward(&self, project: &str, iid: u64, by: &str) -> String {
        self.join(project, iid, by, Join::FastForward)
    }

    fn join(&self, project: &str, iid: u64, by: &str, how: Join) -> String {
        let mut world = lock(&self.world);
        let (id, by) = (world.id_of(project), world.person(by));
        world.join(id, iid, by, how).unwrap_or_default()
    }

    pub async fn close(&self, project: &str, iid: u64, by: &str) {
        let mut world = lock(&self.world);
        let now = world.now();
        world.change_merge_request((project, iid), by, "close", |one| {
            one.closed_at = Some(now);
            json!({ "state_id": { "previous": 1, "current": 2 } })
        });
    }

    pub async fn reopen(&self, project: &str, iid: u64, by: &str) {
        lock(&self.world).change_merge_request((project, iid), by, "reopen", |one| {
            one.closed_at = None;
            json!({ "state_id": { "previous": 2, "current": 1 } })
        });
    }

    pub async fn convert_to_draft(&self, project: &str, iid: u64, by: &str) {
        self.set_draft(project, iid, by, true);
    }

    pub async fn ready_for_review(&self, project: &str, iid: u64, by: &str) {
        self.set_draft(project, iid, by, false);
    }

    fn set_draft(&self, project: &str, iid: u64, by: &str, is_draft: bool) {
        lock(&self.world).change_merge_request((project, iid), by, "update", |one| {
            let before = one.shown_title();
            one.is_draft = is_draft;
            json!({
                "title": { "previous": before, "current": one.shown_title() },
                "draft": { "previous": !is_draft, "current": is_draft },
            })
        });
    }

    /// One person approves a merge request, which is not yet all that its rules may ask for.
    pub async fn approve_merge_request(&self, person: &str, project: &str, iid: u64) {
        let mut world = lock(&self.world);
        let (id, by) = (world.id_of(project), world.person(person));
        world.note(id, iid, by, "approved this merge request");
        world.change_merge_request((project, iid), person, "approval", |_| json!({}));
    }

    /// A person writes a note on a merge request; its number, or 0 where GitLab's own commands were all of it.
    pub async fn comment(&self, person: &str, project: &str, iid: u64, text: &str) -> u64 {
        let text = &super::notes::without_quick_actions(text);
        if text.trim().is_empty() {
            return 0;
        }
        let mut world = lock(&self.world);
        let (project, person) = (world.id_of(project), world.person(person));
        let id = world.write(project, iid, person, text);
        world.note_event(project, id, "create", person);
        id
    }

    pub async fn edit_comment(&self, person: &str, project: &str, id: u64, text: &str) {
        let mut world = lock(&self.world);
        let (project, person) = (world.id_of(project), world.person(person));
        if world.edit(project, id, text) {
            world.note_event(project, id, "update", person);
        }
    }

    /// No webhook tells of it.
    pub async fn delete_comment(&self, project: &str, id: u64) {
        self.change_project(project, |found| drop(found.notes.remove(&id)));
    }
}
