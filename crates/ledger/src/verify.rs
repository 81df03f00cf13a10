//! The verifier: checks a log from its first entry on: every row against its own bytes, the rows against each other,
//! what lies aside against the commitments, the tree against its tiles and signed heads, and the keys against each
//! other. What is found is named by the first entry that is wrong.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use super::Sealer;
use super::canonical::Aside;
use super::check::{Checked, Checker};
use super::keys::{Head, PublicKeys};
use super::rows::check_asides;
use super::tree::{Edge, FullTile};
use crate::entry::Action;

/// What is wrong, and where it begins.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Fault {
    /// The first entry that is wrong.
    pub seq: i64,
    pub problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {}: {}", self.seq, self.problem)
    }
}

impl Fault {
    pub fn at(seq: i64, problem: impl Into<String>) -> Self {
        Self {
            seq,
            problem: problem.into(),
        }
    }
}

/// Reads a log in order and remembers as much of it as the rest must fit.
#[derive(Clone, Debug)]
pub struct Verifier {
    checker: Checker,
    edge: Edge,
    /// The key in force, and those before it.
    keys: Vec<String>,
    /// Values that should lie aside and do not, until an entry says that they were erased.
    missing: BTreeSet<(i64, String)>,
    /// Values that were there when their entry was read, and were erased by a later one.
    claims: Vec<Claim>,
    /// What entries say was erased.
    gone: BTreeSet<(i64, String)>,
    erased: u64,
    asides: u64,
}

/// That a value was erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub seq: i64,
    pub name: String,
    /// The entry that says so.
    pub by: i64,
}

impl Claim {
    /// The value is there all the same.
    pub fn fault(&self) -> Fault {
        Fault::at(
            self.seq,
            format!(
                "its private value `{}` is back, although entry {} erased it",
                self.name, self.by
            ),
        )
    }
}

/// What a checked log amounts to.
#[derive(Clone, Debug)]
pub struct Verified {
    pub edge: Edge,
    /// The key in force last, and those before it.
    pub keys: Vec<String>,
    /// What was erased, by its entry and its name.
    pub gone: BTreeSet<(i64, String)>,
    pub erased: u64,
    pub asides: u64,
}

impl Verifier {
    /// For the log of this name, from its first entry on. Seals are checked from the given entry on: the
    /// keys of earlier ones may be gone.
    pub fn new(log: impl Into<String>, sealer: Option<(Sealer, i64)>) -> Self {
        Self {
            checker: Checker {
                log: log.into(),
                sealer,
            },
            edge: Edge::default(),
            keys: Vec::new(),
            missing: BTreeSet::new(),
            claims: Vec::new(),
            gone: BTreeSet::new(),
            erased: 0,
            asides: 0,
        }
    }

    /// Goes on with a log that was checked as far as this.
    pub fn resume(log: impl Into<String>, sealer: Option<(Sealer, i64)>, known: &Verified) -> Self {
        Self {
            edge: known.edge.clone(),
            keys: known.keys.clone(),
            gone: known.gone.clone(),
            ..Self::new(log, sealer)
        }
    }

    pub fn size(&self) -> u64 {
        self.edge.size()
    }

    pub fn root(&self) -> [u8; 32] {
        self.edge.root()
    }

    pub fn edge(&self) -> &Edge {
        &self.edge
    }

    /// The key in force after the entries so far.
    pub fn key(&self) -> Option<&str> {
        self.keys.last().map(String::as_str)
    }

    /// The key in force after the entries so far, and those before it.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Whether an entry so far says that a value was erased.
    pub fn is_erased(&self, seq: i64, name: &str) -> bool {
        !self.gone.is_empty() && self.gone.contains(&(seq, name.to_owned()))
    }

    /// What every entry must be by itself.
    pub fn checker(&self) -> &Checker {
        &self.checker
    }

    /// Whether this is the number of the next entry.
    pub fn follows(&self, seq: i64) -> Result<(), Fault> {
        let expected = next(&self.edge);
        if seq == expected {
            return Ok(());
        }
        let problem = format!("it is missing; the next one is {seq}");
        Err(Fault::at(expected, problem))
    }

    /// The next entry; `full` is told of every tile that becomes full by it.
    pub fn take(&mut self, checked: Checked, full: impl FnMut(FullTile)) -> Result<(), Fault> {
        self.follows(checked.seq)?;
        let seq = checked.seq;
        let fault = |problem: &str| Fault::at(seq, problem);
        let is_first = seq == 1;
        if is_first != (checked.action == Action::LogOpened) {
            return Err(fault(if is_first {
                "the first entry does not open the log"
            } else {
                "it opens the log a second time"
            }));
        }
        if let Some(body) = &checked.body {
            if checked.action == Action::PrivateErased {
                self.erasure(seq, body);
            } else {
                self.key_entry(body).map_err(|problem| fault(&problem))?;
            }
        }
        self.asides += checked.asides;
        self.missing
            .extend(checked.missing.into_iter().map(|name| (seq, name)));
        self.edge.push(checked.leaf, full);
        Ok(())
    }

    /// The bytes of the next entry.
    pub fn body(&mut self, body: &[u8], full: impl FnMut(FullTile)) -> Result<(), Fault> {
        let expected = next(&self.edge);
        let fault = |problem: String| Fault::at(expected, problem);
        let checked = self.checker.body(body).map_err(fault)?;
        if checked.seq != expected {
            return Err(fault(format!(
                "its contents are those of entry {}",
                checked.seq
            )));
        }
        self.take(checked, full)
    }

    /// What lies aside for the entry that was read last.
    pub fn aside(&mut self, body: &[u8], asides: &[Aside]) -> Result<(), Fault> {
        let seq = next(&self.edge) - 1;
        let missing = check_asides(body, asides).map_err(|problem| Fault::at(seq, problem))?;
        self.asides += asides.len() as u64;
        self.missing
            .extend(missing.into_iter().map(|name| (seq, name)));
        Ok(())
    }

    /// A signed head of exactly the size that was read so far, which `after` was the last one before.
    pub fn head(&self, note: &str, after: u64) -> Result<Head, Fault> {
        let size = self.edge.size();
        let fault = |problem: String| Fault::at(next(&self.edge) - 1, problem);
        let key = self
            .key()
            .ok_or_else(|| fault("a head is signed before the log is open".to_owned()))?;
        let head = PublicKeys::new([key.to_owned()])
            .and_then(|keys| keys.check(note))
            .map_err(|error| {
                fault(format!(
                    "the signed head of {size} entries is wrong: {error}"
                ))
            })?;
        if head.size != size {
            return Err(fault(format!(
                "the signed head of {size} entries was signed for {}",
                head.size
            )));
        }
        if head.root != self.edge.root() {
            let first = i64::try_from(after).unwrap_or(i64::MAX).saturating_add(1);
            return Err(Fault::at(
                first,
                format!(
                    "this entry or a later one was changed: entries {first} to {size} do not match the signed head"
                ),
            ));
        }
        Ok(head)
    }

    /// Whether private values are there is not known.
    #[must_use]
    pub fn without_private(self) -> Self {
        Self {
            missing: BTreeSet::new(),
            claims: Vec::new(),
            ..self
        }
    }

    /// The end: nothing that should lie aside may be missing, and one of the keys must be trusted.
    pub fn finish(self, trusted: &PublicKeys) -> Result<Verified, Fault> {
        if let Some(claim) = self.claims.first() {
            return Err(claim.fault());
        }
        if let Some((seq, name)) = self.missing.first() {
            return Err(Fault::at(
                *seq,
                format!(
                    "its private value `{name}` is gone, and no entry records that it was erased"
                ),
            ));
        }
        if !self.keys.is_empty() && !self.keys.iter().any(|key| trusted.keys().contains(key)) {
            return Err(Fault::at(
                1,
                "the log was opened with another key than the given one",
            ));
        }
        Ok(Verified {
            edge: self.edge,
            keys: self.keys,
            gone: self.gone,
            erased: self.erased,
            asides: self.asides,
        })
    }

    fn key_entry(&mut self, body: &[u8]) -> Result<(), String> {
        let entry: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let text = |name: &str| {
            entry["detail"][name]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        if self.keys.is_empty() {
            let key = text("key");
            PublicKeys::new([key.clone()])
                .map_err(|_| "it names no key that could sign the log".to_owned())?;
            self.keys.push(key);
            return Ok(());
        }
        let (from, to) = (text("from"), text("to"));
        if self.key() != Some(from.as_str()) {
            return Err("it replaces a key that no longer signed the log".to_owned());
        }
        let statement = rotation(&self.checker.log, &from, &to);
        let both = PublicKeys::new([from.clone(), to.clone()])
            .map_err(|_| "it names no key that could sign the log".to_owned())?;
        if !both.signed(&from, &statement, &text("signed_by_from"))
            || !both.signed(&to, &statement, &text("signed_by_to"))
        {
            return Err("the new key is not signed by both keys".to_owned());
        }
        self.keys.push(to);
        Ok(())
    }

    fn erasure(&mut self, by: i64, body: &[u8]) {
        for (seq, name) in erasures(body) {
            self.erased += 1;
            self.gone.insert((seq, name.clone()));
            if !self.missing.remove(&(seq, name.clone())) {
                self.claims.push(Claim { seq, name, by });
            }
        }
    }

    /// What was erased since its entry was read: a caller that can look again must see that it is gone.
    pub fn take_claims(&mut self) -> Vec<Claim> {
        std::mem::take(&mut self.claims)
    }
}

/// What an entry about erasure says is gone.
pub fn erasures(body: &[u8]) -> Vec<(i64, String)> {
    let entry: Value = serde_json::from_slice(body).unwrap_or_default();
    let items = entry["detail"]["erased"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    items
        .iter()
        .filter_map(|item| Some((item["seq"].as_i64()?, item["name"].as_str()?.to_owned())))
        .collect()
}

/// What both keys sign when one replaces the other.
pub fn rotation(log: &str, from: &str, to: &str) -> String {
    format!("countersign key rotation\n{log}\n{from}\n{to}\n")
}

fn next(edge: &Edge) -> i64 {
    i64::try_from(edge.size())
        .unwrap_or(i64::MAX)
        .saturating_add(1)
}
