//! Channels: where notices are posted: a channel of a chat, by the chat's own id. Refuses names such as `#releases`,
//! because a name can be given to another channel.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Chat, Invalid};

/// A chat channel: `discord:1000000000000000002` or `slack:C0123456789`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChannelRef {
    /// A Discord channel, by its numeric id.
    Discord(u64),
    /// A Slack channel, by its id.
    Slack(String),
}

impl ChannelRef {
    pub fn chat(&self) -> Chat {
        match self {
            Self::Discord(_) => Chat::Discord,
            Self::Slack(_) => Chat::Slack,
        }
    }

    /// A role or a user group that can be called there, by the id that the chat gave it.
    pub fn callable(&self, id: &str) -> Result<String, Invalid> {
        let (is_id, example) = match self {
            Self::Discord(_) => (
                id.bytes().all(|b| b.is_ascii_digit()),
                "the id of a role is a number, such as `1000000000000000004`",
            ),
            Self::Slack(_) => (
                id.starts_with('S')
                    && id
                        .bytes()
                        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()),
                "the id of a user group begins with S, such as `S0123456789`",
            ),
        };
        if is_id && (1..=32).contains(&id.len()) {
            return Ok(id.to_owned());
        }
        Err(Invalid::new("nobody can be called by this", example))
    }

    /// Whether this is the channel that a chat calls so.
    pub fn is(&self, chat: Chat, id: &str) -> bool {
        match self {
            Self::Discord(number) => chat == Chat::Discord && number.to_string() == id,
            Self::Slack(own) => chat == Chat::Slack && own == id,
        }
    }
}

impl FromStr for ChannelRef {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let way_out = "write it like `discord:1000000000000000002` or `slack:C0123456789`";
        match text.split_once(':') {
            Some(("discord", id)) => id
                .parse::<u64>()
                .ok()
                .filter(|number| *number > 0 && id.bytes().all(|b| b.is_ascii_digit()))
                .map(Self::Discord)
                .ok_or_else(|| Invalid::new("a Discord channel's id is a number", way_out)),
            Some(("slack", id)) => {
                let allowed = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
                let sized = (9..=32).contains(&id.len());
                if sized && id.starts_with(['C', 'G']) && id.bytes().all(allowed) {
                    Ok(Self::Slack(id.to_owned()))
                } else {
                    Err(Invalid::new(
                        "a Slack channel's id begins with C or G, in capitals and digits",
                        way_out,
                    ))
                }
            }
            Some(_) => Err(Invalid::new("this chat is not known", way_out)),
            None => Err(Invalid::new("the chat is missing", way_out)),
        }
    }
}

impl fmt::Display for ChannelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Discord(id) => write!(f, "discord:{id}"),
            Self::Slack(id) => write!(f, "slack:{id}"),
        }
    }
}

impl Serialize for ChannelRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ChannelRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(|invalid: Invalid| serde::de::Error::custom(invalid.problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_named_by_id() {
        let check = |text: &str, expect: bool| {
            let parsed = text.parse::<ChannelRef>();
            assert_eq!(parsed.is_ok(), expect, "{text}");
            if let Ok(channel) = parsed {
                assert_eq!(channel.to_string(), text);
            }
        };
        check("discord:1000000000000000002", true);
        check("slack:C0123456789", true);
        check("discord:#releases", false);
        check("discord:+5", false);
        check("discord:0", false);
        check("slack:#releases", false);
        check("slack:U0123456789", false);
        check("slack:c0123456789", false);
        check("teams:1", false);
        check("C0123456789", false);
    }
}
