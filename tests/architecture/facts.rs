//! Facts about a source that laws look at, each with its line, and what the paths among them mean.

use std::collections::{BTreeMap, BTreeSet};

/// Words stay as long as the tests run, which share them.
pub(crate) type Words = Vec<&'static str>;

/// Something that a source says on a line.
pub(crate) struct Fact {
    pub(crate) line: usize,
    /// Whether it is compiled for tests only.
    pub(crate) in_tests: bool,
    pub(crate) kind: Kind,
    pub(crate) words: Words,
    /// What an import calls a path here.
    pub(crate) known_as: Option<&'static str>,
    /// What a path can mean in this crate, from the root; nothing where it is not ours.
    pub(crate) targets: BTreeSet<Words>,
}

/// What the words of a fact are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An identifier or a keyword that stands alone.
    Name,
    /// What a string of any sort holds.
    Text,
    /// A path as it is written, or an import: `*` at the end stands for everything, `::` at the start for another crate.
    Path,
    /// The name of a method that is called, and the text that it is given first.
    Call,
    /// Whatever stands between `impl` and its braces.
    Implementation,
    /// The name of a module that lives in a file of its own.
    Module,
    /// A lint is allowed.
    Allow,
    /// The first line of the file.
    Opening,
    /// No words; its line is the last one before the tests.
    Length,
}

/// Finds what paths mean that begin with an imported name. Scopes are not told apart: a name has every meaning that
/// it has anywhere in the file.
pub(crate) fn learn_names(facts: &mut [Fact]) {
    let mut names: BTreeMap<&str, BTreeSet<Words>> = BTreeMap::new();
    // The second round finds imports that begin with a name from the first, the third whatever begins with any.
    for _ in 0..3 {
        for fact in facts.iter_mut().filter(|fact| fact.kind == Kind::Path) {
            let known = names.get(fact.words[0]).into_iter().flatten();
            let meant = known.map(|known| [known, &fact.words[1..]].concat());
            fact.targets.extend(meant);
            if let Some(name) = fact.known_as {
                let meant = fact.targets.iter().cloned();
                names.entry(name).or_default().extend(meant);
            }
        }
    }
}

/// The modules from the crate's root to what the path names, if it is a path of this crate;
/// `module` is where it stands.
pub(crate) fn within_crate(path: &[&'static str], module: &[&'static str]) -> Option<Words> {
    let mut words = path.iter().skip_while(|word| **word == "::");
    let mut here = match *words.next()? {
        "crate" | "countersign" => Vec::new(),
        "self" => module.to_vec(),
        "super" => module[..module.len().saturating_sub(1)].to_vec(),
        _ => return None,
    };
    for word in words {
        match *word {
            "self" => {}
            "super" => drop(here.pop()),
            word => here.push(word),
        }
    }
    Some(here)
}

#[cfg(test)]
mod tests {
    use super::super::reader::facts;
    use super::*;

    /// Checks what is told about each source: what stands behind the arrow, or nothing.
    #[track_caller]
    fn check(table: &'static str, tell: impl Fn(&Fact) -> Option<String>) {
        for line in table.trim().lines() {
            let (source, expect) = line.split_once("~>").unwrap();
            let facts = facts(source, &[]).unwrap();
            let told: Vec<String> = facts.iter().filter_map(&tell).collect();
            assert_eq!(told.join(", "), expect.trim(), "{source}");
        }
    }

    #[test]
    fn paths_are_found_and_words_are_not() {
        let table = "
            use a::b;                               ~> a/b as b
            pub(crate) use a::b as c;               ~> a/b as c
            use a::{self, b::{c, d as e}, f::*,};   ~> a/self as a, a/b/c as c, a/b/d as e, a/f/*
            use { a, b::c, };                       ~> a as a, b/c as c
            use ::a::b;                             ~> ::/a/b as b
            m! { use $crate::a; }                   ~> crate/a as a
            extern crate a as b;                    ~> a as b
            fn f() -> impl T + use<'a> { a::b() }   ~> a/b
            a::b::<c::T>(d)                         ~> a/b, c/T
            a.b::<c::D>()                           ~> c/D
            0..a::B                                 ~> a/B
            <T as a::B>::C                          ~> a/B, ::/C
            return ::a::b()                         ~> ::/a/b
            x(::a::b, || -> &'static ::c::d { y })  ~> ::/a/b, ::/c/d
            #[a::b(c, d::e)] fn d() {}              ~> a/b, d/e
            pub(crate) fn a(super_: u8)             ~>
            Self::a                                 ~> Self/a
            mod a { use b::c; mod d { e::f } } g::h ~> b/c as c, e/f, g/h";
        check(table, |fact| {
            let name = fact.known_as.map(|name| format!(" as {name}"));
            let path = fact.words.join("/") + &name.unwrap_or_default();
            (fact.kind == Kind::Path).then_some(path)
        });
    }

    #[test]
    fn names_and_texts_are_told_from_documents() {
        let table = r####"
            a /* d /* e */ f */ 'g' 'h: 1 '"' '\'' '/' b'i' // c ~> a
            /** b */ /// c                                                      ~>
            r#a "b\"c\t" r##"d"# e"## b"e" br#"f"# c"g" m!(["h"])  ~> a, b"c	, d"# e, e, f, g, m, h"####;
        check(table, |fact| {
            let is_word = matches!(fact.kind, Kind::Name | Kind::Text);
            is_word.then(|| fact.words.concat())
        });
        let lines = facts("/*\n*/ a\n\"\\\n\n\" r\"\n\" b 'c' \n// d\ne", &[]).unwrap();
        let lines = lines.iter().filter(|fact| fact.kind == Kind::Name);
        assert_eq!(lines.map(|fact| fact.line).collect::<Vec<_>>(), [2, 6, 8]);
    }

    #[test]
    fn tests_are_told_from_the_rest() {
        let table = "
            fn a() {} #[cfg(test)] #[path = \"x\"] mod tests; fn b() {}  ~> a, b
            #[cfg(test)] mod c { fn d() { e[0]; } } fn f() {}          ~> f
            #[cfg(not(test))] fn f() {}                                ~> f
            mod g { #[cfg(test)] use h; fn i() {} #[cfg(test)] j } k   ~> i, k";
        check(table, |fact| {
            let is_name = fact.kind == Kind::Name && fact.words[0].len() == 1;
            (is_name && !fact.in_tests).then(|| fact.words.concat())
        });
    }

    #[test]
    fn paths_mean_something_from_where_they_stand() {
        for (path, expect) in [
            ("crate/store/Store", Some("store/Store")),
            ("countersign/store", Some("store")),
            ("::/countersign/store", Some("store")),
            ("super/body", Some("http/body")),
            ("super/super/store", Some("store")),
            ("self/x", Some("http/hooks/x")),
            ("self/super/super/store", Some("store")),
            ("crate", Some("")),
            ("sqlx/query", None),
        ] {
            let words: Words = path.split('/').collect();
            let meant = within_crate(&words, &["http", "hooks"]).map(|path| path.join("/"));
            assert_eq!(meant.as_deref(), expect, "{path}");
        }
    }
}
