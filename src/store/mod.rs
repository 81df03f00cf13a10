//! The store, the only place that knows SQL: SQLite or PostgreSQL behind one text for each statement. Everything is
//! written through `unit`; everything claimed carries a fence. Nothing here decides anything.

mod dialect;
mod error;
mod inbox_door;
mod migrate;
mod open;
mod probe;
mod row;
mod statement;
mod unit;

pub mod inbox;
pub mod lanes;
pub mod lease;
pub mod ledger;
pub mod note;
pub mod outbox;
pub mod quiet;
pub mod state;
pub mod timer;
pub mod tokens;

pub use dialect::Dialect;
pub use error::StoreError;
pub use inbox_door::{Door, NotStored, Stored};
pub use open::{Options, Store};
pub use probe::Health;
pub use statement::{Statement, every_statement};
pub use unit::{Tx, Work};
