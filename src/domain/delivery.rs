//! Deliveries: what came through a hook: authentic bytes, and the little that must be known to store them.

use super::{Chat, Forge};

/// Who sends deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Forge(Forge),
    Chat(Chat),
    /// What we tell ourselves; never through a hook.
    Countersign,
}

/// How we are called where sources are stored.
const OURSELVES: &str = "countersign";

impl Source {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Forge(forge) => forge.prefix(),
            Self::Chat(chat) => chat.as_str(),
            Self::Countersign => OURSELVES,
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let forge = Forge::of_prefix(text).map(Self::Forge);
        let chat = || Chat::parse(text).map(Self::Chat);
        let ourselves = || (text == OURSELVES).then_some(Self::Countersign);
        forge.or_else(chat).or_else(ourselves)
    }
}

/// A delivery whose signature was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub source: Source,
    /// The same for a repetition of the same delivery. The sender's id alone is not enough: the
    /// signature does not cover it, so the signature is part of the key.
    pub key: String,
    pub event: String,
    /// Deliveries of one lane are handled in the order of their arrival; lanes do not wait
    /// for each other.
    pub lane: String,
    /// Why the body cannot be read, if so.
    pub malformed: Option<String>,
}
