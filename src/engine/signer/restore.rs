//! The acceptance of a restore: an operator says that the database, or the file with the signed head, was put back on
//! purpose. That is recorded in the log, with what was known before, and signed; from then on the log goes on from
//! there.

use jiff::Timestamp;

use super::head_file::{HeadFile, Locked};
use super::open::examine;
use super::{Problem, as_signed, as_stored};
use crate::domain::{Action, Actor, Entry};
use crate::store::Store;
use crate::store::ledger::{self, Anchor, Checkpoint};
use countersign_ledger::{Head, Keys, PublicKeys, base64};

/// What was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The head that the file held.
    pub before: Option<Head>,
    /// The head from which the log goes on.
    pub now: Head,
}

/// Records the restore and signs the log as it is now. The log must fit itself: what was changed rather
/// than put back is not accepted.
pub async fn accept(
    store: &Store,
    keys: &Keys,
    file: &Locked<'_>,
    (operator, reason): (String, String),
    now: Timestamp,
) -> Result<Restored, Problem> {
    let trusted = PublicKeys::new(keys.publics())?;
    // A file that makes no sense is replaced as well.
    let held = file.read().ok().flatten();
    let before = held
        .as_ref()
        .and_then(|held| trusted.check(&held.note).ok());
    let found = examine(store, Some(keys.sealer()), &trusted, None).await?;
    let size = found.verified.edge.size();
    let root = base64(&found.verified.edge.root());
    let statement = format!(
        "countersign restore\n{}\n{size}\n{root}\n{now}\n",
        keys.log()
    );
    let mut entry = Entry::new(
        now,
        Action::DatabaseRestored,
        Actor::Operator { name: operator },
    )
    .with("size", size)
    .with("root", root)
    .with("signed", keys.sign(&statement)?)
    .with_private("reason", reason);
    if let Some(before) = before {
        entry = entry
            .with("size_before", before.size)
            .with("root_before", base64(&before.root));
    }
    store
        .unit(move |tx| {
            let entry = entry.clone();
            Box::pin(async move { ledger::append(tx, &entry).await })
        })
        .await?;
    let now_is = examine(store, Some(keys.sealer()), &trusted, None).await?;
    let head = Head {
        size: now_is.verified.edge.size(),
        root: now_is.verified.edge.root(),
    };
    let note = keys.sign_head(head.size, head.root)?;
    let recorded = now_is.last.map_or(0, |last| last.size);
    let made = HeadFile::new(note.clone(), u64::try_from(recorded).unwrap_or_default());
    file.write(&made)
        .map_err(|error| Problem::Passing(format!("the signed head could not be kept: {error}")))?;
    let tiles: Vec<_> = now_is.tiles.iter().map(as_stored).collect();
    let checkpoint = Checkpoint {
        size: as_signed(head.size),
        root: head.root.to_vec(),
        note,
    };
    let anchor = Anchor {
        place: made.name(),
        kind: "head".to_owned(),
        size: as_signed(head.size),
        at: now,
        note: None,
    };
    store
        .unit(move |tx| {
            let (tiles, checkpoint, anchor) = (tiles.clone(), checkpoint.clone(), anchor.clone());
            Box::pin(async move {
                ledger::record_tiles(tx, &tiles).await?;
                ledger::record_checkpoint(tx, &checkpoint).await?;
                ledger::record_anchor(tx, &anchor).await
            })
        })
        .await?;
    Ok(Restored { before, now: head })
}
