//! Methods: which code answers each, and those that only look something up.

use serde_json::{Value, json};

use super::error::{self, fail};
use super::world::World;
use super::{APP, BOT, TEAM};
use crate::desk::{Answer, Outcome};

pub(super) fn ok(mut body: Value) -> Outcome {
    body["ok"] = true.into();
    Ok(Answer::json(200, body))
}

/// A text that must be there and not be empty.
pub(super) fn required<'v>(arguments: &'v Value, field: &str) -> Result<&'v str, Answer> {
    let text = arguments[field].as_str().filter(|text| !text.is_empty());
    text.ok_or_else(|| error::missing(field))
}

impl World {
    pub(super) fn answer(&mut self, method: &str, arguments: &Value) -> Outcome {
        match method {
            "auth.test" => ok(json!({
                "url": "https://acme.slack.com/", "team": "acme", "user": "countersign",
                "team_id": TEAM, "user_id": BOT, "bot_id": "B0COUNTERSIGN",
                "is_enterprise_install": self.is_org_wide,
            })),
            "chat.postMessage" => self.post_message(arguments),
            "chat.postEphemeral" => self.post_ephemeral(arguments),
            "chat.update" => self.update_message(arguments),
            "chat.delete" => self.delete_message(arguments),
            "reactions.add" => self.add_reaction(arguments),
            "users.info" => self.user_info(arguments),
            "usergroups.users.list" => self.list_group(arguments),
            "views.open" => self.open_view(arguments),
            "views.update" => self.update_view(arguments),
            "apps.connections.open" => {
                let ticket = self.secret("ticket");
                let url = format!("ws://{}/link?ticket={ticket}&app_id={APP}", self.address);
                self.tickets.insert(ticket);
                ok(json!({ "url": url }))
            }
            _ => fail("unknown_method"),
        }
    }

    fn user_info(&self, arguments: &Value) -> Outcome {
        let user = required(arguments, "user")?;
        if !self.users.contains_key(user) {
            return fail("user_not_found");
        }
        ok(json!({ "user": self.user_json(user) }))
    }

    fn list_group(&self, arguments: &Value) -> Outcome {
        let group = required(arguments, "usergroup")?;
        match self.groups.get(group) {
            Some(users) => ok(json!({ "users": users })),
            None => fail("no_such_subteam"),
        }
    }

    fn add_reaction(&mut self, arguments: &Value) -> Outcome {
        let channel = required(arguments, "channel")?.to_owned();
        let ts = required(arguments, "timestamp")?.to_owned();
        let name = required(arguments, "name")?;
        if self.channel_id(&channel, false).is_none() {
            return fail("channel_not_found");
        }
        let is_name = name
            .chars()
            .all(|it| it.is_ascii_alphanumeric() || "_+-'".contains(it));
        if !is_name {
            return fail("invalid_name");
        }
        let message = self.messages.get_mut(&(channel, ts));
        let Some(message) = message.filter(|message| message.ephemeral_to.is_none()) else {
            return fail("message_not_found");
        };
        let given = (name.to_owned(), BOT.to_owned());
        if message.reactions.contains(&given) {
            return fail("already_reacted");
        }
        message.reactions.push(given);
        ok(json!({}))
    }
}
