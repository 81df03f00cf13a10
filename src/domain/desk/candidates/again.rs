//! Commits that are looked at again: when a soak is over, and every few minutes, so that lost deliveries heal.

use jiff::{SignedDuration, Timestamp};

use crate::domain::desk::examine::evidence;
use crate::domain::desk::known::digests;
use crate::domain::desk::release::ends;
use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::{Change, Outcome, candidates};
use crate::domain::text::ticked;
use crate::domain::{
    Candidate, Due, Ended, Look, Repository, RepositoryId, Service, ServiceName, Sha, gates,
};

const REREAD_EVERY: SignedDuration = SignedDuration::from_mins(10);

/// The same, while something is waited for of which no delivery tells.
const REREAD_SOON: SignedDuration = SignedDuration::from_mins(1);

pub(crate) fn soaked(
    sitting: &Sitting<'_>,
    service: &ServiceName,
    sha: &Sha,
    outcome: &mut Outcome,
) {
    let Some(service) = sitting.catalog.service(service) else {
        return;
    };
    let Some(repository) = sitting.bound_to(service) else {
        return;
    };
    let look = Look::Candidates {
        repository: repository.id,
        sha: sha.clone(),
    };
    let candidates = sitting.candidates(look);
    let reports = sitting.stored_reports(repository.id, sha);
    for candidate in candidates {
        if service.is_called(&candidate.service) {
            candidates::evaluate(sitting, service, candidate, &reports, outcome);
        }
    }
}

/// Reads again where the release branch stands and what was reported about what is not ready, so
/// that lost deliveries heal.
pub(crate) fn reread(sitting: &Sitting<'_>, service: &ServiceName, outcome: &mut Outcome) {
    let Some(service) = sitting.catalog.service(service) else {
        return;
    };
    let pause = if gates::waits_in_silence(service, &[]) {
        REREAD_SOON
    } else {
        REREAD_EVERY
    };
    let again = |outcome: &mut Outcome, repository: RepositoryId| {
        let at = sitting.now.checked_add(pause);
        outcome.changes.push(Change::Timer {
            due: Due::Reread {
                service: service.name.clone(),
            },
            repository,
            at: at.unwrap_or(Timestamp::MAX),
        });
    };
    let Some(repository) = sitting.bound_to(service) else {
        return again(outcome, RepositoryId::on(service.repo.forge(), 0));
    };
    again(outcome, repository.id);
    void_what_meant_less(sitting, service, outcome);
    let newest = sitting.newest(service);
    if let Ok(Some(head)) = sitting.head(&repository, service.branch.as_str())
        && newest.iter().all(|candidate| candidate.sha != head)
        && leads_to(sitting, service, &repository, newest.first(), &head)
    {
        missed(sitting, service, &repository, &head, outcome);
    }
    for candidate in newest {
        let is_done = service
            .stages
            .iter()
            .all(|stage| candidate.marks.contains_key(stage.name.as_str()));
        if is_done {
            continue;
        }
        if let Ok((reports, changes)) =
            evidence::fresh_reports(sitting, &repository, &candidate.sha)
        {
            outcome.changes.extend(changes);
            candidates::evaluate(sitting, service, candidate, &reports, outcome);
        }
    }
}

/// An upgrade gave a word of the policy another meaning: nobody said yes to that.
fn void_what_meant_less(sitting: &Sitting<'_>, service: &Service, outcome: &mut Outcome) {
    for request in sitting.open_requests(service) {
        if request.is_waiting() && digests::meant_less(sitting, &request) {
            let why = ticked(digests::what_changed(sitting, &request));
            ends::end(sitting, request, Ended::Voided, why, outcome);
        }
    }
}

/// Whether anything of the service was changed between its newest candidate and the branch's head.
/// In doubt it was.
fn leads_to(
    sitting: &Sitting<'_>,
    service: &Service,
    repository: &Repository,
    newest: Option<&Candidate>,
    head: &Sha,
) -> bool {
    let Some(newest) = newest.filter(|_| !service.paths.is_empty()) else {
        return true;
    };
    candidates::changes_between(sitting, service, repository, &newest.sha, head)
}

/// A push of which we never heard.
fn missed(
    sitting: &Sitting<'_>,
    service: &Service,
    repository: &Repository,
    head: &Sha,
    outcome: &mut Outcome,
) {
    let title = match sitting.commit(repository, head.as_str()) {
        Ok(commit) => commit.title.clone(),
        Err(_) => String::new(),
    };
    if let Ok((_, changes)) = evidence::fresh_reports(sitting, repository, head) {
        outcome.changes.extend(changes);
    }
    candidates::new_candidate(sitting, service, repository, (head.clone(), title), outcome);
    // What was reported about it meanwhile counts as soon as it is stored.
    outcome.changes.push(Change::Timer {
        due: Due::Soak {
            service: service.name.clone(),
            sha: head.clone(),
        },
        repository: repository.id,
        at: sitting.now,
    });
}
