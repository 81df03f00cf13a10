//! Demos that play by themselves on each forge and in each chat, pinned whole: what a newcomer reads there.

use std::process::Stdio;

use tempfile::TempDir;

use crate::support::pinned::Page;

const BINARY: &str = env!("CARGO_BIN_EXE_countersign");

/// Plays the demo with these options, and pins all that it said on this page.
fn play(name: &str, options: &[&str]) {
    let folder = TempDir::new().unwrap();
    let output = std::process::Command::new(BINARY)
        .args(["demo", "--scripted"])
        .args(options)
        .env("TMPDIR", folder.path())
        .env_remove("COUNTERSIGN_LOG")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    let left = std::fs::read_dir(folder.path()).unwrap();
    assert_eq!(left.count(), 0);
    let mut page = Page::of_terminal(&format!("demo-{name}"));
    let title = ["countersign demo --scripted", &options.join(" ")].join(" ");
    page.said(title.trim(), (&steady(&out), &err), output.status.code());
    page.pin();
}

#[test]
fn on_github_and_discord() {
    play("github-discord", &[]);
}

#[cfg(feature = "demo-slack")]
#[test]
fn on_github_and_slack() {
    play("github-slack", &["--slack"]);
}

#[cfg(feature = "demo-gitlab")]
#[test]
fn on_gitlab_and_discord() {
    play("gitlab-discord", &["--gitlab"]);
}

#[cfg(all(feature = "demo-gitlab", feature = "demo-slack"))]
#[test]
fn on_gitlab_and_slack() {
    play("gitlab-slack", &["--gitlab", "--slack"]);
}

/// What a demo said, without what a faster or slower machine says otherwise: how far a release was when somebody
/// looked, which of two things that happen at once was written down first, and how long it took.
fn steady(said: &str) -> String {
    let folder = said
        .split_whitespace()
        .find(|word| word.contains("countersign-demo-"));
    let folder = folder.unwrap().trim_end_matches('.');
    let said = said.replace(folder, "/FOLDER");
    // Whether these lines are broken depends on the folder, and on a number.
    let (above, rest) = said.split_once(", its files are in").unwrap();
    let said = format!("{above}, its files are in {}", rest.trim_start());
    let said = said.replace("\n    entry ", "  entry ");
    let mut parts = said.lines().peekable();
    let mut lines: Vec<String> = Vec::new();
    while let Some(line) = parts.next() {
        if line.starts_with("  written down:") {
            while parts.next_if(|next| is_continued(next)).is_some() {}
        } else if line.starts_with("╭") && parts.peek().is_some_and(|title| is_passing(title)) {
            parts.find(|line| line.starts_with("╰"));
        } else if line.starts_with("│ log ") {
            // How much was signed when the message was made; a gap is above it.
            lines.pop();
        } else if line.contains(" candidate.ready ") {
            // Of the table the rows are steady that came after this one.
            lines.push(numbered(line));
            while parts.next_if(|next| is_row(next)).is_some() {}
        } else {
            lines.push(numbered(line));
        }
    }
    lines.join("\n") + "\n"
}

fn is_continued(line: &str) -> bool {
    line.starts_with("  ") && !line.contains('✓')
}

/// Whether a frame shows a release on its way; for some a look comes too late.
fn is_passing(title: &str) -> bool {
    title.contains(" Deploying: ") || title.contains(" Approved: ")
}

fn is_row(line: &str) -> bool {
    let cells = line.trim_start_matches(|c: char| c.is_ascii_digit());
    cells.len() < line.len() && cells.starts_with("  ")
}

/// A line whose counts and durations are called N.
fn numbered(line: &str) -> String {
    let line = without(line, ("  entry ", ":"));
    let line = without(&line, ("signed as far as entry ", " ("));
    let line = without(&line, ("entry N (", ":"));
    let line = without(&line, ("oldest_unhandled_seconds\":", ","));
    let line = without(&line, (", after ", " s"));
    let line = without(&line, (" steps in ", " s"));
    // A moment that was broken behind its day.
    let time = line
        .strip_prefix("│ ")
        .and_then(|rest| rest.strip_suffix(" UTC"));
    if time.is_some_and(|time| time.len() == "00:00".len()) {
        return "│ 00:00 UTC".to_owned();
    }
    if is_row(&line) {
        return format!("N{}", line.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    line
}

/// What stands between two marks is called N.
fn without(line: &str, (before, behind): (&str, &str)) -> String {
    let found = line.split_once(before);
    match found.and_then(|(above, rest)| Some((above, rest.split_once(behind)?))) {
        Some((above, (_, rest))) => format!("{above}{before}N{behind}{rest}"),
        None => line.to_owned(),
    }
}
