//! The watch over the webhooks by which GitLab tells us things. GitLab puts a hook aside that fails often, repeats no
//! delivery by itself and says nothing: so we look, wake the hook, and ask for what did not arrive.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use super::Shared;
use crate::call::CallError;
use crate::domain::{Catalog, Change, Forge, Look, Repository, RepositoryId, Seen};
use crate::forges::clients::{Clients, FailedEvent, HookState, Hooks};
use crate::metrics::WebhookLabels;
use crate::store::{StoreError, state};
use countersign_ground::clock::later;

/// A hook is woken so often at most.
const WAKE_EVERY: Duration = Duration::from_secs(600);
/// A delivery is asked for so often in all, by whichever process.
const MOST_ATTEMPTS: u32 = 3;
/// GitLab sends no more than five again in a minute.
const AT_ONCE: usize = 5;

/// Where the webhooks should lead, and how they stood when this process looked last.
#[derive(Debug)]
pub struct Watching {
    /// Nothing while the address is not known; then nothing is watched.
    address: watch::Receiver<Option<String>>,
    hooks: Mutex<BTreeMap<RepositoryId, Watched>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Watched {
    state: State,
    /// No sooner than this is it woken again.
    wake_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Works,
    Missing,
    PutAside,
    /// We may not look.
    Hidden,
    /// GitLab did not answer.
    Unknown,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Missing => "missing",
            Self::PutAside => "put_aside",
            Self::Hidden => "hidden",
            Self::Unknown => "unknown",
        }
    }
}

impl Watching {
    pub fn new(address: watch::Receiver<Option<String>>) -> Self {
        Self {
            address,
            hooks: Mutex::default(),
        }
    }

    /// Looks once at the hook of every repository that is watched and known by its number.
    pub(super) async fn look(
        &self,
        shared: &Shared,
        catalog: &Catalog,
        forges: &Clients,
    ) -> Result<(), StoreError> {
        let Some(address) = self.address.borrow().clone() else {
            return Ok(());
        };
        for hooks in forges.hooks() {
            for repository in bound(shared, catalog, hooks.forge()).await? {
                let round = Round {
                    watching: self,
                    shared,
                    hooks: &hooks,
                    repository: &repository,
                };
                round.look(&address).await?;
            }
        }
        Ok(())
    }

    fn known(&self, repository: RepositoryId) -> Watched {
        let hooks = self.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        hooks.get(&repository).copied().unwrap_or_default()
    }

    fn remember(&self, repository: RepositoryId, watched: Watched) {
        let mut hooks = self.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        hooks.insert(repository, watched);
    }
}

/// The repositories on a forge to which the services of the configuration are bound.
async fn bound(
    shared: &Shared,
    catalog: &Catalog,
    forge: Forge,
) -> Result<Vec<Repository>, StoreError> {
    let services = catalog.services.iter();
    let here = services.filter(|service| service.repo.forge() == forge);
    let paths: BTreeSet<String> = here.map(|service| service.repo.remembered()).collect();
    let mut bound = Vec::new();
    for path in paths {
        let look = Look::BoundRepository { path };
        let seen = shared.store.unit(move |tx| {
            let look = look.clone();
            Box::pin(async move { state::look(tx, &look).await })
        });
        if let Seen::Repositories(known) = seen.await? {
            bound.extend(known.into_iter().map(|known| known.repository));
        }
    }
    Ok(bound)
}

/// One look at one hook.
struct Round<'r> {
    watching: &'r Watching,
    shared: &'r Shared,
    hooks: &'r Hooks,
    repository: &'r Repository,
}

impl Round<'_> {
    async fn look(&self, address: &str) -> Result<(), StoreError> {
        let found = self.hooks.state(self.repository, address).await;
        let before = self.watching.known(self.repository.id);
        let mut now = Watched {
            state: standing(&found),
            ..before
        };
        let as_found = now.state;
        if now.state != before.state {
            self.tell(&found);
        }
        let mut works = None;
        match found {
            Ok(HookState::Works(hook)) => works = Some(hook),
            Ok(HookState::PutAside { hook, .. }) => {
                let time = self.shared.clock.now();
                if before.wake_at.is_none_or(|wake_at| time >= wake_at) {
                    now.wake_at = Some(later(time, WAKE_EVERY));
                    if self.wake(hook).await {
                        now.state = State::Works;
                        works = Some(hook);
                    }
                }
            }
            Ok(HookState::Missing) | Err(_) => {}
        }
        self.watching.remember(self.repository.id, now);
        if let Some(hook) = works {
            self.ask_again(hook).await?;
        }
        self.count(as_found);
        Ok(())
    }

    fn count(&self, state: State) {
        let labels = WebhookLabels {
            repository: self.repository.remembered(),
            state: state.as_str(),
        };
        let looks = &self.shared.metrics.webhook_looks;
        looks.get_or_create(&labels).inc();
    }

    /// Says that it stands otherwise than before, and the way out.
    fn tell(&self, found: &Result<HookState, CallError>) {
        let repository = self.repository.remembered();
        match found {
            Ok(HookState::Works(_)) => {
                tracing::info!(repository, "the project's webhook works again");
            }
            Ok(HookState::Missing) => tracing::error!(
                repository,
                "no webhook of the project leads here, so nothing is heard of it: `countersign setup gitlab` \
                 makes one (a webhook of its group does as well, but cannot be watched)"
            ),
            Ok(HookState::PutAside { until, .. }) => tracing::error!(
                repository,
                until = until.as_deref().unwrap_or("somebody tests it"),
                "GitLab has put the project's webhook aside because deliveries failed, so nothing is heard of \
                 it: see Settings, Webhooks, Edit, Recent events there for why; it is woken from here while it can be"
            ),
            Err(CallError::Later { why, .. }) => {
                tracing::warn!(
                    repository,
                    why,
                    "the project's webhook could not be looked at"
                );
            }
            Err(CallError::Absent(why) | CallError::Never(why)) => tracing::error!(
                repository,
                why,
                "the project's webhook may not be looked at, so nobody notices when GitLab puts it aside: give \
                 our account the role Maintainer there"
            ),
        }
    }

    async fn wake(&self, hook: u64) -> bool {
        let repository = self.repository.remembered();
        match self.hooks.wake(self.repository, hook).await {
            Ok(()) => {
                tracing::info!(
                    repository,
                    "woke the project's webhook; GitLab uses it again"
                );
                true
            }
            Err(error) => {
                tracing::warn!(repository, error = %error, "the project's webhook could not be woken");
                false
            }
        }
    }

    /// Has what did not arrive sent again, oldest first.
    async fn ask_again(&self, hook: u64) -> Result<(), StoreError> {
        let repository = self.repository.remembered();
        let failed = match self.hooks.failed(self.repository, hook).await {
            Ok(failed) => failed,
            // An older server has no such list.
            Err(CallError::Absent(_)) => return Ok(()),
            Err(error) => {
                tracing::warn!(repository, error = %error, "the list of failed deliveries could not be read");
                return Ok(());
            }
        };
        let (mut asked, mut seen) = (0, BTreeSet::new());
        for event in failed.into_iter().rev() {
            // Every attempt that failed is listed.
            if asked == AT_ONCE
                || !seen.insert(event.key.clone())
                || !self.may_ask(hook, &event).await?
            {
                continue;
            }
            asked += 1;
            match self.hooks.resend(self.repository, hook, event.id).await {
                Ok(()) => {
                    self.remember(arrived(hook, &event.key)).await?;
                    tracing::info!(
                        repository,
                        delivery.id = event.key,
                        what = event.what,
                        "asked GitLab for a delivery that had failed"
                    );
                }
                Err(CallError::Absent(_)) => return Ok(()),
                Err(error) => {
                    tracing::warn!(repository, error = %error, "a failed delivery could not be asked for");
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Takes one of the attempts that a delivery has, if one is left.
    async fn may_ask(&self, hook: u64, event: &FailedEvent) -> Result<bool, StoreError> {
        let (arrived, key) = (arrived(hook, &event.key), event.key.clone());
        let now = self.shared.clock.now();
        self.shared
            .store
            .unit(move |tx| {
                let (arrived, key) = (arrived.clone(), key.clone());
                Box::pin(async move {
                    if is_remembered(tx, &arrived).await? {
                        return Ok(false);
                    }
                    for attempt in 1..=MOST_ATTEMPTS {
                        let token = format!("gitlab_resend/{hook}/{key}/{attempt}");
                        if !is_remembered(tx, &token).await? {
                            state::apply(tx, &Change::Remember { token }, now).await?;
                            return Ok(true);
                        }
                    }
                    Ok(false)
                })
            })
            .await
    }

    async fn remember(&self, token: String) -> Result<(), StoreError> {
        let now = self.shared.clock.now();
        self.shared
            .store
            .unit(move |tx| {
                let change = Change::Remember {
                    token: token.clone(),
                };
                Box::pin(async move { state::apply(tx, &change, now).await })
            })
            .await
    }
}

fn standing(found: &Result<HookState, CallError>) -> State {
    match found {
        Ok(HookState::Works(_)) => State::Works,
        Ok(HookState::Missing) => State::Missing,
        Ok(HookState::PutAside { .. }) => State::PutAside,
        Err(CallError::Later { .. }) => State::Unknown,
        Err(CallError::Absent(_) | CallError::Never(_)) => State::Hidden,
    }
}

fn arrived(hook: u64, key: &str) -> String {
    format!("gitlab_resend/{hook}/{key}/arrived")
}

async fn is_remembered(tx: &mut crate::store::Tx, token: &str) -> Result<bool, StoreError> {
    let look = Look::Remembered {
        token: token.to_owned(),
    };
    Ok(matches!(state::look(tx, &look).await?, Seen::Yes(true)))
}
