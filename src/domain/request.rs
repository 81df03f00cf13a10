//! A request to release a commit. Its state says how far it is and carries what belongs to it, so that a release
//! without a correlation, or an end without a time, has no spelling.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::text::Text;
use super::{
    Account, EnvironmentName, External, Progress, Repository, RoleName, ServiceName, Sha, Surface,
};

/// A request to release one commit to one environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub number: u64,
    pub service: ServiceName,
    pub environment: EnvironmentName,
    pub repository: Repository,
    pub sha: Sha,
    pub kind: RequestKind,
    pub by: Account,
    pub reason: Option<String>,
    /// Where it was asked for, and the conversation that is told about it.
    pub origin: Surface,
    pub thread: String,
    /// The commit is the head of this open pull request, not yet on the release branch.
    pub open_head: Option<u64>,
    /// The policy that was in force, by its digest. It stays text, so that rows of any version can be read: it
    /// is compared with the digest of the policy in force, and whatever does not name that counts for nothing.
    pub policy: String,
    pub opened_at: Timestamp,
    pub expires_at: Timestamp,
    pub given: Vec<Given>,
    pub state: State,
}

/// What kind of release was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    Deploy,
    Rollback,
    Retry { of: u64 },
}

/// An approval as it is remembered. It counts only while its giver may still give it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    pub by: Account,
    pub at: Timestamp,
    /// What the person held then.
    pub roles: Vec<RoleName>,
    pub sha: Sha,
    pub policy: String,
    /// The comment that said yes, if it was one.
    pub comment: Option<u64>,
}

/// How far a request is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum State {
    /// Gathers approvals, or waits for a run to reach the environment.
    Waiting,
    /// Decided: the trigger is on its way out.
    Departing(Flight),
    /// Sent, and it is not known whether it arrived.
    Unknown(Flight),
    /// The forge took it.
    Sent(Flight),
    /// It runs.
    Running(Flight),
    Ended {
        how: Ended,
        at: Timestamp,
        why: Text,
        flight: Option<Flight>,
    },
}

/// A release under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flight {
    /// By which the release is found again when an answer is lost; the same for every attempt.
    pub correlation: String,
    /// Triggers that were sent to leave.
    pub attempt: u64,
    /// Triggers that may have arrived: those whose answer was lost.
    pub lost: u64,
    /// Looks since the last one was lost.
    pub looks: u64,
    /// Looks that could not be made.
    #[serde(default)]
    pub blind_looks: u64,
    pub since: Timestamp,
    /// When the last trigger was decided.
    pub left_at: Timestamp,
    pub external: Option<External>,
    /// The run that waits at the protection rule.
    pub waiting_run: Option<u64>,
    /// Runs that belong to it, by number.
    #[serde(with = "by_number")]
    pub runs: BTreeMap<u64, Progress>,
    pub url: String,
    /// It had ended, and somebody on the forge started it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Box<Again>>,
}

/// A release that had ended and runs again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    /// How it had ended, when, and why.
    pub how: Ended,
    pub at: Timestamp,
    pub why: Text,
    /// Whether what was approved then still explains it.
    pub is_explained: bool,
}

/// A tagged enum is read through texts, which are no numbers: so a map by number is kept as a list.
mod by_number {
    use std::collections::BTreeMap;

    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::domain::Progress;

    pub(super) fn serialize<S: Serializer>(
        runs: &BTreeMap<u64, Progress>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(runs)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<u64, Progress>, D::Error> {
        let runs = Vec::<(u64, Progress)>::deserialize(deserializer)?;
        Ok(runs.into_iter().collect())
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    Succeeded,
    Failed,
    Cancelled,
    Rejected,
    Expired,
    Superseded,
    /// What was asked for is not what would ship any more.
    Voided,
}

impl Request {
    pub fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting)
    }

    /// The release that is under way.
    pub fn flight(&self) -> Option<&Flight> {
        match &self.state {
            State::Departing(flight)
            | State::Unknown(flight)
            | State::Sent(flight)
            | State::Running(flight) => Some(flight),
            State::Waiting | State::Ended { .. } => None,
        }
    }

    /// The release, under way or over.
    pub fn last_flight(&self) -> Option<&Flight> {
        match &self.state {
            State::Ended { flight, .. } => flight.as_ref(),
            State::Waiting
            | State::Departing(_)
            | State::Unknown(_)
            | State::Sent(_)
            | State::Running(_) => self.flight(),
        }
    }

    pub fn ended(&self) -> Option<Ended> {
        match &self.state {
            State::Ended { how, .. } => Some(*how),
            State::Waiting
            | State::Departing(_)
            | State::Unknown(_)
            | State::Sent(_)
            | State::Running(_) => None,
        }
    }

    /// Names the release in the outside world. The time makes it differ from the requests of another
    /// Countersign, or of a database that was set up anew.
    pub fn correlation(&self) -> String {
        format!(
            "countersign-{}-{:x}",
            self.number,
            self.opened_at.as_microsecond()
        )
    }
}

impl State {
    /// One word for the database.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Departing(_) => "departing",
            Self::Unknown(_) => "unknown",
            Self::Sent(_) => "sent",
            Self::Running(_) => "running",
            Self::Ended { how, .. } => how.word(),
        }
    }
}

impl Ended {
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
            Self::Voided => "voided",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ExternalKind, Forge, Place, RepositoryId};

    #[test]
    fn a_request_comes_back_from_text_as_it_was() {
        let account = Account {
            forge: Forge::GitHub,
            id: 5,
            login: "ann".to_owned(),
        };
        let repository = Repository {
            id: RepositoryId::on(Forge::GitHub, 9),
            path: "acme/shop".to_owned(),
            installation: Some(4),
        };
        let sha: Sha = "a".repeat(40).parse().unwrap();
        let at = Timestamp::from_microsecond(1_800_000_000_000_001).unwrap();
        let flight = Flight {
            correlation: "c".to_owned(),
            attempt: 2,
            lost: 1,
            looks: 3,
            blind_looks: 1,
            since: at,
            left_at: at,
            external: Some(External {
                kind: ExternalKind::Deployment,
                id: 70,
                url: String::new(),
            }),
            waiting_run: Some(8),
            runs: BTreeMap::from([(50, Progress::Running), (51, Progress::Succeeded)]),
            url: "https://x".to_owned(),
            again: Some(Box::new(Again {
                how: Ended::Failed,
                at,
                why: "no".into(),
                is_explained: false,
            })),
        };
        let states = [
            State::Waiting,
            State::Departing(flight.clone()),
            State::Unknown(flight.clone()),
            State::Sent(flight.clone()),
            State::Running(flight.clone()),
            State::Ended {
                how: Ended::Failed,
                at,
                why: "no".into(),
                flight: Some(flight),
            },
        ];
        for state in states {
            let request = Request {
                number: 1,
                service: "shop".parse().unwrap(),
                environment: "prod".parse().unwrap(),
                repository: repository.clone(),
                sha: sha.clone(),
                kind: RequestKind::Retry { of: 3 },
                by: account.clone(),
                reason: Some("because".to_owned()),
                origin: Surface::Comment(Place {
                    repository: repository.clone(),
                    pull_request: 3,
                    comment: 11,
                    written_at: at,
                }),
                thread: "t".to_owned(),
                open_head: Some(3),
                policy: "d".repeat(64),
                opened_at: at,
                expires_at: at,
                given: vec![Given {
                    by: account.clone(),
                    at,
                    roles: vec!["deployer".parse().unwrap()],
                    sha: sha.clone(),
                    policy: "d".repeat(64),
                    comment: Some(11),
                }],
                state,
            };
            let text = serde_json::to_string(&request).unwrap();
            assert_eq!(serde_json::from_str::<Request>(&text).unwrap(), request);
        }
    }
}
