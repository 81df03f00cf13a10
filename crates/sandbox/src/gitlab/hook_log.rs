//! Logs of webhooks: what became of each delivery. GitLab repeats none by itself; the owner of a webhook may
//! look here and have one sent again.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::call::{Answer, Call, Content, Outcome};
use super::hooks::{Parcel, heading};
use super::world::{MAINTAINER, Need, World};
use super::{GitLab, lock};

/// The log goes back so far.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// One attempt.
#[derive(Clone, Debug)]
pub(super) struct Record {
    id: u64,
    parcel: Parcel,
    /// The status of the answer, or why there was none.
    outcome: Result<u16, String>,
    at: Timestamp,
}

impl Record {
    fn word(&self) -> String {
        match &self.outcome {
            Ok(code) => code.to_string(),
            Err(_) => "internal error".to_owned(),
        }
    }

    /// Whether it has this status, or one of this kind.
    fn is(&self, status: &str) -> bool {
        let first = self.outcome.as_ref().map_or(0, |code| code / 100);
        match status {
            "successful" => first == 2,
            "client_failure" => first == 4,
            "server_failure" => first == 5,
            code => self.word() == code,
        }
    }

    fn json(&self) -> Value {
        let headers: Map<String, Value> = self
            .parcel
            .headers
            .iter()
            .map(|(name, value)| match name.as_str() {
                "X-Gitlab-Token" => (name.clone(), "[REDACTED]".into()),
                _ => (name.clone(), value.clone().into()),
            })
            .collect();
        let trigger = heading(&self.parcel.flag).to_ascii_lowercase();
        json!({
            "id": self.id,
            "url": self.parcel.url,
            "trigger": format!("{}s", trigger.replace(' ', "_")),
            "request_headers": headers,
            "request_data": serde_json::from_str(&self.parcel.body).unwrap_or(Value::Null),
            "response_headers": {},
            "response_body": self.outcome.as_ref().err(),
            "execution_duration": 0.01,
            "response_status": self.word(),
        })
    }
}

impl GitLab {
    /// Idempotency key and outcome of every attempt, oldest first.
    pub fn deliveries(&self) -> Vec<(String, String)> {
        let world = lock(&self.world);
        let records = world.hooks.records.iter();
        records
            .map(|record| (record.parcel.key.clone(), record.word()))
            .collect()
    }
}

impl World {
    /// Writes down how a delivery went.
    pub(super) fn record(&mut self, parcel: &Parcel, outcome: Result<u16, String>) {
        let (id, at) = (self.next_id(), self.now());
        let is_fine = matches!(outcome, Ok(200..=399));
        self.hooks.remember(parcel.listener, is_fine, at);
        self.hooks.records.push(Record {
            id,
            parcel: parcel.clone(),
            outcome,
            at,
        });
    }

    /// `GET /projects/:id/hooks/:hook_id/events`
    pub(super) fn hook_events(&self, call: &Call, project: &str, id: &str) -> Outcome {
        let project = self.reach(call, project, Need::Level(MAINTAINER))?.id;
        let id = self.find_hook(project, id)?.id;
        if !self.is_at_least(17, 3) {
            return Err(Answer::nowhere());
        }
        if call.number("per_page").is_some_and(|number| number > 20) {
            let text = "per_page does not have a valid value";
            return Err(Answer::error(400, text));
        }
        let asked = call.asked_all("status");
        let statuses: Vec<&str> = asked.iter().flat_map(|text| text.split(',')).collect();
        let kinds = ["successful", "client_failure", "server_failure"];
        let is_known = |status: &&str| {
            let code = status.parse::<u16>();
            kinds.contains(status) || code.is_ok_and(|code| (100..=511).contains(&code))
        };
        if !statuses.iter().all(is_known) {
            let text = "status does not have a valid value";
            return Err(Answer::error(400, text));
        }
        let oldest = self.now().checked_sub(KEPT).unwrap_or(Timestamp::MIN);
        let wanted = |record: &&Record| {
            record.parcel.listener == id
                && record.at >= oldest
                && (statuses.is_empty() || statuses.iter().any(|status| record.is(status)))
        };
        let found = self.hooks.records.iter().rev().filter(wanted);
        call.list(found.collect(), Record::json)
    }

    /// `POST /projects/:id/hooks/:hook_id/events/:hook_log_id/resend`
    pub(super) fn resend(
        &mut self,
        call: &Call,
        project: &str,
        (hook, id): (&str, &str),
    ) -> Outcome {
        let project = self.reach_id(call, project, Need::Level(MAINTAINER))?;
        let listener = self.find_hook(project, hook)?.clone();
        if !self.is_at_least(17, 4) {
            return Err(Answer::nowhere());
        }
        let id = id.parse().unwrap_or(0);
        let mut records = self.hooks.records.iter();
        let known = records.find(|one| one.id == id && one.parcel.listener == listener.id);
        let known = known.ok_or_else(|| Answer::message(404, "404 Not found"))?;
        let Parcel {
            flag,
            event,
            key,
            body,
            ..
        } = known.parcel.clone();
        let payload = serde_json::from_str(&body).unwrap_or(Value::Null);
        // The same in a new wrapping: to where the webhook leads now, and under its first key.
        let parcel = self.pack(&listener, (&flag, &event), (&key, &payload));
        let mut answer = Answer::new(201, Content::Json(json!({ "response_status": 200 })));
        answer.errand = Some(Box::new(parcel));
        Ok(answer)
    }
}
