//! Where a period begins and ends in the log. Clocks of several machines differ a little, so entries of
//! another time may lie between.

use jiff::Timestamp;

use super::super::row::Row;
use super::super::statement::statements;
use super::super::{Store, StoreError};

statements! {
    BOUNDS = ["SELECT MIN(seq) AS first, MAX(seq) AS last FROM ledger_entry WHERE at >= $1 AND at < $2"];
}

/// The first and the last entry from a time on and before another.
pub async fn bounds(
    store: &Store,
    from: Timestamp,
    to: Timestamp,
) -> Result<Option<(i64, i64)>, StoreError> {
    let row = sqlx::query(BOUNDS.text(store.dialect()))
        .bind(from.as_microsecond())
        .bind(to.as_microsecond())
        .fetch_one(store.reader())
        .await?;
    let row = Row::of(&row, "ledger_entry", "first");
    Ok(row.maybe_number("first")?.zip(row.maybe_number("last")?))
}
