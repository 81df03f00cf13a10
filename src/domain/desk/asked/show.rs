//! Questions that change nothing: what is live, what stands in the way, who can help.

use crate::domain::command::{self, Target};
use crate::domain::desk::asked::deploy;
use crate::domain::desk::examine::{self, Subject, evidence};
use crate::domain::desk::known::{named, people};
use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::telling::words::moment;
use crate::domain::gates::{self, StageVerdict};
use crate::domain::reason::{Reason, code};
use crate::domain::{Asked, Environment, Look, Reporter, RequestKind, Service, State};

/// Candidates that a status shows for each service.
const SHOWN: usize = 3;

/// What is live, what is under way, and how far the newest commits are.
pub(crate) fn status(
    sitting: &Sitting<'_>,
    asked: &Asked,
    services: &[&Service],
    status: &command::Status,
) -> Result<String, Reason> {
    let place = match &status.environment {
        Some(environment) => Some(named::place(
            sitting,
            asked,
            services,
            status.service.as_deref(),
            environment,
        )?),
        None => None,
    };
    let mut text = String::new();
    for service in services {
        let chosen = match place {
            Some((only, _)) => only.name == service.name,
            None => status
                .service
                .as_ref()
                .is_none_or(|name| service.name.as_str() == name),
        };
        if chosen {
            let only = place.map(|(_, environment)| environment);
            text.push_str(&status_of(sitting, asked, service, only));
        }
    }
    if text.is_empty() {
        return Err(Reason::refuses("no service here has that name"));
    }
    Ok(text)
}

fn status_of(
    sitting: &Sitting<'_>,
    asked: &Asked,
    service: &Service,
    only: Option<&Environment>,
) -> String {
    let mut text = format!("**{}**\n\n", service.name);
    let environments = service.environments.iter();
    for environment in environments.filter(|one| only.is_none_or(|only| only.name == one.name)) {
        let live = sitting.live(service, environment);
        let live = live.map_or_else(
            || "nothing known is live".to_owned(),
            |live| {
                let request = live.request.map(|number| format!(" by #{number}"));
                let unasked = || ", which nobody asked us for".to_owned();
                format!(
                    "{} since {}{}",
                    code(live.sha.as_str()),
                    moment(live.since),
                    request.unwrap_or_else(unasked)
                )
            },
        );
        text.push_str(&format!("- **{}**: {live}\n", environment.name));
        if let Some(lock) = sitting.lock(service, environment) {
            text.push_str(&format!(
                "  - locked by {}: {}\n",
                code(&lock.by.login),
                code(&lock.reason)
            ));
        }
        if let Some(why) = &environment.freeze {
            text.push_str(&format!("  - frozen: {}\n", code(why)));
        }
        text.push_str(&open_list(sitting, service, environment));
    }
    text.push_str("\nNewest commits:\n\n");
    let newest = sitting.candidates(Look::Newest {
        service: service.name.clone(),
    });
    if newest.is_empty() {
        text.push_str("- none was pushed since Countersign watches\n");
    }
    let repository = &asked.repository;
    for candidate in newest.iter().take(SHOWN) {
        let reports = sitting.stored_reports(repository.id, &candidate.sha);
        let app_of = |source: &Reporter| evidence::app_of(sitting, repository, source);
        let views = gates::view(service, &service.stages, &reports, &app_of, sitting.now);
        let stages: Vec<String> = views
            .iter()
            .map(|view| {
                let sign = match view.verdict {
                    StageVerdict::Passed { .. } => "✅",
                    StageVerdict::Soaking { .. } | StageVerdict::Pending => "⏳",
                    StageVerdict::Failed => "❌",
                };
                format!("{sign} {}", view.name)
            })
            .collect();
        text.push_str(&format!(
            "- {} {}: {}\n",
            code(candidate.sha.as_str()),
            code(&candidate.title),
            stages.join(", ")
        ));
    }
    text.push('\n');
    text
}

/// The tree of reasons that a release would be measured by.
pub(crate) fn explain(
    sitting: &Sitting<'_>,
    asked: &Asked,
    (service, environment): (&Service, &Environment),
    target: Option<&Target>,
) -> Result<String, Reason> {
    let (sha, open_head) = deploy::target(sitting, asked, (service, environment), target)?;
    let open = sitting.open_requests(service);
    let request = open.iter().find(|request| {
        request.environment == environment.name && request.sha == sha && request.is_waiting()
    });
    let examined = match request {
        Some(request) => examine::examine_request(sitting, request, service, environment),
        None => examine::examine(
            sitting,
            &Subject {
                service,
                environment,
                repository: &asked.repository,
                sha: &sha,
                kind: RequestKind::Deploy,
                open_head,
                requester: None,
                given: &[],
                number: None,
            },
        ),
    };
    let number = request.map(|request| format!(", asked for by #{}", request.number));
    Ok(format!(
        "{} → **{}** at {sha}{}\n\n{}",
        service.name,
        environment.name,
        number.unwrap_or_default(),
        examined.tree.render()
    ))
}

pub(crate) fn who_can(
    sitting: &Sitting<'_>,
    (service, environment): (&Service, &Environment),
) -> String {
    let mut text = format!(
        "{} → **{}** needs these approvals, each by another person:\n\n",
        service.name, environment.name
    );
    for (role, count) in &environment.approvals {
        text.push_str(&format!("- {count} × {}\n", people::who(sitting, role)));
    }
    if environment.exclude.author {
        text.push_str("\nAuthors of what ships cannot approve it.\n");
    }
    if environment.exclude.requester {
        text.push_str("\nWhoever asks cannot approve.\n");
    }
    text
}

/// Requests that are not over, as a list.
pub(crate) fn open_list(
    sitting: &Sitting<'_>,
    service: &Service,
    environment: &Environment,
) -> String {
    let mut text = String::new();
    for request in sitting.open_requests(service) {
        if request.environment != environment.name {
            continue;
        }
        let word = match &request.state {
            State::Waiting => "waits for approval",
            State::Departing(_) => "is starting",
            State::Unknown(_) => "may have started",
            State::Sent(_) => "was started",
            State::Running(_) => "is deploying",
            State::Ended { .. } => continue,
        };
        text.push_str(&format!(
            "  - #{} {word}: {} by {}\n",
            request.number,
            code(request.sha.short()),
            code(&request.by.login)
        ));
    }
    text
}
