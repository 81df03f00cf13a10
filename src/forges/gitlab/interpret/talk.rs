//! Talk: what is said on merge requests, and what becomes of them.

use super::super::payload::talk::{MergeRequestEvent, Note, NoteEvent};
use super::{account, not_ours, place};
use crate::domain::{Comment, CommentChanged, Incoming, Place, PullRequestMoved};

pub(super) fn merge_request(payload: MergeRequestEvent) -> Incoming {
    let moved = payload.object_attributes;
    match moved.action.as_deref() {
        Some("open" | "close" | "reopen" | "merge" | "update") => {}
        _ => {
            return not_ours(
                "it does not change the merge request's head, draft state or openness",
            );
        }
    }
    let Some(head) = moved.last_commit else {
        return not_ours("the merge request has no commit");
    };
    Incoming::PullRequest(PullRequestMoved {
        repository: place(payload.project),
        number: moved.iid.0,
        head: head.id,
        open: moved.state == "opened",
        draft: [moved.draft, moved.work_in_progress].contains(&Some(true)),
    })
}

/// Only a new note, on a merge request, written by the person who sent the event, can hold a command.
pub(super) fn note(payload: NoteEvent) -> Incoming {
    let note = payload.object_attributes;
    let on_merge_request = payload
        .merge_request
        .filter(|_| note.noteable_type.as_deref() == Some("MergeRequest"));
    let Some(merge_request) = on_merge_request else {
        return not_ours("the note is not on a merge request");
    };
    if note.system == Some(true) {
        return not_ours("GitLab wrote the note itself");
    }
    // The answer would be seen by people who may not see the note.
    if note.internal == Some(true) || payload.event_type.as_deref() == Some("confidential_note") {
        return not_ours("the note is not for everybody who sees the merge request");
    }
    let Some(by) = account(payload.user) else {
        return not_ours("the note's author is gone");
    };
    let place = Place {
        repository: place(payload.project),
        pull_request: merge_request.iid.0,
        comment: note.id.0,
        written_at: note.created_at.0,
    };
    match touched(&note) {
        Some(Touched::Written) => {}
        Some(Touched::Edited) => {
            return Incoming::CommentChanged(CommentChanged {
                place,
                by,
                deleted: false,
            });
        }
        None => return not_ours("commands come from new notes only"),
    }
    if note.author_id.map(|author| author.0) != Some(by.id) {
        return not_ours("the note's author did not send it");
    }
    if is_machine(&by.login) {
        return not_ours("the note was not written by a person");
    }
    Incoming::Comment(Comment {
        place,
        author: by,
        body: note.note.unwrap_or_default(),
    })
}

enum Touched {
    Written,
    Edited,
}

/// What was done with a note. GitLab reads a new note once more before it tells of it, so that its author may
/// have edited it already. Servers that name no action tell it by the note's times.
fn touched(note: &Note) -> Option<Touched> {
    match note.action.as_deref() {
        Some("create") if note.updated_by_id.is_none() => Some(Touched::Written),
        Some("create" | "update") => Some(Touched::Edited),
        None => {
            let updated_at = note.updated_at.0?;
            Some(match updated_at == note.created_at.0 {
                true => Touched::Written,
                false => Touched::Edited,
            })
        }
        Some(_) => None,
    }
}

/// The names that GitLab gives to the accounts of access tokens, and to its own.
fn is_machine(login: &str) -> bool {
    let login = login.to_ascii_lowercase();
    let of_token = ["project_", "group_"].iter().any(|kind| {
        let rest = login.strip_prefix(kind).unwrap_or_default();
        let name = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        name.len() < rest.len() && name.starts_with("_bot")
    });
    of_token
        || login.starts_with("service_account")
        || matches!(login.as_str(), "ghost" | "support-bot" | "alert-bot")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::planted::{ann, heard, ignored, sha, shop};
    use super::*;

    type Change = fn(&mut Value);

    fn edited(change: Change) -> CommentChanged {
        match heard("Note Hook", change).as_slice() {
            [Incoming::CommentChanged(changed)] => changed.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_a_new_note_by_its_sender_counts() {
        let expect = Comment {
            place: Place {
                repository: shop(),
                pull_request: 3,
                comment: 11,
                written_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            },
            author: ann(),
            body: "/help".to_owned(),
        };
        assert_eq!(
            heard("Note Hook", |_| ()),
            [Incoming::Comment(expect.clone())]
        );
        let unnamed = heard("Note Hook", |it| {
            it["object_attributes"]["action"] = Value::Null;
        });
        assert_eq!(unnamed, [Incoming::Comment(expect)]);
        let check = |change: Change, expect: &str| {
            let why = ignored("Note Hook", change);
            assert!(why.contains(expect), "{why}");
        };
        check(
            |it| it["object_attributes"]["noteable_type"] = "Commit".into(),
            "not on a merge request",
        );
        check(
            |it| it["object_attributes"]["noteable_type"] = Value::Null,
            "not on a merge request",
        );
        check(
            |it| it["merge_request"] = Value::Null,
            "not on a merge request",
        );
        check(
            |it| it["object_attributes"]["system"] = true.into(),
            "GitLab wrote",
        );
        check(
            |it| it["object_attributes"]["internal"] = true.into(),
            "not for everybody",
        );
        check(
            |it| it["event_type"] = "confidential_note".into(),
            "not for everybody",
        );
        check(
            |it| it["object_attributes"]["action"] = "new_word".into(),
            "new notes",
        );
        check(
            |it| {
                it["object_attributes"]["action"] = Value::Null;
                it["object_attributes"]["updated_at"] = "soon".into();
            },
            "new notes",
        );
        check(
            |it| it["object_attributes"]["author_id"] = 6.into(),
            "did not send",
        );
        check(
            |it| it["object_attributes"]["author_id"] = Value::Null,
            "did not send",
        );
        check(|it| it["user"]["id"] = 6.into(), "did not send");
        check(|it| it["user"] = Value::Null, "author is gone");
        check(
            |it| it["user"]["username"] = "project_9_bot".into(),
            "by a person",
        );
    }

    #[test]
    fn a_note_that_is_touched_later_is_no_new_note() {
        let ways: [Change; 4] = [
            |it| it["object_attributes"]["action"] = "update".into(),
            |it| it["object_attributes"]["updated_by_id"] = 6.into(),
            |it| {
                it["object_attributes"]["action"] = Value::Null;
                it["object_attributes"]["updated_at"] = "2026-01-01 00:00:01 UTC".into();
            },
            |it| {
                it["object_attributes"]["action"] = "update".into();
                it["object_attributes"]["author_id"] = 6.into();
            },
        ];
        for way in ways {
            let changed = edited(way);
            assert_eq!((changed.deleted, changed.place.comment), (false, 11));
            assert_eq!(changed.by, ann());
        }
        let why = ignored("Note Hook", |it| {
            it["object_attributes"]["action"] = "update".into();
            it["object_attributes"]["noteable_type"] = "Issue".into();
        });
        assert!(why.contains("not on a merge request"), "{why}");
    }

    #[test]
    fn accounts_of_machines_are_known_by_their_names() {
        for (login, expect) in [
            ("project_12_bot", true),
            ("project_12_bot_5d41402abc4b2a76", true),
            ("project_12_bot1", true),
            ("Group_7_Bot_5d41402abc", true),
            ("service_account_group_7_5d41402abc", true),
            ("ghost", true),
            ("support-bot", true),
            ("alert-bot", true),
            ("ann", false),
            ("rob-bot", false),
            ("ghostwriter", false),
            ("project_bot", false),
            ("project__bot", false),
            ("project_x_bot", false),
            ("project_12", false),
            ("my_project_12_bot", false),
            ("", false),
        ] {
            assert_eq!(is_machine(login), expect, "{login}");
        }
    }

    #[test]
    fn a_merge_request_tells_its_head_draft_state_and_openness() {
        let moved = |change: Change| match heard("Merge Request Hook", change).as_slice() {
            [Incoming::PullRequest(moved)] => moved.clone(),
            other => panic!("{other:?}"),
        };
        let expect = PullRequestMoved {
            repository: shop(),
            number: 3,
            head: sha('a'),
            open: true,
            draft: true,
        };
        assert_eq!(moved(|_| ()), expect);
        let old = moved(|it| {
            it["object_attributes"]["draft"] = Value::Null;
            it["object_attributes"]["work_in_progress"] = true.into();
        });
        assert_eq!(old, expect);
        let merged = moved(|it| {
            it["object_attributes"]["action"] = "merge".into();
            it["object_attributes"]["state"] = "merged".into();
            it["object_attributes"]["draft"] = false.into();
            it["object_attributes"]["work_in_progress"] = false.into();
        });
        assert_eq!((merged.open, merged.draft), (false, false));
        for action in ["open", "close", "reopen", "merge", "update"] {
            let heard = heard("Merge Request Hook", |it| {
                it["object_attributes"]["action"] = action.into();
            });
            assert!(matches!(heard.as_slice(), [Incoming::PullRequest(_)]));
        }
        for action in [
            json!("approved"),
            json!("approval"),
            json!("unapproved"),
            json!("unapproval"),
            json!(""),
            Value::Null,
        ] {
            let why = ignored("Merge Request Hook", |it| {
                it["object_attributes"]["action"] = action;
            });
            assert!(why.contains("does not change"), "{why}");
        }
        let why = ignored("Merge Request Hook", |it| {
            it["object_attributes"]["last_commit"] = Value::Null;
        });
        assert!(why.contains("no commit"), "{why}");
    }
}
