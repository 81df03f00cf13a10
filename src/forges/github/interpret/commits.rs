//! Commits, as deliveries tell of them: where branches stand, and the facts that gates wait for.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::super::payload::commits::{Check, CheckRun, Push, Run, Status, Touched, WorkflowRun};
use super::super::payload::{Id, Moment, User};
use super::{account, link, not_ours, place};
use crate::domain::{
    Colour, Incoming, Progress, Push as Moved, Rank, Report, ReportKind, Reporter, RepositoryId,
    RunOf, SeenRun, Sha, made_on, run_on,
};

/// A push of so many commits may have more that GitHub does not tell.
const MOST_COMMITS: usize = 2048;
const LONGEST_TITLE: usize = 200;

pub(super) fn push(payload: Push) -> Incoming {
    let Some(branch) = payload.reference.strip_prefix("refs/heads/") else {
        return match payload.reference.starts_with("refs/tags/") {
            true => not_ours("tags are not followed"),
            false => not_ours("only branches are followed"),
        };
    };
    let title = payload
        .head_commit
        .as_ref()
        .and_then(|commit| commit.message.as_deref())
        .and_then(|message| message.lines().next())
        .map(|line| line.chars().take(LONGEST_TITLE).collect())
        .unwrap_or_default();
    Incoming::Push(Moved {
        branch: branch.to_owned(),
        paths: touched(&payload),
        may_go_back: payload.forced.unwrap_or(false),
        title,
        repository: place(payload.repository, payload.installation),
        before: payload.before.0,
        after: payload.after.0,
    })
}

/// All paths that a push touches, if its payload tells all of them: it went straight ahead from a known
/// commit, and none of its commits is left out or silent.
fn touched(payload: &Push) -> Option<Vec<String>> {
    let straight = [payload.created, payload.deleted, payload.forced] == [Some(false); 3]
        && payload.before.0.is_some()
        && payload.after.0.is_some();
    let commits = payload
        .commits
        .as_deref()
        .filter(|commits| straight && (1..MOST_COMMITS).contains(&commits.len()))?;
    let mut paths = BTreeSet::new();
    for commit in commits {
        let Touched {
            added: Some(added),
            removed: Some(removed),
            modified: Some(modified),
        } = commit
        else {
            return None;
        };
        paths.extend([added, removed, modified].into_iter().flatten().cloned());
    }
    Some(paths.into_iter().collect())
}

pub(super) fn status(payload: Status) -> Incoming {
    let Some(sender) = payload.sender else {
        return not_ours("the status does not say who made it");
    };
    let repository = place(payload.repository, payload.installation);
    let told = StatusTold {
        id: payload.id,
        state: payload.state,
        context: payload.context,
        url: payload.target_url,
        at: payload.updated_at.or(payload.created_at),
    };
    let report = status_report(repository.id, payload.sha, told, sender);
    Incoming::Report(repository, report)
}

/// What a status says, whether it was sent to us or asked for.
pub(crate) struct StatusTold {
    pub(crate) id: Id,
    pub(crate) state: String,
    pub(crate) context: String,
    pub(crate) url: Option<String>,
    pub(crate) at: Moment,
}

pub(crate) fn status_report(
    repository: RepositoryId,
    sha: Sha,
    told: StatusTold,
    by: User,
) -> Report {
    Report {
        repository,
        sha,
        kind: ReportKind::Status,
        name: told.context,
        source: Reporter::Account(account(by)),
        // Every report of a status is a new status with a new number.
        rank: Rank {
            id: told.id.0,
            attempt: 0,
            phase: 0,
            second: 0,
        },
        colour: match told.state.as_str() {
            "success" => Colour::Green,
            "failure" | "error" => Colour::Red,
            _ => Colour::Pending,
        },
        word: told.state,
        url: link([told.url]),
        at: told.at.or_epoch(),
        reference: None,
        pipeline: None,
        parent: None,
        heard: None,
    }
}

pub(super) fn check_run(payload: CheckRun) -> Incoming {
    match payload.action.as_str() {
        "created" | "completed" | "rerequested" => {}
        "requested_action" => return not_ours("a button on a check is not a command"),
        _ => return not_ours("checks are followed when they begin and end"),
    }
    let repository = place(payload.repository, payload.installation);
    match check_report(payload.check_run, repository.id) {
        Some(report) => Incoming::Report(repository, report),
        None => not_ours("the check does not say which app made it"),
    }
}

/// What a check run says; nothing without the app that made it.
pub(crate) fn check_report(check: Check, repository: RepositoryId) -> Option<Report> {
    let app = check.app?;
    // Whether it is a job, or was posted by some workflow, must be asked.
    let reference = app.is_of_workflows().then(|| made_on(None, None));
    let at = check.completed_at.or(check.started_at).or_epoch();
    let conclusion = check.conclusion.as_deref();
    let told = CheckTold {
        id: check.id,
        name: check.name,
        app: app.id,
        status: &check.status,
        conclusion,
        url: link([check.html_url, check.details_url]),
        at,
        reference,
    };
    Some(told_report(repository, check.head_sha, told))
}

/// A check, or the job that it is.
pub(crate) struct CheckTold<'s> {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) app: Id,
    pub(crate) status: &'s str,
    pub(crate) conclusion: Option<&'s str>,
    pub(crate) url: String,
    pub(crate) at: Timestamp,
    pub(crate) reference: Option<String>,
}

pub(crate) fn told_report(repository: RepositoryId, sha: Sha, told: CheckTold<'_>) -> Report {
    let CheckTold {
        status, conclusion, ..
    } = told;
    Report {
        repository,
        sha,
        kind: ReportKind::Check,
        name: told.name,
        source: Reporter::App(told.app.0),
        rank: Rank {
            id: told.id.0,
            attempt: 0,
            phase: phase(status),
            second: told.at.as_second(),
        },
        colour: match (status, conclusion) {
            ("completed", Some("success" | "neutral" | "skipped")) => Colour::Green,
            ("completed", _) => Colour::Red,
            _ => Colour::Pending,
        },
        word: word(status, conclusion),
        url: told.url,
        at: told.at,
        reference: told.reference,
        pipeline: None,
        parent: None,
        heard: None,
    }
}

/// A run is a gate's fact, and perhaps a release, ours or another's.
pub(super) fn workflow_run(payload: WorkflowRun) -> Vec<Incoming> {
    if !matches!(
        payload.action.as_str(),
        "requested" | "in_progress" | "completed"
    ) {
        return vec![not_ours(
            "runs are followed when they are requested, begin and end",
        )];
    }
    let mut run = payload.workflow_run;
    if run.path.is_none() {
        run.path = payload.workflow.and_then(|workflow| workflow.path);
    }
    let repository = place(payload.repository, payload.installation);
    let Some(report) = run_report(&run, repository.id) else {
        return vec![not_ours("the run does not say which workflow it is of")];
    };
    let seen = SeenRun {
        repository: repository.clone(),
        id: report.rank.id,
        attempt: report.rank.attempt,
        progress: progress(&run),
        url: report.url.clone(),
        what: RunOf::Workflow {
            file: report.name.clone(),
            title: title(&run).to_owned(),
            event: run.event,
        },
        sha: run.head_sha,
        actor: run.triggering_actor.or(run.actor).map(account),
    };
    vec![Incoming::Report(repository, report), Incoming::Run(seen)]
}

/// The file of a run's workflow, without folders.
pub(crate) fn workflow(run: &Run) -> Option<&str> {
    run.path.as_deref().and_then(file_name)
}

pub(crate) fn title(run: &Run) -> &str {
    let title = run.display_title.as_deref().or(run.name.as_deref());
    title.unwrap_or_default()
}

/// What a run says; nothing without the workflow that it is of.
pub(crate) fn run_report(run: &Run, repository: RepositoryId) -> Option<Report> {
    let at = run.updated_at.or_epoch();
    let conclusion = run.conclusion.as_deref();
    Some(Report {
        repository,
        sha: run.head_sha.clone(),
        kind: ReportKind::Workflow,
        name: workflow(run)?.to_owned(),
        source: Reporter::Forge,
        rank: Rank {
            id: run.id.0,
            attempt: run.run_attempt.map_or(1, |attempt| attempt.0),
            phase: phase(&run.status),
            second: at.as_second(),
        },
        colour: match (run.status.as_str(), conclusion) {
            ("completed", Some("success" | "neutral")) => Colour::Green,
            // A run that was skipped has not looked at anything.
            ("completed", Some("skipped")) => Colour::Pending,
            ("completed", _) => Colour::Red,
            _ => Colour::Pending,
        },
        word: word(&run.status, conclusion),
        url: link([run.html_url.clone()]),
        at,
        reference: Some(origin(run, repository)),
        pipeline: None,
        parent: None,
        heard: None,
    })
}

/// What a run was made on.
pub(crate) fn origin(run: &Run, repository: RepositoryId) -> String {
    let home = run.head_repository.map(|home| home.id.0);
    let is_at_home = home == Some(repository.number());
    run_on(&run.event, run.head_branch.as_deref(), is_at_home)
}

/// By the run's own state and not by the event's action, which may be older than the state.
pub(crate) fn progress(run: &Run) -> Progress {
    match (run.status.as_str(), run.conclusion.as_deref()) {
        ("completed", Some("success" | "neutral")) => Progress::Succeeded,
        ("completed", Some("skipped")) => Progress::Skipped,
        ("completed", Some("cancelled" | "stale")) => Progress::Cancelled,
        ("completed", _) => Progress::Failed,
        ("in_progress", _) => Progress::Running,
        _ => Progress::Waiting,
    }
}

fn phase(status: &str) -> u8 {
    match status {
        "completed" => 2,
        "in_progress" => 1,
        _ => 0,
    }
}

fn word(status: &str, conclusion: Option<&str>) -> String {
    conclusion
        .filter(|_| status == "completed")
        .unwrap_or(status)
        .to_owned()
}

/// `.github/workflows/deploy.yml@refs/heads/main` is `deploy.yml`.
fn file_name(path: &str) -> Option<&str> {
    let file = path.split('@').next()?;
    let name = file.rsplit('/').next()?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::planted::{heard, ignored, sha};
    use super::*;
    use crate::domain::Forge;
    use crate::domain::{Account, Repository};

    fn shop() -> Repository {
        Repository {
            id: RepositoryId::on(Forge::GitHub, 9),
            path: "acme/shop".to_owned(),
            installation: Some(4),
        }
    }

    fn ann() -> Account {
        Account {
            forge: Forge::GitHub,
            id: 5,
            login: "ann".to_owned(),
        }
    }

    fn pushed(change: impl FnOnce(&mut Value)) -> Moved {
        match heard("push", change).as_slice() {
            [Incoming::Push(push)] => push.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn reported(event: &str, change: impl FnOnce(&mut Value)) -> Report {
        match heard(event, change).as_slice() {
            [Incoming::Report(_, report), ..] => report.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn ran(change: impl FnOnce(&mut Value)) -> SeenRun {
        match heard("workflow_run", change).as_slice() {
            [Incoming::Report(..), Incoming::Run(run)] => run.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_push_says_where_its_branch_stands() {
        let expect = Moved {
            repository: shop(),
            branch: "main".to_owned(),
            before: Some(sha('a')),
            after: Some(sha('b')),
            may_go_back: false,
            paths: Some(vec!["a".to_owned(), "b".to_owned()]),
            title: "Sell more".to_owned(),
        };
        assert_eq!(pushed(|_| ()), expect);
        let zeros = || Value::from("0".repeat(40));
        let created = pushed(|push| {
            push["created"] = true.into();
            push["before"] = zeros();
        });
        assert_eq!((created.before, created.paths), (None, None));
        let deleted = pushed(|push| {
            push["deleted"] = true.into();
            push["after"] = zeros();
            push["head_commit"] = Value::Null;
            push["commits"] = json!([]);
        });
        assert_eq!((deleted.after, deleted.title.as_str()), (None, ""));
        let nested = pushed(|push| push["ref"] = "refs/heads/fix/refs/heads/x".into());
        assert_eq!(nested.branch, "fix/refs/heads/x");
        let long = pushed(|push| push["head_commit"]["message"] = "é".repeat(500).into());
        assert_eq!(long.title.chars().count(), 200);
        for (reference, expect) in [
            ("refs/tags/v1", "tags are not followed"),
            ("refs/notes/x", "only branches are followed"),
        ] {
            assert_eq!(
                ignored("push", |push| push["ref"] = reference.into()),
                expect
            );
        }
    }

    #[test]
    fn paths_are_told_only_when_the_payload_tells_all_of_them() {
        let check = |change: fn(&mut Value), expect: bool| {
            let push = pushed(change);
            assert_eq!(push.paths.is_some(), expect, "{push:?}");
        };
        check(|_| (), true);
        check(|push| push["created"] = true.into(), false);
        check(|push| push["deleted"] = true.into(), false);
        check(|push| push["forced"] = true.into(), false);
        check(|push| push["forced"] = Value::Null, false);
        check(|push| push["before"] = "0".repeat(40).into(), false);
        check(|push| push["commits"] = json!([]), false);
        check(|push| push["commits"] = Value::Null, false);
        check(|push| push["commits"][1]["removed"] = Value::Null, false);
        check(|push| push["commits"][1] = json!({}), false);
        let many = |push: &mut Value, count: usize| {
            let commit = push["commits"][0].clone();
            push["commits"] = vec![commit; count].into();
        };
        assert!(pushed(|push| many(push, 2047)).paths.is_some());
        assert!(pushed(|push| many(push, 2048)).paths.is_none());
    }

    #[test]
    fn a_status_is_reported_by_the_account_that_made_it() {
        let expect = Report {
            repository: RepositoryId::on(Forge::GitHub, 9),
            sha: sha('a'),
            kind: ReportKind::Status,
            name: "ci/build".to_owned(),
            source: Reporter::Account(ann()),
            rank: Rank {
                id: 31,
                attempt: 0,
                phase: 0,
                second: 0,
            },
            colour: Colour::Green,
            word: "success".to_owned(),
            url: "https://ci/1".to_owned(),
            at: "2026-01-01T00:00:00Z".parse().unwrap(),
            reference: None,
            pipeline: None,
            parent: None,
            heard: None,
        };
        assert_eq!(reported("status", |_| ()), expect);
        for (state, colour) in [
            ("pending", Colour::Pending),
            ("failure", Colour::Red),
            ("error", Colour::Red),
            ("SUCCESS", Colour::Pending),
            ("", Colour::Pending),
        ] {
            let report = reported("status", |status| status["state"] = state.into());
            assert_eq!((report.colour, report.word.as_str()), (colour, state));
        }
        let bare = reported("status", |status| {
            status["target_url"] = Value::Null;
            status["updated_at"] = "soon".into();
            status["created_at"] = 7.into();
        });
        assert_eq!((bare.url.as_str(), bare.at.as_second()), ("", 7));
        let why = ignored("status", |status| status["sender"] = Value::Null);
        assert_eq!(why, "the status does not say who made it");
    }

    #[test]
    fn a_check_is_reported_by_its_app() {
        let report = reported("check_run", |_| ());
        assert_eq!(report.kind, ReportKind::Check);
        assert_eq!(report.name, "unit");
        assert_eq!(report.source, Reporter::App(15368));
        assert_eq!(report.url, "https://github/41");
        assert_eq!(report.rank.second, report.at.as_second());
        assert_eq!(report.at, "2026-01-01T00:00:09Z".parse().unwrap());
        for (status, conclusion, phase, colour, word) in [
            ("completed", json!("success"), 2, Colour::Green, "success"),
            ("completed", json!("neutral"), 2, Colour::Green, "neutral"),
            ("completed", json!("skipped"), 2, Colour::Green, "skipped"),
            ("completed", json!("cancelled"), 2, Colour::Red, "cancelled"),
            ("completed", json!("timed_out"), 2, Colour::Red, "timed_out"),
            (
                "completed",
                json!("action_required"),
                2,
                Colour::Red,
                "action_required",
            ),
            ("completed", json!("stale"), 2, Colour::Red, "stale"),
            ("completed", json!("new_word"), 2, Colour::Red, "new_word"),
            ("completed", Value::Null, 2, Colour::Red, "completed"),
            (
                "in_progress",
                Value::Null,
                1,
                Colour::Pending,
                "in_progress",
            ),
            (
                "in_progress",
                json!("success"),
                1,
                Colour::Pending,
                "in_progress",
            ),
            ("queued", Value::Null, 0, Colour::Pending, "queued"),
            ("waiting", Value::Null, 0, Colour::Pending, "waiting"),
            ("new_word", Value::Null, 0, Colour::Pending, "new_word"),
        ] {
            let report = reported("check_run", |payload| {
                payload["check_run"]["status"] = status.into();
                payload["check_run"]["conclusion"] = conclusion;
            });
            let found = (report.rank.phase, report.colour, report.word.as_str());
            assert_eq!(found, (phase, colour, word));
        }
        let begun = reported("check_run", |payload| {
            payload["check_run"]["completed_at"] = Value::Null;
        });
        assert_eq!(begun.at, "2026-01-01T00:00:00Z".parse().unwrap());
    }

    #[test]
    fn a_check_without_app_and_a_button_on_a_check_are_not_used() {
        let no_app = ignored("check_run", |payload| {
            payload["check_run"]["app"] = Value::Null;
        });
        assert!(no_app.contains("which app"), "{no_app}");
        let button = ignored("check_run", |payload| {
            payload["action"] = "requested_action".into();
        });
        assert!(button.contains("button"), "{button}");
        let other = ignored("check_run", |payload| payload["action"] = "new_word".into());
        assert!(other.contains("begin and end"), "{other}");
    }

    #[test]
    fn a_run_is_a_fact_first_and_then_a_run() {
        let report = reported("workflow_run", |_| ());
        assert_eq!(report.kind, ReportKind::Workflow);
        assert_eq!(report.name, "ci.yml");
        assert_eq!(report.source, Reporter::Forge);
        let rank = Rank {
            id: 51,
            attempt: 2,
            phase: 2,
            second: report.at.as_second(),
        };
        assert_eq!(report.rank, rank);
        let expect = SeenRun {
            repository: shop(),
            id: 51,
            attempt: 2,
            what: RunOf::Workflow {
                file: "ci.yml".to_owned(),
                event: "push".to_owned(),
                title: "Sell more".to_owned(),
            },
            sha: sha('a'),
            progress: Progress::Succeeded,
            url: "https://github/51".to_owned(),
            actor: Some(ann()),
        };
        assert_eq!(ran(|_| ()), expect);
    }

    #[test]
    fn how_a_run_goes_is_read_off_its_own_state() {
        for (status, conclusion, phase, colour, progress) in [
            (
                "completed",
                json!("success"),
                2,
                Colour::Green,
                Progress::Succeeded,
            ),
            (
                "completed",
                json!("neutral"),
                2,
                Colour::Green,
                Progress::Succeeded,
            ),
            (
                "completed",
                json!("skipped"),
                2,
                Colour::Pending,
                Progress::Skipped,
            ),
            (
                "completed",
                json!("cancelled"),
                2,
                Colour::Red,
                Progress::Cancelled,
            ),
            (
                "completed",
                json!("stale"),
                2,
                Colour::Red,
                Progress::Cancelled,
            ),
            (
                "completed",
                json!("failure"),
                2,
                Colour::Red,
                Progress::Failed,
            ),
            (
                "completed",
                json!("startup_failure"),
                2,
                Colour::Red,
                Progress::Failed,
            ),
            ("completed", Value::Null, 2, Colour::Red, Progress::Failed),
            (
                "in_progress",
                Value::Null,
                1,
                Colour::Pending,
                Progress::Running,
            ),
            (
                "waiting",
                Value::Null,
                0,
                Colour::Pending,
                Progress::Waiting,
            ),
            (
                "requested",
                Value::Null,
                0,
                Colour::Pending,
                Progress::Waiting,
            ),
            ("queued", Value::Null, 0, Colour::Pending, Progress::Waiting),
        ] {
            let change = |payload: &mut Value| {
                payload["workflow_run"]["status"] = status.into();
                payload["workflow_run"]["conclusion"] = conclusion.clone();
            };
            let report = reported("workflow_run", change);
            let found = (report.rank.phase, report.colour, ran(change).progress);
            assert_eq!(found, (phase, colour, progress), "{status} {conclusion}");
        }
    }

    #[test]
    fn what_a_run_does_not_tell_is_taken_from_elsewhere() {
        let run = ran(|payload| {
            let run = &mut payload["workflow_run"];
            run["path"] = Value::Null;
            run["run_attempt"] = Value::Null;
            run["display_title"] = Value::Null;
            run["triggering_actor"] = Value::Null;
        });
        let expect = RunOf::Workflow {
            file: "other.yml".to_owned(),
            event: "push".to_owned(),
            title: "CI".to_owned(),
        };
        assert_eq!((run.what, run.attempt), (expect, 1));
        assert_eq!(run.actor.unwrap().login, "bob");
        let nameless = ignored("workflow_run", |payload| {
            payload["workflow"] = Value::Null;
            payload["workflow_run"]["path"] = "".into();
        });
        assert!(nameless.contains("which workflow"), "{nameless}");
        let other = ignored("workflow_run", |payload| {
            payload["action"] = "new_word".into();
        });
        assert!(other.contains("begin and end"), "{other}");
    }

    #[test]
    fn a_workflow_is_named_by_its_file() {
        let check =
            |path: &str, expect: Option<&str>| assert_eq!(file_name(path), expect, "{path}");
        check(".github/workflows/ci.yml", Some("ci.yml"));
        check(
            ".github/workflows/ci.yml@refs/heads/fix/deploy.yml",
            Some("ci.yml"),
        );
        check(
            "dynamic/pages/pages-build-deployment",
            Some("pages-build-deployment"),
        );
        check("ci.yml", Some("ci.yml"));
        check("", None);
        check(".github/workflows/", None);
        check("@refs/heads/main", None);
    }
}
