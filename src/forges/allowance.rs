//! Allowances: how many calls a forge lets us make, and until when, as its answers say.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::HeaderMap;

/// What an answer said about the calls that may follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Calls within the whole time.
    pub limit: u64,
    /// Calls that are left.
    pub left: u64,
    /// When all of them may be made again, from the answer on.
    pub renewed_in: Duration,
}

impl Allowance {
    /// Reads it off an answer's headers: `limit`, `left` and `renewed` name them.
    pub(super) fn of(headers: &HeaderMap, names: [&str; 3]) -> Option<Self> {
        let text = |name: &str| headers.get(name)?.to_str().ok();
        let [limit, left, renewed] = names.map(|name| text(name)?.trim().parse::<u64>().ok());
        let sent = jiff::fmt::rfc2822::parse(text("date")?).ok()?;
        let sent = u64::try_from(sent.timestamp().as_second()).ok()?;
        Some(Self {
            limit: limit?,
            left: left?,
            renewed_in: Duration::from_secs(renewed?.saturating_sub(sent)),
        })
    }

    /// What is kept for releases: a tenth, and no fewer than two hundred calls, as far as there are so many.
    pub fn reserve(self) -> u64 {
        const LEAST: u64 = 200;
        (self.limit / 10).max(LEAST).min(self.limit / 2)
    }
}

/// What was said last, by whom it was said to.
#[derive(Debug, Default)]
pub(super) struct Allowances(Mutex<HashMap<String, Allowance>>);

impl Allowances {
    pub(super) fn note(&self, limit: String, allowance: Option<Allowance>) {
        if let Some(allowance) = allowance {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.insert(limit, allowance);
        }
    }

    pub(super) fn of(&self, limit: &str) -> Option<Allowance> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(limit).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_is_told_whole_or_not_at_all() {
        const NAMES: [&str; 3] = [
            "x-ratelimit-limit",
            "x-ratelimit-remaining",
            "x-ratelimit-reset",
        ];
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-ratelimit-limit", "5000"),
            ("x-ratelimit-remaining", "4999"),
            ("x-ratelimit-reset", "1767225630"),
            ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ] {
            assert_eq!(Allowance::of(&headers, NAMES), None, "{name}");
            headers.insert(name, value.parse().unwrap());
        }
        let found = Allowance::of(&headers, NAMES).unwrap();
        assert_eq!((found.limit, found.left), (5_000, 4_999));
        assert_eq!(found.renewed_in, Duration::from_secs(30));
    }

    #[test]
    fn a_tenth_is_kept_and_at_least_two_hundred_calls() {
        for (limit, reserve) in [
            (15_000, 1_500),
            (5_000, 500),
            (1_000, 200),
            (60, 30),
            (0, 0),
        ] {
            let allowance = Allowance {
                limit,
                left: limit,
                renewed_in: Duration::ZERO,
            };
            assert_eq!(allowance.reserve(), reserve, "{limit}");
        }
    }
}
