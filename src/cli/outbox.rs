//! `outbox`: see what could not be done outside, and settle it. Whatever a person does here is recorded.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use crate::domain::{Action, Actor, Detail, Effect, Entry, Internal, Went};
use crate::store::note;
use crate::store::outbox::{self, Listed};
use crate::store::{Store, ledger};
use countersign_ground::clock::Clock;

use super::{ConfigFile, EXIT_INVALID, complain, open, say, say_json};

const PAGE: u32 = 200;

/// What can be done with the outbox.
#[derive(Debug, Subcommand)]
pub(super) enum OutboxCommand {
    /// List the rows in one state; those that wait for a person unless told otherwise
    List(List),
    /// Try a row again at once
    #[command(
        after_help = "For example:\n  countersign outbox retry 17 --reason 'the app has its permission back'"
    )]
    Retry(Settle),
    /// Give a row up for good
    Drop(Settle),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    file: ConfigFile,
    /// Which rows
    #[arg(long, value_enum, default_value_t = State::Parked)]
    state: State,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Settle {
    #[command(flatten)]
    file: ConfigFile,
    /// The row's number, as `outbox list` shows it
    id: i64,
    /// Why; recorded in the audit log
    #[arg(long)]
    reason: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum State {
    Waiting,
    Parked,
    Done,
    Dropped,
}

#[derive(Clone, Copy, Debug)]
enum Deed {
    Retry,
    Drop,
}

pub(super) async fn run(command: OutboxCommand) -> anyhow::Result<ExitCode> {
    let file = match &command {
        OutboxCommand::List(list) => &list.file,
        OutboxCommand::Retry(settle) | OutboxCommand::Drop(settle) => &settle.file,
    };
    let Some(store) = open::configured_store(&file.path).await? else {
        return Ok(ExitCode::from(EXIT_INVALID));
    };
    let code = match command {
        OutboxCommand::List(list) => show(&store, &list).await?,
        OutboxCommand::Retry(settle) => settle_row(&store, &settle, Deed::Retry).await?,
        OutboxCommand::Drop(settle) => settle_row(&store, &settle, Deed::Drop).await?,
    };
    store.close().await;
    Ok(code)
}

async fn show(store: &Store, list: &List) -> anyhow::Result<ExitCode> {
    let mut after = 0;
    let mut shown = 0_usize;
    loop {
        let rows = outbox::list(store, list.state.as_str(), after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        if shown == 0 && !list.json {
            say(&format!(
                "{:>6}  {:<8}  {:>5}  {:<20}  TOKEN AND PROBLEM",
                "ROW", "DOES", "TRIED", "DUE"
            ));
        }
        for row in &rows {
            if list.json {
                say_json(&as_json(row));
            } else {
                say(&as_line(row));
            }
        }
        shown += rows.len();
    }
    if shown == 0 && !list.json {
        say(&format!("no call is {}", list.state.as_str()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Those who wait for a release learn that its trigger will not leave.
fn dropped_trigger(row: &Listed) -> Option<(String, Internal)> {
    let Ok(Effect::Trigger(departure)) = &row.effect else {
        return None;
    };
    let why = "an operator dropped the trigger".to_owned();
    // A trigger that a process has had may have arrived.
    let outcome = if row.attempts == 0 && row.fence == 0 {
        Went::Forbidden { why }
    } else {
        Went::Lost { why }
    };
    let note = Internal::Triggered {
        request: departure.request(),
        attempt: departure.attempt(),
        outcome,
    };
    Some((note::lane(departure.repository().id), note))
}

/// Changes the row and records who did it, together.
async fn settle_row(store: &Store, settle: &Settle, deed: Deed) -> anyhow::Result<ExitCode> {
    let Some(row) = outbox::find(store, settle.id).await? else {
        complain(&format!("there is no row {}", settle.id));
        return Ok(ExitCode::FAILURE);
    };
    let now = Clock::system().now();
    let entry = Entry {
        at: now,
        action: match deed {
            Deed::Retry => Action::EffectRetried,
            Deed::Drop => Action::EffectDropped,
        },
        actor: Actor::Operator {
            name: open::operator(),
        },
        detail: [
            ("outbox", row.id.to_string().into()),
            ("token", row.token.clone().into()),
            (
                "reason",
                Detail::private(settle.reason.clone().unwrap_or_default()),
            ),
        ]
        .into(),
    };
    let id = settle.id;
    let told = match deed {
        Deed::Retry => None,
        Deed::Drop => dropped_trigger(&row),
    };
    let changed = store
        .unit(move |tx| {
            let (entry, told) = (entry.clone(), told.clone());
            Box::pin(async move {
                let changed = match deed {
                    Deed::Retry => outbox::retry(tx, id, now).await?,
                    Deed::Drop => outbox::drop_row(tx, id, now).await?,
                };
                if changed {
                    ledger::append(tx, &entry).await?;
                    if let Some((lane, note)) = &told {
                        note::leave(tx, lane, note, now).await?;
                    }
                }
                Ok(changed)
            })
        })
        .await?;
    if changed {
        say(match deed {
            Deed::Retry => "will be tried again at once",
            Deed::Drop => "dropped",
        });
        Ok(ExitCode::SUCCESS)
    } else {
        complain(&format!(
            "nothing was changed: row {id} is {}, or the service is acting on it now",
            row.state
        ));
        Ok(ExitCode::FAILURE)
    }
}

fn as_line(row: &Listed) -> String {
    format!(
        "{:>6}  {:<8}  {:>5}  {:<20}  {} {}",
        row.id,
        kind(row),
        row.attempts,
        row.due_at.strftime("%Y-%m-%d %H:%M:%SZ"),
        row.token,
        row.problem.as_deref().unwrap_or_default()
    )
}

fn as_json(row: &Listed) -> String {
    json!({
        "id": row.id,
        "state": row.state,
        "effect": kind(row),
        "token": row.token,
        "attempts": row.attempts,
        "created_at": row.created_at.to_string(),
        "due_at": row.due_at.to_string(),
        "problem": row.problem,
    })
    .to_string()
}

fn kind(row: &Listed) -> &'static str {
    row.effect.as_ref().map_or("unknown", Effect::kind)
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Parked => "parked",
            Self::Done => "done",
            Self::Dropped => "dropped",
        }
    }
}
