//! `audit`: everything that people ask of the audit log at the machine.

use std::process::ExitCode;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {}

pub(super) async fn run(command: AuditCommand) -> anyhow::Result<ExitCode> {
    match command {}
}
