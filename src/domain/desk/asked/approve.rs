//! Approvals, rejections and withdrawals.

use crate::domain::desk::asked::deploy;
use crate::domain::desk::examine::{self, Examined};
use crate::domain::desk::known::destination::{Destination, in_full};
use crate::domain::desk::known::digests;
use crate::domain::desk::known::named;
use crate::domain::desk::known::people::{self, refusal};
use crate::domain::desk::release::{ends, follow, runs};
use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::telling::answers::{self, Answer};
use crate::domain::desk::telling::notices;
use crate::domain::desk::{Change, Outcome};
use crate::domain::policy::Unauthorized;
use crate::domain::reason::{Reason, Rule};
use crate::domain::text::{Message, Text, code, person, strong, text, ticked};
use crate::domain::{Action, Actor, Asked, Ended, Flight, Given, OnForge, Request, State};

/// A trigger leaves within a minute after it was decided, or not at all.
const GONE_AFTER: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

/// An approver says yes.
pub(crate) fn approve(
    sitting: &Sitting<'_>,
    asked: &Asked,
    mut request: Request,
    outcome: &mut Outcome,
) {
    let Some(place) = named::configured(sitting, &request) else {
        let why = "the service or the environment is not configured any more";
        return ends::end(sitting, request, Ended::Voided, why, outcome);
    };
    let environment = place.environment;
    let number = request.number;
    if !digests::is_current(sitting, &request, place) {
        let why = digests::what_changed(sitting, &request);
        let about = text![
            ": ",
            in_full(&request),
            " is void, because ",
            ticked(why),
            "."
        ];
        ends::end(sitting, request, Ended::Voided, ticked(why), outcome);
        return answers::answer(asked, Answer::refused_at_once(about), outcome);
    }
    if request.expires_at <= sitting.now {
        let why = "the approvals were not complete in time";
        let about = text![format!(": #{number} expired at "), request.expires_at, "."];
        ends::end(sitting, request, Ended::Expired, why, outcome);
        return answers::answer(asked, Answer::refused_at_once(about), outcome);
    }
    if asked.origin.said_at() < request.origin.said_at() {
        let about = text![
            ": this was written before ",
            in_full(&request),
            " was asked for, and cannot be meant for it."
        ];
        outcome.entries.push(
            sitting
                .about_by(&request, Action::Refused, &asked.author)
                .with("why", "written before the request"),
        );
        return answers::answer(asked, Answer::refused_at_once(about), outcome);
    }
    let giver = &asked.author;
    if request.given.iter().any(|given| given.by.id == giver.id) {
        let about = text![
            ": ",
            person(giver),
            " has already approved ",
            in_full(&request),
            "."
        ];
        outcome.entries.push(
            sitting
                .about_by(&request, Action::Refused, giver)
                .with("why", "approved before"),
        );
        return answers::answer(asked, Answer::refused_at_once(about), outcome);
    }
    let before = request.clone();
    request.given.push(Given {
        by: giver.clone(),
        at: sitting.now,
        roles: environment.approvals.keys().cloned().collect(),
        sha: request.sha.clone(),
        policy: request.policy.clone(),
        comment: asked.origin.comment().map(|place| place.comment),
    });
    let examined = examine::examine_request(sitting, &request, place);
    outcome.changes.extend(examined.changes.iter().cloned());
    let exclusion = people::exclusion(giver, environment, &examined.authors, &request.by);
    let authorized = people::authorize(sitting, giver, environment, &request.repository, exclusion);
    match authorized {
        Ok(authorized) if examined.is_clear() => {
            request.given.pop();
            request
                .given
                .push(deploy::given_by(sitting, asked, &request, &authorized));
        }
        Ok(_) => return refuse_approval(sitting, asked, &before, (&examined, None), outcome),
        Err(why) => {
            return refuse_approval(sitting, asked, &before, (&examined, Some(&why)), outcome);
        }
    }
    for (person, why) in &examined.void {
        request.given.retain(|given| given.by.id != person.id);
        outcome.entries.push(
            sitting
                .about(&request, Action::ApprovalVoided)
                .with_private("person", person.login.as_str())
                .with("number", person.id)
                .with_private("why", why.plain()),
        );
    }
    outcome.entries.push(
        sitting
            .about_by(&request, Action::Approved, giver)
            .with("evidence", examined.evidence.clone()),
    );
    let needed: u32 = environment.approvals.values().sum();
    let filled = examined
        .quorum
        .as_ref()
        .map_or_else(|short| short.filled, |_| needed);
    let mut text = Message::from(text![
        strong("Approved"),
        format!(" #{number} by "),
        person(giver),
        format!(": {filled} of {needed}, for "),
        place.at(&request.sha),
        "."
    ]);
    for (_, why) in &examined.void {
        text.say(text![why, ": that approval does not count any more."]);
    }
    answers::answer(asked, Answer::said(text.clone()), outcome);
    deploy::go_or_wait(sitting, request.clone(), &examined, None, outcome);
    notices::remark(sitting, &request, &text, outcome);
}

fn refuse_approval(
    sitting: &Sitting<'_>,
    asked: &Asked,
    request: &Request,
    (examined, why): (&Examined, Option<&Unauthorized>),
    outcome: &mut Outcome,
) {
    let mut parts = Vec::new();
    if let Some(why) = why {
        let (_, says) = refusal(&asked.author, why);
        let reason = Reason::refuses(Rule::APPROVAL, says);
        parts.push(match named::configured(sitting, request) {
            Some(place) => reason.help(people::others(sitting, place.environment, &asked.author)),
            None => reason,
        });
    }
    let rules = examined.tree.under.iter();
    parts.extend(rules.filter(|part| !part.is_clear()).cloned());
    let tree = Reason::of(Rule::RELEASE, "", parts);
    let about = text![": approval of ", in_full(request)];
    let refused = Answer::refused_because(about, tree.parts());
    outcome.entries.push(
        sitting
            .about_by(request, Action::Refused, &asked.author)
            .with("evidence", examined.evidence.clone())
            .with("why", tree.detail()),
    );
    answers::answer(asked, refused, outcome);
}

/// A person who may stop the request says no.
pub(crate) fn reject(
    sitting: &Sitting<'_>,
    asked: &Asked,
    request: Request,
    reason: Option<&str>,
    outcome: &mut Outcome,
) {
    let why = text![person(&asked.author), " said no", because(reason)];
    let text = text![strong("Rejected"), " ", in_full(&request), "."];
    reject_run(sitting, &request, &why, outcome);
    answers::answer(asked, Answer::said(text), outcome);
    ends::end(sitting, request, Ended::Rejected, why, outcome);
    by(asked, outcome);
}

/// A run that waits for the answer gets it.
fn reject_run(sitting: &Sitting<'_>, request: &Request, why: &Text, outcome: &mut Outcome) {
    let Some(Destination { environment, .. }) = named::configured(sitting, request) else {
        return;
    };
    let trigger = &environment.trigger;
    if let Some(name) = trigger.kind().waits_at()
        && let Ok(Some(waiting)) =
            runs::waiting_run(sitting, (&request.repository, &request.sha), trigger)
    {
        outcome.changes.push(Change::RunGoesOn {
            repository: waiting.repository.id,
            run: waiting.run,
        });
        outcome.plan(
            format!("reject/{}/{}", request.number, waiting.run),
            OnForge::RejectRun {
                repository: waiting.repository,
                run: waiting.run,
                environment: name.to_string(),
                comment: text![format!("#{}: ", request.number), why],
            },
        );
    }
}

/// A person withdraws a request.
pub(crate) fn cancel(
    sitting: &Sitting<'_>,
    asked: &Asked,
    request: Request,
    reason: Option<&str>,
    outcome: &mut Outcome,
) {
    if !request.is_waiting()
        && let Err(reason) = may_give_up(sitting, asked, &request)
    {
        outcome.entries.push(
            sitting
                .about_by(&request, Action::Refused, &asked.author)
                .with("why", reason.detail()),
        );
        let about = text![": ", in_full(&request), " is under way."];
        let refused = Answer::refused_because(about, reason.item());
        return answers::answer(asked, refused, outcome);
    }
    let why = text!["withdrawn by ", person(&asked.author), because(reason)];
    let text = text![strong("Cancelled"), " ", in_full(&request), "."];
    answers::answer(asked, Answer::said(text), outcome);
    ends::end(sitting, request, Ended::Cancelled, why, outcome);
    by(asked, outcome);
}

/// Whether a release that may be running can be given up: by a person who may approve, and only after it was looked
/// for, or nothing was heard of it for long.
fn may_give_up(sitting: &Sitting<'_>, asked: &Asked, request: &Request) -> Result<(), Reason> {
    let place = named::configured(sitting, request);
    if let Some(Destination { environment, .. }) = place {
        named::member(sitting, asked, environment)?;
    }
    let silent_for = |flight: &Flight, periods: i32| {
        let patience = follow::patience(place);
        let patience = patience.saturating_mul(periods);
        sitting.now.duration_since(flight.left_at) > patience
    };
    let may = match &request.state {
        // A trigger that was decided so long ago cannot leave any more.
        State::Departing(flight) => sitting.now.duration_since(flight.left_at) > GONE_AFTER,
        State::Unknown(flight) => flight.looks >= 4 || flight.blind_looks >= 4,
        State::Sent(flight) => silent_for(flight, 1),
        State::Running(flight) => silent_for(flight, 6),
        State::Waiting | State::Ended { .. } => true,
    };
    if may {
        return Ok(());
    }
    let help = format!(
        "Cancel its run in {}; when nothing is heard of it, say this again later.",
        request.repository.forge()
    );
    Err(Reason::refuses(Rule::STATE, "it may be running at this moment").help(help))
}

/// The last entry is the doing of the author of the command.
fn by(asked: &Asked, outcome: &mut Outcome) {
    if let Some(entry) = outcome.entries.last_mut() {
        entry.actor = Actor::from(&asked.author);
    }
}

/// The reason that a person gave, behind what it is for.
pub(crate) fn because(reason: Option<&str>) -> Text {
    reason.map_or_else(Text::default, |reason| text![": ", code(reason)])
}
