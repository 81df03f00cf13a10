//! `audit follow`: the newest entries, and then every other one as it comes, whichever process writes it.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use super::filters::Filters;
use super::lines::{self, Table};
use crate::cli::{ConfigFile, EXIT_INVALID, complain, open, say};
use crate::domain::Filter;
use crate::store::{Store, StoreError, ledger};
use countersign_ground::clock::Clock;

/// How often the database is asked for more.
const EVERY: Duration = Duration::from_secs(1);
/// How many entries are read at once.
const PAGE: u32 = 200;

#[derive(Debug, Args)]
pub(in crate::cli) struct Follow {
    #[command(flatten)]
    file: ConfigFile,
    #[command(flatten)]
    filters: Filters,
    /// How many of the newest entries come first
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: u32,
    /// How they are printed
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

/// What can go on for ever.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Output {
    /// One line for each entry, as wide as the terminal
    Table,
    /// One JSON object a line
    Ndjson,
}

pub(super) async fn run(follow: &Follow) -> anyhow::Result<ExitCode> {
    let filter = match follow.filters.read(Clock::system().now()) {
        Ok(filter) => filter,
        Err(why) => {
            complain(&format!("error: {why}"));
            return Ok(ExitCode::from(EXIT_INVALID));
        }
    };
    let Some(store) = open::configured_store(&follow.file.path).await? else {
        return Ok(ExitCode::from(EXIT_INVALID));
    };
    let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be heard")?;
    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be heard")?;
    let done = tokio::select! {
        done = watch(&store, follow, &filter) => done,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    };
    store.close().await;
    match done {
        Err(StoreError::Unsearchable(why)) => {
            complain(&format!("error: {why}"));
            Ok(ExitCode::from(EXIT_INVALID))
        }
        done => {
            done?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn watch(store: &Store, follow: &Follow, filter: &Filter) -> Result<(), StoreError> {
    let mut table = Table::default();
    // Numbers have no gaps, and whatever the log's size counts is there to be read.
    let mut seen = ledger::size(store).await?;
    let mut newest = ledger::find(store, filter, Some(seen + 1), follow.limit).await?;
    loop {
        newest.reverse();
        let entries = ledger::shown(store, &newest).await?;
        match follow.output {
            Output::Table if entries.is_empty() => {}
            Output::Table => {
                let lines = table.lines(&entries, lines::width());
                lines.iter().for_each(|line| say(line));
            }
            Output::Ndjson => entries.iter().for_each(|one| say(&lines::as_json(one))),
        }
        tokio::time::sleep(EVERY).await;
        let size = ledger::size(store).await?;
        newest = since(store, filter, seen, size).await?;
        seen = size;
    }
}

/// Entries that match after the number `seen` and up to `size`, newest first.
async fn since(
    store: &Store,
    filter: &Filter,
    seen: i64,
    size: i64,
) -> Result<Vec<ledger::Stored>, StoreError> {
    let mut found = Vec::new();
    let mut before = size + 1;
    while before > seen + 1 {
        let page = ledger::find(store, filter, Some(before), PAGE).await?;
        let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        before = page.last().map_or(0, |row| row.seq);
        found.extend(page.into_iter().filter(|row| row.seq > seen));
        if is_last {
            break;
        }
    }
    Ok(found)
}
