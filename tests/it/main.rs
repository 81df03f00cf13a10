//! Stories and storms: what the service promises, shown on both databases.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets the unexpected fails"
)]

mod support;

mod commands;
mod contract;
mod effects;
mod examples;
mod faults;
mod following;
mod gates;
mod heads;
mod healing;
mod hooks;
mod inbox;
mod leases;
mod lifecycle;
mod limits;
mod people;
mod release;
mod sandbox;
mod schema;
mod signing;
mod sockets;
mod storms;
mod story;
mod tampering;
mod timers;
mod triggers;
mod turns;
mod unproven;
