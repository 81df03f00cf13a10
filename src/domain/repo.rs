//! Repositories and branches, as they are named in configuration. Names are for
//! looking up and for display; the numeric id that the forge gives decides.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::{Forge, Invalid};

/// How the whole name of a tag begins.
const TAGS: &str = "refs/tags/";

/// A repository on a forge: `github:acme/shop`, `gitlab:group/sub/project`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepoRef {
    forge: Forge,
    path: String,
}

impl RepoRef {
    /// The forge that holds it.
    pub fn forge(&self) -> Forge {
        self.forge
    }

    /// The path on that forge, `acme/shop`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// How it is remembered.
    pub fn remembered(&self) -> String {
        self.forge.remembers(&self.path)
    }
}

impl FromStr for RepoRef {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let way_out = "write it like `github:acme/shop` or `gitlab:group/project`";
        let Some((forge, path)) = text.split_once(':') else {
            return Err(Invalid::new("the forge is missing", way_out));
        };
        let Some(forge) = Forge::of_prefix(forge) else {
            return Err(Invalid::new("this forge is not known", way_out));
        };
        if path.starts_with("//") {
            return Err(Invalid::new("a repository is not a URL", way_out));
        }
        let parts: Vec<&str> = path.split('/').collect();
        if !forge.has_paths_of(parts.len()) {
            return Err(Invalid::new(
                format!("this is not the path of a repository on {forge}"),
                way_out,
            ));
        }
        if !parts.iter().all(|part| is_path_part(part)) {
            return Err(Invalid::new(
                "a repository's path has letters, digits, `-`, `_` and `.` only",
                way_out,
            ));
        }
        Ok(Self {
            forge,
            path: path.to_owned(),
        })
    }
}

impl fmt::Display for RepoRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.forge.prefix(), self.path)
    }
}

impl Serialize for RepoRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Whether this can be one part of a path on a forge: an owner, a group, a repository.
pub(super) fn is_path_part(part: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !part.is_empty()
        && part.len() <= 255
        && part.chars().all(allowed)
        && part != "."
        && part != ".."
}

/// The name of a branch, without `refs/heads/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Branch(String);

impl Branch {
    /// The name as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where something runs: at a branch, or at a tag, which is written with its whole name. The two may share a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reference {
    /// A branch.
    Branch(Branch),
    /// A tag, by the rules of branches.
    Tag(Branch),
}

impl Reference {
    /// The name that nothing else has.
    pub fn whole(&self) -> String {
        match self {
            Self::Branch(branch) => format!("refs/heads/{branch}"),
            Self::Tag(tag) => format!("{TAGS}{tag}"),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Branch(branch) => branch.fmt(f),
            Self::Tag(tag) => write!(f, "{TAGS}{tag}"),
        }
    }
}

impl FromStr for Reference {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text.strip_prefix(TAGS) {
            Some(tag) => tag.parse().map(Self::Tag),
            None => text.parse().map(Self::Branch),
        }
    }
}

impl FromStr for Branch {
    type Err = Invalid;

    /// Follows the rules of `git check-ref-format --branch`.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let refuse = |problem: &str| {
            Err(Invalid::new(
                problem,
                "write the branch as Git names it, like `main` or `release/2.x`",
            ))
        };
        if text.is_empty() {
            return refuse("this branch is empty");
        }
        if text.starts_with("refs/") {
            return refuse("a branch is written without `refs/heads/`");
        }
        if text.contains('*') {
            return refuse("a service has one release branch, without wildcards");
        }
        let strange = |c: char| c.is_control() || " ~^:?[\\".contains(c);
        let bad_part =
            |part: &str| part.is_empty() || part.starts_with('.') || part.ends_with(".lock");
        if text.len() > 255
            || text == "@"
            || text.starts_with('-')
            || text.ends_with('.')
            || text.contains("..")
            || text.contains("@{")
            || text.contains(strange)
            || text.split('/').any(bad_part)
        {
            return refuse("Git does not allow this as a branch");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_says_its_forge() {
        let check = |text: &str, expect: Option<(Forge, &str)>| {
            let parsed = text.parse::<RepoRef>().ok();
            let seen = parsed.as_ref().map(|repo| (repo.forge(), repo.path()));
            assert_eq!(seen, expect, "{text}");
        };
        check("github:acme/shop", Some((Forge::GitHub, "acme/shop")));
        check("gitlab:a/b/c", Some((Forge::GitLab, "a/b/c")));
        check("acme/shop", None);
        check("github:acme/shop/x", None);
        check("github:acme", None);
        check("gitlab:alone", None);
        check("bitbucket:acme/shop", None);
        check("https://github.com/acme/shop", None);
        check("github://github.com/acme", None);
        check("github:acme/../shop", None);
        check("github:acme/", None);
        check("github:acme/sh op", None);
        check("github:acme/shop?x", None);
    }

    #[test]
    fn branches_follow_git() {
        let check = |text: &str, expect: bool| {
            assert_eq!(text.parse::<Branch>().is_ok(), expect, "{text:?}");
        };
        for good in ["main", "release/2.x", "feature-1", "a@b", "ü"] {
            check(good, true);
        }
        for bad in [
            "",
            "@",
            "-x",
            "a..b",
            "a b",
            "a~1",
            "a^",
            "a:b",
            "refs/heads/main",
            "/a",
            "a/",
            "a//b",
            ".a",
            "a/.b",
            "a.lock",
            "a.",
            "a@{1}",
            "rel/*",
            "a\\b",
            "a\u{7f}",
        ] {
            check(bad, false);
        }
    }
}
