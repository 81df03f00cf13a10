//! Locks: closing and opening an environment.

use crate::domain::desk::known::named;
use crate::domain::desk::sitting::Sitting;
use crate::domain::desk::telling::answers::{self, Answer};
use crate::domain::desk::telling::words::moment;
use crate::domain::desk::{Change, Outcome};
use crate::domain::reason::{Reason, code};
use crate::domain::{Action, Actor, Asked, Environment, Lock, Service, command};

pub(crate) fn close(
    sitting: &Sitting<'_>,
    asked: &Asked,
    (service, environment): (&Service, &Environment),
    lock: &command::Lock,
    outcome: &mut Outcome,
) -> Result<(), Reason> {
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
    let until = until.map(|until| format!(" until {}", moment(until)));
    let text = format!(
        "**Locked**: {} → **{}**{}: {}. `/unlock {}` opens it.",
        service.name,
        environment.name,
        until.as_deref().unwrap_or_default(),
        code(&lock.reason),
        environment.name
    );
    outcome.entries.push(
        sitting
            .entry(Action::Locked, Actor::person(&asked.author))
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
    (service, environment): (&Service, &Environment),
    outcome: &mut Outcome,
) -> Result<(), Reason> {
    if sitting.lock(service, environment).is_none() {
        return Err(Reason::refuses(format!(
            "**{}** is not locked",
            environment.name
        )));
    }
    named::member(sitting, asked, environment)?;
    outcome.entries.push(
        sitting
            .entry(Action::Unlocked, Actor::person(&asked.author))
            .with("service", service.name.as_str())
            .with("environment", environment.name.as_str()),
    );
    outcome.changes.push(Change::Unlock {
        service: service.name.clone(),
        environment: environment.name.clone(),
    });
    let text = format!("**Unlocked**: {} → **{}**.", service.name, environment.name);
    answers::answer(asked, Answer::said(text), outcome);
    Ok(())
}
