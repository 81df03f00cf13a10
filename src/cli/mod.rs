//! The command line: what people type, and the one place where everything meets: finished parts are made here and
//! handed to those who use them.

mod audit;
mod check;
#[cfg(feature = "demo")]
mod demo;
mod doctor;
mod exports;
mod github_app;
mod handover;
mod inbox;
mod init;
mod log;
mod log_key;
mod notify;
mod open;
mod outbox;
mod pages;
mod parts;
mod people;
mod progress;
mod reload;
mod running;
mod serve;
mod setup;
mod supervise;
mod terminal;
mod token;
mod witnesses;

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use countersign_ledger::{clean_json, clean_lines};

/// Releases approved commits, once, with evidence.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, arg_required_else_help = true, after_help = first_steps())]
struct Line {
    #[command(subcommand)]
    command: Command,
}

/// What a newcomer types; a lean build has no demo.
fn first_steps() -> String {
    let demo = if cfg!(feature = "demo") {
        "\n  countersign demo            see what it is, on this machine"
    } else {
        ""
    };
    format!(
        "First steps:{demo}
  countersign init            a few questions, and a first bot.toml
  countersign setup github    make the GitHub App; or: setup gitlab
  countersign doctor          what is still missing
  countersign serve           run it

`countersign COMMAND --help` says more about each; docs/ says why."
    )
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service
    Serve(ConfigFile),
    /// See the life of a commit on this machine: the real service with a small GitHub and a small Discord, no
    /// account and no configuration
    #[cfg(feature = "demo")]
    #[command(after_help = "For example:\n  countersign demo\n  countersign demo --scripted")]
    Demo(demo::DemoLine),
    /// Ask a few questions and write a first bot.toml
    #[command(
        after_help = "For example:\n  countersign init\n  countersign init --yes --repo github:acme/shop --url https://deploys.example.com"
    )]
    Init(init::Init),
    /// Validate the configuration and explain what it means
    Check(ConfigFile),
    /// Find what keeps Countersign from its work: on this machine, at the forges and in the chats
    #[command(
        after_help = "For example:\n  countersign doctor\n  countersign doctor --offline --json"
    )]
    Doctor(doctor::Doctor),
    /// Print the JSON Schema of bot.toml, or all its keys
    #[command(subcommand)]
    Config(ConfigCommand),
    /// See and settle deliveries that Countersign could not handle
    #[command(subcommand)]
    Inbox(inbox::InboxCommand),
    /// See and settle calls to forges and chats that failed
    #[command(subcommand)]
    Outbox(outbox::OutboxCommand),
    /// Ask the audit log, and prove what it says
    #[command(subcommand)]
    Audit(Box<audit::AuditCommand>),
    /// See which chat account belongs to whom on the forge, and end such a link
    #[command(subcommand)]
    People(people::PeopleCommand),
    /// Make a GitHub App, set GitLab's webhooks, print what Discord and Slack must be told
    #[command(subcommand)]
    Setup(setup::SetupCommand),
    /// Print the commands that people write in comments and chats, as a page in Markdown
    Commands,
    /// Print completions for a shell
    #[command(after_help = "For example:\n  countersign completions bash")]
    Completions(pages::Completions),
    /// Write manual pages
    Man(pages::Man),
    /// Let programs read the audit log over HTTP
    #[command(subcommand)]
    Token(token::TokenCommand),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print the JSON Schema of bot.toml, for editors
    Schema,
    /// Print every key of bot.toml, as a page in Markdown
    Reference,
}

/// Where the configuration is.
#[derive(Clone, Debug, Args)]
struct ConfigFile {
    /// The configuration file
    #[arg(
        long = "config",
        short = 'c',
        value_name = "FILE",
        env = "COUNTERSIGN_CONFIG",
        default_value = "bot.toml"
    )]
    path: PathBuf,
}

/// The input was wrong and nothing was done.
const EXIT_INVALID: u8 = 2;

/// Reads the command line, does it, and says how it went.
pub fn main() -> ExitCode {
    let line = Line::parse();
    let done = match line.command {
        Command::Serve(file) => in_runtime(serve::serve(file.path)),
        #[cfg(feature = "demo")]
        Command::Demo(line) => in_runtime(demo::run(line)),
        Command::Init(asked) => Ok(init::run(&asked)),
        Command::Check(file) => in_runtime(async move { Ok(check::check(&file.path)) }),
        Command::Doctor(asked) => in_runtime(async move { Ok(doctor::run(asked).await) }),
        Command::Config(ConfigCommand::Schema) => Ok(check::schema()),
        Command::Config(ConfigCommand::Reference) => {
            say(crate::config::reference().trim_end());
            Ok(ExitCode::SUCCESS)
        }
        Command::Commands => Ok(pages::commands()),
        Command::Completions(asked) => Ok(pages::completions(&asked)),
        Command::Man(asked) => pages::man(&asked),
        Command::Inbox(command) => in_runtime(inbox::run(command)),
        Command::Outbox(command) => in_runtime(outbox::run(command)),
        Command::Audit(command) => in_runtime(audit::run(*command)),
        Command::People(command) => in_runtime(people::run(command)),
        Command::Setup(command) => in_runtime(async move { Ok(setup::run(command).await) }),
        Command::Token(command) => in_runtime(token::run(command)),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            complain(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Whether a command line means something, for those who write documents about it; or why not.
pub fn understands(words: &[String]) -> Result<(), String> {
    Line::try_parse_from(words)
        .map(drop)
        .map_err(|error| error.to_string())
}

fn in_runtime(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let done = runtime.block_on(work);
    // Work that would not end is left behind; what matters is in the database.
    runtime.shutdown_background();
    done
}

/// Prints a result; whatever it holds from outside moves no cursor. A reader who went away is not an error.
fn say(text: &str) {
    say_painted(&clean_lines(text));
}

/// Prints a result in JSON, which stays the same for whoever reads it as JSON.
fn say_json(text: &str) {
    say_painted(&clean_json(text));
}

/// Prints a result in which we have set colours; what it holds from outside was cleaned before.
fn say_painted(text: &str) {
    let _gone = writeln!(std::io::stdout(), "{text}");
}

/// Prints what went wrong, as [`say`] does.
fn complain(text: &str) {
    complain_painted(&clean_lines(text));
}

/// As [`complain`], with colours of ours.
fn complain_painted(text: &str) {
    let _gone = writeln!(std::io::stderr(), "{text}");
}

/// `1 error`, `2 errors`, `3 entries`.
fn counted(count: impl std::fmt::Display, what: &str) -> String {
    let count = count.to_string();
    if count == "1" {
        return format!("1 {what}");
    }
    match what.strip_suffix('y') {
        Some(stem) => format!("{count} {stem}ies"),
        None => format!("{count} {what}s"),
    }
}

fn colour_of_errors() -> crate::config::Colour {
    if std::io::stderr().is_terminal() && terminal::wants_colours() {
        crate::config::Colour::Always
    } else {
        crate::config::Colour::Never
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// The examples of a command and of those below it.
    fn examples(command: &clap::Command) -> Vec<String> {
        let help = command.get_after_help().map(ToString::to_string);
        let help = help.unwrap_or_default();
        let own = help.lines().filter_map(|line| line.strip_prefix("  "));
        let own = own.filter(|line| line.starts_with("countersign "));
        // What stands beside an example explains it.
        let own = own.map(|line| line.split("   ").next().unwrap_or(line).to_owned());
        let below = command.get_subcommands().flat_map(examples);
        own.chain(below).collect()
    }

    #[test]
    fn every_example_in_the_help_is_understood() {
        let examples = examples(&Line::command());
        assert!(examples.len() > 15, "{examples:?}");
        for example in examples {
            let words = shell_words(&example);
            assert_eq!(understands(&words), Ok(()), "{example}");
        }
    }

    fn shell_words(line: &str) -> Vec<String> {
        let parts = line.split('\'').enumerate();
        let words = parts.flat_map(|(index, part)| match index % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        });
        words.collect()
    }

    /// The help of a command and of those below it.
    fn helps(command: &mut clap::Command, before: &str) -> String {
        let line = format!("{before}{}", command.get_name());
        // What the environment of this run says is not part of the help.
        *command = command.clone().mut_args(|one| one.hide_env_values(true));
        #[cfg(feature = "demo")]
        if command.get_name() == "demo" {
            // Nor is what only some builds play.
            *command = command.clone().mut_args(|one| match one.get_long() {
                Some("gitlab" | "slack") => one.hide(true),
                _ => one,
            });
        }
        let help = command.render_long_help().to_string();
        let help: Vec<String> = help.lines().map(|line| format!("  {line}")).collect();
        let help: Vec<&str> = help.iter().map(|line| line.trim_end()).collect();
        let mut page = format!("## {line} --help\n\n{}\n\n", help.join("\n"));
        for below in command.get_subcommands_mut() {
            if below.get_name() != "help" {
                page.push_str(&helps(below, &format!("{line} ")));
            }
        }
        page
    }

    #[test]
    fn the_help_of_every_command_is_as_it_was_pinned() {
        let mut command = Line::command().term_width(100);
        command.build();
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../../tests/texts");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!("terminal-help", helps(&mut command, "")));
    }

    #[test]
    fn the_definition_is_whole() {
        Line::command().debug_assert();
    }
}
