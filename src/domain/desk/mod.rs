//! The desk: everything that happens comes here, and leaves as a decision. It cannot fail, wait, or
//! look at a clock. What it misses it names; until it has all, it decides nothing.

use jiff::{SignedDuration, Timestamp};

use self::sitting::Sitting;
use super::reason::Reason;
use super::view::{Glance, View};
use super::{
    Account, Action, Actor, Bound, Candidate, Catalog, Due, Effect, Entry, Forge, InChat, Incoming,
    Knowledge, Live, Lock, Missing, OnForge, Planned, Report, RepositoryId, Request, RuleRequested,
    ServiceName,
};

// The layers, bottom to top: each uses only those above it in this list. `tests/architecture.rs` holds them.
mod sitting;

mod known;

mod telling;

mod links;

mod examine;

mod release;

mod candidates;

mod asked;

mod glances;

mod chat;

mod timers;

mod door;

#[cfg(test)]
mod tests;

pub use asked::unfold;

/// A command that arrives later than this after it was written is not obeyed: forges repeat a delivery
/// for a week at most, so an older one is a replay.
pub const COMMAND_LIFETIME: SignedDuration = SignedDuration::from_hours(8 * 24);

/// What was decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Why nothing was decided, if so.
    pub ignored: Option<String>,
    /// How the state changes, in this order.
    pub changes: Vec<Change>,
    /// What the ledger remembers.
    pub entries: Vec<Entry>,
    /// What must be done outside, because of the last entry.
    pub effects: Vec<Planned>,
}

/// A decision, or what is missing for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Settled(Outcome),
    /// Nothing is decided yet; `first` may be done already.
    Needs {
        missing: Missing,
        first: Outcome,
    },
}

/// A change of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A person gave a command.
    Caller(super::Caller),
    /// A report, unless a newer one is there.
    Report(Report),
    Candidate(Candidate),
    Request(Box<Request>),
    Live(Live),
    Lock(Lock),
    Unlock {
        service: ServiceName,
        environment: super::EnvironmentName,
    },
    /// A configured repository is bound to this one.
    Bind(Bound),
    WaitingRun(RuleRequested),
    RunGoesOn {
        repository: RepositoryId,
        run: u64,
    },
    Timer {
        due: Due,
        repository: RepositoryId,
        at: Timestamp,
    },
    NoTimer {
        due: Due,
    },
    /// Something that is said once only.
    Remember {
        token: String,
    },
    Notice(Box<super::Notice>),
    /// A code is given out, by which a link can be made.
    OfferLink {
        offer: Box<super::Offer>,
        code: String,
    },
    /// An account used the code of an offer.
    ClaimLink {
        offer: u64,
        account: Account,
    },
    /// The offer is over.
    EndOffer {
        offer: u64,
    },
    Link {
        speaker: super::Speaker,
        account: Account,
    },
    Unlink {
        speaker: super::Speaker,
        forge: Forge,
    },
    /// A note for the desk, in the lane of a repository.
    Note {
        repository: RepositoryId,
        note: Box<super::Internal>,
    },
}

/// A view, or what is missing for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewing {
    Seen(Box<View>),
    /// There is no such thing to see.
    Refused(Box<Reason>),
    Needs(Missing),
}

/// Looks at what a reader wants to see. Nothing follows from it.
pub fn look(glance: &Glance, catalog: &Catalog, knowledge: &Knowledge, now: Timestamp) -> Viewing {
    let sitting = Sitting::new(catalog, knowledge, now);
    let seen = glances::look(&sitting, glance);
    let (missing, _) = sitting.into_parts();
    match seen {
        _ if !missing.is_empty() => Viewing::Needs(missing),
        Ok(view) => Viewing::Seen(Box::new(view)),
        Err(reason) => Viewing::Refused(Box::new(reason)),
    }
}

/// Decides what follows from something that happened.
pub fn decide(
    incoming: &Incoming,
    catalog: &Catalog,
    knowledge: &Knowledge,
    now: Timestamp,
) -> Decision {
    let sitting = Sitting::new(catalog, knowledge, now);
    let outcome = door::decide(&sitting, incoming).tidied(incoming, now);
    let (missing, first) = sitting.into_parts();
    if missing.is_empty() {
        Decision::Settled(outcome)
    } else {
        Decision::Needs { missing, first }
    }
}

impl Outcome {
    fn ignored(why: impl Into<String>) -> Self {
        Self {
            ignored: Some(why.into()),
            ..Self::default()
        }
    }

    /// A thread says only the last of what it would say now, and whatever is done has a cause.
    fn tidied(mut self, incoming: &Incoming, now: Timestamp) -> Self {
        let mut said = std::collections::BTreeSet::new();
        let mut kept = Vec::with_capacity(self.effects.len());
        for planned in self.effects.into_iter().rev() {
            let is_last = match &planned.effect {
                Effect::Forge(OnForge::Say { .. })
                | Effect::Chat(InChat::Reply { .. } | InChat::Notice { .. }) => {
                    said.insert(planned.effect.thread().unwrap_or_default())
                }
                Effect::Forge(
                    OnForge::React { .. }
                    | OnForge::CommitStatus { .. }
                    | OnForge::DeploymentStatus { .. }
                    | OnForge::RejectRun { .. },
                )
                | Effect::Chat(InChat::Form { .. } | InChat::Remark { .. })
                | Effect::Trigger(_) => true,
            };
            if is_last {
                kept.push(planned);
            }
        }
        kept.reverse();
        self.effects = kept;
        if self.entries.is_empty() && !self.effects.is_empty() {
            let entry = if let Incoming::Command(asked) = incoming {
                Entry::new(now, Action::Answered, Actor::from(&asked.author))
                    .with_private("command", asked.found.line.as_str())
            } else {
                Entry::new(now, Action::Answered, Actor::Countersign)
            };
            self.entries.push(entry);
        }
        self
    }

    fn plan(&mut self, token: String, effect: impl Into<Effect>) {
        self.effects.push(Planned {
            token,
            effect: effect.into(),
            not_before: None,
            is_back: false,
        });
    }
}
