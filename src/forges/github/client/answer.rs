//! An answer of GitHub, whatever its status, and what it lets us do next.

use std::time::Duration;

use http_body_util::BodyExt as _;
use jiff::Timestamp;
use serde::Deserialize;

use super::Response;
use crate::call::CallError;

/// Answers are small; one that is not is cut off.
const LONGEST_ANSWER: usize = 16 << 20;

/// An answer, whatever its status.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: http::HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) async fn of(response: Response) -> Result<Self, CallError> {
        let (parts, body) = response.into_parts();
        let body = match http_body_util::Limited::new(body, LONGEST_ANSWER)
            .collect()
            .await
        {
            Ok(body) => body.to_bytes().to_vec(),
            Err(_) => {
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

    pub(super) fn judged(self) -> Result<Self, CallError> {
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
            404 | 410 => Err(CallError::Absent(format!(
                "GitHub answered {}: {}",
                self.status,
                self.message()
            ))),
            status => Err(CallError::Never(format!(
                "GitHub answered {status}: {}",
                self.message()
            ))),
        }
    }

    pub(super) fn is_rate_limit(&self) -> bool {
        self.status == 429
            || self.header("retry-after").is_some()
            || self.header("x-ratelimit-remaining") == Some("0")
            || self.message().to_ascii_lowercase().contains("rate limit")
    }

    /// How long GitHub wants us to wait; a minute where it does not say.
    pub(super) fn wait(&self) -> Duration {
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

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn message(&self) -> String {
        #[derive(Deserialize)]
        struct Failure {
            message: String,
        }
        serde_json::from_slice::<Failure>(&self.body).map_or_else(
            |_| "no message".to_owned(),
            |failure| failure.message.chars().take(200).collect(),
        )
    }

    pub(super) fn read<T: for<'a> Deserialize<'a>>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.body).map_err(|error| CallError::Later {
            why: format!("GitHub's answer makes no sense: {error}"),
            wait: None,
        })
    }
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
            (answer(410, &[], r#"{"message":"Gone"}"#), Err("410")),
            (answer(422, &[], "{}"), Err("422")),
            (answer(301, &[], "{}"), Err("301")),
        ] {
            let status = answer.status;
            match (answer.judged().map(drop).unwrap_err(), expect) {
                (CallError::Later { wait, .. }, Ok(expect)) => assert_eq!(wait, expect, "{status}"),
                (CallError::Never(why) | CallError::Absent(why), Err(expect)) => {
                    assert!(why.contains(expect), "{why}");
                }
                (error, expect) => panic!("{status}: {error:?}, expected {expect:?}"),
            }
        }
        assert!(answer(201, &[], "").judged().is_ok());
    }
}
