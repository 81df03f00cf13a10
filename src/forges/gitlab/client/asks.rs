//! Questions: every question that the desk has, and the calls that answer it.

use super::Client;
use crate::call::CallError;
use crate::domain::{Crowd, ExternalKind, Fact, Ourselves, Question};

impl Client {
    /// Finds out what is asked. Changes nothing, so it may be asked again.
    pub async fn find(&self, question: &Question) -> Result<Fact, CallError> {
        match question {
            Question::Acquaintance {
                repository,
                person,
                crowds,
            } => self
                .is_acquainted(repository, person, crowds)
                .await
                .map(Fact::Acquaintance),
            Question::Role { repository, person } => {
                self.role(repository, person).await.map(Fact::Role)
            }
            Question::Membership { team, person, .. } => match team {
                Crowd::Group(group) => self.membership(group, person).await.map(Fact::Membership),
                Crowd::Team(team) => {
                    Err(CallError::Never(format!("{team} is not a group on GitLab")))
                }
            },
            Question::PullRequest { repository, number } => self
                .merge_request(repository, *number)
                .await
                .map(Fact::PullRequest),
            Question::Comparison {
                repository,
                base,
                head,
            } => self
                .compare(repository, base, head)
                .await
                .map(Fact::Comparison),
            Question::Merges {
                repository,
                branch,
                sha,
                ..
            } => self
                .merges(repository, (branch, sha))
                .await
                .map(Fact::Merges),
            Question::Moves {
                repository,
                branch,
                back_to,
            } => self
                .moves(repository, branch, back_to.as_ref())
                .await
                .map(Fact::Moves),
            Question::Commit {
                repository,
                reference,
            } => self.commit(repository, reference).await.map(Fact::Commit),
            Question::Head { repository, branch } => {
                self.head(repository, branch).await.map(Fact::Head)
            }
            Question::Reports {
                repository,
                sha,
                aside,
            } => self
                .reports(repository, sha, aside)
                .await
                .map(Fact::Reports),
            Question::Origin { repository, report } => {
                let report = self.prove(repository, report).await?;
                Ok(Fact::Origin(Box::new(report)))
            }
            Question::Comment { place } => self.written(place).await.map(Fact::Comment),
            // No app reports in its own name here.
            Question::AppBehind { .. } => Ok(Fact::App(None)),
            Question::Progress {
                repository,
                external,
                ..
            } => {
                let (progress, url) = self.progress(repository, external).await?;
                let by_run = external.kind == ExternalKind::Pipeline;
                Ok(Fact::Progress(progress, url, by_run))
            }
            Question::Sighting { repository, search } => {
                self.sight(repository, search).await.map(Fact::Sighting)
            }
            Question::Run { repository, run } => {
                self.found_pipeline(repository, *run).await.map(Fact::Run)
            }
            Question::Ourselves { .. } => {
                let ourselves = self.ourselves().await?;
                Ok(Fact::Ourselves(Ourselves {
                    app: None,
                    login: ourselves.login.clone(),
                }))
            }
        }
    }
}
