//! The chat of a demo: the front of the small ones. What a story needs of a chat is asked here, and the room of the one
//! that is played knows how it is done there.

mod discord;
#[cfg(feature = "demo-slack")]
mod slack;

use std::net::SocketAddr;

use clap::Args;
use jiff::Timestamp;

use super::look::Seen;
use super::people::Person;
use super::wish::Wish;
use super::written::Section;

/// Which chat the person wants.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct ChatWish {
    /// Play a small Slack instead of a small Discord
    #[arg(long, hide = cfg!(not(feature = "demo-slack")))]
    slack: bool,
}

/// The chat that is played.
#[derive(Debug)]
pub(super) enum Chat {
    Discord(discord::Played),
    #[cfg(feature = "demo-slack")]
    Slack(slack::Played),
}

/// What people call things there.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) chat: &'static str,
    /// The channel #releases, as the configuration names it.
    pub(super) channel: &'static str,
    /// What a person types to link two accounts, and to see every command.
    pub(super) link: &'static str,
    pub(super) help: &'static str,
    /// What the chat says to a command that it was not told of.
    pub(super) no_such_command: &'static str,
    /// When people can begin to type.
    pub(super) connected: &'static str,
}

/// What became of a command.
#[derive(Debug)]
pub(super) enum Heard {
    /// There will be an answer, to be asked for by this number.
    Yes(u64),
    /// The chat offers no such command.
    Unknown,
    /// The chat does not take it, and says why.
    Refused(String),
    /// It was taken, and nobody will answer.
    Unanswered,
}

/// A message, as it is now.
#[derive(Clone, Debug)]
pub(super) enum Posted {
    Discord(discord::Message),
    #[cfg(feature = "demo-slack")]
    Slack(slack::Message),
}

impl ChatWish {
    pub(super) fn wish(self) -> Wish {
        Wish {
            is_asked: self.slack,
            is_held: cfg!(feature = "demo-slack"),
            option: "--slack",
            name: "Slack",
        }
    }

    /// What will be played.
    pub(super) fn name(self) -> &'static str {
        #[cfg(feature = "demo-slack")]
        if self.slack {
            return slack::WORDS.chat;
        }
        discord::WORDS.chat
    }

    /// Starts what is wished for, with its people in it.
    pub(super) async fn start(self) -> anyhow::Result<Chat> {
        #[cfg(feature = "demo-slack")]
        if self.slack {
            return Ok(Chat::Slack(slack::Played::start().await?));
        }
        Ok(Chat::Discord(discord::Played::start().await?))
    }
}

impl Posted {
    /// As it looks.
    pub(super) fn look(&self, now: Timestamp) -> Seen {
        match self {
            Self::Discord(message) => discord::look(message, now),
            #[cfg(feature = "demo-slack")]
            Self::Slack(message) => slack::look(message),
        }
    }

    /// What only one message has.
    pub(super) fn id(&self) -> String {
        match self {
            Self::Discord(message) => message.id.to_string(),
            #[cfg(feature = "demo-slack")]
            Self::Slack(message) => message.ts.clone(),
        }
    }
}

impl Chat {
    pub(super) fn words(&self) -> &'static Words {
        match self {
            Self::Discord(_) => &discord::WORDS,
            #[cfg(feature = "demo-slack")]
            Self::Slack(_) => &slack::WORDS,
        }
    }

    /// Its part of the configuration.
    pub(super) fn section(&self) -> Section {
        match self {
            Self::Discord(played) => played.section(),
            #[cfg(feature = "demo-slack")]
            Self::Slack(played) => played.section(),
        }
    }

    /// From now on the service hears of what is typed and pressed.
    pub(super) async fn tell(&self, service: SocketAddr) -> anyhow::Result<()> {
        match self {
            Self::Discord(played) => played.tell(service).await,
            #[cfg(feature = "demo-slack")]
            // The service calls Slack.
            Self::Slack(_) => Ok(()),
        }
    }

    /// Whether people can begin to type.
    pub(super) fn is_connected(&self) -> bool {
        match self {
            Self::Discord(played) => played.is_connected(),
            #[cfg(feature = "demo-slack")]
            Self::Slack(played) => played.is_connected(),
        }
    }

    /// The person types a command in #releases.
    pub(super) async fn say(&self, who: &Person, line: &str) -> Heard {
        match self {
            Self::Discord(played) => played.say(who, line).await,
            #[cfg(feature = "demo-slack")]
            Self::Slack(played) => played.say(who, line).await,
        }
    }

    /// What the person reads for an answer, once it is there.
    pub(super) fn answer(&self, who: &Person, number: u64) -> Option<Posted> {
        match self {
            Self::Discord(played) => played.answer(who, number).map(Posted::Discord),
            #[cfg(feature = "demo-slack")]
            Self::Slack(played) => played.answer(who, number).map(Posted::Slack),
        }
    }

    /// The person says yes to what only they are asked; nothing as long as they are not.
    pub(super) async fn agree(&self, who: &Person) -> Option<()> {
        match self {
            Self::Discord(played) => played.agree(who).await,
            #[cfg(feature = "demo-slack")]
            Self::Slack(played) => played.agree(who).await,
        }
    }

    /// What #releases shows last.
    pub(super) fn notice(&self) -> Option<Posted> {
        match self {
            Self::Discord(played) => played.notice().map(Posted::Discord),
            #[cfg(feature = "demo-slack")]
            Self::Slack(played) => played.notice().map(Posted::Slack),
        }
    }
}
