//! Texts that people read, pinned whole: a page holds the texts of one surface, one after the other as they were
//! read, so that a changed word is one changed line. `INSTA_UPDATE=always` writes the pages anew.

use countersign_sandbox::slack;
use serde_json::Value;

use super::World;
use super::neutral;
use super::talk::Surface;

pub(crate) const SURFACES: [Surface; 3] = [Surface::Comment, Surface::Discord, Surface::Slack];

/// Where the pages lie, seen from the file that pins them.
const FOLDER: &str = "../../texts";

/// The texts of one surface.
pub(crate) struct Page {
    name: String,
    text: String,
}

impl Page {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: String::new(),
        }
    }

    /// One more text, and what it answers.
    pub(crate) fn add(&mut self, title: &str, text: &str) {
        let lines = text.lines().map(|line| format!("  {line}"));
        let lines: Vec<String> = lines.map(|line| line.trim_end().to_owned()).collect();
        let lines = lines.join("\n");
        self.text.push_str(&format!("## {title}\n\n{lines}\n\n"));
    }

    /// The page is as it was pinned.
    pub(crate) fn pin(self) {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(FOLDER);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        let text = neutral::page(&self.text);
        settings.bind(|| insta::assert_snapshot!(self.name.as_str(), text));
    }
}

/// A message on Discord as its reader sees it from top to bottom.
pub(crate) fn on_discord(content: &str, embeds: &[Value], buttons: &[String]) -> String {
    let mut lines = Vec::new();
    if !content.is_empty() {
        lines.push(content.to_owned());
    }
    for embed in embeds {
        for (name, mark) in [("title", "# "), ("url", "-> "), ("description", "")] {
            if let Some(text) = embed[name].as_str() {
                lines.push(format!("{mark}{text}"));
            }
        }
        for field in embed["fields"].as_array().into_iter().flatten() {
            let part = |name: &str| field[name].as_str().unwrap_or_default().to_owned();
            lines.push(format!("[{}]\n{}", part("name"), part("value")));
        }
        if let Some(text) = embed["footer"]["text"].as_str() {
            lines.push(format!("-- {text}"));
        }
    }
    if !buttons.is_empty() {
        lines.push(buttons.join(" "));
    }
    lines.join("\n")
}

/// A message on Slack as its reader sees it from top to bottom; first what a phone shows before it is opened.
pub(crate) fn on_slack(message: &slack::Message) -> String {
    let mut lines = vec![format!("> {}", message.text)];
    let mut buttons = Vec::new();
    for block in &message.blocks {
        gather(block, &mut lines, &mut buttons);
    }
    if !buttons.is_empty() {
        lines.push(buttons.join(" "));
    }
    lines.join("\n")
}

fn gather(value: &Value, lines: &mut Vec<String>, buttons: &mut Vec<String>) {
    if value["type"] == "button" {
        let label = value["text"]["text"].as_str().unwrap_or_default();
        buttons.push(format!("( {label} )"));
        return;
    }
    if let Some(text) = value["text"].as_str() {
        lines.push(text.to_owned());
        return;
    }
    match value {
        Value::Object(parts) => parts.values().for_each(|part| gather(part, lines, buttons)),
        Value::Array(list) => list.iter().for_each(|part| gather(part, lines, buttons)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The pages of a story that is told on every surface.
pub(crate) struct Pages([Page; 3]);

impl Pages {
    pub(crate) fn of(world: &World, story: &str) -> Self {
        let forge = world.forge.prefix();
        Self(SURFACES.map(|surface| {
            let surface = match surface {
                Surface::Comment => "comment",
                Surface::Discord => "discord",
                Surface::Slack => "slack",
            };
            Page::new(format!("{story}-{forge}-{surface}"))
        }))
    }

    pub(crate) fn add(&mut self, surface: Surface, title: &str, text: &str) {
        let place = SURFACES.iter().position(|one| *one == surface);
        self.0[place.unwrap()].add(title, text);
    }

    /// The person asks this on every surface, and what they read is pinned.
    pub(crate) async fn ask(&mut self, world: &World, person: &str, asked: (u64, &str)) {
        for surface in SURFACES {
            let answer = world.ask_at(surface, person, asked).await;
            self.add(surface, &format!("{person}: {}", asked.1), &answer);
        }
    }

    pub(crate) fn pin(self) {
        self.0.into_iter().for_each(Page::pin);
    }
}
