//! Loops: what runs by itself: intake takes what was received to the desk, delivery carries out what was decided, sweep
//! does what is due, shipping sends the audit log on, witnessing shows it to witnesses. Each loop arms its wake-up
//! before it looks, so that nothing that happens meanwhile is missed; looking again after a while is only the fallback.

mod anchored;
pub mod backoff;
mod covered;
pub mod delivery;
pub mod facts;
pub mod hands;
mod heal;
pub mod intake;
pub mod listening;
pub mod registering;
pub mod shipping;
pub mod signer;
mod speech;
pub mod sweep;
mod turn;
pub mod watching;
pub mod witnessing;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::metrics::Metrics;
use crate::store::Store;
use countersign_ground::chance;
use countersign_ground::clock::Clock;
use signer::Standing;

/// What every loop works with.
#[derive(Clone, Debug)]
pub struct Shared {
    pub store: Store,
    pub clock: Clock,
    pub metrics: Metrics,
    /// Names this process in leases.
    pub holder: String,
    /// Rung when something was received.
    pub received: Arc<Notify>,
    /// Rung when something must be done outside.
    pub decided: Arc<Notify>,
    /// Rung when something was put among the timers.
    pub timed: Arc<Notify>,
    /// Rung when the audit log should be signed at once.
    pub sign: Arc<Notify>,
    /// How the audit log stands.
    pub standing: Arc<watch::Sender<Standing>>,
}

/// How long a loop rests at most when it is not woken.
pub const FALLBACK: Duration = Duration::from_secs(1);

impl Shared {
    pub fn new(store: Store, clock: Clock, metrics: Metrics) -> Self {
        Self {
            store,
            clock,
            metrics,
            holder: chance::id(),
            received: Arc::default(),
            decided: Arc::default(),
            timed: Arc::default(),
            sign: Arc::default(),
            standing: Arc::new(watch::Sender::new(Standing::Checking)),
        }
    }
}
