//! Slack's Socket Mode: a WebSocket that we open, by which Slack sends what it would send to an address. What
//! was heard is acknowledged by the code that stored it. A socket that has been silent for too long is dead.

use std::fmt;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http::Uri;
use http::uri::Scheme;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::call::CallError;
use crate::chats::json;
use crate::web::{Line, line};

/// To open a socket, or to send something.
const DEADLINE: Duration = Duration::from_secs(10);
/// After so long a silence we ask whether Slack is there, and after the same again it is not.
const SILENCE: Duration = Duration::from_secs(30);
/// No message of Slack's is longer.
const LONGEST: usize = 1 << 20;

/// What a person did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// `slash_commands`, `interactive`, or what is of no use to us.
    pub kind: String,
    /// By which it is acknowledged.
    pub id: String,
    /// JSON.
    pub payload: Vec<u8>,
}

/// What Slack says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The socket works.
    Hello,
    Envelope(Envelope),
    /// Slack wants another socket to be opened.
    Disconnect(String),
    Nothing,
}

/// An open socket.
pub struct Socket {
    stream: WebSocketStream<Line>,
    /// We asked whether Slack is there.
    has_asked: bool,
    silence: Duration,
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Socket")
    }
}

impl Socket {
    /// Opens a socket at an address that Slack gave. An attacker could listen by the address, so it is not shown.
    pub async fn open(url: &str) -> Result<Self, CallError> {
        let opening = async {
            let unusable = || CallError::Never("the socket's address cannot be used".to_owned());
            let request = url.into_client_request().map_err(|_| unusable())?;
            let address = reachable(request.uri()).ok_or_else(unusable)?;
            let line = line(address).await;
            let line = line.map_err(|error| later(&format!("Slack's socket {error}")))?;
            let config = WebSocketConfig::default()
                .max_message_size(Some(LONGEST))
                .max_frame_size(Some(LONGEST));
            let opened = client_async_with_config(request, line, Some(config)).await;
            opened.map_err(|error| broken(&error))
        };
        let (stream, _) = tokio::time::timeout(DEADLINE, opening)
            .await
            .map_err(|_| later("Slack's socket did not open in time"))??;
        Ok(Self {
            stream,
            has_asked: false,
            silence: SILENCE,
        })
    }

    /// The next thing that Slack says. A caller that stops waiting loses nothing.
    pub async fn next(&mut self) -> Result<Heard, CallError> {
        loop {
            let next = tokio::time::timeout(self.silence, self.stream.next()).await;
            let Ok(next) = next else {
                if self.has_asked {
                    return Err(later("Slack's socket is silent"));
                }
                self.has_asked = true;
                self.send(Message::Ping(bytes::Bytes::new())).await?;
                continue;
            };
            self.has_asked = false;
            return match next {
                Some(Ok(Message::Text(text))) => Ok(heard(text.as_bytes())),
                Some(Ok(Message::Close(_))) | None => {
                    Ok(Heard::Disconnect("the socket was closed".to_owned()))
                }
                // A ping was answered already.
                Some(Ok(
                    Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_),
                )) => Ok(Heard::Nothing),
                Some(Err(error)) => Err(broken(&error)),
            };
        }
    }

    /// Says that an envelope is in good hands.
    pub async fn acknowledge(&mut self, id: &str) -> Result<(), CallError> {
        let said = json!({ "envelope_id": id }).to_string();
        self.send(Message::Text(said.into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), CallError> {
        let sent = tokio::time::timeout(DEADLINE, self.stream.send(message)).await;
        let sent = sent.map_err(|_| later("Slack's socket takes nothing any more"))?;
        sent.map_err(|error| broken(&error))
    }
}

/// The address by which a socket's host is reached.
fn reachable(url: &Uri) -> Option<Uri> {
    let scheme = match url.scheme_str()? {
        "wss" => Scheme::HTTPS,
        "ws" => Scheme::HTTP,
        _ => return None,
    };
    let mut parts = url.clone().into_parts();
    parts.scheme = Some(scheme);
    Uri::from_parts(parts).ok()
}

fn heard(text: &[u8]) -> Heard {
    #[derive(Deserialize)]
    struct Told {
        #[serde(rename = "type", default)]
        kind: String,
        #[serde(default)]
        envelope_id: Option<String>,
        #[serde(default)]
        payload: Option<Value>,
        #[serde(default)]
        reason: Option<String>,
    }
    let Ok(told) = json::object::<Told>(text) else {
        return Heard::Nothing;
    };
    match (told.kind.as_str(), told.envelope_id) {
        ("hello", _) => Heard::Hello,
        ("disconnect", _) => Heard::Disconnect(told.reason.unwrap_or_default()),
        (_, Some(id)) => Heard::Envelope(Envelope {
            kind: told.kind,
            id,
            payload: told.payload.unwrap_or_default().to_string().into_bytes(),
        }),
        (_, None) => Heard::Nothing,
    }
}

fn later(why: &str) -> CallError {
    CallError::Later {
        why: why.to_owned(),
        wait: None,
    }
}

/// An error of the socket; an answer to its opening is shown by its status only.
fn broken(error: &Error) -> CallError {
    if let Error::Http(answer) = error {
        let status = answer.status();
        return later(&format!(
            "Slack's socket did not open: it answered {status}"
        ));
    }
    later(&format!("Slack's socket broke: {error}"))
}

#[cfg(test)]
mod tests;
