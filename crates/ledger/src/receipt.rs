//! A receipt: the entries of one request, each with the proof that it is in the log, under one signed head.
//! It can be checked without the service and without its database.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::canonical::Aside;
use super::facets::{Seen, person};
use super::keys::{Head, PublicKeys};
use super::proof::leaf_is_in;
use super::rows::check_asides;
use super::tree::leaf;
use super::{base64, unbase64};
use crate::entry::Action;

const FORMAT: &str = "countersign.receipt/v1";

/// The file as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    pub format: String,
    pub request: i64,
    pub log: String,
    /// For information: the auditor brings the keys that they trust.
    #[serde(default)]
    pub keys: Vec<String>,
    pub checkpoint: String,
    pub entries: Vec<Proved>,
}

/// An entry with its proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proved {
    pub seq: i64,
    pub body: String,
    #[serde(default)]
    pub private: Vec<Revealed>,
    pub proof: Vec<String>,
}

/// A private value that goes with a receipt or an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revealed {
    pub name: String,
    pub salt: String,
    pub value: String,
}

impl From<&Aside> for Revealed {
    fn from(aside: &Aside) -> Self {
        Self {
            name: aside.name.clone(),
            salt: base64(&aside.salt),
            value: aside.value.clone(),
        }
    }
}

impl Revealed {
    pub fn aside(&self) -> Option<Aside> {
        Some(Aside {
            name: self.name.clone(),
            salt: unbase64(&self.salt)?,
            value: self.value.clone(),
        })
    }
}

impl Proved {
    /// The people whose approvals a start of a release names. What did not fit into the entry lies aside.
    fn approvals(&self) -> Result<Vec<String>, String> {
        let body: Value =
            serde_json::from_str(&self.body).map_err(|_| "it cannot be read".to_owned())?;
        let mut named = body["detail"]["approvals"].clone();
        if named.get("aside").is_some() {
            let given = self.private.iter().find(|one| one.name == "approvals");
            let given = given.and_then(|one| serde_json::from_str(&one.value).ok());
            named = given.ok_or("it names its approvals in a value that is not there")?;
        }
        let unread = || "an approval that it names cannot be read".to_owned();
        let named = match named {
            Value::Null => Vec::new(),
            Value::Array(named) => named,
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                return Err(unread());
            }
        };
        let who = |one: &Value| Some(person(one["forge"].as_str()?, one["number"].as_u64()?));
        named
            .iter()
            .map(|one| who(one).ok_or_else(unread))
            .collect()
    }
}

impl Receipt {
    pub fn new(request: i64, keys: &PublicKeys, checkpoint: String, entries: Vec<Proved>) -> Self {
        Self {
            format: FORMAT.to_owned(),
            request,
            log: keys.log().to_owned(),
            keys: keys.keys().to_vec(),
            checkpoint,
            entries,
        }
    }

    /// Whether it proves what it says to an auditor who trusts these keys.
    pub fn check(&self, trusted: &PublicKeys) -> Result<Head, String> {
        if self.format != FORMAT {
            return Err(format!("it is not a receipt of the form {FORMAT}"));
        }
        let head = trusted
            .check(&self.checkpoint)
            .map_err(|error| format!("its checkpoint: {error}"))?;
        let mut known = BTreeSet::new();
        let mut approved = Vec::new();
        let mut triggered = Vec::new();
        for entry in &self.entries {
            if !known.insert(entry.seq) {
                return Err(format!("entry {}: it is there twice", entry.seq));
            }
            let wrong = |problem| format!("entry {}: {problem}", entry.seq);
            let seen = self.check_entry(entry, head).map_err(wrong)?;
            let facets = &seen.facets;
            if facets.action == Action::Approved.as_str() {
                approved.push(seen);
            } else if facets.action == Action::Triggered.as_str() {
                let wanted = entry.approvals().map_err(wrong)?;
                triggered.push((seen, wanted));
            }
        }
        if triggered.is_empty() {
            return Err("it proves no release: none was started in it".to_owned());
        }
        for (started, wanted) in &triggered {
            let (seq, sha) = (started.seq, &started.facets.sha);
            let before = approved
                .iter()
                .filter(|yes| yes.seq < seq && yes.facets.sha == *sha);
            let before: Vec<_> = before.map(|yes| yes.facets.person.as_ref()).collect();
            if sha.is_none() || before.is_empty() {
                return Err(format!(
                    "entry {seq} started a release, and the receipt has no earlier approval of its commit"
                ));
            }
            for who in wanted {
                if !before.contains(&Some(who)) {
                    return Err(format!(
                        "entry {seq} names an approval by {who}, and the receipt does not have it"
                    ));
                }
            }
        }
        Ok(head)
    }

    fn check_entry(&self, entry: &Proved, head: Head) -> Result<Seen, String> {
        let seen = Seen::read(entry.body.as_bytes())?;
        if seen.seq != entry.seq || seen.log != self.log {
            return Err("its contents are those of another entry".to_owned());
        }
        if seen.facets.request != Some(self.request) {
            return Err("it is about another request".to_owned());
        }
        let index = u64::try_from(entry.seq)
            .ok()
            .and_then(|seq| seq.checked_sub(1));
        let proof: Option<Vec<[u8; 32]>> = entry
            .proof
            .iter()
            .map(|hash| unbase64(hash)?.try_into().ok())
            .collect();
        let (Some(index), Some(proof)) = (index, proof) else {
            return Err("its proof cannot be read".to_owned());
        };
        if !leaf_is_in(head, index, leaf(entry.body.as_bytes()), &proof) {
            return Err("the signed head does not cover it".to_owned());
        }
        let asides: Option<Vec<Aside>> = entry.private.iter().map(Revealed::aside).collect();
        let asides = asides.ok_or("a private value cannot be read")?;
        check_asides(entry.body.as_bytes(), &asides)?;
        Ok(seen)
    }
}
