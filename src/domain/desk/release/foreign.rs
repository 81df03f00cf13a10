//! Releases from outside, without a request of ours: found, recorded, and shown on their commit.

use jiff::SignedDuration;

use crate::domain::desk::known::destination::Destination;
use crate::domain::desk::known::named;
use crate::domain::desk::known::sighted::{Sighted, login_or_somebody};
use crate::domain::desk::release::{follow, runs};
use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::telling::announcements;
use crate::domain::desk::{Change, Outcome};
use crate::domain::{
    Action, Actor, Due, Ended, External, ExternalKind, Live, OnForge, Request, SeenRun, Service,
    StatusState,
};

/// How long a run may go unexplained while a release is on its way out: the answer that names it may
/// still be travelling.
const EXPLAINED_WITHIN: SignedDuration = SignedDuration::from_secs(120);

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
        at: at.unwrap_or(jiff::Timestamp::MAX),
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

/// A person in the forge runs a release again that succeeded once: we were not asked for that.
pub(crate) fn old_release_again(
    sitting: &Sitting<'_>,
    request: &Request,
    run: &SeenRun,
    outcome: &mut Outcome,
) {
    let is_again = run.attempt > 1 && request.ended() == Some(Ended::Succeeded);
    let Some(place) = named::configured(sitting, request).filter(|_| is_again) else {
        return;
    };
    let sighted = Sighted {
        place,
        repository: &run.repository,
        what: format!("run/{}/{}", run.id, run.attempt),
        sha: &request.sha,
        by: login_or_somebody(run.actor.as_ref()),
    };
    if !is_explained(sitting, &sighted) {
        unexplained(sitting, &sighted, outcome);
    }
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
