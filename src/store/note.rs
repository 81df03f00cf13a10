//! Notes: what Countersign tells itself, as a row of the inbox, so that the desk handles it in its turn. A note is
//! written in the transaction of what it is about.

use jiff::Timestamp;

use super::statement::statements;
use super::{StoreError, Tx};
use crate::domain::{Internal, RepositoryId, Source};
use countersign_ground::chance;

statements! {
    INSERT = ["INSERT INTO inbox (source, delivery, event, lane, received_at, size, body) VALUES ($1, $2, $3, $4, $5, $6, $7)"];
}

/// The lane of a repository: notes about it wait in line with its deliveries.
pub fn lane(repository: RepositoryId) -> String {
    format!(
        "{}/repository/{}",
        repository.forge().prefix(),
        repository.number()
    )
}

pub(super) fn spell(note: &Internal) -> Result<String, StoreError> {
    serde_json::to_string(note)
        .map_err(|error| StoreError::Unusable(format!("a note has no spelling: {error}")))
}

/// Tells the desk.
pub async fn leave(
    tx: &mut Tx,
    lane: &str,
    note: &Internal,
    now: Timestamp,
) -> Result<(), StoreError> {
    let text = spell(note)?;
    leave_text(tx, lane, &text, now).await
}

/// Tells the desk what a timer kept.
pub async fn leave_text(
    tx: &mut Tx,
    lane: &str,
    text: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let size = i64::try_from(text.len()).unwrap_or(i64::MAX);
    sqlx::query(tx.sql(&INSERT))
        .bind(Source::Countersign.as_str())
        .bind(chance::id())
        .bind("note")
        .bind(lane)
        .bind(now.as_microsecond())
        .bind(size)
        .bind(lz4_flex::block::compress(text.as_bytes()))
        .execute(tx.connection())
        .await?;
    Ok(())
}
