//! Anchors: where else signed heads are, for `audit verify`. What a witness cosigned is checked here with its key and
//! against the log; that it is in the database alone says nothing.

use crate::store::Store;
use crate::store::ledger::{self, Anchor, witness};
use countersign_ledger::{Head, PublicKeys, Wanted, WitnessKey, grew_from, short};

/// A line for each place. The error is that a witness saw another log than this one, which ends in `last`.
pub(super) async fn said(
    store: &Store,
    log: &PublicKeys,
    last: Option<Head>,
    witnesses: &[WitnessKey],
) -> anyhow::Result<Result<String, String>> {
    let mut text = String::new();
    for anchor in ledger::anchors(store).await? {
        let (place, size) = (&anchor.place, anchor.size);
        match anchor.kind.as_str() {
            "file" => text.push_str(&format!("\n    anchored as far as entry {size} by {place}")),
            witness::KIND => match saw(&anchor, log, witnesses) {
                Ok(head) => {
                    if let Err(why) = fits(store, head, log, last).await? {
                        return Ok(Err(format!("{place} {why}")));
                    }
                    text.push_str(&format!(
                        "\n    witnessed as far as entry {size} by {place}"
                    ));
                }
                Err(why) => text.push_str(&format!(
                    "\n    cannot check whether {place} witnessed entry {size}: {why}"
                )),
            },
            _ => {}
        }
    }
    if text.is_empty() {
        text.push_str("\n    anchored nowhere else");
    }
    Ok(Ok(text))
}

/// The head that a witness saw, if the kept note shows that.
fn saw(anchor: &Anchor, log: &PublicKeys, witnesses: &[WitnessKey]) -> Result<Head, String> {
    let key = witnesses.iter().find(|key| key.name() == anchor.place);
    let key = key.ok_or("`[[ledger.witness]]` does not name its key")?;
    let note = anchor.note.as_deref().ok_or("what it signed is gone")?;
    key.check(note).map_err(|error| error.to_string())?;
    let head = log.check(note).map_err(|error| error.to_string())?;
    if u64::try_from(anchor.size) != Ok(head.size) {
        return Err(format!("it signed {} entries", head.size));
    }
    Ok(head)
}

/// Whether the log began like that.
async fn fits(
    store: &Store,
    seen: Head,
    log: &PublicKeys,
    last: Option<Head>,
) -> anyhow::Result<Result<(), String>> {
    let last = match last.filter(|last| last.size >= seen.size) {
        Some(last) => Some(last),
        // A running service may have signed and shown a newer head meanwhile.
        None => ledger::last_checkpoint(store)
            .await?
            .and_then(|newer| log.check(&newer.note).ok())
            .filter(|newer| newer.size >= seen.size),
    };
    let Some(last) = last else {
        return Ok(Err(format!(
            "saw {} entries of this log, more than are signed here",
            seen.size
        )));
    };
    let proof = if seen.size == last.size {
        Some(Vec::new())
    } else {
        let (old, new) = (seen.size, last.size);
        ledger::prove(store, Wanted::Growth { old, new }).await?
    };
    let is_same = proof.is_some_and(|proof| grew_from(seen, last, &proof));
    Ok(is_same.then_some(()).ok_or_else(|| {
        format!(
            "saw another log than this one: its signed head is {}",
            short(seen)
        )
    }))
}
