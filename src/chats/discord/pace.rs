//! The pace at which Discord lets us speak, as its answers tell: nothing is asked before its time. Ten thousand
//! answers that say no within ten minutes lock an address out, so what was refused is not repeated at once
//! either. Time is what has passed on the client's stopwatch.

use std::collections::HashMap;
use std::time::Duration;

use http::HeaderMap;
use serde::Deserialize;

/// Where Discord does not say how long.
const USUAL: Duration = Duration::from_secs(5);
/// Discord cannot make us wait longer by asking for it.
const LONGEST: Duration = Duration::from_secs(3_600);
/// How long what was refused stays refused.
const REFUSED: Duration = Duration::from_secs(60);
/// How many routes are remembered before old ones are forgotten.
const MANY: usize = 1_000;

/// What must not be asked yet.
#[derive(Debug, Default)]
pub(super) struct Pace {
    routes: HashMap<String, Duration>,
    /// Everything that is asked with the bot's token.
    global: Duration,
    refused: HashMap<String, Refused>,
}

#[derive(Clone, Debug)]
struct Refused {
    until: Duration,
    why: String,
}

/// Why something is not asked now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Held {
    Wait(Duration),
    No(String),
}

/// What Discord says when it was too much.
#[derive(Default, Deserialize)]
struct TooMany {
    #[serde(default)]
    retry_after: Option<f64>,
    #[serde(default)]
    global: Option<bool>,
}

impl Pace {
    /// Whether a route may be asked now. What needs no token is outside the limit for the whole bot.
    pub(super) fn may(&self, route: &str, is_bot: bool, now: Duration) -> Result<(), Held> {
        for name in [route, EVERYTHING] {
            if let Some(refused) = self.refused.get(name)
                && refused.until > now
                && (is_bot || name == route)
            {
                return Err(Held::No(refused.why.clone()));
            }
        }
        let route = self.routes.get(route).copied().unwrap_or_default();
        let until = if is_bot {
            route.max(self.global)
        } else {
            route
        };
        match until.checked_sub(now) {
            Some(wait) if !wait.is_zero() => Err(Held::Wait(wait)),
            _ => Ok(()),
        }
    }

    /// Remembers what an answer says about the next question.
    pub(super) fn heard(&mut self, route: &str, headers: &HeaderMap, now: Duration) {
        if self.routes.len() > MANY {
            self.routes.retain(|_, until| *until > now);
        }
        if number(headers, "x-ratelimit-remaining") == Some(0.0)
            && let Some(wait) = number(headers, "x-ratelimit-reset-after").and_then(duration)
        {
            self.routes.insert(route.to_owned(), now + wait);
        }
    }

    /// It was too much: how long to wait, which is remembered.
    pub(super) fn too_many(
        &mut self,
        (route, is_bot): (&str, bool),
        headers: &HeaderMap,
        body: &[u8],
        now: Duration,
    ) -> Duration {
        let said = serde_json::from_slice::<TooMany>(body);
        let is_readable = said.is_ok();
        let said = said.unwrap_or_default();
        let wait = said
            .retry_after
            .and_then(duration)
            .or_else(|| number(headers, "retry-after").and_then(duration))
            .or_else(|| number(headers, "x-ratelimit-reset-after").and_then(duration))
            .unwrap_or(USUAL);
        let is_said = headers
            .get("x-ratelimit-global")
            .is_some_and(|value| value == "true");
        // What is not Discord's own answer comes from the wall before it, which counts addresses.
        if is_bot && (said.global == Some(true) || is_said || !is_readable) {
            self.global = self.global.max(now + wait);
        }
        self.routes.insert(route.to_owned(), now + wait);
        wait
    }

    /// It was refused: the same is not asked again at once. Without a route, nothing that needs the token is.
    pub(super) fn refuse(&mut self, route: Option<&str>, why: &str, now: Duration) {
        if self.refused.len() > MANY {
            self.refused.retain(|_, refused| refused.until > now);
        }
        self.refused.insert(
            route.unwrap_or(EVERYTHING).to_owned(),
            Refused {
                until: now + REFUSED,
                why: why.to_owned(),
            },
        );
    }
}

const EVERYTHING: &str = "";

fn number(headers: &HeaderMap, name: &str) -> Option<f64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

fn duration(seconds: f64) -> Option<Duration> {
    let duration = Duration::try_from_secs_f64(seconds).ok()?;
    Some(duration.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_empty_bucket_is_left_alone_until_it_is_full_again() {
        let mut pace = Pace::default();
        let full = headers(&[
            ("x-ratelimit-remaining", "1"),
            ("x-ratelimit-reset-after", "9"),
        ]);
        pace.heard("POST a", &full, at(10));
        assert_eq!(pace.may("POST a", true, at(10)), Ok(()));
        let empty = headers(&[
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset-after", "2.5"),
        ]);
        pace.heard("POST a", &empty, at(10));
        let wait = Held::Wait(Duration::from_millis(1_500));
        assert_eq!(pace.may("POST a", true, at(11)), Err(wait));
        assert_eq!(pace.may("POST b", true, at(11)), Ok(()));
        assert_eq!(pace.may("POST a", true, at(13)), Ok(()));
    }

    #[test]
    fn too_much_is_waited_for_as_long_as_it_says() {
        let none = HeaderMap::new();
        for (sent, body, expect, is_global) in [
            (&none, r#"{"retry_after":0.3,"global":false}"#, 0.3, false),
            (&none, r#"{"retry_after":64.57,"global":true}"#, 64.57, true),
            (&headers(&[("retry-after", "7")]), "{}", 7.0, false),
            (&headers(&[("retry-after", "7")]), "<html>", 7.0, true),
            (&headers(&[("x-ratelimit-global", "true")]), "{}", 5.0, true),
            (&none, r#"{"retry_after":1e300}"#, 5.0, false),
            (&none, r#"{"retry_after":99999}"#, 3_600.0, false),
        ] {
            let mut pace = Pace::default();
            let wait = pace.too_many(("POST a", true), sent, body.as_bytes(), at(10));
            let expect = Duration::from_secs_f64(expect);
            assert_eq!(wait, expect, "{body}");
            assert_eq!(pace.may("POST a", true, at(10)), Err(Held::Wait(expect)));
            assert_eq!(pace.may("POST b", true, at(10)).is_err(), is_global);
            // Answers to interactions are outside the limit for the whole bot.
            assert_eq!(pace.may("POST c", false, at(10)), Ok(()));
        }
    }

    #[test]
    fn what_was_refused_is_not_repeated_at_once() {
        let mut pace = Pace::default();
        pace.refuse(Some("POST a"), "no", at(0));
        let no = Err(Held::No("no".to_owned()));
        assert_eq!(pace.may("POST a", true, at(59)), no);
        assert_eq!(pace.may("POST b", true, at(59)), Ok(()));
        assert_eq!(pace.may("POST a", true, at(60)), Ok(()));
        pace.refuse(None, "no", at(0));
        assert_eq!(pace.may("POST b", true, at(59)), no);
        assert_eq!(pace.may("POST b", false, at(59)), Ok(()));
    }
}
