//! What we told ourselves: a time has come, a trigger had its outcome. And what happens to comments and
//! repositories after they mattered.

use jiff::{SignedDuration, Timestamp};

use super::follow::Sighted;
use super::{Change, Desk, Outcome};
use crate::domain::{
    Action, Actor, CommentChanged, Due, Ended, EnvironmentName, External, Fact, Flight, Internal,
    Look, Progress, Question, Repository, RepositoryChanged, Request, Search, Seen, Service,
    ServiceName, Sha, Start, State, Trigger, Went,
};

/// Pauses before each look for a trigger whose answer was lost.
const LOOKS: [SignedDuration; 4] = [
    SignedDuration::from_secs(5),
    SignedDuration::from_secs(10),
    SignedDuration::from_secs(20),
    SignedDuration::from_secs(40),
];
/// How often a trigger may be sent with an answer that was lost.
const TRIES: u64 = 2;
const REREAD_EVERY: SignedDuration = SignedDuration::from_mins(10);

impl Desk<'_> {
    pub(super) fn internal(&self, internal: &Internal) -> Outcome {
        match internal {
            Internal::Due(due) => self.due(due),
            Internal::Triggered {
                request,
                attempt,
                outcome,
            } => self.triggered(*request, *attempt, outcome),
        }
    }

    fn due(&self, due: &Due) -> Outcome {
        let mut outcome = Outcome::default();
        match due {
            Due::Soak { service, sha } => self.soaked(service, sha, &mut outcome),
            Due::Expiry { request, .. } => {
                let waiting = self.request(*request).filter(Request::is_waiting);
                match waiting {
                    Some(request) if request.expires_at <= self.now => {
                        let why = "nobody completed the approvals in time";
                        self.end(request, Ended::Expired, why, &mut outcome);
                    }
                    Some(_) | None => {}
                }
            }
            Due::Follow { request, .. } => {
                if let Some(request) = self.request(*request) {
                    self.ask_after(request, &mut outcome);
                }
            }
            Due::Look { request, .. } => {
                if let Some(request) = self.request(*request) {
                    self.look(request, &mut outcome);
                }
            }
            Due::Depart { request, .. } => {
                let request = self.request(*request);
                let departs = |request: &Request| {
                    matches!(request.state, State::Waiting | State::Departing(_))
                };
                if let Some(request) = request.filter(departs) {
                    self.let_go(request, &mut outcome);
                }
            }
            Due::Unlock {
                service,
                environment,
            } => self.lock_ends(service, environment, &mut outcome),
            Due::Unexplained {
                service,
                environment,
                what,
                sha,
                by,
            } => {
                if let Some(service) = self.catalog.service(service)
                    && let Some(environment) = service
                        .environments
                        .iter()
                        .find(|one| one.name == *environment)
                    && let Some(repository) = self.bound_to(service)
                {
                    let sighted = Sighted {
                        service,
                        environment,
                        repository: &repository,
                        what: what.clone(),
                        sha,
                        by: by.clone(),
                    };
                    if !self.became_known(&sighted) {
                        self.unexplained(&sighted, &mut outcome);
                    }
                }
            }
            Due::Reread { service } => self.reread(service, &mut outcome),
        }
        outcome
    }

    /// The repository of a service, as it is called now.
    pub(super) fn bound_to(&self, service: &Service) -> Option<Repository> {
        let look = Look::BoundRepository {
            path: service.repo.path().to_ascii_lowercase(),
        };
        if let Some(Seen::Repositories(bound)) = self.seen(look) {
            bound.first().map(|bound| bound.repository.clone())
        } else {
            None
        }
    }

    fn became_known(&self, sighted: &Sighted<'_>) -> bool {
        let Some(id) = sighted
            .what
            .strip_prefix("run/")
            .and_then(|id| id.parse().ok())
        else {
            return false;
        };
        let external = External {
            kind: crate::domain::ExternalKind::Run,
            id,
            url: String::new(),
        };
        self.request_of(sighted.repository, &external).is_some()
    }

    fn soaked(&self, service: &ServiceName, sha: &Sha, outcome: &mut Outcome) {
        let Some(service) = self.catalog.service(service) else {
            return;
        };
        let Some(repository) = self.bound_to(service) else {
            return;
        };
        let look = Look::Candidates {
            repository: repository.id,
            sha: sha.clone(),
        };
        let candidates = self.candidates(look);
        let reports = self.stored_reports(repository.id, sha);
        for candidate in candidates {
            if candidate.service == service.name {
                self.evaluate(service, candidate, &reports, outcome);
            }
        }
    }

    fn lock_ends(
        &self,
        service: &ServiceName,
        environment: &EnvironmentName,
        outcome: &mut Outcome,
    ) {
        let look = Look::Locks {
            service: service.clone(),
        };
        let Some(Seen::Locks(locks)) = self.seen(look) else {
            return;
        };
        let over = locks.iter().any(|lock| {
            lock.environment == *environment && lock.until.is_some_and(|until| until <= self.now)
        });
        if over {
            outcome.changes.push(Change::Unlock {
                service: service.clone(),
                environment: environment.clone(),
            });
            outcome.entries.push(
                self.entry(Action::Unlocked, Actor::Countersign)
                    .with("service", service.as_str())
                    .with("environment", environment.as_str())
                    .with("why", "the lock's time is over"),
            );
        }
    }

    /// A trigger left, or did not.
    fn triggered(&self, number: u64, attempt: u64, went: &Went) -> Outcome {
        let mut outcome = Outcome::default();
        let Some(request) = self.request(number) else {
            return Outcome::ignored("the request is not known any more");
        };
        let Some(flight) = request.flight().filter(|flight| flight.attempt == attempt) else {
            return Outcome::ignored("the request has gone on without it");
        };
        let flight = flight.clone();
        let is_departing = matches!(request.state, State::Departing(_));
        match went {
            Went::Accepted { external } => self.accepted(request, external.clone(), &mut outcome),
            // The forge's own events were faster than the outcome of our call.
            _ if !is_departing => return Outcome::ignored("the release was seen already"),
            Went::Refused { why } => {
                let why = format!("GitHub refused to start it: {why}");
                self.end(request, Ended::Failed, &why, &mut outcome);
            }
            Went::Held { why, seconds } => {
                outcome.entries.push(
                    self.about(&request, Action::TriggerHeld)
                        .with("why", why.as_str())
                        .with("seconds", *seconds),
                );
                let pause = SignedDuration::from_secs(i64::try_from(*seconds).unwrap_or(3_600));
                self.timer(depart(&request), &request, pause, &mut outcome);
                self.say_request(&request, None, &mut outcome);
            }
            Went::Stale => self.let_go(request, &mut outcome),
            Went::Lost { why } => self.lost(request, flight, why, &mut outcome),
        }
        outcome
    }

    fn accepted(&self, mut request: Request, external: Option<External>, outcome: &mut Outcome) {
        match external {
            Some(external) => {
                let known = request
                    .flight()
                    .and_then(|flight| flight.external.as_ref())
                    .is_some_and(|known| known.id == external.id);
                if !known {
                    self.adopt(request, external, outcome);
                }
            }
            None => {
                let (State::Departing(flight) | State::Unknown(flight)) = &request.state else {
                    return;
                };
                request.state = State::Sent(flight.clone());
                // The run is found by its mark, if its events do not name it first.
                self.timer(look_for(&request), &request, LOOKS[0], outcome);
                self.arm_follow(&request, outcome);
                self.say_request(&request, None, outcome);
                outcome.changes.push(Change::Request(request));
            }
        }
    }

    fn lost(&self, mut request: Request, mut flight: Flight, why: &str, outcome: &mut Outcome) {
        flight.lost += 1;
        flight.looks = 0;
        request.state = State::Unknown(flight);
        outcome
            .entries
            .push(self.about(&request, Action::TriggerLost).with("why", why));
        self.timer(look_for(&request), &request, LOOKS[0], outcome);
        self.say_request(&request, None, outcome);
        outcome.changes.push(Change::Request(request));
    }

    /// Looks whether a trigger arrived whose answer was lost, or where its run is.
    fn look(&self, mut request: Request, outcome: &mut Outcome) {
        let (State::Unknown(flight) | State::Sent(flight)) = &request.state else {
            return;
        };
        if flight.external.is_some() {
            return;
        }
        let is_unknown = matches!(request.state, State::Unknown(_));
        let mut flight = flight.clone();
        match self.sight(&request, &flight) {
            Ok(Some(external)) => {
                self.adopt(request, external, outcome);
                return;
            }
            Ok(None) => flight.looks += 1,
            // A look that failed shows nothing.
            Err(_) => {}
        }
        let looks = usize::try_from(flight.looks).unwrap_or(usize::MAX);
        let may_try = flight.lost < TRIES;
        request.state = if is_unknown {
            State::Unknown(flight)
        } else {
            State::Sent(flight)
        };
        match LOOKS.get(looks) {
            Some(pause) => {
                self.timer(look_for(&request), &request, *pause, outcome);
                outcome.changes.push(Change::Request(request));
            }
            // It was looked for over more than a minute: once more, with the same mark, if it may
            // still leave.
            None if is_unknown && may_try => self.let_go(request, outcome),
            None => {
                self.say_request(&request, None, outcome);
                self.timer(look_for(&request), &request, REREAD_EVERY, outcome);
                outcome.changes.push(Change::Request(request));
            }
        }
    }

    fn sight(&self, request: &Request, flight: &Flight) -> Result<Option<External>, String> {
        let environment = self.configured(request).map(|(_, environment)| environment);
        let Some(Trigger::GitHub(trigger)) = environment.map(|environment| &environment.trigger)
        else {
            return Err("the environment is not configured any more".to_owned());
        };
        let Some(start) = Start::of(trigger, request, flight.waiting_run) else {
            return Err("no run waits".to_owned());
        };
        let question = Question::Sighting {
            repository: request.repository.clone(),
            search: Search {
                correlation: flight.correlation.clone(),
                sha: request.sha.clone(),
                target: start.target(),
                since: flight.since,
            },
        };
        self.fact(question).and_then(|fact| {
            if let Fact::Sighting(external) = fact {
                Ok(external.clone())
            } else {
                Err(super::misfit(fact))
            }
        })
    }

    /// Nothing was heard for a while: how does it go?
    fn ask_after(&self, request: Request, outcome: &mut Outcome) {
        let Some(external) = request.flight().and_then(|flight| flight.external.clone()) else {
            return;
        };
        let question = Question::Progress {
            repository: request.repository.clone(),
            external,
        };
        let answer = self.fact(question).and_then(|fact| {
            if let Fact::Progress(progress, url) = fact {
                Ok((*progress, url.as_str()))
            } else {
                Err(super::misfit(fact))
            }
        });
        self.arm_follow(&request, outcome);
        if let Ok((progress, url)) = answer
            && progress > Progress::Waiting
        {
            self.advance(request, progress, (url, false), outcome);
        }
    }

    pub(super) fn run_sha(&self, repository: &Repository, run: u64) -> Result<Sha, String> {
        let question = Question::RunSha {
            repository: repository.clone(),
            run,
        };
        self.fact(question).and_then(|fact| {
            if let Fact::RunSha(sha) = fact {
                Ok(sha.clone())
            } else {
                Err(super::misfit(fact))
            }
        })
    }

    /// Reads again where the release branch stands and what was reported about what is not ready, so
    /// that lost deliveries heal.
    fn reread(&self, service: &ServiceName, outcome: &mut Outcome) {
        let Some(service) = self.catalog.service(service) else {
            return;
        };
        let again = |outcome: &mut Outcome, repository: u64| {
            let at = self.now.checked_add(REREAD_EVERY);
            outcome.changes.push(Change::Timer {
                due: Due::Reread {
                    service: service.name.clone(),
                },
                repository,
                at: at.unwrap_or(Timestamp::MAX),
            });
        };
        let Some(repository) = self.bound_to(service) else {
            return again(outcome, 0);
        };
        again(outcome, repository.id);
        let newest = self.candidates(Look::Newest {
            service: service.name.clone(),
        });
        let question = Question::Head {
            repository: repository.clone(),
            branch: service.branch.to_string(),
        };
        if let Ok(Fact::Head(Some(head))) = self.fact(question)
            && newest.iter().all(|candidate| candidate.sha != *head)
        {
            self.missed(service, &repository, head, outcome);
        }
        for candidate in newest {
            let is_done = service
                .stages
                .iter()
                .all(|stage| candidate.marks.contains_key(stage.name.as_str()));
            if is_done {
                continue;
            }
            if let Ok((reports, changes)) = self.fresh_reports(&repository, &candidate.sha) {
                outcome.changes.extend(changes);
                self.evaluate(service, candidate, &reports, outcome);
            }
        }
    }

    /// A push of which we never heard.
    fn missed(
        &self,
        service: &Service,
        repository: &Repository,
        head: &Sha,
        outcome: &mut Outcome,
    ) {
        let title = match self.commit(repository, head.as_str()) {
            Ok(commit) => commit.title.clone(),
            Err(_) => String::new(),
        };
        if let Ok((_, changes)) = self.fresh_reports(repository, head) {
            outcome.changes.extend(changes);
        }
        self.new_candidate(service, repository, (head.clone(), title), outcome);
        // What was reported about it meanwhile counts as soon as it is stored.
        outcome.changes.push(Change::Timer {
            due: Due::Soak {
                service: service.name.clone(),
                sha: head.clone(),
            },
            repository: repository.id,
            at: self.now,
        });
    }

    fn timer(&self, due: Due, request: &Request, pause: SignedDuration, outcome: &mut Outcome) {
        outcome.changes.push(Change::Timer {
            due,
            repository: request.repository.id,
            at: self.now.checked_add(pause).unwrap_or(Timestamp::MAX),
        });
    }

    /// A comment that asked or approved was changed later: that changes nothing, and is remembered.
    pub(super) fn comment_changed(&self, changed: &CommentChanged) -> Outcome {
        let look = Look::RequestsOfComment {
            repository: changed.place.repository.id,
            comment: changed.place.comment,
        };
        let requests = self.requests(look);
        if requests.is_empty() {
            return Outcome::ignored("commands come from new comments only");
        }
        let what = if changed.deleted { "deleted" } else { "edited" };
        let mut outcome = Outcome::default();
        for request in requests {
            outcome.entries.push(
                self.entry(Action::CommentChanged, Actor::on_github(&changed.by))
                    .with("request", request.number)
                    .with("comment", changed.place.comment)
                    .with("what", what),
            );
        }
        outcome
    }

    pub(super) fn repository_changed(&self, changed: &RepositoryChanged) -> Outcome {
        let mut outcome = Outcome::default();
        match self.services_at(&changed.repository, &mut outcome) {
            Ok(services) if services.is_empty() => {
                Outcome::ignored("no service lives in this repository")
            }
            Ok(_) => {
                outcome.entries.push(
                    self.entry(Action::RepositoryChanged, Actor::Countersign)
                        .with("repository", changed.repository.path.as_str())
                        .with("number", changed.repository.id)
                        .with("what", changed.what.as_str()),
                );
                outcome
            }
            Err(why) => self.usurped(&changed.repository, why),
        }
    }
}

fn depart(request: &Request) -> Due {
    Due::Depart {
        service: request.service.clone(),
        request: request.number,
    }
}

fn look_for(request: &Request) -> Due {
    Due::Look {
        service: request.service.clone(),
        request: request.number,
    }
}
