//! What is served where.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;

use super::accept::Limits;
use super::bearer::Bearers;
use super::body::Memory;
use super::health::{self, Readiness};
use super::turns::Turns;
use super::{hooks, log, observe};
use crate::clock::Clock;
use crate::domain::Source;
use crate::forges::github::edge::WebhookSecrets;
use crate::metrics::Metrics;
use crate::store::Door;

/// Readings of the log at once; together with the questions below fewer than the store's connections.
const LOG_AT_ONCE: usize = 2;

/// Everything the handlers use.
#[derive(Debug)]
pub struct Doorway {
    pub(super) door: Door,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    pub(super) readiness: Readiness,
    pub(super) limits: Limits,
    pub(super) memory: Memory,
    pub(super) github: watch::Receiver<Arc<WebhookSecrets>>,
    pub(super) bearers: Bearers,
    pub(super) log_turns: Turns,
}

impl Doorway {
    pub fn new(
        door: Door,
        readiness: Readiness,
        limits: Limits,
        github: watch::Receiver<Arc<WebhookSecrets>>,
    ) -> Self {
        Self {
            door,
            clock: readiness.clock.clone(),
            metrics: readiness.metrics.clone(),
            memory: Memory::new(limits.bodies_size),
            readiness,
            limits,
            github,
            bearers: Bearers::default(),
            log_turns: Turns::new(LOG_AT_ONCE),
        }
    }

    /// Whether a source is configured.
    pub(super) fn expects(&self, source: Source) -> bool {
        match source {
            Source::GitHub => !self.github.borrow().is_empty(),
            Source::Countersign => false,
        }
    }

    pub(super) fn is_overloaded(&self) -> bool {
        self.door.room() == 0 || self.memory.is_exhausted()
    }
}

/// The routes, with a net for panics inside and observation outside.
pub fn router(doorway: Doorway) -> Router {
    let doorway = Arc::new(doorway);
    Router::new()
        .route("/hooks/{source}", post(hooks::deliver))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/log/checkpoint", get(log::checkpoint))
        .route("/log/tile/entries/{*index}", get(log::tile))
        .route("/log/tile/{level}/{*index}", get(log::tile))
        .layer(CatchPanicLayer::custom(observe::panicked))
        .layer(from_fn_with_state(doorway.clone(), observe::observe))
        .with_state(doorway)
}
