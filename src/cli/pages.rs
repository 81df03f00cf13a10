//! Pages: what is made from the definitions for shells, manuals and documents: completions, manual pages, the commands
//! that people write.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Line, say};
use crate::domain::Forge;
use crate::domain::command::{definitions, help, help_for};
use crate::domain::text::Message;
use crate::forges;

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct Man {
    /// The folder that gets the pages, such as /usr/local/share/man/man1
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

pub(super) fn completions(asked: &Completions) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(
        asked.shell,
        &mut Line::command(),
        "countersign",
        &mut script,
    );
    say(String::from_utf8_lossy(&script).trim_end());
    ExitCode::SUCCESS
}

/// Writes a page for the program and for each of its commands.
pub(super) fn man(asked: &Man) -> anyhow::Result<ExitCode> {
    let folder = &asked.folder;
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Line::command(), folder))
        .with_context(|| format!("the pages cannot be written to {}", folder.display()))?;
    let written = std::fs::read_dir(folder)?.count();
    say(&format!("{written} pages are in {}", folder.display()));
    Ok(ExitCode::SUCCESS)
}

/// Every command that people write in comments and chats, as a page in Markdown.
pub(super) fn commands() -> ExitCode {
    let mut page = format!(
        "# Commands\n\n\
         Written as the first word of a line: in a comment on a pull or merge request, on Discord, or on Slack. This\n\
         page is made from the definition that reads them: `countersign commands` prints it.\n\n{}\n",
        written(&help())
    );
    for definition in definitions() {
        page.push_str(&format!(
            "\n## /{}\n\n{}\n",
            definition.name,
            written(&help_for(definition.name))
        ));
    }
    say(page.trim_end());
    ExitCode::SUCCESS
}

/// As it is read in a comment on GitHub.
fn written(message: &Message) -> String {
    forges::comment::write(message, Forge::first())
}
