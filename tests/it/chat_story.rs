//! The whole road with people in chats: the real binary, a GitHub, a Discord and a Slack.

use std::sync::Arc;

use countersign::domain::command::definitions;
use countersign_sandbox::discord::{self, CHANNEL, GUILD};
use countersign_sandbox::github::{Exchange, GitHub, NewCommit};
use countersign_sandbox::slack;
use serde_json::json;

use crate::contract;
use crate::support::deliveries::SECRET;
use crate::support::service::{TOKEN, Wishes, write_config};
use crate::support::talk::{TOLD, action_of, code_in, on_discord, text_of};
use crate::support::{Database, Engine, Service, eventually, on_both};

on_both!(from_a_push_to_live_in_both_chats);

const SHOP: &str = "acme/shop";
const ANN: &str = "ann";

/// The binary, and all that it talks to.
struct Home {
    service: Service,
    github: GitHub,
    discord: discord::Discord,
    slack: slack::Slack,
    _database: Database,
}

impl Home {
    async fn start(engine: Engine) -> Self {
        let database = Database::fresh(engine).await;
        let github = GitHub::start(TOKEN).await.unwrap();
        github.add_person(6, "bob");
        let discord = discord::Discord::start("bot.token.of.tests").await.unwrap();
        discord.add_person(on_discord(ANN), ANN);
        discord.set_member(GUILD, on_discord(ANN), &[]);
        let slack = slack::Slack::start().await.unwrap();
        let config = write_config(&database, Some(&github), &Wishes::default());
        let chats = format!(
            "[discord]\napplication_id = \"{}\"\npublic_key = \"{}\"\ntoken = {{ env = \"DISCORD_TOKEN\" }}\n\
             guilds = [\"{GUILD}\"]\napi_url = \"{}/api/v10\"\n\
             [slack]\ntoken = {{ env = \"SLACK_TOKEN\" }}\nsigning_secret = {{ env = \"SLACK_SECRET\" }}\n\
             app_token = {{ env = \"SLACK_APP_TOKEN\" }}\nteams = [\"{}\"]\napi_url = \"{url}/api\"\nhooks_url = \"{url}\"\n",
            discord::APPLICATION_ID,
            discord.public_key_hex(),
            discord.url(),
            slack::TEAM,
            url = slack.url(),
        );
        let text = std::fs::read_to_string(&config).unwrap();
        assert!(text.contains(TOLD.0));
        std::fs::write(&config, text.replace(TOLD.0, TOLD.1) + &chats).unwrap();
        let variables = [
            ("DISCORD_TOKEN", "bot.token.of.tests"),
            ("SLACK_TOKEN", slack::BOT_TOKEN),
            ("SLACK_APP_TOKEN", slack::APP_TOKEN),
            ("SLACK_SECRET", slack::SIGNING_SECRET),
        ];
        let variables = variables.map(|(name, value)| (name, value.to_owned()));
        let service = Service::run(config, &variables).await;
        github.hook(&service.url("/hooks/github"), SECRET);
        discord
            .set_endpoint(&service.url("/hooks/discord"))
            .await
            .unwrap();
        slack.set_commands_url(&service.url("/hooks/slack"));
        slack.set_interactivity_url(&service.url("/hooks/slack"));
        eventually(
            "the commands are registered and the socket is open",
            async || {
                let known = discord.commands(Some(GUILD)).len();
                (known == definitions().len() && slack.sockets() == 1).then_some(())
            },
        )
        .await;
        Self {
            service,
            github,
            discord,
            slack,
            _database: database,
        }
    }

    /// Ann gives a command on Discord; the answer, once it says this.
    async fn on_discord(&self, (name, options): (&str, &[(&str, &str)]), expect: &str) -> String {
        let options: Vec<_> = options
            .iter()
            .map(|(name, value)| (*name, json!(value)))
            .collect();
        let seen = self
            .discord
            .slash(on_discord(ANN), CHANNEL, name, &options)
            .await;
        let message = seen.message().unwrap().id;
        eventually(expect, async || {
            let answer = self.discord.message(message)?.content;
            answer.contains(expect).then_some(answer)
        })
        .await
    }

    /// Ann gives a command on Slack; the answer, once it says this.
    async fn on_slack(&self, (command, text): (&str, &str), expect: &str) -> String {
        let before = self.slack.ephemeral_for(slack::ANN).len();
        self.slack
            .slash(slack::ANN, slack::CHANNEL, command, text)
            .await;
        eventually(expect, async || {
            let answers = self.slack.ephemeral_for(slack::ANN);
            let mut new = answers.iter().skip(before).map(text_of);
            new.find(|answer| answer.contains(expect))
        })
        .await
    }

    /// Ann shows on GitHub, and says in both chats, that she is one person.
    async fn link_ann(&self) {
        let offered = self.on_discord(("link", &[]), "/link ").await;
        self.github.comment(ANN, SHOP, 3, &code_in(&offered)).await;
        let (message, id) = eventually("Discord asks", async || {
            let question = self.discord.ephemeral_for(on_discord(ANN)).pop()?;
            let id = question.buttons().next()?["custom_id"].as_str()?.to_owned();
            Some((question.id, id))
        })
        .await;
        self.discord.click(on_discord(ANN), message, &id).await;
        let offered = self.on_slack(("/countersign", "link"), "/link ").await;
        self.github.comment(ANN, SHOP, 3, &code_in(&offered)).await;
        let (message, id) = eventually("Slack asks", async || {
            let question = self.slack.ephemeral_for(slack::ANN).pop()?;
            let id = action_of(&question.blocks, "Yes, that is me")?;
            Some((question, id))
        })
        .await;
        self.slack.click(slack::ANN, &message, &id).await;
        self.on_slack(("/countersign", "why prod"), "prod").await;
    }

    /// What both channels show last says this.
    async fn shown(&self, expect: &str) {
        eventually(expect, async || {
            let discord = self.discord.messages(CHANNEL).pop()?;
            let discord = format!("{}\n{}", discord.content, json!(discord.embeds));
            let mut slack = self.slack.messages(slack::CHANNEL);
            slack.retain(|message| message.thread_ts.is_none());
            let slack = text_of(&slack.pop()?);
            (discord.contains(expect) && slack.contains(expect)).then_some(())
        })
        .await;
    }

    /// Bob's commit is built.
    async fn ready(&self, message: &str) -> String {
        let commit = NewCommit::by("bob", message);
        let sha = self.github.push(SHOP, "main", vec![commit]).await;
        let build = ("build", "github-actions");
        let done = ("completed", Some("success"));
        self.github.check_run(SHOP, &sha, build, done).await;
        self.shown(&sha[..7]).await;
        self.shown("Ready").await;
        sha
    }

    /// The calls that asked for a deployment.
    fn starts(&self) -> Vec<Arc<Exchange>> {
        let mut calls = self.github.exchanges();
        calls.retain(|call| call.method == "POST" && call.path.ends_with("/deployments"));
        calls
    }

    /// The commits that were deployed.
    fn deployments(&self) -> Vec<String> {
        let calls = self.starts().into_iter();
        calls
            .filter_map(|call| Some(call.request_body.as_ref()?["ref"].as_str()?.to_owned()))
            .collect()
    }

    /// The deployment of this commit ends well.
    async fn goes_live(&self, sha: &str) {
        let started = eventually("GitHub took it", async || {
            let started = self.starts().pop()?;
            (started.request_body.as_ref()?["ref"] == sha).then_some(started)
        })
        .await;
        let deployment = started.response_body.as_ref().unwrap()["id"]
            .as_u64()
            .unwrap();
        for state in ["in_progress", "success"] {
            self.github.deployment_status(deployment, state).await;
        }
        self.shown("Live").await;
    }
}

async fn from_a_push_to_live_in_both_chats(engine: Engine) {
    let home = Home::start(engine).await;
    home.on_discord(("help", &[]), "/deploy").await;
    for through_socket in [true, false] {
        home.slack.socket_mode(through_socket);
        home.on_slack(("/countersign", "why prod"), "not linked")
            .await;
    }
    home.link_ann().await;

    let first = home.ready("Sell more").await;
    let deploy = ("deploy", &[("environment", "prod")][..]);
    home.on_discord(deploy, &first).await;
    home.shown("Deploying").await;
    home.goes_live(&first).await;
    assert_eq!(home.deployments(), [first.as_str()]);

    let second = home.ready("Sell even more").await;
    home.on_slack(("/deploy", "prod"), &second).await;
    home.shown("Deploying").await;
    home.goes_live(&second).await;
    assert_eq!(home.deployments(), [first, second]);

    home.github.delivered().await;
    contract::check(&home.github);
    contract::discord::check(&home.discord);
    assert_eq!(home.service.stop().await, 0);
}
