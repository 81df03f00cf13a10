//! The read-back of an export: it is checked with nothing but its files and the keys that are trusted.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::export::{Line, PRIVATE, WIDTH, entries_path, hash_path};
use crate::ledger::{Aside, Head, PublicKeys, Revealed, Verified, Verifier, decode_bundle};

/// An export that was read and fits.
#[derive(Debug)]
pub(super) struct ReadBack {
    pub(super) log: String,
    pub(super) head: Head,
    pub(super) verified: Verified,
    pub(super) has_private: bool,
}

/// Checks an export with nothing but its files and the keys that are trusted.
pub(super) fn check(folder: &Path, trusted: &PublicKeys) -> Result<ReadBack, String> {
    let read = |name: &str| {
        fs::read(folder.join(name))
            .map_err(|error| format!("the file {name} cannot be read: {error}"))
    };
    let note = String::from_utf8(read("checkpoint")?)
        .map_err(|_| "the file checkpoint is not text".to_owned())?;
    let size = note
        .lines()
        .nth(1)
        .and_then(|line| line.parse::<u64>().ok())
        .ok_or("the file checkpoint is not a checkpoint")?;
    let private = read_private(folder)?;
    let mut verifier = Verifier::new(trusted.log(), None);
    let mut made = Vec::new();
    for n in 0..size.div_ceil(WIDTH) {
        let width = (size - n * WIDTH).min(WIDTH);
        let name = entries_path(n, width);
        let bytes = read(&name)?;
        let entries =
            decode_bundle(&bytes).ok_or_else(|| format!("the file {name} is cut short"))?;
        if u64::try_from(entries.len()) != Ok(width) {
            return Err(format!(
                "the file {name} holds {} entries, not {width}",
                entries.len()
            ));
        }
        for body in entries {
            verifier
                .body(body, |tile| made.push(tile))
                .map_err(|fault| fault.to_string())?;
            if let Some(private) = &private {
                let seq = i64::try_from(verifier.size()).unwrap_or(i64::MAX);
                let asides = private.get(&seq).map_or(&[][..], Vec::as_slice);
                verifier
                    .aside(body, asides)
                    .map_err(|fault| fault.to_string())?;
            }
        }
        for tile in made.drain(..) {
            let level = u64::try_from(tile.level).unwrap_or(u64::MAX);
            let name = hash_path(level, tile.n, WIDTH);
            if read(&name)? != tile.hashes {
                return Err(format!("the file {name} does not follow from the entries"));
            }
        }
    }
    let mut width = size;
    for level in 0.. {
        let hashes = verifier.edge().partial(level).concat();
        if !hashes.is_empty() {
            let (tile_level, n) = (u64::try_from(level).unwrap_or(u64::MAX), width / WIDTH);
            let name = hash_path(tile_level, n, width % WIDTH);
            if read(&name)? != hashes {
                return Err(format!("the file {name} does not follow from the entries"));
            }
        }
        width /= WIDTH;
        if width == 0 {
            break;
        }
    }
    if let Some(private) = &private
        && let Some(seq) = private
            .keys()
            .find(|seq| u64::try_from(**seq).is_ok_and(|seq| seq > size) || **seq < 1)
    {
        return Err(format!(
            "entry {seq}: it has private values and is not there"
        ));
    }
    let head = verifier.head(&note, 0).map_err(|fault| fault.to_string())?;
    let has_private = private.is_some();
    let verified = if has_private {
        verifier.finish(trusted)
    } else {
        verifier.without_private().finish(trusted)
    };
    Ok(ReadBack {
        log: trusted.log().to_owned(),
        head,
        verified: verified.map_err(|fault| fault.to_string())?,
        has_private,
    })
}

/// The private values of an export by entry; nothing when they were left out.
fn read_private(folder: &Path) -> Result<Option<BTreeMap<i64, Vec<Aside>>>, String> {
    let text = match fs::read_to_string(folder.join(PRIVATE)) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("the file {PRIVATE}: {error}")),
    };
    if !text.is_empty() && !text.ends_with('\n') {
        return Err(format!("the file {PRIVATE} is cut short"));
    }
    let mut private: BTreeMap<i64, Vec<Aside>> = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let wrong = || format!("the file {PRIVATE}: line {number} cannot be read");
        let line: Line = serde_json::from_str(line).map_err(|_| wrong())?;
        let revealed = Revealed {
            name: line.name,
            salt: line.salt,
            value: line.value,
        };
        let aside = revealed.aside().ok_or_else(wrong)?;
        let known = private.entry(line.seq).or_default();
        if known.iter().any(|other| other.name == aside.name) {
            return Err(format!(
                "entry {}: its private value `{}` is there twice",
                line.seq, aside.name
            ));
        }
        known.push(aside);
    }
    Ok(Some(private))
}
