//! What we ask of GitHub. Every call is made once: repeating is the outbox's business, which knows
//! whether it may. An answer is never taken for more than it says.

use std::collections::HashMap;
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use http_body_util::BodyExt as _;
use jiff::Timestamp;
use octocrab::Octocrab;
use octocrab::models::{AppId, InstallationId};
use serde::Deserialize;
use serde_json::json;

use crate::domain::{Place, Reaction};
use crate::forges::call::CallError;

const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(15);
/// Answers are small; one that is not is cut off.
const LONGEST_ANSWER: usize = 8 << 20;
const COMMENTS_A_PAGE: usize = 100;

/// Who we are to GitHub.
pub enum Identity {
    App { id: u64, private_key: Vec<u8> },
    Token(String),
}

/// A connection to one GitHub.
pub struct Client {
    root: Octocrab,
    is_app: bool,
    installations: Mutex<HashMap<u64, Octocrab>>,
}

/// The identity cannot be used at all.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(String);

/// An answer, whatever its status.
struct Answer {
    status: u16,
    headers: http::HeaderMap,
    body: Vec<u8>,
}

impl Client {
    pub fn new(api_url: &str, identity: Identity) -> Result<Self, Unusable> {
        let builder = Octocrab::builder()
            .base_uri(api_url)
            .map_err(|error| Unusable(format!("github.api_url: {error}")))?
            .set_connect_timeout(Some(CONNECT))
            .set_read_timeout(Some(ANSWER))
            .set_write_timeout(Some(ANSWER));
        let (builder, is_app) = match identity {
            Identity::App { id, private_key } => (
                builder
                    .app_from_rsa_pem(AppId(id), private_key)
                    .map_err(|_| {
                        Unusable(
                            "github.private_key is not an RSA key in PEM form: download it again from the app's settings".to_owned(),
                        )
                    })?,
                true,
            ),
            Identity::Token(token) => (builder.personal_token(token), false),
        };
        let root = builder
            .build()
            .map_err(|error| Unusable(format!("the GitHub client cannot be made: {error}")))?;
        Ok(Self {
            root,
            is_app,
            installations: Mutex::default(),
        })
    }

    /// Puts a reaction on a comment; GitHub keeps one of each kind, so repeating is harmless.
    pub async fn react(&self, place: &Place, reaction: Reaction) -> Result<(), CallError> {
        let path = format!(
            "/repos/{}/issues/comments/{}/reactions",
            place.repository.path, place.comment
        );
        let body = json!({ "content": reaction.as_str() });
        self.post(place.repository.installation, &path, &body)
            .await
            .map(drop)
    }

    /// Answers on the pull request. The token marks the comment invisibly.
    pub async fn reply(&self, place: &Place, text: &str, token: &str) -> Result<(), CallError> {
        let path = format!(
            "/repos/{}/issues/{}/comments",
            place.repository.path, place.pull_request
        );
        let body = json!({ "body": format!("{text}\n\n{}", mark(token)) });
        self.post(place.repository.installation, &path, &body)
            .await
            .map(drop)
    }

    /// Whether an answer with this token is there already.
    pub async fn has_reply(&self, place: &Place, token: &str) -> Result<bool, CallError> {
        #[derive(Deserialize)]
        struct Written {
            #[serde(default)]
            body: Option<String>,
        }
        let mark = mark(token);
        let since = place.written_at.strftime("%Y-%m-%dT%H:%M:%SZ");
        for page in 1.. {
            let path = format!(
                "/repos/{}/issues/{}/comments?since={since}&per_page={COMMENTS_A_PAGE}&page={page}",
                place.repository.path, place.pull_request
            );
            let answer = self.get(place.repository.installation, &path).await?;
            let written: Vec<Written> = answer.read()?;
            if written.iter().any(|comment| {
                comment
                    .body
                    .as_deref()
                    .is_some_and(|body| body.contains(&mark))
            }) {
                return Ok(true);
            }
            if written.len() < COMMENTS_A_PAGE {
                break;
            }
        }
        Ok(false)
    }

    async fn get(&self, installation: Option<u64>, path: &str) -> Result<Answer, CallError> {
        let crab = self.acting_as(installation)?;
        let response = within(crab._get(path)).await?;
        Answer::of(response).await?.judged()
    }

    async fn post(
        &self,
        installation: Option<u64>,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<Answer, CallError> {
        let crab = self.acting_as(installation)?;
        let response = within(crab._post(path, Some(body))).await?;
        Answer::of(response).await?.judged()
    }

    /// An app acts through the installation that the event came from; its token is kept and renewed.
    fn acting_as(&self, installation: Option<u64>) -> Result<Octocrab, CallError> {
        if !self.is_app {
            return Ok(self.root.clone());
        }
        let Some(id) = installation else {
            return Err(CallError::Never(
                "the event came without an installation: is the app installed on the repository?"
                    .to_owned(),
            ));
        };
        let mut installations = self
            .installations
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(known) = installations.get(&id) {
            return Ok(known.clone());
        }
        let made = self
            .root
            .installation(InstallationId(id))
            .map_err(|error| CallError::Never(error.to_string()))?;
        installations.insert(id, made.clone());
        Ok(made)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("is_app", &self.is_app)
            .finish_non_exhaustive()
    }
}

type Response = http::Response<http_body_util::combinators::BoxBody<bytes::Bytes, octocrab::Error>>;

/// One deadline around everything, the renewal of a token included.
async fn within(
    call: impl Future<Output = octocrab::Result<Response>>,
) -> Result<Response, CallError> {
    match tokio::time::timeout(ANSWER, call).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => Err(CallError::Later {
            why: format!("GitHub could not be asked: {}", innermost(&error)),
            wait: None,
        }),
        Err(_) => Err(CallError::Later {
            why: format!("GitHub did not answer within {} s", ANSWER.as_secs()),
            wait: None,
        }),
    }
}

/// The cause without the backtraces that octocrab prints.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause
        .to_string()
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}

impl Answer {
    async fn of(response: Response) -> Result<Self, CallError> {
        let (parts, body) = response.into_parts();
        let reading = http_body_util::Limited::new(body, LONGEST_ANSWER).collect();
        let body = match tokio::time::timeout(ANSWER, reading).await {
            Ok(Ok(body)) => body.to_bytes().to_vec(),
            Ok(Err(_)) | Err(_) => {
                return Err(CallError::Later {
                    why: "GitHub's answer broke off".to_owned(),
                    wait: None,
                });
            }
        };
        Ok(Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        })
    }

    fn judged(self) -> Result<Self, CallError> {
        match self.status {
            200..=299 => Ok(self),
            403 | 429 if self.is_rate_limit() => Err(CallError::Later {
                why: format!(
                    "GitHub limits our rate ({}): {}",
                    self.status,
                    self.message()
                ),
                wait: Some(self.wait()),
            }),
            401 | 408 | 500..=599 => Err(CallError::Later {
                why: format!("GitHub answered {}: {}", self.status, self.message()),
                wait: None,
            }),
            status => Err(CallError::Never(format!(
                "GitHub answered {status}: {}",
                self.message()
            ))),
        }
    }

    fn is_rate_limit(&self) -> bool {
        self.status == 429
            || self.header("retry-after").is_some()
            || self.header("x-ratelimit-remaining") == Some("0")
            || self.message().to_ascii_lowercase().contains("rate limit")
    }

    /// How long GitHub wants us to wait; a minute where it does not say.
    fn wait(&self) -> Duration {
        let named = self
            .header("retry-after")
            .and_then(|text| text.parse().ok());
        let until_reset = || {
            let reset: i64 = self.header("x-ratelimit-reset")?.parse().ok()?;
            let sent = self.header("date").and_then(|date| {
                jiff::fmt::rfc2822::parse(date)
                    .ok()
                    .map(|date| date.timestamp())
            })?;
            u64::try_from(reset - Timestamp::as_second(sent)).ok()
        };
        let seconds = named.or_else(until_reset).unwrap_or(60);
        Duration::from_secs(seconds.clamp(1, 3_600))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn message(&self) -> String {
        #[derive(Deserialize)]
        struct Failure {
            message: String,
        }
        serde_json::from_slice::<Failure>(&self.body).map_or_else(
            |_| "no message".to_owned(),
            |failure| failure.message.chars().take(200).collect(),
        )
    }

    fn read<T: for<'a> Deserialize<'a>>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.body).map_err(|error| CallError::Later {
            why: format!("GitHub's answer makes no sense: {error}"),
            wait: None,
        })
    }
}

/// Invisible in the rendered comment; found again by [`Client::has_reply`].
fn mark(token: &str) -> String {
    format!("<!-- countersign {token} -->")
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        Answer {
            status,
            headers: map,
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn answers_are_sorted_by_what_may_be_tried_again() {
        let seconds = |wait: u64| Some(Duration::from_secs(wait));
        for (answer, expect) in [
            (answer(429, &[("retry-after", "7")], ""), Ok(seconds(7))),
            (answer(403, &[("retry-after", "90")], "{}"), Ok(seconds(90))),
            (
                answer(
                    403,
                    &[
                        ("x-ratelimit-remaining", "0"),
                        ("x-ratelimit-reset", "1767225630"),
                        ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
                    ],
                    "{}",
                ),
                Ok(seconds(30)),
            ),
            (
                answer(
                    403,
                    &[],
                    r#"{"message":"You have exceeded a secondary rate limit"}"#,
                ),
                Ok(seconds(60)),
            ),
            (answer(500, &[], "oops"), Ok(None)),
            (answer(502, &[], ""), Ok(None)),
            (
                answer(401, &[], r#"{"message":"Bad credentials"}"#),
                Ok(None),
            ),
            (
                answer(
                    403,
                    &[],
                    r#"{"message":"Resource not accessible by integration"}"#,
                ),
                Err("Resource not accessible"),
            ),
            (answer(404, &[], r#"{"message":"Not Found"}"#), Err("404")),
            (answer(422, &[], "{}"), Err("422")),
            (answer(301, &[], "{}"), Err("301")),
        ] {
            let status = answer.status;
            match (answer.judged().map(drop).unwrap_err(), expect) {
                (CallError::Later { wait, .. }, Ok(expect)) => assert_eq!(wait, expect, "{status}"),
                (CallError::Never(why), Err(expect)) => assert!(why.contains(expect), "{why}"),
                (error, expect) => panic!("{status}: {error:?}, expected {expect:?}"),
            }
        }
        assert!(answer(201, &[], "").judged().is_ok());
    }

    #[test]
    fn a_key_that_is_no_key_is_refused_without_showing_it() {
        let identity = Identity::App {
            id: 1,
            private_key: b"canary".to_vec(),
        };
        let refusal = Client::new("http://127.0.0.1:1", identity).unwrap_err();
        assert!(!refusal.to_string().contains("canary"));
        assert!(refusal.to_string().contains("PEM"));
    }
}
