//! Messages: written, read, edited, deleted; and threads that begin at one.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::{self, Complaints};
use super::interactions::Interaction;
use super::mentions::{Mention, Unsaid};
use super::message_form::{self, Draft, EPHEMERAL, LOADING};
use super::route::Call;
use super::world::{APPLICATION_ID, Channel, World, stamp};
use crate::desk::{Answer, Outcome};
use countersign_ground::clock::later;

/// How long a nonce is remembered.
const NONCE: Duration = Duration::from_secs(300);

/// A message, as it is now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Message {
    pub id: u64,
    pub channel: u64,
    pub author: u64,
    pub content: String,
    pub embeds: Vec<Value>,
    pub components: Vec<Value>,
    /// Whom it pings.
    pub mentioned: Vec<Mention>,
    /// The only person who sees it, if it is ephemeral.
    pub ephemeral_to: Option<u64>,
    /// "The application is thinking..."
    pub is_loading: bool,
    /// What it said before, oldest first.
    pub earlier: Vec<String>,
    pub written_at: Timestamp,
    pub edited_at: Option<Timestamp>,
    pub(super) flags: u64,
    pub(super) nonce: Option<Value>,
    /// The interaction that it answers.
    pub(super) interaction: Option<u64>,
}

/// A message that a nonce stands for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Nonce {
    message: u64,
    until: Timestamp,
}

impl Message {
    /// The buttons with their labels and ids, link buttons included.
    pub fn buttons(&self) -> impl Iterator<Item = &Value> {
        let rows = self.components.iter();
        let inside = rows
            .filter_map(|row| row["components"].as_array())
            .flatten();
        inside.filter(|one| one["type"] == super::components::BUTTON)
    }

    fn draft(&self) -> Draft {
        Draft {
            content: self.content.clone(),
            embeds: self.embeds.clone(),
            components: self.components.clone(),
            flags: self.flags,
            mentioned: Vec::new(),
        }
    }

    fn take(&mut self, draft: Draft) {
        self.content = draft.content;
        self.embeds = draft.embeds;
        self.components = draft.components;
        self.flags = draft.flags;
        self.mentioned = draft.mentioned;
    }
}

impl World {
    /// Puts a message into a channel.
    pub(super) fn write(&mut self, channel: u64, author: u64, draft: Draft) -> u64 {
        let id = self.next_id();
        let mut message = Message {
            id,
            channel,
            author,
            content: String::new(),
            embeds: Vec::new(),
            components: Vec::new(),
            mentioned: Vec::new(),
            ephemeral_to: None,
            is_loading: false,
            earlier: Vec::new(),
            written_at: self.now(),
            edited_at: None,
            flags: 0,
            nonce: None,
            interaction: None,
        };
        message.take(draft);
        self.messages.insert(id, message);
        id
    }

    /// Changes a message as a form says; what it does not name stays.
    pub(super) fn edit(
        &mut self,
        id: u64,
        (root, body): (&str, &Value),
        unsaid: Unsaid,
    ) -> Result<(), Answer> {
        let now = self.now();
        let message = self.messages.get_mut(&id);
        let message = message.ok_or_else(error::unknown_message)?;
        let mut draft = message_form::read_at(root, body, message.draft(), unsaid)?;
        // Who sees a message was decided when it was written.
        draft.flags = (draft.flags & !EPHEMERAL) | (message.flags & EPHEMERAL);
        if message.is_loading {
            message.is_loading = false;
            draft.flags &= !LOADING;
        } else {
            message.earlier.push(message.content.clone());
            message.edited_at = Some(now);
        }
        message.take(draft);
        Ok(())
    }

    /// The message in a path, if the bot sees it there.
    fn seen(&self, channel: &str, id: &str) -> Result<&Message, Answer> {
        let channel = self.channel(channel)?.id;
        let known = id.parse().ok().and_then(|id| self.messages.get(&id));
        known
            .filter(|message| message.channel == channel && message.ephemeral_to.is_none())
            .ok_or_else(error::unknown_message)
    }

    /// `POST /channels/{channel}/messages`.
    pub(super) fn post_message(&mut self, call: &Call, channel: &str) -> Outcome {
        let channel = self.writable(channel)?.id;
        let draft = message_form::read(&call.body, Draft::default(), Unsaid::Everything)?;
        let nonce = message_form::nonce(&call.body);
        let key = nonce.as_str().map(|text| (channel, text.to_owned()));
        let key = key.filter(|_| call.body["enforce_nonce"] == true);
        let now = self.now();
        let known = key.as_ref().and_then(|key| self.nonces.get(key));
        if let Some(known) = known.filter(|known| now < known.until)
            && self.messages.contains_key(&known.message)
        {
            return Ok(Answer::json(200, self.message_json(known.message)));
        }
        let id = self.write(channel, APPLICATION_ID, draft);
        if let Some(message) = self.messages.get_mut(&id) {
            message.nonce = (!nonce.is_null()).then(|| call.body["nonce"].clone());
        }
        if let Some(key) = key {
            let until = later(now, NONCE);
            self.nonces.insert(key, Nonce { message: id, until });
        }
        Ok(Answer::json(200, self.message_json(id)))
    }

    /// `GET /channels/{channel}/messages`, newest first.
    pub(super) fn list_messages(&self, call: &Call, channel: &str) -> Outcome {
        let channel = self.channel(channel)?.id;
        let mut complaints = Complaints::default();
        let limit = match call.asked("limit").map(str::parse::<usize>) {
            None => 50,
            Some(Ok(limit @ 1..=100)) => limit,
            Some(_) => {
                let text = "int value should be between 1 and 100.";
                complaints.add("limit", "NUMBER_TYPE_RANGE", text);
                0
            }
        };
        complaints.settle()?;
        let bound = |name: &str| call.asked(name).and_then(|id| id.parse::<u64>().ok());
        let (before, after) = (bound("before"), bound("after"));
        let found = self.messages.values().rev().filter(|message| {
            message.channel == channel
                && message.ephemeral_to.is_none()
                && before.is_none_or(|id| message.id < id)
                && after.is_none_or(|id| message.id > id)
        });
        let shown: Vec<Value> = found
            .take(limit)
            .map(|message| self.message_json(message.id))
            .collect();
        Ok(Answer::json(200, shown.into()))
    }

    /// `GET /channels/{channel}/messages/{id}`.
    pub(super) fn get_message(&self, channel: &str, id: &str) -> Outcome {
        let id = self.seen(channel, id)?.id;
        Ok(Answer::json(200, self.message_json(id)))
    }

    /// `PATCH /channels/{channel}/messages/{id}`.
    pub(super) fn patch_message(&mut self, call: &Call, channel: &str, id: &str) -> Outcome {
        let (id, author) = {
            let message = self.seen(channel, id)?;
            (message.id, message.author)
        };
        if author != APPLICATION_ID {
            let text = "Cannot edit a message authored by another user";
            return Err(error::error(403, 50_005, text));
        }
        self.edit(id, ("", &call.body), Unsaid::Everything)?;
        Ok(Answer::json(200, self.message_json(id)))
    }

    /// `DELETE /channels/{channel}/messages/{id}`.
    pub(super) fn delete_message(&mut self, channel: &str, id: &str) -> Outcome {
        let (id, author) = {
            let message = self.seen(channel, id)?;
            (message.id, message.author)
        };
        if author != APPLICATION_ID {
            return Err(error::missing_permissions());
        }
        self.messages.remove(&id);
        Ok(Answer::nothing())
    }

    /// `POST /channels/{channel}/messages/{id}/threads`: the thread has the id of its message.
    pub(super) fn post_thread(&mut self, call: &Call, channel: &str, id: &str) -> Outcome {
        let id = self.seen(channel, id)?.id;
        let parent = self.writable(channel)?.clone();
        if parent.guild.is_none() || parent.parent.is_some() {
            let text = "Cannot execute action on this channel type";
            return Err(error::error(400, 50_024, text));
        }
        let mut complaints = Complaints::default();
        complaints.required_text("name", &call.body["name"], (1, 100));
        let minutes = &call.body["auto_archive_duration"];
        let known = [60, 1_440, 4_320, 10_080];
        if !minutes.is_null() && !known.iter().any(|known| minutes == known) {
            complaints.choices("auto_archive_duration", "60, 1440, 4320, 10080");
        }
        complaints.settle()?;
        if self.channels.contains_key(&id) {
            let text = "A thread has already been created for this message";
            return Err(error::error(400, 160_004, text));
        }
        let thread = Channel {
            id,
            name: call.text("name").to_owned(),
            parent: Some(parent.id),
            ..parent
        };
        let shown = self.channel_json(&thread);
        self.channels.insert(id, thread);
        Ok(Answer::json(201, shown))
    }

    pub(super) fn message_json(&self, id: u64) -> Value {
        let Some(message) = self.messages.get(&id) else {
            return Value::Null;
        };
        let users = message
            .mentioned
            .iter()
            .filter_map(|mention| match mention {
                Mention::User(id) => Some(self.user_json(*id)),
                Mention::Everyone | Mention::Here | Mention::Role(_) => None,
            });
        let roles = message
            .mentioned
            .iter()
            .filter_map(|mention| match mention {
                Mention::Role(id) => Some(id.to_string()),
                Mention::Everyone | Mention::Here | Mention::User(_) => None,
            });
        let everyone = [Mention::Everyone, Mention::Here];
        let interaction = message
            .interaction
            .and_then(|id| self.interactions.get(&id));
        let mut json = json!({
            "id": message.id.to_string(),
            "channel_id": message.channel.to_string(),
            "type": interaction.map_or(0, Interaction::message_type),
            "content": message.content,
            "embeds": message.embeds,
            "components": message.components,
            "flags": message.flags,
            "author": self.user_json(message.author),
            "mentions": users.collect::<Vec<_>>(),
            "mention_roles": roles.collect::<Vec<_>>(),
            "mention_everyone": everyone.iter().any(|one| message.mentioned.contains(one)),
            "attachments": [],
            "timestamp": stamp(message.written_at),
            "edited_timestamp": message.edited_at.map(stamp),
            "pinned": false,
            "tts": false,
        });
        if let Some(nonce) = &message.nonce {
            json["nonce"] = nonce.clone();
        }
        if let Some(interaction) = interaction {
            json["application_id"] = APPLICATION_ID.to_string().into();
            json["webhook_id"] = APPLICATION_ID.to_string().into();
            json["interaction_metadata"] = self.interaction_metadata(interaction);
        }
        if let Some(thread) = self.channels.get(&message.id) {
            json["thread"] = self.channel_json(thread);
        }
        json
    }
}
