//! GitHub: what it sends us, and what we ask of it.

pub mod client;
pub mod edge;
mod interpret;
pub mod manifest;
mod payload;
