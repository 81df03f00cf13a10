//! Releases from outside, without a request of ours: found, recorded, and shown on their commit.

use jiff::{SignedDuration, Timestamp};

use crate::domain::desk::known::destination::Destination;
use crate::domain::desk::known::sighted::{Sighted, login_or_somebody};
use crate::domain::desk::known::{digests, named};
use crate::domain::desk::release::{ends, follow, runs};
use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::telling::announcements;
use crate::domain::desk::{Change, Outcome};
use crate::domain::{
    Action, Actor, Again, Due, Ended, External, ExternalKind, Flight, Live, OnForge, Progress,
    Request, RunOf, SeenRun, Service, State, StatusState,
};

/// How long a run may go unexplained while a release is on its way out: the answer that names it may
/// still be travelling.
const EXPLAINED_WITHIN: SignedDuration = SignedDuration::from_secs(120);

/// For so long after its end somebody may start a release again that failed.
const MOMENTS: SignedDuration = SignedDuration::from_mins(30);

/// A run of a workflow that we start: was it started by hand?
pub(crate) fn run_by_hand(
    sitting: &Sitting<'_>,
    services: &[&Service],
    run: &SeenRun,
    outcome: &mut Outcome,
) {
    let external = run.external();
    let mut is_watched = false;
    for service in services {
        for environment in &service.environments {
            if !environment.trigger.kind().releases(run) {
                continue;
            }
            is_watched = true;
            let sighted = Sighted {
                place: Destination {
                    service,
                    environment,
                },
                repository: &run.repository,
                what: format!("{}/{}", external.kind.as_str(), external.id),
                sha: &run.sha,
                by: login_or_somebody(run.actor.as_ref()),
            };
            let on_its_way = sitting.open_requests(service).into_iter().any(|request| {
                let flight = request.flight();
                request.environment == environment.name
                    && flight.is_some_and(|flight| flight.external.is_none())
            });
            match on_its_way {
                // Which of our releases it is may never be known, but it is one of ours.
                true if runs::is_by_us(sitting, run) => {}
                true => judge_later(sitting, &sighted, outcome),
                false => unexplained(sitting, &sighted, outcome),
            }
        }
    }
    if !is_watched {
        outcome.ignored = Some("the run releases nothing that we watch".to_owned());
    }
}

fn judge_later(sitting: &Sitting<'_>, sighted: &Sighted<'_>, outcome: &mut Outcome) {
    let at = sitting.now.checked_add(EXPLAINED_WITHIN);
    outcome.changes.push(Change::Timer {
        due: Due::Unexplained {
            service: sighted.place.service.name.clone(),
            environment: sighted.place.environment.name.clone(),
            what: sighted.what.clone(),
            sha: sighted.sha.clone(),
            by: sighted.by.clone(),
        },
        repository: sighted.repository.id,
        at: at.unwrap_or(Timestamp::MAX),
    });
}

/// A release of ours explains it: the same commit is being released there, or was, and is live.
pub(crate) fn is_explained(sitting: &Sitting<'_>, sighted: &Sighted<'_>) -> bool {
    let by_dispatch = sighted.place.environment.trigger.kind().starts_at_branch();
    let under_way = sitting
        .open_requests(sighted.place.service)
        .into_iter()
        .any(|request| {
            request.environment == sighted.place.environment.name
                // A dispatch runs at a branch's head, and so does the deployment that its job makes.
                && (by_dispatch || request.sha == *sighted.sha)
                && request.flight().is_some()
        });
    under_way
        || sitting
            .live(sighted.place.service, sighted.place.environment)
            .is_some_and(|live| live.sha == *sighted.sha && live.request.is_some())
}

pub(crate) fn became_known(sitting: &Sitting<'_>, sighted: &Sighted<'_>) -> bool {
    let kinds = [ExternalKind::Run, ExternalKind::Job];
    let known = kinds.into_iter().find_map(|kind| {
        let (of_kind, id) = sighted.what.split_once('/')?;
        let external = External {
            kind,
            id: id.parse().ok().filter(|_| of_kind == kind.as_str())?,
            url: String::new(),
        };
        follow::request_of(sitting, sighted.repository, &external)
    });
    known.is_some()
}

/// A release that had ended runs again, because somebody on the forge started it: it is under way, and explained only
/// by what was approved moments ago.
pub(crate) fn again(
    sitting: &Sitting<'_>,
    request: &Request,
    run: &SeenRun,
    outcome: &mut Outcome,
) -> Option<Request> {
    let State::Ended {
        how,
        at,
        why,
        flight: Some(flight),
    } = &request.state
    else {
        return None;
    };
    let has_begun = run.progress >= Progress::Running && run.progress != Progress::Skipped;
    if !has_begun || !is_another_try(flight, run) {
        return None;
    }
    let place = named::configured(sitting, request)?;
    // What ended once does not begin anew because of a late word about it.
    let token = format!("again/{}/{}/{}", request.number, run.id, run.attempt);
    if sitting.was_remembered(&token) {
        return None;
    }
    let instead = under_way(sitting, place, request);
    let waits_there = |other: &Request| {
        let flight = other.flight();
        flight.is_some_and(|flight| flight.waiting_run == Some(run.id))
    };
    if instead.as_ref().is_some_and(waits_there) {
        // It was run again to be answered, and the answer is on its way.
        return None;
    }
    outcome.changes.push(Change::Remember { token });
    let is_explained = is_still_meant(sitting, request, place, *at)
        && instead
            .as_ref()
            .is_none_or(|other| other.sha == request.sha);
    if !is_explained {
        let kind = run.external().kind.as_str();
        let sighted = Sighted {
            place,
            repository: &run.repository,
            what: format!("{kind}/{}/{}", run.id, run.attempt),
            sha: &request.sha,
            by: login_or_somebody(run.actor.as_ref()),
        };
        unexplained(sitting, &sighted, outcome);
    }
    if instead.is_some() {
        // One at a time is followed there, and that is the one which people asked for.
        return None;
    }
    let mut flight = flight.clone();
    flight.again = Some(Box::new(Again {
        how: *how,
        at: *at,
        why: why.clone(),
        is_explained,
    }));
    flight.runs = std::collections::BTreeMap::from([(run.id, Progress::Running)]);
    if matches!(run.what, RunOf::Job { .. }) {
        // A job that runs again is another one.
        flight.external = Some(run.external());
    }
    let request = Request {
        state: State::Running(flight),
        ..request.clone()
    };
    outcome.entries.push(
        sitting
            .about(&request, Action::Started)
            .with("url", run.url.as_str())
            .with("again", run.attempt)
            .with("explained", explained(is_explained)),
    );
    follow::arm_follow(sitting, &request, outcome);
    outcome
        .changes
        .push(Change::Request(Box::new(request.clone())));
    Some(request)
}

/// Another release that is on its way to the same place.
fn under_way(sitting: &Sitting<'_>, place: Destination<'_>, request: &Request) -> Option<Request> {
    let open = sitting.open_requests(place.service).into_iter();
    let mut others = open.filter(|other| other.number != request.number);
    others.find(|other| other.environment == request.environment && other.flight().is_some())
}

/// Whether a run is not the one by which the release ended, but a later try of it.
fn is_another_try(flight: &Flight, run: &SeenRun) -> bool {
    let known = flight.external.as_ref();
    match &run.what {
        RunOf::Workflow { .. } => run.attempt > 1,
        RunOf::Job { .. } => {
            known.is_some_and(|known| known.kind == ExternalKind::Job && known.id < run.id)
        }
        RunOf::Pipeline { .. } => false,
    }
}

/// Whether a release that ended then is still what people want there: it is live anyway, or it ended moments ago,
/// nothing newer is live, nothing is closed, and the policy is the same.
pub(crate) fn is_still_meant(
    sitting: &Sitting<'_>,
    request: &Request,
    place: Destination<'_>,
    ended_at: Timestamp,
) -> bool {
    let live = sitting.live(place.service, place.environment);
    let is_live = |live: &Live| live.sha == request.sha && live.request.is_some();
    if live.as_ref().is_some_and(is_live) {
        return true;
    }
    let is_newer = live.is_some_and(|live| {
        let is_later = live.request.is_none_or(|number| number > request.number);
        is_later && live.since >= ended_at
    });
    let is_closed = sitting.lock(place.service, place.environment).is_some()
        || !place.environment.closings().is_empty();
    sitting.now.duration_since(ended_at) <= MOMENTS
        && !is_newer
        && !is_closed
        && digests::is_current(sitting, request, place)
}

/// What ran again is over. It is live if it says so, and only what was still meant is live by its approvals; else all
/// is as it had ended.
pub(crate) fn again_over(
    sitting: &Sitting<'_>,
    mut request: Request,
    (again, progress): (Again, Progress),
    outcome: &mut Outcome,
) {
    let State::Running(flight) = &mut request.state else {
        return;
    };
    flight.again = None;
    let flight = flight.clone();
    if progress == Progress::Succeeded {
        if again.is_explained && again.how != Ended::Succeeded {
            ends::went_live(sitting, &request, outcome);
            return ends::end(sitting, request, Ended::Succeeded, "", outcome);
        }
        if !again.is_explained {
            went_live_unasked(sitting, &request, outcome);
        }
    }
    let entry = sitting.about(&request, ends::action(again.how));
    outcome.entries.push(
        entry
            .with("again", word_of(progress))
            .with("explained", explained(again.is_explained)),
    );
    request.state = State::Ended {
        how: again.how,
        at: again.at,
        why: again.why,
        flight: Some(flight),
    };
    outcome.changes.push(Change::NoTimer {
        due: Due::Follow {
            service: request.service.clone(),
            request: request.number,
        },
    });
    outcome.changes.push(Change::Request(Box::new(request)));
}

/// How it is put in the log.
fn explained(is_explained: bool) -> &'static str {
    if is_explained { "yes" } else { "no" }
}

fn word_of(progress: Progress) -> &'static str {
    match progress {
        Progress::Succeeded => "succeeded",
        Progress::Cancelled | Progress::Skipped => "cancelled",
        Progress::Waiting | Progress::Running | Progress::Failed => "failed",
    }
}

/// Something says that a release succeeded that had ended otherwise, and that is not meant any more.
pub(crate) fn succeeded_unasked(
    sitting: &Sitting<'_>,
    request: &Request,
    place: Destination<'_>,
    outcome: &mut Outcome,
) {
    let flight = request.last_flight();
    let external = flight.and_then(|flight| flight.external.as_ref());
    let sighted = Sighted {
        place,
        repository: &request.repository,
        what: external.map_or_else(
            || format!("request/{}", request.number),
            |external| format!("{}/{}", external.kind.as_str(), external.id),
        ),
        sha: &request.sha,
        by: login_or_somebody(None),
    };
    unexplained(sitting, &sighted, outcome);
    went_live_unasked(sitting, request, outcome);
}

fn went_live_unasked(sitting: &Sitting<'_>, request: &Request, outcome: &mut Outcome) {
    outcome.changes.push(Change::Live(Live {
        service: request.service.clone(),
        environment: request.environment.clone(),
        sha: request.sha.clone(),
        request: None,
        since: sitting.now,
    }));
}

/// Production moved without a request of ours.
pub(crate) fn unexplained(sitting: &Sitting<'_>, sighted: &Sighted<'_>, outcome: &mut Outcome) {
    let token = format!(
        "unexplained/{}/{}/{}/{}",
        sighted.repository.id,
        sighted.what,
        sighted.place.service.name,
        sighted.place.environment.name
    );
    if sitting.was_remembered(&token) {
        return;
    }
    outcome.changes.push(Change::Remember {
        token: token.clone(),
    });
    outcome.entries.push(
        sitting
            .entry(Action::Unexplained, Actor::Countersign)
            .with("service", sighted.place.service.name.as_str())
            .with("environment", sighted.place.environment.name.as_str())
            .with("sha", sighted.sha.as_str())
            .with("what", sighted.what.as_str())
            .with_private("by", sighted.by.as_str()),
    );
    announcements::announce_unexplained(sitting, sighted, outcome);
    if !sighted.repository.forge().keeps_statuses_apart() {
        return;
    }
    outcome.plan(
        token,
        OnForge::CommitStatus {
            repository: sighted.repository.clone(),
            sha: sighted.sha.clone(),
            context: format!("countersign/{}", sighted.place.environment.name),
            state: StatusState::Error,
            description: format!("released without an approval, by {}", plain(&sighted.by)),
        },
    );
}

/// It is live all the same: what ships next is compared with it.
/// A late report about an older deployment changes nothing.
pub(crate) fn live_unasked(
    sitting: &Sitting<'_>,
    sighted: &Sighted<'_>,
    deployment: u64,
    outcome: &mut Outcome,
) {
    let token = format!("live/{}/{deployment}", sighted.repository.id);
    if sighted.place.environment.trigger.kind().starts_at_branch() || sitting.was_remembered(&token)
    {
        return;
    }
    let ours = sitting
        .live(sighted.place.service, sighted.place.environment)
        .and_then(|live| sitting.request(live.request?));
    let number = ours.as_ref().and_then(|request| {
        let external = request.last_flight()?.external.as_ref()?;
        (external.kind == ExternalKind::Deployment).then_some(external.id)
    });
    if number.is_some_and(|number| number > deployment) {
        return;
    }
    outcome.changes.push(Change::Remember { token });
    outcome.changes.push(Change::Live(Live {
        service: sighted.place.service.name.clone(),
        environment: sighted.place.environment.name.clone(),
        sha: sighted.sha.clone(),
        request: None,
        since: sitting.now,
    }));
}

/// For the forge's own pages, which show no Markdown.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}
