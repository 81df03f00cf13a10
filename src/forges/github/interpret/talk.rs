//! Talk: what is said on pull requests, and what becomes of them and of repositories.

use super::super::payload::talk::{IssueComment, PullRequestEvent, RepositoryEvent};
use super::{account, not_ours, place};
use crate::domain::{
    Comment, CommentChanged, Incoming, Place, PullRequestMoved, RepositoryChanged,
};

pub(super) fn pull_request(payload: PullRequestEvent) -> Incoming {
    match payload.action.as_str() {
        "opened" | "reopened" | "synchronize" | "closed" | "converted_to_draft"
        | "ready_for_review" | "edited" => {}
        _ => {
            return not_ours("it does not change the pull request's head, draft state or openness");
        }
    }
    let moved = payload.pull_request;
    Incoming::PullRequest(PullRequestMoved {
        repository: place(payload.repository, payload.installation),
        number: moved.number.0,
        head: moved.head.sha,
        open: moved.state == "open",
        draft: moved.draft.unwrap_or(false),
    })
}

/// Only a new comment, on a pull request, written by the person who sent the event, can hold a command.
pub(super) fn issue_comment(payload: IssueComment) -> Incoming {
    if payload.issue.pull_request.is_none() {
        return not_ours("the comment is not on a pull request");
    }
    let comment = payload.comment;
    let place = Place {
        repository: place(payload.repository, payload.installation),
        pull_request: payload.issue.number.0,
        comment: comment.id.0,
        written_at: comment.created_at.0,
    };
    match payload.action.as_str() {
        "created" => {}
        "edited" | "deleted" => {
            return Incoming::CommentChanged(CommentChanged {
                place,
                by: account(payload.sender),
                deleted: payload.action == "deleted",
            });
        }
        _ => return not_ours("commands come from new comments only"),
    }
    let Some(author) = comment.user else {
        return not_ours("the comment's author is gone");
    };
    if author.id.0 != payload.sender.id.0 {
        return not_ours("the comment's author did not send it");
    }
    if author.kind.as_deref() != Some("User") || comment.performed_via_github_app.is_some() {
        return not_ours("the comment was not written by a person");
    }
    Incoming::Comment(Comment {
        place,
        author: account(author),
        body: comment.body.unwrap_or_default(),
    })
}

pub(super) fn repository(payload: RepositoryEvent) -> Incoming {
    match payload.action.as_str() {
        "renamed" | "transferred" | "archived" | "unarchived" | "deleted" => {}
        _ => {
            return not_ours(
                "it changes neither the repository's name nor whether it is worked on",
            );
        }
    }
    Incoming::RepositoryChanged(RepositoryChanged {
        repository: place(payload.repository, payload.installation),
        what: payload.action,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::planted::{heard, ignored, sha};
    use super::*;

    type Change = fn(&mut Value);

    #[test]
    fn only_a_new_comment_by_its_sender_counts() {
        let heard = heard("issue_comment", |_| ());
        let [Incoming::Comment(comment)] = heard.as_slice() else {
            panic!("{heard:?}");
        };
        assert_eq!((comment.place.pull_request, comment.place.comment), (3, 11));
        assert_eq!(comment.place.repository.installation, Some(4));
        assert_eq!((comment.author.id, comment.body.as_str()), (5, "/help"));
        let check = |change: Change, expect: &str| {
            let why = ignored("issue_comment", change);
            assert!(why.contains(expect), "{why}");
        };
        check(|it| it["action"] = "new_word".into(), "new comments");
        check(
            |it| it["issue"]["pull_request"] = Value::Null,
            "not on a pull request",
        );
        check(|it| it["sender"]["id"] = 6.into(), "did not send");
        check(
            |it| it["comment"]["user"]["type"] = "Bot".into(),
            "by a person",
        );
        check(
            |it| it["comment"]["user"]["type"] = Value::Null,
            "by a person",
        );
        check(
            |it| it["comment"]["performed_via_github_app"] = json!({"id": 1}),
            "by a person",
        );
        check(|it| it["comment"]["user"] = Value::Null, "author is gone");
    }

    #[test]
    fn a_comment_that_is_touched_later_is_no_new_comment() {
        for (action, deleted) in [("edited", false), ("deleted", true)] {
            let heard = heard("issue_comment", |it| {
                it["action"] = action.into();
                it["sender"] = json!({"id": 6, "login": "bob", "type": "User"});
            });
            let [Incoming::CommentChanged(changed)] = heard.as_slice() else {
                panic!("{heard:?}");
            };
            assert_eq!((changed.deleted, changed.place.comment), (deleted, 11));
            assert_eq!(changed.by.login, "bob");
            let why = ignored("issue_comment", |it| {
                it["action"] = action.into();
                it["issue"]["pull_request"] = Value::Null;
            });
            assert!(why.contains("not on a pull request"), "{why}");
        }
    }

    #[test]
    fn a_pull_request_tells_its_head_draft_state_and_openness() {
        let moved = |change: Change| match heard("pull_request", change).as_slice() {
            [Incoming::PullRequest(moved)] => moved.clone(),
            other => panic!("{other:?}"),
        };
        let open = moved(|_| ());
        assert_eq!((open.number, open.head), (3, sha('a')));
        assert_eq!((open.open, open.draft), (true, true));
        let closed = moved(|it| {
            it["action"] = "closed".into();
            it["pull_request"]["state"] = "closed".into();
            it["pull_request"]["draft"] = Value::Null;
        });
        assert_eq!((closed.open, closed.draft), (false, false));
        for action in ["labeled", "assigned", "locked", "enqueued", ""] {
            let why = ignored("pull_request", |it| it["action"] = action.into());
            assert!(why.contains("does not change"), "{why}");
        }
    }

    #[test]
    fn a_repository_that_moves_or_rests_is_noticed() {
        for what in [
            "renamed",
            "transferred",
            "archived",
            "unarchived",
            "deleted",
        ] {
            let heard = heard("repository", |it| it["action"] = what.into());
            let [Incoming::RepositoryChanged(changed)] = heard.as_slice() else {
                panic!("{heard:?}");
            };
            assert_eq!(changed.what, what);
            assert_eq!(changed.repository.path, "acme/shop");
        }
        for action in ["created", "edited", "publicized", "privatized"] {
            let why = ignored("repository", |it| it["action"] = action.into());
            assert!(why.contains("neither"), "{why}");
        }
    }
}
