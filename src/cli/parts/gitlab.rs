//! GitLab's parts: the client with the tokens of triggers, and the secrets of its webhooks.

use std::sync::Arc;

use secrecy::ExposeSecret as _;

use super::bytes;
use crate::config::Config;
use crate::forges::gitlab::client::{Client, DEADLINE};
use crate::forges::gitlab::edge::WebhookSecrets;

pub(super) fn client(config: &Config) -> Result<Option<Arc<Client>>, String> {
    let Some(gitlab) = &config.gitlab else {
        return Ok(None);
    };
    let tokens = config.trigger_secrets.iter();
    let tokens = tokens.map(|(place, token)| (place.clone(), token.expose_secret().to_owned()));
    let client = Client::new(&gitlab.url, gitlab.token.expose_secret(), DEADLINE);
    let client = client.map_err(|error| error.to_string())?;
    let client = client.with_private_emails(&gitlab.private_emails);
    Ok(Some(Arc::new(client.with_trigger_tokens(tokens.collect()))))
}

pub(super) fn secrets(config: &Config) -> Result<Arc<WebhookSecrets>, String> {
    let secrets = config.gitlab.iter();
    let secrets = secrets.flat_map(|gitlab| &gitlab.webhook_secrets);
    let secrets = WebhookSecrets::new(secrets.map(bytes));
    secrets
        .map(Arc::new)
        .map_err(|error| format!("gitlab.webhook_secret: {error}"))
}
