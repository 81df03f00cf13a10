//! Proofs that an entry is in a tree, as RFC 6962 has them, made of the hashes of tiles. Which hashes a
//! proof needs is found out by making it once with a reader that only takes notes.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use tlog_tiles::{
    Error, Hash, HashReader, RecordProof, TreeProof, check_record, check_tree, prove_record,
    prove_tree, split_stored_hash_index,
};

use super::keys::Head;
use super::tree::subtree;

/// A tile by its level and number.
pub type TileName = (u64, u64);

/// What a proof is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// That the leaf with this index is in a tree of this size.
    Leaf { size: u64, index: u64 },
    /// That a tree of the first size became one of the second.
    Growth { old: u64, new: u64 },
}

/// Only notes what it is asked for.
#[derive(Default)]
struct Notes(RefCell<Vec<u64>>);

impl HashReader for Notes {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        self.0.borrow_mut().extend(indexes);
        Ok(vec![Hash([0; 32]); indexes.len()])
    }
}

struct Known<'k>(&'k BTreeMap<TileName, Vec<[u8; 32]>>);

impl HashReader for Known<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        indexes
            .iter()
            .map(|index| self.hash(*index).map(Hash).ok_or(Error::IndexesNotInTree))
            .collect()
    }
}

impl Known<'_> {
    fn hash(&self, index: u64) -> Option<[u8; 32]> {
        let (name, first, width) = place(index);
        let tile = self.0.get(&name)?;
        Some(subtree(tile.get(first..first + width)?))
    }
}

/// The tile that a hash is made of, and which of its hashes.
fn place(index: u64) -> (TileName, usize, usize) {
    let (level, n) = split_stored_hash_index(index);
    let (tile_level, within) = (u64::from(level / 8), level % 8);
    let first = n << within;
    let offset = usize::try_from(first % 256).unwrap_or(0);
    ((tile_level, first / 256), offset, 1 << within)
}

fn prove(wanted: Wanted, reader: &impl HashReader) -> Option<Vec<[u8; 32]>> {
    let proof = match wanted {
        Wanted::Leaf { size, index } => prove_record(size, index, reader).ok()?,
        Wanted::Growth { old, new } => prove_tree(new, old, reader).ok()?,
    };
    Some(proof.into_iter().map(|hash| hash.0).collect())
}

/// The tiles of which a proof is made; nothing when there can be no such proof.
pub fn tiles_for(wanted: Wanted) -> Option<BTreeSet<TileName>> {
    let notes = Notes::default();
    prove(wanted, &notes)?;
    let indexes = notes.0.into_inner();
    Some(indexes.into_iter().map(|index| place(index).0).collect())
}

/// The proof, out of its tiles.
pub fn proof(wanted: Wanted, tiles: &BTreeMap<TileName, Vec<[u8; 32]>>) -> Option<Vec<[u8; 32]>> {
    prove(wanted, &Known(tiles))
}

/// Whether a proof shows that a leaf is in the tree of a head.
pub fn leaf_is_in(head: Head, index: u64, leaf: [u8; 32], proof: &[[u8; 32]]) -> bool {
    let proof: RecordProof = proof.iter().copied().map(Hash).collect();
    index < head.size && check_record(&proof, head.size, Hash(head.root), index, Hash(leaf)).is_ok()
}

/// Whether a proof shows that the tree of one head became that of another.
pub fn grew_from(old: Head, new: Head, proof: &[[u8; 32]]) -> bool {
    if old.size == new.size {
        return old.size > 0 && proof.is_empty() && old.root == new.root;
    }
    let proof: TreeProof = proof.iter().copied().map(Hash).collect();
    old.size > 0
        && old.size < new.size
        && check_tree(&proof, new.size, Hash(new.root), old.size, Hash(old.root)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Edge, leaf};

    /// All tiles of a tree, the incomplete ones too.
    fn tiles(edge: &Edge, full: &[(TileName, Vec<[u8; 32]>)]) -> BTreeMap<TileName, Vec<[u8; 32]>> {
        let mut tiles: BTreeMap<_, _> = full.iter().cloned().collect();
        let mut width = edge.size();
        for level in 0..4 {
            let n = width / 256;
            tiles.insert(
                (level, n),
                edge.partial(usize::try_from(level).unwrap()).to_vec(),
            );
            width = n;
        }
        tiles
    }

    #[test]
    fn every_leaf_of_many_trees_is_proved_and_no_other() {
        let mut edge = Edge::default();
        let mut full = Vec::new();
        let mut heads = Vec::new();
        for n in 0_u64..1_100 {
            edge.push(leaf(&n.to_be_bytes()), |tile| {
                let hashes = tile.hashes.chunks(32).map(|hash| hash.try_into().unwrap());
                full.push(((tile.level as u64, tile.n), hashes.collect()));
            });
            let head = Head {
                size: edge.size(),
                root: edge.root(),
            };
            heads.push(head);
            if !matches!(head.size, 1..20 | 255..259 | 511..514 | 1_024 | 1_099..) {
                continue;
            }
            let tiles = tiles(&edge, &full);
            let step = if head.size > 300 { 13 } else { 1 };
            for index in (0..head.size).step_by(step) {
                let wanted = Wanted::Leaf {
                    size: head.size,
                    index,
                };
                let needed = tiles_for(wanted).unwrap();
                let only: BTreeMap<_, _> = tiles
                    .iter()
                    .filter(|(name, _)| needed.contains(name))
                    .map(|(name, tile)| (*name, tile.clone()))
                    .collect();
                let proof = proof(wanted, &only).unwrap();
                let this = leaf(&index.to_be_bytes());
                assert!(leaf_is_in(head, index, this, &proof));
                assert!(!leaf_is_in(head, index + 1, this, &proof));
                assert!(!leaf_is_in(head, index, leaf(b"other"), &proof));
            }
            for old in heads.iter().step_by(17) {
                let wanted = Wanted::Growth {
                    old: old.size,
                    new: head.size,
                };
                let proof = if old.size == head.size {
                    Vec::new()
                } else {
                    proof(wanted, &tiles).unwrap()
                };
                assert!(grew_from(*old, head, &proof));
                let other = Head {
                    root: [7; 32],
                    ..*old
                };
                assert!(!grew_from(other, head, &proof));
            }
        }
    }
}
