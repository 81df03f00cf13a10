//! The first look at the log: opens a new one, or checks all of an old one against what was signed, in the
//! database and in the second place.

use std::path::Path;

use super::head_file::HeadFile;
use super::{Known, Problem, Signer, as_signed, may_adopt, survey};
use crate::domain::{Action, Actor, Entry};
use crate::store::Store;
use crate::store::ledger::{self, Anchor, Checkpoint};
use countersign_ledger::{FullTile, Head, Keys, PublicKeys, Sealer, Verified, Verifier};

/// What an operator can do about it.
const WAY_OUT: &str = "if an operator restored the database or the file on purpose, `countersign audit accept-restore` records that";

impl Signer {
    /// Checks everything once.
    pub(super) async fn open(&self) -> Result<Known, Problem> {
        let store = &self.shared.store;
        let keys = (self.read_keys)().map_err(Problem::Passing)?;
        store.seal_with(keys.sealer());
        // What the database remembers is read before the file, which is never behind it.
        let left = Left::read(store).await?;
        let file = self.held().await?;
        if ledger::size(store).await? == 0 {
            self.is_new(file.as_ref())?;
            let now = self.shared.clock.now();
            store
                .unit(move |tx| Box::pin(async move { ledger::open(tx, now).await }))
                .await?;
        }
        let trusted = PublicKeys::new(keys.publics())?;
        let Examined {
            verified,
            tiles,
            last,
            is_strange,
        } = examine(
            store,
            Some(keys.sealer()),
            &trusted,
            file.as_ref().map(|file| (self.place.path(), file, &left)),
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
            Some(file) => {
                if let Some(last) = last.as_ref().filter(|_| is_strange) {
                    self.adopt(last).await?;
                }
                file
            }
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
            heads_again: 0,
        };
        // What the last process left half done is done now.
        self.read_on(&mut known, None).await?;
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

    /// The head in the database is taken for true, and that is recorded.
    async fn adopt(&self, last: &Checkpoint) -> Result<(), Problem> {
        let size = u64::try_from(last.size).unwrap_or_default();
        let now = self.shared.clock.now();
        let entry = Entry::new(now, Action::HeadAdopted, Actor::Countersign)
            .with("size", size)
            .with("root", countersign_ledger::base64(&last.root));
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
        Ok(())
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
            self.adopt(last).await?;
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

/// What the database knew before the file was read.
#[derive(Clone, Debug)]
pub struct Left {
    signed: i64,
    anchors: Vec<Anchor>,
}

impl Left {
    pub async fn read(store: &Store) -> Result<Self, Problem> {
        let last = ledger::last_checkpoint(store).await?;
        Ok(Self {
            signed: last.map_or(0, |last| last.size),
            anchors: ledger::anchors(store).await?,
        })
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
    /// The file was never used with this database.
    is_strange: bool,
}

/// Checks all of the log, against what was signed in the database and in the second place; `file` comes
/// with what the database knew before it was read.
pub async fn examine(
    store: &Store,
    sealer: Option<Sealer>,
    trusted: &PublicKeys,
    file: Option<(&Path, &HeadFile, &Left)>,
) -> Result<Examined, Problem> {
    let last = ledger::last_checkpoint(store).await?;
    let held = match file {
        Some((path, file, left)) => {
            let shown = path.display().to_string();
            let head = trusted
                .check(&file.note)
                .map_err(|error| Problem::Broken(format!("the file {shown}: {error}")))?;
            Some((shown, head, file, left))
        }
        None => None,
    };
    let outside = held
        .as_ref()
        .map(|(_, head, file, _)| (head.size, file.note.as_str()));
    let (verified, tiles) = survey::whole(store, sealer, trusted, outside).await?;
    let is_strange = match &held {
        Some((shown, head, file, left)) => {
            let is_only = !may_adopt(store);
            fits((shown, *head, file), left, last.as_ref(), is_only).map_err(Problem::Broken)?
        }
        None => false,
    };
    Ok(Examined {
        verified,
        tiles,
        last,
        is_strange,
    })
}

/// Whether the file and the signed heads of the database are as far as each knew of the other; and whether the
/// file was never used with this database. The only file there is knows at least as much as the database.
fn fits(
    (shown, head, file): (&str, Head, &HeadFile),
    left: &Left,
    last: Option<&Checkpoint>,
    is_only: bool,
) -> Result<bool, String> {
    let name = file.name();
    let anchor = left.anchors.iter().find(|anchor| anchor.place == name);
    let remembered = anchor.map_or(0, |anchor| anchor.size);
    let at_least = if is_only {
        remembered.max(left.signed)
    } else {
        remembered
    };
    if as_signed(head.size) < at_least {
        return Err(format!(
            "the file {shown} is an old copy: it knew {at_least} entries and knows {} now",
            head.size
        ));
    }
    let recorded = last.map_or(0, |last| last.size);
    let promised = remembered.max(as_signed(file.recorded));
    if recorded < promised {
        return Err(format!(
            "signed heads are gone from the database: it knew one of {promised} entries, and the newest is of {recorded}"
        ));
    }
    let is_strange = anchor.is_none() && left.signed > 0;
    if is_strange && is_only {
        return Err(format!(
            "the file {shown} is not the one that was kept with this database"
        ));
    }
    Ok(is_strange)
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
