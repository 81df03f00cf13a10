//! What the documents name must exist: files, tests, metrics. A page that lies is a defect.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use countersign::metrics::{
    DeliveryLabels, EffectLabels, ExportLabels, HandledLabels, Metrics, ReloadLabels, RequestLabels,
};

const DOCUMENTS: &[(&str, &str)] = &[
    ("README.md", include_str!("../README.md")),
    ("ARCHITECTURE.md", include_str!("../ARCHITECTURE.md")),
    ("CHANGELOG.md", include_str!("../CHANGELOG.md")),
    ("docs/audit.md", include_str!("../docs/audit.md")),
    ("docs/github.md", include_str!("../docs/github.md")),
    ("docs/operations.md", OPERATIONS),
];

const OPERATIONS: &str = include_str!("../docs/operations.md");

/// Where our own files are; anything else in backticks is not taken for a file.
const FOLDERS: &[&str] = &[
    "src/",
    "tests/",
    "docs/",
    "script/",
    "migrations/",
    "benches/",
];

/// What stands between single backticks, code blocks left out.
fn quoted(document: &str) -> Vec<&str> {
    let prose = document.split("```").step_by(2);
    prose
        .flat_map(|text| text.split('`').skip(1).step_by(2))
        .collect()
}

/// What a document names and the folder does not hold.
fn missing(document: &str, root: &Path) -> Vec<String> {
    quoted(document)
        .into_iter()
        .filter(|name| FOLDERS.iter().any(|folder| name.starts_with(folder)))
        .filter(|name| {
            let (file, test) = name.split_once("::").unwrap_or((name, ""));
            let path = root.join(file);
            let holds_test = |text: String| text.contains(&format!("fn {test}("));
            let is_there = match test {
                "" => path.exists(),
                _ => fs::read_to_string(path).is_ok_and(holds_test),
            };
            !is_there
        })
        .map(str::to_owned)
        .collect()
}

/// The targets of links that are not addresses.
fn links(document: &str) -> Vec<&str> {
    document
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.contains("://") && !target.starts_with('#'))
        .collect()
}

/// Every metric by the name that dashboards use.
fn metric_names() -> BTreeSet<String> {
    let metrics = Metrics::default();
    let deliveries = DeliveryLabels {
        source: "github",
        answer: "stored",
    };
    metrics.deliveries.get_or_create(&deliveries).inc();
    let handled = HandledLabels {
        source: "github",
        outcome: "handled",
    };
    metrics.handled.get_or_create(&handled).inc();
    let effects = EffectLabels {
        kind: "react",
        outcome: "done",
    };
    metrics.effects.get_or_create(&effects).inc();
    let requests = RequestLabels {
        route: "/livez".to_owned(),
        status: 200,
    };
    metrics.requests.get_or_create(&requests).inc();
    let reloads = ReloadLabels { outcome: "loaded" };
    metrics.reloads.get_or_create(&reloads).inc();
    let exports = ExportLabels {
        export: "siem".to_owned(),
    };
    metrics.export_behind.get_or_create(&exports).set(1);
    let text = metrics.encode().unwrap_or_default();
    text.lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .filter_map(|line| line.split_once(' '))
        .map(|(name, kind)| match kind {
            "counter" => format!("{name}_total"),
            _ => name.to_owned(),
        })
        .collect()
}

/// Whether a file is there, with the heading that a link names in it.
fn leads_somewhere(folder: &Path, target: &str) -> bool {
    let Some((file, heading)) = target.split_once('#') else {
        return folder.join(target).exists();
    };
    let slug = |line: &str| {
        let words = line.trim_start_matches('#').trim().to_lowercase();
        words
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect::<String>()
    };
    fs::read_to_string(folder.join(file)).is_ok_and(|text| {
        text.lines()
            .any(|line| line.starts_with('#') && slug(line) == heading)
    })
}

#[test]
fn what_the_documents_name_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (file, text) in DOCUMENTS {
        let folder = root.join(file).parent().unwrap_or(root).to_owned();
        let dead: Vec<&str> = links(text)
            .into_iter()
            .filter(|target| !leads_somewhere(&folder, target))
            .collect();
        assert!(dead.is_empty(), "{file} links to nothing: {dead:?}");
        let missing = missing(text, root);
        assert!(
            missing.is_empty(),
            "{file} names what is not there: {missing:?}"
        );
    }
}

#[test]
fn every_metric_is_explained_and_none_is_made_up() {
    let explained: BTreeSet<String> = quoted(OPERATIONS)
        .into_iter()
        .filter(|name| name.starts_with("countersign_"))
        .map(str::to_owned)
        .collect();
    let counted = metric_names();
    assert!(counted.len() > 5, "{counted:?}");
    assert_eq!(
        explained, counted,
        "docs/operations.md (left), src/metrics.rs (right)"
    );
}

#[test]
fn what_is_planted_is_found() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (text, expect) in [
        ("`src/lib.rs` and `src/domain/`", vec![]),
        ("`src/nothing.rs`", vec!["src/nothing.rs"]),
        ("`tests/documents.rs::what_is_planted_is_found`", vec![]),
        (
            "`tests/documents.rs::what`",
            vec!["tests/documents.rs::what"],
        ),
        ("```\n`src/nothing.rs`\n```\n`http::x` and `/help`", vec![]),
    ] {
        assert_eq!(missing(text, root), expect, "{text}");
    }
    assert_eq!(links("[a](b.md) [c](https://d.example) [e](#f)"), ["b.md"]);
}
