//! The clock, and the only place that looks at one. All other code takes a `Clock`; tests take one that they move by
//! hand. Leases are the exception: they run on the database's clock, see `store::lease`.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

/// Tells the time and waits for it to pass.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Hand(watch::Receiver<Timestamp>),
}

/// Moves a clock that was made by [`Clock::by_hand`].
#[derive(Debug)]
pub struct Hand(watch::Sender<Timestamp>);

/// Time that has passed since [`Clock::stopwatch`], immune to changes of the wall clock.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(std::time::Instant);

impl Clock {
    pub fn system() -> Self {
        Self(Source::System)
    }

    pub fn by_hand(start: Timestamp) -> (Self, Hand) {
        let (sender, receiver) = watch::channel(start);
        (Self(Source::Hand(receiver)), Hand(sender))
    }

    /// The time in whole microseconds, because that is how times are stored.
    #[expect(clippy::disallowed_methods, reason = "this is the one clock")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => whole_micros(Timestamp::now()),
            Source::Hand(time) => *time.borrow(),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one clock")]
    pub fn stopwatch(&self) -> Stopwatch {
        Stopwatch(std::time::Instant::now())
    }

    /// Returns when this much time has passed on this clock.
    pub async fn sleep(&self, duration: Duration) {
        match &self.0 {
            Source::System => tokio::time::sleep(duration).await,
            Source::Hand(time) => {
                let wake = later(*time.borrow(), duration);
                let mut time = time.clone();
                if time.wait_for(|now| *now >= wake).await.is_err() {
                    // The hand is gone: this clock stands still for ever.
                    std::future::pending::<()>().await;
                }
            }
        }
    }
}

impl Hand {
    pub fn advance(&self, duration: Duration) {
        self.0.send_modify(|now| *now = later(*now, duration));
    }
}

impl Stopwatch {
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

fn whole_micros(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}

/// `from + duration`, or the end of time.
pub fn later(from: Timestamp, duration: Duration) -> Timestamp {
    from.checked_add(duration).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_clock_by_hand_moves_only_by_hand() {
        let (clock, hand) = Clock::by_hand(Timestamp::UNIX_EPOCH);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(60)).await }
        });
        tokio::task::yield_now().await;
        hand.advance(Duration::from_secs(59));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        hand.advance(Duration::from_secs(1));
        sleeper.await.unwrap();
        assert_eq!(clock.now().as_second(), 60);
    }

    #[test]
    fn times_survive_being_stored() {
        let now = Clock::system().now();
        assert_eq!(
            Timestamp::from_microsecond(now.as_microsecond()).unwrap(),
            now
        );
    }

    #[test]
    fn the_end_of_time_is_not_an_error() {
        assert_eq!(
            later(Timestamp::MAX, Duration::from_secs(1)),
            Timestamp::MAX
        );
    }
}
