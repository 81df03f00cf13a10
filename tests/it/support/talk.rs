//! The world's chats: a Discord and a Slack whose people are the forge's people, once they are linked.

use std::sync::Arc;

use countersign::chats::discord::edge::PublicKey;
use countersign::chats::slack::edge::SigningSecrets;
use countersign::chats::{clients, discord, door, slack};
use countersign_ground::clock::Clock;
use countersign_sandbox::discord::{APPLICATION_ID, CHANNEL, Discord, GUILD};
use countersign_sandbox::slack::{self as sandbox_slack, Slack};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::World;

const BOT_TOKEN: &str = "bot.token.of.tests";

/// The service of the plain world, told to both chats.
pub(crate) const TOLD: (&str, &str) = (
    "branch = \"main\"\n",
    "branch = \"main\"\nnotify = [\"discord:900\", \"slack:C0DEPLOYS\"]\n",
);

/// The chats of a world.
pub(crate) struct Talk {
    pub(crate) discord: Discord,
    pub(crate) slack: Slack,
    pub(crate) clients: clients::Clients,
    door: door::Guard,
}

/// Where something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    Comment,
    Discord,
    Slack,
}

/// Who is who in the chats, by their numbers and logins on the forge.
const PEOPLE: [(u64, &str); 4] = [(5, "ann"), (6, "bob"), (7, "dora"), (8, "quinn")];

/// The person's id on Discord.
pub(crate) fn on_discord(person: &str) -> u64 {
    PEOPLE
        .iter()
        .find(|(_, name)| *name == person)
        .map(|(id, _)| *id)
        .unwrap()
}

/// The person's id on Slack.
pub(crate) fn on_slack(person: &str) -> String {
    format!("U0{}", person.to_uppercase())
}

impl Talk {
    /// Both chats, by this clock.
    pub(crate) async fn start(clock: &Clock) -> Self {
        let discord = Discord::start_at(BOT_TOKEN, clock.clone()).await.unwrap();
        let slack = Slack::start_at(clock.clone()).await.unwrap();
        // Time stands still in a world, so that no window would ever be over.
        let minute = std::time::Duration::from_secs(1);
        discord.set_global_limit(100_000, minute);
        for route in [
            "POST /channels/{id}/messages",
            "PATCH /channels/{id}/messages/{id}",
            "POST /webhooks/{id}/{id}",
            "POST /channels/{id}/messages/{id}/threads",
        ] {
            discord.set_bucket(route, 100_000, minute);
        }
        for method in [
            "chat.postMessage",
            "chat.update",
            "chat.postEphemeral",
            "views.open",
        ] {
            slack.set_limit(method, 100_000, minute);
        }
        for (id, name) in PEOPLE {
            discord.add_person(id, name);
            discord.set_member(GUILD, id, &[]);
            slack.add_person(&on_slack(name), name);
        }
        let members: Vec<String> = PEOPLE.iter().map(|(_, name)| on_slack(name)).collect();
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        slack.add_channel(sandbox_slack::CHANNEL, "deploys", &members, true);
        let on_discord = discord::client::Client::new(discord::client::Settings {
            api_url: format!("{}/api/v10", discord.url()),
            application_id: APPLICATION_ID,
            token: BOT_TOKEN.to_owned(),
        });
        let on_slack = slack::client::Client::new(slack::client::Settings {
            api_url: format!("{}/api", slack.url()),
            hooks_url: slack.url(),
            token: sandbox_slack::BOT_TOKEN.to_owned(),
            app_token: Some(sandbox_slack::APP_TOKEN.to_owned()),
        });
        let key = PublicKey::parse(&discord.public_key_hex()).unwrap();
        let secret = sandbox_slack::SIGNING_SECRET.as_bytes().to_vec();
        Self {
            clients: clients::Clients {
                discord: watch::channel(Some(Arc::new(on_discord.unwrap()))).1,
                slack: watch::channel(Some(Arc::new(on_slack.unwrap()))).1,
            },
            door: door::Guard {
                discord: watch::channel(Some(Arc::new(key))).1,
                slack: watch::channel(Arc::new(SigningSecrets::new([secret]))).1,
            },
            discord,
            slack,
        }
    }

    pub(super) fn door(&self) -> door::Guard {
        self.door.clone()
    }

    /// Tells both chats where the service listens.
    pub(super) async fn connect(&self, url: &str) {
        let discord = format!("{url}/hooks/discord");
        self.discord.set_endpoint(&discord).await.unwrap();
        let slack = format!("{url}/hooks/slack");
        self.slack.set_commands_url(&slack);
        self.slack.set_interactivity_url(&slack);
        let client = self.clients.discord.borrow().clone().unwrap();
        client.register(&[GUILD.to_string()]).await.unwrap();
    }
}

impl World {
    pub(crate) fn talk(&self) -> &Talk {
        self.talk.as_ref().expect("a world with chats")
    }

    /// The person gives a command on Discord and reads the answer that only they see.
    pub(crate) async fn discord(&self, person: &str, line: &str) -> String {
        self.ask_at(Surface::Discord, person, (0, line)).await
    }

    /// The person gives a command on Slack and reads the answer that only they see.
    pub(crate) async fn slack(&self, person: &str, line: &str) -> String {
        self.ask_at(Surface::Slack, person, (0, line)).await
    }

    async fn type_on_discord(&self, person: &str, line: &str) -> u64 {
        let (name, options) = spelled(line);
        let options: Vec<(&str, Value)> = options
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        let discord = &self.talk().discord;
        let user = on_discord(person);
        let seen = discord.slash(user, CHANNEL, &name, &options).await;
        let Some(message) = seen.message() else {
            panic!("{line} on Discord: {seen:?}");
        };
        message.id
    }

    async fn type_on_slack(&self, person: &str, line: &str) {
        let words = line.strip_prefix('/').unwrap();
        let (command, text) = match words.strip_prefix("deploy ") {
            Some(rest) => ("/deploy", rest),
            None => ("/countersign", words),
        };
        let (user, channel) = (on_slack(person), sandbox_slack::CHANNEL);
        let slack = &self.talk().slack;
        let seen = slack.slash(&user, channel, command, text).await;
        assert!(!seen.is_failure() && !seen.is_impossible(), "{seen:?}");
    }

    /// The newest message that only this person sees on Slack, as plain as it is.
    pub(crate) fn slack_answer(&self, person: &str) -> String {
        let shown = self.talk().slack.ephemeral_for(&on_slack(person));
        // An answer that was quick may be shown before the word that it comes.
        let comes = |text: &String| text.starts_with("⏳ One moment.");
        let mut texts = shown.iter().rev().map(text_of);
        texts.find(|text| !comes(text)).unwrap_or_default()
    }

    /// The person asks on this surface; what they read there.
    pub(crate) async fn ask_at(
        &self,
        surface: Surface,
        person: &str,
        asked: (u64, &str),
    ) -> String {
        let place = self.ask_unheard(surface, person, asked).await;
        self.settle().await;
        self.answer_at(surface, person, place)
    }

    /// The person asks on this surface and does not wait; where the answer will be.
    pub(crate) async fn ask_unheard(
        &self,
        surface: Surface,
        person: &str,
        (pull_request, line): (u64, &str),
    ) -> u64 {
        match surface {
            Surface::Comment => self.comment(person, pull_request, line).await,
            Surface::Discord => self.type_on_discord(person, line).await,
            Surface::Slack => {
                self.type_on_slack(person, line).await;
                0
            }
        }
    }

    /// What the person reads where they asked.
    pub(crate) fn answer_at(&self, surface: Surface, person: &str, place: u64) -> String {
        match surface {
            Surface::Comment => self.said(place).answer().to_owned(),
            Surface::Discord => self.talk().discord.message(place).unwrap().content,
            Surface::Slack => self.slack_answer(person),
        }
    }

    /// The person presses the button with this label on the newest message of Discord's channel.
    pub(crate) async fn press_on_discord(&self, person: &str, label: &str) -> String {
        let discord = &self.talk().discord;
        let message = discord.messages(CHANNEL).pop().unwrap();
        let button = message
            .buttons()
            .find(|button| button["label"] == label)
            .unwrap_or_else(|| panic!("no button {label} on {message:#?}"))
            .clone();
        let id = button["custom_id"].as_str().unwrap();
        let seen = discord.click(on_discord(person), message.id, id).await;
        let seen = match seen.form() {
            Some(form) => {
                let input = form.components[0]["component"]["custom_id"]
                    .as_str()
                    .unwrap();
                let written = [(input, "not today")];
                discord
                    .submit_modal(on_discord(person), form, &written)
                    .await
            }
            None => seen,
        };
        let Some(answer) = seen.message() else {
            panic!("{label}: {seen:?}");
        };
        self.settle().await;
        discord.message(answer.id).unwrap().content
    }

    /// The person presses the button with this label on the newest message of Slack's channel.
    pub(crate) async fn press_on_slack(&self, person: &str, label: &str) -> String {
        let slack = &self.talk().slack;
        let message = self.posted_on_slack().pop().unwrap();
        let id = action_of(&message.blocks, label)
            .unwrap_or_else(|| panic!("no button {label} on {message:#?}"));
        let user = on_slack(person);
        let seen = slack.click(&user, &message, &id).await;
        assert!(!seen.is_failure() && !seen.is_impossible(), "{seen:?}");
        self.settle().await;
        if let Some(view) = slack.views_of(&user).pop() {
            let block = view.body["blocks"]
                .as_array()
                .and_then(|blocks| blocks.iter().find(|block| block["type"] == "input"))
                .and_then(|block| block["block_id"].as_str())
                .unwrap()
                .to_owned();
            let seen = slack
                .submit_view(&user, &view, &[(block.as_str(), "not today")])
                .await;
            assert!(!seen.is_failure() && !seen.is_impossible(), "{seen:?}");
            self.settle().await;
        }
        self.slack_answer(person)
    }

    /// The person links their accounts, on both chats.
    pub(crate) async fn link(&self, person: &str) {
        let offered = self.discord(person, "/link").await;
        let pull_request = self.any_pull_request();
        self.say(person, pull_request, &code_in(&offered)).await;
        let discord = &self.talk().discord;
        let question = discord.ephemeral_for(on_discord(person)).pop().unwrap();
        let yes = question.buttons().next().expect("a question").clone();
        let id = yes["custom_id"].as_str().unwrap();
        discord.click(on_discord(person), question.id, id).await;
        self.settle().await;

        let offered = self.slack(person, "/link").await;
        self.say(person, pull_request, &code_in(&offered)).await;
        let slack = &self.talk().slack;
        let question = slack.ephemeral_for(&on_slack(person)).pop().unwrap();
        let id = action_of(&question.blocks, "Yes, that is me").expect("a question");
        slack.click(&on_slack(person), &question, &id).await;
        self.settle().await;
    }

    /// Ann's pull request that every world has.
    #[expect(clippy::unused_self, reason = "it is the world's")]
    pub(crate) fn any_pull_request(&self) -> u64 {
        3
    }

    /// What Discord's channel shows last, as one text.
    pub(crate) fn notice_on_discord(&self) -> String {
        let message = self.talk().discord.messages(CHANNEL).pop();
        let message = message.expect("a message on Discord");
        format!("{}\n{}", message.content, json!(message.embeds))
    }

    /// What Slack's channel shows last, as one text.
    pub(crate) fn notice_on_slack(&self) -> String {
        let message = self.posted_on_slack().pop();
        text_of(&message.expect("a message on Slack"))
    }

    /// The messages of Slack's channel, those of threads left aside.
    pub(crate) fn posted_on_slack(&self) -> Vec<sandbox_slack::Message> {
        let mut messages = self.talk().slack.messages(sandbox_slack::CHANNEL);
        messages.retain(|message| message.thread_ts.is_none());
        messages
    }
}

/// Everything that a message on Slack says.
pub(crate) fn text_of(message: &sandbox_slack::Message) -> String {
    let mut text = message.text.clone();
    fn gather(value: &Value, text: &mut String) {
        match value {
            Value::Object(parts) => {
                if let Some(Value::String(own)) = parts.get("text") {
                    text.push('\n');
                    text.push_str(own);
                }
                parts.values().for_each(|part| gather(part, text));
            }
            Value::Array(list) => list.iter().for_each(|part| gather(part, text)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    gather(&json!(message.blocks), &mut text);
    text
}

/// The id of the button with this label.
pub(crate) fn action_of(blocks: &[Value], label: &str) -> Option<String> {
    let elements = blocks
        .iter()
        .filter_map(|block| block["elements"].as_array())
        .flatten();
    let mut named = elements.filter(|element| element["text"]["text"] == label);
    named.next()?["action_id"].as_str().map(str::to_owned)
}

/// `/link CODE` out of an answer.
pub(crate) fn code_in(offered: &str) -> String {
    let (_, rest) = offered
        .split_once("/link ")
        .unwrap_or_else(|| panic!("{offered}"));
    let code: String = rest
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    format!("/link {code}")
}

/// A command and its options as a person fills them in on Discord.
fn spelled(line: &str) -> (String, Vec<(String, Value)>) {
    use countersign::domain::command::definitions;
    let mut words = shell_words(line.trim_start_matches('/'));
    let name = words.remove(0);
    let definition = definitions()
        .into_iter()
        .find(|one| one.name == name)
        .unwrap_or_else(|| panic!("{line}"));
    let mut options = Vec::new();
    let mut alone = definition
        .parts
        .iter()
        .filter(|part| !part.is_option())
        .map(|part| part.name.clone());
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match word.strip_prefix("--") {
            Some(option) => {
                let part = definition.parts.iter().find(|part| part.name == option);
                let part = part.unwrap_or_else(|| panic!("{line}"));
                let value = if part.is_switch {
                    json!(true)
                } else {
                    json!(words.next().unwrap())
                };
                options.push((part.name.clone(), value));
            }
            None => match alone.next() {
                Some(name) => options.push((name, json!(word))),
                // The last one takes the rest of the line.
                None => {
                    let (_, last) = options.last_mut().unwrap_or_else(|| panic!("{line}"));
                    *last = json!(format!("{} {word}", last.as_str().unwrap()));
                }
            },
        }
    }
    (name, options)
}

/// Words, of which those in double quotes are one.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, piece) in line.split('"').enumerate() {
        if place % 2 == 1 {
            words.push(piece.to_owned());
        } else {
            words.extend(piece.split_whitespace().map(str::to_owned));
        }
    }
    words
}
