//! Observation, around every request: an id, a line in the log, a count, and a net for panics.

use std::any::Any;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode};
use tracing::Instrument as _;

use super::routes::Doorway;
use crate::metrics::RequestLabels;
use countersign_ground::chance;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request an id (ours, or the proxy's if it looks like one), measures and logs it.
pub(super) async fn observe(
    State(doorway): State<Arc<Doorway>>,
    request: Request,
    next: Next,
) -> Response {
    let id = given(&request).unwrap_or_else(chance::id);
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("other", MatchedPath::as_str)
        .to_owned();
    let span = tracing::info_span!("request", request.id = id, route);
    let watch = doorway.clock.stopwatch();
    let mut response = next.run(request).instrument(span.clone()).await;
    let taken = watch.elapsed();
    let status = response.status().as_u16();
    span.in_scope(|| {
        tracing::debug!(status, milliseconds = taken.as_secs_f64() * 1e3, "answered");
    });
    doorway.metrics.request_seconds.observe(taken.as_secs_f64());
    doorway
        .metrics
        .requests
        .get_or_create(&RequestLabels { route, status })
        .inc();
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

fn given(request: &Request) -> Option<String> {
    let text = request.headers().get(REQUEST_ID)?.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    ((8..=64).contains(&text.len()) && text.bytes().all(plain)).then(|| text.to_owned())
}

/// A panic costs one request.
pub(super) fn panicked(_: Box<dyn Any + Send + 'static>) -> http::Response<Body> {
    tracing::error!("a handler panicked");
    (StatusCode::INTERNAL_SERVER_ERROR, "something broke here\n").into_response()
}
