//! The comment about a request. One comment tells it all, and is changed as things move.

use jiff::Timestamp;

use crate::domain::desk::known::destination::between;
use crate::domain::desk::known::{named, people};
use crate::domain::desk::sitting::Sitting;
use crate::domain::reason::Reason;
use crate::domain::text::{Message, Text, code, command, commit, link, person, strong, text};
use crate::domain::{Ended, Environment, Quorum, Request, RequestKind, State};

/// The whole comment about a request as it stands now.
pub(crate) fn request(sitting: &Sitting<'_>, request: &Request, tree: Option<&Reason>) -> Message {
    let what = match request.kind {
        RequestKind::Deploy => "Release",
        RequestKind::Rollback => "Rollback",
        RequestKind::Retry { .. } => "Retry",
    };
    let mut message = Message::from(text![
        strong(&format!("{what} #{}", request.number)),
        ": ",
        between(&request.service, &request.environment),
        " at ",
        commit(request.sha.as_str())
    ]);
    message.say(state(sitting, request));
    if !request.given.is_empty() {
        let people = request.given.iter().map(|given| person(&given.by));
        message.say(text!["Approved by ", Text::joined(people, ", "), "."]);
    }
    if let Some(reason) = &request.reason {
        message.say(text!["Reason: ", code(reason)]);
    }
    if let Some(tree) = tree {
        message.append(tree.parts());
    }
    message
}

fn state(sitting: &Sitting<'_>, request: &Request) -> Text {
    let number = request.number;
    let forge = request.repository.forge();
    match &request.state {
        State::Waiting => match named::configured(sitting, request) {
            Some(place) => waiting(sitting, request, place.environment),
            None => "⏳ Waiting.".into(),
        },
        State::Departing(flight) if flight.attempt > 1 => {
            format!("🚀 Approved; starting it, try {}.", flight.attempt).into()
        }
        State::Departing(_) => "🚀 Approved; starting it.".into(),
        State::Unknown(flight) if flight.looks >= 4 => text![
            format!("❔ The answer of {forge} was lost, and no release with our mark "),
            code(&flight.correlation),
            " can be found. See whether it is running. Countersign starts nothing again by itself: ",
            command(format!("/cancel #{number}")),
            " gives it up, and then ",
            command(format!("/retry #{number}")),
            " asks for it anew."
        ],
        State::Unknown(_) => {
            format!("❔ The answer of {forge} was lost; looking whether the release was started.")
                .into()
        }
        State::Sent(flight) if flight.external.is_none() && flight.looks >= 4 => text![
            "❔ Started, and its run cannot be found: does the workflow's ",
            code("run-name"),
            " hold the mark ",
            code(&flight.correlation),
            "? ",
            command(format!("/cancel #{number}")),
            " gives it up."
        ],
        State::Sent(flight) => text!["🚀 ", link("Started", &flight.url), "."],
        State::Running(flight) => text!["🚀 ", link("Deploying", &flight.url), "."],
        State::Ended {
            how,
            at,
            why,
            flight,
        } => {
            let url = flight.as_ref().map_or("", |flight| flight.url.as_str());
            ended(request, *how, *at, why, url)
        }
    }
}

fn waiting(sitting: &Sitting<'_>, request: &Request, environment: &Environment) -> Text {
    let missing = shortage(environment, request);
    if missing.is_empty() {
        let trigger = &environment.trigger;
        if trigger.kind().waits_at().is_some() {
            return format!("⏳ Approved; waits for a run to reach the {trigger}.").into();
        }
        return "⏳ Approved.".into();
    }
    let needed: u32 = environment.approvals.values().sum();
    text![
        format!(
            "⏳ Waiting for approval, {} of {needed}. Missing: ",
            request.given.len().min(needed as usize)
        ),
        wanted(sitting, &missing),
        ". Say ",
        command(format!("/approve #{}", request.number)),
        ". It expires at ",
        request.expires_at,
        "."
    ]
}

/// Roles that are missing, how often, and who has them.
pub(crate) fn wanted(
    sitting: &Sitting<'_>,
    missing: &std::collections::BTreeMap<crate::domain::RoleName, u32>,
) -> Text {
    let parts = missing
        .iter()
        .map(|(role, count)| text![format!("{count} × "), people::who(sitting, role)]);
    Text::joined(parts, "; ")
}

/// Places that no approval fills, from the roles that were held when the approvals were given.
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

fn ended(request: &Request, how: Ended, at: Timestamp, why: &Text, url: &str) -> Text {
    let again = || command(format!("/retry #{}", request.number));
    let environment = &request.environment;
    match how {
        Ended::Succeeded => text![
            "✅ ",
            link("Live", url),
            " in ",
            strong(environment),
            " since ",
            at,
            "."
        ],
        Ended::Failed => text![
            "❌ ",
            link("Failed", url),
            ": ",
            why,
            ". ",
            again(),
            " asks for it again; ",
            command(format!("/rollback {environment}")),
            " goes back."
        ],
        Ended::Cancelled => text!["⏹️ Cancelled at ", at, ": ", why, "."],
        Ended::Rejected => text!["⛔ Rejected at ", at, ": ", why, "."],
        Ended::Expired => text![
            "⌛ Expired at ",
            at,
            ": ",
            why,
            ". Ask again with ",
            again(),
            "."
        ],
        Ended::Superseded => text!["⏭️ Superseded at ", at, ": ", why, "."],
        Ended::Voided => text![
            "⛔ Void since ",
            at,
            ": ",
            why,
            ". What was approved is not what would ship."
        ],
    }
}
