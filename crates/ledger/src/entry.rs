//! Entries: what the log remembers of a decision, before it becomes bytes.

use std::collections::BTreeMap;

use jiff::Timestamp;

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    Text(String),
    Number(u64),
    List(Vec<Detail>),
    Record(BTreeMap<&'static str, Detail>),
    /// Free text, or what tells who a person is: the entry holds a commitment to it, and it can be erased.
    Private(Box<Detail>),
}

/// What was done or decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    LogOpened,
    KeyRotated,
    HeadAdopted,
    DatabaseRestored,
    PrivateErased,
    CheckpointAnchored,
    TriggerUnproven,
    TokenMade,
    TokenRevoked,
    LinkOffered,
    LinkClaimed,
    LinkDeclined,
    IdentityLinked,
    IdentityUnlinked,
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A person with an account of a forge.
    Person {
        forge: &'static str,
        id: u64,
        login: String,
    },
    /// A speaker whose account is linked with none on a forge.
    Stranger {
        chat: &'static str,
        tenant: String,
        user: String,
        name: String,
    },
    /// The person at the machine that runs the service.
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

    /// Free text, or what tells who a person is.
    #[must_use]
    pub fn with_private(self, name: &'static str, detail: impl Into<Detail>) -> Self {
        self.with(name, Detail::private(detail))
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, detail: impl Into<Detail>) -> Self {
        self.detail.insert(name, detail.into());
        self
    }
}

impl Detail {
    pub fn private(detail: impl Into<Self>) -> Self {
        Self::Private(Box::new(detail.into()))
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

/// How an action ended, as people look for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// A person was let do what they asked for.
    Allowed,
    /// A person was not.
    Refused,
    Succeeded,
    Failed,
    /// An operator should look.
    Alarm,
    /// Something happened.
    Noted,
}

impl Ending {
    pub const ALL: [Self; 6] = [
        Self::Allowed,
        Self::Refused,
        Self::Succeeded,
        Self::Failed,
        Self::Alarm,
        Self::Noted,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Alarm => "alarm",
            Self::Noted => "noted",
        }
    }
}

impl Action {
    pub const ALL: [Self; 47] = [
        Self::StagePassed,
        Self::StageFailed,
        Self::CandidateReady,
        Self::CommandReceived,
        Self::CommentChanged,
        Self::Refused,
        Self::Answered,
        Self::Requested,
        Self::Approved,
        Self::ApprovalVoided,
        Self::Rejected,
        Self::Cancelled,
        Self::Expired,
        Self::Superseded,
        Self::Voided,
        Self::Triggered,
        Self::TriggerHeld,
        Self::TriggerLost,
        Self::TriggerFound,
        Self::Started,
        Self::Succeeded,
        Self::Failed,
        Self::Locked,
        Self::Unlocked,
        Self::Unexplained,
        Self::NameChangedHands,
        Self::RepositoryChanged,
        Self::ConfigurationLoaded,
        Self::DeliveryParked,
        Self::DeliveryRetried,
        Self::EffectParked,
        Self::EffectRetried,
        Self::EffectDropped,
        Self::LogOpened,
        Self::KeyRotated,
        Self::HeadAdopted,
        Self::DatabaseRestored,
        Self::PrivateErased,
        Self::CheckpointAnchored,
        Self::TriggerUnproven,
        Self::TokenMade,
        Self::TokenRevoked,
        Self::LinkOffered,
        Self::LinkClaimed,
        Self::LinkDeclined,
        Self::IdentityLinked,
        Self::IdentityUnlinked,
    ];

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }

    pub fn ending(self) -> Ending {
        match self {
            Self::Requested
            | Self::Approved
            | Self::Rejected
            | Self::Cancelled
            | Self::Locked
            | Self::Unlocked
            | Self::Answered
            | Self::DeliveryRetried
            | Self::EffectRetried
            | Self::EffectDropped
            | Self::TokenMade
            | Self::TokenRevoked
            | Self::IdentityLinked
            | Self::IdentityUnlinked => Ending::Allowed,
            Self::Refused => Ending::Refused,
            Self::StagePassed | Self::CandidateReady | Self::Succeeded => Ending::Succeeded,
            Self::StageFailed | Self::Failed => Ending::Failed,
            Self::Unexplained
            | Self::NameChangedHands
            | Self::DeliveryParked
            | Self::EffectParked
            | Self::TriggerLost
            | Self::TriggerUnproven
            | Self::DatabaseRestored => Ending::Alarm,
            Self::CommandReceived
            | Self::CommentChanged
            | Self::ApprovalVoided
            | Self::Expired
            | Self::Superseded
            | Self::Voided
            | Self::Triggered
            | Self::TriggerHeld
            | Self::TriggerFound
            | Self::Started
            | Self::RepositoryChanged
            | Self::ConfigurationLoaded
            | Self::LogOpened
            | Self::KeyRotated
            | Self::HeadAdopted
            | Self::PrivateErased
            | Self::CheckpointAnchored
            | Self::LinkOffered
            | Self::LinkClaimed
            | Self::LinkDeclined => Ending::Noted,
        }
    }

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
            Self::LogOpened => "log.opened",
            Self::KeyRotated => "key.rotated",
            Self::HeadAdopted => "head.adopted",
            Self::DatabaseRestored => "database.restored",
            Self::PrivateErased => "private.erased",
            Self::CheckpointAnchored => "checkpoint.anchored",
            Self::TriggerUnproven => "trigger.unproven",
            Self::TokenMade => "token.made",
            Self::TokenRevoked => "token.revoked",
            Self::LinkOffered => "link.offered",
            Self::LinkClaimed => "link.claimed",
            Self::LinkDeclined => "link.declined",
            Self::IdentityLinked => "identity.linked",
            Self::IdentityUnlinked => "identity.unlinked",
        }
    }
}
