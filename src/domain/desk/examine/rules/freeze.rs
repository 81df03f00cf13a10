//! Freezes: the operator has closed an environment in the configuration.

use crate::domain::desk::known::destination::Destination;
use crate::domain::desk::sitting::Sitting;
use crate::domain::reason::{Reason, Rule};
use crate::domain::text::{code, text};

pub(super) const FREEZE: Rule = Rule::named("freeze");

pub(super) fn look(_: &Sitting<'_>, place: Destination<'_>) -> Option<Reason> {
    let why = place.environment.freeze.as_ref()?;
    let says = text![place.name(), " is frozen: ", code(why)];
    Some(
        Reason::refuses(FREEZE, says)
            .help("The freeze ends when it is taken out of the configuration."),
    )
}
