//! Jobs, as deliveries tell of them: each is a gate's fact, and perhaps a release, ours or another's.

use super::super::payload::pipelines::{Addresses, Environment, Job};
use super::super::payload::{Id, Moment};
use super::{account, not_ours, page, place};
use crate::domain::{
    Colour, Forge, Incoming, Progress, Rank, Report, ReportKind, Reporter, Repository,
    RepositoryId, RunOf, SeenRun, Sha, made_on,
};

/// The stage of what others report from outside: commit statuses, which GitLab keeps as jobs.
const OUTSIDE: &str = "external";

/// Why a job failed that was never played: an approver on GitLab said no to its deployment.
const REJECTED: &str = "deployment_rejected";

/// What a job says, whether it was sent by itself, with its pipeline, or asked for.
pub(crate) struct JobTold {
    pub(crate) id: Id,
    /// The one that it belongs to, where that is told.
    pub(crate) pipeline: Option<Id>,
    /// The pipeline whose job started that one.
    pub(crate) parent: Option<Id>,
    pub(crate) name: String,
    pub(crate) stage: Option<String>,
    pub(crate) status: String,
    pub(crate) allow_failure: bool,
    /// When it ended, else when it began, else when it was made.
    pub(crate) at: Moment,
    pub(crate) url: String,
    /// What its pipeline was made on.
    pub(crate) made_on: String,
}

/// What a job says about its commit; nothing while it waits to be played.
pub(crate) fn job_report(repository: RepositoryId, sha: Sha, told: JobTold) -> Option<Report> {
    if told.status == "manual" {
        return None;
    }
    let at = told.at.or_epoch();
    let kind = match told.stage.as_deref() {
        Some(OUTSIDE) => ReportKind::Status,
        _ => ReportKind::Job,
    };
    Some(Report {
        repository,
        sha,
        kind,
        name: told.name,
        source: Reporter::Forge,
        // A job that is retried gets a new number.
        rank: Rank {
            id: told.id.0,
            attempt: 0,
            phase: phase(&told.status),
            second: at.as_second(),
        },
        colour: colour(&told.status),
        word: match told.status.as_str() {
            "failed" if told.allow_failure => "failed, allowed to fail".to_owned(),
            _ => told.status,
        },
        url: told.url,
        at,
        // A reporter from outside chooses the branch.
        reference: (kind == ReportKind::Job).then_some(told.made_on),
        pipeline: told
            .pipeline
            .filter(|_| kind == ReportKind::Job)
            .map(|id| id.0),
        parent: told
            .parent
            .filter(|_| kind == ReportKind::Job)
            .map(|id| id.0),
        heard: None,
    })
}

/// A job that is skipped has not looked at anything, and may still run.
pub(super) fn colour(status: &str) -> Colour {
    match status {
        "success" => Colour::Green,
        "failed" | "canceled" => Colour::Red,
        _ => Colour::Pending,
    }
}

fn phase(status: &str) -> u8 {
    match status {
        "success" | "failed" | "canceled" => 2,
        "running" | "canceling" => 1,
        _ => 0,
    }
}

pub(super) fn job(mut payload: Job) -> Vec<Incoming> {
    let Some((repository, home)) = home(&mut payload) else {
        return vec![not_ours("the job does not say which project it is of")];
    };
    let at = payload.build_finished_at.or(payload.build_started_at);
    let told = JobTold {
        id: payload.build_id,
        pipeline: payload.pipeline_id,
        parent: payload
            .source_pipeline
            .and_then(|origin| origin.pipeline_id),
        name: payload.build_name.clone(),
        stage: payload.build_stage,
        status: payload.build_status.clone(),
        allow_failure: payload.build_allow_failure.unwrap_or(false),
        at: at.or(payload.build_created_at),
        url: page(home.as_deref(), &format!("jobs/{}", payload.build_id.0)),
        made_on: made_on(payload.reference.as_deref(), payload.tag),
    };
    let url = told.url.clone();
    let report = job_report(repository.id, payload.sha.clone(), told);
    let progress = match payload.build_failure_reason.as_deref() {
        Some(REJECTED) => Some(Progress::Cancelled),
        _ => progress(&payload.build_status),
    };
    let run = progress.map(|progress| SeenRun {
        repository: repository.clone(),
        id: payload.build_id.0,
        attempt: 1,
        sha: payload.sha,
        progress,
        url,
        actor: account(payload.user),
        what: RunOf::Job {
            name: payload.build_name,
            environment: released_to(payload.environment),
        },
    });
    let report = report.map(|report| Incoming::Report(repository, report));
    let heard: Vec<Incoming> = report.into_iter().chain(run.map(Incoming::Run)).collect();
    if heard.is_empty() {
        return vec![not_ours("the job waits for somebody to play it")];
    }
    heard
}

/// How a job goes that was started; nothing for one that was not, which may never be.
fn progress(status: &str) -> Option<Progress> {
    match status {
        "pending" | "preparing" | "waiting_for_resource" => Some(Progress::Waiting),
        "running" | "canceling" => Some(Progress::Running),
        "success" => Some(Progress::Succeeded),
        "failed" => Some(Progress::Failed),
        "canceled" => Some(Progress::Cancelled),
        _ => None,
    }
}

/// The environment that a job releases to. One that stops or verifies it does not.
fn released_to(environment: Option<Environment>) -> Option<String> {
    environment
        .filter(|environment| matches!(environment.action.as_deref(), None | Some("start")))
        .and_then(|environment| environment.name)
}

/// The project of a job and its page. Older servers tell only the project's number and its addresses.
fn home(job: &mut Job) -> Option<(Repository, Option<String>)> {
    if let Some(mut project) = job.project.take() {
        let page = project.web_url.take();
        return Some((place(project), page));
    }
    let addresses = job.repository.as_ref()?;
    let repository = Repository {
        id: RepositoryId::on(Forge::GitLab, job.project_id?.0),
        path: path(addresses)?,
        installation: None,
    };
    Some((repository, addresses.homepage.clone()))
}

/// The path of a project, read off its addresses. That for SSH comes first: a server that lives below a
/// path of its host has that in its pages only.
fn path(addresses: &Addresses) -> Option<String> {
    let ssh = addresses.git_ssh_url.as_deref().and_then(|address| {
        match (address.strip_prefix("ssh://"), address.contains("://")) {
            (Some(rest), _) => rest.split_once('/'),
            (None, false) => address.split_once(':'),
            (None, true) => None,
        }
    });
    let homepage = || {
        let address = addresses.homepage.as_deref()?;
        let rest = address
            .strip_prefix("https://")
            .or_else(|| address.strip_prefix("http://"))?;
        rest.split_once('/')
    };
    let (_, path) = ssh.or_else(homepage)?;
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let is_path =
        path.contains('/') && !path.contains(|c: char| c.is_whitespace() || c.is_control());
    is_path.then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::planted::{ann, heard, ignored, sha, shop};
    use super::*;

    fn told(change: impl FnOnce(&mut Value)) -> (Option<Report>, Option<SeenRun>) {
        match heard("Job Hook", change).as_slice() {
            [Incoming::Report(_, report)] => (Some(report.clone()), None),
            [Incoming::Report(_, report), Incoming::Run(run)] => {
                (Some(report.clone()), Some(run.clone()))
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_job_is_a_fact_first_and_then_a_run() {
        let at: jiff::Timestamp = "2026-01-01T00:00:09Z".parse().unwrap();
        let report = Report {
            repository: shop().id,
            sha: sha('a'),
            kind: ReportKind::Job,
            name: "test".to_owned(),
            source: Reporter::Forge,
            rank: Rank {
                id: 31,
                attempt: 0,
                phase: 2,
                second: at.as_second(),
            },
            colour: Colour::Green,
            word: "success".to_owned(),
            url: "https://lab/acme/shop/-/jobs/31".to_owned(),
            at,
            reference: Some("main".to_owned()),
            pipeline: Some(21),
            parent: None,
            heard: None,
        };
        let run = SeenRun {
            repository: shop(),
            id: 31,
            attempt: 1,
            what: RunOf::Job {
                name: "test".to_owned(),
                environment: Some("production".to_owned()),
            },
            sha: sha('a'),
            progress: Progress::Succeeded,
            url: "https://lab/acme/shop/-/jobs/31".to_owned(),
            actor: Some(ann()),
        };
        let expect = vec![Incoming::Report(shop(), report), Incoming::Run(run)];
        assert_eq!(heard("Job Hook", |_| ()), expect);
    }

    #[test]
    fn every_status_of_a_job_has_its_meaning() {
        use Colour::{Green, Pending, Red};
        for (status, phase, colour, progress) in [
            ("success", 2, Green, Some(Progress::Succeeded)),
            ("failed", 2, Red, Some(Progress::Failed)),
            ("canceled", 2, Red, Some(Progress::Cancelled)),
            ("running", 1, Pending, Some(Progress::Running)),
            ("canceling", 1, Pending, Some(Progress::Running)),
            ("pending", 0, Pending, Some(Progress::Waiting)),
            ("preparing", 0, Pending, Some(Progress::Waiting)),
            ("waiting_for_resource", 0, Pending, Some(Progress::Waiting)),
            ("created", 0, Pending, None),
            ("scheduled", 0, Pending, None),
            ("skipped", 0, Pending, None),
            ("new_word", 0, Pending, None),
            ("", 0, Pending, None),
        ] {
            let (report, run) = told(|job| job["build_status"] = status.into());
            let report = report.unwrap();
            let found = (report.rank.phase, report.colour, report.word.as_str());
            assert_eq!(found, (phase, colour, status));
            assert_eq!(run.map(|run| run.progress), progress, "{status}");
        }
        let why = ignored("Job Hook", |job| job["build_status"] = "manual".into());
        assert!(why.contains("play"), "{why}");
    }

    #[test]
    fn a_failure_that_is_allowed_is_red_and_says_so() {
        let word = |status: &str, allowed: Value| {
            let (report, _) = told(|job| {
                job["build_status"] = status.into();
                job["build_allow_failure"] = allowed;
            });
            report.map(|report| (report.colour, report.word)).unwrap()
        };
        let allowed = "failed, allowed to fail".to_owned();
        assert_eq!(word("failed", json!(true)), (Colour::Red, allowed));
        assert_eq!(
            word("failed", Value::Null),
            (Colour::Red, "failed".to_owned())
        );
        assert_eq!(
            word("success", json!(true)),
            (Colour::Green, "success".to_owned())
        );
    }

    #[test]
    fn a_job_whose_deployment_was_rejected_never_ran() {
        let (_, run) = told(|job| {
            job["build_status"] = "failed".into();
            job["build_failure_reason"] = "deployment_rejected".into();
        });
        assert_eq!(run.map(|run| run.progress), Some(Progress::Cancelled));
    }

    #[test]
    fn what_is_reported_from_outside_is_a_status() {
        let (report, _) = told(|job| job["build_stage"] = "external".into());
        assert_eq!(report.unwrap().kind, ReportKind::Status);
        let (report, _) = told(|job| job["build_stage"] = Value::Null);
        assert_eq!(report.unwrap().kind, ReportKind::Job);
    }

    #[test]
    fn the_latest_known_time_counts() {
        let second = |change: fn(&mut Value)| told(change).0.unwrap().rank.second;
        let finished = second(|_| ());
        let started = second(|job| job["build_finished_at"] = Value::Null);
        let created = second(|job| {
            job["build_finished_at"] = Value::Null;
            job["build_started_at"] = "soon".into();
        });
        assert_eq!((finished - started, started - created), (4, 5));
    }

    #[test]
    fn only_a_job_that_starts_an_environment_releases_to_it() {
        let check = |environment: Value, expect: Option<&str>| {
            let (_, run) = told(|job| job["environment"] = environment.clone());
            let expect = RunOf::Job {
                name: "test".to_owned(),
                environment: expect.map(str::to_owned),
            };
            assert_eq!(run.unwrap().what, expect, "{environment}");
        };
        check(json!({"name": "production"}), Some("production"));
        check(
            json!({"name": "production", "action": "start"}),
            Some("production"),
        );
        check(json!({"name": "production", "action": "stop"}), None);
        check(json!({"name": "production", "action": "verify"}), None);
        check(json!({"name": null}), None);
        check(Value::Null, None);
    }

    #[test]
    fn a_job_whose_user_has_no_name_is_nobodys() {
        let (_, run) = told(|job| job["user"] = json!({"id": 5, "name": "Ann"}));
        assert_eq!(run.unwrap().actor, None);
        let (_, run) = told(|job| job["user"] = Value::Null);
        assert_eq!(run.unwrap().actor, None);
    }

    #[test]
    fn a_job_without_a_project_is_placed_by_its_addresses() {
        let check = |ssh: &str, homepage: &str, expect: Option<&str>| {
            let heard = heard("Job Hook", |job| {
                job["project"] = Value::Null;
                job["repository"] = json!({"homepage": homepage, "git_ssh_url": ssh});
            });
            let path = match heard.as_slice() {
                [Incoming::Report(repository, _), Incoming::Run(_)] => {
                    assert_eq!(repository.id, shop().id);
                    Some(repository.path.as_str())
                }
                [Incoming::NotOurs(why)] => {
                    assert!(why.contains("which project"), "{why}");
                    None
                }
                other => panic!("{other:?}"),
            };
            assert_eq!(path, expect, "{ssh} {homepage}");
        };
        let page = "https://lab/git/acme/shop";
        check("git@lab:acme/shop.git", page, Some("acme/shop"));
        check("git@lab:a/b/shop.git", page, Some("a/b/shop"));
        check("ssh://git@lab:2222/acme/shop.git", page, Some("acme/shop"));
        check("", "https://lab/acme/shop", Some("acme/shop"));
        check("", "http://lab:3005/acme/shop/", Some("acme/shop"));
        check(
            "https://lab/x/y.git",
            "https://lab/acme/shop",
            Some("acme/shop"),
        );
        check("git@lab:shop.git", page, None);
        check("git@lab:acme/my shop.git", page, None);
        check("", "lab/acme/shop", None);
        check("", "", None);
        let (report, _) = told(|job| job["project"] = Value::Null);
        assert_eq!(report.unwrap().url, "https://lab/acme/shop/-/jobs/31");
        let why = ignored("Job Hook", |job| {
            job["project"] = Value::Null;
            job["project_id"] = Value::Null;
        });
        assert!(why.contains("which project"), "{why}");
    }
}
