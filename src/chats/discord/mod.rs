//! Discord, through its HTTP interactions endpoint.

pub mod edge;
