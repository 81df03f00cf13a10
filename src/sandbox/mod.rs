//! A small outside world on loopback, for tests and the demo. It behaves as the real one does where we
//! depend on it, remembers what was done to it, and can be told to misbehave. The product talks to it
//! through its base URL and knows nothing of it.

mod courier;
mod desk;
mod escape;
mod new_commit;
mod order;
mod trouble;

pub mod discord;
pub mod github;
pub mod gitlab;
pub mod slack;

use std::sync::{Mutex, MutexGuard, PoisonError};

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
