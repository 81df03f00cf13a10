//! The parts for the forges: their clients and what their doors check, made from the configuration.

use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{Config, Identity};
use crate::forges::parts::Parts;
use crate::forges::{github, gitlab};

/// The parts, or why what is configured cannot be used.
pub(super) fn of(config: &Config) -> Result<Parts, String> {
    Ok(Parts {
        github: github(config)?,
        github_secrets: Arc::new(github::edge::WebhookSecrets::new(
            config
                .github
                .iter()
                .flat_map(|github| &github.webhook_secrets)
                .map(bytes),
        )),
        gitlab: gitlab(config)?,
        gitlab_secrets: gitlab_secrets(config)?,
    })
}

fn bytes(secret: &SecretString) -> Vec<u8> {
    secret.expose_secret().as_bytes().to_vec()
}

fn github(config: &Config) -> Result<Option<Arc<github::client::Client>>, String> {
    let Some(github) = &config.github else {
        return Ok(None);
    };
    let identity = match &github.identity {
        Identity::App {
            app_id,
            private_key,
        } => github::client::Identity::App {
            id: *app_id,
            private_key: bytes(private_key),
        },
        Identity::Token(token) => github::client::Identity::Token(token.expose_secret().to_owned()),
    };
    let client = github::client::Client::new(&github.api_url, identity, github::client::DEADLINE);
    let client = client.map_err(|error| error.to_string())?;
    Ok(Some(Arc::new(client)))
}

fn gitlab_secrets(config: &Config) -> Result<Arc<gitlab::edge::WebhookSecrets>, String> {
    let secrets = config.gitlab.iter();
    let secrets = secrets.flat_map(|gitlab| &gitlab.webhook_secrets);
    let secrets = gitlab::edge::WebhookSecrets::new(secrets.map(bytes));
    secrets
        .map(Arc::new)
        .map_err(|error| format!("gitlab.webhook_secret: {error}"))
}

fn gitlab(config: &Config) -> Result<Option<Arc<gitlab::client::Client>>, String> {
    let Some(gitlab) = &config.gitlab else {
        return Ok(None);
    };
    let tokens = config.trigger_secrets.iter();
    let tokens = tokens.map(|(place, token)| (place.clone(), token.expose_secret().to_owned()));
    let client = gitlab::client::Client::new(
        &gitlab.url,
        gitlab.token.expose_secret(),
        gitlab::client::DEADLINE,
    );
    let client = client.map_err(|error| error.to_string())?;
    Ok(Some(Arc::new(client.with_trigger_tokens(tokens.collect()))))
}
