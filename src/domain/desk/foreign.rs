//! Releases that nobody asked us for: found, recorded, and shown on their commit.

use jiff::SignedDuration;

use super::follow::who;
use super::starts::releases;
use super::{Change, Desk, Outcome};
use crate::domain::{
    Action, Actor, Due, Effect, Ended, Environment, ExternalKind, Forge, Live, Repository, Request,
    SeenRun, Service, Sha, StatusState,
};

/// How long a run may go unexplained while a release is on its way out: the answer that names it may
/// still be travelling.
const EXPLAINED_WITHIN: SignedDuration = SignedDuration::from_secs(120);

/// A release that was seen outside.
pub(super) struct Sighted<'s> {
    pub(super) service: &'s Service,
    pub(super) environment: &'s Environment,
    pub(super) repository: &'s Repository,
    /// `deployment/7` or `run/7`.
    pub(super) what: String,
    pub(super) sha: &'s Sha,
    pub(super) by: String,
}

impl Desk<'_> {
    /// A run of a workflow that we start: by somebody else?
    pub(super) fn run_by_hand(&self, services: &[&Service], run: &SeenRun, outcome: &mut Outcome) {
        let mut is_watched = false;
        for service in services {
            for environment in &service.environments {
                if !releases(environment, run) {
                    continue;
                }
                is_watched = true;
                let sighted = Sighted {
                    service,
                    environment,
                    repository: &run.repository,
                    what: format!("{}/{}", run.kind.as_str(), run.id),
                    sha: &run.sha,
                    by: who(run.actor.as_ref()),
                };
                let on_its_way = self.open_requests(service).into_iter().any(|request| {
                    let flight = request.flight();
                    request.environment == environment.name
                        && flight.is_some_and(|flight| flight.external.is_none())
                });
                match on_its_way {
                    // Which of our releases it is may never be known; it is nobody else's.
                    true if self.is_by_us(run) => {}
                    true => self.judge_later(&sighted, outcome),
                    false => self.unexplained(&sighted, outcome),
                }
            }
        }
        if !is_watched {
            outcome.ignored = Some("the run releases nothing that we watch".to_owned());
        }
    }

    fn judge_later(&self, sighted: &Sighted<'_>, outcome: &mut Outcome) {
        let at = self.now.checked_add(EXPLAINED_WITHIN);
        outcome.changes.push(Change::Timer {
            due: Due::Unexplained {
                service: sighted.service.name.clone(),
                environment: sighted.environment.name.clone(),
                what: sighted.what.clone(),
                sha: sighted.sha.clone(),
                by: sighted.by.clone(),
            },
            repository: sighted.repository.id,
            at: at.unwrap_or(jiff::Timestamp::MAX),
        });
    }

    /// A release of ours explains it: the same commit is being released there, or was, and is live.
    pub(super) fn is_explained(&self, sighted: &Sighted<'_>) -> bool {
        let by_dispatch = sighted.environment.trigger.starts_at_branch();
        let under_way = self
            .open_requests(sighted.service)
            .into_iter()
            .any(|request| {
                request.environment == sighted.environment.name
                    // A dispatch runs at a branch's head, and so does the deployment that its job makes.
                    && (by_dispatch || request.sha == *sighted.sha)
                    && request.flight().is_some()
            });
        under_way
            || self
                .live(sighted.service, sighted.environment)
                .is_some_and(|live| live.sha == *sighted.sha && live.request.is_some())
    }

    /// Somebody runs a release again that succeeded once: nobody asked us for that.
    pub(super) fn old_release_again(
        &self,
        request: &Request,
        run: &SeenRun,
        outcome: &mut Outcome,
    ) {
        let is_again = run.attempt > 1 && request.ended() == Some(Ended::Succeeded);
        let Some((service, environment)) = self.configured(request).filter(|_| is_again) else {
            return;
        };
        let sighted = Sighted {
            service,
            environment,
            repository: &run.repository,
            what: format!("run/{}/{}", run.id, run.attempt),
            sha: &request.sha,
            by: who(run.actor.as_ref()),
        };
        if !self.is_explained(&sighted) {
            self.unexplained(&sighted, outcome);
        }
    }

    /// Production moved, and nobody asked us.
    pub(super) fn unexplained(&self, sighted: &Sighted<'_>, outcome: &mut Outcome) {
        let token = format!(
            "unexplained/{}/{}/{}/{}",
            sighted.repository.id, sighted.what, sighted.service.name, sighted.environment.name
        );
        if self.was_remembered(&token) {
            return;
        }
        outcome.changes.push(Change::Remember {
            token: token.clone(),
        });
        outcome.entries.push(
            self.entry(Action::Unexplained, Actor::Countersign)
                .with("service", sighted.service.name.as_str())
                .with("environment", sighted.environment.name.as_str())
                .with("sha", sighted.sha.as_str())
                .with("what", sighted.what.as_str())
                .with_private("by", sighted.by.as_str()),
        );
        self.announce_unexplained(sighted, outcome);
        // There a status would be a job of the very pipeline that gates wait for.
        if sighted.repository.forge() == Forge::GitLab {
            return;
        }
        outcome.plan(
            token,
            Effect::CommitStatus {
                repository: sighted.repository.clone(),
                sha: sighted.sha.clone(),
                context: format!("countersign/{}", sighted.environment.name),
                state: StatusState::Error,
                description: format!("released without an approval, by {}", plain(&sighted.by)),
            },
        );
    }

    /// It is live all the same: what ships next is compared with it.
    /// A late report about an older deployment changes nothing.
    pub(super) fn live_unasked(
        &self,
        sighted: &Sighted<'_>,
        deployment: u64,
        outcome: &mut Outcome,
    ) {
        let token = format!("live/{}/{deployment}", sighted.repository.id);
        if sighted.environment.trigger.starts_at_branch() || self.was_remembered(&token) {
            return;
        }
        let ours = self
            .live(sighted.service, sighted.environment)
            .and_then(|live| self.request(live.request?));
        let number = ours.as_ref().and_then(|request| {
            let external = request.last_flight()?.external.as_ref()?;
            (external.kind == ExternalKind::Deployment).then_some(external.id)
        });
        if number.is_some_and(|number| number > deployment) {
            return;
        }
        outcome.changes.push(Change::Remember { token });
        outcome.changes.push(Change::Live(Live {
            service: sighted.service.name.clone(),
            environment: sighted.environment.name.clone(),
            sha: sighted.sha.clone(),
            request: None,
            since: self.now,
        }));
    }
}

/// For the forge's own pages, which show no Markdown.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}
