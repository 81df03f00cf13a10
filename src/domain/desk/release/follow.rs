//! Deployments as the forge tells about them: they move our releases, and show those that were not approved here.

use jiff::SignedDuration;

use crate::domain::desk::known::destination::Destination;
use crate::domain::desk::known::sighted::{Sighted, login_or_somebody};
use crate::domain::desk::known::{named, repositories};
use crate::domain::desk::release::{self, foreign, lost};
use crate::domain::desk::sitting::{Sitting, misfit};
use crate::domain::desk::telling::pages;
use crate::domain::desk::{Change, Outcome};
use crate::domain::{
    Action, DeploymentMoved, Due, Environment, External, ExternalKind, Fact, Look, Progress,
    Question, Repository, Request, SeenDeployment, Service, State,
};

pub(crate) fn deployment(sitting: &Sitting<'_>, seen: &SeenDeployment) -> Outcome {
    let mut outcome = Outcome::default();
    if let Err(ended) = follow_deployment(sitting, seen, None, &mut outcome) {
        return ended;
    }
    outcome
}

pub(crate) fn deployment_moved(sitting: &Sitting<'_>, moved: &DeploymentMoved) -> Outcome {
    let mut outcome = Outcome::default();
    if let Err(ended) = follow_deployment(sitting, &moved.deployment, Some(moved), &mut outcome) {
        return ended;
    }
    outcome
}

fn follow_deployment(
    sitting: &Sitting<'_>,
    seen: &SeenDeployment,
    moved: Option<&DeploymentMoved>,
    outcome: &mut Outcome,
) -> Result<(), Outcome> {
    let services = repositories::services_at(sitting, &seen.repository, outcome)
        .map_err(|why| repositories::usurped(sitting, &seen.repository, &why))?;
    let external = External {
        kind: ExternalKind::Deployment,
        id: seen.id,
        url: String::new(),
    };
    let request = request_of(sitting, &seen.repository, &external)
        .or_else(|| {
            let of_job = External {
                kind: ExternalKind::Job,
                id: seen.job?,
                url: String::new(),
            };
            request_of(sitting, &seen.repository, &of_job)
        })
        .or_else(|| by_mark(sitting, &services, seen, external, outcome));
    let progress = moved.and_then(|moved| moved.progress);
    let url = moved.map_or("", |moved| moved.url.as_str());
    if let Some(request) = request {
        if let Some(moved) = moved
            && !is_believed(sitting, &request, moved)
        {
            return Err(Outcome::ignored(
                "who says how the deployment goes is not believed",
            ));
        }
        if let Some(progress) = progress {
            release::advance(sitting, request, progress, (url, false), outcome);
        }
        return Ok(());
    }
    if services.is_empty() {
        return Err(Outcome::ignored("no service lives in this repository"));
    }
    for service in services {
        for environment in &service.environments {
            if !names(environment, &seen.environment) {
                continue;
            }
            let sighted = Sighted {
                place: Destination {
                    service,
                    environment,
                },
                repository: &seen.repository,
                what: seen.job.map_or_else(
                    || format!("deployment/{}", seen.id),
                    |job| format!("job/{job}"),
                ),
                sha: &seen.sha,
                by: login_or_somebody(seen.creator.as_ref()),
            };
            if began(environment, seen, progress) && !foreign::is_explained(sitting, &sighted) {
                foreign::unexplained(sitting, &sighted, outcome);
                if progress == Some(Progress::Succeeded) {
                    foreign::live_unasked(sitting, &sighted, seen.id, outcome);
                }
            }
        }
    }
    Ok(())
}

/// Whether somebody is believed who says how a deployment of ours goes, where everybody with write access may say it: we
/// are, the one whom the policy names, and the forge's own machines, whose runs know better how they ended.
fn is_believed(sitting: &Sitting<'_>, request: &Request, moved: &DeploymentMoved) -> bool {
    let Some(machines) = request.repository.forge().machines() else {
        return true;
    };
    let Some(by) = &moved.by else { return false };
    let is_named = named::configured(sitting, request).is_some_and(|place| {
        let reporter = place.environment.trigger.kind().reporter();
        reporter.is_some_and(|reporter| reporter.as_str().eq_ignore_ascii_case(&by.login))
    });
    if is_named {
        return true;
    }
    if by.login == machines {
        let mut flights = request.last_flight().into_iter();
        let is_known_by_runs = flights.any(|flight| !flight.runs.is_empty());
        let ends = moved
            .progress
            .is_some_and(|moved| moved > Progress::Running);
        return !(ends && is_known_by_runs);
    }
    let ourselves = sitting.ourselves(&request.repository);
    ourselves.is_ok_and(|us| us.login == by.login)
}

pub(crate) fn request_of(
    sitting: &Sitting<'_>,
    repository: &Repository,
    external: &External,
) -> Option<Request> {
    sitting
        .requests(Look::RequestOf {
            repository: repository.id,
            kind: external.kind,
            id: external.id,
        })
        .into_iter()
        // A run that runs again may belong to a retry by now.
        .max_by_key(|request| (request.flight().is_some(), request.number))
}

/// The release on its way out whose mark this deployment carries, if it is really by us.
fn by_mark(
    sitting: &Sitting<'_>,
    services: &[&Service],
    seen: &SeenDeployment,
    external: External,
    outcome: &mut Outcome,
) -> Option<Request> {
    let mark = seen.correlation.as_ref()?;
    let request = departed(sitting, services, |request| {
        request.correlation() == *mark && request.sha == seen.sha
    })?;
    let ourselves = sitting.ourselves(&seen.repository).ok()?;
    let by_us = match ourselves.app {
        Some(app) => seen.app == Some(app) || seen.creator.as_ref()?.login == ourselves.login,
        None => seen.creator.as_ref()?.login == ourselves.login,
    };
    by_us.then(|| adopt(sitting, request, external, outcome))
}

/// A release on its way out whose number on the forge is not known yet.
pub(crate) fn departed(
    sitting: &Sitting<'_>,
    services: &[&Service],
    fits: impl Fn(&Request) -> bool,
) -> Option<Request> {
    services
        .iter()
        .flat_map(|service| sitting.open_requests(service))
        .find(|request| {
            let flight = request.flight();
            flight.is_some_and(|flight| flight.external.is_none()) && fits(request)
        })
}

/// The forge shows our release under this number.
pub(crate) fn adopt(
    sitting: &Sitting<'_>,
    mut request: Request,
    external: External,
    outcome: &mut Outcome,
) -> Request {
    let Some(flight) = request.flight() else {
        return request;
    };
    let mut flight = flight.clone();
    outcome.entries.push(
        sitting
            .about(&request, Action::TriggerFound)
            .with("kind", external.kind.as_str())
            .with("number", external.id),
    );
    if !external.url.is_empty() {
        flight.url.clone_from(&external.url);
    }
    flight.external = Some(external);
    // What was seen running goes on running when its number is learnt.
    request.state = if matches!(request.state, State::Running(_)) {
        State::Running(flight)
    } else {
        State::Sent(flight)
    };
    outcome.changes.push(Change::NoTimer {
        due: Due::Look {
            service: request.service.clone(),
            request: request.number,
        },
    });
    arm_follow(sitting, &request, outcome);
    pages::say_request(sitting, &request, None, outcome);
    outcome
        .changes
        .push(Change::Request(Box::new(request.clone())));
    request
}

/// After how long without news a release is asked after. What is not configured any more goes on all the same, and is
/// followed to its end.
pub(crate) fn patience(place: Option<Destination<'_>>) -> SignedDuration {
    const USUAL: SignedDuration = SignedDuration::from_mins(10);
    place.map_or(USUAL, |place| {
        let patience = place.environment.follow.as_duration();
        SignedDuration::try_from(patience).unwrap_or(SignedDuration::MAX)
    })
}

pub(crate) fn arm_follow(sitting: &Sitting<'_>, request: &Request, outcome: &mut Outcome) {
    let patience = patience(named::configured(sitting, request));
    let at = sitting.now.checked_add(patience);
    let at = at.unwrap_or(jiff::Timestamp::MAX);
    outcome.changes.push(Change::Timer {
        due: Due::Follow {
            service: request.service.clone(),
            request: request.number,
        },
        repository: request.repository.id,
        at,
    });
}

/// Nothing was heard for a while: how does it go?
pub(crate) fn ask_after(sitting: &Sitting<'_>, request: Request, outcome: &mut Outcome) {
    let Some(flight) = request.flight() else {
        return;
    };
    let Some(external) = flight.external.clone() else {
        arm_follow(sitting, &request, outcome);
        if let (State::Running(_), Ok(Some(external))) =
            (&request.state, lost::sight(sitting, &request, flight))
        {
            adopt(sitting, request, external, outcome);
        }
        return;
    };
    let question = Question::Progress {
        repository: request.repository.clone(),
        external,
        correlation: request.correlation(),
        reporter: named::configured(sitting, &request)
            .and_then(|place| place.environment.trigger.kind().reporter())
            .map(ToString::to_string),
    };
    let answer = sitting.fact(question).and_then(|fact| {
        if let Fact::Progress(progress, url, by_run) = fact {
            Ok((*progress, url.as_str(), *by_run))
        } else {
            Err(misfit(fact))
        }
    });
    arm_follow(sitting, &request, outcome);
    if let Ok((progress, url, by_run)) = answer
        && progress > Progress::Waiting
    {
        release::advance(sitting, request, progress, (url, by_run), outcome);
    }
}

/// Whether a deployment that was seen has begun.
fn began(environment: &Environment, seen: &SeenDeployment, progress: Option<Progress>) -> bool {
    let waits = progress.is_none_or(|progress| progress == Progress::Waiting);
    match seen.job {
        // It may end, too, without having been played.
        Some(_) => matches!(progress, Some(Progress::Running | Progress::Succeeded)),
        None => !(waits && environment.trigger.kind().deployment_waits()),
    }
}

/// Whether a deployment to this name on the forge is a release to the environment.
fn names(environment: &Environment, name: &str) -> bool {
    match environment.trigger.kind().environment() {
        Some(target) => target.as_str().eq_ignore_ascii_case(name),
        None => environment.answers_to(name),
    }
}
