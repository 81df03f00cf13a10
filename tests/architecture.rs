//! The law of imports, read off the sources themselves: which module may use which, and which crates
//! are kept to one room. A change of this table is a change of the design, to be argued as one.
//! The sources are read word by word, so a path that only a macro puts together is not seen.

#[path = "architecture/laws.rs"]
mod laws;
#[path = "architecture/paths.rs"]
mod paths;
#[path = "architecture/source.rs"]
mod source;
#[path = "architecture/tokens.rs"]
mod tokens;

use std::collections::BTreeSet;

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
const ROOMS: &[Room] = &[
    Room {
        name: "metrics",
        uses: &[],
        crates: &["prometheus_client"],
    },
    Room {
        name: "call",
        uses: &[],
        crates: &[],
    },
    Room {
        name: "web",
        uses: &[],
        crates: &["hyper_rustls", "hyper_util", "tokio", "tower"],
    },
    Room {
        name: "domain",
        uses: &[],
        crates: &[
            "countersign_ground",
            "countersign_ledger",
            "globset",
            "clap",
            "shell_words",
        ],
    },
    Room {
        name: "evidence",
        uses: &[],
        crates: &["countersign_ledger"],
    },
    Room {
        name: "config",
        uses: &["domain"],
        crates: &["toml", "annotate_snippets", "schemars", "secrecy"],
    },
    Room {
        name: "store",
        uses: &["domain"],
        crates: &[
            "countersign_ground",
            "countersign_ledger",
            "sqlx",
            "tokio",
            "tokio_util",
        ],
    },
    Room {
        name: "clerk",
        uses: &["domain", "store"],
        crates: &[],
    },
    Room {
        name: "forges",
        uses: &["call", "web", "domain"],
        crates: &[
            "countersign_ground",
            "octocrab",
            "reqwest",
            "tokio",
            "tokio_util",
        ],
    },
    Room {
        name: "chats",
        uses: &["call", "web", "domain"],
        crates: &[
            "countersign_ground",
            "futures_util",
            "serenity",
            "tokio",
            "tokio_tungstenite",
            "tokio_util",
        ],
    },
    Room {
        name: "outposts",
        uses: &["web", "domain"],
        crates: &[
            "countersign_ground",
            "countersign_ledger",
            "hyper",
            "hyper_util",
            "tokio",
        ],
    },
    Room {
        name: "engine",
        uses: &[
            "metrics", "call", "domain", "store", "clerk", "forges", "chats", "outposts",
        ],
        crates: &[
            "countersign_ground",
            "countersign_ledger",
            "tokio",
            "tokio_util",
        ],
    },
    Room {
        name: "http",
        uses: &["metrics", "domain", "store", "clerk", "forges", "chats"],
        crates: &[
            "countersign_ground",
            "countersign_ledger",
            "axum",
            "tower",
            "tower_http",
            "hyper",
            "hyper_util",
            "tokio",
            "tokio_util",
        ],
    },
    Room {
        name: "cli",
        uses: &[
            "metrics", "domain", "config", "store", "clerk", "forges", "chats", "outposts",
            "engine", "http",
        ],
        crates: &[
            "countersign_ground",
            "countersign_ledger",
            "countersign_sandbox",
            "clap",
            "clap_complete",
            "clap_mangen",
            "anyhow",
            "secrecy",
            "tracing_subscriber",
            "rustix",
            "tokio",
            "tokio_util",
        ],
    },
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
const READERS: &[&[&str]] = &[&["domain", "command"], &["cli", "demo"]];

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
const PURE: &[&str] = &["domain"];

/// Lines of a file before its tests.
const LONGEST: usize = 450;

fn every_source() -> Vec<Source> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let found = source::under(root).unwrap_or_default();
    assert!(found.len() > ROOMS.len(), "the sources were not found");
    found
}

fn hold(law: impl Fn(&Source) -> Vec<laws::Breach>) {
    let breaches: Vec<String> = every_source()
        .iter()
        .flat_map(law)
        .map(|breach| breach.to_string())
        .collect();
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn modules_use_only_what_stands_below_them() {
    hold(laws::imports);
}

#[test]
fn the_desk_is_built_in_layers() {
    hold(laws::layers);
}

#[test]
fn only_the_lowest_layer_gives_the_sitting_methods() {
    hold(laws::methods);
}

#[test]
fn nobody_reads_our_own_marks_back() {
    hold(laws::marks);
}

#[test]
fn the_desk_mends_no_finished_answer() {
    hold(laws::mending);
}

/// What one touches for a new rule, shown by one that is there: its own file, the list, its setting in the
/// configuration, and whether the setting belongs to the policy that people approve. Its sentences stand in its file.
#[test]
fn a_rule_stands_in_its_own_file_and_five_more() {
    // Bytes are frozen there, and the spelling of the first version is never changed.
    let others = ["src/http/body.rs", "src/domain/policy_text/first.rs"];
    let sources = every_source();
    let test_modules: BTreeSet<_> = sources.iter().flat_map(Source::test_modules).collect();
    let mut files: Vec<&str> = sources
        .iter()
        .filter(|source| laws::says(source, &test_modules, "freeze"))
        .map(|source| source.file.as_str())
        .filter(|file| !others.contains(file))
        .collect();
    files.sort_unstable();
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
    let sources = every_source();
    let test_modules: BTreeSet<_> = sources.iter().flat_map(Source::test_modules).collect();
    let words = ["ApproveThenPlay", "approve_then_play"];
    let says = |source: &&Source| {
        let mut words = words.iter();
        words.any(|word| laws::says(source, &test_modules, word))
    };
    let mut files: Vec<&str> = sources
        .iter()
        .filter(says)
        .map(|source| source.file.as_str())
        .filter(|file| *file != other)
        .collect();
    files.sort_unstable();
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
    let sources = every_source();
    let test_modules: BTreeSet<_> = sources.iter().flat_map(Source::test_modules).collect();
    hold(|source| laws::kinds(source, &test_modules));
}

#[test]
fn the_door_looks_and_never_decides() {
    hold(laws::deciding);
}

#[test]
fn the_desk_and_the_table_have_the_same_layers_in_the_same_order() {
    let desk = Source::new(
        "src/domain/desk/mod.rs",
        include_str!("../src/domain/desk/mod.rs"),
    );
    assert_eq!(
        desk.declared_modules(),
        LAYERS,
        "src/domain/desk/mod.rs (left) and LAYERS in tests/architecture.rs (right) differ"
    );
}

#[test]
fn crates_stay_in_their_rooms() {
    hold(laws::crates);
}

#[test]
fn pure_rooms_and_edges_do_not_wait_or_look_outside() {
    hold(laws::purity);
}

#[test]
fn statements_of_sql_stand_in_the_store() {
    hold(laws::sql);
}

#[test]
fn nothing_is_allowed_and_nothing_is_taken_for_granted() {
    let sources = every_source();
    let test_modules: BTreeSet<_> = sources.iter().flat_map(Source::test_modules).collect();
    hold(|source| laws::shortcuts(source, &test_modules));
}

#[test]
fn files_are_short_and_open_with_a_paragraph() {
    let sources = every_source();
    let test_modules: BTreeSet<_> = sources.iter().flat_map(Source::test_modules).collect();
    hold(|source| laws::form(source, &test_modules));
}

#[test]
fn the_map_and_the_table_have_the_same_modules_in_the_same_order() {
    let map = Source::new("src/lib.rs", include_str!("../src/lib.rs"));
    let table: Vec<&str> = ROOMS.iter().map(|room| room.name).collect();
    assert_eq!(
        map.declared_modules(),
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
