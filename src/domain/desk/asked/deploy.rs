//! Wishes for a release. A deploy, a rollback and a retry differ in what they ask for; they pass the same examination.

use crate::domain::command::Target as Wanted;
use crate::domain::desk::examine::{self, Examined, Subject};
use crate::domain::desk::known::destination::Destination;
use crate::domain::desk::known::digests;
use crate::domain::desk::known::named;
use crate::domain::desk::known::people;
use crate::domain::desk::release::{self, ends, runs};
use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::telling::answers::{self, Answer, thread};
use crate::domain::desk::telling::pages;
use crate::domain::desk::{Change, Outcome, candidates};
use crate::domain::reason::{Reason, Rule};
use crate::domain::text::{Message, Text, code, command, commit, strong, text, ticked};
use crate::domain::{
    Account, Action, Actor, Asked, Due, Ended, Given, PolicyDigest, Relation, Repository, Request,
    RequestKind, Sha, State, StatusState, Surface,
};

/// What the requester asks to release.
pub(crate) struct Wish<'w> {
    pub(crate) asked: &'w Asked,
    pub(crate) place: Destination<'w>,
    pub(crate) meant: Meant,
    pub(crate) kind: RequestKind,
    pub(crate) reason: Option<String>,
    pub(crate) is_dry: bool,
}

/// The commit that a command means.
pub(crate) struct Meant {
    pub(crate) sha: Sha,
    /// The open pull request whose head it is.
    pub(crate) open_head: Option<u64>,
}

impl From<Sha> for Meant {
    fn from(sha: Sha) -> Self {
        Self {
            sha,
            open_head: None,
        }
    }
}

/// The commit that a command means: in a comment the pull request's, in a chat the newest that is ready.
pub(crate) fn target(
    sitting: &Sitting<'_>,
    asked: &Asked,
    place: Destination<'_>,
    wanted: Option<&Wanted>,
) -> Result<Meant, Reason> {
    let repository = &asked.repository;
    let number = match wanted {
        Some(Wanted::Sha(sha)) => return Ok(sha.clone().into()),
        Some(Wanted::Short(short)) => return unfolded(sitting, repository, short),
        Some(Wanted::PullRequest(number)) => *number,
        None => match &asked.origin {
            Surface::Comment(place) => place.pull_request,
            Surface::Chat(_) => return newest_ready(sitting, place).map(Meant::from),
        },
    };
    match sitting.pull_request(repository, number) {
        Ok(pull_request) => Ok(match &pull_request.merged {
            Some(merged) => merged.clone().into(),
            None => Meant {
                sha: pull_request.head.clone(),
                open_head: Some(number),
            },
        }),
        Err(why) => Err(Reason::unknown(
            Rule::COMMAND,
            format!("pull request {number} could not be read: {why}"),
        )),
    }
}

/// The commit whose id begins so.
fn unfolded(sitting: &Sitting<'_>, repository: &Repository, short: &str) -> Result<Meant, Reason> {
    match sitting.commit(repository, short) {
        Ok(found) if found.sha.as_str().starts_with(short) => Ok(found.sha.clone().into()),
        // A branch or a tag can have any name.
        Ok(found) => {
            let says = text![
                code(short),
                " names ",
                commit(found.sha.as_str()),
                ", whose id does not begin so"
            ];
            Err(Reason::refuses(Rule::COMMAND, says).help("Write the whole id."))
        }
        Err(why) => {
            let why = format!(" is could not be found out: {why}");
            let says = text!["which commit ", code(short), why];
            Err(Reason::unknown(Rule::COMMAND, says))
        }
    }
}

/// The newest commit that passed every stage before the environment.
fn newest_ready(sitting: &Sitting<'_>, place: Destination<'_>) -> Result<Sha, Reason> {
    let (service, environment) = (place.service, place.environment);
    let newest = sitting.newest(service);
    let ready = newest
        .into_iter()
        .find(|candidate| candidates::is_ready(service, environment, &candidate.marks));
    ready.map(|candidate| candidate.sha).ok_or_else(|| {
        let says = text![
            format!("no commit of {} is ready for ", service.name),
            place.name()
        ];
        let why = command(format!("/why {} SHA", environment.name));
        Reason::refuses(Rule::STAGES, says).help(text![why, " explains what one misses."])
    })
}

fn subject<'w>(wish: &'w Wish<'w>, given: &'w [(Account, jiff::Timestamp)]) -> Subject<'w> {
    Subject {
        place: wish.place,
        repository: &wish.asked.repository,
        sha: &wish.meant.sha,
        kind: wish.kind,
        open_head: wish.meant.open_head,
        requester: Some(&wish.asked.author),
        given,
        number: None,
    }
}

/// A person asks for a release.
pub(crate) fn ask(sitting: &Sitting<'_>, wish: &Wish<'_>, outcome: &mut Outcome) {
    let author = &wish.asked.author;
    let repository = &wish.asked.repository;
    let given = [(author.clone(), sitting.now)];
    // The request itself is a yes, where the policy lets its maker say one.
    let mut examined = examine::examine(sitting, &subject(wish, &given));
    let excluded = !examined.void.is_empty();
    // A requester whose yes does not count wants to know why.
    let note = examined.void.first();
    let note = note.map(|(_, why)| text![why, ": the request does not count as an approval."]);
    if excluded {
        examined = examine::examine(sitting, &subject(wish, &[]));
    }
    outcome.changes.extend(examined.changes.iter().cloned());
    if wish.is_dry {
        return answer_dry(wish, &examined, outcome);
    }
    let policy = digests::digest(sitting, wish.place);
    let Some(policy) = policy.filter(|_| examined.is_clear()) else {
        return refuse_wish(sitting, wish, &examined, outcome);
    };
    // What leaving needs is asked before, because a number cannot be given back.
    let trigger = &wish.place.environment.trigger;
    let _run = runs::waiting_run(sitting, (repository, &wish.meant.sha), trigger);
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
            people::authorize(sitting, author, wish.place.environment, repository, None)
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
    go_or_wait(sitting, request, &examined, note.as_ref(), outcome);
}

fn new_request(
    sitting: &Sitting<'_>,
    wish: &Wish<'_>,
    number: u64,
    policy: &PolicyDigest,
) -> Request {
    let expires_at = sitting
        .now
        .checked_add(wish.place.environment.expires.as_duration())
        .unwrap_or(jiff::Timestamp::MAX);
    Request {
        number,
        service: wish.place.service.name.clone(),
        environment: wish.place.environment.name.clone(),
        repository: wish.asked.repository.clone(),
        sha: wish.meant.sha.clone(),
        kind: wish.kind,
        by: wish.asked.author.clone(),
        reason: wish.reason.clone(),
        origin: wish.asked.origin.clone(),
        thread: thread(wish.asked),
        open_head: wish.meant.open_head,
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
    examined: &Examined,
    note: Option<&Text>,
    outcome: &mut Outcome,
) {
    match &examined.quorum {
        Ok(quorum) => {
            if let Some(place) = named::configured(sitting, &request) {
                release::depart(sitting, request, (quorum, examined), place, outcome);
            }
        }
        Err(_) => {
            pages::say_request_noting(sitting, &request, None, note, outcome);
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
    for older in sitting.open_requests(wish.place.service) {
        if !older.is_waiting() || older.environment != wish.place.environment.name {
            continue;
        }
        if digests::is_outdated(sitting, &older) {
            let why = ticked(digests::what_changed(sitting, &older));
            ends::end(sitting, older, Ended::Voided, why, outcome);
            continue;
        }
        let is_back = [older.kind, wish.kind].contains(&RequestKind::Rollback);
        if older.sha == wish.meant.sha || is_back {
            continue;
        }
        let compared = sitting.comparison(
            &wish.asked.repository,
            wish.meant.sha.as_str(),
            older.sha.as_str(),
        );
        if compared.is_ok_and(|found| found.relation == Relation::Behind) {
            let newer = commit(wish.meant.sha.as_str());
            let why = text![newer, " was asked for, which is newer"];
            ends::end(sitting, older, Ended::Superseded, why, outcome);
        }
    }
}

fn answer_dry(wish: &Wish<'_>, examined: &Examined, outcome: &mut Outcome) {
    let verdict = if examined.is_clear() {
        "it would be accepted"
    } else {
        "it would be refused"
    };
    let mut text = Message::from(text![
        strong("Dry run"),
        ": ",
        wish.place.at(&wish.meant.sha),
        format!(": {verdict}.")
    ]);
    text.append(examined.tree.parts());
    answers::answer(wish.asked, Answer::said(text), outcome);
}

fn refuse_wish(sitting: &Sitting<'_>, wish: &Wish<'_>, examined: &Examined, outcome: &mut Outcome) {
    let about = text![": ", wish.place.at(&wish.meant.sha)];
    let refused = Answer::refused_because(about, examined.tree.parts());
    let entry = sitting
        .entry(Action::Refused, Actor::from(&wish.asked.author))
        .with("service", wish.place.service.name.as_str())
        .with("environment", wish.place.environment.name.as_str())
        .with("sha", wish.meant.sha.as_str())
        .with("evidence", examined.evidence.clone());
    outcome.entries.push(entry);
    answers::answer(wish.asked, refused, outcome);
}

fn kind(kind: RequestKind) -> String {
    match kind {
        RequestKind::Deploy => "deploy".to_owned(),
        RequestKind::Rollback => "rollback".to_owned(),
        RequestKind::Retry { of } => format!("retry of #{of}"),
    }
}
