//! The laws, each a function from a source to its breaches. Every breach names the file, the line, and
//! a way out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::paths::{Path, paths, within_crate};
use super::source::Source;
use super::tokens::{Kind, Token};
use super::{
    DECIDING, DESK, DOOR, EDGES, LAYERS, LONGEST, PURE, READERS, ROOMS, SITTING, STRANGERS,
    TELLING_APART, TRIGGERS,
};

/// Somewhere a law is broken.
#[derive(Debug)]
pub(crate) struct Breach {
    file: String,
    line: usize,
    what: String,
    way_out: &'static str,
}

impl fmt::Display for Breach {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            what,
            way_out,
        } = self;
        write!(formatter, "{file}:{line}: {what}\n    way out: {way_out}")
    }
}

fn breach(source: &Source, line: usize, what: String, way_out: &'static str) -> Breach {
    Breach {
        file: source.file.clone(),
        line,
        what,
        way_out,
    }
}

/// A path of this crate, from its root, and the line on which a source names it.
struct Use {
    line: usize,
    target: Vec<String>,
}

/// No module uses one that does not stand below it, nor a stranger beside it.
pub(crate) fn imports(source: &Source) -> Vec<Breach> {
    uses(source)
        .into_iter()
        .filter_map(|used| {
            let (what, way_out) = objection(source, &used.target)?;
            Some(breach(source, used.line, what, way_out))
        })
        .collect()
}

/// The paths of this crate in a source, also those that begin with an imported name.
fn uses(source: &Source) -> Vec<Use> {
    let paths = paths(&source.tokens);
    let names = imported_names(source, &paths);
    let mut found = Vec::new();
    for path in &paths {
        for target in targets(source, path, &names) {
            found.push(Use {
                line: path.line,
                target,
            });
        }
    }
    found
}

type Names = BTreeMap<String, BTreeSet<Vec<String>>>;

/// What imported names stand for. Scopes are not told apart: a name has every meaning that it has
/// anywhere in the file.
fn imported_names(source: &Source, paths: &[Path]) -> Names {
    let mut names = Names::new();
    // The second round finds imports that begin with a name from the first.
    for _ in 0..2 {
        for path in paths {
            let Some(name) = &path.imported_as else {
                continue;
            };
            let meant = targets(source, path, &names);
            if name != "*" && !meant.is_empty() {
                names.entry(name.clone()).or_default().extend(meant);
            }
        }
    }
    names
}

fn targets(source: &Source, path: &Path, names: &Names) -> Vec<Vec<String>> {
    let module = [source.module.as_slice(), &path.inside].concat();
    if let Some(target) = within_crate(&path.segments, &module) {
        return vec![target];
    }
    let Some((first, rest)) = path.segments.split_first() else {
        return Vec::new();
    };
    names
        .get(first)
        .into_iter()
        .flatten()
        .map(|known| [known.as_slice(), rest].concat())
        .collect()
}

/// What is wrong with a source naming a path, and the way out.
fn objection(source: &Source, target: &[String]) -> Option<(String, &'static str)> {
    let Some(room) = source.room() else {
        return Some((
            "this file belongs to no module of the table".to_owned(),
            "give the module a row in tests/architecture.rs, at its place",
        ));
    };
    let shown = target.join("::");
    let Some(other) = target.first().filter(|name| *name != "*") else {
        return Some((
            "the whole crate is imported".to_owned(),
            "name what is used, so that everybody sees which modules it comes from",
        ));
    };
    if other == room.name {
        return neighbour(source, target).map(|what| {
            (
                what,
                "let the parent module choose between the two, or move the shared piece to a file of the parent",
            )
        });
    }
    let Some(place) = ROOMS.iter().position(|row| row.name == other) else {
        return Some((
            format!("`crate::{shown}` is in no module of the table"),
            "name it by the module in which it lives; the crate's root holds modules only",
        ));
    };
    if !room.uses.contains(&other.as_str()) {
        let below = ROOMS.iter().position(|row| row.name == room.name) > Some(place);
        let (direction, way_out) = if below {
            (
                "its row does not name it",
                "take what is needed as a parameter; if the design has changed, change the row and DESIGN with it",
            )
        } else {
            (
                "it does not stand below",
                "move what both need into a module below both, or let cli/running.rs hand over the finished part",
            )
        };
        let what = format!("`{}` may not use `{shown}`: {direction}", room.name);
        return Some((what, way_out));
    }
    if room.name == DOOR {
        return beyond_the_edge(target).map(|what| {
            (
                what,
                "the door verifies and stores; calls are made by the engine, because of an outbox row",
            )
        });
    }
    None
}

/// GitHub and GitLab do not know each other, nor does an edge know its client.
fn neighbour(source: &Source, target: &[String]) -> Option<String> {
    let (_, strangers) = STRANGERS
        .iter()
        .find(|(parent, _)| target.first().is_some_and(|first| first == parent))?;
    let (mine, theirs) = (source.module.get(1)?, target.get(1)?);
    let is_one = |name: &String| strangers.contains(&name.as_str());
    if mine != theirs && is_one(mine) && is_one(theirs) {
        return Some(format!("`{mine}` may not know `{theirs}`"));
    }
    let is_edge = is_edge(source);
    let is_client = target.get(2).is_some_and(|file| file == "client");
    (mine == theirs && is_edge && is_client)
        .then(|| format!("the edge of `{mine}` may not know its client"))
}

/// Whether a source belongs to an edge: the door itself, or what reads the bytes for it.
fn is_edge(source: &Source) -> bool {
    let file = source.module.get(2).map(String::as_str);
    file.is_some_and(|file| EDGES.contains(&file))
}

/// The door may name a forge, to go on to its edge, and nothing else of it.
fn beyond_the_edge(target: &[String]) -> Option<String> {
    let (_, strangers) = STRANGERS
        .iter()
        .find(|(parent, _)| target.first().is_some_and(|first| first == parent))?;
    let is_known = match (target.get(1), target.get(2)) {
        (None, _) => true,
        (Some(name), None) => strangers.contains(&name.as_str()),
        (Some(name), Some(file)) => strangers.contains(&name.as_str()) && file == "edge",
    };
    (!is_known).then(|| {
        format!(
            "`{DOOR}` may not use `{}`: only `edge` files are open to it",
            target.join("::")
        )
    })
}

/// No layer of the desk uses one that stands above it.
pub(crate) fn layers(source: &Source) -> Vec<Breach> {
    let Some(mine) = layer(&source.module) else {
        return Vec::new();
    };
    uses(source)
        .into_iter()
        .filter_map(|used| {
            let theirs = layer(&used.target).filter(|theirs| *theirs > mine)?;
            let what = format!(
                "the layer `{}` may not use `{}`: it stands above",
                LAYERS[mine], LAYERS[theirs]
            );
            let way_out = "move what both need into the lower layer, or take it as a parameter";
            Some(breach(source, used.line, what, way_out))
        })
        .collect()
}

/// The place of the layer that a path leads into.
fn layer(path: &[String]) -> Option<usize> {
    let (desk, inside) = path.split_at_checked(DESK.len())?;
    let name = inside.first().filter(|_| desk == DESK)?;
    LAYERS.iter().position(|layer| layer == name)
}

/// A method on the sitting hides who needs whom: only the lowest layer gives it any.
pub(crate) fn methods(source: &Source) -> Vec<Breach> {
    if layer(&source.module).is_none_or(|place| place == 0) {
        return Vec::new();
    }
    let tokens = source.tokens.iter().enumerate();
    let implements = tokens.filter(|(place, token)| {
        let after = source.tokens[place + 1..].iter();
        token.is_word("impl")
            && after
                .take_while(|next| !next.is_mark("{") && !next.is_mark(";") && !next.is_mark("("))
                .any(|next| next.is_word(SITTING))
    });
    implements
        .map(|(_, token)| {
            let what = format!("methods of `{SITTING}` above the lowest layer");
            let way_out =
                "write a function that takes `&Sitting`, so that imports show who needs whom";
            breach(source, token.line, what, way_out)
        })
        .collect()
}

/// Texts are data until a surface writes them: no code looks for our marks in a text.
pub(crate) fn marks(source: &Source) -> Vec<Breach> {
    const LOOKING: [&str; 8] = [
        "contains",
        "ends_with",
        "find",
        "split",
        "split_once",
        "starts_with",
        "strip_prefix",
        "strip_suffix",
    ];
    const MARKS: [&str; 6] = ["**", "](", "```", "- ", "|-", "**Refused**"];
    let is_reader = READERS
        .iter()
        .any(|reader| source.module.starts_with(&owned(reader)));
    if is_reader {
        return Vec::new();
    }
    calls(source, &LOOKING)
        .filter(|(_, argument)| {
            argument.kind == Kind::Text && MARKS.contains(&argument.text.as_str())
        })
        .map(|(line, argument)| {
            let what = format!("`{}` is looked for in a text", argument.text);
            let way_out = "pass the text on as data, and let the surface write its marks";
            breach(source, line, what, way_out)
        })
        .collect()
}

/// Answers leave the desk as they were made.
pub(crate) fn mending(source: &Source) -> Vec<Breach> {
    if !source.module.starts_with(&owned(&DESK)) {
        return Vec::new();
    }
    calls(source, &["replace", "replacen"])
        .map(|(line, _)| {
            let way_out = "make the text of spans that each surface writes in its own way";
            breach(source, line, "a text is mended".to_owned(), way_out)
        })
        .collect()
}

/// The door stores what happens and shows what is there; whatever is decided is decided by the engine.
pub(crate) fn deciding(source: &Source) -> Vec<Breach> {
    if source.module.first().is_none_or(|room| room != DOOR) {
        return Vec::new();
    }
    let decides = |used: &Use| {
        let inside = used.target.split_first();
        inside.is_some_and(|(room, rest)| {
            room == "domain"
                && rest
                    .first()
                    .is_some_and(|one| DECIDING.contains(&one.as_str()))
        })
    };
    let decisions = uses(source).into_iter().filter(decides);
    decisions
        .map(|used| {
            let what = format!("the door may not use `{}`", used.target.join("::"));
            let way_out = "store a delivery, or ask `clerk` for a view";
            breach(source, used.line, what, way_out)
        })
        .collect()
}

/// What is known of a kind of trigger stands with the kind, so nobody else asks which one it is.
pub(crate) fn kinds(source: &Source, test_modules: &BTreeSet<Vec<String>>) -> Vec<Breach> {
    let mut apart = TELLING_APART.iter();
    let tells_apart = apart.any(|module| source.module.starts_with(&owned(module)));
    if tells_apart || is_test_file(source, test_modules) {
        return Vec::new();
    }
    // `Effect::Trigger` is another word.
    let named = source
        .tokens
        .windows(3)
        .enumerate()
        .filter(|(place, three)| {
            let [before, name, after] = three else {
                return false;
            };
            let is_kind = name.is_word(TRIGGERS) && after.is_mark("::") && !before.is_mark("::");
            is_kind && !source.is_test(*place)
        });
    named
        .map(|(_, three)| {
            let way_out = "ask `kind()`, and let the file of each kind answer";
            breach(
                source,
                three[1].line,
                "a kind of trigger is named".to_owned(),
                way_out,
            )
        })
        .collect()
}

/// Whether a source says this word outside tests, as a name or as a text.
pub(crate) fn says(source: &Source, test_modules: &BTreeSet<Vec<String>>, word: &str) -> bool {
    let tokens = source.tokens.iter().enumerate();
    !is_test_file(source, test_modules)
        && tokens
            .filter(|(place, _)| !source.is_test(*place))
            .any(|(_, token)| token.kind != Kind::Mark && token.text == word)
}

/// Calls of these methods outside tests: the line, and the first word of what they are given.
fn calls<'s>(source: &'s Source, names: &'s [&str]) -> impl Iterator<Item = (usize, &'s Token)> {
    let tokens = source.tokens.windows(4).enumerate();
    tokens.filter_map(move |(place, four)| {
        let [dot, name, open, argument] = four else {
            return None;
        };
        let is_call = dot.is_mark(".") && open.is_mark("(");
        let is_named = names.iter().any(|one| name.is_word(one));
        (is_call && is_named && !source.is_test(place)).then_some((name.line, argument))
    })
}

fn owned(path: &[&str]) -> Vec<String> {
    path.iter().map(|part| (*part).to_owned()).collect()
}

/// A reserved crate is named only in its rooms.
pub(crate) fn crates(source: &Source) -> Vec<Breach> {
    let paths = paths(&source.tokens);
    let names = imported_names(source, &paths);
    let own: &[&str] = source.room().map_or(&[], |room| room.crates);
    let mut found = Vec::new();
    for path in &paths {
        let is_ours = !targets(source, path, &names).is_empty();
        let first = path.segments.iter().find(|segment| *segment != "::");
        let Some(name) = first.filter(|_| !is_ours) else {
            continue;
        };
        let rooms: Vec<&str> = ROOMS
            .iter()
            .filter(|room| room.crates.contains(&name.as_str()))
            .map(|room| room.name)
            .collect();
        if !rooms.is_empty() && !own.contains(&name.as_str()) {
            let what = format!("the crate `{name}` is kept to {}", rooms.join(", "));
            found.push(breach(
                source,
                path.line,
                what,
                "ask that module for what is needed, in a type of ours",
            ));
        }
    }
    found
}

/// Pure modules and edges neither wait nor look at the machine.
pub(crate) fn purity(source: &Source) -> Vec<Breach> {
    let is_edge = is_edge(source);
    let is_pure = source
        .module
        .first()
        .is_some_and(|room| PURE.contains(&room.as_str()));
    if !is_pure && !is_edge {
        return Vec::new();
    }
    let waits = source.tokens.iter().filter_map(|token| {
        let waits = token.is_word("async") || token.is_word("await");
        waits.then(|| (token.line, format!("`{}` in a pure place", token.text)))
    });
    let paths = paths(&source.tokens);
    let looks = paths.iter().filter_map(|path| {
        let words: Vec<&str> = path.segments.iter().map(String::as_str).collect();
        let looks = matches!(
            words.as_slice(),
            [
                "std",
                "fs" | "net" | "env" | "process" | "thread" | "io",
                ..
            ] | ["std", "time", "Instant" | "SystemTime" | "*", ..]
        );
        looks.then(|| (path.line, format!("`{}` in a pure place", words.join("::"))))
    });
    waits
        .chain(looks)
        .map(|(line, what)| {
            breach(
                source,
                line,
                what,
                "take the fact as a parameter; whoever calls finds it out",
            )
        })
        .collect()
}

/// Statements of SQL stand in the store.
pub(crate) fn sql(source: &Source) -> Vec<Breach> {
    if source.module.first().is_some_and(|room| room == "store") {
        return Vec::new();
    }
    source
        .tokens
        .iter()
        .filter(|token| token.kind == Kind::Text && is_statement(&token.text))
        .map(|token| {
            breach(
                source,
                token.line,
                "a statement of SQL outside the store".to_owned(),
                "put it into `statements!` of a file in src/store and call that",
            )
        })
        .collect()
}

fn is_statement(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    matches!(
        words.as_slice(),
        ["SELECT" | "PRAGMA" | "WITH", _, ..]
            | ["UPDATE", _, "SET", ..]
            | ["INSERT" | "insert", "INTO" | "into" | "OR", ..]
            | ["DELETE" | "delete", "FROM" | "from", ..]
            | [
                "CREATE" | "ALTER" | "DROP" | "TRUNCATE",
                "TABLE" | "INDEX" | "UNIQUE" | "TRIGGER",
                ..
            ]
            | ["BEGIN", "IMMEDIATE" | "EXCLUSIVE", ..]
    ) || matches!(words.as_slice(), ["select", .., ] if words.contains(&"from") && text.contains(['*', '=', ',']))
}

/// Lints are expected with a reason, never allowed; outside tests nothing is unwrapped.
pub(crate) fn shortcuts(source: &Source, test_modules: &BTreeSet<Vec<String>>) -> Vec<Breach> {
    let is_test_file = is_test_file(source, test_modules);
    let mut found = Vec::new();
    for (index, token) in source.tokens.iter().enumerate() {
        if token.is_word("allow") && is_in_attribute(&source.tokens[..index]) {
            found.push(breach(
                source,
                token.line,
                "a lint is allowed".to_owned(),
                "mend it, or write #[expect(lint, reason = \"...\")]",
            ));
        }
        let is_call = |name: &str| {
            token.is_word(name)
                && source
                    .tokens
                    .get(index + 1)
                    .is_some_and(|next| next.is_mark("("))
                && index.checked_sub(1).is_some_and(|before| {
                    source.tokens[before].is_mark(".") || source.tokens[before].is_mark("::")
                })
        };
        if !is_test_file && !source.is_test(index) && (is_call("unwrap") || is_call("expect")) {
            found.push(breach(
                source,
                token.line,
                format!("`{}` outside tests", token.text),
                "handle the other case, or return an error that says what to do",
            ));
        }
    }
    found
}

/// Whether the tokens end inside `#[...]` that was not closed yet.
fn is_in_attribute(before: &[Token]) -> bool {
    let mut depth = 0_usize;
    for (index, token) in before.iter().enumerate().rev() {
        match token.text.as_str() {
            _ if token.kind != Kind::Mark => {}
            "]" => depth += 1,
            "[" if depth > 0 => depth -= 1,
            "[" => {
                let opening = before[..index]
                    .iter()
                    .rev()
                    .find(|token| !token.is_mark("!"));
                return opening.is_some_and(|token| token.is_mark("#"));
            }
            ";" | "{" | "}" => return false,
            _ => {}
        }
    }
    false
}

/// Files open with a paragraph and stay short.
pub(crate) fn form(source: &Source, test_modules: &BTreeSet<Vec<String>>) -> Vec<Breach> {
    let mut found = Vec::new();
    if !source.text.starts_with("//! ") {
        found.push(breach(
            source,
            1,
            "the file does not open with a paragraph".to_owned(),
            "begin with `//!`: what it holds and what it refuses",
        ));
    }
    let lines = source.lines_before_tests();
    if lines > LONGEST && !is_test_file(source, test_modules) {
        found.push(breach(
            source,
            lines,
            format!("{lines} lines before the tests; {LONGEST} is the most"),
            "look for the second thing in it and give that a file",
        ));
    }
    found
}

fn is_test_file(source: &Source, test_modules: &BTreeSet<Vec<String>>) -> bool {
    (1..=source.module.len()).any(|length| test_modules.contains(&source.module[..length]))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Law = fn(&Source) -> Vec<Breach>;

    fn strict(source: &Source) -> Vec<Breach> {
        shortcuts(source, &BTreeSet::new())
    }

    fn shaped(source: &Source) -> Vec<Breach> {
        form(source, &BTreeSet::new())
    }

    #[track_caller]
    fn check(law: Law, file: &str, text: &str, lines: &[usize]) {
        let breaches = law(&Source::new(file, text));
        let found: Vec<usize> = breaches.iter().map(|breach| breach.line).collect();
        assert_eq!(found, lines, "{file}: {text}\n{breaches:?}");
    }

    #[test]
    fn upward_and_sideways_imports_are_found() {
        for (file, text, line) in [
            ("src/domain/sha.rs", "use crate::ledger;", 1),
            (
                "src/domain/sha.rs",
                "\npub use crate::cli::main as start;",
                2,
            ),
            ("src/domain/sha.rs", "use super::super::store::Store;", 1),
            (
                "src/domain/sha.rs",
                "use crate::{\n    domain::Sha,\n    store::{inbox::{take}},\n};",
                3,
            ),
            ("src/domain/mod.rs", "use super::clock::Clock;", 1),
            ("src/domain/sha.rs", "use countersign::store;", 1),
            ("src/domain/sha.rs", "use r#crate_; use crate::r#store;", 1),
            (
                "src/domain/sha.rs",
                "fn f() -> crate::store::Store { g() }",
                1,
            ),
            (
                "src/domain/sha.rs",
                "fn f() {\n  super::super::store::g()\n}",
                2,
            ),
            (
                "src/domain/sha.rs",
                "mod tests { use super::super::super::store; }",
                1,
            ),
            (
                "src/domain/sha.rs",
                "#[cfg(test)] mod tests {\n use crate::store::Store; }",
                2,
            ),
            (
                "src/domain/sha.rs",
                "macro_rules! m { () => { $crate::store::x } }",
                1,
            ),
            ("src/domain/sha.rs", "use crate::*;", 1),
            ("src/domain/sha.rs", "use crate as root;", 1),
            ("src/domain/sha.rs", "use super::super::*;", 1),
            ("src/domain/sha.rs", "use crate::Missing;", 1),
            ("src/engine/intake.rs", "use crate::http::router;", 1),
            ("src/http/hooks.rs", "use crate::engine::Shared;", 1),
            ("src/sandbox/github.rs", "use crate::forges::github;", 1),
            ("src/ledger/mod.rs", "use crate::clock;", 1),
            ("src/main.rs", "fn main() { countersign::store::x() }", 1),
            (
                "src/lib.rs",
                "pub use store::Store; pub use self::store::Store;",
                1,
            ),
            ("src/attic/mod.rs", "use crate::domain::Sha;", 1),
        ] {
            check(imports, file, text, &[line]);
        }
    }

    #[test]
    fn layers_that_reach_up_are_found() {
        for (place, lower) in LAYERS.iter().enumerate() {
            for upper in &LAYERS[place + 1..] {
                let file = format!("src/domain/desk/{lower}/some.rs");
                let text = format!("use crate::domain::desk::{upper}::x;");
                check(layers, &file, &text, &[1]);
                let text = format!("use super::super::{{\n {upper}::y}};");
                check(layers, &file, &text, &[2]);
                let file = format!("src/domain/desk/{upper}/some.rs");
                let text = format!("use crate::domain::desk::{lower};\nfn f() {{ {lower}::x() }}");
                check(layers, &file, &text, &[]);
            }
        }
        for (file, text, lines) in [
            (
                "src/domain/desk/known/people.rs",
                "use crate::domain::desk;\nfn f() { desk::asked::command() }",
                &[2][..],
            ),
            (
                "src/domain/desk/links.rs",
                "fn f() { super::chat::x() }",
                &[1],
            ),
            ("src/domain/desk/mod.rs", "use door::decide;", &[]),
            (
                "src/domain/desk/known/people.rs",
                "use crate::domain::desk::{Outcome, sitting::Sitting};",
                &[],
            ),
        ] {
            check(layers, file, text, lines);
        }
    }

    #[test]
    fn methods_above_the_lowest_layer_are_found() {
        for (file, text, lines) in [
            (
                "src/domain/desk/examine/mod.rs",
                "impl Sitting<'_> { fn f(&self) {} }",
                &[1][..],
            ),
            (
                "src/domain/desk/known/people.rs",
                "\nimpl<'a> crate::domain::desk::sitting::Sitting<'a> {}",
                &[2],
            ),
            (
                "src/domain/desk/asked/mod.rs",
                "impl Trait for Sitting<'_> {}",
                &[1],
            ),
            ("src/domain/desk/sitting.rs", "impl Sitting<'_> {}", &[]),
            (
                "src/domain/desk/asked/mod.rs",
                "impl Answer {} fn f(sitting: &Sitting<'_>, g: impl Fn(&Request)) {}",
                &[],
            ),
        ] {
            check(methods, file, text, lines);
        }
    }

    #[test]
    fn marks_that_are_read_back_are_found() {
        for (file, text, lines) in [
            (
                "src/chats/outline.rs",
                "fn f() {\n text.strip_prefix(\"**\") }",
                &[2][..],
            ),
            (
                "src/engine/speech.rs",
                "fn f() { x.split_once(\"](\") }",
                &[1],
            ),
            ("src/chats/text.rs", "fn f() { x.split(\"```\") }", &[1]),
            (
                "src/domain/desk/telling/words.rs",
                "fn f() { x.starts_with(\"**Refused**\") }",
                &[1],
            ),
            (
                "src/domain/command/find.rs",
                "fn f() { x.split(\"```\") }",
                &[],
            ),
            ("src/chats/text.rs", "fn f() { x.push_str(\"**\") }", &[]),
            (
                "src/chats/text.rs",
                "#[cfg(test)] mod tests { fn f() { x.contains(\"**\") } }",
                &[],
            ),
        ] {
            check(marks, file, text, lines);
        }
    }

    #[test]
    fn answers_that_are_mended_are_found() {
        for (file, text, lines) in [
            (
                "src/domain/desk/telling/pages.rs",
                "fn f() {\n text.replace(\"/approve\", x) }",
                &[2][..],
            ),
            (
                "src/domain/desk/chat/mod.rs",
                "fn f() { text.replacen(a, b, 1) }",
                &[1],
            ),
            (
                "src/chats/slack/text.rs",
                "fn f() { text.replace('&', x) }",
                &[],
            ),
        ] {
            check(mending, file, text, lines);
        }
    }

    #[test]
    fn a_door_that_decides_is_found() {
        for (file, text, lines) in [
            ("src/http/hooks.rs", "use crate::domain::decide;", &[1][..]),
            (
                "src/http/api.rs",
                "use crate::domain;\nfn f() { domain::desk::decide(x) }",
                &[2],
            ),
            (
                "src/http/api.rs",
                "use crate::domain::{Filter, Noted};",
                &[],
            ),
            ("src/engine/turn.rs", "use crate::domain::decide;", &[]),
        ] {
            check(deciding, file, text, lines);
        }
    }

    #[test]
    fn strangers_and_clients_are_found() {
        for (file, text, line) in [
            (
                "src/forges/github/edge.rs",
                "use crate::forges::gitlab::edge;",
                1,
            ),
            (
                "src/forges/gitlab/edge.rs",
                "use super::super::github::payload;",
                1,
            ),
            (
                "src/chats/slack/render.rs",
                "fn f() {\n crate::chats::discord::render::x() }",
                2,
            ),
            (
                "src/chats/discord/edge.rs",
                "use crate::forges::github::edge;",
                1,
            ),
            ("src/forges/github/edge.rs", "use super::client::Client;", 1),
            (
                "src/forges/github/interpret/talk.rs",
                "use super::super::client::Client;",
                1,
            ),
            (
                "src/http/hooks.rs",
                "use crate::forges::github::client::Client;",
                1,
            ),
            (
                "src/http/hooks.rs",
                "use crate::forges::github::{edge, client};",
                1,
            ),
            (
                "src/http/hooks.rs",
                "use crate::forges::github;\nfn f() { github::client::x() }",
                2,
            ),
            (
                "src/http/hooks.rs",
                "use crate::forges::github as hub;\nuse hub::client as c;",
                2,
            ),
            ("src/http/hooks.rs", "use crate::forges::github::*;", 1),
            ("src/http/hooks.rs", "use crate::forges::*;", 1),
            (
                "src/http/hooks.rs",
                "use crate::forges;\nfn f() { forges::call::x() }",
                2,
            ),
        ] {
            check(imports, file, text, &[line]);
        }
    }

    #[test]
    fn innocents_pass() {
        for (file, text) in [
            (
                "src/domain/sha.rs",
                "// use crate::cli\n/* crate::store::x */ //! crate::cli",
            ),
            (
                "src/domain/sha.rs",
                "/// See [`crate::store::Store`].\nfn f() {}",
            ),
            (
                "src/domain/sha.rs",
                r##"const A: &str = "use crate::cli;"; const B: &str = r#"crate::cli::x"#;"##,
            ),
            (
                "src/domain/sha.rs",
                "use self::inner::Thing; use super::{Invalid, name::Name};",
            ),
            (
                "src/domain/sha.rs",
                "use crate::{\n    domain::{\n        Sha,\n        name::{self, ServiceName},\n    },\n};",
            ),
            (
                "src/domain/sha.rs",
                "pub(crate) fn f() {} pub(in crate::domain) fn g() {} pub(super) struct S;",
            ),
            (
                "src/domain/sha.rs",
                "mod tests { use super::*; use super::super::Invalid; }",
            ),
            (
                "src/domain/sha.rs",
                "fn crate_() { store::x(); let cli = 1; 'crate: loop {} }",
            ),
            (
                "src/http/hooks.rs",
                "use crate::forges::github;\nfn f() { github::edge::receive() }",
            ),
            (
                "src/http/hooks.rs",
                "use super::body::{self, Unread}; use http::StatusCode; fn f() { http::x(); body::read() }",
            ),
            (
                "src/forges/mod.rs",
                "use github::client; use self::gitlab::client as other;",
            ),
            (
                "src/forges/github/client.rs",
                "use super::edge; use crate::call::CallError;",
            ),
            (
                "src/cli/serve.rs",
                "use crate::{clock::Clock, http::router, sandbox};",
            ),
            ("src/main.rs", "fn main() { countersign::cli::main() }"),
        ] {
            check(imports, file, text, &[]);
        }
    }

    #[test]
    fn crates_out_of_their_rooms_are_found() {
        for (file, text, lines) in [
            ("src/engine/intake.rs", "use sqlx::Row;", &[1][..]),
            ("src/engine/intake.rs", "fn f() {\n sqlx::query(x) }", &[2]),
            (
                "src/engine/intake.rs",
                "use {\n std::fmt,\n sqlx as db,\n};",
                &[3],
            ),
            ("src/engine/intake.rs", "extern crate sqlx;", &[1]),
            ("src/engine/intake.rs", "use sqlx;", &[1]),
            ("src/engine/intake.rs", "fn f() { ::sqlx::query(x) }", &[1]),
            (
                "src/engine/intake.rs",
                "#[derive(sqlx::FromRow)] struct S;",
                &[1],
            ),
            (
                "src/engine/intake.rs",
                "#[cfg(test)] mod tests { use sqlx::Row; }",
                &[1],
            ),
            ("src/domain/sha.rs", "#[tokio::test] async fn f() {}", &[1]),
            (
                "src/ledger/mod.rs",
                "use tokio::sync::Mutex; use sha2::Sha256;",
                &[1],
            ),
            (
                "src/chats/discord/edge.rs",
                "use hmac::Hmac; use serenity::all::X;",
                &[1],
            ),
            (
                "src/store/open.rs",
                "use axum::Router;\nuse sqlx::Any;",
                &[1],
            ),
            ("src/store/open.rs", "use hyper_util::rt::TokioIo;", &[1]),
            ("src/http/mod.rs", "use anyhow::Context as _;", &[1]),
            ("src/main.rs", "#[tokio::main] async fn main() {}", &[1]),
            ("src/lib.rs", "pub use toml::Value;", &[1]),
            // Innocents.
            (
                "src/engine/intake.rs",
                "// sqlx::query\nconst A: &str = \"sqlx::query\";",
                &[],
            ),
            (
                "src/engine/intake.rs",
                "sqlx_like::query(); let sqlx = tower; x.sqlx::<T>();",
                &[],
            ),
            (
                "src/engine/intake.rs",
                "use http::StatusCode; use crate::http_like::x;",
                &[],
            ),
            (
                "src/config/mod.rs",
                "use crate::config::shape::sqlx; fn f() { sqlx::x() }",
                &[],
            ),
            (
                "src/store/open.rs",
                "fn f() { super::sqlx::x(); self::sqlx::y() }",
                &[],
            ),
        ] {
            check(crates, file, text, lines);
        }
    }

    #[test]
    fn waiting_and_looking_in_pure_places_is_found() {
        for (file, text, lines) in [
            ("src/domain/decide.rs", "async fn f() {}", &[1][..]),
            ("src/ledger/mod.rs", "use std::{fmt, fs::File};", &[1]),
            ("src/domain/decide.rs", "fn f() { std::env::var(x) }", &[1]),
            (
                "src/domain/decide.rs",
                "use std::time::{Duration, Instant};",
                &[1],
            ),
            ("src/forges/github/edge.rs", "fn f() {\n x.await }", &[2]),
            (
                "src/forges/github/interpret/mod.rs",
                "async fn f() {}",
                &[1],
            ),
            ("src/forges/github/payload/time.rs", "use std::fs;", &[1]),
            ("src/forges/github/client.rs", "async fn f() {}", &[]),
            (
                "src/domain/decide.rs",
                "use std::time::Duration; // async",
                &[],
            ),
        ] {
            check(purity, file, text, lines);
        }
    }

    #[test]
    fn sql_is_told_from_prose() {
        for (file, text, lines) in [
            ("src/engine/intake.rs", "f(\"SELECT 1\")", &[1][..]),
            (
                "src/cli/outbox.rs",
                "f(\n r#\"  UPDATE outbox SET a = 1\"#)",
                &[2],
            ),
            ("src/cli/outbox.rs", "f(\"delete from outbox\")", &[1]),
            (
                "src/cli/outbox.rs",
                "f(\"select id, token from outbox\")",
                &[1],
            ),
            (
                "src/cli/outbox.rs",
                "f(b\"INSERT INTO a VALUES (1)\")",
                &[1],
            ),
            ("src/store/inbox.rs", "f(\"SELECT 1\")", &[]),
            (
                "src/cli/outbox.rs",
                "f(\"select a service from the list\") // SELECT 1",
                &[],
            ),
            (
                "src/cli/outbox.rs",
                "f(\"Update what is set\"); g(\"DROP\")",
                &[],
            ),
        ] {
            check(sql, file, text, lines);
        }
    }

    #[test]
    fn shortcuts_are_found() {
        for (text, lines) in [
            ("#[allow(dead_code)]\nfn f() {}", &[1][..]),
            ("#![allow(dead_code)]", &[1]),
            ("#[cfg_attr(test,\n allow(dead_code))] fn f() {}", &[2]),
            ("fn f() {\n x.unwrap();\n y.expect(\"z\") }", &[2, 3]),
            ("fn f() { x.map(Option::unwrap); Option::unwrap(x) }", &[1]),
            ("#[cfg(test)] mod tests { #[allow(x)] fn f() {} }", &[1]),
            (
                "#[expect(dead_code, reason = \"allow(x)\")] fn f() { allow(x) }",
                &[],
            ),
            (
                "#[cfg(test)]\nmod tests { fn f() { x.unwrap(); y.expect(\"z\"); } }",
                &[],
            ),
            ("fn f() { x.unwrap_or(1); unwrap(2); x[0].allow(y) }", &[]),
        ] {
            check(strict, "src/cli/serve.rs", text, lines);
        }
        let tests = BTreeSet::from([vec!["config".to_owned(), "tests".to_owned()]]);
        let source = Source::new("src/config/tests/words.rs", "fn f() { x.unwrap() }");
        assert!(shortcuts(&source, &tests).is_empty());
    }

    #[test]
    fn form_is_kept() {
        let lines = |count: usize| "//! About.\n".to_owned() + &"fn f() {}\n".repeat(count);
        let tested = lines(400) + "#[cfg(test)]\nmod tests {\n" + &"fn f() {}\n".repeat(200) + "}";
        check(shaped, "src/a.rs", "fn f() {}", &[1]);
        check(shaped, "src/a.rs", &lines(450), &[451]);
        check(shaped, "src/a.rs", &lines(449), &[]);
        check(shaped, "src/a.rs", &tested, &[]);
    }
}
