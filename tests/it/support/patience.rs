//! Patience: waiting for a fact instead of for a time.

use std::time::{Duration, Instant};

/// How long a fact may take on a busy machine before the test says that it never came.
const PATIENCE: Duration = Duration::from_secs(120);

/// Looks again and again until there is something to see.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    #[expect(clippy::disallowed_methods, reason = "patience is real time")]
    let start = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(start.elapsed() < PATIENCE, "never came: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
