//! `setup`: what a chat's own pages must be told, made from the same definition that reads the commands; a GitHub
//! App; and GitLab's webhooks.

mod github;
mod gitlab;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::domain::command;

use super::{EXIT_INVALID, complain, say};

/// What can be set up.
#[derive(Debug, Subcommand)]
pub(super) enum SetupCommand {
    /// Print what an application on Discord needs
    #[command(
        after_help = "For example:\n  countersign setup discord --application 1000000000000000001 --url https://deploys.example.com"
    )]
    Discord(Discord),
    /// Make a GitHub App from a page on this machine, and keep its key and its secret
    #[command(
        after_help = "For example:\n  countersign setup github --organization acme --url https://deploys.example.com"
    )]
    Github(github::GitHub),
    /// Create or update the webhook of every GitLab project of the configuration
    #[command(
        after_help = "For example:\n  countersign setup gitlab --dry-run\n  countersign setup gitlab"
    )]
    Gitlab(gitlab::GitLab),
    /// Print the manifest from which Slack makes the app
    #[command(
        after_help = "For example:\n  countersign setup slack --socket --manifest\n  countersign setup slack --url https://deploys.example.com"
    )]
    Slack(Slack),
}

#[derive(Debug, Args)]
pub(super) struct Discord {
    /// The application's id, from the developer portal
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(u64).range(1..))]
    application: u64,
    /// The address under which Discord reaches Countersign, such as `https://deploys.example.com`
    #[arg(long, value_name = "URL")]
    url: String,
}

#[derive(Debug, Args)]
pub(super) struct Slack {
    /// Print the manifest, as JSON
    #[arg(long)]
    manifest: bool,
    /// The address under which Slack reaches Countersign, such as `https://deploys.example.com`
    #[arg(
        long,
        value_name = "URL",
        conflicts_with = "socket",
        required_unless_present = "socket"
    )]
    url: Option<String>,
    /// Countersign calls Slack instead (Socket Mode), and needs no address
    #[arg(long)]
    socket: bool,
}

/// See the channel, write there, show embeds, read what was written, open threads and write in them.
const DISCORD_PERMISSIONS: u64 = 1 << 10 | 1 << 11 | 1 << 14 | 1 << 16 | 1 << 35 | 1 << 38;
/// Slack cuts longer hints.
const LONGEST_HINT: usize = 100;

pub(super) async fn run(command: SetupCommand) -> ExitCode {
    match command {
        SetupCommand::Discord(discord) => match address(&discord.url) {
            Ok(url) => say(&steps(discord.application, &url)),
            Err(why) => return refuse(&why),
        },
        SetupCommand::Github(asked) => return github::run(asked).await,
        SetupCommand::Gitlab(asked) => return gitlab::run(asked).await,
        SetupCommand::Slack(slack) => {
            let url = match slack.url.as_deref().map(address).transpose() {
                Ok(url) => url,
                Err(why) => return refuse(&why),
            };
            if !slack.manifest {
                say("Make an app at https://api.slack.com/apps from this manifest:");
            }
            say(&format!("{:#}", manifest(url.as_deref())));
        }
    }
    ExitCode::SUCCESS
}

/// A new token with which GitLab signs.
pub(super) fn signing_token() -> anyhow::Result<String> {
    gitlab::signing_token().context("the machine has no random bytes to give")
}

fn refuse(why: &str) -> ExitCode {
    complain(&format!("error: {why}"));
    ExitCode::from(EXIT_INVALID)
}

/// An address that a platform can reach, without a slash at its end.
pub(super) fn address(url: &str) -> Result<String, String> {
    let rest = url.strip_prefix("https://").unwrap_or_default();
    let is_plain = rest
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-._~:/".contains(c));
    if rest.is_empty() || rest.starts_with('/') || !is_plain {
        return Err(format!(
            "{url:?} is not an address that others can reach; write it like `https://deploys.example.com`"
        ));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

fn steps(application: u64, url: &str) -> String {
    format!(
        "In the developer portal, under General Information:\n\
         \x20 Interactions Endpoint URL: {url}/hooks/discord\n\
         \x20 (start Countersign first: Discord asks it at once whether it checks signatures)\n\n\
         Invite the bot to your server with this link:\n\
         \x20 https://discord.com/oauth2/authorize?client_id={application}&scope=bot+applications.commands&permissions={DISCORD_PERMISSIONS}\n\n\
         In bot.toml:\n\
         \x20 [discord]\n\
         \x20 application_id = \"{application}\"\n\
         \x20 public_key = \"...\"                    # General Information\n\
         \x20 token = {{ env = \"DISCORD_TOKEN\" }}    # Bot, Reset Token\n\
         \x20 guilds = [\"...\"]                      # your server's id: Developer Mode, then Copy Server ID\n\n\
         The commands are registered when Countersign starts."
    )
}

fn manifest(url: Option<&str>) -> Value {
    let hook = url.map(|url| format!("{url}/hooks/slack"));
    let with_url = |mut value: Value, key: &str| {
        if let (Value::Object(parts), Some(hook)) = (&mut value, &hook) {
            parts.insert(key.to_owned(), json!(hook));
        }
        value
    };
    let names: Vec<&str> = command::definitions().iter().map(|one| one.name).collect();
    let hint: String = format!("[{}] ...", names.join("|"))
        .chars()
        .take(LONGEST_HINT)
        .collect();
    let commands = [
        json!({
            "command": "/deploy",
            "description": "Release a commit to an environment",
            "usage_hint": "ENV [SHA|PR] [--service S] [--reason \"...\"] [--dry-run]",
            "should_escape": false,
        }),
        json!({
            "command": "/countersign",
            "description": "Approve, reject, explain, lock: every command of Countersign",
            "usage_hint": hint,
            "should_escape": false,
        }),
    ];
    let commands: Vec<Value> = commands
        .into_iter()
        .map(|command| with_url(command, "url"))
        .collect();
    json!({
        "_metadata": { "major_version": 1, "minor_version": 1 },
        "display_information": {
            "name": "Countersign",
            "description": "Releases approved commits, once, with evidence",
        },
        "features": {
            "bot_user": { "display_name": "Countersign", "always_online": true },
            "slash_commands": commands,
        },
        "oauth_config": { "scopes": { "bot": ["chat:write", "commands"] } },
        "settings": {
            "interactivity": with_url(json!({ "is_enabled": true }), "request_url"),
            "org_deploy_enabled": false,
            "socket_mode_enabled": url.is_none(),
            "token_rotation_enabled": false,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_chat_can_reach_is_an_address() {
        assert_eq!(
            address("https://deploys.example.com/"),
            Ok("https://deploys.example.com".to_owned())
        );
        for url in [
            "",
            "http://deploys.example.com",
            "https://",
            "https:///x",
            "https://a b",
            "deploys.example.com",
        ] {
            assert!(address(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_manifest_has_urls_or_a_socket() {
        let with = manifest(Some("https://d.example"));
        assert_eq!(
            with["features"]["slash_commands"][0]["url"],
            "https://d.example/hooks/slack"
        );
        assert_eq!(
            with["settings"]["interactivity"]["request_url"],
            "https://d.example/hooks/slack"
        );
        assert_eq!(with["settings"]["socket_mode_enabled"], false);
        let without = manifest(None);
        assert!(
            without["features"]["slash_commands"][0]
                .get("url")
                .is_none()
        );
        assert_eq!(without["settings"]["socket_mode_enabled"], true);
    }
}
