//! Deployments, which jobs make: each is a gate's fact, and tells how it goes.

use super::super::payload::Moment;
use super::super::payload::pipelines::Deployment;
use super::{account, link, not_ours, place};
use crate::domain::{
    Colour, DeploymentMoved, Incoming, Progress, Rank, Report, ReportKind, Reporter,
    SeenDeployment, Sha, made_on,
};

pub(super) fn deployment(payload: Deployment) -> Vec<Incoming> {
    let Some(sha) = payload.commit_url.as_deref().and_then(commit) else {
        return vec![not_ours(
            "the deployment does not say which commit it is of",
        )];
    };
    let by = account(payload.user);
    let deployment = SeenDeployment {
        repository: place(payload.project),
        id: payload.deployment_id.0,
        sha,
        environment: payload.environment,
        creator: by.clone(),
        app: None,
        correlation: None,
        job: payload.deployable_id.map(|job| job.0),
    };
    let url = link(payload.deployable_url.as_deref());
    // Whether the job runs for a branch or a tag is not told. Who deploys without a job chooses what to say.
    let made_on = deployment.job.map(|_| made_on(None, None));
    let report = deployment_report(
        &deployment,
        (&payload.status, made_on),
        &url,
        payload.status_changed_at,
    );
    let moved = DeploymentMoved {
        status: u64::try_from(report.rank.second).unwrap_or_default(),
        progress: progress(&payload.status),
        url,
        by,
        deployment,
    };
    vec![
        Incoming::Report(moved.deployment.repository.clone(), report),
        Incoming::DeploymentMoved(moved),
    ]
}

/// GitLab tells the whole id in the address of the commit's page only.
fn commit(address: &str) -> Option<Sha> {
    let path = address.split(['?', '#']).next()?;
    let (_, last) = path.trim_end_matches('/').rsplit_once('/')?;
    last.parse().ok()
}

/// What a deployment says about its commit.
pub(crate) fn deployment_report(
    deployment: &SeenDeployment,
    (status, made_on): (&str, Option<String>),
    url: &str,
    at: Moment,
) -> Report {
    let at = at.or_epoch();
    Report {
        repository: deployment.repository.id,
        sha: deployment.sha.clone(),
        kind: ReportKind::Deployment,
        name: deployment.environment.clone(),
        source: Reporter::Forge,
        rank: Rank {
            id: deployment.id,
            attempt: 0,
            phase: match status {
                "success" | "failed" | "canceled" => 2,
                "running" => 1,
                _ => 0,
            },
            second: at.as_second(),
        },
        colour: match status {
            "success" => Colour::Green,
            "failed" | "canceled" => Colour::Red,
            _ => Colour::Pending,
        },
        word: status.to_owned(),
        url: url.to_owned(),
        at,
        reference: made_on,
        pipeline: None,
        parent: None,
        heard: None,
    }
}

fn progress(status: &str) -> Option<Progress> {
    match status {
        "created" | "blocked" => Some(Progress::Waiting),
        "running" => Some(Progress::Running),
        "success" => Some(Progress::Succeeded),
        "failed" => Some(Progress::Failed),
        "canceled" => Some(Progress::Cancelled),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::planted::{ann, heard, ignored, sha, shop};
    use super::*;

    fn told(change: impl FnOnce(&mut Value)) -> (Report, DeploymentMoved) {
        match heard("Deployment Hook", change).as_slice() {
            [
                Incoming::Report(_, report),
                Incoming::DeploymentMoved(moved),
            ] => (report.clone(), moved.clone()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_deployment_is_a_fact_first_and_then_progress() {
        let at: jiff::Timestamp = "2026-01-01T00:00:09Z".parse().unwrap();
        let (report, moved) = told(|_| ());
        let expect = Report {
            repository: shop().id,
            sha: sha('a'),
            kind: ReportKind::Deployment,
            name: "production".to_owned(),
            source: Reporter::Forge,
            rank: Rank {
                id: 70,
                attempt: 0,
                phase: 2,
                second: at.as_second(),
            },
            colour: Colour::Green,
            word: "success".to_owned(),
            url: "https://lab/acme/shop/-/jobs/31".to_owned(),
            at,
            reference: Some(made_on(None, None)),
            pipeline: None,
            parent: None,
            heard: None,
        };
        assert_eq!(report, expect);
        assert!(report.is_of_unsaid_origin());
        let expect = DeploymentMoved {
            deployment: SeenDeployment {
                repository: shop(),
                id: 70,
                sha: sha('a'),
                environment: "production".to_owned(),
                creator: Some(ann()),
                app: None,
                correlation: None,
                job: Some(31),
            },
            status: u64::try_from(at.as_second()).unwrap(),
            progress: Some(Progress::Succeeded),
            url: "https://lab/acme/shop/-/jobs/31".to_owned(),
            by: Some(ann()),
        };
        assert_eq!(moved, expect);
    }

    #[test]
    fn every_status_of_a_deployment_has_its_meaning() {
        use Colour::{Green, Pending, Red};
        for (status, phase, colour, progress) in [
            ("success", 2, Green, Some(Progress::Succeeded)),
            ("failed", 2, Red, Some(Progress::Failed)),
            ("canceled", 2, Red, Some(Progress::Cancelled)),
            ("running", 1, Pending, Some(Progress::Running)),
            ("created", 0, Pending, Some(Progress::Waiting)),
            ("blocked", 0, Pending, Some(Progress::Waiting)),
            ("skipped", 0, Pending, None),
            ("new_word", 0, Pending, None),
        ] {
            let (report, moved) = told(|it| it["status"] = status.into());
            let found = (report.rank.phase, report.colour, report.word.as_str());
            assert_eq!(found, (phase, colour, status));
            assert_eq!(moved.progress, progress, "{status}");
        }
    }

    #[test]
    fn the_commit_is_read_off_the_address_of_its_page() {
        let full = "a".repeat(40);
        let check = |address: &str, expect: bool| {
            assert_eq!(commit(address).is_some(), expect, "{address}");
        };
        check(&format!("https://lab/acme/shop/-/commit/{full}"), true);
        check(&format!("https://lab/acme/shop/commit/{full}/"), true);
        check(
            &format!("https://lab/acme/shop/commit/{full}?a=/b#c/d"),
            true,
        );
        check(&format!("https://lab/commit/{}", "b".repeat(64)), true);
        check("https://lab/acme/shop/-/commit/279484c0", false);
        check(&format!("https://lab/{full}/-/commit/main"), false);
        check(&format!("https://lab/?/{full}"), false);
        check(&full, false);
        check("", false);
        for address in [Value::Null, "https://lab/acme/shop/-/commit/2794".into()] {
            let why = ignored("Deployment Hook", |it| it["commit_url"] = address);
            assert!(why.contains("which commit"), "{why}");
        }
    }

    #[test]
    fn what_a_deployment_does_not_tell_is_left_open() {
        let (report, moved) = told(|it| {
            it["deployable_id"] = Value::Null;
            it["deployable_url"] = Value::Null;
            it["status_changed_at"] = "soon".into();
            it["user"] = Value::Null;
        });
        assert_eq!((report.rank.second, report.url.as_str()), (0, ""));
        assert_eq!(report.reference, None, "a tool deploys");
        assert_eq!((moved.status, moved.url.as_str()), (0, ""));
        assert_eq!((moved.deployment.job, moved.by), (None, None));
        let (_, old) = told(|it| it["status_changed_at"] = (-5).into());
        assert_eq!(old.status, 0);
        let (report, _) = told(|it| it["deployable_url"] = "javascript:alert(1)".into());
        assert_eq!(report.url, "");
    }
}
