//! Repositories and what lives in them: the services, the gates that wait for reports, and names that changed hands.

use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::{Change, Outcome};
use crate::domain::text::{Text, code, text};
use crate::domain::{Action, Actor, Bound, Gate, Look, Report, Repository, Seen, Service, gates};

/// The services that live in a repository. A repository is bound by its number when it is first
/// seen; one that took over the name later is refused.
pub(crate) fn services_at<'a>(
    sitting: &Sitting<'a>,
    repository: &Repository,
    outcome: &mut Outcome,
) -> Result<Vec<&'a Service>, Text> {
    let path = repository.remembered();
    let look = Look::Repository {
        id: repository.id,
        path: path.clone(),
    };
    let Some(Seen::Repositories(bound)) = sitting.seen(look) else {
        return Ok(Vec::new());
    };
    let named = || {
        let services = sitting.catalog.services.iter();
        services.filter(|service| service.repo.remembered() == path)
    };
    let usurped = bound
        .iter()
        .find(|bound| bound.name == path && bound.repository.id != repository.id);
    if let Some(first) = usurped
        && named().next().is_some()
    {
        return Err(text![
            code(&repository.path),
            format!(
                " is repository {} now, and was {} when it was first seen: the name has changed hands",
                repository.id.number(),
                first.repository.id.number()
            )
        ]);
    }
    let mut services = Vec::new();
    for known in bound
        .iter()
        .filter(|bound| bound.repository.id == repository.id)
    {
        services.extend(
            sitting
                .catalog
                .services
                .iter()
                .filter(|service| service.repo.remembered() == known.name),
        );
        if known.repository != *repository {
            outcome.changes.push(Change::Bind(Bound {
                name: known.name.clone(),
                repository: repository.clone(),
            }));
        }
    }
    if bound.iter().all(|bound| bound.name != path) {
        let before = services.len();
        services.extend(named());
        if services.len() > before {
            outcome.changes.push(Change::Bind(Bound {
                name: path.clone(),
                repository: repository.clone(),
            }));
        }
    }
    Ok(services)
}

/// Another repository has the name of one that we follow.
pub(crate) fn usurped(sitting: &Sitting<'_>, repository: &Repository, why: &Text) -> Outcome {
    let token = format!("usurped/{}", repository.id);
    let mut outcome = Outcome::ignored(why.plain());
    if !sitting.was_remembered(&token) {
        outcome.changes.push(Change::Remember { token });
        outcome.entries.push(
            sitting
                .entry(Action::NameChangedHands, Actor::Countersign)
                .with("repository", repository.path.as_str())
                .with("number", repository.id.number())
                .with("problem", why.plain()),
        );
    }
    outcome
}

/// Whether any gate of the repository's services waits for this.
pub(crate) fn is_gate(sitting: &Sitting<'_>, repository: &Repository, report: &Report) -> bool {
    let mut ignored = Outcome::default();
    let services = services_at(sitting, repository, &mut ignored);
    services
        .unwrap_or_default()
        .iter()
        .flat_map(|service| &service.stages)
        .flat_map(|stage| &stage.gates)
        .any(|gate: &Gate| gates::concerns(gate, report))
}
