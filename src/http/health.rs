//! Health: `/livez` says that the process runs; `/readyz` says whether it should get traffic, and why not.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::Serialize;
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

use super::routes::Doorway;
use crate::metrics::Metrics;
use crate::store::{Health, Store};
use countersign_ground::clock::{Clock, Stopwatch};
use countersign_ledger::Standing;

/// An answer is reused for so long, so that asking often costs the database nothing.
const FRESH: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(4);
/// With an older unhandled delivery the service calls itself late. It stays ready: a delivery that waits
/// in the inbox is safe, and one that is turned away may never come again.
const LATE: Duration = Duration::from_secs(120);

/// Knows whether the service is ready.
#[derive(Debug)]
pub struct Readiness {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    stopping: CancellationToken,
    standing: watch::Receiver<Standing>,
    last: Mutex<Option<(Stopwatch, Condition)>>,
}

/// How the service is, in the words of `/readyz`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Condition {
    pub ready: bool,
    pub stopping: bool,
    pub late: bool,
    /// `ok` or `unavailable`; why is in the log, because any client may ask here.
    pub database: String,
    /// The audit log: `ok`, `checking`, or `broken`; then nothing is released until an operator has looked.
    pub ledger: String,
    pub oldest_unhandled_seconds: f64,
    pub parked_effects: i64,
    pub parked_deliveries: i64,
}

impl Readiness {
    /// `stopping` is cancelled when the service is told to stop; `standing` tells how the audit log is.
    pub fn new(
        store: Store,
        clock: Clock,
        metrics: Metrics,
        stopping: CancellationToken,
        standing: watch::Receiver<Standing>,
    ) -> Self {
        Self {
            store,
            clock,
            metrics,
            stopping,
            standing,
            last: Mutex::default(),
        }
    }

    /// Looks, at most every half second.
    pub async fn condition(&self) -> Condition {
        let mut last = self.last.lock().await;
        if let Some((taken, condition)) = last.as_ref()
            && taken.elapsed() < FRESH
            && condition.stopping == self.stopping.is_cancelled()
        {
            return condition.clone();
        }
        let condition = self.look().await;
        *last = Some((self.clock.stopwatch(), condition.clone()));
        condition
    }

    async fn look(&self) -> Condition {
        let stopping = self.stopping.is_cancelled();
        match self.store.probe(PATIENCE).await {
            Ok(health) => self.healthy(stopping, &health),
            Err(error) => {
                tracing::error!(error = %error, "the database cannot be used");
                Condition {
                    ready: false,
                    stopping,
                    late: false,
                    database: "unavailable".to_owned(),
                    ledger: self.ledger().to_owned(),
                    oldest_unhandled_seconds: 0.0,
                    parked_effects: 0,
                    parked_deliveries: 0,
                }
            }
        }
    }

    /// How the audit log is; why is in the log.
    fn ledger(&self) -> &'static str {
        match &*self.standing.borrow() {
            Standing::Sound(_) => "ok",
            Standing::Checking => "checking",
            Standing::Broken { .. } => "broken",
        }
    }

    fn healthy(&self, stopping: bool, health: &Health) -> Condition {
        let age = health.oldest_unhandled.map_or(0.0, |oldest| {
            self.clock
                .now()
                .duration_since(oldest)
                .as_secs_f64()
                .max(0.0)
        });
        self.metrics.oldest_unhandled_seconds.set(age);
        self.metrics.parked_effects.set(health.parked_effects);
        self.metrics.parked_deliveries.set(health.parked_deliveries);
        let ledger = self.ledger();
        Condition {
            ready: !stopping && ledger == "ok",
            stopping,
            late: age > LATE.as_secs_f64(),
            database: "ok".to_owned(),
            ledger: ledger.to_owned(),
            oldest_unhandled_seconds: age,
            parked_effects: health.parked_effects,
            parked_deliveries: health.parked_deliveries,
        }
    }
}

pub(super) async fn livez() -> &'static str {
    "alive\n"
}

pub(super) async fn readyz(State(doorway): State<Arc<Doorway>>) -> Response {
    let condition = doorway.readiness.condition().await;
    let status = if condition.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = serde_json::to_string(&condition).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// In the form that is asked for; in Prometheus' own where nothing is.
pub(super) async fn metrics(
    State(doorway): State<Arc<Doorway>>,
    headers: http::HeaderMap,
) -> Response {
    // The gauges of the database are as fresh as the last look.
    doorway.readiness.condition().await;
    let asked = headers.get_all(header::ACCEPT).iter();
    let mut asked = asked.filter_map(|accept| accept.to_str().ok());
    let (text, kind) = if asked.any(|accept| accept.contains("application/openmetrics-text")) {
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        (doorway.metrics.encode(), kind)
    } else {
        let kind = "text/plain; version=0.0.4; charset=utf-8";
        (doorway.metrics.encode_plain(), kind)
    };
    match text {
        Ok(text) => (
            [(header::CONTENT_TYPE, kind), (header::VARY, "accept")],
            text,
        )
            .into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
