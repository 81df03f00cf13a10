//! Timers: what must happen at a time: rows with a due time, claimed like everything else. A timer that fires is either
//! set again or removed by the process that claimed it.

use std::time::Duration;

use jiff::Timestamp;

use super::lease::micros;
use super::row::Row;
use super::statement::statements;
use super::{Store, StoreError, Tx, note};
use crate::domain::{Due, Internal, RepositoryId};

statements! {
    ENSURE = ["INSERT INTO timer (name, due_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING"];
    SET = ["INSERT INTO timer (name, due_at) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at, fence = timer.fence + 1, lease_until = 0"];
    SET_DUE = ["INSERT INTO timer (name, due_at, lane, body) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at, fence = timer.fence + 1, lease_until = 0,
            lane = excluded.lane, body = excluded.body"];
    ENSURE_DUE = ["INSERT INTO timer (name, due_at, lane, body) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING"];
    NEXT_DUE = ["SELECT name, due_at FROM timer WHERE body IS NOT NULL ORDER BY due_at LIMIT 1"];
    CANCEL = ["DELETE FROM timer WHERE name = $1"];
    CLAIM_NOTES = ["WITH chosen AS MATERIALIZED
            (SELECT name FROM timer WHERE due_at <= $2 AND lease_until <=" NOW "AND body IS NOT NULL ORDER BY due_at LIMIT $3" SKIP_LOCKED ")
        UPDATE timer SET fence = fence + 1, lease_until =" NOW "+ $1
        WHERE name IN (SELECT name FROM chosen) AND lease_until <=" NOW "RETURNING name, due_at, fence, lane, body"];
    CLAIM = ["WITH chosen AS MATERIALIZED
            (SELECT name FROM timer WHERE due_at <= $2 AND lease_until <=" NOW "AND body IS NULL ORDER BY due_at LIMIT $3" SKIP_LOCKED ")
        UPDATE timer SET fence = fence + 1, lease_until =" NOW "+ $1
        WHERE name IN (SELECT name FROM chosen) AND lease_until <=" NOW "RETURNING name, due_at, fence, lane, body"];
    AGAIN = ["UPDATE timer SET due_at = $3, lease_until = 0 WHERE name = $1 AND fence = $2"];
    DONE = ["DELETE FROM timer WHERE name = $1 AND fence = $2"];
}

/// A timer that fired and is ours for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired {
    pub name: String,
    pub due_at: Timestamp,
    pub fence: i64,
    /// What the desk is told then, and in which lane.
    pub note: Option<(String, String)>,
}

/// Sets a timer unless it is set already.
pub async fn ensure(tx: &mut Tx, name: &str, due_at: Timestamp) -> Result<(), StoreError> {
    sqlx::query(tx.sql(&ENSURE))
        .bind(name)
        .bind(due_at.as_microsecond())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Sets a timer, or moves it; a claim on its earlier time is void.
pub async fn set(tx: &mut Tx, name: &str, due_at: Timestamp) -> Result<(), StoreError> {
    sqlx::query(tx.sql(&SET))
        .bind(name)
        .bind(due_at.as_microsecond())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Sets a timer that tells the desk what has come due.
pub async fn set_due(
    tx: &mut Tx,
    due: &Due,
    repository: RepositoryId,
    at: Timestamp,
) -> Result<(), StoreError> {
    write_due(tx, &SET_DUE, due, repository, at).await
}

/// As [`set_due`], unless it is set already.
pub async fn ensure_due(
    tx: &mut Tx,
    due: &Due,
    repository: RepositoryId,
    at: Timestamp,
) -> Result<(), StoreError> {
    write_due(tx, &ENSURE_DUE, due, repository, at).await
}

async fn write_due(
    tx: &mut Tx,
    statement: &super::Statement,
    due: &Due,
    repository: RepositoryId,
    at: Timestamp,
) -> Result<(), StoreError> {
    let note = Internal::Due(due.clone());
    sqlx::query(tx.sql(statement))
        .bind(due.key())
        .bind(at.as_microsecond())
        .bind(note::lane(repository))
        .bind(note::spell(&note)?)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// When the desk is told something next.
pub async fn next_due(store: &Store) -> Result<Option<Timestamp>, StoreError> {
    let row = sqlx::query(NEXT_DUE.text(store.dialect()))
        .fetch_optional(store.reader())
        .await?;
    row.map(|row| Row::of(&row, "timer", "name").time("due_at"))
        .transpose()
}

pub async fn cancel(tx: &mut Tx, name: &str) -> Result<(), StoreError> {
    sqlx::query(tx.sql(&CANCEL))
        .bind(name)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Claims chores that are due, the oldest first.
pub async fn claim(
    store: &Store,
    now: Timestamp,
    lease: Duration,
    most: u32,
) -> Result<Vec<Fired>, StoreError> {
    claim_by(store, &CLAIM, now, lease, most).await
}

/// Claims what the desk is to be told of, the oldest first.
pub async fn claim_notes(
    store: &Store,
    now: Timestamp,
    lease: Duration,
    most: u32,
) -> Result<Vec<Fired>, StoreError> {
    claim_by(store, &CLAIM_NOTES, now, lease, most).await
}

async fn claim_by(
    store: &Store,
    statement: &'static super::Statement,
    now: Timestamp,
    lease: Duration,
    most: u32,
) -> Result<Vec<Fired>, StoreError> {
    store
        .unit(move |tx| {
            Box::pin(async move {
                let rows = sqlx::query(tx.sql(statement))
                    .bind(micros(lease))
                    .bind(now.as_microsecond())
                    .bind(i64::from(most))
                    .fetch_all(tx.connection())
                    .await?;
                let mut fired = Vec::with_capacity(rows.len());
                for row in &rows {
                    let row = Row::of(row, "timer", "name");
                    fired.push(Fired {
                        name: row.text("name")?,
                        due_at: row.time("due_at")?,
                        fence: row.number("fence")?,
                        note: row.maybe_text("lane")?.zip(row.maybe_text("body")?),
                    });
                }
                fired.sort_by_key(|timer| timer.due_at);
                Ok(fired)
            })
        })
        .await
}

/// Sets the fired timer again; `false` when the claim was lost.
pub async fn again(tx: &mut Tx, fired: &Fired, due_at: Timestamp) -> Result<bool, StoreError> {
    let moved = sqlx::query(tx.sql(&AGAIN))
        .bind(fired.name.as_str())
        .bind(fired.fence)
        .bind(due_at.as_microsecond())
        .execute(tx.connection())
        .await?;
    Ok(moved.rows_affected() == 1)
}

/// Removes the fired timer; `false` when the claim was lost.
pub async fn done(tx: &mut Tx, fired: &Fired) -> Result<bool, StoreError> {
    let removed = sqlx::query(tx.sql(&DONE))
        .bind(fired.name.as_str())
        .bind(fired.fence)
        .execute(tx.connection())
        .await?;
    Ok(removed.rows_affected() == 1)
}
