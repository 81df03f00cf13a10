//! The parts for the chats: their clients and what their doors check, made from the configuration.

use std::sync::Arc;

use secrecy::ExposeSecret as _;

use crate::chats::clients::Registered;
use crate::chats::discord::edge::PublicKey;
use crate::chats::parts::Parts;
use crate::chats::slack::edge::SigningSecrets;
use crate::chats::{discord, slack};
use crate::config::Config;
use countersign_ground::digest::hex;

/// The parts, or why what is configured cannot be used.
pub(super) fn of(config: &Config) -> Result<Parts, String> {
    let mut parts = Parts {
        discord: None,
        discord_key: None,
        registered: None,
        slack: None,
        slack_secrets: Arc::new(SigningSecrets::new([])),
    };
    if let Some(discord) = &config.discord {
        let key = PublicKey::parse(&hex(&discord.public_key)).ok_or(
            "discord.public_key: these digits are no key; copy them from the developer portal",
        )?;
        let client = discord::client::Client::new(discord::client::Settings {
            api_url: discord.api_url.clone(),
            application_id: discord.application_id,
            token: discord.token.expose_secret().to_owned(),
        })
        .map_err(|why| format!("[discord]: {why}"))?;
        let client = Arc::new(client);
        parts.registered = Some(Registered {
            client: client.clone(),
            guilds: if discord.is_global {
                Vec::new()
            } else {
                discord.guilds.clone()
            },
        });
        parts.discord = Some(client);
        parts.discord_key = Some(Arc::new(key));
    }
    if let Some(slack) = &config.slack {
        let token = slack.app_token.as_ref();
        let client = slack::client::Client::new(slack::client::Settings {
            api_url: slack.api_url.clone(),
            hooks_url: slack.hooks_url.clone(),
            token: slack.token.expose_secret().to_owned(),
            app_token: token.map(|token| token.expose_secret().to_owned()),
        })
        .map_err(|why| format!("[slack]: {why}"))?;
        parts.slack = Some(Arc::new(client));
        let secrets = slack.signing_secrets.iter();
        parts.slack_secrets = Arc::new(SigningSecrets::new(
            secrets.map(|secret| secret.expose_secret().as_bytes().to_vec()),
        ));
    }
    Ok(parts)
}
