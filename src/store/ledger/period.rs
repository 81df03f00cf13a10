//! Periods: where a time stands in the log. Entries lie in the order of their numbers, and clocks of several machines
//! differ a little: entries of another time may lie between, but none is further away than a clock ever slipped.

use jiff::Timestamp;

use super::super::row::Row;
use super::super::statement::statements;
use super::super::{Store, StoreError};
use super::find::Reading;

statements! {
    /// Halves the log until two entries lie side by side, one before the time and one not.
    NEAR = ["WITH RECURSIVE half (low, high) AS (
            SELECT CAST(0 AS BIGINT), size + 1 FROM ledger_head WHERE log = 'main'
            UNION ALL SELECT CASE WHEN e.at < $1 THEN e.seq ELSE half.low END, CASE WHEN e.at < $1 THEN half.high ELSE e.seq END
            FROM half JOIN ledger_entry e ON e.seq = (half.low + half.high) / 2 WHERE half.high - half.low > 1)
        SELECT MAX(low) AS older, MIN(high) AS newer FROM half"];
    SLIP = ["SELECT slip, log FROM ledger_head WHERE log = 'main'"];
    FIRST = ["SELECT seq FROM ledger_entry WHERE seq > $1 AND seq < $2 AND +at >= $3 AND +at < $4 ORDER BY seq LIMIT 1"];
    LAST = ["SELECT seq FROM ledger_entry WHERE seq > $1 AND seq < $2 AND +at >= $3 AND +at < $4 ORDER BY seq DESC LIMIT 1"];
}

/// An entry before a time, and one that is not: `0` and the number after the last where there is none.
pub(super) async fn near(reading: &mut Reading<'_>, at: i64) -> Result<(i64, i64), StoreError> {
    let row = sqlx::query(NEAR.text(reading.dialect))
        .bind(at)
        .fetch_one(&mut *reading.connection)
        .await?;
    let row = Row::of(&row, "ledger_entry", "older");
    Ok((row.number("older")?, row.number("newer")?))
}

/// The first and the last entry from a time on and before another.
pub async fn bounds(
    store: &Store,
    from: Timestamp,
    to: Timestamp,
) -> Result<Option<(i64, i64)>, StoreError> {
    let dialect = store.dialect();
    let mut connection = store.reader().acquire().await?;
    let row = sqlx::query(SLIP.text(dialect))
        .fetch_one(&mut *connection)
        .await?;
    let slip = Row::of(&row, "ledger_head", "log").number("slip")?;
    let (since, until) = (from.as_microsecond(), to.as_microsecond());
    let mut reading = Reading {
        dialect,
        connection: &mut connection,
    };
    let (older, _) = near(&mut reading, since.saturating_sub(slip)).await?;
    let (_, newer) = near(&mut reading, until.saturating_add(slip)).await?;
    let mut found = [None; 2];
    for (found, statement) in found.iter_mut().zip([&FIRST, &LAST]) {
        let row = sqlx::query(statement.text(dialect))
            .bind(older)
            .bind(newer)
            .bind(since)
            .bind(until)
            .fetch_optional(&mut *connection)
            .await?;
        *found = row
            .map(|row| Row::of(&row, "ledger_entry", "seq").number("seq"))
            .transpose()?;
    }
    Ok(found[0].zip(found[1]))
}
