//! Another look at what was checked before: entries by the tile, and signed heads. What they must be follows from what
//! the signer keeps in memory.

use std::collections::BTreeSet;

use super::found::are_found;
use super::survey::{Trouble, chunk, signed_size};
use crate::store::Store;
use crate::store::ledger::{self, Beside};
use countersign_ledger::{
    Edge, Fault, PublicKeys, TILE_WIDTH, Unusable, Verifier, check_asides, check_row, check_words,
    leaf, tile_root,
};

/// Looks again at entries that were checked before: `first` and as many after it as fill a tile. What they
/// must hash to follows from the edge of the tree, which is in memory.
pub(super) async fn again(
    store: &Store,
    log: &str,
    verifier: &Verifier,
    tile: u64,
) -> Result<(), Trouble> {
    let edge = verifier.edge();
    let width = u64::try_from(TILE_WIDTH).unwrap_or(256);
    let first = i64::try_from(tile * width).unwrap_or(i64::MAX);
    let count = edge.size().saturating_sub(tile * width).min(width);
    let rows = chunk(store, first, u32::try_from(count).unwrap_or(0)).await?;
    are_found(store, &rows).await?;
    let is_partial = count < width;
    let expected = if is_partial {
        edge.partial(0).to_vec()
    } else {
        full_tile(store, edge, tile).await?
    };
    for (index, expected) in (1..).zip(&expected) {
        let seq = first + index;
        let Some(row) = rows.get(usize::try_from(index - 1).unwrap_or(usize::MAX)) else {
            return Err(Fault::at(seq, "it is missing").into());
        };
        let fault = |problem| Fault::at(seq, problem);
        if row.stored.seq != seq {
            return Err(fault(format!("it is missing; the next one is {}", row.stored.seq)).into());
        }
        check_row(&row.stored.row(), log).map_err(fault)?;
        if leaf(&row.stored.body) != *expected {
            return Err(fault("it is not the entry that was signed".to_owned()).into());
        }
        let Beside { asides, words } = &row.beside;
        let mut gone = check_asides(&row.stored.body, asides).map_err(fault)?;
        gone.retain(|name| !verifier.is_erased(seq, name));
        if !gone.is_empty() {
            explained(store, verifier.size(), seq, &gone).await?;
        }
        if let Some(back) = asides
            .iter()
            .find(|aside| verifier.is_erased(seq, &aside.name))
        {
            return Err(fault(format!(
                "its private value `{}` was erased, and is not gone",
                back.name
            ))
            .into());
        }
        check_words(&row.stored.body, asides, words).map_err(fault)?;
    }
    Ok(())
}

/// Looks again at signed heads after the one of `after` entries: that each is one that we signed, of this
/// size and with this root. The size of the last one; zero when there are none.
pub(super) async fn heads_again(
    store: &Store,
    verifier: &Verifier,
    after: i64,
    most: u32,
) -> Result<i64, Trouble> {
    let mut heads = ledger::checkpoints(store, after, most).await?;
    // What was not read may name another key.
    heads.retain(|head| head.size <= signed_size(verifier));
    if heads.is_empty() {
        return Ok(0);
    }
    let unusable = |error: Unusable| Fault::at(after + 1, error.to_string());
    let keys = PublicKeys::new(verifier.keys().iter().cloned()).map_err(unusable)?;
    for stored in &heads {
        let fault = |problem: String| {
            let size = stored.size;
            Fault::at(size, format!("the signed head of {size} entries {problem}"))
        };
        let head = keys
            .check(&stored.note)
            .map_err(|error| fault(format!("is wrong: {error}")))?;
        if i64::try_from(head.size) != Ok(stored.size) || *stored.root != head.root {
            return Err(fault("says something else than its note".to_owned()).into());
        }
    }
    Ok(heads.last().map_or(0, |head| head.size))
}

/// What is gone must have been erased by an entry, if not by one that was read then by one since.
async fn explained(store: &Store, read: u64, seq: i64, gone: &[String]) -> Result<(), Trouble> {
    let mut erased = BTreeSet::new();
    let numbers = ledger::numbers(store, crate::domain::Action::PrivateErased).await?;
    for number in numbers {
        if u64::try_from(number).is_ok_and(|number| number <= read) {
            continue;
        }
        if let Some(entry) = ledger::one(store, number).await? {
            erased.extend(countersign_ledger::erasures(&entry.body));
        }
    }
    match gone
        .iter()
        .find(|name| !erased.contains(&(seq, (*name).clone())))
    {
        Some(name) => Err(Fault::at(
            seq,
            format!("its private value `{name}` is gone, and no entry says that it was erased"),
        )
        .into()),
        None => Ok(()),
    }
}

/// The hashes of a full tile of entries, whose own hash is found again up to the edge in memory.
async fn full_tile(store: &Store, edge: &Edge, n: u64) -> Result<Vec<[u8; 32]>, Trouble> {
    let mut below: Option<[u8; 32]> = None;
    let mut place = n;
    let mut lowest = Vec::new();
    for level in 0.. {
        let fault = || {
            let first = i64::try_from(n * 256).unwrap_or(i64::MAX) + 1;
            let name = format!("tile {place} of level {level}");
            Fault::at(first, format!("{name}, which covers it, was changed"))
        };
        let found = ledger::tiles(
            store,
            i64::from(level),
            i64::try_from(place).unwrap_or(i64::MAX),
            1,
        )
        .await?;
        let tile = found
            .into_iter()
            .find(|tile| u64::try_from(tile.n) == Ok(place))
            .ok_or_else(fault)?;
        let root = tile_root(&tile.hashes).ok_or_else(fault)?;
        let hashes: Vec<[u8; 32]> = tile
            .hashes
            .chunks(32)
            .filter_map(|hash| hash.try_into().ok())
            .collect();
        if root != *tile.root {
            return Err(fault().into());
        }
        if let Some(below) = below {
            let at = usize::try_from(n >> (8 * (level - 1)) & 255).unwrap_or(0);
            if hashes.get(at) != Some(&below) {
                return Err(fault().into());
            }
        } else {
            lowest = hashes;
        }
        let at = usize::try_from(place % 256).unwrap_or(0);
        let above = usize::try_from(level).unwrap_or(0) + 1;
        if place / 256 == edge.size() >> (8 * (above + 1)) {
            // The tile above is not full: the edge holds it.
            return match edge.partial(above).get(at) {
                Some(known) if *known == root => Ok(lowest),
                Some(_) | None => Err(fault().into()),
            };
        }
        below = Some(root);
        place /= 256;
    }
    Ok(lowest)
}
