//! Origins: a commit is on the release branch, or is the head of an open pull request where the policy releases those.

use crate::domain::desk::examine::{Looked, Subject};
use crate::domain::desk::sitting::Sitting;
use crate::domain::reason::{Reason, Rule};
use crate::domain::text::{Span, code, commit, text};
use crate::domain::{PullRequest, Relation};

pub(super) fn look(sitting: &Sitting<'_>, looked: &Looked<'_>) -> Option<Reason> {
    Some(says(sitting, looked))
}

fn says(sitting: &Sitting<'_>, looked: &Looked<'_>) -> Reason {
    let subject = looked.subject;
    if looked.was_live {
        return Reason::holds(Rule::BRANCH, "the commit was released from here before");
    }
    let Some(number) = subject.open_head else {
        return on_branch(sitting, subject);
    };
    match sitting.pull_request(subject.repository, number) {
        Ok(pull_request) => open_head(subject, number, pull_request),
        Err(why) => Reason::unknown(
            Rule::OPEN_HEAD,
            format!("pull request {number} could not be read: {why}"),
        ),
    }
}

fn branch_of(subject: &Subject<'_>) -> Span {
    code(subject.place.service.branch.as_str())
}

fn on_branch(sitting: &Sitting<'_>, subject: &Subject<'_>) -> Reason {
    let branch = branch_of(subject);
    match leads_to(sitting, subject) {
        Ok(Some(Relation::Identical | Relation::Ahead)) => Reason::holds(
            Rule::BRANCH,
            text!["the commit is on the release branch ", branch],
        ),
        Ok(Some(Relation::Behind | Relation::Diverged)) => Reason::refuses(
            Rule::BRANCH,
            text!["the commit is not on the release branch ", branch],
        )
        .help("Merge it first."),
        Ok(None) => Reason::refuses(
            Rule::BRANCH,
            text!["there is no release branch ", branch, " any more"],
        ),
        Err(why) => Reason::unknown(
            Rule::BRANCH,
            text![
                "whether the commit is on the release branch ",
                branch,
                format!(" could not be found out: {why}")
            ],
        ),
    }
}

/// How the release branch's head relates to the commit; nothing where there is no branch. A tag can have the branch's
/// name, so that nothing is compared with a name.
fn leads_to(sitting: &Sitting<'_>, subject: &Subject<'_>) -> Result<Option<Relation>, String> {
    let branch = subject.place.service.branch.as_str();
    let Some(head) = sitting.head(subject.repository, branch)? else {
        return Ok(None);
    };
    if head == *subject.sha {
        return Ok(Some(Relation::Identical));
    }
    sitting
        .comparison(subject.repository, subject.sha.as_str(), head.as_str())
        .map(|comparison| Some(comparison.relation))
}

fn open_head(subject: &Subject<'_>, number: u64, pull_request: &PullRequest) -> Reason {
    let allow = subject.place.environment.allow;
    let mut parts = Vec::new();
    if !allow.open_heads {
        let says = text![
            format!("pull request {number} is not merged, and the policy wants commits of "),
            branch_of(subject)
        ];
        parts.push(Reason::refuses(Rule::OPEN_HEAD, says).help("Merge it first."));
    }
    if !pull_request.open {
        let says = format!("pull request {number} is not open any more");
        parts.push(Reason::refuses(Rule::OPEN_HEAD, says));
    }
    if pull_request.head != *subject.sha {
        let says = text![
            format!("the head of pull request {number} is "),
            commit(pull_request.head.as_str()),
            " now"
        ];
        parts.push(Reason::refuses(Rule::OPEN_HEAD, says));
    }
    if pull_request.draft && !allow.drafts {
        let says = format!("pull request {number} is a draft");
        parts.push(Reason::refuses(Rule::DRAFT, says).help("Mark it as ready for review."));
    }
    if pull_request.head_repository != Some(subject.repository.id.number()) && !allow.forks {
        let says = format!(
            "pull request {number} comes from a fork, whose code the policy does not release"
        );
        parts.push(Reason::refuses(Rule::FORK, says));
    }
    if pull_request.base != subject.place.service.branch.as_str() {
        let says = text![
            format!("pull request {number} goes to "),
            code(&pull_request.base),
            ", not to ",
            branch_of(subject)
        ];
        parts.push(Reason::refuses(Rule::BRANCH, says));
    }
    if parts.is_empty() {
        let says = format!("the commit is the head of pull request {number}");
        return Reason::holds(Rule::OPEN_HEAD, says);
    }
    Reason::of(Rule::OPEN_HEAD, format!("pull request {number}"), parts)
}
