//! The door, where calls come in: who asks, whether the limit lets them, which trouble they meet, and the
//! record of it all.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request};
use serde_json::Value;

use super::call::{Answer, Call, Identity};
use super::world::World;
use super::{Shared, lock};
use crate::escape::{decoded, pairs};
use crate::trouble::{self, Trouble};
use countersign_ground::digest;

/// No request to GitHub is larger.
const LONGEST_BODY: usize = 30 << 20;
const HOURLY: u64 = 5_000;

/// One call and what was answered, whether or not the answer arrived.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub method: String,
    /// Without `/api/v3`, and with a repository's name where it was asked for by number.
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
    /// Answers that only said that nothing had changed.
    pub(super) unchanged: usize,
    pub(super) trouble: trouble::Store,
    pub(super) remaining: u64,
    pub(super) resets_at: i64,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            calls: Vec::new(),
            exchanges: Vec::new(),
            unchanged: 0,
            trouble: trouble::Store::default(),
            remaining: HOURLY,
            resets_at: i64::MAX,
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
    let path = format!("/{}", call.path.join("/"));
    let trouble = {
        let mut desk = lock(&shared.desk);
        desk.calls
            .push(format!("{} {}", call.method, head.uri.path()));
        desk.trouble.take(&call.method, &path)
    };
    meet(&shared, &head, &call, trouble).await
}

async fn meet(
    shared: &Shared,
    head: &request::Parts,
    call: &Call,
    trouble: Option<Trouble>,
) -> Response {
    let act = || {
        let answer = act(shared, call);
        finish(shared, head, conditional(&head.headers, answer))
    };
    let note = |status: u16, body: Option<Value>| {
        let exchange = exchange(call, status, body, true);
        lock(&shared.desk).exchanges.push(Arc::new(exchange));
    };
    match trouble {
        None => {
            let answer = conditional(&head.headers, act_and_note(shared, call));
            if answer.status == 304 {
                lock(&shared.desk).unchanged += 1;
            }
            finish(shared, head, answer)
        }
        Some(Trouble::Slow(duration)) => {
            tokio::time::sleep(duration).await;
            let answer = conditional(&head.headers, act_and_note(shared, call));
            finish(shared, head, answer)
        }
        Some(Trouble::Refuse {
            status,
            headers,
            message,
        }) => {
            let mut answer = Answer::message(status, message);
            answer.headers = headers;
            note(status, answer.body.clone());
            finish(shared, head, answer)
        }
        Some(Trouble::FailAfterActing { status }) => {
            act();
            let answer = Answer::message(status, "Server Error");
            note(status, answer.body.clone());
            finish(shared, head, answer)
        }
        Some(Trouble::Garbage) => {
            let acted = act();
            note(acted.status().as_u16(), None);
            plain(acted.status().as_u16(), "<html>Unicorn!</html>")
        }
        Some(Trouble::Silence) => {
            act();
            note(0, None);
            std::future::pending().await
        }
        Some(Trouble::SilenceBefore) => {
            note(0, None);
            std::future::pending().await
        }
        Some(Trouble::Reset) => {
            note(0, None);
            Response::new(trouble::broken())
        }
        Some(Trouble::ResetAfterActing) => {
            act();
            note(0, None);
            Response::new(trouble::broken())
        }
    }
}

fn act_and_note(shared: &Shared, call: &Call) -> Answer {
    let answer = act(shared, call);
    let exchange = exchange(call, answer.status, answer.body.clone(), false);
    lock(&shared.desk).exchanges.push(Arc::new(exchange));
    answer
}

fn act(shared: &Shared, call: &Call) -> Answer {
    let mut world = lock(&shared.world);
    let now = world.now().as_second();
    if !lock(&shared.desk).admit(now) {
        let text = "API rate limit exceeded. (Check out the documentation for more details.)";
        return Answer::message(403, text);
    }
    world.answer(call)
}

fn exchange(call: &Call, status: u16, body: Option<Value>, met_trouble: bool) -> Exchange {
    Exchange {
        method: call.method.clone(),
        path: format!("/{}", call.path.join("/")),
        query: call.query.clone(),
        request_body: (!call.body.is_null()).then(|| call.body.clone()),
        status,
        response_body: body,
        met_trouble,
    }
}

/// What is asked, if the caller is known.
fn read(shared: &Shared, head: &request::Parts, body: &Bytes) -> Result<Call, Answer> {
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    if text("user-agent").is_none_or(str::is_empty) {
        return Err(Answer::message(
            403,
            "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.",
        ));
    }
    let version = text("x-github-api-version").unwrap_or("2022-11-28");
    if version != "2022-11-28" {
        let text = "This API version is not supported: the sandbox speaks 2022-11-28.";
        return Err(Answer::message(410, text));
    }
    let world = lock(&shared.world);
    let identity = identity(&world, text(header::AUTHORIZATION.as_str()))?;
    let body = if body.is_empty() {
        Value::Null
    } else {
        let unreadable = |_| Answer::message(400, "Problems parsing JSON");
        serde_json::from_slice(body).map_err(unreadable)?
    };
    let path = head.uri.path();
    let path = path.strip_prefix("/api/v3").unwrap_or(path);
    let parts = path.split('/').filter(|part| !part.is_empty());
    Ok(Call {
        method: head.method.to_string(),
        path: world.named_path(parts.map(|part| decoded(part, false)).collect()),
        query: pairs(head.uri.query().unwrap_or_default()),
        body,
        identity,
        address: format!("{}{path}", world.url),
    })
}

fn identity(world: &World, authorization: Option<&str>) -> Result<Identity, Answer> {
    let (scheme, token) = authorization
        .and_then(|text| text.split_once(' '))
        .ok_or_else(|| Answer::message(401, "Requires authentication"))?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    if !is_bearer && !scheme.eq_ignore_ascii_case("token") {
        return Err(Answer::message(401, "Bad credentials"));
    }
    let identity = world.identify(token.trim())?;
    if matches!(identity, Identity::App) && !is_bearer {
        return Err(Answer::message(401, "Bad credentials"));
    }
    Ok(identity)
}

/// 304 where the asker has the same answer already; it was not counted then.
fn conditional(headers: &HeaderMap, mut answer: Answer) -> Answer {
    if answer.status != 200 {
        return answer;
    }
    let text = answer
        .body
        .as_ref()
        .map(Value::to_string)
        .unwrap_or_default();
    let etag = format!("W/\"{}\"", digest::sha256_hex(text.as_bytes()));
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    let is_known = known.is_some_and(|known| {
        let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        known == "*" || known.split(',').any(|tag| plain(tag) == plain(&etag))
    });
    answer.headers.push(("etag", etag));
    if is_known {
        answer.status = 304;
        answer.body = None;
    }
    answer
}

/// The answer with the headers that every answer has.
fn finish(shared: &Shared, head: &request::Parts, answer: Answer) -> Response {
    let (remaining, resets_at) = {
        let mut desk = lock(&shared.desk);
        if answer.status == 304 {
            desk.remaining = (desk.remaining + 1).min(HOURLY);
        }
        (desk.remaining, desk.resets_at)
    };
    let mut response = match &answer.body {
        Some(body) => Response::new(Body::from(body.to_string())),
        None => Response::new(Body::empty()),
    };
    *response.status_mut() = status(answer.status);
    let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
    let now = lock(&shared.world).now();
    let date = printer
        .timestamp_to_rfc9110_string(&now)
        .unwrap_or_default();
    let common = [
        // By this world's clock, so that a limit's reset can be told from it.
        ("date", date),
        ("x-ratelimit-limit", HOURLY.to_string()),
        ("x-ratelimit-remaining", remaining.to_string()),
        (
            "x-ratelimit-used",
            HOURLY.saturating_sub(remaining).to_string(),
        ),
        ("x-ratelimit-reset", resets_at.to_string()),
        ("x-ratelimit-resource", "core".to_owned()),
        ("x-github-media-type", "github.v3; format=json".to_owned()),
        (
            "x-github-request-id",
            digest::sha256_hex(head.uri.to_string().as_bytes())[..20].to_owned(),
        ),
    ];
    let kind = answer
        .body
        .as_ref()
        .map(|_| ("content-type", "application/json; charset=utf-8".to_owned()));
    for (name, value) in common.into_iter().chain(kind).chain(answer.headers) {
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
