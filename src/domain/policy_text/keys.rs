//! Keys: every key of `bot.toml` about services and people, and whether the policy's text holds it. What is in it voids
//! what waits when it is changed; what is outside is asked anew when a release departs.

use Bearing::{In, Outside};

/// What a key has to do with the policy's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearing {
    /// It stands in the text: who and how many, and what they approve.
    In,
    /// It does not: when, how fast, what it is called, and who is told.
    Outside,
}

/// A key, by the table in which it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    pub table: &'static str,
    pub name: &'static str,
    pub bearing: Bearing,
}

const fn key(table: &'static str, name: &'static str, bearing: Bearing) -> Key {
    Key {
        table,
        name,
        bearing,
    }
}

/// Tables are called as in the file's schema. A new key gets its row here, and an example in
/// `tests/policy/changes.rs`.
pub const KEYS: &[Key] = &[
    key("Service", "name", Outside),
    key("Service", "formerly", Outside),
    key("Service", "repo", In),
    key("Service", "branch", In),
    key("Service", "paths", In),
    key("Service", "notify", Outside),
    key("Service", "stage", In),
    // Another environment has a policy of its own.
    key("Service", "environment", Outside),
    key("Stage", "name", Outside),
    key("Stage", "gates", In),
    key("Stage", "soak", In),
    key("Gate", "check", In),
    key("Gate", "status", In),
    key("Gate", "workflow", In),
    key("Gate", "deployment", In),
    key("Gate", "job", In),
    key("Gate", "pipeline", In),
    key("Gate", "app", In),
    key("Gate", "posted", In),
    key("Gate", "events", In),
    key("Environment", "name", Outside),
    key("Environment", "aliases", Outside),
    key("Environment", "formerly", Outside),
    key("Environment", "after", In),
    key("Environment", "approvals", In),
    key("Environment", "exclude", In),
    key("Environment", "expires", Outside),
    key("Environment", "follow", Outside),
    key("Environment", "allow", In),
    key("Environment", "freeze", Outside),
    key("Environment", "trigger", In),
    key("Trigger", "github", In),
    key("Trigger", "gitlab", In),
    key("Trigger", "webhook", In),
    key("Trigger", "environment", In),
    key("Trigger", "reporter", In),
    key("Trigger", "workflow", In),
    key("Trigger", "ref", In),
    key("Trigger", "inputs", In),
    key("Trigger", "event_type", In),
    key("Trigger", "job", In),
    key("Trigger", "variables", In),
    // A secret can be changed without new approvals.
    key("Trigger", "token", Outside),
    key("Trigger", "secret", Outside),
    key("Role", "github_users", In),
    key("Role", "github_teams", In),
    key("Role", "github_roles", In),
    key("Role", "gitlab_users", In),
    key("Role", "gitlab_groups", In),
    key("Role", "gitlab_access_level", In),
    key("Subscription", "channel", Outside),
    key("Subscription", "environments", Outside),
    key("Subscription", "on", Outside),
    key("Subscription", "call", Outside),
    key("Subscription", "quiet", Outside),
];
