//! One sitting of the desk: what it knows, what it misses, and the time. Everything above takes a `&Sitting`; only
//! questions to what is known stand here.

use std::cell::{Cell, RefCell};

use jiff::Timestamp;

use crate::domain::desk::Outcome;
use crate::domain::{
    Account, Action, Actor, Caller, Candidate, Catalog, Commit, Comparison, Crowd, Entry,
    Environment, EnvironmentName, Fact, Forge, FoundRun, Knowledge, Live, Lock, Look, Membership,
    Missing, Notice, Ourselves, PinKind, PullRequest, Question, Report, Repository, RepositoryId,
    Request, Seen, Service, ServiceName, Sha,
};

/// One sitting.
pub(super) struct Sitting<'a> {
    pub(super) catalog: &'a Catalog,
    knowledge: &'a Knowledge,
    pub(super) now: Timestamp,
    missing: RefCell<Missing>,
    /// What may be done before everything is known.
    pub(super) first: RefCell<Outcome>,
    /// How many notices and offers were numbered so far.
    numbered: Cell<u64>,
}

/// What stands for a fact until it was asked for; the decision is thrown away then.
const NOT_ASKED: &str = "it has not been asked yet";

impl<'a> Sitting<'a> {
    pub(super) fn new(catalog: &'a Catalog, knowledge: &'a Knowledge, now: Timestamp) -> Self {
        Self {
            catalog,
            knowledge,
            now,
            missing: RefCell::default(),
            first: RefCell::default(),
            numbered: Cell::new(0),
        }
    }

    /// What was missed, and what may be done already.
    pub(super) fn into_parts(self) -> (Missing, Outcome) {
        (self.missing.into_inner(), self.first.into_inner())
    }

    pub(super) fn seen(&self, look: Look) -> Option<&'a Seen> {
        let seen = self.knowledge.seen.get(&look);
        if seen.is_none() {
            self.missing.borrow_mut().looks.insert(look);
        }
        seen
    }

    pub(super) fn fact(&self, question: Question) -> Result<&'a Fact, String> {
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
    pub(super) fn knows_all(&self) -> bool {
        self.missing.borrow().is_empty()
    }

    /// Requests by the names that their service and environment have now.
    pub(super) fn requests(&self, look: Look) -> Vec<Request> {
        let Some(Seen::Requests(requests)) = self.seen(look) else {
            return Vec::new();
        };
        let mut requests = requests.clone();
        for request in &mut requests {
            self.rename(&mut request.service, &mut request.environment);
        }
        requests
    }

    /// Notices by the names that their service and environment have now.
    pub(super) fn notices(&self, look: Look) -> Vec<Notice> {
        let Some(Seen::Notices(notices)) = self.seen(look) else {
            return Vec::new();
        };
        let mut notices = notices.clone();
        for notice in &mut notices {
            self.rename(&mut notice.service, &mut notice.environment);
        }
        notices
    }

    /// A name may have been another one when something was stored.
    fn rename(&self, service: &mut ServiceName, environment: &mut EnvironmentName) {
        let Some(known) = self.catalog.service(service) else {
            return;
        };
        service.clone_from(&known.name);
        if let Some(known) = known.environment_called(environment) {
            environment.clone_from(&known.name);
        }
    }

    pub(super) fn open_requests(&self, service: &Service) -> Vec<Request> {
        let names = service.names().cloned();
        let mut open: Vec<Request> = names
            .flat_map(|service| self.requests(Look::OpenRequests { service }))
            .collect();
        open.sort_by_key(|request| request.number);
        open
    }

    pub(super) fn request(&self, number: u64) -> Option<Request> {
        self.requests(Look::Request { number }).into_iter().next()
    }

    /// The newest candidates of a service, the newest first.
    pub(super) fn newest(&self, service: &Service) -> Vec<Candidate> {
        let names = service.names().cloned();
        names
            .flat_map(|service| self.candidates(Look::Newest { service }))
            .collect()
    }

    pub(super) fn candidates(&self, look: Look) -> Vec<Candidate> {
        if let Some(Seen::Candidates(candidates)) = self.seen(look) {
            candidates.clone()
        } else {
            Vec::new()
        }
    }

    pub(super) fn stored_reports(&self, repository: RepositoryId, sha: &Sha) -> Vec<Report> {
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

    pub(super) fn live(&self, service: &Service, environment: &Environment) -> Option<Live> {
        let names = service.names().cloned();
        let known = names.filter_map(|service| match self.seen(Look::Live { service }) {
            Some(Seen::Live(live)) => Some(live),
            _ => None,
        });
        let here = known
            .flatten()
            .filter(|live| environment.is_called(&live.environment));
        here.max_by_key(|live| live.since).cloned()
    }

    /// The locks that are in force: one, or several since it has another name.
    pub(super) fn locks(&self, service: &Service, environment: &Environment) -> Vec<Lock> {
        let names = service.names().cloned();
        let known = names.filter_map(|service| match self.seen(Look::Locks { service }) {
            Some(Seen::Locks(locks)) => Some(locks),
            _ => None,
        });
        let here = known
            .flatten()
            .filter(|lock| environment.is_called(&lock.environment));
        here.filter(|lock| lock.until.is_none_or(|until| until > self.now))
            .cloned()
            .collect()
    }

    /// The lock that is in force.
    pub(super) fn lock(&self, service: &Service, environment: &Environment) -> Option<Lock> {
        self.locks(service, environment).into_iter().next()
    }

    pub(super) fn pin(&self, kind: PinKind, forge: Forge, name: &str) -> Option<u64> {
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

    /// What a person said within the last minute.
    pub(super) fn caller(&self, repository: RepositoryId, account: u64) -> Option<Caller> {
        let look = Look::Caller {
            repository,
            account,
        };
        if let Some(Seen::Caller(caller)) = self.seen(look) {
            caller.clone()
        } else {
            None
        }
    }

    pub(super) fn was_remembered(&self, token: &str) -> bool {
        let look = Look::Remembered {
            token: token.to_owned(),
        };
        matches!(self.seen(look), Some(Seen::Yes(true)))
    }

    /// The number for a new request; asked for last, because taking one cannot be undone.
    pub(super) fn next_number(&self) -> u64 {
        if !self.knows_all() {
            return 0;
        }
        if let Some(Seen::Number(number)) = self.seen(Look::NextNumber) {
            *number
        } else {
            0
        }
    }

    pub(super) fn role_of(
        &self,
        repository: &Repository,
        person: &Account,
    ) -> Result<Option<String>, String> {
        let question = Question::Role {
            repository: repository.clone(),
            person: person.clone(),
        };
        self.fact(question).and_then(|fact| {
            if let Fact::Role(access) = fact {
                let access = access.as_ref().filter(|access| !self.is_over(access.until));
                Ok(access.map(|access| access.role.clone()))
            } else {
                Err(misfit(fact))
            }
        })
    }

    pub(super) fn membership(
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
                let active = membership.active && !self.is_over(membership.until);
                Ok(Membership {
                    active,
                    ..*membership
                })
            } else {
                Err(misfit(fact))
            }
        })
    }

    /// Whether a time has come.
    fn is_over(&self, until: Option<Timestamp>) -> bool {
        until.is_some_and(|until| until <= self.now)
    }

    pub(super) fn pull_request(
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

    pub(super) fn comparison(
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

    /// Where a branch stands; nothing when there is none.
    pub(super) fn head(
        &self,
        repository: &Repository,
        branch: &str,
    ) -> Result<Option<Sha>, String> {
        let question = Question::Head {
            repository: repository.clone(),
            branch: branch.to_owned(),
        };
        self.fact(question).and_then(|fact| {
            if let Fact::Head(head) = fact {
                Ok(head.clone())
            } else {
                Err(misfit(fact))
            }
        })
    }

    pub(super) fn commit(
        &self,
        repository: &Repository,
        reference: &str,
    ) -> Result<&'a Commit, String> {
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

    pub(super) fn ourselves(&self, repository: &Repository) -> Result<&'a Ourselves, String> {
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

    /// The repository of a service, as it is called now.
    pub(super) fn bound_to(&self, service: &Service) -> Option<Repository> {
        let look = Look::BoundRepository {
            path: service.repo.remembered(),
        };
        if let Some(Seen::Repositories(bound)) = self.seen(look) {
            bound.first().map(|bound| bound.repository.clone())
        } else {
            None
        }
    }

    pub(super) fn run(&self, repository: &Repository, run: u64) -> Result<&'a FoundRun, String> {
        let question = Question::Run {
            repository: repository.clone(),
            run,
        };
        self.fact(question).and_then(|fact| {
            if let Fact::Run(run) = fact {
                Ok(run)
            } else {
                Err(misfit(fact))
            }
        })
    }

    /// Another number each time.
    pub(super) fn next_notice(&self) -> u64 {
        let nth = self.numbered.get();
        self.numbered.set(nth + 1);
        if let Some(Seen::Number(number)) = self.seen(Look::NextNotice { nth }) {
            *number
        } else {
            0
        }
    }

    /// The newest successful releases, the newest first.
    pub(super) fn history(&self, service: &Service, environment: &Environment) -> Vec<Request> {
        let mut history: Vec<Request> = service
            .names_with(environment)
            .flat_map(|(service, environment)| {
                self.requests(Look::History {
                    service,
                    environment,
                })
            })
            .collect();
        history.sort_by_key(|request| std::cmp::Reverse(request.number));
        history
    }

    pub(super) fn entry(&self, action: Action, actor: Actor) -> Entry {
        Entry::new(self.now, action, actor)
    }

    /// An entry about a request.
    pub(super) fn about(&self, request: &Request, action: Action) -> Entry {
        self.entry(action, Actor::Countersign)
            .with("request", request.number)
            .with("service", request.service.as_str())
            .with("environment", request.environment.as_str())
            .with("sha", request.sha.as_str())
    }

    pub(super) fn about_by(&self, request: &Request, action: Action, person: &Account) -> Entry {
        let mut entry = self.about(request, action);
        entry.actor = Actor::from(person);
        entry
    }
}

pub(super) fn misfit(fact: &Fact) -> String {
    format!("the answer does not fit the question: {fact:?}")
}
