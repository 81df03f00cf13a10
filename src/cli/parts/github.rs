//! GitHub's parts: the client, and the secrets of its webhooks.

use std::sync::Arc;

use secrecy::ExposeSecret as _;

use super::bytes;
use crate::config::{self, Config};
use crate::forges::github::client::{Client, DEADLINE, Identity};
use crate::forges::github::edge::WebhookSecrets;

pub(super) fn client(config: &Config) -> Result<Option<Arc<Client>>, String> {
    let Some(github) = &config.github else {
        return Ok(None);
    };
    let identity = match &github.identity {
        config::Identity::App {
            app_id,
            private_key,
        } => Identity::App {
            id: *app_id,
            private_key: bytes(private_key),
        },
        config::Identity::Token(token) => Identity::Token(token.expose_secret().to_owned()),
    };
    let client = Client::new(&github.api_url, identity, DEADLINE);
    let client = client.map_err(|error| error.to_string())?;
    Ok(Some(Arc::new(
        client.with_private_emails(&github.private_emails),
    )))
}

pub(super) fn secrets(config: &Config) -> Arc<WebhookSecrets> {
    let secrets = config.github.iter();
    let secrets = secrets.flat_map(|github| &github.webhook_secrets);
    Arc::new(WebhookSecrets::new(secrets.map(bytes)))
}
