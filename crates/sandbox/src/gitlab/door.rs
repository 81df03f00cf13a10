//! The door, where calls come in: who asks, whether the limit lets them, which trouble they meet, and the
//! record of it all.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header, request};
use serde_json::{Map, Value, json};

use super::call::{Answer, Call, Content};
use super::{Shared, hooks, lock};
use crate::escape::{decoded, pairs};
use crate::trouble::{self, Trouble};
use countersign_ground::digest;

/// No request to GitLab is larger.
const LONGEST_BODY: usize = 30 << 20;
/// What an instance allows in an hour when it limits at all.
const HOURLY: u64 = 7_200;
const API: &str = "/api/v4/";

/// One call and what was answered, whether or not the answer arrived.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub method: String,
    /// Below `/api/v4`, as it was asked for.
    pub path: String,
    pub query: Vec<(String, String)>,
    pub request_body: Option<Value>,
    /// 0 where nothing was answered.
    pub status: u16,
    pub response_body: Option<Value>,
    /// Whether a test had planned trouble for it.
    pub met_trouble: bool,
}

/// What the door remembers.
#[derive(Debug)]
pub(super) struct Desk {
    /// Method and path of every call that was let in, in order.
    pub(super) calls: Vec<String>,
    pub(super) exchanges: Vec<Arc<Exchange>>,
    pub(super) trouble: trouble::Store,
    pub(super) remaining: u64,
    pub(super) resets_at: i64,
    /// What is forbidden is refused in plain text.
    pub(super) refuses_in_text: bool,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            calls: Vec::new(),
            exchanges: Vec::new(),
            trouble: trouble::Store::default(),
            remaining: HOURLY,
            resets_at: i64::MAX,
            refuses_in_text: false,
        }
    }
}

impl Desk {
    /// Counts a call, or says that there is nothing left.
    fn admit(&mut self, now: i64) -> bool {
        if now >= self.resets_at {
            self.remaining = HOURLY;
            self.resets_at = now + 3_600;
        }
        if self.resets_at == i64::MAX {
            self.resets_at = now + 3_600;
        }
        let admitted = self.remaining > 0;
        self.remaining = self.remaining.saturating_sub(1);
        admitted
    }
}

pub(super) async fn enter(State(shared): State<Shared>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LONGEST_BODY).await else {
        return plain(413, "Payload Too Large");
    };
    let call = match read(&shared, &head, &body) {
        Ok(call) => call,
        Err(answer) => return finish(&shared, &head, answer),
    };
    let trouble = {
        let mut desk = lock(&shared.desk);
        desk.calls
            .push(format!("{} {}", call.method, call.asked_path));
        desk.trouble.take(&call.method, &call.asked_path)
    };
    meet(&shared, &head, &call, trouble).await
}

async fn meet(
    shared: &Shared,
    head: &request::Parts,
    call: &Call,
    trouble: Option<Trouble>,
) -> Response {
    let note = |status: u16, body: Option<Value>, met_trouble: bool| {
        let exchange = Exchange {
            method: call.method.clone(),
            path: call.asked_path.clone(),
            query: call.query.clone(),
            request_body: (!call.body.is_null()).then(|| call.body.clone()),
            status,
            response_body: body,
            met_trouble,
        };
        lock(&shared.desk).exchanges.push(Arc::new(exchange));
    };
    match trouble {
        None => {
            let answer = act(shared, call).await;
            note(answer.status, answer.json().cloned(), false);
            finish(shared, head, answer)
        }
        Some(Trouble::Slow(duration)) => {
            tokio::time::sleep(duration).await;
            let answer = act(shared, call).await;
            note(answer.status, answer.json().cloned(), false);
            finish(shared, head, answer)
        }
        Some(Trouble::Refuse {
            status,
            headers,
            message,
        }) => {
            let mut answer = match status {
                429 => too_many(),
                _ => Answer::message(status, message),
            };
            answer.headers = headers;
            note(status, answer.json().cloned(), true);
            finish(shared, head, answer)
        }
        Some(Trouble::FailAfterActing { status }) => {
            act(shared, call).await;
            let answer = Answer::message(status, "500 Internal Server Error");
            note(status, answer.json().cloned(), true);
            finish(shared, head, answer)
        }
        Some(Trouble::Garbage) => {
            let acted = act(shared, call).await;
            note(acted.status, None, true);
            plain(acted.status, "<html>Tanuki!</html>")
        }
        Some(Trouble::Silence) => {
            act(shared, call).await;
            note(0, None, true);
            std::future::pending().await
        }
        Some(Trouble::SilenceBefore) => {
            note(0, None, true);
            std::future::pending().await
        }
        Some(Trouble::Reset) => {
            note(0, None, true);
            Response::new(trouble::broken())
        }
        Some(Trouble::ResetAfterActing) => {
            act(shared, call).await;
            note(0, None, true);
            Response::new(trouble::broken())
        }
    }
}

fn too_many() -> Answer {
    Answer::new(429, Content::Text("Retry later".to_owned()))
}

async fn act(shared: &Shared, call: &Call) -> Answer {
    let mut answer = {
        let mut world = lock(&shared.world);
        let now = world.now().as_second();
        let mut desk = lock(&shared.desk);
        if !desk.admit(now) {
            let wait = desk.resets_at.saturating_sub(now);
            let mut answer = too_many();
            answer.headers.push(("retry-after", wait.to_string()));
            return answer;
        }
        drop(desk);
        world.answer(call)
    };
    if let Some(parcel) = answer.errand.take() {
        answer = hooks::run_errand(&shared.world, &parcel, answer).await;
    }
    answer
}

/// What is asked, if the caller is known.
fn read(shared: &Shared, head: &request::Parts, body: &Bytes) -> Result<Call, Answer> {
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let method = head.method.as_str();
    let bearer = text("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let token = text("private-token").or(bearer);
    let who = match token {
        Some(token) => Some(lock(&shared.world).admit(token.trim(), method)?),
        None => None,
    };
    let asked_path = head
        .uri
        .path()
        .strip_prefix(API)
        .ok_or_else(Answer::nowhere)?;
    let kind = text(header::CONTENT_TYPE.as_str()).and_then(|kind| kind.split(';').next());
    let body = match kind.map(str::trim) {
        _ if body.is_empty() => Value::Null,
        Some("application/json") | None => {
            let wrong = |_| Answer::error(400, "Invalid JSON in the body");
            serde_json::from_slice(body).map_err(wrong)?
        }
        Some("application/x-www-form-urlencoded") => form(&String::from_utf8_lossy(body)),
        Some(other) => {
            let text = format!("The provided content-type '{other}' is not supported.");
            return Err(Answer::error(415, &text));
        }
    };
    let url = lock(&shared.world).url.clone();
    Ok(Call {
        method: method.to_owned(),
        path: asked_path
            .split('/')
            .map(|part| decoded(part, false))
            .collect(),
        asked_path: format!("/{asked_path}"),
        query: pairs(head.uri.query().unwrap_or_default()),
        body,
        who,
        event: text("x-gitlab-event").map(str::to_owned),
        chain: text("x-gitlab-event-uuid").map(str::to_owned),
        address: format!("{url}{}", head.uri.path()),
    })
}

/// The fields of a form; `variables[KEY]` is a field of a map.
fn form(text: &str) -> Value {
    let mut fields = Map::new();
    for (name, value) in pairs(text) {
        let inner = name
            .split_once('[')
            .and_then(|(map, rest)| Some((map.to_owned(), rest.strip_suffix(']')?.to_owned())));
        match inner {
            Some((map, key)) => {
                let map = fields.entry(map).or_insert_with(|| json!({}));
                if let Some(map) = map.as_object_mut() {
                    map.insert(key, value.into());
                }
            }
            None => drop(fields.insert(name, value.into())),
        }
    }
    Value::Object(fields)
}

/// The answer with the headers that every answer has.
fn finish(shared: &Shared, head: &request::Parts, answer: Answer) -> Response {
    let (remaining, resets_at, refuses_in_text) = {
        let desk = lock(&shared.desk);
        (desk.remaining, desk.resets_at, desk.refuses_in_text)
    };
    let content = match answer.status {
        403 if refuses_in_text => Content::Text("403 Forbidden".to_owned()),
        _ => answer.content,
    };
    let (body, kind) = match content {
        Content::Nothing => (Body::empty(), None),
        Content::Json(body) => (Body::from(body.to_string()), Some("application/json")),
        Content::Text(text) => (Body::from(text), Some("text/plain")),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status(answer.status);
    let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
    let now = lock(&shared.world).now();
    let date = printer
        .timestamp_to_rfc9110_string(&now)
        .unwrap_or_default();
    let reset = match resets_at {
        i64::MAX => now.as_second() + 3_600,
        known => known,
    };
    let common = [
        // By this world's clock, so that a limit's reset can be told from it.
        ("date", date),
        ("ratelimit-limit", HOURLY.to_string()),
        ("ratelimit-name", "throttle_authenticated_api".to_owned()),
        (
            "ratelimit-observed",
            HOURLY.saturating_sub(remaining).to_string(),
        ),
        ("ratelimit-remaining", remaining.to_string()),
        ("ratelimit-reset", reset.to_string()),
        (
            "x-request-id",
            digest::sha256_hex(head.uri.to_string().as_bytes())[..26].to_owned(),
        ),
    ];
    let over = (answer.status == 429).then(|| {
        let at = jiff::Timestamp::from_second(reset).unwrap_or(now);
        let at = printer.timestamp_to_rfc9110_string(&at).unwrap_or_default();
        ("ratelimit-resettime", at)
    });
    let kind = kind.map(|kind| ("content-type", kind.to_owned()));
    let named = common.into_iter().chain(over).chain(kind);
    for (name, value) in named.chain(answer.headers) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
    }
    response
}

fn plain(code: u16, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status(code);
    response
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
