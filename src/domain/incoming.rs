//! What a delivery means, in our own words, whichever forge or chat it came from.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One thing that happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// The forge says that the hook works.
    Ping,
    /// Somebody wrote a new comment on a pull request.
    Comment(Comment),
    /// Authentic, and none of our business.
    NotOurs(String),
}

/// A comment that was just created by the person who sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    pub place: Place,
    pub author: Account,
    pub body: String,
}

/// An account of a forge. The number decides; the name is for display.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub id: u64,
    pub login: String,
}

/// Where a comment stands, and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub repository_id: u64,
    /// `owner/name`.
    pub repository: String,
    pub installation: Option<u64>,
    pub pull_request: u64,
    pub comment: u64,
    pub written_at: Timestamp,
}
