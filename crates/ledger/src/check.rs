//! The check of an entry by itself. It needs nothing of the entries before it, so that many can be checked at the same
//! time; how they follow each other is left for the `Verifier`.

use std::collections::BTreeSet;

use super::Sealer;
use super::canonical::Aside;
use super::facets::Read;
use super::rows::{Row, agrees, check_asides, check_words};
use super::tree::leaf;
use crate::entry::Action;

/// What every entry of a log must be.
#[derive(Clone, Debug)]
pub struct Checker {
    pub(super) log: String,
    /// With the keys of the log, it can be told whether we wrote an entry, from this one on.
    pub(super) sealer: Option<(Sealer, i64)>,
}

/// An entry that is sound by itself.
#[derive(Clone, Debug)]
pub struct Checked {
    pub(super) seq: i64,
    pub(super) leaf: [u8; 32],
    pub(super) action: Action,
    /// The bytes of an entry that says something about the log itself.
    pub(super) body: Option<Vec<u8>>,
    pub(super) asides: u64,
    /// The names of what should lie aside and does not.
    pub(super) missing: Vec<String>,
}

impl Checker {
    /// A row with everything that belongs to it: columns, seal, private values, words.
    pub fn row(
        &self,
        row: &Row<'_>,
        asides: &[Aside],
        words: &BTreeSet<String>,
    ) -> Result<Checked, String> {
        let leaf = leaf(row.body);
        let read = agrees(row, &leaf, &self.log)?;
        let mut checked = self.sound(row.body, leaf, &read)?;
        checked.missing = check_asides(row.body, asides)?;
        checked.asides = asides.len() as u64;
        check_words(row.body, asides, words)?;
        Ok(checked)
    }

    /// The bytes of an entry, of which nothing else is known.
    pub fn body(&self, body: &[u8]) -> Result<Checked, String> {
        self.sound(body, leaf(body), &Read::of(body)?)
    }

    fn sound(&self, body: &[u8], leaf: [u8; 32], read: &Read<'_>) -> Result<Checked, String> {
        if read.log() != self.log {
            return Err(format!("it is an entry of another log, {}", read.log()));
        }
        if let Some((sealer, from)) = &self.sealer
            && read.seq() >= *from
            && !sealer.is_ours(body)
        {
            return Err("its seal is wrong: it was not written by this service".to_owned());
        }
        let action = read.action;
        let says_something_of_the_log = matches!(
            action,
            Action::LogOpened | Action::KeyRotated | Action::PrivateErased
        );
        Ok(Checked {
            seq: read.seq(),
            leaf,
            action,
            body: says_something_of_the_log.then(|| body.to_vec()),
            asides: 0,
            missing: Vec::new(),
        })
    }
}
