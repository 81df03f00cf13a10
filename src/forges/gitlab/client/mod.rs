//! Calls: what we ask of GitLab. Every call is made once: repeating is the caller's business, who knows whether
//! it may. An answer is never taken for more than it says.

mod acts;
mod answer;
mod arrivals;
mod asks;
mod authors;
mod commits;
mod hook_settings;
mod hooks;
mod names;
mod people;
mod pipelines;
mod releases;
mod reports;
mod standing;
mod start;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{HeaderName, Method, Request, Uri};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::call::CallError;
use crate::domain::{Account, EnvironmentName, Repository, ServiceName};
use crate::forges::allowance::{Allowance, Allowances};
use crate::web::{Web, send, web};
use answer::Answer;

pub use hook_settings::HookSecret;
pub use hooks::{FailedEvent, Hook, HookState};
pub use standing::{Ours, Standing, Token};

/// From the first byte that is sent to the answer's last.
pub const DEADLINE: Duration = Duration::from_secs(15);
/// Answers are small; one that is not is cut off.
const LONGEST_ANSWER: usize = 16 << 20;
const TOKEN: HeaderName = HeaderName::from_static("private-token");
/// As many as GitLab gives at once.
const PAGE: usize = 100;
/// Pages of any list. What stands beyond them is not known.
const PAGES: usize = 20;

/// A connection to one GitLab.
pub struct Client {
    web: Web,
    /// `https://gitlab.com/api/v4`.
    api: String,
    token: HeaderValue,
    deadline: Duration,
    ourselves: OnceCell<Account>,
    /// The host of private commit addresses; none are known where it is empty.
    private_emails: String,
    /// Whose addresses these are, as far as GitLab told.
    authors: Mutex<HashMap<String, Account>>,
    trigger_tokens: TriggerTokens,
    allowances: Allowances,
}

/// The headers that tell how many calls are left.
const ALLOWANCE: [&str; 3] = ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"];

/// The tokens that create pipelines, by the environments that they release to.
pub type TriggerTokens = BTreeMap<(ServiceName, EnvironmentName), String>;

/// The connection cannot be used at all.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(String);

impl Client {
    /// `url` is where GitLab shows its pages.
    pub fn new(url: &str, token: &str, deadline: Duration) -> Result<Self, Unusable> {
        let api = format!("{}/api/v4", url.trim_end_matches('/'));
        if api.parse::<Uri>().is_err() {
            return Err(Unusable(format!("gitlab.url: {url} is not an address")));
        }
        let mut token = HeaderValue::from_str(token.trim())
            .map_err(|_| Unusable("gitlab.token holds characters that no token has".to_owned()))?;
        token.set_sensitive(true);
        Ok(Self {
            web: web(),
            api,
            token,
            deadline,
            ourselves: OnceCell::new(),
            private_emails: String::new(),
            authors: Mutex::default(),
            trigger_tokens: TriggerTokens::new(),
            allowances: Allowances::default(),
        })
    }

    /// The same, which knows whose private commit addresses at this host are.
    #[must_use]
    pub fn with_private_emails(self, host: &str) -> Self {
        Self {
            private_emails: host.to_owned(),
            ..self
        }
    }

    /// The same, which can create pipelines with these tokens.
    #[must_use]
    pub fn with_trigger_tokens(self, trigger_tokens: TriggerTokens) -> Self {
        Self {
            trigger_tokens,
            ..self
        }
    }

    /// What GitLab lets the owner of our token do, as it said last.
    pub(in crate::forges) fn allowance(&self) -> Option<Allowance> {
        self.allowances.of("")
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, CallError> {
        let later = |why: String| CallError::Later { why, wait: None };
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.api))
            .header(TOKEN, self.token.clone())
            .header(USER_AGENT, "countersign");
        let request = match body {
            Some(body) => request
                .header(CONTENT_TYPE, "application/json")
                .body(Full::new(Bytes::from(body.to_string()))),
            None => request.body(Full::default()),
        };
        let request = request.map_err(|_| CallError::Never("this is no address".to_owned()))?;
        let answer = send(&self.web, request, self.deadline, LONGEST_ANSWER)
            .await
            .map_err(|error| later(format!("GitLab {error}")))?;
        let allowance = Allowance::of(&answer.headers, ALLOWANCE);
        self.allowances.note(String::new(), allowance);
        Ok(Answer(answer))
    }

    async fn read<T: for<'a> Deserialize<'a>>(&self, path: &str) -> Result<T, CallError> {
        self.ask(Method::GET, path, None).await?.judged()?.read()
    }

    /// As [`Client::read`], with nothing where GitLab knows nothing.
    async fn read_maybe<T: for<'a> Deserialize<'a>>(
        &self,
        path: &str,
    ) -> Result<Option<T>, CallError> {
        match self.read(path).await {
            Ok(found) => Ok(Some(found)),
            Err(CallError::Absent(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A whole list, page by page. `path` has a query already.
    async fn read_all<T: for<'a> Deserialize<'a>>(&self, path: &str) -> Result<Vec<T>, CallError> {
        let mut all = Vec::new();
        self.read_until(path, |page| {
            all.extend(page);
            false
        })
        .await?;
        Ok(all)
    }

    /// The first of a list that is what we look for.
    async fn read_first<T: for<'a> Deserialize<'a>>(
        &self,
        path: &str,
        is_meant: impl Fn(&T) -> bool,
    ) -> Result<Option<T>, CallError> {
        let mut first = None;
        self.read_until(path, |page: Vec<T>| {
            first = page.into_iter().find(&is_meant);
            first.is_some()
        })
        .await?;
        Ok(first)
    }

    /// Reads a list page by page until one is enough or the list ends. One that goes on is an error: what was not
    /// found may still be on it.
    async fn read_until<T: for<'a> Deserialize<'a>>(
        &self,
        path: &str,
        mut is_enough: impl FnMut(Vec<T>) -> bool,
    ) -> Result<(), CallError> {
        for page in 1..=PAGES {
            let path = format!("{path}&per_page={PAGE}&page={page}");
            let answer = self.ask(Method::GET, &path, None).await?.judged()?;
            let found: Vec<T> = answer.read()?;
            let is_last = !answer.leads_on(found.len());
            if is_enough(found) || is_last {
                return Ok(());
            }
        }
        Err(CallError::Never(format!(
            "GitLab's list is longer than the {} that are read of it",
            PAGE * PAGES
        )))
    }
}

/// Where a project's own things are.
fn project(repository: &Repository) -> String {
    format!("/projects/{}", repository.id.number())
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("api", &self.api)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_is_none_is_refused_without_showing_it() {
        let refusal = Client::new("http://127.0.0.1:1", "cana\nry", DEADLINE).unwrap_err();
        assert!(!refusal.to_string().contains("cana"), "{refusal}");
        let shown = format!(
            "{:?}",
            Client::new("http://127.0.0.1:1", "canary", DEADLINE)
        );
        assert!(!shown.contains("canary"), "{shown}");
    }
}
