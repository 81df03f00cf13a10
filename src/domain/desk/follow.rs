//! What the forge tells about deployments and runs: it moves our releases, and shows those that nobody
//! asked us for.

use super::foreign::Sighted;
use super::{Change, Desk, Outcome};
use crate::domain::{
    Account, Action, DeploymentMoved, Due, Environment, External, ExternalKind, GitHubTrigger,
    Look, Progress, Repository, Request, RuleRequested, SeenDeployment, SeenRun, Service, State,
    Trigger,
};

impl Desk<'_> {
    pub(super) fn deployment(&self, seen: &SeenDeployment) -> Outcome {
        let mut outcome = Outcome::default();
        if let Err(ended) = self.follow_deployment(seen, None, &mut outcome) {
            return ended;
        }
        outcome
    }

    pub(super) fn deployment_moved(&self, moved: &DeploymentMoved) -> Outcome {
        let mut outcome = Outcome::default();
        if let Err(ended) = self.follow_deployment(&moved.deployment, Some(moved), &mut outcome) {
            return ended;
        }
        outcome
    }

    fn follow_deployment(
        &self,
        seen: &SeenDeployment,
        moved: Option<&DeploymentMoved>,
        outcome: &mut Outcome,
    ) -> Result<(), Outcome> {
        let services = self
            .services_at(&seen.repository, outcome)
            .map_err(|why| self.usurped(&seen.repository, why))?;
        if services.is_empty() {
            return Err(Outcome::ignored("no service lives in this repository"));
        }
        let external = External {
            kind: ExternalKind::Deployment,
            id: seen.id,
            url: String::new(),
        };
        let request = self
            .request_of(&seen.repository, &external)
            .or_else(|| {
                let of_job = External {
                    kind: ExternalKind::Job,
                    id: seen.job?,
                    url: String::new(),
                };
                self.request_of(&seen.repository, &of_job)
            })
            .or_else(|| self.by_mark(&services, seen, external, outcome));
        let progress = moved.and_then(|moved| moved.progress);
        let url = moved.map_or("", |moved| moved.url.as_str());
        if let Some(request) = request {
            if let Some(progress) = progress {
                self.advance(request, progress, (url, false), outcome);
            }
            return Ok(());
        }
        for service in services {
            for environment in &service.environments {
                if !names(environment, &seen.environment) {
                    continue;
                }
                let sighted = Sighted {
                    service,
                    environment,
                    repository: &seen.repository,
                    what: seen.job.map_or_else(
                        || format!("deployment/{}", seen.id),
                        |job| format!("job/{job}"),
                    ),
                    sha: &seen.sha,
                    by: who(seen.creator.as_ref()),
                };
                if began(environment, seen, progress) && !self.is_explained(&sighted) {
                    self.unexplained(&sighted, outcome);
                    if progress == Some(Progress::Succeeded) {
                        self.live_unasked(&sighted, seen.id, outcome);
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn request_of(
        &self,
        repository: &Repository,
        external: &External,
    ) -> Option<Request> {
        self.requests(Look::RequestOf {
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
        &self,
        services: &[&Service],
        seen: &SeenDeployment,
        external: External,
        outcome: &mut Outcome,
    ) -> Option<Request> {
        let mark = seen.correlation.as_ref()?;
        let request = self.departed(services, |request| {
            request.correlation() == *mark && request.sha == seen.sha
        })?;
        let ourselves = self.ourselves(&seen.repository).ok()?;
        let by_us = match ourselves.app {
            Some(app) => seen.app == Some(app) || seen.creator.as_ref()?.login == ourselves.login,
            None => seen.creator.as_ref()?.login == ourselves.login,
        };
        by_us.then(|| self.adopt(request, external, outcome))
    }

    /// A release on its way out whose number on the forge is not known yet.
    pub(super) fn departed(
        &self,
        services: &[&Service],
        fits: impl Fn(&Request) -> bool,
    ) -> Option<Request> {
        services
            .iter()
            .flat_map(|service| self.open_requests(service))
            .find(|request| {
                let flight = request.flight();
                flight.is_some_and(|flight| flight.external.is_none()) && fits(request)
            })
    }

    /// The forge shows our release under this number.
    pub(super) fn adopt(
        &self,
        mut request: Request,
        external: External,
        outcome: &mut Outcome,
    ) -> Request {
        let Some(flight) = request.flight() else {
            return request;
        };
        let mut flight = flight.clone();
        outcome.entries.push(
            self.about(&request, Action::TriggerFound)
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
        self.arm_follow(&request, outcome);
        self.say_request(&request, None, outcome);
        outcome
            .changes
            .push(Change::Request(Box::new(request.clone())));
        request
    }

    pub(super) fn arm_follow(&self, request: &Request, outcome: &mut Outcome) {
        let Some((_, environment)) = self.configured(request) else {
            return;
        };
        let at = self
            .now
            .checked_add(environment.follow.as_duration())
            .unwrap_or(jiff::Timestamp::MAX);
        outcome.changes.push(Change::Timer {
            due: Due::Follow {
                service: request.service.clone(),
                request: request.number,
            },
            repository: request.repository.id,
            at,
        });
    }

    pub(super) fn run(&self, run: &SeenRun) -> Outcome {
        let mut outcome = Outcome::default();
        let services = match self.services_at(&run.repository, &mut outcome) {
            Ok(services) => services,
            Err(why) => return self.usurped(&run.repository, why),
        };
        let external = External {
            kind: run.kind,
            id: run.id,
            url: run.url.clone(),
        };
        if run.progress > Progress::Running && waits_anywhere(&services) {
            outcome.changes.push(Change::RunGoesOn {
                repository: run.repository.id,
                run: run.id,
            });
        }
        if let Some(request) = self.request_of(&run.repository, &external) {
            self.old_release_again(&request, run, &mut outcome);
            self.advance(request, run.progress, (&run.url, false), &mut outcome);
            return outcome;
        }
        if run.event == "deployment" {
            self.run_of_deployment(&services, run, &mut outcome);
            return outcome;
        }
        if run.kind != ExternalKind::Run
            || matches!(
                run.event.as_str(),
                "workflow_dispatch" | "repository_dispatch"
            )
        {
            let found = self.departed(&services, |request| self.starts(request, run));
            // Others can name a run after our mark.
            let found = found.filter(|_| self.is_by_us(run));
            if let Some(request) = found {
                let request = self.adopt(request, external, &mut outcome);
                self.advance(request, run.progress, (&run.url, false), &mut outcome);
                return outcome;
            }
        }
        self.run_by_hand(&services, run, &mut outcome);
        outcome
    }

    pub(super) fn is_by_us(&self, run: &SeenRun) -> bool {
        let ourselves = self.ourselves(&run.repository).ok();
        let actor = run.actor.as_ref();
        ourselves.is_some_and(|us| actor.is_some_and(|actor| actor.login == us.login))
    }

    /// A run that our deployment started: by our mark in its title, known as such, or by us for the only
    /// release of the commit that is on its way. Another deployment of the same commit, to staging perhaps,
    /// starts runs too. There may be several; the release is over when all are.
    fn run_of_deployment(&self, services: &[&Service], run: &SeenRun, outcome: &mut Outcome) {
        let look = Look::RequestsOfCommit {
            repository: run.repository.id,
            sha: run.sha.clone(),
        };
        let of_commit = self.requests(look).into_iter().filter(|request| {
            let by_deployment = self
                .configured(request)
                .is_some_and(|(service, environment)| {
                    services.iter().any(|one| one.name == service.name)
                        && matches!(
                            environment.trigger,
                            Trigger::GitHub(GitHubTrigger::Deployment { .. })
                        )
                });
            by_deployment && request.last_flight().is_some()
        });
        let of_commit: Vec<Request> = of_commit.collect();
        let is_marked = |request: &&Request| run.title.contains(&request.correlation());
        let has_run = |request: &&Request| {
            let flight = request.last_flight();
            flight.is_some_and(|flight| flight.runs.contains_key(&run.id))
        };
        let only_one = || {
            let mut under_way = of_commit.iter().filter(|one| one.flight().is_some());
            let first = under_way.next().filter(|_| under_way.next().is_none());
            first.filter(|_| self.is_by_us(run))
        };
        let found = of_commit
            .iter()
            .find(is_marked)
            .filter(|_| self.is_by_us(run));
        let found = found.or_else(|| of_commit.iter().find(has_run));
        let Some(mut request) = found.or_else(only_one).cloned() else {
            outcome.ignored = Some("no release of ours started it".to_owned());
            return;
        };
        self.old_release_again(&request, run, outcome);
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
            self.advance(request, moved, (&run.url, true), outcome);
        }
    }

    /// A run has reached the environment and waits for our answer.
    pub(super) fn rule_requested(&self, requested: &RuleRequested) -> Outcome {
        let mut outcome = Outcome::default();
        let services = match self.services_at(&requested.repository, &mut outcome) {
            Ok(services) => services,
            Err(why) => return self.usurped(&requested.repository, why),
        };
        // Each environment of a run asks, and each time that the run gets there, with a new deployment.
        let token = format!(
            "rule/{}/{}/{}/{}",
            requested.repository.id,
            requested.run,
            requested.environment.to_ascii_lowercase(),
            requested.deployment.unwrap_or_default()
        );
        if self.was_remembered(&token) {
            return Outcome::ignored("this run's question is known already");
        }
        let sha = match &requested.sha {
            Some(sha) => sha.clone(),
            None => match self.run_sha(&requested.repository, requested.run) {
                Ok(sha) => sha,
                Err(why) => {
                    return Outcome::ignored(format!(
                        "which commit the run is of is unknown: {why}"
                    ));
                }
            },
        };
        let answers = |environment: &Environment| {
            matches!(
                &environment.trigger,
                Trigger::GitHub(GitHubTrigger::ProtectionRule { environment })
                    if environment.as_str().eq_ignore_ascii_case(&requested.environment)
            )
        };
        let waiting: Vec<Request> = services
            .iter()
            .filter(|service| service.environments.iter().any(answers))
            .flat_map(|service| self.open_requests(service))
            .filter(|request| {
                let answered = self
                    .configured(request)
                    .is_some_and(|(_, environment)| answers(environment));
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
                at: self.now,
            });
        }
        outcome
    }
}

/// Whether a deployment that was seen has begun. A job makes its deployment when it begins to wait for our
/// answer, or to be played; on GitLab it may end, too, without having been played.
fn began(environment: &Environment, seen: &SeenDeployment, progress: Option<Progress>) -> bool {
    let waits = progress.is_none_or(|progress| progress == Progress::Waiting);
    match environment.trigger {
        Trigger::GitLab(_) if seen.job.is_some() => {
            matches!(progress, Some(Progress::Running | Progress::Succeeded))
        }
        Trigger::GitHub(GitHubTrigger::ProtectionRule { .. }) | Trigger::GitLab(_) => !waits,
        Trigger::GitHub(_) | Trigger::Webhook { .. } => true,
    }
}

/// Whether a deployment to this name on the forge is a release to the environment.
fn names(environment: &Environment, name: &str) -> bool {
    match environment.trigger.environment() {
        Some(target) => target.as_str().eq_ignore_ascii_case(name),
        None => environment.answers_to(name),
    }
}

/// Whether runs may wait for our answer here.
fn waits_anywhere(services: &[&Service]) -> bool {
    let environments = services.iter().flat_map(|service| &service.environments);
    environments.into_iter().any(|environment| {
        matches!(
            environment.trigger,
            Trigger::GitHub(GitHubTrigger::ProtectionRule { .. })
        )
    })
}

pub(super) fn who(account: Option<&Account>) -> String {
    account.map_or_else(|| "somebody".to_owned(), |account| account.login.clone())
}
