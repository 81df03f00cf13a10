//! Turns a configuration into what the running parts use, and hands it to them; again on a reload.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio::sync::watch;

use super::chat_parts::ChatParts;
use crate::chats::discord::edge::PublicKey;
use crate::chats::slack::edge::SigningSecrets;
use crate::chats::{discord, slack};
use crate::config::{Config, Identity};
use crate::domain::Catalog;
use crate::engine::registering::Registered;
use crate::engine::speech;
use crate::forges::github::client::{self, Client, Unusable};
use crate::forges::github::edge::WebhookSecrets;
use crate::http;
use crate::ledger;

/// The clients that a configuration asks for.
pub(super) type Clients = (Option<Arc<Client>>, ChatParts);

/// The sending ends of what can change while the service runs.
#[derive(Debug)]
pub(super) struct Handover {
    catalog: watch::Sender<Arc<Catalog>>,
    github_secrets: watch::Sender<Arc<WebhookSecrets>>,
    github_client: watch::Sender<Option<Arc<Client>>>,
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
    pub(super) github_secrets: watch::Receiver<Arc<WebhookSecrets>>,
    pub(super) github_client: watch::Receiver<Option<Arc<Client>>>,
    pub(super) chats: speech::Chats,
    pub(super) chat_door: http::Chats,
    pub(super) registered: watch::Receiver<Option<Registered>>,
    pub(super) keep_handled: watch::Receiver<Duration>,
}

impl Handover {
    pub(super) fn new(config: &Config, (github, chats): Clients) -> (Self, Parts) {
        let (catalog, catalog_part) = watch::channel(sealed(config));
        let (github_secrets, secrets_part) = watch::channel(Arc::new(webhook_secrets(config)));
        let (github_client, client_part) = watch::channel(github);
        let (discord, discord_part) = watch::channel(chats.discord);
        let (discord_key, key_part) = watch::channel(chats.discord_key);
        let (registered, registered_part) = watch::channel(chats.registered);
        let (slack, slack_part) = watch::channel(chats.slack);
        let (slack_secrets, signing_part) = watch::channel(chats.slack_secrets);
        let (keep_handled, keep_part) = watch::channel(config.database.keep_handled.as_duration());
        let handover = Self {
            catalog,
            github_secrets,
            github_client,
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
            github_secrets: secrets_part,
            github_client: client_part,
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
    pub(super) fn replace(&self, config: &Config, (github, chats): Clients) {
        self.github_secrets
            .send_replace(Arc::new(webhook_secrets(config)));
        self.github_client.send_replace(github);
        self.discord.send_replace(chats.discord);
        self.discord_key.send_replace(chats.discord_key);
        self.registered.send_replace(chats.registered);
        self.slack.send_replace(chats.slack);
        self.slack_secrets.send_replace(chats.slack_secrets);
        // Last, because its change wakes whoever looks names up again, with the new client.
        self.catalog.send_replace(sealed(config));
        self.keep_handled
            .send_replace(config.database.keep_handled.as_duration());
    }
}

/// The catalog with the digest of every environment's policy.
fn sealed(config: &Config) -> Arc<Catalog> {
    Arc::new(config.catalog.clone().sealed(ledger::policy_digest))
}

fn webhook_secrets(config: &Config) -> WebhookSecrets {
    let secrets = config
        .github
        .iter()
        .flat_map(|github| &github.webhook_secrets);
    WebhookSecrets::new(secrets.map(|secret| secret.expose_secret().as_bytes().to_vec()))
}

/// The clients for what is configured, or why they cannot be made.
pub(super) fn clients(config: &Config) -> Result<Clients, String> {
    let github = github_client(config).map_err(|error| error.to_string())?;
    Ok((github, ChatParts::of(config)?))
}

/// The client for the configured GitHub, if there is one.
fn github_client(config: &Config) -> Result<Option<Arc<Client>>, Unusable> {
    let Some(github) = &config.github else {
        return Ok(None);
    };
    let identity = match &github.identity {
        Identity::App {
            app_id,
            private_key,
        } => client::Identity::App {
            id: *app_id,
            private_key: private_key.expose_secret().as_bytes().to_vec(),
        },
        Identity::Token(token) => client::Identity::Token(token.expose_secret().to_owned()),
    };
    Client::new(&github.api_url, identity, client::DEADLINE).map(|client| Some(Arc::new(client)))
}
