//! Surroundings: what a configuration finds around it: the folder it stands in and the environment variables. Handed
//! in, so that tests need not change the process.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// The folder of `bot.toml` and the environment variables.
pub struct Surroundings {
    folder: PathBuf,
    variables: Variables,
}

enum Variables {
    OfProcess,
    Fixed(BTreeMap<String, OsString>),
}

impl Surroundings {
    /// This folder and the variables of the running process.
    pub fn of_process(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            variables: Variables::OfProcess,
        }
    }

    /// This folder and exactly these variables.
    pub fn fixed<'a>(
        folder: &Path,
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let variables = variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), OsString::from(value)))
            .collect();
        Self {
            folder: folder.to_owned(),
            variables: Variables::Fixed(variables),
        }
    }

    /// The folder that relative paths start from.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn variable(&self, name: &str) -> Option<OsString> {
        match &self.variables {
            Variables::OfProcess => std::env::var_os(name),
            Variables::Fixed(variables) => variables.get(name).cloned(),
        }
    }
}

impl fmt::Debug for Surroundings {
    /// Names the folder only; variables hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}
