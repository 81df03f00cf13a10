//! Timers: what a time that has come means.

use crate::domain::desk::asked::callers;
use crate::domain::desk::candidates::again;
use crate::domain::desk::known::destination::Destination;
use crate::domain::desk::known::sighted::Sighted;
use crate::domain::desk::release::{self, ends, follow, foreign, lost};
use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::{Change, Outcome};
use crate::domain::{
    Action, Actor, Due, Ended, EnvironmentName, Look, Request, Seen, ServiceName, State,
};

pub(crate) fn due(sitting: &Sitting<'_>, due: &Due) -> Outcome {
    let mut outcome = Outcome::default();
    match due {
        Due::Soak { service, sha } => again::soaked(sitting, service, sha, &mut outcome),
        Due::Expiry { request, .. } => {
            let waiting = sitting.request(*request).filter(Request::is_waiting);
            match waiting {
                Some(request) if request.expires_at <= sitting.now => {
                    let why = "the approvals were not complete in time";
                    ends::end(sitting, request, Ended::Expired, why, &mut outcome);
                }
                Some(_) | None => {}
            }
        }
        Due::Follow { request, .. } => {
            if let Some(request) = sitting.request(*request) {
                follow::ask_after(sitting, request, &mut outcome);
            }
        }
        Due::Look { request, .. } => {
            if let Some(request) = sitting.request(*request) {
                lost::look(sitting, request, &mut outcome);
            }
        }
        Due::Depart {
            request, attempt, ..
        } => {
            let request = sitting.request(*request);
            // A trigger that is on its way out is left alone.
            let departs = |request: &Request| match &request.state {
                State::Waiting => *attempt == 0,
                State::Departing(flight) => *attempt == flight.attempt,
                State::Unknown(_) | State::Sent(_) | State::Running(_) | State::Ended { .. } => {
                    false
                }
            };
            if let Some(request) = request.filter(departs) {
                release::let_go(sitting, request, &mut outcome);
            }
        }
        Due::Unlock {
            service,
            environment,
        } => lock_ends(sitting, service, environment, &mut outcome),
        Due::Unexplained {
            service,
            environment,
            what,
            sha,
            by,
        } => {
            if let Some(service) = sitting.catalog.service(service)
                && let Some(environment) = service.environment_called(environment)
                && let Some(repository) = sitting.bound_to(service)
            {
                let sighted = Sighted {
                    place: Destination {
                        service,
                        environment,
                    },
                    repository: &repository,
                    what: what.clone(),
                    sha,
                    by: by.clone(),
                };
                if !foreign::became_known(sitting, &sighted) {
                    foreign::unexplained(sitting, &sighted, &mut outcome);
                }
            }
        }
        Due::Reread { service } => again::reread(sitting, service, &mut outcome),
        Due::Unheard {
            repository,
            account,
        } => callers::count(sitting, *repository, account, &mut outcome),
    }
    outcome
}

fn lock_ends(
    sitting: &Sitting<'_>,
    service: &ServiceName,
    environment: &EnvironmentName,
    outcome: &mut Outcome,
) {
    let look = Look::Locks {
        service: service.clone(),
    };
    let Some(Seen::Locks(locks)) = sitting.seen(look) else {
        return;
    };
    let over = locks.iter().any(|lock| {
        lock.environment == *environment && lock.until.is_some_and(|until| until <= sitting.now)
    });
    if over {
        outcome.changes.push(Change::Unlock {
            service: service.clone(),
            environment: environment.clone(),
        });
        outcome.entries.push(
            sitting
                .entry(Action::Unlocked, Actor::Countersign)
                .with("service", service.as_str())
                .with("environment", environment.as_str())
                .with("why", "the lock's time is over"),
        );
    }
}
