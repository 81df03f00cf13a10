//! Stories and storms: what the service promises, shown on both databases.

mod support;

mod effects;
mod hooks;
mod inbox;
mod leases;
mod lifecycle;
mod schema;
mod sockets;
mod storms;
mod timers;
