//! Runs as the forge tells about them: those that we started, those of our deployments, those that wait for our answer.

use crate::domain::desk::known::destination::Destination;
use crate::domain::desk::known::{named, repositories};
use crate::domain::desk::release::{self, follow, foreign, starts};
use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::{Change, Outcome};
use crate::domain::text::Text;
use crate::domain::{
    Due, Environment, Look, Progress, Repository, Request, RuleRequested, RunOf, Seen, SeenRun,
    Service, Sha, State, Trigger,
};

pub(crate) fn run(sitting: &Sitting<'_>, run: &SeenRun) -> Outcome {
    let mut outcome = Outcome::default();
    let services = match repositories::services_at(sitting, &run.repository, &mut outcome) {
        Ok(services) => services,
        Err(why) => return repositories::usurped(sitting, &run.repository, &why),
    };
    let external = run.external();
    if run.progress > Progress::Running && waits_anywhere(&services) {
        outcome.changes.push(Change::RunGoesOn {
            repository: run.repository.id,
            run: run.id,
        });
    }
    let known = follow::request_of(sitting, &run.repository, &external);
    if let Some(request) = known.or_else(|| tried_again(sitting, run)) {
        let request = foreign::again(sitting, &request, run, &mut outcome).unwrap_or(request);
        release::advance(
            sitting,
            request,
            run.progress,
            (&run.url, false),
            &mut outcome,
        );
        return outcome;
    }
    if run.what.is_of_deployment() {
        run_of_deployment(sitting, &services, run, &mut outcome);
        return outcome;
    }
    let mut may_start = services.clone();
    may_start.retain(|service| {
        let mut environments = service.environments.iter();
        environments.any(|environment| environment.trigger.kind().starts(run))
    });
    let found = follow::departed(sitting, &may_start, |request| {
        starts::starts(sitting, request, run)
    });
    // Others can name a run after our mark.
    let found = found.filter(|_| is_by_us(sitting, run));
    if let Some(request) = found {
        let request = follow::adopt(sitting, request, external, &mut outcome);
        release::advance(
            sitting,
            request,
            run.progress,
            (&run.url, false),
            &mut outcome,
        );
        return outcome;
    }
    foreign::run_by_hand(sitting, &services, run, &mut outcome);
    outcome
}

/// The release that a job by somebody else is another try of.
fn tried_again(sitting: &Sitting<'_>, run: &SeenRun) -> Option<Request> {
    if !matches!(run.what, RunOf::Job { .. }) || is_by_us(sitting, run) {
        return None;
    }
    let look = Look::RequestsOfCommit {
        repository: run.repository.id,
        sha: run.sha.clone(),
    };
    let ended = sitting.requests(look).into_iter().filter(|request| {
        request.ended().is_some()
            && request.last_flight().is_some()
            && starts::starts(sitting, request, run)
    });
    ended.max_by_key(|request| request.number)
}

pub(crate) fn is_by_us(sitting: &Sitting<'_>, run: &SeenRun) -> bool {
    let ourselves = sitting.ourselves(&run.repository).ok();
    let actor = run.actor.as_ref();
    ourselves.is_some_and(|us| actor.is_some_and(|actor| actor.login == us.login))
}

/// A run that our deployment started: by our mark in its title, known as such, or by us for the only
/// release of the commit that is on its way. Another deployment of the same commit, to staging perhaps,
/// starts runs too. There may be several; the release is over when all are.
fn run_of_deployment(
    sitting: &Sitting<'_>,
    services: &[&Service],
    run: &SeenRun,
    outcome: &mut Outcome,
) {
    let look = Look::RequestsOfCommit {
        repository: run.repository.id,
        sha: run.sha.clone(),
    };
    let of_commit = sitting.requests(look).into_iter().filter(|request| {
        let by_deployment = named::configured(sitting, request).is_some_and(
            |Destination {
                 service,
                 environment,
             }| {
                services.iter().any(|one| one.name == service.name)
                    && environment.trigger.kind().starts(run)
            },
        );
        by_deployment && request.last_flight().is_some()
    });
    let of_commit: Vec<Request> = of_commit.collect();
    let is_marked = |request: &&Request| run.is_for(request);
    let has_run = |request: &&Request| {
        let flight = request.last_flight();
        flight.is_some_and(|flight| flight.runs.contains_key(&run.id))
    };
    let only_one = || {
        let mut under_way = of_commit.iter().filter(|one| one.flight().is_some());
        let first = under_way.next().filter(|_| under_way.next().is_none());
        first.filter(|_| is_by_us(sitting, run))
    };
    let found = of_commit
        .iter()
        .find(is_marked)
        .filter(|_| is_by_us(sitting, run));
    let found = found.or_else(|| of_commit.iter().find(has_run));
    let Some(mut request) = found.or_else(only_one).cloned() else {
        outcome.ignored = Some("no release of ours started it".to_owned());
        return;
    };
    if let Some(again) = foreign::again(sitting, &request, run, outcome) {
        request = again;
    }
    if run.progress == Progress::Skipped {
        return;
    }
    let is_over = request.ended().is_some();
    let (State::Departing(flight)
    | State::Unknown(flight)
    | State::Sent(flight)
    | State::Running(flight)
    | State::Ended {
        flight: Some(flight),
        ..
    }) = &mut request.state
    else {
        return;
    };
    let known = flight.runs.entry(run.id).or_insert(run.progress);
    // What is over may run again; before that, nothing goes backwards.
    *known = if is_over {
        run.progress
    } else {
        (*known).max(run.progress)
    };
    let progress: Vec<Progress> = flight.runs.values().copied().collect();
    let moved = if progress.contains(&Progress::Failed) {
        Progress::Failed
    } else if progress.iter().any(|one| *one < Progress::Skipped) {
        run.progress.min(Progress::Running)
    } else if progress.contains(&Progress::Cancelled) {
        Progress::Cancelled
    } else {
        Progress::Succeeded
    };
    outcome
        .changes
        .push(Change::Request(Box::new(request.clone())));
    // That a run waits says nothing about whether our call was answered.
    if moved > Progress::Waiting {
        release::advance(sitting, request, moved, (&run.url, true), outcome);
    }
}

/// A run has reached the environment and waits for our answer.
pub(crate) fn rule_requested(sitting: &Sitting<'_>, requested: &RuleRequested) -> Outcome {
    let mut outcome = Outcome::default();
    let services = match repositories::services_at(sitting, &requested.repository, &mut outcome) {
        Ok(services) => services,
        Err(why) => return repositories::usurped(sitting, &requested.repository, &why),
    };
    // Each environment of a run asks, and each time that the run gets there, with a new deployment.
    let token = format!(
        "rule/{}/{}/{}/{}",
        requested.repository.id,
        requested.run,
        requested.environment.to_ascii_lowercase(),
        requested.deployment.unwrap_or_default()
    );
    if sitting.was_remembered(&token) {
        return Outcome::ignored("this run's question is known already");
    }
    let sha = match &requested.sha {
        Some(sha) => sha.clone(),
        None => match sitting.run(&requested.repository, requested.run) {
            Ok(run) => run.sha.clone(),
            Err(why) => {
                return Outcome::ignored(format!("which commit the run is of is unknown: {why}"));
            }
        },
    };
    let answers = |environment: &Environment| {
        let waits_at = environment.trigger.kind().waits_at();
        waits_at.is_some_and(|name| name.as_str().eq_ignore_ascii_case(&requested.environment))
    };
    let waiting: Vec<Request> = services
        .iter()
        .filter(|service| service.environments.iter().any(answers))
        .flat_map(|service| sitting.open_requests(service))
        .filter(|request| {
            let answered = named::configured(sitting, request)
                .is_some_and(|Destination { environment, .. }| answers(environment));
            request.is_waiting() && request.sha == sha && answered
        })
        .collect();
    let known = RuleRequested {
        sha: Some(sha),
        ..requested.clone()
    };
    outcome.changes.push(Change::Remember { token });
    outcome.changes.push(Change::WaitingRun(known));
    // The request looks again on a turn of its own, when the run is among what is stored.
    for request in waiting {
        outcome.changes.push(Change::Timer {
            due: Due::Depart {
                service: request.service.clone(),
                request: request.number,
                attempt: 0,
            },
            repository: request.repository.id,
            at: sitting.now,
        });
    }
    outcome
}

/// The run that waits at the protection rule for this commit, and may pass. Which workflow it is of, and what started
/// it, is asked of the forge; of several a person must choose.
pub(crate) fn waiting_run(
    sitting: &Sitting<'_>,
    (repository, sha): (&Repository, &Sha),
    trigger: &Trigger,
) -> Result<Option<RuleRequested>, Text> {
    let Some(environment) = trigger.kind().waits_at() else {
        return Ok(None);
    };
    let look = Look::WaitingRuns {
        repository: repository.id,
        environment: environment.as_str().to_ascii_lowercase(),
    };
    let Some(Seen::WaitingRuns(runs)) = sitting.seen(look) else {
        return Ok(None);
    };
    let home = repository.id.number();
    let mut fitting: Vec<&RuleRequested> = Vec::new();
    for run in runs {
        if run.sha.as_ref() != Some(sha) {
            continue;
        }
        match sitting.run(&run.repository, run.run) {
            Ok(found) if found.sha != *sha || !trigger.kind().lets_pass(found, home) => {}
            Ok(_) => fitting.push(run),
            Err(why) => {
                let why = format!("what the run {} is could not be found out: {why}", run.run);
                return Err(why.into());
            }
        }
    }
    fitting.dedup_by_key(|run| run.run);
    if fitting.len() > 1 {
        let numbers: Vec<String> = fitting.iter().map(|run| run.run.to_string()).collect();
        let says = format!(
            "several runs of the commit wait at {environment}: {}. Cancel those that are not meant.",
            numbers.join(", ")
        );
        return Err(says.into());
    }
    Ok(fitting.pop().cloned())
}

/// Whether runs may wait for our answer here.
fn waits_anywhere(services: &[&Service]) -> bool {
    let mut environments = services.iter().flat_map(|service| &service.environments);
    environments.any(|environment| environment.trigger.kind().waits_at().is_some())
}
