//! Rollbacks and retries: what they ask to release.

use crate::domain::command::{Retry, Rollback};
use crate::domain::desk::Outcome;
use crate::domain::desk::asked::deploy::{self, Meant, Wish};
use crate::domain::desk::known::destination::Destination;
use crate::domain::desk::known::named;
use crate::domain::desk::sitting::Sitting;
use crate::domain::reason::{Reason, Rule};
use crate::domain::text::{command, text};
use crate::domain::{Asked, Ended, Request, RequestKind, Service, Sha};

pub(crate) fn roll_back(
    sitting: &Sitting<'_>,
    asked: &Asked,
    place: Destination<'_>,
    rollback: &Rollback,
    outcome: &mut Outcome,
) -> Result<(), Reason> {
    let sha = match &rollback.target {
        Some(target) => deploy::target(sitting, asked, place, Some(target))?.sha,
        None => before_live(sitting, place).ok_or_else(|| {
            let says = text![
                "nothing else was released to ",
                place.name(),
                " from here before"
            ];
            let by_name = command(format!("/rollback {} SHA", place.environment.name));
            Reason::refuses(Rule::DIRECTION, says).help(text!["Name a commit: ", by_name, "."])
        })?,
    };
    let wish = Wish {
        asked,
        place,
        meant: sha.into(),
        kind: RequestKind::Rollback,
        reason: rollback.reason.as_ref().map(ToString::to_string),
        is_dry: rollback.dry_run,
    };
    deploy::ask(sitting, &wish, outcome);
    Ok(())
}

/// What was live before what is live now was released for the first time.
fn before_live(sitting: &Sitting<'_>, place: Destination<'_>) -> Option<Sha> {
    let (service, environment) = (place.service, place.environment);
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
    retry: &Retry,
    outcome: &mut Outcome,
) -> Result<(), Reason> {
    let Some(number) = retry.request else {
        let help = text!["Say ", command("/retry #N"), "."];
        return Err(Reason::refuses(Rule::COMMAND, "which request?").help(help));
    };
    let is_over = |request: &Request| {
        request
            .ended()
            .is_some_and(|how| how != Ended::Succeeded && how != Ended::Superseded)
    };
    let request = named::waiting(sitting, asked, services, Some(number), is_over)?;
    let Some(place) = named::configured(sitting, &request) else {
        let says = format!("what #{number} asked for is not configured any more");
        return Err(Reason::refuses(Rule::STATE, says));
    };
    let kind = match request.kind {
        RequestKind::Rollback => RequestKind::Rollback,
        RequestKind::Deploy | RequestKind::Retry { .. } => RequestKind::Retry { of: number },
    };
    let wish = Wish {
        asked,
        place,
        meant: Meant {
            sha: request.sha.clone(),
            open_head: request.open_head,
        },
        kind,
        reason: request.reason.clone(),
        is_dry: retry.dry_run,
    };
    deploy::ask(sitting, &wish, outcome);
    Ok(())
}
