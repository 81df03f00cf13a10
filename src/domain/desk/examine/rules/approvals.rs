//! Approvals: enough people who may have said yes, each for one place.

use crate::domain::desk::examine::Looked;
use crate::domain::desk::known::people;
use crate::domain::desk::sitting::Sitting;
use crate::domain::reason::{Reason, Rule};
use crate::domain::text::text;

pub(super) fn look(sitting: &Sitting<'_>, looked: &Looked<'_>) -> Option<Reason> {
    Some(says(sitting, looked))
}

fn says(sitting: &Sitting<'_>, looked: &Looked<'_>) -> Reason {
    let counted = &looked.counted;
    let mut parts = counted.parts.clone();
    match &counted.quorum {
        Ok(_) => Reason::holds(Rule::APPROVALS, "approved").resting_on(parts),
        Err(shortage) => {
            for (role, count) in &shortage.missing {
                let says = text![format!("missing: {count} × "), people::who(sitting, role)];
                let reason = Reason::waits(Rule::APPROVAL, says);
                let reason = reason.fact("role", role.as_str());
                parts.push(reason.fact("missing", u64::from(*count)));
            }
            let says = format!("{} of {} approvals", shortage.filled, shortage.needed);
            Reason::of(Rule::APPROVALS, says, parts)
                .fact("filled", u64::from(shortage.filled))
                .fact("needed", u64::from(shortage.needed))
        }
    }
}
