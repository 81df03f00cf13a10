//! Notes: what Countersign tells itself: a time has come, a call has had its outcome. It goes through the inbox like
//! everything else, so that one desk decides about everything, in order.

use serde::{Deserialize, Serialize};

use super::{Account, Command, EnvironmentName, Repository, RepositoryId, ServiceName, Sha, Spot};

/// Something that we told ourselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Internal {
    /// A time has come.
    Due(Due),
    /// A trigger left, or did not.
    Triggered {
        request: u64,
        attempt: u64,
        outcome: Went,
    },
    /// A speaker whose account is linked gave a command.
    Heard {
        spot: Box<Spot>,
        author: Account,
        repository: Repository,
        /// As it would stand in a comment.
        line: String,
        /// What it asks for. The first version stored the line alone.
        #[serde(default)]
        command: Option<Box<Command>>,
    },
    /// An effect was given up.
    Parked {
        outbox: i64,
        effect: String,
        problem: String,
        repository: Repository,
    },
}

/// What a time has come for. Each is a row among the timers, so that it survives a restart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "snake_case")]
pub enum Due {
    /// A stage has been green for long enough.
    Soak { service: ServiceName, sha: Sha },
    /// A request has waited too long for its approvals.
    Expiry { service: ServiceName, request: u64 },
    /// Nothing was heard of a release for a while.
    Follow { service: ServiceName, request: u64 },
    /// A trigger whose answer was lost may be seen by now.
    Look { service: ServiceName, request: u64 },
    /// A request that waits may go on, or a trigger of this attempt that was held back may leave now.
    Depart {
        service: ServiceName,
        request: u64,
        /// Zero while nothing has left yet.
        attempt: u64,
    },
    /// A lock ends.
    Unlock {
        service: ServiceName,
        environment: EnvironmentName,
    },
    /// A release that nothing explained had time to be explained.
    Unexplained {
        service: ServiceName,
        environment: EnvironmentName,
        /// `deployment/7`, `run/7` or `job/7`.
        #[serde(rename = "sighted")]
        what: String,
        sha: Sha,
        by: String,
    },
    /// The release branch and the reports of what is open are read again.
    Reread { service: ServiceName },
    /// Somebody said more than is answered.
    Unheard {
        repository: RepositoryId,
        account: Account,
    },
}

/// How a trigger went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "went", rename_all = "snake_case")]
pub enum Went {
    /// The forge took it, and says under which number if it tells.
    Accepted { external: Option<External> },
    /// The forge refused it; nothing was started.
    Refused { why: String },
    /// We did not let it leave; nothing was started.
    Forbidden { why: String },
    /// It was not sent, and may be sent later.
    Held { why: String, seconds: u64 },
    /// It was not sent, because it waited too long since it was decided.
    Stale,
    /// It is not known whether it arrived.
    Lost { why: String },
}

/// What the forge calls a release that we started.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct External {
    pub kind: ExternalKind,
    pub id: u64,
    pub url: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExternalKind {
    Deployment,
    Run,
    /// A job of a pipeline.
    Job,
    Pipeline,
}

impl Due {
    /// Names the timer; the same meaning has one timer.
    pub fn key(&self) -> String {
        match self {
            Self::Soak { service, sha } => format!("soak/{service}/{sha}"),
            Self::Expiry { request, .. } => format!("expiry/{request}"),
            Self::Follow { request, .. } => format!("follow/{request}"),
            Self::Look { request, .. } => format!("look/{request}"),
            Self::Depart { request, .. } => format!("depart/{request}"),
            Self::Unlock {
                service,
                environment,
            } => format!("unlock/{service}/{environment}"),
            Self::Unexplained {
                service,
                environment,
                what,
                ..
            } => format!("unexplained/{service}/{environment}/{what}"),
            Self::Reread { service } => format!("reread/{service}"),
            Self::Unheard {
                repository,
                account,
            } => format!("unheard/{repository}/{}", account.id),
        }
    }
}

impl ExternalKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::Run => "run",
            Self::Job => "job",
            Self::Pipeline => "pipeline",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_due_is_read_as_it_was_written() {
        let service: ServiceName = "shop".parse().unwrap();
        let environment: EnvironmentName = "prod".parse().unwrap();
        let sha: Sha = "a".repeat(40).parse().unwrap();
        for due in [
            Due::Soak {
                service: service.clone(),
                sha: sha.clone(),
            },
            Due::Look {
                service: service.clone(),
                request: 1,
            },
            Due::Unlock {
                service: service.clone(),
                environment: environment.clone(),
            },
            Due::Unexplained {
                service: service.clone(),
                environment,
                what: "job/7".to_owned(),
                sha,
                by: "bob".to_owned(),
            },
            Due::Reread { service },
        ] {
            let note = Internal::Due(due);
            let written = serde_json::to_string(&note).unwrap();
            let read = serde_json::from_str::<Internal>(&written);
            assert_eq!(read.unwrap(), note, "{written}");
        }
    }
}
