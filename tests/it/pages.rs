//! Pages for shells and manuals know every command.

use std::path::Path;

use crate::support::service;

fn run(words: &[&str]) -> (bool, String) {
    let output = service::command(Path::new("unused.toml"), words)
        .output()
        .unwrap();
    (
        output.status.success(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

/// The commands that the help names.
fn commands() -> Vec<String> {
    let (_, help) = run(&["--help"]);
    let list = help.split_once("Commands:\n").unwrap().1;
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names = names.filter(|name| !name.is_empty() && *name != "help");
    names.map(str::to_owned).collect()
}

#[test]
fn completions_know_every_command() {
    let commands = commands();
    assert!(commands.len() > 12, "{commands:?}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (done, script) = run(&["completions", shell]);
        assert!(done, "{shell}");
        for command in &commands {
            assert!(script.contains(command.as_str()), "{shell}: {command}");
        }
    }
    assert!(!run(&["completions", "cmd"]).0);
}

#[test]
fn the_completions_of_bash_complete() {
    let script = run(&["completions", "bash"]).1;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("completions");
    std::fs::write(&file, script).unwrap();
    let ask = "source \"$1\"; COMP_WORDS=(countersign doc); COMP_CWORD=1; _countersign countersign doc countersign; \
               printf '%s\\n' \"${COMPREPLY[@]}\"";
    let output = std::process::Command::new("bash")
        .args(["-c", ask, "bash"])
        .arg(&file)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let errors = text(output.stderr);
    assert_eq!(text(output.stdout).trim(), "doctor", "{errors}");
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let (done, said) = run(&["man", folder.path().to_str().unwrap()]);
    assert!(done, "{said}");
    for command in commands() {
        let page = folder.path().join(format!("countersign-{command}.1"));
        let text = std::fs::read_to_string(&page).unwrap_or_else(|_| panic!("{}", page.display()));
        assert!(text.contains(".TH"), "{command}");
    }
    assert!(folder.path().join("countersign.1").exists());
    assert!(!run(&["man", "/dev/null/nowhere"]).0);
}

#[test]
fn the_help_says_where_to_begin() {
    let (_, help) = run(&["--help"]);
    let at = |words: &str| {
        help.find(words)
            .unwrap_or_else(|| panic!("{words}: {help}"))
    };
    assert!(at("countersign init  ") < at("countersign doctor  "));
}
