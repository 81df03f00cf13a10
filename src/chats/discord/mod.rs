//! Discord, through its HTTP interactions endpoint.

pub mod client;
mod commands;
pub mod edge;
mod interpret;
mod pace;
mod payload;
mod render;
mod text;
