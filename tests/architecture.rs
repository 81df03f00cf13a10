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
    Room { name: "metrics", uses: &[], crates: &["prometheus_client"] },
    Room { name: "call", uses: &[], crates: &[] },
    Room { name: "web", uses: &[], crates: &["hyper_rustls", "hyper_util", "tokio", "tower"] },
    Room { name: "domain",
        uses: &[],
        crates: &["countersign_ledger", "countersign_ground::digest", "globset", "clap", "shell_words"] },
    Room { name: "evidence", uses: &[], crates: &["countersign_ledger"] },
    Room { name: "config", uses: &["domain"], crates: &["toml", "annotate_snippets", "schemars", "secrecy"] },
    Room { name: "store",
        uses: &["domain"],
        crates: &["countersign_ledger", "countersign_ground::chance", "countersign_ground::digest", "sqlx", "tokio",
            "tokio_util"] },
    Room { name: "clerk", uses: &["domain", "store"], crates: &[] },
    Room { name: "forges",
        uses: &["call", "web", "domain"],
        crates: &["countersign_ground::digest", "octocrab", "reqwest", "tokio", "tokio_util"] },
    Room { name: "chats",
        uses: &["call", "web", "domain"],
        crates: &["countersign_ground::clock", "countersign_ground::digest", "futures_util", "serenity", "tokio",
            "tokio_tungstenite", "tokio_util"] },
    Room { name: "outposts",
        uses: &["web", "domain"],
        crates: &["countersign_ledger", "countersign_ground::digest", "hyper", "hyper_util", "tokio"] },
    Room { name: "engine",
        uses: &["metrics", "call", "domain", "evidence", "store", "clerk", "forges", "chats", "outposts"],
        crates: &["countersign_ledger", "countersign_ground::clock", "countersign_ground::chance", "tokio", "tokio_util"] },
    Room { name: "http",
        uses: &["metrics", "domain", "store", "clerk", "forges", "chats"],
        crates: &["countersign_ledger", "countersign_ground::clock", "countersign_ground::chance", "axum", "tower",
            "tower_http", "hyper", "hyper_util", "tokio", "tokio_util"] },
    Room { name: "cli",
        uses: &["metrics", "domain", "evidence", "config", "store", "clerk", "forges", "chats", "outposts", "engine",
            "http"],
        crates: &["countersign_ledger", "countersign_ground::clock", "countersign_ground::chance",
            "countersign_ground::digest", "countersign_sandbox", "clap", "clap_complete", "clap_mangen", "anyhow",
            "secrecy", "tracing_subscriber", "rustix", "tokio", "tokio_util"] },
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

/// Who sees only the `door` file of their parents.
const DOOR: &str = "http";

/// Who makes the parts of each of them, and so may go past the fronts in their parents.
const MAKER: &str = "cli";

/// What each of them is called where it is told apart from the others.
const PLATFORMS: &[&str] = &["GitHub", "GitLab", "Discord", "Slack"];

/// Where platforms are told apart besides their own rooms, which are called like them, and the fronts. ARCHITECTURE.md
/// has the reason for each.
const TOLD_APART: &[&str] = &[
    "src/cli/init/mod.rs",
    "src/cli/init/text.rs",
    "src/config/valid/mod.rs",
    "src/config/valid/trigger.rs",
    "src/domain/channel.rs",
    "src/domain/chat.rs",
    "src/domain/forge.rs",
    "src/domain/gate.rs",
    "src/domain/policy_text/first.rs",
    "src/domain/policy_text/mod.rs",
    "src/domain/repository_id.rs",
    "src/domain/role.rs",
];

/// Fronts, those of the demo's small ones among them, the command that sets up one of them, and the kinds of triggers,
/// each of which belongs to one forge.
const FRONTS: &[&[&str]] = &[
    &["forges"],
    &["chats"],
    &["cli", "demo", "forge"],
    &["cli", "demo", "chat"],
    &["cli", "setup"],
    &["domain", "trigger"],
];

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

/// Who tells kinds of triggers apart: they themselves, the configuration that makes them, and the first spelling of a
/// policy, which knows those of its day only.
const TRIGGERS: &str = "Trigger";
const TELLING_APART: &[&[&str]] = &[
    &["domain", "trigger"],
    &["config"],
    &["domain", "policy_text", "first"],
];

/// What makes the desk decide.
const DECIDING: &[&str] = &["decide", "desk", "unfold", "Incoming"];

/// Rooms without input, output, waiting or clocks.
const PURE: &[&str] = &["domain", "evidence", "ledger"];

/// Where statements of SQL stand: in the store, and with the intruder of the sandbox, who goes past it.
const STORES: &[&[&str]] = &[&["store"], &["sandbox", "intruder"]];

/// Programs that stand beside what is pure.
const BESIDE: &[&str] = &["ledger", "bin"];

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

/// What one touches for a new kind of trigger, shown by one that is there: its own file, the list, and its setting. How
/// its forge carries it out stands with the forge's client, in words of its own.
#[test]
fn a_kind_of_trigger_stands_in_its_own_file_and_three_more() {
    // The spelling of the first version is never changed.
    let other = "src/domain/policy_text/first.rs";
    let words = ["ApproveThenPlay", "approve_then_play"];
    let say_it = every_source()
        .iter()
        .filter(|source| words.iter().any(|word| laws::says(source, word)));
    let files: Vec<&str> = say_it
        .map(|source| source.file)
        .filter(|file| *file != other)
        .collect();
    assert_eq!(
        files,
        [
            "src/config/raw/services.rs",
            "src/config/valid/trigger.rs",
            "src/domain/trigger/approve_then_play.rs",
            "src/domain/trigger/mod.rs",
        ]
    );
}

#[test]
fn nobody_but_the_configuration_tells_kinds_of_triggers_apart() {
    hold(laws::kinds, rooms());
}

/// A new chat or forge is a room and a line in its front, and few files more.
#[test]
fn platforms_are_told_apart_in_their_rooms_and_few_files_more() {
    hold(laws::platforms, rooms());
    for file in TOLD_APART {
        let mut sources = rooms().filter(|source| source.file == *file);
        let tells = |source: &Source| source.facts.iter().any(laws::tells_apart);
        assert!(
            sources.any(tells),
            "{file} tells no platform apart any more: take it off the list, and out of ARCHITECTURE.md"
        );
    }
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
            let reserved = reserved.split("::").next().unwrap_or(reserved);
            let name = reserved.replace('_', "-");
            assert!(
                [reserved, name.as_str()]
                    .iter()
                    .any(|name| lock.contains(&format!("name = \"{name}\"\n"))),
                "{reserved} is no crate of ours: is it misspelt in the table?"
            );
        }
    }
}
