//! What we told ourselves: a time has come, a trigger had its outcome. And what happens to comments and
//! repositories after they mattered.

use jiff::{SignedDuration, Timestamp};

use super::foreign::Sighted;
use super::{Change, Desk, Outcome};
use crate::domain::gates;
use crate::domain::{
    Action, Actor, Candidate, CommentChanged, Due, Ended, EnvironmentName, External, ExternalKind,
    Fact, Internal, Look, Progress, Question, Repository, RepositoryChanged, RepositoryId, Request,
    Seen, Service, ServiceName, Sha, State,
};

const REREAD_EVERY: SignedDuration = SignedDuration::from_mins(10);
/// The same, while something is waited for of which no delivery tells.
const REREAD_SOON: SignedDuration = SignedDuration::from_mins(1);

impl Desk<'_> {
    pub(super) fn internal(&self, internal: &Internal) -> Outcome {
        match internal {
            Internal::Due(due) => self.due(due),
            Internal::Triggered {
                request,
                attempt,
                outcome,
            } => self.triggered(*request, *attempt, outcome),
            Internal::Heard {
                spot,
                author,
                repository,
                line,
            } => self.heard(spot, author, repository, line),
            Internal::Parked {
                outbox,
                effect,
                problem,
                repository,
            } => self.gave_up(*outbox, (effect, problem), repository),
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
            Due::Depart {
                request, attempt, ..
            } => {
                let request = self.request(*request);
                // A trigger that is on its way out is left alone.
                let departs = |request: &Request| match &request.state {
                    State::Waiting => *attempt == 0,
                    State::Departing(flight) => *attempt == flight.attempt,
                    State::Unknown(_)
                    | State::Sent(_)
                    | State::Running(_)
                    | State::Ended { .. } => false,
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
            path: service.repo.remembered(),
        };
        if let Some(Seen::Repositories(bound)) = self.seen(look) {
            bound.first().map(|bound| bound.repository.clone())
        } else {
            None
        }
    }

    fn became_known(&self, sighted: &Sighted<'_>) -> bool {
        let kinds = [ExternalKind::Run, ExternalKind::Job];
        let known = kinds.into_iter().find_map(|kind| {
            let (of_kind, id) = sighted.what.split_once('/')?;
            let external = External {
                kind,
                id: id.parse().ok().filter(|_| of_kind == kind.as_str())?,
                url: String::new(),
            };
            self.request_of(sighted.repository, &external)
        });
        known.is_some()
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

    /// Nothing was heard for a while: how does it go?
    fn ask_after(&self, request: Request, outcome: &mut Outcome) {
        let Some(flight) = request.flight() else {
            return;
        };
        let Some(external) = flight.external.clone() else {
            self.arm_follow(&request, outcome);
            if let (State::Running(_), Ok(Some(external))) =
                (&request.state, self.sight(&request, flight))
            {
                self.adopt(request, external, outcome);
            }
            return;
        };
        let question = Question::Progress {
            repository: request.repository.clone(),
            external,
            correlation: request.correlation(),
        };
        let answer = self.fact(question).and_then(|fact| {
            if let Fact::Progress(progress, url, by_run) = fact {
                Ok((*progress, url.as_str(), *by_run))
            } else {
                Err(super::misfit(fact))
            }
        });
        self.arm_follow(&request, outcome);
        if let Ok((progress, url, by_run)) = answer
            && progress > Progress::Waiting
        {
            self.advance(request, progress, (url, by_run), outcome);
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
        let pause = if gates::waits_in_silence(service, &[]) {
            REREAD_SOON
        } else {
            REREAD_EVERY
        };
        let again = |outcome: &mut Outcome, repository: RepositoryId| {
            let at = self.now.checked_add(pause);
            outcome.changes.push(Change::Timer {
                due: Due::Reread {
                    service: service.name.clone(),
                },
                repository,
                at: at.unwrap_or(Timestamp::MAX),
            });
        };
        let Some(repository) = self.bound_to(service) else {
            return again(outcome, RepositoryId::on(service.repo.forge(), 0));
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
            && self.leads_to(service, &repository, (newest.first(), head))
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

    /// Whether anything of the service was changed between its newest candidate and the branch's head.
    /// In doubt it was.
    fn leads_to(
        &self,
        service: &Service,
        repository: &Repository,
        (newest, head): (Option<&Candidate>, &Sha),
    ) -> bool {
        let Some(newest) = newest.filter(|_| !service.paths.is_empty()) else {
            return true;
        };
        self.changes_between(service, repository, (&newest.sha, head))
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
                self.entry(Action::CommentChanged, Actor::person(&changed.by))
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
                        .with("number", changed.repository.id.number())
                        .with("what", changed.what.as_str()),
                );
                outcome
            }
            Err(why) => self.usurped(&changed.repository, why),
        }
    }
}
