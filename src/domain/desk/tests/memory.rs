//! The state in memory, for tests of the desk alone: it answers looks and takes changes as the database
//! does.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::domain::desk::{Change, Decision, Outcome, decide, unfold};
use crate::domain::{
    Account, Bound, Caller, Candidate, Catalog, Due, Fact, Finding, Incoming, Internal, Knowledge,
    Live, Lock, Look, News, Notice, Offer, Question, Report, Request, RuleRequested, Seen, Speaker,
};

/// Everything that is stored.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    pub(super) bound: BTreeMap<String, Bound>,
    pub(super) pins: BTreeMap<Look, u64>,
    pub(super) candidates: Vec<Candidate>,
    pub(super) reports: Vec<Report>,
    pub(super) requests: BTreeMap<u64, Request>,
    pub(super) live: Vec<Live>,
    pub(super) locks: Vec<Lock>,
    pub(super) waiting: Vec<RuleRequested>,
    pub(super) remembered: BTreeSet<String>,
    pub(super) callers: Vec<Caller>,
    pub(super) timers: BTreeMap<String, (Due, Timestamp)>,
    pub(super) facts: BTreeMap<Question, Finding>,
    pub(super) notices: BTreeMap<u64, Notice>,
    pub(super) links: Vec<(Speaker, Account)>,
    /// With their codes.
    pub(super) offers: BTreeMap<u64, (Offer, String)>,
    /// What waits in the lines of repositories.
    pub(super) told: Vec<Internal>,
}

impl Memory {
    /// Lets the desk decide about something, and keeps what was decided.
    pub(super) fn hear(
        &mut self,
        incoming: &Incoming,
        catalog: &Catalog,
        now: Timestamp,
    ) -> Vec<Outcome> {
        let parts = unfold(incoming.clone());
        parts
            .iter()
            .map(|part| self.hear_one(part, catalog, now))
            .collect()
    }

    fn hear_one(&mut self, incoming: &Incoming, catalog: &Catalog, now: Timestamp) -> Outcome {
        let mut knowledge = Knowledge {
            seen: BTreeMap::new(),
            facts: self.facts.clone(),
        };
        for _ in 0..20 {
            match decide(incoming, catalog, &knowledge, now) {
                Decision::Settled(outcome) => {
                    for change in &outcome.changes {
                        self.apply(change);
                    }
                    return outcome;
                }
                Decision::Needs { missing, .. } => {
                    for question in missing.questions {
                        let known = match &question {
                            // Whoever speaks here belongs here, unless a test says otherwise.
                            Question::Acquaintance { .. } => Ok(Fact::Acquaintance(true)),
                            Question::Role { .. }
                            | Question::Membership { .. }
                            | Question::PullRequest { .. }
                            | Question::Comparison { .. }
                            | Question::Merges { .. }
                            | Question::Moves { .. }
                            | Question::Commit { .. }
                            | Question::Head { .. }
                            | Question::Reports { .. }
                            | Question::Origin { .. }
                            | Question::Comment { .. }
                            | Question::AppBehind { .. }
                            | Question::Progress { .. }
                            | Question::Sighting { .. }
                            | Question::Run { .. }
                            | Question::Ourselves { .. } => Err("nobody was asked".to_owned()),
                        };
                        knowledge.facts.insert(question, known);
                    }
                    for look in missing.looks {
                        let seen = self.look(&look);
                        knowledge.seen.insert(look, seen);
                    }
                }
            }
        }
        panic!("the desk asks without end about {incoming:?}");
    }

    fn requests(&self, fits: impl Fn(&Request) -> bool) -> Seen {
        let requests = self.requests.values().filter(|request| fits(request));
        Seen::Requests(requests.cloned().collect())
    }

    fn look(&self, look: &Look) -> Seen {
        match look {
            Look::Repository { id, path } => {
                let bound = self.bound.values();
                let found = bound.filter(|bound| bound.repository.id == *id || bound.name == *path);
                Seen::Repositories(found.cloned().collect())
            }
            Look::BoundRepository { path } => {
                Seen::Repositories(self.bound.get(path).cloned().into_iter().collect())
            }
            Look::Caller {
                repository,
                account,
            } => {
                let mut callers = self.callers.iter();
                let found =
                    callers.find(|one| (one.repository, one.account) == (*repository, *account));
                Seen::Caller(found.cloned())
            }
            Look::Pin { .. } => Seen::Pin(self.pins.get(look).copied()),
            Look::Candidates { repository, sha } => {
                let candidates = self.candidates.iter();
                let found =
                    candidates.filter(|one| one.repository.id == *repository && one.sha == *sha);
                Seen::Candidates(found.cloned().collect())
            }
            Look::Newest { service } => {
                let candidates = self.candidates.iter().rev();
                let found = candidates.filter(|one| one.service == *service);
                Seen::Candidates(found.take(10).cloned().collect())
            }
            Look::Reports { repository, sha } => {
                let reports = self.reports.iter();
                let found = reports.filter(|one| one.repository == *repository && one.sha == *sha);
                Seen::Reports(found.cloned().collect())
            }
            Look::OpenRequests { service } => {
                self.requests(|request| request.service == *service && request.ended().is_none())
            }
            Look::Request { number } => self.requests(|request| request.number == *number),
            Look::RequestOf {
                repository,
                kind,
                id,
            } => self.requests(|request| {
                let external = request
                    .last_flight()
                    .and_then(|flight| flight.external.as_ref());
                request.repository.id == *repository
                    && external.is_some_and(|known| known.kind == *kind && known.id == *id)
            }),
            Look::RequestsOfCommit { repository, sha } => {
                self.requests(|request| request.repository.id == *repository && request.sha == *sha)
            }
            Look::History {
                service,
                environment,
            } => self.requests(|request| {
                request.service == *service
                    && request.environment == *environment
                    && request.ended() == Some(crate::domain::Ended::Succeeded)
            }),
            Look::RequestsOfComment { comment, .. } => self.requests(|request| {
                let place = request.origin.comment();
                place.is_some_and(|place| place.comment == *comment)
            }),
            Look::Live { service } => {
                let live = self.live.iter().filter(|live| live.service == *service);
                Seen::Live(live.cloned().collect())
            }
            Look::Locks { service } => {
                let locks = self.locks.iter().filter(|lock| lock.service == *service);
                Seen::Locks(locks.cloned().collect())
            }
            Look::WaitingRuns { .. } => Seen::WaitingRuns(self.waiting.clone()),
            Look::Remembered { token } => Seen::Yes(self.remembered.contains(token)),
            Look::Entries { .. } => Seen::Entries(Ok(Vec::new())),
            Look::NextNumber => Seen::Number(self.requests.len() as u64 + 1),
            Look::NextNotice { nth } => {
                let highest = self.notices.keys().chain(self.offers.keys()).max();
                Seen::Number(highest.copied().unwrap_or_default() + 1 + nth)
            }
            Look::Identity { speaker, forge } => {
                let mut links = self.links.iter();
                let known =
                    links.find(|(known, account)| known.is(speaker) && account.forge == *forge);
                Seen::Identity(known.map(|(_, account)| account.clone()))
            }
            Look::Linked { forge, account } => {
                let is_theirs = |known: &Account| known.forge == *forge && known.id == *account;
                let theirs = self.links.iter().filter(|(_, known)| is_theirs(known));
                Seen::Speakers(theirs.map(|(speaker, _)| speaker.clone()).collect())
            }
            Look::Notice {
                service,
                environment,
                sha,
            } => {
                let of = |one: &&Notice| {
                    (&one.service, &one.environment, &one.sha) == (service, environment, sha)
                };
                Seen::Notices(
                    self.notices
                        .values()
                        .rev()
                        .find(of)
                        .cloned()
                        .into_iter()
                        .collect(),
                )
            }
            Look::NoticeOf { number } => {
                Seen::Notices(self.notices.get(number).cloned().into_iter().collect())
            }
            Look::Offered {
                service,
                environment,
            } => {
                let offered = self.notices.values().filter(|one| {
                    (&one.service, &one.environment) == (service, environment)
                        && one.news == News::Ready
                });
                Seen::Notices(offered.cloned().collect())
            }
            Look::Code { code } => {
                let known = self.offers.values().find(|(_, known)| known == code);
                Seen::Offer(known.map(|(offer, _)| Box::new(offer.clone())))
            }
            Look::Offer { number } => Seen::Offer(
                self.offers
                    .get(number)
                    .map(|(offer, _)| Box::new(offer.clone())),
            ),
        }
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Report(report) => {
                let known = self.reports.iter_mut().find(|known| {
                    known.repository == report.repository
                        && known.sha == report.sha
                        && known.kind == report.kind
                        && known.name == report.name
                        && known.origin() == report.origin()
                });
                match known {
                    None => self.reports.push(report.clone()),
                    Some(known) if report.replaces(known) => *known = report.clone(),
                    Some(_) => {}
                }
            }
            Change::Caller(caller) => {
                self.callers.retain(|one| {
                    (one.repository, one.account) != (caller.repository, caller.account)
                });
                self.callers.push(caller.clone());
            }
            Change::Candidate(candidate) => {
                let known = self.candidates.iter_mut().find(|known| {
                    known.service == candidate.service
                        && known.repository.id == candidate.repository.id
                        && known.sha == candidate.sha
                });
                match known {
                    None => self.candidates.push(candidate.clone()),
                    Some(known) => *known = candidate.clone(),
                }
            }
            Change::Request(request) => {
                self.requests.insert(request.number, (**request).clone());
            }
            Change::Live(live) => {
                self.live.retain(|known| {
                    (&known.service, &known.environment) != (&live.service, &live.environment)
                });
                self.live.push(live.clone());
            }
            Change::Lock(lock) => self.locks.push(lock.clone()),
            Change::Unlock {
                service,
                environment,
            } => self
                .locks
                .retain(|lock| (&lock.service, &lock.environment) != (service, environment)),
            Change::Bind(bound) => {
                self.bound.insert(bound.name.clone(), bound.clone());
            }
            Change::WaitingRun(run) => self.waiting.push(run.clone()),
            Change::RunGoesOn { run, .. } => self.waiting.retain(|known| known.run != *run),
            Change::Timer { due, at, .. } => {
                self.timers.insert(due.key(), (due.clone(), *at));
            }
            Change::NoTimer { due } => {
                self.timers.remove(&due.key());
            }
            Change::Remember { token } => {
                self.remembered.insert(token.clone());
            }
            Change::Notice(notice) => {
                self.notices.insert(notice.number, (**notice).clone());
            }
            Change::OfferLink { offer, code } => {
                self.offers
                    .insert(offer.number, ((**offer).clone(), code.clone()));
            }
            Change::ClaimLink { offer, account } => {
                if let Some((offer, _)) = self.offers.get_mut(offer) {
                    offer.claimed_by = Some(account.clone());
                }
            }
            Change::EndOffer { offer } => {
                self.offers.remove(offer);
            }
            Change::Link { speaker, account } => {
                self.links.retain(|(known, _)| !known.is(speaker));
                self.links.push((speaker.clone(), account.clone()));
            }
            Change::Unlink { speaker, forge } => self
                .links
                .retain(|(known, account)| !known.is(speaker) || account.forge != *forge),
            Change::Note { note, .. } => self.told.push((**note).clone()),
        }
    }

    /// Fires every timer that is due.
    pub(super) fn pass(&mut self, catalog: &Catalog, now: Timestamp) {
        while let Some(key) = self
            .timers
            .iter()
            .find(|(_, (_, at))| *at <= now)
            .map(|(key, _)| key.clone())
        {
            if let Some((due, _)) = self.timers.remove(&key) {
                let note = Incoming::Internal(Internal::Due(due));
                self.hear(&note, catalog, now);
            }
        }
    }
}
