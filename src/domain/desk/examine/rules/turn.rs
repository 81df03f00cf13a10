//! Turns: one release at a time, and none behind a newer one.

use crate::domain::desk::examine::{Looked, Subject};
use crate::domain::desk::known::digests;
use crate::domain::desk::sitting::Sitting;
use crate::domain::reason::{Reason, Rule};
use crate::domain::text::{command, commit, text};
use crate::domain::{Relation, Request, RequestKind};

pub(super) fn look(sitting: &Sitting<'_>, looked: &Looked<'_>) -> Option<Reason> {
    Some(says(sitting, looked))
}

fn says(sitting: &Sitting<'_>, looked: &Looked<'_>) -> Reason {
    let subject = looked.subject;
    let name = subject.place.name();
    let others = sitting.open_requests(subject.place.service).into_iter();
    let parts: Vec<Reason> = others
        .filter(|other| {
            other.environment == subject.place.environment.name
                && Some(other.number) != subject.number
                && !(other.is_waiting() && digests::is_outdated(sitting, other))
        })
        .filter_map(|other| in_the_way(sitting, subject, &other))
        .collect();
    if parts.is_empty() {
        let says = text!["no other release to ", name, " is under way"];
        return Reason::holds(Rule::TURN, says);
    }
    Reason::of(Rule::TURN, text!["other releases to ", name], parts)
}

/// Why another request goes first.
fn in_the_way(sitting: &Sitting<'_>, subject: &Subject<'_>, other: &Request) -> Option<Reason> {
    let number = other.number;
    let is_new = subject.number.is_none();
    let (says, help) = if other.flight().is_some() {
        let sha = commit(other.sha.short());
        let says = text![format!("#{number} releases "), sha, " there at this moment"];
        (says, text!["Wait for its end."])
    } else if other.sha == *subject.sha && is_new {
        let approve = command(format!("/approve #{number}"));
        let says = text![format!("#{number} asks for this already")];
        (says, text!["Say ", approve, "."])
    } else if is_new && subject.kind != RequestKind::Rollback && is_newer(sitting, subject, other) {
        let cancel = command(format!("/cancel #{number}"));
        let says = text![format!("#{number} asks for a newer commit")];
        (says, text![cancel, " withdraws it."])
    } else {
        return None;
    };
    let reason = Reason::refuses(Rule::TURN, says).help(help);
    Some(reason.fact("request", number))
}

fn is_newer(sitting: &Sitting<'_>, subject: &Subject<'_>, other: &Request) -> bool {
    sitting
        .comparison(subject.repository, subject.sha.as_str(), other.sha.as_str())
        .is_ok_and(|comparison| comparison.relation == Relation::Ahead)
}
