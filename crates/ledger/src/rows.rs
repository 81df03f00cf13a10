//! Rows, and what else needs nothing but itself to be checked: a row against its own bytes, what lies aside against the
//! commitments, words against the reasons, a tile against the entries under it.

use std::collections::BTreeSet;

use super::base64;
use super::canonical::{Aside, commitment};
use super::commitments::every_commitment;
use super::facets::{Read, words};
use super::tree::{FullTile, leaf};

/// An entry as it is stored, with the columns beside it.
#[derive(Clone, Copy, Debug)]
pub struct Row<'r> {
    pub seq: i64,
    pub at: i64,
    pub action: &'r str,
    pub outcome: &'r str,
    pub service: Option<&'r str>,
    pub environment: Option<&'r str>,
    pub person: Option<&'r str>,
    pub sha: Option<&'r str>,
    pub request: Option<i64>,
    pub about: &'r str,
    pub body: &'r [u8],
    pub leaf: &'r [u8],
}

/// Whether a row says what its bytes say.
pub fn check_row(row: &Row<'_>, log: &str) -> Result<(), String> {
    agrees(row, &leaf(row.body), log).map(drop)
}

/// The same, for a caller that knows what the bytes hash to, and needs what they say.
pub(super) fn agrees<'r>(row: &Row<'r>, leaf: &[u8; 32], log: &str) -> Result<Read<'r>, String> {
    if leaf != row.leaf {
        return Err("its contents were changed".to_owned());
    }
    let read = Read::of(row.body)?;
    if read.seq() != row.seq {
        return Err(format!("entry {} stands in its place", read.seq()));
    }
    if read.log() != log {
        return Err(format!("it is an entry of another log, {}", read.log()));
    }
    match read.other_column(row) {
        Some(column) => Err(format!("its column `{column}` was changed")),
        None => Ok(read),
    }
}

/// Whether what lies aside is what was committed to; the names of what does not lie there.
pub fn check_asides(body: &[u8], asides: &[Aside]) -> Result<Vec<String>, String> {
    let committed = every_commitment(body, asides)?;
    for aside in asides {
        let Some(expected) = committed.get(&aside.name) else {
            return Err(format!("a private value `{}` was added to it", aside.name));
        };
        if base64(&commitment(&aside.salt, &aside.value)) != *expected {
            return Err(format!("its private value `{}` was changed", aside.name));
        }
    }
    Ok(committed
        .into_keys()
        .filter(|name| !asides.iter().any(|aside| aside.name == *name))
        .collect())
}

/// Whether an entry is found under exactly its words.
pub fn check_words(body: &[u8], asides: &[Aside], found: &BTreeSet<String>) -> Result<(), String> {
    let expected = words(body, asides);
    if expected == *found {
        return Ok(());
    }
    let word = expected.symmetric_difference(found).next();
    Err(format!(
        "its words for the search were changed: `{}`",
        word.map_or("", String::as_str)
    ))
}

/// Whether a tile is the one that follows from the entries; the first hash that is not, by its place.
pub fn check_tile(made: &FullTile, hashes: &[u8], root: &[u8]) -> Result<(), (usize, String)> {
    let name = format!("tile {} of level {}", made.n, made.level);
    if let Some(place) = (0..super::TILE_WIDTH)
        .find(|place| made.hashes.chunks(32).nth(*place) != hashes.chunks(32).nth(*place))
    {
        return Err((
            place,
            format!("{name} was changed: it holds another hash of this entry"),
        ));
    }
    if made.hashes.len() != hashes.len() || made.root != *root {
        return Err((0, format!("{name} was changed: it has another root")));
    }
    Ok(())
}
