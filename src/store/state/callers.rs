//! Callers: who gave commands a moment ago, and how many.

use jiff::Timestamp;

use super::signed;
use crate::domain::{Caller, RepositoryId, Seen};
use crate::store::row::Row;
use crate::store::statement::statements;
use crate::store::{StoreError, Tx};

statements! {
    CALLER = ["SELECT account, until_at, heard, stranger FROM caller WHERE repository = $1 AND account = $2"];
    PUT = ["INSERT INTO caller (repository, account, until_at, heard, stranger) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (repository, account) DO UPDATE
            SET until_at = excluded.until_at, heard = excluded.heard, stranger = excluded.stranger"];
    FORGET = ["DELETE FROM caller WHERE until_at < $1"];
}

/// What is known of a person of the repository's forge.
pub(super) async fn caller(
    tx: &mut Tx,
    repository: RepositoryId,
    account: u64,
) -> Result<Seen, StoreError> {
    let row = sqlx::query(tx.sql(&CALLER))
        .bind(signed(repository.key())?)
        .bind(signed(account)?)
        .fetch_optional(tx.connection())
        .await?;
    row.map(|row| {
        let row = Row::of(&row, "caller", "account");
        Ok(Caller {
            repository,
            account,
            until: row.time("until_at")?,
            heard: row.count("heard")?,
            is_stranger: row.count("stranger")? == 1,
        })
    })
    .transpose()
    .map(Seen::Caller)
}

pub(super) async fn put(tx: &mut Tx, caller: &Caller) -> Result<(), StoreError> {
    sqlx::query(tx.sql(&PUT))
        .bind(signed(caller.repository.key())?)
        .bind(signed(caller.account)?)
        .bind(caller.until.as_microsecond())
        .bind(signed(caller.heard)?)
        .bind(i64::from(caller.is_stranger))
        .execute(tx.connection())
        .await?;
    Ok(())
}

pub(super) async fn forget(tx: &mut Tx, before: Timestamp) -> Result<(), StoreError> {
    sqlx::query(tx.sql(&FORGET))
        .bind(before.as_microsecond())
        .execute(tx.connection())
        .await?;
    Ok(())
}
