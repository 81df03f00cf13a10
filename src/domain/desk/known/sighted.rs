//! A release that was seen outside.

use crate::domain::desk::known::destination::Destination;
use crate::domain::{Account, Repository, Sha};

/// A release that was seen outside.
pub(crate) struct Sighted<'s> {
    pub(crate) place: Destination<'s>,
    pub(crate) repository: &'s Repository,
    /// `deployment/7` or `run/7`.
    pub(crate) what: String,
    pub(crate) sha: &'s Sha,
    pub(crate) by: String,
}

pub(crate) fn login_or_somebody(account: Option<&Account>) -> String {
    account.map_or_else(|| "somebody".to_owned(), |account| account.login.clone())
}
