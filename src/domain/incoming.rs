//! Deliveries in our words: what a delivery means, whichever forge or chat it came from. Times are the forge's own;
//! numbers decide, names are for display.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::command::{Command, Found};
use super::{
    Due, External, ExternalKind, Forge, Internal, Report, RepositoryId, Request, Said, Sha, Spot,
};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// The forge says that the hook works.
    Ping,
    /// A branch moved, appeared or vanished.
    Push(Push),
    /// A gate's fact changed, in this repository.
    Report(Repository, Report),
    /// A deployment was made, by us or from outside.
    Deployment(SeenDeployment),
    /// A source reported how a deployment goes.
    DeploymentMoved(DeploymentMoved),
    /// A run of a workflow began, moved or ended.
    Run(SeenRun),
    /// A run waits at our protection rule.
    RuleRequested(RuleRequested),
    /// A pull request's head, draft state or openness changed.
    PullRequest(PullRequestMoved),
    /// A commenter wrote a new comment on a pull request.
    Comment(Comment),
    /// One command of a comment.
    Command(Asked),
    /// A speaker did something in a chat.
    Said(Said),
    /// A comment was changed or deleted.
    CommentChanged(CommentChanged),
    /// A repository has another name, or is not worked on any more.
    RepositoryChanged(RepositoryChanged),
    /// Something that we told ourselves: a timer, the outcome of a call.
    Internal(Internal),
    /// Authentic, and none of our business.
    NotOurs(String),
}

impl Incoming {
    /// Whether a release hangs on it, so that what the forge lets us ask is kept for it.
    pub fn releases(&self) -> bool {
        match self {
            Self::Command(asked) => asked.found.command.as_ref().is_ok_and(Command::releases),
            Self::Internal(Internal::Heard { line, command, .. }) => match command {
                Some(command) => command.releases(),
                None => {
                    let mut found = Command::all_in(line).into_iter();
                    found.any(|one| one.command.is_ok_and(|command| command.releases()))
                }
            },
            Self::Internal(Internal::Due(due)) => matches!(
                due,
                Due::Depart { .. } | Due::Look { .. } | Due::Follow { .. }
            ),
            Self::Internal(Internal::Triggered { .. }) => true,
            Self::Ping
            | Self::Push(_)
            | Self::Report(..)
            | Self::Deployment(_)
            | Self::DeploymentMoved(_)
            | Self::Run(_)
            | Self::RuleRequested(_)
            | Self::PullRequest(_)
            | Self::Comment(_)
            | Self::Said(_)
            | Self::CommentChanged(_)
            | Self::RepositoryChanged(_)
            | Self::Internal(Internal::Parked { .. })
            | Self::NotOurs(_) => false,
        }
    }
}

/// A repository of a forge, and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Repository {
    pub id: RepositoryId,
    /// `owner/name`.
    pub path: String,
    pub installation: Option<u64>,
}

impl Repository {
    /// The rate limit of an installation, or of the one token that a forge is called with.
    pub fn limit(&self) -> String {
        let forge = self.forge().prefix();
        match self.installation {
            Some(installation) => format!("{forge}/{installation}"),
            None => forge.to_owned(),
        }
    }

    pub fn forge(&self) -> Forge {
        self.id.forge()
    }

    /// How its name is remembered.
    pub fn remembered(&self) -> String {
        self.forge().remembers(&self.path)
    }
}

/// An account of a forge. The number decides; the name is for display.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Account {
    #[serde(default = "Forge::first", skip_serializing_if = "Forge::is_first")]
    pub forge: Forge,
    pub id: u64,
    pub login: String,
}

/// A branch moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    pub repository: Repository,
    /// Without `refs/heads/`.
    pub branch: String,
    /// Where it stood; `None` when the branch is new.
    pub before: Option<Sha>,
    /// Where it stands; `None` when the branch is gone.
    pub after: Option<Sha>,
    /// Whether commits may have left it: it was forced, or the forge does not tell.
    pub may_go_back: bool,
    /// The paths that the pushed commits touch, when the payload tells all of them.
    pub paths: Option<Vec<String>>,
    /// The first line of the head commit's message.
    pub title: String,
}

/// How something that runs goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    Waiting,
    Running,
    Skipped,
    Succeeded,
    Cancelled,
    Failed,
}

/// A deployment as the forge shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenDeployment {
    pub repository: Repository,
    pub id: u64,
    pub sha: Sha,
    pub environment: String,
    pub creator: Option<Account>,
    /// The app that made it.
    pub app: Option<u64>,
    /// Our mark in its payload, if it claims to be ours.
    pub correlation: Option<String>,
    /// The job that deploys, where the forge tells.
    pub job: Option<u64>,
}

/// How a deployment goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentMoved {
    pub deployment: SeenDeployment,
    /// The number of the report.
    pub status: u64,
    /// `None` for a state that says nothing about the release, such as `inactive`.
    pub progress: Option<Progress>,
    pub url: String,
    pub by: Option<Account>,
}

/// Something that runs, as the forge shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRun {
    pub repository: Repository,
    pub id: u64,
    /// Counts from one. A job that runs again gets another number instead.
    pub attempt: u64,
    pub sha: Sha,
    pub progress: Progress,
    pub url: String,
    pub actor: Option<Account>,
    pub what: RunOf,
}

/// What it is that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunOf {
    Workflow {
        /// The file's name, without folders.
        file: String,
        /// What started it: `push`, `deployment`, `workflow_dispatch`...
        event: String,
        title: String,
    },
    Job {
        name: String,
        /// What it releases to, if it does.
        environment: Option<String>,
    },
    /// A pipeline that may be ours; others are facts about their commit and no runs.
    Pipeline {
        /// Our mark among its variables, if it is really ours.
        mark: String,
    },
}

impl SeenRun {
    /// What the forge calls it.
    pub fn external(&self) -> External {
        External {
            kind: match self.what {
                RunOf::Workflow { .. } => ExternalKind::Run,
                RunOf::Job { .. } => ExternalKind::Job,
                RunOf::Pipeline { .. } => ExternalKind::Pipeline,
            },
            id: self.id,
            url: self.url.clone(),
        }
    }

    /// Whether it says that it is for this request: by our mark, or by the commit where it cannot bear one. Others
    /// can give a run our mark.
    pub fn is_for(&self, request: &Request) -> bool {
        match &self.what {
            RunOf::Workflow { title, .. } => title.contains(&request.correlation()),
            RunOf::Job { .. } => self.sha == request.sha,
            RunOf::Pipeline { mark } => *mark == request.correlation(),
        }
    }
}

impl RunOf {
    /// Whether a deployment started it.
    pub fn is_of_deployment(&self) -> bool {
        matches!(self, Self::Workflow { event, .. } if event == "deployment")
    }
}

/// A run waits until we answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleRequested {
    pub repository: Repository,
    pub run: u64,
    pub environment: String,
    /// The commit; not every payload tells it.
    pub sha: Option<Sha>,
    pub deployment: Option<u64>,
}

/// A pull request moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequestMoved {
    pub repository: Repository,
    pub number: u64,
    pub head: Sha,
    pub open: bool,
    pub draft: bool,
}

/// A comment that was just created by the person who sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    pub place: Place,
    pub author: Account,
    pub body: String,
}

/// One command, from whichever surface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub repository: Repository,
    pub origin: Surface,
    pub author: Account,
    /// Which of the comment's commands it is, from zero.
    pub ordinal: usize,
    pub found: Found,
}

/// Where something was asked for, and where its answer goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Surface {
    Comment(Place),
    Chat(Spot),
}

impl Surface {
    /// When it was said, to the second: not every surface is more exact.
    pub fn said_at(&self) -> Timestamp {
        let at = match self {
            Self::Comment(place) => place.written_at,
            Self::Chat(spot) => spot.said_at,
        };
        Timestamp::from_second(at.as_second()).unwrap_or(at)
    }

    /// The comment, if it is one.
    pub fn comment(&self) -> Option<&Place> {
        match self {
            Self::Comment(place) => Some(place),
            Self::Chat(_) => None,
        }
    }
}

/// A comment was touched later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommentChanged {
    pub place: Place,
    pub by: Account,
    pub deleted: bool,
}

/// Where a comment stands, and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    pub repository: Repository,
    pub pull_request: u64,
    pub comment: u64,
    pub written_at: Timestamp,
}

/// What became of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryChanged {
    pub repository: Repository,
    /// `renamed`, `transferred`, `archived`, `deleted`...
    pub what: String,
}
