//! Suggestions for a person who types in a chat. They show names that are configured and commits that the channel is told
//! about, nothing else.

use std::sync::Arc;

use tokio::sync::watch;

use crate::chats::door::Wanted;
use crate::domain::command::definitions;
use crate::domain::{Catalog, Chat, Service};
use crate::store::{Store, state};

/// How many are shown.
const MOST: usize = 25;

/// What can be suggested.
#[derive(Clone, Debug)]
pub(super) struct Suggestions(pub(super) watch::Receiver<Arc<Catalog>>);

impl Default for Suggestions {
    /// Nothing at all.
    fn default() -> Self {
        Self(watch::channel(Arc::default()).1)
    }
}

impl Suggestions {
    /// What a person may mean who has typed so far: shown, and written when it is chosen.
    pub(super) async fn of(&self, store: &Store, wanted: &Wanted) -> Vec<(String, String)> {
        let (catalog, chat) = (self.0.borrow().clone(), wanted.chat);
        let is_ours = wanted.tenant.as_ref().is_some_and(|theirs| {
            let mut tenants = catalog.tenants.iter();
            tenants.any(|(of, tenant)| *of == chat && tenant == theirs)
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
            .services_of(chat, channel)
            .into_iter()
            .filter(|service| named.is_none_or(|name| service.name.as_str() == name))
            .collect();
        let found = match wanted.option.as_str() {
            "service" => names(
                catalog
                    .services_of(chat, channel)
                    .iter()
                    .map(|one| one.name.as_str()),
            ),
            "environment" => names(services.iter().flat_map(|service| {
                let allowed = service
                    .environments
                    .iter()
                    .filter(|one| catalog.allows((chat, channel), service, &one.name));
                allowed.map(|one| one.name.as_str())
            })),
            "command" => names(definitions().iter().map(|one| one.name)),
            "target" => candidates(store, (chat, channel), &services).await,
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
async fn candidates(
    store: &Store,
    (chat, channel): (Chat, &str),
    services: &[&Service],
) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for service in services {
        let mut channels = service.notify.iter();
        if !channels.any(|one| one.channel.is(chat, channel)) {
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
