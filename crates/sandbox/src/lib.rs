//! A small outside world on loopback, for tests and the demo. It behaves as the real one does where we
//! depend on it, remembers what was done to it, and can be told to misbehave. The product talks to it
//! through its base URL and knows nothing of it.

mod courier;
mod desk;
mod escape;
#[cfg(any(feature = "github", feature = "gitlab"))]
mod history;
mod new_commit;
mod order;

#[cfg(feature = "discord")]
pub mod discord;
#[cfg(feature = "github")]
pub mod github;
#[cfg(feature = "gitlab")]
pub mod gitlab;
#[cfg(feature = "intruder")]
pub mod intruder;
#[cfg(feature = "slack")]
pub mod slack;
pub mod trouble;

use std::sync::{Mutex, MutexGuard, PoisonError};

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
