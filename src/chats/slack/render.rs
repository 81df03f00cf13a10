//! Our words as Slack's messages. Every limit of Slack holds for any input, and only those are called whom the
//! configuration names. A message has no colour: only attachments have one, and Slack folds those that are
//! long, buttons and all; so the symbol before the title says how it stands.

use serde_json::{Value, json};

use super::payload::Carried;
use super::text;
use crate::chats::outline::{Outline, title};
use crate::chats::outside::{shortened, units};
use crate::chats::text::{Line, Span, fit, lines};
use crate::chats::{Remark, Shown};
use crate::domain::chat::Weight;
use crate::domain::text::Message;
use crate::domain::{Button, Notice};

/// What Slack takes for a header.
const HEADER: usize = 150;
/// What Slack takes for a section.
const SECTION: usize = 3_000;
/// How long the line at the end is at most.
const FOOTER: usize = 500;
/// What is shown where blocks are not.
const FALLBACK: usize = 300;
/// What Slack takes for a button's text.
const LABEL: usize = 75;
/// What Slack takes for a form's title.
const FORM_TITLE: usize = 24;
/// How many sections an answer has at most; a message has fifty blocks.
const SECTIONS: usize = 40;
/// How long a reason is at most.
const REASON: u64 = 400;

const ELLIPSIS: &str = "…";
const CUT: &str = "… (shortened)";

/// A message about a notice: `text` and `blocks`.
pub(super) fn notice(notice: &Notice, shown: Shown<'_>) -> Value {
    let outline = Outline::of(notice, shown.anchor, text::command);
    let mut blocks = Vec::new();
    if let Some(call) = called(shown.call) {
        blocks.push(section(&call));
    }
    let header = shortened(&outline.title, HEADER);
    blocks.push(json!({
        "type": "header",
        "text": { "type": "plain_text", "text": header, "emoji": false },
    }));
    blocks.push(section(&fit(
        &outline.state,
        SECTION,
        ELLIPSIS,
        text::write,
    )));
    for part in &outline.sections {
        let heading = format!("*{}*\n", part.name);
        let room = SECTION - heading.len();
        let lines = fit(&part.lines, room, ELLIPSIS, text::write);
        blocks.push(section(&format!("{heading}{lines}")));
    }
    blocks.extend(actions(&outline.buttons));
    if let Some(footer) = &outline.footer {
        let text = shortened(&text::escaped(footer), FOOTER);
        blocks.push(json!({ "type": "context", "elements": [mrkdwn(&text)] }));
    }
    let fallback = format!(
        "{}, {} {}",
        outline.title,
        notice.sha.short(),
        title(&notice.title)
    );
    json!({ "text": plain(&fallback), "blocks": blocks })
}

/// Something that is said in a channel or a thread: `text` and `blocks`.
pub(super) fn remark(remark: &Remark<'_>) -> Value {
    let mut blocks = Vec::new();
    let mut fallback = String::new();
    let mut first: Vec<String> = called(remark.call).into_iter().collect();
    if let Some(kind) = remark.kind {
        let mood = kind.mood();
        first.push(format!("{} *{}*", mood.symbol, mood.word));
        fallback = format!("{} {}: ", mood.symbol, mood.word);
    }
    if !first.is_empty() {
        blocks.push(section(&first.join(" ")));
    }
    let lines = lines(remark.text, text::command);
    blocks.extend(sections(&lines));
    fallback.push_str(&spoken(&lines));
    json!({ "text": plain(&fallback), "blocks": blocks })
}

/// An answer that only one person sees: `text` and `blocks`.
pub(super) fn reply(message: &Message, buttons: &[Button]) -> Value {
    let lines = lines(message, text::command);
    let mut blocks = sections(&lines);
    blocks.extend(actions(buttons));
    json!({ "text": plain(&spoken(&lines)), "blocks": blocks })
}

/// The form of a button that asks something; nothing if it asks nothing.
pub(super) fn form(button: Button, carried: &Carried) -> Option<Value> {
    let question = button.asks()?;
    let words = |text: &str, most| json!({ "type": "plain_text", "text": shortened(text, most) });
    Some(json!({
        "type": "modal",
        "callback_id": button.spelled(),
        // Only what cannot be written as JSON fails, and there is nothing like that.
        "private_metadata": serde_json::to_string(carried).unwrap_or_default(),
        "title": words(question.title, FORM_TITLE),
        "submit": words(button.label(), FORM_TITLE),
        "close": words("Cancel", FORM_TITLE),
        "blocks": [{
            "type": "input",
            "block_id": "reason",
            "label": words(question.label, SECTION),
            "element": {
                "type": "plain_text_input",
                "action_id": "reason",
                "multiline": true,
                "min_length": 1,
                "max_length": REASON,
            },
        }],
    }))
}

/// Lines in as many sections as they need, within reason.
fn sections(lines: &[Line]) -> Vec<Value> {
    let mut found = Vec::new();
    let mut rest = lines;
    while !rest.is_empty() && found.len() < SECTIONS {
        // As many lines as fit; one that does not fit alone is shortened.
        let mut many = 1;
        let mut used = length(&rest[0]);
        while many < rest.len() && used + 1 + length(&rest[many]) <= SECTION {
            used += 1 + length(&rest[many]);
            many += 1;
        }
        let (these, others) = rest.split_at(many);
        let text = fit(these, SECTION, CUT, text::write);
        if !text.trim().is_empty() {
            found.push(section(text.trim_matches('\n')));
        }
        rest = others;
    }
    if !rest.is_empty() {
        found.push(section(CUT));
    }
    if found.is_empty() {
        found.push(section("(nothing)"));
    }
    found
}

fn length(line: &Line) -> usize {
    units(&text::write(line))
}

/// The first line, for readers who see no blocks. It is escaped, because Slack reads it as its own markup.
fn spoken(lines: &[Line]) -> String {
    let line = lines.iter().find(|line| !line.is_blank());
    let spans = line.into_iter().flat_map(|line| &line.spans);
    spans
        .map(|span| match span {
            Span::Plain(text) | Span::Bold(text) | Span::Code(text) => text.clone(),
            Span::Link { words, .. } => words.clone(),
            Span::Time(at) | Span::Away(at) => at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        })
        .collect()
}

/// The text of a message that has blocks: only notifications show it, and it mentions no one.
fn plain(text: &str) -> String {
    let text = text::escaped(&shortened(text, FALLBACK));
    if text.is_empty() {
        return "Countersign".to_owned();
    }
    text
}

fn section(text: &str) -> Value {
    json!({ "type": "section", "text": mrkdwn(text) })
}

/// Verbatim, so that Slack does not look for addresses and channels in it.
fn mrkdwn(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": text, "verbatim": true })
}

fn actions(buttons: &[Button]) -> Option<Value> {
    if buttons.is_empty() {
        return None;
    }
    let elements: Vec<Value> = buttons
        .iter()
        .take(25)
        .map(|button| {
            let mut element = json!({
                "type": "button",
                "action_id": button.spelled(),
                "value": button.spelled(),
                "text": { "type": "plain_text", "text": shortened(button.label(), LABEL), "emoji": false },
            });
            match button.weight() {
                Weight::Good => element["style"] = json!("primary"),
                Weight::Danger => element["style"] = json!("danger"),
                Weight::Plain => {}
            }
            element
        })
        .collect();
    Some(json!({ "type": "actions", "elements": elements }))
}

/// Whom to call, if it is a group's id.
fn called(call: Option<&str>) -> Option<String> {
    let call = call?;
    let is_plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    let is_id = (1..=32).contains(&call.len()) && call.bytes().all(is_plain);
    is_id.then(|| format!("<!subteam^{call}>"))
}

#[cfg(test)]
mod tests;
