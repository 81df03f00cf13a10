//! The clerk: brings the desk what it asks for and lets it decide or look. A writer does so within a transaction; a
//! reader gets a view from a database that is never written.

mod reading;
mod settling;

pub use reading::{Answers, Asker, Viewed, view};
pub use settling::{Settled, settle};

/// How often the desk may find that it needs more of the state. It needs five at most.
const LOOKS: usize = 20;
