//! Slack, as the demo plays it: two commands, answers that only one person sees, and messages made of blocks. The
//! service calls Slack (Socket Mode), so no secret that the small Slack knows opens its door.

use std::time::Duration;

use countersign_sandbox::slack::{APP_TOKEN, BOT_TOKEN, Seen as Shown, Slack, TEAM};
use serde_json::Value;

pub(super) use countersign_sandbox::slack::Message;

use super::{Heard, Words};
use crate::cli::demo::look::Seen;
use crate::cli::demo::people::{EVERYBODY, Person};
use crate::cli::demo::written::{Secret, Section, filled, secret};
use crate::cli::terminal::Paint;

/// The channel #releases.
const CHANNEL: &str = "C0RELEASES";

pub(super) const WORDS: Words = Words {
    chat: "Slack",
    channel: "slack:C0RELEASES",
    link: "/countersign link",
    help: "/countersign help",
    no_such_command: "Slack knows two commands here, /deploy and /countersign. /countersign help shows what there is",
    connected: "Slack's socket is open",
};

#[derive(Debug)]
pub(in crate::cli::demo) struct Played {
    slack: Slack,
    /// What would sign requests; nobody sends any.
    signing_secret: String,
}

impl Played {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let slack = Slack::start().await?;
        slack.socket_mode(true);
        let accounts = EVERYBODY.map(account);
        for (account, person) in accounts.iter().zip(EVERYBODY) {
            slack.add_person(account, person.name);
        }
        let members = accounts.each_ref().map(String::as_str);
        slack.add_channel(CHANNEL, "releases", &members, true);
        // The person is not to wait for Slack's patience.
        for method in ["chat.postMessage", "chat.update", "chat.postEphemeral"] {
            slack.set_limit(method, 10_000, Duration::from_secs(1));
        }
        Ok(Self {
            slack,
            signing_secret: secret()?,
        })
    }

    pub(super) fn section(&self) -> Section {
        let gaps = [("<slack>", self.slack.url()), ("<team>", TEAM.to_owned())];
        Section {
            text: filled(include_str!("slack.toml"), &gaps),
            secrets: vec![
                Secret::new("slack-bot.token", BOT_TOKEN.to_owned()),
                Secret::new("slack-app.token", APP_TOKEN.to_owned()),
                Secret::new("slack-signing.secret", self.signing_secret.clone()),
            ],
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.slack.sockets() > 0
    }

    pub(super) async fn say(&self, who: &Person, line: &str) -> Heard {
        let (command, text) = line.split_once(' ').unwrap_or((line, ""));
        if !matches!(command, "/deploy" | "/countersign") {
            return Heard::Unknown;
        }
        let account = account(who);
        let read = self.slack.ephemeral_for(&account).len();
        match self.slack.slash(&account, CHANNEL, command, text).await {
            Shown::Failed(why) | Shown::Impossible(why) => Heard::Refused(why),
            Shown::Message(_)
            | Shown::Nothing
            | Shown::View(_)
            | Shown::Errors(_)
            | Shown::Closed => Heard::Yes(u64::try_from(read).unwrap_or(u64::MAX)),
        }
    }

    /// The first answer behind those that were read before.
    pub(super) fn answer(&self, who: &Person, read: u64) -> Option<Message> {
        let mut answers = self.slack.ephemeral_for(&account(who)).into_iter();
        answers.nth(usize::try_from(read).ok()?)
    }

    pub(super) async fn agree(&self, who: &Person) -> Option<()> {
        let account = account(who);
        let question = self.slack.ephemeral_for(&account).pop()?;
        let yes = buttons(&question.blocks).next()?["action_id"]
            .as_str()?
            .to_owned();
        self.slack.click(&account, &question, &yes).await;
        Some(())
    }

    pub(super) fn notice(&self) -> Option<Message> {
        let mut messages = self.slack.messages(CHANNEL).into_iter();
        messages.rfind(|message| message.thread_ts.is_none())
    }
}

/// The person's account.
fn account(person: &Person) -> String {
    format!("U0{}", person.name.to_uppercase())
}

fn buttons(blocks: &[Value]) -> impl Iterator<Item = &Value> {
    let elements = blocks
        .iter()
        .filter_map(|block| block["elements"].as_array());
    elements.flatten().filter(|one| one["type"] == "button")
}

/// A message with its blocks and buttons.
pub(super) fn look(message: &Message) -> Seen {
    let mut lines: Vec<String> = Vec::new();
    let mut paint = Paint::Strong;
    let mut is_below_header = false;
    for block in &message.blocks {
        let is_header = block["type"] == "header";
        if is_header {
            paint = paint_of(block["text"]["text"].as_str().unwrap_or_default());
        }
        // How it stands belongs to the header.
        if !lines.is_empty() && !is_below_header {
            lines.push(String::new());
        }
        is_below_header = is_header;
        let labels: Vec<String> = buttons(std::slice::from_ref(block))
            .filter_map(|button| button["text"]["text"].as_str())
            .map(|label| format!("[ {label} ]"))
            .collect();
        if !labels.is_empty() {
            lines.push(labels.join("  "));
        }
        let inside = block["elements"].as_array().into_iter().flatten();
        let texts = std::iter::once(&block["text"]).chain(inside);
        for text in texts.filter_map(|part| part["text"].as_str()) {
            lines.extend(text.lines().map(plain));
        }
    }
    Seen { paint, lines }
}

/// Slack shows no colours: the symbol before the title says how it stands.
fn paint_of(title: &str) -> Paint {
    match title.chars().next() {
        Some('🟦') => Paint::New,
        Some('🟨' | '🚀') => Paint::Waiting,
        Some('✅') => Paint::Good,
        Some('❌' | '🚨') => Paint::Bad,
        _ => Paint::Quiet,
    }
}

/// One line without its marks. Backticks stay: they stand around what can be typed.
fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let behind = &rest[first.len_utf8()..];
        rest = match (first, behind.split_once('>')) {
            ('<', Some((tag, behind))) => {
                // An address or a moment, and what is read for it.
                let (_, words) = tag.split_once('|').unwrap_or(("", tag));
                text.push_str(words);
                behind
            }
            ('*', _) => behind,
            _ => {
                // What moves a cursor is not shown.
                text.extend((!first.is_control()).then_some(first));
                behind
            }
        };
    }
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_go_and_words_stay() {
        for (text, expect) in [
            ("*Release #1*: shop", "Release #1: shop"),
            ("<https://h.example/1|1a2b3c4> Sell", "1a2b3c4 Sell"),
            (
                "say `/countersign approve #1`",
                "say `/countersign approve #1`",
            ),
            (
                "seen <!date^1772442000^{date_short_pretty} {time}|2026-03-02 09:00 UTC>.",
                "seen 2026-03-02 09:00 UTC.",
            ),
            ("a &lt; b &amp;gt; c", "a < b &gt; c"),
            ("    ◦ ✅ job:build \u{1b}[2J", "    ◦ ✅ job:build [2J"),
        ] {
            assert_eq!(plain(text), expect, "{text:?}");
        }
    }

    #[test]
    fn symbols_have_their_colours() {
        for (title, expect) in [
            ("🟦 Ready", Paint::New),
            ("🚀 Deploying", Paint::Waiting),
            ("✅ Live", Paint::Good),
            ("❌ Failed", Paint::Bad),
            ("⏹️ Over", Paint::Quiet),
        ] {
            assert_eq!(paint_of(title), expect, "{title}");
        }
    }
}
