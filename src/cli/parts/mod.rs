//! The parts that run, made from the configuration: for each forge and each chat its client, and what its door checks.

mod discord;
mod github;
mod gitlab;
mod slack;

use secrecy::{ExposeSecret as _, SecretString};

use crate::config::Config;
use crate::{chats, forges};

/// The parts for the forges, or why what is configured cannot be used.
pub(super) fn of_forges(config: &Config) -> Result<forges::parts::Parts, String> {
    Ok(forges::parts::Parts {
        github: github::client(config)?,
        github_secrets: github::secrets(config),
        gitlab: gitlab::client(config)?,
        gitlab_secrets: gitlab::secrets(config)?,
    })
}

/// The same for the chats.
pub(super) fn of_chats(config: &Config) -> Result<chats::parts::Parts, String> {
    let discord = discord::client(config)?;
    Ok(chats::parts::Parts {
        discord_key: discord::key(config)?,
        registered: discord
            .clone()
            .and_then(|client| discord::registered(config, client)),
        discord,
        slack: slack::client(config)?,
        slack_secrets: slack::secrets(config),
    })
}

fn bytes(secret: &SecretString) -> Vec<u8> {
    secret.expose_secret().as_bytes().to_vec()
}
