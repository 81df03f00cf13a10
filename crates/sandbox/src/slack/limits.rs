//! Limits to asking: each method by itself, messages by channel. Slack's tiers say how many calls a minute are
//! good; it lets short bursts through, and so does a window here.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::error;
use crate::desk::Answer;
use countersign_ground::clock::later;

/// So many calls in so much time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) limit: u64,
    pub(super) window: Duration,
}

#[derive(Debug)]
pub(super) struct Limits {
    rules: BTreeMap<String, Rule>,
    windows: BTreeMap<String, (u64, Timestamp)>,
}

const fn per_minute(limit: u64) -> Rule {
    Rule {
        limit,
        window: Duration::from_secs(60),
    }
}

/// One a second for each channel, in bursts of five.
const POSTS: Rule = Rule {
    limit: 5,
    window: Duration::from_secs(5),
};

impl Limits {
    pub(super) fn new() -> Self {
        Self {
            rules: BTreeMap::new(),
            windows: BTreeMap::new(),
        }
    }

    pub(super) fn set(&mut self, method: &str, rule: Rule) {
        self.rules.insert(method.to_owned(), rule);
        self.windows.clear();
    }

    fn rule(&self, method: &str) -> Rule {
        let usual = match method {
            "chat.postMessage" => POSTS,
            "apps.connections.open" => per_minute(10),
            "usergroups.users.list" => per_minute(20),
            "chat.update" | "chat.delete" | "reactions.add" => per_minute(50),
            "auth.test" => per_minute(600),
            _ => per_minute(100),
        };
        self.rules.get(method).copied().unwrap_or(usual)
    }

    /// Counts a call, or says how long to wait.
    pub(super) fn admit(
        &mut self,
        now: Timestamp,
        method: &str,
        channel: &str,
    ) -> Result<(), Answer> {
        let rule = self.rule(method);
        let key = match method {
            "chat.postMessage" => format!("{method} {channel}"),
            _ => method.to_owned(),
        };
        let fresh = (0, later(now, rule.window));
        let window = self.windows.entry(key).or_insert(fresh);
        if now >= window.1 {
            *window = fresh;
        }
        if window.0 >= rule.limit {
            let millis = window.1.as_millisecond() - now.as_millisecond();
            return Err(error::ratelimited(((millis + 999) / 1_000).max(1)));
        }
        window.0 += 1;
        Ok(())
    }
}
