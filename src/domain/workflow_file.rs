//! The file of a GitHub workflow, such as `deploy.yml`. Refuses titles and paths: the file's
//! name is what GitHub's API takes, and only one workflow can have it.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::Invalid;

/// A file in `.github/workflows`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct WorkflowFile(String);

impl WorkflowFile {
    /// The file's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WorkflowFile {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_. ".contains(c);
        if looks_like_workflow_file(text) && text.chars().all(allowed) && !text.starts_with('.') {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            "this is not a workflow's file name",
            "write the file in `.github/workflows`, without the folder, like `deploy.yml`",
        ))
    }
}

impl fmt::Display for WorkflowFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(super) fn looks_like_workflow_file(text: &str) -> bool {
    (text.ends_with(".yml") || text.ends_with(".yaml")) && !text.contains(['/', '\\'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_file_names_are_accepted() {
        let check = |text: &str, expect: bool| {
            assert_eq!(text.parse::<WorkflowFile>().is_ok(), expect, "{text}");
        };
        check("deploy.yml", true);
        check("deploy-prod.yaml", true);
        check("Deploy", false);
        check(".github/workflows/deploy.yml", false);
        check("..yml", false);
        check("a?.yml", false);
        check("", false);
    }
}
