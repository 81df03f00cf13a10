//! One commit of a service on its way through the stages. How far it is follows from the reports about
//! it, whatever their order; what is remembered here only tells what was announced before.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Repository, ServiceName, Sha};

/// A commit of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub service: ServiceName,
    pub repository: Repository,
    pub sha: Sha,
    /// The first line of the commit's message.
    pub title: String,
    pub seen_at: Timestamp,
    /// What was last recorded of each stage, by name; a stage without a mark is pending.
    pub marks: BTreeMap<String, Mark>,
}

/// What was recorded of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    Passed,
    Failed,
}
