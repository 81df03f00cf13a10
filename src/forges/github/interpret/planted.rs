//! Small payloads in GitHub's shape, one for each event that is used, to be changed by tests.

use serde_json::{Value, json};

use super::interpret;
use crate::domain::{Incoming, Sha};

/// The events of which [`payload`] knows a payload.
pub(super) const EVENTS: &[&str] = &[
    "push",
    "status",
    "check_run",
    "workflow_run",
    "deployment",
    "deployment_status",
    "deployment_protection_rule",
    "pull_request",
    "issue_comment",
    "repository",
];

pub(super) fn sha(digit: char) -> Sha {
    digit.to_string().repeat(40).parse().unwrap()
}

/// A payload that is used.
pub(super) fn payload(event: &str) -> Value {
    let ann = json!({"id": 5, "login": "ann", "type": "User"});
    let at = "2026-01-01T00:00:00Z";
    let deployment = json!({
        "id": 70, "sha": "a".repeat(40), "environment": "production", "creator": ann,
        "payload": {"countersign": {"correlation": "c-1"}},
        "performed_via_github_app": {"id": 8},
    });
    let mut payload = match event {
        "push" => json!({
            "ref": "refs/heads/main", "before": "a".repeat(40), "after": "b".repeat(40),
            "created": false, "deleted": false, "forced": false,
            "head_commit": {"message": "Sell more\n\nMuch more."},
            "commits": [
                {"added": ["b"], "removed": [], "modified": ["a"]},
                {"added": [], "removed": ["b"], "modified": []},
            ],
        }),
        "status" => json!({
            "id": 31, "sha": "a".repeat(40), "state": "success", "context": "ci/build",
            "target_url": "https://ci/1", "created_at": at, "updated_at": at,
        }),
        "check_run" => json!({
            "action": "completed",
            "check_run": {
                "id": 41, "head_sha": "a".repeat(40), "name": "unit", "status": "completed",
                "conclusion": "success", "html_url": "https://github/41", "details_url": "https://ci/41",
                "started_at": at, "completed_at": "2026-01-01T00:00:09Z", "app": {"id": 15368},
            },
        }),
        "workflow_run" => json!({
            "action": "completed",
            "workflow": {"path": ".github/workflows/other.yml"},
            "workflow_run": {
                "id": 51, "head_sha": "a".repeat(40), "path": ".github/workflows/ci.yml", "event": "push",
                "status": "completed", "conclusion": "success", "run_attempt": 2,
                "display_title": "Sell more", "name": "CI", "html_url": "https://github/51",
                "updated_at": at, "actor": {"id": 6, "login": "bob"}, "triggering_actor": ann,
            },
        }),
        "deployment" => json!({"action": "created", "deployment": deployment}),
        "deployment_status" => json!({
            "action": "created", "deployment": deployment,
            "deployment_status": {
                "id": 71, "state": "success", "log_url": "https://log", "target_url": "https://target",
                "performed_via_github_app": {"id": 8}, "environment_url": "https://shop", "creator": ann, "created_at": at, "updated_at": at,
            },
        }),
        "deployment_protection_rule" => json!({
            "action": "requested", "environment": "production", "deployment": deployment,
            "deployment_callback_url":
                "https://api.github.com/repos/acme/shop/actions/runs/51/deployment_protection_rule",
        }),
        "pull_request" => json!({
            "action": "synchronize",
            "pull_request": {"number": 3, "state": "open", "draft": true, "head": {"sha": "a".repeat(40)}},
        }),
        "issue_comment" => json!({
            "action": "created",
            "comment": {
                "id": 11, "body": "/help", "created_at": at, "user": ann,
                "performed_via_github_app": null,
            },
            "issue": {"number": 3, "pull_request": {"url": "x"}},
        }),
        "repository" => json!({"action": "renamed"}),
        other => panic!("no payload is planted for {other}"),
    };
    payload["repository"] = json!({"id": 9, "full_name": "acme/shop", "created_at": 1_557_933_655});
    payload["sender"] = ann;
    payload["installation"] = json!({"id": 4});
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
