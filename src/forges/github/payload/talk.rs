//! Talk in GitHub's payloads: pull requests, the talk on them, and repositories themselves.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Id, Numbered, Repository, User, Written};
use crate::domain::Sha;

#[derive(Debug, Deserialize)]
pub(crate) struct IssueComment {
    pub(crate) action: String,
    pub(crate) comment: Comment,
    pub(crate) issue: Issue,
    pub(crate) repository: Repository,
    pub(crate) sender: User,
    #[serde(default)]
    pub(crate) installation: Option<Numbered>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Comment {
    pub(crate) id: Id,
    #[serde(default)]
    pub(crate) body: Option<String>,
    pub(crate) created_at: Written,
    #[serde(default)]
    pub(crate) user: Option<User>,
    #[serde(default)]
    pub(crate) performed_via_github_app: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Issue {
    pub(crate) number: Id,
    /// Present when the issue is a pull request.
    #[serde(default)]
    pub(crate) pull_request: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct PullRequestEvent {
    pub(crate) action: String,
    pub(crate) pull_request: PullRequest,
    pub(crate) repository: Repository,
    #[serde(default)]
    pub(crate) installation: Option<Numbered>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct PullRequest {
    pub(crate) number: Id,
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) draft: Option<bool>,
    pub(crate) head: Head,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Head {
    pub(crate) sha: Sha,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RepositoryEvent {
    pub(crate) action: String,
    pub(crate) repository: Repository,
    #[serde(default)]
    pub(crate) installation: Option<Numbered>,
}
