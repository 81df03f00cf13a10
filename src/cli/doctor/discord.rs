//! Discord: whether the application, its key and its address are ours, and what the bot may do in each channel.

use std::collections::BTreeSet;

use super::finding::Findings;
use crate::chats::discord::client::{Application, Client};
use crate::config::{Config, Discord};
use crate::domain::ChannelRef;
use countersign_ground::digest::hex;

const ABOUT: &str = "discord";

/// What notices need in a channel.
const RIGHTS: [(u64, &str); 5] = [
    (1 << 10, "View Channel"),
    (1 << 11, "Send Messages"),
    (1 << 14, "Embed Links"),
    (1 << 35, "Create Public Threads"),
    (1 << 38, "Send Messages in Threads"),
];

pub(super) async fn look(
    config: &Config,
    (settings, client): (&Discord, &Client),
    findings: &mut Findings,
) {
    match client.application().await {
        Ok(application) => ours(config, (settings, &application), findings),
        Err(error) => return findings.error(ABOUT, error.to_string(), ""),
    }
    let services = config.catalog.services.iter();
    let channels = services.flat_map(|service| &service.notify);
    let channels: BTreeSet<u64> = channels
        .filter_map(|one| match one.channel {
            ChannelRef::Discord(id) => Some(id),
            ChannelRef::Slack(_) => None,
        })
        .collect();
    for channel in channels {
        room(settings, (client, channel), findings).await;
    }
}

fn ours(
    config: &Config,
    (settings, application): (&Discord, &Application),
    findings: &mut Findings,
) {
    let id = settings.application_id.to_string();
    if application.id != id {
        return findings.error(
            ABOUT,
            format!(
                "the token belongs to the application {}, not to {id}",
                application.id
            ),
            "take `application_id`, `public_key` and the token from the same application",
        );
    }
    if !application
        .verify_key
        .eq_ignore_ascii_case(&hex(&settings.public_key))
    {
        findings.error(
            ABOUT,
            "`public_key` is not the application's, so Countersign turns away everything from Discord",
            "copy it from *General Information* in the developer portal",
        );
    }
    let Some(url) = &config.server.public_url else {
        return;
    };
    let expect = format!("{url}/hooks/discord");
    match application.interactions_endpoint_url.as_deref() {
        Some(url) if url == expect => {
            findings.ok(ABOUT, format!("Discord sends commands to {expect}"));
        }
        Some(url) => findings.error(
            ABOUT,
            format!("Discord sends commands to {url}, not to {expect}"),
            "correct the *Interactions Endpoint URL* in the developer portal, or `server.public_url`",
        ),
        None => findings.error(
            ABOUT,
            "Discord sends commands nowhere: the application has no interactions endpoint",
            "start the service, then enter your `public_url` and `/hooks/discord` as *Interactions Endpoint URL* in the developer portal",
        ),
    }
}

async fn room(settings: &Discord, (client, channel): (&Client, u64), findings: &mut Findings) {
    match client.room(channel).await {
        Ok(Some(room)) => {
            let ours = |guild: &String| settings.guilds.contains(guild);
            if !room.guild.as_ref().is_some_and(ours) {
                return findings.error(
                    ABOUT,
                    format!("the channel {channel} is on a server that is not in `guilds`"),
                    "add the server's id, or correct the channel's",
                );
            }
            let missing = RIGHTS.iter().filter(|(bit, _)| room.rights & bit == 0);
            let missing: Vec<&str> = missing.map(|(_, name)| *name).collect();
            if missing.is_empty() {
                findings.ok(ABOUT, format!("the bot may write in the channel {channel}"));
            } else {
                findings.error(
                    ABOUT,
                    format!("in the channel {channel} the bot lacks {}", missing.join(", ")),
                    "give the rights to its role, or in the channel's settings",
                );
            }
        }
        Ok(None) => findings.error(
            ABOUT,
            format!("the bot does not see the channel {channel}"),
            "invite it with the link of `countersign setup discord`, and let it view the channel; look at the id",
        ),
        Err(error) => findings.error(ABOUT, format!("channel {channel}: {error}"), ""),
    }
}
