//! Commits on their way: a push makes candidates, reports move them through the stages, and a commit
//! that becomes ready takes the place of an older one that waits.

use jiff::Timestamp;

use crate::domain::desk::examine::evidence;
use crate::domain::desk::known::destination::Destination;
use crate::domain::desk::known::repositories;
use crate::domain::desk::release::{ends, starts};
use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::telling::{announcements, notices};
use crate::domain::desk::{Change, Outcome};
use crate::domain::gates::{self, StageVerdict, StageView};
use crate::domain::text::{Text, code, commit, text};
use crate::domain::{
    Action, Actor, Candidate, Colour, Detail, Due, Ended, Entry, Environment, Fact, Look, Mark,
    PullRequest, PullRequestMoved, Push, Question, Relation, Report, Reporter, Repository, Request,
    RequestKind, Service, Sha,
};

pub(super) mod again;

pub(crate) fn push(sitting: &Sitting<'_>, push: &Push) -> Outcome {
    let mut outcome = Outcome::default();
    let services = match repositories::services_at(sitting, &push.repository, &mut outcome) {
        Ok(services) => services,
        Err(why) => return repositories::usurped(sitting, &push.repository, &why),
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
            && touches(sitting, service, push, after)
        {
            let seen = (after.clone(), push.title.clone());
            new_candidate(sitting, service, &push.repository, seen, &mut outcome);
        }
        if push.may_go_back || push.after.is_none() {
            void_what_left(sitting, service, push, &mut outcome);
        }
    }
    outcome
}

/// Whether a push changes what the service is made of. In doubt it does.
fn touches(sitting: &Sitting<'_>, service: &Service, push: &Push, after: &Sha) -> bool {
    if service.paths.is_empty() {
        return true;
    }
    if let Some(paths) = &push.paths {
        return paths.iter().any(|path| service.covers(path));
    }
    let Some(before) = &push.before else {
        return true;
    };
    changes_between(sitting, service, &push.repository, before, after)
}

/// Whether two commits differ in what the service is made of. In doubt they do.
pub(crate) fn changes_between(
    sitting: &Sitting<'_>,
    service: &Service,
    repository: &Repository,
    before: &Sha,
    after: &Sha,
) -> bool {
    match sitting.comparison(repository, before.as_str(), after.as_str()) {
        Ok(comparison) => comparison
            .paths
            .as_ref()
            .is_none_or(|paths| paths.iter().any(|path| service.covers(path))),
        Err(_) => true,
    }
}

/// Makes a commit a candidate, unless it is one.
pub(crate) fn new_candidate(
    sitting: &Sitting<'_>,
    service: &Service,
    repository: &Repository,
    (sha, title): (Sha, String),
    outcome: &mut Outcome,
) {
    let look = Look::Candidates {
        repository: repository.id,
        sha: sha.clone(),
    };
    let known = sitting.candidates(look);
    if known
        .iter()
        .any(|candidate| service.is_called(&candidate.service))
    {
        return;
    }
    let candidate = Candidate {
        service: service.name.clone(),
        repository: repository.clone(),
        sha: sha.clone(),
        title,
        seen_at: sitting.now,
        marks: std::collections::BTreeMap::new(),
    };
    let mut reports = sitting.stored_reports(repository.id, &sha);
    // What was reported before the commit was known may have had to be asked about.
    if reports.iter().any(Report::is_of_unsaid_origin)
        && let Ok((fresh, changes)) = evidence::fresh_reports(sitting, repository, &sha)
    {
        reports = fresh;
        outcome.changes.extend(changes);
    }
    outcome.changes.push(Change::Candidate(candidate.clone()));
    evaluate(sitting, service, candidate, &reports, outcome);
}

/// After a force-push or the end of the branch: what waits must still be on it. Where the branch
/// stands is asked, because this push may be an old one that arrives again.
fn void_what_left(sitting: &Sitting<'_>, service: &Service, push: &Push, outcome: &mut Outcome) {
    for request in sitting.open_requests(service) {
        if !request.is_waiting() || request.open_head.is_some() {
            continue;
        }
        let is_gone = match sitting.head(&push.repository, &push.branch) {
            Ok(None) => true,
            Ok(Some(head)) => sitting
                .comparison(&push.repository, request.sha.as_str(), head.as_str())
                .is_ok_and(|found| matches!(found.relation, Relation::Behind | Relation::Diverged)),
            // It is asked again before anything leaves.
            Err(_) => false,
        };
        if is_gone {
            let branch = code(service.branch.as_str());
            let why = text!["the commit is not on ", branch, " any more"];
            ends::end(sitting, request, Ended::Voided, why, outcome);
        }
    }
}

pub(crate) fn report(sitting: &Sitting<'_>, repository: &Repository, told: &Report) -> Outcome {
    let mut outcome = Outcome::default();
    let services = match repositories::services_at(sitting, repository, &mut outcome) {
        Ok(services) => services,
        Err(why) => return repositories::usurped(sitting, repository, &why),
    };
    if !repositories::is_gate(sitting, repository, told) {
        outcome.ignored = Some("no gate waits for it".to_owned());
        return outcome;
    }
    if starts::is_of_release(sitting, &services, repository, told) {
        outcome.ignored = Some("its pipeline releases, or may".to_owned());
        return outcome;
    }
    let look = Look::Candidates {
        repository: repository.id,
        sha: told.sha.clone(),
    };
    let candidates = sitting.candidates(look);
    let report = &Report {
        heard: Some(sitting.now),
        ..proven(sitting, repository, told, !candidates.is_empty())
    };
    let mut reports = sitting.stored_reports(repository.id, &report.sha);
    reports.push(report.clone());
    outcome.changes.push(Change::Report(report.clone()));
    for candidate in candidates {
        let service = services
            .iter()
            .find(|service| service.is_called(&candidate.service));
        let Some(service) = service else { continue };
        if gates::waits_in_silence(service, &reports)
            && let Ok((fresh, changes)) = evidence::fresh_reports(sitting, repository, &report.sha)
        {
            reports = fresh;
            reports.push(report.clone());
            outcome.changes.extend(changes);
        }
        evaluate(sitting, service, candidate, &reports, &mut outcome);
    }
    outcome
}

/// A report with what it was made on, which some do not say: that is asked where it matters. What is not known counts
/// for nothing, and is looked for again with the commit.
fn proven(
    sitting: &Sitting<'_>,
    repository: &Repository,
    report: &Report,
    matters: bool,
) -> Report {
    if !report.is_of_unsaid_origin() || !matters || report.colour == Colour::Pending {
        return report.clone();
    }
    let question = Question::Origin {
        repository: repository.clone(),
        report: Box::new(report.clone()),
    };
    match sitting.fact(question) {
        Ok(Fact::Origin(found)) => (**found).clone(),
        Ok(_) | Err(_) => report.clone(),
    }
}

/// Looks how far a candidate is, and records what changed since it was last looked at.
pub(crate) fn evaluate(
    sitting: &Sitting<'_>,
    service: &Service,
    mut candidate: Candidate,
    reports: &[Report],
    outcome: &mut Outcome,
) {
    let app_of = |source: &Reporter| evidence::app_of(sitting, &candidate.repository, source);
    let views = gates::view(service, &service.stages, reports, &app_of, sitting.now);
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
                    .push(stage_entry(sitting, &candidate, view, mark));
                if mark == Mark::Failed {
                    announcements::announce_stage(sitting, service, &candidate, view, outcome);
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
            became_ready(sitting, (service, *name), &candidate, &views, outcome);
        }
    }
    for name in was_ready.iter().filter(|name| !is_ready.contains(name)) {
        if let Some(environment) = service.environments.get(*name) {
            let place = Destination {
                service,
                environment,
            };
            notices::withdraw(sitting, place, &candidate.sha, outcome);
        }
    }
    if candidate.marks != before {
        outcome.changes.push(Change::Candidate(candidate));
    }
}

fn stage_entry(
    sitting: &Sitting<'_>,
    candidate: &Candidate,
    view: &StageView,
    mark: Mark,
) -> Entry {
    let action = match mark {
        Mark::Passed => Action::StagePassed,
        Mark::Failed => Action::StageFailed,
    };
    sitting
        .entry(action, Actor::Countersign)
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
    sitting: &Sitting<'_>,
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
        sitting
            .entry(Action::CandidateReady, Actor::Countersign)
            .with("service", service.name.as_str())
            .with("environment", environment.name.as_str())
            .with("sha", candidate.sha.as_str())
            .with(
                "gates",
                gates.map(gates::GateView::detail).collect::<Detail>(),
            ),
    );
    let place = Destination {
        service,
        environment,
    };
    notices::offer(sitting, place, candidate, views, outcome);
    for older in sitting.open_requests(service) {
        if !older.is_waiting()
            || older.environment != environment.name
            || older.kind == RequestKind::Rollback
            || older.sha == candidate.sha
        {
            continue;
        }
        let compared = sitting.comparison(
            &candidate.repository,
            older.sha.as_str(),
            candidate.sha.as_str(),
        );
        if compared.is_ok_and(|found| found.relation == Relation::Ahead) {
            let why = text![commit(candidate.sha.as_str()), " is newer, and ready"];
            ends::end(sitting, older, Ended::Superseded, why, outcome);
        }
    }
}

/// A pull request moved: what waits for its former head is void. How it stands is asked, because
/// this may be an old event that arrives again.
pub(crate) fn pull_request_moved(sitting: &Sitting<'_>, moved: &PullRequestMoved) -> Outcome {
    let mut outcome = Outcome::default();
    let services = match repositories::services_at(sitting, &moved.repository, &mut outcome) {
        Ok(services) => services,
        Err(why) => return repositories::usurped(sitting, &moved.repository, &why),
    };
    for service in services {
        for request in sitting.open_requests(service) {
            if !request.is_waiting() || request.open_head != Some(moved.number) {
                continue;
            }
            // What cannot be found out now is asked again before anything leaves.
            if let Ok(now) = sitting.pull_request(&moved.repository, moved.number)
                && let Some(why) = what_moved(service, &request, now)
            {
                ends::end(sitting, request, Ended::Voided, why, &mut outcome);
            }
        }
    }
    outcome
}

/// Why a pull request is not any more what was asked for.
fn what_moved(service: &Service, request: &Request, now: &PullRequest) -> Option<Text> {
    let drafts = service
        .environment_called(&request.environment)
        .is_some_and(|environment| environment.allow.drafts);
    if request.sha != now.head {
        Some(text![
            "the pull request's head is ",
            commit(now.head.as_str()),
            " now"
        ])
    } else if !now.open {
        Some("the pull request is not open any more".into())
    } else if now.draft && !drafts {
        Some("the pull request is a draft now".into())
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
pub(crate) fn is_ready(
    service: &Service,
    environment: &Environment,
    marks: &std::collections::BTreeMap<String, Mark>,
) -> bool {
    service
        .stages_before(environment)
        .iter()
        .all(|stage| marks.get(stage.name.as_str()) == Some(&Mark::Passed))
}
