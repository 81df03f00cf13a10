//! `init`: asks a few questions and writes a first `bot.toml`, with the secrets that can be made here. What is
//! there already stays as it is.

mod ask;
mod origin;
mod text;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::{EXIT_INVALID, complain, log_key, say, setup};
use crate::domain::{
    Branch, ChannelRef, EnvironmentName, Forge, Gate, Invalid, Login, RepoRef, TeamRef,
};
use ask::Asker;

#[derive(Debug, Args)]
pub(super) struct Init {
    /// The folder that gets bot.toml and the secrets
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    /// Take the defaults for whatever is not given, and ask nothing
    #[arg(long, short)]
    yes: bool,
    /// The repository of the service, such as `github:acme/shop`; that of the folder's git remote unless it is given
    #[arg(long, value_name = "REPO")]
    repo: Option<String>,
    /// The release branch
    #[arg(long, value_name = "BRANCH")]
    branch: Option<String>,
    /// The address under which forges reach Countersign, such as `https://deploys.example.com`
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// What must be green before a release, such as `check:build`, `workflow:ci.yml`, `job:test` or `pipeline`
    #[arg(long, value_name = "GATE")]
    gate: Option<String>,
    /// The name of the production environment
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Who may approve: a login, a team or group such as `acme/sre`, or `maintainers`
    #[arg(long, value_name = "WHO")]
    approvers: Option<String>,
    /// The channel that gets the notices, such as `discord:1000000000000000002` or `slack:C0123456789`, or `none`
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<String>,
}

/// Everything that the first configuration says.
#[derive(Debug)]
struct Answers {
    repo: RepoRef,
    branch: Branch,
    url: String,
    gate: Gate,
    environment: EnvironmentName,
    approvers: Approvers,
    channel: Option<ChannelRef>,
}

/// Who may approve.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Approvers {
    /// The maintainers of the repository.
    Maintainers,
    Person(Login),
    /// A team on GitHub, a group on GitLab.
    Group(String),
}

/// A file that is written, and what for.
struct Made {
    path: PathBuf,
    what: &'static str,
}

pub(super) fn run(init: &Init) -> ExitCode {
    let config = init.folder.join("bot.toml");
    if config.exists() {
        complain(&format!(
            "error: {} is there already; `countersign check` says what it means",
            config.display()
        ));
        return ExitCode::from(EXIT_INVALID);
    }
    let answers = match answers(init) {
        Ok(answers) => answers,
        Err(why) => {
            complain(&format!("error: {why}\nNothing was written."));
            return ExitCode::from(EXIT_INVALID);
        }
    };
    match write(&init.folder, &answers) {
        Ok(made) => {
            for one in made {
                say(&format!("Wrote {}: {}", one.path.display(), one.what));
            }
            say(&text::next(&answers, &config));
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn answers(init: &Init) -> Result<Answers, String> {
    let asker = Asker::new(init.yes);
    let origin = origin::of(&init.folder);
    let repo: RepoRef = asker.ask(
        "Which repository is released? `github:owner/name` or `gitlab:group/project`",
        (init.repo.as_deref(), origin.as_deref()),
        |text| text.parse().map_err(|invalid: Invalid| said(&invalid)),
    )?;
    let forge = repo.forge();
    let branch: Branch = asker.ask(
        "Which branch is released?",
        (init.branch.as_deref(), Some("main")),
        |text| text.parse().map_err(|invalid: Invalid| said(&invalid)),
    )?;
    let url = asker.ask(
        "Public address of Countersign, where forges and chats reach it?",
        (init.url.as_deref(), Some("https://deploys.example.com")),
        setup::address,
    )?;
    let suggested = match forge {
        Forge::GitHub => origin::workflow(&init.folder).map_or_else(
            || "check:build".to_owned(),
            |file| format!("workflow:{file}"),
        ),
        Forge::GitLab => "pipeline".to_owned(),
    };
    let gate = asker.ask(
        "What must be green before a release?",
        (init.gate.as_deref(), Some(&suggested)),
        |text| Gate::parse(forge, text).map_err(|invalid| said(&invalid)),
    )?;
    let environment: EnvironmentName = asker.ask(
        "Name of the production environment?",
        (init.environment.as_deref(), Some("prod")),
        |text| text.parse().map_err(|invalid: Invalid| said(&invalid)),
    )?;
    let approvers = asker.ask(
        "Who may approve a release? `maintainers`, a login, or a team or group such as `acme/sre`",
        (init.approvers.as_deref(), Some("maintainers")),
        |text| approvers(forge, text),
    )?;
    let channel = asker.ask(
        "Which chat channel gets the notices? `discord:ID`, `slack:ID`, or `none`",
        (init.channel.as_deref(), Some("none")),
        |text| match text {
            "none" => Ok(None),
            _ => text
                .parse()
                .map(Some)
                .map_err(|invalid: Invalid| said(&invalid)),
        },
    )?;
    Ok(Answers {
        repo,
        branch,
        url,
        gate,
        environment,
        approvers,
        channel,
    })
}

fn said(invalid: &Invalid) -> String {
    format!("{}; {}", invalid.problem, invalid.way_out)
}

fn approvers(forge: Forge, text: &str) -> Result<Approvers, String> {
    match (forge, text) {
        (_, "maintainers") => Ok(Approvers::Maintainers),
        (Forge::GitHub, text) if text.contains('/') => {
            let team: TeamRef = text.parse().map_err(|invalid: Invalid| said(&invalid))?;
            Ok(Approvers::Group(team.to_string()))
        }
        (Forge::GitLab, text) if text.contains('/') => {
            let group: crate::domain::GroupPath =
                text.parse().map_err(|invalid: Invalid| said(&invalid))?;
            Ok(Approvers::Group(group.to_string()))
        }
        (_, text) => {
            let login = text.parse().map_err(|invalid: Invalid| said(&invalid))?;
            Ok(Approvers::Person(login))
        }
    }
}

/// Writes everything, or nothing.
fn write(folder: &Path, answers: &Answers) -> anyhow::Result<Vec<Made>> {
    std::fs::create_dir_all(folder)?;
    let mut made = Vec::new();
    let written = write_each(folder, answers, &mut made);
    if written.is_err() {
        for one in &made {
            drop(std::fs::remove_file(&one.path));
        }
    }
    written.map(|()| made)
}

fn write_each(folder: &Path, answers: &Answers, made: &mut Vec<Made>) -> anyhow::Result<()> {
    let key = folder.join("countersign-log.key");
    if !key.exists() {
        log_key::make(&key, &text::log_name(&answers.url))?;
        made.push(Made {
            path: key,
            what: "the key that signs the audit log; keep a copy of it in a safe place",
        });
    }
    if answers.repo.forge() == Forge::GitLab {
        let path = folder.join(text::GITLAB_SECRET);
        if !path.exists() {
            log_key::write_secret(&path, &format!("{}\n", setup::signing_token()?))?;
            made.push(Made {
                path,
                what: "what GitLab signs its webhooks with",
            });
        }
    }
    let path = folder.join("bot.toml");
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(&path)?;
    made.push(Made {
        path,
        what: "the configuration, with a word about each part",
    });
    file.write_all(text::config(answers).as_bytes())?;
    file.sync_all()?;
    Ok(())
}
