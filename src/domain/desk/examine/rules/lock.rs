//! Locks: a person has closed an environment, for a time or until a person opens it.

use crate::domain::desk::known::destination::Destination;
use crate::domain::desk::sitting::Sitting;
use crate::domain::reason::{Reason, Rule};
use crate::domain::text::{code, command, person, text};

pub(super) fn look(sitting: &Sitting<'_>, place: Destination<'_>) -> Option<Reason> {
    let lock = sitting.lock(place.service, place.environment)?;
    let mut says = text![
        place.name(),
        " is locked by ",
        person(&lock.by),
        " since ",
        lock.since
    ];
    if let Some(until) = lock.until {
        says.push(text![" until ", until]);
    }
    says.push(text![": ", code(&lock.reason)]);
    let unlock = command(format!("/unlock {}", place.environment.name));
    Some(Reason::refuses(Rule::LOCK, says).help(text![unlock, " opens it."]))
}
