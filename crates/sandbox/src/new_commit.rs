//! A commit as the people of a sandbox write it.

/// A commit that a person is about to push on top of a branch.
#[derive(Clone, Debug, Default)]
pub struct NewCommit {
    pub message: String,
    /// Names of accounts, or addresses as git has them, whosever they are; `None` for an address that belongs to no
    /// account.
    pub author: Option<String>,
    pub committer: Option<String>,
    pub files: Vec<String>,
    /// More parents than the branch itself, for a merge.
    pub merges: Vec<String>,
}

impl NewCommit {
    pub fn by(name: &str, message: &str) -> Self {
        Self {
            message: message.to_owned(),
            author: Some(name.to_owned()),
            committer: Some(name.to_owned()),
            ..Self::default()
        }
    }

    #[must_use]
    pub fn touching<'f>(mut self, files: impl IntoIterator<Item = &'f str>) -> Self {
        self.files.extend(files.into_iter().map(str::to_owned));
        self
    }
}
