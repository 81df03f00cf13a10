//! Releases, as deliveries tell of them: deployments, how they go, and runs that wait for our answer.

use serde_json::Value;

use super::super::payload::releases::{
    Deployment, DeploymentMade, DeploymentStatus, ProtectionRule, Step,
};
use super::{account, link, not_ours, place};
use crate::domain::{
    Colour, DeploymentMoved, Incoming, Progress, Rank, Report, ReportKind, Reporter, Repository,
    RuleRequested, SeenDeployment,
};

pub(super) fn deployment(payload: DeploymentMade) -> Incoming {
    if payload.action != "created" {
        return not_ours("a deployment is noted when it is made");
    }
    let repository = place(payload.repository, payload.installation);
    Incoming::Deployment(seen(payload.deployment, repository))
}

pub(crate) fn seen(deployment: Deployment, repository: Repository) -> SeenDeployment {
    SeenDeployment {
        repository,
        id: deployment.id.0,
        sha: deployment.sha,
        environment: deployment.environment,
        creator: deployment.creator.map(account),
        app: deployment.performed_via_github_app.map(|app| app.id.0),
        correlation: correlation(&deployment.payload),
        job: None,
    }
}

/// Our mark. GitHub gives a payload back as it was sent, as an object or as the text of one.
fn correlation(payload: &Value) -> Option<String> {
    let parsed: Value;
    let object = match payload {
        Value::String(text) => {
            parsed = serde_json::from_str(text).ok()?;
            &parsed
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            payload
        }
    };
    let mark = object.get("countersign")?.get("correlation")?.as_str()?;
    Some(mark.to_owned())
}

/// A report about a deployment is a gate's fact, if it says anything about the commit, and it tells how
/// the deployment goes.
pub(super) fn deployment_status(payload: DeploymentStatus) -> Vec<Incoming> {
    if payload.action != "created" {
        return vec![not_ours("a deployment's status is noted when it is made")];
    }
    let repository = place(payload.repository, payload.installation);
    let deployment = seen(payload.deployment, repository);
    let step = payload.deployment_status;
    let url = step_url(&step);
    let report = step_report(&deployment, &step);
    let repository = deployment.repository.clone();
    let moved = DeploymentMoved {
        deployment,
        status: step.id.0,
        progress: progress(&step.state),
        url,
        by: step.creator.or(payload.sender).map(account),
    };
    let report = report.map(|report| Incoming::Report(repository, report));
    let moved = Incoming::DeploymentMoved(moved);
    report.into_iter().chain([moved]).collect()
}

/// What a deployment's status says about the commit, if anything.
pub(crate) fn step_report(deployment: &SeenDeployment, step: &Step) -> Option<Report> {
    Some(Report {
        repository: deployment.repository.id,
        sha: deployment.sha.clone(),
        kind: ReportKind::Deployment,
        name: deployment.environment.clone(),
        source: source(step)?,
        rank: Rank {
            id: deployment.id,
            attempt: step.id.0,
            phase: 0,
            second: 0,
        },
        colour: colour(&step.state)?,
        word: step.state.clone(),
        url: step_url(step),
        at: step.updated_at.or(step.created_at).or_epoch(),
        reference: None,
        pipeline: None,
        parent: None,
        heard: None,
    })
}

fn step_url(step: &Step) -> String {
    link([&step.log_url, &step.target_url, &step.environment_url].map(Clone::clone))
}

/// Who reported it, which need not be who made the deployment. Without a reporter it is no fact that a
/// gate could trust.
fn source(step: &Step) -> Option<Reporter> {
    let app = step
        .performed_via_github_app
        .map(|app| Reporter::App(app.id.0));
    app.or_else(|| step.creator.clone().map(account).map(Reporter::Account))
}

/// A later deployment makes this one inactive, which takes nothing back from its commit.
fn colour(state: &str) -> Option<Colour> {
    match state {
        "success" => Some(Colour::Green),
        "failure" | "error" => Some(Colour::Red),
        "inactive" => None,
        _ => Some(Colour::Pending),
    }
}

pub(crate) fn progress(state: &str) -> Option<Progress> {
    match state {
        "success" => Some(Progress::Succeeded),
        "failure" | "error" => Some(Progress::Failed),
        "in_progress" => Some(Progress::Running),
        "pending" | "queued" | "waiting" => Some(Progress::Waiting),
        _ => None,
    }
}

pub(super) fn protection_rule(payload: ProtectionRule) -> Incoming {
    if payload.action != "requested" {
        return not_ours("a protection rule is answered when it is requested");
    }
    let deployment = payload.deployment.map(|it| (it.id.0, it.sha));
    let (deployment, sha) = deployment.unzip();
    Incoming::RuleRequested(RuleRequested {
        repository: place(payload.repository, payload.installation),
        run: payload.deployment_callback_url.run.0,
        environment: payload.environment,
        sha,
        deployment,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::planted::{heard, ignored, sha};
    use super::*;
    use crate::domain::{Forge, RepositoryId};

    fn made(change: impl FnOnce(&mut Value)) -> SeenDeployment {
        match heard("deployment", change).as_slice() {
            [Incoming::Deployment(deployment)] => deployment.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn moved(change: impl FnOnce(&mut Value)) -> (Option<Report>, DeploymentMoved) {
        match heard("deployment_status", change).as_slice() {
            [
                Incoming::Report(_, report),
                Incoming::DeploymentMoved(moved),
            ] => (Some(report.clone()), moved.clone()),
            [Incoming::DeploymentMoved(moved)] => (None, moved.clone()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_deployment_is_seen_with_its_maker_and_our_mark() {
        let deployment = made(|_| ());
        assert_eq!((deployment.id, deployment.repository.id.number()), (70, 9));
        assert_eq!(deployment.sha, sha('a'));
        assert_eq!(deployment.environment, "production");
        assert_eq!(deployment.creator.unwrap().login, "ann");
        assert_eq!(deployment.app, Some(8));
        let bare = made(|payload| {
            payload["deployment"]["creator"] = Value::Null;
            payload["deployment"]["performed_via_github_app"] = Value::Null;
        });
        assert_eq!((bare.creator, bare.app), (None, None));
        let why = ignored("deployment", |payload| {
            payload["action"] = "new_word".into();
        });
        assert!(why.contains("when it is made"), "{why}");
    }

    #[test]
    fn our_mark_is_found_in_an_object_and_in_the_text_of_one() {
        let check = |payload: Value, expect: Option<&str>| {
            assert_eq!(correlation(&payload).as_deref(), expect, "{payload}");
            let seen = made(|event| event["deployment"]["payload"] = payload.clone());
            assert_eq!(seen.correlation.as_deref(), expect, "{payload}");
        };
        check(
            json!({"countersign": {"correlation": "c"}, "other": 1}),
            Some("c"),
        );
        check(json!(r#"{"countersign":{"correlation":"c"}}"#), Some("c"));
        check(
            json!(r#""{\"countersign\":{\"correlation\":\"c\"}}""#),
            None,
        );
        check(json!({"countersign": {"correlation": 7}}), None);
        check(json!({"countersign": "correlation"}), None);
        check(json!({"correlation": "c"}), None);
        check(json!([{"countersign": {"correlation": "c"}}]), None);
        check(json!("{"), None);
        check(json!(""), None);
        check(Value::Null, None);
        check(json!({}), None);
    }

    #[test]
    fn a_status_of_a_deployment_is_a_fact_first_and_then_progress() {
        let (report, moved) = moved(|_| ());
        let expect = Report {
            repository: RepositoryId::on(Forge::GitHub, 9),
            sha: sha('a'),
            kind: ReportKind::Deployment,
            name: "production".to_owned(),
            source: Reporter::App(8),
            rank: Rank {
                id: 70,
                attempt: 71,
                phase: 0,
                second: 0,
            },
            colour: Colour::Green,
            word: "success".to_owned(),
            url: "https://log".to_owned(),
            at: "2026-01-01T00:00:00Z".parse().unwrap(),
            reference: None,
            pipeline: None,
            parent: None,
            heard: None,
        };
        assert_eq!(report, Some(expect));
        assert_eq!((moved.status, moved.deployment.id), (71, 70));
        assert_eq!(moved.progress, Some(Progress::Succeeded));
        assert_eq!(moved.url, "https://log");
        assert_eq!(moved.by.unwrap().login, "ann");
        assert_eq!(moved.deployment.correlation.as_deref(), Some("c-1"));
    }

    #[test]
    fn every_state_of_a_deployment_has_its_meaning() {
        for (state, colour, progress) in [
            ("success", Some(Colour::Green), Some(Progress::Succeeded)),
            ("failure", Some(Colour::Red), Some(Progress::Failed)),
            ("error", Some(Colour::Red), Some(Progress::Failed)),
            (
                "in_progress",
                Some(Colour::Pending),
                Some(Progress::Running),
            ),
            ("pending", Some(Colour::Pending), Some(Progress::Waiting)),
            ("queued", Some(Colour::Pending), Some(Progress::Waiting)),
            ("waiting", Some(Colour::Pending), Some(Progress::Waiting)),
            ("inactive", None, None),
            ("new_word", Some(Colour::Pending), None),
        ] {
            let (report, moved) =
                moved(|payload| payload["deployment_status"]["state"] = state.into());
            assert_eq!(report.map(|report| report.colour), colour, "{state}");
            assert_eq!(moved.progress, progress, "{state}");
        }
    }

    #[test]
    fn what_a_status_does_not_tell_is_taken_from_elsewhere() {
        let (report, moved_on) = moved(|payload| {
            payload["deployment_status"]["performed_via_github_app"] = Value::Null;
            payload["deployment_status"]["log_url"] = "".into();
            payload["sender"] = json!({"id": 6, "login": "bob"});
        });
        let report = report.unwrap();
        assert_eq!(report.source.key(), "account/5");
        assert_eq!(report.url, "https://target");
        assert_eq!(moved_on.by.unwrap().login, "ann");
        let (report, moved_on) = moved(|payload| {
            payload["deployment_status"]["performed_via_github_app"] = Value::Null;
            payload["deployment_status"]["creator"] = Value::Null;
            payload["sender"] = json!({"id": 6, "login": "bob"});
        });
        assert_eq!(report, None, "nobody reported it");
        assert_eq!(moved_on.by.unwrap().login, "bob");
    }

    #[test]
    fn a_rule_that_is_requested_names_the_run_that_waits() {
        let request =
            |change: fn(&mut Value)| match heard("deployment_protection_rule", change).as_slice() {
                [Incoming::RuleRequested(request)] => request.clone(),
                other => panic!("{other:?}"),
            };
        let full = request(|_| ());
        assert_eq!((full.run, full.environment.as_str()), (51, "production"));
        assert_eq!((full.sha, full.deployment), (Some(sha('a')), Some(70)));
        let bare = request(|payload| payload["deployment"] = Value::Null);
        assert_eq!((bare.run, bare.sha, bare.deployment), (51, None, None));
        let why = ignored("deployment_protection_rule", |payload| {
            payload["action"] = "new_word".into();
        });
        assert!(why.contains("when it is requested"), "{why}");
    }
}
