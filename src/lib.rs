//! Countersign, bottom to top. A module may use what stands above it in this list,
//! as far as the table in `tests/architecture.rs` allows, and nothing else.

/// What the service counts.
pub mod metrics;

/// How a call outside can fail.
pub mod call;

/// How places outside are reached over HTTP.
mod web;

/// The words and rules of the product; pure.
pub mod domain;

/// What the audit log says, in the words of auditors and of collectors; pure.
pub mod evidence;

/// `bot.toml` becomes domain types here, or a list of errors with line and caret.
pub mod config;

/// The only place that knows SQL.
pub mod store;

/// Lets the desk decide and look.
pub mod clerk;

/// GitHub: what it sends, and what we ask of it.
pub mod forges;

/// Discord and Slack: what they send, and what we show there.
pub mod chats;

/// Places outside that get what we tell them, and are asked nothing: collectors of audit logs.
pub mod outposts;

/// What runs by itself: intake, delivery, sweep, shipping.
pub mod engine;

/// The door in: verifies, stores, answers.
pub mod http;

/// What people type, and where everything meets.
pub mod cli;
