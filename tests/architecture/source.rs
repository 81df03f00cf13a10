//! Sources, each read once: which module a file is, and the facts about it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::facts::{Fact, Kind, Words};
use super::reader::facts;
use super::{MAIN, MAP, ROOMS, Room};

/// One file.
pub(crate) struct Source {
    /// As an error names it: `src/http/hooks.rs`.
    pub(crate) file: &'static str,
    /// From the crate's root: `http`, `hooks`. A crate of the workspace stands before its modules.
    pub(crate) module: Words,
    pub(crate) facts: Vec<Fact>,
    /// Whether the whole file is compiled for tests only.
    pub(crate) is_test: bool,
}

/// The sources of a package and of the crates in its workspace, in the order of their paths.
pub(crate) fn every(package: &Path) -> io::Result<Vec<Source>> {
    let mut sources = Vec::new();
    for path in rust_files(vec![package.join("src"), package.join("crates")])? {
        let file = path.strip_prefix(package).unwrap_or(&path);
        let file = file.display().to_string().leak();
        if module_of(file).is_some() {
            sources.push(Source::new(file, fs::read_to_string(&path)?.leak()));
        }
    }
    Ok(together(sources))
}

fn rust_files(mut folders: Vec<PathBuf>) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    folders.retain(|folder| folder.is_dir());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Sources that know of each other which of them are tests.
pub(crate) fn together(mut sources: Vec<Source>) -> Vec<Source> {
    let tests: BTreeSet<_> = sources.iter().flat_map(Source::test_modules).collect();
    for source in &mut sources {
        let mut above = (1..=source.module.len()).map(|length| &source.module[..length]);
        source.is_test = above.any(|module| tests.contains(module));
    }
    sources
}

impl Source {
    /// Panics where brackets do not match.
    pub(crate) fn new(file: &'static str, text: &'static str) -> Self {
        let module = module_of(file).unwrap_or_default();
        let facts = facts(text, &module).unwrap_or_else(|error| {
            let line = error.span().start().line;
            panic!("{file}:{line}: {error}\n    way out: see what the compiler says about it")
        });
        Self {
            file,
            module,
            facts,
            is_test: false,
        }
    }

    /// The row of the table that this file lives under.
    pub(crate) fn room(&self) -> Option<&'static Room> {
        match self.module.first().copied() {
            None => Some(&MAP),
            Some("main") => Some(&MAIN),
            Some(name) => ROOMS.iter().find(|room| room.name == name),
        }
    }

    /// The modules that this file says live in files of their own.
    pub(crate) fn declared_modules(&self) -> impl Iterator<Item = &Fact> {
        self.facts.iter().filter(|fact| fact.kind == Kind::Module)
    }

    /// Those of them that are tests, from the crate's root.
    fn test_modules(&self) -> impl Iterator<Item = Words> {
        let tests = self.declared_modules().filter(|fact| fact.in_tests);
        tests.map(|fact| [self.module.as_slice(), &fact.words].concat())
    }
}

fn module_of(file: &'static str) -> Option<Words> {
    let parts: Vec<&str> = file.strip_suffix(".rs")?.split('/').collect();
    let (above, inner) = match parts.as_slice() {
        ["src", inner @ ..] => (&[][..], inner),
        ["crates", _, "src", inner @ ..] => (&parts[1..2], inner),
        _ => return None,
    };
    let inner = match inner {
        ["lib"] => &[],
        [folder @ .., "mod"] => folder,
        file => file,
    };
    Some([above, inner].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_modules() {
        for (file, expect) in [
            ("src/lib.rs", Some("")),
            ("src/main.rs", Some("main")),
            ("src/clock.rs", Some("clock")),
            ("src/http/mod.rs", Some("http")),
            ("src/forges/github/edge.rs", Some("forges/github/edge")),
            ("crates/ledger/src/lib.rs", Some("ledger")),
            (
                "crates/ledger/src/report/page.rs",
                Some("ledger/report/page"),
            ),
            ("crates/ledger/tests/vectors.rs", None),
        ] {
            let module = module_of(file).map(|module| module.join("/"));
            assert_eq!(module.as_deref(), expect, "{file}");
        }
    }

    #[test]
    #[should_panic(expected = "src/a.rs:2: ")]
    fn a_file_that_cannot_be_read_is_named() {
        Source::new("src/a.rs", "fn a() {}\nfn b() { \"");
    }
}
