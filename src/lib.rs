//! Countersign, bottom to top. A module may use what stands above it in this list,
//! as far as the table in `tests/architecture.rs` allows, and nothing else.

/// The words and rules of the product; pure.
pub mod domain;
/// `bot.toml` becomes domain types here, or a list of errors with line and caret.
pub mod config;
