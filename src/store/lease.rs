//! Who works on what, for how long. Time is the database's, so that replicas with different clocks
//! agree; the fence grows with every claim, and every later write names it.

use std::time::Duration;

use sqlx::Row as _;

use super::statement::statements;
use super::{StoreError, Tx};

statements! {
    ACQUIRE = ["INSERT INTO lease (name, holder, fence, lease_until) VALUES ($1, $2, 1," NOW "+ $3)
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fence = lease.fence + 1, lease_until = excluded.lease_until
        WHERE lease.lease_until <=" NOW "RETURNING fence"];
    LEFT_OPEN = ["SELECT COUNT(*) AS found FROM lease WHERE name = $1 AND lease_until <> 0"];
    RELEASE = ["UPDATE lease SET lease_until = 0 WHERE name = $1 AND fence = $2 AND lease_until <> 0"];
}

/// A lease that was given to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub name: String,
    pub fence: i64,
    /// The holder before us never gave it back: it crashed or was too slow.
    pub inherited: bool,
}

/// Takes the lease if nobody holds it.
pub async fn acquire(
    tx: &mut Tx,
    name: &str,
    holder: &str,
    length: Duration,
) -> Result<Option<Lease>, StoreError> {
    let left_open: i64 = sqlx::query(tx.sql(&LEFT_OPEN))
        .bind(name)
        .fetch_one(tx.connection())
        .await?
        .try_get("found")?;
    let rows = sqlx::query(tx.sql(&ACQUIRE))
        .bind(name)
        .bind(holder)
        .bind(micros(length))
        .fetch_all(tx.connection())
        .await?;
    match rows.first() {
        Some(row) => Ok(Some(Lease {
            name: name.to_owned(),
            fence: row.try_get("fence")?,
            inherited: left_open > 0,
        })),
        None => Ok(None),
    }
}

/// Gives the lease back. `false` means that it was lost: somebody else has a newer fence, and the
/// unit must not write what was done under this one.
pub async fn release(tx: &mut Tx, lease: &Lease) -> Result<bool, StoreError> {
    let released = sqlx::query(tx.sql(&RELEASE))
        .bind(lease.name.as_str())
        .bind(lease.fence)
        .execute(tx.connection())
        .await?;
    Ok(released.rows_affected() == 1)
}

/// A duration as the database adds it.
pub(super) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}
