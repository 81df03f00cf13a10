//! `audit query`: the entries that match, newest first.

use std::process::ExitCode;

use clap::Args;

use super::filters::Filters;
use super::lines::{self, CSV_HEADER, Output, Table};
use crate::cli::{ConfigFile, EXIT_INVALID, complain, open, say};
use crate::domain::Filter;
use crate::store::{Store, StoreError, ledger};
use countersign_ground::clock::Clock;
use countersign_ledger::Shown;

/// How many entries are read at once.
const PAGE: u32 = 200;

#[derive(Debug, Args)]
pub(in crate::cli) struct Query {
    #[command(flatten)]
    file: ConfigFile,
    #[command(flatten)]
    filters: Filters,
    /// How many entries
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
    /// Every entry that matches
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Only entries before this number, to go on where a page ended
    #[arg(long, value_name = "N")]
    before: Option<i64>,
    /// How they are printed
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

pub(super) async fn run(query: &Query) -> anyhow::Result<ExitCode> {
    let filter = match query.filters.read(Clock::system().now()) {
        Ok(filter) => filter,
        Err(why) => {
            complain(&format!("error: {why}"));
            return Ok(ExitCode::from(EXIT_INVALID));
        }
    };
    let Some(store) = open::configured_store(&query.file.path).await? else {
        return Ok(ExitCode::from(EXIT_INVALID));
    };
    let done = print(&store, query, &filter).await;
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

async fn print(store: &Store, query: &Query, filter: &Filter) -> Result<(), StoreError> {
    let mut printer = Printer::new(query.output);
    let mut left = if query.all { u32::MAX } else { query.limit };
    let mut before = query.before;
    while left > 0 {
        let most = left.min(PAGE);
        let rows = ledger::find(store, filter, before, most).await?;
        let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        printer.print(&ledger::shown(store, &rows).await?);
        left = left.saturating_sub(count);
        before = rows.last().map(|row| row.seq);
        if count < most {
            before = None;
            break;
        }
    }
    printer.end();
    if let (Output::Table, Some(last)) = (query.output, before) {
        complain(&format!("There may be more: --before {last}"));
    }
    Ok(())
}

/// Entries go to standard output page by page.
struct Printer {
    output: Output,
    table: Table,
    count: usize,
}

impl Printer {
    fn new(output: Output) -> Self {
        match output {
            Output::Csv => say(&format!("{}\r", CSV_HEADER.join(","))),
            Output::Table | Output::Json | Output::Ndjson => {}
        }
        Self {
            output,
            table: Table::default(),
            count: 0,
        }
    }

    fn print(&mut self, entries: &[Shown]) {
        match self.output {
            Output::Table => {
                if !entries.is_empty() {
                    let lines = self.table.lines(entries, lines::width());
                    lines.iter().for_each(|line| say(line));
                }
            }
            Output::Json => {
                for (index, entry) in entries.iter().enumerate() {
                    let mark = if self.count + index == 0 { '[' } else { ',' };
                    say(&format!("{mark}{}", lines::as_json(entry)));
                }
            }
            Output::Ndjson => entries.iter().for_each(|one| say(&lines::as_json(one))),
            Output::Csv => {
                for entry in entries {
                    say(&format!("{}\r", lines::as_csv(entry)));
                }
            }
        }
        self.count += entries.len();
    }

    fn end(&self) {
        match self.output {
            Output::Table if self.count == 0 => say("no entry matches"),
            Output::Json if self.count == 0 => say("[]"),
            Output::Json => say("]"),
            Output::Table | Output::Ndjson | Output::Csv => {}
        }
    }
}
