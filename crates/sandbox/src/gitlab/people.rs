//! People and groups: the number behind a username, whatever it says today, and what people may do where.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::call::{Answer, Call, Outcome};
use super::projects::Project;
use super::world::{World, is_within, merge, stamp};
use super::{GitLab, lock};

#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) id: u64,
    pub(super) username: String,
    pub(super) name: String,
    pub(super) email: String,
    /// Their address is on no page.
    pub(super) hides_email: bool,
    pub(super) is_blocked: bool,
    /// Too many wrong passwords.
    is_locked: bool,
    /// Where they are members, they wait to be let in.
    is_awaiting: bool,
    /// The first day on which they are no members any more, although GitLab has not taken them out yet.
    leaves_on: Option<String>,
    is_bot: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) id: u64,
    pub(super) full_path: String,
    /// By person, how much they may do.
    pub(super) members: BTreeMap<u64, u8>,
}

/// What people do outside of projects. Unknown names are left alone.
impl GitLab {
    /// Their address is their username at example.com, and every page shows it.
    pub fn add_person(&self, id: u64, username: &str) {
        lock(&self.world).add_person(id, username);
    }

    /// The id stays; the old username is free from now on.
    pub fn rename_person(&self, id: u64, username: &str) {
        if let Some(person) = lock(&self.world).people.get_mut(&id) {
            username.clone_into(&mut person.username);
        }
    }

    /// The account is gone.
    pub fn delete_person(&self, id: u64) {
        let mut world = lock(&self.world);
        world.people.remove(&id);
        for group in world.groups.values_mut() {
            group.members.remove(&id);
        }
        for project in world.projects.values_mut() {
            project.members.remove(&id);
        }
    }

    /// Their page shows no address any more, or shows it again.
    pub fn hide_email(&self, username: &str, is_hidden: bool) {
        self.change_person(username, |person| person.hides_email = is_hidden);
    }

    /// GitLab does not let them in any more; they stay where they are members.
    pub fn block_person(&self, username: &str, is_blocked: bool) {
        self.change_person(username, |person| person.is_blocked = is_blocked);
    }

    pub fn lock_person(&self, username: &str, is_locked: bool) {
        self.change_person(username, |person| person.is_locked = is_locked);
    }

    /// Where the person is a member, an administrator has not let them in yet.
    pub fn let_await(&self, username: &str, is_awaiting: bool) {
        self.change_person(username, |person| person.is_awaiting = is_awaiting);
    }

    /// From this day on (`2026-03-02`) the person is no member any more.
    pub fn let_leave(&self, username: &str, day: Option<&str>) {
        self.change_person(username, |person| person.leaves_on = day.map(str::to_owned));
    }

    /// An account of a machine.
    pub fn make_bot(&self, username: &str) {
        self.change_person(username, |person| person.is_bot = true);
    }

    fn change_person(&self, username: &str, change: impl FnOnce(&mut Person)) {
        let mut world = lock(&self.world);
        let id = world.person(username);
        if let Some(person) = world.people.get_mut(&id) {
            change(person);
        }
    }

    /// A group, or one within another: `acme/sre`.
    pub fn add_group(&self, id: u64, full_path: &str) {
        lock(&self.world).add_group(id, full_path);
    }

    pub fn rename_group(&self, id: u64, full_path: &str) {
        let mut world = lock(&self.world);
        let Some(group) = world.groups.get_mut(&id) else {
            return;
        };
        let former = std::mem::replace(&mut group.full_path, full_path.to_owned());
        let moved = |path: &mut String| {
            if is_within(path, &former) {
                path.replace_range(..former.len(), full_path);
            }
        };
        for group in world.groups.values_mut() {
            moved(&mut group.full_path);
        }
        for project in world.projects.values_mut() {
            moved(&mut project.path);
        }
    }

    pub fn delete_group(&self, id: u64) {
        lock(&self.world).groups.remove(&id);
    }

    /// Puts a person into a group with so much access, also for all below it; `None` takes them out.
    pub fn set_member(&self, group: u64, username: &str, level: Option<u8>) {
        let mut world = lock(&self.world);
        let Some(person) = world.person_named(username).map(|person| person.id) else {
            return;
        };
        if let Some(group) = world.groups.get_mut(&group) {
            give(&mut group.members, person, level);
        }
    }

    /// Gives so much access to a project; `None` takes it away.
    pub fn set_access(&self, project: &str, username: &str, level: Option<u8>) {
        let mut world = lock(&self.world);
        let Some(person) = world.person_named(username).map(|person| person.id) else {
            return;
        };
        let project = world.id_of(project);
        if let Some(project) = world.projects.get_mut(&project) {
            give(&mut project.members, person, level);
        }
    }
}

fn give(members: &mut BTreeMap<u64, u8>, person: u64, level: Option<u8>) {
    match level {
        Some(level) => drop(members.insert(person, level)),
        None => drop(members.remove(&person)),
    }
}

impl World {
    pub(super) fn add_person(&mut self, id: u64, username: &str) {
        let mut letters = username.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        let person = Person {
            id,
            username: username.to_owned(),
            name: first.into_iter().chain(letters).collect(),
            email: format!("{username}@example.com"),
            hides_email: false,
            is_blocked: false,
            is_locked: false,
            is_awaiting: false,
            leaves_on: None,
            is_bot: false,
        };
        self.people.insert(id, person);
    }

    pub(super) fn add_group(&mut self, id: u64, full_path: &str) {
        let group = Group {
            id,
            full_path: full_path.to_owned(),
            members: BTreeMap::new(),
        };
        self.groups.insert(id, group);
    }

    pub(super) fn person_named(&self, username: &str) -> Option<&Person> {
        self.people
            .values()
            .find(|person| person.username.eq_ignore_ascii_case(username))
    }

    /// Their number; zero where there is no such person.
    pub(super) fn person(&self, username: &str) -> u64 {
        self.person_named(username).map_or(0, |person| person.id)
    }

    pub(super) fn person_with(&self, email: &str) -> Option<&Person> {
        self.people.values().find(|person| person.email == email)
    }

    /// As most answers show a person.
    pub(super) fn person_json(&self, id: u64) -> Value {
        let Some(person) = self.people.get(&id) else {
            return Value::Null;
        };
        json!({
            "id": id,
            "username": person.username,
            "name": person.name,
            "state": if person.is_blocked { "blocked" } else { "active" },
            "locked": person.is_locked,
            "avatar_url": null,
            "web_url": format!("{}/{}", self.url, person.username),
        })
    }

    fn profile(&self, person: &Person) -> Value {
        let mut profile = self.person_json(person.id);
        let more = json!({
            "public_email": if person.hides_email { "" } else { &person.email }, "created_at": "2024-01-01T08:00:00.000Z",
            "bio": "", "location": "", "skype": "", "linkedin": "", "twitter": "", "discord": "",
            "website_url": "", "organization": "", "job_title": "", "pronouns": null,
            "bot": person.is_bot, "work_information": null, "local_time": null,
            "followers": 0, "following": 0, "is_followed": false,
        });
        merge(&mut profile, more);
        profile
    }

    /// As webhooks show a person.
    pub(super) fn user_attributes(&self, id: u64) -> Value {
        let Some(person) = self.people.get(&id) else {
            return Value::Null;
        };
        json!({
            "id": id,
            "name": person.name,
            "username": person.username,
            "avatar_url": null,
            "email": "[REDACTED]",
        })
    }

    /// `GET /user`
    pub(super) fn who_am_i(&self, call: &Call) -> Outcome {
        let person = call.who.and_then(|who| self.people.get(&who));
        let person = person.ok_or_else(Answer::unauthorized)?;
        let mut profile = self.profile(person);
        let more = json!({
            "email": person.email, "commit_email": person.email, "is_admin": false,
            "can_create_group": false, "can_create_project": false, "two_factor_enabled": true,
            "external": false, "private_profile": false, "last_sign_in_at": null,
            "confirmed_at": "2024-01-01T08:00:00.000Z", "current_sign_in_at": null,
            "last_activity_on": null, "projects_limit": 0, "identities": [],
            "color_scheme_id": 1, "theme_id": 1,
        });
        merge(&mut profile, more);
        Answer::ok(profile)
    }

    /// `GET /users/:id`
    pub(super) fn get_person(&self, id: &str) -> Outcome {
        let person = id.parse().ok().and_then(|id| self.people.get(&id));
        Answer::ok(self.profile(person.ok_or_else(|| Answer::not_found("User"))?))
    }

    /// `GET /users`
    pub(super) fn list_people(&self, call: &Call) -> Outcome {
        let wanted = |person: &&Person| {
            let named = call
                .asked("username")
                .is_none_or(|name| person.username.eq_ignore_ascii_case(name));
            // A hidden address finds no account.
            let found = call.asked("search").is_none_or(|text| {
                let is_address = !person.hides_email && person.email.eq_ignore_ascii_case(text);
                is_address || person.username.contains(text) || person.name.contains(text)
            });
            let active = call.asked("active") != Some("true") || !person.is_blocked;
            let blocked = call.asked("blocked") != Some("true") || person.is_blocked;
            named && found && active && blocked
        };
        let mut found: Vec<&Person> = self.people.values().filter(wanted).collect();
        found.reverse();
        call.list(found, |person| self.person_json(person.id))
    }

    fn group(&self, call: &Call, text: &str) -> Result<&Group, Answer> {
        let found = match text.parse() {
            Ok(id) => self.groups.get(&id),
            Err(_) => self
                .groups
                .values()
                .find(|group| group.full_path.eq_ignore_ascii_case(text)),
        };
        let group = found.ok_or_else(|| Answer::not_found("Group"))?;
        match call.who {
            Some(_) => Ok(group),
            None => Err(Answer::unauthorized()),
        }
    }

    /// `GET /groups/:id`
    pub(super) fn get_group(&self, call: &Call, text: &str) -> Outcome {
        let group = self.group(call, text)?;
        let path = &group.full_path;
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = self
            .groups
            .values()
            .find(|group| group.full_path == parent)
            .map(|group| group.id);
        Answer::ok(json!({
            "id": group.id,
            "web_url": format!("{}/groups/{path}", self.url),
            "name": name,
            "path": name,
            "description": "",
            "visibility": "public",
            "full_name": path.replace('/', " / "),
            "full_path": path,
            "parent_id": parent,
            "avatar_url": null,
            "created_at": "2024-01-01T08:00:00.000Z",
        }))
    }

    fn member_json(&self, person: u64, level: u8) -> Value {
        let mut member = self.person_json(person);
        let known = self.people.get(&person);
        let is_awaiting = known.is_some_and(|known| known.is_awaiting);
        let state = if is_awaiting { "awaiting" } else { "active" };
        let more = json!({
            "access_level": level,
            "created_at": stamp(self.now()),
            "expires_at": known.and_then(|known| known.leaves_on.as_deref()),
            "membership_state": state,
        });
        merge(&mut member, more);
        member
    }

    /// All members, with the most that they may do.
    fn everybody(&self, project: Option<&Project>, namespace: &str) -> BTreeMap<u64, u8> {
        let groups = self.groups.values();
        let above = groups.filter(|group| is_within(namespace, &group.full_path));
        let own = project.into_iter().flat_map(|project| &project.members);
        let mut all = BTreeMap::new();
        for (person, level) in above.flat_map(|group| &group.members).chain(own) {
            let known = all.entry(*person).or_insert(*level);
            *known = (*known).max(*level);
        }
        all
    }

    fn show_members(&self, call: &Call, members: BTreeMap<u64, u8>) -> Outcome {
        call.list(members.into_iter().collect(), |(person, level)| {
            self.member_json(person, level)
        })
    }

    fn show_member(&self, members: &BTreeMap<u64, u8>, person: &str) -> Outcome {
        let person = person.parse().map_err(|_| {
            let text = "user_id is invalid";
            Answer::error(400, text)
        })?;
        let level = members.get(&person);
        let level = level.ok_or_else(|| Answer::message(404, "404 Not found"))?;
        Answer::ok(self.member_json(person, *level))
    }

    /// `GET /projects/:id/members[/all][/:user_id]`
    pub(super) fn members(&self, call: &Call, project: &Project, rest: &[&str]) -> Outcome {
        if call.who.is_none() {
            return Err(Answer::unauthorized());
        }
        match rest {
            [] => self.show_members(call, project.members.clone()),
            ["all"] => self.show_members(call, self.everybody(Some(project), project.namespace())),
            ["all", person] => {
                self.show_member(&self.everybody(Some(project), project.namespace()), person)
            }
            [person] => self.show_member(&project.members, person),
            _ => Err(Answer::nowhere()),
        }
    }

    /// `GET /groups/:id/members[/all][/:user_id]`
    pub(super) fn group_members(&self, call: &Call, text: &str, rest: &[&str]) -> Outcome {
        let group = self.group(call, text)?;
        match rest {
            [] => self.show_members(call, group.members.clone()),
            ["all"] => self.show_members(call, self.everybody(None, &group.full_path)),
            ["all", person] => self.show_member(&self.everybody(None, &group.full_path), person),
            [person] => self.show_member(&group.members, person),
            _ => Err(Answer::nowhere()),
        }
    }
}
