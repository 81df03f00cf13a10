//! The tree of dependencies, and what must not come back into it: a second TLS stack, Discord's gateway, a
//! source besides the default registry. And every dependency says in one line why it is there.

use toml::{Table, Value};

/// A package that must not be in the lock file.
struct Forbidden {
    name: &'static str,
    /// The only versions that may be there, by how they begin; empty when there are none.
    except: &'static str,
    why: &'static str,
}

const FORBIDDEN: &[Forbidden] = &[
    Forbidden {
        name: "openssl",
        except: "",
        why: "TLS is rustls everywhere",
    },
    Forbidden {
        name: "openssl-sys",
        except: "",
        why: "TLS is rustls everywhere",
    },
    Forbidden {
        name: "native-tls",
        except: "",
        why: "TLS is rustls everywhere",
    },
    Forbidden {
        name: "rustls",
        except: "0.23.",
        why: "one TLS stack, the one without open advisories",
    },
    Forbidden {
        name: "hyper",
        except: "1.",
        why: "one HTTP stack",
    },
    // The version of axum's WebSockets, which are the sandbox Slack's; serenity's gateway has an older one.
    Forbidden {
        name: "tungstenite",
        except: "0.29.",
        why: "only Slack's Socket Mode needs it; Discord is served over HTTP interactions, not its gateway",
    },
    Forbidden {
        name: "tokio-tungstenite",
        except: "0.29.",
        why: "only Slack's Socket Mode needs it; Discord is served over HTTP interactions, not its gateway",
    },
];

/// serenity gives us models, builders and a verifier; with these it would make calls of its own.
const NOT_WITH_SERENITY: &[&str] = &[
    "hyper",
    "reqwest",
    "rustls",
    "tokio-rustls",
    "tokio-tungstenite",
];

/// What is wrong with a lock file.
fn offences_of_lock(lock: &str) -> Vec<String> {
    let lock: Table = lock.parse().unwrap_or_default();
    match lock.get("package").and_then(Value::as_array) {
        Some(packages) => packages.iter().flat_map(offences_of_package).collect(),
        None => vec!["the lock file lists no packages".to_owned()],
    }
}

fn offences_of_package(package: &Value) -> Vec<String> {
    let text = |key: &str| package.get(key).and_then(Value::as_str).unwrap_or_default();
    let (name, version, source) = (text("name"), text("version"), text("source"));
    let mut offences = Vec::new();
    for forbidden in FORBIDDEN {
        let is_exception = !forbidden.except.is_empty() && version.starts_with(forbidden.except);
        if forbidden.name == name && !is_exception {
            offences.push(format!(
                "{name} {version}: {}; `cargo tree -i {name}` shows who brings it",
                forbidden.why
            ));
        }
    }
    if !source.is_empty() && !source.starts_with("registry+") {
        offences.push(format!("{name} {version} does not come from the registry"));
    }
    let needs = package.get("dependencies").and_then(Value::as_array);
    for needed in needs.into_iter().flatten().filter_map(Value::as_str) {
        let needed = needed.split(' ').next().unwrap_or(needed);
        if name == "serenity" && NOT_WITH_SERENITY.contains(&needed) {
            offences.push(format!(
                "serenity brings {needed}: keep its features at `builder` and `interactions_endpoint`"
            ));
        }
    }
    offences
}

/// The dependencies of a manifest that have no one-line comment directly above them.
fn uncommented(manifest: &str) -> Vec<String> {
    let is_comment = |line: &str| line.starts_with("# ");
    let mut missing = Vec::new();
    let mut in_dependencies = false;
    let mut open_brackets = 0_usize;
    let (mut before, mut above) = ("", "");
    for line in manifest.lines() {
        let has_reason = is_comment(above) && !is_comment(before);
        let is_comment = line.trim_start().starts_with('#');
        if open_brackets == 0 && line.starts_with('[') {
            let section = line.trim_matches(['[', ']']);
            let last = section.rsplit('.').next().unwrap_or(section);
            in_dependencies = last.ends_with("dependencies");
            if section.contains("dependencies.") && !has_reason {
                missing.push(section.to_owned());
            }
        } else if !is_comment {
            let name = line.split(['=', '.']).next().unwrap_or_default().trim();
            if in_dependencies && open_brackets == 0 && !name.is_empty() && !has_reason {
                missing.push(name.to_owned());
            }
            let opened = line.matches(['[', '{']).count();
            open_brackets =
                (open_brackets + opened).saturating_sub(line.matches([']', '}']).count());
        }
        (before, above) = (above, line);
    }
    missing
}

#[test]
fn the_lock_file_holds_one_tls_stack_and_no_gateway() {
    let offences = offences_of_lock(include_str!("../Cargo.lock"));
    assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
}

const MANIFESTS: [(&str, &str); 4] = [
    ("Cargo.toml", include_str!("../Cargo.toml")),
    (
        "crates/ground/Cargo.toml",
        include_str!("../crates/ground/Cargo.toml"),
    ),
    (
        "crates/ledger/Cargo.toml",
        include_str!("../crates/ledger/Cargo.toml"),
    ),
    (
        "crates/sandbox/Cargo.toml",
        include_str!("../crates/sandbox/Cargo.toml"),
    ),
];

#[test]
fn every_dependency_says_why_it_is_there() {
    for (name, manifest) in MANIFESTS {
        let missing = uncommented(manifest);
        assert!(
            missing.is_empty(),
            "write one line directly above each in {name}, saying what it does here: {}",
            missing.join(", ")
        );
    }
}

/// What a part of a manifest says.
fn said(manifest: &str, path: &[&str]) -> Value {
    let mut value = Value::Table(manifest.parse().unwrap_or_default());
    for key in path {
        value = value.get(key).cloned().unwrap_or(Value::Array(Vec::new()));
    }
    value
}

#[test]
fn the_demo_has_two_fakes_and_no_known_key() {
    let [(_, root), .., (_, sandbox)] = MANIFESTS;
    let texts = |texts: &[&str]| Value::Array(texts.iter().map(|text| (*text).into()).collect());
    assert_eq!(said(root, &["features", "default"]), texts(&["demo"]));
    assert_eq!(
        said(root, &["features", "demo"]),
        texts(&[
            "dep:countersign-sandbox",
            "countersign-sandbox/discord",
            "countersign-sandbox/github",
            "countersign-sandbox/intruder",
        ])
    );
    // Two more for whoever asks for them.
    for (feature, fake) in [("demo-gitlab", "gitlab"), ("demo-slack", "slack")] {
        let brought = texts(&["demo", &format!("countersign-sandbox/{fake}")]);
        assert_eq!(said(root, &["features", feature]), brought);
    }
    let crate_ = ["dependencies", "countersign-sandbox"];
    assert_eq!(said(root, &crate_)["optional"], true.into());
    assert_eq!(said(root, &[crate_[0], crate_[1], "features"]), texts(&[]));
    assert_eq!(said(sandbox, &["features", "default"]), texts(&[]));
    // These bring neither the key that tests know nor another fake.
    for feature in ["discord", "github", "gitlab", "intruder"] {
        for brought in said(sandbox, &["features", feature])
            .as_array()
            .into_iter()
            .flatten()
        {
            assert!(
                brought
                    .as_str()
                    .is_some_and(|name| name.starts_with("dep:"))
            );
        }
    }
}

#[test]
fn the_ledger_needs_nothing_that_waits_and_nothing_of_the_product() {
    let manifest = said(MANIFESTS[2].1, &["dependencies"]);
    let names: Vec<&str> = manifest
        .as_table()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "base64",
            "ed25519-dalek",
            "hmac",
            "jiff",
            "serde",
            "serde_json",
            "sha2",
            "signed_note",
            "thiserror",
            "tlog_tiles",
        ]
    );
}

#[test]
fn planted_packages_are_found() {
    assert_eq!(offences_of_lock("no lock file").len(), 1);
    for (package, expect) in [
        ("name = \"rustls\"\nversion = \"0.22.4\"", 1),
        ("name = \"rustls\"\nversion = \"0.24.0\"", 1),
        ("name = \"rustls\"\nversion = \"0.23.46\"", 0),
        ("name = \"openssl\"\nversion = \"0.10.70\"", 1),
        ("name = \"openssl-sys\"\nversion = \"0.9.1\"", 1),
        ("name = \"openssl-probe\"\nversion = \"0.2.0\"", 0),
        ("name = \"native-tls\"\nversion = \"0.2.1\"", 1),
        ("name = \"hyper\"\nversion = \"0.14.30\"", 1),
        ("name = \"hyper\"\nversion = \"1.12.0\"", 0),
        ("name = \"tokio-tungstenite\"\nversion = \"0.21.0\"", 1),
        ("name = \"tokio-tungstenite\"\nversion = \"0.29.0\"", 0),
        (
            "name = \"serenity\"\nversion = \"0.12.5\"\ndependencies = [\"reqwest 0.12.1\", \"serde\"]",
            1,
        ),
        (
            "name = \"octocrab\"\nversion = \"0.54.9\"\ndependencies = [\"hyper\"]",
            0,
        ),
        (
            "name = \"left\"\nversion = \"1.0.0\"\nsource = \"git+https://forge.example/left\"",
            1,
        ),
        (
            "name = \"left\"\nversion = \"1.0.0\"\nsource = \"registry+https://registry.example\"",
            0,
        ),
    ] {
        let offences = offences_of_lock(&format!("version = 4\n[[package]]\n{package}\n"));
        assert_eq!(offences.len(), expect, "{package}: {offences:?}");
    }
}

#[test]
fn planted_dependencies_without_a_reason_are_found() {
    for (manifest, expect) in [
        ("[dependencies]\n# Why.\na = \"1\"\n", vec![]),
        ("[dependencies]\na = \"1\"\n", vec!["a"]),
        ("[dependencies]\n# Why.\na = \"1\"\nb = \"1\"\n", vec!["b"]),
        ("[dependencies]\n# Why.\n\na = \"1\"\n", vec!["a"]),
        (
            "[dependencies]\n# Why,\n# at length.\na = \"1\"\n",
            vec!["a"],
        ),
        ("[dependencies]\n#\na = \"1\"\n", vec!["a"]),
        (
            "[dependencies]\n# Why.\na = { version = \"1\", features = [\n  \"x\",\n] }\nb.workspace = true\n",
            vec!["b"],
        ),
        ("[dev-dependencies]\na = \"1\"\n", vec!["a"]),
        ("[target.'cfg(unix)'.dependencies]\na = \"1\"\n", vec!["a"]),
        (
            "[dependencies.a]\nversion = \"1\"\n",
            vec!["dependencies.a"],
        ),
        (
            "[package]\nname = \"a\"\n\n[lints.rust]\nb = \"warn\"\n",
            vec![],
        ),
    ] {
        assert_eq!(uncommented(manifest), expect, "{manifest}");
    }
}
