//! Our standing with GitLab: as whom we act, what our token may do, and whether there is what the configuration
//! names. Asked by people who look for mistakes, never by the service at work.

use std::collections::BTreeSet;

use http::Method;
use http::header::DATE;
use serde::Deserialize;

use super::people::User;
use super::{Client, project};
use crate::call::CallError;
use crate::domain::{Account, Branch, ForgeName, Reference, Repository};
use crate::web::escaped;

/// As whom GitLab knows us.
#[derive(Clone, Debug)]
pub struct Standing {
    /// GitLab's clock, in the words of its `Date` header.
    pub date: Option<String>,
    /// Or why it does not know us.
    pub ours: Result<Ours, CallError>,
}

/// Who we are.
#[derive(Clone, Debug)]
pub struct Ours {
    pub account: Account,
    /// Servers before 15.5 say nothing about it.
    pub token: Option<Token>,
}

/// What GitLab says about the token that we show.
#[derive(Clone, Debug, Deserialize)]
pub struct Token {
    #[serde(default)]
    pub scopes: BTreeSet<String>,
    /// A date, such as `2027-01-31`.
    #[serde(default)]
    pub expires_at: Option<String>,
}

impl Client {
    /// As whom GitLab knows us; an error when it did not answer at all.
    pub async fn standing(&self) -> Result<Standing, CallError> {
        let answer = self.ask(Method::GET, "/user", None).await?;
        let date = answer.header(DATE.as_str()).map(str::to_owned);
        let ours = match answer.judged() {
            Ok(answer) => match answer.read::<User>() {
                Ok(user) => self.ours(user.into()).await,
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        Ok(Standing { date, ours })
    }

    async fn ours(&self, account: Account) -> Result<Ours, CallError> {
        let token = match self.read_maybe("/personal_access_tokens/self").await {
            Ok(token) => token,
            // Tokens of other kinds, and small ones, may not ask.
            Err(CallError::Never(_)) => None,
            Err(error) => return Err(error),
        };
        Ok(Ours { account, token })
    }

    /// Our own access to a project, as a number; nothing where we have none.
    pub async fn our_level(&self, repository: &Repository) -> Result<Option<u64>, CallError> {
        #[derive(Deserialize)]
        struct Member {
            access_level: u64,
        }
        let us = self.ourselves().await?.id;
        let path = format!("{}/members/all/{us}", project(repository));
        let found: Option<Member> = self.read_maybe(&path).await?;
        Ok(found.map(|member| member.access_level))
    }

    pub async fn has_branch(
        &self,
        repository: &Repository,
        branch: &Branch,
    ) -> Result<bool, CallError> {
        let head = self.head(repository, branch.as_str()).await?;
        Ok(head.is_some())
    }

    /// Whether there is a branch or a tag of this name.
    pub async fn has_reference(
        &self,
        repository: &Repository,
        reference: &Reference,
    ) -> Result<bool, CallError> {
        let tag = match reference {
            Reference::Branch(branch) => return self.has_branch(repository, branch).await,
            Reference::Tag(tag) => tag,
        };
        let path = format!(
            "{}/repository/tags/{}",
            project(repository),
            escaped(tag.as_str())
        );
        let found: Option<serde_json::Value> = self.read_maybe(&path).await?;
        Ok(found.is_some())
    }

    /// Whether deployments to an environment wait for an approval on GitLab.
    pub async fn is_protected(
        &self,
        repository: &Repository,
        environment: &ForgeName,
    ) -> Result<bool, CallError> {
        let path = format!(
            "{}/protected_environments/{}",
            project(repository),
            escaped(environment.as_str())
        );
        let found: Option<serde_json::Value> = self.read_maybe(&path).await?;
        Ok(found.is_some())
    }

    /// The jobs of the newest pipeline of a branch; nothing where none has run.
    pub async fn newest_jobs(
        &self,
        repository: &Repository,
        branch: &Branch,
    ) -> Result<Option<BTreeSet<String>>, CallError> {
        #[derive(Deserialize)]
        struct Pipeline {
            id: u64,
        }
        #[derive(Deserialize)]
        struct Job {
            name: String,
        }
        let place = project(repository);
        let path = format!("{place}/pipelines/latest?ref={}", escaped(branch.as_str()));
        let Some(newest) = self.read_maybe::<Pipeline>(&path).await? else {
            return Ok(None);
        };
        let path = format!("{place}/pipelines/{}/jobs?", newest.id);
        let jobs: Vec<Job> = self.read_all(&path).await?;
        Ok(Some(jobs.into_iter().map(|job| job.name).collect()))
    }
}
