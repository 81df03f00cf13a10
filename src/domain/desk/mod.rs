//! The desk: everything that happens comes here, and leaves as a decision. It cannot fail, wait, or
//! look at a clock. What it misses it names; until it has all, it decides nothing.

use std::cell::{Cell, RefCell};

use jiff::{SignedDuration, Timestamp};

use super::{Account, Crowd, Forge, Knowledge, RepositoryId};
use super::{
    Action, Actor, Bound, Candidate, Catalog, Commit, Comparison, Due, Entry, Fact, Incoming, Live,
    Lock, Look, Membership, Missing, Ourselves, PinKind, Planned, PullRequest, Question, Report,
    Repository, Request, RuleRequested, Seen, Service, ServiceName, Sha,
};

mod announce;
mod approve;
mod audit;
mod authors;
mod chat;
mod close;
mod command;
mod deploy;
mod evidence;
mod examine;
mod follow;
mod foreign;
mod link;
mod lost;
mod named;
mod notices;
mod people;
mod progress;
mod release;
mod ships;
mod show;
mod starts;
mod tell;
mod told;
mod words;

#[cfg(test)]
mod any_order;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod noticed;
#[cfg(test)]
mod talking;

pub use command::unfold;

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
    /// Tell the desk in the lane of a repository.
    Tell {
        repository: RepositoryId,
        note: Box<super::Internal>,
    },
}

/// Decides what follows from something that happened.
pub fn decide(
    incoming: &Incoming,
    catalog: &Catalog,
    knowledge: &Knowledge,
    now: Timestamp,
) -> Decision {
    let desk = Desk {
        catalog,
        knowledge,
        now,
        missing: RefCell::default(),
        first: RefCell::default(),
        numbered: Cell::new(0),
    };
    let outcome = desk.decide(incoming).tidied(incoming, now);
    let missing = desk.missing.into_inner();
    if missing.is_empty() {
        Decision::Settled(outcome)
    } else {
        Decision::Needs {
            missing,
            first: desk.first.into_inner(),
        }
    }
}

/// One sitting.
struct Desk<'a> {
    catalog: &'a Catalog,
    knowledge: &'a Knowledge,
    now: Timestamp,
    missing: RefCell<Missing>,
    /// What may be done before everything is known.
    first: RefCell<Outcome>,
    /// How many notices and offers were numbered so far.
    numbered: Cell<u64>,
}

/// What stands for a fact until it was asked for; the decision is thrown away then.
const NOT_ASKED: &str = "it has not been asked yet";

impl<'a> Desk<'a> {
    fn decide(&self, incoming: &Incoming) -> Outcome {
        match incoming {
            Incoming::Ping => Outcome::default(),
            Incoming::NotOurs(why) => Outcome::ignored(why.clone()),
            Incoming::Push(push) => self.push(push),
            Incoming::Report(repository, report) => self.report(repository, report),
            Incoming::Deployment(deployment) => self.deployment(deployment),
            Incoming::DeploymentMoved(moved) => self.deployment_moved(moved),
            Incoming::Run(run) => self.run(run),
            Incoming::RuleRequested(requested) => self.rule_requested(requested),
            Incoming::PullRequest(moved) => self.pull_request_moved(moved),
            Incoming::Comment(comment) => Outcome::ignored(format!(
                "the comment {} holds no command",
                comment.place.comment
            )),
            Incoming::Command(asked) => self.command(asked),
            Incoming::Said(said) => self.said(said),
            Incoming::CommentChanged(changed) => self.comment_changed(changed),
            Incoming::RepositoryChanged(changed) => self.repository_changed(changed),
            Incoming::Internal(internal) => self.internal(internal),
        }
    }

    fn seen(&self, look: Look) -> Option<&'a Seen> {
        let seen = self.knowledge.seen.get(&look);
        if seen.is_none() {
            self.missing.borrow_mut().looks.insert(look);
        }
        seen
    }

    fn fact(&self, question: Question) -> Result<&'a Fact, String> {
        match self.knowledge.facts.get(&question) {
            Some(Ok(fact)) => Ok(fact),
            Some(Err(why)) => Err(why.clone()),
            None => {
                self.missing.borrow_mut().questions.insert(question);
                Err(NOT_ASKED.to_owned())
            }
        }
    }

    /// Whether everything asked for so far is known.
    fn knows_all(&self) -> bool {
        self.missing.borrow().is_empty()
    }

    fn requests(&self, look: Look) -> Vec<Request> {
        if let Some(Seen::Requests(requests)) = self.seen(look) {
            requests.clone()
        } else {
            Vec::new()
        }
    }

    fn open_requests(&self, service: &Service) -> Vec<Request> {
        self.requests(Look::OpenRequests {
            service: service.name.clone(),
        })
    }

    fn request(&self, number: u64) -> Option<Request> {
        self.requests(Look::Request { number }).into_iter().next()
    }

    fn candidates(&self, look: Look) -> Vec<Candidate> {
        if let Some(Seen::Candidates(candidates)) = self.seen(look) {
            candidates.clone()
        } else {
            Vec::new()
        }
    }

    fn stored_reports(&self, repository: RepositoryId, sha: &Sha) -> Vec<Report> {
        let look = Look::Reports {
            repository,
            sha: sha.clone(),
        };
        if let Some(Seen::Reports(reports)) = self.seen(look) {
            reports.clone()
        } else {
            Vec::new()
        }
    }

    fn live(&self, service: &Service, environment: &super::Environment) -> Option<Live> {
        let look = Look::Live {
            service: service.name.clone(),
        };
        if let Some(Seen::Live(live)) = self.seen(look) {
            live.iter()
                .find(|live| live.environment == environment.name)
                .cloned()
        } else {
            None
        }
    }

    /// The lock that is in force.
    fn lock(&self, service: &Service, environment: &super::Environment) -> Option<Lock> {
        let look = Look::Locks {
            service: service.name.clone(),
        };
        match self.seen(look) {
            Some(Seen::Locks(locks)) => locks
                .iter()
                .find(|lock| {
                    lock.environment == environment.name
                        && lock.until.is_none_or(|until| until > self.now)
                })
                .cloned(),
            _ => None,
        }
    }

    fn pin(&self, kind: PinKind, forge: Forge, name: &str) -> Option<u64> {
        let look = Look::Pin {
            kind,
            name: forge.remembers(name),
        };
        if let Some(Seen::Pin(id)) = self.seen(look) {
            *id
        } else {
            None
        }
    }

    fn was_remembered(&self, token: &str) -> bool {
        let look = Look::Remembered {
            token: token.to_owned(),
        };
        matches!(self.seen(look), Some(Seen::Yes(true)))
    }

    /// The number for a new request; asked for last, because taking one cannot be undone.
    fn next_number(&self) -> u64 {
        if !self.knows_all() {
            return 0;
        }
        if let Some(Seen::Number(number)) = self.seen(Look::NextNumber) {
            *number
        } else {
            0
        }
    }

    fn role_of(&self, repository: &Repository, person: &Account) -> Result<Option<String>, String> {
        let question = Question::Role {
            repository: repository.clone(),
            person: person.clone(),
        };
        self.fact(question).and_then(|fact| {
            if let Fact::Role(role) = fact {
                Ok(role.clone())
            } else {
                Err(misfit(fact))
            }
        })
    }

    fn membership(
        &self,
        repository: &Repository,
        team: &Crowd,
        person: &Account,
    ) -> Result<Membership, String> {
        let question = Question::Membership {
            repository: repository.clone(),
            team: team.clone(),
            person: person.clone(),
        };
        self.fact(question).and_then(|fact| {
            if let Fact::Membership(membership) = fact {
                Ok(*membership)
            } else {
                Err(misfit(fact))
            }
        })
    }

    fn pull_request(
        &self,
        repository: &Repository,
        number: u64,
    ) -> Result<&'a PullRequest, String> {
        let question = Question::PullRequest {
            repository: repository.clone(),
            number,
        };
        self.fact(question).and_then(|fact| {
            if let Fact::PullRequest(pull_request) = fact {
                Ok(pull_request)
            } else {
                Err(misfit(fact))
            }
        })
    }

    fn comparison(
        &self,
        repository: &Repository,
        base: &str,
        head: &str,
    ) -> Result<&'a Comparison, String> {
        let question = Question::Comparison {
            repository: repository.clone(),
            base: base.to_owned(),
            head: head.to_owned(),
        };
        self.fact(question).and_then(|fact| {
            if let Fact::Comparison(comparison) = fact {
                Ok(comparison)
            } else {
                Err(misfit(fact))
            }
        })
    }

    fn commit(&self, repository: &Repository, reference: &str) -> Result<&'a Commit, String> {
        let question = Question::Commit {
            repository: repository.clone(),
            reference: reference.to_owned(),
        };
        self.fact(question).and_then(|fact| {
            if let Fact::Commit(commit) = fact {
                Ok(commit)
            } else {
                Err(misfit(fact))
            }
        })
    }

    fn ourselves(&self, repository: &Repository) -> Result<&'a Ourselves, String> {
        let question = Question::Ourselves {
            repository: repository.clone(),
        };
        self.fact(question).and_then(|fact| {
            if let Fact::Ourselves(ourselves) = fact {
                Ok(ourselves)
            } else {
                Err(misfit(fact))
            }
        })
    }

    fn entry(&self, action: Action, actor: Actor) -> Entry {
        Entry::new(self.now, action, actor)
    }
}

fn misfit(fact: &Fact) -> String {
    format!("the answer does not fit the question: {fact:?}")
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
                super::Effect::Say { thread, .. } => said.insert(thread.clone()),
                super::Effect::Reply { .. } | super::Effect::Notice { .. } => {
                    said.insert(planned.effect.thread().unwrap_or_default())
                }
                super::Effect::React { .. }
                | super::Effect::Trigger { .. }
                | super::Effect::CommitStatus { .. }
                | super::Effect::DeploymentStatus { .. }
                | super::Effect::RejectRun { .. }
                | super::Effect::Form { .. }
                | super::Effect::Remark { .. } => true,
            };
            if is_last {
                kept.push(planned);
            }
        }
        kept.reverse();
        self.effects = kept;
        if self.entries.is_empty() && !self.effects.is_empty() {
            let entry = if let Incoming::Command(asked) = incoming {
                Entry::new(now, Action::Answered, Actor::person(&asked.author))
                    .with_private("command", asked.found.line.as_str())
            } else {
                Entry::new(now, Action::Answered, Actor::Countersign)
            };
            self.entries.push(entry);
        }
        self
    }

    fn plan(&mut self, token: String, effect: super::Effect) {
        self.effects.push(Planned {
            token,
            effect,
            not_before: None,
        });
    }
}
