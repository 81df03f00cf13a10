//! Commands: what people ask for, from whichever surface: one grammar, parsed here and nowhere else. A value of these
//! types says what was written; whether such an environment, service or request exists, and who may ask, is for the
//! desk.

/// The commands as a chat registers them.
mod definition;
/// Where commands stand in a text.
mod find;
/// The definition of every command.
mod grammar;
/// The answers to `/help`.
mod help;
/// Why a line was not understood.
mod mistake;
/// The parts that commands are made of.
mod part;
/// What a forge would take for its own.
mod quick;
/// Why a person did something.
mod reason;
/// The canonical spelling.
mod show;
/// The command or option that was meant.
mod suggest;
/// Which commit is meant.
mod target;
/// Lines as people and their chat clients write them.
mod words;

#[cfg(test)]
mod tests;

pub use definition::{Definition, Part, definitions, line};
pub use help::{help, help_for};
pub use mistake::Misunderstood;
pub use quick::written_on;
pub use reason::Reason;
pub use target::Target;
pub use words::quoted;

use serde::{Deserialize, Serialize};

use super::TimeSpan;

/// Something a person asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    Deploy(Deploy),
    Approve(Approve),
    Reject(Reject),
    Cancel(Cancel),
    Rollback(Rollback),
    Retry(Retry),
    Lock(Lock),
    Unlock(Unlock),
    Status(Status),
    Why(Why),
    Who(Who),
    Audit(Audit),
    Link(Link),
    Unlink,
    Help(Help),
}

/// Release a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deploy {
    /// As it was written: a name, an alias, or neither.
    pub environment: String,
    pub target: Option<Target>,
    /// As it was written.
    pub service: Option<String>,
    pub reason: Option<Reason>,
    /// A time of day, `HH:MM`, in whatever zone the environment has.
    pub at: Option<String>,
    pub dry_run: bool,
}

/// Say yes to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approve {
    pub request: Option<u64>,
    pub service: Option<String>,
}

/// Say no to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    pub request: Option<u64>,
    pub reason: Option<Reason>,
}

/// Take a request back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    pub request: Option<u64>,
    pub reason: Option<Reason>,
}

/// Return to a commit that was live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollback {
    pub environment: String,
    /// Never a pull request.
    pub target: Option<Target>,
    pub service: Option<String>,
    pub reason: Option<Reason>,
    pub dry_run: bool,
}

/// Try a failed release again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    pub request: Option<u64>,
    pub dry_run: bool,
}

/// Stop all releases to an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    pub environment: String,
    pub service: Option<String>,
    pub lasts: Option<TimeSpan>,
    pub reason: Reason,
}

/// Let releases through again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unlock {
    pub environment: String,
    pub service: Option<String>,
}

/// Show what is live, ready and waiting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub environment: Option<String>,
    pub service: Option<String>,
}

/// Explain what a release would be missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    pub environment: String,
    pub target: Option<Target>,
    pub service: Option<String>,
}

/// Name the people who may approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    pub environment: String,
    pub service: Option<String>,
}

/// Search the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// The words behind the command, as they were written.
    pub filters: Vec<String>,
}

/// Connect two accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The code that a chat gave.
    pub code: Option<String>,
}

/// Explain the commands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Help {
    /// The command to explain, without its slash; it may not exist.
    pub command: Option<String>,
}

/// A line that asks for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The line as it was written, without the space around it and at most 300 characters long.
    pub line: String,
    pub command: Result<Command, Misunderstood>,
}

impl Command {
    /// The commands in a text, in their order; at most five, and one remark if there are more.
    pub fn all_in(text: &str) -> Vec<Found> {
        find::all_in(text)
    }

    /// What one line asks for; nothing if it is not addressed to us.
    pub fn parse(line: &str) -> Option<Result<Self, Misunderstood>> {
        grammar::parse(line)
    }

    /// Whether production may move because of it, or be kept from moving.
    pub fn releases(&self) -> bool {
        match self {
            Self::Deploy(deploy) => !deploy.dry_run,
            Self::Approve(_)
            | Self::Reject(_)
            | Self::Cancel(_)
            | Self::Rollback(_)
            | Self::Retry(_)
            | Self::Lock(_)
            | Self::Unlock(_) => true,
            Self::Status(_)
            | Self::Why(_)
            | Self::Who(_)
            | Self::Audit(_)
            | Self::Help(_)
            | Self::Link(_)
            | Self::Unlink => false,
        }
    }

    /// The word behind the slash.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Deploy(_) => "deploy",
            Self::Approve(_) => "approve",
            Self::Reject(_) => "reject",
            Self::Cancel(_) => "cancel",
            Self::Rollback(_) => "rollback",
            Self::Retry(_) => "retry",
            Self::Lock(_) => "lock",
            Self::Unlock(_) => "unlock",
            Self::Status(_) => "status",
            Self::Why(_) => "why",
            Self::Who(_) => "who",
            Self::Audit(_) => "audit",
            Self::Link(_) => "link",
            Self::Unlink => "unlink",
            Self::Help(_) => "help",
        }
    }

    /// The service that it names.
    pub fn service(&self) -> Option<&str> {
        match self {
            Self::Deploy(deploy) => deploy.service.as_deref(),
            Self::Approve(approve) => approve.service.as_deref(),
            Self::Rollback(rollback) => rollback.service.as_deref(),
            Self::Lock(lock) => lock.service.as_deref(),
            Self::Unlock(unlock) => unlock.service.as_deref(),
            Self::Status(status) => status.service.as_deref(),
            Self::Why(why) => why.service.as_deref(),
            Self::Who(who) => who.service.as_deref(),
            Self::Reject(_)
            | Self::Cancel(_)
            | Self::Retry(_)
            | Self::Audit(_)
            | Self::Link(_)
            | Self::Unlink
            | Self::Help(_) => None,
        }
    }

    /// The environment that it names.
    pub fn environment(&self) -> Option<&str> {
        match self {
            Self::Deploy(deploy) => Some(&deploy.environment),
            Self::Rollback(rollback) => Some(&rollback.environment),
            Self::Lock(lock) => Some(&lock.environment),
            Self::Unlock(unlock) => Some(&unlock.environment),
            Self::Status(status) => status.environment.as_deref(),
            Self::Why(why) => Some(&why.environment),
            Self::Who(who) => Some(&who.environment),
            Self::Approve(_)
            | Self::Reject(_)
            | Self::Cancel(_)
            | Self::Retry(_)
            | Self::Audit(_)
            | Self::Link(_)
            | Self::Unlink
            | Self::Help(_) => None,
        }
    }

    /// Whether it is about a request, and which one it names.
    pub fn request(&self) -> Option<Option<u64>> {
        match self {
            Self::Approve(approve) => Some(approve.request),
            Self::Reject(reject) => Some(reject.request),
            Self::Cancel(cancel) => Some(cancel.request),
            Self::Retry(retry) => Some(retry.request),
            Self::Deploy(_)
            | Self::Rollback(_)
            | Self::Lock(_)
            | Self::Unlock(_)
            | Self::Status(_)
            | Self::Why(_)
            | Self::Who(_)
            | Self::Audit(_)
            | Self::Link(_)
            | Self::Unlink
            | Self::Help(_) => None,
        }
    }

    /// The part of this command that is understood and not available yet, such as `--at`.
    pub fn not_available_yet(&self) -> Option<&'static str> {
        match self {
            Self::Deploy(deploy) if deploy.at.is_some() => Some("--at"),
            Self::Deploy(_)
            | Self::Approve(_)
            | Self::Reject(_)
            | Self::Cancel(_)
            | Self::Rollback(_)
            | Self::Retry(_)
            | Self::Lock(_)
            | Self::Unlock(_)
            | Self::Status(_)
            | Self::Why(_)
            | Self::Who(_)
            | Self::Audit(_)
            | Self::Link(_)
            | Self::Unlink
            | Self::Help(_) => None,
        }
    }
}
