//! Rollbacks and retries: what they ask to release.

use crate::domain::desk::Outcome;
use crate::domain::desk::asked::deploy::{self, Wish};
use crate::domain::desk::known::named;
use crate::domain::desk::sitting::Sitting;
use crate::domain::reason::Reason;
use crate::domain::{Asked, Ended, Environment, Request, RequestKind, Service, Sha, command};

pub(crate) fn roll_back(
    sitting: &Sitting<'_>,
    asked: &Asked,
    (service, environment): (&Service, &Environment),
    rollback: &command::Rollback,
    outcome: &mut Outcome,
) -> Result<(), Reason> {
    let sha = match &rollback.target {
        Some(target) => deploy::target(sitting, asked, (service, environment), Some(target))?.0,
        None => match before_live(sitting, service, environment) {
            Some(sha) => sha,
            None => {
                return Err(Reason::refuses(format!(
                    "nothing else was released to **{}** from here before",
                    environment.name
                ))
                .help(format!(
                    "Name a commit: `/rollback {} SHA`.",
                    environment.name
                )));
            }
        },
    };
    let wish = Wish {
        asked,
        service,
        environment,
        sha,
        open_head: None,
        kind: RequestKind::Rollback,
        reason: rollback.reason.as_ref().map(ToString::to_string),
        is_dry: rollback.dry_run,
    };
    deploy::ask(sitting, &wish, outcome);
    Ok(())
}

/// What was live before what is live now was released for the first time.
fn before_live(sitting: &Sitting<'_>, service: &Service, environment: &Environment) -> Option<Sha> {
    let live = sitting.live(service, environment)?;
    let history = sitting.history(service, environment);
    let first = history
        .iter()
        .rposition(|request| request.sha == live.sha)
        .map_or(0, |oldest| oldest + 1);
    let mut older = history.into_iter().skip(first);
    older
        .find(|request| request.sha != live.sha)
        .map(|request| request.sha)
}

pub(crate) fn retry(
    sitting: &Sitting<'_>,
    asked: &Asked,
    services: &[&Service],
    retry: &command::Retry,
    outcome: &mut Outcome,
) -> Result<(), Reason> {
    let Some(number) = retry.request else {
        return Err(Reason::refuses("which request?").help("Say `/retry #N`."));
    };
    let is_over = |request: &Request| {
        request
            .ended()
            .is_some_and(|how| how != Ended::Succeeded && how != Ended::Superseded)
    };
    let request = named::waiting(sitting, asked, services, Some(number), is_over)?;
    let Some((service, environment)) = named::configured(sitting, &request) else {
        return Err(Reason::refuses(format!(
            "what #{number} asked for is not configured any more"
        )));
    };
    let kind = match request.kind {
        RequestKind::Rollback => RequestKind::Rollback,
        RequestKind::Deploy | RequestKind::Retry { .. } => RequestKind::Retry { of: number },
    };
    let wish = Wish {
        asked,
        service,
        environment,
        sha: request.sha.clone(),
        open_head: request.open_head,
        kind,
        reason: request.reason.clone(),
        is_dry: retry.dry_run,
    };
    deploy::ask(sitting, &wish, outcome);
    Ok(())
}
