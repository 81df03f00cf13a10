//! Ends of requests: live, failed, or closed, and those who wait are told.

use crate::domain::desk::examine::Examined;
use crate::domain::desk::known::destination::Destination;
use crate::domain::desk::known::named;
use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::telling::pages;
use crate::domain::desk::{Change, Outcome};
use crate::domain::text::{Text, commit, text};
use crate::domain::{
    Action, Due, Ended, Live, OnForge, Reaction, Relation, Request, RequestKind, State, StatusState,
};

/// A release succeeded: it is live, and what waits with an older commit is superseded.
pub(crate) fn went_live(sitting: &Sitting<'_>, request: &Request, outcome: &mut Outcome) {
    outcome.changes.push(Change::Live(Live {
        service: request.service.clone(),
        environment: request.environment.clone(),
        sha: request.sha.clone(),
        request: Some(request.number),
        since: sitting.now,
    }));
    let Some(Destination { service, .. }) = named::configured(sitting, request) else {
        return;
    };
    for other in sitting.open_requests(service) {
        if !other.is_waiting()
            || other.environment != request.environment
            || other.number == request.number
        {
            continue;
        }
        let is_forward = other.kind != RequestKind::Rollback;
        let is_older = other.sha == request.sha
            || is_forward
                && sitting
                    .comparison(
                        &request.repository,
                        request.sha.as_str(),
                        other.sha.as_str(),
                    )
                    .is_ok_and(|found| found.relation == Relation::Behind);
        if is_older {
            let why = text![
                format!("#{} brought ", request.number),
                commit(request.sha.as_str()),
                " there"
            ];
            end(sitting, other, Ended::Superseded, why, outcome);
        }
    }
}

pub(crate) fn action(how: Ended) -> Action {
    match how {
        Ended::Succeeded => Action::Succeeded,
        Ended::Failed => Action::Failed,
        Ended::Cancelled => Action::Cancelled,
        Ended::Rejected => Action::Rejected,
        Ended::Expired => Action::Expired,
        Ended::Superseded => Action::Superseded,
        Ended::Voided => Action::Voided,
    }
}

/// Ends a request and tells those who wait for it.
pub(crate) fn end(
    sitting: &Sitting<'_>,
    request: Request,
    how: Ended,
    why: impl Into<Text>,
    outcome: &mut Outcome,
) {
    end_with(sitting, request, (how, why.into()), None, outcome);
}

pub(crate) fn end_with(
    sitting: &Sitting<'_>,
    mut request: Request,
    (how, why): (Ended, Text),
    examined: Option<&Examined>,
    outcome: &mut Outcome,
) {
    let flight = request.last_flight().cloned();
    request.state = State::Ended {
        how,
        at: sitting.now,
        why: why.clone(),
        flight,
    };
    outcome.entries.push(
        sitting
            .about(&request, action(how))
            .with_private("why", why.plain()),
    );
    for due in [
        Due::Expiry {
            service: request.service.clone(),
            request: request.number,
        },
        Due::Follow {
            service: request.service.clone(),
            request: request.number,
        },
    ] {
        outcome.changes.push(Change::NoTimer { due });
    }
    pages::say_request(
        sitting,
        &request,
        examined.map(|examined| &examined.tree),
        outcome,
    );
    let reaction = match how {
        Ended::Succeeded => Reaction::Rocket,
        Ended::Failed
        | Ended::Cancelled
        | Ended::Rejected
        | Ended::Expired
        | Ended::Superseded
        | Ended::Voided => Reaction::Confused,
    };
    if let Some(place) = request.origin.comment() {
        outcome.plan(
            format!("{}/{}", request.thread, reaction.as_str()),
            OnForge::React {
                place: place.clone(),
                reaction,
            },
        );
    }
    let (state, words) = match how {
        Ended::Succeeded => (StatusState::Success, "live"),
        Ended::Failed => (StatusState::Failure, "the release failed"),
        Ended::Cancelled => (StatusState::Error, "cancelled"),
        Ended::Rejected => (StatusState::Failure, "rejected"),
        Ended::Expired => (StatusState::Error, "expired without approval"),
        Ended::Superseded => (StatusState::Error, "superseded by a newer commit"),
        Ended::Voided => (
            StatusState::Error,
            "void: it changed since it was asked for",
        ),
    };
    pages::show(sitting, &request, state, words, outcome);
    outcome.changes.push(Change::Request(Box::new(request)));
}
