//! The way into the inbox. While one transaction is in flight, the deliveries that arrive wait together and share the
//! next one's fsync, many rows to a statement. No sender is told "stored" before the transaction is committed.

use std::sync::Arc;

use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use tokio::sync::{Notify, mpsc, oneshot};

use super::statement::statements;
use super::{Store, StoreError, Tx};
use crate::domain::{Delivery, Source};

/// Rows of one statement, largest first; the last must be one.
const GROUPS: [usize; 3] = [16, 4, 1];
/// Where a transaction stops taking more.
const MOST_ROWS: usize = 512;
const MOST_BYTES: usize = 8 << 20;
const COLUMNS: usize = 10;

statements! {
    INSERT_ONE = ["INSERT INTO inbox (source, delivery, event, lane, received_at, size, body, handled_at, outcome, problem)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (source, delivery) DO NOTHING"];
}

/// Hands deliveries to the inbox. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Door {
    waiting: mpsc::Sender<Waiting>,
}

/// The delivery is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored;

/// It is not known whether the delivery is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not stored")]
pub struct NotStored;

#[derive(Debug)]
struct Waiting {
    row: Arc<Packed>,
    answer: oneshot::Sender<bool>,
}

/// A delivery as it is written.
#[derive(Debug)]
struct Packed {
    source: Source,
    key: String,
    event: String,
    lane: String,
    malformed: Option<String>,
    received_at: i64,
    size: i64,
    body: Vec<u8>,
}

impl Door {
    /// Opens the door; the committer runs until every copy of the door is gone.
    pub fn open(store: Store, wake: Arc<Notify>, most_waiting: usize) -> (Self, Committer) {
        let (waiting, queue) = mpsc::channel(most_waiting.max(1));
        let committer = Committer {
            store,
            wake,
            queue,
            statements: Arc::new(GROUPS.map(insert_text)),
        };
        (Self { waiting }, committer)
    }

    /// How many more deliveries could wait now.
    pub fn room(&self) -> usize {
        self.waiting.capacity()
    }

    /// Returns once the delivery is durable, or may not be: then do not acknowledge it. Why is in the
    /// log, once for all that waited together.
    pub async fn store(
        &self,
        delivery: Delivery,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Stored, NotStored> {
        let row = Arc::new(pack(delivery, body, now));
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { row, answer };
        self.waiting.send(waiting).await.map_err(|_| NotStored)?;
        match answered.await {
            Ok(true) => Ok(Stored),
            Ok(false) | Err(_) => Err(NotStored),
        }
    }
}

/// Writes what waits at the door.
#[derive(Debug)]
pub struct Committer {
    store: Store,
    wake: Arc<Notify>,
    queue: mpsc::Receiver<Waiting>,
    statements: Arc<[String; GROUPS.len()]>,
}

impl Committer {
    /// Runs until every [`Door`] is gone and all that waited is written.
    pub async fn run(mut self) {
        let mut group = Vec::with_capacity(MOST_ROWS);
        while self.gather(&mut group).await {
            self.commit(&mut group).await;
        }
    }

    /// Takes what waits, at least one; `false` when no delivery will come any more.
    async fn gather(&mut self, group: &mut Vec<Waiting>) -> bool {
        let Some(first) = self.queue.recv().await else {
            return false;
        };
        let mut bytes = first.row.body.len();
        group.push(first);
        while group.len() < MOST_ROWS && bytes < MOST_BYTES {
            let Ok(next) = self.queue.try_recv() else {
                break;
            };
            bytes += next.row.body.len();
            group.push(next);
        }
        true
    }

    async fn commit(&self, group: &mut Vec<Waiting>) {
        let rows: Arc<[Arc<Packed>]> = group.iter().map(|waiting| waiting.row.clone()).collect();
        let statements = self.statements.clone();
        let written = self
            .store
            .unit(move |tx| {
                let (rows, statements) = (rows.clone(), statements.clone());
                Box::pin(async move { insert(tx, &rows, &statements).await })
            })
            .await;
        if let Err(error) = &written {
            tracing::error!(error = %error, deliveries = group.len(), "deliveries could not be stored and were not acknowledged");
        } else {
            self.wake.notify_waiters();
        }
        for waiting in group.drain(..) {
            // A caller who went away does not need the answer.
            let _gone = waiting.answer.send(written.is_ok());
        }
    }
}

async fn insert(
    tx: &mut Tx,
    rows: &[Arc<Packed>],
    statements: &[String; GROUPS.len()],
) -> Result<(), StoreError> {
    let mut rest = rows;
    for (size, text) in GROUPS.iter().zip(statements) {
        while rest.len() >= *size {
            let (now, later) = rest.split_at(*size);
            let mut query = sqlx::query(AssertSqlSafe(text.as_str()));
            for row in now {
                query = bind(query, row);
            }
            query.execute(tx.connection()).await?;
            rest = later;
        }
    }
    Ok(())
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

fn bind<'q>(query: Query<'q>, row: &'q Packed) -> Query<'q> {
    let outcome = row.malformed.as_ref().map(|_| "malformed");
    query
        .bind(row.source.as_str())
        .bind(row.key.as_str())
        .bind(row.event.as_str())
        .bind(row.lane.as_str())
        .bind(row.received_at)
        .bind(row.size)
        .bind(row.body.as_slice())
        .bind(outcome.map(|_| row.received_at))
        .bind(outcome)
        .bind(row.malformed.as_deref())
}

fn pack(delivery: Delivery, body: &[u8], now: Timestamp) -> Packed {
    Packed {
        source: delivery.source,
        key: delivery.key,
        event: delivery.event,
        lane: delivery.lane,
        malformed: delivery.malformed,
        received_at: now.as_microsecond(),
        size: i64::try_from(body.len()).unwrap_or(i64::MAX),
        body: lz4_flex::block::compress(body),
    }
}

/// The insert for so many rows, grown from the statement for one.
pub(super) fn insert_text(rows: usize) -> String {
    let (head, tail) = INSERT_ONE
        .sqlite
        .split_once("VALUES")
        .unwrap_or((INSERT_ONE.sqlite, ""));
    let conflict = tail.split_once("ON CONFLICT").map_or("", |(_, rest)| rest);
    let values: Vec<String> = (0..rows)
        .map(|row| {
            let numbers: Vec<String> = (1..=COLUMNS)
                .map(|column| format!("${}", row * COLUMNS + column))
                .collect();
            format!("({})", numbers.join(", "))
        })
        .collect();
    format!("{head}VALUES {} ON CONFLICT{conflict}", values.join(", "))
}

/// The texts that [`Committer`] uses besides the constants.
pub(super) fn grown_texts() -> impl Iterator<Item = String> {
    GROUPS.into_iter().map(insert_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_row_grows_into_many() {
        assert_eq!(
            insert_text(1).split_whitespace().collect::<Vec<_>>(),
            INSERT_ONE.sqlite.split_whitespace().collect::<Vec<_>>()
        );
        let eight = insert_text(8);
        assert!(eight.contains("($71, $72, $73, $74, $75, $76, $77, $78, $79, $80)"));
        assert!(eight.ends_with("DO NOTHING "), "{eight}");
    }

    #[test]
    fn the_last_group_takes_whatever_is_left() {
        assert_eq!(GROUPS.last(), Some(&1));
        assert!(GROUPS.is_sorted_by(|larger, smaller| larger > smaller));
    }
}
