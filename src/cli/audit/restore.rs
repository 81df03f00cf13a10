//! `audit accept-restore`: an operator says that what the service noticed was done on purpose.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;

use super::super::{ConfigFile, EXIT_INVALID, complain, log_key, open, say};
use crate::engine::signer::{Place, Problem, accept};
use countersign_ground::clock::Clock;
use countersign_ledger::short;

#[derive(Debug, Args)]
pub(in super::super) struct AcceptRestore {
    #[command(flatten)]
    config: ConfigFile,
    /// What was restored, and why; it goes into the audit log with your name
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub(super) async fn run(restore: AcceptRestore) -> anyhow::Result<ExitCode> {
    if restore.reason.trim().is_empty() {
        bail!("`--reason` must say what was restored, and why");
    }
    let Some((config, store)) = open::configured(&restore.config.path).await? else {
        return Ok(ExitCode::from(EXIT_INVALID));
    };
    let keys = log_key::present(&config.ledger).context(
        "the key of the audit log is not readable here, and accepting a restore needs its signature",
    )?;
    store.seal_with(keys.sealer());
    let place = Place::new(&config.ledger.head);
    let file = place
        .lock()
        .with_context(|| format!("{} cannot be written", place.path().display()))?;
    let who = (open::operator(), restore.reason);
    let code = match accept(&store, &keys, &file, who, Clock::system().now()).await {
        Ok(restored) => {
            if let Some(before) = restored.before {
                say(&format!(
                    "before: {} entries ({})",
                    before.size,
                    short(before)
                ));
            }
            say(&format!(
                "recorded; the log goes on from {} entries ({}). A running service releases again within seconds",
                restored.now.size,
                short(restored.now)
            ));
            ExitCode::SUCCESS
        }
        Err(Problem::Broken(why)) => {
            complain(&format!(
                "this is no restore: the log does not fit itself ({why}). Put back a copy of the database from before it was changed, then accept that"
            ));
            ExitCode::FAILURE
        }
        Err(Problem::Passing(why)) => bail!("{why}"),
    };
    store.close().await;
    Ok(code)
}
