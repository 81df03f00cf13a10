//! What has been received and not yet handled. Rows are taken lane by lane: whoever holds a lane's
//! lease handles its rows in the order of their arrival, and nobody else touches them meanwhile.

use std::time::Duration;

use jiff::Timestamp;

use super::lease::{self, Lease};
use super::row::Row;
use super::statement::statements;
use super::{Store, StoreError, Tx};
use crate::domain::Source;

statements! {
    NEXT_LANE = ["SELECT lane FROM inbox WHERE handled_at IS NULL AND lane > $1 ORDER BY lane LIMIT 1"];
    TAKE = ["SELECT id, source, event, received_at, size, body, attempts FROM inbox
        WHERE lane = $1 AND handled_at IS NULL ORDER BY id LIMIT $2"];
    BLAME = ["UPDATE inbox SET attempts = attempts + 1 WHERE id = $1"];
    RETRY = ["UPDATE inbox SET handled_at = NULL, outcome = NULL, problem = NULL, attempts = 0 WHERE id = $1 AND outcome = 'parked'"];
    PARKED = ["SELECT id, source, event, delivery, received_at, problem FROM inbox WHERE outcome = 'parked' AND id > $1 ORDER BY id LIMIT $2"];
    COUNT_PARKED = ["SELECT COUNT(*) AS found FROM inbox WHERE outcome = 'parked'"];
    HANDLED = ["UPDATE inbox SET handled_at = $2, outcome = $3, problem = $4 WHERE id = $1 AND handled_at IS NULL"];
    OLDEST = ["SELECT id, received_at FROM inbox WHERE handled_at IS NULL ORDER BY id LIMIT 1"];
    STORED = ["SELECT COUNT(*) AS found FROM inbox WHERE source = $1 AND delivery = $2"];
    PRUNE = ["DELETE FROM inbox WHERE id IN
        (SELECT id FROM inbox WHERE handled_at IS NOT NULL AND handled_at < $1 ORDER BY handled_at LIMIT $2)"];
}

/// The rows of one lane that are ours until the lease ends, oldest first.
#[derive(Debug)]
pub struct Batch {
    pub lease: Lease,
    pub rows: Vec<Received>,
}

/// One delivery as it was stored.
#[derive(Debug)]
pub struct Received {
    pub id: i64,
    pub source: Source,
    pub event: String,
    pub received_at: Timestamp,
    pub body: Vec<u8>,
    /// How often a holder vanished while it had this row.
    pub attempts: u64,
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Handled,
    /// Authentic, and none of our business.
    Ignored(String),
    /// Authentic, and not readable.
    Malformed(String),
    /// Given up after it brought down its handler again and again.
    Parked(String),
}

/// How a worker asks for work.
#[derive(Clone, Debug)]
pub struct Asking {
    pub holder: String,
    pub lease: Duration,
    pub most: u32,
}

/// The next lane with something to do, in alphabetical order after `after`.
pub async fn next_lane(store: &Store, after: &str) -> Result<Option<String>, StoreError> {
    let row = sqlx::query(NEXT_LANE.text(store.dialect()))
        .bind(after)
        .fetch_optional(store.reader())
        .await?;
    row.map(|row| Row::of(&row, "inbox", "lane").text("lane"))
        .transpose()
}

/// Takes the lane's lease and its oldest rows; `None` when somebody else has the lane. The rows that a
/// vanished holder had are blamed for it and come one at a time, so that at the second time only the
/// one that was alone is blamed.
pub async fn take(
    store: &Store,
    lane: String,
    asking: Asking,
) -> Result<Option<Batch>, StoreError> {
    store
        .unit(move |tx| {
            let (lane, asking) = (lane.clone(), asking.clone());
            Box::pin(async move { take_in(tx, &lane, &asking).await })
        })
        .await
}

async fn take_in(tx: &mut Tx, lane: &str, asking: &Asking) -> Result<Option<Batch>, StoreError> {
    let name = format!("inbox/{lane}");
    let Some(lease) = lease::acquire(tx, &name, &asking.holder, asking.lease).await? else {
        return Ok(None);
    };
    let found = sqlx::query(tx.sql(&TAKE))
        .bind(lane)
        .bind(i64::from(asking.most))
        .fetch_all(tx.connection())
        .await?;
    let mut rows = Vec::with_capacity(found.len());
    for row in &found {
        rows.push(received(&Row::of(row, "inbox", "id"))?);
    }
    if rows.first().is_some_and(|row| row.attempts > 0) {
        rows.truncate(1);
    }
    if lease.inherited {
        for row in &mut rows {
            row.attempts += 1;
            sqlx::query(tx.sql(&BLAME))
                .bind(row.id)
                .execute(tx.connection())
                .await?;
        }
        rows.truncate(1);
    }
    Ok(Some(Batch { lease, rows }))
}

fn received(row: &Row<'_>) -> Result<Received, StoreError> {
    let source = row.text("source")?;
    Ok(Received {
        id: row.number("id")?,
        source: Source::parse(&source)
            .ok_or_else(|| row.unreadable("source", format!("`{source}` is not a source")))?,
        event: row.text("event")?,
        received_at: row.time("received_at")?,
        body: row.body("body", "size")?,
        attempts: row.count("attempts")?,
    })
}

/// Marks a delivery as handled.
pub async fn handled(
    tx: &mut Tx,
    id: i64,
    verdict: &Verdict,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (outcome, problem) = verdict.columns();
    sqlx::query(tx.sql(&HANDLED))
        .bind(id)
        .bind(now.as_microsecond())
        .bind(outcome)
        .bind(problem.map(str::to_owned))
        .execute(tx.connection())
        .await?;
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
