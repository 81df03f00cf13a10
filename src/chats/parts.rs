//! The parts that a configuration makes for the chats: clients, what their doors check, and where commands are
//! registered. They are handed to whoever runs, and replaced together when the configuration changes.

use std::sync::Arc;

use tokio::sync::watch;

use super::clients::{Clients, Registered};
use super::discord::edge::PublicKey;
use super::door::Guard;
use super::slack::edge::SigningSecrets;
use super::{discord, slack};

/// Everything that is made for the chats.
#[derive(Clone, Debug)]
pub struct Parts {
    pub discord: Option<Arc<discord::client::Client>>,
    pub discord_key: Option<Arc<PublicKey>>,
    pub registered: Option<Registered>,
    pub slack: Option<Arc<slack::client::Client>>,
    pub slack_secrets: Arc<SigningSecrets>,
}

/// The sending ends.
#[derive(Debug)]
pub struct Handover {
    discord: watch::Sender<Option<Arc<discord::client::Client>>>,
    discord_key: watch::Sender<Option<Arc<PublicKey>>>,
    registered: watch::Sender<Option<Registered>>,
    slack: watch::Sender<Option<Arc<slack::client::Client>>>,
    slack_secrets: watch::Sender<Arc<SigningSecrets>>,
}

/// The receiving ends.
#[derive(Clone, Debug)]
pub struct Received {
    pub clients: Clients,
    pub door: Guard,
    pub registered: watch::Receiver<Option<Registered>>,
}

impl Handover {
    pub fn new(parts: Parts) -> (Self, Received) {
        let (discord, discord_client) = watch::channel(parts.discord);
        let (discord_key, discord_door) = watch::channel(parts.discord_key);
        let (registered, registered_part) = watch::channel(parts.registered);
        let (slack, slack_client) = watch::channel(parts.slack);
        let (slack_secrets, slack_door) = watch::channel(parts.slack_secrets);
        let received = Received {
            clients: Clients {
                discord: discord_client,
                slack: slack_client,
            },
            door: Guard {
                discord: discord_door,
                slack: slack_door,
            },
            registered: registered_part,
        };
        let handover = Self {
            discord,
            discord_key,
            registered,
            slack,
            slack_secrets,
        };
        (handover, received)
    }

    pub fn replace(&self, parts: Parts) {
        self.discord.send_replace(parts.discord);
        self.discord_key.send_replace(parts.discord_key);
        self.registered.send_replace(parts.registered);
        self.slack.send_replace(parts.slack);
        self.slack_secrets.send_replace(parts.slack_secrets);
    }
}
