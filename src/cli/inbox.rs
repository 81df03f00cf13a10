//! `inbox`: see the deliveries that were set aside, and let them be handled again.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::domain::{Action, Actor, Detail, Entry};
use crate::store::inbox::{self, SetAside};
use crate::store::{Store, ledger};
use countersign_ground::clock::Clock;

use super::{ConfigFile, EXIT_INVALID, complain, open, say, say_json};

const PAGE: u32 = 200;

/// What can be done with the inbox.
#[derive(Debug, Subcommand)]
pub(super) enum InboxCommand {
    /// List the deliveries that were set aside
    List(List),
    /// Let a delivery that was set aside be handled again
    Retry(Retry),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    file: ConfigFile,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Retry {
    #[command(flatten)]
    file: ConfigFile,
    /// The delivery's number, as `inbox list` shows it
    id: i64,
    /// Why; recorded in the audit log
    #[arg(long)]
    reason: Option<String>,
}

pub(super) async fn run(command: InboxCommand) -> anyhow::Result<ExitCode> {
    let file = match &command {
        InboxCommand::List(list) => &list.file,
        InboxCommand::Retry(retry) => &retry.file,
    };
    let Some(store) = open::configured_store(&file.path).await? else {
        return Ok(ExitCode::from(EXIT_INVALID));
    };
    let code = match command {
        InboxCommand::List(list) => show(&store, &list).await?,
        InboxCommand::Retry(asked) => retry(&store, &asked).await?,
    };
    store.close().await;
    Ok(code)
}

async fn show(store: &Store, list: &List) -> anyhow::Result<ExitCode> {
    let mut after = 0;
    let mut shown = 0_usize;
    loop {
        let rows = inbox::set_aside(store, after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
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
        say("no delivery is set aside");
    }
    Ok(ExitCode::SUCCESS)
}

/// Changes the row and records who did it, together.
async fn retry(store: &Store, asked: &Retry) -> anyhow::Result<ExitCode> {
    let entry = Entry {
        at: Clock::system().now(),
        action: Action::DeliveryRetried,
        actor: Actor::Operator {
            name: open::operator(),
        },
        detail: [
            ("inbox", asked.id.to_string().into()),
            (
                "reason",
                Detail::private(asked.reason.clone().unwrap_or_default()),
            ),
        ]
        .into(),
    };
    let id = asked.id;
    let changed = store
        .unit(move |tx| {
            let entry = entry.clone();
            Box::pin(async move {
                let changed = inbox::retry(tx, id).await?;
                if changed {
                    ledger::append(tx, &entry).await?;
                }
                Ok(changed)
            })
        })
        .await?;
    if changed {
        say("the service will handle it again");
        Ok(ExitCode::SUCCESS)
    } else {
        complain(&format!(
            "nothing was changed: delivery {id} is not set aside"
        ));
        Ok(ExitCode::FAILURE)
    }
}

fn as_line(row: &SetAside) -> String {
    format!(
        "{:>6}  {}  {} {}  {}",
        row.id,
        row.received_at.strftime("%Y-%m-%d %H:%M:%SZ"),
        row.source,
        row.event,
        row.problem
    )
}

fn as_json(row: &SetAside) -> String {
    json!({
        "id": row.id,
        "source": row.source,
        "event": row.event,
        "delivery": row.delivery,
        "received_at": row.received_at.to_string(),
        "problem": row.problem,
    })
    .to_string()
}
