//! The number of a repository. Each forge counts by itself, so the forge is part of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Forge;

/// Numbers of GitHub lie below it, those of GitLab above; both fit the database's integers.
const GITLAB: u64 = 1 << 62;

/// A repository of one forge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RepositoryId(u64);

impl RepositoryId {
    /// What the forge calls it. No forge has counted so far that a number would be cut off.
    pub fn on(forge: Forge, number: u64) -> Self {
        let number = number.min(GITLAB - 1);
        Self(match forge {
            Forge::GitHub => number,
            Forge::GitLab => GITLAB | number,
        })
    }

    pub fn forge(self) -> Forge {
        if self.0 < GITLAB {
            Forge::GitHub
        } else {
            Forge::GitLab
        }
    }

    /// What the forge itself calls it.
    pub fn number(self) -> u64 {
        self.0 & (GITLAB - 1)
    }

    /// As it is kept: forge and number in one.
    pub fn key(self) -> u64 {
        self.0
    }

    pub fn of_key(key: u64) -> Self {
        Self(key)
    }
}

/// `github/9`.
impl fmt::Display for RepositoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.forge().prefix(), self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_on_two_forges_is_two_repositories() {
        let ours = RepositoryId::on(Forge::GitHub, 9);
        let theirs = RepositoryId::on(Forge::GitLab, 9);
        assert_ne!(ours, theirs);
        assert_eq!((ours.forge(), ours.number()), (Forge::GitHub, 9));
        assert_eq!((theirs.forge(), theirs.number()), (Forge::GitLab, 9));
        assert_eq!(theirs.to_string(), "gitlab/9");
        for id in [ours, theirs, RepositoryId::on(Forge::GitLab, u64::MAX)] {
            assert_eq!(RepositoryId::of_key(id.key()), id);
            assert!(i64::try_from(id.key()).is_ok());
            assert_eq!(serde_json::to_value(id).unwrap(), id.key());
        }
        assert_eq!(ours.key(), 9, "what was stored before GitLab was known");
    }
}
