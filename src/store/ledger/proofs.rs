//! Proofs that are made of the tiles of the tree, as far as a signed head covers it.

use std::collections::BTreeMap;

use super::super::{Store, StoreError};
use super::hash_tile;
use countersign_ledger::{Kind, TILE_WIDTH, TileName, TilePath, Wanted, proof, tiles_for};

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
        if let Some(tile) = hashes(store, size, name).await? {
            tiles.insert(name, tile);
        }
    }
    Ok(proof(wanted, &tiles))
}

/// The hashes that a tile has in a tree of this size.
async fn hashes(
    store: &Store,
    size: u64,
    (level, n): TileName,
) -> Result<Option<Vec<[u8; 32]>>, StoreError> {
    let (Ok(kind_level), Ok(level), Ok(number)) =
        (u32::try_from(level), i64::try_from(level), i64::try_from(n))
    else {
        return Ok(None);
    };
    let path = TilePath {
        kind: Kind::Hashes { level: kind_level },
        n,
        width: TILE_WIDTH as u32,
    };
    let tile = hash_tile(store, level, number, path.filled(size)).await?;
    Ok(tile.map(|bytes| {
        bytes
            .chunks_exact(32)
            .filter_map(|hash| hash.try_into().ok())
            .collect()
    }))
}
