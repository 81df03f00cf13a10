//! Deliveries and what became of them, as the app may ask, and the one way to have one again.

use std::time::Duration;

use serde_json::{Value, json};

use super::call::{Answer, Call, Outcome};
use super::hooks::{PENDING, Record};
use super::world::{World, stamp};
use countersign_ground::clock;

/// As long as GitHub keeps a delivery.
const KEPT: Duration = Duration::from_secs(3 * 24 * 3_600);

impl World {
    fn record_json(record: &Record) -> Value {
        json!({
            "id": record.id,
            "guid": record.parcel.guid,
            "delivered_at": stamp(record.delivered_at),
            "redelivery": record.is_redelivery,
            "duration": 0.03,
            "status": record.status,
            "status_code": record.status_code,
            "event": record.parcel.event,
            "action": record.parcel.action,
            "installation_id": record.installation,
            "repository_id": record.repository,
            "throttled_at": null,
        })
    }

    /// `GET /app/hook/deliveries`, newest first, paged by a cursor.
    pub(super) fn list_deliveries(&self, call: &Call) -> Outcome {
        Self::only_app(call)?;
        let per_page = call.number("per_page").unwrap_or(30).clamp(1, 100);
        let from: Option<u64> = match call.asked("cursor") {
            Some(cursor) => {
                let id = cursor.strip_prefix("v1_").and_then(|id| id.parse().ok());
                Some(id.ok_or_else(|| Answer::message(400, "Invalid cursor"))?)
            }
            None => None,
        };
        let now = self.now();
        let wanted = |record: &&Record| {
            record.parcel.is_of_app
                // What is still on its way is not listed yet.
                && record.status != PENDING
                && clock::later(record.delivered_at, KEPT) > now
                && from.is_none_or(|from| record.id <= from)
                && match call.asked("status") {
                    Some("success") => (200..400).contains(&record.status_code),
                    Some("failure") => (400..600).contains(&record.status_code),
                    Some(_) | None => true,
                }
        };
        let mut newest_first = self.hooks.records.iter().rev().filter(wanted);
        let shown: Vec<Value> = newest_first
            .by_ref()
            .take(per_page)
            .map(Self::record_json)
            .collect();
        let mut answer = Answer::new(200, Value::Array(shown));
        if let Some(next) = newest_first.next() {
            let cursor = [("cursor", format!("v1_{}", next.id))];
            answer.headers.push(("link", call.link("next", &cursor)));
        }
        Ok(answer)
    }

    /// `POST /app/hook/deliveries/{id}/attempts`: the same body again, under the same GUID.
    pub(super) fn redeliver(&mut self, call: &Call, id: &str) -> Outcome {
        Self::only_app(call)?;
        let wanted: u64 = id.parse().map_err(|_| Answer::not_found())?;
        let now = self.now();
        let mut records = self.hooks.records.iter();
        let found = records.find(|one| {
            one.id == wanted && one.parcel.is_of_app && clock::later(one.delivered_at, KEPT) > now
        });
        let mut record = found.cloned().ok_or_else(Answer::not_found)?;
        record.id = self.next_id();
        record.parcel.record = record.id;
        record.is_redelivery = true;
        record.delivered_at = self.now();
        PENDING.clone_into(&mut record.status);
        record.status_code = 0;
        // The address and the secret are today's.
        let listener = self
            .hooks
            .listeners
            .iter()
            .find(|one| one.repository.is_none());
        if let Some(listener) = listener {
            record.parcel.readdress(listener);
        }
        self.hooks.records.push(record.clone());
        match &mut self.hooks.held {
            Some(held) => held.push(record.parcel),
            None => self.hooks.post(&record.parcel),
        }
        Ok(Answer::new(202, json!({})))
    }
}
