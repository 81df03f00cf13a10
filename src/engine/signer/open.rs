//! The first look at the log: opens a new one, or checks all of an old one against what was signed, in the
//! database and in the second place.

use super::head_file::HeadFile;
use std::path::Path;

use super::{Known, Problem, Signer, as_signed, may_adopt, survey};
use crate::domain::{Action, Actor, Entry};
use crate::ledger::{FullTile, Head, Keys, PublicKeys, Sealer, Verified, Verifier};
use crate::store::Store;
use crate::store::ledger::{self, Checkpoint};

/// What an operator can do about it.
const WAY_OUT: &str = "if an operator restored the database or the file on purpose, `countersign audit accept-restore` records that";

impl Signer {
    /// Checks everything once.
    pub(super) async fn open(&self) -> Result<Known, Problem> {
        let keys = (self.read_keys)().map_err(Problem::Passing)?;
        self.shared.store.seal_with(keys.sealer());
        let file = self.with_file(|locked| locked.read()).await?;
        let size = ledger::size(&self.shared.store).await?;
        if size == 0 {
            self.is_new(file.as_ref())?;
            let now = self.shared.clock.now();
            self.shared
                .store
                .unit(move |tx| Box::pin(async move { ledger::open(tx, now).await }))
                .await?;
        }
        let trusted = PublicKeys::new(keys.publics())?;
        let Examined {
            verified,
            tiles,
            last,
        } = examine(
            &self.shared.store,
            Some(keys.sealer()),
            &trusted,
            file.as_ref().map(|file| (self.place.path(), file)),
        )
        .await
        .map_err(with_way_out)?;
        if verified.keys.last().map(String::as_str) != Some(keys.public().as_str()) {
            return Err(Problem::Broken(
                "the audit log is signed with another key than the one that this process has"
                    .to_owned(),
            ));
        }
        let file = match file {
            Some(file) => file,
            None => self.first_file(&keys, &verified, last.as_ref()).await?,
        };
        let mut known = Known {
            verifier: Verifier::resume(keys.log(), Some((keys.sealer(), 1)), &verified),
            head: last.as_ref().and_then(recorded_head).unwrap_or(Head {
                size: 0,
                root: [0; 32],
            }),
            keys,
            file,
            tiles,
            again: 0,
            rotated: false,
        };
        // What the last process left half done is done now.
        self.read_on(&mut known).await?;
        if known.verifier.size() > known.head.size {
            self.sign(&mut known).await?;
        }
        Ok(known)
    }

    /// The file of a log that is empty must not know any entries.
    fn is_new(&self, file: Option<&HeadFile>) -> Result<(), Problem> {
        match file {
            None => Ok(()),
            Some(_) => Err(Problem::Broken(format!(
                "the audit log in the database is empty, and the file {} holds a signed head of one: {WAY_OUT}",
                self.shown()
            ))),
        }
    }

    /// The first head that this file holds: of a new log, or of one that another replica signs.
    async fn first_file(
        &self,
        keys: &Keys,
        verified: &Verified,
        last: Option<&Checkpoint>,
    ) -> Result<HeadFile, Problem> {
        if let Some(last) = last {
            if !may_adopt(&self.shared.store) {
                return Err(Problem::Broken(format!(
                    "the log has a signed head of {} entries, and the file {} that holds the last one is gone; {WAY_OUT}",
                    last.size,
                    self.shown()
                )));
            }
            let size = u64::try_from(last.size).unwrap_or_default();
            let entry = Entry::new(
                self.shared.clock.now(),
                Action::HeadAdopted,
                Actor::Countersign,
            )
            .with("size", size)
            .with("root", crate::ledger::base64(&last.root));
            tracing::warn!(
                size,
                file = self.shown(),
                "no signed head was kept here: the one in the database is taken for true, and that is recorded"
            );
            self.shared
                .store
                .unit(move |tx| {
                    let entry = entry.clone();
                    Box::pin(async move { ledger::append(tx, &entry).await })
                })
                .await?;
        }
        let head = Head {
            size: verified.edge.size(),
            root: verified.edge.root(),
        };
        let note = keys.sign_head(head.size, head.root)?;
        let recorded = last.map_or(0, |last| u64::try_from(last.size).unwrap_or_default());
        let made = HeadFile::new(note, recorded);
        self.with_file(move |locked| {
            // Another process may have been faster.
            if let Some(found) = locked.read()? {
                return Ok(found);
            }
            locked.write(&made)?;
            Ok(made)
        })
        .await
    }
}

/// What a whole log amounts to.
#[derive(Debug)]
pub struct Examined {
    pub verified: Verified,
    /// Full tiles that are not recorded yet.
    pub(super) tiles: Vec<FullTile>,
    /// The newest signed head of the database.
    pub last: Option<Checkpoint>,
}

/// Checks all of the log, against what was signed in the database and in the second place.
pub async fn examine(
    store: &Store,
    sealer: Option<Sealer>,
    trusted: &PublicKeys,
    file: Option<(&Path, &HeadFile)>,
) -> Result<Examined, Problem> {
    let last = ledger::last_checkpoint(store).await?;
    let outside = match file {
        Some((path, file)) => {
            let head = trusted.check(&file.note).map_err(|error| {
                Problem::Broken(format!("the file {}: {error}", path.display()))
            })?;
            Some((head.size, file.note.as_str()))
        }
        None => None,
    };
    let (verified, tiles) = survey::whole(store, sealer, trusted, outside).await?;
    if let Some((path, file)) = file {
        nothing_is_older(store, (path, file), last.as_ref()).await?;
    }
    Ok(Examined {
        verified,
        tiles,
        last,
    })
}

/// The second place and the database know at least as much as each of them knew of the other.
async fn nothing_is_older(
    store: &Store,
    (path, file): (&Path, &HeadFile),
    last: Option<&Checkpoint>,
) -> Result<(), Problem> {
    let known: i64 = file
        .note
        .lines()
        .nth(1)
        .and_then(|size| size.parse().ok())
        .unwrap_or(0);
    let remembered = ledger::anchor(store, &file.name()).await?;
    let remembered = remembered.map_or(0, |anchor| anchor.size);
    if known < remembered {
        return Err(Problem::Broken(format!(
            "the file {} is an old copy: it knew {remembered} entries and knows {known} now",
            path.display()
        )));
    }
    let recorded = last.map_or(0, |last| last.size);
    if recorded < as_signed(file.recorded) {
        return Err(Problem::Broken(format!(
            "signed heads are gone from the database: it knew one of {} entries, and the newest is of {recorded}",
            file.recorded
        )));
    }
    Ok(())
}

fn recorded_head(last: &Checkpoint) -> Option<Head> {
    Some(Head {
        size: u64::try_from(last.size).ok()?,
        root: last.root.as_slice().try_into().ok()?,
    })
}

fn with_way_out(problem: Problem) -> Problem {
    match problem {
        Problem::Broken(why) => Problem::Broken(format!("{why}; {WAY_OUT}")),
        passing @ Problem::Passing(_) => passing,
    }
}
