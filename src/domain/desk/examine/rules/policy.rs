//! Policies: without one that can be followed nothing is released.

use crate::domain::desk::examine::Looked;
use crate::domain::desk::known::digests;
use crate::domain::desk::sitting::Sitting;
use crate::domain::reason::{Reason, Rule};
use crate::domain::text::text;

pub(super) fn look(sitting: &Sitting<'_>, looked: &Looked<'_>) -> Option<Reason> {
    let place = looked.subject.place;
    if digests::digest(sitting, place).is_some() {
        return None;
    }
    let says = text![place.name(), " has no policy that could be followed"];
    Some(Reason::refuses(Rule::POLICY, says).help(
        "Whoever runs Countersign must say in its configuration who has the roles that approve.",
    ))
}
