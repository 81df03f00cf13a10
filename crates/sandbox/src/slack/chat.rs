//! Messages: posted, shown to one person, changed, deleted.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::BOT;
use super::blocks;
use super::error::{self, fail};
use super::mentions::{Mention, mentioned};
use super::methods::{ok, required};
use super::world::World;
use crate::desk::{Answer, Outcome};

/// Slack cuts a longer new text off; here it is refused, so that our code does not come to depend on that.
const LONGEST: usize = 40_000;
const LONGEST_CHANGE: usize = 4_000;
const LARGEST_METADATA: usize = 16 << 10;

/// A message, as it is now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Message {
    pub channel: String,
    pub ts: String,
    pub thread_ts: Option<String>,
    /// Who wrote it.
    pub user: String,
    pub text: String,
    pub blocks: Vec<Value>,
    pub metadata: Option<Value>,
    /// Whom it pings.
    pub mentioned: Vec<Mention>,
    /// The only person who sees it, if it is ephemeral.
    pub ephemeral_to: Option<String>,
    /// What it said before, oldest first.
    pub earlier: Vec<String>,
    /// Names, and who reacted so.
    pub reactions: Vec<(String, String)>,
    pub edited_at: Option<Timestamp>,
}

/// What a message may say.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub(super) text: String,
    pub(super) blocks: Vec<Value>,
    pub(super) metadata: Option<Value>,
    pub(super) thread_ts: Option<String>,
    pub(super) ephemeral_to: Option<String>,
}

/// Reads what a new message says.
pub(super) fn draft(arguments: &Value) -> Result<Draft, Answer> {
    let text = arguments["text"].as_str().unwrap_or_default();
    let blocks = blocks::of_message(&arguments["blocks"])?;
    if text.trim().is_empty() && blocks.is_empty() {
        return Err(error::error("no_text"));
    }
    if text.chars().count() > LONGEST {
        return Err(error::error("msg_too_long"));
    }
    Ok(Draft {
        text: text.to_owned(),
        blocks,
        metadata: metadata(&arguments["metadata"])?,
        thread_ts: arguments["thread_ts"].as_str().map(str::to_owned),
        ephemeral_to: None,
    })
}

fn metadata(metadata: &Value) -> Result<Option<Value>, Answer> {
    if metadata.is_null() || metadata.as_object().is_some_and(serde_json::Map::is_empty) {
        return Ok(None);
    }
    if !metadata["event_type"].is_string() || !metadata["event_payload"].is_object() {
        return Err(error::error("invalid_metadata_format"));
    }
    if metadata.to_string().len() > LARGEST_METADATA {
        return Err(error::error("metadata_too_large"));
    }
    Ok(Some(metadata.clone()))
}

impl World {
    /// Puts a message into a channel and says at which `ts`.
    pub(super) fn write(&mut self, channel: &str, user: &str, draft: Draft) -> String {
        let ts = self.next_ts();
        let message = Message {
            channel: channel.to_owned(),
            ts: ts.clone(),
            thread_ts: draft.thread_ts,
            user: user.to_owned(),
            mentioned: mentioned(&draft.text, &draft.blocks),
            text: draft.text,
            blocks: draft.blocks,
            metadata: draft.metadata,
            ephemeral_to: draft.ephemeral_to,
            earlier: Vec::new(),
            reactions: Vec::new(),
            edited_at: None,
        };
        self.messages
            .insert((channel.to_owned(), ts.clone()), message);
        ts
    }

    /// The channel that the bot may write into.
    fn postable(&self, arguments: &Value) -> Result<String, Answer> {
        let named = required(arguments, "channel")?;
        let id = self.channel_id(named, true);
        let id = id.ok_or_else(|| error::error("channel_not_found"))?;
        match self.channels.get(&id) {
            Some(channel) if channel.is_archived => Err(error::error("is_archived")),
            Some(channel) if !channel.has_bot => Err(error::error("not_in_channel")),
            _ => Ok(id),
        }
    }

    fn thread(&self, channel: &str, draft: &Draft) -> Result<(), Answer> {
        let Some(thread) = &draft.thread_ts else {
            return Ok(());
        };
        if self
            .messages
            .contains_key(&(channel.to_owned(), thread.clone()))
        {
            Ok(())
        } else {
            Err(error::error("thread_not_found"))
        }
    }

    /// `chat.postMessage`; a `client_msg_id` changes nothing.
    pub(super) fn post_message(&mut self, arguments: &Value) -> Outcome {
        let channel = self.postable(arguments)?;
        let draft = draft(arguments)?;
        self.thread(&channel, &draft)?;
        let ts = self.write(&channel, BOT, draft);
        let shown = self.messages.get(&(channel.clone(), ts.clone()));
        let shown = shown.map_or(Value::Null, |message| self.message_json(message));
        ok(json!({ "channel": channel, "ts": ts, "message": shown }))
    }

    /// `chat.postEphemeral`.
    pub(super) fn post_ephemeral(&mut self, arguments: &Value) -> Outcome {
        let channel = self.postable(arguments)?;
        let user = required(arguments, "user")?.to_owned();
        let members = self.channels.get(&channel).map(|channel| &channel.members);
        if !members.is_some_and(|members| members.contains(&user)) {
            return fail("user_not_in_channel");
        }
        let mut draft = draft(arguments)?;
        self.thread(&channel, &draft)?;
        draft.ephemeral_to = Some(user);
        let ts = self.write(&channel, BOT, draft);
        ok(json!({ "message_ts": ts }))
    }

    /// The message that a change is about: the bot's own, and seen by all.
    fn own(&self, arguments: &Value, refusal: &str) -> Result<(String, String), Answer> {
        let channel = required(arguments, "channel")?;
        let ts = required(arguments, "ts")?;
        // Names are no good here.
        let channel = self.channel_id(channel, false);
        let channel = channel.ok_or_else(|| error::error("channel_not_found"))?;
        let key = (channel, ts.to_owned());
        match self.messages.get(&key) {
            None => Err(error::error("message_not_found")),
            Some(message) if message.ephemeral_to.is_some() => {
                Err(error::error("message_not_found"))
            }
            Some(message) if message.user != BOT => Err(error::error(refusal)),
            Some(_) => Ok(key),
        }
    }

    /// `chat.update`: what is not named stays as it was.
    pub(super) fn update_message(&mut self, arguments: &Value) -> Outcome {
        let key = self.own(arguments, "cant_update_message")?;
        let text = arguments["text"].as_str();
        let given = |field: &str| Some(&arguments[field]).filter(|given| !given.is_null());
        let new_blocks = given("blocks").map(blocks::of_message).transpose()?;
        let new_metadata = given("metadata").map(metadata).transpose()?;
        if text.is_none_or(str::is_empty) && new_blocks.is_none() {
            return fail("no_text");
        }
        if text.is_some_and(|text| text.chars().count() > LONGEST_CHANGE) {
            return fail("msg_too_long");
        }
        self.change(&key, text, new_blocks);
        let Some(message) = self.messages.get_mut(&key) else {
            return fail("message_not_found");
        };
        if let Some(metadata) = new_metadata {
            message.metadata = metadata;
        }
        let shown = message.clone();
        ok(json!({
            "channel": shown.channel, "ts": shown.ts, "text": shown.text,
            "message": self.message_json(&shown),
        }))
    }

    pub(super) fn change(
        &mut self,
        key: &(String, String),
        text: Option<&str>,
        blocks: Option<Vec<Value>>,
    ) {
        let now = self.now();
        let Some(message) = self.messages.get_mut(key) else {
            return;
        };
        message.earlier.push(message.text.clone());
        message.edited_at = Some(now);
        if let Some(text) = text {
            text.clone_into(&mut message.text);
        }
        if let Some(blocks) = blocks {
            message.blocks = blocks;
        }
        message.mentioned = mentioned(&message.text, &message.blocks);
    }

    /// `chat.delete`.
    pub(super) fn delete_message(&mut self, arguments: &Value) -> Outcome {
        let key = self.own(arguments, "cant_delete_message")?;
        self.messages.remove(&key);
        ok(json!({ "channel": key.0, "ts": key.1 }))
    }
}
