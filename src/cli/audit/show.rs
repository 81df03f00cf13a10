//! `audit show`: one entry with its evidence, as a tree that can be read aloud.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value};

use super::lines::{outcome, seconds};
use crate::cli::{ConfigFile, EXIT_INVALID, complain, open, say};
use crate::store::{Store, ledger};
use countersign_ledger::{Shown, clean};

#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    #[command(flatten)]
    file: ConfigFile,
    /// The entry's number, as `audit query` shows it
    number: i64,
}

pub(super) async fn run(show: &Show) -> anyhow::Result<ExitCode> {
    let Some(store) = open::configured_store(&show.file.path).await? else {
        return Ok(ExitCode::from(EXIT_INVALID));
    };
    let found = find(&store, show.number).await;
    store.close().await;
    match found? {
        Some(entry) => {
            for line in tree(&entry) {
                say(&line);
            }
            Ok(ExitCode::SUCCESS)
        }
        None => {
            complain(&format!("there is no entry {}", show.number));
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn find(store: &Store, number: i64) -> anyhow::Result<Option<Shown>> {
    let Some(stored) = ledger::one(store, number).await? else {
        return Ok(None);
    };
    Ok(ledger::shown(store, &[stored]).await?.pop())
}

/// A branch: a line, and what hangs below it.
struct Branch {
    line: String,
    under: Vec<Branch>,
}

impl Branch {
    fn leaf(line: String) -> Self {
        Self {
            line,
            under: Vec::new(),
        }
    }
}

fn tree(shown: &Shown) -> Vec<String> {
    let title = format!(
        "Entry {}: {} ({})",
        shown.seq,
        clean(shown.frame("action")),
        outcome(shown)
    );
    let person = shown.person().filter(|person| *person != shown.who());
    let person = person.map(|person| format!(", {}", clean(&person)));
    let mut branches = vec![
        Branch::leaf(format!("at: {}", clean(shown.frame("at")))),
        Branch::leaf(format!(
            "by: {}{}",
            clean(&shown.who()),
            person.unwrap_or_default()
        )),
        Branch::leaf(format!("log: {}", clean(shown.frame("log")))),
    ];
    let mut later = Vec::new();
    if let Some(Value::Object(detail)) = shown.entry.get("detail") {
        for (name, value) in detail {
            let branch = branch(name, value);
            if branch.under.is_empty() {
                branches.push(branch);
            } else {
                later.push(branch);
            }
        }
    }
    branches.append(&mut later);
    if !shown.erased.is_empty() {
        let names = shown.erased.iter().map(|name| Branch::leaf(clean(name)));
        branches.push(Branch {
            line: "erased; the log's proofs stay as they are".to_owned(),
            under: names.collect(),
        });
    }
    let mut lines = vec![title];
    write(&branches, "", &mut lines);
    lines
}

fn write(branches: &[Branch], indent: &str, lines: &mut Vec<String>) {
    let last = branches.len().saturating_sub(1);
    for (index, branch) in branches.iter().enumerate() {
        let (fork, more) = if index == last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        lines.push(format!("{indent}{fork}{}", branch.line));
        write(&branch.under, &format!("{indent}{more}"), lines);
    }
}

fn branch(name: &str, value: &Value) -> Branch {
    let name = clean(name).replace('_', " ");
    match value {
        Value::Object(parts) if is_erased(parts) => Branch::leaf(format!("{name}: (erased)")),
        Value::Object(parts) if parts.contains_key("says") => {
            let mut reason = reason(parts);
            reason.line = format!("{name}: {}", reason.line);
            reason
        }
        Value::Object(parts) => Branch {
            line: name,
            under: parts
                .iter()
                .map(|(name, value)| branch(name, value))
                .collect(),
        },
        Value::Array(items) if items.is_empty() => Branch::leaf(format!("{name}: none")),
        Value::Array(items) => Branch {
            line: name,
            under: items.iter().map(item).collect(),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Branch::leaf(format!("{name}: {}", plain(value)))
        }
    }
}

/// One of several.
fn item(value: &Value) -> Branch {
    match value {
        Value::Object(parts) if is_erased(parts) => Branch::leaf("(erased)".to_owned()),
        Value::Object(parts) if parts.contains_key("says") => reason(parts),
        Value::Object(parts) if parts.contains_key("gate") => gate(parts),
        Value::Object(parts) if parts.contains_key("conclusion") => Branch::leaf(report(parts)),
        Value::Object(parts) => {
            let words = parts
                .iter()
                .map(|(name, value)| branch(name, value))
                .collect::<Vec<_>>();
            if words.iter().all(|word| word.under.is_empty()) {
                let words: Vec<String> = words.into_iter().map(|word| word.line).collect();
                Branch::leaf(words.join(", "))
            } else {
                Branch {
                    line: "•".to_owned(),
                    under: words,
                }
            }
        }
        Value::Array(items) => Branch {
            line: "•".to_owned(),
            under: items.iter().map(item).collect(),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Branch::leaf(plain(value))
        }
    }
}

/// A reason with its mark, and those that it rests on.
fn reason(parts: &Map<String, Value>) -> Branch {
    let text = |name: &str| parts.get(name).and_then(Value::as_str).unwrap_or_default();
    let mark = match text("verdict") {
        "holds" => "✔",
        "waits" => "…",
        "unknown" => "?",
        _ => "✘",
    };
    let under = parts.get("under").and_then(Value::as_array);
    Branch {
        line: format!("{mark} {}", clean(text("says")))
            .trim_end()
            .to_owned(),
        under: under.into_iter().flatten().map(item).collect(),
    }
}

/// A gate with the reports that count for it.
fn gate(parts: &Map<String, Value>) -> Branch {
    let reports = parts.get("reports").and_then(Value::as_array);
    let under: Vec<Branch> = reports.into_iter().flatten().map(item).collect();
    let name = parts.get("gate").map(plain).unwrap_or_default();
    Branch {
        line: if under.is_empty() {
            format!("{name}: no report")
        } else {
            name
        },
        under,
    }
}

fn report(parts: &Map<String, Value>) -> String {
    let text = |name: &str| clean(parts.get(name).and_then(Value::as_str).unwrap_or_default());
    let at = parts.get("at").and_then(Value::as_str);
    let at = at.map(seconds).unwrap_or_default();
    format!(
        "{}: {} at {at}, said by {} {}",
        text("name"),
        text("conclusion"),
        text("source"),
        text("url")
    )
    .trim_end()
    .to_owned()
}

fn is_erased(parts: &Map<String, Value>) -> bool {
    parts.len() == 1 && (parts.contains_key("private") || parts.contains_key("aside"))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => clean(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            clean(&value.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entry_is_a_tree_with_its_evidence() {
        let entry = json!({
            "action": "refused",
            "actor": {"forge": "github", "id": 7, "login": {"private": "x"}},
            "at": "2026-01-31T14:30:00Z",
            "log": "example.com/log",
            "detail": {
                "approvals": [{"person": "dora", "role": "deployer"}],
                "command": {"private": "x"},
                "evidence": {
                    "commits": ["0123", "4567"],
                    "gates": [
                        {"gate": "check:build", "reports": [{
                            "name": "build", "source": "app:5", "conclusion": "failure",
                            "url": "https://example.com/1", "at": "2026-01-31T14:00:00Z",
                        }]},
                        {"gate": "status:lint", "reports": []},
                    ],
                    "policy": "sha256:ab",
                    "reasons": {"verdict": "refuses", "says": "", "under": [
                        {"verdict": "holds", "says": "it is on `main`"},
                        {"verdict": "refuses", "says": "build is \u{1b}[31mred", "under": [
                            {"verdict": "unknown", "says": "nobody knows"},
                        ]},
                    ]},
                    "titles": [],
                },
                "service": "shop",
            },
        });
        let shown = Shown {
            seq: 9,
            entry,
            erased: vec!["actor.login".to_owned(), "command".to_owned()],
        };
        assert_eq!(
            tree(&shown).join("\n"),
            "\
Entry 9: refused (refused)
├─ at: 2026-01-31T14:30:00Z
├─ by: github:7
├─ log: example.com/log
├─ command: (erased)
├─ service: shop
├─ approvals
│  └─ person: dora, role: deployer
├─ evidence
│  ├─ commits
│  │  ├─ 0123
│  │  └─ 4567
│  ├─ gates
│  │  ├─ check:build
│  │  │  └─ build: failure at 2026-01-31 14:00:00Z, said by app:5 https://example.com/1
│  │  └─ status:lint: no report
│  ├─ policy: sha256:ab
│  ├─ reasons: ✘
│  │  ├─ ✔ it is on `main`
│  │  └─ ✘ build is  [31mred
│  │     └─ ? nobody knows
│  └─ titles: none
└─ erased; the log's proofs stay as they are
   ├─ actor.login
   └─ command"
        );
    }
}
