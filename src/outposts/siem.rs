//! A collector of audit logs that takes lines by HTTP. It gets a piece and says whether it has it; a
//! redirect, an error and silence all mean that it has not.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, DATE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use jiff::Timestamp;
use jiff::fmt::rfc2822;

use crate::web::{Web, web};

/// From the first byte that is sent to the answer's head.
const DEADLINE: Duration = Duration::from_secs(30);
/// No collector makes us wait longer by asking for it.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// Where lines are sent, and as whom.
pub struct Collector {
    client: Web,
    url: Uri,
    token: Option<HeaderValue>,
    deadline: Duration,
}

/// Why an address or a token cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("the address of the collector cannot be used")]
    Address,
    #[error("the token of the collector cannot be sent")]
    Token,
}

/// The collector does not have what was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct NotTaken {
    pub why: String,
    /// How long it asked us to wait.
    pub wait: Option<Duration>,
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Collector {
    pub fn new(url: &str, token: Option<&str>) -> Result<Self, Unusable> {
        let token = token
            .map(|token| {
                let mut value = HeaderValue::try_from(format!("Bearer {token}"))
                    .map_err(|_| Unusable::Token)?;
                value.set_sensitive(true);
                Ok(value)
            })
            .transpose()?;
        Ok(Self {
            client: web(),
            url: url.parse().map_err(|_| Unusable::Address)?,
            token,
            deadline: DEADLINE,
        })
    }

    /// The same, with less patience.
    #[must_use]
    pub fn within(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Sends lines. Only an answer of 2xx means that they arrived.
    pub async fn post(&self, lines: Vec<u8>) -> Result<(), NotTaken> {
        let later = |why: String| NotTaken { why, wait: None };
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.url.clone())
            .header(CONTENT_TYPE, "application/x-ndjson")
            .header(USER_AGENT, "countersign");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token.clone());
        }
        let request = request
            .body(Full::new(Bytes::from(lines)))
            .map_err(|error| later(error.to_string()))?;
        let answer = tokio::time::timeout(self.deadline, self.client.request(request))
            .await
            .map_err(|_| later("the collector did not answer in time".to_owned()))?
            .map_err(|error| later(format!("the collector cannot be reached: {error}")))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        Err(NotTaken {
            why: format!("the collector answered {status}"),
            wait: wait(answer.headers()),
        })
    }
}

/// How long the collector asks us to wait: in seconds, or until a time on its own clock.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let asked = text(RETRY_AFTER)?.trim();
    let wait = match asked.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let (until, now) = (time(asked)?, time(text(DATE)?)?);
            Duration::try_from(until.duration_since(now)).ok()?
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

fn time(text: &str) -> Option<Timestamp> {
    rfc2822::parse(text).ok().map(|time| time.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_read_in_both_spellings() {
        let check = |headers: &[(HeaderName, &str)], expect: Option<u64>| {
            let headers = headers
                .iter()
                .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
            assert_eq!(wait(&headers.collect()), expect.map(Duration::from_secs));
        };
        check(&[], None);
        check(&[(RETRY_AFTER, "7")], Some(7));
        check(&[(RETRY_AFTER, "99999999")], Some(3_600));
        check(&[(RETRY_AFTER, "soon")], None);
        let until = (RETRY_AFTER, "Sat, 21 Nov 2026 12:00:30 GMT");
        check(std::slice::from_ref(&until), None);
        let now = (DATE, "Sat, 21 Nov 2026 12:00:00 GMT");
        check(&[until, now], Some(30));
    }

    #[test]
    fn the_token_is_not_shown() {
        let collector = Collector::new("https://siem.example.com/in", Some("hush")).unwrap();
        assert!(!format!("{collector:?}").contains("hush"));
        assert!(Collector::new("https://h", Some("two\nlines")).is_err());
        assert!(Collector::new("", None).is_err());
    }
}
