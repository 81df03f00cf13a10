//! Names and the numbers behind them, numbers that are given out, and what was done before.

use jiff::Timestamp;

use super::signed;
use crate::domain::{Bound, PinKind, Repository, RepositoryId, Seen};
use crate::store::row::Row;
use crate::store::statement::statements;
use crate::store::{StoreError, Tx};

statements! {
    REPOSITORIES = ["SELECT name, id, path, installation FROM repository WHERE id = $1 OR name = $2 ORDER BY name"];
    BIND = ["INSERT INTO repository (name, id, path, installation) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name) DO UPDATE SET path = excluded.path,
            installation = COALESCE(excluded.installation, repository.installation) WHERE repository.id = excluded.id"];
    PIN = ["SELECT name, id FROM pin WHERE kind = $1 AND name = $2"];
    SET_PIN = ["INSERT INTO pin (kind, name, id, at) VALUES ($1, $2, $3, $4) ON CONFLICT (kind, name) DO NOTHING"];
    REMEMBERED = ["SELECT COUNT(*) AS found FROM remembered WHERE token = $1"];
    REMEMBER = ["INSERT INTO remembered (token, at) VALUES ($1, $2) ON CONFLICT (token) DO NOTHING"];
    PRUNE = ["DELETE FROM remembered WHERE token IN
        (SELECT token FROM remembered WHERE at < $1 ORDER BY at LIMIT $2)"];
    NEXT_NUMBER = ["UPDATE counter SET value = value + 1 WHERE name = 'request' RETURNING name, value"];
}

pub(super) async fn repositories(tx: &mut Tx, id: u64, path: &str) -> Result<Seen, StoreError> {
    let rows = sqlx::query(tx.sql(&REPOSITORIES))
        .bind(signed(id)?)
        .bind(path)
        .fetch_all(tx.connection())
        .await?;
    let mut bound = Vec::with_capacity(rows.len());
    for row in &rows {
        let row = Row::of(row, "repository", "name");
        bound.push(Bound {
            name: row.text("name")?,
            repository: Repository {
                id: RepositoryId::of_key(row.count("id")?),
                path: row.text("path")?,
                installation: row.maybe_count("installation")?,
            },
        });
    }
    Ok(Seen::Repositories(bound))
}

/// Binds a name to a repository. A name that is bound to another one stays with that.
pub(super) async fn bind(tx: &mut Tx, bound: &Bound) -> Result<(), StoreError> {
    let installation = bound.repository.installation.map(signed).transpose()?;
    sqlx::query(tx.sql(&BIND))
        .bind(bound.name.as_str())
        .bind(signed(bound.repository.id.key())?)
        .bind(bound.repository.path.as_str())
        .bind(installation)
        .execute(tx.connection())
        .await?;
    Ok(())
}

pub(super) async fn pin(tx: &mut Tx, kind: PinKind, name: &str) -> Result<Seen, StoreError> {
    let row = sqlx::query(tx.sql(&PIN))
        .bind(kind.as_str())
        .bind(name)
        .fetch_optional(tx.connection())
        .await?;
    row.map(|row| Row::of(&row, "pin", "name").count("id"))
        .transpose()
        .map(Seen::Pin)
}

/// Remembers whom a name belongs to; `Some(id)` when it belonged to another before.
pub async fn repin(
    tx: &mut Tx,
    kind: PinKind,
    name: &str,
    id: u64,
    now: Timestamp,
) -> Result<Option<u64>, StoreError> {
    sqlx::query(tx.sql(&SET_PIN))
        .bind(kind.as_str())
        .bind(name)
        .bind(signed(id)?)
        .bind(now.as_microsecond())
        .execute(tx.connection())
        .await?;
    let known = if let Seen::Pin(known) = pin(tx, kind, name).await? {
        known
    } else {
        None
    };
    Ok(known.filter(|known| *known != id))
}

pub(super) async fn remembered(tx: &mut Tx, token: &str) -> Result<Seen, StoreError> {
    let row = sqlx::query(tx.sql(&REMEMBERED))
        .bind(token)
        .fetch_one(tx.connection())
        .await?;
    let found = Row::of(&row, "remembered", "found").number("found")?;
    Ok(Seen::Yes(found > 0))
}

pub(super) async fn remember(tx: &mut Tx, token: &str, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(tx.sql(&REMEMBER))
        .bind(token)
        .bind(now.as_microsecond())
        .execute(tx.connection())
        .await?;
    Ok(())
}

pub(super) async fn forget(tx: &mut Tx, before: Timestamp, most: u32) -> Result<u64, StoreError> {
    let pruned = sqlx::query(tx.sql(&PRUNE))
        .bind(before.as_microsecond())
        .bind(i64::from(most))
        .execute(tx.connection())
        .await?;
    Ok(pruned.rows_affected())
}

pub(super) async fn next_number(tx: &mut Tx) -> Result<Seen, StoreError> {
    let row = sqlx::query(tx.sql(&NEXT_NUMBER))
        .fetch_one(tx.connection())
        .await?;
    Row::of(&row, "counter", "name")
        .count("value")
        .map(Seen::Number)
}
