//! Waiting for what must happen, until a deadline. What does not come in time is named.

use std::time::Duration;

use anyhow::bail;

use countersign_ground::clock::{Clock, later};

/// How long a step of the demo may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(15);

/// Looks again and again until there is something to see, or says what never came.
pub(super) async fn until<T>(
    clock: &Clock,
    what: &str,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> anyhow::Result<T> {
    let end = later(clock.now(), PATIENCE);
    loop {
        if let Some(seen) = look().await {
            return Ok(seen);
        }
        if clock.now() >= end {
            bail!(
                "this did not happen within {} s: {what}",
                PATIENCE.as_secs()
            );
        }
        clock.sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[tokio::test]
    async fn what_comes_is_seen_and_what_does_not_is_named() {
        let (clock, hand) = Clock::by_hand(Timestamp::UNIX_EPOCH);
        let mut looks = 0;
        let moved = tokio::spawn(async move {
            loop {
                hand.advance(Duration::from_secs(1));
                tokio::task::yield_now().await;
            }
        });
        let seen = until(&clock, "the third look", async || {
            looks += 1;
            (looks == 3).then_some("there")
        })
        .await;
        assert_eq!(seen.unwrap(), "there");
        let missed = until(&clock, "rain", async || None::<()>).await;
        assert_eq!(
            missed.unwrap_err().to_string(),
            "this did not happen within 20 s: rain"
        );
        moved.abort();
    }
}
