//! Emoji that people award to merge requests and notes, each once.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::{Answer, Call, Outcome};
use super::projects::Project;
use super::world::{Need, World, spoken, stamp};
use super::{GitLab, lock};

#[derive(Clone, Debug)]
pub(super) struct Award {
    id: u64,
    name: String,
    user: u64,
    to: Awardable,
    made_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awardable {
    /// By its iid.
    MergeRequest(u64),
    Note(u64),
}

impl GitLab {
    /// The emoji on a note, in the order in which they came.
    pub fn reactions(&self, project: &str, note: u64) -> Vec<String> {
        let world = lock(&self.world);
        let found = world.project_named(project);
        let awards = found.into_iter().flat_map(|found| found.awards.values());
        awards
            .filter(|award| award.to == Awardable::Note(note))
            .map(|award| award.name.clone())
            .collect()
    }

    /// A person awards an emoji to a note; its number, or nothing where they have already.
    pub async fn award(&self, person: &str, project: &str, note: u64, name: &str) -> Option<u64> {
        let mut world = lock(&self.world);
        let (project, person) = (world.id_of(project), world.person(person));
        world.award(project, Awardable::Note(note), (person, name))
    }

    /// Takes an emoji back.
    pub async fn revoke(&self, project: &str, award: u64) {
        let mut world = lock(&self.world);
        let project = world.id_of(project);
        world.revoke(project, award);
    }
}

impl World {
    fn award(&mut self, project: u64, to: Awardable, (user, name): (u64, &str)) -> Option<u64> {
        let (id, made_at) = (self.next_id(), self.now());
        let found = self.projects.get_mut(&project)?;
        let mut known = found.awards.values();
        if known.any(|one| one.to == to && one.user == user && one.name == name) {
            return None;
        }
        let award = Award {
            id,
            name: name.to_owned(),
            user,
            to,
            made_at,
        };
        found.awards.insert(id, award);
        self.award_event(project, id, "award");
        Some(id)
    }

    fn revoke(&mut self, project: u64, id: u64) {
        self.award_event(project, id, "revoke");
        if let Some(found) = self.projects.get_mut(&project) {
            found.awards.remove(&id);
        }
    }

    fn award_event(&mut self, project: u64, id: u64, action: &str) {
        let Some(found) = self.projects.get(&project) else {
            return;
        };
        let Some(award) = found.awards.get(&id) else {
            return;
        };
        let note = match award.to {
            Awardable::Note(note) => found.notes.get(&note),
            Awardable::MergeRequest(_) => None,
        };
        let iid = match award.to {
            Awardable::MergeRequest(iid) => iid,
            Awardable::Note(_) => note.map_or(0, |note| note.iid),
        };
        let about = found.merge_requests.get(&iid);
        let (kind, awardable) = self.awardable(found, award.to);
        let anchor = note.map_or(String::new(), |note| format!("#note_{}", note.id));
        let mut payload = json!({
            "object_kind": "emoji",
            "event_type": action,
            "user": self.user_attributes(award.user),
            "project_id": project,
            "project": self.project_attributes(found),
            "object_attributes": {
                "user_id": award.user,
                "created_at": spoken(award.made_at),
                "id": award.id,
                "name": award.name,
                "awardable_type": kind,
                "awardable_id": awardable,
                "updated_at": spoken(award.made_at),
                "action": action,
                "awarded_on_url": format!("{}{anchor}", self.merge_request_url(found, iid)),
            },
        });
        if let Some(note) = note {
            payload["note"] = self.note_attributes(found, note);
        }
        if let Some(about) = about {
            payload["merge_request"] = self.merge_request_attributes(found, about);
        }
        self.tell("emoji_events", project, payload);
    }

    /// What GitLab calls it, and its number.
    fn awardable(&self, project: &Project, to: Awardable) -> (&'static str, u64) {
        match to {
            Awardable::Note(note) => ("Note", note),
            Awardable::MergeRequest(iid) => {
                let found = project.merge_requests.get(&iid);
                ("MergeRequest", found.map_or(0, |found| found.id))
            }
        }
    }

    fn award_json(&self, project: &Project, award: &Award) -> Value {
        let (kind, awardable) = self.awardable(project, award.to);
        json!({
            "id": award.id,
            "name": award.name,
            "user": self.person_json(award.user),
            "created_at": stamp(award.made_at),
            "updated_at": stamp(award.made_at),
            "awardable_id": awardable,
            "awardable_type": kind,
            "url": null,
        })
    }

    fn awarded(project: &Project, iid: &str, note: Option<&str>) -> Result<Awardable, Answer> {
        match note {
            Some(note) => Ok(Awardable::Note(Self::find_note(project, iid, note)?.id)),
            None => {
                let iid = Self::find_merge_request(project, iid)?.iid;
                Ok(Awardable::MergeRequest(iid))
            }
        }
    }

    /// `GET /projects/:id/merge_requests/:iid[/notes/:note_id]/award_emoji`
    pub(super) fn list_awards(
        &self,
        call: &Call,
        project: &Project,
        (iid, note): (&str, Option<&str>),
    ) -> Outcome {
        let to = Self::awarded(project, iid, note)?;
        let found = project.awards.values().filter(|award| award.to == to);
        call.list(found.collect(), |award| self.award_json(project, award))
    }

    /// `POST /projects/:id/merge_requests/:iid[/notes/:note_id]/award_emoji`
    pub(super) fn post_award(
        &mut self,
        call: &Call,
        project: &str,
        (iid, note): (&str, Option<&str>),
    ) -> Outcome {
        let found = self.reach(call, project, Need::Sight)?;
        let who = call.who.ok_or_else(Answer::unauthorized)?;
        let to = Self::awarded(found, iid, note)?;
        let name = call.required("name")?;
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let refused = |why: &str| Answer::message(404, &format!("404 Award Emoji {why} Not Found"));
        if !name.bytes().all(is_name) {
            return Err(refused("Name is not a valid emoji name"));
        }
        let project = found.id;
        let id = self
            .award(project, to, (who, name))
            .ok_or_else(|| refused("Name has already been taken"))?;
        let found = self.projects.get(&project).ok_or_else(Answer::nowhere)?;
        let award = found.awards.get(&id).ok_or_else(Answer::nowhere)?;
        Answer::created(self.award_json(found, award))
    }

    /// `DELETE /projects/:id/merge_requests/:iid[/notes/:note_id]/award_emoji/:award_id`
    pub(super) fn delete_award(
        &mut self,
        call: &Call,
        project: &str,
        (iid, note, id): (&str, Option<&str>, &str),
    ) -> Outcome {
        let found = self.reach(call, project, Need::Sight)?;
        let who = call.who.ok_or_else(Answer::unauthorized)?;
        let to = Self::awarded(found, iid, note)?;
        let award = id.parse().ok().and_then(|id| found.awards.get(&id));
        let award = award.filter(|award| award.to == to);
        let award = award.ok_or_else(|| Answer::message(404, "404 Not found"))?;
        if award.user != who {
            return Err(Answer::unauthorized());
        }
        let (project, award) = (found.id, award.id);
        self.revoke(project, award);
        Answer::nothing()
    }
}
