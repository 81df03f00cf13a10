//! Places outside that get what we tell them, and are asked nothing else than whether they took it. The caller decides
//! what is sent where; no address is ever taken from a payload.

pub mod file;
pub mod siem;
pub mod witness;
