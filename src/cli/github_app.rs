//! The app: what Countersign asks of GitHub as an app: the permissions and the events.

/// What nothing works without.
pub(super) const LEAST: [(&str, &str); 8] = [
    ("actions", "read"),
    ("checks", "read"),
    ("contents", "read"),
    ("deployments", "write"),
    ("issues", "write"),
    ("metadata", "read"),
    ("pull_requests", "write"),
    ("statuses", "write"),
];

/// What it must be told; the edge passes over all others.
pub(super) const HEARD: [&str; 9] = [
    "check_run",
    "deployment",
    "deployment_status",
    "issue_comment",
    "pull_request",
    "push",
    "repository",
    "status",
    "workflow_run",
];

/// What it is told, besides, where an environment waits for its word.
pub(super) const ASKED: &str = "deployment_protection_rule";
