//! The door in: verifies, stores, answers. It never decides, and nothing that arrives here can make it
//! panic.

mod accept;
mod answer;
mod api;
mod bearer;
mod body;
mod handshake;
mod health;
mod hooks;
mod log;
mod observe;
mod routes;
mod suggestions;
mod turns;

pub use accept::{Limits, Listener};
pub use handshake::{Came, Handshake};
pub use health::{Condition, Readiness};
pub use routes::{Doorway, router};
