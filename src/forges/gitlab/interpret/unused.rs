//! Events that we get and do not use, each with the reason. Never fails: an unused event may have any
//! shape.

use crate::domain::Incoming;

/// Why an event is not used.
const REASONS: &[(&str, &str)] = &[
    ("Tag Push Hook", "tags are not followed"),
    (
        "Release Hook",
        "what GitLab calls a release is a page about a tag",
    ),
    ("Emoji Hook", "a reaction is not a command"),
    (
        "Confidential Note Hook",
        "commands are read from what everybody on the merge request sees",
    ),
    ("Issue Hook", "issues are not followed"),
    ("Confidential Issue Hook", "issues are not followed"),
    ("System Hook", "its body is of no event that is used"),
];
const LONGEST_NAME: usize = 64;

/// Says that an event is not used, and why.
pub(super) fn explain(event: &str) -> Incoming {
    let reason = REASONS
        .iter()
        .find(|(name, _)| *name == event)
        .map_or("this version has no use for it", |(_, reason)| reason);
    let event: String = event.chars().take(LONGEST_NAME).collect();
    Incoming::NotOurs(format!("`{event}` is not used: {reason}"))
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
        let tags = "`Tag Push Hook` is not used: tags are not followed";
        check("Tag Push Hook", r#"{"object_kind":"tag_push"}"#, tags);
        check("System Hook", r#"{"object_kind":"tag_push"}"#, tags);
        check(
            "Release Hook",
            r#"{"object_kind":"release"}"#,
            "`Release Hook` is not used: what GitLab calls a release is a page about a tag",
        );
        check(
            "Emoji Hook",
            r#"{"object_kind":"emoji"}"#,
            "`Emoji Hook` is not used: a reaction is not a command",
        );
        check(
            "Confidential Note Hook",
            r#"{"object_kind":"note"}"#,
            "`Confidential Note Hook` is not used: commands are read from what everybody on the merge \
             request sees",
        );
        check(
            "System Hook",
            r#"{"event_name":"user_create"}"#,
            "`System Hook` is not used: its body is of no event that is used",
        );
        for body in ["not json", "[]", "{}", r#"{"object_kind":7}"#, "\u{7f}"] {
            check(
                "Wiki Page Hook",
                body,
                "`Wiki Page Hook` is not used: this version has no use for it",
            );
        }
    }
}
