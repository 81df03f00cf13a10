//! Sights: what a person sees after having done something.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::interactions::First;
use super::messages::Message;
use super::world::World;

#[derive(Clone, Debug)]
pub enum Seen {
    /// A message: new, changed, or "The application is thinking...".
    Message(Box<Message>),
    /// The click was taken, and nothing changed yet.
    Nothing,
    Choices(Vec<Value>),
    Form(Form),
    /// "The application did not respond", and why.
    Failed(String),
    /// Discord does not let them do that at all; the application heard nothing.
    Impossible(String),
}

/// A form that is open before a user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Form {
    pub custom_id: String,
    pub title: String,
    pub components: Vec<Value>,
    pub(super) channel: u64,
    pub(super) message: Option<u64>,
}

impl Seen {
    pub fn message(&self) -> Option<&Message> {
        match self {
            Self::Message(message) => Some(message),
            Self::Nothing
            | Self::Choices(_)
            | Self::Form(_)
            | Self::Failed(_)
            | Self::Impossible(_) => None,
        }
    }

    pub fn form(&self) -> Option<&Form> {
        match self {
            Self::Form(form) => Some(form),
            Self::Nothing
            | Self::Choices(_)
            | Self::Message(_)
            | Self::Failed(_)
            | Self::Impossible(_) => None,
        }
    }

    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_))
    }

    pub fn is_impossible(&self) -> bool {
        matches!(self, Self::Impossible(_))
    }
}

impl World {
    /// What the first answer shows, as it is by now.
    pub(super) fn shown(&self, first: &First) -> Seen {
        match first {
            First::Pong | First::DeferredUpdate(_) => Seen::Nothing,
            First::Message(id) | First::Deferred(id) | First::Update(id) => {
                match self.messages.get(id) {
                    Some(message) => Seen::Message(Box::new(message.clone())),
                    None => Seen::Nothing,
                }
            }
            First::Choices(choices) => Seen::Choices(choices.clone()),
            First::Form(form) => Seen::Form(form.clone()),
        }
    }
}
