//! What the ledger remembers of a decision, before it becomes bytes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::Account;

/// One remembered decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub at: Timestamp,
    pub action: Action,
    pub actor: Actor,
    /// What else belongs to it, by name.
    pub detail: BTreeMap<&'static str, Detail>,
}

/// A part of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Detail {
    Text(String),
    Number(u64),
    List(Vec<Detail>),
    Record(BTreeMap<&'static str, Detail>),
}

/// What was done or decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    StagePassed,
    StageFailed,
    CandidateReady,
    CommandReceived,
    CommentChanged,
    Refused,
    Answered,
    Requested,
    Approved,
    ApprovalVoided,
    Rejected,
    Cancelled,
    Expired,
    Superseded,
    Voided,
    Triggered,
    TriggerHeld,
    TriggerLost,
    TriggerFound,
    Started,
    Succeeded,
    Failed,
    Locked,
    Unlocked,
    Unexplained,
    NameChangedHands,
    RepositoryChanged,
    ConfigurationLoaded,
    DeliveryParked,
    DeliveryRetried,
    EffectParked,
    EffectRetried,
    EffectDropped,
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Somebody with an account of a forge.
    Person {
        forge: &'static str,
        id: u64,
        login: String,
    },
    /// Somebody at the machine that runs the service.
    Operator { name: String },
    /// The service by itself.
    Countersign,
}

impl Entry {
    pub fn new(at: Timestamp, action: Action, actor: Actor) -> Self {
        Self {
            at,
            action,
            actor,
            detail: BTreeMap::new(),
        }
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, detail: impl Into<Detail>) -> Self {
        self.detail.insert(name, detail.into());
        self
    }
}

impl Actor {
    pub fn on_github(account: &Account) -> Self {
        Self::Person {
            forge: "github",
            id: account.id,
            login: account.login.clone(),
        }
    }
}

impl From<String> for Detail {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Detail {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<u64> for Detail {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl<const N: usize> From<[(&'static str, Detail); N]> for Detail {
    fn from(parts: [(&'static str, Detail); N]) -> Self {
        Self::Record(parts.into())
    }
}

impl<T: Into<Self>> FromIterator<T> for Detail {
    fn from_iter<I: IntoIterator<Item = T>>(parts: I) -> Self {
        Self::List(parts.into_iter().map(Into::into).collect())
    }
}

impl Action {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StagePassed => "stage.passed",
            Self::StageFailed => "stage.failed",
            Self::CandidateReady => "candidate.ready",
            Self::CommandReceived => "command.received",
            Self::CommentChanged => "comment.changed",
            Self::Refused => "refused",
            Self::Answered => "answered",
            Self::Requested => "requested",
            Self::Approved => "approved",
            Self::ApprovalVoided => "approval.voided",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
            Self::Voided => "voided",
            Self::Triggered => "triggered",
            Self::TriggerHeld => "trigger.held",
            Self::TriggerLost => "trigger.lost",
            Self::TriggerFound => "trigger.found",
            Self::Started => "started",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Locked => "locked",
            Self::Unlocked => "unlocked",
            Self::Unexplained => "production.unexplained",
            Self::NameChangedHands => "name.changed_hands",
            Self::RepositoryChanged => "repository.changed",
            Self::ConfigurationLoaded => "configuration.loaded",
            Self::DeliveryParked => "delivery.parked",
            Self::DeliveryRetried => "delivery.retried",
            Self::EffectParked => "effect.parked",
            Self::EffectRetried => "effect.retried",
            Self::EffectDropped => "effect.dropped",
        }
    }
}
