//! Routes: what is served where.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use http::{StatusCode, Uri, header};
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;

use super::accept::Limits;
use super::answer::Problem;
use super::bearer::Bearers;
use super::body::Memories;
use super::health::{self, Readiness};
use super::suggestions::Suggestions;
use super::turns::Turns;
use super::{api, hooks, log, observe};
use crate::domain::{Catalog, Source};
use crate::metrics::Metrics;
use crate::store::Door;
use crate::{chats, forges};
use countersign_ground::clock::Clock;

const OPENAPI: &str = include_str!("openapi.json");

/// Readings of the log and questions to it at once; together fewer than the store's connections.
const LOG_AT_ONCE: usize = 2;
const AUDIT_AT_ONCE: usize = 3;

/// Everything the handlers use.
#[derive(Debug)]
pub struct Doorway {
    pub(super) door: Door,
    pub(super) clock: Clock,
    pub(super) metrics: Metrics,
    pub(super) readiness: Readiness,
    pub(super) limits: Limits,
    pub(super) memories: Memories,
    pub(super) forges: forges::door::Guard,
    pub(super) chats: chats::door::Guard,
    pub(super) suggestions: Suggestions,
    pub(super) bearers: Bearers,
    pub(super) log_turns: Turns,
    pub(super) audit_turns: Turns,
}

impl Doorway {
    pub fn new(
        door: Door,
        readiness: Readiness,
        limits: Limits,
        forges: forges::door::Guard,
    ) -> Self {
        Self {
            door,
            clock: readiness.clock.clone(),
            metrics: readiness.metrics.clone(),
            memories: Memories::new(limits.bodies_size, limits.body_size),
            readiness,
            limits,
            forges,
            chats: chats::door::Guard::default(),
            suggestions: Suggestions::default(),
            bearers: Bearers::default(),
            log_turns: Turns::new(LOG_AT_ONCE),
            audit_turns: Turns::new(AUDIT_AT_ONCE),
        }
    }

    /// The same, open for chats, where names of the catalog are suggested.
    #[must_use]
    pub fn with_chats(
        self,
        chats: chats::door::Guard,
        catalog: watch::Receiver<Arc<Catalog>>,
    ) -> Self {
        Self {
            chats,
            suggestions: Suggestions(catalog),
            ..self
        }
    }

    /// Whether a source is configured.
    pub(super) fn expects(&self, source: Source) -> bool {
        match source {
            Source::Forge(forge) => self.forges.expects(forge),
            Source::Chat(chat) => self.chats.expects(chat),
            Source::Countersign => false,
        }
    }

    /// Whether the database is behind with what was received.
    pub(super) fn is_overloaded(&self) -> bool {
        self.door.room() == 0
    }
}

/// Every path and who answers there. `openapi.json` describes each; a star stands where slashes may follow.
fn routes() -> Vec<(&'static str, MethodRouter<Arc<Doorway>>)> {
    vec![
        ("/hooks/{source}", post(hooks::deliver)),
        ("/livez", get(health::livez)),
        ("/readyz", get(health::readyz)),
        ("/metrics", get(health::metrics)),
        ("/openapi.json", get(openapi)),
        ("/api/v1/audit", get(api::search)),
        ("/api/v1/audit/{seq}", get(api::one)),
        ("/api/v1/audit/requests/{request}", get(api::of_request)),
        ("/log/checkpoint", get(log::checkpoint)),
        ("/log/tile/entries/{*index}", get(log::tile)),
        ("/log/tile/{level}/{*index}", get(log::tile)),
    ]
}

/// The routes, with a net for panics inside and observation outside.
pub fn router(doorway: Doorway) -> Router {
    let doorway = Arc::new(doorway);
    routes()
        .into_iter()
        .fold(Router::new(), |router, (path, handler)| {
            router.route(path, handler)
        })
        .fallback(async |uri: Uri| nothing(&uri, StatusCode::NOT_FOUND, "nothing is served here"))
        .method_not_allowed_fallback(async |uri: Uri| {
            let sentence = "this can only be asked with the methods that `Allow` names";
            nothing(&uri, StatusCode::METHOD_NOT_ALLOWED, sentence)
        })
        .layer(CatchPanicLayer::custom(observe::panicked))
        .layer(from_fn_with_state(doorway.clone(), observe::observe))
        .with_state(doorway)
}

/// Programs of the API read JSON only.
fn nothing(uri: &Uri, status: StatusCode, sentence: &str) -> Response {
    let problem = Problem::new(status, sentence);
    if uri.path().starts_with("/api/") {
        problem.into_json()
    } else {
        problem.into_text()
    }
}

/// What is served, for programs that write clients.
async fn openapi() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, OPENAPI)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let description: Value = serde_json::from_str(OPENAPI).unwrap();
        assert_eq!(description["openapi"], "3.1.0");
        let described: BTreeSet<String> = description["paths"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        let served = routes()
            .into_iter()
            .map(|(path, _)| path.replace("{*", "{"))
            .collect();
        assert_eq!(described, served);
    }

    #[test]
    fn the_description_fits_together() {
        let description: Value = serde_json::from_str(OPENAPI).unwrap();
        let mut references = Vec::new();
        collect(&description, &mut references);
        assert!(!references.is_empty());
        for reference in references {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(description.pointer(pointer).is_some(), "{reference}");
        }
        let mut names = BTreeSet::new();
        for (path, methods) in description["paths"].as_object().unwrap() {
            for operation in methods.as_object().unwrap().values() {
                let name = operation["operationId"].as_str().unwrap();
                assert!(names.insert(name), "{name}");
                assert!(operation["responses"].is_object(), "{path}");
                let parameters = operation["parameters"].as_array();
                let in_path: BTreeSet<&str> = parameters
                    .into_iter()
                    .flatten()
                    .filter(|parameter| parameter["in"] == "path")
                    .filter_map(|parameter| parameter["name"].as_str())
                    .collect();
                let expect: BTreeSet<&str> = path
                    .split('{')
                    .skip(1)
                    .filter_map(|rest| rest.split('}').next())
                    .collect();
                assert_eq!(in_path, expect, "{path}");
            }
        }
    }

    fn collect<'d>(value: &'d Value, references: &mut Vec<&'d str>) {
        match value {
            Value::Object(parts) => {
                references.extend(parts.get("$ref").and_then(Value::as_str));
                parts.values().for_each(|part| collect(part, references));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}
