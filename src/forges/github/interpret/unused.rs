//! Events that we get and do not use, each with the reason. Never fails: an unused event may have any
//! shape.

use super::super::payload::Acted;
use crate::domain::Incoming;

/// Why an event is not used.
const REASONS: &[(&str, &str)] = &[
    ("check_suite", "its check runs are followed one by one"),
    ("create", "the push that comes with it says the same"),
    ("delete", "the push that comes with it says the same"),
    (
        "deployment_review",
        "the run that waits for it is followed itself",
    ),
    (
        "installation",
        "it changes what we can reach, which shows when we next ask",
    ),
    (
        "installation_repositories",
        "it changes what we can reach, which shows when we next ask",
    ),
    ("pull_request_review", "reviewing code does not release it"),
    (
        "pull_request_review_comment",
        "commands are read from the pull request's own comments only",
    ),
    (
        "pull_request_review_thread",
        "reviewing code does not release it",
    ),
    ("workflow_job", "its run is followed as a whole"),
];

/// Says that an event is not used, and why.
pub(super) fn explain(event: &str, body: &[u8]) -> Incoming {
    let acted: Acted = serde_json::from_slice(body).unwrap_or_default();
    let action = acted
        .action
        .filter(|action| is_word(action))
        .map_or_else(String::new, |action| format!(" ({action})"));
    let reason = REASONS
        .iter()
        .find(|(name, _)| *name == event)
        .map_or("this version has no use for it", |(_, reason)| reason);
    Incoming::NotOurs(format!("`{event}`{action} is not used: {reason}"))
}

/// Anything else does not belong into a sentence; some actions are chosen by people.
fn is_word(action: &str) -> bool {
    (1..=40).contains(&action.len())
        && action
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::super::interpret;
    use super::*;

    #[test]
    fn every_event_without_use_says_why() {
        let check = |event: &str, body: &str, expect: &str| {
            let heard = interpret(event, body.as_bytes());
            assert_eq!(heard, Ok(vec![Incoming::NotOurs(expect.to_owned())]));
        };
        check(
            "check_suite",
            r#"{"action":"completed","check_suite":{"id":-1}}"#,
            "`check_suite` (completed) is not used: its check runs are followed one by one",
        );
        check(
            "workflow_job",
            r#"{"action":"queued"}"#,
            "`workflow_job` (queued) is not used: its run is followed as a whole",
        );
        check(
            "deployment_review",
            r#"{"action":"requested"}"#,
            "`deployment_review` (requested) is not used: the run that waits for it is followed itself",
        );
        check(
            "pull_request_review",
            r#"{"action":"submitted"}"#,
            "`pull_request_review` (submitted) is not used: reviewing code does not release it",
        );
        check(
            "installation",
            r#"{"action":"new_permissions_accepted"}"#,
            "`installation` (new_permissions_accepted) is not used: it changes what we can reach, which \
             shows when we next ask",
        );
        check(
            "installation_repositories",
            r#"{"action":"removed"}"#,
            "`installation_repositories` (removed) is not used: it changes what we can reach, which \
             shows when we next ask",
        );
        check(
            "watch",
            "{}",
            "`watch` is not used: this version has no use for it",
        );
        for body in [
            "not json",
            "[]",
            r#"{"action":7}"#,
            r#"{"action":"now\nthen"}"#,
            r#"{"action":""}"#,
        ] {
            check(
                "workflow_job",
                body,
                "`workflow_job` is not used: its run is followed as a whole",
            );
        }
    }
}
