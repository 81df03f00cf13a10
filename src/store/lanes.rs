//! Lanes: what was received is taken lane by lane. The holder of a lane's lease handles its rows in the order of their
//! arrival, and no other holder touches them meanwhile. One transaction takes many lanes.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::lease::{self, Hold, micros};
use super::row::Row;
use super::statement::statements;
use super::{Store, StoreError, Tx};
use crate::domain::Source;
use countersign_ground::chance;

statements! {
    /// The lanes of the oldest rows, all that no other holder has.
    TAKE_LANES = ["INSERT INTO lease (name, holder, fence, lease_until)
        SELECT 'inbox/' || waiting.lane, $1, 1," NOW "+ $2 FROM (SELECT DISTINCT lane FROM
            (SELECT lane FROM inbox WHERE handled_at IS NULL AND NOT EXISTS
                (SELECT 1 FROM lease AS held
                WHERE held.name = 'inbox/' || inbox.lane AND held.lease_until >" NOW ")
            ORDER BY id LIMIT $3) AS oldest) AS waiting
        WHERE 1 = 1 ORDER BY 1
        ON CONFLICT (name) DO UPDATE
            SET holder = excluded.holder, fence = lease.fence + 1, lease_until = excluded.lease_until
            WHERE lease.lease_until <=" NOW "RETURNING name, fence"];
    TAKE_ROWS = ["SELECT id, lane, source, event, received_at, size, body, attempts FROM inbox
        WHERE handled_at IS NULL AND EXISTS
            (SELECT 1 FROM lease AS held
            WHERE held.name = 'inbox/' || inbox.lane AND held.holder = $1)
        ORDER BY id LIMIT $2"];
    BLAME = ["UPDATE inbox SET attempts = attempts + 1 WHERE id = $1"];
}

/// Rows that are ours until the leases of their lanes end, oldest first.
#[derive(Debug)]
pub struct Batch {
    pub hold: Hold,
    pub rows: Vec<Received>,
}

/// One delivery as it was stored.
#[derive(Clone, Debug)]
pub struct Received {
    pub id: i64,
    pub lane: String,
    pub source: Source,
    pub event: String,
    pub received_at: Timestamp,
    pub body: Vec<u8>,
    /// How often a holder vanished while it had this row.
    pub attempts: u64,
}

/// Takes the oldest rows that are not worked on, with their lanes; nothing when there are none.
///
/// The rows that a vanished holder had are blamed for it. A row that is blamed comes alone, so that at the next time no
/// other row is blamed with it.
pub async fn take(store: &Store, length: Duration, most: u32) -> Result<Option<Batch>, StoreError> {
    store
        .unit(move |tx| Box::pin(async move { take_in(tx, length, most).await }))
        .await
}

async fn take_in(tx: &mut Tx, length: Duration, most: u32) -> Result<Option<Batch>, StoreError> {
    let left_open = lease::left_open(tx).await?;
    let holder = chance::id();
    let taken = sqlx::query(tx.sql(&TAKE_LANES))
        .bind(holder.as_str())
        .bind(micros(length))
        .bind(i64::from(most))
        .fetch_all(tx.connection())
        .await?;
    if taken.is_empty() {
        return Ok(None);
    }
    let mut fences = BTreeMap::new();
    for row in &taken {
        let row = Row::of(row, "lease", "name");
        fences.insert(row.text("name")?, row.number("fence")?);
    }
    let found = sqlx::query(tx.sql(&TAKE_ROWS))
        .bind(holder.as_str())
        .bind(i64::from(most))
        .fetch_all(tx.connection())
        .await?;
    let mut rows = Vec::with_capacity(found.len());
    for row in &found {
        rows.push(received(&Row::of(row, "inbox", "id"))?);
    }
    blame(tx, &mut rows, &left_open).await?;
    let mut hold = Hold { holder, fences };
    if let Some(suspect) = rows.iter().position(|row| row.attempts > 0) {
        rows = vec![rows.swap_remove(suspect)];
        // Only its lane is held, so that no other row is blamed if this one is deadly.
        let alone = rows.iter().map(|row| format!("inbox/{}", row.lane)).next();
        let alone = alone.unwrap_or_default();
        lease::give_others_back(tx, &hold, &alone).await?;
        hold = hold.only(|name| name == alone);
    }
    Ok(Some(Batch { hold, rows }))
}

/// In a lane that was left open, the first row is blamed, and the rows behind it if the first was not
/// alone, which is to say not blamed before.
async fn blame(tx: &mut Tx, rows: &mut [Received], left_open: &[String]) -> Result<(), StoreError> {
    let mut came_alone = BTreeMap::new();
    for row in rows {
        let name = format!("inbox/{}", row.lane);
        if !left_open.contains(&name) {
            continue;
        }
        match came_alone.get(&name) {
            None => came_alone.insert(name, row.attempts > 0),
            Some(false) => None,
            Some(true) => continue,
        };
        row.attempts += 1;
        sqlx::query(tx.sql(&BLAME))
            .bind(row.id)
            .execute(tx.connection())
            .await?;
    }
    Ok(())
}

fn received(row: &Row<'_>) -> Result<Received, StoreError> {
    let source = row.text("source")?;
    Ok(Received {
        id: row.number("id")?,
        lane: row.text("lane")?,
        source: Source::parse(&source)
            .ok_or_else(|| row.unreadable("source", format!("`{source}` is not a source")))?,
        event: row.text("event")?,
        received_at: row.time("received_at")?,
        body: row.body("body", "size")?,
        attempts: row.count("attempts")?,
    })
}
