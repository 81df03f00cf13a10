//! Socket Mode: what people did comes down a WebSocket in envelopes, each to be acknowledged. What was not
//! is told again on the next connection.

use axum::extract::ws::{Message, WebSocket};
use axum::extract::{Query, State, WebSocketUpgrade};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::world::World;
use super::{APP, Shared, Slack};
use crate::lock;

/// A connected socket.
#[derive(Debug)]
pub(super) struct Line {
    id: u64,
    /// Ends the socket when it is dropped.
    sender: mpsc::UnboundedSender<Value>,
}

/// What was sent, until the app acknowledges it.
#[derive(Clone, Debug)]
pub(super) struct Envelope {
    body: Value,
    attempts: u64,
    /// The payload of the acknowledgement.
    pub(super) answer: Option<Value>,
}

#[derive(Debug, serde::Deserialize)]
pub(super) struct Ticket {
    ticket: Option<String>,
}

impl Slack {
    /// From now on the app hears through its sockets, and over HTTP no more; or the other way round.
    pub fn socket_mode(&self, is_on: bool) {
        lock(&self.world).is_socket_mode = is_on;
    }

    /// How many sockets are connected.
    pub fn sockets(&self) -> usize {
        lock(&self.world).lines.len()
    }

    /// Tells every socket to go, such as `refresh_requested`, and hangs up.
    pub fn disconnect(&self, reason: &str) {
        let goodbye = json!({
            "type": "disconnect", "reason": reason, "debug_info": { "host": "sandbox" },
        });
        for line in lock(&self.world).lines.drain(..) {
            // Who is gone already needs no goodbye.
            let _told = line.sender.send(goodbye.clone());
        }
    }

    /// How many envelopes the app did not acknowledge.
    pub fn unacknowledged(&self) -> usize {
        let world = lock(&self.world);
        let all = world.envelopes.values();
        all.filter(|envelope| envelope.answer.is_none()).count()
    }
}

impl World {
    /// Sends an envelope down the newest socket; its id, or nothing where no socket is connected.
    pub(super) fn send_envelope(&mut self, kind: &str, payload: &Value) -> Option<String> {
        let secret = self.secret("envelope");
        let id = format!("{}-{}", &secret[..8], &secret[8..]);
        let body = json!({
            "envelope_id": id, "type": kind, "payload": payload, "accepts_response_payload": true,
        });
        let line = self.lines.last()?;
        line.sender.send(body.clone()).ok()?;
        let envelope = Envelope {
            body,
            attempts: 0,
            answer: None,
        };
        self.envelopes.insert(id.clone(), envelope);
        Some(id)
    }

    fn connect(&mut self, sender: mpsc::UnboundedSender<Value>) -> u64 {
        let id = self.next_id();
        let hello = json!({
            "type": "hello", "num_connections": self.lines.len() + 1,
            "connection_info": { "app_id": APP },
            "debug_info": { "host": "sandbox", "approximate_connection_time": 18_060 },
        });
        let unheard = self
            .envelopes
            .values_mut()
            .filter(|envelope| envelope.answer.is_none());
        let again: Vec<Value> = unheard
            .map(|envelope| {
                envelope.attempts += 1;
                let mut body = envelope.body.clone();
                body["retry_attempt"] = envelope.attempts.into();
                body["retry_reason"] = "timeout".into();
                body
            })
            .collect();
        for body in std::iter::once(hello).chain(again) {
            // The socket reads what waits for it.
            let _sent = sender.send(body);
        }
        self.lines.push(Line { id, sender });
        id
    }

    fn acknowledge(&mut self, text: &str) {
        let said: Value = serde_json::from_str(text).unwrap_or_default();
        let id = said["envelope_id"].as_str().unwrap_or_default();
        if let Some(envelope) = self.envelopes.get_mut(id)
            && envelope.answer.is_none()
        {
            envelope.answer = Some(said["payload"].clone());
            self.bell.send_modify(|rung| *rung += 1);
        }
    }
}

/// `GET /link?ticket=...`, with a ticket that is not used yet.
pub(super) async fn join(
    State(shared): State<Shared>,
    Query(ticket): Query<Ticket>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let ticket = ticket.ticket.unwrap_or_default();
    if !lock(&shared.world).tickets.remove(&ticket) {
        return StatusCode::FORBIDDEN.into_response();
    }
    upgrade.on_upgrade(|socket| talk(shared, socket))
}

async fn talk(shared: Shared, mut socket: WebSocket) {
    let (sender, mut waiting) = mpsc::unbounded_channel();
    let id = lock(&shared.world).connect(sender);
    loop {
        tokio::select! {
            next = waiting.recv() => {
                let Some(body) = next else { break };
                let text = Message::Text(body.to_string().into());
                if socket.send(text).await.is_err() {
                    break;
                }
            }
            said = socket.recv() => match said {
                Some(Ok(Message::Text(text))) => lock(&shared.world).acknowledge(&text),
                Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
            }
        }
    }
    // Whether the app hears it or not, the socket is over.
    let _closed = socket.send(Message::Close(None)).await;
    lock(&shared.world).lines.retain(|line| line.id != id);
}
