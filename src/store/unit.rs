//! `unit`: the only way to write. The work runs as one transaction in a task of its own, so that a
//! caller who goes away cannot cancel it half-way, and is repeated when another writer was faster.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, Executor as _};

use super::error::waited_for_a_lock;
use super::{Dialect, Statement, Store, StoreError};
use countersign_ground::chance;
use countersign_ledger::Sealer;

/// The future of a unit's work.
pub type Work<'t, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 't>>;

/// How often a unit is tried when it meets other writers.
const ATTEMPTS: u32 = 12;

/// An open transaction. Unless it ends in good order, its connection is closed and never used again: a failed disk, a
/// lost server or a panic may have left it in any state.
pub struct Tx {
    connection: PoolConnection<Any>,
    dialect: Dialect,
    sealer: Option<Arc<Sealer>>,
    ended: bool,
}

impl Tx {
    pub(super) fn sql(&self, statement: &Statement) -> &'static str {
        statement.text(self.dialect)
    }

    /// Seals the entries of the audit log, if this process has its key.
    pub(super) fn sealer(&self) -> Option<Arc<Sealer>> {
        self.sealer.clone()
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(super) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.connection
    }

    async fn begin(store: &Store) -> Result<Self, StoreError> {
        let mut tx = Self {
            connection: store.writer().acquire().await?,
            dialect: store.dialect(),
            sealer: store.sealer(),
            ended: false,
        };
        let begin = tx.dialect.begin();
        tx.connection().execute(begin).await?;
        Ok(tx)
    }

    /// A transaction that cannot write: it sees one moment, and holds up no writer.
    async fn begin_glance(store: &Store) -> Result<Self, StoreError> {
        let mut tx = Self {
            connection: store.reader().acquire().await?,
            dialect: store.dialect(),
            sealer: None,
            ended: false,
        };
        let begin = tx.dialect.begin_glance();
        tx.connection().execute(begin).await?;
        Ok(tx)
    }

    async fn end(mut self, word: &'static str) -> Result<(), StoreError> {
        self.connection().execute(word).await?;
        self.ended = true;
        Ok(())
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        if !self.ended {
            self.connection.close_on_drop();
        }
    }
}

impl Store {
    /// Does `work` in one transaction, in full or not at all. It may run several times, so it must
    /// only use the transaction and what it was given.
    pub async fn unit<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> Work<'t, T> + Send + Sync + 'static,
    {
        let store = self.clone();
        tokio::spawn(async move { store.repeat(work).await })
            .await
            .map_err(|_| StoreError::Stopped)?
    }

    /// Looks, in one transaction that the database itself keeps from writing.
    pub async fn glance<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: for<'t> Fn(&'t mut Tx) -> Work<'t, T>,
    {
        let mut tx = Tx::begin_glance(self).await?;
        let seen = work(&mut tx).await?;
        tx.end("COMMIT").await?;
        Ok(seen)
    }

    async fn repeat<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: for<'t> Fn(&'t mut Tx) -> Work<'t, T>,
    {
        let mut attempts = 1;
        loop {
            match self.attempt(&work).await {
                Err(StoreError::Conflict { cause, .. }) if attempts >= ATTEMPTS => {
                    return Err(StoreError::Conflict { attempts, cause });
                }
                Err(StoreError::Conflict { cause, .. }) => {
                    tokio::time::sleep(pause(attempts, chance::fraction())).await;
                    // Whoever waited for a lock in vain tries once more: somebody waits for an answer.
                    attempts += if waited_for_a_lock(&cause) {
                        ATTEMPTS
                    } else {
                        1
                    };
                }
                outcome => return outcome,
            }
        }
    }

    async fn attempt<T, F>(&self, work: &F) -> Result<T, StoreError>
    where
        F: for<'t> Fn(&'t mut Tx) -> Work<'t, T>,
    {
        let mut tx = Tx::begin(self).await?;
        match work(&mut tx).await {
            Ok(value) => {
                tx.end("COMMIT").await?;
                Ok(value)
            }
            Err(error) => {
                if let Err(rollback) = tx.end("ROLLBACK").await {
                    // SQLite rolls back by itself when the disk fails.
                    tracing::debug!(error = %rollback, "a transaction was given up with its connection");
                }
                Err(error)
            }
        }
    }
}

/// Doubles from one millisecond to a hundred, of which a random part is waited.
fn pause(attempt: u32, fraction: f64) -> Duration {
    let most = Duration::from_millis(1 << attempt.min(7)).min(Duration::from_millis(100));
    most.mul_f64(0.1 + 0.9 * fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        assert!(pause(1, 0.99) <= Duration::from_millis(2));
        assert!(pause(40, 0.99) <= Duration::from_millis(100));
        assert!(pause(40, 0.0) >= Duration::from_millis(10));
    }
}
