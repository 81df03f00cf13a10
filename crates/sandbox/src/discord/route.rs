//! Routes: which call is answered by which code, after it was let in: a user agent, a token where one is
//! needed, the limits, a body that can be read.

use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{Value, json};

use super::Shared;
use super::error;
use super::limits::Route;
use super::world::{APPLICATION_ID, World};
use crate::desk::{self, Answer, Asked, Outcome};
use crate::lock;
use countersign_ground::digest;

/// One call as the world sees it.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: String,
    query: Vec<(String, String)>,
    /// Null where there is none.
    pub(super) body: Value,
}

impl Call {
    pub(super) fn asked(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_default()
    }
}

pub(super) async fn enter(State(shared): State<Shared>, request: Request) -> Response {
    let Some(asked) = Asked::read(request).await else {
        return desk::response(error::error(413, 40_005, "Request entity too large"));
    };
    let act = || lock(&shared.world).serve(&asked);
    desk::meet(&shared.desk, &asked, error::planned, act).await
}

impl World {
    fn serve(&mut self, asked: &Asked) -> Answer {
        let answer = match self.admit(asked) {
            Ok(answer) | Err(answer) => answer,
        };
        if matches!(answer.status, 401 | 403 | 429) {
            self.limits.invalid += 1;
        }
        answer
    }

    fn admit(&mut self, asked: &Asked) -> Outcome {
        let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
        let ["api", "v10", path @ ..] = path.as_slice() else {
            return Err(error::no_such_route());
        };
        if !asked.header("user-agent").starts_with("DiscordBot (") {
            return Err(error::error(403, 40_333, "internal network error"));
        }
        let needs_bot = !matches!(path, ["webhooks", _, _, ..] | ["interactions", ..]);
        if needs_bot && asked.header("authorization") != format!("Bot {}", self.token) {
            return Err(error::unauthorized());
        }
        let now = self.now();
        let route = Route::of(&asked.method, path);
        let headers = self.limits.admit(now, &route, needs_bot)?;
        let mut answer = match self.read(asked).and_then(|call| self.route(&call, path)) {
            Ok(answer) | Err(answer) => answer,
        };
        answer.headers.extend(headers);
        Ok(answer)
    }

    fn read(&self, asked: &Asked) -> Result<Call, Answer> {
        let body = if asked.bytes.is_empty() {
            Value::Null
        } else if asked
            .content_type()
            .eq_ignore_ascii_case("application/json")
        {
            let unreadable =
                |_| error::error(400, 50_109, "The request body contains invalid JSON.");
            serde_json::from_slice(&asked.bytes).map_err(unreadable)?
        } else {
            let text = "Expected \"Content-Type\" header to be one of {'application/json'}.";
            return Err(error::error(400, 50_035, text));
        };
        Ok(Call {
            method: asked.method.clone(),
            query: asked.query.clone(),
            body,
        })
    }

    fn route(&mut self, call: &Call, path: &[&str]) -> Outcome {
        match (call.method.as_str(), path) {
            ("GET", ["users", "@me"]) => Ok(Answer::json(200, self.me())),
            ("GET", ["applications", "@me"]) => Ok(Answer::json(200, self.application())),
            ("GET", ["guilds", id]) => self.get_guild(id),
            ("GET", ["guilds", guild, "members", user]) => self.get_member(guild, user),
            ("GET", ["channels", id]) => {
                let channel = self.channel(id)?;
                Ok(Answer::json(200, self.channel_json(channel)))
            }
            ("POST", ["channels", channel, "messages"]) => self.post_message(call, channel),
            ("GET", ["channels", channel, "messages"]) => self.list_messages(call, channel),
            ("GET", ["channels", channel, "messages", id]) => self.get_message(channel, id),
            ("PATCH", ["channels", channel, "messages", id]) => {
                self.patch_message(call, channel, id)
            }
            ("DELETE", ["channels", channel, "messages", id]) => self.delete_message(channel, id),
            ("POST", ["channels", channel, "messages", id, "threads"]) => {
                self.post_thread(call, channel, id)
            }
            (_, ["applications", application, "commands"]) => {
                self.serve_commands(call, application, None, None)
            }
            (_, ["applications", application, "commands", id]) => {
                self.serve_commands(call, application, None, Some(id))
            }
            (_, ["applications", application, "guilds", guild, "commands"]) => {
                self.serve_commands(call, application, Some(guild), None)
            }
            (_, ["applications", application, "guilds", guild, "commands", id]) => {
                self.serve_commands(call, application, Some(guild), Some(id))
            }
            ("POST", ["interactions", id, token, "callback"]) => self.callback(call, id, token),
            ("POST", ["webhooks", application, token]) => self.follow_up(call, application, token),
            (_, ["webhooks", application, token, "messages", id]) => {
                self.serve_webhook(call, application, token, id)
            }
            _ => Err(error::no_such_route()),
        }
    }

    fn me(&self) -> Value {
        let mut me = self.user_json(APPLICATION_ID);
        me["mfa_enabled"] = true.into();
        me["locale"] = "en-US".into();
        me["verified"] = true.into();
        me
    }

    fn application(&self) -> Value {
        json!({
            "id": APPLICATION_ID.to_string(), "name": "Countersign", "icon": null,
            "description": "", "type": null,
            "verify_key": digest::hex(self.key.verifying_key().as_bytes()),
            "flags": 0, "flags_new": "0", "redirect_uris": [],
            "interactions_endpoint_url": self.endpoint,
            "role_connections_verification_url": null, "owner": self.user_json(5),
            "approximate_guild_count": self.guilds.len(), "approximate_user_install_count": 0,
            "approximate_user_authorization_count": 0, "explicit_content_filter": 0,
            "team": null, "eligible_oauth2_scopes": [], "summary": "",
            "bot_public": false, "bot_require_code_grant": false,
            "bot": self.user_json(APPLICATION_ID),
        })
    }

    fn get_member(&self, guild: &str, user: &str) -> Outcome {
        let unknown = || error::error(404, 10_007, "Unknown Member");
        let found = guild.parse().ok().zip(user.parse().ok());
        let (guild, user) = found.ok_or_else(unknown)?;
        let members = self.guilds.get(&guild).map(|guild| &guild.members);
        if members.is_none_or(|members| !members.contains_key(&user)) {
            return Err(unknown());
        }
        let mut member = self.member_json(guild, user);
        // Only interactions tell what a member may do.
        if let Some(shown) = member.as_object_mut() {
            shown.remove("permissions");
        }
        Ok(Answer::json(200, member))
    }

    fn get_guild(&self, id: &str) -> Outcome {
        let known = id.parse().ok().and_then(|id| self.guilds.get(&id));
        let guild = known.ok_or_else(|| error::error(404, 10_004, "Unknown Guild"))?;
        if !guild.members.contains_key(&APPLICATION_ID) {
            return Err(error::missing_access());
        }
        let roles = guild.roles.iter().map(|(id, role)| {
            json!({
                "id": id.to_string(), "name": role.name,
                "permissions": role.permissions.to_string(), "position": 0, "color": 0,
                "colors": { "primary_color": 0, "secondary_color": null, "tertiary_color": null },
                "hoist": false, "managed": false, "mentionable": true, "icon": null,
                "unicode_emoji": null, "flags": 0,
            })
        });
        let mut json = json!({
            "id": guild.id.to_string(), "name": guild.name, "owner_id": "5", "region": "us-west",
            "roles": roles.collect::<Vec<_>>(), "features": [], "emojis": [], "stickers": [],
            "afk_timeout": 300, "system_channel_flags": 0, "widget_enabled": false,
            "verification_level": 0, "default_message_notifications": 1, "mfa_level": 0,
            "explicit_content_filter": 0, "max_members": 500_000,
            "max_stage_video_channel_users": 50, "max_video_channel_users": 25,
            "premium_tier": 0, "premium_subscription_count": 0, "preferred_locale": "en-US",
            "premium_progress_bar_enabled": false, "nsfw": false, "nsfw_level": 0,
        });
        for absent in [
            "icon",
            "description",
            "home_header",
            "splash",
            "discovery_splash",
            "banner",
            "application_id",
            "afk_channel_id",
            "system_channel_id",
            "widget_channel_id",
            "max_presences",
            "vanity_url_code",
            "rules_channel_id",
            "safety_alerts_channel_id",
            "public_updates_channel_id",
            "incidents_data",
        ] {
            json[absent] = Value::Null;
        }
        Ok(Answer::json(200, json))
    }
}
