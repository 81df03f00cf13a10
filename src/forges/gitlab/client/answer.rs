//! An answer of GitLab, whatever its status, and what it lets us do next.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::PAGE;
use crate::call::CallError;
use crate::web;

/// GitLab cannot make us wait longer by asking for it.
const LONGEST_WAIT: u64 = 3_600;
/// Where GitLab does not say how long to wait.
const USUAL_WAIT: u64 = 60;
const LONGEST_MESSAGE: usize = 200;

pub(super) struct Answer(pub(super) web::Answer);

impl Answer {
    pub(super) fn status(&self) -> u16 {
        self.0.status.as_u16()
    }

    pub(super) fn judged(self) -> Result<Self, CallError> {
        match self.status() {
            200..=299 => Ok(self),
            429 => Err(CallError::Later {
                why: format!("GitLab limits our rate: {}", self.message()),
                wait: Some(self.wait()),
            }),
            401 | 408 | 500..=599 => Err(CallError::Later {
                why: self.said(),
                wait: None,
            }),
            404 => Err(CallError::Absent(self.said())),
            _ => Err(CallError::Never(self.said())),
        }
    }

    pub(super) fn said(&self) -> String {
        format!("GitLab answered {}: {}", self.status(), self.message())
    }

    /// How long GitLab wants us to wait; a minute where it does not say.
    pub(super) fn wait(&self) -> Duration {
        let number = |name: &str| self.header(name)?.trim().parse::<u64>().ok();
        let until_reset = || {
            let reset = number("ratelimit-reset")?;
            let sent = jiff::fmt::rfc2822::parse(self.header("date")?).ok()?;
            reset.checked_sub(u64::try_from(sent.timestamp().as_second()).ok()?)
        };
        let seconds = number("retry-after").or_else(until_reset);
        Duration::from_secs(seconds.unwrap_or(USUAL_WAIT).clamp(1, LONGEST_WAIT))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.0.headers.get(name)?.to_str().ok()
    }

    /// Whether the list goes on after a page with so many. A page may be short because some of it is not shown to us.
    pub(super) fn leads_on(&self, found: usize) -> bool {
        match self.header("link") {
            Some(link) => link.contains("rel=\"next\""),
            None => found == PAGE,
        }
    }

    /// GitLab speaks of failures in JSON or in plain words, and a proxy before it in HTML.
    pub(super) fn message(&self) -> String {
        let text = String::from_utf8_lossy(&self.0.body);
        let said = match serde_json::from_str::<Value>(&text) {
            Ok(told) => ["message", "error_description", "error"]
                .iter()
                .find_map(|name| told.get(name))
                .map(|told| {
                    told.as_str()
                        .map_or_else(|| told.to_string(), str::to_owned)
                }),
            Err(_) if text.trim_start().starts_with('<') => None,
            Err(_) => text.lines().next().map(str::to_owned),
        };
        let said = said.filter(|said| !said.trim().is_empty());
        let said = said.unwrap_or_else(|| "no message".to_owned());
        said.chars()
            .filter(|c| !c.is_control())
            .take(LONGEST_MESSAGE)
            .collect()
    }

    pub(super) fn read<T: for<'a> Deserialize<'a>>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.0.body).map_err(|error| CallError::Later {
            why: format!("GitLab's answer makes no sense: {error}"),
            wait: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Answer {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        Answer(web::Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers.iter().map(pair).collect::<HeaderMap>(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        })
    }

    #[test]
    fn answers_are_sorted_by_what_may_be_tried_again() {
        let seconds = |wait: u64| Some(Duration::from_secs(wait));
        let reset = [
            ("ratelimit-reset", "1767225630"),
            ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ];
        for (answer, expect) in [
            (
                answer(429, &[("retry-after", "7")], "Retry later"),
                Ok(seconds(7)),
            ),
            (answer(429, &reset, "Retry later"), Ok(seconds(30))),
            (answer(429, &[], "Retry later"), Ok(seconds(60))),
            (
                answer(429, &[("retry-after", "999999")], ""),
                Ok(seconds(3_600)),
            ),
            (answer(500, &[], "<html>oops"), Ok(None)),
            (
                answer(401, &[], r#"{"message":"401 Unauthorized"}"#),
                Ok(None),
            ),
            (answer(403, &[], "Forbidden by a proxy"), Err("by a proxy")),
            (
                answer(403, &[], r#"{"message":"403 Forbidden"}"#),
                Err("403 Forbidden"),
            ),
            (
                answer(404, &[], r#"{"message":"404 Project Not Found"}"#),
                Err("Project Not Found"),
            ),
            (
                answer(400, &[], r#"{"message":{"base":["Reference not found"]}}"#),
                Err("Reference not found"),
            ),
            (
                answer(400, &[], r#"{"error":"ref is missing"}"#),
                Err("ref is missing"),
            ),
            (answer(302, &[], ""), Err("302")),
        ] {
            let status = answer.status();
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

    #[test]
    fn a_short_page_is_not_the_last_where_a_link_leads_on() {
        let next = [(
            "link",
            "<https://lab/x?page=2>; rel=\"next\", <https://lab/x>; rel=\"first\"",
        )];
        let last = [("link", "<https://lab/x>; rel=\"first\"")];
        for (headers, found, expect) in [
            (next.as_slice(), 3, true),
            (last.as_slice(), 100, false),
            (&[], 100, true),
            (&[], 99, false),
        ] {
            assert_eq!(answer(200, headers, "[]").leads_on(found), expect);
        }
    }
}
