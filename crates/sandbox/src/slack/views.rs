//! Views: forms that the app opens before a user who has just done something.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::blocks;
use super::error::{self, fail};
use super::methods::{ok, required};
use super::world::World;
use super::{APP, BOT, TEAM};
use crate::desk::{Answer, Outcome};
use countersign_ground::clock::later;

/// How long a trigger opens something.
const TRIGGER: Duration = Duration::from_secs(3);

/// What a user did, as a reason to open a view.
#[derive(Clone, Debug)]
pub(super) struct Trigger {
    user: String,
    at: Timestamp,
    is_used: bool,
}

/// A view that is open before a user.
#[derive(Clone, Debug)]
pub struct View {
    pub id: String,
    pub user: String,
    pub hash: String,
    /// As the app described it, its blocks with their ids.
    pub body: Value,
}

impl View {
    pub(super) fn blocks(&self) -> impl Iterator<Item = &Value> {
        self.body["blocks"].as_array().into_iter().flatten()
    }

    pub(super) fn json(&self, state: &Value) -> Value {
        let body = &self.body;
        let text = |field: &str| body[field].as_str().unwrap_or_default();
        json!({
            "id": self.id, "team_id": TEAM, "app_id": APP, "app_installed_team_id": TEAM,
            "bot_id": BOT, "type": body["type"], "title": body["title"],
            "submit": body["submit"], "close": body["close"], "blocks": body["blocks"],
            "private_metadata": text("private_metadata"), "callback_id": text("callback_id"),
            "external_id": text("external_id"), "hash": self.hash, "root_view_id": self.id,
            "previous_view_id": null, "clear_on_close": body["clear_on_close"] == true,
            "notify_on_close": body["notify_on_close"] == true, "state": { "values": state },
        })
    }
}

impl World {
    /// A trigger for what a user does now.
    pub(super) fn trigger(&mut self, user: &str) -> String {
        let id = format!("{}.{TEAM}.{}", self.next_id(), self.secret("trigger"));
        let trigger = Trigger {
            user: user.to_owned(),
            at: self.now(),
            is_used: false,
        };
        self.triggers.insert(id.clone(), trigger);
        id
    }

    /// `views.open`.
    pub(super) fn open_view(&mut self, arguments: &Value) -> Outcome {
        let trigger = required(arguments, "trigger_id")?;
        if arguments["view"].is_null() {
            return Err(error::missing("view"));
        }
        let blocks = blocks::of_view(&arguments["view"])?;
        let now = self.now();
        let Some(trigger) = self.triggers.get_mut(trigger) else {
            return fail("invalid_trigger_id");
        };
        if trigger.is_used {
            return fail("exchanged_trigger_id");
        }
        if now > later(trigger.at, TRIGGER) {
            return fail("expired_trigger_id");
        }
        trigger.is_used = true;
        let user = trigger.user.clone();
        let view = self.show(None, &user, &arguments["view"], blocks);
        ok(json!({ "view": view.json(&json!({})) }))
    }

    /// `views.update`.
    pub(super) fn update_view(&mut self, arguments: &Value) -> Outcome {
        if arguments["view"].is_null() {
            return Err(error::missing("view"));
        }
        let external = arguments["external_id"].as_str();
        let known = match (arguments["view_id"].as_str(), external) {
            (Some(id), _) => self.views.get(id),
            (None, Some(external)) => {
                let mut all = self.views.values();
                all.find(|view| view.body["external_id"] == external)
            }
            (None, None) => return Err(error::missing("view_id")),
        };
        let Some(known) = known.cloned() else {
            return fail("not_found");
        };
        let hash = arguments["hash"].as_str();
        if hash.is_some_and(|hash| hash != known.hash) {
            return fail("hash_conflict");
        }
        let blocks = blocks::of_view(&arguments["view"])?;
        let view = self.show(Some(known.id), &known.user, &arguments["view"], blocks);
        ok(json!({ "view": view.json(&json!({})) }))
    }

    /// Puts a view before a user, in place of another where there is one.
    pub(super) fn show(
        &mut self,
        id: Option<String>,
        user: &str,
        body: &Value,
        blocks: Vec<Value>,
    ) -> View {
        let id = id.unwrap_or_else(|| format!("V{}", self.next_id()));
        let mut body = body.clone();
        body["blocks"] = blocks.into();
        let view = View {
            id: id.clone(),
            user: user.to_owned(),
            hash: self.secret("hash"),
            body,
        };
        self.views.insert(id, view.clone());
        view
    }

    /// A view that answers another view.
    pub(super) fn replace_view(&mut self, view: &View, body: &Value) -> Result<View, Answer> {
        let blocks = blocks::of_view(body)?;
        Ok(self.show(Some(view.id.clone()), &view.user, body, blocks))
    }
}
