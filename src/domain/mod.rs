//! The words and rules of the product. Pure: no I/O, no async, no clock.
//! Each file holds one word of the house; a value that exists here is valid,
//! because parsing is the only way to make one.

/// Everything that is configured, by name.
pub mod catalog;

/// Where notices are posted.
pub mod channel;

/// Where a candidate can be released, and under which policy.
pub mod environment;

/// Names that people chose on a forge.
pub mod forge_name;

/// The facts that a stage waits for.
pub mod gate;

/// Why a text was refused, and the way out.
pub mod invalid;

/// Names of services, environments, stages and roles.
pub mod name;

/// Wildcards in gate names and paths.
pub mod pattern;

/// Where code lives.
pub mod forge;

/// Repositories and branches.
pub mod repo;

/// The number of a repository.
pub mod repository_id;

/// Who may approve.
pub mod role;

/// What is deployed.
pub mod service;

/// A full commit id.
pub mod sha;

/// The ordered steps of a service.
pub mod stage;

/// Text with `{sha}` and the like, filled in when a trigger leaves.
pub mod template;

/// How long something lasts, as people write it.
pub mod time_span;

/// How a release starts.
pub mod trigger;

/// The file of a GitHub workflow.
pub mod workflow_file;

/// The name of a policy.
pub mod policy_digest;

/// The policy of an environment, as one text.
pub mod policy_text;

/// What came through a hook.
pub mod delivery;

/// What a forge reports about a commit.
pub mod report;

/// People in chats, and our buttons there.
pub mod chat;

/// What we tell ourselves.
pub mod internal;

/// What a delivery means.
pub mod incoming;

/// What a person asks for.
pub mod command;

/// People as the log names them.
mod entry;

/// What the bearer of a token may read.
pub mod scope;

/// What people look for in the ledger.
pub mod audit;

/// A commit on its way.
pub mod candidate;

/// A release that was asked for.
pub mod request;

/// What a forge said.
pub mod fact;

/// Where a commit comes from.
pub mod provenance;

/// What the desk knows, and what it must ask.
pub mod knowledge;

/// Who may say yes.
pub mod policy;

/// Texts for people.
pub mod text;

/// Why.
pub mod reason;

/// How far a commit is.
pub mod gates;

/// What a chat is told.
pub mod notice;

/// How one release is started.
pub mod start;

/// What must be done outside.
pub mod effect;

/// What goes first.
pub mod planned;

/// What a channel is told.
pub mod subscription;

/// What a surface shows.
pub mod view;

/// Where everything is decided.
pub mod desk;

/// What payloads become in tests.
#[cfg(test)]
pub(crate) mod strange;

pub use countersign_ledger::{Action, Actor, Detail, Ending, Entry};

pub use audit::{Filter, Noted};
pub use candidate::{Candidate, Mark};
pub use catalog::Catalog;
pub use channel::ChannelRef;
pub use chat::{Act, Button, Chat, Claimant, Handle, Offer, Said, Speaker, Spot};
pub use command::{Command, Misunderstood};
pub use delivery::{Delivery, Source};
pub use desk::{COMMAND_LIFETIME, Change, Decision, Outcome, Viewing, decide, look, unfold};
pub use effect::{Departure, Effect, InChat, OnForge, Reaction, StatusState};
pub use environment::{Allow, Environment, Exclude, Excluded};
pub use fact::{Access, Fact, FoundRun, Membership, Ourselves, PullRequest, Written};
pub use forge::Forge;
pub use forge_name::ForgeName;
pub use gate::{AppId, Gate, GitHubGate, GitLabGate};
pub use incoming::{
    Account, Asked, Comment, CommentChanged, DeploymentMoved, Incoming, Place, Progress,
    PullRequestMoved, Push, Repository, RepositoryChanged, RuleRequested, RunOf, SeenDeployment,
    SeenRun, Surface,
};
pub use internal::{Due, External, ExternalKind, Internal, Went};
pub use invalid::Invalid;
pub use knowledge::{
    Bound, Caller, Finding, Knowledge, Live, Lock, Look, Missing, PinKind, Question, Search, Seen,
    Target,
};
pub use name::{EnvironmentName, RoleName, ServiceName, StageName};
pub use notice::{GateShown, Happening, Mood, News, Notice, Shipped, Ships, StageShown};
pub use pattern::{NamePattern, PathPattern};
pub use planned::{Planned, Priority};
pub use policy::{Approval, Authorized, Quorum};
pub use policy_digest::PolicyDigest;
pub use policy_text::SealedPolicy;
pub use provenance::{Batch, Commit, Comparison, Credit, Merge, Move, Part, Relation, Somebody};
pub use reason::{Reason, Rule, Verdict};
pub use repo::{Branch, Reference, RepoRef};
pub use report::{Colour, Rank, Report, ReportKind, Reporter, made_on, posted, run_on};
pub use repository_id::RepositoryId;
pub use request::{Again, Ended, Flight, Given, Request, RequestKind, State};
pub use role::{AccessLevel, Crowd, GroupPath, Login, RepositoryRole, Role, TeamRef};
pub use scope::Scope;
pub use service::Service;
pub use sha::Sha;
pub use stage::Stage;
pub use start::Start;
pub use subscription::{QuietHours, Subscription};
pub use template::{Placeholder, Template};
pub use time_span::TimeSpan;
pub use trigger::Trigger;
pub use trigger::pipeline::CORRELATION;
pub use workflow_file::WorkflowFile;
