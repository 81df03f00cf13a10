//! Views that people ask for: what is live, what stands in the way, who can help. Nothing is changed by looking.

use crate::domain::command::{Status, Target};
use crate::domain::desk::asked::deploy::{self, Meant};
use crate::domain::desk::examine::{self, Subject, evidence, rules};
use crate::domain::desk::known::destination::Destination;
use crate::domain::desk::known::{named, people};
use crate::domain::desk::sitting::Sitting;
use crate::domain::gates;
use crate::domain::reason::Reason;
use crate::domain::view::{
    CandidateView, EnvironmentView, ExaminedView, OpenView, PeopleView, RoleView, ServiceView,
    StatusView, Step,
};
use crate::domain::{
    Asked, Candidate, Environment, Reporter, Repository, Request, RequestKind, Service, State,
};

/// Candidates that a status shows for each service.
const SHOWN: usize = 3;

/// What is live, what is under way, and how far the newest commits are.
pub(crate) fn status(
    sitting: &Sitting<'_>,
    asked: &Asked,
    services: &[&Service],
    status: &Status,
) -> Result<StatusView, Reason> {
    let name = status.service.as_deref();
    let place = match &status.environment {
        Some(environment) => Some(named::place(sitting, asked, services, name, environment)?),
        None => None,
    };
    let is_chosen = |service: &&&Service| match place {
        Some(place) => place.service.name == service.name,
        None => name.is_none_or(|name| service.name.as_str() == name),
    };
    let only = place.map(|place| place.environment);
    let chosen = services.iter().filter(is_chosen);
    let services_shown: Vec<ServiceView> = chosen
        .map(|service| of_service(sitting, &asked.repository, service, only))
        .collect();
    match name {
        Some(name) if services_shown.is_empty() => Err(named::no_service(name, services)),
        _ => Ok(StatusView {
            services: services_shown,
        }),
    }
}

pub(crate) fn of_service(
    sitting: &Sitting<'_>,
    repository: &Repository,
    service: &Service,
    only: Option<&Environment>,
) -> ServiceView {
    let environments = service.environments.iter();
    let shown = environments.filter(|one| only.is_none_or(|only| only.name == one.name));
    let newest = sitting.newest(service);
    ServiceView {
        name: service.name.clone(),
        environments: shown
            .map(|environment| {
                let place = Destination {
                    service,
                    environment,
                };
                of_environment(sitting, place)
            })
            .collect(),
        newest: newest
            .into_iter()
            .take(SHOWN)
            .map(|candidate| of_candidate(sitting, repository, service, candidate))
            .collect(),
    }
}

fn of_environment(sitting: &Sitting<'_>, place: Destination<'_>) -> EnvironmentView {
    let environment = place.environment;
    let open = sitting.open_requests(place.service).into_iter();
    EnvironmentView {
        name: environment.name.clone(),
        live: sitting.live(place.service, environment),
        closed: rules::closed(sitting, place),
        open: open
            .filter(|request| request.environment == environment.name)
            .filter_map(of_request)
            .collect(),
    }
}

fn of_request(request: Request) -> Option<OpenView> {
    let step = match &request.state {
        State::Waiting => Step::Waiting,
        State::Departing(_) => Step::Starting,
        State::Unknown(_) => Step::Unclear,
        State::Sent(_) => Step::Started,
        State::Running(_) => Step::Deploying,
        State::Ended { .. } => return None,
    };
    Some(OpenView {
        number: request.number,
        sha: request.sha,
        by: request.by,
        opened_at: request.opened_at,
        step,
    })
}

fn of_candidate(
    sitting: &Sitting<'_>,
    repository: &Repository,
    service: &Service,
    candidate: Candidate,
) -> CandidateView {
    let reports = sitting.stored_reports(repository.id, &candidate.sha);
    let app_of = |source: &Reporter| evidence::app_of(sitting, repository, source);
    let views = gates::view(service, &service.stages, &reports, &app_of, sitting.now);
    CandidateView {
        sha: candidate.sha,
        title: candidate.title,
        seen_at: candidate.seen_at,
        stages: views
            .into_iter()
            .map(|view| (view.name, view.verdict))
            .collect(),
    }
}

/// What a release would be measured by.
pub(crate) fn explain(
    sitting: &Sitting<'_>,
    asked: &Asked,
    place: Destination<'_>,
    target: Option<&Target>,
) -> Result<ExaminedView, Reason> {
    let meant = deploy::target(sitting, asked, place, target)?;
    Ok(examined(sitting, &asked.repository, place, meant))
}

/// A commit before an environment, by its request if one waits.
pub(crate) fn examined(
    sitting: &Sitting<'_>,
    repository: &Repository,
    place: Destination<'_>,
    Meant { sha, open_head }: Meant,
) -> ExaminedView {
    let open = sitting.open_requests(place.service);
    let request = open.iter().find(|request| {
        request.environment == place.environment.name && request.sha == sha && request.is_waiting()
    });
    let examined = match request {
        Some(request) => examine::examine_request(sitting, request, place),
        None => examine::examine(
            sitting,
            &Subject {
                place,
                repository,
                sha: &sha,
                kind: RequestKind::Deploy,
                open_head,
                requester: None,
                given: &[],
                number: None,
            },
        ),
    };
    ExaminedView {
        service: place.service.name.clone(),
        environment: place.environment.name.clone(),
        request: request.map(|request| request.number),
        tree: examined.tree,
        sha,
    }
}

/// Who may approve.
pub(crate) fn who_can(sitting: &Sitting<'_>, place: Destination<'_>) -> PeopleView {
    let environment = place.environment;
    let roles = environment.approvals.iter();
    PeopleView {
        service: place.service.name.clone(),
        environment: environment.name.clone(),
        roles: roles
            .map(|(name, count)| RoleView {
                name: name.clone(),
                count: *count,
                who: people::who(sitting, name),
            })
            .collect(),
        excludes: environment.exclude.clone(),
    }
}
