//! The clients of the chats that are configured. What is done belongs to a speaker or a channel, and its chat does it;
//! what a chat has no way to do is an error and never passes for done.

use std::sync::Arc;

use tokio::sync::watch;

use super::slack::edge;
use super::slack::socket::{Heard, Socket};
use super::{Remark, Shown, discord, slack};
use crate::call::CallError;
use crate::domain::text::Message;
use crate::domain::{Button, ChannelRef, Chat, Delivery, Notice, Spot};

/// The clients; they change when the configuration does.
#[derive(Clone, Debug)]
pub struct Clients {
    pub discord: watch::Receiver<Option<Arc<discord::client::Client>>>,
    pub slack: watch::Receiver<Option<Arc<slack::client::Client>>>,
}

impl Default for Clients {
    /// No chat at all.
    fn default() -> Self {
        Self {
            discord: watch::channel(None).1,
            slack: watch::channel(None).1,
        }
    }
}

fn absent(chat: Chat) -> CallError {
    CallError::Never(format!("{} is not configured any more", chat.called()))
}

impl Clients {
    fn discord(&self) -> Result<Arc<discord::client::Client>, CallError> {
        let client = self.discord.borrow().clone();
        client.ok_or_else(|| absent(Chat::Discord))
    }

    fn slack(&self) -> Result<Arc<slack::client::Client>, CallError> {
        let client = self.slack.borrow().clone();
        client.ok_or_else(|| absent(Chat::Slack))
    }

    /// Answers a speaker, so that only they see it.
    pub async fn reply(
        &self,
        spot: &Spot,
        text: &Message,
        buttons: &[Button],
    ) -> Result<(), CallError> {
        match spot.speaker.chat {
            Chat::Discord => self.discord()?.reply(spot, text, buttons).await,
            Chat::Slack => self.slack()?.reply(spot, text, buttons).await,
        }
    }

    /// Asks a speaker what a button must know.
    pub async fn form(&self, spot: &Spot, button: Button) -> Result<(), CallError> {
        match spot.speaker.chat {
            Chat::Discord => Err(CallError::Never(
                "Discord asks its questions where a button is pressed".to_owned(),
            )),
            Chat::Slack => self.slack()?.form(spot, button).await,
        }
    }

    /// Posts a notice, and says what the chat calls it.
    pub async fn notice(
        &self,
        channel: &ChannelRef,
        notice: &Notice,
        shown: Shown<'_>,
    ) -> Result<String, CallError> {
        match channel {
            ChannelRef::Discord(id) => self.discord()?.notice(*id, notice, shown).await,
            ChannelRef::Slack(id) => self.slack()?.notice(id, notice, shown).await,
        }
    }

    /// Changes a notice that was posted; `false` when it is gone.
    pub async fn change(
        &self,
        channel: &ChannelRef,
        message: &str,
        notice: &Notice,
        shown: Shown<'_>,
    ) -> Result<bool, CallError> {
        match channel {
            ChannelRef::Discord(id) => {
                let client = self.discord()?;
                client.change(*id, message, notice, shown).await
            }
            ChannelRef::Slack(id) => self.slack()?.change(id, message, notice, shown).await,
        }
    }

    pub async fn remark(&self, channel: &ChannelRef, remark: &Remark<'_>) -> Result<(), CallError> {
        match channel {
            ChannelRef::Discord(id) => self.discord()?.remark(*id, remark).await,
            ChannelRef::Slack(id) => self.slack()?.remark(id, remark).await,
        }
    }
}

/// A chat that we call and listen to, because it cannot reach us.
#[derive(Clone, Debug)]
pub struct Calling(Arc<slack::client::Client>);

impl Calling {
    pub fn chat(&self) -> Chat {
        Chat::Slack
    }

    pub async fn open(&self) -> Result<Line, CallError> {
        let url = self.0.open_socket().await?;
        Socket::open(&url).await.map(Line)
    }
}

impl Clients {
    /// The chat to listen to, if there is one; changes from now on are told.
    pub fn calling(&mut self) -> Option<Calling> {
        let client = self.slack.borrow_and_update().clone();
        client.filter(|client| client.listens()).map(Calling)
    }

    /// Returns when the chat to listen to is another one, or never will be: `false`.
    pub async fn calling_changes(&mut self) -> bool {
        self.slack.changed().await.is_ok()
    }
}

/// An open line to a chat.
pub struct Line(Socket);

/// What comes through it.
pub enum Said {
    /// It works.
    Hello,
    /// To be stored, then acknowledged by its name.
    Delivery {
        delivery: Delivery,
        bytes: Vec<u8>,
        name: String,
    },
    /// Nothing to store, but to be acknowledged.
    Notice(String),
    /// The chat wants to be called anew, and why.
    Again(String),
    Nothing,
}

impl Line {
    pub async fn next(&mut self) -> Result<Said, CallError> {
        Ok(match self.0.next().await? {
            Heard::Hello => Said::Hello,
            Heard::Envelope(envelope) => {
                let name = envelope.id;
                match edge::from_socket(&envelope.kind, &name, &envelope.payload) {
                    Some(delivery) => Said::Delivery {
                        delivery,
                        bytes: envelope.payload,
                        name,
                    },
                    None => Said::Notice(name),
                }
            }
            Heard::Disconnect(why) => Said::Again(why),
            Heard::Nothing => Said::Nothing,
        })
    }

    pub async fn acknowledge(&mut self, name: &str) -> Result<(), CallError> {
        self.0.acknowledge(name).await
    }
}

/// A chat that must be told which commands there are, and where: nowhere by name means everywhere.
#[derive(Clone, Debug)]
pub struct Registered {
    pub client: Arc<discord::client::Client>,
    pub guilds: Vec<String>,
}

impl Registered {
    pub fn chat(&self) -> Chat {
        Chat::Discord
    }

    /// The same list each time, so telling it again changes nothing.
    pub async fn register(&self) -> Result<(), CallError> {
        self.client.register(&self.guilds).await
    }
}
