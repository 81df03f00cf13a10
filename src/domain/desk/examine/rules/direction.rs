//! Directions: forward for a release, back for a rollback, compared with what is live.

use crate::domain::desk::examine::Looked;
use crate::domain::desk::sitting::Sitting;
use crate::domain::reason::{Reason, Rule};
use crate::domain::text::{command, commit, text};
use crate::domain::{Relation, RequestKind};

pub(super) fn look(_: &Sitting<'_>, looked: &Looked<'_>) -> Option<Reason> {
    Some(says(looked))
}

fn says(looked: &Looked<'_>) -> Reason {
    let subject = looked.subject;
    let name = subject.place.name();
    let is_back = subject.kind == RequestKind::Rollback;
    let Some(live) = &looked.live else {
        return if is_back {
            let says = text!["nothing is live in ", name, " that could be rolled back"];
            Reason::refuses(Rule::DIRECTION, says)
        } else {
            let says = text![
                "nothing is live in ",
                name,
                " yet, as far as Countersign knows"
            ];
            Reason::holds(Rule::DIRECTION, says)
        };
    };
    let which_is_live = text![commit(live.sha.short()), ", which is live"];
    let comparison = match &looked.comparison {
        None => {
            let says = text!["the commit is live in ", name, " already"];
            return Reason::refuses(Rule::DIRECTION, says);
        }
        Some(Ok(comparison)) => comparison,
        Some(Err(why)) => {
            let says = text![
                "how the commit relates to ",
                which_is_live,
                format!(", could not be found out: {why}")
            ];
            return Reason::unknown(Rule::DIRECTION, says);
        }
    };
    let instead = |line: &str| {
        let line = format!("/{line} {} {}", subject.place.environment.name, subject.sha);
        text!["Ask for it with ", command(line), "."]
    };
    let older = text!["the commit is older than ", &which_is_live];
    match (comparison.relation, is_back) {
        (Relation::Ahead | Relation::Identical, false) => {
            let commits = comparison.commits.len();
            let newer = match commits {
                1 => "one commit newer than ".to_owned(),
                commits => format!("{commits} commits newer than "),
            };
            let says = text![newer, which_is_live];
            let commits = u64::try_from(commits).unwrap_or(u64::MAX);
            Reason::holds(Rule::DIRECTION, says).fact("commits", commits)
        }
        (Relation::Behind, false) => {
            Reason::refuses(Rule::DIRECTION, older).help(instead("rollback"))
        }
        (Relation::Diverged, false) => {
            let says = text!["the commit and ", which_is_live, ", have diverged"];
            Reason::holds(Rule::DIRECTION, says)
        }
        (Relation::Behind | Relation::Diverged, true) => Reason::holds(Rule::DIRECTION, older),
        (Relation::Ahead | Relation::Identical, true) => {
            let says = "the commit is newer than what is live, so this would not be a rollback";
            Reason::refuses(Rule::DIRECTION, says).help(instead("deploy"))
        }
    }
}
