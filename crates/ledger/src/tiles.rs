//! The paths and bundles of C2SP's tlog-tiles: which tile a path names, how much of it a log of some size
//! has, and how the entries of a tile are written one after the other.
//!
//! `tlog_tiles` reads paths too, but a width of nothing or a level beyond 63 makes it panic, and paths come
//! from outside.

use super::TILE_WIDTH;

/// A level beyond this would need more entries than can be counted.
const LEVELS: u32 = 8;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Hashes of a level.
    Hashes { level: u32 },
    /// The entries themselves.
    Entries,
}

/// The first `width` of the 256 places of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TilePath {
    pub kind: Kind,
    pub n: u64,
    /// From 1 to 256.
    pub width: u32,
}

impl TilePath {
    /// Reads what stands after `tile/`. Every tile has one spelling only.
    pub fn parse(path: &str) -> Option<Self> {
        let (level, rest) = path.split_once('/')?;
        let kind = match level {
            "entries" => Kind::Entries,
            _ => Kind::Hashes {
                level: plain(level).filter(|level| *level < 64)?,
            },
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => {
                let width = plain(width).filter(|width| (1..full()).contains(width))?;
                (index, width)
            }
            None => (rest, full()),
        };
        Some(Self {
            kind,
            n: number(index)?,
            width,
        })
    }

    /// What stands after `tile/`.
    pub fn spelled(&self) -> String {
        let mut n = self.n;
        let mut index = format!("{:03}", n % 1000);
        while n >= 1000 {
            n /= 1000;
            index = format!("x{:03}/{index}", n % 1000);
        }
        let level = match self.kind {
            Kind::Hashes { level } => level.to_string(),
            Kind::Entries => "entries".to_owned(),
        };
        if self.width == full() {
            format!("{level}/{index}")
        } else {
            format!("{level}/{index}.p/{}", self.width)
        }
    }

    /// How many of the tile's places a log of this size fills.
    pub fn filled(&self, size: u64) -> u32 {
        let level = match self.kind {
            Kind::Hashes { level } => level,
            Kind::Entries => 0,
        };
        let there = if level < LEVELS {
            size >> (8 * level)
        } else {
            0
        };
        let before = self.n.saturating_mul(u64::from(full()));
        u32::try_from(there.saturating_sub(before)).map_or(full(), |there| there.min(full()))
    }
}

/// Entries as they are handed over: each after its length in two bytes. Nothing when one is too long.
pub fn encode_bundle<'e>(entries: impl IntoIterator<Item = &'e [u8]>) -> Option<Vec<u8>> {
    let mut bundle = Vec::new();
    for entry in entries {
        bundle.extend_from_slice(&u16::try_from(entry.len()).ok()?.to_be_bytes());
        bundle.extend_from_slice(entry);
    }
    Some(bundle)
}

/// The entries of a bundle; nothing when it is cut short.
pub fn decode_bundle(mut bundle: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    while !bundle.is_empty() {
        let (length, rest) = bundle.split_first_chunk::<2>()?;
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        bundle = rest;
    }
    Some(entries)
}

fn full() -> u32 {
    TILE_WIDTH as u32
}

/// A number without leading zeros or a sign.
fn plain(text: &str) -> Option<u32> {
    let number = text.parse::<u32>().ok()?;
    (number.to_string() == text).then_some(number)
}

/// `x001/x234/067`: groups of three digits, `x` before all but the last, no group of zeros at the front.
fn number(index: &str) -> Option<u64> {
    let mut n = 0_u64;
    let mut groups = index.split('/').peekable();
    let mut is_first = true;
    while let Some(group) = groups.next() {
        let digits = match groups.peek() {
            Some(_) => group.strip_prefix('x')?,
            None => group,
        };
        if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        if is_first && groups.peek().is_some() && digits == "000" {
            return None;
        }
        n = n.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
        is_first = false;
    }
    Some(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(level: u32, n: u64, width: u32) -> TilePath {
        TilePath {
            kind: Kind::Hashes { level },
            n,
            width,
        }
    }

    #[test]
    fn paths_are_read_as_the_specification_writes_them() {
        for (path, expect) in [
            ("0/000", hashes(0, 0, 256)),
            ("1/x001/x234/067", hashes(1, 1_234_067, 256)),
            ("63/000.p/255", hashes(63, 0, 255)),
            ("0/x001/000.p/1", hashes(0, 1000, 1)),
            (
                "entries/x001/x234/067.p/9",
                TilePath {
                    kind: Kind::Entries,
                    n: 1_234_067,
                    width: 9,
                },
            ),
        ] {
            assert_eq!(TilePath::parse(path), Some(expect), "{path}");
            assert_eq!(expect.spelled(), path);
        }
    }

    #[test]
    fn every_other_spelling_is_refused() {
        for path in [
            "",
            "/",
            "0",
            "0/",
            "0/0",
            "0/00",
            "0/0000",
            "00/000",
            "+0/000",
            "-1/000",
            "64/000",
            "256/000",
            "data/000",
            "entries",
            "entries/",
            "Entries/000",
            "0/x000",
            "0/x000/000",
            "0/x000/x001/000",
            "0/000/000",
            "0/x001/x000",
            "0/x001/",
            "0//000",
            "0/000.p",
            "0/000.p/",
            "0/000.p/0",
            "0/000.p/01",
            "0/000.p/+1",
            "0/000.p/256",
            "0/000.p/1/",
            "0/000.p/1.p/1",
            "0/000.p/-1",
            "0/+00",
            "0/ 00",
            "0/٠٠٠",
            "0/000/",
            "0/000?x",
            "0/..",
            "0/../000",
            "0/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(TilePath::parse(path), None, "{path}");
        }
    }

    #[test]
    fn the_crate_spells_tiles_in_the_same_way() {
        for n in [
            0,
            1,
            999,
            1000,
            1001,
            999_999,
            1_000_000,
            1_234_067,
            u64::MAX,
        ] {
            for width in [1, 255, 256] {
                let theirs = tlog_tiles::Tile::new(8, 2, n, width, false).path();
                let ours = hashes(2, n, width);
                assert_eq!(format!("tile/8/{}", ours.spelled()), theirs);
                assert_eq!(TilePath::parse(&ours.spelled()), Some(ours));
            }
        }
    }

    #[test]
    fn a_tile_holds_what_the_specification_says() {
        let filled = |level, n| hashes(level, n, 1).filled(70_000);
        assert_eq!(
            (filled(0, 272), filled(0, 273), filled(0, 274)),
            (256, 112, 0)
        );
        assert_eq!((filled(1, 0), filled(1, 1), filled(1, 2)), (256, 17, 0));
        assert_eq!((filled(2, 0), filled(3, 0), filled(2, 1)), (1, 0, 0));
        assert_eq!(hashes(63, u64::MAX, 1).filled(u64::MAX), 0);
        assert_eq!(hashes(0, u64::MAX, 1).filled(u64::MAX), 0);
        assert_eq!(hashes(0, 0, 1).filled(u64::MAX), 256);
        assert_eq!(hashes(0, 0, 1).filled(0), 0);
    }

    #[test]
    fn a_bundle_is_lengths_and_entries() {
        let bundle = encode_bundle([b"ab".as_slice(), b"", &[7; 300]]).unwrap();
        assert_eq!(bundle[..7], [0, 2, b'a', b'b', 0, 0, 1]);
        assert_eq!(bundle.len(), 2 + 2 + 2 + 2 + 300);
        assert_eq!(encode_bundle([[0; 65_536].as_slice()]), None);
    }
}
