//! `POST /hooks/{source}`: limits, signature over the raw bytes, then durable, then 202. An overload is
//! answered before the body is read.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Request, StatusCode, header};

use super::body::{self, Unread};
use super::routes::Doorway;
use crate::domain::{Delivery, Source};
use crate::forges::github;
use crate::metrics::DeliveryLabels;
use crate::store::{NotStored, Stored};

/// Bodies longer than this are checked on a thread of their own.
const LONG: usize = 256 << 10;
/// How a delivery was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Stored,
    Malformed,
    Unauthentic,
    Refused,
    TooLarge,
    TooSlow,
    Overloaded,
    NotStored,
}

const RETRY_AFTER: &str = "5";

/// Takes one delivery.
pub(super) async fn deliver(
    State(doorway): State<Arc<Doorway>>,
    Path(source): Path<String>,
    request: Request<Body>,
) -> Response {
    let Some(source) = Source::parse(&source).filter(|source| doorway.expects(*source)) else {
        return (StatusCode::NOT_FOUND, "no such hook is configured\n").into_response();
    };
    let (answer, text) = take(&doorway, source, request).await;
    let labels = DeliveryLabels {
        source: source.as_str(),
        answer: answer.as_str(),
    };
    doorway.metrics.deliveries.get_or_create(&labels).inc();
    respond(answer, text)
}

async fn take(doorway: &Doorway, source: Source, request: Request<Body>) -> (Answer, String) {
    if doorway.is_overloaded() {
        return (Answer::Overloaded, "too much is waiting".to_owned());
    }
    let (parts, body) = request.into_parts();
    let limits = doorway.limits;
    if announced(&parts.headers).is_some_and(|bytes| bytes > limits.body_size) {
        return (Answer::TooLarge, too_large(limits.body_size));
    }
    let whole = match body::read(body, limits.body_size, limits.body, &doorway.memory).await {
        Ok(whole) => whole,
        Err(Unread::TooLarge) => return (Answer::TooLarge, too_large(limits.body_size)),
        Err(Unread::TooSlow) => return (Answer::TooSlow, too_slow(limits.body)),
        Err(Unread::NoMemory) => {
            return (Answer::Overloaded, "too much is being received".to_owned());
        }
        Err(Unread::BrokenOff) => return (Answer::Refused, "the body broke off".to_owned()),
    };
    let checked = check(doorway, source, &parts.headers, &whole.bytes);
    let delivery = match checked {
        Ok(delivery) => delivery,
        Err(refused) => return refused,
    };
    let answer = if delivery.malformed.is_some() {
        Answer::Malformed
    } else {
        Answer::Stored
    };
    let now = doorway.clock.now();
    match doorway.door.store(delivery, &whole.bytes, now).await {
        Ok(Stored) => (answer, "stored".to_owned()),
        Err(NotStored) => (Answer::NotStored, "not stored; send it again".to_owned()),
    }
}

/// The signature of a long body takes a while; other requests need not wait for it.
fn check(
    doorway: &Doorway,
    source: Source,
    headers: &HeaderMap,
    bytes: &[u8],
) -> Result<Delivery, (Answer, String)> {
    if bytes.len() > LONG {
        tokio::task::block_in_place(|| verify(doorway, source, headers, bytes))
    } else {
        verify(doorway, source, headers, bytes)
    }
}

fn verify(
    doorway: &Doorway,
    source: Source,
    headers: &HeaderMap,
    bytes: &[u8],
) -> Result<Delivery, (Answer, String)> {
    match source {
        Source::GitHub => {
            let secrets = doorway.github.borrow().clone();
            github::edge::receive(&secrets, headers, bytes).map_err(|rejected| {
                if rejected.is_unauthentic() {
                    tracing::warn!(source = source.as_str(), why = %rejected, "a delivery was not authentic");
                    (Answer::Unauthentic, rejected.to_string())
                } else {
                    (Answer::Refused, rejected.to_string())
                }
            })
        }
        Source::Discord | Source::Slack => Err((Answer::Unauthentic, "not configured".to_owned())),
        Source::Countersign => Err((Answer::Unauthentic, "nobody signs for us".to_owned())),
    }
}

fn respond(answer: Answer, text: String) -> Response {
    let status = match answer {
        Answer::Stored | Answer::Malformed => StatusCode::ACCEPTED,
        Answer::Unauthentic => StatusCode::UNAUTHORIZED,
        Answer::Refused => StatusCode::BAD_REQUEST,
        Answer::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Answer::TooSlow => StatusCode::REQUEST_TIMEOUT,
        Answer::Overloaded | Answer::NotStored => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut response = (status, text + "\n").into_response();
    let headers = response.headers_mut();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(
            header::RETRY_AFTER,
            http::HeaderValue::from_static(RETRY_AFTER),
        );
    }
    if matches!(
        answer,
        Answer::TooLarge | Answer::TooSlow | Answer::Overloaded
    ) {
        // The rest of the body is not read, so the connection cannot be used again.
        headers.insert(header::CONNECTION, http::HeaderValue::from_static("close"));
    }
    response
}

impl Answer {
    /// The word in the metric.
    fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Malformed => "malformed",
            Self::Unauthentic => "unauthentic",
            Self::Refused => "refused",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::Overloaded => "overloaded",
            Self::NotStored => "not_stored",
        }
    }
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

fn too_large(most: usize) -> String {
    format!("the body is larger than {most} bytes")
}

fn too_slow(deadline: Duration) -> String {
    format!("the body did not arrive within {} s", deadline.as_secs())
}
