//! Questions: every question that the desk has, and the calls that answer it.

use super::{As, Client};
use crate::call::CallError;
use crate::domain::{Crowd, Fact, FoundRun, Question};
use crate::forges::github::interpret::commits::workflow;

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
            Question::Membership {
                repository,
                team,
                person,
            } => match team {
                Crowd::Team(team) => self
                    .membership(repository, team, person)
                    .await
                    .map(Fact::Membership),
                Crowd::Group(group) => {
                    Err(CallError::Never(format!("{group} is not a team on GitHub")))
                }
            },
            Question::PullRequest { repository, number } => self
                .pull_request(repository, *number)
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
                with_mergers,
            } => self
                .merges(repository, (branch, sha), *with_mergers)
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
                repository, sha, ..
            } => self.reports(repository, sha).await.map(Fact::Reports),
            Question::Origin { repository, report } => {
                let report = self.prove_one(repository, report).await?;
                Ok(Fact::Origin(Box::new(report)))
            }
            Question::Comment { .. } => Err(CallError::Never(
                "GitHub signs what comments say".to_owned(),
            )),
            Question::AppBehind { repository, login } => {
                self.app_behind(repository, login).await.map(Fact::App)
            }
            Question::Progress {
                repository,
                external,
                correlation,
                reporter,
            } => self
                .progress(repository, external, (correlation, reporter.as_deref()))
                .await
                .map(|(progress, url, by_run)| Fact::Progress(progress, url, by_run)),
            Question::Sighting { repository, search } => {
                self.sight(repository, search).await.map(Fact::Sighting)
            }
            Question::Run { repository, run } => {
                let run = self.run(As::In(repository), repository, *run).await?;
                Ok(Fact::Run(FoundRun {
                    file: workflow(&run).map(str::to_owned),
                    sha: run.head_sha,
                    event: Some(run.event),
                    home: run.head_repository.map(|home| home.id.0),
                }))
            }
            Question::Ourselves { .. } => self.ourselves().await.map(Fact::Ourselves),
        }
    }
}
