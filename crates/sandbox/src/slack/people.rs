//! People, channels and groups, as a test sets them up; and what it reads afterwards.

use super::Slack;
use super::chat::{Draft, Message};
use super::views::View;
use super::world::Channel;
use crate::lock;

impl Slack {
    pub fn add_person(&self, id: &str, name: &str) {
        lock(&self.world)
            .users
            .insert(id.to_owned(), name.to_owned());
    }

    /// The person is of another workspace, with which channels are shared.
    pub fn set_home(&self, id: &str, team: &str) {
        let mut world = lock(&self.world);
        world.homes.insert(id.to_owned(), team.to_owned());
    }

    /// A channel with these people, and with the bot or without.
    pub fn add_channel(&self, id: &str, name: &str, members: &[&str], has_bot: bool) {
        let channel = Channel {
            name: name.to_owned(),
            has_bot,
            is_archived: false,
            members: members.iter().map(|id| (*id).to_owned()).collect(),
        };
        lock(&self.world).channels.insert(id.to_owned(), channel);
    }

    /// Whether the bot is in this channel.
    pub fn set_bot_in(&self, channel: &str, has_bot: bool) {
        if let Some(channel) = lock(&self.world).channels.get_mut(channel) {
            channel.has_bot = has_bot;
        }
    }

    pub fn archive(&self, channel: &str) {
        if let Some(channel) = lock(&self.world).channels.get_mut(channel) {
            channel.is_archived = true;
        }
    }

    /// A user group and who is in it.
    pub fn set_group(&self, id: &str, users: &[&str]) {
        let users = users.iter().map(|id| (*id).to_owned()).collect();
        lock(&self.world).groups.insert(id.to_owned(), users);
    }

    /// A user besides the bot writes something; its `ts`.
    pub fn say(&self, user: &str, channel: &str, text: &str) -> String {
        let draft = Draft {
            text: text.to_owned(),
            ..Draft::default()
        };
        lock(&self.world).write(channel, user, draft)
    }

    /// What all members see in a channel, threads included, oldest first.
    pub fn messages(&self, channel: &str) -> Vec<Message> {
        let mut found = self.matching(|one| one.channel == channel && one.ephemeral_to.is_none());
        found.sort_by(|one, other| one.ts.cmp(&other.ts));
        found
    }

    /// The answers below a message, oldest first.
    pub fn replies(&self, channel: &str, ts: &str) -> Vec<Message> {
        let all = self.messages(channel).into_iter();
        all.filter(|one| one.thread_ts.as_deref() == Some(ts))
            .collect()
    }

    /// What only this person sees, oldest first.
    pub fn ephemeral_for(&self, user: &str) -> Vec<Message> {
        self.matching(|one| one.ephemeral_to.as_deref() == Some(user))
    }

    pub fn message(&self, channel: &str, ts: &str) -> Option<Message> {
        let key = (channel.to_owned(), ts.to_owned());
        lock(&self.world).messages.get(&key).cloned()
    }

    /// The views that are open before a user.
    pub fn views_of(&self, user: &str) -> Vec<View> {
        let world = lock(&self.world);
        let all = world.views.values();
        all.filter(|view| view.user == user).cloned().collect()
    }

    fn matching(&self, is_meant: impl Fn(&Message) -> bool) -> Vec<Message> {
        let world = lock(&self.world);
        let all = world.messages.values();
        all.filter(|message| is_meant(message)).cloned().collect()
    }
}
