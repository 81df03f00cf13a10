//! Requests: what a stored one of Slack's means. Interpreting it never panics: it has a meaning, or a sentence
//! about what cannot be read.

use jiff::Timestamp;

use super::payload::{Carried, Id, Interaction, Request, Slash, View};
use super::way_back;
use crate::domain::{Act, Button, Handle, Incoming, Said, Spot};

/// Says what a stored body means. Slack does not tell when something was said, so it was when it came. The lot
/// is what a new link's code is made of.
pub fn interpret(
    event: &str,
    body: &[u8],
    received_at: Timestamp,
    lot: &str,
) -> Result<Vec<Incoming>, String> {
    if !matches!(event, "command" | "actions" | "view") {
        return Ok(vec![not_ours(event)]);
    }
    let request = Request::read(body).map_err(|why| format!("{event}: {why}"))?;
    let (Some(speaker), Some(id)) = (request.speaker(), request.id()) else {
        return Err(format!("{event}: it does not say who did what"));
    };
    let mut handle = request.handle();
    let (channel, act) = match &request {
        Request::Slash(slash) => (slash.channel_id.to_string(), Act::Command(line(slash))),
        Request::Interaction(interaction) => match event {
            "view" => {
                let Some(sent) = interaction.view.as_ref().and_then(sent) else {
                    return Ok(vec![not_ours("a form that is not ours")]);
                };
                let (carried, act) = sent;
                handle = back(handle, carried.response);
                (carried.channel, act)
            }
            _ => match pressed(interaction) {
                Some(pressed) => pressed,
                None => return Ok(vec![not_ours("nothing was pressed in a channel")]),
            },
        },
    };
    Ok(vec![Incoming::Said(Said {
        spot: Spot {
            speaker,
            channel,
            id,
            handle,
            said_at: received_at,
        },
        home: request.home(),
        act,
        lot: lot.to_owned(),
    })])
}

fn not_ours(why: &str) -> Incoming {
    Incoming::NotOurs(why.to_owned())
}

/// A slash command as it would be written in a comment. `/countersign` stands before any command, because some
/// names belong to Slack.
fn line(slash: &Slash) -> String {
    // Slack escapes these three, and nothing else.
    let text = slash.text.as_deref().unwrap_or_default();
    let text = text.replace("&lt;", "<").replace("&gt;", ">");
    let text = text.replace("&amp;", "&").replace(['\r', '\n'], " ");
    let text = text.trim();
    let line = match (slash.command.as_str(), text) {
        ("/countersign", "") => "/help".to_owned(),
        ("/countersign", text) if text.starts_with('/') => text.to_owned(),
        ("/countersign", text) => format!("/{text}"),
        (command, text) => format!("{command} {text}"),
    };
    line.trim_end().to_owned()
}

/// Which button was pressed, and where.
fn pressed(interaction: &Interaction) -> Option<(String, Act)> {
    let channel = interaction.channel.as_ref()?.id.to_string();
    let id = &interaction.actions.as_ref()?.first()?.action_id;
    let act = match Button::parse(id) {
        // What it asks is asked in a form.
        Some(button) => Act::Press {
            button,
            reason: None,
        },
        None => Act::Strange(id.clone()),
    };
    Some((channel, act))
}

/// A form that was sent: where its button was pressed, and what was filled in.
fn sent(view: &View) -> Option<(Carried, Act)> {
    let carried: Carried = serde_json::from_str(view.private_metadata.as_deref()?).ok()?;
    Id::parse(&carried.channel)?;
    let id = view.callback_id.as_deref()?;
    let Some(button) = Button::parse(id) else {
        return Some((carried, Act::Strange(id.to_owned())));
    };
    let values = view.state.iter().flat_map(|state| state.values.values());
    let reason = values
        .flat_map(|inputs| inputs.values())
        .find_map(|input| input.value.clone());
    let act = Act::Press {
        button,
        // A form that was sent has an answer; without one its button would only ask again.
        reason: Some(reason.unwrap_or_default()),
    };
    Some((carried, act))
}

/// The way back of a form is that of its button.
fn back(handle: Handle, response: Option<String>) -> Handle {
    match handle {
        Handle::Slack { trigger, .. } => Handle::Slack {
            response: response.filter(|path| way_back::is_plain(path)),
            trigger,
        },
        Handle::Discord { .. } => handle,
    }
}

#[cfg(test)]
mod tests;
