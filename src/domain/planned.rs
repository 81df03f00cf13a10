//! Planned effects: what is to be done outside, by what it means, and what goes first.

use jiff::Timestamp;

use super::Effect;

/// What leaves first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// A trigger that goes back.
    Back,
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
    /// It leaves then at the earliest.
    pub not_before: Option<Timestamp>,
    /// Whether it goes back to what was live, which comes before everything else.
    pub is_back: bool,
}

impl Planned {
    pub fn priority(&self) -> Priority {
        match self.effect.priority() {
            Priority::Trigger if self.is_back => Priority::Back,
            other @ (Priority::Back | Priority::Trigger | Priority::Reply | Priority::Notice) => {
                other
            }
        }
    }
}
