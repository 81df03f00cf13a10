//! Heads: what grows out of the entries: full tiles of the tree, signed heads, and how much of the log each place
//! outside the database holds.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::super::row::Row;
use super::super::statement::statements;
use super::super::{Store, StoreError, Tx};

statements! {
    ADD_TILE = ["INSERT INTO ledger_tile (level, n, hashes, root) VALUES ($1, $2, $3, $4)"];
    HAS_TILE = ["SELECT level, n, hashes, root FROM ledger_tile WHERE level = $1 AND n = $2"];
    TILES = ["SELECT level, n, hashes, root FROM ledger_tile WHERE level = $1 AND n >= $2 ORDER BY n LIMIT $3"];
    ADD_CHECKPOINT = ["INSERT INTO ledger_checkpoint (size, root, note) VALUES ($1, $2, $3)"];
    HAS_CHECKPOINT = ["SELECT size FROM ledger_checkpoint WHERE size = $1"];
    LAST_CHECKPOINT = ["SELECT size, root, note FROM ledger_checkpoint ORDER BY size DESC LIMIT 1"];
    CHECKPOINTS = ["SELECT size, root, note FROM ledger_checkpoint WHERE size > $1 ORDER BY size LIMIT $2"];
    RECORD_ANCHOR = ["INSERT INTO ledger_anchor (place, kind, size, at, note) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (place) DO UPDATE SET size = excluded.size, at = excluded.at, note = excluded.note"];
    ANCHOR = ["SELECT place, kind, size, at, note FROM ledger_anchor WHERE place = $1"];
    ANCHORS = ["SELECT place, kind, size, at, note FROM ledger_anchor ORDER BY place"];
}

/// A full tile: 256 hashes, and the hash above them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    pub level: i64,
    pub n: i64,
    pub hashes: Vec<u8>,
    pub root: Vec<u8>,
}

/// A signed head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub size: i64,
    pub root: Vec<u8>,
    pub note: String,
}

/// How much of the log a place outside holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    pub place: String,
    /// `head`, `file`, `witness` or `export`.
    pub kind: String,
    pub size: i64,
    pub at: Timestamp,
    pub note: Option<String>,
}

/// Adds full tiles; those that another process added are left alone.
pub async fn record_tiles(tx: &mut Tx, tiles: &[Tile]) -> Result<(), StoreError> {
    for tile in tiles {
        let known = sqlx::query(tx.sql(&HAS_TILE))
            .bind(tile.level)
            .bind(tile.n)
            .fetch_optional(tx.connection())
            .await?;
        if known.is_none() {
            sqlx::query(tx.sql(&ADD_TILE))
                .bind(tile.level)
                .bind(tile.n)
                .bind(tile.hashes.as_slice())
                .bind(tile.root.as_slice())
                .execute(tx.connection())
                .await?;
        }
    }
    Ok(())
}

/// Full tiles of a level, from the `first` on.
pub async fn tiles(
    store: &Store,
    level: i64,
    first: i64,
    most: u32,
) -> Result<Vec<Tile>, StoreError> {
    let rows = sqlx::query(TILES.text(store.dialect()))
        .bind(level)
        .bind(first)
        .bind(i64::from(most))
        .fetch_all(store.reader())
        .await?;
    rows.iter()
        .map(|row| {
            let row = Row::of(row, "ledger_tile", "n");
            Ok(Tile {
                level: row.number("level")?,
                n: row.number("n")?,
                hashes: row.bytes("hashes")?,
                root: row.bytes("root")?,
            })
        })
        .collect()
}

/// Adds a signed head, unless another process signed the same size.
pub async fn record_checkpoint(tx: &mut Tx, checkpoint: &Checkpoint) -> Result<(), StoreError> {
    let known = sqlx::query(tx.sql(&HAS_CHECKPOINT))
        .bind(checkpoint.size)
        .fetch_optional(tx.connection())
        .await?;
    if known.is_none() {
        sqlx::query(tx.sql(&ADD_CHECKPOINT))
            .bind(checkpoint.size)
            .bind(checkpoint.root.as_slice())
            .bind(&checkpoint.note)
            .execute(tx.connection())
            .await?;
    }
    Ok(())
}

pub async fn last_checkpoint(store: &Store) -> Result<Option<Checkpoint>, StoreError> {
    let row = sqlx::query(LAST_CHECKPOINT.text(store.dialect()))
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(checkpoint).transpose()
}

/// The first signed head that covers more than `size`.
pub async fn checkpoint_after(store: &Store, size: i64) -> Result<Option<Checkpoint>, StoreError> {
    Ok(checkpoints(store, size, 1).await?.pop())
}

/// Signed heads by size, after `after`.
pub async fn checkpoints(
    store: &Store,
    after: i64,
    most: u32,
) -> Result<Vec<Checkpoint>, StoreError> {
    let rows = sqlx::query(CHECKPOINTS.text(store.dialect()))
        .bind(after)
        .bind(i64::from(most))
        .fetch_all(store.reader())
        .await?;
    rows.iter().map(checkpoint).collect()
}

pub async fn record_anchor(tx: &mut Tx, anchor: &Anchor) -> Result<(), StoreError> {
    sqlx::query(tx.sql(&RECORD_ANCHOR))
        .bind(&anchor.place)
        .bind(&anchor.kind)
        .bind(anchor.size)
        .bind(anchor.at.as_microsecond())
        .bind(&anchor.note)
        .execute(tx.connection())
        .await?;
    Ok(())
}

pub async fn anchor(store: &Store, place: &str) -> Result<Option<Anchor>, StoreError> {
    let row = sqlx::query(ANCHOR.text(store.dialect()))
        .bind(place)
        .fetch_optional(store.reader())
        .await?;
    row.as_ref().map(read_anchor).transpose()
}

pub async fn anchors(store: &Store) -> Result<Vec<Anchor>, StoreError> {
    let rows = sqlx::query(ANCHORS.text(store.dialect()))
        .fetch_all(store.reader())
        .await?;
    rows.iter().map(read_anchor).collect()
}

fn checkpoint(row: &AnyRow) -> Result<Checkpoint, StoreError> {
    let row = Row::of(row, "ledger_checkpoint", "size");
    Ok(Checkpoint {
        size: row.number("size")?,
        root: row.bytes("root")?,
        note: row.text("note")?,
    })
}

fn read_anchor(row: &AnyRow) -> Result<Anchor, StoreError> {
    let row = Row::of(row, "ledger_anchor", "place");
    Ok(Anchor {
        place: row.text("place")?,
        kind: row.text("kind")?,
        size: row.number("size")?,
        at: row.time("at")?,
        note: row.maybe_text("note")?,
    })
}
