//! `audit`: everything that people ask of the audit log at the machine.

mod anchors;
mod erase;
mod export;
mod filters;
mod follow;
mod key;
mod lines;
mod query;
mod receipt;
mod report;
mod restore;
mod sheet;
mod show;
mod verify;

use std::process::ExitCode;

use clap::Subcommand;

use crate::config::Config;
use crate::store::Store;

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Find entries by service, person, time and more, newest first
    #[command(
        after_help = "For example:\n  countersign audit query --service shop --environment prod --since 7d\n  countersign audit query --outcome refused --person ann"
    )]
    Query(query::Query),
    /// Show one entry with its evidence
    Show(show::Show),
    /// Print new entries as they come
    Follow(follow::Follow),
    /// Evidence for auditors: every deploy of a period, and whatever left the ordinary road
    #[command(
        after_help = "For example:\n  countersign audit report --from 2026-01-01 --to 2026-03-31 --output csv --file q1.csv"
    )]
    Report(report::ReportLine),
    /// Erase private data; the entries, and everything that was proven of them, stay
    Erase(erase::EraseLine),
    /// Check the whole log, or an export or a receipt of it
    #[command(
        after_help = "For example:\n  countersign audit verify\n  countersign audit verify --receipt 42.json --key log.pub"
    )]
    Verify(verify::Verify),
    /// Write the log into a folder, or go on with one
    #[command(after_help = "For example:\n  countersign audit export --to /srv/audit")]
    Export(export::Export),
    /// Write a file that proves one release without the service
    #[command(after_help = "For example:\n  countersign audit receipt '#42' --to 42.json")]
    Receipt(receipt::ReceiptOf),
    /// Print the proof of one entry in the form of C2SP's tlog-proof
    Proof(receipt::ProofOf),
    /// Print the public key that checks the log
    Key(key::ShowKey),
    /// Replace the key that signs the log
    RotateKey(key::RotateKey),
    /// Record that the database or the file with the signed head was put back on purpose
    AcceptRestore(restore::AcceptRestore),
}

/// Checks the log of a configured service; a sentence about what is good, or about what is not.
pub(super) async fn check(
    config: &Config,
    store: &Store,
) -> anyhow::Result<Result<String, String>> {
    verify::live(config, store, None).await
}

pub(super) async fn run(command: AuditCommand) -> anyhow::Result<ExitCode> {
    match command {
        AuditCommand::Query(query) => query::run(&query).await,
        AuditCommand::Show(show) => show::run(&show).await,
        AuditCommand::Follow(follow) => follow::run(&follow).await,
        AuditCommand::Report(line) => report::run(&line).await,
        AuditCommand::Erase(line) => erase::run(&line).await,
        AuditCommand::Verify(verify) => verify::run(verify).await,
        AuditCommand::Export(export) => export::run(export).await,
        AuditCommand::Receipt(receipt) => receipt::run(receipt).await,
        AuditCommand::Proof(proof) => receipt::proof(proof).await,
        AuditCommand::Key(key) => key::show(&key).await,
        AuditCommand::RotateKey(rotate) => key::rotate(rotate).await,
        AuditCommand::AcceptRestore(accept) => restore::run(accept).await,
    }
}
