//! The handshake: a page on loopback by which the operator makes a GitHub App. Their browser brings our wishes to
//! GitHub, where they confirm them, and comes back with a code that is good once. No other visitor can make us take a
//! code: the page and the way back have names that cannot be guessed, and are good for one visit.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};
use serde::Deserialize;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::accept::{Limits, Listener};
use crate::metrics::Metrics;
use countersign_ground::chance;

/// A browser, and what it opens besides.
const CONNECTIONS: usize = 16;
const BACK: &str = "/made";
/// So that the last page arrives.
const FAREWELL: Duration = Duration::from_secs(3);

/// A page that was not opened yet.
#[derive(Debug)]
pub struct Handshake {
    listener: Listener,
    address: SocketAddr,
    /// The page's name.
    name: String,
    /// What GitHub must bring back.
    state: String,
}

/// A code came, and the operator looks at their browser.
#[derive(Debug)]
pub struct Came {
    pub code: String,
    page: oneshot::Sender<String>,
    stop: CancellationToken,
    served: tokio::task::JoinHandle<()>,
}

/// A code, and where its bringer waits for the last page.
type Visit = (String, oneshot::Sender<String>);

#[derive(Clone)]
struct Room {
    form: Arc<str>,
    /// Where the form may go, for the browser to enforce.
    target: Arc<str>,
    state: Arc<str>,
    hosts: Arc<[String; 2]>,
    /// Gone when a code has come.
    codes: Arc<Mutex<Option<mpsc::Sender<Visit>>>>,
}

#[derive(Deserialize)]
struct Brought {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
}

impl Handshake {
    /// Listens on this port of the loopback address; 0 for any.
    pub fn listen(port: u16) -> io::Result<Self> {
        let limits = Limits {
            connections: CONNECTIONS,
            ..Limits::default()
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = Listener::bind(address, limits, Metrics::default())?;
        Ok(Self {
            address: listener.address()?,
            listener,
            name: unguessable()?,
            state: unguessable()?,
        })
    }

    /// The page to open.
    pub fn page(&self) -> String {
        format!("http://{}/{}", self.address, self.name)
    }

    /// Where GitHub sends the browser back to.
    pub fn back(&self) -> String {
        format!("http://{}{BACK}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Waits until the browser comes back. `target` is GitHub's page for new apps, `manifest` what we wish for.
    pub async fn code(self, target: &str, manifest: &str) -> Option<Came> {
        let (codes, mut came) = mpsc::channel(1);
        let port = self.address.port();
        let room = Room {
            form: form(&format!("{target}?state={}", self.state), manifest).into(),
            target: target.into(),
            state: self.state.into(),
            hosts: [format!("127.0.0.1:{port}"), format!("localhost:{port}")].into(),
            codes: Arc::new(Mutex::new(Some(codes))),
        };
        let router = Router::new()
            .route(&format!("/{}", self.name), get(show))
            .route(BACK, get(back))
            .with_state(room);
        let stop = CancellationToken::new();
        let served = tokio::spawn(self.listener.serve(router, stop.clone()));
        let (code, page) = came.recv().await?;
        Some(Came {
            code,
            page,
            stop,
            served,
        })
    }
}

impl Came {
    /// Shows how it went, and ends the page.
    pub async fn answer(self, title: &str, text: &str) {
        // An operator who closed the browser reads it in the terminal.
        let _gone = self
            .page
            .send(page(title, &format!("<p>{}</p>", escaped(text))));
        self.stop.cancel();
        let _late = tokio::time::timeout(FAREWELL, self.served).await;
    }
}

async fn show(State(room): State<Room>, headers: HeaderMap) -> Response {
    if !room.is_ours(&headers) {
        return StatusCode::NOT_FOUND.into_response();
    }
    room.dressed(StatusCode::OK, room.form.to_string())
}

async fn back(
    State(room): State<Room>,
    headers: HeaderMap,
    Query(brought): Query<Brought>,
) -> Response {
    if !room.is_ours(&headers) || brought.code.is_empty() || brought.state != *room.state {
        let text = "<p>This is not the answer that was waited for.</p>";
        return room.dressed(StatusCode::BAD_REQUEST, page("Not here", text));
    }
    let codes = room
        .codes
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    let (sender, receiver) = oneshot::channel();
    let taken = match codes {
        Some(codes) => codes.send((brought.code, sender)).await.is_ok(),
        None => false,
    };
    if !taken {
        let text = "<p>This answer was given before. Look at the terminal.</p>";
        return room.dressed(StatusCode::GONE, page("Not again", text));
    }
    let text = receiver
        .await
        .unwrap_or_else(|_| page("It did not work", "<p>The terminal says why.</p>"));
    room.dressed(StatusCode::OK, text)
}

impl Room {
    /// A page elsewhere could only come by another name for this machine.
    fn is_ours(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(header::HOST);
        let host = host.and_then(|host| host.to_str().ok());
        host.is_some_and(|host| self.hosts.iter().any(|own| own == host))
    }

    fn dressed(&self, status: StatusCode, html: String) -> Response {
        let policy = format!(
            "default-src 'none'; form-action {}; frame-ancestors 'none'",
            self.target
        );
        let headers = [
            (header::CONTENT_SECURITY_POLICY, policy),
            (header::REFERRER_POLICY, "no-referrer".to_owned()),
            (header::CACHE_CONTROL, "no-store".to_owned()),
        ];
        (status, headers, Html(html)).into_response()
    }
}

fn unguessable() -> io::Result<String> {
    let drawn: Option<[u8; 16]> = chance::secret();
    let drawn = drawn.ok_or_else(|| io::Error::other("the machine has no random bytes to give"))?;
    Ok(drawn.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn form(action: &str, manifest: &str) -> String {
    page(
        "Make the GitHub App of Countersign",
        &format!(
            "<p>GitHub shows what the app may do, and asks you to confirm. Then it sends you back here.</p>\n\
             <form method=\"post\" action=\"{}\">\n\
             <input type=\"hidden\" name=\"manifest\" value=\"{}\">\n\
             <button>Go to GitHub</button>\n</form>",
            escaped(action),
            escaped(manifest)
        ),
    )
}

fn page(title: &str, body: &str) -> String {
    let title = escaped(title);
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\n<h1>{title}</h1>\n{body}\n</html>\n"
    )
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_form_is_more_than_text() {
        let html = form(
            "https://g.example/new?state=a&b",
            "{\"name\":\"<Ann's \\\"app\\\">\"}",
        );
        assert!(html.contains("action=\"https://g.example/new?state=a&amp;b\""));
        assert!(!html.contains("<Ann"), "{html}");
    }
}
