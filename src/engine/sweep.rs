//! The sweep does what is due. It takes no input: it looks at the timers and at the truth, so that the road after a
//! crash is the ordinary road. What has come due for a request is told to the desk.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::heal::Healer;
use super::watching::Watching;
use super::{FALLBACK, Shared};
use crate::domain::Catalog;
use crate::forges::clients::Clients;
use crate::store::timer::{self, Fired};
use crate::store::{StoreError, inbox, note, outbox, state};
use countersign_ground::clock::later;

const LEASE: Duration = Duration::from_secs(300);
const MOST: u32 = 64;
/// Rows removed in one transaction, so that pruning never holds up a delivery for long.
const PRUNED_AT_ONCE: u32 = 200;
const PRUNE_EVERY: Duration = Duration::from_secs(300);
const DAY: Duration = Duration::from_secs(24 * 3_600);
/// Finished effects stay at least so long.
const KEEP_EFFECTS: Duration = Duration::from_secs(30 * 24 * 3_600);
/// What is done once only is remembered so long; `domain::COMMAND_LIFETIME` is much shorter.
const KEEP_MEMORY: Duration = Duration::from_secs(90 * 24 * 3_600);
const PRUNE: &str = "prune";
/// Names are looked up again so often; sooner while some could not be.
const NAMES: &str = "names";
/// Lost deliveries are asked for so often.
const DELIVERIES: &str = "deliveries";
/// The webhooks on GitLab are looked at so often.
const WEBHOOKS: &str = "webhooks";
/// After a start, when the repositories' numbers are known and we can be reached.
const FIRST_LOOK: Duration = Duration::from_secs(5);
const HEAL_EVERY: Duration = Duration::from_secs(300);

/// The sweep loop.
#[derive(Debug)]
pub struct Sweep {
    pub shared: Shared,
    pub catalog: watch::Receiver<Arc<Catalog>>,
    pub forges: Clients,
    pub watching: Watching,
    /// How long handled deliveries stay.
    pub keep_handled: watch::Receiver<Duration>,
}

impl Sweep {
    /// Works until it is told to stop. Healing asks the forge and may take a while, so it has a loop of its
    /// own; it is done at once after a start and after a reload.
    pub async fn run(self, stop: CancellationToken) {
        tokio::join!(self.tell_until(&stop), self.heal_until(&stop));
    }

    async fn tell_until(&self, stop: &CancellationToken) {
        let timed = self.shared.timed.clone();
        while !stop.is_cancelled() {
            let woken = timed.notified();
            tokio::pin!(woken);
            woken.as_mut().enable();
            match self.notes().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(error = %error, "sweep could not work and will try again");
                }
            }
            tokio::select! {
                () = woken => {}
                () = tokio::time::sleep(FALLBACK) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    async fn heal_until(&self, stop: &CancellationToken) {
        let mut catalog = self.catalog.clone();
        self.heal_now().await;
        while !stop.is_cancelled() {
            if let Err(error) = self.chores(stop).await {
                tracing::error!(error = %error, "sweep could not work and will try again");
            }
            tokio::select! {
                () = tokio::time::sleep(FALLBACK) => {}
                Ok(()) = catalog.changed() => self.heal_now().await,
                () = stop.cancelled() => {}
            }
        }
    }

    /// Lets everything that heals come due.
    async fn heal_now(&self) {
        let now = self.shared.clock.now();
        let set = self
            .shared
            .store
            .unit(move |tx| {
                Box::pin(async move {
                    timer::set(tx, NAMES, now).await?;
                    timer::set(tx, DELIVERIES, now).await?;
                    timer::set(tx, WEBHOOKS, later(now, FIRST_LOOK)).await
                })
            })
            .await;
        if let Err(error) = set {
            tracing::error!(error = %error, "what heals could not be called up; it comes by itself later");
        }
    }

    /// Tells the desk what has come due; `true` when there may be more.
    pub async fn notes(&self) -> Result<bool, StoreError> {
        let now = self.shared.clock.now();
        let claimed = timer::claim_notes(&self.shared.store, now, LEASE, MOST).await?;
        let is_full = claimed.len() >= MOST as usize;
        for fired in claimed {
            self.tell(fired, now).await?;
        }
        Ok(is_full)
    }

    /// Sets the standing timers if they are missing, and does what is due.
    pub async fn chores(&self, stop: &CancellationToken) -> Result<(), StoreError> {
        let now = self.shared.clock.now();
        self.shared
            .store
            .unit(move |tx| {
                Box::pin(async move {
                    for name in [PRUNE, NAMES, DELIVERIES, WEBHOOKS] {
                        timer::ensure(tx, name, now).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        for fired in timer::claim(&self.shared.store, now, LEASE, MOST).await? {
            self.chore(fired, now, stop).await?;
        }
        Ok(())
    }

    /// The desk hears of it in its turn, once: the timer ends in the same transaction.
    async fn tell(&self, fired: Fired, now: Timestamp) -> Result<(), StoreError> {
        self.shared
            .store
            .unit(move |tx| {
                let fired = fired.clone();
                Box::pin(async move {
                    if let (true, Some((lane, body))) =
                        (timer::done(tx, &fired).await?, &fired.note)
                    {
                        note::leave_text(tx, lane, body, now).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        self.shared.received.notify_waiters();
        Ok(())
    }

    async fn chore(
        &self,
        fired: Fired,
        now: Timestamp,
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        match fired.name.as_str() {
            PRUNE => self.prune(fired, now).await,
            NAMES | DELIVERIES | WEBHOOKS => {
                let healer = Healer {
                    shared: &self.shared,
                    catalog: self.catalog.borrow().clone(),
                    forges: self.forges.clone(),
                };
                let healing = async {
                    match fired.name.as_str() {
                        NAMES => healer.names().await,
                        DELIVERIES => healer.deliveries().await,
                        _ => {
                            let (catalog, forges) = (&healer.catalog, &healer.forges);
                            let looked = self.watching.look(&self.shared, catalog, forges);
                            looked.await.map(|()| None)
                        }
                    }
                };
                let wait = tokio::select! {
                    wait = healing => wait?.unwrap_or(HEAL_EVERY),
                    () = stop.cancelled() => Duration::ZERO,
                };
                self.again(fired, later(now, wait)).await
            }
            name => {
                tracing::error!(
                    timer = name,
                    "a timer of another version is due; left for an hour"
                );
                let due_at = later(now, Duration::from_secs(3_600));
                self.again(fired, due_at).await
            }
        }
    }

    /// Removes a little; comes back at once while there is more.
    async fn prune(&self, fired: Fired, now: Timestamp) -> Result<(), StoreError> {
        let keep = *self.keep_handled.borrow();
        let ago = |time: Duration| now.checked_sub(time).unwrap_or(Timestamp::MIN);
        let (deliveries_before, effects_before) = (ago(keep), ago(keep.max(KEEP_EFFECTS)));
        let (memory_before, reports_before) = (ago(KEEP_MEMORY), ago(DAY * 90));
        let pruned = self
            .shared
            .store
            .unit(move |tx| {
                Box::pin(async move {
                    let deliveries = inbox::prune(tx, deliveries_before, PRUNED_AT_ONCE).await?;
                    let effects = outbox::prune(tx, effects_before, PRUNED_AT_ONCE).await?;
                    let rest =
                        state::prune(tx, memory_before, reports_before, PRUNED_AT_ONCE).await?;
                    Ok(deliveries.max(effects).max(rest))
                })
            })
            .await?;
        let more = pruned >= u64::from(PRUNED_AT_ONCE);
        let due_at = if more { now } else { later(now, PRUNE_EVERY) };
        self.again(fired, due_at).await
    }

    async fn again(&self, fired: Fired, due_at: Timestamp) -> Result<(), StoreError> {
        self.shared
            .store
            .unit(move |tx| {
                let fired = fired.clone();
                Box::pin(async move { timer::again(tx, &fired, due_at).await.map(drop) })
            })
            .await
    }
}
