//! Pushes in GitLab's payloads.

use serde::Deserialize;

use super::Project;
use crate::domain::{Invalid, Sha};

#[derive(Debug, Deserialize)]
pub(crate) struct Push {
    #[serde(rename = "ref")]
    pub(crate) reference: String,
    pub(crate) before: Tip,
    pub(crate) after: Tip,
    pub(crate) project: Project,
    #[serde(default)]
    pub(crate) commits: Option<Vec<Commit>>,
    /// Of all commits; not more than twenty are told.
    #[serde(default)]
    pub(crate) total_commits_count: Option<usize>,
}

/// Where a branch stands. Zeros are GitLab's spelling of nowhere.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Tip(pub(crate) Option<Sha>);

impl TryFrom<String> for Tip {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let sha = Sha::try_from(text)?;
        let is_nowhere = sha.as_str().bytes().all(|digit| digit == b'0');
        Ok(Self((!is_nowhere).then_some(sha)))
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Commit {
    #[serde(default)]
    pub(crate) id: Option<String>,
    #[serde(default)]
    pub(crate) message: Option<String>,
    #[serde(default)]
    pub(crate) title: Option<String>,
    #[serde(default)]
    pub(crate) added: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) modified: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) removed: Option<Vec<String>>,
}
