//! Notes on merge requests: those of people, and those that GitLab writes itself.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::{Answer, Call, Outcome};
use super::projects::Project;
use super::world::{Need, World, merge, spoken, stamp};
use super::{GitLab, lock};
use countersign_ground::digest;

/// Commands of GitLab's own that are commands of ours, too.
const QUICK_ACTIONS: [&str; 5] = ["approve", "lock", "unlock", "status", "unlink"];

/// A note that was written through the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub id: u64,
    pub project: String,
    /// The merge request.
    pub iid: u64,
    pub body: String,
}

#[derive(Clone, Debug)]
pub(super) struct Note {
    pub(super) id: u64,
    pub(super) iid: u64,
    pub(super) body: String,
    pub(super) author: u64,
    pub(super) is_system: bool,
    came_through_api: bool,
    written_at: Timestamp,
    edited_at: Timestamp,
}

impl GitLab {
    /// What was written through the API, in order.
    pub fn comments(&self) -> Vec<Written> {
        let world = lock(&self.world);
        let projects = world.projects.values();
        let mut written: Vec<Written> = projects
            .flat_map(|project| {
                let ours = project.notes.values().filter(|note| note.came_through_api);
                ours.map(|note| Written {
                    id: note.id,
                    project: project.path.clone(),
                    iid: note.iid,
                    body: note.body.clone(),
                })
            })
            .collect();
        written.sort_by_key(|note| note.id);
        written
    }

    /// A note that was there before any webhook listened.
    pub fn add_comment(&self, project: &str, iid: u64, username: &str, body: &str) -> u64 {
        let mut world = lock(&self.world);
        let (project, author) = (world.id_of(project), world.person(username));
        world.write(project, iid, author, body)
    }
}

impl World {
    pub(super) fn write(&mut self, project: u64, iid: u64, author: u64, body: &str) -> u64 {
        let (id, now) = (self.next_id(), self.now());
        let note = Note {
            id,
            iid,
            body: body.to_owned(),
            author,
            is_system: false,
            came_through_api: false,
            written_at: now,
            edited_at: now,
        };
        if let Some(found) = self.projects.get_mut(&project) {
            found.notes.insert(id, note);
        }
        id
    }

    /// GitLab's own notes; webhooks do not tell of them.
    pub(super) fn note(&mut self, project: u64, iid: u64, by: u64, text: &str) {
        let id = self.write(project, iid, by, text);
        let found = self.projects.get_mut(&project);
        if let Some(note) = found.and_then(|found| found.notes.get_mut(&id)) {
            note.is_system = true;
        }
    }

    pub(super) fn edit(&mut self, project: u64, id: u64, body: &str) -> bool {
        let now = self.now();
        let found = self.projects.get_mut(&project);
        let Some(note) = found.and_then(|found| found.notes.get_mut(&id)) else {
            return false;
        };
        body.clone_into(&mut note.body);
        note.edited_at = now;
        true
    }

    fn note_url(&self, project: &Project, note: &Note) -> String {
        let url = self.merge_request_url(project, note.iid);
        format!("{url}#note_{}", note.id)
    }

    /// As webhooks show a note.
    pub(super) fn note_attributes(&self, project: &Project, note: &Note) -> Value {
        let about = project.merge_requests.get(&note.iid);
        json!({
            "id": note.id,
            "note": note.body,
            "description": note.body,
            "noteable_type": "MergeRequest",
            "noteable_id": about.map(|about| about.id),
            "author_id": note.author,
            "created_at": spoken(note.written_at),
            "updated_at": spoken(note.edited_at),
            "project_id": project.id,
            "attachment": null,
            "line_code": null,
            "commit_id": "",
            "discussion_id": discussion(note.id),
            "system": note.is_system,
            "st_diff": null,
            "url": self.note_url(project, note),
        })
    }

    pub(super) fn note_event(&mut self, project: u64, id: u64, action: &str, by: u64) {
        let Some(found) = self.projects.get(&project) else {
            return;
        };
        let Some(note) = found.notes.get(&id) else {
            return;
        };
        let mut attributes = self.note_attributes(found, note);
        attributes["action"] = action.into();
        let about = found.merge_requests.get(&note.iid);
        let payload = json!({
            "object_kind": "note",
            "event_type": "note",
            "user": self.user_attributes(by),
            "project_id": project,
            "project": self.project_attributes(found),
            "repository": self.repository_brief(found),
            "object_attributes": attributes,
            "merge_request": about.map(|about| self.merge_request_attributes(found, about)),
        });
        self.tell("note_events", project, payload);
    }

    fn note_json(&self, project: &Project, note: &Note) -> Value {
        let about = project.merge_requests.get(&note.iid);
        let mut shown = json!({
            "id": note.id,
            "type": null,
            "body": note.body,
            "author": self.person_json(note.author),
            "created_at": stamp(note.written_at),
            "updated_at": stamp(note.edited_at),
            "system": note.is_system,
            "noteable_id": about.map(|about| about.id),
            "noteable_type": "MergeRequest",
            "project_id": project.id,
        });
        let more = json!({
            "resolvable": false,
            "confidential": false,
            "internal": false,
            "imported": false,
            "imported_from": "none",
            "noteable_iid": note.iid,
            "commands_changes": {},
        });
        merge(&mut shown, more);
        shown
    }

    /// `GET /projects/:id/merge_requests/:iid/notes`
    pub(super) fn list_notes(&self, call: &Call, project: &Project, iid: &str) -> Outcome {
        let iid = Self::find_merge_request(project, iid)?.iid;
        let mut found: Vec<&Note> = project
            .notes
            .values()
            .filter(|note| note.iid == iid)
            .collect();
        if call.asked("order_by") == Some("updated_at") {
            found.sort_by_key(|note| (note.edited_at, note.id));
        }
        if call.asked("sort") != Some("asc") {
            found.reverse();
        }
        call.list(found, |note| self.note_json(project, note))
    }

    pub(super) fn find_note<'p>(
        project: &'p Project,
        iid: &str,
        id: &str,
    ) -> Result<&'p Note, Answer> {
        let iid = Self::find_merge_request(project, iid)?.iid;
        let found = id.parse().ok().and_then(|id| project.notes.get(&id));
        let found = found.filter(|note| note.iid == iid);
        found.ok_or_else(|| Answer::message(404, "404 Note Not Found"))
    }

    /// `GET /projects/:id/merge_requests/:iid/notes/:note_id`
    pub(super) fn get_note(&self, project: &Project, iid: &str, id: &str) -> Outcome {
        let note = Self::find_note(project, iid, id)?;
        Answer::ok(self.note_json(project, note))
    }

    /// `POST /projects/:id/merge_requests/:iid/notes`
    pub(super) fn post_note(&mut self, call: &Call, project: &str, iid: &str) -> Outcome {
        let found = self.reach(call, project, Need::Sight)?;
        let who = call.who.ok_or_else(Answer::unauthorized)?;
        let (project, iid) = (found.id, Self::find_merge_request(found, iid)?.iid);
        let id = self.write(project, iid, who, call.required("body")?);
        let found = self.projects.get_mut(&project);
        if let Some(note) = found.and_then(|found| found.notes.get_mut(&id)) {
            note.came_through_api = true;
        }
        self.note_event(project, id, "create", who);
        let found = self.projects.get(&project).ok_or_else(Answer::nowhere)?;
        let note = found.notes.get(&id).ok_or_else(Answer::nowhere)?;
        Answer::created(self.note_json(found, note))
    }

    /// `PUT /projects/:id/merge_requests/:iid/notes/:note_id`
    pub(super) fn put_note(
        &mut self,
        call: &Call,
        project: &str,
        (iid, id): (&str, &str),
    ) -> Outcome {
        let found = self.reach(call, project, Need::Sight)?;
        let who = call.who.ok_or_else(Answer::unauthorized)?;
        let note = Self::find_note(found, iid, id)?;
        if note.author != who || note.is_system {
            return Err(Answer::forbidden());
        }
        let (project, id) = (found.id, note.id);
        self.edit(project, id, call.required("body")?);
        self.note_event(project, id, "update", who);
        let found = self.projects.get(&project).ok_or_else(Answer::nowhere)?;
        let note = found.notes.get(&id).ok_or_else(Answer::nowhere)?;
        Answer::ok(self.note_json(found, note))
    }
}

/// GitLab carries out lines that begin with a command of its own, and takes them away.
pub(super) fn without_quick_actions(text: &str) -> String {
    let is_taken = |line: &&str| {
        let word = line.split(' ').next().unwrap_or_default();
        let word = word.strip_prefix('/').unwrap_or_default();
        QUICK_ACTIONS
            .iter()
            .any(|taken| taken.eq_ignore_ascii_case(word))
    };
    let kept: Vec<&str> = text.lines().filter(|line| !is_taken(line)).collect();
    kept.join("\n")
}

fn discussion(note: u64) -> String {
    digest::sha256_hex(format!("discussion {note}").as_bytes())[..40].to_owned()
}
