//! One command: acknowledged at once, answered in the end, and never answered twice.

use crate::domain::command::{self, Command, Found};
use crate::domain::desk::asked::deploy::Wish;
use crate::domain::desk::known::{named, repositories};
use crate::domain::desk::sitting::{Sitting, misfit};
use crate::domain::desk::telling::answers::{self, Answer, thread, via};
use crate::domain::desk::telling::views;
use crate::domain::desk::{COMMAND_LIFETIME, Change, Outcome, links};
use crate::domain::reason::{Reason, Rule};
use crate::domain::text::text;
use crate::domain::{
    Action, Actor, Asked, Comment, Fact, Incoming, OnForge, Question, Reaction, Request,
    RequestKind, Service, Surface, Written,
};

pub(super) mod afterwards;
pub(super) mod approve;
pub(super) mod audit;
pub(super) mod back;
pub(crate) mod callers;
pub(super) mod close;
pub(super) mod deploy;
pub(super) mod show;

/// A command that starts something and arrives later than this must be said again.
const START_WITHIN: jiff::SignedDuration = jiff::SignedDuration::from_hours(12);

/// Takes a comment apart into its commands; everything else stays as it is.
pub fn unfold(incoming: Incoming) -> Vec<Incoming> {
    let Incoming::Comment(Comment {
        place,
        author,
        body,
    }) = incoming
    else {
        return vec![incoming];
    };
    let found = Command::all_in(&body);
    if found.is_empty() {
        return vec![Incoming::NotOurs("the comment holds no command".to_owned())];
    }
    let numbered = found.into_iter().enumerate();
    numbered
        .map(|(ordinal, found)| {
            Incoming::Command(Asked {
                repository: place.repository.clone(),
                origin: Surface::Comment(place.clone()),
                author: author.clone(),
                ordinal,
                found,
            })
        })
        .collect()
}

pub(crate) fn command(sitting: &Sitting<'_>, asked: &Asked) -> Outcome {
    let mut bound = Outcome::default();
    let services = repositories::services_at(sitting, &asked.repository, &mut bound);
    if services.as_ref().is_ok_and(Vec::is_empty) {
        return Outcome::ignored("no service lives in this repository");
    }
    if sitting.now.duration_since(asked.origin.said_at()) > COMMAND_LIFETIME {
        return Outcome::ignored("the comment was written too long ago");
    }
    let done = format!("done/{}", thread(asked));
    if sitting.was_remembered(&done) {
        return Outcome::ignored("the command was answered before");
    }
    let done = Change::Remember { token: done };
    let heard = match callers::listen(sitting, asked, services.as_ref().map(drop)) {
        Ok(heard) => heard,
        Err(mut outcome) => {
            outcome.changes.push(done);
            return outcome;
        }
    };
    let mut outcome = acknowledge(sitting, asked);
    outcome.changes.extend(heard.changes);
    outcome.entries.splice(0..0, heard.entries);
    outcome.changes.extend(bound.changes);
    outcome.changes.push(done);
    match services {
        Ok(_) if is_stale(sitting, asked) => {
            let hours = START_WITHIN.as_hours();
            let says = format!("it was written more than {hours} hours before it arrived");
            let reason = Reason::refuses(Rule::AGE, says);
            let reason = reason.help("Say it again, if it is still meant.");
            answers::refuse(sitting, asked, &reason, &mut outcome);
        }
        Ok(services) => {
            let services = named::shown_here(sitting, asked, services);
            let written = is_written(sitting, asked);
            match written {
                // Where that is asked, everything else is asked in the same round.
                Err(_) if !sitting.knows_all() => obey(sitting, asked, &services, &mut outcome),
                Ok(()) => obey(sitting, asked, &services, &mut outcome),
                Err(reason) => answers::refuse(sitting, asked, &reason, &mut outcome),
            }
        }
        Err(why) => {
            let reason = Reason::refuses(Rule::REPOSITORY, why);
            answers::refuse(sitting, asked, &reason, &mut outcome);
        }
    }
    outcome
}

/// Whether the forge shows the comment as it was told, where its deliveries do not prove that.
fn is_written(sitting: &Sitting<'_>, asked: &Asked) -> Result<(), Reason> {
    let Surface::Comment(place) = &asked.origin else {
        return Ok(());
    };
    let acts = asked.found.command.as_ref().is_ok_and(Command::releases);
    if !acts || place.repository.forge().signs_what_it_says() {
        return Ok(());
    }
    let question = Question::Comment {
        place: place.clone(),
    };
    let written = match sitting.fact(question) {
        Ok(Fact::Comment(written)) => written,
        Ok(other) => return Err(unread(&misfit(other))),
        Err(why) => return Err(unread(&why)),
    };
    let is_same = |written: &Written| {
        let said = Command::all_in(&written.body);
        let line = said.get(asked.ordinal).map(|found| &found.line);
        written.by == asked.author.id && line == Some(&asked.found.line)
    };
    if written.as_ref().is_some_and(is_same) {
        return Ok(());
    }
    let forge = place.repository.forge();
    let says = format!("{forge} does not show this comment, or shows another text or author");
    Err(Reason::refuses(Rule::COMMAND, says).help("Write it again."))
}

fn unread(why: &str) -> Reason {
    let says = format!("whether the comment was written could not be found out: {why}");
    Reason::unknown(Rule::COMMAND, says).help("Say it again in a minute.")
}

/// What starts something must be meant now; a delivery can be days late.
fn is_stale(sitting: &Sitting<'_>, asked: &Asked) -> bool {
    let starts = matches!(
        asked.found.command,
        Ok(Command::Deploy(_)
            | Command::Rollback(_)
            | Command::Retry(_)
            | Command::Approve(_)
            | Command::Unlock(_))
    );
    starts && sitting.now.duration_since(asked.origin.said_at()) > START_WITHIN
}

/// The command is remembered and its reaction leaves before more is asked of the forge than who its author is.
fn acknowledge(sitting: &Sitting<'_>, asked: &Asked) -> Outcome {
    let mut first = Outcome::default();
    let token = format!("received/{}", thread(asked));
    if sitting.was_remembered(&token) {
        return first;
    }
    first.changes.push(Change::Remember { token });
    let entry = sitting
        .entry(Action::CommandReceived, Actor::from(&asked.author))
        .with_private("command", asked.found.line.as_str())
        .with("repository", asked.repository.path.as_str());
    match &asked.origin {
        Surface::Comment(place) => {
            first.entries.push(
                entry
                    .with("pull_request", place.pull_request)
                    .with("comment", place.comment),
            );
            first.plan(
                format!("{}/comment/{}/eyes", place.repository.id, place.comment),
                OnForge::React {
                    place: place.clone(),
                    reaction: Reaction::Eyes,
                },
            );
        }
        // The chat has shown by its own means that it was received.
        Surface::Chat(spot) => first.entries.push(via(entry, spot)),
    }
    *sitting.first.borrow_mut() = first.clone();
    first
}

fn obey(sitting: &Sitting<'_>, asked: &Asked, services: &[&Service], outcome: &mut Outcome) {
    let Found { command, .. } = &asked.found;
    let command = match command {
        Ok(command) => command,
        Err(mistake) => {
            let reason = answers::misunderstood(mistake);
            return answers::refuse(sitting, asked, &reason, outcome);
        }
    };
    if let Some(part) = command.not_available_yet() {
        let says = text![part, " is not available in this version yet"];
        let reason = Reason::refuses(Rule::COMMAND, says);
        return answers::refuse(sitting, asked, &reason, outcome);
    }
    let done = match command {
        Command::Help(help) => {
            let text = match &help.command {
                Some(name) => command::help_for(name),
                None => command::help(),
            };
            answers::answer(asked, Answer::said(text), outcome);
            Ok(())
        }
        Command::Deploy(deploy) => named::place(
            sitting,
            asked,
            services,
            deploy.service.as_deref(),
            &deploy.environment,
        )
        .and_then(|place| {
            let wish = Wish {
                asked,
                place,
                meant: deploy::target(sitting, asked, place, deploy.target.as_ref())?,
                kind: RequestKind::Deploy,
                reason: deploy.reason.as_ref().map(ToString::to_string),
                is_dry: deploy.dry_run,
            };
            deploy::ask(sitting, &wish, outcome);
            Ok(())
        }),
        Command::Rollback(rollback) => named::place(
            sitting,
            asked,
            services,
            rollback.service.as_deref(),
            &rollback.environment,
        )
        .and_then(|place| back::roll_back(sitting, asked, place, rollback, outcome)),
        Command::Retry(retry) => back::retry(sitting, asked, services, retry, outcome),
        Command::Approve(approve) => named::waiting(
            sitting,
            asked,
            services,
            approve.request,
            Request::is_waiting,
        )
        .map(|request| approve::approve(sitting, asked, request, outcome)),
        Command::Reject(reject) => named::waiting(
            sitting,
            asked,
            services,
            reject.request,
            Request::is_waiting,
        )
        .and_then(|request| named::involved(sitting, asked, request))
        .map(|request| {
            let reason = reject.reason.as_ref().map(ToString::to_string);
            approve::reject(sitting, asked, request, reason.as_deref(), outcome);
        }),
        Command::Cancel(cancel) => {
            named::waiting(sitting, asked, services, cancel.request, |request| {
                request.ended().is_none()
            })
            .and_then(|request| named::involved(sitting, asked, request))
            .map(|request| {
                let reason = cancel.reason.as_ref().map(ToString::to_string);
                approve::cancel(sitting, asked, request, reason.as_deref(), outcome);
            })
        }
        Command::Lock(lock) => named::place(
            sitting,
            asked,
            services,
            lock.service.as_deref(),
            &lock.environment,
        )
        .and_then(|place| close::close(sitting, asked, place, lock, outcome)),
        Command::Unlock(unlock) => named::place(
            sitting,
            asked,
            services,
            unlock.service.as_deref(),
            &unlock.environment,
        )
        .and_then(|place| close::open(sitting, asked, place, outcome)),
        Command::Status(status) => show::status(sitting, asked, services, status).map(|view| {
            answers::answer(asked, Answer::said(views::status(&view)), outcome);
        }),
        Command::Why(why) => named::place(
            sitting,
            asked,
            services,
            why.service.as_deref(),
            &why.environment,
        )
        .and_then(|place| show::explain(sitting, asked, place, why.target.as_ref()))
        .map(|view| answers::answer(asked, Answer::said(views::examined(&view)), outcome)),
        Command::Who(who) => named::place(
            sitting,
            asked,
            services,
            who.service.as_deref(),
            &who.environment,
        )
        .map(|place| {
            let people = views::people(&show::who_can(sitting, place));
            answers::answer(asked, Answer::said(people), outcome);
        }),
        Command::Audit(audit) => audit::audit(sitting, asked, services, audit).map(|text| {
            answers::answer(asked, Answer::said(text), outcome);
        }),
        Command::Link(link) => links::claim(sitting, asked, link, outcome),
        Command::Unlink => {
            links::unlink_account(sitting, asked, outcome);
            Ok(())
        }
    };
    if let Err(reason) = done {
        answers::refuse(sitting, asked, &reason, outcome);
    }
}
