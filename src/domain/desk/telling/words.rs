//! The comment about a request. One comment tells it all, and is changed as things move.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::domain::desk::known::{named, people};
use crate::domain::desk::sitting::Sitting;
use crate::domain::reason::{Reason, code, link};
use crate::domain::{Ended, Environment, Quorum, Request, RequestKind, State, Trigger};

/// The whole comment about a request as it stands now.
pub(crate) fn request(sitting: &Sitting<'_>, request: &Request, tree: Option<&Reason>) -> String {
    let what = match request.kind {
        RequestKind::Deploy => "Release",
        RequestKind::Rollback => "Rollback",
        RequestKind::Retry { .. } => "Retry",
    };
    let mut text = format!(
        "**{what} #{}**: {} → **{}** at {}\n\n",
        request.number, request.service, request.environment, request.sha
    );
    text.push_str(&state(sitting, request));
    if !request.given.is_empty() {
        let people: Vec<String> = request
            .given
            .iter()
            .map(|given| code(&given.by.login))
            .collect();
        // Writing to a string cannot fail.
        let _written = write!(text, "\n\nApproved by {}.", people.join(", "));
    }
    if let Some(reason) = &request.reason {
        let _written = write!(text, "\n\nReason: {}", code(reason));
    }
    if let Some(tree) = tree {
        let _written = write!(text, "\n\n{}", tree.render());
    }
    text
}

/// A time as people read it.
pub(crate) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn state(sitting: &Sitting<'_>, request: &Request) -> String {
    let number = request.number;
    match &request.state {
        State::Waiting => match named::configured(sitting, request) {
            Some((_, environment)) => waiting(sitting, request, environment),
            None => "⏳ Waiting.".to_owned(),
        },
        State::Departing(flight) if flight.attempt > 1 => {
            format!("🚀 Approved; starting it, try {}.", flight.attempt)
        }
        State::Departing(_) => "🚀 Approved; starting it.".to_owned(),
        State::Unknown(flight) if flight.looks >= 4 => format!(
            "❔ The answer of {} was lost, and no release with our mark {} can be found. \
             Look whether it runs. Nothing is started again by itself: `/cancel #{number}` gives it up, \
             and then `/retry #{number}` asks for it anew.",
            request.repository.forge(),
            code(&flight.correlation)
        ),
        State::Unknown(_) => {
            let forge = request.repository.forge();
            format!("❔ The answer of {forge} was lost; looking whether the release was started.")
        }
        State::Sent(flight) if flight.external.is_none() && flight.looks >= 4 => format!(
            "❔ Started, and its run cannot be found: does the workflow's `run-name` hold the mark {}? \
             `/cancel #{number}` gives it up.",
            code(&flight.correlation)
        ),
        State::Sent(flight) => format!("🚀 {}.", link("Started", &flight.url)),
        State::Running(flight) => format!("🚀 {}.", link("Deploying", &flight.url)),
        State::Ended {
            how,
            at,
            why,
            flight,
        } => {
            let url = flight.as_ref().map_or("", |flight| flight.url.as_str());
            ended(request, *how, (&moment(*at), why, url))
        }
    }
}

fn waiting(sitting: &Sitting<'_>, request: &Request, environment: &Environment) -> String {
    let given: Vec<_> = request
        .given
        .iter()
        .map(|given| (given.by.clone(), given.at))
        .collect();
    let missing = shortage(environment, request);
    if missing.is_empty() {
        if let trigger @ Trigger::GitHub(_) = &environment.trigger {
            return format!("⏳ Approved; waits for a run to reach the {trigger}.");
        }
        return "⏳ Approved.".to_owned();
    }
    let needed: u32 = environment.approvals.values().sum();
    let wanted: Vec<String> = missing
        .iter()
        .map(|(role, count)| format!("{count} × {}", people::who(sitting, role)))
        .collect();
    format!(
        "⏳ Waiting for approval, {} of {needed}. Missing: {}. Say `/approve #{}`. It expires at {}.",
        given.len().min(needed as usize),
        wanted.join("; "),
        request.number,
        moment(request.expires_at)
    )
}

/// Places that nobody has filled, from the roles that were held when the approvals were given.
pub(crate) fn shortage(
    environment: &Environment,
    request: &Request,
) -> std::collections::BTreeMap<crate::domain::RoleName, u32> {
    use crate::domain::policy::{Approval, Holding, authorize};

    let approvals = request.given.iter().filter_map(|given| {
        let holdings = given
            .roles
            .iter()
            .map(|role| (role.clone(), Holding::Held(String::new())))
            .collect();
        let by = authorize(&given.by, &holdings, None).ok()?;
        Some(Approval::new(by, given.at))
    });
    Quorum::gather(approvals.collect(), environment)
        .err()
        .map(|shortage| shortage.missing)
        .unwrap_or_default()
}

fn ended(request: &Request, how: Ended, (at, why, url): (&str, &str, &str)) -> String {
    let number = request.number;
    let environment = &request.environment;
    match how {
        Ended::Succeeded => format!("✅ {} in **{environment}** since {at}.", link("Live", url)),
        Ended::Failed => format!(
            "❌ {}: {why}. `/retry #{number}` asks for it again; `/rollback {environment}` goes back.",
            link("Failed", url)
        ),
        Ended::Cancelled => format!("⏹️ Cancelled at {at}: {why}."),
        Ended::Rejected => format!("⛔ Rejected at {at}: {why}."),
        Ended::Expired => format!("⌛ Expired at {at}: {why}. Ask again with `/retry #{number}`."),
        Ended::Superseded => format!("⏭️ Superseded at {at}: {why}."),
        Ended::Voided => {
            format!("⛔ Void since {at}: {why}. What was approved is not what would ship.")
        }
    }
}
