//! Refused texts: why a text was refused. Holds two sentences for the person who wrote the text: what is wrong with it,
//! and what would be right.

use thiserror::Error;

/// A text that is not what its place asks for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{problem}; {way_out}")]
pub struct Invalid {
    /// What is wrong, short enough to stand beside a caret.
    pub problem: String,
    /// What would be right.
    pub way_out: String,
}

impl Invalid {
    pub(crate) fn new(problem: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            way_out: way_out.into(),
        }
    }
}
