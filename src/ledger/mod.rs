//! The audit log as bytes. Pure: it imports only the domain. What is written here is hashed and kept
//! for ever, so the form of an entry has a version and never changes within it.

mod canonical;
mod policy;

pub use canonical::{SCHEMA_VERSION, bytes};
pub use policy::policy_digest;
