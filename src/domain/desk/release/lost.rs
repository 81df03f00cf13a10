//! Triggers: what came of them, and the search for those whose answer was lost.

use jiff::{SignedDuration, Timestamp};

use crate::domain::desk::known::destination::Destination;
use crate::domain::desk::known::named;
use crate::domain::desk::release::{self, ends, follow};
use crate::domain::desk::sitting::{Sitting, misfit};
use crate::domain::desk::telling::pages;
use crate::domain::desk::{Change, Outcome};
use crate::domain::trigger::Release;
use crate::domain::{
    Action, Due, Ended, External, Fact, Flight, Question, Request, Search, State, Went,
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

/// Looks that failed before a person is told.
const BLIND_LOOKS: u64 = 12;

/// After all looks, one more now and then.
const RARELY: SignedDuration = SignedDuration::from_mins(10);

/// A trigger left, or did not.
pub(crate) fn triggered(sitting: &Sitting<'_>, number: u64, attempt: u64, went: &Went) -> Outcome {
    let mut outcome = Outcome::default();
    let Some(request) = sitting.request(number) else {
        return Outcome::ignored("the request is not known any more");
    };
    let Some(flight) = request.flight().filter(|flight| flight.attempt == attempt) else {
        return Outcome::ignored("the request has gone on without it");
    };
    let flight = flight.clone();
    let is_departing = matches!(request.state, State::Departing(_));
    if let Went::Accepted { external } = went {
        accepted(sitting, request, external.clone(), &mut outcome);
        return outcome;
    }
    if !is_departing {
        // The forge's own events were faster than the outcome of our call.
        return Outcome::ignored("the release was seen already");
    }
    match went {
        Went::Accepted { .. } => {}
        // An earlier one may have arrived all the same.
        Went::Refused { .. } | Went::Forbidden { .. } if flight.lost > 0 => {
            stay_unknown(sitting, request, &mut outcome);
        }
        Went::Forbidden { why } => {
            let why = format!("it did not leave, because {why}");
            ends::end(sitting, request, Ended::Failed, why, &mut outcome);
        }
        Went::Refused { why } => {
            let why = format!("{} refused to start it: {why}", request.repository.forge());
            ends::end(sitting, request, Ended::Failed, why, &mut outcome);
        }
        Went::Held { why, seconds } => {
            outcome.entries.push(
                sitting
                    .about(&request, Action::TriggerHeld)
                    .with("why", why.as_str())
                    .with("seconds", *seconds),
            );
            let pause = SignedDuration::from_secs(i64::try_from(*seconds).unwrap_or(3_600));
            timer(sitting, depart(&request), &request, pause, &mut outcome);
            pages::say_request(sitting, &request, None, &mut outcome);
        }
        Went::Stale => release::let_go(sitting, request, &mut outcome),
        Went::Lost { why } => lost(sitting, request, flight, why, &mut outcome),
    }
    outcome
}

fn accepted(
    sitting: &Sitting<'_>,
    mut request: Request,
    external: Option<External>,
    outcome: &mut Outcome,
) {
    match external {
        Some(external) => {
            let known = request
                .flight()
                .and_then(|flight| flight.external.as_ref())
                .is_some_and(|known| known.id == external.id);
            if !known {
                follow::adopt(sitting, request, external, outcome);
            }
        }
        None => {
            let (State::Departing(flight) | State::Unknown(flight)) = &request.state else {
                return;
            };
            request.state = State::Sent(flight.clone());
            // The run is found by its mark, if its events do not name it first.
            timer(sitting, look_for(&request), &request, LOOKS[0], outcome);
            follow::arm_follow(sitting, &request, outcome);
            pages::say_request(sitting, &request, None, outcome);
            outcome.changes.push(Change::Request(Box::new(request)));
        }
    }
}

fn lost(
    sitting: &Sitting<'_>,
    mut request: Request,
    mut flight: Flight,
    why: &str,
    outcome: &mut Outcome,
) {
    flight.lost += 1;
    flight.looks = 0;
    request.state = State::Unknown(flight);
    outcome.entries.push(
        sitting
            .about(&request, Action::TriggerLost)
            .with("why", why),
    );
    timer(sitting, look_for(&request), &request, LOOKS[0], outcome);
    pages::say_request(sitting, &request, None, outcome);
    outcome.changes.push(Change::Request(Box::new(request)));
}

/// Looks whether a trigger arrived whose answer was lost, or where its run is.
pub(crate) fn look(sitting: &Sitting<'_>, mut request: Request, outcome: &mut Outcome) {
    let (State::Unknown(flight) | State::Sent(flight)) = &request.state else {
        return;
    };
    if flight.external.is_some() {
        return;
    }
    let is_unknown = matches!(request.state, State::Unknown(_));
    let mut flight = flight.clone();
    match sight(sitting, &request, &flight) {
        Ok(Some(external)) => {
            follow::adopt(sitting, request, external, outcome);
            return;
        }
        Ok(None) => flight.looks += 1,
        // A look that failed shows nothing, and is no reason to be silent for ever.
        Err(_) => flight.blind_looks += 1,
    }
    let blind = flight.blind_looks >= BLIND_LOOKS;
    let looks = usize::try_from(flight.looks).unwrap_or(usize::MAX);
    let may_try = flight.lost < TRIES && shows_absence(sitting, &request);
    request.state = if is_unknown {
        State::Unknown(flight)
    } else {
        State::Sent(flight)
    };
    match LOOKS.get(looks) {
        Some(_) if blind => {
            pages::say_request(sitting, &request, None, outcome);
            timer(sitting, look_for(&request), &request, RARELY, outcome);
            outcome.changes.push(Change::Request(Box::new(request)));
        }
        Some(pause) => {
            timer(sitting, look_for(&request), &request, *pause, outcome);
            outcome.changes.push(Change::Request(Box::new(request)));
        }
        // It was looked for over more than a minute: once more, with the same mark, if it may
        // still leave.
        None if is_unknown && may_try => release::let_go(sitting, request, outcome),
        None => {
            pages::say_request(sitting, &request, None, outcome);
            timer(sitting, look_for(&request), &request, RARELY, outcome);
            outcome.changes.push(Change::Request(Box::new(request)));
        }
    }
}

/// Whether a look that finds nothing shows that nothing is there.
fn shows_absence(sitting: &Sitting<'_>, request: &Request) -> bool {
    named::configured(sitting, request)
        .is_some_and(|Destination { environment, .. }| environment.trigger.kind().shows_absence())
}

/// A release that may have started is never given up by itself.
pub(crate) fn stay_unknown(sitting: &Sitting<'_>, mut request: Request, outcome: &mut Outcome) {
    let Some(flight) = request.flight() else {
        return;
    };
    let mut flight = flight.clone();
    flight.looks = LOOKS.len() as u64;
    flight.lost = flight.lost.max(TRIES);
    request.state = State::Unknown(flight);
    pages::say_request(sitting, &request, None, outcome);
    timer(sitting, look_for(&request), &request, RARELY, outcome);
    outcome.changes.push(Change::Request(Box::new(request)));
}

pub(crate) fn sight(
    sitting: &Sitting<'_>,
    request: &Request,
    flight: &Flight,
) -> Result<Option<External>, String> {
    let Some(Destination {
        service,
        environment,
    }) = named::configured(sitting, request)
    else {
        return Err("the environment is not configured any more".to_owned());
    };
    let release = Release {
        service,
        request,
        waiting_run: flight.waiting_run,
    };
    let Some(target) = environment.trigger.kind().target(&release) else {
        return Err("no run waits".to_owned());
    };
    let question = Question::Sighting {
        repository: request.repository.clone(),
        search: Search {
            correlation: flight.correlation.clone(),
            sha: request.sha.clone(),
            target,
            since: flight.since,
        },
    };
    sitting.fact(question).and_then(|fact| {
        if let Fact::Sighting(external) = fact {
            Ok(external.clone())
        } else {
            Err(misfit(fact))
        }
    })
}

pub(crate) fn timer(
    sitting: &Sitting<'_>,
    due: Due,
    request: &Request,
    pause: SignedDuration,
    outcome: &mut Outcome,
) {
    outcome.changes.push(Change::Timer {
        due,
        repository: request.repository.id,
        at: sitting.now.checked_add(pause).unwrap_or(Timestamp::MAX),
    });
}

pub(crate) fn depart(request: &Request) -> Due {
    Due::Depart {
        service: request.service.clone(),
        request: request.number,
        attempt: request.flight().map_or(0, |flight| flight.attempt),
    }
}

fn look_for(request: &Request) -> Due {
    Due::Look {
        service: request.service.clone(),
        request: request.number,
    }
}
