//! Slack's Web API, as much of it as is used, and the address for answers. It is asked once and never waits:
//! what must be tried again says so and when, and the outbox decides. Answers never show a token.
//!
//! Slack posts a message as often as it is told to: where an answer was lost, the next attempt posts it twice.

mod standing;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::{Value, json};

use super::payload::Carried;
use super::refusal::{Refusal, sorted};
use super::{render, way_back};
use crate::call::CallError;
use crate::chats::{Remark, Shown, Unusable};
use crate::domain::text::{Message, text};
use crate::domain::{Button, Handle, Notice, Spot};
use crate::web::{Answer, Web, send, web};

pub use standing::Standing;

/// From the first byte that is sent to the answer's last.
const DEADLINE: Duration = Duration::from_secs(10);
/// No answer that is of use is longer.
const LONGEST_ANSWER: usize = 1 << 20;
/// Where Slack does not say how long to wait.
const USUAL_WAIT: u64 = 5;
/// Slack cannot make us wait longer by asking for it.
const LONGEST_WAIT: u64 = 3_600;

/// Where Slack is, and as whom we speak.
#[derive(Clone)]
pub struct Settings {
    /// `https://slack.com/api`.
    pub api_url: String,
    /// `https://hooks.slack.com`: answers go to paths below it.
    pub hooks_url: String,
    /// The bot's: `xoxb-...`.
    pub token: String,
    /// The app's, which opens sockets: `xapp-...`.
    pub app_token: Option<String>,
}

/// Speaks as the bot.
pub struct Client {
    web: Web,
    api_url: String,
    hooks_url: String,
    token: HeaderValue,
    app_token: Option<HeaderValue>,
}

/// What a method of the Web API answers.
#[derive(Default, Deserialize)]
struct Said {
    #[serde(default)]
    ok: bool,
    #[serde(default)]
    error: String,
    #[serde(default)]
    ts: Option<String>,
    #[serde(default)]
    url: Option<String>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("api_url", &self.api_url)
            .field("hooks_url", &self.hooks_url)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("api_url", &self.api_url)
            .field("hooks_url", &self.hooks_url)
            .finish_non_exhaustive()
    }
}

impl Client {
    pub fn new(settings: Settings) -> Result<Self, Unusable> {
        Ok(Self {
            web: web(),
            api_url: usable(settings.api_url)?,
            hooks_url: usable(settings.hooks_url)?,
            token: bearer(&settings.token)?,
            app_token: settings.app_token.as_deref().map(bearer).transpose()?,
        })
    }

    /// Whether it can listen by a socket.
    pub fn listens(&self) -> bool {
        self.app_token.is_some()
    }

    /// Answers the requester alone. An answer that comes after the half hour in which Slack takes one, or after
    /// the five that it takes, is dropped.
    pub async fn reply(
        &self,
        spot: &Spot,
        text: &Message,
        buttons: &[Button],
    ) -> Result<(), CallError> {
        let (response, _) = handle(spot)?;
        let mut body = render::reply(text, buttons);
        let Some(path) = response.filter(|path| way_back::is_plain(path)) else {
            body["channel"] = json!(spot.channel);
            body["user"] = json!(spot.speaker.user);
            return self.ask("chat.postEphemeral", &body).await.map(drop);
        };
        body["response_type"] = json!("ephemeral");
        // Otherwise the message whose button was pressed would be gone.
        body["replace_original"] = json!(false);
        let request = request(&format!("{}{path}", self.hooks_url), None, &body)?;
        let answer = self.send(request, "the address for answers").await?;
        match outcome_of_reply(&answer) {
            Ok(()) => Ok(()),
            Err(Refusal::Over(_)) => {
                tracing::info!(spot.id = %spot.id, "nobody waits for this answer on Slack any more");
                Ok(())
            }
            Err(refusal) => Err(refusal.error("the address for answers")),
        }
    }

    /// Opens the form of a button that asks something. Slack opens it within seconds or not at all; the person
    /// who pressed is told then.
    pub async fn form(&self, spot: &Spot, button: Button) -> Result<(), CallError> {
        let (response, trigger) = handle(spot)?;
        let carried = Carried {
            channel: spot.channel.clone(),
            response: response.map(str::to_owned),
        };
        let Some(view) = render::form(button, &carried) else {
            return Err(CallError::Never("this button asks nothing".to_owned()));
        };
        let again = &Message::from(text!["That took too long. Press the button again."]);
        let Some(trigger) = trigger else {
            return self.reply(spot, again, &[]).await;
        };
        let body = json!({ "trigger_id": trigger, "view": view });
        match self.method("views.open", &body).await? {
            Ok(_) => Ok(()),
            Err(Refusal::Over(_)) => self.reply(spot, again, &[]).await,
            Err(refusal) => Err(refusal.error("views.open")),
        }
    }

    /// Posts a message about a notice and returns its `ts`. Slack does not know whether it was posted before.
    pub async fn notice(
        &self,
        channel: &str,
        notice: &Notice,
        shown: Shown<'_>,
    ) -> Result<String, CallError> {
        let mut body = render::notice(notice, shown);
        body["channel"] = json!(channel);
        self.post(body).await
    }

    /// Changes a message about a notice; `false` when it is gone.
    pub async fn change(
        &self,
        channel: &str,
        message: &str,
        notice: &Notice,
        shown: Shown<'_>,
    ) -> Result<bool, CallError> {
        let mut body = render::notice(notice, shown);
        body["channel"] = json!(channel);
        body["ts"] = json!(message);
        match self.method("chat.update", &body).await? {
            Ok(_) => Ok(true),
            Err(Refusal::Gone(_)) => Ok(false),
            Err(refusal) => Err(refusal.error("chat.update")),
        }
    }

    /// Says something in a channel, in the thread of a notice if there is one.
    pub async fn remark(&self, channel: &str, remark: &Remark<'_>) -> Result<(), CallError> {
        let mut body = render::remark(remark);
        body["channel"] = json!(channel);
        if let Some(under) = remark.under {
            let mut body = body.clone();
            body["thread_ts"] = json!(under);
            match self.method("chat.postMessage", &quiet(body)).await? {
                Ok(_) => return Ok(()),
                // The notice was deleted: it is said in the channel then.
                Err(Refusal::Gone(_)) => {}
                Err(refusal) => return Err(refusal.error("chat.postMessage")),
            }
        }
        self.post(body).await.map(drop)
    }

    /// The address of a new socket, which is good once and soon.
    pub async fn open_socket(&self) -> Result<String, CallError> {
        let method = "apps.connections.open";
        let Some(token) = &self.app_token else {
            let why = "no app token is configured, so no socket can be opened";
            return Err(CallError::Never(why.to_owned()));
        };
        let said = self.method_as(method, token, &json!({})).await?;
        let said = said.map_err(|refusal| refusal.error(method))?;
        let url = said.url.unwrap_or_default();
        if self.is_socket(&url) {
            return Ok(url);
        }
        let why = "Slack named an address for the socket that is not its own";
        Err(CallError::Never(why.to_owned()))
    }

    /// Whether a socket's address is Slack's own; without TLS, and elsewhere, only for a Slack that is spoken
    /// to without TLS anyway.
    fn is_socket(&self, url: &str) -> bool {
        let Ok(url) = url.parse::<Uri>() else {
            return false;
        };
        let host = url.host().unwrap_or_default();
        let is_slack = host == "slack.com" || host.ends_with(".slack.com");
        match url.scheme_str() {
            Some("wss") => is_slack || !self.api_url.starts_with("https://slack.com/"),
            Some("ws") => self.api_url.starts_with("http://"),
            _ => false,
        }
    }

    async fn post(&self, body: Value) -> Result<String, CallError> {
        let said = self.ask("chat.postMessage", &quiet(body)).await?;
        said.ts.ok_or_else(|| CallError::Later {
            why: "Slack's answer names no message".to_owned(),
            wait: None,
        })
    }

    async fn ask(&self, method: &str, body: &Value) -> Result<Said, CallError> {
        let said = self.method(method, body).await?;
        said.map_err(|refusal| refusal.error(method))
    }

    async fn method(&self, method: &str, body: &Value) -> Result<Result<Said, Refusal>, CallError> {
        self.method_as(method, &self.token, body).await
    }

    /// Calls a method: an answer, a "no" that the caller may understand, or an error.
    async fn method_as(
        &self,
        method: &str,
        token: &HeaderValue,
        body: &Value,
    ) -> Result<Result<Said, Refusal>, CallError> {
        let url = format!("{}/{method}", self.api_url);
        let answer = self.send(request(&url, Some(token), body)?, method).await?;
        let wait = wait(&answer);
        // Slack says no with 200.
        let said: Option<Said> = serde_json::from_slice(&answer.body).ok();
        match said {
            Some(said) if said.ok => Ok(Ok(said)),
            Some(said) if !said.error.is_empty() => Ok(Err(sorted(&said.error, wait))),
            _ => Err(unclear(&answer, method)),
        }
    }

    async fn send(&self, request: Request<Full<Bytes>>, what: &str) -> Result<Answer, CallError> {
        let answer = send(&self.web, request, DEADLINE, LONGEST_ANSWER).await;
        let answer = answer.map_err(|error| CallError::Later {
            why: format!("Slack {error} ({what})"),
            wait: None,
        })?;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            return Err(CallError::Later {
                why: format!("Slack limits how fast we may speak ({what}: 429)"),
                wait: Some(wait(&answer)),
            });
        }
        Ok(answer)
    }
}

fn usable(mut url: String) -> Result<String, Unusable> {
    let parsed: Uri = url.parse().map_err(|_| Unusable::Address)?;
    if parsed.host().is_none() || parsed.scheme().is_none() {
        return Err(Unusable::Address);
    }
    url.truncate(url.trim_end_matches('/').len());
    Ok(url)
}

fn bearer(token: &str) -> Result<HeaderValue, Unusable> {
    let mut value =
        HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| Unusable::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

fn handle(spot: &Spot) -> Result<(Option<&str>, Option<&str>), CallError> {
    match &spot.handle {
        Handle::Slack { response, trigger } => Ok((response.as_deref(), trigger.as_deref())),
        Handle::Discord { .. } => Err(CallError::Never("this was not said on Slack".to_owned())),
    }
}

fn request(
    url: &str,
    token: Option<&HeaderValue>,
    body: &Value,
) -> Result<Request<Full<Bytes>>, CallError> {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(url)
        .header(CONTENT_TYPE, "application/json; charset=utf-8")
        .header(USER_AGENT, "countersign");
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, token.clone());
    }
    request
        .body(Full::new(Bytes::from(body.to_string())))
        .map_err(|_| CallError::Never("the address of Slack cannot be used".to_owned()))
}

/// Links unfold nothing below a message.
fn quiet(mut body: Value) -> Value {
    body["unfurl_links"] = json!(false);
    body["unfurl_media"] = json!(false);
    body
}

/// How long Slack asks us to wait.
fn wait(answer: &Answer) -> Duration {
    let named = answer.headers.get(RETRY_AFTER);
    let seconds = named.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Duration::from_secs(seconds.unwrap_or(USUAL_WAIT).min(LONGEST_WAIT))
}

/// What became of an answer to a person: Slack says `ok` in words, in JSON, or by the status.
fn outcome_of_reply(answer: &Answer) -> Result<(), Refusal> {
    let said: Option<Said> = serde_json::from_slice(&answer.body).ok();
    let word = match &said {
        Some(said) if said.ok => return Ok(()),
        Some(said) => said.error.clone(),
        None => String::from_utf8_lossy(&answer.body).trim().to_owned(),
    };
    let status = answer.status;
    if status.is_success() && matches!(word.as_str(), "ok" | "") {
        return Ok(());
    }
    let is_word = word.len() <= 60 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => Err(Refusal::Over(word)),
        _ if status.is_server_error() => Err(Refusal::Later {
            why: status.to_string(),
            wait: None,
        }),
        _ if is_word && !word.is_empty() => Err(sorted(&word, wait(answer))),
        _ => Err(Refusal::Never(status.to_string())),
    }
}

/// An answer that says neither yes nor no.
fn unclear(answer: &Answer, method: &str) -> CallError {
    let status = answer.status;
    let why = format!("Slack answered {status} to {method}, and no reason");
    if status.is_success() || status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
        return CallError::Later { why, wait: None };
    }
    CallError::Never(why)
}

#[cfg(test)]
mod tests;
