//! A small outside world on loopback, for tests and the demo. It behaves as the real one does where we
//! depend on it, remembers what was done to it, and can be told to misbehave. The product talks to it
//! through its base URL and knows nothing of it.

pub mod github;
