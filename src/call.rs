//! Errors of calls: how a call to a forge or a chat can fail, sorted by what the caller may do next.

use std::time::Duration;

/// Why a call did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// It may work later, at the earliest after `wait`.
    #[error("{why}")]
    Later { why: String, wait: Option<Duration> },
    /// What was asked about is not there, or not shown to us.
    #[error("{0}")]
    Absent(String),
    /// It will not work, however often it is tried.
    #[error("{0}")]
    Never(String),
}
