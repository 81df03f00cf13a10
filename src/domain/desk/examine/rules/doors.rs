//! Doors: an environment is open while no rule about it says that it is closed.

use super::DOORS;
use crate::domain::desk::examine::Looked;
use crate::domain::desk::known::destination::Destination;
use crate::domain::desk::sitting::Sitting;
use crate::domain::reason::{Reason, Rule};
use crate::domain::text::text;

/// Everything that closes an environment.
pub(crate) fn closed(sitting: &Sitting<'_>, place: Destination<'_>) -> Vec<Reason> {
    DOORS
        .iter()
        .filter_map(|door| door(sitting, place))
        .collect()
}

pub(super) fn look(sitting: &Sitting<'_>, looked: &Looked<'_>) -> Option<Reason> {
    Some(says(sitting, looked))
}

fn says(sitting: &Sitting<'_>, looked: &Looked<'_>) -> Reason {
    let place = looked.subject.place;
    let closed = closed(sitting, place);
    if closed.is_empty() {
        return Reason::holds(Rule::LOCK, text![place.name(), " is open"]);
    }
    Reason::of(Rule::LOCK, text![place.name(), " is closed"], closed)
}
