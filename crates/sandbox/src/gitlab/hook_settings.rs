//! Webhooks as their owners see them: settings, tests, and how GitLab stops calling those that fail.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::{Answer, Call, Content, Outcome};
use super::hooks::{EVENTS, Listener, Place};
use super::projects::Project;
use super::signing;
use super::world::{MAINTAINER, Need, World, stamp};

/// So many failures in a row are nothing.
const PATIENCE: u32 = 3;
/// After so many it is over until a test succeeds.
const LAST: u32 = 40;
const FIRST_PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);

impl Listener {
    pub(super) fn is_executable(&self, now: Timestamp) -> bool {
        self.alert_status(now) == "executable"
    }

    fn alert_status(&self, now: Timestamp) -> &'static str {
        if self.failures >= LAST {
            "disabled"
        } else if self.disabled_until.is_some_and(|until| until > now) {
            "temporarily_disabled"
        } else {
            "executable"
        }
    }

    /// How a delivery went.
    pub(super) fn remember(&mut self, is_fine: bool, now: Timestamp) {
        if is_fine {
            self.failures = 0;
            self.disabled_until = None;
            return;
        }
        self.failures += 1;
        if self.failures >= LAST {
            self.disabled_until = None;
        } else if let Some(pauses) = self.failures.checked_sub(PATIENCE + 1) {
            let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(pauses));
            self.disabled_until = now.checked_add(pause.min(LONGEST_PAUSE)).ok();
        }
    }
}

impl World {
    fn hook_json(&self, listener: &Listener) -> Value {
        let project = match listener.place {
            Place::Project(id) => Some(id),
            Place::Group(_) => None,
        };
        let now = self.now();
        let mut shown = json!({
            "id": listener.id,
            "url": listener.url,
            "name": null,
            "description": null,
            "created_at": stamp(listener.made_at),
            "repository_update_events": false,
            "enable_ssl_verification": true,
            "alert_status": listener.alert_status(now),
            "disabled_until": Self::when(listener.disabled_until.filter(|until| *until > now)),
            "url_variables": [],
            "push_events_branch_filter": null,
            "branch_filter_strategy": "wildcard",
            "custom_webhook_template": null,
            "custom_headers": [],
            "project_id": project,
            "issues_events": false,
            "confidential_issues_events": false,
            "confidential_note_events": false,
            "wiki_page_events": false,
            "feature_flag_events": false,
            "resource_access_token_events": false,
            "vulnerability_events": false,
        });
        for (flag, _) in EVENTS {
            shown[flag] = listener.events.contains(flag).into();
        }
        if self.is_at_least(19, 0) {
            shown["token_present"] = (!listener.token.is_empty()).into();
            shown["signing_token_present"] = listener.signing_token.is_some().into();
        }
        shown
    }

    fn hooks_of(&self, project: u64) -> impl Iterator<Item = &Listener> {
        let here = Place::Project(project);
        let all = self.hooks.listeners.values();
        all.filter(move |listener| listener.place == here)
    }

    pub(super) fn find_hook(&self, project: u64, id: &str) -> Result<&Listener, Answer> {
        let id = id.parse().unwrap_or(0);
        let found = self.hooks_of(project).find(|listener| listener.id == id);
        found.ok_or_else(|| Answer::message(404, "404 Not found"))
    }

    /// `GET /projects/:id/hooks[/:hook_id]`
    pub(super) fn look_at_hooks(&self, call: &Call, project: &str, rest: &[&str]) -> Outcome {
        let project = self.reach(call, project, Need::Level(MAINTAINER))?.id;
        match rest {
            [] => call.list(self.hooks_of(project).collect(), |one| self.hook_json(one)),
            [id] => Answer::ok(self.hook_json(self.find_hook(project, id)?)),
            _ => Err(Answer::nowhere()),
        }
    }

    /// `POST /projects/:id/hooks`
    pub(super) fn post_hook(&mut self, call: &Call, project: &str) -> Outcome {
        let project = self.reach_id(call, project, Need::Level(MAINTAINER))?;
        let url = call.required("url")?;
        if !url.starts_with("http") {
            return Err(Answer::message(422, "Invalid url given"));
        }
        // Pushes are told of unless the owner says otherwise.
        let events = BTreeSet::from(["push_events".to_owned()]);
        let listener = self.new_listener(url, events, Place::Project(project));
        let listener = self.settle(call, listener)?;
        let shown = self.hook_json(&listener);
        self.hooks.listeners.insert(listener.id, listener);
        Answer::created(shown)
    }

    /// `PUT /projects/:id/hooks/:hook_id`
    pub(super) fn put_hook(&mut self, call: &Call, project: &str, id: &str) -> Outcome {
        let project = self.reach_id(call, project, Need::Level(MAINTAINER))?;
        let mut listener = self.find_hook(project, id)?.clone();
        if let Some(url) = call.text("url") {
            url.clone_into(&mut listener.url);
        }
        let listener = self.settle(call, listener)?;
        let shown = self.hook_json(&listener);
        self.hooks.listeners.insert(listener.id, listener);
        Answer::ok(shown)
    }

    /// The settings that a call names. Where signing is not known, its token goes unheard.
    fn settle(&self, call: &Call, mut listener: Listener) -> Result<Listener, Answer> {
        for (flag, _) in EVENTS {
            match call.flag(flag) {
                Some(true) => drop(listener.events.insert(flag.to_owned())),
                Some(false) => drop(listener.events.remove(flag)),
                None => {}
            }
        }
        if let Some(token) = call.text("token") {
            token.clone_into(&mut listener.token);
        }
        match call
            .text("signing_token")
            .filter(|_| self.is_at_least(19, 0))
        {
            Some(token) if !signing::is_token(token) => {
                let text = "Signing token must start with whsec_ and hold 32 bytes in base64";
                return Err(Answer::message(422, text));
            }
            Some(token) => listener.signing_token = Some(token.to_owned()),
            None => {}
        }
        Ok(listener)
    }

    /// `DELETE /projects/:id/hooks/:hook_id`
    pub(super) fn delete_hook(&mut self, call: &Call, project: &str, id: &str) -> Outcome {
        let project = self.reach_id(call, project, Need::Level(MAINTAINER))?;
        let id = self.find_hook(project, id)?.id;
        self.hooks.listeners.remove(&id);
        Answer::nothing()
    }

    /// `POST /projects/:id/hooks/:hook_id/test/:trigger`
    pub(super) fn test_hook(
        &mut self,
        call: &Call,
        project: &str,
        (id, trigger): (&str, &str),
    ) -> Outcome {
        let project = self.reach_id(call, project, Need::Level(MAINTAINER))?;
        let listener = self.find_hook(project, id)?.clone();
        if !EVENTS.iter().any(|(flag, _)| *flag == trigger) {
            let text = "trigger does not have a valid value";
            return Err(Answer::error(400, text));
        }
        let told = self.told_last(project, trigger).cloned();
        let found = self.projects.get(&project).ok_or_else(Answer::nowhere)?;
        let sample = match trigger {
            "push_events" => Some(self.sample_push(found, call.who.unwrap_or(0))),
            _ => told,
        };
        let sample = sample.ok_or_else(|| {
            let what = trigger.trim_end_matches("_events").replace('_', " ");
            Answer::message(422, &format!("Ensure the project has {what}s."))
        })?;
        let (event, key) = (self.uuid(), self.uuid());
        let parcel = self.pack(&listener, (trigger, &event), (&key, &sample));
        let mut answer = Answer::new(201, Content::Json(json!({ "message": "201 Created" })));
        answer.errand = Some(Box::new(parcel));
        Ok(answer)
    }

    /// A push as tests of webhooks tell it: the newest commit of the default branch.
    fn sample_push(&self, project: &Project, by: u64) -> Value {
        let branch = &project.default_branch;
        let head = project.branches.get(branch).map(String::as_str);
        self.push_payload(project, (&format!("refs/heads/{branch}"), head, head), by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_until_a_day_and_then_it_is_over() {
        let mut listener = Listener {
            id: 1,
            url: String::new(),
            token: String::new(),
            signing_token: None,
            events: BTreeSet::new(),
            place: Place::Project(1),
            made_at: Timestamp::UNIX_EPOCH,
            failures: 0,
            disabled_until: None,
        };
        let now = Timestamp::UNIX_EPOCH;
        let mut pauses = Vec::new();
        for _ in 0..40 {
            listener.remember(false, now);
            pauses.push(listener.disabled_until.map_or(0, Timestamp::as_second));
        }
        assert_eq!(pauses[..6], [0, 0, 0, 60, 120, 240]);
        assert_eq!(pauses[13..15], [61_440, 86_400]);
        assert_eq!(listener.alert_status(now), "disabled");
        listener.remember(true, now);
        assert_eq!(listener.alert_status(now), "executable");
    }
}
