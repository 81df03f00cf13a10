//! Checks what needs nothing but itself: a row against its own bytes, what lies aside against the commitments,
//! words against the reasons, a tile against the entries under it.

use std::collections::BTreeSet;

use super::base64;
use super::canonical::{Aside, commitment};
use super::facets::{Seen, every_commitment, words};
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
    if leaf(row.body) != *row.leaf {
        return Err("its bytes do not have the hash that was taken of them".to_owned());
    }
    let seen = Seen::read(row.body)?;
    if seen.seq != row.seq {
        return Err(format!("its bytes are those of entry {}", seen.seq));
    }
    if seen.log != log {
        return Err(format!("it belongs to another log, {}", seen.log));
    }
    let facets = &seen.facets;
    let columns = [
        ("at", facets.at.as_microsecond() == row.at),
        ("action", facets.action == row.action),
        ("outcome", facets.outcome == row.outcome),
        ("service", facets.service.as_deref() == row.service),
        (
            "environment",
            facets.environment.as_deref() == row.environment,
        ),
        ("person", facets.person.as_deref() == row.person),
        ("sha", facets.sha.as_deref() == row.sha),
        ("request", facets.request == row.request),
        ("about", facets.about() == row.about),
    ];
    match columns.iter().find(|(_, agrees)| !agrees) {
        Some((column, _)) => Err(format!(
            "its column `{column}` says something else than its bytes"
        )),
        None => Ok(()),
    }
}

/// Whether what lies aside is what was committed to; the names of what does not lie there.
pub fn check_asides(body: &[u8], asides: &[Aside]) -> Result<Vec<String>, String> {
    let committed = every_commitment(body, asides)?;
    for aside in asides {
        let Some(expected) = committed.get(&aside.name) else {
            return Err(format!(
                "a private value `{}` does not belong to it",
                aside.name
            ));
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
        "it is not found by the words of its reasons: `{}`",
        word.map_or("", String::as_str)
    ))
}

/// Whether a tile is the one that follows from the entries; the first hash that is not, by its place.
pub fn check_tile(made: &FullTile, hashes: &[u8], root: &[u8]) -> Result<(), (usize, String)> {
    let name = format!("tile {} of level {}", made.n, made.level);
    if let Some(place) = (0..super::TILE_WIDTH)
        .find(|place| made.hashes.chunks(32).nth(*place) != hashes.chunks(32).nth(*place))
    {
        return Err((place, format!("{name} holds another hash of it")));
    }
    if made.hashes.len() != hashes.len() || made.root != *root {
        return Err((0, format!("{name} has another root")));
    }
    Ok(())
}
