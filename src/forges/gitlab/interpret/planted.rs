//! Small payloads in GitLab's shape, one for each event that is used, to be changed by tests.

use serde_json::{Value, json};

use super::interpret;
use crate::domain::{Account, Forge, Incoming, Repository, RepositoryId, Sha};

/// The events of which [`payload`] knows a payload that is used.
pub(super) const EVENTS: &[&str] = &[
    "Push Hook",
    "Job Hook",
    "Pipeline Hook",
    "Deployment Hook",
    "Merge Request Hook",
    "Note Hook",
];

pub(super) fn sha(digit: char) -> Sha {
    digit.to_string().repeat(40).parse().unwrap()
}

pub(super) fn shop() -> Repository {
    Repository {
        id: RepositoryId::on(Forge::GitLab, 9),
        path: "acme/shop".to_owned(),
        installation: None,
    }
}

pub(super) fn ann() -> Account {
    Account {
        forge: Forge::GitLab,
        id: 5,
        login: "ann".to_owned(),
    }
}

/// A payload, which is used if it is one of [`EVENTS`].
pub(super) fn payload(event: &str) -> Value {
    let ann = json!({"id": 5, "username": "ann", "name": "Ann", "email": "[REDACTED]"});
    let a = "a".repeat(40);
    let mut payload = match event {
        "Push Hook" => json!({
            "object_kind": "push", "ref": "refs/heads/main", "before": a, "after": "b".repeat(40),
            "commits": [
                {"id": a, "message": "Mend", "added": ["b"], "modified": ["a"], "removed": []},
                {
                    "id": "b".repeat(40), "message": "Sell more\n\nMuch more.", "title": "Sell",
                    "added": [], "modified": [], "removed": ["b"],
                },
            ],
            "total_commits_count": 2,
        }),
        "Job Hook" => json!({
            "object_kind": "build", "ref": "main", "tag": false, "sha": a, "build_id": 31, "build_name": "test",
            "build_stage": "test", "build_status": "success", "build_allow_failure": false,
            "build_created_at": "2026-01-01 00:00:00 UTC", "build_started_at": "2026-01-01 00:00:05 UTC",
            "build_finished_at": "2026-01-01 00:00:09 UTC", "pipeline_id": 21,
            "commit": {"id": 21, "sha": a},
            "repository": {
                "homepage": "https://lab/acme/shop", "git_ssh_url": "git@lab:acme/shop.git",
            },
            "environment": {"name": "production", "action": "start", "deployment_tier": "production"},
        }),
        "Pipeline Hook" => json!({
            "object_kind": "pipeline",
            "object_attributes": {
                "id": 21, "name": null, "ref": "main", "tag": false, "sha": a, "source": "push", "status": "success",
                "created_at": "2026-01-01 00:00:00 UTC", "finished_at": "2026-01-01 00:00:09 UTC",
                "url": "https://lab/acme/shop/-/pipelines/21",
                "variables": [{"key": "COLOUR", "value": "green"}],
            },
            "builds": [
                {
                    "id": 31, "name": "test", "stage": "test", "status": "success",
                    "when": "on_success", "manual": false, "allow_failure": false,
                    "created_at": "2026-01-01 00:00:00 UTC", "started_at": "2026-01-01 00:00:05 UTC",
                    "finished_at": "2026-01-01 00:00:09 UTC",
                },
                {
                    "id": 32, "name": "deploy", "stage": "deploy", "status": "skipped",
                    "when": "manual", "manual": true, "allow_failure": false,
                    "created_at": "2026-01-01 00:00:00 UTC", "started_at": null, "finished_at": null,
                },
            ],
        }),
        "Deployment Hook" => json!({
            "object_kind": "deployment", "deployment_id": 70, "status": "success",
            "status_changed_at": "2026-01-01 02:00:09 +0200", "environment": "production",
            "deployable_id": 31, "deployable_url": "https://lab/acme/shop/-/jobs/31",
            "commit_url": format!("https://lab/acme/shop/-/commit/{a}"), "short_sha": "aaaaaaaa",
        }),
        "Merge Request Hook" => json!({
            "object_kind": "merge_request", "event_type": "merge_request",
            "object_attributes": {
                "id": 99, "iid": 3, "action": "update", "state": "opened", "draft": true,
                "work_in_progress": true, "last_commit": {"id": a}, "oldrev": "b".repeat(40),
            },
        }),
        "Note Hook" => json!({
            "object_kind": "note", "event_type": "note",
            "object_attributes": {
                "id": 11, "note": "/help", "noteable_type": "MergeRequest", "author_id": 5,
                "system": false, "internal": false, "action": "create",
                "created_at": "2026-01-01 00:00:00 UTC", "updated_at": "2026-01-01 00:00:00 UTC",
                "updated_by_id": null,
            },
            "merge_request": {"id": 99, "iid": 3, "last_commit": {"id": a}},
        }),
        "System Hook" => json!({"event_name": "user_create"}),
        other => panic!("no payload is planted for {other}"),
    };
    payload["project"] = json!({
        "id": 9, "path_with_namespace": "acme/shop", "web_url": "https://lab/acme/shop",
    });
    payload["project_id"] = 9.into();
    payload["user"] = ann;
    payload
}

/// The bytes of a payload after a change.
pub(super) fn with(event: &str, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut payload = payload(event);
    change(&mut payload);
    payload.to_string().into_bytes()
}

/// What a payload means after a change.
#[track_caller]
pub(super) fn heard(event: &str, change: impl FnOnce(&mut Value)) -> Vec<Incoming> {
    interpret(event, &with(event, change)).unwrap()
}

/// Why a payload after a change is none of our business.
#[track_caller]
pub(super) fn ignored(event: &str, change: impl FnOnce(&mut Value)) -> String {
    let heard = heard(event, change);
    let [Incoming::NotOurs(why)] = heard.as_slice() else {
        panic!("{event}: {heard:?}");
    };
    why.clone()
}
