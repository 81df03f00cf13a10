//! Slack's parts: the client, and the secrets with which it signs.

use std::sync::Arc;

use secrecy::ExposeSecret as _;

use super::bytes;
use crate::chats::slack::client::{Client, Settings};
use crate::chats::slack::edge::SigningSecrets;
use crate::config::Config;

pub(super) fn client(config: &Config) -> Result<Option<Arc<Client>>, String> {
    let Some(slack) = &config.slack else {
        return Ok(None);
    };
    let token = slack.app_token.as_ref();
    let client = Client::new(Settings {
        api_url: slack.api_url.clone(),
        hooks_url: slack.hooks_url.clone(),
        token: slack.token.expose_secret().to_owned(),
        app_token: token.map(|token| token.expose_secret().to_owned()),
    });
    let client = client.map_err(|why| format!("[slack]: {why}"))?;
    Ok(Some(Arc::new(client)))
}

pub(super) fn secrets(config: &Config) -> Arc<SigningSecrets> {
    let secrets = config.slack.iter();
    let secrets = secrets.flat_map(|slack| &slack.signing_secrets);
    Arc::new(SigningSecrets::new(secrets.map(bytes)))
}
