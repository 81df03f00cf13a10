//! Releases: how one goes, and whether one that we started is there at all.

use super::{As, Client};
use crate::call::CallError;
use crate::domain::{External, ExternalKind, Forge, Progress, Repository, Search, Target};
use crate::forges::github::interpret::{commits as said, releases};
use crate::forges::github::payload::commits::Run;
use crate::forges::github::payload::releases::{Deployment, Step};
use crate::web::escaped;
use jiff::SignedDuration;

/// Clocks differ: what began shortly before we asked for it may still be ours.
const SKEW: SignedDuration = SignedDuration::from_secs(120);

impl Client {
    pub(super) async fn run(
        &self,
        as_: As<'_>,
        repository: &Repository,
        run: u64,
    ) -> Result<Run, CallError> {
        let path = format!("/repos/{}/actions/runs/{run}", repository.path);
        self.read(as_, &path).await
    }

    pub(super) async fn progress(
        &self,
        repository: &Repository,
        external: &External,
        marks: (&str, Option<&str>),
    ) -> Result<(Progress, String, bool), CallError> {
        match external.kind {
            ExternalKind::Run => {
                let run = self
                    .run(As::In(repository), repository, external.id)
                    .await?;
                let url = run.html_url.clone().unwrap_or_default();
                Ok((said::progress(&run), url, false))
            }
            ExternalKind::Deployment => {
                self.deployment_progress(repository, external.id, marks)
                    .await
            }
            ExternalKind::Job | ExternalKind::Pipeline => Err(elsewhere()),
        }
    }

    /// By its statuses from whom we believe, and else by the runs that it started: those with our mark, or those by us
    /// that began after it. What workflows say counts where no run is found: it may be anybody's workflow.
    async fn deployment_progress(
        &self,
        repository: &Repository,
        id: u64,
        (correlation, reporter): (&str, Option<&str>),
    ) -> Result<(Progress, String, bool), CallError> {
        let steps = self.steps(repository, id).await?;
        let ourselves = self.ourselves().await?;
        let ours = ourselves.login.as_str();
        let said_by = |names: &[&str]| {
            let by = |step: &&Step| {
                let creator = step.creator.as_ref();
                creator
                    .is_some_and(|by| names.iter().any(|name| by.login.eq_ignore_ascii_case(name)))
            };
            let of_them = steps.iter().filter(by);
            let newest = of_them
                .filter_map(|step| Some((step, releases::progress(&step.state)?)))
                .max_by_key(|(step, _)| step.id.0);
            newest.filter(|(_, progress)| *progress > Progress::Running)
        };
        let told = |(step, progress): (&Step, Progress)| {
            let url = step.log_url.clone().or_else(|| step.target_url.clone());
            (progress, url.unwrap_or_default(), false)
        };
        let believed: Vec<&str> = reporter.into_iter().chain([ours]).collect();
        if let Some(said) = said_by(&believed) {
            return Ok(told(said));
        }
        let path = format!("/repos/{}/deployments/{id}", repository.path);
        let deployment: Deployment = self.read(As::In(repository), &path).await?;
        let query = format!("event=deployment&head_sha={}", deployment.sha);
        let mut runs = self.runs_where(repository, &query).await?;
        let is_marked = |run: &Run| said::title(run).contains(correlation);
        if runs.iter().any(is_marked) {
            runs.retain(is_marked);
        } else {
            let ourselves = self.ourselves().await?;
            runs.retain(|run| {
                let actor = run.actor.as_ref();
                actor.is_some_and(|actor| actor.login == ourselves.login)
                    && run.created_at.or_epoch() >= deployment.created_at.or_epoch()
            });
        }
        let going: Vec<(Progress, &Run)> = runs
            .iter()
            .map(|run| (said::progress(run), run))
            .filter(|(progress, _)| *progress != Progress::Skipped)
            .collect();
        let url = |run: &Run| run.html_url.clone().unwrap_or_default();
        if let Some((progress, run)) = going
            .iter()
            .find(|(progress, _)| *progress < Progress::Skipped)
        {
            return Ok((*progress, url(run), true));
        }
        let machines: Vec<&str> = Forge::GitHub.machines().into_iter().collect();
        if let (true, Some(said)) = (going.is_empty(), said_by(&machines)) {
            return Ok(told(said));
        }
        let worst = going.iter().max_by_key(|(progress, _)| *progress);
        Ok(worst.map_or(
            (Progress::Waiting, String::new(), true),
            |(progress, run)| (*progress, url(run), true),
        ))
    }

    /// Looks for a release with our mark. A mark is believed only where no other account can have put it.
    pub(super) async fn sight(
        &self,
        repository: &Repository,
        search: &Search,
    ) -> Result<Option<External>, CallError> {
        match &search.target {
            Target::Job { .. } | Target::Pipeline { .. } | Target::WaitingJob { .. } => {
                Err(elsewhere())
            }
            Target::Deployment { environment } => {
                self.sight_deployment(repository, search, environment).await
            }
            Target::WorkflowDispatch { workflow } => {
                let runs = self
                    .runs_since(repository, "workflow_dispatch", search)
                    .await?;
                Ok(runs
                    .into_iter()
                    .find(|run| said::workflow(run) == Some(workflow.as_str()))
                    .map(external_run))
            }
            Target::RepositoryDispatch => {
                let runs = self
                    .runs_since(repository, "repository_dispatch", search)
                    .await?;
                Ok(runs.into_iter().next().map(external_run))
            }
            Target::WaitingRun { run } => {
                let run = self.run(As::In(repository), repository, *run).await?;
                Ok((run.status != "waiting").then(|| external_run(run)))
            }
        }
    }

    async fn sight_deployment(
        &self,
        repository: &Repository,
        search: &Search,
        environment: &str,
    ) -> Result<Option<External>, CallError> {
        let ourselves = self.ourselves().await?;
        let path = format!(
            "/repos/{}/deployments?sha={}&environment={}",
            repository.path,
            search.sha,
            escaped(environment)
        );
        let mut ours = None;
        self.read_until(As::In(repository), &path, |page: Vec<Deployment>| {
            let seen = page.into_iter();
            let mut seen = seen.map(|deployment| releases::seen(deployment, repository.clone()));
            ours = seen.find(|seen| {
                let by_us = (seen.app.is_some() && seen.app == ourselves.app)
                    || seen
                        .creator
                        .as_ref()
                        .is_some_and(|creator| creator.login == ourselves.login);
                by_us && seen.correlation.as_deref() == Some(search.correlation.as_str())
            });
            ours.is_some()
        })
        .await?;
        Ok(ours.map(|seen| External {
            kind: ExternalKind::Deployment,
            id: seen.id,
            url: String::new(),
        }))
    }

    async fn runs_since(
        &self,
        repository: &Repository,
        event: &str,
        search: &Search,
    ) -> Result<Vec<Run>, CallError> {
        let since = search.since.checked_sub(SKEW).unwrap_or(search.since);
        let since = since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let query = format!("event={event}&created={}", escaped(&format!(">={since}")));
        let mut runs = self.runs_where(repository, &query).await?;
        let ourselves = self.ourselves().await?;
        runs.retain(|run| {
            let actor = run.actor.as_ref();
            actor.is_some_and(|actor| actor.login == ourselves.login)
                && said::title(run).contains(&search.correlation)
        });
        Ok(runs)
    }
}

/// What only the other forge has.
fn elsewhere() -> CallError {
    CallError::Never("GitHub has no such releases".to_owned())
}

fn external_run(run: Run) -> External {
    External {
        kind: ExternalKind::Run,
        id: run.id.0,
        url: run.html_url.unwrap_or_default(),
    }
}
