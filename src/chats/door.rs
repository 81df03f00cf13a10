//! The guard at the door of the chats: what each checks before anything that it sent is stored, what it is answered at once, and what
//! the request means later.

use std::sync::Arc;

use http::HeaderMap;
use jiff::Timestamp;
use tokio::sync::watch;

use super::discord::edge::PublicKey;
use super::slack::edge::SigningSecrets;
use super::{discord, slack};
use crate::domain::{Chat, Delivery, Incoming};

/// What the chats sign with; it changes when the configuration does.
#[derive(Clone, Debug)]
pub struct Guard {
    pub discord: watch::Receiver<Option<Arc<PublicKey>>>,
    pub slack: watch::Receiver<Arc<SigningSecrets>>,
}

impl Default for Guard {
    /// No chat at all.
    fn default() -> Self {
        Self {
            discord: watch::channel(None).1,
            slack: watch::channel(Arc::new(SigningSecrets::new([]))).1,
        }
    }
}

/// What an authentic request is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// To be stored before it is answered, in the chat's own form.
    Kept { delivery: Delivery, answer: String },
    /// Nothing is to be stored.
    Answered(String),
    /// A person types and wants suggestions.
    Asked(Wanted),
}

/// A part of a command that is being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub chat: Chat,
    pub tenant: Option<String>,
    pub channel: Option<String>,
    pub option: String,
    pub typed: String,
    /// What was filled in already.
    pub given: Vec<(String, String)>,
}

impl Wanted {
    /// The answer, in the chat's own form: what is shown of each, and what it stands for.
    pub fn answered(&self, found: &[(String, String)]) -> String {
        match self.chat {
            Chat::Discord => discord::edge::choices(found),
            // It asks for none.
            Chat::Slack => String::new(),
        }
    }
}

impl Guard {
    /// Whether this chat is configured.
    pub fn expects(&self, chat: Chat) -> bool {
        match chat {
            Chat::Discord => self.discord.borrow().is_some(),
            Chat::Slack => !self.slack.borrow().is_empty(),
        }
    }

    /// A request whose signature is right, or why it is not authentic.
    pub fn receive(
        &self,
        chat: Chat,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Received, String> {
        match chat {
            Chat::Discord => {
                let key = self.discord.borrow().clone();
                let key = key.ok_or("not configured")?;
                discord::edge::receive(&key, headers, body, now)
                    .map(Received::from)
                    .map_err(|why| why.to_string())
            }
            Chat::Slack => {
                let secrets = self.slack.borrow().clone();
                slack::edge::receive(&secrets, headers, body, now)
                    .map(Received::from)
                    .map_err(|why| why.to_string())
            }
        }
    }
}

impl From<discord::edge::Received> for Received {
    fn from(received: discord::edge::Received) -> Self {
        match received {
            discord::edge::Received::Pong => Self::Answered(discord::edge::PONG.to_owned()),
            discord::edge::Received::Kept(kept) => Self::Kept {
                delivery: kept.delivery,
                answer: kept.answer,
            },
            discord::edge::Received::Form(answer) | discord::edge::Received::Refused(answer) => {
                Self::Answered(answer)
            }
            discord::edge::Received::Choices(wanted) => Self::Asked(Wanted {
                chat: Chat::Discord,
                tenant: wanted.guild,
                channel: wanted.channel,
                option: wanted.option,
                typed: wanted.typed,
                given: wanted.given,
            }),
        }
    }
}

impl From<slack::edge::Received> for Received {
    fn from(received: slack::edge::Received) -> Self {
        match received {
            slack::edge::Received::Nothing(answer) => Self::Answered(answer),
            slack::edge::Received::Kept(kept) => Self::Kept {
                delivery: kept.delivery,
                answer: kept.answer,
            },
        }
    }
}

/// What a stored request means, or why it cannot be read. `lot` is what a link that it offers is called.
pub fn interpret(
    chat: Chat,
    event: &str,
    body: &[u8],
    received_at: Timestamp,
    lot: &str,
) -> Result<Vec<Incoming>, String> {
    match chat {
        Chat::Discord => discord::edge::interpret(event, body, lot),
        Chat::Slack => slack::edge::interpret(event, body, received_at, lot),
    }
}
