//! `audit`: everything that people ask of the audit log at the machine.

mod erase;
mod report;

use std::process::ExitCode;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Evidence for auditors: every deploy of a period, and whatever left the ordinary road
    Report(report::ReportLine),
    /// Erase private data; the entries, and everything that was proven of them, stay
    Erase(erase::EraseLine),
}

pub(super) async fn run(command: AuditCommand) -> anyhow::Result<ExitCode> {
    match command {
        AuditCommand::Report(line) => report::run(&line).await,
        AuditCommand::Erase(line) => erase::run(&line).await,
    }
}
