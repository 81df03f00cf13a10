//! Discord's parts: the client, the key that checks its requests, and where it is told our commands.

use std::sync::Arc;

use secrecy::ExposeSecret as _;

use crate::chats::clients::Registered;
use crate::chats::discord::client::{Client, Settings};
use crate::chats::discord::edge::PublicKey;
use crate::config::Config;
use countersign_ground::digest::hex;

pub(super) fn client(config: &Config) -> Result<Option<Arc<Client>>, String> {
    let Some(discord) = &config.discord else {
        return Ok(None);
    };
    let client = Client::new(Settings {
        api_url: discord.api_url.clone(),
        application_id: discord.application_id,
        token: discord.token.expose_secret().to_owned(),
    });
    let client = client.map_err(|why| format!("[discord]: {why}"))?;
    Ok(Some(Arc::new(client)))
}

pub(super) fn key(config: &Config) -> Result<Option<Arc<PublicKey>>, String> {
    let Some(discord) = &config.discord else {
        return Ok(None);
    };
    let key = PublicKey::parse(&hex(&discord.public_key)).ok_or(
        "discord.public_key: these digits are no key; copy them from the developer portal",
    )?;
    Ok(Some(Arc::new(key)))
}

pub(super) fn registered(config: &Config, client: Arc<Client>) -> Option<Registered> {
    let discord = config.discord.as_ref()?;
    let guilds = if discord.is_global {
        Vec::new()
    } else {
        discord.guilds.clone()
    };
    Some(Registered { client, guilds })
}
