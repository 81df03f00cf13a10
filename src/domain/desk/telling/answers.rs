//! Answers to people: in a comment, or to one person alone in a chat.

use crate::domain::desk::Outcome;
use crate::domain::desk::sitting::Sitting;
use crate::domain::reason::{Reason, Rule};
use crate::domain::text::{Message, Text, command, strong, text, ticked};
use crate::domain::{
    Action, Actor, Asked, Button, Entry, InChat, Misunderstood, OnForge, Reaction, Spot, Surface,
};

/// What a person reads, and the reaction that goes with it.
pub(crate) struct Answer {
    text: Message,
    reaction: Option<Reaction>,
}

impl Answer {
    pub(crate) fn said(text: impl Into<Message>) -> Self {
        Self {
            text: text.into(),
            reaction: None,
        }
    }

    pub(crate) fn refused(text: impl Into<Message>) -> Self {
        Self {
            text: text.into(),
            reaction: Some(Reaction::Confused),
        }
    }

    /// A person whom nobody knows is answered with one call.
    pub(crate) fn without_reaction(self) -> Self {
        Self {
            reaction: None,
            ..self
        }
    }

    /// A refusal in one sentence.
    pub(crate) fn refused_at_once(about: impl Into<Text>) -> Self {
        Self::refused_because(about, Message::default())
    }

    /// A refusal with what it is about, and the reasons for it.
    pub(crate) fn refused_because(about: impl Into<Text>, reasons: Message) -> Self {
        let mut message = Message::from(text![strong("Refused"), about]);
        message.append(reasons);
        Self::refused(message)
    }
}

/// Names the conversation about a command.
pub(crate) fn thread(asked: &Asked) -> String {
    match &asked.origin {
        Surface::Comment(place) => format!(
            "{}/comment/{}/{}",
            place.repository.id, place.comment, asked.ordinal
        ),
        Surface::Chat(spot) => format!(
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
        Surface::Comment(place) => {
            outcome.plan(
                format!("{thread}/say"),
                OnForge::Say {
                    place: place.clone(),
                    thread: thread.clone(),
                    text: answer.text,
                },
            );
            if let Some(reaction) = answer.reaction {
                outcome.plan(
                    format!("{thread}/{}", reaction.as_str()),
                    OnForge::React {
                        place: place.clone(),
                        reaction,
                    },
                );
            }
        }
        Surface::Chat(spot) => outcome.plan(
            format!("{thread}/reply"),
            InChat::Reply {
                spot: spot.clone(),
                text: answer.text,
                buttons: Vec::new(),
            },
        ),
    }
}

pub(crate) fn refuse(sitting: &Sitting<'_>, asked: &Asked, reason: &Reason, outcome: &mut Outcome) {
    outcome.entries.push(
        sitting
            .entry(Action::Refused, Actor::from(&asked.author))
            .with_private("command", asked.found.line.as_str())
            .with("why", reason.detail()),
    );
    let refused = Answer::refused_because("", reason.item());
    answer(asked, refused, outcome);
}

/// Why a line is no command of ours, and how it is written.
pub(crate) fn misunderstood(mistake: &Misunderstood) -> Reason {
    let usage = text!["Say it like this: ", command(mistake.usage.as_str())];
    Reason::refuses(Rule::COMMAND, ticked(&mistake.says)).help(usage)
}

/// Says no to a speaker, linked or not.
pub(crate) fn turn_away(
    sitting: &Sitting<'_>,
    spot: &Spot,
    line: &str,
    reason: &Reason,
    outcome: &mut Outcome,
) {
    let short: String = line.chars().take(300).collect();
    let entry = stranger(sitting, Action::Refused, spot)
        .with_private("command", short)
        .with("why", reason.detail());
    outcome.entries.push(entry);
    let refused = Answer::refused_because("", reason.item());
    reply(spot, refused.text, Vec::new(), outcome);
}

pub(crate) fn answer_stranger(
    sitting: &Sitting<'_>,
    spot: &Spot,
    line: &str,
    text: Message,
    outcome: &mut Outcome,
) {
    let entry = stranger(sitting, Action::Answered, spot);
    outcome.entries.push(entry.with_private("command", line));
    reply(spot, text, Vec::new(), outcome);
}

/// An entry by a speaker of whom only the chat's account is known.
pub(crate) fn stranger(sitting: &Sitting<'_>, action: Action, spot: &Spot) -> Entry {
    let entry = sitting.entry(action, Actor::from(&spot.speaker));
    entry.with("channel", spot.channel.as_str())
}

/// An entry about what was said in a chat says so.
pub(crate) fn via(entry: Entry, spot: &Spot) -> Entry {
    let entry = entry.with("channel", spot.channel.as_str());
    spot.speaker.noted_in(entry)
}

/// Answers, so that only the speaker sees it.
pub(crate) fn reply(
    spot: &Spot,
    text: impl Into<Message>,
    buttons: Vec<Button>,
    outcome: &mut Outcome,
) {
    outcome.plan(
        format!("{}/reply", reply_token(spot)),
        InChat::Reply {
            spot: spot.clone(),
            text: text.into(),
            buttons,
        },
    );
}

pub(crate) fn reply_token(spot: &Spot) -> String {
    let speaker = &spot.speaker;
    format!("{}/{}/{}", speaker.chat.as_str(), speaker.tenant, spot.id)
}
