//! The clerk: brings the desk what it asks for and lets it decide or look. Whoever writes does it within a transaction;
//! whoever only wants to see something gets a view from a database that is never written.

mod reading;
mod settling;

pub use reading::{Answers, Asker, Viewed, view};
pub use settling::{Settled, settle};

/// How often the desk may find that it needs more of the state. It needs five at most.
const LOOKS: usize = 20;
