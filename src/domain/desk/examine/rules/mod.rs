//! Rules: what must hold before a release may leave, one file for each, in the order in which people read them. A rule
//! looks at what was found out and says what that means; it asks nothing that others have asked already.

mod approvals;
mod direction;
mod doors;
mod freeze;
mod lock;
mod origin;
mod policy;
mod requester;
mod stages;
mod turn;

use super::Looked;
use crate::domain::desk::known::destination::Destination;
use crate::domain::desk::sitting::Sitting;
use crate::domain::reason::Reason;

pub(crate) use doors::closed;

/// Says what a rule means for a commit and its destination, if it means anything there.
type Look = fn(&Sitting<'_>, &Looked<'_>) -> Option<Reason>;

/// Says why an environment is closed, whatever the commit, if it is.
type Door = fn(&Sitting<'_>, Destination<'_>) -> Option<Reason>;

/// Every rule about a commit and its destination.
pub(super) const RULES: &[Look] = &[
    requester::look,
    doors::look,
    origin::look,
    stages::look,
    direction::look,
    turn::look,
    approvals::look,
    policy::look,
];

/// Every rule about an environment alone.
const DOORS: &[Door] = &[freeze::look, lock::look];
