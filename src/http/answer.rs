//! Answers that are no more than a sentence: what could not be done, and the way out. Programs of the API
//! get it as JSON, readers of the log as text.

use axum::response::{IntoResponse as _, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;

use crate::store::StoreError;

const RETRY_AFTER: &str = "2";

/// Why there is nothing else to answer.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    sentence: String,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self {
            status,
            sentence: sentence.into(),
            header: None,
        }
    }

    pub(super) fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        self.header = Some((name, HeaderValue::from_static(value)));
        self
    }

    pub(super) fn busy() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many are asking; try again in a moment",
        )
        .with(header::RETRY_AFTER, RETRY_AFTER)
    }

    /// What went wrong is in the log, because it is not for readers outside.
    pub(super) fn broken() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "this could not be read; the log of the service says why",
        )
    }

    pub(super) fn into_json(self) -> Response {
        let body = json!({ "error": self.sentence }).to_string();
        let mut response = json_of(self.status, body);
        response.headers_mut().extend(self.header);
        response
    }

    pub(super) fn into_text(self) -> Response {
        let mut response = (self.status, self.sentence + "\n").into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(self.header);
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if let StoreError::Unsearchable(why) = error {
            return Self::new(StatusCode::BAD_REQUEST, format!("`text`: {why}"));
        }
        tracing::error!(error = %error, "the audit log could not be read");
        match error {
            StoreError::Unavailable(_) | StoreError::Conflict { .. } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "the database is not available; try again in a moment",
            )
            .with(header::RETRY_AFTER, RETRY_AFTER),
            StoreError::Unreadable { .. }
            | StoreError::Refused(_)
            | StoreError::Unusable(_)
            | StoreError::Unsealed
            | StoreError::Unsearchable(_)
            | StoreError::NoRandomness
            | StoreError::Stopped => Self::broken(),
        }
    }
}

/// JSON that is not to be cached.
pub(super) fn json_of(status: StatusCode, body: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, body).into_response()
}
