//! Witnesses: what shows them signed heads, made from the configuration.

use anyhow::Context as _;

use crate::config::{Ledger, Witness as Written};
use crate::engine::Shared;
use crate::engine::witnessing::Witnessing;
use crate::outposts::witness::Witness;
use countersign_ledger::WitnessKey;

/// One for each witness.
pub(super) fn witnessing(ledger: &Ledger, shared: &Shared) -> anyhow::Result<Vec<Witnessing>> {
    let each = ledger.witnesses.iter().map(|written| {
        let witness = Witness::new(&written.url)
            .with_context(|| format!("the witness at {} cannot be used", written.url))?;
        Ok(Witnessing {
            shared: shared.clone(),
            key: key(written)?,
            witness,
        })
    });
    each.collect()
}

/// The keys of all witnesses; they can look right and be wrong.
pub(super) fn keys(ledger: &Ledger) -> anyhow::Result<Vec<WitnessKey>> {
    ledger.witnesses.iter().map(key).collect()
}

fn key(written: &Written) -> anyhow::Result<WitnessKey> {
    WitnessKey::parse(&written.key)
        .with_context(|| format!("the key of the witness at {} cannot be used", written.url))
}
