//! The survey reads the log out of the database and checks it: all of it, or a slice of what was checked before.

use super::ahead;
use super::found::{self, Found};
use crate::store::ledger::{self, Beside, Beyond, Stored, Stray};
use crate::store::{Store, StoreError};
use countersign_ledger::{
    Claim, Edge, Fault, FullTile, PublicKeys, Sealer, Verified, Verifier, check_tile, leaf,
};

/// Signed heads that are read at once.
const HEADS: u32 = 2_048;
/// Tiles that are read at once.
const TILES: u32 = 64;

/// Why a log could not be found sound.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The task that did a part of it ended before it could tell how it went.
    #[error("the check was stopped before it finished")]
    Stopped(#[from] tokio::task::JoinError),
}

/// A row with everything that belongs to it.
#[derive(Debug)]
pub struct Whole {
    pub stored: Stored,
    pub beside: Beside,
}

/// Entries after `after`, with what lies beside them. The entries are read first: what lies beside an entry
/// is written with it.
pub async fn chunk(store: &Store, after: i64, most: u32) -> Result<Vec<Whole>, StoreError> {
    let entries = ledger::entries(store, after, most).await?;
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
        return Ok(Vec::new());
    };
    let mut beside = ledger::beside(store, first.seq, last.seq).await?;
    Ok(entries
        .into_iter()
        .map(|stored| Whole {
            beside: beside.remove(&stored.seq).unwrap_or_default(),
            stored,
        })
        .collect())
}

/// Lets the verifier read one row with everything that belongs to it.
pub fn take(
    verifier: &mut Verifier,
    whole: &Whole,
    full: impl FnMut(FullTile),
) -> Result<(), Fault> {
    let seq = whole.stored.seq;
    verifier.follows(seq)?;
    let Beside { asides, words } = &whole.beside;
    let checked = verifier.checker().row(&whole.stored.row(), asides, words);
    verifier.take(checked.map_err(|problem| Fault::at(seq, problem))?, full)
}

/// The seals of entries from this one on can be judged with the keys that are still there.
pub async fn seals_from(store: &Store) -> Result<i64, StoreError> {
    let rotations = ledger::numbers(store, crate::domain::Action::KeyRotated).await?;
    Ok(match rotations.as_slice() {
        [.., before, _] => before + 1,
        [_] | [] => 1,
    })
}

/// Checks the whole log as it lies in the database; `outside` is the head that another place holds.
pub async fn whole(
    store: &Store,
    sealer: Option<Sealer>,
    trusted: &PublicKeys,
    outside: Option<(u64, &str)>,
) -> Result<(Verified, Vec<FullTile>), Trouble> {
    let sealer = match sealer {
        Some(sealer) => Some((sealer, seals_from(store).await?)),
        None => None,
    };
    let before = ledger::size(store).await?;
    let signed = ledger::last_checkpoint(store)
        .await?
        .map_or(0, |head| head.size);
    let mut verifier = Verifier::new(trusted.log(), sealer);
    let mut heads = Heads::default();
    let mut unrecorded = Vec::new();
    let mut by_what = Found::default();
    let mut tiles = Tiles::default();
    let mut ahead = ahead::read(store, verifier.checker(), 0);
    while let Some(piece) = ahead.recv().await {
        let piece = piece.await??;
        if piece.entries.is_empty() {
            break;
        }
        if !piece.is_full() {
            let after = piece.entries.last().map_or(0, |last| last.0);
            ahead = ahead::read(store, verifier.checker(), after);
        }
        by_what.add(piece.found);
        for (seq, at, checked) in piece.entries {
            verifier.follows(seq)?;
            by_what.follow(seq, at);
            let mut full = Vec::new();
            let checked = checked.map_err(|problem| Fault::at(seq, problem))?;
            verifier.take(checked, |tile| full.push(tile))?;
            for tile in full {
                if !tiles.are_stored(store, &tile, signed).await? {
                    unrecorded.push(tile);
                }
            }
            heads.check(store, &verifier).await?;
            if let Some((size, note)) = outside
                && size == verifier.size()
            {
                verifier.head(note, 0)?;
            }
        }
    }
    let found = signed_size(&verifier);
    let promised = [
        (before, "the log counts".to_owned()),
        (signed, "a signed head in the database covers".to_owned()),
        (
            outside.map_or(0, |(size, _)| i64::try_from(size).unwrap_or(i64::MAX)),
            "the signed head outside the database covers".to_owned(),
        ),
    ];
    if let Some((size, who)) = promised.iter().find(|(size, _)| *size > found) {
        return Err(Fault::at(found + 1, format!("it is missing: {who} {size} entries")).into());
    }
    let counted = ledger::size(store).await?;
    if counted < found {
        let problem = "it is there, and the log does not count it";
        return Err(Fault::at(counted + 1, problem).into());
    }
    nothing_beyond(store, verifier.size()).await?;
    are_gone(store, &verifier.take_claims()).await?;
    let was_still = found::is_still(store, found).await?;
    let checked = by_what.check(store, was_still).await;
    // An entry may have been added between two looks.
    if checked.is_err() && !found::is_still(store, found).await? {
        by_what.check(store, false).await?;
    } else {
        checked?;
    }
    Ok((verifier.finish(trusted)?, unrecorded))
}

/// Nothing may lie beside the log that belongs to no entry: it would be taken for an entry's later. What
/// lies there is read before the count, because entries may be appended meanwhile.
pub async fn nothing_beyond(store: &Store, known: u64) -> Result<(), Trouble> {
    let known = i64::try_from(known).unwrap_or(i64::MAX);
    let strays = ledger::beyond(store, known).await?;
    let now = ledger::size(store).await?;
    for Beyond { at, what } in strays {
        let (needs, seq, problem) = match what {
            Stray::Entry => (
                at,
                at,
                "it is there, and the log does not count it".to_owned(),
            ),
            Stray::Private(name) => {
                let problem = format!("a private value `{name}` belongs to no entry");
                (at, at, problem)
            }
            Stray::Word(word) => (at, at, format!("the word `{word}` belongs to no entry")),
            Stray::Tile { level } => {
                let problem = format!("tile {at} of level {level} does not follow from the log");
                (last_under(level, at), known, problem)
            }
        };
        if !(1..=now).contains(&needs) {
            return Err(Fault::at(seq, problem).into());
        }
    }
    Ok(())
}

/// The entry that was read last is still that entry: another one may have been put in its place.
pub async fn last_again(store: &Store, edge: &Edge) -> Result<(), Trouble> {
    let seq = i64::try_from(edge.size()).unwrap_or(i64::MAX);
    match ledger::one(store, seq).await? {
        Some(entry) if leaf(&entry.body) == edge.last() => Ok(()),
        Some(_) => Err(Fault::at(seq, "it is not the entry that was signed").into()),
        None => Err(Fault::at(seq, "it is missing").into()),
    }
}

/// The last entry that a full tile covers.
fn last_under(level: i64, n: i64) -> i64 {
    let leaves = u32::try_from(level)
        .ok()
        .and_then(|level| 256_i64.checked_pow(level.saturating_add(1)))
        .unwrap_or(i64::MAX);
    n.saturating_add(1).saturating_mul(leaves)
}

pub(super) fn signed_size(verifier: &Verifier) -> i64 {
    i64::try_from(verifier.size()).unwrap_or(i64::MAX)
}

/// The signed heads of the database, in order.
#[derive(Debug, Default)]
struct Heads {
    waiting: std::collections::VecDeque<ledger::Checkpoint>,
    last: i64,
    is_over: bool,
}

impl Heads {
    /// Checks the head of exactly this size, if there is one.
    async fn check(&mut self, store: &Store, verifier: &Verifier) -> Result<(), Trouble> {
        let size = signed_size(verifier);
        if self.waiting.is_empty() && !self.is_over {
            let more = ledger::checkpoints(store, self.last.max(size - 1), HEADS).await?;
            self.is_over = more.is_empty();
            self.waiting.extend(more);
        }
        if self.waiting.front().is_none_or(|head| head.size != size) {
            return Ok(());
        }
        if let Some(head) = self.waiting.pop_front() {
            let checked =
                verifier.head(&head.note, u64::try_from(self.last).unwrap_or_default())?;
            if checked.root != *head.root {
                return Err(Fault::at(
                    size,
                    format!("the column `root` of the signed head of {size} entries says something else than its note"),
                )
                .into());
            }
            self.last = size;
        }
        Ok(())
    }
}

/// The tiles of the database, in order, many of the lowest level at once.
#[derive(Debug, Default)]
struct Tiles {
    waiting: std::collections::VecDeque<ledger::Tile>,
}

impl Tiles {
    /// Whether a tile is recorded; one that a signed head covers must be.
    async fn are_stored(
        &mut self,
        store: &Store,
        made: &FullTile,
        signed: i64,
    ) -> Result<bool, Trouble> {
        let level = i64::try_from(made.level).unwrap_or(i64::MAX);
        let n = i64::try_from(made.n).unwrap_or(i64::MAX);
        let leaves = 1_u64 << (8 * (made.level + 1)).min(63);
        let first = i64::try_from(made.n * leaves).unwrap_or(i64::MAX) + 1;
        let last = first - 1 + i64::try_from(leaves).unwrap_or(i64::MAX);
        match self.next(store, level, n).await? {
            Some(tile) => check_tile(made, &tile.hashes, &tile.root)
                .map(|()| true)
                .map_err(|(place, problem)| {
                    let below = i64::try_from(leaves / 256).unwrap_or(i64::MAX);
                    let place = i64::try_from(place).unwrap_or(i64::MAX);
                    Fault::at(first + place * below, problem).into()
                }),
            None if last <= signed => Err(Fault::at(
                first,
                format!("tile {n} of level {level}, which begins with it, is gone"),
            )
            .into()),
            None => Ok(false),
        }
    }

    async fn next(
        &mut self,
        store: &Store,
        level: i64,
        n: i64,
    ) -> Result<Option<ledger::Tile>, StoreError> {
        if level > 0 {
            let found = ledger::tiles(store, level, n, 1).await?;
            return Ok(found.into_iter().find(|tile| tile.n == n));
        }
        if self.waiting.is_empty() {
            self.waiting = ledger::tiles(store, level, n, TILES).await?.into();
        }
        let is_next = self.waiting.front().is_some_and(|tile| tile.n == n);
        Ok(if is_next {
            self.waiting.pop_front()
        } else {
            None
        })
    }
}

/// What entries say was erased must not be there.
pub async fn are_gone(store: &Store, claims: &[Claim]) -> Result<(), Trouble> {
    for claim in claims {
        let asides = ledger::asides(store, claim.seq, claim.seq).await?;
        if asides.iter().any(|found| found.aside.name == claim.name) {
            return Err(claim.fault().into());
        }
    }
    Ok(())
}
