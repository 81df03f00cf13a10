//! GitLab: what it sends us, and what we ask of it.

pub mod client;
pub mod edge;
mod interpret;
mod payload;
#[cfg(test)]
mod real;
