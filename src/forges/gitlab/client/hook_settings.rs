//! Settings of webhooks: how a project's webhook must be set for us, and the calls that set it so.

use http::Method;
use serde_json::{Value, json};

use super::hooks::Hook;
use super::{Client, project};
use crate::call::CallError;
use crate::domain::Repository;

/// What is told to us; `interpret` uses these and no others.
const HEARD: [&str; 6] = [
    "push_events",
    "merge_requests_events",
    "note_events",
    "job_events",
    "pipeline_events",
    "deployment_events",
];
/// What would only be passed over.
const UNHEARD: [&str; 9] = [
    "tag_push_events",
    "issues_events",
    "confidential_issues_events",
    "confidential_note_events",
    "wiki_page_events",
    "releases_events",
    "emoji_events",
    "feature_flag_events",
    "resource_access_token_events",
];
const VERIFIES: &str = "enable_ssl_verification";
const ONLY_BRANCHES: &str = "push_events_branch_filter";

/// By what we know that GitLab calls.
#[derive(Clone, Copy)]
pub enum HookSecret<'s> {
    /// It signs with this, `whsec_...`; servers before 19.0 cannot and do not complain.
    Signing(&'s str),
    /// It shows this.
    Plain(&'s str),
}

impl<'s> HookSecret<'s> {
    pub fn of(secret: &'s str) -> Self {
        if secret.starts_with("whsec_") {
            Self::Signing(secret)
        } else {
            Self::Plain(secret)
        }
    }
}

impl Hook {
    /// Everything that GitLab shows is as it must be. The secret itself is not shown.
    pub fn is_right(&self, secret: HookSecret<'_>) -> bool {
        let is = |name: &str, expect: bool| {
            let shown = self.settings.get(name).and_then(Value::as_bool);
            shown.map_or(!expect, |shown| shown == expect)
        };
        let filter = self.settings.get(ONLY_BRANCHES).and_then(Value::as_str);
        HEARD.iter().all(|name| is(name, true))
            && UNHEARD.iter().all(|name| is(name, false))
            && is(VERIFIES, true)
            && filter.is_none_or(str::is_empty)
            && self.is_secured(secret)
    }

    /// It has the kind of secret that it was given, as far as GitLab tells.
    pub fn is_secured(&self, secret: HookSecret<'_>) -> bool {
        match secret {
            HookSecret::Signing(_) => self.signing_token_present == Some(true),
            HookSecret::Plain(_) => self.token_present != Some(false),
        }
    }
}

impl Client {
    pub async fn make_hook(
        &self,
        repository: &Repository,
        address: &str,
        secret: HookSecret<'_>,
    ) -> Result<Hook, CallError> {
        let path = format!("{}/hooks", project(repository));
        let body = settings(address, secret);
        let answer = self.ask(Method::POST, &path, Some(&body)).await?;
        answer.judged()?.read()
    }

    /// Sets it as a new one would be.
    pub async fn set_hook(
        &self,
        repository: &Repository,
        hook: u64,
        (address, secret): (&str, HookSecret<'_>),
    ) -> Result<Hook, CallError> {
        let path = format!("{}/hooks/{hook}", project(repository));
        let body = settings(address, secret);
        let answer = self.ask(Method::PUT, &path, Some(&body)).await?;
        answer.judged()?.read()
    }

    pub async fn remove_hook(&self, repository: &Repository, hook: u64) -> Result<(), CallError> {
        let path = format!("{}/hooks/{hook}", project(repository));
        match self.ask(Method::DELETE, &path, None).await?.judged() {
            Ok(_) | Err(CallError::Absent(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn settings(address: &str, secret: HookSecret<'_>) -> Value {
    let mut settings = json!({
        "url": address,
        VERIFIES: true,
        ONLY_BRANCHES: "",
        "branch_filter_strategy": "all_branches",
    });
    for name in HEARD {
        settings[name] = true.into();
    }
    for name in UNHEARD {
        settings[name] = false.into();
    }
    let (name, text) = match secret {
        HookSecret::Signing(token) => ("signing_token", token),
        HookSecret::Plain(token) => ("token", token),
    };
    settings[name] = text.into();
    settings
}
