//! The files under `src/`, each with the module that it is and the parts of it that are tests.

use std::ops::Range;
use std::path::Path;
use std::{fs, io};

use super::tokens::{Kind, Token, tokens};
use super::{MAIN, MAP, ROOMS, Room};

/// One file.
pub(crate) struct Source {
    /// As an error names it: `src/http/hooks.rs`.
    pub(crate) file: String,
    pub(crate) text: String,
    pub(crate) tokens: Vec<Token>,
    /// From the crate's root: `http`, `hooks`.
    pub(crate) module: Vec<String>,
    /// The tokens of what is compiled for tests only.
    tests: Vec<Range<usize>>,
}

/// Every Rust file under a folder named `src`, in the order of their paths.
pub(crate) fn under(root: &str) -> io::Result<Vec<Source>> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(root).to_owned()];
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
    let mut sources = Vec::with_capacity(files.len());
    for path in files {
        let inner = path.strip_prefix(root).unwrap_or(&path).display();
        let text = fs::read_to_string(&path)?;
        sources.push(Source::new(&format!("src/{inner}"), &text));
    }
    Ok(sources)
}

impl Source {
    pub(crate) fn new(file: &str, text: &str) -> Self {
        let tokens = tokens(text);
        Self {
            file: file.to_owned(),
            text: text.to_owned(),
            module: module_of(file),
            tests: test_items(&tokens),
            tokens,
        }
    }

    /// The row of the table that this file lives under.
    pub(crate) fn room(&self) -> Option<&'static Room> {
        match self.module.first().map(String::as_str) {
            None => Some(&MAP),
            Some("main") => Some(&MAIN),
            Some(name) => ROOMS.iter().find(|room| room.name == name),
        }
    }

    pub(crate) fn is_test(&self, token: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&token))
    }

    /// The lines before the first test.
    pub(crate) fn lines_before_tests(&self) -> usize {
        match self.tests.first() {
            Some(range) => self.tokens[range.start].line - 1,
            None => self.text.lines().count(),
        }
    }

    /// The modules that this file says live in files of their own.
    pub(crate) fn declared_modules(&self) -> Vec<&str> {
        declared(&self.tokens)
    }

    /// Those of them that are tests, from the crate's root.
    pub(crate) fn test_modules(&self) -> Vec<Vec<String>> {
        self.tests
            .iter()
            .flat_map(|range| declared(&self.tokens[range.clone()]))
            .map(|name| [self.module.as_slice(), &[name.to_owned()]].concat())
            .collect()
    }
}

fn module_of(file: &str) -> Vec<String> {
    let inner = file.trim_start_matches("src/").trim_end_matches(".rs");
    let mut module: Vec<String> = inner.split('/').map(str::to_owned).collect();
    module.pop_if(|last| last == "mod" || inner == "lib");
    module
}

fn declared(tokens: &[Token]) -> Vec<&str> {
    tokens
        .windows(3)
        .filter(|three| {
            three[0].is_word("mod") && three[1].kind == Kind::Word && three[2].is_mark(";")
        })
        .map(|three| three[1].text.as_str())
        .collect()
}

/// Items under `#[cfg(test)]`.
fn test_items(tokens: &[Token]) -> Vec<Range<usize>> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut found: Vec<Range<usize>> = Vec::new();
    for start in 0..tokens.len() {
        let texts = tokens[start..].iter().map(|token| token.text.as_str());
        let is_inside = found.last().is_some_and(|last| last.contains(&start));
        if !is_inside && texts.take(MARK.len()).eq(MARK) {
            found.push(start..end_of_item(tokens, start + MARK.len()));
        }
    }
    found
}

/// Behind the first `;` or closed brace that is not inside other brackets.
fn end_of_item(tokens: &[Token], start: usize) -> usize {
    let mut depth = 0_i32;
    for (index, token) in tokens.iter().enumerate().skip(start) {
        if token.kind != Kind::Mark {
            continue;
        }
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 && matches!(token.text.as_str(), ";" | "}") {
            return index + 1;
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_modules() {
        for (file, expect) in [
            ("src/lib.rs", vec![]),
            ("src/main.rs", vec!["main"]),
            ("src/clock.rs", vec!["clock"]),
            ("src/http/mod.rs", vec!["http"]),
            (
                "src/forges/github/edge.rs",
                vec!["forges", "github", "edge"],
            ),
        ] {
            assert_eq!(module_of(file), expect);
        }
    }

    #[test]
    fn tests_are_told_from_the_rest() {
        let source = Source::new(
            "src/config/mod.rs",
            "fn a() {}\n#[cfg(test)]\n#[path = \"x\"]\nmod tests;\nfn b() {}\n\
             #[cfg(test)] mod c { fn d() { e[0]; } }\n#[cfg(not(test))] fn f() {}",
        );
        let outside: Vec<_> = (0..source.tokens.len())
            .filter(|index| !source.is_test(*index))
            .map(|index| source.tokens[index].text.as_str())
            .filter(|text| text.len() == 1 && text.chars().all(char::is_alphabetic))
            .collect();
        assert_eq!(outside, ["a", "b", "f"]);
        assert_eq!(source.test_modules(), [["config", "tests"]]);
        assert_eq!(source.lines_before_tests(), 1);
    }
}
