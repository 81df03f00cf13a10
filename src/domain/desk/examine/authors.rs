//! Authors: all who had a hand in what is not live yet, as far as the policy wants to know. Commits say what their makers
//! wrote into them; how they came to the release branch is the forge's word, and `arrivals` asks for it.

use crate::domain::desk::examine::{Subject, arrivals};
use crate::domain::desk::known::people::{Authors, Hand};
use crate::domain::desk::sitting::Sitting;
use crate::domain::text::{self, Text, code, text};
use crate::domain::{Commit, Comparison, Credit, Exclude, Excluded, Part, RequestKind, Sha};

/// What would ship: the commits above what is live.
pub(super) struct Shipping<'a> {
    pub(super) commits: Vec<&'a Commit>,
    pub(super) base: Option<Sha>,
    is_complete: bool,
}

/// A commit, and what lies above it.
pub(super) type Above<'a> = (Sha, Result<&'a Comparison, String>);

/// Everybody who had a hand in what would ship.
pub(crate) fn authors(
    sitting: &Sitting<'_>,
    subject: &Subject<'_>,
    above: Option<Above<'_>>,
) -> Authors {
    let exclude = &subject.place.environment.exclude;
    let mut authors = Authors::default();
    if !exclude.looks_at_work() {
        return authors;
    }
    // Nobody says yes, so that nobody needs to be asked about.
    if subject.requester.is_none() && subject.given.is_empty() {
        authors.miss("nobody was asked whose work it is");
        return authors;
    }
    let shipping = match since_our_own(sitting, subject).or(above) {
        Some((base, comparison)) => comparison.map(|found| Shipping {
            commits: found.commits.iter().collect(),
            base: Some(base),
            is_complete: found.complete,
        }),
        None => first_batch(sitting, subject),
    };
    let shipping = match shipping {
        Ok(shipping) => shipping,
        Err(why) => {
            authors.miss(format!("which commits would ship: {why}"));
            return authors;
        }
    };
    if !shipping.is_complete {
        authors.doubt("there are too many commits to read them all");
    }
    for commit in &shipping.commits {
        for credit in &commit.credits {
            named_by(exclude, commit, credit, &mut authors);
        }
    }
    arrivals::arrivals(sitting, subject, &shipping, &mut authors);
    authors
}

/// Somebody whom a commit names.
fn named_by(exclude: &Exclude, commit: &Commit, credit: &Credit, authors: &mut Authors) {
    let which = Text::from(text::commit(commit.sha.short()));
    let line = Text::from(code("Co-authored-by"));
    let who = text::somebody(&credit.who);
    let hand = match credit.part {
        Part::Author => Hand {
            by: Excluded::CommitAuthor,
            did: text!["wrote commit ", &which],
            done: text!["commit ", which, " is by ", who],
        },
        Part::Committer => Hand {
            by: Excluded::Committer,
            did: text!["is the committer of commit ", &which],
            done: text!["commit ", which, " was committed by ", who],
        },
        Part::CoAuthor => Hand {
            by: Excluded::CoAuthor,
            did: text!["is named in a ", &line, " line of commit ", &which],
            done: text!["a ", line, " line of commit ", which, " names ", who],
        },
    };
    authors.had(exclude, &credit.who, hand);
}

/// When a release from outside moved what is live, what ships is counted from our own last release.
fn since_our_own<'a>(sitting: &Sitting<'a>, subject: &Subject<'_>) -> Option<Above<'a>> {
    let live = sitting.live(subject.place.service, subject.place.environment)?;
    if live.request.is_some() || subject.kind == RequestKind::Rollback {
        return None;
    }
    let last = sitting.history(subject.place.service, subject.place.environment);
    let last = last.first().filter(|last| last.sha != *subject.sha)?;
    let found = sitting.comparison(subject.repository, last.sha.as_str(), subject.sha.as_str());
    Some((last.sha.clone(), found))
}

/// While nothing is live: the commit, and what it merged.
fn first_batch<'a>(sitting: &Sitting<'a>, subject: &Subject<'_>) -> Result<Shipping<'a>, String> {
    let commit = sitting.commit(subject.repository, subject.sha.as_str())?;
    let mut commits = vec![commit];
    let base = commit.parents.first().cloned();
    let mut is_complete = true;
    if let Some(base) = &base {
        let merged = sitting.comparison(subject.repository, base.as_str(), subject.sha.as_str())?;
        commits.extend(&merged.commits);
        is_complete = merged.complete;
    }
    Ok(Shipping {
        commits,
        base,
        is_complete,
    })
}
