//! Authors: all who wrote or committed what is not live yet.

use crate::domain::desk::examine::Subject;
use crate::domain::desk::known::people::Authors;
use crate::domain::desk::sitting::Sitting;
use crate::domain::text::{self, Text, named, text};
use crate::domain::{Commit, Comparison, RequestKind};

/// Every author and committer of what would ship.
pub(crate) fn authors(
    sitting: &Sitting<'_>,
    subject: &Subject<'_>,
    comparison: Option<&Comparison>,
) -> Authors {
    if !subject.place.environment.exclude.author {
        return Authors::default();
    }
    let mut authors = Authors::default();
    let own = since_our_own(sitting, subject);
    let commits = match own.or(comparison) {
        Some(comparison) => {
            authors.unclear = incomplete(comparison);
            comparison.commits.iter().collect()
        }
        None => match first_batch(sitting, subject) {
            Ok(commits) => commits,
            Err(why) => {
                authors.unclear = Some(why);
                Vec::new()
            }
        },
    };
    for commit in commits {
        authors.people.extend(commit.people.iter().cloned());
        if let Some(stranger) = commit.strangers.first() {
            authors.unclear = Some(text![
                "commit ",
                text::commit(commit.sha.short()),
                " is by ",
                named(stranger),
                ", who has no account here"
            ]);
        }
    }
    authors
}

/// When a release from outside moved what is live, what ships is counted from our own last release.
fn since_our_own<'a>(sitting: &Sitting<'a>, subject: &Subject<'_>) -> Option<&'a Comparison> {
    let live = sitting.live(subject.place.service, subject.place.environment)?;
    if live.request.is_some() || subject.kind == RequestKind::Rollback {
        return None;
    }
    let last = sitting.history(subject.place.service, subject.place.environment);
    let last = last.first().filter(|last| last.sha != *subject.sha)?;
    sitting
        .comparison(subject.repository, last.sha.as_str(), subject.sha.as_str())
        .ok()
}

/// While nothing is live: the commit, and what it merged.
fn first_batch<'a>(sitting: &Sitting<'a>, subject: &Subject<'_>) -> Result<Vec<&'a Commit>, Text> {
    let commit = sitting.commit(subject.repository, subject.sha.as_str())?;
    let mut commits = vec![commit];
    if let Some(parent) = &commit.parent {
        let merged =
            sitting.comparison(subject.repository, parent.as_str(), subject.sha.as_str())?;
        if let Some(why) = incomplete(merged) {
            return Err(why);
        }
        commits.extend(&merged.commits);
    }
    Ok(commits)
}

/// Why a list of commits does not tell of all authors.
fn incomplete(comparison: &Comparison) -> Option<Text> {
    (!comparison.complete).then(|| "there are too many commits to read them all".into())
}
