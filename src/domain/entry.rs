//! What the ledger remembers of a decision, before it becomes bytes.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// One remembered decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub at: Timestamp,
    pub action: Action,
    pub actor: Actor,
    /// What else belongs to it, by name.
    pub detail: BTreeMap<&'static str, String>,
}

/// What was done or decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    CommandReceived,
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

impl Action {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CommandReceived => "command.received",
            Self::ConfigurationLoaded => "configuration.loaded",
            Self::DeliveryParked => "delivery.parked",
            Self::DeliveryRetried => "delivery.retried",
            Self::EffectParked => "effect.parked",
            Self::EffectRetried => "effect.retried",
            Self::EffectDropped => "effect.dropped",
        }
    }
}
