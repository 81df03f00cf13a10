//! A release from the decision to its end: it departs once the quorum is there and nothing stands in the
//! way at that very moment, and from then on moves forward only.

use jiff::SignedDuration;

use crate::domain::desk::examine::{self, Examined};
use crate::domain::desk::known::destination::Destination;
use crate::domain::desk::known::digests;
use crate::domain::desk::known::named;
use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::telling::pages;
use crate::domain::desk::{Change, Outcome};
use crate::domain::policy::Quorum;
use crate::domain::reason::Verdict;
use crate::domain::text::ticked;
use crate::domain::trigger::Release;
use crate::domain::{
    Action, Departure, Detail, Due, Ended, ExternalKind, Flight, Planned, Progress, Request,
    RequestKind, State, StatusState,
};

pub(super) mod ends;
pub(super) mod follow;
pub(super) mod foreign;
pub(super) mod lost;
pub(super) mod runs;
pub(super) mod starts;

/// A trigger that could not leave for so long is examined again first.
const DEPART_WITHIN: SignedDuration = SignedDuration::from_secs(60);

/// What stood in the way for a moment is looked at again.
const SOON: SignedDuration = SignedDuration::from_secs(60);

/// Lets a request go if it may: it departs, goes on waiting, or is void.
pub(crate) fn let_go(sitting: &Sitting<'_>, mut request: Request, outcome: &mut Outcome) {
    let may_be_there = request.flight().is_some_and(|flight| flight.lost > 0);
    let Some(place) = named::configured(sitting, &request) else {
        if may_be_there {
            return lost::stay_unknown(sitting, request, outcome);
        }
        let why = "the service or the environment is not configured any more";
        return ends::end(sitting, request, Ended::Voided, why, outcome);
    };
    if let Some(bound) = sitting.bound_to(place.service)
        && bound.id == request.repository.id
    {
        // It may have been renamed since.
        request.repository = bound;
    }
    if !may_be_there && !digests::is_current(sitting, &request, place) {
        let why = ticked(digests::what_changed(sitting, &request));
        return ends::end(sitting, request, Ended::Voided, why, outcome);
    }
    if !may_be_there && request.expires_at <= sitting.now {
        let why = "it could not start in time";
        return ends::end(sitting, request, Ended::Expired, why, outcome);
    }
    let examined = examine::examine_request(sitting, &request, place);
    outcome.changes.extend(examined.changes.iter().cloned());
    for (person, why) in &examined.void {
        request.given.retain(|given| given.by.id != person.id);
        outcome.entries.push(
            sitting
                .about(&request, Action::ApprovalVoided)
                .with_private("person", person.login.as_str())
                .with("number", person.id)
                .with_private("why", why.plain()),
        );
    }
    let had_left = request.flight().is_some();
    match &examined.quorum {
        Ok(quorum) if examined.is_clear() && digests::is_current(sitting, &request, place) => {
            depart(sitting, request, (quorum, &examined), place, outcome);
        }
        Ok(_) | Err(_) if may_be_there => lost::stay_unknown(sitting, request, outcome),
        // What could not be found out may be found out in a minute.
        Ok(_) | Err(_) if had_left && examined.tree.verdict == Verdict::Unknown => {
            lost::timer(sitting, lost::depart(&request), &request, SOON, outcome);
            say_obstacles(sitting, &request, &examined, outcome);
            outcome.changes.push(Change::Request(Box::new(request)));
        }
        Ok(_) | Err(_) if had_left => {
            let why = "what it was approved under no longer holds".into();
            outcome.entries.push(
                sitting
                    .about(&request, Action::Refused)
                    .with("evidence", examined.evidence.clone()),
            );
            ends::end_with(
                sitting,
                request,
                (Ended::Voided, why),
                Some(&examined),
                outcome,
            );
        }
        quorum => {
            if quorum.is_ok() {
                // A run may wait for it: what stands in the way is looked at again.
                lost::timer(sitting, lost::depart(&request), &request, SOON, outcome);
            }
            if examined.is_clear() {
                pages::say_request(sitting, &request, None, outcome);
            } else {
                say_obstacles(sitting, &request, &examined, outcome);
            }
            outcome.changes.push(Change::Request(Box::new(request)));
        }
    }
}

/// Says what stands in the way, once for each thing: it is looked at again every minute.
fn say_obstacles(
    sitting: &Sitting<'_>,
    request: &Request,
    examined: &Examined,
    outcome: &mut Outcome,
) {
    let obstacles = examined.tree.obstacles();
    let says: Vec<String> = obstacles.iter().map(|one| one.says.plain()).collect();
    let says: String = says.join("; ").chars().take(400).collect();
    let token = format!("obstacles/{}/{says}", request.number);
    if !sitting.was_remembered(&token) {
        outcome.changes.push(Change::Remember { token });
        pages::say_request(sitting, request, Some(&examined.tree), outcome);
    }
}

pub(crate) fn depart(
    sitting: &Sitting<'_>,
    mut request: Request,
    (quorum, examined): (&Quorum, &Examined),
    place: Destination<'_>,
    outcome: &mut Outcome,
) {
    let Destination {
        service,
        environment,
    } = place;
    let trigger = &environment.trigger;
    if trigger.kind().forge() != Some(request.repository.forge()) {
        let why = "this trigger is not available for the service's repository";
        return ends::end(sitting, request, Ended::Failed, why, outcome);
    }
    let waiting_run = match runs::waiting_run(sitting, (&request.repository, &request.sha), trigger)
    {
        Ok(waiting) => waiting.map(|waiting| waiting.run),
        Err(why) => {
            lost::timer(sitting, lost::depart(&request), &request, SOON, outcome);
            pages::say_request_noting(sitting, &request, None, Some(&why), outcome);
            outcome.changes.push(Change::Request(Box::new(request)));
            return;
        }
    };
    let release = Release {
        service,
        request: &request,
        waiting_run,
    };
    let Some(start) = trigger.kind().start(&release) else {
        // Approved; the run that it lets through has not reached the environment yet.
        pages::say_request(sitting, &request, None, outcome);
        outcome.changes.push(Change::Request(Box::new(request)));
        return;
    };
    let before = request.flight().cloned();
    let attempt = before.as_ref().map_or(1, |flight| flight.attempt + 1);
    let flight = Flight {
        correlation: request.correlation(),
        attempt,
        lost: before.as_ref().map_or(0, |flight| flight.lost),
        looks: 0,
        since: before.map_or(sitting.now, |flight| flight.since),
        blind_looks: 0,
        left_at: sitting.now,
        external: None,
        waiting_run,
        runs: std::collections::BTreeMap::new(),
        url: String::new(),
        again: None,
    };
    request.state = State::Departing(flight);
    let not_after = sitting
        .now
        .checked_add(DEPART_WITHIN)
        .unwrap_or(jiff::Timestamp::MAX);
    let departure = Departure::new(quorum, &request, start, attempt, not_after);
    let approvals = quorum.approvals().iter().map(|approval| {
        let (person, roles) = (approval.by().person(), approval.by().roles());
        let rules = roles.values().cloned().collect::<Detail>();
        Detail::from([
            ("forge", person.forge.prefix().into()),
            ("login", Detail::private(person.login.as_str())),
            ("number", person.id.into()),
            ("at", approval.at().to_string().into()),
            ("roles", roles.keys().map(ToString::to_string).collect()),
            // They may name people.
            ("rules", Detail::private(rules)),
        ])
    });
    outcome.entries.push(
        sitting
            .about(&request, Action::Triggered)
            .with("attempt", attempt)
            .with("correlation", request.correlation())
            .with("trigger", environment.trigger.to_string())
            .with("departure", departure.spelled())
            .with("approvals", approvals.collect::<Detail>())
            .with("evidence", examined.evidence.clone()),
    );
    outcome.effects.push(Planned {
        token: departure.token(),
        effect: departure.into(),
        not_before: None,
        is_back: request.kind == RequestKind::Rollback,
    });
    outcome.changes.push(Change::NoTimer {
        due: Due::Expiry {
            service: request.service.clone(),
            request: request.number,
        },
    });
    pages::say_request(sitting, &request, None, outcome);
    pages::show(
        sitting,
        &request,
        StatusState::Pending,
        "deploying",
        outcome,
    );
    outcome.changes.push(Change::Request(Box::new(request)));
}

/// The run of a release moves, or its deployment does. Never backwards.
pub(crate) fn advance(
    sitting: &Sitting<'_>,
    mut request: Request,
    progress: Progress,
    (url, by_run): (&str, bool),
    outcome: &mut Outcome,
) {
    let again = match &request.state {
        State::Running(flight) if progress > Progress::Running => flight.again.clone(),
        State::Waiting
        | State::Departing(_)
        | State::Unknown(_)
        | State::Sent(_)
        | State::Running(_)
        | State::Ended { .. } => None,
    };
    if let Some(again) = again {
        return foreign::again_over(sitting, request, (*again, progress), outcome);
    }
    let over_without_success = request.ended().is_some_and(|how| how != Ended::Succeeded);
    let healed = over_without_success && progress == Progress::Succeeded;
    if healed
        && let State::Ended { at, .. } = &request.state
        && let Some(place) = named::configured(sitting, &request)
        && !foreign::is_still_meant(sitting, &request, place, *at)
    {
        return foreign::succeeded_unasked(sitting, &request, place, outcome);
    }
    let flight = match &request.state {
        State::Departing(flight)
        | State::Unknown(flight)
        | State::Sent(flight)
        | State::Running(flight) => flight,
        // A person ran it again in the forge, or gave it up too early: what was approved is live after all.
        State::Ended {
            flight: Some(flight),
            ..
        } if healed => flight,
        State::Waiting | State::Ended { .. } => return,
    };
    let mut flight = flight.clone();
    if !url.is_empty() {
        url.clone_into(&mut flight.url);
    }
    let was_running = matches!(request.state, State::Running(_));
    if let (Some(run), true) = (flight.waiting_run, progress > Progress::Running) {
        outcome.changes.push(Change::RunGoesOn {
            repository: request.repository.id,
            run,
        });
    }
    let deployment = flight
        .external
        .as_ref()
        .filter(|external| by_run && external.kind == ExternalKind::Deployment)
        .map(|external| external.id);
    match progress {
        Progress::Waiting => {
            if was_running {
                return;
            }
            request.state = State::Sent(flight);
            follow::arm_follow(sitting, &request, outcome);
            outcome.changes.push(Change::Request(Box::new(request)));
        }
        Progress::Running => {
            request.state = State::Running(flight);
            follow::arm_follow(sitting, &request, outcome);
            if !was_running {
                outcome
                    .entries
                    .push(sitting.about(&request, Action::Started).with("url", url));
                pages::say_request(sitting, &request, None, outcome);
                pages::show_deployment(&request, deployment, StatusState::InProgress, outcome);
            }
            outcome.changes.push(Change::Request(Box::new(request)));
        }
        Progress::Succeeded => {
            request.state = State::Running(flight);
            pages::show_deployment(&request, deployment, StatusState::Success, outcome);
            ends::went_live(sitting, &request, outcome);
            ends::end(sitting, request, Ended::Succeeded, "", outcome);
        }
        Progress::Failed => {
            request.state = State::Running(flight);
            pages::show_deployment(&request, deployment, StatusState::Failure, outcome);
            ends::end(sitting, request, Ended::Failed, "its run failed", outcome);
        }
        Progress::Cancelled | Progress::Skipped => {
            request.state = State::Running(flight);
            pages::show_deployment(&request, deployment, StatusState::Error, outcome);
            let why = format!("its run was cancelled in {}", request.repository.forge());
            ends::end(sitting, request, Ended::Failed, why, outcome);
        }
    }
}
