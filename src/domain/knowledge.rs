//! Knowledge: what the desk knows while it decides: what was stored, and what the forge says at this moment. It names
//! what it misses; its caller finds that out and asks again. A fact that could not be found out is `Unknown`, which is
//! never taken for "no" and never for "yes".

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Account, Candidate, Crowd, EnvironmentName, External, ExternalKind, Fact, Filter, Forge, Noted,
    Notice, Offer, Place, Report, Repository, RepositoryId, Request, RuleRequested, ServiceName,
    Sha, Speaker,
};

/// Something that the database knows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Look {
    /// Repositories with this number or this name.
    Repository {
        id: RepositoryId,
        path: String,
    },
    /// The repository that a service was bound to.
    BoundRepository {
        path: String,
    },
    /// Who a user's or team's name belonged to when it was first looked up.
    Pin {
        kind: PinKind,
        name: String,
    },
    Candidates {
        repository: RepositoryId,
        sha: Sha,
    },
    /// The newest candidates of a service.
    Newest {
        service: ServiceName,
    },
    Reports {
        repository: RepositoryId,
        sha: Sha,
    },
    /// Requests of a service that are not over.
    OpenRequests {
        service: ServiceName,
    },
    Request {
        number: u64,
    },
    /// The request that the forge knows under this number.
    RequestOf {
        repository: RepositoryId,
        kind: ExternalKind,
        id: u64,
    },
    /// Requests for a commit, open and over.
    RequestsOfCommit {
        repository: RepositoryId,
        sha: Sha,
    },
    /// The newest successful requests.
    History {
        service: ServiceName,
        environment: EnvironmentName,
    },
    /// What is live, by environment.
    Live {
        service: ServiceName,
    },
    Locks {
        service: ServiceName,
    },
    /// Runs that wait at our protection rule.
    WaitingRuns {
        repository: RepositoryId,
        environment: String,
    },
    /// How much a person said within the last minute.
    Caller {
        repository: RepositoryId,
        account: u64,
    },
    /// Whether this was done before.
    Remembered {
        token: String,
    },
    /// Requests that a comment asked for or approved.
    RequestsOfComment {
        repository: RepositoryId,
        comment: u64,
    },
    /// The newest entries of the audit log that match and are about one of these services.
    Entries {
        services: Vec<ServiceName>,
        filter: Filter,
        most: u32,
    },
    /// The number for a new request.
    NextNumber,
    /// The number for a new notice or a new offer of a link; each that a decision needs is asked for by itself.
    NextNotice {
        nth: u64,
    },
    /// The account on a forge that is linked with a speaker.
    Identity {
        speaker: Speaker,
        forge: Forge,
    },
    /// The notice about a commit and an environment.
    Notice {
        service: ServiceName,
        environment: EnvironmentName,
        sha: Sha,
    },
    NoticeOf {
        number: u64,
    },
    /// The notices that offer a commit for an environment.
    Offered {
        service: ServiceName,
        environment: EnvironmentName,
    },
    /// The offer of a link that has this code.
    Code {
        code: String,
    },
    Offer {
        number: u64,
    },
    /// The speakers who are linked with an account.
    Linked {
        forge: Forge,
        account: u64,
    },
}

/// What the database knows about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    Repositories(Vec<Bound>),
    Pin(Option<u64>),
    Caller(Option<Caller>),
    Candidates(Vec<Candidate>),
    Reports(Vec<Report>),
    Requests(Vec<Request>),
    Live(Vec<Live>),
    Locks(Vec<Lock>),
    WaitingRuns(Vec<RuleRequested>),
    /// Or why they cannot be looked for.
    Entries(Result<Vec<Noted>, String>),
    Yes(bool),
    Number(u64),
    Identity(Option<Account>),
    Notices(Vec<Notice>),
    Offer(Option<Box<Offer>>),
    Speakers(Vec<Speaker>),
}

/// What kind of name was looked up once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PinKind {
    User,
    Team,
}

impl PinKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Team => "team",
        }
    }
}

/// A configured repository and the one that it was bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// As it is configured, in lower case.
    pub name: String,
    /// As it is called now.
    pub repository: Repository,
}

/// A person who gives commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub repository: RepositoryId,
    /// The number on the repository's forge.
    pub account: u64,
    /// When what they said is not counted any more.
    pub until: Timestamp,
    /// How many commands they gave until then.
    pub heard: u64,
    /// Whether they belong neither to the repository nor to a role.
    pub is_stranger: bool,
}

/// What runs in an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    pub service: ServiceName,
    pub environment: EnvironmentName,
    pub sha: Sha,
    /// The request that brought it there; none when we were not asked.
    pub request: Option<u64>,
    pub since: Timestamp,
}

/// An environment that a person closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    pub service: ServiceName,
    pub environment: EnvironmentName,
    pub by: Account,
    pub reason: String,
    pub since: Timestamp,
    pub until: Option<Timestamp>,
}

/// Something that only the forge knows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// Whether a person belongs here at all: to the repository, to those whom it belongs to, or to these people. The
    /// cheapest question about somebody, and the first; it gives no right to anything.
    Acquaintance {
        repository: Repository,
        person: Account,
        crowds: Vec<Crowd>,
    },
    /// A person's role in a repository.
    Role {
        repository: Repository,
        person: Account,
    },
    /// Whether a person is in a team.
    Membership {
        repository: Repository,
        team: Crowd,
        person: Account,
    },
    PullRequest {
        repository: Repository,
        number: u64,
    },
    /// How two commits or branches are related, and what lies between them.
    Comparison {
        repository: Repository,
        base: String,
        head: String,
    },
    /// The merged pull requests that brought a commit to a branch.
    Merges {
        repository: Repository,
        branch: String,
        sha: Sha,
        /// Whether their mergers are asked for, too.
        with_mergers: bool,
    },
    /// How a branch was moved, as far back as this commit.
    Moves {
        repository: Repository,
        branch: String,
        back_to: Option<Sha>,
    },
    /// The commit that an abbreviation means.
    Commit {
        repository: Repository,
        reference: String,
    },
    /// Where a branch stands.
    Head {
        repository: Repository,
        branch: String,
    },
    /// Every report about a commit.
    Reports {
        repository: Repository,
        sha: Sha,
        /// Jobs that release, and say nothing about the commit.
        aside: Vec<String>,
    },
    /// What is behind one report that does not say what it was made on.
    Origin {
        repository: Repository,
        report: Box<Report>,
    },
    /// What a comment says now.
    Comment {
        place: Place,
    },
    /// The app behind a bot's account.
    AppBehind {
        repository: Repository,
        login: String,
    },
    /// How a release goes.
    Progress {
        repository: Repository,
        external: External,
        /// Our mark in the titles of its runs.
        correlation: String,
        /// Who else is believed who says how it goes.
        reporter: Option<String>,
    },
    /// Whether a release with our mark is there.
    Sighting {
        repository: Repository,
        search: Search,
    },
    /// Which commit a run is of, and which workflow.
    Run {
        repository: Repository,
        run: u64,
    },
    /// Under which number we act.
    Ourselves {
        repository: Repository,
    },
}

impl Question {
    /// Through which repository it is asked.
    pub fn repository(&self) -> &Repository {
        match self {
            Self::Acquaintance { repository, .. }
            | Self::Role { repository, .. }
            | Self::Membership { repository, .. }
            | Self::PullRequest { repository, .. }
            | Self::Comparison { repository, .. }
            | Self::Merges { repository, .. }
            | Self::Moves { repository, .. }
            | Self::Commit { repository, .. }
            | Self::Head { repository, .. }
            | Self::Reports { repository, .. }
            | Self::Origin { repository, .. }
            | Self::Comment {
                place: Place { repository, .. },
            }
            | Self::AppBehind { repository, .. }
            | Self::Progress { repository, .. }
            | Self::Sighting { repository, .. }
            | Self::Run { repository, .. }
            | Self::Ourselves { repository } => repository,
        }
    }
}

/// Where a release would be found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Search {
    pub correlation: String,
    pub sha: Sha,
    pub target: Target,
    pub since: Timestamp,
}

/// What kind of trigger is looked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    Deployment {
        environment: String,
    },
    WorkflowDispatch {
        workflow: String,
    },
    RepositoryDispatch,
    WaitingRun {
        run: u64,
    },
    /// A job of the commit's own pipeline.
    Job {
        name: String,
        branch: Option<String>,
    },
    Pipeline {
        by_token: bool,
    },
    /// The job of a deployment that waited for approval.
    WaitingJob {
        environment: String,
        branch: Option<String>,
    },
}

/// A fact, or why it could not be found out.
pub type Finding = Result<Fact, String>;

/// What was found out so far.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    pub seen: BTreeMap<Look, Seen>,
    pub facts: BTreeMap<Question, Finding>,
}

/// What is missing for a decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    pub looks: BTreeSet<Look>,
    pub questions: BTreeSet<Question>,
}

impl Missing {
    pub fn is_empty(&self) -> bool {
        self.looks.is_empty() && self.questions.is_empty()
    }
}
