//! The home: everything that the demo needs, below one folder and on the loopback address: a small GitHub, a small
//! Discord, a configuration that names them, and the service itself, started as `serve` starts it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use secrecy::ExposeSecret as _;

use super::people::EVERYBODY;
use crate::cli::log_key::write_secret;
use crate::cli::running::Running;
use crate::cli::{handover, log};
use crate::config::{Colour, Config};
use crate::domain::{Action, Filter};
use crate::store::{Options, Store, ledger};
use countersign_ground::chance;
use countersign_ground::clock::Clock;
use countersign_ground::digest;
use countersign_ledger::Shown;
use countersign_sandbox::discord::{self, Discord, GUILD};
use countersign_sandbox::github::{APP_ID, GitHub};

/// The one repository.
pub(super) const SHOP: &str = "acme/shop";
/// The channel on Discord.
pub(super) const CHANNEL: u64 = 7_700;
/// What the audit log is called.
pub(super) const LOG: &str = "demo.example/log";
/// The workflow that carries deployments out.
const RELEASE: &str = "release.yml";
const REGRESSION: &str = "regression.yml";

const CONFIG: &str = include_str!("bot.toml");

/// The world around the service, and a look into its database.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) clock: Clock,
    pub(super) github: GitHub,
    pub(super) discord: Discord,
    pub(super) config: PathBuf,
    pub(super) database: String,
    pub(super) address: SocketAddr,
    store: Store,
}

/// Where the service writes what it does.
pub(super) fn service_log(folder: &Path) -> PathBuf {
    folder.join("service.log")
}

impl Home {
    pub(super) async fn start(folder: &Path) -> anyhow::Result<(Self, Running)> {
        log::start_in(&service_log(folder)).context("logging could not be started")?;
        let token = secret()?;
        let github = GitHub::start(&secret()?).await?;
        let discord = Discord::start(&token).await?;
        furnish(&github, &discord);
        let hook = secret()?;
        for (name, text) in [
            ("github-app.pem", &github.app_key()),
            ("github-webhook.secret", &hook),
            ("discord-bot.token", &token),
        ] {
            write_secret(&folder.join(name), text)?;
        }
        let path = folder.join("bot.toml");
        std::fs::write(&path, written(&github, &discord))?;
        let config = Config::load(&path).map_err(|report| anyhow!(report.render(Colour::Never)))?;
        let clients = handover::clients(&config).map_err(|why| anyhow!(why))?;
        let database = config.database.url.expose_secret().to_owned();
        let running = Running::start(path.clone(), config, clients).await?;
        let address = running.address();
        github.hook(&format!("http://{address}/hooks/github"), &hook);
        let endpoint = format!("http://{address}/hooks/discord");
        let verified = discord.set_endpoint(&endpoint).await;
        verified.map_err(|why| anyhow!(why))?;
        let store = Store::attach(&Options {
            connections: 1,
            ..Options::new(database.clone())
        })
        .await?;
        let home = Self {
            clock: Clock::system(),
            github,
            discord,
            config: path,
            database,
            address,
            store,
        };
        Ok((home, running))
    }

    /// The entries of the audit log with this action about a commit, newest first; about none, of all.
    pub(super) async fn entries(&self, action: Action, sha: Option<&str>) -> Vec<Shown> {
        let filter = Filter {
            action: Some(action),
            sha: sha.map(str::to_owned),
            ..Filter::default()
        };
        // What cannot be read now is looked for again.
        let rows = ledger::find(&self.store, &filter, None, 20).await;
        match rows {
            Ok(rows) => ledger::shown(&self.store, &rows).await.unwrap_or_default(),
            Err(_) => Vec::new(),
        }
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }
}

/// A text that cannot be guessed.
fn secret() -> anyhow::Result<String> {
    let bytes: [u8; 24] = chance::secret().context("the machine gives no random bytes")?;
    Ok(digest::hex(&bytes))
}

/// The configuration with the addresses of this demo.
fn written(github: &GitHub, discord: &Discord) -> String {
    [
        ("<github>", github.url()),
        ("<app>", APP_ID.to_string()),
        ("<discord>", discord.url()),
        ("<application>", discord::APPLICATION_ID.to_string()),
        ("<public key>", discord.public_key_hex()),
        ("<guild>", GUILD.to_string()),
        ("<channel>", CHANNEL.to_string()),
        ("<log>", LOG.to_owned()),
    ]
    .iter()
    .fold(CONFIG.to_owned(), |text, (gap, value)| {
        text.replace(gap, value)
    })
}

/// Puts people, workflows and a channel where they belong.
fn furnish(github: &GitHub, discord: &Discord) {
    for person in EVERYBODY {
        github.add_person(person.on_github, person.name);
        github.set_role(SHOP, person.name, Some(person.role));
        discord.add_person(person.on_discord, person.name);
        discord.set_member(GUILD, person.on_discord, &[]);
    }
    github.add_workflow(SHOP, REGRESSION, &["workflow_dispatch"]);
    github.add_workflow(SHOP, RELEASE, &["deployment"]);
    let mark = "Release ${{ github.event.deployment.payload.countersign.correlation }}";
    github.set_run_name(SHOP, RELEASE, mark);
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_configuration_has_no_gap_left() {
        let github = GitHub::start("a token of tests").await.unwrap();
        let discord = Discord::start("another token").await.unwrap();
        let text = written(&github, &discord);
        assert!(!text.contains('<'), "{text}");
        assert!(text.contains(&github.url()) && text.contains(&discord.url()));
    }
}
