//! Discord, as the demo plays it: commands as forms, answers that only one person sees, and messages with embeds.

mod slash;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::anyhow;
use countersign_sandbox::discord::{APPLICATION_ID, Discord, GUILD, Seen as Shown};
use jiff::Timestamp;
use serde_json::Value;

pub(super) use countersign_sandbox::discord::Message;

use super::{Heard, Words};
use crate::cli::demo::look::{Seen, lines_of};
use crate::cli::demo::people::{EVERYBODY, Person};
use crate::cli::demo::written::{Secret, Section, filled, secret};
use crate::cli::terminal::Paint;
use crate::domain::command::definitions;

/// The channel #releases.
const CHANNEL: u64 = 7_700;

pub(super) const WORDS: Words = Words {
    chat: "Discord",
    channel: "discord:7700",
    link: "/link",
    help: "/help",
    no_such_command: "Discord offers no such command. /help shows what there is",
    connected: "Discord knows the commands",
};

#[derive(Debug)]
pub(in crate::cli::demo) struct Played {
    discord: Discord,
    token: String,
}

impl Played {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let token = secret()?;
        let discord = Discord::start(&token).await?;
        for person in EVERYBODY {
            discord.add_person(account(person), person.name);
            discord.set_member(GUILD, account(person), &[]);
        }
        discord.add_channel(GUILD, CHANNEL, "releases");
        // The person is not to wait for Discord's patience.
        let second = Duration::from_secs(1);
        discord.set_global_limit(10_000, second);
        for route in [
            "POST /channels/{id}/messages",
            "PATCH /channels/{id}/messages/{id}",
            "POST /webhooks/{id}/{id}",
        ] {
            discord.set_bucket(route, 10_000, second);
        }
        Ok(Self { discord, token })
    }

    pub(super) fn section(&self) -> Section {
        let gaps = [
            ("<discord>", self.discord.url()),
            ("<application>", APPLICATION_ID.to_string()),
            ("<public key>", self.discord.public_key_hex()),
            ("<guild>", GUILD.to_string()),
        ];
        Section {
            text: filled(include_str!("discord.toml"), &gaps),
            secrets: vec![Secret::new("discord-bot.token", self.token.clone())],
        }
    }

    pub(super) async fn tell(&self, service: SocketAddr) -> anyhow::Result<()> {
        let door = format!("http://{service}/hooks/discord");
        let verified = self.discord.set_endpoint(&door).await;
        verified.map_err(|why| anyhow!(why))
    }

    pub(super) fn is_connected(&self) -> bool {
        self.discord.commands(Some(GUILD)).len() == definitions().len()
    }

    pub(super) async fn say(&self, who: &Person, line: &str) -> Heard {
        let Some((name, options)) = slash::filled(line) else {
            return Heard::Unknown;
        };
        let options: Vec<_> = options
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        let discord = &self.discord;
        match discord.slash(account(who), CHANNEL, &name, &options).await {
            Shown::Message(message) => Heard::Yes(message.id),
            Shown::Failed(why) | Shown::Impossible(why) => Heard::Refused(why),
            Shown::Nothing | Shown::Choices(_) | Shown::Form(_) => Heard::Unanswered,
        }
    }

    pub(super) fn answer(&self, who: &Person, message: u64) -> Option<Message> {
        let mut answers = self.discord.ephemeral_for(account(who)).into_iter();
        answers.find(|answer| answer.id == message && !answer.content.is_empty())
    }

    pub(super) async fn agree(&self, who: &Person) -> Option<()> {
        let question = self.discord.ephemeral_for(account(who)).pop()?;
        let yes = question.buttons().next()?["custom_id"].as_str()?.to_owned();
        self.discord.click(account(who), question.id, &yes).await;
        Some(())
    }

    pub(super) fn notice(&self) -> Option<Message> {
        self.discord.messages(CHANNEL).pop()
    }
}

/// The person's account.
fn account(person: &Person) -> u64 {
    4_000 + person.number
}

/// A message with its embeds and buttons.
pub(super) fn look(message: &Message, now: Timestamp) -> Seen {
    let mut lines = lines_of(&message.content, now);
    let mut paint = Paint::Strong;
    for embed in &message.embeds {
        let text = |name: &str| embed[name].as_str().unwrap_or_default();
        paint = embed["color"].as_u64().map_or(paint, paint_of);
        lines.extend(lines_of(text("title"), now));
        lines.extend(lines_of(text("description"), now));
        for field in embed["fields"].as_array().into_iter().flatten() {
            let part = |name: &str| field[name].as_str().unwrap_or_default();
            lines.push(String::new());
            lines.extend(lines_of(part("name"), now));
            lines.extend(lines_of(part("value"), now));
        }
        let footer = embed["footer"]["text"].as_str().unwrap_or_default();
        if !footer.is_empty() {
            lines.push(String::new());
            lines.extend(lines_of(footer, now));
        }
    }
    let labels: Vec<String> = message
        .buttons()
        .filter_map(|button: &Value| button["label"].as_str())
        .map(|label| format!("[ {label} ]"))
        .collect();
    if !labels.is_empty() {
        lines.push(String::new());
        lines.push(labels.join("  "));
    }
    Seen { paint, lines }
}

/// Blue for what is new, and the colours of a traffic light.
fn paint_of(colour: u64) -> Paint {
    let (red, green, blue) = (colour >> 16 & 0xff, colour >> 8 & 0xff, colour & 0xff);
    if red > 2 * green {
        Paint::Bad
    } else if green > 2 * red {
        match blue > green {
            true => Paint::New,
            false => Paint::Good,
        }
    } else if red > 2 * blue {
        Paint::Waiting
    } else if blue > 2 * red {
        Paint::New
    } else {
        Paint::Quiet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moods_have_their_colours() {
        for (colour, expect) in [
            (0x001f_6feb, Paint::New),
            (0x00d2_9922, Paint::Waiting),
            (0x002e_a043, Paint::Good),
            (0x00da_3633, Paint::Bad),
            (0x006e_7681, Paint::Quiet),
        ] {
            assert_eq!(paint_of(colour), expect, "{colour:x}");
        }
    }
}
