//! Pushes, as deliveries tell of them: where branches stand.

use std::collections::BTreeSet;

use super::super::payload::push::{Commit, Push};
use super::{not_ours, place};
use crate::domain::{Incoming, Push as Moved};

/// GitLab tells no more commits of one push.
const MOST_COMMITS: usize = 20;
const LONGEST_TITLE: usize = 200;

pub(super) fn push(payload: Push) -> Incoming {
    let Some(branch) = payload.reference.strip_prefix("refs/heads/") else {
        return match payload.reference.starts_with("refs/tags/") {
            true => not_ours("tags are not followed"),
            false => not_ours("only branches are followed"),
        };
    };
    Incoming::Push(Moved {
        branch: branch.to_owned(),
        paths: touched(&payload),
        // GitLab does not tell whether it was forced.
        may_go_back: true,
        title: title(&payload),
        repository: place(payload.project),
        before: payload.before.0,
        after: payload.after.0,
    })
}

/// The first line of the commit at which the branch stands now, if it was pushed with it.
fn title(payload: &Push) -> String {
    let commits = payload.commits.as_deref().unwrap_or_default();
    let head = payload.after.0.as_ref().and_then(|after| {
        let mut commits = commits.iter();
        commits.find(|commit| commit.id.as_deref() == Some(after.as_str()))
    });
    let line = head.and_then(|head| {
        let message = head.message.as_deref().or(head.title.as_deref())?;
        message.lines().next()
    });
    line.map(|line| line.chars().take(LONGEST_TITLE).collect())
        .unwrap_or_default()
}

/// All paths that a push touches, if its payload tells all of them: it went on from a known commit, and
/// none of its commits is left out or silent.
fn touched(payload: &Push) -> Option<Vec<String>> {
    let goes_on = payload.before.0.is_some() && payload.after.0.is_some();
    let commits = payload.commits.as_deref().filter(|commits| {
        goes_on
            && (1..=MOST_COMMITS).contains(&commits.len())
            && payload.total_commits_count == Some(commits.len())
    })?;
    let mut paths = BTreeSet::new();
    for commit in commits {
        let Commit {
            added: Some(added),
            modified: Some(modified),
            removed: Some(removed),
            ..
        } = commit
        else {
            return None;
        };
        paths.extend([added, modified, removed].into_iter().flatten().cloned());
    }
    Some(paths.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::planted::{heard, ignored, sha, shop};
    use super::*;

    fn pushed(change: impl FnOnce(&mut Value)) -> Moved {
        match heard("Push Hook", change).as_slice() {
            [Incoming::Push(push)] => push.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_push_says_where_its_branch_stands() {
        let expect = Moved {
            repository: shop(),
            branch: "main".to_owned(),
            before: Some(sha('a')),
            after: Some(sha('b')),
            may_go_back: true,
            paths: Some(vec!["a".to_owned(), "b".to_owned()]),
            title: "Sell more".to_owned(),
        };
        assert_eq!(pushed(|_| ()), expect);
        let zeros = || Value::from("0".repeat(40));
        let created = pushed(|push| push["before"] = zeros());
        assert_eq!((created.before, created.paths), (None, None));
        let deleted = pushed(|push| {
            push["after"] = zeros();
            push["checkout_sha"] = Value::Null;
            push["commits"] = json!([]);
            push["total_commits_count"] = 0.into();
        });
        assert_eq!((deleted.after, deleted.title.as_str()), (None, ""));
        let nested = pushed(|push| push["ref"] = "refs/heads/fix/refs/heads/x".into());
        assert_eq!(nested.branch, "fix/refs/heads/x");
        for (reference, expect) in [
            ("refs/tags/v1", "tags are not followed"),
            ("refs/merge-requests/1/head", "only branches are followed"),
        ] {
            let why = ignored("Push Hook", |push| push["ref"] = reference.into());
            assert_eq!(why, expect);
        }
    }

    #[test]
    fn the_title_is_that_of_the_commit_at_which_the_branch_stands() {
        let check = |change: fn(&mut Value), expect: &str| {
            assert_eq!(pushed(change).title, expect);
        };
        check(|push| push["commits"][1]["message"] = Value::Null, "Sell");
        check(|push| push["commits"][1]["message"] = "".into(), "");
        check(|push| push["commits"][1]["id"] = "c".repeat(40).into(), "");
        check(|push| push["commits"] = Value::Null, "");
        let long = pushed(|push| push["commits"][1]["message"] = "é".repeat(500).into());
        assert_eq!(long.title.chars().count(), 200);
    }

    #[test]
    fn paths_are_told_only_when_the_payload_tells_all_of_them() {
        let check = |change: fn(&mut Value), expect: bool| {
            let push = pushed(change);
            assert_eq!(push.paths.is_some(), expect, "{push:?}");
        };
        check(|_| (), true);
        check(|push| push["before"] = "0".repeat(40).into(), false);
        check(|push| push["total_commits_count"] = 3.into(), false);
        check(|push| push["total_commits_count"] = 1.into(), false);
        check(|push| push["total_commits_count"] = Value::Null, false);
        check(|push| push["commits"] = Value::Null, false);
        check(|push| push["commits"][1]["removed"] = Value::Null, false);
        check(|push| push["commits"][1] = json!({}), false);
        check(
            |push| {
                push["commits"] = json!([]);
                push["total_commits_count"] = 0.into();
            },
            false,
        );
        let many = |push: &mut Value, count: usize| {
            let commit = push["commits"][0].clone();
            push["commits"] = vec![commit; count].into();
            push["total_commits_count"] = count.into();
        };
        assert!(pushed(|push| many(push, 20)).paths.is_some());
        assert!(pushed(|push| many(push, 21)).paths.is_none());
    }
}
