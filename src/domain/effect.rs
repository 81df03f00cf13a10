//! What must be done outside. An effect is data: it is stored with the decision that caused it, and
//! carried out later, perhaps by another process.

use serde::{Deserialize, Serialize};

use super::Place;

/// One thing to do outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// Put a reaction on a comment.
    React { place: Place, reaction: Reaction },
    /// Answer a comment with a comment.
    Reply { place: Place, text: String },
}

/// The reactions that we use, by GitHub's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    Eyes,
}

impl Reaction {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eyes => "eyes",
        }
    }
}

/// What leaves first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// A production trigger.
    Trigger,
    /// An answer that a person waits for.
    Reply,
    /// Everything else.
    Notice,
}

/// An effect together with the name of what it means: the same meaning is never planned twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    pub token: String,
    pub effect: Effect,
}

impl Effect {
    pub fn priority(&self) -> Priority {
        match self {
            Self::React { .. } | Self::Reply { .. } => Priority::Reply,
        }
    }

    /// One word, for logs and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::React { .. } => "react",
            Self::Reply { .. } => "reply",
        }
    }
}
