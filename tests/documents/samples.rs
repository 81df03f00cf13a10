//! Samples in the documents, each of which means something to the program: command lines are understood,
//! configurations are valid, JSON can be read, and what people write in comments is a command.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use countersign::cli::understands;
use countersign::config::{Colour, Config, Surroundings, reference};
use countersign::domain::Forge;
use countersign::domain::command::{definitions, help_for};
use countersign::forges::comment::write as written;

use super::{blocks, pages};

/// The lines of ours in a block for a shell: what stands before a comment, a pipe or the next command.
fn ours(block: &str) -> Vec<Vec<String>> {
    let joined = block.replace("\\\n", " ");
    let parts = joined
        .lines()
        .flat_map(|line| line.split(" && ").map(str::to_owned).collect::<Vec<_>>());
    parts
        .filter_map(|line| {
            let line = line.trim();
            let line = line.split(" | ").next().unwrap_or(line);
            let line = line.split("    #").next().unwrap_or(line);
            let line = line.split(" > ").next().unwrap_or(line);
            let line = line.strip_prefix("sudo ").unwrap_or(line);
            let line = line
                .strip_prefix("cargo run --release -- ")
                .map_or_else(|| line.to_owned(), |rest| format!("countersign {rest}"));
            let line = line
                .strip_prefix("script/demo -- ")
                .map_or_else(|| line.clone(), |rest| format!("countersign demo {rest}"));
            line.starts_with("countersign ").then(|| words(&line))
        })
        .collect()
}

/// As a shell takes a line apart, with what it would put in for a variable left as it is.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote, mut is_open) = (String::new(), None, false);
    for c in line.chars() {
        match (c, quote) {
            (c, Some(mark)) if c == mark => quote = None,
            ('"' | '\'', None) => (quote, is_open) = (Some(c), true),
            (' ', None) => {
                if is_open || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                is_open = false;
            }
            (c, _) => word.push(c),
        }
    }
    if is_open || !word.is_empty() {
        words.push(word);
    }
    words
}

#[test]
fn every_command_line_is_understood() {
    let mut commands = BTreeSet::new();
    for (page, text) in pages() {
        for block in blocks(&text, "sh") {
            for line in ours(block) {
                if let Err(error) = understands(&line) {
                    panic!("{}: {line:?}: {error}", page.display());
                }
                commands.insert(line.get(1).cloned().unwrap_or_default());
            }
        }
    }
    // What the documents do not show is not there for most people.
    for needed in [
        "init",
        "setup",
        "doctor",
        "check",
        "serve",
        "demo",
        "audit",
        "outbox",
        "inbox",
        "token",
        "people",
        "completions",
        "man",
    ] {
        assert!(
            commands.contains(needed),
            "{needed} is in no sample: {commands:?}"
        );
    }
}

/// What a sample leaves out, as on GitHub with both chats.
fn completed(sample: &str) -> String {
    let mut text = String::from("[server]\npublic_url = \"https://deploys.example.com\"\n");
    if sample.contains("[server]") {
        text.clear();
    }
    let secrets = "webhook_secret = { env = \"SECRET\" }\n";
    let parts = [
        ("[github]", format!("[github]\ntoken = {{ env = \"TOKEN\" }}\n{secrets}")),
        ("[gitlab]", format!("[gitlab]\ntoken = {{ env = \"TOKEN\" }}\n{secrets}")),
        (
            "[discord]",
            format!(
                "[discord]\napplication_id = \"1\"\npublic_key = \"{}\"\ntoken = {{ env = \"TOKEN\" }}\nguilds = [\"3\"]\n",
                "ab".repeat(32)
            ),
        ),
        (
            "[slack]",
            "[slack]\ntoken = { env = \"TOKEN\" }\nsigning_secret = { env = \"SECRET\" }\nteams = [\"T0123456789\"]\n".to_owned(),
        ),
        (
            "[roles.",
            "[roles.deployer]\ngithub_users = [\"ann\"]\ngitlab_users = [\"ann\"]\n".to_owned(),
        ),
    ];
    for (heading, part) in parts {
        if !sample.contains(heading) {
            text.push_str(&part);
        }
    }
    let names = |words: &[&str]| words.iter().any(|word| sample.contains(word));
    let is_gitlab = names(&["gitlab = \"", "gitlab:", "job:", "gitlab_"]) && !names(&["github_"]);
    let (repo, gate, trigger) = if is_gitlab {
        (
            "gitlab:acme/shop",
            "job:build",
            "trigger = { gitlab = \"play_job\", job = \"deploy-prod\" }\n",
        )
    } else {
        ("github:acme/shop", "check:build", "")
    };
    let service = format!("[[service]]\nname = \"shop\"\nrepo = \"{repo}\"\nbranch = \"main\"\n");
    let stage = format!("[[service.stage]]\nname = \"build\"\ngates = [\"{gate}\"]\n");
    let environment =
        "[[service.environment]]\nname = \"prod\"\napprovals = { deployer = 1 }\nexclude = []\n";
    let has = |heading: &str| sample.contains(heading);
    // A sample is whatever stands from its first part on; what its first part needs stands before it.
    let is_inside = has("[[service.") && !has("[[service]]");
    let bare = sample.trim_start().starts_with("trigger =");
    if bare || is_inside {
        text.push_str(&service);
        if bare || !has("[[service.stage]]") {
            text.push_str(&stage);
        }
        if bare {
            text.push_str(environment);
        }
        text.push_str(sample);
        if !bare && !has("[[service.environment]]") {
            text.push_str(environment);
            text.push_str(trigger);
        }
        return text;
    }
    text.push_str(sample);
    if !has("[[service]]") {
        text.push_str(&service);
    }
    if !has("[[service.stage]]") {
        text.push_str(&stage);
    }
    if !has("[[service.environment]]") {
        text.push_str(environment);
        text.push_str(trigger);
    }
    text
}

#[test]
fn every_configuration_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        (
            "gitlab-webhook",
            "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        ),
        ("gitlab-token", "t"),
        ("discord-token", "t"),
        (
            "database-url",
            "postgres://countersign@db.example.com/countersign",
        ),
        ("github-webhook-secret", "0123456789abcdef"),
        ("github-app-key", countersign_sandbox::github::APP_KEY),
        ("github-app.pem", countersign_sandbox::github::APP_KEY),
        ("countersign-log-key", "0123456789abcdef"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let credentials = folder.path().to_str().unwrap();
    let variables = [
        "TOKEN",
        "SECRET",
        "GITHUB_TOKEN",
        "GITHUB_WEBHOOK_SECRET",
        "GITLAB_OLD_TOKEN",
        "DEPLOY_TRIGGER_TOKEN",
        "SIEM_TOKEN",
        "DISCORD_TOKEN",
        "SLACK_TOKEN",
        "SLACK_SIGNING_SECRET",
        "SLACK_APP_TOKEN",
        "NEW",
        "OLD",
    ];
    let variables = variables.map(|name| (name, format!("{name}-0123456789abcdef")));
    let mut variables: Vec<(&str, String)> = variables.into();
    variables.push(("CREDENTIALS_DIRECTORY", credentials.to_owned()));
    variables.push((
        "DATABASE_URL",
        "postgres://countersign@db.example.com/countersign".to_owned(),
    ));
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let surroundings = Surroundings::fixed(folder.path(), variables);
    let mut count = 0;
    let mut triggers = BTreeSet::new();
    for (page, text) in pages() {
        for sample in blocks(&text, "toml") {
            count += 1;
            let config = Config::parse(&completed(sample), "bot.toml", &surroundings);
            let config = config.unwrap_or_else(|report| {
                panic!("{}:\n{}", page.display(), report.render(Colour::Never))
            });
            let services = config.catalog.services.iter();
            let environments = services.flat_map(|service| &service.environments);
            for environment in environments {
                let kind = environment.trigger.to_string();
                triggers.insert(kind.split('`').next().unwrap_or_default().to_owned());
            }
        }
    }
    assert!(count > 12, "{count}");
    // Every way to start a release is in some sample.
    assert!(triggers.len() >= 6, "{triggers:?}");
}

#[test]
fn every_piece_of_json_can_be_read() {
    for (page, text) in pages() {
        for block in blocks(&text, "json") {
            let read = serde_json::from_str::<serde_json::Value>(block);
            assert!(read.is_ok(), "{}: {read:?}\n{block}", page.display());
        }
    }
}

#[test]
fn pages_that_are_made_are_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    let way_out = "run script/docs";
    assert!(
        read("docs/configuration.md").trim_end() == reference().trim_end(),
        "{way_out}"
    );
    let commands = read("docs/commands.md");
    for definition in definitions() {
        let page = format!(
            "\n## /{}\n\n{}\n",
            definition.name,
            written(&help_for(definition.name), Forge::GitHub)
        );
        assert!(
            commands.contains(page.trim_end()),
            "/{}: {way_out}",
            definition.name
        );
    }
    assert_eq!(
        commands.matches("\n## /").count(),
        definitions().len(),
        "{way_out}"
    );
}

/// What is not ours is a shell's all the same.
#[test]
fn every_sample_for_a_shell_is_one() {
    for (page, text) in pages() {
        for block in blocks(&text, "sh") {
            let mut shell = std::process::Command::new("bash");
            let output = shell.args(["-nc", block]).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{}: {said}", page.display());
        }
    }
}

#[test]
fn every_workflow_and_pipeline_can_be_read() {
    let mut count = 0;
    let mut read = |place: &Path, text: &str| {
        let found = yaml_rust2::YamlLoader::load_from_str(text);
        assert!(
            found.is_ok_and(|found| found.len() == 1),
            "{}:\n{text}",
            place.display()
        );
        count += 1;
    };
    for (page, text) in pages() {
        for block in blocks(&text, "yaml") {
            read(&page, block);
        }
    }
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples");
    for entry in fs::read_dir(examples).unwrap() {
        let path = entry.unwrap().path();
        read(&path, &fs::read_to_string(&path).unwrap());
    }
    assert!(count > 4, "{count}");
}

/// What a unit, an image and the page about them say is what the program does.
#[test]
fn what_is_packaged_is_understood() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| fs::read_to_string(root.join("packaging").join(name)).unwrap();
    let unit = read("countersign.service");
    let start = unit
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/"));
    understands(&words(start.unwrap())).unwrap();
    assert!(unit.contains("Type=notify"));
    let image = read("Dockerfile");
    let command = image.lines().find_map(|line| line.strip_prefix("CMD "));
    let command: Vec<String> = serde_json::from_str(command.unwrap()).unwrap();
    understands(&[vec!["countersign".to_owned()], command].concat()).unwrap();
    let operations = fs::read_to_string(root.join("docs/operations.md")).unwrap();
    for credential in ["github-app-key", "github-webhook-secret"] {
        assert!(unit.contains(&format!("LoadCredential={credential}:")));
        assert!(operations.contains(&format!("{{ credential = \"{credential}\" }}")));
    }
}

/// systemd finds nothing strange in the unit, where systemd is there to look.
#[test]
fn the_unit_is_one_that_systemd_understands() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let unit = fs::read_to_string(root.join("packaging/countersign.service")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("countersign.service");
    let ours = env!("CARGO_BIN_EXE_countersign");
    fs::write(&place, unit.replace("/usr/local/bin/countersign", ours)).unwrap();
    let mut analyze = std::process::Command::new("systemd-analyze");
    let Ok(output) = analyze.arg("verify").arg(&place).output() else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let about_it: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("countersign.service"))
        .collect();
    assert!(about_it.is_empty(), "{said}");
}

#[test]
fn lines_are_taken_apart_as_a_shell_does() {
    let check = |block: &str, expect: &[&[&str]]| {
        assert_eq!(ours(block), expect, "{block}");
    };
    check(
        "countersign check --config bot.toml     # why",
        &[&["countersign", "check", "--config", "bot.toml"]],
    );
    check(
        "countersign a \"b c\" '' > x && chmod 600 x",
        &[&["countersign", "a", "b c", ""]],
    );
    check(
        "countersign a \\\n  b | jq .",
        &[&["countersign", "a", "b"]],
    );
    check(
        "cp a b\nscript/demo -- --scripted",
        &[&["countersign", "demo", "--scripted"]],
    );
}
