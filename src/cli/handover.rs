//! The handover: a configuration becomes what the running parts use, and is handed to them; again on a reload.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::parts;
use crate::config::Config;
use crate::domain::Catalog;
use crate::{chats, forges};

/// The clients that a configuration asks for.
#[derive(Clone, Debug)]
pub(super) struct Clients {
    forges: forges::parts::Parts,
    chats: chats::parts::Parts,
}

/// The sending ends of what can change while the service runs.
#[derive(Debug)]
pub(super) struct Handover {
    catalog: watch::Sender<Arc<Catalog>>,
    forges: forges::parts::Handover,
    chats: chats::parts::Handover,
    keep_handled: watch::Sender<Duration>,
}

/// The receiving ends, one for each part.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub(super) catalog: watch::Receiver<Arc<Catalog>>,
    pub(super) forges: forges::clients::Clients,
    pub(super) forge_door: forges::door::Guard,
    pub(super) chats: chats::parts::Received,
    pub(super) keep_handled: watch::Receiver<Duration>,
}

impl Handover {
    pub(super) fn new(config: &Config, clients: Clients) -> (Self, Parts) {
        let (catalog, catalog_part) = watch::channel(sealed(config));
        let (forges, forge_clients, forge_door) = forges::parts::Handover::new(clients.forges);
        let (chats, chat_parts) = chats::parts::Handover::new(clients.chats);
        let (keep_handled, keep_part) = watch::channel(config.database.keep_handled.as_duration());
        let handover = Self {
            catalog,
            forges,
            chats,
            keep_handled,
        };
        let parts = Parts {
            catalog: catalog_part,
            forges: forge_clients,
            forge_door,
            chats: chat_parts,
            keep_handled: keep_part,
        };
        (handover, parts)
    }

    /// Puts a new configuration in force, with the clients that were made for it.
    pub(super) fn replace(&self, config: &Config, clients: Clients) {
        self.forges.replace(clients.forges);
        self.chats.replace(clients.chats);
        // After the clients, because its change has names looked up again, with the new client.
        self.catalog.send_replace(sealed(config));
        self.keep_handled
            .send_replace(config.database.keep_handled.as_duration());
    }
}

/// The catalog with the digest of every environment's policy.
pub(super) fn sealed(config: &Config) -> Arc<Catalog> {
    Arc::new(config.catalog.clone().sealed())
}

/// The clients for what is configured, or why they cannot be made.
pub(super) fn clients(config: &Config) -> Result<Clients, String> {
    Ok(Clients {
        forges: parts::of_forges(config)?,
        chats: parts::of_chats(config)?,
    })
}
