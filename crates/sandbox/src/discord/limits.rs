//! Limits to asking: a bucket for each route and the channel, guild or webhook it is about, and one for
//! everything that a bot does. The sizes are Discord's where they are known, else generous.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::error::too_many;
use crate::desk::Answer;
use countersign_ground::clock::later;
use countersign_ground::digest;

/// So many calls in so much time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) limit: u64,
    pub(super) window: Duration,
}

#[derive(Debug)]
struct Bucket {
    used: u64,
    resets_at: Timestamp,
}

#[derive(Debug)]
pub(super) struct Limits {
    rules: BTreeMap<String, Rule>,
    pub(super) global: Rule,
    buckets: BTreeMap<String, Bucket>,
    /// Answers 401, 403 and 429; ten thousand in ten minutes lock an address out.
    pub(super) invalid: usize,
}

/// A route, and what it is about.
#[derive(Clone, Debug)]
pub(super) struct Route {
    /// Such as `POST /channels/{id}/messages`.
    pub(super) template: String,
    top: String,
}

const fn per(limit: u64, seconds: u64) -> Rule {
    Rule {
        limit,
        window: Duration::from_secs(seconds),
    }
}

const OTHERWISE: Rule = per(50, 1);

impl Limits {
    pub(super) fn new() -> Self {
        let rules = [
            ("POST /channels/{id}/messages", per(5, 5)),
            ("PATCH /channels/{id}/messages/{id}", per(5, 5)),
            ("POST /webhooks/{id}/{id}", per(5, 2)),
        ];
        let rules = rules.map(|(template, rule)| (template.to_owned(), rule));
        Self {
            rules: rules.into(),
            global: OTHERWISE,
            buckets: BTreeMap::new(),
            invalid: 0,
        }
    }

    pub(super) fn set(&mut self, template: &str, rule: Rule) {
        self.rules.insert(template.to_owned(), rule);
        self.buckets.clear();
    }

    /// Counts a call and gives the headers of its answer, or says how long to wait.
    pub(super) fn admit(
        &mut self,
        now: Timestamp,
        route: &Route,
        is_bot: bool,
    ) -> Result<Vec<(&'static str, String)>, Answer> {
        if is_bot && let Err(bucket) = self.take("global", now, self.global) {
            let mut answer = wait(now, bucket, true);
            answer
                .headers
                .push(("x-ratelimit-global", "true".to_owned()));
            answer
                .headers
                .push(("x-ratelimit-scope", "global".to_owned()));
            return Err(answer);
        }
        let rule = self
            .rules
            .get(&route.template)
            .copied()
            .unwrap_or(OTHERWISE);
        let name = format!("{} {}", route.template, route.top);
        let (used, resets_at, is_admitted) = match self.take(&name, now, rule) {
            Ok(bucket) => (bucket.used, bucket.resets_at, true),
            Err(resets_at) => (rule.limit, resets_at, false),
        };
        let hash = digest::sha256_hex(route.template.as_bytes());
        let millis = |time: i64| format!("{:.3}", seconds(time));
        let mut headers = vec![
            ("x-ratelimit-limit", rule.limit.to_string()),
            (
                "x-ratelimit-remaining",
                rule.limit.saturating_sub(used).to_string(),
            ),
            ("x-ratelimit-reset", millis(resets_at.as_millisecond())),
            (
                "x-ratelimit-reset-after",
                millis(resets_at.as_millisecond() - now.as_millisecond()),
            ),
            ("x-ratelimit-bucket", hash[..32].to_owned()),
        ];
        if is_admitted {
            return Ok(headers);
        }
        let mut answer = wait(now, resets_at, false);
        headers.push(("x-ratelimit-scope", "user".to_owned()));
        answer.headers.extend(headers);
        Err(answer)
    }

    fn take(&mut self, name: &str, now: Timestamp, rule: Rule) -> Result<&Bucket, Timestamp> {
        let fresh = || Bucket {
            used: 0,
            resets_at: later(now, rule.window),
        };
        let bucket = self.buckets.entry(name.to_owned()).or_insert_with(fresh);
        if now >= bucket.resets_at {
            *bucket = fresh();
        }
        if bucket.used >= rule.limit {
            return Err(bucket.resets_at);
        }
        bucket.used += 1;
        Ok(bucket)
    }
}

fn seconds(millis: i64) -> f64 {
    // Times of this century are exact in a float.
    millis as f64 / 1_000.0
}

fn wait(now: Timestamp, until: Timestamp, is_global: bool) -> Answer {
    let millis = (until.as_millisecond() - now.as_millisecond()).max(1);
    let mut answer = too_many(seconds(millis), is_global);
    let whole = (millis + 999) / 1_000;
    answer.headers.push(("retry-after", whole.to_string()));
    answer
}

impl Route {
    /// Of a path without `/api/v10`.
    pub(super) fn of(method: &str, path: &[&str]) -> Self {
        let has_token = matches!(path, ["webhooks" | "interactions", _, _, ..]);
        let parts: Vec<&str> = path
            .iter()
            .enumerate()
            .map(|(index, part)| {
                let is_id = part.parse::<u64>().is_ok() || (has_token && index == 2);
                if is_id || *part == "@original" {
                    "{id}"
                } else {
                    *part
                }
            })
            .collect();
        let top = path.iter().skip(1).take(if has_token { 2 } else { 1 });
        Self {
            template: format!("{method} /{}", parts.join("/")),
            top: top.copied().collect::<Vec<_>>().join("/"),
        }
    }
}
