//! Wildcards. In the name of a gate only `*` is special, because names of checks are full of
//! brackets; paths follow the rules of globs, where `**` crosses folders and `*` does not.

use std::fmt;
use std::str::FromStr;

use globset::{GlobBuilder, GlobMatcher};
use serde::{Serialize, Serializer};

use super::Invalid;

/// The name of a gate, in which `*` stands for any text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct NamePattern(String);

impl NamePattern {
    /// The pattern as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The one name that fits, unless there is a wildcard.
    pub fn literal(&self) -> Option<&str> {
        (!self.0.contains('*')).then_some(self.0.as_str())
    }

    /// Whether this name fits the pattern.
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else {
            return false;
        };
        let Some(last) = parts.next_back() else {
            return rest.is_empty();
        };
        for part in parts {
            let Some((_, after)) = rest.split_once(part) else {
                return false;
            };
            rest = after;
        }
        rest.ends_with(last)
    }
}

impl FromStr for NamePattern {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let way_out = "write the name as the forge shows it; `*` stands for any text";
        if text.trim().is_empty() {
            return Err(Invalid::new("this name is empty", way_out));
        }
        if text.trim() != text {
            return Err(Invalid::new("there is a blank around this name", way_out));
        }
        if text.len() > 255 || text.chars().any(char::is_control) {
            return Err(Invalid::new("no gate can have this name", way_out));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Some paths of a repository, such as `billing/**`.
#[derive(Clone)]
pub struct PathPattern {
    text: String,
    matcher: GlobMatcher,
}

impl PathPattern {
    /// The pattern as it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a path, relative to the repository's root, fits the pattern.
    pub fn matches(&self, path: &str) -> bool {
        self.matcher.is_match(path)
    }
}

impl FromStr for PathPattern {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let way_out = "a path is relative to the repository's root, like `billing/**`";
        if text.trim().is_empty() {
            return Err(Invalid::new("this path is empty", way_out));
        }
        if text.starts_with('/') || text.starts_with("./") {
            return Err(Invalid::new("a path begins at the root already", way_out));
        }
        if text.split('/').any(|part| part == "..") {
            return Err(Invalid::new("a path cannot climb with `..`", way_out));
        }
        if text.contains('\\') {
            return Err(Invalid::new("folders are separated by `/`", way_out));
        }
        let glob = GlobBuilder::new(text)
            .literal_separator(true)
            .build()
            .map_err(|error| Invalid::new(error.kind().to_string(), way_out))?;
        Ok(Self {
            text: text.to_owned(),
            matcher: glob.compile_matcher(),
        })
    }
}

impl fmt::Debug for PathPattern {
    /// Leaves out the compiled form, which is long.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PathPattern").field(&self.text).finish()
    }
}

impl PartialEq for PathPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for PathPattern {}

impl Serialize for PathPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text_and_nothing_else_is_special() {
        let check = |pattern: &str, name: &str, expect: bool| {
            let pattern: NamePattern = pattern.parse().unwrap();
            assert_eq!(pattern.matches(name), expect, "{pattern} on {name}");
        };
        check("build", "build", true);
        check("build", "build2", false);
        check("build", "Build", false);
        check("e2e / *", "e2e / chrome", true);
        check("e2e / *", "e2e", false);
        check("*", "", true);
        check("a*b", "ab", true);
        check("a*b", "axxb", true);
        check("a*b", "a", false);
        check("a*a", "a", false);
        check("*.yml", "ci.yml", true);
        check("a*b*c", "aXbYbZc", true);
        check("a*b*c", "acb", false);
        check("test [linux] {x}", "test [linux] {x}", true);
        check("test [linux]", "test l", false);
        check("a**b", "ab", true);
    }

    #[test]
    fn paths_cross_folders_only_with_two_stars() {
        let check = |pattern: &str, path: &str, expect: bool| {
            let pattern: PathPattern = pattern.parse().unwrap();
            assert_eq!(pattern.matches(path), expect, "{pattern} on {path}");
        };
        check("billing/**", "billing/src/lib.rs", true);
        check("billing/**", "shop/billing/lib.rs", false);
        check("*.toml", "Cargo.toml", true);
        check("*.toml", "billing/Cargo.toml", false);
        check("{shop,billing}/**", "billing/a", true);
    }

    #[test]
    fn paths_that_cannot_be_meant_are_refused() {
        for bad in ["", "/billing", "./x", "a/../b", "a\\b", "billing/[", "{a"] {
            assert!(bad.parse::<PathPattern>().is_err(), "{bad}");
        }
        for bad in ["", " ", " x", "a\nb"] {
            assert!(bad.parse::<NamePattern>().is_err(), "{bad:?}");
        }
    }
}
