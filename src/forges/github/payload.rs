//! The parts of GitHub's payloads that we use. Fields we do not name are passed over; fields that may
//! be absent have a default.

use jiff::Timestamp;
use serde::Deserialize;

/// What is common to all events.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope {
    #[serde(default)]
    pub(super) repository: Option<Numbered>,
    #[serde(default)]
    pub(super) installation: Option<Numbered>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Numbered {
    pub(super) id: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct IssueComment {
    pub(super) action: String,
    pub(super) comment: Comment,
    pub(super) issue: Issue,
    pub(super) repository: Repository,
    pub(super) sender: User,
    #[serde(default)]
    pub(super) installation: Option<Numbered>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Comment {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) body: String,
    pub(super) created_at: Timestamp,
    #[serde(default)]
    pub(super) user: Option<User>,
    #[serde(default)]
    pub(super) performed_via_github_app: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Issue {
    pub(super) number: u64,
    /// Present when the issue is a pull request.
    #[serde(default)]
    pub(super) pull_request: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Repository {
    pub(super) id: u64,
    pub(super) full_name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub(super) id: u64,
    pub(super) login: String,
    #[serde(default, rename = "type")]
    pub(super) kind: String,
}
