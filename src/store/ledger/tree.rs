//! The tree as far as a signed head covers it: hashes of tiles, full ones as they were recorded and the
//! last one of each level as it follows from what lies below, and proofs that are made of them.

use std::collections::BTreeMap;

use super::super::row::Row;
use super::super::statement::statements;
use super::super::{Store, StoreError};
use crate::ledger::{TileName, Wanted, proof, tiles_for};

statements! {
    FULL = ["SELECT n, hashes FROM ledger_tile WHERE level = $1 AND n = $2"];
    LEAVES = ["SELECT seq, leaf FROM ledger_entry WHERE seq > $1 AND seq <= $2 ORDER BY seq"];
    ROOTS = ["SELECT n, root FROM ledger_tile WHERE level = $1 AND n >= $2 AND n < $3 ORDER BY n"];
}

/// The hashes of a tile in a tree of this size, as many of them as there are.
pub async fn hash_tile(
    store: &Store,
    size: u64,
    (level, n): TileName,
) -> Result<Vec<[u8; 32]>, StoreError> {
    // How many hashes the level has.
    let width = size
        .checked_shr(u32::try_from(8 * level).unwrap_or(64))
        .unwrap_or(0);
    let (first, end) = (
        n.saturating_mul(256),
        n.saturating_add(1).saturating_mul(256).min(width),
    );
    if first >= end {
        return Ok(Vec::new());
    }
    let (level, n) = (count(level), count(n));
    let bytes = if end - first == 256 {
        let row = sqlx::query(FULL.text(store.dialect()))
            .bind(level)
            .bind(n)
            .fetch_optional(store.reader())
            .await?;
        match row {
            Some(row) => vec![Row::of(&row, "ledger_tile", "n").bytes("hashes")?],
            None => Vec::new(),
        }
    } else if level == 0 {
        let rows = sqlx::query(LEAVES.text(store.dialect()))
            .bind(count(first))
            .bind(count(end))
            .fetch_all(store.reader())
            .await?;
        let leaf = |row| Row::of(row, "ledger_entry", "seq").bytes("leaf");
        rows.iter().map(leaf).collect::<Result<Vec<_>, _>>()?
    } else {
        let rows = sqlx::query(ROOTS.text(store.dialect()))
            .bind(level - 1)
            .bind(count(first))
            .bind(count(end))
            .fetch_all(store.reader())
            .await?;
        let root = |row| Row::of(row, "ledger_tile", "n").bytes("root");
        rows.iter().map(root).collect::<Result<Vec<_>, _>>()?
    };
    Ok(bytes
        .concat()
        .chunks_exact(32)
        .filter_map(|hash| hash.try_into().ok())
        .collect())
}

/// A proof; nothing when the tree is not there to make it of.
pub async fn prove(store: &Store, wanted: Wanted) -> Result<Option<Vec<[u8; 32]>>, StoreError> {
    let Some(needed) = tiles_for(wanted) else {
        return Ok(None);
    };
    let size = match wanted {
        Wanted::Leaf { size, .. } | Wanted::Growth { new: size, .. } => size,
    };
    let mut tiles = BTreeMap::new();
    for name in needed {
        tiles.insert(name, hash_tile(store, size, name).await?);
    }
    Ok(proof(wanted, &tiles))
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
