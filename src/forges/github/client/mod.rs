//! Calls: what we ask of GitHub. Every call is made once: repeating is the caller's business, who knows whether
//! it may. An answer is never taken for more than it says.

mod acts;
mod answer;
mod arrivals;
mod asks;
mod authors;
mod commits;
mod hooks;
mod installations;
mod jobs;
mod names;
mod people;
mod releases;
mod standing;
mod start;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use octocrab::Octocrab;
use octocrab::models::AppId;
use serde::Deserialize;
use tokio::sync::OnceCell;

use crate::call::CallError;
use crate::domain::{Ourselves, Repository};
use crate::forges::allowance::{Allowance, Allowances};
use answer::Answer;
use installations::{Installation, Installations};

pub use hooks::FailedDelivery;
pub use standing::{App, Ours, Person, RepositoryWebhook, Seen, Standing, View, Webhook};

const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take, the renewal of a token included.
pub const DEADLINE: Duration = Duration::from_secs(15);
/// Bytes of answers that are kept, to ask only whether they changed.
const KEPT: usize = 16 << 20;
/// A longer answer is not kept.
const LONGEST_KEPT: usize = 512 << 10;

/// The headers that tell how many calls are left.
const ALLOWANCE: [&str; 3] = [
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];
/// As many as GitHub gives at once.
const PAGE: usize = 100;
/// Pages of any list. What stands beyond them is not known.
const PAGES: usize = 10;

/// Who we are to GitHub.
pub enum Identity {
    App { id: u64, private_key: Vec<u8> },
    Token(String),
}

/// A connection to one GitHub.
pub struct Client {
    root: Octocrab,
    app: Option<u64>,
    deadline: Duration,
    /// The host of private commit addresses; none are known where it is empty.
    private_emails: String,
    installations: Installations,
    kept: Mutex<HashMap<String, Kept>>,
    ourselves: OnceCell<Ourselves>,
    allowances: Allowances,
}

/// An answer that may still be true.
#[derive(Clone)]
struct Kept {
    etag: http::HeaderValue,
    body: Vec<u8>,
    headers: http::HeaderMap,
}

/// The identity cannot be used at all.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(String);

/// Whose rights a call uses.
#[derive(Clone, Copy)]
enum As<'r> {
    /// The app itself, or the token's owner.
    Ourselves,
    /// The installation that a repository belongs to.
    In(&'r Repository),
}

/// What a call does.
enum Verb<'v> {
    Get,
    Post(&'v serde_json::Value),
    /// There is nothing to say besides where.
    PostNothing,
    Patch(&'v serde_json::Value),
}

impl Client {
    pub fn new(api_url: &str, identity: Identity, deadline: Duration) -> Result<Self, Unusable> {
        let builder = Octocrab::builder()
            .base_uri(api_url)
            .map_err(|error| Unusable(format!("github.api_url: {error}")))?
            .set_connect_timeout(Some(CONNECT.min(deadline)))
            .set_read_timeout(Some(deadline))
            .set_write_timeout(Some(deadline));
        let (builder, app) = match identity {
            Identity::App { id, private_key } => (
                builder
                    .app_from_rsa_pem(AppId(id), private_key)
                    .map_err(|_| {
                        Unusable(
                            "github.private_key is not an RSA key in PEM form: download it again from the app's settings".to_owned(),
                        )
                    })?,
                Some(id),
            ),
            Identity::Token(token) => (builder.personal_token(token), None),
        };
        let root = builder
            .build()
            .map_err(|error| Unusable(format!("the GitHub client cannot be made: {error}")))?;
        Ok(Self {
            root,
            app,
            deadline,
            private_emails: String::new(),
            installations: Installations::default(),
            kept: Mutex::default(),
            ourselves: OnceCell::new(),
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

    /// Whether we act as an app; a personal token can do less.
    pub fn is_app(&self) -> bool {
        self.app.is_some()
    }

    /// What GitHub lets us do on behalf of a repository, as it said last.
    pub(in crate::forges) fn allowance(&self, repository: &Repository) -> Option<Allowance> {
        self.allowances.of(&repository.limit())
    }

    /// Asks, and takes an answer that is kept when GitHub says that it is still true: such a question
    /// does not count against the rate limit.
    async fn get(&self, as_: As<'_>, path: &str) -> Result<Answer, CallError> {
        let key = match as_ {
            As::Ourselves => format!("/{path}"),
            As::In(repository) => format!("{:?}/{path}", repository.installation),
        };
        let kept = lock(&self.kept).get(&key).cloned();
        let mut headers = http::HeaderMap::new();
        if let Some(kept) = &kept {
            headers.insert(http::header::IF_NONE_MATCH, kept.etag.clone());
        }
        let answer = self.send(as_, path, Verb::Get, headers).await?;
        if let (304, Some(kept)) = (answer.status, kept) {
            return Ok(Answer {
                status: 200,
                headers: kept.headers,
                body: kept.body,
            });
        }
        if answer.status == 200
            && answer.body.len() <= LONGEST_KEPT
            && let Some(etag) = answer.headers.get(http::header::ETAG)
        {
            let mut all = lock(&self.kept);
            let held: usize = all.values().map(|kept| kept.body.len()).sum();
            if held + answer.body.len() > KEPT {
                all.clear();
            }
            let kept = Kept {
                etag: etag.clone(),
                body: answer.body.clone(),
                headers: answer.headers.clone(),
            };
            all.insert(key, kept);
        }
        answer.judged()
    }

    async fn read<T: for<'a> Deserialize<'a>>(
        &self,
        as_: As<'_>,
        path: &str,
    ) -> Result<T, CallError> {
        self.get(as_, path).await?.read()
    }

    /// As [`Client::read`], with nothing where GitHub knows nothing.
    async fn read_maybe<T: for<'a> Deserialize<'a>>(
        &self,
        as_: As<'_>,
        path: &str,
    ) -> Result<Option<T>, CallError> {
        match self.get(as_, path).await {
            Ok(answer) => answer.read().map(Some),
            Err(CallError::Absent(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a list page by page until one is enough or the list ends; `path` has a query already. A list that goes
    /// on is an error: what was not found may still be on it.
    async fn read_until<T: for<'a> Deserialize<'a>>(
        &self,
        as_: As<'_>,
        path: &str,
        mut is_enough: impl FnMut(Vec<T>) -> bool,
    ) -> Result<(), CallError> {
        for page in 1..=PAGES {
            let path = format!("{path}&per_page={PAGE}&page={page}");
            let found: Vec<T> = self.read(as_, &path).await?;
            let is_last = found.len() < PAGE;
            if is_enough(found) || is_last {
                return Ok(());
            }
        }
        Err(CallError::Never(format!(
            "GitHub's list is longer than the {} that are read of it",
            PAGE * PAGES
        )))
    }

    async fn post(
        &self,
        as_: As<'_>,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<Answer, CallError> {
        self.send(as_, path, Verb::Post(body), http::HeaderMap::new())
            .await?
            .judged()
    }

    async fn send(
        &self,
        as_: As<'_>,
        path: &str,
        verb: Verb<'_>,
        headers: http::HeaderMap,
    ) -> Result<Answer, CallError> {
        let installation = self.acting_as(as_)?;
        let unasked = |error: octocrab::Error| CallError::Later {
            why: format!("GitHub could not be asked: {}", innermost(&error)),
            wait: None,
        };
        let call = async {
            let crab = match &installation {
                Some(installation) => installation.with_token().await.map_err(unasked)?,
                None => &self.root,
            };
            let response = match verb {
                Verb::Get => crab._get_with_headers(path, Some(headers)).await,
                Verb::Post(body) => crab._post(path, Some(body)).await,
                Verb::PostNothing => crab._post(path, None::<&()>).await,
                Verb::Patch(body) => crab._patch(path, Some(body)).await,
            };
            Answer::of(response.map_err(unasked)?).await
        };
        // One deadline around everything, the renewal of a token included.
        let answer = tokio::time::timeout(self.deadline, call)
            .await
            .unwrap_or_else(|_| {
                Err(CallError::Later {
                    why: format!("GitHub did not answer within {:?}", self.deadline),
                    wait: None,
                })
            })?;
        if let As::In(repository) = as_ {
            let allowance = Allowance::of(&answer.headers, ALLOWANCE);
            self.allowances.note(repository.limit(), allowance);
        }
        if let (401, Some(installation)) = (answer.status, &installation) {
            self.installations.forget(installation);
        }
        Ok(answer)
    }

    /// An app acts through the installation that the event came from; everything else is asked by ourselves.
    fn acting_as(&self, as_: As<'_>) -> Result<Option<Arc<Installation>>, CallError> {
        let repository = match as_ {
            As::In(repository) if self.is_app() => repository,
            As::In(_) | As::Ourselves => return Ok(None),
        };
        let Some(id) = repository.installation else {
            return Err(CallError::Never(format!(
                "the app's installation on {} is not known: is the app installed there?",
                repository.path
            )));
        };
        self.installations.get(&self.root, id).map(Some)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("app", &self.app)
            .finish_non_exhaustive()
    }
}

type Response = http::Response<http_body_util::combinators::BoxBody<bytes::Bytes, octocrab::Error>>;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_no_key_is_refused_without_showing_it() {
        let identity = Identity::App {
            id: 1,
            private_key: b"canary".to_vec(),
        };
        let refusal = Client::new("http://127.0.0.1:1", identity, DEADLINE).unwrap_err();
        assert!(!refusal.to_string().contains("canary"));
        assert!(refusal.to_string().contains("PEM"));
    }
}
