//! The webhook by which GitLab tells us things, as GitLab sees it. A hook that fails often is put aside, and
//! then nothing is heard any more: it can be woken, and what did not arrive meanwhile asked for again.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use http::Method;
use serde::Deserialize;
use serde_json::Value;

use super::{Client, project};
use crate::call::CallError;
use crate::domain::Repository;

/// Deliveries that GitLab lists at once at most.
const EVENTS: usize = 20;
/// Pages of deliveries that are looked through.
const EVENT_PAGES: usize = 4;

/// A hook of a project.
#[derive(Clone, Debug, Deserialize)]
pub struct Hook {
    pub id: u64,
    pub url: String,
    #[serde(default)]
    alert_status: Option<String>,
    #[serde(default)]
    disabled_until: Option<String>,
    /// Older servers do not say it.
    #[serde(default)]
    pub signing_token_present: Option<bool>,
    #[serde(default)]
    pub token_present: Option<bool>,
    /// Everything else that GitLab shows of it.
    #[serde(flatten)]
    pub(super) settings: BTreeMap<String, Value>,
}

/// How the hook of a project that leads to us stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookState {
    /// No hook of the project leads to us.
    Missing,
    /// It is called; its number.
    Works(u64),
    /// GitLab does not use it; and until when, if that ends by itself.
    PutAside { hook: u64, until: Option<String> },
}

/// A delivery that did not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedEvent {
    pub id: u64,
    /// The same for every attempt to deliver it, and for pushes that say the same: every test that failed is one.
    pub key: String,
    /// Such as `note_hooks`.
    pub what: String,
}

impl Client {
    /// The hooks of a project that lead to this address.
    pub async fn hooks_at(
        &self,
        repository: &Repository,
        address: &str,
    ) -> Result<Vec<Hook>, CallError> {
        let path = format!("{}/hooks?", project(repository));
        let mut hooks: Vec<Hook> = self.read_all(&path).await?;
        hooks.retain(|hook| hook.url.trim_end_matches('/') == address);
        Ok(hooks)
    }

    /// How the hook of a project that leads to this address stands; the best of them, if there are several.
    pub async fn hook(
        &self,
        repository: &Repository,
        address: &str,
    ) -> Result<HookState, CallError> {
        let mut state = HookState::Missing;
        for hook in self.hooks_at(repository, address).await? {
            match hook.alert_status.as_deref() {
                None | Some("executable") => return Ok(HookState::Works(hook.id)),
                Some(_) => {
                    state = HookState::PutAside {
                        hook: hook.id,
                        until: hook.disabled_until,
                    };
                }
            }
        }
        Ok(state)
    }

    /// Has a hook called with a push as an example. When that succeeds, GitLab uses the hook again.
    pub async fn wake_hook(&self, repository: &Repository, hook: u64) -> Result<(), CallError> {
        let path = format!("{}/hooks/{hook}/test/push_events", project(repository));
        let answer = self.ask(Method::POST, &path, None).await?;
        answer.judged().map(drop)
    }

    /// What did not arrive in the last days, newest first. Servers before 17.3 do not know.
    pub async fn failed_events(
        &self,
        repository: &Repository,
        hook: u64,
    ) -> Result<Vec<FailedEvent>, CallError> {
        // There is no word for what got no answer at all, so the newest of all are looked through.
        let mut failed = Vec::new();
        for query in ["", "status[]=client_failure&status[]=server_failure&"] {
            for page in 1..=EVENT_PAGES {
                let path = format!(
                    "{}/hooks/{hook}/events?{query}per_page={EVENTS}&page={page}",
                    project(repository)
                );
                let events: Vec<Event> = self.read(&path).await?;
                let is_last = events.len() < EVENTS;
                let bad = events.into_iter().filter(Event::has_failed);
                failed.extend(bad.map(FailedEvent::from));
                if is_last {
                    break;
                }
            }
        }
        failed.sort_by_key(|event| Reverse(event.id));
        failed.dedup();
        Ok(failed)
    }

    /// Has a delivery sent again. GitLab answers when it has arrived, and takes few of these a minute.
    pub async fn resend(
        &self,
        repository: &Repository,
        hook: u64,
        event: u64,
    ) -> Result<(), CallError> {
        let path = format!("{}/hooks/{hook}/events/{event}/resend", project(repository));
        let answer = self.ask(Method::POST, &path, None).await?;
        answer.judged().map(drop)
    }
}

/// One attempt to deliver something.
#[derive(Deserialize)]
struct Event {
    id: u64,
    #[serde(default)]
    trigger: String,
    #[serde(default)]
    request_headers: BTreeMap<String, Value>,
    #[serde(default)]
    request_data: Value,
    /// A number as text, or words where there was no answer.
    response_status: String,
}

impl Event {
    fn has_failed(&self) -> bool {
        let status = self.response_status.parse::<u16>();
        status.map_or(true, |status| status >= 400)
    }
}

impl From<Event> for FailedEvent {
    fn from(event: Event) -> Self {
        let said = |name: &str| event.request_data.get(name).and_then(Value::as_str);
        let key = event.request_headers.get("Idempotency-Key");
        let key = match (event.trigger.as_str(), said("ref"), said("after")) {
            ("push_hooks", Some(reference), Some(after)) => format!("{reference} {after}"),
            _ => match key.and_then(Value::as_str) {
                Some(key) => key.to_owned(),
                None => format!("event {}", event.id),
            },
        };
        Self {
            key,
            id: event.id,
            what: event.trigger,
        }
    }
}
