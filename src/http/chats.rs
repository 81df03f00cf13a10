//! The chats at the door: what their edges need to check a request, and the suggestions for a person who types. A
//! suggestion shows names that are configured and commits that the channel is told about, nothing else.

use std::sync::Arc;

use tokio::sync::watch;

use crate::chats::discord::edge::{PublicKey, Wanted};
use crate::chats::slack::edge::SigningSecrets;
use crate::domain::command::definitions;
use crate::domain::{Catalog, Chat, Service};
use crate::store::{Store, state};

/// How many are shown.
const MOST: usize = 25;

/// What the door knows of chats.
#[derive(Clone, Debug)]
pub struct Chats {
    pub discord: watch::Receiver<Option<Arc<PublicKey>>>,
    pub slack: watch::Receiver<Arc<SigningSecrets>>,
    pub catalog: watch::Receiver<Arc<Catalog>>,
}

impl Default for Chats {
    /// No chat at all.
    fn default() -> Self {
        Self {
            discord: watch::channel(None).1,
            slack: watch::channel(Arc::new(SigningSecrets::new([]))).1,
            catalog: watch::channel(Arc::default()).1,
        }
    }
}

impl Chats {
    /// What a person may mean who has typed so far: shown, and written when it is chosen.
    pub(super) async fn suggest(&self, store: &Store, wanted: &Wanted) -> Vec<(String, String)> {
        let catalog = self.catalog.borrow().clone();
        let is_ours = wanted.guild.as_ref().is_some_and(|guild| {
            let mut tenants = catalog.tenants.iter();
            tenants.any(|(chat, tenant)| *chat == Chat::Discord && tenant == guild)
        });
        if !is_ours {
            return Vec::new();
        }
        let channel = wanted.channel.as_deref().unwrap_or_default();
        let named = wanted
            .given
            .iter()
            .find(|(name, _)| name == "service")
            .map(|(_, value)| value.as_str());
        let services: Vec<&Service> = catalog
            .services_of(Chat::Discord, channel)
            .into_iter()
            .filter(|service| named.is_none_or(|name| service.name.as_str() == name))
            .collect();
        let found = match wanted.option.as_str() {
            "service" => names(
                catalog
                    .services_of(Chat::Discord, channel)
                    .iter()
                    .map(|one| one.name.as_str()),
            ),
            "environment" => names(services.iter().flat_map(|service| {
                let allowed = service
                    .environments
                    .iter()
                    .filter(|one| catalog.allows((Chat::Discord, channel), service, &one.name));
                allowed.map(|one| one.name.as_str())
            })),
            "command" => names(definitions().iter().map(|one| one.name)),
            "target" => candidates(store, channel, &services).await,
            _ => Vec::new(),
        };
        let typed = wanted.typed.trim().to_lowercase();
        found
            .into_iter()
            .filter(|(shown, _)| shown.to_lowercase().contains(&typed))
            .take(MOST)
            .collect()
    }
}

fn names<'n>(names: impl Iterator<Item = &'n str>) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for name in names {
        if found.iter().all(|(known, _)| known != name) {
            found.push((name.to_owned(), name.to_owned()));
        }
    }
    found
}

/// The newest commits of the services that post into the channel.
async fn candidates(store: &Store, channel: &str, services: &[&Service]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for service in services {
        let mut channels = service.notify.iter();
        if !channels.any(|one| one.channel.is(Chat::Discord, channel)) {
            continue;
        }
        match state::newest_candidates(store, &service.name).await {
            Ok(newest) => found.extend(newest.into_iter().map(|candidate| {
                let shown = format!(
                    "{} {} ({})",
                    candidate.sha.short(),
                    candidate.title,
                    service.name
                );
                (shown, candidate.sha.to_string())
            })),
            // Nothing is suggested; what is typed counts all the same.
            Err(error) => {
                tracing::warn!(error = %error, "commits could not be looked up to suggest them");
            }
        }
    }
    found
}
