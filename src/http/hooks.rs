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
use crate::chats::door::{Received, Wanted};
use crate::domain::{Delivery, Source};
use crate::forges::door::TurnedAway;
use crate::metrics::DeliveryLabels;
use crate::store::{NotStored, Stored};

/// Bodies longer than this are checked on a thread of their own.
const LONG: usize = 256 << 10;
/// How a delivery was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Stored,
    /// Nothing had to be kept.
    Answered,
    Malformed,
    Unauthentic,
    Refused,
    TooLarge,
    TooSlow,
    Overloaded,
    NotStored,
}

/// What the sender is told.
enum Said {
    Words(String),
    /// In the sender's own form; empty where it wants nothing.
    Json(String),
}

/// What an authentic request is.
enum Checked {
    /// To be stored before it is answered.
    Kept(Delivery, Said),
    Answered(Said),
    /// A person types and wants suggestions.
    Asked(Wanted),
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
    let (answer, said) = take(&doorway, source, request).await;
    let labels = DeliveryLabels {
        source: source.as_str(),
        answer: answer.as_str(),
    };
    doorway.metrics.deliveries.get_or_create(&labels).inc();
    respond(answer, said)
}

async fn take(doorway: &Doorway, source: Source, request: Request<Body>) -> (Answer, Said) {
    let memory = doorway.memories.of(source);
    let memory = memory.filter(|memory| !memory.is_exhausted());
    let Some(memory) = memory.filter(|_| !doorway.is_overloaded()) else {
        return (Answer::Overloaded, Said::words("too much is waiting"));
    };
    let (parts, body) = request.into_parts();
    let limits = doorway.limits;
    if announced(&parts.headers).is_some_and(|bytes| bytes > limits.body_size) {
        return (Answer::TooLarge, Said::words(too_large(limits.body_size)));
    }
    let whole = match body::read(body, limits.body_size, limits.body, memory).await {
        Ok(whole) => whole,
        Err(Unread::TooLarge) => {
            return (Answer::TooLarge, Said::words(too_large(limits.body_size)));
        }
        Err(Unread::TooSlow) => return (Answer::TooSlow, Said::words(too_slow(limits.body))),
        Err(Unread::NoMemory) => {
            return (
                Answer::Overloaded,
                Said::words("too much is being received"),
            );
        }
        Err(Unread::BrokenOff) => return (Answer::Refused, Said::words("the body broke off")),
    };
    let checked = check(doorway, source, &parts.headers, &whole.bytes);
    let (delivery, said) = match checked {
        Ok(Checked::Kept(delivery, said)) => (delivery, said),
        Ok(Checked::Answered(said)) => return (Answer::Answered, said),
        Ok(Checked::Asked(wanted)) => {
            let store = &doorway.readiness.store;
            let found = doorway.suggestions.of(store, &wanted).await;
            return (Answer::Answered, Said::Json(wanted.answered(&found)));
        }
        Err(refused) => return refused,
    };
    let answer = if delivery.malformed.is_some() {
        Answer::Malformed
    } else {
        Answer::Stored
    };
    let now = doorway.clock.now();
    match doorway.door.store(delivery, &whole.bytes, now).await {
        Ok(Stored) => (answer, said),
        Err(NotStored) => (Answer::NotStored, Said::words("not stored; send it again")),
    }
}

/// The signature of a long body takes a while; other requests need not wait for it.
fn check(
    doorway: &Doorway,
    source: Source,
    headers: &HeaderMap,
    bytes: &[u8],
) -> Result<Checked, (Answer, Said)> {
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
) -> Result<Checked, (Answer, Said)> {
    let now = doorway.clock.now();
    match source {
        Source::Forge(forge) => doorway
            .forges
            .receive(forge, headers, bytes, now)
            .map(|delivery| Checked::Kept(delivery, Said::words("stored")))
            .map_err(|why| match why {
                TurnedAway::Unauthentic(why) => unauthentic(source, &why),
                TurnedAway::Refused(why) => (Answer::Refused, Said::words(why)),
            }),
        Source::Chat(chat) => doorway
            .chats
            .receive(chat, headers, bytes, now)
            .map(|received| match received {
                Received::Kept { delivery, answer } => Checked::Kept(delivery, Said::Json(answer)),
                Received::Answered(answer) => Checked::Answered(Said::Json(answer)),
                Received::Asked(wanted) => Checked::Asked(wanted),
            })
            .map_err(|why| unauthentic(source, &why)),
        Source::Countersign => Err((Answer::Unauthentic, Said::words("nobody signs for us"))),
    }
}

fn unauthentic(source: Source, why: &str) -> (Answer, Said) {
    // A sender who cannot show who they are is told less.
    tracing::warn!(
        source = source.as_str(),
        why,
        "a delivery was not authentic"
    );
    (Answer::Unauthentic, Said::words(why))
}

fn respond(answer: Answer, said: Said) -> Response {
    let status = match (answer, &said) {
        // A chat shows what it is answered.
        (Answer::Stored | Answer::Malformed | Answer::Answered, Said::Json(_)) => StatusCode::OK,
        (Answer::Stored | Answer::Malformed | Answer::Answered, Said::Words(_)) => {
            StatusCode::ACCEPTED
        }
        (refused, _) => refused.status(),
    };
    let mut response = said.into_response(status);
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

impl Said {
    fn words(words: impl std::fmt::Display) -> Self {
        Self::Words(words.to_string())
    }

    fn into_response(self, status: StatusCode) -> Response {
        match self {
            Self::Words(words) => (status, words + "\n").into_response(),
            Self::Json(nothing) if nothing.is_empty() => status.into_response(),
            Self::Json(json) => {
                let kind = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
                (status, kind, json).into_response()
            }
        }
    }
}

impl Answer {
    fn status(self) -> StatusCode {
        match self {
            Self::Stored | Self::Malformed | Self::Answered => StatusCode::ACCEPTED,
            Self::Unauthentic => StatusCode::UNAUTHORIZED,
            Self::Refused => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Overloaded | Self::NotStored => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The word in the metric.
    fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Answered => "answered",
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
