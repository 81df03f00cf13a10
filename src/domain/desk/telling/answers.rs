//! Answers to people: in a comment, or to one person alone in a chat.

use crate::domain::command::as_written_on;
use crate::domain::desk::Outcome;
use crate::domain::desk::sitting::Sitting;
use crate::domain::reason::Reason;
use crate::domain::{Action, Actor, Asked, Button, Effect, Entry, Origin, Reaction, Spot};

/// What a person reads, and the reaction that goes with it.
pub(crate) struct Answer {
    text: String,
    reaction: Option<Reaction>,
}

impl Answer {
    pub(crate) fn said(text: String) -> Self {
        Self {
            text,
            reaction: None,
        }
    }

    pub(crate) fn refused(text: String) -> Self {
        Self {
            text,
            reaction: Some(Reaction::Confused),
        }
    }
}

/// Names the conversation about a command.
pub(crate) fn thread(asked: &Asked) -> String {
    match &asked.origin {
        Origin::Comment(place) => format!(
            "{}/comment/{}/{}",
            place.repository.id, place.comment, asked.ordinal
        ),
        Origin::Chat(spot) => format!(
            "{}/{}/{}",
            spot.speaker.chat.as_str(),
            spot.speaker.tenant,
            spot.id
        ),
    }
}

/// Answers a command that led to no request.
pub(crate) fn answer(asked: &Asked, answer: Answer, outcome: &mut Outcome) {
    let thread = thread(asked);
    match &asked.origin {
        Origin::Comment(place) => {
            outcome.plan(
                format!("{thread}/say"),
                Effect::Say {
                    place: place.clone(),
                    thread: thread.clone(),
                    text: as_written_on(place.repository.forge(), answer.text),
                },
            );
            if let Some(reaction) = answer.reaction {
                outcome.plan(
                    format!("{thread}/{}", reaction.as_str()),
                    Effect::React {
                        place: place.clone(),
                        reaction,
                    },
                );
            }
        }
        Origin::Chat(spot) => outcome.plan(
            format!("{thread}/reply"),
            Effect::Reply {
                spot: spot.clone(),
                text: answer.text,
                buttons: Vec::new(),
            },
        ),
    }
}

pub(crate) fn refuse(sitting: &Sitting<'_>, asked: &Asked, reason: Reason, outcome: &mut Outcome) {
    outcome.entries.push(
        sitting
            .entry(Action::Refused, Actor::person(&asked.author))
            .with_private("command", asked.found.line.as_str())
            .with_private("why", reason.detail()),
    );
    let text = format!("**Refused**\n\n{}", Reason::of("", vec![reason]).render());
    answer(asked, Answer::refused(text), outcome);
}

/// Says no to somebody who may be nobody to us.
pub(crate) fn turn_away(
    sitting: &Sitting<'_>,
    spot: &Spot,
    line: &str,
    reason: Reason,
    outcome: &mut Outcome,
) {
    let short: String = line.chars().take(300).collect();
    let entry = stranger(sitting, Action::Refused, spot)
        .with_private("command", short)
        .with_private("why", reason.detail());
    outcome.entries.push(entry);
    let text = format!("**Refused**\n\n{}", Reason::of("", vec![reason]).render());
    reply(spot, text, Vec::new(), outcome);
}

pub(crate) fn answer_stranger(
    sitting: &Sitting<'_>,
    spot: &Spot,
    line: &str,
    text: String,
    outcome: &mut Outcome,
) {
    let entry = stranger(sitting, Action::Answered, spot);
    outcome.entries.push(entry.with_private("command", line));
    reply(spot, text, Vec::new(), outcome);
}

/// An entry by somebody of whom only the chat's account is known.
pub(crate) fn stranger(sitting: &Sitting<'_>, action: Action, spot: &Spot) -> Entry {
    let entry = sitting.entry(action, Actor::in_chat(&spot.speaker));
    entry.with("channel", spot.channel.as_str())
}

/// An entry about what was said in a chat says so.
pub(crate) fn via(entry: Entry, spot: &Spot) -> Entry {
    entry
        .with_speaker(&spot.speaker)
        .with("channel", spot.channel.as_str())
}

/// Answers, so that only whoever spoke sees it.
pub(crate) fn reply(spot: &Spot, text: String, buttons: Vec<Button>, outcome: &mut Outcome) {
    outcome.plan(
        format!("{}/reply", reply_token(spot)),
        Effect::Reply {
            spot: spot.clone(),
            text,
            buttons,
        },
    );
}

pub(crate) fn reply_token(spot: &Spot) -> String {
    let speaker = &spot.speaker;
    format!("{}/{}/{}", speaker.chat.as_str(), speaker.tenant, spot.id)
}
