//! The law of imports, read off the sources themselves: which module may use which, and which crates
//! are kept to one room. A change of this table is a change of the design, to be argued as one.
//! What macros are given is read as well; a path that only a macro puts together is not seen.

#[path = "architecture/facts.rs"]
mod facts;
#[path = "architecture/laws.rs"]
mod laws;
#[path = "architecture/reader.rs"]
mod reader;
#[path = "architecture/source.rs"]
mod source;

use std::path::Path;
use std::sync::LazyLock;

use laws::Law;
use source::Source;

/// A top-level module.
struct Room {
    name: &'static str,
    /// The modules that it may use besides itself.
    uses: &'static [&'static str],
    /// A crate named in any row is kept to the rows that name it; all other crates are free.
    crates: &'static [&'static str],
}

/// One row for each module of `src/lib.rs`, in its order.
#[rustfmt::skip]
const ROOMS: &[Room] = &[
    Room { name: "clock", uses: &[], crates: &["tokio"] },
    Room { name: "chance", uses: &[], crates: &["getrandom"] },
    Room { name: "digest", uses: &[], crates: &["sha2", "hmac"] },
    Room { name: "metrics", uses: &[], crates: &["prometheus_client"] },
    Room { name: "call", uses: &[], crates: &[] },
    Room { name: "web", uses: &[], crates: &["hyper_rustls", "hyper_util", "tokio", "tower"] },
    Room { name: "domain", uses: &[], crates: &["globset", "clap", "shell_words"] },
    Room { name: "ledger",
        uses: &["digest", "domain"],
        crates: &["base64", "ed25519_dalek", "sha2", "signed_note", "tlog_tiles"] },
    Room { name: "config", uses: &["domain"], crates: &["toml", "annotate_snippets", "schemars", "secrecy"] },
    Room { name: "store", uses: &["chance", "digest", "domain", "ledger"], crates: &["sqlx", "tokio", "tokio_util"] },
    Room { name: "clerk", uses: &["domain", "store"], crates: &[] },
    Room { name: "forges",
        uses: &["digest", "call", "web", "domain"],
        crates: &["octocrab", "reqwest", "tokio", "tokio_util"] },
    Room { name: "chats",
        uses: &["clock", "digest", "call", "web", "domain"],
        crates: &["futures_util", "serenity", "tokio", "tokio_tungstenite", "tokio_util"] },
    Room { name: "outposts",
        uses: &["digest", "web", "domain", "ledger"],
        crates: &["hyper", "hyper_util", "tokio"] },
    Room { name: "engine",
        uses: &["clock", "chance", "metrics", "call", "domain", "ledger", "store", "clerk", "forges", "chats", "outposts"],
        crates: &["tokio", "tokio_util"] },
    Room { name: "http",
        uses: &["clock", "chance", "metrics", "domain", "ledger", "store", "clerk", "forges", "chats"],
        crates: &["axum", "tower", "tower_http", "hyper", "hyper_util", "tokio", "tokio_util"] },
    Room { name: "sandbox",
        uses: &["clock", "digest", "domain"],
        crates: &["axum", "base64", "ed25519_dalek", "tokio", "tokio_util"] },
    Room { name: "cli",
        uses: &["clock", "chance", "digest", "metrics", "domain", "ledger", "config", "store", "clerk", "forges", "chats",
            "outposts", "engine", "http", "sandbox"],
        crates: &["clap", "clap_complete", "clap_mangen", "anyhow", "secrecy", "tracing_subscriber", "rustix", "tokio",
            "tokio_util"] },
];

/// The binary hands over to `cli` and knows nothing else.
const MAIN: Room = Room {
    name: "main",
    uses: &["cli"],
    crates: &[],
};

/// The map only names the modules.
const MAP: Room = Room {
    name: "lib",
    uses: &[],
    crates: &[],
};

/// Neighbours who do not know each other; only their common parent knows both.
const STRANGERS: &[(&str, &[&str])] = &[
    ("forges", &["github", "gitlab"]),
    ("chats", &["discord", "slack"]),
];

/// Who sees the `edge` files of these neighbours only.
const DOOR: &str = "http";

/// The files and folders of a neighbour that make up its edge.
const EDGES: &[&str] = &["edge", "interpret", "payload"];

/// The layers of the desk, bottom to top: each uses only those before it in this list.
const LAYERS: &[&str] = &[
    "sitting",
    "known",
    "telling",
    "links",
    "examine",
    "release",
    "candidates",
    "asked",
    "glances",
    "chat",
    "timers",
    "door",
    "tests",
];

/// Where the layers are, and whose methods are kept to the lowest of them.
const DESK: [&str; 2] = ["domain", "desk"];
const SITTING: &str = "Sitting";

/// Where Markdown is read that is not ours to know: what people write, and what the demo shows of a forge's page.
const READERS: &[&[&str]] = &[&["domain", "command"], &["cli", "demo"], &["sandbox"]];

/// What makes the desk decide.
const DECIDING: &[&str] = &["decide", "desk", "unfold", "Incoming"];

/// Rooms without input, output, waiting or clocks.
const PURE: &[&str] = &["domain", "ledger"];

/// Lines of a file before its tests.
const LONGEST: usize = 450;

/// Every source of this package and of its workspace. The laws that are held side by side share them, since
/// reading takes longest.
fn every_source() -> &'static [Source] {
    static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
        let read = source::every(Path::new(env!("CARGO_MANIFEST_DIR")));
        let found = read.unwrap_or_else(|error| panic!("the sources cannot be read: {error}"));
        assert!(found.len() > ROOMS.len(), "the sources were not found");
        found
    });
    &SOURCES
}

/// The sources of the package that the table is about.
fn rooms() -> impl Iterator<Item = &'static Source> {
    let sources = every_source().iter();
    sources.filter(|source| source.file.starts_with("src/"))
}

/// The modules that a file says live in files of their own.
fn declared_in(file: &str) -> Vec<&'static str> {
    let sources = every_source().iter().filter(|source| source.file == file);
    let declared = sources.flat_map(Source::declared_modules);
    declared.flat_map(|fact| fact.words.clone()).collect()
}

fn hold(law: Law, sources: impl IntoIterator<Item = &'static Source>) {
    let sources = sources.into_iter();
    let breaches: Vec<String> = sources
        .flat_map(|source| laws::breaches(law, source))
        .collect();
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn modules_use_only_what_stands_below_them() {
    hold(laws::imports, rooms());
}

#[test]
fn the_desk_is_built_in_layers() {
    hold(laws::layers, rooms());
}

#[test]
fn only_the_lowest_layer_gives_the_sitting_methods() {
    hold(laws::methods, rooms());
}

#[test]
fn nobody_reads_our_own_marks_back() {
    hold(laws::marks, every_source());
}

#[test]
fn the_desk_mends_no_finished_answer() {
    hold(laws::mending, rooms());
}

/// What one touches for a new rule, shown by one that is there: its own file, the list, its setting in the
/// configuration, and whether the setting belongs to the policy that people approve. Its sentences stand in its file.
#[test]
fn a_rule_stands_in_its_own_file_and_five_more() {
    // Bytes are frozen there, and the spelling of the first version is never changed.
    let others = ["src/http/body.rs", "src/domain/policy_text/first.rs"];
    let say_freeze = every_source()
        .iter()
        .filter(|source| laws::says(source, "freeze"));
    let files = say_freeze.map(|source| source.file);
    let files: Vec<&str> = files.filter(|file| !others.contains(file)).collect();
    assert_eq!(
        files,
        [
            "src/config/raw/services.rs",
            "src/config/valid/environment.rs",
            "src/domain/desk/examine/rules/freeze.rs",
            "src/domain/desk/examine/rules/mod.rs",
            "src/domain/environment.rs",
            "src/domain/policy_text/keys.rs",
        ]
    );
}

#[test]
fn the_door_looks_and_never_decides() {
    hold(laws::deciding, rooms());
}

#[test]
fn the_desk_and_the_table_have_the_same_layers_in_the_same_order() {
    assert_eq!(
        declared_in("src/domain/desk/mod.rs"),
        LAYERS,
        "src/domain/desk/mod.rs (left) and LAYERS in tests/architecture.rs (right) differ"
    );
}

#[test]
fn crates_stay_in_their_rooms() {
    hold(laws::crates, rooms());
}

#[test]
fn pure_rooms_and_edges_do_not_wait_or_look_outside() {
    hold(laws::purity, every_source());
}

#[test]
fn statements_of_sql_stand_in_the_store() {
    hold(laws::sql, every_source());
}

#[test]
fn nothing_is_allowed_and_nothing_is_taken_for_granted() {
    hold(laws::shortcuts, every_source());
}

#[test]
fn files_are_short_and_open_with_a_paragraph() {
    hold(laws::form, every_source());
}

#[test]
fn the_map_and_the_table_have_the_same_modules_in_the_same_order() {
    let table: Vec<&str> = ROOMS.iter().map(|room| room.name).collect();
    assert_eq!(
        declared_in("src/lib.rs"),
        table,
        "src/lib.rs (left) and the table in tests/architecture.rs (right) differ: give every module a row, in the map's order"
    );
}

#[test]
fn the_table_itself_points_downwards_and_names_real_crates() {
    let lock = include_str!("../Cargo.lock");
    for (index, room) in ROOMS.iter().enumerate() {
        let below: Vec<&str> = ROOMS[..index].iter().map(|room| room.name).collect();
        for used in room.uses {
            assert!(below.contains(used), "{used} is not below {}", room.name);
        }
        for reserved in room.crates {
            let name = reserved.replace('_', "-");
            assert!(
                [*reserved, name.as_str()]
                    .iter()
                    .any(|name| lock.contains(&format!("name = \"{name}\"\n"))),
                "{reserved} is no crate of ours: is it misspelt in the table?"
            );
        }
    }
}
