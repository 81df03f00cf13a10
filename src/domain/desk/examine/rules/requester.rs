//! Requesters: the person who asks belongs to those who release, whether or not their own yes counts.

use crate::domain::desk::examine::Looked;
use crate::domain::desk::known::people::{self, refusal};
use crate::domain::desk::sitting::Sitting;
use crate::domain::name::RoleName;
use crate::domain::reason::{Reason, Rule};
use crate::domain::text::{list, person, text};

pub(super) fn look(sitting: &Sitting<'_>, looked: &Looked<'_>) -> Option<Reason> {
    let subject = looked.subject;
    let environment = subject.place.environment;
    // Who asked for what is asked for already was looked at then.
    let asks = subject.requester.filter(|_| subject.number.is_none())?;
    Some(
        match people::authorize(sitting, asks, environment, subject.repository, None) {
            Ok(authorized) => {
                let roles = list(authorized.roles().keys().map(RoleName::as_str));
                Reason::holds(Rule::REQUESTER, text![person(asks), " is ", roles])
            }
            Err(why) => {
                let (verdict, says) = refusal(asks, &why);
                let help = people::others(sitting, environment, asks);
                Reason::new(Rule::REQUESTER, verdict, says).help(help)
            }
        },
    )
}
