//! Payloads that the app hears, as Slack writes them.

use serde_json::{Value, json};

use super::chat::Message;
use super::views::View;
use super::world::World;
use super::{APP, TEAM};

const ENTERPRISE: &str = "E0ACME";

impl World {
    /// The fields of a command.
    pub(super) fn command_fields(
        &mut self,
        user: &str,
        channel: &str,
        (command, text): (&str, &str),
    ) -> Vec<(String, String)> {
        let name = self
            .channels
            .get(channel)
            .map(|channel| channel.name.clone());
        let url = self.response_url(user, channel, None);
        let trigger = self.trigger(user);
        let mut fields = vec![
            ("token", "deprecated".to_owned()),
            ("team_id", TEAM.to_owned()),
            ("team_domain", "acme".to_owned()),
            ("channel_id", channel.to_owned()),
            ("channel_name", name.unwrap_or_default()),
            ("user_id", user.to_owned()),
            (
                "user_name",
                self.users.get(user).cloned().unwrap_or_default(),
            ),
            ("command", command.to_owned()),
            ("text", text.to_owned()),
            ("api_app_id", APP.to_owned()),
            ("is_enterprise_install", self.is_org_wide.to_string()),
        ];
        if self.is_org_wide {
            fields.push(("enterprise_id", ENTERPRISE.to_owned()));
            fields.push(("enterprise_name", "Acme".to_owned()));
        }
        fields.push(("response_url", url));
        fields.push(("trigger_id", trigger));
        let owned = |(name, value): (&str, String)| (name.to_owned(), value);
        fields.into_iter().map(owned).collect()
    }

    /// What every payload has.
    fn payload(&mut self, kind: &str, user: &str) -> Value {
        let name = self.users.get(user).cloned();
        let home = self.homes.get(user).map_or(TEAM, String::as_str).to_owned();
        let (team, enterprise) = if self.is_org_wide {
            (Value::Null, json!({ "id": ENTERPRISE, "name": "Acme" }))
        } else {
            (json!({ "id": TEAM, "domain": "acme" }), Value::Null)
        };
        json!({
            "type": kind, "api_app_id": APP, "token": "deprecated", "team": team,
            "enterprise": enterprise, "is_enterprise_install": self.is_org_wide,
            "user": { "id": user, "username": name, "name": name, "team_id": home },
            "trigger_id": self.trigger(user),
        })
    }

    /// A click on an element of a message. The content of an ephemeral message is not told.
    pub(super) fn click_payload(
        &mut self,
        user: &str,
        message: &Message,
        (block, element): (&str, &Value),
    ) -> Value {
        let mut payload = self.payload("block_actions", user);
        let is_ephemeral = message.ephemeral_to.is_some();
        let name = self
            .channels
            .get(&message.channel)
            .map(|channel| channel.name.clone());
        payload["channel"] = json!({ "id": message.channel, "name": name });
        payload["container"] = json!({
            "type": "message", "message_ts": message.ts, "channel_id": message.channel,
            "is_ephemeral": is_ephemeral,
        });
        if !is_ephemeral {
            payload["message"] = self.message_json(message);
        }
        payload["state"] = json!({ "values": {} });
        let url = self.response_url(user, &message.channel, Some(&message.ts));
        payload["response_url"] = url.into();
        let mut action = json!({
            "type": element["type"], "block_id": block, "action_id": element["action_id"],
            "action_ts": self.next_ts(),
        });
        for part in ["text", "value", "url", "style"] {
            if !element[part].is_null() {
                action[part] = element[part].clone();
            }
        }
        payload["actions"] = json!([action]);
        payload
    }

    pub(super) fn view_payload(
        &mut self,
        kind: &str,
        user: &str,
        (view, state): (&View, &Value),
    ) -> Value {
        let mut payload = self.payload(kind, user);
        payload["view"] = view.json(state);
        if kind == "view_closed" {
            payload["is_cleared"] = false.into();
            if let Some(fields) = payload.as_object_mut() {
                fields.remove("trigger_id");
            }
        } else {
            payload["response_urls"] = json!([]);
        }
        payload
    }
}
