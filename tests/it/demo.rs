//! The demo as a newcomer meets it: played by itself, in a terminal, interrupted, and on a disk that is full.
//! Whatever happens, nothing is left behind.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use countersign_sandbox::intruder::{self, Swap};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::support::{Database, Engine, Service, eventually};

const BINARY: &str = env!("CARGO_BIN_EXE_countersign");

/// The demo with its temporary folder below this one.
fn demo(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command
        .arg("demo")
        .args(words)
        .env("TMPDIR", folder)
        .env_remove("COUNTERSIGN_LOG")
        .stdin(Stdio::null());
    command
}

fn left_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// What was printed, both ways.
fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    text(&output.stdout) + &text(&output.stderr)
}

#[test]
fn it_plays_by_itself_and_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let output = demo(folder.path(), &["--scripted"]).output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for expect in [
        "✓ pushed: bob merged pull request 4",
        "✓ built:",
        "✓ tested:",
        "✓ staged:",
        "✓ regression:",
        "✓ ready, and the channel was told",
        "eve on pull request 4 > /deploy prod",
        "Refused: shop → prod",
        "`eve` has none of the roles that approve here",
        "Waiting for approval: shop → prod",
        "Approved #1 by `quinn`: 2 of 2",
        "Deploying: shop → prod",
        "Live: shop → prod",
        "$ countersign audit query --limit",
        "candidate.ready",
        "ok: demo.example/log:",
        "sql> UPDATE ledger_entry",
        "its contents were changed",
        "nothing is released until an operator has looked",
        "503 {\"ready\":false",
        "Everything happened: 24 steps in",
    ] {
        assert!(said.contains(expect), "{expect} is not in\n{said}");
    }
    assert!(!said.contains('\u{1b}'), "codes in a pipe:\n{said}");
    assert_eq!(left_in(folder.path()), Vec::<PathBuf>::new());
}

#[test]
fn what_this_build_does_not_play_is_refused_with_a_way_out() {
    for (option, is_held) in [
        ("--gitlab", cfg!(feature = "demo-gitlab")),
        ("--slack", cfg!(feature = "demo-slack")),
    ] {
        let help = demo(Path::new("unused"), &["--help"]).output().unwrap();
        assert_eq!(said(&help).contains(option), is_held, "{option}");
        if is_held {
            continue;
        }
        let folder = TempDir::new().unwrap();
        let output = demo(folder.path(), &[option]).output().unwrap();
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{text}");
        let expect = format!("In a checkout, `script/demo {option}` builds one that does.");
        assert!(text.contains(&expect), "{text}");
        assert_eq!(left_in(folder.path()), Vec::<PathBuf>::new());
    }
}

#[test]
fn what_is_kept_can_be_looked_at() {
    let folder = TempDir::new().unwrap();
    // Neither end is a terminal, so it plays by itself.
    let output = demo(folder.path(), &["--keep"]).output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let left = left_in(folder.path());
    let [kept] = &left[..] else {
        panic!("{left:?}");
    };
    assert!(
        said.contains(&format!("Kept: {}", kept.display())),
        "{said}"
    );
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(kept), 0o700);
    for secret in [
        "github-app.pem",
        "github-webhook.secret",
        "discord-bot.token",
        "countersign-log.key",
    ] {
        assert_eq!(mode(&kept.join(secret)), 0o600, "{secret}");
    }
    let log = std::fs::read_to_string(kept.join("service.log")).unwrap();
    assert!(
        log.contains("listening") && log.contains("stopped"),
        "{log}"
    );
    let checked = Command::new(BINARY)
        .args(["check", "--config"])
        .arg(kept.join("bot.toml"))
        .output()
        .unwrap();
    assert!(checked.status.success(), "{checked:?}");
}

#[test]
fn a_step_that_does_not_happen_fails_it() {
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("missing");
    let output = demo(&missing, &["--scripted"]).output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("no folder can be made in"), "{text}");

    // No file may grow beyond three megabytes, so the database is full before the commit is live.
    let script = "trap '' XFSZ; ulimit -f 3072; exec \"$0\" demo --scripted";
    let output = Command::new("bash")
        .args(["-c", script, BINARY])
        .env("TMPDIR", folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("A commit's life"), "{text}");
    assert!(text.contains("error: "), "{text}");
    assert!(text.contains("The last lines of "), "{text}");
    assert!(!text.contains("Everything happened"), "{text}");
    assert_eq!(left_in(folder.path()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_signal_ends_it_while_the_life_plays() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let folder = TempDir::new().unwrap();
        let mut child = demo(folder.path(), &["--scripted"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let begun = lines.find(|line| line.as_ref().unwrap().contains("✓ pushed"));
        assert!(begun.is_some());
        assert_eq!(left_in(folder.path()).len(), 1);
        kill_process(Pid::from_child(&child), signal).unwrap();
        let ended = eventually("it ends", async || child.try_wait().unwrap()).await;
        assert_eq!(ended.code(), Some(code));
        assert_eq!(left_in(folder.path()), Vec::<PathBuf>::new());
    }
}

/// A real terminal with the demo in it, which ends with the test.
struct Terminal {
    folder: TempDir,
    socket: TempDir,
}

impl Terminal {
    fn open(options: &str) -> Self {
        let terminal = Self {
            folder: TempDir::new().unwrap(),
            socket: TempDir::new().unwrap(),
        };
        // The shell outlives an interrupt, to say how the demo ended.
        let script = format!(
            "trap : INT; env TMPDIR={} {BINARY} demo {options}; echo \"ended with $?\"; exec sleep 600",
            terminal.folder.path().display()
        );
        let start = ["new-session", "-d", "-x", "100", "-y", "50"];
        terminal.tmux(&[&start[..], &["sh", "-c", &script]].concat());
        terminal
    }

    fn tmux(&self, words: &[&str]) -> String {
        let output = Command::new("tmux")
            .args(["-u", "-f", "/dev/null", "-S"])
            .arg(self.socket.path().join("socket"))
            .args(words)
            .env_remove("TMUX")
            .output();
        let output = output.expect(
            "tmux is not on this machine: run the tests with script/test, which installs it",
        );
        assert!(output.status.success(), "tmux {words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Everything that was shown so far.
    fn shown(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-J", "-S", "-1000"])
    }

    /// Waits until this was shown, and the reader is asked again.
    async fn shows(&self, prompt: &str, expect: &str) {
        eventually(expect, async || {
            let shown = self.shown();
            let is_asked = shown.trim_end().ends_with(prompt.trim_end());
            (is_asked && shown.contains(expect)).then_some(())
        })
        .await;
    }

    fn types(&self, line: &str) {
        self.tmux(&["send-keys", "-l", line]);
        self.tmux(&["send-keys", "Enter"]);
    }

    /// Waits until the demo is over; its exit code.
    async fn ended(&self) -> String {
        eventually("the demo ends", async || {
            let shown = self.shown();
            let (_, code) = shown.rsplit_once("ended with ")?;
            Some(code.trim().to_owned()).filter(|code| !code.is_empty())
        })
        .await
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _gone = Command::new("tmux")
            .arg("-S")
            .arg(self.socket.path().join("socket"))
            .arg("kill-server")
            .output();
    }
}

const ANN: &str = "ann in #releases >";
const EVE: &str = "eve on pull request 4 >";
const QUINN: &str = "quinn on pull request 4 >";

#[tokio::test]
async fn a_person_releases_a_commit_in_a_terminal() {
    let terminal = Terminal::open("");
    terminal.shows(ANN, "Type: as eve").await;
    terminal.types("sing");
    terminal.shows(ANN, "`sing` means nothing here").await;
    terminal.types("as eve");
    terminal.shows(EVE, "Type: /deploy prod").await;
    terminal.types("/deploy prod");
    terminal
        .shows(EVE, "`eve` has none of the roles that approve here")
        .await;
    terminal.types("as ann");
    terminal.shows(ANN, "You are ann").await;
    // Only Enter takes the hint.
    terminal.types("");
    terminal.shows(ANN, "│ #1 has 1 of 2 approvals.").await;
    terminal.types("as quinn");
    terminal.shows(QUINN, "Type: /approve #1").await;
    terminal.types("/approve #1");
    terminal.shows(QUINN, "│ ✅ Live: shop → prod").await;
    terminal
        .shows(QUINN, "Approved #1 by `quinn`: 2 of 2")
        .await;
    terminal.types("verify");
    terminal.shows(QUINN, "ok: demo.example/log").await;
    let coloured = terminal.tmux(&["capture-pane", "-p", "-e"]);
    assert!(coloured.contains("\u{1b}[32m"), "{coloured}");
    terminal.types("quit");
    assert_eq!(terminal.ended().await, "0");
    assert!(terminal.shown().contains("Everything was removed."));
    assert_eq!(left_in(terminal.folder.path()), Vec::<PathBuf>::new());
}

#[cfg(all(feature = "demo-gitlab", feature = "demo-slack"))]
#[tokio::test]
async fn a_person_learns_what_gitlab_and_slack_keep_for_themselves() {
    const ON_CHANGE: &str = "ann on merge request !4 >";
    let terminal = Terminal::open("--gitlab --slack");
    terminal.shows(ANN, "Type: as eve").await;
    terminal.types("/status");
    let known = "Slack knows two commands here, /deploy and /countersign.";
    terminal.shows(ANN, known).await;
    terminal.types("/countersign why prod");
    terminal
        .shows(ANN, "│     ◦ ⏳ missing: 1 × `qa` (`quinn`)")
        .await;
    terminal.types("at mr");
    terminal.shows(ON_CHANGE, "Type: as eve").await;
    terminal.types("/approve #1");
    let taken = "GitLab takes that for a quick action of its own, and tells nobody.";
    terminal.shows(ON_CHANGE, taken).await;
    terminal.types("help");
    terminal
        .shows(ON_CHANGE, "write in #releases, or on the merge request")
        .await;
    terminal.types("quit");
    assert_eq!(terminal.ended().await, "0");
    assert_eq!(left_in(terminal.folder.path()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn the_end_of_input_and_an_interrupt_at_the_prompt_leave_nothing() {
    for (key, code) in [("C-c", "130"), ("C-d", "0")] {
        let terminal = Terminal::open("");
        terminal.shows(ANN, "Type: as eve").await;
        assert_eq!(left_in(terminal.folder.path()).len(), 1);
        terminal.tmux(&["send-keys", key]);
        assert_eq!(terminal.ended().await, code, "{key}");
        assert_eq!(left_in(terminal.folder.path()), Vec::<PathBuf>::new());
    }
}

#[tokio::test]
async fn only_the_database_of_a_demo_is_changed_by_hand_and_postgres_holds_none() {
    let database = Database::fresh(Engine::Sqlite).await;
    let service = Service::start(&database, None).await;
    let swap = Swap {
        forge: "github",
        before: 8,
        after: 9,
    };
    for url in [database.url.as_str(), "postgres://nobody@127.0.0.1:9/none"] {
        let refused = intruder::rewrite_decider(url, "demo.example/log", swap).await;
        assert_eq!(
            refused.unwrap_err().to_string(),
            "only the database of a demo is rewritten"
        );
    }
    let guards = "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'ledger_entry_never_changes'";
    assert_eq!(database.number(guards).await, 1);
    assert_eq!(service.stop().await, 0);
}
