//! Guilds, channels and people, as a test sets them up; and what it reads afterwards.

use serde_json::Value;

use super::Discord;
use super::commands::Command;
use super::messages::Message;
use super::world::{Channel, Guild, Member, Role, World};
use crate::lock;

/// A thread that begins at the message whose id it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    pub id: u64,
    pub parent: u64,
    pub name: String,
}

impl Discord {
    /// A guild that the bot is in.
    pub fn add_guild(&self, id: u64, name: &str) {
        lock(&self.world).add_guild(id, name);
    }

    pub fn add_channel(&self, guild: u64, id: u64, name: &str) {
        lock(&self.world).add_channel(Some(guild), id, name);
    }

    /// Direct messages between a user and the bot.
    pub fn open_dm(&self, user: u64) -> u64 {
        let mut world = lock(&self.world);
        let known = world
            .channels
            .values()
            .find(|one| one.recipient == Some(user));
        if let Some(known) = known {
            return known.id;
        }
        let id = world.next_id();
        world.add_channel(None, id, "");
        if let Some(channel) = world.channels.get_mut(&id) {
            channel.recipient = Some(user);
        }
        id
    }

    /// Whether the bot sees this channel, and whether it may write there.
    pub fn set_bot_access(&self, channel: u64, sees: bool, writes: bool) {
        if let Some(channel) = lock(&self.world).channels.get_mut(&channel) {
            channel.is_hidden_from_bot = !sees;
            channel.is_read_only_for_bot = !writes;
        }
    }

    pub fn add_role(&self, guild: u64, id: u64, name: &str, permissions: u64) {
        if let Some(guild) = lock(&self.world).guilds.get_mut(&guild) {
            let name = name.to_owned();
            guild.roles.insert(id, Role { name, permissions });
        }
    }

    pub fn add_person(&self, id: u64, name: &str) {
        lock(&self.world).users.insert(id, name.to_owned());
    }

    /// A user is in a guild with these roles.
    pub fn set_member(&self, guild: u64, user: u64, roles: &[u64]) {
        lock(&self.world).set_member(guild, user, roles);
    }

    /// The bot may leave as well, by [`super::APPLICATION_ID`].
    pub fn remove_member(&self, guild: u64, user: u64) {
        if let Some(guild) = lock(&self.world).guilds.get_mut(&guild) {
            guild.members.remove(&user);
        }
    }

    /// What a user may do beyond what `@everyone` and their roles may.
    pub fn set_permissions(&self, guild: u64, user: u64, permissions: u64) {
        let mut world = lock(&self.world);
        let member = world
            .guilds
            .get_mut(&guild)
            .and_then(|guild| guild.members.get_mut(&user));
        if let Some(member) = member {
            member.permissions = permissions;
        }
    }

    /// A user besides the bot writes something.
    pub fn say(&self, user: u64, channel: u64, content: &str) -> u64 {
        let draft = super::message_form::Draft {
            content: content.to_owned(),
            ..Default::default()
        };
        lock(&self.world).write(channel, user, draft)
    }

    /// What all members see in a channel, oldest first.
    pub fn messages(&self, channel: u64) -> Vec<Message> {
        let world = lock(&self.world);
        let all = world.messages.values();
        all.filter(|one| one.channel == channel && one.ephemeral_to.is_none())
            .cloned()
            .collect()
    }

    pub fn message(&self, id: u64) -> Option<Message> {
        lock(&self.world).messages.get(&id).cloned()
    }

    /// What only this person sees, oldest first.
    pub fn ephemeral_for(&self, user: u64) -> Vec<Message> {
        let world = lock(&self.world);
        let all = world.messages.values();
        all.filter(|one| one.ephemeral_to == Some(user))
            .cloned()
            .collect()
    }

    /// The threads below a channel, oldest first.
    pub fn threads(&self, channel: u64) -> Vec<Thread> {
        let world = lock(&self.world);
        let all = world.channels.values();
        all.filter(|one| one.parent == Some(channel))
            .map(|one| Thread {
                id: one.id,
                parent: channel,
                name: one.name.clone(),
            })
            .collect()
    }

    /// The commands of a guild, or those of everywhere, as Discord shows them.
    pub fn commands(&self, guild: Option<u64>) -> Vec<Value> {
        let world = lock(&self.world);
        world.commands_of(guild).map(Command::json).collect()
    }
}

impl World {
    pub(super) fn add_guild(&mut self, id: u64, name: &str) {
        let mut guild = Guild {
            id,
            name: name.to_owned(),
            roles: [].into(),
            members: [].into(),
        };
        // The role of all members has the id of the guild.
        let everyone = Role {
            name: "@everyone".to_owned(),
            permissions: super::world::ORDINARY,
        };
        guild.roles.insert(id, everyone);
        guild
            .members
            .insert(super::world::APPLICATION_ID, Member::default());
        self.guilds.insert(id, guild);
    }

    pub(super) fn add_channel(&mut self, guild: Option<u64>, id: u64, name: &str) {
        let channel = Channel {
            id,
            name: name.to_owned(),
            guild,
            parent: None,
            recipient: None,
            is_hidden_from_bot: false,
            is_read_only_for_bot: false,
        };
        self.channels.insert(id, channel);
    }

    pub(super) fn set_member(&mut self, guild: u64, user: u64, roles: &[u64]) {
        if let Some(guild) = self.guilds.get_mut(&guild) {
            let member = guild.members.entry(user).or_default();
            member.roles = roles.to_vec();
        }
    }
}
