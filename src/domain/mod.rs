//! The words and rules of the product. Pure: no I/O, no async, no clock; it imports nothing of ours.

mod catalog;
mod command;
mod decide;
mod delivery;
mod effect;
mod entry;
mod incoming;

pub use catalog::Catalog;
pub use command::Command;
pub use decide::{Outcome, decide};
pub use delivery::{Delivery, Source};
pub use effect::{Effect, Planned, Priority, Reaction};
pub use entry::{Action, Actor, Entry};
pub use incoming::{Account, Comment, Incoming, Place};
