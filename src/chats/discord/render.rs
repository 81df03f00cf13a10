//! Our words as Discord's messages. Every limit of Discord holds for any input, and only those are called whom
//! the configuration names.

use serde_json::{Value, json};
use serenity::builder::{
    CreateActionRow, CreateAllowedMentions, CreateButton, CreateEmbed, CreateEmbedFooter,
    CreateMessage, EditMessage,
};
use serenity::model::application::ButtonStyle;
use serenity::model::channel::Nonce;
use serenity::model::id::RoleId;

use super::text;
use crate::chats::outline::{Outline, Section};
use crate::chats::outside::{one_line, shortened};
use crate::chats::text::{Line, fit, lines};
use crate::chats::{Remark, Shown};
use crate::domain::chat::Weight;
use crate::domain::text::Message;
use crate::domain::{Button, Notice};
use countersign_ground::digest;

/// What Discord takes for the text of a message.
const CONTENT: usize = 2_000;
/// What Discord takes for an embed's title.
const TITLE: usize = 256;
/// Of the 4,096 that Discord takes for an embed's description; with the fields and the rest, an embed stays
/// below its 6,000.
const STATE: usize = 1_100;
const OBSTACLES: usize = 700;
const SHIPS: usize = 2_000;
/// What Discord takes for a field.
const FIELD: usize = 1_000;
/// What Discord takes for the name of a thread.
const THREAD: usize = 100;
/// What Discord takes for a button's label.
const LABEL: usize = 80;
/// What Discord takes for a nonce.
const NONCE: usize = 25;
/// Links unfold nothing below a message.
const SUPPRESS_EMBEDS: u64 = 1 << 2;
/// Only the requester sees it.
const EPHEMERAL: u64 = 1 << 6;

const ELLIPSIS: &str = "…";
const CUT: &str = "… (shortened)";

/// A new message about a notice.
pub(super) fn notice(notice: &Notice, shown: Shown<'_>) -> Value {
    let outline = Outline::of(notice, shown.anchor, text::command);
    let mut message = CreateMessage::new()
        .embed(embed(&outline))
        .allowed_mentions(mentions(shown.call))
        .components(rows(&outline.buttons))
        .nonce(nonce(shown.token))
        .enforce_nonce(true);
    if let Some(call) = role(shown.call) {
        message = message.content(called(call));
    }
    spelled(&message)
}

/// A message about a notice, as it is now. A change calls nobody, and nothing of before stays.
pub(super) fn change(notice: &Notice, shown: Shown<'_>) -> Value {
    let outline = Outline::of(notice, shown.anchor, text::command);
    let message = EditMessage::new()
        .content(role(shown.call).map(called).unwrap_or_default())
        .embed(embed(&outline))
        .allowed_mentions(mentions(shown.call))
        .components(rows(&outline.buttons));
    spelled(&message)
}

/// Something that is said in a channel or a thread.
pub(super) fn remark(remark: &Remark<'_>) -> Value {
    let lines = lines(remark.text, text::command);
    let call = role(remark.call).map(called).unwrap_or_default();
    let mut message = CreateMessage::new()
        .allowed_mentions(mentions(remark.call))
        .nonce(nonce(remark.token))
        .enforce_nonce(true);
    if let Some(kind) = remark.kind {
        let mood = kind.mood();
        let embed = CreateEmbed::new()
            .title(format!("{} {}", mood.symbol, mood.word))
            .colour(mood.colour)
            .description(fit(&lines, CONTENT, CUT, text::write));
        message = message.embed(embed).content(call);
    } else {
        let room = CONTENT - 40;
        let text = said(&lines, room);
        let parted = if call.is_empty() { "" } else { " " };
        message = message.content(format!("{call}{parted}{text}"));
    }
    let mut message = spelled(&message);
    if remark.kind.is_none() {
        message["flags"] = json!(SUPPRESS_EMBEDS);
    }
    message
}

/// An answer that only one person sees.
pub(super) fn reply(message: &Message, buttons: &[Button]) -> Value {
    let lines = lines(message, text::command);
    let message = CreateMessage::new()
        .content(said(&lines, CONTENT))
        .allowed_mentions(mentions(None))
        .components(rows(buttons));
    let mut message = spelled(&message);
    message["flags"] = json!(EPHEMERAL | SUPPRESS_EMBEDS);
    // What webhooks do not know.
    if let Value::Object(fields) = &mut message {
        for unknown in ["enforce_nonce", "sticker_ids"] {
            fields.remove(unknown);
        }
    }
    message
}

/// Lines as the text of a message, which Discord does not take when it is empty.
fn said(lines: &[Line], room: usize) -> String {
    let text = fit(lines, room, CUT, text::write);
    if text.trim().is_empty() {
        return "(nothing)".to_owned();
    }
    text
}

/// A thread below a message.
pub(super) fn thread(title: &str) -> Value {
    let mut name = shortened(&one_line(title), THREAD);
    if name.is_empty() {
        "Release".clone_into(&mut name);
    }
    json!({ "name": name, "auto_archive_duration": 1_440 })
}

fn embed(outline: &Outline) -> CreateEmbed {
    let mut description = fit(&outline.state, STATE, ELLIPSIS, text::write);
    let mut embed = CreateEmbed::new()
        .title(shortened(&text::escaped(&outline.title), TITLE))
        .colour(outline.mood.colour);
    for Section { name, lines } in &outline.sections {
        // What may be long goes where there is room for it.
        let room = match *name {
            "What ships" => Some(SHIPS),
            "In the way" => Some(OBSTACLES),
            _ => None,
        };
        if let Some(room) = room {
            let part = fit(lines, room, ELLIPSIS, text::write);
            description.push_str(&format!("\n\n**{name}**\n{part}"));
        } else {
            embed = embed.field(*name, fit(lines, FIELD, ELLIPSIS, text::write), false);
        }
    }
    if let Some(footer) = &outline.footer {
        embed = embed.footer(CreateEmbedFooter::new(text::apart(footer)));
    }
    embed.description(description)
}

fn rows(buttons: &[Button]) -> Vec<CreateActionRow> {
    let button = |button: &Button| {
        CreateButton::new(button.spelled())
            .label(shortened(button.label(), LABEL))
            .style(match button.weight() {
                Weight::Good => ButtonStyle::Success,
                Weight::Danger => ButtonStyle::Danger,
                Weight::Plain => ButtonStyle::Secondary,
            })
    };
    buttons
        .chunks(5)
        .take(5)
        .map(|row| CreateActionRow::Buttons(row.iter().map(button).collect()))
        .collect()
}

/// Whom to call, if it is a role's id. Zero is none, and the builders refuse it loudly.
fn role(call: Option<&str>) -> Option<RoleId> {
    let call = call?;
    let is_id = call.len() <= 20 && call.bytes().all(|b| b.is_ascii_digit());
    let id: u64 = call.parse().ok().filter(|_| is_id)?;
    (id > 0).then(|| RoleId::new(id))
}

fn called(role: RoleId) -> String {
    format!("<@&{role}>")
}

/// Only the role. Said every time, because without it Discord calls all who are named.
fn mentions(call: Option<&str>) -> CreateAllowedMentions {
    CreateAllowedMentions::new().roles(role(call))
}

/// The same for every attempt: Discord posts a message once for each nonce.
fn nonce(token: &str) -> Nonce {
    let mut digest = digest::sha256_hex(token.as_bytes());
    digest.truncate(NONCE);
    Nonce::String(digest)
}

fn spelled(message: &impl serde::Serialize) -> Value {
    // Only maps with keys that are not text can fail, and there are none.
    serde_json::to_value(message).unwrap_or_default()
}

#[cfg(test)]
mod tests;
