//! The documents: the files, tests and metrics that they name must exist. A page that lies is a defect.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails")]

#[path = "documents/samples.rs"]
mod samples;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use countersign::metrics::{
    DeliveryLabels, EffectLabels, ExportLabels, HandledLabels, Metrics, ReloadLabels,
    RequestLabels, WebhookLabels,
};

const OPERATIONS: &str = include_str!("../docs/operations.md");
const GITLAB: &str = include_str!("../docs/gitlab.md");
/// The pipelines that lie beside GitLab's page.
const PLAYED: &str = include_str!("../docs/examples/gitlab-play-job.yml");
const WITH_VARIABLES: &str = include_str!("../docs/examples/gitlab-variables.yml");

/// Where our own files are; anything else in backticks is not taken for a file.
const FOLDERS: &[&str] = &[
    "src/",
    "tests/",
    "docs/",
    "script/",
    "migrations/",
    "benches/",
    "crates/",
    "packaging/",
];

/// Every page, by its path.
fn pages() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let in_folder = |folder: &Path| {
        let entries = fs::read_dir(folder).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let pages = paths.filter(|path| path.extension().is_some_and(|end| end == "md"));
        pages.collect::<Vec<_>>()
    };
    let mut pages = [in_folder(root), in_folder(&root.join("docs"))].concat();
    pages.sort();
    assert!(pages.len() > 12, "{pages:?}");
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path, text)
    };
    pages.into_iter().map(read).collect()
}

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
            let path = name.split_whitespace().next().unwrap_or(name);
            let (file, test) = path.split_once("::").unwrap_or((path, ""));
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
    let webhooks = WebhookLabels {
        repository: "gitlab:acme/shop".to_owned(),
        state: "works",
    };
    metrics.webhook_looks.get_or_create(&webhooks).inc();
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
    for (page, text) in pages() {
        let file = page.display();
        let folder = page.parent().unwrap_or(root);
        let dead: Vec<&str> = links(&text)
            .into_iter()
            .filter(|target| !leads_somewhere(folder, target))
            .collect();
        assert!(dead.is_empty(), "{file} links to nothing: {dead:?}");
        let missing = missing(&text, root);
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

/// The code blocks of a language.
fn blocks<'d>(document: &'d str, language: &str) -> Vec<&'d str> {
    let fence = format!("```{language}\n");
    let behind = document.split(&fence).skip(1);
    behind.filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn the_pipelines_beside_gitlabs_page_are_those_that_it_shows() {
    for shown in blocks(GITLAB, "yaml") {
        assert!(PLAYED.contains(shown), "{shown}");
    }
    for needed in [
        "deploy-prod:",
        "when: manual",
        "environment:\n    name: production\n",
        "./release.sh production \"$CI_COMMIT_SHA\"",
    ] {
        assert!(PLAYED.contains(needed), "{needed}");
    }
    let passed = "variables = { RELEASE_SHA = \"{sha}\", RELEASE_ENVIRONMENT = \"{environment}\" }";
    assert!(GITLAB.contains(passed) && WITH_VARIABLES.contains(passed));
    for used in [
        "$RELEASE_SHA",
        "$RELEASE_ENVIRONMENT",
        "$COUNTERSIGN_CORRELATION",
    ] {
        assert!(WITH_VARIABLES.contains(used), "{used}");
    }
}

/// What a job does before it releases, with git, in a clone of a repository.
#[test]
fn the_pipeline_with_variables_releases_exactly_the_commit_that_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let run = |script: &str, sha: &str| {
        let mut shell = Command::new("sh");
        let shell = shell.args(["-ec", script]).current_dir(folder.path());
        let output = shell.env("RELEASE_SHA", sha).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        (output.status.success(), said.trim().to_owned())
    };
    let git = "git -c user.name=ann -c user.email=ann@example.com -C origin";
    let (made, sha) = run(
        &format!(
            "git init -q -b main origin && {git} commit -q --allow-empty -m one && {git} rev-parse HEAD \
             && {git} commit -q --allow-empty -m two && git clone -q origin clone"
        ),
        "",
    );
    assert!(made, "git could not make a repository");
    let steps = WITH_VARIABLES.lines().map(str::trim);
    let steps = steps.filter_map(|line| line.strip_prefix("- "));
    let steps = steps.filter(|step| step.starts_with("git ") || step.starts_with("test "));
    let steps: Vec<&str> = steps.collect();
    assert_eq!(steps.len(), 3);
    let script = format!("cd clone; {}; git rev-parse HEAD", steps.join("; "));
    assert_eq!(run(&script, &sha), (true, sha));
    for other in ["", "main", "0123456789abcdef0123456789abcdef01234567"] {
        assert!(!run(&script, other).0, "{other}");
    }
}

/// What GitLab would carry out itself is ours behind our name.
#[test]
fn a_command_may_stand_behind_our_name() {
    let shown = blocks(GITLAB, "");
    let found: Vec<_> = shown
        .into_iter()
        .flat_map(countersign::domain::Command::all_in)
        .collect();
    let found: Vec<&str> = found.iter().map(|found| found.line.as_str()).collect();
    assert!(found.contains(&"/countersign approve #42"), "{found:?}");
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
