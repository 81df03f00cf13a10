//! The healer finds again what was lost: names that belong to another by now, pushes and reports of which no delivery
//! told, and deliveries that GitHub could not bring.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Shared;
use super::callers::Callers;
use crate::call::CallError;
use crate::domain::{
    Action, Actor, Bound, Catalog, Change, Due, Entry, Forge, Look, PinKind, Repository, Seen,
};
use crate::forges::github::client::FailedDelivery;
use crate::store::{StoreError, ledger, state, timer};

/// GitHub keeps failed deliveries for three days.
const REACH: SignedDuration = SignedDuration::from_hours(71);
/// A delivery that failed so often is left alone.
const MOST_ATTEMPTS: u32 = 10;
/// Deliveries asked for in one go.
const AT_ONCE: usize = 100;
/// While names could not be looked up, the next try is soon.
const SOON: Duration = Duration::from_secs(20);

/// Heals once.
#[derive(Debug)]
pub(super) struct Healer<'h> {
    pub(super) shared: &'h Shared,
    pub(super) catalog: Arc<Catalog>,
    pub(super) callers: Callers,
}

impl Healer<'_> {
    /// Looks up every repository, and every name of people, of the configuration. Returns when to come
    /// again, if not at the usual time.
    pub(super) async fn names(&self) -> Result<Option<Duration>, StoreError> {
        let mut all_found = true;
        for forge in Forge::ALL {
            all_found &= self.names_on(forge).await?;
        }
        Ok((!all_found).then_some(SOON))
    }

    /// The names of one forge; `false` while some are not found.
    async fn names_on(&self, forge: Forge) -> Result<bool, StoreError> {
        let Ok(caller) = self.callers.of(forge) else {
            return Ok(true);
        };
        let mut all_found = true;
        let mut via = None;
        for path in self.repositories(forge) {
            match caller.repository(&path).await {
                Ok(Some(repository)) => {
                    self.bind(&forge.remembers(&path), &repository).await?;
                    via.get_or_insert(repository);
                }
                Ok(None) => {
                    all_found = false;
                    tracing::error!(
                        repository = path,
                        "{forge} shows no such repository: may we see it there?"
                    );
                }
                Err(error) => {
                    all_found = false;
                    self.could_not(&path, &error);
                }
            }
        }
        let Some(via) = via else {
            return Ok(all_found);
        };
        for (kind, name) in self.people(forge) {
            match caller.number_of(&via, kind, &name).await {
                Ok(Some(id)) => self.pin(kind, &forge.remembers(&name), id).await?,
                Ok(None) => {
                    all_found = false;
                    tracing::error!(
                        name,
                        "{forge} shows no such user, team or group; whoever is meant cannot approve"
                    );
                }
                Err(error) => {
                    all_found = false;
                    self.could_not(&name, &error);
                }
            }
        }
        Ok(all_found)
    }

    fn could_not(&self, name: &str, error: &CallError) {
        tracing::warn!(name, error = %error, "a name could not be looked up and will be again");
    }

    fn repositories(&self, forge: Forge) -> BTreeSet<String> {
        self.catalog
            .services
            .iter()
            .filter(|service| service.repo.forge() == forge)
            .map(|service| service.repo.path().to_ascii_lowercase())
            .collect()
    }

    fn people(&self, forge: Forge) -> BTreeSet<(PinKind, String)> {
        let roles = self.catalog.roles.values();
        roles
            .flat_map(|role| {
                let users = role.users(forge).iter();
                let users = users.map(|login| (PinKind::User, login.to_string()));
                let crowds = role.crowds(forge).into_iter();
                let crowds = crowds.map(|crowd| (PinKind::Team, crowd.to_string()));
                users.chain(crowds).collect::<Vec<_>>()
            })
            .map(|(kind, name)| (kind, name.to_ascii_lowercase()))
            .collect()
    }

    /// Binds a configured name to the repository, unless it is bound to another one; and lets its
    /// services be read again.
    async fn bind(&self, name: &str, repository: &Repository) -> Result<(), StoreError> {
        let now = self.shared.clock.now();
        let bound = Bound {
            name: name.to_owned(),
            repository: repository.clone(),
        };
        let services: Vec<_> = self
            .catalog
            .services
            .iter()
            .filter(|service| service.repo.remembered() == name)
            .map(|service| service.name.clone())
            .collect();
        self.shared
            .store
            .unit(move |tx| {
                let (bound, services) = (bound.clone(), services.clone());
                Box::pin(async move {
                    let look = Look::BoundRepository {
                        path: bound.name.clone(),
                    };
                    let known = state::look(tx, &look).await?;
                    if let Seen::Repositories(known) = known
                        && let Some(other) = known.first()
                        && other.repository.id != bound.repository.id
                    {
                        let first = other.repository.id;
                        return changed_hands(
                            tx,
                            &bound.name,
                            first.number(),
                            bound.repository.id.number(),
                            now,
                        )
                        .await;
                    }
                    let id = bound.repository.id;
                    state::apply(tx, &Change::Bind(bound), now).await?;
                    for service in services {
                        timer::ensure_due(tx, &Due::Reread { service }, id, now).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        self.shared.timed.notify_waiters();
        Ok(())
    }

    async fn pin(&self, kind: PinKind, name: &str, id: u64) -> Result<(), StoreError> {
        let now = self.shared.clock.now();
        let name = name.to_owned();
        self.shared
            .store
            .unit(move |tx| {
                let name = name.clone();
                Box::pin(async move {
                    match state::repin(tx, kind, &name, id, now).await? {
                        None => Ok(()),
                        Some(first) => changed_hands(tx, &name, first, id, now).await,
                    }
                })
            })
            .await
    }

    /// Asks GitHub for the deliveries that failed. Only an app can.
    pub(super) async fn deliveries(&self) -> Result<Option<Duration>, StoreError> {
        let github = self.callers.github.borrow().clone();
        let Some(github) = github.filter(|github| github.is_app()) else {
            return Ok(None);
        };
        let now = self.shared.clock.now();
        let since = now.checked_sub(REACH).unwrap_or(Timestamp::MIN);
        let failed = match github.failed_deliveries(since).await {
            Ok(failed) => failed,
            Err(error) => {
                tracing::warn!(error = %error, "the list of failed deliveries could not be read");
                return Ok(None);
            }
        };
        let worth_it = |delivery: &&FailedDelivery| delivery.attempts < MOST_ATTEMPTS;
        for delivery in failed.iter().filter(worth_it).take(AT_ONCE) {
            match github.redeliver(delivery.id).await {
                Ok(()) => tracing::info!(
                    delivery.id = delivery.guid,
                    "asked GitHub for a delivery that had failed"
                ),
                Err(error) => {
                    tracing::warn!(error = %error, "a failed delivery could not be asked for");
                    break;
                }
            }
        }
        Ok(None)
    }
}

/// The first owner keeps the name; the entry is made once for each newcomer.
async fn changed_hands(
    tx: &mut crate::store::Tx,
    name: &str,
    first: u64,
    now_id: u64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let token = format!("changed_hands/{name}/{now_id}");
    let look = Look::Remembered {
        token: token.clone(),
    };
    if let Seen::Yes(true) = state::look(tx, &look).await? {
        return Ok(());
    }
    tracing::error!(
        name,
        first,
        now = now_id,
        "a name of the configuration has changed hands; whoever has it now is refused"
    );
    state::apply(tx, &Change::Remember { token }, now).await?;
    let entry = Entry::new(now, Action::NameChangedHands, Actor::Countersign)
        .with("name", name)
        .with("first", first)
        .with("now", now_id);
    ledger::append(tx, &entry).await.map(drop)
}
