//! The pages of the forge: the comment, the commit's status, the deployment's.

use crate::domain::desk::Outcome;
use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::telling::{notices, words};
use crate::domain::reason::Reason;
use crate::domain::text::Text;
use crate::domain::{InChat, OnForge, Request, StatusState, Surface};

/// Writes or changes the one comment that tells about a request, and its notices.
pub(crate) fn say_request(
    sitting: &Sitting<'_>,
    request: &Request,
    tree: Option<&Reason>,
    outcome: &mut Outcome,
) {
    say_request_noting(sitting, request, tree, None, outcome);
}

/// The same, with a word that is said this once.
pub(crate) fn say_request_noting(
    sitting: &Sitting<'_>,
    request: &Request,
    tree: Option<&Reason>,
    note: Option<&Text>,
    outcome: &mut Outcome,
) {
    let mut text = words::request(sitting, request, tree);
    if let Some(note) = note {
        text.say(note);
    }
    match &request.origin {
        Surface::Comment(place) => outcome.plan(
            format!("{}/say", request.thread),
            OnForge::Say {
                place: place.clone(),
                thread: request.thread.clone(),
                text,
            },
        ),
        // The requester is answered once; from then on the notices tell how it goes.
        Surface::Chat(spot) if request.opened_at == sitting.now => outcome.plan(
            format!("{}/reply", request.thread),
            InChat::Reply {
                spot: spot.clone(),
                text,
                buttons: Vec::new(),
            },
        ),
        Surface::Chat(_) => {}
    }
    notices::notify_of(sitting, request, tree, outcome);
}

/// The commit's status on the forge's own pages.
pub(crate) fn show(
    sitting: &Sitting<'_>,
    request: &Request,
    state: StatusState,
    words: &str,
    outcome: &mut Outcome,
) {
    if !request.repository.forge().keeps_statuses_apart() {
        return;
    }
    let services = sitting.catalog.services.iter();
    let neighbours = services
        .filter(|service| service.repo.remembered() == request.repository.remembered())
        .count();
    let context = if neighbours > 1 {
        format!("countersign/{}/{}", request.service, request.environment)
    } else {
        format!("countersign/{}", request.environment)
    };
    outcome.plan(
        format!("status/{}/{}", request.number, state.as_str()),
        OnForge::CommitStatus {
            repository: request.repository.clone(),
            sha: request.sha.clone(),
            context,
            state,
            description: format!("#{}: {words}", request.number),
        },
    );
}

/// The deployment's own status, where the run does not write one itself.
pub(crate) fn show_deployment(
    request: &Request,
    deployment: Option<u64>,
    state: StatusState,
    outcome: &mut Outcome,
) {
    if let Some(deployment) = deployment {
        outcome.plan(
            format!(
                "deployment/{}/{deployment}/{}",
                request.number,
                state.as_str()
            ),
            OnForge::DeploymentStatus {
                repository: request.repository.clone(),
                deployment,
                state,
                description: format!("followed by Countersign as #{}", request.number),
            },
        );
    }
}
