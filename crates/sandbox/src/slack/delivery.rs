//! Delivery of what people did: carried to the app, signed over HTTP or in an envelope down a socket, and
//! answered within three seconds; also anything else, signed as one likes.

use std::time::Duration;

use serde_json::{Value, json};

use super::world::World;
use super::{SIGNING_SECRET, Slack};
use crate::courier::{self, Reply};
use crate::desk::Said;
use crate::escape::form;
use crate::lock;
use countersign_ground::digest;

const ANSWER: Duration = Duration::from_secs(3);

/// What was sent over HTTP.
#[derive(Clone, Debug)]
pub struct Sent {
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// What a user did: a command by its fields, anything else by a payload.
#[derive(Clone, Debug)]
pub(super) enum Told {
    Command(Vec<(String, String)>),
    Interaction(Value),
}

impl Slack {
    /// Where commands go.
    pub fn set_commands_url(&self, url: &str) {
        lock(&self.world).commands_url = Some(url.to_owned());
    }

    /// Where clicks and forms go.
    pub fn set_interactivity_url(&self, url: &str) {
        lock(&self.world).interactivity_url = Some(url.to_owned());
    }

    /// The signature of this body at this time.
    pub fn signed(&self, body: &str, timestamp: &str) -> String {
        signature(body, timestamp)
    }

    /// Asks, unsigned, whether the app is there; the status of the answer.
    pub async fn ssl_check(&self) -> Option<u16> {
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        let answer = self.send_raw(&[kind], "ssl_check=1&token=deprecated").await;
        Some(answer?.0)
    }

    /// Sends anything: a payload where clicks go, anything else where commands go. The status and body
    /// of the answer, if there was one.
    pub async fn send_raw(&self, headers: &[(&str, &str)], body: &str) -> Option<(u16, Value)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let sent = Sent {
            url: lock(&self.world).url_for(body.starts_with("payload="))?,
            headers: headers.iter().map(owned).collect(),
            body: body.to_owned(),
        };
        post(&sent).await
    }

    /// Sends once more, byte by byte, what was last sent over HTTP for a user.
    pub async fn repeat_last(&self) -> Option<(u16, Value)> {
        post(&self.last_sent()?).await
    }

    /// What was last sent over HTTP for a user.
    pub fn last_sent(&self) -> Option<Sent> {
        lock(&self.world).last_sent.clone()
    }

    /// Tells the app and waits for its answer; an error is why there is none.
    pub(super) async fn tell(&self, told: Told) -> Result<Said, String> {
        if lock(&self.world).is_socket_mode {
            self.tell_by_socket(told).await
        } else {
            self.tell_by_http(&told).await
        }
    }

    async fn tell_by_http(&self, told: &Told) -> Result<Said, String> {
        let (sent, clock) = {
            let mut world = lock(&self.world);
            let sent = world.signed_request(told)?;
            world.last_sent = Some(sent.clone());
            (sent, world.clock.clone())
        };
        let reply = tokio::select! {
            reply = courier::post(&sent.url, &sent.headers, sent.body.as_bytes()) => reply,
            () = clock.sleep(ANSWER) => return Err("operation_timeout".to_owned()),
        };
        let reply = reply.ok_or("http_client_error")?;
        if reply.status != 200 {
            return Err(format!("http_service_error: status {}", reply.status));
        }
        Ok(said(&reply))
    }

    async fn tell_by_socket(&self, told: Told) -> Result<Said, String> {
        let (id, clock, mut bell) = {
            let mut world = lock(&self.world);
            let bell = world.bell.subscribe();
            let (kind, payload) = match told {
                Told::Command(fields) => {
                    let fields = fields.into_iter().map(|(name, value)| (name, value.into()));
                    ("slash_commands", Value::Object(fields.collect()))
                }
                Told::Interaction(payload) => ("interactive", payload),
            };
            let id = world.send_envelope(kind, &payload);
            (
                id.ok_or("no socket is connected")?,
                world.clock.clone(),
                bell,
            )
        };
        let deadline = clock.sleep(ANSWER);
        tokio::pin!(deadline);
        loop {
            let answer = lock(&self.world)
                .envelopes
                .get(&id)
                .and_then(|one| one.answer.clone());
            match answer {
                Some(Value::Null) => return Ok(Said::Nothing),
                Some(answer) => return Ok(Said::Json(answer)),
                None => {}
            }
            tokio::select! {
                _rung = bell.changed() => {}
                () = &mut deadline => return Err("operation_timeout".to_owned()),
            }
        }
    }
}

impl World {
    fn url_for(&self, is_interaction: bool) -> Option<String> {
        if is_interaction {
            self.interactivity_url.clone()
        } else {
            self.commands_url.clone()
        }
    }

    fn signed_request(&self, told: &Told) -> Result<Sent, String> {
        let (body, is_interaction) = match told {
            Told::Command(fields) => (form(fields), false),
            Told::Interaction(payload) => {
                (form(&[("payload".to_owned(), payload.to_string())]), true)
            }
        };
        let url = self
            .url_for(is_interaction)
            .ok_or("the app has no such URL")?;
        let timestamp = self.now().as_second().to_string();
        let headers = [
            (
                "Content-Type",
                "application/x-www-form-urlencoded".to_owned(),
            ),
            (
                "User-Agent",
                "Slackbot 1.0 (+https://api.slack.com/robots)".to_owned(),
            ),
            ("X-Slack-Signature", signature(&body, &timestamp)),
            ("X-Slack-Request-Timestamp", timestamp),
        ];
        Ok(Sent {
            url,
            headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
            body,
        })
    }
}

fn signature(body: &str, timestamp: &str) -> String {
    let message = format!("v0:{timestamp}:{body}");
    let tag = digest::hmac_sha256_hex(SIGNING_SECRET.as_bytes(), message.as_bytes());
    format!("v0={tag}")
}

fn said(reply: &Reply) -> Said {
    if reply.body.iter().all(u8::is_ascii_whitespace) {
        return Said::Nothing;
    }
    let json = serde_json::from_slice(&reply.body)
        .ok()
        .filter(|_| reply.is_json());
    let text = || Said::Text(String::from_utf8_lossy(&reply.body).into_owned());
    json.map_or_else(text, Said::Json)
}

async fn post(sent: &Sent) -> Option<(u16, Value)> {
    let reply = courier::post(&sent.url, &sent.headers, sent.body.as_bytes()).await?;
    let body = match said(&reply) {
        Said::Nothing => json!(null),
        Said::Json(body) => body,
        Said::Text(text) => text.into(),
    };
    Some((reply.status, body))
}
