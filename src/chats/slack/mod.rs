//! Slack, through signed requests or Socket Mode.

pub mod client;
pub mod edge;
mod interpret;
mod payload;
mod refusal;
mod render;
pub mod socket;
mod text;
mod way_back;
