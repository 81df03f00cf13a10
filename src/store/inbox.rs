//! The inbox: what was received: how each delivery ends, which were set aside, how long the oldest waits, and when the
//! handled ones leave. `inbox_door` puts rows in, `lanes` takes them.

use jiff::Timestamp;

use super::row::Row;
use super::statement::statements;
use super::{Store, StoreError, Tx};
use crate::domain::Source;

/// Places for ids in one statement.
const HANDLED_AT_ONCE: usize = 16;

statements! {
    RETRY = ["UPDATE inbox SET handled_at = NULL, outcome = NULL, problem = NULL, attempts = 0 WHERE id = $1 AND outcome = 'parked'"];
    PARKED = ["SELECT id, source, event, delivery, received_at, problem FROM inbox WHERE outcome = 'parked' AND id > $1 ORDER BY id LIMIT $2"];
    COUNT_PARKED = ["SELECT COUNT(*) AS found FROM inbox WHERE outcome = 'parked'"];
    HANDLED = ["UPDATE inbox SET handled_at = $1, outcome = $2, problem = $3 WHERE handled_at IS NULL
        AND id IN ($4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)"];
    OLDEST = ["SELECT id, received_at FROM inbox WHERE handled_at IS NULL ORDER BY id LIMIT 1"];
    STORED = ["SELECT COUNT(*) AS found FROM inbox WHERE source = $1 AND delivery = $2"];
    PRUNE = ["DELETE FROM inbox WHERE id IN
        (SELECT id FROM inbox WHERE handled_at IS NOT NULL AND handled_at < $1 AND outcome <> 'parked' ORDER BY handled_at, id LIMIT $2)"];
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Handled,
    /// Authentic, and none of our business.
    Ignored(String),
    /// Authentic, and not readable.
    Malformed(String),
    /// Given up after it brought down its handler again and again.
    Parked(String),
}

/// Marks deliveries with the same verdict as handled.
pub async fn handled(
    tx: &mut Tx,
    ids: &[i64],
    verdict: &Verdict,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (outcome, problem) = verdict.columns();
    for group in ids.chunks(HANDLED_AT_ONCE) {
        let Some(last) = group.last() else { continue };
        let mut query = sqlx::query(tx.sql(&HANDLED))
            .bind(now.as_microsecond())
            .bind(outcome)
            .bind(problem.map(str::to_owned));
        // The statement has a fixed number of places; the last id fills those that are left.
        for place in 0..HANDLED_AT_ONCE {
            query = query.bind(*group.get(place).unwrap_or(last));
        }
        query.execute(tx.connection()).await?;
    }
    Ok(())
}

/// A delivery that was set aside, as people see it.
#[derive(Clone, Debug)]
pub struct SetAside {
    pub id: i64,
    pub source: String,
    pub event: String,
    pub delivery: String,
    pub received_at: Timestamp,
    pub problem: String,
}

/// Deliveries that were set aside, by number, after `after`.
pub async fn set_aside(store: &Store, after: i64, most: u32) -> Result<Vec<SetAside>, StoreError> {
    let rows = sqlx::query(PARKED.text(store.dialect()))
        .bind(after)
        .bind(i64::from(most))
        .fetch_all(store.reader())
        .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of(row, "inbox", "id");
            Ok(SetAside {
                id: row.number("id")?,
                source: row.text("source")?,
                event: row.text("event")?,
                delivery: row.text("delivery")?,
                received_at: row.time("received_at")?,
                problem: row.maybe_text("problem")?.unwrap_or_default(),
            })
        })
        .collect()
}

/// How many deliveries were set aside.
pub async fn count_set_aside(store: &Store) -> Result<i64, StoreError> {
    let row = sqlx::query(COUNT_PARKED.text(store.dialect()))
        .fetch_one(store.reader())
        .await?;
    Row::of(&row, "inbox", "found").number("found")
}

/// Lets a delivery that was set aside be handled again; `false` when it is not set aside.
pub async fn retry(tx: &mut Tx, id: i64) -> Result<bool, StoreError> {
    let changed = sqlx::query(tx.sql(&RETRY))
        .bind(id)
        .execute(tx.connection())
        .await?;
    Ok(changed.rows_affected() == 1)
}

/// When the oldest unhandled delivery arrived.
pub async fn oldest(store: &Store) -> Result<Option<Timestamp>, StoreError> {
    let row = sqlx::query(OLDEST.text(store.dialect()))
        .fetch_optional(store.reader())
        .await?;
    row.map(|row| Row::of(&row, "inbox", "id").time("received_at"))
        .transpose()
}

/// Whether a delivery is in the inbox.
pub async fn contains(store: &Store, source: Source, delivery: &str) -> Result<bool, StoreError> {
    let row = sqlx::query(STORED.text(store.dialect()))
        .bind(source.as_str())
        .bind(delivery)
        .fetch_one(store.reader())
        .await?;
    Ok(Row::of(&row, "inbox", "found").number("found")? > 0)
}

/// Removes deliveries handled before `before`; returns how many.
pub async fn prune(tx: &mut Tx, before: Timestamp, most: u32) -> Result<u64, StoreError> {
    let pruned = sqlx::query(tx.sql(&PRUNE))
        .bind(before.as_microsecond())
        .bind(i64::from(most))
        .execute(tx.connection())
        .await?;
    Ok(pruned.rows_affected())
}

impl Verdict {
    pub fn columns(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Handled => ("handled", None),
            Self::Ignored(why) => ("ignored", Some(why)),
            Self::Malformed(why) => ("malformed", Some(why)),
            Self::Parked(why) => ("parked", Some(why)),
        }
    }
}
