//! Laws, each a function from a fact about a source to the objection that there is to it. A breach is told with its
//! file, its line, and a way out.

use super::facts::{Fact, Kind, Words};
use super::source::Source;
use super::{
    BESIDE, DECIDING, DESK, DOOR, EDGES, FRONTS, LAYERS, LONGEST, MAKER, PLATFORMS, PURE, READERS,
    ROOMS, Room, SITTING, STORES, STRANGERS, TELLING_APART, TOLD_APART, TRIGGERS,
};

pub(crate) type Law = fn(&Source, &Fact) -> Option<Objection>;

/// What is wrong with a fact, and what to do about it.
pub(crate) struct Objection {
    what: String,
    way_out: &'static str,
}

fn object(what: impl Into<String>, way_out: &'static str) -> Option<Objection> {
    let what = what.into();
    Some(Objection { what, way_out })
}

/// Every breach of a law in a source, as people read it.
pub(crate) fn breaches(law: Law, source: &Source) -> Vec<String> {
    let told = source.facts.iter().filter_map(|fact| {
        let Objection { what, way_out } = law(source, fact)?;
        let (file, line) = (&source.file, fact.line);
        Some(format!("{file}:{line}: {what}\n    way out: {way_out}"))
    });
    told.collect()
}

/// No module uses one that does not stand below it, nor a stranger beside it.
pub(crate) fn imports(source: &Source, fact: &Fact) -> Option<Objection> {
    fact.targets
        .iter()
        .find_map(|target| use_of(source, target))
}

fn use_of(source: &Source, target: &[&str]) -> Option<Objection> {
    let Some(room) = source.room() else {
        return object(
            "this file belongs to no module of the table",
            "give the module a row in tests/architecture.rs, at its place",
        );
    };
    let shown = target.join("::");
    let Some(other) = target.first().filter(|name| **name != "*") else {
        return object(
            "the whole crate is imported",
            "name what is used, so that everybody sees which modules it comes from",
        );
    };
    if *other == room.name {
        return neighbour(source, target);
    }
    let place = |name: &str| ROOMS.iter().position(|row| row.name == name);
    if place(other).is_none() {
        return object(
            format!("`crate::{shown}` is in no module of the table"),
            "name it by the module in which it lives; the crate's root holds modules only",
        );
    }
    if room.uses.contains(other) {
        return beyond_the_front(room.name, target);
    }
    let what = format!("`{}` may not use `{shown}`", room.name);
    if place(room.name) > place(other) {
        return object(
            what + ": its row does not name it",
            "take what is needed as a parameter; if the design has changed, change the row and ARCHITECTURE.md",
        );
    }
    object(
        what + ": it does not stand below",
        "move what both need into a module below both, or let cli/running.rs hand over the finished part",
    )
}

/// GitHub and GitLab do not know each other, nor does an edge know its client.
fn neighbour(source: &Source, target: &[&str]) -> Option<Objection> {
    let strangers = strangers(target[0])?;
    let (mine, theirs) = (source.module.get(1)?, target.get(1)?);
    let what = if mine != theirs && [mine, theirs].iter().all(|name| strangers.contains(name)) {
        format!("`{mine}` may not know `{theirs}`")
    } else if mine == theirs && is_edge(source) && target.get(2) == Some(&"client") {
        format!("the edge of `{mine}` may not know its client")
    } else {
        return None;
    };
    let way_out = "let the parent module choose between the two, or move the shared piece to a file of the parent";
    object(what, way_out)
}

/// The neighbours in a room who do not know each other.
fn strangers(room: &str) -> Option<&'static [&'static str]> {
    let parents = STRANGERS.iter().find(|(parent, _)| *parent == room);
    parents.map(|(_, strangers)| *strangers)
}

/// Whether a source belongs to an edge: the door itself, or what reads the bytes for it.
fn is_edge(source: &Source) -> bool {
    let file = source.module.get(2);
    file.is_some_and(|file| EDGES.contains(file))
}

/// Nobody but the maker of the parts goes past the fronts, and the door sees only what checks who is there.
fn beyond_the_front(room: &str, target: &[&str]) -> Option<Objection> {
    let strangers = strangers(target[0]).filter(|_| room != MAKER)?;
    let file = target.get(1)?;
    let shown = target.join("::");
    if room == DOOR && *file != "door" {
        return object(
            format!(
                "`{DOOR}` may not use `{shown}`: only `{}::door` is open to it",
                target[0]
            ),
            "the door verifies and stores; calls are made by the engine, because of an outbox row",
        );
    }
    if *file == "*" || strangers.contains(file) {
        return object(
            format!("`{room}` may not use `{shown}`: it stands behind the front"),
            "let a front in the parent module choose, so that a new platform is a line there",
        );
    }
    None
}

/// Whether a fact is about one platform and no other: it names a variant.
pub(crate) fn tells_apart(fact: &Fact) -> bool {
    let is_type = |word: &str| word.starts_with(|first: char| first.is_ascii_uppercase());
    match &fact.words[..] {
        [.., kind, variant] => {
            fact.kind == Kind::Path
                && !fact.in_tests
                && is_type(kind)
                && PLATFORMS.contains(variant)
        }
        _ => false,
    }
}

/// Platforms are told apart in rooms that are called like them, in the fronts, and in the files of a list.
pub(crate) fn platforms(source: &Source, fact: &Fact) -> Option<Objection> {
    let is_called_like = |part: &&str| {
        let mut platforms = PLATFORMS.iter();
        platforms.any(|platform| platform.eq_ignore_ascii_case(part))
    };
    let is_allowed = source.module.iter().any(is_called_like)
        || FRONTS.iter().any(|front| source.module.starts_with(front))
        || TOLD_APART.contains(&source.file);
    let past_the_front = fact.targets.iter().any(|target| {
        let strangers = target.first().and_then(|room| strangers(room));
        let file = target.get(1);
        strangers.is_some_and(|strangers| file.is_some_and(|file| strangers.contains(file)))
    });
    if is_allowed || source.is_test || fact.in_tests || !(tells_apart(fact) || past_the_front) {
        return None;
    }
    object(
        format!("`{}` is about one platform", fact.words.join("::")),
        "let the platform's room, its front, or a method of `Forge` or `Chat` know it; or argue for a place on the list",
    )
}

/// What is known of a kind of trigger stands with the kind, so nobody else asks which one it is.
pub(crate) fn kinds(source: &Source, fact: &Fact) -> Option<Objection> {
    let tells_apart = TELLING_APART
        .iter()
        .any(|module| source.module.starts_with(module));
    // `Effect::Trigger` is another word.
    let is_kind = fact.kind == Kind::Path && fact.words.len() > 1 && fact.words[0] == TRIGGERS;
    if !is_kind || tells_apart || source.is_test || fact.in_tests {
        return None;
    }
    object(
        "a kind of trigger is named",
        "ask `kind()`, and let the file of each kind answer",
    )
}

/// No layer of the desk uses one that stands above it.
pub(crate) fn layers(source: &Source, fact: &Fact) -> Option<Objection> {
    let mine = layer(&source.module)?;
    let mut theirs = fact.targets.iter().filter_map(|target| layer(target));
    let (mine, theirs) = (LAYERS[mine], LAYERS[theirs.find(|theirs| *theirs > mine)?]);
    object(
        format!("the layer `{mine}` may not use `{theirs}`: it stands above"),
        "move what both need into the lower layer, or take it as a parameter",
    )
}

/// The place of the layer that a path leads into.
fn layer(path: &[&str]) -> Option<usize> {
    let name = path.strip_prefix(&DESK)?.first()?;
    LAYERS.iter().position(|layer| layer == name)
}

/// A method on the sitting hides who needs whom: only the lowest layer gives it any.
pub(crate) fn methods(source: &Source, fact: &Fact) -> Option<Objection> {
    let is_above = layer(&source.module)? > 0;
    if !is_above || fact.kind != Kind::Implementation || !fact.words.contains(&SITTING) {
        return None;
    }
    object(
        format!("methods of `{SITTING}` above the lowest layer"),
        "write a function that takes `&Sitting`, so that imports show who needs whom",
    )
}

/// Methods that look for something in a text, and what no text is searched for.
#[rustfmt::skip]
const LOOKING: &[&str] = &[
    "contains", "ends_with", "find", "split", "split_once", "starts_with", "strip_prefix", "strip_suffix",
];
const MARKS: &[&str] = &["**", "](", "```", "- ", "|-", "**Refused**"];

/// Texts are data until a surface writes them: no code looks for our marks in a text.
pub(crate) fn marks(source: &Source, fact: &Fact) -> Option<Objection> {
    let is_reader = READERS
        .iter()
        .any(|reader| source.module.starts_with(reader));
    let (Kind::Call, [method, text]) = (fact.kind, &fact.words[..]) else {
        return None;
    };
    if !LOOKING.contains(method) || !MARKS.contains(text) || is_reader || fact.in_tests {
        return None;
    }
    object(
        format!("`{text}` is looked for in a text"),
        "pass the text on as data, and let the surface write its marks",
    )
}

/// Answers leave the desk as they were made.
pub(crate) fn mending(source: &Source, fact: &Fact) -> Option<Objection> {
    let mends = matches!(
        (fact.kind, &fact.words[..]),
        (Kind::Call, ["replace" | "replacen", ..])
    );
    if !mends || !source.module.starts_with(&DESK) || fact.in_tests {
        return None;
    }
    object(
        "a text is mended",
        "make the text of spans that each surface writes in its own way",
    )
}

/// The door stores what happens and shows what is there; whatever is decided is decided by the engine.
pub(crate) fn deciding(source: &Source, fact: &Fact) -> Option<Objection> {
    let decides =
        |target: &&Words| matches!(target[..], ["domain", name, ..] if DECIDING.contains(&name));
    let target = fact.targets.iter().find(decides)?.join("::");
    if !source.module.starts_with(&[DOOR]) {
        return None;
    }
    object(
        format!("the door may not use `{target}`"),
        "store a delivery, or ask `clerk` for a view",
    )
}

/// Whether a source says this word outside tests, as a name or as a text.
pub(crate) fn says(source: &Source, word: &str) -> bool {
    let mut code = source.facts.iter().filter(|fact| !fact.in_tests);
    !source.is_test && code.any(|fact| fact.words.contains(&word))
}

/// A reserved crate, or a module of it, is named only in its rooms.
pub(crate) fn crates(source: &Source, fact: &Fact) -> Option<Objection> {
    let said = fact.words.strip_prefix(&["::"]).unwrap_or(&fact.words);
    let is_named = |reserved: &&&str| {
        let mut parts = reserved.split("::").zip(said);
        !said.is_empty() && parts.all(|(part, word)| part == *word || *word == "*")
    };
    let keeps = |room: &&Room| room.crates.iter().any(|reserved| is_named(&reserved));
    let is_foreign = fact.kind == Kind::Path && fact.targets.is_empty();
    if !is_foreign || source.room().as_ref().is_some_and(keeps) {
        return None;
    }
    let rooms: Vec<&str> = ROOMS.iter().filter(keeps).map(|room| room.name).collect();
    let mut reserved = ROOMS.iter().flat_map(|room| room.crates);
    let name = reserved.find(is_named)?;
    object(
        format!("the crate `{name}` is kept to {}", rooms.join(", ")),
        "ask that module for what is needed, in a type of ours",
    )
}

/// Where the standard library looks at the machine.
const OUTSIDE: &[&str] = &["fs", "net", "env", "process", "thread", "io"];

/// Pure modules and edges neither wait nor look at the machine.
pub(crate) fn purity(source: &Source, fact: &Fact) -> Option<Objection> {
    let is_pure = PURE.iter().any(|room| source.module.starts_with(&[room]));
    let said = fact.words.strip_prefix(&["::"]).unwrap_or(&fact.words);
    let waits_or_looks = match (fact.kind, said) {
        (Kind::Name, ["async" | "await"]) => true,
        (Kind::Path, ["std", "time", thing, ..]) => ["Instant", "SystemTime", "*"].contains(thing),
        (Kind::Path, ["std", place, ..]) => OUTSIDE.contains(place),
        _ => false,
    };
    let is_beside = source.module.starts_with(BESIDE);
    if !waits_or_looks || is_beside || !is_pure && !is_edge(source) {
        return None;
    }
    object(
        format!("`{}` in a pure place", said.join("::")),
        "take the fact as a parameter; whoever calls finds it out",
    )
}

/// Statements of SQL stand in the store.
pub(crate) fn sql(source: &Source, fact: &Fact) -> Option<Objection> {
    let is_statement = fact.kind == Kind::Text && is_statement(fact.words.first()?);
    let mut stores = STORES.iter();
    if !is_statement || stores.any(|store| source.module.starts_with(store)) {
        return None;
    }
    object(
        "a statement of SQL outside the store",
        "put it into `statements!` of a file in src/store and call that",
    )
}

fn is_statement(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["SELECT" | "PRAGMA" | "WITH", _, ..]
        | ["UPDATE", _, "SET", ..]
        | ["INSERT" | "insert", "INTO" | "into" | "OR", ..]
        | ["DELETE" | "delete", "FROM" | "from", ..]
        | [
            "CREATE" | "ALTER" | "DROP" | "TRUNCATE",
            "TABLE" | "INDEX" | "UNIQUE" | "TRIGGER",
            ..,
        ]
        | ["BEGIN", "IMMEDIATE" | "EXCLUSIVE", ..] => true,
        ["select", what @ ..] => what.contains(&"from") && text.contains(['*', '=', ',']),
        _ => false,
    }
}

/// Lints are expected with a reason, never allowed; outside tests nothing is unwrapped.
pub(crate) fn shortcuts(source: &Source, fact: &Fact) -> Option<Objection> {
    let name = match (fact.kind, &fact.words[..]) {
        (Kind::Allow, _) => {
            let way_out = "mend it, or write #[expect(lint, reason = \"...\")]";
            return object("a lint is allowed", way_out);
        }
        (Kind::Call, [name, ..]) | (Kind::Path, [_, .., name]) => *name,
        _ => return None,
    };
    if !matches!(name, "unwrap" | "expect") || fact.in_tests || source.is_test {
        return None;
    }
    object(
        format!("`{name}` outside tests"),
        "handle the other case, or return an error that says what to do",
    )
}

/// Files open with a paragraph and stay short.
pub(crate) fn form(source: &Source, fact: &Fact) -> Option<Objection> {
    let lines = fact.line;
    match (fact.kind, &fact.words[..]) {
        (Kind::Opening, line) if !line.concat().starts_with("//! ") => object(
            "the file does not open with a paragraph",
            "begin with `//!`: what it holds and what it refuses",
        ),
        (Kind::Length, _) if lines > LONGEST && !source.is_test => object(
            format!("{lines} lines before the tests; {LONGEST} is the most"),
            "look for the second thing in it and give that a file",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::together;
    use super::*;

    fn law(name: &str) -> Law {
        match name {
            "imports" => imports,
            "layers" => layers,
            "methods" => methods,
            "marks" => marks,
            "mending" => mending,
            "deciding" => deciding,
            "kinds" => kinds,
            "platforms" => platforms,
            "crates" => crates,
            "purity" => purity,
            "sql" => sql,
            "shortcuts" => shortcuts,
            "form" => form,
            _ => panic!("{name} is no law"),
        }
    }

    /// The parts of what is planted, as `planted.rs` explains them, are files that stand side by side.
    #[track_caller]
    fn check(planted: &str) {
        let parts = planted.to_owned().leak().split("//@ ").skip(1);
        let parts: Vec<Vec<&str>> = parts
            .map(|part| part.splitn(3, [' ', '\n']).collect())
            .collect();
        let sources = parts.iter().map(|part| Source::new(part[1], part[2]));
        for (source, part) in together(sources.collect()).iter().zip(&parts) {
            let told = breaches(law(part[0]), source);
            let lines = part[2].lines().zip(1..);
            let marked =
                lines.filter_map(|(line, number)| Some((number, line.split_once("//~ ")?.1)));
            let marked: Vec<(usize, &str)> = marked.collect();
            let is_told = |((line, piece), told): (&(usize, &str), &String)| {
                let place = format!("{}:{line}: ", source.file);
                told.starts_with(&place) && told.contains(piece) && told.contains("\n    way out: ")
            };
            let are_told = told.len() == marked.len() && marked.iter().zip(&told).all(is_told);
            assert!(are_told, "{part:#?} {told:#?}");
        }
    }

    #[test]
    fn planted_breaches_are_found() {
        check(include_str!("planted.rs"));
    }

    #[test]
    fn layers_that_reach_up_are_found() {
        for (place, lower) in LAYERS.iter().enumerate() {
            for upper in &LAYERS[place + 1..] {
                check(&format!(
                    "//@ layers src/domain/desk/{lower}/some.rs
                     use crate::domain::desk::{upper}::x; //~ the layer `{lower}` may not use `{upper}`
                     use super::super::{{
                        {upper}::y, //~ the layer `{lower}` may not use `{upper}`
                     }};
                     //@ layers src/domain/desk/{upper}/some.rs
                     use crate::domain::desk::{lower};
                     fn f() {{ {lower}::x() }}"
                ));
            }
        }
    }

    #[test]
    fn long_files_are_found() {
        let lines = |count: usize| {
            "//@ form src/a.rs\n//! About.\n".to_owned() + &"fn f() {}\n".repeat(count)
        };
        let tests = "#[cfg(test)]\nmod tests {\n".to_owned() + &"fn f() {}\n".repeat(200) + "}";
        check(&(lines(449) + "fn f() {} //~ 451 lines before the tests; 450 is the most"));
        check(&lines(449));
        check(&(lines(400) + &tests));
    }
}
