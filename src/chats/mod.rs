//! The chats. Each has an `edge`, which turns signed bytes into our words, a `render`, which turns our words
//! into messages, and a `client`, which sends them. The chats do not know each other; what both need stands
//! here. `door` and `clients` know all of them, and nobody above needs to.

use crate::domain::Happening;
use crate::domain::text::Message;

pub mod clients;
pub mod discord;
pub mod door;
mod json;
#[cfg(test)]
mod listener;
mod outline;
mod outside;
pub mod parts;
#[cfg(test)]
mod sample;
pub mod slack;
mod text;

/// With what a notice is shown besides itself.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'s> {
    /// Names the effect, the same for every attempt.
    pub token: &'s str,
    /// Whom to call, by the chat's own id of a role or group.
    pub call: Option<&'s str>,
    /// The signed head of the audit log, in short.
    pub anchor: Option<&'s str>,
}

/// Something that is said in a channel.
#[derive(Clone, Copy, Debug)]
pub struct Remark<'r> {
    /// The message in whose thread it belongs.
    pub under: Option<&'r str>,
    pub kind: Option<Happening>,
    pub text: &'r Message,
    /// Whom to call, by the chat's own id of a role or group.
    pub call: Option<&'r str>,
    /// What a new thread is called.
    pub title: &'r str,
    /// Names the effect, the same for every attempt.
    pub token: &'r str,
}

/// Why a client cannot be made of its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("the address cannot be used")]
    Address,
    #[error("the token cannot be sent")]
    Token,
}
