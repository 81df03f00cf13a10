//! Acts: what we write on GitHub besides triggers: reactions, comments, statuses, and our "no" to a run.

use serde::Deserialize;
use serde_json::json;

use super::{As, Client, Verb};
use crate::call::CallError;
use crate::domain::{Place, Reaction, Repository, Sha, StatusState};
use crate::forges::mark::{mark, with_mark};

/// What GitHub takes for a status's description.
const LONGEST_DESCRIPTION: usize = 140;

#[derive(Deserialize)]
struct Written {
    id: u64,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    user: Option<Author>,
}

#[derive(Deserialize)]
struct Author {
    login: String,
}

impl Client {
    /// Puts a reaction on a comment; GitHub keeps one of each kind, so repeating is harmless.
    pub async fn react(&self, place: &Place, reaction: Reaction) -> Result<(), CallError> {
        let path = format!(
            "/repos/{}/issues/comments/{}/reactions",
            place.repository.path, place.comment
        );
        let body = json!({ "content": reaction.as_str() });
        self.post(As::In(&place.repository), &path, &body)
            .await
            .map(drop)
    }

    /// Writes a comment on the pull request and returns its number. The thread marks it invisibly.
    pub async fn say(&self, place: &Place, text: &str, thread: &str) -> Result<u64, CallError> {
        let path = format!(
            "/repos/{}/issues/{}/comments",
            place.repository.path, place.pull_request
        );
        let body = json!({ "body": with_mark(text, thread) });
        let answer = self.post(As::In(&place.repository), &path, &body).await?;
        answer.read::<Written>().map(|written| written.id)
    }

    /// Changes a comment of ours; `false` when it is gone.
    pub async fn say_instead(
        &self,
        place: &Place,
        comment: u64,
        text: &str,
        thread: &str,
    ) -> Result<bool, CallError> {
        let path = format!("/repos/{}/issues/comments/{comment}", place.repository.path);
        let body = json!({ "body": with_mark(text, thread) });
        let as_ = As::In(&place.repository);
        let answer = self
            .send(as_, &path, Verb::Patch(&body), http::HeaderMap::new())
            .await?;
        match answer.judged() {
            Ok(_) => Ok(true),
            Err(CallError::Absent(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The comment that we wrote for this thread, if it is there. Others can copy the mark, so only our
    /// own account's is believed.
    pub async fn said(&self, place: &Place, thread: &str) -> Result<Option<u64>, CallError> {
        let ourselves = self.ourselves().await?;
        let mark = mark(thread);
        let since = place.written_at.strftime("%Y-%m-%dT%H:%M:%SZ");
        let path = format!(
            "/repos/{}/issues/{}/comments?since={since}",
            place.repository.path, place.pull_request
        );
        let mut ours = None;
        self.read_until(As::In(&place.repository), &path, |page: Vec<Written>| {
            ours = page.into_iter().find(|comment| {
                let by_us = comment
                    .user
                    .as_ref()
                    .is_some_and(|author| author.login == ourselves.login);
                let body = comment.body.as_deref();
                by_us && body.is_some_and(|body| body.contains(&mark))
            });
            ours.is_some()
        })
        .await?;
        Ok(ours.map(|comment| comment.id))
    }

    /// Shows how a commit stands. The newest of a context counts, so repeating is harmless.
    pub async fn commit_status(
        &self,
        (repository, sha): (&Repository, &Sha),
        context: &str,
        state: StatusState,
        description: &str,
    ) -> Result<(), CallError> {
        // A commit's status knows no difference between waiting and running.
        let state = match state {
            StatusState::InProgress => StatusState::Pending,
            StatusState::Pending
            | StatusState::Success
            | StatusState::Failure
            | StatusState::Error => state,
        };
        let path = format!("/repos/{}/statuses/{sha}", repository.path);
        let body = json!({
            "state": state.as_str(),
            "context": context,
            "description": shortened(description),
        });
        self.post(As::In(repository), &path, &body).await.map(drop)
    }

    /// Shows how a deployment goes.
    pub async fn deployment_status(
        &self,
        repository: &Repository,
        deployment: u64,
        state: StatusState,
        description: &str,
    ) -> Result<(), CallError> {
        let path = format!(
            "/repos/{}/deployments/{deployment}/statuses",
            repository.path
        );
        let body = json!({
            "state": state.as_str(),
            "description": shortened(description),
        });
        self.post(As::In(repository), &path, &body).await.map(drop)
    }

    /// Tells a run that waits that it must not go on.
    pub async fn reject_run(
        &self,
        repository: &Repository,
        run: u64,
        environment: &str,
        comment: &str,
    ) -> Result<(), CallError> {
        let path = format!(
            "/repos/{}/actions/runs/{run}/deployment_protection_rule",
            repository.path
        );
        let body = json!({
            "environment_name": environment,
            "state": "rejected",
            "comment": comment,
        });
        self.post(As::In(repository), &path, &body).await.map(drop)
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(LONGEST_DESCRIPTION).collect()
}
