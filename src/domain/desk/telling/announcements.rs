//! Announcements, made without being asked for: a stage that failed, a release that was not approved here, an effect
//! that was given up.

use crate::domain::desk::Outcome;
use crate::domain::desk::known::repositories;
use crate::domain::desk::known::sighted::Sighted;
use crate::domain::desk::sitting::Sitting;
use crate::domain::gates::StageView;
use crate::domain::text::{Text, code, commit, named, text};
use crate::domain::{
    Action, Actor, Candidate, Colour, Effect, Happening, InChat, Planned, Repository, Service,
    Subscription,
};

pub(crate) fn announce_stage(
    sitting: &Sitting<'_>,
    service: &Service,
    candidate: &Candidate,
    view: &StageView,
    outcome: &mut Outcome,
) {
    let red = view
        .gates
        .iter()
        .filter(|gate| gate.colour == Colour::Red)
        .map(|gate| code(&gate.label));
    let text = text![
        format!("{}: {} failed at ", service.name, view.name),
        commit(candidate.sha.short()),
        " ",
        code(&candidate.title),
        ": ",
        Text::joined(red, ", ")
    ];
    let what = format!("{}/{}/{}", service.name, candidate.sha, view.name);
    announce(
        sitting,
        service,
        (Happening::StageFailed, &what),
        &text,
        outcome,
    );
}

pub(crate) fn announce_unexplained(
    sitting: &Sitting<'_>,
    sighted: &Sighted<'_>,
    outcome: &mut Outcome,
) {
    let text = text![
        sighted.place.at(sighted.sha),
        " was released without an approval, by ",
        named(&sighted.by)
    ];
    let what = format!(
        "{}/{}/{}",
        sighted.place.service.name, sighted.place.environment.name, sighted.what
    );
    let kind = (Happening::Unexplained, what.as_str());
    announce(sitting, sighted.place.service, kind, &text, outcome);
}

/// An effect was given up; an operator must look.
pub(crate) fn gave_up(
    sitting: &Sitting<'_>,
    outbox: i64,
    what: &str,
    problem: &str,
    repository: &Repository,
) -> Outcome {
    let mut outcome = Outcome::default();
    let services = repositories::services_at(sitting, repository, &mut outcome).unwrap_or_default();
    let text = text![
        code(what),
        " was given up: ",
        code(problem),
        ". ",
        code("countersign outbox list"),
        " shows it."
    ];
    let mut told = Vec::new();
    for service in services {
        for one in &service.notify {
            if told.contains(&&one.channel) {
                continue;
            }
            told.push(&one.channel);
            announce_at(
                sitting,
                one,
                (Happening::Parked, &outbox.to_string()),
                &text,
                &mut outcome,
            );
        }
    }
    if outcome.effects.is_empty() {
        return Outcome::ignored("no channel is told");
    }
    let entry = sitting.entry(Action::Answered, Actor::Countersign);
    outcome
        .entries
        .push(entry.with("outbox", outbox.to_string()));
    outcome
}

fn announce(
    sitting: &Sitting<'_>,
    service: &Service,
    kind: (Happening, &str),
    text: &Text,
    outcome: &mut Outcome,
) {
    for one in &service.notify {
        announce_at(sitting, one, kind, text, outcome);
    }
}

fn announce_at(
    sitting: &Sitting<'_>,
    one: &Subscription,
    (happening, what): (Happening, &str),
    text: &Text,
    outcome: &mut Outcome,
) {
    if !one.on.contains(&happening) {
        return;
    }
    let quiet = one
        .quiet
        .as_ref()
        .filter(|_| happening == Happening::StageFailed);
    outcome.effects.push(Planned {
        token: format!(
            "{}/{}/{what}/{}",
            happening.as_str(),
            one.channel,
            sitting.now.as_microsecond()
        ),
        effect: Effect::Chat(InChat::Remark {
            channel: one.channel.clone(),
            notice: None,
            kind: Some(happening),
            text: text.clone().into(),
            call: None,
        }),
        not_before: quiet.and_then(|quiet| quiet.end(sitting.now)),
        is_back: false,
    });
}
