//! The handover: a configuration becomes what the running parts use, and is handed to them; again on a reload.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::chat_parts::ChatParts;
use super::forge_parts::ForgeParts;
use crate::chats::discord::edge::PublicKey;
use crate::chats::slack::edge::SigningSecrets;
use crate::chats::{discord, slack};
use crate::config::Config;
use crate::domain::Catalog;
use crate::engine::callers::Callers;
use crate::engine::registering::Registered;
use crate::engine::speech;
use crate::forges::{github, gitlab};
use crate::http;

/// The clients that a configuration asks for.
pub(super) type Clients = (ForgeParts, ChatParts);

/// The sending ends of what can change while the service runs.
#[derive(Debug)]
pub(super) struct Handover {
    catalog: watch::Sender<Arc<Catalog>>,
    github_secrets: watch::Sender<Arc<github::edge::WebhookSecrets>>,
    gitlab_secrets: watch::Sender<Arc<gitlab::edge::WebhookSecrets>>,
    github: watch::Sender<Option<Arc<github::client::Client>>>,
    gitlab: watch::Sender<Option<Arc<gitlab::client::Client>>>,
    discord: watch::Sender<Option<Arc<discord::client::Client>>>,
    discord_key: watch::Sender<Option<Arc<PublicKey>>>,
    registered: watch::Sender<Option<Registered>>,
    slack: watch::Sender<Option<Arc<slack::client::Client>>>,
    slack_secrets: watch::Sender<Arc<SigningSecrets>>,
    keep_handled: watch::Sender<Duration>,
}

/// The receiving ends, one for each part.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub(super) catalog: watch::Receiver<Arc<Catalog>>,
    pub(super) forge_door: http::Forges,
    pub(super) callers: Callers,
    pub(super) chats: speech::Chats,
    pub(super) chat_door: http::Chats,
    pub(super) registered: watch::Receiver<Option<Registered>>,
    pub(super) keep_handled: watch::Receiver<Duration>,
}

impl Handover {
    pub(super) fn new(config: &Config, (forges, chats): Clients) -> (Self, Parts) {
        let (catalog, catalog_part) = watch::channel(sealed(config));
        let (github_secrets, github_door) = watch::channel(forges.github_secrets);
        let (gitlab_secrets, gitlab_door) = watch::channel(forges.gitlab_secrets);
        let (github, github_part) = watch::channel(forges.github);
        let (gitlab, gitlab_part) = watch::channel(forges.gitlab);
        let (discord, discord_part) = watch::channel(chats.discord);
        let (discord_key, key_part) = watch::channel(chats.discord_key);
        let (registered, registered_part) = watch::channel(chats.registered);
        let (slack, slack_part) = watch::channel(chats.slack);
        let (slack_secrets, signing_part) = watch::channel(chats.slack_secrets);
        let (keep_handled, keep_part) = watch::channel(config.database.keep_handled.as_duration());
        let handover = Self {
            catalog,
            github_secrets,
            gitlab_secrets,
            github,
            gitlab,
            discord,
            discord_key,
            registered,
            slack,
            slack_secrets,
            keep_handled,
        };
        let parts = Parts {
            chat_door: http::Chats {
                discord: key_part,
                slack: signing_part,
                catalog: catalog_part.clone(),
            },
            catalog: catalog_part,
            forge_door: http::Forges {
                github: github_door,
                gitlab: gitlab_door,
            },
            callers: Callers {
                github: github_part,
                gitlab: gitlab_part,
            },
            chats: speech::Chats {
                discord: discord_part,
                slack: slack_part,
            },
            registered: registered_part,
            keep_handled: keep_part,
        };
        (handover, parts)
    }

    /// Puts a new configuration in force, with the clients that were made for it.
    pub(super) fn replace(&self, config: &Config, (forges, chats): Clients) {
        self.github_secrets.send_replace(forges.github_secrets);
        self.gitlab_secrets.send_replace(forges.gitlab_secrets);
        self.github.send_replace(forges.github);
        self.gitlab.send_replace(forges.gitlab);
        self.discord.send_replace(chats.discord);
        self.discord_key.send_replace(chats.discord_key);
        self.registered.send_replace(chats.registered);
        self.slack.send_replace(chats.slack);
        self.slack_secrets.send_replace(chats.slack_secrets);
        // After the clients, because its change has names looked up again, with the new client.
        self.catalog.send_replace(sealed(config));
        self.keep_handled
            .send_replace(config.database.keep_handled.as_duration());
    }
}

/// The catalog with the digest of every environment's policy.
fn sealed(config: &Config) -> Arc<Catalog> {
    Arc::new(config.catalog.clone().sealed())
}

/// The clients for what is configured, or why they cannot be made.
pub(super) fn clients(config: &Config) -> Result<Clients, String> {
    Ok((ForgeParts::of(config)?, ChatParts::of(config)?))
}
