//! Stories and storms: what the service promises, shown on both databases.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets the unexpected fails"
)]

mod support;

mod contract;
mod effects;
mod faults;
mod following;
mod healing;
mod hooks;
mod inbox;
mod leases;
mod lifecycle;
mod limits;
mod release;
mod sandbox;
mod schema;
mod sockets;
mod storms;
mod timers;
mod triggers;
