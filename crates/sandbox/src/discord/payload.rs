//! An interaction as Discord writes it.

use serde_json::{Value, json};

use super::interactions::Kind;
use super::world::{APPLICATION_ID, World};

/// Options that name a user, a channel or a role by its id.
const USER: u64 = 6;
const CHANNEL: u64 = 7;
const ROLE: u64 = 8;

impl World {
    /// By whom the application was let in here.
    pub(super) fn owners(&self, channel: u64) -> Value {
        match self
            .channels
            .get(&channel)
            .and_then(|channel| channel.guild)
        {
            Some(guild) => json!({ "0": guild.to_string() }),
            None => json!({ "0": "0" }),
        }
    }

    /// The whole of it, with the part that says what was done.
    pub(super) fn payload(&self, id: u64, data: Value) -> Value {
        let Some(interaction) = self.interactions.get(&id) else {
            return Value::Null;
        };
        let user = interaction.user;
        let mut payload = json!({
            "id": id.to_string(),
            "application_id": APPLICATION_ID.to_string(),
            "type": interaction.kind as u64,
            "token": interaction.token,
            "version": 1,
            "entitlements": [],
        });
        if interaction.kind == Kind::Ping {
            payload["app_permissions"] = "562949953601536".into();
            payload["authorizing_integration_owners"] = json!({});
            payload["user"] = self.user_json(user);
            return payload;
        }
        payload["data"] = data;
        payload["locale"] = "en-US".into();
        payload["attachment_size_limit"] = 10_485_760.into();
        payload["entitlement_sku_ids"] = json!([]);
        payload["authorizing_integration_owners"] = self.owners(interaction.channel);
        payload["channel_id"] = interaction.channel.to_string().into();
        if let Some(channel) = self.channels.get(&interaction.channel) {
            payload["channel"] = self.channel_json(channel);
            match channel.guild {
                Some(guild) => {
                    payload["context"] = 0.into();
                    payload["guild_id"] = guild.to_string().into();
                    payload["guild_locale"] = "en-US".into();
                    payload["guild"] = json!({
                        "id": guild.to_string(), "locale": "en-US", "features": [],
                    });
                    payload["member"] = self.member_json(guild, user);
                    let permissions = self.permissions(guild, user);
                    payload["channel"]["permissions"] = permissions.to_string().into();
                    let permissions = self.permissions(guild, APPLICATION_ID);
                    payload["app_permissions"] = permissions.to_string().into();
                }
                None => {
                    payload["context"] = 1.into();
                    payload["user"] = self.user_json(user);
                    payload["app_permissions"] = "562949953601536".into();
                }
            }
        }
        if let Some(message) = interaction.message {
            payload["message"] = self.message_json(message);
        }
        payload
    }

    /// Whom and what the options name, spelt out.
    pub(super) fn resolved(&self, guild: Option<u64>, options: &[Value]) -> Value {
        let mut resolved = json!({});
        for option in options {
            let Some(id) = option["value"]
                .as_str()
                .and_then(|id| id.parse::<u64>().ok())
            else {
                continue;
            };
            let key = id.to_string();
            match option["type"].as_u64() {
                Some(USER) => {
                    resolved["users"][&key] = self.user_json(id);
                    if let Some(guild) = guild {
                        let mut member = self.member_json(guild, id);
                        if let Some(fields) = member.as_object_mut() {
                            // They stand beside it.
                            fields.remove("user");
                        }
                        resolved["members"][&key] = member;
                    }
                }
                Some(CHANNEL) => {
                    if let Some(channel) = self.channels.get(&id) {
                        resolved["channels"][&key] = self.channel_json(channel);
                    }
                }
                Some(ROLE) => {
                    let guild = guild.and_then(|guild| self.guilds.get(&guild));
                    if let Some(role) = guild.and_then(|guild| guild.roles.get(&id)) {
                        resolved["roles"][&key] = json!({
                            "id": key, "name": role.name, "permissions": role.permissions.to_string(),
                        });
                    }
                }
                _ => {}
            }
        }
        resolved
    }
}
