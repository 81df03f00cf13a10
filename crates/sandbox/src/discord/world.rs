//! The world of this Discord, and everything in it: the application, guilds with their people, channels,
//! messages, commands, interactions.

use std::collections::BTreeMap;

use ed25519_dalek::SigningKey;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::commands::Command;
use super::error;
use super::interactions::Interaction;
use super::limits::Limits;
use super::messages::{Message, Nonce};
use crate::desk::Answer;
use countersign_ground::clock::Clock;
use countersign_ground::digest;

/// The application, whose bot has the same id.
pub const APPLICATION_ID: u64 = 1_100;

pub(super) const ADMINISTRATOR: u64 = 1 << 3;
pub(super) const VIEW_CHANNEL: u64 = 1 << 10;
pub(super) const SEND_MESSAGES: u64 = 1 << 11;
pub(super) const EMBED_LINKS: u64 = 1 << 14;
pub(super) const USE_COMMANDS: u64 = 1 << 31;
pub(super) const CREATE_THREADS: u64 = 1 << 35;
pub(super) const SEND_IN_THREADS: u64 = 1 << 38;
/// What every member may do in a guild.
pub(super) const ORDINARY: u64 =
    VIEW_CHANNEL | SEND_MESSAGES | EMBED_LINKS | USE_COMMANDS | CREATE_THREADS | SEND_IN_THREADS;
const EVERYTHING: u64 = (1 << 53) - 1;

#[derive(Debug)]
pub(super) struct World {
    pub(super) clock: Clock,
    pub(super) token: String,
    pub(super) key: SigningKey,
    pub(super) last_id: u64,
    /// Id and name.
    pub(super) users: BTreeMap<u64, String>,
    pub(super) guilds: BTreeMap<u64, Guild>,
    pub(super) channels: BTreeMap<u64, Channel>,
    pub(super) messages: BTreeMap<u64, Message>,
    pub(super) nonces: BTreeMap<(u64, String), Nonce>,
    pub(super) commands: BTreeMap<u64, Command>,
    pub(super) interactions: BTreeMap<u64, Interaction>,
    pub(super) limits: Limits,
    pub(super) endpoint: Option<String>,
    pub(super) last_sent: Option<super::delivery::Sent>,
    /// Rings whenever an interaction is answered.
    pub(super) bell: watch::Sender<u64>,
}

#[derive(Debug)]
pub(super) struct Guild {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) roles: BTreeMap<u64, Role>,
    pub(super) members: BTreeMap<u64, Member>,
}

#[derive(Debug)]
pub(super) struct Role {
    pub(super) name: String,
    pub(super) permissions: u64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Member {
    pub(super) roles: Vec<u64>,
    /// Beyond what the roles give.
    pub(super) permissions: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Channel {
    pub(super) id: u64,
    pub(super) name: String,
    /// None in direct messages.
    pub(super) guild: Option<u64>,
    /// Of a thread.
    pub(super) parent: Option<u64>,
    /// Who talks to the bot here, in direct messages.
    pub(super) recipient: Option<u64>,
    pub(super) is_hidden_from_bot: bool,
    pub(super) is_read_only_for_bot: bool,
}

impl World {
    pub(super) fn new(clock: Clock, token: &str) -> Self {
        let seed = digest::sha256_hex(b"the key of the sandbox Discord");
        let seed = digest::unhex(&seed).unwrap_or_default();
        Self {
            clock,
            token: token.to_owned(),
            key: SigningKey::from_bytes(&seed),
            last_id: 0,
            users: BTreeMap::new(),
            guilds: BTreeMap::new(),
            channels: BTreeMap::new(),
            messages: BTreeMap::new(),
            nonces: BTreeMap::new(),
            commands: BTreeMap::new(),
            interactions: BTreeMap::new(),
            limits: Limits::new(),
            endpoint: None,
            last_sent: None,
            bell: watch::Sender::new(0),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A snowflake: the time, and a number that nothing else has.
    pub(super) fn next_id(&mut self) -> u64 {
        const DISCORD_BEGAN: i64 = 1_420_070_400_000;
        let millis = self.now().as_millisecond() - DISCORD_BEGAN;
        let by_time = u64::try_from(millis).unwrap_or(0) << 22;
        self.last_id = by_time.max(self.last_id + 1).max(10_000);
        self.last_id
    }

    /// What a user may do in a guild.
    pub(super) fn permissions(&self, guild: u64, user: u64) -> u64 {
        let Some(guild) = self.guilds.get(&guild) else {
            return 0;
        };
        let Some(member) = guild.members.get(&user) else {
            return 0;
        };
        let roles = member.roles.iter().filter_map(|id| guild.roles.get(id));
        let given = roles.fold(ORDINARY, |sum, role| sum | role.permissions) | member.permissions;
        if given & ADMINISTRATOR == 0 {
            given
        } else {
            EVERYTHING
        }
    }

    /// The channel in a path, if the bot may look into it.
    pub(super) fn channel(&self, id: &str) -> Result<&Channel, Answer> {
        let known = id.parse().ok().and_then(|id| self.channels.get(&id));
        let channel = known.ok_or_else(error::unknown_channel)?;
        let above = channel.parent.and_then(|parent| self.channels.get(&parent));
        let is_in = channel.guild.is_none_or(|guild| {
            let guild = self.guilds.get(&guild);
            guild.is_some_and(|guild| guild.members.contains_key(&APPLICATION_ID))
        });
        if !is_in || above.unwrap_or(channel).is_hidden_from_bot {
            return Err(error::missing_access());
        }
        Ok(channel)
    }

    /// The same, if the bot may also write there.
    pub(super) fn writable(&self, id: &str) -> Result<&Channel, Answer> {
        let channel = self.channel(id)?;
        let above = channel.parent.and_then(|parent| self.channels.get(&parent));
        if above.unwrap_or(channel).is_read_only_for_bot {
            return Err(error::missing_permissions());
        }
        Ok(channel)
    }

    pub(super) fn user_json(&self, id: u64) -> Value {
        let name = self.users.get(&id).map_or("deleted_user", String::as_str);
        let mut user = json!({
            "id": id.to_string(), "username": name, "global_name": null, "avatar": null,
            "discriminator": "0", "public_flags": 0, "flags": 0, "primary_guild": null,
            "avatar_decoration_data": null, "collectibles": null,
        });
        if id == APPLICATION_ID {
            user["bot"] = true.into();
        }
        user
    }

    pub(super) fn member_json(&self, guild: u64, user: u64) -> Value {
        let member = self
            .guilds
            .get(&guild)
            .and_then(|guild| guild.members.get(&user));
        let roles = member.map_or(&[][..], |member| &member.roles);
        json!({
            "user": self.user_json(user),
            "roles": roles.iter().map(u64::to_string).collect::<Vec<_>>(),
            "permissions": self.permissions(guild, user).to_string(),
            "nick": null, "avatar": null, "banner": null, "premium_since": null,
            "joined_at": "2024-01-01T00:00:00+00:00", "deaf": false, "mute": false, "flags": 0,
            "pending": false, "communication_disabled_until": null,
            "unusual_dm_activity_until": null,
        })
    }

    pub(super) fn channel_json(&self, channel: &Channel) -> Value {
        let id = channel.id.to_string();
        let name = &channel.name;
        match (channel.guild, channel.parent) {
            (None, _) => json!({
                "id": id, "type": 1, "flags": 0, "last_message_id": null,
                "recipients": [self.user_json(channel.recipient.unwrap_or(0))],
            }),
            (Some(guild), None) => json!({
                "id": id, "type": 0, "flags": 0, "guild_id": guild.to_string(), "name": name,
                "position": 0, "parent_id": null, "nsfw": false, "topic": null,
                "rate_limit_per_user": 0, "last_message_id": null,
                "permission_overwrites": channel.overwrites(),
            }),
            (Some(guild), Some(parent)) => json!({
                "id": id, "type": 11, "flags": 0, "guild_id": guild.to_string(), "name": name,
                "parent_id": parent.to_string(), "owner_id": APPLICATION_ID.to_string(),
                "rate_limit_per_user": 0, "last_message_id": null,
                "message_count": self.messages.values().filter(|one| one.channel == channel.id).count(),
                "member_count": 1, "total_message_sent": 0,
                "thread_metadata": {
                    "archived": false, "archive_timestamp": stamp(self.now()),
                    "auto_archive_duration": 1_440, "locked": false,
                },
            }),
        }
    }
}

impl Channel {
    /// What is taken from the bot here.
    fn overwrites(&self) -> Vec<Value> {
        let denied = if self.is_read_only_for_bot {
            SEND_MESSAGES
        } else {
            0
        };
        let overwrite = json!({
            "id": APPLICATION_ID.to_string(), "type": 1, "allow": "0", "deny": denied.to_string(),
        });
        if denied == 0 {
            Vec::new()
        } else {
            vec![overwrite]
        }
    }
}

/// Times as Discord writes them.
pub(super) fn stamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}
