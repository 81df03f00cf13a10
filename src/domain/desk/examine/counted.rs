//! Approvals as they count now: each giver is asked about anew.

use crate::domain::Account;
use crate::domain::desk::examine::Subject;
use crate::domain::desk::known::people::{self, Authors, refusal};
use crate::domain::desk::sitting::Sitting;
use crate::domain::policy::{Approval, Quorum, Shortage, Unauthorized};
use crate::domain::reason::{Reason, Rule};
use crate::domain::text::{Text, person, text};

/// What the approvals amount to.
pub(super) struct Counted {
    pub(super) quorum: Result<Quorum, Shortage>,
    /// Approvals that do not count any more, and why.
    pub(super) void: Vec<(Account, Text)>,
    /// One reason for each approval.
    pub(super) parts: Vec<Reason>,
}

/// Counts the approvals that were given.
pub(super) fn count(sitting: &Sitting<'_>, subject: &Subject<'_>, authors: &Authors) -> Counted {
    let environment = subject.place.environment;
    let nobody = Account {
        forge: subject.repository.id.forge(),
        id: 0,
        login: String::new(),
    };
    let requester = subject.requester.unwrap_or(&nobody);
    let mut counted = Vec::new();
    let mut parts = Vec::new();
    let mut void = Vec::new();
    for (giver, at) in subject.given {
        let exclusion = people::exclusion(giver, environment, authors, requester);
        match people::authorize(sitting, giver, environment, subject.repository, exclusion) {
            Ok(authorized) => {
                let rules: Vec<&str> = authorized.roles().values().map(String::as_str).collect();
                let says = text![person(giver), format!(" approved ({})", rules.join("; "))];
                parts.push(Reason::holds(Rule::APPROVAL, says));
                counted.push(Approval::new(authorized, *at));
            }
            // What cannot be found out at this moment takes no approver's yes away for good.
            Err(why @ Unauthorized::Unclear(_)) => {
                parts.push(Reason::unknown(Rule::APPROVAL, refusal(giver, &why).1));
            }
            Err(why) => {
                let (_, says) = refusal(giver, &why);
                let counts_not = text![&says, ": the approval does not count"];
                parts.push(Reason::waits(Rule::APPROVAL, counts_not));
                void.push((giver.clone(), says));
            }
        }
    }
    Counted {
        quorum: Quorum::gather(counted, environment),
        void,
        parts,
    }
}
