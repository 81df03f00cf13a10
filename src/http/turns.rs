//! Turns: a few readings of the database go on at once, so that questions never keep it from work. A reading whose
//! client goes away still counts until the database has finished with it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tracing::Instrument as _;

use super::answer::Problem;

/// How long a reader waits for a turn.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Clone, Debug)]
pub(super) struct Turns {
    room: Arc<Semaphore>,
    patience: Duration,
}

impl Turns {
    pub(super) fn new(at_once: usize) -> Self {
        Self {
            room: Arc::new(Semaphore::new(at_once)),
            patience: PATIENCE,
        }
    }

    /// Waits for a turn and reads.
    pub(super) async fn take<T: Send + 'static>(
        &self,
        reading: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        let waiting = tokio::time::timeout(self.patience, self.room.clone().acquire_owned());
        let Ok(Ok(turn)) = waiting.await else {
            return Err(Problem::busy());
        };
        let reading = async move {
            let read = reading.await;
            drop(turn);
            read
        };
        tokio::spawn(reading.in_current_span())
            .await
            .unwrap_or_else(|error| {
                tracing::error!(error = %error, "a reading did not end in good order");
                Err(Problem::broken())
            })
    }
}

#[cfg(test)]
mod tests {
    use http::{StatusCode, header};
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn who_finds_no_room_is_told_to_come_again() {
        let turns = Turns {
            patience: Duration::from_millis(10),
            ..Turns::new(1)
        };
        let (finish, finished) = oneshot::channel::<()>();
        // The first client goes away at once, and its reading goes on.
        let first = turns.take(async move {
            finished.await.unwrap();
            Ok(())
        });
        assert!(
            tokio::time::timeout(Duration::from_millis(10), first)
                .await
                .is_err()
        );
        let response = turns.take(async { Ok(()) }).await.unwrap_err().into_json();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key(header::RETRY_AFTER));
        finish.send(()).unwrap();
        let patient = Turns {
            patience: Duration::from_secs(60),
            ..turns
        };
        patient.take(async { Ok(()) }).await.unwrap();
    }

    #[tokio::test]
    async fn a_panic_costs_one_answer_and_gives_its_turn_back() {
        let turns = Turns::new(1);
        let broken: Result<(), Problem> = turns.take(async { panic!("on purpose") }).await;
        assert!(broken.is_err());
        turns.take(async { Ok(()) }).await.unwrap();
    }
}
