//! Jobs: which checks are jobs of runs. Every workflow of every branch can post a check under any name, and nothing in
//! the check tells it from a job; the job's own page does.

use serde::Deserialize;

use super::{As, Client};
use crate::call::CallError;
use crate::domain::{Report, Reporter, Repository, posted};
use crate::forges::github::interpret::commits::{self as said, CheckTold};
use crate::forges::github::payload::commits::Run;
use crate::forges::github::payload::{Id, Moment};

const PAGE: usize = 100;
/// Pages of jobs of one run.
const PAGES: usize = 10;

#[derive(Deserialize)]
struct Job {
    run_id: u64,
    name: String,
    status: String,
    #[serde(default)]
    conclusion: Option<String>,
    #[serde(default)]
    check_run_url: Option<String>,
    #[serde(default)]
    html_url: Option<String>,
    #[serde(default)]
    started_at: Moment,
    #[serde(default)]
    completed_at: Moment,
}

impl Job {
    /// Whether a check is this job's.
    fn is_of(&self, check: u64) -> bool {
        let url = self.check_run_url.as_deref();
        let number = url.and_then(|url| url.rsplit_once("/check-runs/"));
        number.is_some_and(|(_, number)| number.parse() == Ok(check))
    }

    /// What the job says, which its check may have been made to say otherwise.
    fn report(self, run: &Run, check: &Report) -> Report {
        let app = match check.source {
            Reporter::App(app) => app,
            Reporter::Forge | Reporter::Account(_) => 0,
        };
        let told = CheckTold {
            id: Id(check.rank.id),
            name: self.name,
            app: Id(app),
            status: &self.status,
            conclusion: self.conclusion.as_deref(),
            url: self.html_url.unwrap_or_default(),
            at: self.completed_at.or(self.started_at).or_epoch(),
            reference: Some(said::origin(run, check.repository)),
        };
        said::told_report(check.repository, check.sha.clone(), told)
    }
}

impl Client {
    /// Finds the jobs behind checks in the runs of their commit; the others were posted.
    pub(super) async fn prove(
        &self,
        repository: &Repository,
        runs: &[Run],
        checks: &mut [Report],
    ) -> Result<(), CallError> {
        for run in runs {
            if !checks.iter().any(Report::is_of_unsaid_origin) {
                break;
            }
            let jobs = self.jobs(repository, run.id.0).await?;
            for job in jobs {
                let of_job = |check: &&mut Report| {
                    check.is_of_unsaid_origin()
                        && check.sha == run.head_sha
                        && job.is_of(check.rank.id)
                };
                if let Some(check) = checks.iter_mut().find(of_job) {
                    *check = job.report(run, check);
                }
            }
        }
        for check in checks
            .iter_mut()
            .filter(|check| check.is_of_unsaid_origin())
        {
            check.reference = Some(posted());
        }
        Ok(())
    }

    /// The same for one check.
    pub(super) async fn prove_one(
        &self,
        repository: &Repository,
        check: &Report,
    ) -> Result<Report, CallError> {
        let path = format!("/repos/{}/actions/jobs/{}", repository.path, check.rank.id);
        let job: Option<Job> = self.read_maybe(As::In(repository), &path).await?;
        if let Some(job) = job.filter(|job| job.is_of(check.rank.id)) {
            let run = self.run(As::In(repository), repository, job.run_id).await?;
            if run.head_sha == check.sha {
                return Ok(job.report(&run, check));
            }
        }
        Ok(Report {
            reference: Some(posted()),
            ..check.clone()
        })
    }

    /// The newest try of each job of a run.
    async fn jobs(&self, repository: &Repository, run: u64) -> Result<Vec<Job>, CallError> {
        #[derive(Deserialize)]
        struct Jobs {
            jobs: Vec<Job>,
        }
        let mut jobs = Vec::new();
        for page in 1..=PAGES {
            let path = format!(
                "/repos/{}/actions/runs/{run}/jobs?filter=latest&per_page={PAGE}&page={page}",
                repository.path
            );
            let found: Jobs = self.read(As::In(repository), &path).await?;
            let is_last = found.jobs.len() < PAGE;
            jobs.extend(found.jobs);
            if is_last {
                return Ok(jobs);
            }
        }
        Err(CallError::Never(
            "there are too many jobs to read them all".to_owned(),
        ))
    }
}
