//! The examination: everything that stands between a commit and an environment, as one tree of reasons. Deploy, approve,
//! the moment before the trigger, `/why` and the dry run all look at this tree.

use jiff::Timestamp;

use crate::domain::desk::Change;
use crate::domain::desk::known::digests;
use crate::domain::desk::known::people::{self, Authors, refusal};
use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::telling::words::moment;
use crate::domain::gates::{self, StageView};
use crate::domain::policy::{Approval, Quorum, Shortage, Unauthorized};
use crate::domain::reason::{Reason, code};
use crate::domain::{
    Account, Comparison, Detail, Environment, Relation, Reporter, Repository, Request, RequestKind,
    Service, Sha,
};

pub(super) mod authors;
pub(super) mod evidence;

/// What is examined.
pub(crate) struct Subject<'s> {
    pub(crate) service: &'s Service,
    pub(crate) environment: &'s Environment,
    pub(crate) repository: &'s Repository,
    pub(crate) sha: &'s Sha,
    pub(crate) kind: RequestKind,
    /// The open pull request whose head it is.
    pub(crate) open_head: Option<u64>,
    pub(crate) requester: Option<&'s Account>,
    /// Who said yes, and when.
    pub(crate) given: &'s [(Account, Timestamp)],
    /// The request that this is about, if it exists already.
    pub(crate) number: Option<u64>,
}

/// What was found.
pub(crate) struct Examined {
    pub(crate) tree: Reason,
    pub(crate) quorum: Result<Quorum, Shortage>,
    /// Approvals that do not count any more, and why.
    pub(crate) void: Vec<(Account, String)>,
    pub(crate) authors: Authors,
    pub(crate) evidence: Detail,
    /// Reports that are newer than the stored ones.
    pub(crate) changes: Vec<Change>,
}

impl Examined {
    /// Nothing stands in the way but, perhaps, missing approvals.
    pub(crate) fn is_clear(&self) -> bool {
        self.tree.is_clear()
    }
}

pub(crate) fn examine(sitting: &Sitting<'_>, subject: &Subject<'_>) -> Examined {
    let (gates, views, changes) = gates(sitting, subject);
    let (direction, comparison) = direction(sitting, subject);
    let authors = authors::authors(sitting, subject, comparison);
    let (approvals, quorum, void) = approvals(sitting, subject, &authors);
    let tree = Reason::of(
        format!(
            "{} {} to **{}**",
            subject.service.name, subject.sha, subject.environment.name
        ),
        vec![
            closed(sitting, subject),
            origin(sitting, subject),
            gates,
            direction,
            alone(sitting, subject),
            approvals,
        ]
        .into_iter()
        .chain(digests::missing(
            sitting,
            subject.service,
            subject.environment,
        ))
        .collect(),
    );
    let evidence = evidence::evidence(sitting, subject, &views, comparison, &tree);
    Examined {
        tree,
        quorum,
        void,
        authors,
        evidence,
        changes,
    }
}

/// Examines a request as it stands now.
pub(crate) fn examine_request(
    sitting: &Sitting<'_>,
    request: &Request,
    service: &Service,
    environment: &Environment,
) -> Examined {
    let given: Vec<_> = request
        .given
        .iter()
        .filter(|given| given.sha == request.sha && given.policy == request.policy)
        .map(|given| (given.by.clone(), given.at))
        .collect();
    examine(
        sitting,
        &Subject {
            service,
            environment,
            repository: &request.repository,
            sha: &request.sha,
            kind: request.kind,
            open_head: request.open_head,
            requester: Some(&request.by),
            given: &given,
            number: Some(request.number),
        },
    )
}

/// Frozen or locked.
fn closed(sitting: &Sitting<'_>, subject: &Subject<'_>) -> Reason {
    let name = &subject.environment.name;
    let mut parts = Vec::new();
    if let Some(why) = &subject.environment.freeze {
        parts.push(
            Reason::refuses(format!("**{name}** is frozen: {}", code(why)))
                .help("The freeze ends when it is taken out of the configuration."),
        );
    }
    if let Some(lock) = sitting.lock(subject.service, subject.environment) {
        let until = lock.until.map(|until| format!(" until {}", moment(until)));
        parts.push(
            Reason::refuses(format!(
                "**{name}** is locked by {} since {}{}: {}",
                code(&lock.by.login),
                moment(lock.since),
                until.unwrap_or_default(),
                code(&lock.reason)
            ))
            .help(format!("`/unlock {name}` opens it.")),
        );
    }
    if parts.is_empty() {
        return Reason::holds(format!("**{name}** is open"));
    }
    Reason::of(format!("**{name}** is closed"), parts)
}

/// Where the commit comes from.
fn origin(sitting: &Sitting<'_>, subject: &Subject<'_>) -> Reason {
    let branch = code(subject.service.branch.as_str());
    if was_live(sitting, subject) {
        return Reason::holds("the commit was released from here before");
    }
    let Some(number) = subject.open_head else {
        let compared = sitting.comparison(
            subject.repository,
            subject.sha.as_str(),
            subject.service.branch.as_str(),
        );
        return match compared.map(|comparison| comparison.relation) {
            Ok(Relation::Identical | Relation::Ahead) => {
                Reason::holds(format!("the commit is on the release branch {branch}"))
            }
            Ok(Relation::Behind | Relation::Diverged) => {
                Reason::refuses(format!("the commit is not on the release branch {branch}"))
                    .help("Merge it first.")
            }
            Err(why) => Reason::unknown(format!(
                "whether the commit is on the release branch {branch} could not be found out: {why}"
            )),
        };
    };
    let pull_request = match sitting.pull_request(subject.repository, number) {
        Ok(pull_request) => pull_request,
        Err(why) => {
            return Reason::unknown(format!("pull request {number} could not be read: {why}"));
        }
    };
    let allow = subject.environment.allow;
    let mut parts = Vec::new();
    if !allow.open_heads {
        parts.push(
            Reason::refuses(format!(
                "pull request {number} is not merged, and the policy wants commits of {branch}"
            ))
            .help("Merge it first."),
        );
    }
    if !pull_request.open {
        parts.push(Reason::refuses(format!(
            "pull request {number} is not open any more"
        )));
    }
    if pull_request.head != *subject.sha {
        parts.push(Reason::refuses(format!(
            "the head of pull request {number} is {} now",
            code(pull_request.head.as_str())
        )));
    }
    if pull_request.draft && !allow.drafts {
        parts.push(
            Reason::refuses(format!("pull request {number} is a draft"))
                .help("Mark it as ready for review."),
        );
    }
    if pull_request.head_repository != Some(subject.repository.id.number()) && !allow.forks {
        parts.push(Reason::refuses(format!(
            "pull request {number} comes from a fork, whose code the policy does not release"
        )));
    }
    if pull_request.base != subject.service.branch.as_str() {
        parts.push(Reason::refuses(format!(
            "pull request {number} goes to {}, not to {branch}",
            code(&pull_request.base)
        )));
    }
    if parts.is_empty() {
        return Reason::holds(format!("the commit is the head of pull request {number}"));
    }
    Reason::of(format!("pull request {number}"), parts)
}

/// The stages, from reports that are read again now.
fn gates(sitting: &Sitting<'_>, subject: &Subject<'_>) -> (Reason, Vec<StageView>, Vec<Change>) {
    let stages = subject.service.stages_before(subject.environment);
    let (reports, changes) = match evidence::fresh_reports(sitting, subject.repository, subject.sha)
    {
        Ok(found) => found,
        Err(why) => {
            let says = format!("the reports about the commit could not be read again: {why}");
            return (Reason::unknown(says), Vec::new(), Vec::new());
        }
    };
    let app_of = |source: &Reporter| evidence::app_of(sitting, subject.repository, source);
    let views = gates::view(subject.service, stages, &reports, &app_of, sitting.now);
    let reason = if was_live(sitting, subject) {
        Reason::holds(format!(
            "the commit was live in **{}** before",
            subject.environment.name
        ))
    } else {
        Reason::of(
            format!("stages before **{}**", subject.environment.name),
            views.iter().map(StageView::reason).collect(),
        )
    };
    (reason, views, changes)
}

/// A rollback may go back to whatever was live by our own record.
fn was_live(sitting: &Sitting<'_>, subject: &Subject<'_>) -> bool {
    subject.kind == RequestKind::Rollback
        && sitting
            .history(subject.service, subject.environment)
            .iter()
            .any(|request| request.sha == *subject.sha)
}

/// Forward or back, compared with what is live.
fn direction<'a>(sitting: &Sitting<'a>, subject: &Subject<'_>) -> (Reason, Option<&'a Comparison>) {
    let name = &subject.environment.name;
    let Some(live) = sitting.live(subject.service, subject.environment) else {
        let reason = if subject.kind == RequestKind::Rollback {
            Reason::refuses(format!(
                "nothing is live in **{name}** that could be rolled back"
            ))
        } else {
            Reason::holds(format!(
                "nothing is live in **{name}** yet, as far as we know"
            ))
        };
        return (reason, None);
    };
    if live.sha == *subject.sha {
        let reason = Reason::refuses(format!("the commit is live in **{name}** already"));
        return (reason, None);
    }
    let compared = sitting.comparison(subject.repository, live.sha.as_str(), subject.sha.as_str());
    let comparison = match compared {
        Ok(comparison) => comparison,
        Err(why) => {
            let reason = Reason::unknown(format!(
                "how the commit relates to {}, which is live, could not be found out: {why}",
                code(live.sha.short())
            ));
            return (reason, None);
        }
    };
    let back = subject.kind == RequestKind::Rollback;
    let reason = match (comparison.relation, back) {
        (Relation::Ahead | Relation::Identical, false) => Reason::holds(format!(
            "{} commits newer than {}, which is live",
            comparison.commits.len(),
            code(live.sha.short())
        )),
        (Relation::Behind, false) => Reason::refuses(format!(
            "the commit is older than {}, which is live",
            code(live.sha.short())
        ))
        .help(format!(
            "Ask for it with `/rollback {name} {}`.",
            subject.sha
        )),
        (Relation::Diverged, false) => Reason::holds(format!(
            "the commit and {}, which is live, have parted ways",
            code(live.sha.short())
        )),
        (Relation::Behind | Relation::Diverged, true) => Reason::holds(format!(
            "the commit is older than {}, which is live",
            code(live.sha.short())
        )),
        (Relation::Ahead | Relation::Identical, true) => {
            Reason::refuses("the commit is newer than what is live, which is no rollback")
                .help(format!("Ask for it with `/deploy {name} {}`.", subject.sha))
        }
    };
    (reason, Some(comparison))
}

/// One deploy at a time.
fn alone(sitting: &Sitting<'_>, subject: &Subject<'_>) -> Reason {
    let name = &subject.environment.name;
    let mut parts = Vec::new();
    for other in sitting.open_requests(subject.service) {
        if other.environment != *name || Some(other.number) == subject.number {
            continue;
        }
        if other.is_waiting() && digests::is_outdated(sitting, &other) {
            continue;
        }
        if other.flight().is_some() {
            parts.push(
                Reason::refuses(format!(
                    "#{} releases {} there at this moment",
                    other.number,
                    code(other.sha.short())
                ))
                .help("Wait for its end."),
            );
        } else if other.sha == *subject.sha && subject.number.is_none() {
            parts.push(
                Reason::refuses(format!("#{} asks for this already", other.number))
                    .help(format!("Say `/approve #{}`.", other.number)),
            );
        } else if subject.number.is_none()
            && subject.kind != RequestKind::Rollback
            && is_newer(sitting, subject, &other)
        {
            parts.push(
                Reason::refuses(format!("#{} asks for a newer commit", other.number))
                    .help(format!("`/cancel #{}` withdraws it.", other.number)),
            );
        }
    }
    if parts.is_empty() {
        return Reason::holds(format!("no other release to **{name}** is under way"));
    }
    Reason::of(format!("other releases to **{name}**"), parts)
}

fn is_newer(sitting: &Sitting<'_>, subject: &Subject<'_>, other: &Request) -> bool {
    sitting
        .comparison(subject.repository, subject.sha.as_str(), other.sha.as_str())
        .is_ok_and(|comparison| comparison.relation == Relation::Ahead)
}

/// Who said yes, and who is still missing.
fn approvals(
    sitting: &Sitting<'_>,
    subject: &Subject<'_>,
    authors: &Authors,
) -> (Reason, Result<Quorum, Shortage>, Vec<(Account, String)>) {
    let environment = subject.environment;
    let nobody = Account {
        forge: subject.repository.id.forge(),
        id: 0,
        login: String::new(),
    };
    let requester = subject.requester.unwrap_or(&nobody);
    let mut counted = Vec::new();
    let mut parts = Vec::new();
    let mut void = Vec::new();
    for (person, at) in subject.given {
        let exclusion = people::exclusion(person, environment, authors, requester);
        match people::authorize(sitting, person, environment, subject.repository, exclusion) {
            Ok(authorized) => {
                let rules: Vec<String> = authorized.roles().values().cloned().collect();
                parts.push(Reason::holds(format!(
                    "{} said yes ({})",
                    code(&person.login),
                    rules.join("; ")
                )));
                counted.push(Approval::new(authorized, *at));
            }
            // What cannot be found out at this moment takes nobody's yes away for good.
            Err(why @ Unauthorized::Unclear(_)) => {
                parts.push(Reason::unknown(refusal(person, &why).1));
            }
            Err(why) => {
                let (_, says) = refusal(person, &why);
                parts.push(Reason::waits(format!(
                    "{says}: the approval does not count"
                )));
                void.push((person.clone(), says));
            }
        }
    }
    let quorum = Quorum::gather(counted, environment);
    let reason = match &quorum {
        Ok(_) => Reason {
            under: parts,
            ..Reason::holds("approved")
        },
        Err(shortage) => {
            for (role, count) in &shortage.missing {
                parts.push(Reason::waits(format!(
                    "missing: {count} × {}",
                    people::who(sitting, role)
                )));
            }
            Reason::of(
                format!("{} of {} approvals", shortage.filled, shortage.needed),
                parts,
            )
        }
    };
    (reason, quorum, void)
}
