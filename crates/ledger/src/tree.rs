//! The Merkle tree of RFC 6962, as far as it grows: the incomplete tile of every level, from which follow
//! the root and the full tiles. The hashes themselves are those of `tlog_tiles`.

use tlog_tiles::{Hash, node_hash, record_hash};

/// Hashes of a full tile.
pub const TILE_WIDTH: usize = 256;

/// The hash of an entry.
pub fn leaf(body: &[u8]) -> [u8; 32] {
    record_hash(body).0
}

/// A tile that has become full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FullTile {
    pub level: usize,
    pub n: u64,
    pub hashes: Vec<u8>,
    pub root: [u8; 32],
}

/// The right edge of the tree: at every level, the hashes of the tile that is not full yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    last: [u8; 32],
    levels: Vec<Vec<[u8; 32]>>,
}

impl Edge {
    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The leaf that was added last.
    pub fn last(&self) -> [u8; 32] {
        self.last
    }

    /// Adds a leaf; `full` is told of every tile that becomes full by it, from the lowest level up.
    pub fn push(&mut self, leaf: [u8; 32], mut full: impl FnMut(FullTile)) {
        self.last = leaf;
        let mut carried = leaf;
        let mut n = self.size / 256;
        self.size += 1;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::with_capacity(TILE_WIDTH));
            }
            let tile = &mut self.levels[level];
            tile.push(carried);
            if tile.len() < TILE_WIDTH {
                return;
            }
            carried = subtree(tile);
            full(FullTile {
                level,
                n,
                hashes: tile.concat(),
                root: carried,
            });
            tile.clear();
            n /= 256;
        }
    }

    /// The hash over all leaves.
    pub fn root(&self) -> [u8; 32] {
        // Each incomplete tile is a row of perfect subtrees, the largest first; a level above is larger.
        let mut peaks = self
            .levels
            .iter()
            .rev()
            .flat_map(|tile| peaks(tile))
            .collect::<Vec<_>>()
            .into_iter()
            .rev();
        match peaks.next() {
            Some(last) => peaks.fold(last, |right, left| node(left, right)),
            None => tlog_tiles::EMPTY_HASH.0,
        }
    }

    /// The hashes of the incomplete tile of a level.
    pub fn partial(&self, level: usize) -> &[[u8; 32]] {
        self.levels.get(level).map_or(&[], Vec::as_slice)
    }
}

/// The hash above a row whose length is a power of two.
pub(super) fn subtree(row: &[[u8; 32]]) -> [u8; 32] {
    let mut row = row.to_vec();
    while row.len() > 1 {
        row = row
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => node(*left, *right),
                _ => pair[0],
            })
            .collect();
    }
    row.first().copied().unwrap_or(tlog_tiles::EMPTY_HASH.0)
}

fn node(left: [u8; 32], right: [u8; 32]) -> [u8; 32] {
    node_hash(Hash(left), Hash(right)).0
}

/// The perfect subtrees of a row, from the left.
fn peaks(mut row: &[[u8; 32]]) -> Vec<[u8; 32]> {
    let mut peaks = Vec::new();
    while !row.is_empty() {
        let width = 1 << row.len().ilog2();
        let (left, rest) = row.split_at(width);
        peaks.push(subtree(left));
        row = rest;
    }
    peaks
}

/// The hash above the 256 hashes of a full tile, or nothing when it is not one.
pub fn tile_root(hashes: &[u8]) -> Option<[u8; 32]> {
    let row: Vec<[u8; 32]> = hashes
        .chunks(32)
        .map(TryInto::try_into)
        .collect::<Result<_, _>>()
        .ok()?;
    (row.len() == TILE_WIDTH).then(|| subtree(&row))
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    /// RFC 6962, section 2.1, word for word and slow.
    fn naive(leaves: &[Vec<u8>]) -> [u8; 32] {
        match leaves {
            [] => Sha256::digest(b"").into(),
            [leaf] => Sha256::digest([&[0], leaf.as_slice()].concat()).into(),
            _ => {
                let mut split = 1;
                while split * 2 < leaves.len() {
                    split *= 2;
                }
                let (left, right) = leaves.split_at(split);
                Sha256::digest([&[1], &naive(left)[..], &naive(right)[..]].concat()).into()
            }
        }
    }

    #[test]
    fn a_naive_tree_agrees_on_every_small_size_and_random_large_ones() {
        let leaves: Vec<Vec<u8>> = (0_u32..5_000).map(|n| n.to_be_bytes().to_vec()).collect();
        let mut random = 12_345_u64;
        let mut large: Vec<usize> = (0..60)
            .map(|_| {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                usize::try_from(random >> 33).unwrap() % 5_000
            })
            .collect();
        large.extend([255, 256, 257, 511, 512, 513, 4_095, 4_096, 4_097, 5_000]);
        let mut edge = Edge::default();
        assert_eq!(edge.root(), naive(&[]));
        let mut tiles = 0;
        for (index, body) in leaves.iter().enumerate() {
            edge.push(leaf(body), |tile| {
                assert_eq!(tile_root(&tile.hashes), Some(tile.root));
                assert_eq!(tile.level, 0);
                assert_eq!(tile.n, tiles);
                tiles += 1;
            });
            let size = index + 1;
            if size <= 300 || large.contains(&size) {
                assert_eq!(edge.root(), naive(&leaves[..size]), "{size}");
            }
        }
        assert_eq!(tiles, 19);
        assert_eq!(edge.size(), 5_000);
    }

    #[test]
    fn tiles_of_higher_levels_are_made() {
        let mut edge = Edge::default();
        let mut made = Vec::new();
        for n in 0_u64..65_537 {
            edge.push(leaf(&n.to_be_bytes()), |tile| {
                made.push((tile.level, tile.n));
            });
        }
        assert_eq!(made.len(), 257);
        assert_eq!(made.last(), Some(&(1, 0)));
        assert_eq!(edge.partial(0).len(), 1);
        assert_eq!(edge.partial(1).len(), 0);
        assert_eq!(edge.partial(2).len(), 1);
    }
}
