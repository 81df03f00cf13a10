//! Arrivals: how what would ship came to the release branch. The forge knows who opened and merged a pull request and who
//! pushed, whatever the commits say. It is asked only for what the policy excludes.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::desk::examine::Subject;
use crate::domain::desk::examine::authors::Shipping;
use crate::domain::desk::known::people::{Authors, Hand};
use crate::domain::desk::sitting::{Sitting, misfit};
use crate::domain::text::{self, Text, code, text};
use crate::domain::{Batch, Excluded, Fact, Merge, Move, Question, Sha};

/// About so many commits the forge is asked one by one.
const MOST: usize = 100;

/// Notes everybody who had a hand in how the commits came to the release branch.
pub(super) fn arrivals(
    sitting: &Sitting<'_>,
    subject: &Subject<'_>,
    shipping: &Shipping<'_>,
    authors: &mut Authors,
) {
    let exclude = &subject.place.environment.exclude;
    let by_arrival = [
        Excluded::Opener,
        Excluded::Pusher,
        Excluded::Merger,
        Excluded::App,
    ];
    let mut commits = shipping.commits.iter();
    let has_merges = commits.any(|commit| commit.parents.len() > 1);
    // Whoever merges can put anything into the commit that merges, and any name.
    let merges_count = has_merges && exclude.has(Excluded::CommitAuthor);
    if !(exclude.has_any(&by_arrival) || merges_count) {
        return;
    }
    let found = open_head(sitting, subject, authors).and_then(|open| {
        let on_branch = shipping.commits.iter().copied();
        let on_branch = on_branch.filter(|commit| !open.contains(&commit.sha));
        let batch = Batch::new(on_branch, shipping.base.as_ref());
        let mergers = merges_count || exclude.has(Excluded::Merger);
        let merges = merges(sitting, subject, &batch, mergers)?;
        Ok((batch, merges))
    });
    let (batch, merges) = match found {
        Ok(found) => found,
        Err(why) => return authors.miss(why),
    };
    let mut alone = Vec::new();
    for (sha, merges) in &merges {
        if merges.is_empty() {
            alone.push(sha);
        }
        for merge in merges {
            brought_by(subject, (sha, merge), batch.merges(sha), authors);
        }
    }
    if !alone.is_empty() && exclude.has_any(&[Excluded::Pusher, Excluded::App]) {
        pushed(sitting, subject, (&batch, shipping, &alone), authors);
    }
}

/// The commits that are on no branch of ours, but in an open pull request, whose opener is noted.
fn open_head(
    sitting: &Sitting<'_>,
    subject: &Subject<'_>,
    authors: &mut Authors,
) -> Result<BTreeSet<Sha>, Text> {
    let Some(number) = subject.open_head else {
        return Ok(BTreeSet::new());
    };
    let exclude = &subject.place.environment.exclude;
    let pull_request = sitting.pull_request(subject.repository, number)?;
    authors.had(
        exclude,
        &pull_request.opener,
        Hand {
            by: Excluded::Opener,
            did: text![format!("opened pull request {number}")],
            done: text![
                format!("pull request {number} was opened by "),
                text::somebody(&pull_request.opener)
            ],
        },
    );
    let branch = subject.place.service.branch.as_str();
    let Some(head) = sitting.head(subject.repository, branch)? else {
        return Err(text!["there is no branch ", code(branch)]);
    };
    let open = sitting.comparison(subject.repository, head.as_str(), subject.sha.as_str())?;
    Ok(open
        .commits
        .iter()
        .map(|commit| commit.sha.clone())
        .collect())
}

/// The pull requests that brought each commit; those that merges brought along are left out.
fn merges(
    sitting: &Sitting<'_>,
    subject: &Subject<'_>,
    batch: &Batch<'_>,
    with_mergers: bool,
) -> Result<BTreeMap<Sha, Vec<Merge>>, Text> {
    let branch = subject.place.service.branch.as_str();
    let brought = |sha: &Sha| {
        let question = Question::Merges {
            repository: subject.repository.clone(),
            branch: branch.to_owned(),
            sha: sha.clone(),
            with_mergers,
        };
        match sitting.fact(question) {
            Ok(Fact::Merges(merges)) => Ok((sha.clone(), merges.clone())),
            Ok(other) => Err(Text::from(misfit(other))),
            Err(why) => Err(text![
                "which pull requests brought commit ",
                text::commit(sha.short()),
                format!(" could not be found out: {why}")
            ]),
        }
    };
    let ask = |commits: BTreeSet<&Sha>| {
        if commits.len() > MOST {
            return Err("there are too many commits to find out how each came".into());
        }
        // All of them are missed at once, so that they are asked for side by side.
        let found: Vec<_> = commits.into_iter().map(brought).collect();
        found.into_iter().collect::<Result<BTreeMap<_, _>, Text>>()
    };
    let mut merges = ask(batch.trunk())?;
    merges.extend(ask(batch.unaccounted(&merges))?);
    Ok(merges)
}

/// A pull request brought a commit.
fn brought_by(
    subject: &Subject<'_>,
    (sha, merge): (&Sha, &Merge),
    is_merge: bool,
    authors: &mut Authors,
) {
    let exclude = &subject.place.environment.exclude;
    let number = merge.number;
    let which = Text::from(text::commit(sha.short()));
    let opener = text::somebody(&merge.opener);
    authors.had(
        exclude,
        &merge.opener,
        Hand {
            by: Excluded::Opener,
            did: text![
                format!("opened pull request {number}, which brought commit "),
                &which
            ],
            done: text![
                format!("pull request {number}, which brought commit "),
                &which,
                ", was opened by ",
                opener
            ],
        },
    );
    let Some(merger) = &merge.merger else {
        return;
    };
    let made_it = is_merge && merge.commit.as_ref() == Some(sha);
    let parts = [
        Some(Excluded::Merger),
        made_it.then_some(Excluded::CommitAuthor),
    ];
    for by in parts.into_iter().flatten() {
        let hand = Hand {
            by,
            did: text![format!("merged pull request {number} with commit "), &which],
            done: text![
                format!("pull request {number} was merged with commit "),
                &which,
                " by ",
                text::somebody(merger)
            ],
        };
        authors.had(exclude, merger, hand);
    }
}

/// No pull request brought these commits, so that somebody pushed them.
fn pushed(
    sitting: &Sitting<'_>,
    subject: &Subject<'_>,
    (batch, shipping, alone): (&Batch<'_>, &Shipping<'_>, &[&Sha]),
    authors: &mut Authors,
) {
    let exclude = &subject.place.environment.exclude;
    let branch = subject.place.service.branch.as_str();
    let question = Question::Moves {
        repository: subject.repository.clone(),
        branch: branch.to_owned(),
        back_to: shipping.base.clone(),
    };
    let moves: &[Move] = match sitting.fact(question) {
        Ok(Fact::Moves(moves)) => moves,
        Ok(other) => return authors.miss(misfit(other)),
        Err(why) => {
            let unknown = "who pushed to the release branch could not be found out: ";
            return authors.miss(text![unknown, why]);
        }
    };
    for sha in alone {
        let which = Text::from(text::commit(sha.short()));
        let brought = batch.brought(sha, moves);
        if brought.is_empty() {
            authors.miss(text![
                "who pushed commit ",
                &which,
                " to the release branch could not be found out"
            ]);
        }
        for one in brought {
            if one.forced {
                authors.doubt(text![
                    "commit ",
                    &which,
                    " came when the release branch was overwritten, and others may have pushed it before"
                ]);
            }
            let hand = Hand {
                by: Excluded::Pusher,
                did: text![
                    "pushed commit ",
                    &which,
                    " to the release branch without a pull request"
                ],
                done: text![
                    "commit ",
                    &which,
                    " was pushed by ",
                    text::somebody(&one.by)
                ],
            };
            authors.had(exclude, &one.by, hand);
        }
    }
}
