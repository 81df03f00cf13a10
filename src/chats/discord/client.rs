//! Discord's REST interface, as much of it as is used. It is asked once and never waits: what must be tried
//! again says so and when, and the outbox decides. Answers never show the bot's token or an interaction's.

mod standing;

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::Value;

use super::commands::{Reach, commands};
use super::pace::{Held, Pace};
use super::render;
use crate::call::CallError;
use crate::chats::{Remark, Shown, Unusable};
use crate::domain::text::Message;
use crate::domain::{Button, Handle, Notice, Spot};
use crate::web::{Answer, Unanswered, Web, send, web};
use countersign_ground::clock::{Clock, Stopwatch};

pub use standing::{Application, Room};

/// From the first byte that is sent to the answer's last.
const DEADLINE: Duration = Duration::from_secs(10);
/// No answer that is of use is longer.
const LONGEST_ANSWER: usize = 1 << 20;
/// Discord turns away what does not say what it is.
const AGENT: &str = concat!("DiscordBot (countersign, ", env!("CARGO_PKG_VERSION"), ")");

const UNKNOWN_CHANNEL: u64 = 10_003;
const UNKNOWN_MESSAGE: u64 = 10_008;
const UNKNOWN_INTERACTION: u64 = 10_062;
const UNKNOWN_WEBHOOK: u64 = 10_015;
const INVALID_WEBHOOK_TOKEN: u64 = 50_027;
const THREAD_EXISTS: u64 = 160_004;

/// Where Discord is, and as whom we speak.
#[derive(Clone)]
pub struct Settings {
    /// `https://discord.com/api/v10`, without a slash at its end.
    pub api_url: String,
    pub application_id: u64,
    pub token: String,
}

/// Speaks as the bot.
pub struct Client {
    web: Web,
    api_url: String,
    application_id: u64,
    /// The header by which Discord knows the bot.
    token: HeaderValue,
    pace: Mutex<Pace>,
    /// What the pace is measured with.
    stopwatch: Stopwatch,
}

/// As whom something is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum As {
    Bot,
    /// The holder of an interaction's token needs no other.
    Interaction,
}

/// One question.
struct Call<'c> {
    method: Method,
    path: String,
    /// Which limit it counts for: the kind of question, and the channel or server.
    route: String,
    body: &'c Value,
    speaker: As,
}

/// A "no" of Discord's.
#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    code: u64,
    #[serde(default)]
    message: String,
}

/// An answer that is no error of the way there.
struct Heard {
    status: u16,
    refusal: Refusal,
    body: Bytes,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("api_url", &self.api_url)
            .field("application_id", &self.application_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("api_url", &self.api_url)
            .field("application_id", &self.application_id)
            .finish_non_exhaustive()
    }
}

impl Client {
    pub fn new(settings: Settings) -> Result<Self, Unusable> {
        let mut api_url = settings.api_url;
        let url: Uri = api_url.parse().map_err(|_| Unusable::Address)?;
        if url.host().is_none() || url.scheme().is_none() {
            return Err(Unusable::Address);
        }
        api_url.truncate(api_url.trim_end_matches('/').len());
        let token = format!("Bot {}", settings.token);
        let mut token = HeaderValue::try_from(token).map_err(|_| Unusable::Token)?;
        token.set_sensitive(true);
        Ok(Self {
            web: web(),
            api_url,
            application_id: settings.application_id,
            token,
            pace: Mutex::default(),
            stopwatch: Clock::system().stopwatch(),
        })
    }

    /// Answers the requester alone. The first answer takes the place of "thinking". An answer that comes after
    /// the fifteen minutes in which Discord takes one is dropped.
    pub async fn reply(
        &self,
        spot: &Spot,
        text: &Message,
        buttons: &[Button],
    ) -> Result<(), CallError> {
        let Handle::Discord { token } = &spot.handle else {
            return Err(CallError::Never("this was not said on Discord".to_owned()));
        };
        let is_token = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'=');
        if token.is_empty() || !token.bytes().all(is_token) {
            return Err(CallError::Never(
                "the interaction's token cannot be part of an address".to_owned(),
            ));
        }
        let body = render::reply(text, buttons);
        let heard = self
            .call(Call {
                method: Method::POST,
                path: format!("/webhooks/{}/{token}", self.application_id),
                route: format!("POST /webhooks/{}", spot.id),
                body: &body,
                speaker: As::Interaction,
            })
            .await?;
        let is_over = matches!(
            heard.refusal.code,
            UNKNOWN_WEBHOOK | INVALID_WEBHOOK_TOKEN | UNKNOWN_INTERACTION
        );
        if is_over || matches!(heard.status, 401 | 404) {
            tracing::info!(interaction.id = %spot.id, "nobody waits for this answer on Discord any more");
            return Ok(());
        }
        heard.judged().map(drop)
    }

    /// Posts a message about a notice, once for each token, and returns its id.
    pub async fn notice(
        &self,
        channel: u64,
        notice: &Notice,
        shown: Shown<'_>,
    ) -> Result<String, CallError> {
        self.post(&channel.to_string(), &render::notice(notice, shown))
            .await?
            .judged()?
            .id()
    }

    /// Changes a message about a notice; `false` when it is gone.
    pub async fn change(
        &self,
        channel: u64,
        message: &str,
        notice: &Notice,
        shown: Shown<'_>,
    ) -> Result<bool, CallError> {
        if !is_id(message) {
            return Ok(false);
        }
        let body = render::change(notice, shown);
        let heard = self
            .call(Call {
                method: Method::PATCH,
                path: format!("/channels/{channel}/messages/{message}"),
                route: format!("PATCH /channels/{channel}/messages"),
                body: &body,
                speaker: As::Bot,
            })
            .await?;
        if heard.status == 404 && heard.refusal.code != UNKNOWN_CHANNEL {
            return Ok(false);
        }
        heard.judged().map(|_| true)
    }

    /// Says something in a channel: in the thread of a notice, which is made if it is not there, or in the
    /// channel itself where there is no notice, or none any more.
    pub async fn remark(&self, channel: u64, remark: &Remark<'_>) -> Result<(), CallError> {
        let body = render::remark(remark);
        if let Some(under) = remark.under.filter(|under| is_id(under)) {
            // The thread of a message has the message's id.
            let heard = self.post(under, &body).await?;
            if heard.refusal.code != UNKNOWN_CHANNEL {
                return heard.judged().map(drop);
            }
            if self.open_thread(channel, under, remark.title).await? {
                return self.post(under, &body).await?.judged().map(drop);
            }
        }
        let heard = self.post(&channel.to_string(), &body).await?;
        heard.judged().map(drop)
    }

    /// Opens the thread of a message; `false` when the message is gone.
    async fn open_thread(
        &self,
        channel: u64,
        message: &str,
        title: &str,
    ) -> Result<bool, CallError> {
        let body = render::thread(title);
        let heard = self
            .call(Call {
                method: Method::POST,
                path: format!("/channels/{channel}/messages/{message}/threads"),
                route: format!("POST /channels/{channel}/threads"),
                body: &body,
                speaker: As::Bot,
            })
            .await?;
        match heard.refusal.code {
            THREAD_EXISTS => Ok(true),
            UNKNOWN_MESSAGE => Ok(false),
            _ => heard.judged().map(|_| true),
        }
    }

    /// Registers our commands in these servers, or everywhere when none is named. Replaces what was registered
    /// before, so repeating is harmless.
    pub async fn register(&self, guilds: &[String]) -> Result<(), CallError> {
        let application = self.application_id;
        if guilds.is_empty() {
            let path = format!("/applications/{application}/commands");
            return self.put(path, &commands(Reach::Everywhere)).await;
        }
        let body = commands(Reach::Guild);
        for guild in guilds {
            if !is_id(guild) {
                let why = format!("`{guild}` is not the id of a Discord server: it is a number");
                return Err(CallError::Never(why));
            }
            let path = format!("/applications/{application}/guilds/{guild}/commands");
            self.put(path, &body).await?;
        }
        Ok(())
    }

    async fn put(&self, path: String, body: &Value) -> Result<(), CallError> {
        let heard = self
            .call(Call {
                method: Method::PUT,
                route: format!("PUT {path}"),
                path,
                body,
                speaker: As::Bot,
            })
            .await?;
        heard.judged().map(drop)
    }

    async fn post(&self, channel: &str, body: &Value) -> Result<Heard, CallError> {
        self.call(Call {
            method: Method::POST,
            path: format!("/channels/{channel}/messages"),
            route: format!("POST /channels/{channel}/messages"),
            body,
            speaker: As::Bot,
        })
        .await
    }

    /// Asks once, if it may be asked now.
    async fn call(&self, call: Call<'_>) -> Result<Heard, CallError> {
        let is_bot = call.speaker == As::Bot;
        let may = self.with_pace(|pace, now| pace.may(&call.route, is_bot, now));
        match may {
            Ok(()) => {}
            Err(Held::Wait(wait)) => {
                return Err(CallError::Later {
                    why: "Discord limits how fast we may speak".to_owned(),
                    wait: Some(wait),
                });
            }
            Err(Held::No(why)) => return Err(CallError::Never(why)),
        }
        let request = self.request(&call)?;
        let answer = send(&self.web, request, DEADLINE, LONGEST_ANSWER).await;
        let answer = answer.map_err(|error| later(&error))?;
        self.heard(&call, answer)
    }

    fn request(&self, call: &Call<'_>) -> Result<Request<Full<Bytes>>, CallError> {
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(format!("{}{}", self.api_url, call.path))
            .header(USER_AGENT, AGENT);
        if call.speaker == As::Bot {
            request = request.header(AUTHORIZATION, self.token.clone());
        }
        let body = if call.body.is_null() {
            Full::default()
        } else {
            request = request.header(CONTENT_TYPE, "application/json");
            Full::new(Bytes::from(call.body.to_string()))
        };
        request
            .body(body)
            .map_err(|_| CallError::Never("the address of Discord cannot be used".to_owned()))
    }

    /// What an answer means for this question and the next ones.
    fn heard(&self, call: &Call<'_>, answer: Answer) -> Result<Heard, CallError> {
        let is_bot = call.speaker == As::Bot;
        let status = answer.status.as_u16();
        let refusal: Refusal = if answer.status.is_success() {
            Refusal::default()
        } else {
            serde_json::from_slice(&answer.body).unwrap_or_default()
        };
        if status == 429 {
            let route = (call.route.as_str(), is_bot);
            let wait = self
                .with_pace(|pace, now| pace.too_many(route, &answer.headers, &answer.body, now));
            return Err(CallError::Later {
                why: "Discord limits how fast we may speak (429)".to_owned(),
                wait: Some(wait),
            });
        }
        self.with_pace(|pace, now| pace.heard(&call.route, &answer.headers, now));
        let heard = Heard {
            status,
            refusal,
            body: answer.body,
        };
        if is_bot && matches!(status, 401 | 403) {
            // A token that is refused here is refused everywhere.
            let route = (status == 403).then_some(call.route.as_str());
            self.with_pace(|pace, now| pace.refuse(route, &heard.why(), now));
        }
        Ok(heard)
    }

    fn with_pace<T>(&self, ask: impl FnOnce(&mut Pace, Duration) -> T) -> T {
        let now = self.stopwatch.elapsed();
        // A thread that panicked left a pace that is still better than none.
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        ask(&mut pace, now)
    }
}

impl Heard {
    fn judged(self) -> Result<Self, CallError> {
        match self.status {
            200..=299 => Ok(self),
            408 | 500..=599 => Err(CallError::Later {
                why: self.why(),
                wait: None,
            }),
            _ => Err(CallError::Never(self.why())),
        }
    }

    /// What went wrong, and the way out.
    fn why(&self) -> String {
        let message: String = self.refusal.message.chars().take(200).collect();
        let way_out = match (self.status, self.refusal.code) {
            (401, _) => {
                ": the bot's token is not valid; put the current one into the configuration"
            }
            (_, 50_001 | UNKNOWN_CHANNEL) => {
                ": the bot does not see this channel; invite it to the server and let it view the channel"
            }
            (_, 50_013) => {
                ": the bot lacks a permission in this channel; it needs View Channel, Send Messages, Embed Links, Create Public Threads and Send Messages in Threads"
            }
            (403, _) => ": the bot may not do this; look at its permissions in this server",
            _ => "",
        };
        let (status, code) = (self.status, self.refusal.code);
        format!("Discord answered {status} (code {code}, \"{message}\"){way_out}")
    }

    /// The id of what was made.
    fn id(&self) -> Result<String, CallError> {
        #[derive(Deserialize)]
        struct Made {
            id: String,
        }
        let made: Option<Made> = serde_json::from_slice(&self.body).ok();
        made.map(|made| made.id)
            .filter(|id| is_id(id))
            .ok_or_else(|| CallError::Later {
                why: "Discord's answer names no message".to_owned(),
                wait: None,
            })
    }
}

fn later(error: &Unanswered) -> CallError {
    CallError::Later {
        why: format!("Discord {error}"),
        wait: None,
    }
}

fn is_id(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests;
