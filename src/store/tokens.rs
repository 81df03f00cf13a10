//! Tokens for those who read through the door. Only the hash of a token is here; the token itself is shown once, to the
//! operator who made it, and random enough that its hash needs no salt.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::lease::micros;
use super::row::Row;
use super::statement::statements;
use super::{Store, StoreError, Tx};
use crate::domain::Scope;
use countersign_ground::digest;

statements! {
    MAKE = ["INSERT INTO api_token (name, scopes, hash, made_at, expires_at) VALUES ($1, $2, $3, $4, $5) RETURNING id"];
    OF_HASH = ["SELECT id, name, scopes, made_at, expires_at, revoked_at, last_used_at FROM api_token WHERE hash = $1"];
    FIND = ["SELECT id, name, scopes, made_at, expires_at, revoked_at, last_used_at FROM api_token WHERE id = $1"];
    LIST = ["SELECT id, name, scopes, made_at, expires_at, revoked_at, last_used_at FROM api_token
        WHERE id > $1 ORDER BY id LIMIT $2"];
    REVOKE = ["UPDATE api_token SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL"];
    USED = ["UPDATE api_token SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)"];
}

/// That a token was used is written down at most so often.
pub const USED_AGAIN: Duration = Duration::from_secs(60);

/// A token without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub id: i64,
    pub name: String,
    pub scopes: BTreeSet<Scope>,
    pub made_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
}

/// A token that is to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    pub name: String,
    pub scopes: BTreeSet<Scope>,
    pub hash: String,
    pub made_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

/// How a token is kept.
pub fn hash(secret: &str) -> String {
    digest::sha256_hex(secret.as_bytes())
}

/// Keeps a new token and returns its number.
pub async fn make(tx: &mut Tx, token: &NewToken) -> Result<i64, StoreError> {
    let made = sqlx::query(tx.sql(&MAKE))
        .bind(&token.name)
        .bind(spell(&token.scopes))
        .bind(&token.hash)
        .bind(token.made_at.as_microsecond())
        .bind(token.expires_at.map(Timestamp::as_microsecond))
        .fetch_one(tx.connection())
        .await?;
    Ok(made.try_get("id")?)
}

/// The token with this hash, in force or not.
pub async fn of_hash(store: &Store, hash: &str) -> Result<Option<Token>, StoreError> {
    let row = sqlx::query(OF_HASH.text(store.dialect()))
        .bind(hash)
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(read).transpose()
}

pub async fn find(store: &Store, id: i64) -> Result<Option<Token>, StoreError> {
    let row = sqlx::query(FIND.text(store.dialect()))
        .bind(id)
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(read).transpose()
}

/// Tokens by number, after `after`.
pub async fn list(store: &Store, after: i64, most: u32) -> Result<Vec<Token>, StoreError> {
    let rows = sqlx::query(LIST.text(store.dialect()))
        .bind(after)
        .bind(i64::from(most))
        .fetch_all(store.reader())
        .await?;
    rows.iter().map(read).collect()
}

/// Takes a token out of force for good; `false` when there is none, or it was revoked before.
pub async fn revoke(tx: &mut Tx, id: i64, now: Timestamp) -> Result<bool, StoreError> {
    let changed = sqlx::query(tx.sql(&REVOKE))
        .bind(id)
        .bind(now.as_microsecond())
        .execute(tx.connection())
        .await?;
    Ok(changed.rows_affected() == 1)
}

/// Remembers that a token was used, unless that was remembered a moment ago.
pub async fn used(tx: &mut Tx, id: i64, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(tx.sql(&USED))
        .bind(id)
        .bind(now.as_microsecond())
        .bind(now.as_microsecond().saturating_sub(micros(USED_AGAIN)))
        .execute(tx.connection())
        .await?;
    Ok(())
}

impl Token {
    /// Whether it opens anything at this time.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

fn spell(scopes: &BTreeSet<Scope>) -> String {
    let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    words.join(" ")
}

fn read(row: &AnyRow) -> Result<Token, StoreError> {
    let row = Row::of(row, "api_token", "id");
    let scopes = row
        .text("scopes")?
        .split(' ')
        .map(str::parse)
        .collect::<Result<_, _>>()
        .map_err(|invalid| row.unreadable("scopes", format!("{invalid}")))?;
    Ok(Token {
        id: row.number("id")?,
        name: row.text("name")?,
        scopes,
        made_at: row.time("made_at")?,
        expires_at: row.maybe_time("expires_at")?,
        revoked_at: row.maybe_time("revoked_at")?,
        last_used_at: row.maybe_time("last_used_at")?,
    })
}
