//! Leases: who works on what, for how long. Time is the database's, so that replicas with different clocks agree; the
//! fence grows with every claim, and a writer under a claim shows that its fences are still the newest.

use std::collections::BTreeMap;
use std::time::Duration;

use super::row::Row;
use super::statement::statements;
use super::{StoreError, Tx};

statements! {
    GIVE_BACK = ["UPDATE lease SET lease_until = 0 WHERE holder = $1 AND lease_until <> 0 RETURNING name, fence"];
    GIVE_ONE_BACK = ["UPDATE lease SET lease_until = 0 WHERE holder = $1 AND name = $2 AND fence = $3 AND lease_until <> 0"];
    GIVE_OTHERS_BACK = ["UPDATE lease SET lease_until = 0 WHERE holder = $1 AND name <> $2 AND lease_until <> 0"];
    EXTEND = ["UPDATE lease SET lease_until =" NOW "+ $4 WHERE holder = $1 AND name = $2 AND fence = $3 AND lease_until <> 0"];
    RETAKE = ["UPDATE lease SET lease_until =" NOW "+ $3 WHERE holder = $1 AND name = $2 AND lease_until = 0"];
    TAKE_ONE = ["INSERT INTO lease (name, holder, fence, lease_until) VALUES ($1, $2, 1," NOW "+ $3)
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fence = lease.fence + 1, lease_until = excluded.lease_until
            WHERE lease.lease_until <=" NOW "OR lease.holder = excluded.holder
        RETURNING name, fence"];
    LEFT_OPEN = ["SELECT name FROM lease WHERE lease_until <> 0 AND lease_until <=" NOW "ORDER BY name"];
}

/// What one claim holds: leases by name, each with its fence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Names this claim and no other.
    pub holder: String,
    pub fences: BTreeMap<String, i64>,
}

impl Hold {
    /// The part of a hold that has these names.
    #[must_use]
    pub fn only(&self, wanted: impl Fn(&str) -> bool) -> Self {
        let fences = self.fences.iter().filter(|(name, _)| wanted(name));
        Self {
            holder: self.holder.clone(),
            fences: fences.map(|(name, fence)| (name.clone(), *fence)).collect(),
        }
    }
}

/// Takes one lease, unless another holder has it; its own holder gets a newer fence.
pub async fn take_one(
    tx: &mut Tx,
    name: &str,
    holder: &str,
    length: Duration,
) -> Result<Option<Hold>, StoreError> {
    let taken = sqlx::query(tx.sql(&TAKE_ONE))
        .bind(name)
        .bind(holder)
        .bind(micros(length))
        .fetch_optional(tx.connection())
        .await?;
    let Some(row) = taken else { return Ok(None) };
    let fence = Row::of(&row, "lease", "name").number("fence")?;
    Ok(Some(Hold {
        holder: holder.to_owned(),
        fences: BTreeMap::from([(name.to_owned(), fence)]),
    }))
}

/// Gives every lease of a hold back. `false` means that some of them were lost: another holder has a newer fence, and
/// nothing may be written that was done under this hold.
pub async fn give_back(tx: &mut Tx, hold: &Hold) -> Result<bool, StoreError> {
    let rows = sqlx::query(tx.sql(&GIVE_BACK))
        .bind(hold.holder.as_str())
        .fetch_all(tx.connection())
        .await?;
    let mut given_back = BTreeMap::new();
    for row in &rows {
        let row = Row::of(row, "lease", "name");
        given_back.insert(row.text("name")?, row.number("fence")?);
    }
    Ok(given_back == hold.fences)
}

/// Gives the leases of a part of a hold back; `false` when some of them were lost.
pub async fn give_part_back(tx: &mut Tx, part: &Hold) -> Result<bool, StoreError> {
    for (name, fence) in &part.fences {
        let given = sqlx::query(tx.sql(&GIVE_ONE_BACK))
            .bind(part.holder.as_str())
            .bind(name.as_str())
            .bind(*fence)
            .execute(tx.connection())
            .await?;
        if given.rows_affected() != 1 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Gives back whatever of a hold is still held.
pub async fn drop_all(tx: &mut Tx, hold: &Hold) -> Result<(), StoreError> {
    for (name, fence) in &hold.fences {
        sqlx::query(tx.sql(&GIVE_ONE_BACK))
            .bind(hold.holder.as_str())
            .bind(name.as_str())
            .bind(*fence)
            .execute(tx.connection())
            .await?;
    }
    Ok(())
}

/// Gives every lease of a hold back but the one with this name.
pub(super) async fn give_others_back(
    tx: &mut Tx,
    hold: &Hold,
    kept: &str,
) -> Result<(), StoreError> {
    sqlx::query(tx.sql(&GIVE_OTHERS_BACK))
        .bind(hold.holder.as_str())
        .bind(kept)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Lengthens the leases of a part of a hold; `false` when some of them were lost.
pub async fn extend(tx: &mut Tx, part: &Hold, length: Duration) -> Result<bool, StoreError> {
    for (name, fence) in &part.fences {
        let extended = sqlx::query(tx.sql(&EXTEND))
            .bind(part.holder.as_str())
            .bind(name.as_str())
            .bind(*fence)
            .bind(micros(length))
            .execute(tx.connection())
            .await?;
        if extended.rows_affected() != 1 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Keeps some leases of a hold that was given back in this same transaction, and so could not be taken by another
/// holder.
pub async fn keep(tx: &mut Tx, hold: &Hold, length: Duration) -> Result<(), StoreError> {
    for name in hold.fences.keys() {
        sqlx::query(tx.sql(&RETAKE))
            .bind(hold.holder.as_str())
            .bind(name.as_str())
            .bind(micros(length))
            .execute(tx.connection())
            .await?;
    }
    Ok(())
}

/// Leases whose time ran out and whose holders never gave them back: they crashed or were too slow.
pub(super) async fn left_open(tx: &mut Tx) -> Result<Vec<String>, StoreError> {
    let rows = sqlx::query(tx.sql(&LEFT_OPEN))
        .fetch_all(tx.connection())
        .await?;
    rows.iter()
        .map(|row| Row::of(row, "lease", "name").text("name"))
        .collect()
}

/// A duration as the database adds it.
pub(super) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}
