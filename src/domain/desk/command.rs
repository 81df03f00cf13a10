//! One command of a comment: acknowledged at once, answered in the end, and never answered twice.

use super::deploy::Wish;
use super::{COMMAND_LIFETIME, Change, Desk, Outcome};
use crate::domain::command::as_written_on;
use crate::domain::command::{self, Command, Found};
use crate::domain::reason::{Reason, code};
use crate::domain::{
    Action, Actor, Asked, Comment, Effect, Ended, Entry, Environment, Incoming, Origin, Reaction,
    Request, RequestKind, Service, Sha, Spot,
};

/// A command that starts something and arrives later than this must be said again.
const START_WITHIN: jiff::SignedDuration = jiff::SignedDuration::from_hours(12);

/// What a person reads, and the reaction that goes with it.
pub(super) struct Answer {
    text: String,
    reaction: Option<Reaction>,
}

impl Answer {
    pub(super) fn said(text: String) -> Self {
        Self {
            text,
            reaction: None,
        }
    }

    pub(super) fn refused(text: String) -> Self {
        Self {
            text,
            reaction: Some(Reaction::Confused),
        }
    }
}

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
                origin: Origin::Comment(place.clone()),
                author: author.clone(),
                ordinal,
                found,
            })
        })
        .collect()
}

/// Names the conversation about a command.
pub(super) fn thread(asked: &Asked) -> String {
    match &asked.origin {
        Origin::Comment(place) => format!(
            "{}/comment/{}/{}",
            place.repository.id, place.comment, asked.ordinal
        ),
        Origin::Chat(spot) => format!(
            "{}/{}/{}",
            spot.speaker.chat.as_str(),
            spot.speaker.tenant,
            spot.id
        ),
    }
}

impl Desk<'_> {
    pub(super) fn command(&self, asked: &Asked) -> Outcome {
        let mut bound = Outcome::default();
        let services = self.services_at(&asked.repository, &mut bound);
        if services.as_ref().is_ok_and(Vec::is_empty) {
            return Outcome::ignored("no service lives in this repository");
        }
        if self.now.duration_since(asked.origin.said_at()) > COMMAND_LIFETIME {
            return Outcome::ignored("the comment was written too long ago");
        }
        let done = format!("done/{}", thread(asked));
        if self.was_remembered(&done) {
            return Outcome::ignored("the command was answered before");
        }
        let mut outcome = self.acknowledge(asked);
        outcome.changes.extend(bound.changes);
        outcome.changes.push(Change::Remember { token: done });
        match services {
            Ok(_) if self.is_stale(asked) => {
                let hours = START_WITHIN.as_hours();
                let says = format!("it was written more than {hours} hours before it arrived");
                let reason = Reason::refuses(says).help("Say it again, if it is still meant.");
                self.refuse(asked, reason, &mut outcome);
            }
            Ok(services) => {
                let services = self.shown_here(asked, services);
                self.obey(asked, &services, &mut outcome);
            }
            Err(why) => self.refuse(asked, Reason::refuses(why), &mut outcome),
        }
        outcome
    }

    /// What starts something must be meant now; a delivery can be days late.
    fn is_stale(&self, asked: &Asked) -> bool {
        let starts = matches!(
            asked.found.command,
            Ok(Command::Deploy(_)
                | Command::Rollback(_)
                | Command::Retry(_)
                | Command::Approve(_)
                | Command::Unlock(_))
        );
        starts && self.now.duration_since(asked.origin.said_at()) > START_WITHIN
    }

    /// The command is remembered and its reaction leaves before anything is asked of the forge.
    fn acknowledge(&self, asked: &Asked) -> Outcome {
        let mut first = Outcome::default();
        let token = format!("received/{}", thread(asked));
        if self.was_remembered(&token) {
            return first;
        }
        first.changes.push(Change::Remember { token });
        let entry = self
            .entry(Action::CommandReceived, Actor::person(&asked.author))
            .with_private("command", asked.found.line.as_str())
            .with("repository", asked.repository.path.as_str());
        match &asked.origin {
            Origin::Comment(place) => {
                first.entries.push(
                    entry
                        .with("pull_request", place.pull_request)
                        .with("comment", place.comment),
                );
                first.plan(
                    format!("{}/comment/{}/eyes", place.repository.id, place.comment),
                    Effect::React {
                        place: place.clone(),
                        reaction: Reaction::Eyes,
                    },
                );
            }
            // The chat has shown by its own means that it was received.
            Origin::Chat(spot) => first.entries.push(via(entry, spot)),
        }
        self.first.replace(first.clone());
        first
    }

    fn obey(&self, asked: &Asked, services: &[&Service], outcome: &mut Outcome) {
        let Found { command, .. } = &asked.found;
        let command = match command {
            Ok(command) => command,
            Err(mistake) => {
                let reason = Reason::refuses(mistake.says.clone())
                    .help(format!("Say it like this: {}", code(&mistake.usage)));
                return self.refuse(asked, reason, outcome);
            }
        };
        if let Some(part) = command.not_available_yet() {
            let reason = Reason::refuses(format!("{part} is not available in this version yet"));
            return self.refuse(asked, reason, outcome);
        }
        let done = match command {
            Command::Help(help) => {
                let text = match &help.command {
                    Some(name) => command::help_for(name),
                    None => command::help(),
                };
                self.answer(asked, Answer::said(text), outcome);
                Ok(())
            }
            Command::Deploy(deploy) => self
                .place(
                    asked,
                    services,
                    deploy.service.as_deref(),
                    &deploy.environment,
                )
                .and_then(|(service, environment)| {
                    let (sha, open_head) =
                        self.target(asked, (service, environment), deploy.target.as_ref())?;
                    let wish = Wish {
                        asked,
                        service,
                        environment,
                        sha,
                        open_head,
                        kind: RequestKind::Deploy,
                        reason: deploy.reason.as_ref().map(ToString::to_string),
                        is_dry: deploy.dry_run,
                    };
                    self.ask(&wish, outcome);
                    Ok(())
                }),
            Command::Rollback(rollback) => self
                .place(
                    asked,
                    services,
                    rollback.service.as_deref(),
                    &rollback.environment,
                )
                .and_then(|(service, environment)| {
                    self.roll_back(asked, (service, environment), rollback, outcome)
                }),
            Command::Retry(retry) => self.retry(asked, services, retry, outcome),
            Command::Approve(approve) => self
                .waiting(asked, services, approve.request, Request::is_waiting)
                .map(|request| self.approve(asked, request, outcome)),
            Command::Reject(reject) => self
                .waiting(asked, services, reject.request, Request::is_waiting)
                .and_then(|request| self.involved(asked, request))
                .map(|request| {
                    let reason = reject.reason.as_ref().map(ToString::to_string);
                    self.reject(asked, request, reason.as_deref(), outcome);
                }),
            Command::Cancel(cancel) => self
                .waiting(asked, services, cancel.request, |request| {
                    request.ended().is_none()
                })
                .and_then(|request| self.involved(asked, request))
                .map(|request| {
                    let reason = cancel.reason.as_ref().map(ToString::to_string);
                    self.cancel(asked, request, reason.as_deref(), outcome);
                }),
            Command::Lock(lock) => self
                .place(asked, services, lock.service.as_deref(), &lock.environment)
                .and_then(|place| self.close(asked, place, lock, outcome)),
            Command::Unlock(unlock) => self
                .place(
                    asked,
                    services,
                    unlock.service.as_deref(),
                    &unlock.environment,
                )
                .and_then(|place| self.open(asked, place, outcome)),
            Command::Status(status) => self.status(asked, services, status).map(|text| {
                self.answer(asked, Answer::said(text), outcome);
            }),
            Command::Why(why) => self
                .place(asked, services, why.service.as_deref(), &why.environment)
                .and_then(|place| self.explain(asked, place, why.target.as_ref()))
                .map(|text| self.answer(asked, Answer::said(text), outcome)),
            Command::Who(who) => self
                .place(asked, services, who.service.as_deref(), &who.environment)
                .map(|place| {
                    self.answer(asked, Answer::said(self.who_can(place)), outcome);
                }),
            Command::Audit(audit) => self.audit(asked, services, audit).map(|text| {
                self.answer(asked, Answer::said(text), outcome);
            }),
            Command::Link(link) => self.claim(asked, link, outcome),
            Command::Unlink => {
                self.unlink_account(asked, outcome);
                Ok(())
            }
        };
        if let Err(reason) = done {
            self.refuse(asked, reason, outcome);
        }
    }

    /// Answers a command that led to no request.
    pub(super) fn answer(&self, asked: &Asked, answer: Answer, outcome: &mut Outcome) {
        let thread = thread(asked);
        match &asked.origin {
            Origin::Comment(place) => {
                outcome.plan(
                    format!("{thread}/say"),
                    Effect::Say {
                        place: place.clone(),
                        thread: thread.clone(),
                        text: as_written_on(place.repository.forge(), answer.text),
                    },
                );
                if let Some(reaction) = answer.reaction {
                    outcome.plan(
                        format!("{thread}/{}", reaction.as_str()),
                        Effect::React {
                            place: place.clone(),
                            reaction,
                        },
                    );
                }
            }
            Origin::Chat(spot) => outcome.plan(
                format!("{thread}/reply"),
                Effect::Reply {
                    spot: spot.clone(),
                    text: answer.text,
                    buttons: Vec::new(),
                },
            ),
        }
    }

    pub(super) fn refuse(&self, asked: &Asked, reason: Reason, outcome: &mut Outcome) {
        outcome.entries.push(
            self.entry(Action::Refused, Actor::person(&asked.author))
                .with_private("command", asked.found.line.as_str())
                .with_private("why", reason.detail()),
        );
        let text = format!("**Refused**\n\n{}", Reason::of("", vec![reason]).render());
        self.answer(asked, Answer::refused(text), outcome);
    }

    fn roll_back(
        &self,
        asked: &Asked,
        (service, environment): (&Service, &Environment),
        rollback: &command::Rollback,
        outcome: &mut Outcome,
    ) -> Result<(), Reason> {
        let sha = match &rollback.target {
            Some(target) => self.target(asked, (service, environment), Some(target))?.0,
            None => match self.before_live(service, environment) {
                Some(sha) => sha,
                None => {
                    return Err(Reason::refuses(format!(
                        "nothing else was released to **{}** from here before",
                        environment.name
                    ))
                    .help(format!(
                        "Name a commit: `/rollback {} SHA`.",
                        environment.name
                    )));
                }
            },
        };
        let wish = Wish {
            asked,
            service,
            environment,
            sha,
            open_head: None,
            kind: RequestKind::Rollback,
            reason: rollback.reason.as_ref().map(ToString::to_string),
            is_dry: rollback.dry_run,
        };
        self.ask(&wish, outcome);
        Ok(())
    }

    /// What was live before what is live now was released for the first time.
    fn before_live(&self, service: &Service, environment: &Environment) -> Option<Sha> {
        let live = self.live(service, environment)?;
        let history = self.history(service, environment);
        let first = history
            .iter()
            .rposition(|request| request.sha == live.sha)
            .map_or(0, |oldest| oldest + 1);
        let mut older = history.into_iter().skip(first);
        older
            .find(|request| request.sha != live.sha)
            .map(|request| request.sha)
    }

    fn retry(
        &self,
        asked: &Asked,
        services: &[&Service],
        retry: &command::Retry,
        outcome: &mut Outcome,
    ) -> Result<(), Reason> {
        let Some(number) = retry.request else {
            return Err(Reason::refuses("which request?").help("Say `/retry #N`."));
        };
        let is_over = |request: &Request| {
            request
                .ended()
                .is_some_and(|how| how != Ended::Succeeded && how != Ended::Superseded)
        };
        let request = self.waiting(asked, services, Some(number), is_over)?;
        let Some((service, environment)) = self.configured(&request) else {
            return Err(Reason::refuses(format!(
                "what #{number} asked for is not configured any more"
            )));
        };
        let kind = match request.kind {
            RequestKind::Rollback => RequestKind::Rollback,
            RequestKind::Deploy | RequestKind::Retry { .. } => RequestKind::Retry { of: number },
        };
        let wish = Wish {
            asked,
            service,
            environment,
            sha: request.sha.clone(),
            open_head: request.open_head,
            kind,
            reason: request.reason.clone(),
            is_dry: retry.dry_run,
        };
        self.ask(&wish, outcome);
        Ok(())
    }
}

/// An entry about what was said in a chat says so.
pub(super) fn via(entry: Entry, spot: &Spot) -> Entry {
    entry
        .with_speaker(&spot.speaker)
        .with("channel", spot.channel.as_str())
}

pub(super) fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut names: Vec<String> = names.map(code).collect();
    names.dedup();
    names.join(", ")
}
