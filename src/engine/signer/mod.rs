//! The signer of the audit log: checks what is new, looks again at what is old, signs a head, keeps it in a second
//! place, and records it. What does not fit stops every release until an operator has looked.

mod again;
mod ahead;
mod found;
mod head_file;
mod open;
mod places;
mod restore;
pub mod survey;

pub use countersign_ledger::Standing;
pub use head_file::{HeadFile, Locked, Place};
pub use open::{Examined, Left, examine};
pub use restore::{Restored, accept};

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::store::ledger::{self, Anchor, Checkpoint, Tile};
use crate::store::{Store, StoreError};
use countersign_ledger::{Fault, FullTile, Head, Keys, PublicKeys, Verifier};
use survey::Trouble;

/// At most so long after an entry, a head covers it.
const EVERY: Duration = Duration::from_secs(1);
/// Between two looks at a log that does not fit.
const WHEN_BROKEN: Duration = Duration::from_secs(5);
/// Tiles of old entries that are looked at again with every head: all of a small log, a part of a large one.
const TILES_AGAIN: u64 = 8;
/// Signed heads that are looked at again with every head.
const HEADS_AGAIN: u32 = 16;

/// Where the keys come from, again and again: the file may be replaced while the service runs.
pub type ReadKeys = Arc<dyn Fn() -> Result<Keys, String> + Send + Sync>;

/// The task that signs.
pub struct Signer {
    pub shared: Shared,
    pub read_keys: ReadKeys,
    /// The second place.
    pub place: Place,
    /// Signed heads are also appended here.
    pub anchor: Option<PathBuf>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("place", &self.place)
            .field("anchor", &self.anchor)
            .finish_non_exhaustive()
    }
}

/// What the signer knows of a log that fits.
#[derive(Debug)]
pub(super) struct Known {
    keys: Keys,
    /// How far the log was read.
    verifier: Verifier,
    /// What the second place says.
    file: HeadFile,
    /// The last head that is in both places.
    head: Head,
    /// Full tiles that are not recorded yet.
    tiles: Vec<FullTile>,
    /// The next tile to look at again.
    again: u64,
    /// The key was replaced since the last head.
    rotated: bool,
    /// The signed heads after the one of this size are looked at again next.
    heads_again: i64,
}

/// Why a round did not end well.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The log does not fit: only a person can settle it.
    #[error("{0}")]
    Broken(String),
    /// It may work again later.
    #[error("{0}")]
    Passing(String),
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            // What was written can be read, unless it was changed.
            StoreError::Unreadable { .. } => Self::Broken(error.to_string()),
            StoreError::Unavailable(_)
            | StoreError::Conflict { .. }
            | StoreError::Refused(_)
            | StoreError::Unusable(_)
            | StoreError::Unsealed
            | StoreError::Unsearchable(_)
            | StoreError::NoRandomness
            | StoreError::Stopped => Self::Passing(error.to_string()),
        }
    }
}

impl From<Trouble> for Problem {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Fault(fault) => fault.into(),
            Trouble::Store(error) => error.into(),
            Trouble::Stopped(error) => Self::Passing(error.to_string()),
        }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::Broken(fault.to_string())
    }
}

impl From<countersign_ledger::Unusable> for Problem {
    fn from(error: countersign_ledger::Unusable) -> Self {
        Self::Broken(error.to_string())
    }
}

impl Signer {
    /// Works until it is told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut known = None;
        loop {
            let asked = self.shared.sign.notified();
            tokio::pin!(asked);
            asked.as_mut().enable();
            let is_last = stop.is_cancelled();
            self.round(&mut known).await;
            if is_last {
                return;
            }
            let rest = match &*self.shared.standing.borrow() {
                Standing::Broken { .. } => WHEN_BROKEN,
                Standing::Checking | Standing::Sound(_) => EVERY,
            };
            tokio::select! {
                () = asked => {}
                () = tokio::time::sleep(rest) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    async fn round(&self, known: &mut Option<Known>) {
        let outcome = match known {
            Some(known) => self.go_on(known).await.map(|()| known.head),
            None => match self.open().await {
                Ok(opened) => {
                    let head = opened.head;
                    *known = Some(opened);
                    Ok(head)
                }
                Err(problem) => Err(problem),
            },
        };
        match outcome {
            Ok(head) => self.stands(Standing::Sound(head)),
            Err(Problem::Passing(why)) => {
                tracing::warn!(
                    why,
                    "the audit log could not be signed and will be tried again"
                );
            }
            Err(Problem::Broken(why)) => {
                *known = None;
                self.stands(Standing::Broken { why });
            }
        }
    }

    /// Says how the log stands, to those who wait for it.
    fn stands(&self, standing: Standing) {
        let metrics = &self.shared.metrics;
        metrics
            .ledger_is_sound
            .set(i64::from(!matches!(standing, Standing::Broken { .. })));
        if let Standing::Sound(head) = &standing {
            metrics
                .ledger_signed_entries
                .set(i64::try_from(head.size).unwrap_or(i64::MAX));
        }
        self.shared.standing.send_if_modified(|before| {
            if *before == standing {
                return false;
            }
            match (&*before, &standing) {
                (_, Standing::Broken { why }) => tracing::error!(
                    why,
                    "the audit log does not fit what was signed: nothing is released until an operator has looked; see `countersign audit verify` and docs/audit.md"
                ),
                (Standing::Broken { .. }, Standing::Sound(_)) => {
                    tracing::info!("the audit log fits again");
                }
                _ => {}
            }
            *before = standing;
            true
        });
    }

    /// Reads what is new, looks again at what is old, and signs if there is something to sign.
    async fn go_on(&self, known: &mut Known) -> Result<(), Problem> {
        let outside = self.file_is_as_left(known).await?;
        self.heads_are_as_left(known).await?;
        let size = ledger::size(&self.shared.store).await?;
        let signed = as_signed(outside.map_or(0, |head| head.size).max(known.head.size));
        if size < signed {
            let first = size + 1;
            return Err(Problem::Broken(format!(
                "entry {first}: it is missing: the log counts {size} entries, and {signed} were signed"
            )));
        }
        let edge = known.verifier.edge();
        survey::nothing_beyond(&self.shared.store, edge.size()).await?;
        survey::last_again(&self.shared.store, edge).await?;
        if size == as_signed(known.head.size) {
            return Ok(());
        }
        self.look_again(known).await?;
        self.read_on(known, outside).await?;
        self.follow_rotation(known)?;
        if known.verifier.size() < u64::try_from(size).unwrap_or_default() {
            let first = known.verifier.size() + 1;
            return Err(Problem::Broken(format!(
                "entry {first}: it is missing: the log counts {size} entries"
            )));
        }
        self.sign(known).await
    }

    /// The second place says what it said, or more; what another process wrote there since.
    async fn file_is_as_left(&self, known: &mut Known) -> Result<Option<Head>, Problem> {
        let found = self
            .held()
            .await?
            .ok_or_else(|| Problem::Broken(format!("the file {} is gone", self.shown())))?;
        if found == known.file {
            return Ok(None);
        }
        let before = PublicKeys::new(known.keys.publics())?.check(&known.file.note)?;
        let head = PublicKeys::new(known.keys.publics())?
            .check(&found.note)
            .map_err(|error| Problem::Broken(format!("the file {}: {error}", self.shown())))?;
        let is_other = head.size == before.size && head.root != before.root;
        if found.id != known.file.id || head.size < before.size || is_other {
            return Err(Problem::Broken(format!(
                "the file {} was replaced: it knew {} entries and knows {} now",
                self.shown(),
                before.size,
                head.size
            )));
        }
        known.file = found;
        Ok(Some(head))
    }

    /// The newest head of the database is the one that was left there, or a newer one of another process.
    async fn heads_are_as_left(&self, known: &Known) -> Result<(), Problem> {
        let size = as_signed(known.head.size.max(known.file.recorded));
        let last = ledger::last_checkpoint(&self.shared.store).await?;
        let Some(last) = last.filter(|last| last.size >= size) else {
            return Err(Problem::Broken(format!(
                "the signed head of {size} entries is gone from the database"
            )));
        };
        let keys = PublicKeys::new(known.keys.publics())?;
        let head = keys.check(&last.note).map_err(|error| {
            Problem::Broken(format!("the signed head of {} entries: {error}", last.size))
        })?;
        let is_known = head.size != known.head.size || head.root == known.head.root;
        if u64::try_from(last.size) != Ok(head.size) || *last.root != head.root || !is_known {
            return Err(Problem::Broken(format!(
                "the signed head of {} entries was changed in the database",
                last.size
            )));
        }
        Ok(())
    }

    async fn read_on(&self, known: &mut Known, outside: Option<Head>) -> Result<(), Problem> {
        let store = &self.shared.store;
        // What another process signed must fit what is read here.
        let others = ledger::checkpoints(store, as_signed(known.verifier.size()), 1_000).await?;
        loop {
            let rows = survey::chunk(store, as_signed(known.verifier.size()), 1_000).await?;
            if rows.is_empty() {
                let claims = known.verifier.take_claims();
                return Ok(survey::are_gone(store, &claims).await?);
            }
            for row in &rows {
                let tiles = &mut known.tiles;
                survey::take(&mut known.verifier, row, |tile| tiles.push(tile))?;
                if let Some(other) = others.iter().find(|other| other.size == row.stored.seq) {
                    known.verifier.head(&other.note, known.head.size)?;
                }
                let size = known.verifier.size();
                if outside
                    .is_some_and(|head| head.size == size && head.root != known.verifier.root())
                {
                    return Err(Problem::Broken(format!(
                        "entry {size}: the file {} holds a signed head of another log",
                        self.shown()
                    )));
                }
            }
        }
    }

    /// Takes up a key that replaced ours.
    fn follow_rotation(&self, known: &mut Known) -> Result<(), Problem> {
        if known.verifier.key() == Some(known.keys.public().as_str()) {
            return Ok(());
        }
        let keys = (self.read_keys)().map_err(Problem::Passing)?;
        if known.verifier.key() != Some(keys.public().as_str()) {
            return Err(Problem::Broken(
                "the key of the audit log was replaced, and this process does not have the new one"
                    .to_owned(),
            ));
        }
        self.shared.store.seal_with(keys.sealer());
        known.keys = keys;
        known.rotated = true;
        Ok(())
    }

    async fn look_again(&self, known: &mut Known) -> Result<(), Problem> {
        let store = &self.shared.store;
        let after = known.heads_again;
        known.heads_again = again::heads_again(store, &known.verifier, after, HEADS_AGAIN).await?;
        if !known.tiles.is_empty() {
            // What could not be recorded the last time cannot be looked for.
            return Ok(());
        }
        let all = known.verifier.size().div_ceil(256);
        for _ in 0..all.min(TILES_AGAIN) {
            again::again(store, known.keys.log(), &known.verifier, known.again).await?;
            known.again = (known.again + 1) % all;
        }
        Ok(())
    }

    /// Signs what was read: first in the second place, then in the database.
    async fn sign(&self, known: &mut Known) -> Result<(), Problem> {
        let head = Head {
            size: known.verifier.size(),
            root: known.verifier.root(),
        };
        // The first head after a rotation has the signatures of both keys.
        let note = if known.rotated {
            known.keys.sign_head_with_all(head.size, head.root)?
        } else {
            known.keys.sign_head(head.size, head.root)?
        };
        let file = HeadFile {
            recorded: known.head.size.max(known.file.recorded),
            note: note.clone(),
            id: known.file.id.clone(),
        };
        known.file = self.keep(known, file, head.size).await?;
        self.record(known, head, note).await?;
        known.tiles.clear();
        known.head = head;
        known.rotated = false;
        if let Some(path) = self.anchor.clone() {
            self.append_to_anchor(path, head, &known.file.note).await?;
        }
        Ok(())
    }

    async fn record(&self, known: &Known, head: Head, note: String) -> Result<(), Problem> {
        let tiles: Vec<Tile> = known.tiles.iter().map(as_stored).collect();
        let checkpoint = Checkpoint {
            size: as_signed(head.size),
            root: head.root.to_vec(),
            note,
        };
        let anchor = Anchor {
            place: known.file.name(),
            kind: "head".to_owned(),
            size: as_signed(head.size),
            at: self.shared.clock.now(),
            note: None,
        };
        self.shared
            .store
            .unit(move |tx| {
                let (tiles, checkpoint, anchor) =
                    (tiles.clone(), checkpoint.clone(), anchor.clone());
                Box::pin(async move {
                    ledger::record_tiles(tx, &tiles).await?;
                    ledger::record_checkpoint(tx, &checkpoint).await?;
                    ledger::record_anchor(tx, &anchor).await
                })
            })
            .await?;
        Ok(())
    }

    fn shown(&self) -> String {
        self.place.path().display().to_string()
    }
}

fn as_stored(tile: &FullTile) -> Tile {
    Tile {
        level: i64::try_from(tile.level).unwrap_or(i64::MAX),
        n: as_signed(tile.n),
        hashes: tile.hashes.clone(),
        root: tile.root.to_vec(),
    }
}

/// Counts are small; the database's numbers have a sign.
pub(super) fn as_signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Whether a file that is missing may simply be made: another replica on a server's database has none yet.
fn may_adopt(store: &Store) -> bool {
    store.dialect() == crate::store::Dialect::Postgres
}
