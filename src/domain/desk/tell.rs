//! What the outside world is shown about a release: the comment, the commit's status, the deployment's.

use super::examine::Examined;
use super::{Desk, Outcome, words};
use crate::domain::command::as_written_on;
use crate::domain::{Action, Actor, Effect, Entry, Forge, Origin, Request, StatusState};

impl Desk<'_> {
    /// Writes or changes the one comment that tells about a request, and its notices.
    pub(super) fn say_request(
        &self,
        request: &Request,
        examined: Option<&Examined>,
        outcome: &mut Outcome,
    ) {
        self.say_request_noting(request, (examined, None), outcome);
    }

    /// The same, with a word that is said this once.
    pub(super) fn say_request_noting(
        &self,
        request: &Request,
        (examined, note): (Option<&Examined>, Option<&str>),
        outcome: &mut Outcome,
    ) {
        let mut text = words::request(self, request, examined);
        if let Some(note) = note {
            text.push_str("\n\n");
            text.push_str(note);
        }
        match &request.origin {
            Origin::Comment(place) => outcome.plan(
                format!("{}/say", request.thread),
                Effect::Say {
                    place: place.clone(),
                    thread: request.thread.clone(),
                    text: as_written_on(place.repository.forge(), text),
                },
            ),
            // Whoever asked is answered once; from then on the notices tell how it goes.
            Origin::Chat(spot) if request.opened_at == self.now => outcome.plan(
                format!("{}/reply", request.thread),
                Effect::Reply {
                    spot: spot.clone(),
                    text,
                    buttons: Vec::new(),
                },
            ),
            Origin::Chat(_) => {}
        }
        self.notify_of(request, examined, outcome);
    }

    /// The commit's status on the forge's own pages.
    pub(super) fn show(
        &self,
        request: &Request,
        state: StatusState,
        words: &str,
        outcome: &mut Outcome,
    ) {
        // There a status would be a job of the very pipeline that gates wait for.
        if request.repository.forge() == Forge::GitLab {
            return;
        }
        let services = self.catalog.services.iter();
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
            Effect::CommitStatus {
                repository: request.repository.clone(),
                sha: request.sha.clone(),
                context,
                state,
                description: format!("#{}: {words}", request.number),
            },
        );
    }

    /// The deployment's own status, where the run does not write one itself.
    pub(super) fn show_deployment(
        &self,
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
                Effect::DeploymentStatus {
                    repository: request.repository.clone(),
                    deployment,
                    state,
                    description: format!("followed by Countersign as #{}", request.number),
                },
            );
        }
    }

    /// An entry about a request.
    pub(super) fn about(&self, request: &Request, action: Action) -> Entry {
        self.entry(action, Actor::Countersign)
            .with("request", request.number)
            .with("service", request.service.as_str())
            .with("environment", request.environment.as_str())
            .with("sha", request.sha.as_str())
    }
}
