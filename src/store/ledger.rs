//! Appends what was decided, in the same transaction as the change it records. The number comes from
//! the head, whose row lock lets one writer through at a time, so that numbers have no gaps.

use sqlx::Row as _;

use super::row::Row;
use super::statement::statements;
use super::{Store, StoreError, Tx};
use crate::domain::{Action, Entry};
use crate::ledger;

statements! {
    NEXT = ["UPDATE ledger_head SET size = size + 1 WHERE log = 'main' RETURNING size"];
    APPEND = ["INSERT INTO ledger_entry (seq, at, action, body) VALUES ($1, $2, $3, $4)"];
    LATEST = ["SELECT seq, at, action, body FROM ledger_entry WHERE action = $1 ORDER BY seq DESC LIMIT 1"];
}

/// Appends one entry and returns its number.
pub async fn append(tx: &mut Tx, entry: &Entry) -> Result<i64, StoreError> {
    let seq: i64 = sqlx::query(tx.sql(&NEXT))
        .fetch_one(tx.connection())
        .await?
        .try_get("size")?;
    sqlx::query(tx.sql(&APPEND))
        .bind(seq)
        .bind(entry.at.as_microsecond())
        .bind(entry.action.as_str())
        .bind(ledger::bytes(entry))
        .execute(tx.connection())
        .await?;
    Ok(seq)
}

/// The exact bytes of the newest entry of one kind.
pub async fn latest(store: &Store, action: Action) -> Result<Option<Vec<u8>>, StoreError> {
    let row = sqlx::query(LATEST.text(store.dialect()))
        .bind(action.as_str())
        .fetch_optional(store.reader())
        .await?;
    row.map(|row| Row::of(&row, "ledger_entry", "seq").bytes("body"))
        .transpose()
}
