//! Commits on their way: a push makes candidates, reports move them through the stages, and a commit
//! that becomes ready takes the place of an older one that waits.

use jiff::Timestamp;

use super::{Change, Desk, Outcome};
use crate::domain::gates::{self, StageVerdict, StageView};
use crate::domain::{
    Action, Actor, Candidate, Detail, Due, Ended, Entry, Environment, Fact, Gate, Look, Mark,
    PullRequest, PullRequestMoved, Push, Question, Relation, Report, Reporter, Repository, Request,
    RequestKind, Service, Sha,
};

impl Desk<'_> {
    pub(super) fn push(&self, push: &Push) -> Outcome {
        let mut outcome = Outcome::default();
        let services = match self.services_at(&push.repository, &mut outcome) {
            Ok(services) => services,
            Err(why) => return self.usurped(&push.repository, why),
        };
        let on_branch: Vec<&Service> = services
            .into_iter()
            .filter(|service| service.branch.as_str() == push.branch)
            .collect();
        if on_branch.is_empty() {
            outcome.ignored = Some(format!("no service is released from `{}`", push.branch));
            return outcome;
        }
        for service in on_branch {
            if let Some(after) = &push.after
                && self.touches(service, push, after)
            {
                let seen = (after.clone(), push.title.clone());
                self.new_candidate(service, &push.repository, seen, &mut outcome);
            }
            if push.may_go_back || push.after.is_none() {
                self.void_what_left(service, push, &mut outcome);
            }
        }
        outcome
    }

    /// Whether a push changes what the service is made of. In doubt it does.
    fn touches(&self, service: &Service, push: &Push, after: &Sha) -> bool {
        if service.paths.is_empty() {
            return true;
        }
        if let Some(paths) = &push.paths {
            return paths.iter().any(|path| service.covers(path));
        }
        let Some(before) = &push.before else {
            return true;
        };
        self.changes_between(service, &push.repository, (before, after))
    }

    /// Whether two commits differ in what the service is made of. In doubt they do.
    pub(super) fn changes_between(
        &self,
        service: &Service,
        repository: &Repository,
        (before, after): (&Sha, &Sha),
    ) -> bool {
        match self.comparison(repository, before.as_str(), after.as_str()) {
            Ok(comparison) => comparison
                .paths
                .as_ref()
                .is_none_or(|paths| paths.iter().any(|path| service.covers(path))),
            Err(_) => true,
        }
    }

    /// Makes a commit a candidate, unless it is one.
    pub(super) fn new_candidate(
        &self,
        service: &Service,
        repository: &Repository,
        (sha, title): (Sha, String),
        outcome: &mut Outcome,
    ) {
        let look = Look::Candidates {
            repository: repository.id,
            sha: sha.clone(),
        };
        let known = self.candidates(look);
        if known
            .iter()
            .any(|candidate| candidate.service == service.name)
        {
            return;
        }
        let candidate = Candidate {
            service: service.name.clone(),
            repository: repository.clone(),
            sha: sha.clone(),
            title,
            seen_at: self.now,
            marks: std::collections::BTreeMap::new(),
        };
        let reports = self.stored_reports(repository.id, &sha);
        outcome.changes.push(Change::Candidate(candidate.clone()));
        self.evaluate(service, candidate, &reports, outcome);
    }

    /// After a force-push or the end of the branch: what waits must still be on it. Where the branch
    /// stands is asked, because this push may be an old one that arrives again.
    fn void_what_left(&self, service: &Service, push: &Push, outcome: &mut Outcome) {
        for request in self.open_requests(service) {
            if !request.is_waiting() || request.open_head.is_some() {
                continue;
            }
            let question = Question::Head {
                repository: push.repository.clone(),
                branch: push.branch.clone(),
            };
            let is_gone = match self.fact(question) {
                Ok(Fact::Head(None)) => true,
                Ok(Fact::Head(Some(head))) => self
                    .comparison(&push.repository, request.sha.as_str(), head.as_str())
                    .is_ok_and(|found| {
                        matches!(found.relation, Relation::Behind | Relation::Diverged)
                    }),
                // It is asked again before anything leaves.
                Ok(_) | Err(_) => false,
            };
            if is_gone {
                let why = format!("the commit is not on `{}` any more", service.branch);
                self.end(request, Ended::Voided, &why, outcome);
            }
        }
    }

    /// Whether any gate of the repository's services waits for this.
    pub(super) fn is_gate(&self, repository: &Repository, report: &Report) -> bool {
        let mut ignored = Outcome::default();
        let services = self.services_at(repository, &mut ignored);
        services
            .unwrap_or_default()
            .iter()
            .flat_map(|service| &service.stages)
            .flat_map(|stage| &stage.gates)
            .any(|gate: &Gate| gates::concerns(gate, report))
    }

    pub(super) fn report(&self, repository: &Repository, report: &Report) -> Outcome {
        let mut outcome = Outcome::default();
        let services = match self.services_at(repository, &mut outcome) {
            Ok(services) => services,
            Err(why) => return self.usurped(repository, why),
        };
        if !self.is_gate(repository, report) {
            outcome.ignored = Some("no gate waits for it".to_owned());
            return outcome;
        }
        if self.is_of_release(&services, repository, report) {
            outcome.ignored = Some("its pipeline releases, or may".to_owned());
            return outcome;
        }
        let look = Look::Candidates {
            repository: repository.id,
            sha: report.sha.clone(),
        };
        let candidates = self.candidates(look);
        let mut reports = self.stored_reports(repository.id, &report.sha);
        reports.push(report.clone());
        outcome.changes.push(Change::Report(report.clone()));
        for candidate in candidates {
            let service = services
                .iter()
                .find(|service| service.name == candidate.service);
            let Some(service) = service else { continue };
            if gates::waits_in_silence(service, &reports)
                && let Ok((fresh, changes)) = self.fresh_reports(repository, &report.sha)
            {
                reports = fresh;
                reports.push(report.clone());
                outcome.changes.extend(changes);
            }
            self.evaluate(service, candidate, &reports, &mut outcome);
        }
        outcome
    }

    /// Looks how far a candidate is, and records what changed since it was last looked at.
    pub(super) fn evaluate(
        &self,
        service: &Service,
        mut candidate: Candidate,
        reports: &[Report],
        outcome: &mut Outcome,
    ) {
        let app_of = |source: &Reporter| self.app_of(&candidate.repository, source);
        let views = gates::view(service, &service.stages, reports, &app_of, self.now);
        let was_ready = ready_environments(service, &candidate.marks);
        let before = candidate.marks.clone();
        let mut wake: Option<Timestamp> = None;
        for view in &views {
            let mark = match view.verdict {
                StageVerdict::Passed { .. } => Some(Mark::Passed),
                StageVerdict::Failed => Some(Mark::Failed),
                StageVerdict::Pending => None,
                StageVerdict::Soaking { until } => {
                    wake = Some(wake.map_or(until, |wake| wake.min(until)));
                    None
                }
            };
            let known = candidate.marks.get(view.name.as_str()).copied();
            if mark == known {
                continue;
            }
            match mark {
                Some(mark) => {
                    candidate.marks.insert(view.name.to_string(), mark);
                    outcome
                        .entries
                        .push(self.stage_entry(&candidate, view, mark));
                    if mark == Mark::Failed {
                        self.announce_stage(service, &candidate, view, outcome);
                    }
                }
                None => {
                    candidate.marks.remove(view.name.as_str());
                }
            }
        }
        let due = Due::Soak {
            service: service.name.clone(),
            sha: candidate.sha.clone(),
        };
        if let Some(at) = wake {
            outcome.changes.push(Change::Timer {
                due,
                repository: candidate.repository.id,
                at,
            });
        }
        let is_ready = ready_environments(service, &candidate.marks);
        for name in &is_ready {
            if !was_ready.contains(name) {
                self.became_ready((service, *name), &candidate, &views, outcome);
            }
        }
        for name in was_ready.iter().filter(|name| !is_ready.contains(name)) {
            if let Some(environment) = service.environments.get(*name) {
                self.withdraw((service, environment), &candidate.sha, outcome);
            }
        }
        if candidate.marks != before {
            outcome.changes.push(Change::Candidate(candidate));
        }
    }

    fn stage_entry(&self, candidate: &Candidate, view: &StageView, mark: Mark) -> Entry {
        let action = match mark {
            Mark::Passed => Action::StagePassed,
            Mark::Failed => Action::StageFailed,
        };
        self.entry(action, Actor::Countersign)
            .with("service", candidate.service.as_str())
            .with("sha", candidate.sha.as_str())
            .with("stage", view.name.as_str())
            .with(
                "gates",
                view.gates
                    .iter()
                    .map(gates::GateView::detail)
                    .collect::<Detail>(),
            )
    }

    fn became_ready(
        &self,
        (service, name): (&Service, usize),
        candidate: &Candidate,
        views: &[StageView],
        outcome: &mut Outcome,
    ) {
        let Some(environment) = service.environments.get(name) else {
            return;
        };
        let gates = views.iter().flat_map(|view| &view.gates);
        outcome.entries.push(
            self.entry(Action::CandidateReady, Actor::Countersign)
                .with("service", service.name.as_str())
                .with("environment", environment.name.as_str())
                .with("sha", candidate.sha.as_str())
                .with(
                    "gates",
                    gates.map(gates::GateView::detail).collect::<Detail>(),
                ),
        );
        self.offer((service, environment), candidate, views, outcome);
        for older in self.open_requests(service) {
            if !older.is_waiting()
                || older.environment != environment.name
                || older.kind == RequestKind::Rollback
                || older.sha == candidate.sha
            {
                continue;
            }
            let compared = self.comparison(
                &candidate.repository,
                older.sha.as_str(),
                candidate.sha.as_str(),
            );
            if compared.is_ok_and(|found| found.relation == Relation::Ahead) {
                let why = format!("{} is newer, and ready", candidate.sha);
                self.end(older, Ended::Superseded, &why, outcome);
            }
        }
    }

    /// A pull request moved: what waits for its former head is void. How it stands is asked, because
    /// this may be an old event that arrives again.
    pub(super) fn pull_request_moved(&self, moved: &PullRequestMoved) -> Outcome {
        let mut outcome = Outcome::default();
        let services = match self.services_at(&moved.repository, &mut outcome) {
            Ok(services) => services,
            Err(why) => return self.usurped(&moved.repository, why),
        };
        for service in services {
            for request in self.open_requests(service) {
                if !request.is_waiting() || request.open_head != Some(moved.number) {
                    continue;
                }
                // What cannot be found out now is asked again before anything leaves.
                if let Ok(now) = self.pull_request(&moved.repository, moved.number)
                    && let Some(why) = what_moved(service, &request, now)
                {
                    self.end(request, Ended::Voided, &why, &mut outcome);
                }
            }
        }
        outcome
    }

    /// Somebody else has the name of a repository that we follow.
    pub(super) fn usurped(&self, repository: &Repository, why: String) -> Outcome {
        let token = format!("usurped/{}", repository.id);
        let mut outcome = Outcome::ignored(why.clone());
        if !self.was_remembered(&token) {
            outcome.changes.push(Change::Remember { token });
            outcome.entries.push(
                self.entry(Action::NameChangedHands, Actor::Countersign)
                    .with("repository", repository.path.as_str())
                    .with("number", repository.id.number())
                    .with("problem", why),
            );
        }
        outcome
    }
}

/// Why a pull request is not any more what somebody asked to release.
fn what_moved(service: &Service, request: &Request, now: &PullRequest) -> Option<String> {
    let drafts = service
        .environments
        .iter()
        .find(|environment| environment.name == request.environment)
        .is_some_and(|environment| environment.allow.drafts);
    if request.sha != now.head {
        Some(format!("the pull request's head is {} now", now.head))
    } else if !now.open {
        Some("the pull request is not open any more".to_owned())
    } else if now.draft && !drafts {
        Some("the pull request is a draft now".to_owned())
    } else {
        None
    }
}

/// The environments for which these marks are enough, by their place in the configuration.
fn ready_environments(
    service: &Service,
    marks: &std::collections::BTreeMap<String, Mark>,
) -> Vec<usize> {
    let environments = service.environments.iter().enumerate();
    environments
        .filter(|(_, environment)| is_ready(service, environment, marks))
        .map(|(place, _)| place)
        .collect()
}

/// Whether these marks are enough for an environment.
pub(super) fn is_ready(
    service: &Service,
    environment: &Environment,
    marks: &std::collections::BTreeMap<String, Mark>,
) -> bool {
    service
        .stages_before(environment)
        .iter()
        .all(|stage| marks.get(stage.name.as_str()) == Some(&Mark::Passed))
}
