//! Facts: what a forge said when it was asked.

use super::{Account, External, Progress, Report, Sha};

/// What the forge said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    Acquaintance(bool),
    Role(Option<String>),
    Membership(Membership),
    PullRequest(PullRequest),
    Comparison(Comparison),
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

/// A person and a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The team's number.
    pub team: u64,
    /// A pending invitation is no membership.
    pub active: bool,
}

/// A pull request as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    pub number: u64,
    pub head: Sha,
    /// The repository that the head is in; none when it is gone.
    pub head_repository: Option<u64>,
    pub base: String,
    pub open: bool,
    pub draft: bool,
    /// The commit that merged it.
    pub merged: Option<Sha>,
}

/// How a head relates to a base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Identical,
    /// The head has commits that the base has not, and lacks none.
    Ahead,
    /// The base has commits that the head has not, and lacks none.
    Behind,
    Diverged,
}

/// What lies between two commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    pub relation: Relation,
    /// Commits of the head that the base has not, oldest first.
    pub commits: Vec<Commit>,
    /// Whether `commits` are all of them.
    pub complete: bool,
    /// The paths that differ, if all of them could be told.
    pub paths: Option<Vec<String>>,
}

/// A commit and the people behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    pub sha: Sha,
    pub title: String,
    /// Authors and committers with an account.
    pub people: Vec<Account>,
    /// Those whose address belongs to no account.
    pub strangers: Vec<String>,
    /// The commit before it; for a merge, the one on the branch that it was merged into.
    pub parent: Option<Sha>,
}
