//! Front desks of the chats, and what they have in common: a call comes in, meets the trouble that is in store
//! for it, and is written down with its answer. What the answer is, each chat knows.

use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value};

use super::escape::{decoded, pairs};
use super::lock;
use super::trouble::{self, Trouble};

const LONGEST_BODY: usize = 30 << 20;

/// One call and what was answered, whether or not the answer arrived.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    /// `authorization`, `content-type` and `user-agent`, as far as they were sent.
    pub request_headers: Vec<(String, String)>,
    /// JSON as it is, a form as an object of texts.
    pub request_body: Option<Value>,
    /// 0 where nothing was answered.
    pub status: u16,
    /// JSON as it is, anything else as a text.
    pub response_body: Option<Value>,
    /// Whether a test had planned trouble for it.
    pub met_trouble: bool,
}

/// What a desk remembers.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) exchanges: Vec<Arc<Exchange>>,
    pub(super) trouble: trouble::Store,
}

/// One call as it came in.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    /// Without the slashes, decoded.
    pub(super) path: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) bytes: Bytes,
}

#[derive(Clone, Debug)]
pub(super) enum Said {
    Nothing,
    Json(Value),
    Text(String),
}

#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) said: Said,
    pub(super) headers: Vec<(&'static str, String)>,
}

/// Both sides are answers; the wrong one leaves early.
pub(super) type Outcome = Result<Answer, Answer>;

/// How a chat words an answer that a test has planned: status, headers, message.
pub(super) type Refusal = fn(u16, Vec<(&'static str, String)>, &str) -> Answer;

impl Answer {
    pub(super) fn json(status: u16, body: Value) -> Self {
        Self {
            status,
            said: Said::Json(body),
            headers: Vec::new(),
        }
    }

    pub(super) fn text(status: u16, text: &str) -> Self {
        Self {
            status,
            said: Said::Text(text.to_owned()),
            headers: Vec::new(),
        }
    }

    pub(super) fn nothing() -> Self {
        Self {
            status: 204,
            said: Said::Nothing,
            headers: Vec::new(),
        }
    }
}

impl Asked {
    /// Nothing where the body is longer than any client would send.
    pub(super) async fn read(request: Request) -> Option<Self> {
        let (head, body) = request.into_parts();
        let bytes = axum::body::to_bytes(body, LONGEST_BODY).await.ok()?;
        let parts = head.uri.path().split('/').filter(|part| !part.is_empty());
        Some(Self {
            method: head.method.to_string(),
            path: parts.map(|part| decoded(part, false)).collect(),
            query: pairs(head.uri.query().unwrap_or_default()),
            headers: head.headers,
            bytes,
        })
    }

    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The type of the body, without what follows it.
    pub(super) fn content_type(&self) -> &str {
        let value = self.header(header::CONTENT_TYPE.as_str());
        value.split(';').next().unwrap_or("").trim()
    }

    pub(super) fn address(&self) -> String {
        format!("/{}", self.path.join("/"))
    }

    /// The body for the record.
    fn told(&self) -> Option<Value> {
        if self.bytes.is_empty() {
            return None;
        }
        if self.content_type() == "application/x-www-form-urlencoded" {
            let fields = pairs(&String::from_utf8_lossy(&self.bytes));
            let fields = fields.into_iter().map(|(name, value)| (name, value.into()));
            return Some(Value::Object(fields.collect::<Map<_, _>>()));
        }
        let text = || String::from_utf8_lossy(&self.bytes).into_owned().into();
        Some(serde_json::from_slice(&self.bytes).unwrap_or_else(|_| text()))
    }

    fn exchange(&self, answer: Option<&Answer>, met_trouble: bool) -> Exchange {
        let kept = ["authorization", "content-type", "user-agent"];
        let sent = kept
            .iter()
            .filter(|name| self.headers.contains_key(**name))
            .map(|name| ((*name).to_owned(), self.header(name).to_owned()));
        Exchange {
            method: self.method.clone(),
            path: self.address(),
            query: self.query.clone(),
            request_headers: sent.collect(),
            request_body: self.told(),
            status: answer.map_or(0, |answer| answer.status),
            response_body: answer.and_then(|answer| match &answer.said {
                Said::Nothing => None,
                Said::Json(body) => Some(body.clone()),
                Said::Text(text) => Some(text.clone().into()),
            }),
            met_trouble,
        }
    }
}

/// Answers a call, unless there is trouble in store for it.
pub(super) async fn meet(
    desk: &Mutex<Desk>,
    asked: &Asked,
    refuse: Refusal,
    act: impl FnOnce() -> Answer,
) -> Response {
    let trouble = lock(desk).trouble.take(&asked.method, &asked.address());
    let is_met = trouble.is_some();
    let note = |answer: Option<&Answer>| {
        let exchange = asked.exchange(answer, is_met);
        lock(desk).exchanges.push(Arc::new(exchange));
    };
    let answer = match trouble {
        None => act(),
        Some(Trouble::Slow(duration)) => {
            tokio::time::sleep(duration).await;
            act()
        }
        Some(Trouble::Refuse {
            status,
            headers,
            message,
        }) => refuse(status, headers, message),
        Some(Trouble::FailAfterActing { status }) => {
            act();
            refuse(status, Vec::new(), "Server Error")
        }
        Some(Trouble::Garbage) => Answer::text(act().status, "<html>upstream</html>"),
        Some(Trouble::Silence) => {
            act();
            note(None);
            return std::future::pending().await;
        }
        Some(Trouble::SilenceBefore) => {
            note(None);
            return std::future::pending().await;
        }
        Some(Trouble::Reset) => {
            note(None);
            return Response::new(trouble::broken());
        }
        Some(Trouble::ResetAfterActing) => {
            act();
            note(None);
            return Response::new(trouble::broken());
        }
    };
    note(Some(&answer));
    response(answer)
}

pub(super) fn response(answer: Answer) -> Response {
    let (body, kind) = match answer.said {
        Said::Nothing => (Body::empty(), None),
        Said::Json(body) => (Body::from(body.to_string()), Some("application/json")),
        Said::Text(text) => (Body::from(text), Some("text/plain; charset=utf-8")),
    };
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = kind.map(|kind| ("content-type", kind.to_owned()));
    for (name, value) in kind.into_iter().chain(answer.headers) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            let name = HeaderName::from_static(name);
            response.headers_mut().insert(name, value);
        }
    }
    response
}
