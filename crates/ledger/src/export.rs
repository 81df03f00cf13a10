//! An export: a folder with the log as C2SP's tlog-tiles lays it out and the private values beside it. Names its files,
//! and checks them with nothing but themselves and the keys that are trusted; the caller reads and writes them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::canonical::Aside;
use super::keys::{Head, PublicKeys};
use super::receipt::Revealed;
use super::tiles::{Kind, TilePath, decode_bundle};
use super::verify::{Verified, Verifier};

/// Entries to a bundle, and hashes to a tile.
const WIDTH: u64 = super::TILE_WIDTH as u64;

/// The file with private values, a line for each.
pub const PRIVATE: &str = "private.ndjson";

/// The file of entries that begins with this one, when the log has so many of them.
pub fn entries_path(n: u64, width: u64) -> String {
    path(Kind::Entries, n, width)
}

/// The file of hashes.
pub fn hash_path(level: u64, n: u64, width: u64) -> String {
    let level = u32::try_from(level).unwrap_or(u32::MAX);
    path(Kind::Hashes { level }, n, width)
}

fn path(kind: Kind, n: u64, width: u64) -> String {
    let width = u32::try_from(width).unwrap_or(u32::MAX);
    format!("tile/{}", TilePath { kind, n, width }.spelled())
}

/// A line of the file with private values.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub seq: i64,
    name: String,
    salt: String,
    value: String,
}

impl Line {
    pub fn new(seq: i64, aside: &Aside) -> Self {
        let Revealed { name, salt, value } = Revealed::from(aside);
        Self {
            seq,
            name,
            salt,
            value,
        }
    }

    fn aside(self) -> Option<Aside> {
        let Self {
            name, salt, value, ..
        } = self;
        Revealed { name, salt, value }.aside()
    }
}

/// An export that was read and fits.
#[derive(Debug)]
pub struct ReadBack {
    pub log: String,
    pub head: Head,
    pub verified: Verified,
    pub has_private: bool,
}

/// What lies in a folder: names, and whether each is a folder itself.
pub type Listed = Vec<(String, bool)>;

/// Checks an export with nothing but its files and the keys that are trusted. `file` reads a file by its name if it is
/// there, `list` says what lies in a folder: what does not belong below `tile/` could be taken for a part of the log.
pub fn check_export(
    file: impl Fn(&str) -> Result<Option<Vec<u8>>, String>,
    list: impl Fn(&str) -> Result<Listed, String>,
    trusted: &PublicKeys,
) -> Result<ReadBack, String> {
    let mut own = BTreeSet::new();
    let read = |name: &str| {
        file(name)
            .and_then(|bytes| bytes.ok_or_else(|| "it is not there".to_owned()))
            .map_err(|why| format!("the file {name} cannot be read: {why}"))
    };
    let note = String::from_utf8(read("checkpoint")?)
        .map_err(|_| "the file checkpoint is not text".to_owned())?;
    let size = note
        .lines()
        .nth(1)
        .and_then(|line| line.parse::<u64>().ok())
        .ok_or("the file checkpoint is not a checkpoint")?;
    let private = read_private(file(PRIVATE))?;
    let mut verifier = Verifier::new(trusted.log(), None);
    let mut made = Vec::new();
    for n in 0..size.div_ceil(WIDTH) {
        let width = (size - n * WIDTH).min(WIDTH);
        let name = entries_path(n, width);
        let bytes = read(&name)?;
        own.insert(name.clone());
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
            own.insert(name);
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
            own.insert(name);
        }
        width /= WIDTH;
        if width == 0 {
            break;
        }
    }
    let mut folders = vec!["tile".to_owned()];
    while let Some(folder) = folders.pop() {
        for (name, is_folder) in list(&folder).map_err(|why| format!("{folder}: {why}"))? {
            let name = format!("{folder}/{name}");
            if is_folder {
                folders.push(name);
            } else if !own.contains(&name) {
                return Err(format!(
                    "the file {name} does not belong to a log of {size} entries"
                ));
            }
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
fn read_private(
    file: Result<Option<Vec<u8>>, String>,
) -> Result<Option<BTreeMap<i64, Vec<Aside>>>, String> {
    let Some(bytes) = file.map_err(|why| format!("the file {PRIVATE}: {why}"))? else {
        return Ok(None);
    };
    let text = String::from_utf8(bytes).map_err(|_| format!("the file {PRIVATE} is not text"))?;
    if !text.is_empty() && !text.ends_with('\n') {
        return Err(format!("the file {PRIVATE} is cut short"));
    }
    let mut private: BTreeMap<i64, Vec<Aside>> = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let wrong = || format!("the file {PRIVATE}: line {number} cannot be read");
        let line: Line = serde_json::from_str(line).map_err(|_| wrong())?;
        let seq = line.seq;
        let aside = line.aside().ok_or_else(wrong)?;
        let known = private.entry(seq).or_default();
        if known.iter().any(|other| other.name == aside.name) {
            return Err(format!(
                "entry {}: its private value `{}` is there twice",
                seq, aside.name
            ));
        }
        known.push(aside);
    }
    Ok(Some(private))
}
