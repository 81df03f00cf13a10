//! Tiles of the tree and bundles of entries, as the world reads them. Full tiles were kept when they
//! became full; others are put together from the level below.

use super::super::row::Row;
use super::super::statement::statements;
use super::super::{Store, StoreError};
use super::{entries, tiles};
use countersign_ledger::TILE_WIDTH;

statements! {
    LEAVES = ["SELECT seq AS id, leaf AS hash FROM ledger_entry WHERE seq > $1 AND seq <= $2 ORDER BY seq"];
    ROOTS = ["SELECT n AS id, root AS hash FROM ledger_tile WHERE n >= $1 AND n < $2 AND level = $3 ORDER BY n"];
}

const WIDTH: i64 = TILE_WIDTH as i64;

/// The first `width` hashes of a tile, or nothing when the log does not have that many. The caller sees to it that a
/// signed head covers them.
pub async fn hash_tile(
    store: &Store,
    level: i64,
    n: i64,
    width: u32,
) -> Result<Option<Vec<u8>>, StoreError> {
    let (Some((first, end)), true) = (range(n, width), level >= 0) else {
        return Ok(None);
    };
    if end - first == WIDTH {
        let kept = tiles(store, level, n, 1).await?.pop();
        if let Some(tile) = kept.filter(|tile| tile.n == n) {
            return Ok(Some(tile.hashes));
        }
    }
    let query = if level == 0 {
        sqlx::query(LEAVES.text(store.dialect()))
            .bind(first)
            .bind(end)
    } else {
        sqlx::query(ROOTS.text(store.dialect()))
            .bind(first)
            .bind(end)
            .bind(level - 1)
    };
    let rows = query.fetch_all(store.reader()).await?;
    let mut hashes = Vec::with_capacity(rows.len() * 32);
    for row in &rows {
        hashes.extend(Row::of(row, "ledger_entry or ledger_tile", "id").bytes("hash")?);
    }
    Ok((rows.len() == width as usize).then_some(hashes))
}

/// From the number of the first place, counted from nothing, to the one after the last.
fn range(n: i64, width: u32) -> Option<(i64, i64)> {
    let first = n.checked_mul(WIDTH).filter(|first| *first >= 0)?;
    let end = first.checked_add(i64::from(width))?;
    (1..=WIDTH)
        .contains(&i64::from(width))
        .then_some((first, end))
}

/// The first `width` entries of a tile, or nothing when the log does not have that many.
pub async fn bundle(store: &Store, n: i64, width: u32) -> Result<Option<Vec<Vec<u8>>>, StoreError> {
    let Some((first, end)) = range(n, width) else {
        return Ok(None);
    };
    let rows = entries(store, first, width).await?;
    let is_whole = rows.len() == width as usize && rows.last().is_some_and(|row| row.seq == end);
    Ok(is_whole.then(|| rows.into_iter().map(|row| row.body).collect()))
}
