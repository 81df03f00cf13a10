//! GitLab's own examples, which lie beside the project, mean what they say.

use std::io::Write as _;
use std::path::PathBuf;

use super::edge::interpret;
use crate::domain::{Colour, Forge, Incoming, Progress, Report, ReportKind, RepositoryId, RunOf};

/// What an example means; nothing where it does not lie beside the project.
fn heard(event: &str, file: &str) -> Option<Vec<Incoming>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/payloads/gitlab");
    let Ok(body) = std::fs::read(folder.join(file)) else {
        // Straight to the terminal: what a passing test prints is not shown.
        let text = format!(
            "SKIPPED: GitLab's example {file} is not tested, because it does not lie beside the project\n"
        );
        let _shown = std::io::stderr().write_all(text.as_bytes());
        return None;
    };
    Some(interpret(event, &body).unwrap())
}

fn told(report: &Report) -> (ReportKind, &str, u64, Colour) {
    (report.kind, &report.name, report.rank.id, report.colour)
}

#[test]
fn a_push() {
    let Some(heard) = heard("Push Hook", "push.json") else {
        return;
    };
    let [Incoming::Push(push)] = heard.as_slice() else {
        panic!("{heard:?}");
    };
    assert_eq!(push.repository.id, RepositoryId::on(Forge::GitLab, 15));
    assert_eq!(push.repository.path, "mike/diaspora");
    assert_eq!(push.branch, "master");
    assert_eq!(push.before.as_ref().unwrap().short(), "95790bf891e7");
    assert_eq!(push.after.as_ref().unwrap().short(), "da1560886d4f");
    assert_eq!(push.title, "fixed readme");
    assert_eq!(push.paths, None, "two of four commits are told");
}

#[test]
fn a_job_with_addresses_only() {
    let Some(created) = heard("Job Hook", "build.json") else {
        return;
    };
    let [Incoming::Report(repository, report)] = created.as_slice() else {
        panic!("{created:?}");
    };
    assert_eq!(repository.id, RepositoryId::on(Forge::GitLab, 380));
    assert_eq!(repository.path, "gitlab-org/gitlab-test");
    let expect = (ReportKind::Job, "test", 1977, Colour::Pending);
    assert_eq!(told(report), expect);
    let page = "http://192.168.64.1:3005/gitlab-org/gitlab-test/-/jobs/1977";
    assert_eq!(
        (report.url.as_str(), report.word.as_str()),
        (page, "created")
    );
    assert_eq!(report.sha.short(), "2293ada6b400");
}

#[test]
fn a_job_that_deployed() {
    let Some(deployed) = heard("Job Hook", "job.json") else {
        return;
    };
    let [Incoming::Report(repository, report), Incoming::Run(run)] = deployed.as_slice() else {
        panic!("{deployed:?}");
    };
    assert_eq!(repository.path, "jsmithy2/release-tools-fake");
    let expect = (
        ReportKind::Job,
        "auto_deploy:start",
        3_580_121_225,
        Colour::Green,
    );
    assert_eq!(told(report), expect);
    assert_eq!(report.at, "2023-01-10T13:50:54Z".parse().unwrap());
    let expect = RunOf::Job {
        name: "auto_deploy:start".to_owned(),
        environment: Some("production".to_owned()),
    };
    assert_eq!((run.id, &run.what), (3_580_121_225, &expect));
    assert_eq!(run.progress, Progress::Succeeded);
    assert_eq!(run.actor.as_ref().unwrap().login, "jsmithy2");
    assert_eq!(run.sha.short(), "95d49d1efbd9");
}

#[test]
fn a_pipeline() {
    let Some(heard) = heard("Pipeline Hook", "pipeline.json") else {
        return;
    };
    let reports: Vec<_> = heard
        .iter()
        .map(|one| {
            let Incoming::Report(_, report) = one else {
                panic!("{one:?}");
            };
            told(report)
        })
        .collect();
    use Colour::{Green, Pending};
    let expect = [
        (ReportKind::Job, "production", 380, Pending),
        (ReportKind::Job, "test-image", 377, Green),
        (ReportKind::Job, "test-build", 378, Green),
        (ReportKind::Job, "build-image", 376, Green),
        (ReportKind::Job, "staging", 379, Pending),
        (ReportKind::Pipeline, "merge_request_event", 31, Green),
    ];
    assert_eq!(reports, expect);
    assert!(!format!("{heard:?}").contains("us-west-1"), "{heard:?}");
}

#[test]
fn a_deployment() {
    let Some(heard) = heard("Deployment Hook", "deployment.json") else {
        return;
    };
    let [
        Incoming::Report(_, report),
        Incoming::DeploymentMoved(moved),
    ] = heard.as_slice()
    else {
        panic!("{heard:?}");
    };
    let expect = (ReportKind::Deployment, "staging", 15, Colour::Green);
    assert_eq!(told(report), expect);
    assert_eq!(report.at, "2021-04-28T19:50:00Z".parse().unwrap());
    assert_eq!(report.sha.short(), "279484c09fbe");
    assert_eq!(moved.deployment.job, Some(796));
    assert_eq!(moved.progress, Some(Progress::Succeeded));
    assert!(moved.url.ends_with("/-/jobs/796"), "{}", moved.url);
    assert_eq!(moved.by.as_ref().unwrap().id, 42);
}

#[test]
fn a_merge_request() {
    let Some(heard) = heard("Merge Request Hook", "merge_request.json") else {
        return;
    };
    let [Incoming::PullRequest(moved)] = heard.as_slice() else {
        panic!("{heard:?}");
    };
    assert_eq!((moved.number, moved.open, moved.draft), (1, true, false));
    assert_eq!(moved.head.short(), "da1560886d4f");
}

#[test]
fn a_note_on_a_merge_request_and_one_on_a_commit() {
    let Some(on_request) = heard("Note Hook", "note_merge_request.json") else {
        return;
    };
    let [Incoming::Comment(comment)] = on_request.as_slice() else {
        panic!("{on_request:?}");
    };
    assert_eq!(
        (comment.place.pull_request, comment.place.comment),
        (1, 1244)
    );
    assert_eq!(
        comment.place.written_at,
        "2015-05-17T18:21:36Z".parse().unwrap()
    );
    assert_eq!(
        (comment.author.id, comment.author.login.as_str()),
        (1, "root")
    );
    assert_eq!(comment.body, "This MR needs work.");
    let on_commit = heard("Note Hook", "note_commit.json");
    let Some([Incoming::NotOurs(why)]) = on_commit.as_deref() else {
        panic!("{on_commit:?}");
    };
    assert!(why.contains("not on a merge request"), "{why}");
}

#[test]
fn tags_and_releases_are_not_used() {
    for (event, file) in [
        ("Tag Push Hook", "tag_push.json"),
        ("Release Hook", "release.json"),
        ("System Hook", "release.json"),
    ] {
        let Some(heard) = heard(event, file) else {
            continue;
        };
        assert!(
            matches!(heard.as_slice(), [Incoming::NotOurs(_)]),
            "{heard:?}"
        );
    }
}
