//! `audit`: everything that people ask of the audit log at the machine.

mod filters;
mod follow;
mod lines;
mod query;
mod show;

use std::process::ExitCode;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Find entries by service, person, time and more, newest first
    Query(query::Query),
    /// Show one entry with its evidence
    Show(show::Show),
    /// Print new entries as they come
    Follow(follow::Follow),
}

pub(super) async fn run(command: AuditCommand) -> anyhow::Result<ExitCode> {
    match command {
        AuditCommand::Query(query) => query::run(&query).await,
        AuditCommand::Show(show) => show::run(&show).await,
        AuditCommand::Follow(follow) => follow::run(&follow).await,
    }
}
