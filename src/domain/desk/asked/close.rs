//! Locks: closing and opening an environment.

use crate::domain::command::Lock as Wanted;
use crate::domain::desk::known::destination::Destination;
use crate::domain::desk::known::named;
use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::telling::answers::{self, Answer};
use crate::domain::desk::{Change, Outcome};
use crate::domain::reason::{Reason, Rule};
use crate::domain::text::{code, command, strong, text};
use crate::domain::{Action, Actor, Asked, Lock};

pub(crate) fn close(
    sitting: &Sitting<'_>,
    asked: &Asked,
    place: Destination<'_>,
    lock: &Wanted,
    outcome: &mut Outcome,
) -> Result<(), Reason> {
    let Destination {
        service,
        environment,
    } = place;
    named::member(sitting, asked, environment)?;
    let until = lock.lasts.map(|lasts| {
        sitting
            .now
            .checked_add(lasts.as_duration())
            .unwrap_or(jiff::Timestamp::MAX)
    });
    let lock = Lock {
        service: service.name.clone(),
        environment: environment.name.clone(),
        by: asked.author.clone(),
        reason: lock.reason.to_string(),
        since: sitting.now,
        until,
    };
    let mut text = text![strong("Locked"), ": ", place.says()];
    if let Some(until) = until {
        text.push(text![" until ", until]);
    }
    let unlock = command(format!("/unlock {}", environment.name));
    text.push(text![": ", code(&lock.reason), ". ", unlock, " opens it."]);
    outcome.entries.push(
        sitting
            .entry(Action::Locked, Actor::from(&asked.author))
            .with("service", service.name.as_str())
            .with("environment", environment.name.as_str())
            .with_private("reason", lock.reason.as_str())
            .with(
                "until",
                lock.until
                    .map(|until| until.to_string())
                    .unwrap_or_default(),
            ),
    );
    let due = crate::domain::Due::Unlock {
        service: service.name.clone(),
        environment: environment.name.clone(),
    };
    outcome.changes.push(match lock.until {
        Some(at) => Change::Timer {
            due,
            repository: asked.repository.id,
            at,
        },
        None => Change::NoTimer { due },
    });
    outcome.changes.push(Change::Lock(lock));
    answers::answer(asked, Answer::said(text), outcome);
    Ok(())
}

pub(crate) fn open(
    sitting: &Sitting<'_>,
    asked: &Asked,
    place: Destination<'_>,
    outcome: &mut Outcome,
) -> Result<(), Reason> {
    let Destination {
        service,
        environment,
    } = place;
    let locks = sitting.locks(service, environment);
    if locks.is_empty() {
        let says = text![place.name(), " is not locked"];
        return Err(Reason::refuses(Rule::LOCK, says));
    }
    named::member(sitting, asked, environment)?;
    let mut entry = sitting
        .entry(Action::Unlocked, Actor::from(&asked.author))
        .with("service", service.name.as_str())
        .with("environment", environment.name.as_str());
    let formerly: Vec<String> = locks
        .iter()
        .filter(|lock| (&lock.service, &lock.environment) != (&service.name, &environment.name))
        .map(|lock| format!("{}/{}", lock.service, lock.environment))
        .collect();
    if !formerly.is_empty() {
        entry = entry.with("formerly", formerly.join(", "));
    }
    outcome.entries.push(entry);
    let names = service.names_with(environment);
    outcome
        .changes
        .extend(names.map(|(service, environment)| Change::Unlock {
            service,
            environment,
        }));
    let text = text![strong("Unlocked"), ": ", place.says(), "."];
    answers::answer(asked, Answer::said(text), outcome);
    Ok(())
}
