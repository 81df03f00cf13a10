//! A small GitHub: comments and reactions of repositories, tokens, and trouble on demand.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Path, Query, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A GitHub that listens until it is dropped.
#[derive(Debug)]
pub struct GitHub {
    address: SocketAddr,
    world: Arc<Mutex<World>>,
    server: JoinHandle<()>,
}

/// What the next calls meet.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// Answer so without doing anything.
    Refuse {
        status: u16,
        headers: Vec<(&'static str, String)>,
        message: &'static str,
    },
    /// Do what was asked, then answer so.
    FailAfterActing { status: u16 },
    /// Do what was asked after a while.
    Slow(Duration),
    /// Do what was asked and never answer.
    Silence,
}

/// A comment that somebody wrote through the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub id: u64,
    pub repository: String,
    pub issue: u64,
    pub body: String,
}

#[derive(Debug, Default)]
struct World {
    token: String,
    comments: Vec<Written>,
    /// By repository and comment, the reactions in the order in which they came.
    reactions: BTreeMap<(String, u64), Vec<String>>,
    /// Method and path of every call that was let in, in order.
    calls: Vec<String>,
    trouble: VecDeque<Trouble>,
}

type Shared = State<Arc<Mutex<World>>>;

impl GitHub {
    /// Listens on a free port of the loopback address and lets this token in.
    pub async fn start(token: &str) -> io::Result<Self> {
        let socket = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = socket.local_addr()?;
        let world = Arc::new(Mutex::new(World {
            token: token.to_owned(),
            ..World::default()
        }));
        let routes = routes(world.clone());
        let server = tokio::spawn(async move {
            // A sandbox that cannot go on ends; whoever talks to it notices.
            let _ended = axum::serve(socket, routes).await;
        });
        Ok(Self {
            address,
            world,
            server,
        })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn comments(&self) -> Vec<Written> {
        lock(&self.world).comments.clone()
    }

    pub fn reactions(&self, repository: &str, comment: u64) -> Vec<String> {
        let key = (repository.to_owned(), comment);
        lock(&self.world)
            .reactions
            .get(&key)
            .cloned()
            .unwrap_or_default()
    }

    pub fn calls(&self) -> Vec<String> {
        lock(&self.world).calls.clone()
    }

    /// The next calls meet this trouble, one each, in order.
    pub fn expect_trouble(&self, trouble: impl IntoIterator<Item = Trouble>) {
        lock(&self.world).trouble.extend(trouble);
    }
}

impl Drop for GitHub {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock(world: &Mutex<World>) -> std::sync::MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

fn routes(world: Arc<Mutex<World>>) -> Router {
    Router::new()
        .route(
            "/repos/{owner}/{name}/issues/comments/{comment}/reactions",
            post(react),
        )
        .route(
            "/repos/{owner}/{name}/issues/{issue}/comments",
            get(list_comments).post(write_comment),
        )
        .fallback(|| async { message(StatusCode::NOT_FOUND, "Not Found") })
        .layer(from_fn_with_state(world.clone(), meet))
        .with_state(world)
}

/// Lets in who has the token, and hands out the planned trouble.
async fn meet(State(world): Shared, request: Request, next: Next) -> Response {
    if !is_known(&lock(&world).token, request.headers()) {
        return message(StatusCode::UNAUTHORIZED, "Bad credentials");
    }
    let call = format!("{} {}", request.method(), request.uri().path());
    let trouble = {
        let mut world = lock(&world);
        world.calls.push(call);
        world.trouble.pop_front()
    };
    match trouble {
        None => next.run(request).await,
        Some(Trouble::Refuse {
            status,
            headers,
            message: text,
        }) => refuse(status, &headers, text),
        Some(Trouble::FailAfterActing { status }) => {
            next.run(request).await;
            refuse(status, &[], "Server Error")
        }
        Some(Trouble::Slow(duration)) => {
            tokio::time::sleep(duration).await;
            next.run(request).await
        }
        Some(Trouble::Silence) => {
            next.run(request).await;
            std::future::pending().await
        }
    }
}

fn is_known(token: &str, headers: &HeaderMap) -> bool {
    let sent = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    sent.and_then(|value| value.split_once(' '))
        .is_some_and(|(scheme, sent)| {
            (scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token"))
                && sent == token
        })
}

fn refuse(status: u16, headers: &[(&'static str, String)], text: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = message(status, text);
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
    }
    response
}

fn message(status: StatusCode, text: &str) -> Response {
    let body = json!({ "message": text, "documentation_url": "https://docs.github.com/rest" });
    (status, Json(body)).into_response()
}

#[derive(Deserialize)]
struct Reaction {
    content: String,
}

async fn react(
    State(world): Shared,
    Path((owner, name, comment)): Path<(String, String, u64)>,
    Json(reaction): Json<Reaction>,
) -> Response {
    const KNOWN: [&str; 8] = [
        "+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes",
    ];
    if !KNOWN.contains(&reaction.content.as_str()) {
        return message(StatusCode::UNPROCESSABLE_ENTITY, "Validation Failed");
    }
    let mut world = lock(&world);
    let given = world
        .reactions
        .entry((format!("{owner}/{name}"), comment))
        .or_default();
    let is_new = !given.contains(&reaction.content);
    if is_new {
        given.push(reaction.content.clone());
    }
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let body = json!({ "id": comment, "content": reaction.content });
    (status, Json(body)).into_response()
}

#[derive(Deserialize)]
struct NewComment {
    body: String,
}

async fn write_comment(
    State(world): Shared,
    Path((owner, name, issue)): Path<(String, String, u64)>,
    Json(new): Json<NewComment>,
) -> Response {
    let mut world = lock(&world);
    let written = Written {
        id: 1_000 + world.comments.len() as u64,
        repository: format!("{owner}/{name}"),
        issue,
        body: new.body,
    };
    let body = as_json(&written);
    world.comments.push(written);
    (StatusCode::CREATED, Json(body)).into_response()
}

#[derive(Deserialize)]
struct Paging {
    #[serde(default = "thirty")]
    per_page: usize,
    #[serde(default = "one")]
    page: usize,
}

fn thirty() -> usize {
    30
}

fn one() -> usize {
    1
}

async fn list_comments(
    State(world): Shared,
    Path((owner, name, issue)): Path<(String, String, u64)>,
    Query(paging): Query<Paging>,
) -> Json<Vec<Value>> {
    let repository = format!("{owner}/{name}");
    let page = lock(&world)
        .comments
        .iter()
        .filter(|comment| comment.repository == repository && comment.issue == issue)
        .skip(paging.per_page.min(100) * paging.page.saturating_sub(1))
        .take(paging.per_page.min(100))
        .map(as_json)
        .collect();
    Json(page)
}

fn as_json(comment: &Written) -> Value {
    json!({
        "id": comment.id,
        "body": comment.body,
        "user": { "login": "countersign[bot]", "id": 1, "type": "Bot" },
    })
}
