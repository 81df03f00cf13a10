//! Quiet channels: whom we must not call before a time. One process learns it from an answer, all obey it.

use jiff::Timestamp;

use super::row::Row;
use super::statement::statements;
use super::{Store, StoreError, Tx};

statements! {
    KEEP = ["INSERT INTO quiet (channel, until_at, why) VALUES ($1, $2, $3)
        ON CONFLICT (channel) DO UPDATE SET until_at = excluded.until_at, why = excluded.why
            WHERE excluded.until_at > quiet.until_at"];
    UNTIL = ["SELECT channel, until_at, why FROM quiet WHERE channel = $1 AND until_at > $2"];
}

/// No process calls through this channel until then.
pub async fn keep(
    tx: &mut Tx,
    channel: &str,
    until: Timestamp,
    why: &str,
) -> Result<(), StoreError> {
    sqlx::query(tx.sql(&KEEP))
        .bind(channel)
        .bind(until.as_microsecond())
        .bind(why)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Until when no process may call, and why.
pub async fn until(
    store: &Store,
    channel: &str,
    now: Timestamp,
) -> Result<Option<(Timestamp, String)>, StoreError> {
    let row = sqlx::query(UNTIL.text(store.dialect()))
        .bind(channel)
        .bind(now.as_microsecond())
        .fetch_optional(store.reader())
        .await?;
    row.map(|row| {
        let row = Row::of(&row, "quiet", "channel");
        Ok((row.time("until_at")?, row.text("why")?))
    })
    .transpose()
}
