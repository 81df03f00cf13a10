//! The paths in a source, in imports and in code alike, and what they mean from where they stand.

use super::tokens::{Kind, Token};

/// A path as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) line: usize,
    /// The inline modules around it.
    pub(crate) inside: Vec<String>,
    /// Its words; `*` at the end stands for everything, `::` at the start for another crate.
    pub(crate) segments: Vec<String>,
    /// What an import calls it here; `None` when it is not imported.
    pub(crate) imported_as: Option<String>,
}

/// Words after which a path can begin with `::`.
const KEYWORDS: &[&str] = &[
    "as", "break", "const", "dyn", "else", "fn", "for", "if", "impl", "in", "let", "match", "move",
    "mut", "pub", "ref", "return", "static", "type", "unsafe", "use", "where", "while", "yield",
];

pub(crate) fn paths(tokens: &[Token]) -> Vec<Path> {
    let mut walk = Walk {
        tokens,
        at: 0,
        depth: 0,
        modules: Vec::new(),
        found: Vec::new(),
    };
    while walk.at < tokens.len() {
        walk.step();
    }
    walk.found
}

/// The modules from the crate's root to what the path names, if it is a path of this crate;
/// `module` is where it stands.
pub(crate) fn within_crate(segments: &[String], module: &[String]) -> Option<Vec<String>> {
    let segments = match segments.first().map(String::as_str) {
        Some("::") => &segments[1..],
        _ => segments,
    };
    let (first, rest) = segments.split_first()?;
    let mut here = match first.as_str() {
        "crate" | "countersign" => Vec::new(),
        "self" => module.to_vec(),
        "super" => module
            .split_last()
            .map_or(&[][..], |(_, above)| above)
            .to_vec(),
        _ => return None,
    };
    for segment in rest {
        match segment.as_str() {
            "self" => {}
            "super" => {
                here.pop();
            }
            name => here.push(name.to_owned()),
        }
    }
    Some(here)
}

struct Walk<'t> {
    tokens: &'t [Token],
    at: usize,
    depth: usize,
    /// The inline modules that are open, with the depth of their braces.
    modules: Vec<(String, usize)>,
    found: Vec<Path>,
}

impl Walk<'_> {
    fn token(&self, at: usize) -> Option<&Token> {
        self.tokens.get(at)
    }

    fn before(&self, back: usize) -> Option<&Token> {
        self.at.checked_sub(back).and_then(|at| self.token(at))
    }

    fn is_mark(&self, at: usize, mark: &str) -> bool {
        self.token(at).is_some_and(|token| token.is_mark(mark))
    }

    fn step(&mut self) {
        let token = &self.tokens[self.at];
        match token.kind {
            Kind::Mark if token.text == "{" => {
                self.depth += 1;
                if let (Some(keyword), Some(name)) = (self.before(2), self.before(1))
                    && keyword.is_word("mod")
                {
                    self.modules.push((name.text.clone(), self.depth));
                }
                self.at += 1;
            }
            Kind::Mark if token.text == "}" => {
                self.modules.pop_if(|(_, depth)| *depth == self.depth);
                self.depth = self.depth.saturating_sub(1);
                self.at += 1;
            }
            Kind::Word if token.text == "use" && !self.is_mark(self.at + 1, "<") => {
                self.at += 1;
                self.import(&[]);
            }
            Kind::Word
                if token.text == "crate"
                    && self.before(1).is_some_and(|token| token.is_word("extern")) =>
            {
                self.at += 1;
                self.import(&[]);
            }
            Kind::Word if KEYWORDS.contains(&token.text.as_str()) => self.at += 1,
            Kind::Word => self.path(),
            Kind::Mark | Kind::Text | Kind::Other => self.at += 1,
        }
    }

    /// One branch of an import: a name, everything, or a group of branches.
    fn import(&mut self, trunk: &[String]) {
        let mut segments = trunk.to_vec();
        while let Some(token) = self.token(self.at).cloned() {
            let line = token.line;
            match (token.kind, token.text.as_str()) {
                (Kind::Mark, "$") => self.at += 1,
                (Kind::Mark, "::") => {
                    if segments.is_empty() {
                        segments.push("::".to_owned());
                    }
                    self.at += 1;
                }
                (Kind::Mark, "{") => return self.group(&segments),
                (Kind::Mark, "*") => {
                    self.at += 1;
                    segments.push("*".to_owned());
                    return self.add(line, segments, Some("*".to_owned()));
                }
                (Kind::Word, word) => {
                    self.at += 1;
                    segments.push(word.to_owned());
                    if !self.is_mark(self.at, "::") {
                        let name = self.name_for(&mut segments);
                        return self.add(line, segments, Some(name));
                    }
                }
                _ => return,
            }
        }
    }

    fn group(&mut self, trunk: &[String]) {
        self.at += 1;
        while self.at < self.tokens.len() && !self.is_mark(self.at, "}") {
            let start = self.at;
            self.import(trunk);
            if self.at == start || self.is_mark(self.at, ",") {
                self.at += 1;
            }
        }
        self.at += 1;
    }

    /// What an imported path is called from here on.
    fn name_for(&mut self, segments: &mut Vec<String>) -> String {
        segments.pop_if(|last| last == "self");
        if self.token(self.at).is_some_and(|token| token.is_word("as")) {
            self.at += 2;
            return self
                .before(1)
                .map(|name| name.text.clone())
                .unwrap_or_default();
        }
        segments.last().cloned().unwrap_or_default()
    }

    /// A path in code; a word alone is none.
    fn path(&mut self) {
        let line = self.tokens[self.at].line;
        let mut segments = Vec::new();
        let is_method = self.before(1).is_some_and(|token| token.is_mark("."))
            && !self.before(2).is_some_and(|token| token.is_mark("."));
        if self.before(1).is_some_and(|token| token.is_mark("::")) && self.starts_with_colons() {
            segments.push("::".to_owned());
        }
        let continues =
            segments.is_empty() && self.before(1).is_some_and(|token| token.is_mark("::"));
        segments.push(self.tokens[self.at].text.clone());
        self.at += 1;
        while self.is_mark(self.at, "::")
            && let Some(next) = self.token(self.at + 1)
            && next.kind == Kind::Word
        {
            segments.push(next.text.clone());
            self.at += 2;
        }
        if segments.len() > 1 && !is_method && !continues {
            self.add(line, segments, None);
        }
    }

    /// Whether the `::` just passed begins a path rather than going on after a type.
    fn starts_with_colons(&self) -> bool {
        self.before(2).is_none_or(|token| match token.kind {
            Kind::Word => KEYWORDS.contains(&token.text.as_str()),
            Kind::Mark => !matches!(token.text.as_str(), ">" | ")" | "]" | "}"),
            Kind::Text | Kind::Other => false,
        })
    }

    fn add(&mut self, line: usize, segments: Vec<String>, imported_as: Option<String>) {
        self.found.push(Path {
            line,
            inside: self.modules.iter().map(|(name, _)| name.clone()).collect(),
            segments,
            imported_as,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;

    fn found(source: &str) -> Vec<String> {
        paths(&tokens(source))
            .into_iter()
            .map(|path| {
                let name = path.imported_as.map(|name| format!(" as {name}"));
                path.segments.join("/") + &name.unwrap_or_default()
            })
            .collect()
    }

    #[test]
    fn imports_are_unfolded() {
        for (source, expect) in [
            ("use a::b;", vec!["a/b as b"]),
            ("pub(crate) use a::b as c;", vec!["a/b as c"]),
            (
                "use a::{self, b::{c, d as e}, f::*,};",
                vec!["a as a", "a/b/c as c", "a/b/d as e", "a/f/* as *"],
            ),
            ("use {\n  a,\n  b::c,\n};", vec!["a as a", "b/c as c"]),
            ("use ::a::b;", vec!["::/a/b as b"]),
            ("use $crate::a;", vec!["crate/a as a"]),
            ("extern crate a as b;", vec!["a as b"]),
            ("fn f() -> impl T + use<'a> { a::b() }", vec!["a/b"]),
            ("use a::{", vec![]),
        ] {
            assert_eq!(found(source), expect, "{source}");
        }
    }

    #[test]
    fn paths_in_code_are_found_and_words_are_not() {
        for (source, expect) in [
            ("a::b::<T>::c(d)", vec!["a/b"]),
            ("a.b::<c::D>()", vec!["c/D"]),
            ("0..a::B", vec!["a/B"]),
            ("<T as a::B>::c()", vec!["a/B"]),
            ("return ::a::b()", vec!["::/a/b"]),
            ("x(::a::b)", vec!["::/a/b"]),
            ("#[a::b(c)] fn d() {}", vec!["a/b"]),
            ("pub(crate) fn a(super_: u8)", vec![]),
            ("Self::a", vec!["Self/a"]),
        ] {
            assert_eq!(found(source), expect, "{source}");
        }
    }

    #[test]
    fn paths_mean_something_from_where_they_stand() {
        let module = ["http", "hooks"].map(str::to_owned);
        for (path, expect) in [
            ("crate/store/Store", Some("store/Store")),
            ("countersign/store", Some("store")),
            ("super/body", Some("http/body")),
            ("super/super/store", Some("store")),
            ("self/x", Some("http/hooks/x")),
            ("self/super/super/store", Some("store")),
            ("crate", Some("")),
            ("sqlx/query", None),
        ] {
            let segments: Vec<String> = path.split('/').map(str::to_owned).collect();
            let meant = within_crate(&segments, &module).map(|path| path.join("/"));
            assert_eq!(meant.as_deref(), expect, "{path}");
        }
    }

    #[test]
    fn inline_modules_are_known() {
        let source = "mod a { use b::c; mod d { e::f } } g::h";
        let inside: Vec<_> = paths(&tokens(source))
            .into_iter()
            .map(|path| path.inside.join("/"))
            .collect();
        assert_eq!(inside, ["a", "a/d", ""]);
    }
}
