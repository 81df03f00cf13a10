//! Interactions: what a stored one means. Interpreting it never panics: it has a meaning, or a sentence about
//! what cannot be read.

use super::payload::{Data, Interaction};
use crate::chats::json;
use crate::domain::command;
use crate::domain::{Act, Button, Chat, Handle, Incoming, Said, Speaker, Spot};

/// Says what a stored body means. The lot is what a new link's code is made of.
pub fn interpret(event: &str, body: &[u8], lot: &str) -> Result<Vec<Incoming>, String> {
    if !matches!(event, "command" | "component" | "modal") {
        return Ok(vec![Incoming::NotOurs(event.to_owned())]);
    }
    let interaction: Interaction = json::object(body).map_err(|why| format!("{event}: {why}"))?;
    let Some(spot) = spot(&interaction) else {
        let why = "it was not said by a member of a server";
        return Ok(vec![Incoming::NotOurs(why.to_owned())]);
    };
    let Some(data) = &interaction.data else {
        return Err(format!("{event}: data is missing"));
    };
    let act = match event {
        "command" => commanded(data),
        _ => pressed(data),
    };
    Ok(vec![Incoming::Said(Said {
        spot,
        // A server is shared with nobody: who is in it is a member.
        home: None,
        act: act.ok_or_else(|| format!("{event}: data says nothing"))?,
        lot: lot.to_owned(),
    })])
}

fn spot(interaction: &Interaction) -> Option<Spot> {
    let user = &interaction.member.as_ref()?.user;
    let name = user.global_name.as_ref().or(user.username.as_ref());
    Some(Spot {
        speaker: Speaker {
            chat: Chat::Discord,
            tenant: interaction.guild_id.as_ref()?.to_string(),
            user: user.id.to_string(),
            name: name.cloned().unwrap_or_default(),
        },
        channel: interaction.channel_id.as_ref()?.to_string(),
        id: interaction.id.to_string(),
        handle: Handle::Discord {
            token: interaction.token.clone()?,
        },
        said_at: interaction.id.made_at()?,
    })
}

fn commanded(data: &Data) -> Option<Act> {
    let name = data.name.as_deref()?;
    let line = command::line(name, &given(data));
    Some(line.map_or_else(|| Act::Strange(format!("/{name}")), Act::Command))
}

/// The parts that were filled in.
pub(super) fn given(data: &Data) -> Vec<(String, String)> {
    let options = data.options.iter().flatten();
    options
        .filter_map(|option| Some((option.name.clone(), option.text()?)))
        .collect()
}

fn pressed(data: &Data) -> Option<Act> {
    let id = data.custom_id.as_deref()?;
    let Some(button) = Button::parse(id) else {
        return Some(Act::Strange(id.to_owned()));
    };
    let mut components = data.components.iter().flatten();
    let reason = components.find_map(|component| component.text());
    Some(Act::Press {
        button,
        reason: reason.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests;
