//! Facts: what a forge said when it was asked.

use jiff::Timestamp;

use super::{Commit, Comparison, External, Merge, Move, Progress, Report, Sha, Somebody};

/// What the forge said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    Acquaintance(bool),
    Role(Option<Access>),
    Membership(Membership),
    PullRequest(PullRequest),
    Comparison(Comparison),
    Merges(Vec<Merge>),
    /// The newest first.
    Moves(Vec<Move>),
    Commit(Commit),
    Head(Option<Sha>),
    Reports(Vec<Report>),
    Origin(Box<Report>),
    /// Nothing where it is gone, or not for everybody.
    Comment(Option<Written>),
    App(Option<u64>),
    /// How it goes, where to see it, and whether only its runs say so.
    Progress(Progress, String, bool),
    Sighting(Option<External>),
    Run(FoundRun),
    Ourselves(Ourselves),
}

/// A run, or a pipeline, as it was looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundRun {
    pub sha: Sha,
    /// The workflow's file, without folders.
    pub file: Option<String>,
    /// What started it.
    pub event: Option<String>,
    /// The repository that its code is of.
    pub home: Option<u64>,
}

/// What somebody wrote in a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The author's number.
    pub by: u64,
    pub body: String,
}

/// Who we are to the forge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ourselves {
    pub app: Option<u64>,
    /// The login under which our comments and deployments appear.
    pub login: String,
}

/// What a person may do in a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    pub role: String,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
}

/// A person and a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The team's number.
    pub team: u64,
    /// A pending invitation is no membership.
    pub active: bool,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
}

/// A pull request as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    pub number: u64,
    pub opener: Somebody,
    pub head: Sha,
    /// The repository that the head is in; none when it is gone.
    pub head_repository: Option<u64>,
    pub base: String,
    pub open: bool,
    pub draft: bool,
    /// The commit that merged it.
    pub merged: Option<Sha>,
}
