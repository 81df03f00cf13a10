//! Does what is due. It takes no input: it looks at the timers and at the truth, so that the road after
//! a crash is the ordinary road.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{FALLBACK, Shared};
use crate::clock::later;
use crate::store::timer::{self, Fired};
use crate::store::{StoreError, inbox, outbox};

const LEASE: Duration = Duration::from_secs(60);
const MOST: u32 = 16;
/// Rows removed in one transaction, so that pruning never holds up a delivery for long.
const PRUNED_AT_ONCE: u32 = 200;
const PRUNE_EVERY: Duration = Duration::from_secs(300);
/// Finished effects stay at least so long: while one is remembered, the same command cannot cause it
/// again, and commands older than `domain::COMMAND_LIFETIME` cause nothing.
const KEEP_EFFECTS: Duration = Duration::from_secs(30 * 24 * 3_600);
const PRUNE: &str = "prune";

/// The sweep loop.
#[derive(Debug)]
pub struct Sweep {
    pub shared: Shared,
    /// How long handled deliveries stay.
    pub keep_handled: watch::Receiver<Duration>,
}

impl Sweep {
    /// Works until it is told to stop.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.round().await {
                tracing::error!(error = %error, "sweep could not work and will try again");
            }
            tokio::select! {
                () = tokio::time::sleep(FALLBACK) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Sets the standing timers if they are missing, and does what is due.
    pub async fn round(&self) -> Result<(), StoreError> {
        let now = self.shared.clock.now();
        self.shared
            .store
            .unit(move |tx| Box::pin(async move { timer::ensure(tx, PRUNE, now).await }))
            .await?;
        for fired in timer::claim(&self.shared.store, now, LEASE, MOST).await? {
            self.fire(fired, now).await?;
        }
        Ok(())
    }

    async fn fire(&self, fired: Fired, now: Timestamp) -> Result<(), StoreError> {
        match fired.name.as_str() {
            PRUNE => self.prune(fired, now).await,
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
        let pruned = self
            .shared
            .store
            .unit(move |tx| {
                Box::pin(async move {
                    let deliveries = inbox::prune(tx, deliveries_before, PRUNED_AT_ONCE).await?;
                    let effects = outbox::prune(tx, effects_before, PRUNED_AT_ONCE).await?;
                    Ok(deliveries.max(effects))
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
