//! Wishes for a release. A deploy, a rollback and a retry differ in what they ask for; they pass the same examination.

use crate::domain::command::Target as Wanted;
use crate::domain::desk::examine::{self, Examined, Subject};
use crate::domain::desk::known::digests::{self, POLICY_CHANGED};
use crate::domain::desk::known::named;
use crate::domain::desk::known::people::{self, refusal};
use crate::domain::desk::release::{self, ends};
use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::telling::answers::{self, Answer, thread};
use crate::domain::desk::telling::pages;
use crate::domain::desk::{Change, Outcome, candidates};
use crate::domain::reason::{Reason, Verdict, code};
use crate::domain::{
    Account, Action, Actor, Asked, Due, Ended, Environment, Given, Look, Origin, PolicyDigest,
    Relation, Repository, Request, RequestKind, Service, Sha, State, StatusState,
};

/// What somebody asks to release.
pub(crate) struct Wish<'w> {
    pub(crate) asked: &'w Asked,
    pub(crate) service: &'w Service,
    pub(crate) environment: &'w Environment,
    pub(crate) sha: Sha,
    pub(crate) open_head: Option<u64>,
    pub(crate) kind: RequestKind,
    pub(crate) reason: Option<String>,
    pub(crate) is_dry: bool,
}

/// The commit that a command means: in a comment the pull request's, in a chat the newest that is ready.
pub(crate) fn target(
    sitting: &Sitting<'_>,
    asked: &Asked,
    (service, environment): (&Service, &Environment),
    wanted: Option<&Wanted>,
) -> Result<(Sha, Option<u64>), Reason> {
    let repository = &asked.repository;
    let number = match wanted {
        Some(Wanted::Sha(sha)) => return Ok((sha.clone(), None)),
        Some(Wanted::Short(short)) => {
            return match sitting.commit(repository, short) {
                Ok(commit) if commit.sha.as_str().starts_with(short.as_str()) => {
                    Ok((commit.sha.clone(), None))
                }
                // A branch or a tag can have any name.
                Ok(commit) => Err(Reason::refuses(format!(
                    "{} names {}, whose id does not begin so",
                    code(short),
                    code(commit.sha.as_str())
                ))
                .help("Write the whole id.")),
                Err(why) => Err(Reason::unknown(format!(
                    "which commit {} is could not be found out: {why}",
                    code(short)
                ))),
            };
        }
        Some(Wanted::PullRequest(number)) => *number,
        None => match &asked.origin {
            Origin::Comment(place) => place.pull_request,
            Origin::Chat(_) => {
                return newest_ready(sitting, service, environment).map(|sha| (sha, None));
            }
        },
    };
    match sitting.pull_request(repository, number) {
        Ok(pull_request) => match &pull_request.merged {
            Some(merged) => Ok((merged.clone(), None)),
            None => Ok((pull_request.head.clone(), Some(number))),
        },
        Err(why) => Err(Reason::unknown(format!(
            "pull request {number} could not be read: {why}"
        ))),
    }
}

/// The newest commit that passed every stage before the environment.
fn newest_ready(
    sitting: &Sitting<'_>,
    service: &Service,
    environment: &Environment,
) -> Result<Sha, Reason> {
    let newest = sitting.candidates(Look::Newest {
        service: service.name.clone(),
    });
    let ready = newest
        .into_iter()
        .find(|candidate| candidates::is_ready(service, environment, &candidate.marks));
    ready.map(|candidate| candidate.sha).ok_or_else(|| {
        Reason::refuses(format!(
            "no commit of {} is ready for **{}**",
            service.name, environment.name
        ))
        .help(format!(
            "`/why {} SHA` explains what one misses.",
            environment.name
        ))
    })
}

fn subject<'w>(wish: &'w Wish<'w>, given: &'w [(Account, jiff::Timestamp)]) -> Subject<'w> {
    Subject {
        service: wish.service,
        environment: wish.environment,
        repository: &wish.asked.repository,
        sha: &wish.sha,
        kind: wish.kind,
        open_head: wish.open_head,
        requester: Some(&wish.asked.author),
        given,
        number: None,
    }
}

/// Whether the person who asks belongs to those who release, whether or not their own yes counts.
fn may_ask(
    sitting: &Sitting<'_>,
    person: &Account,
    environment: &Environment,
    at: &Repository,
) -> Reason {
    match people::authorize(sitting, person, environment, at, None) {
        Ok(authorized) => {
            let roles: Vec<String> = authorized
                .roles()
                .keys()
                .map(|role| code(role.as_str()))
                .collect();
            Reason::holds(format!("{} is {}", code(&person.login), roles.join(", ")))
        }
        Err(why) => {
            let (is_unclear, says) = refusal(person, &why);
            let mark = if is_unclear {
                Verdict::Unknown
            } else {
                Verdict::Refuses
            };
            Reason::new(mark, says).help(format!(
                "These can: {}.",
                people::helpers(sitting, environment)
            ))
        }
    }
}

/// Somebody asks for a release.
pub(crate) fn ask(sitting: &Sitting<'_>, wish: &Wish<'_>, outcome: &mut Outcome) {
    let author = &wish.asked.author;
    let repository = &wish.asked.repository;
    let given = [(author.clone(), sitting.now)];
    // The request itself is a yes, where the policy lets its maker say one.
    let mut examined = examine::examine(sitting, &subject(wish, &given));
    let excluded = !examined.void.is_empty();
    // Whoever asks and counts for nothing wants to know why.
    let note = examined.void.first();
    let note = note.map(|(_, why)| format!("{why}: asking was no approval."));
    if excluded {
        examined = examine::examine(sitting, &subject(wish, &[]));
    }
    examined
        .tree
        .under
        .insert(0, may_ask(sitting, author, wish.environment, repository));
    examined.tree = Reason::of(examined.tree.says.clone(), examined.tree.under.clone());
    outcome.changes.extend(examined.changes.iter().cloned());
    if wish.is_dry {
        return answer_dry(wish, &examined, outcome);
    }
    let policy = digests::digest(sitting, wish.service, wish.environment);
    let Some(policy) = policy.filter(|_| examined.is_clear()) else {
        return refuse_wish(sitting, wish, &examined, outcome);
    };
    let number = sitting.next_number();
    let mut request = new_request(sitting, wish, number, policy);
    outcome.entries.push(
        sitting
            .about_by(&request, Action::Requested, author)
            .with("kind", kind(wish.kind))
            .with("evidence", examined.evidence.clone()),
    );
    if !excluded
        && let Ok(authorized) =
            people::authorize(sitting, author, wish.environment, repository, None)
    {
        request
            .given
            .push(given_by(sitting, wish.asked, &request, &authorized));
        outcome.entries.push(
            sitting
                .about_by(&request, Action::Approved, author)
                .with("evidence", examined.evidence.clone()),
        );
    }
    supersede_older(sitting, wish, outcome);
    outcome.changes.push(Change::Timer {
        due: Due::Expiry {
            service: request.service.clone(),
            request: number,
        },
        repository: repository.id,
        at: request.expires_at,
    });
    go_or_wait(sitting, request, (&examined, note.as_deref()), outcome);
}

fn new_request(
    sitting: &Sitting<'_>,
    wish: &Wish<'_>,
    number: u64,
    policy: &PolicyDigest,
) -> Request {
    let expires_at = sitting
        .now
        .checked_add(wish.environment.expires.as_duration())
        .unwrap_or(jiff::Timestamp::MAX);
    Request {
        number,
        service: wish.service.name.clone(),
        environment: wish.environment.name.clone(),
        repository: wish.asked.repository.clone(),
        sha: wish.sha.clone(),
        kind: wish.kind,
        by: wish.asked.author.clone(),
        reason: wish.reason.clone(),
        origin: wish.asked.origin.clone(),
        thread: thread(wish.asked),
        open_head: wish.open_head,
        policy: policy.to_string(),
        opened_at: sitting.now,
        expires_at,
        given: Vec::new(),
        state: State::Waiting,
    }
}

pub(crate) fn given_by(
    sitting: &Sitting<'_>,
    asked: &Asked,
    request: &Request,
    authorized: &crate::domain::Authorized,
) -> Given {
    Given {
        by: authorized.person().clone(),
        at: sitting.now,
        roles: authorized.roles().keys().cloned().collect(),
        sha: request.sha.clone(),
        policy: request.policy.clone(),
        comment: asked.origin.comment().map(|place| place.comment),
    }
}

/// With a quorum it departs, else it waits and says for whom, and what else there is to say.
pub(crate) fn go_or_wait(
    sitting: &Sitting<'_>,
    request: Request,
    (examined, note): (&Examined, Option<&str>),
    outcome: &mut Outcome,
) {
    match &examined.quorum {
        Ok(quorum) => {
            let Some((service, environment)) = named::configured(sitting, &request) else {
                return;
            };
            release::depart(
                sitting,
                request,
                (quorum, examined),
                (service, environment),
                outcome,
            );
        }
        Err(_) => {
            pages::say_request_noting(sitting, &request, (None, note), outcome);
            pages::show(
                sitting,
                &request,
                StatusState::Pending,
                "waiting for approval",
                outcome,
            );
            outcome.changes.push(Change::Request(Box::new(request)));
        }
    }
}

/// Older commits that wait for the same environment give way, and so does what an older policy let in.
fn supersede_older(sitting: &Sitting<'_>, wish: &Wish<'_>, outcome: &mut Outcome) {
    for older in sitting.open_requests(wish.service) {
        if !older.is_waiting() || older.environment != wish.environment.name {
            continue;
        }
        if digests::is_outdated(sitting, &older) {
            ends::end(sitting, older, Ended::Voided, POLICY_CHANGED, outcome);
            continue;
        }
        let is_back = [older.kind, wish.kind].contains(&RequestKind::Rollback);
        if older.sha == wish.sha || is_back {
            continue;
        }
        let compared = sitting.comparison(
            &wish.asked.repository,
            wish.sha.as_str(),
            older.sha.as_str(),
        );
        if compared.is_ok_and(|found| found.relation == Relation::Behind) {
            let why = format!("{} was asked for, which is newer", wish.sha);
            ends::end(sitting, older, Ended::Superseded, &why, outcome);
        }
    }
}

fn answer_dry(wish: &Wish<'_>, examined: &Examined, outcome: &mut Outcome) {
    let verdict = if examined.is_clear() {
        "it would be accepted"
    } else {
        "it would be refused"
    };
    let text = format!(
        "**Dry run**: {} → **{}** at {}: {verdict}.\n\n{}",
        wish.service.name,
        wish.environment.name,
        wish.sha,
        examined.tree.render()
    );
    answers::answer(wish.asked, Answer::said(text), outcome);
}

fn refuse_wish(sitting: &Sitting<'_>, wish: &Wish<'_>, examined: &Examined, outcome: &mut Outcome) {
    let text = format!(
        "**Refused**: {} → **{}** at {}\n\n{}",
        wish.service.name,
        wish.environment.name,
        wish.sha,
        examined.tree.render()
    );
    let entry = sitting
        .entry(Action::Refused, Actor::person(&wish.asked.author))
        .with("service", wish.service.name.as_str())
        .with("environment", wish.environment.name.as_str())
        .with("sha", wish.sha.as_str())
        .with("evidence", examined.evidence.clone());
    outcome.entries.push(entry);
    answers::answer(wish.asked, Answer::refused(text), outcome);
}

fn kind(kind: RequestKind) -> String {
    match kind {
        RequestKind::Deploy => "deploy".to_owned(),
        RequestKind::Rollback => "rollback".to_owned(),
        RequestKind::Retry { of } => format!("retry of #{of}"),
    }
}
