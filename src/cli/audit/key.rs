//! The key that signs the log: its public half for auditors, and its replacement by a new one.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::Value;

use super::super::{ConfigFile, EXIT_INVALID, log_key, open, say};
use crate::config::KeyPlace;
use crate::domain::{Action, Actor, Entry};
use crate::store::{Store, ledger};
use countersign_ground::chance;
use countersign_ground::clock::Clock;
use countersign_ledger::{Keys, rotation};

#[derive(Debug, Args)]
pub(in super::super) struct ShowKey {
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Debug, Args)]
pub(in super::super) struct RotateKey {
    #[command(flatten)]
    config: ConfigFile,
}

pub(super) async fn show(show: &ShowKey) -> anyhow::Result<ExitCode> {
    let Some((config, _)) = open::configured(&show.config.path).await? else {
        return Ok(ExitCode::from(EXIT_INVALID));
    };
    let keys = log_key::present(&config.ledger)
        .context("the key of the audit log is not there yet, or not readable by you")?;
    say(&keys.public());
    Ok(ExitCode::SUCCESS)
}

/// Records the new key in the log, signed by both, and puts it into the key's file. A rotation that was
/// interrupted is finished by the next one.
pub(super) async fn rotate(rotate: RotateKey) -> anyhow::Result<ExitCode> {
    let Some((config, store)) = open::configured(&rotate.config.path).await? else {
        return Ok(ExitCode::from(EXIT_INVALID));
    };
    let KeyPlace::File(path) = &config.ledger.key else {
        bail!("the key is handed over from elsewhere: only a key in a file can be replaced here");
    };
    let old = log_key::read(path)?.context("there is no key to replace yet")?;
    let draft = next_to(path);
    if let Some(next) = log_key::read(&draft)? {
        if in_force(&store).await?.as_deref() == Some(next.public().as_str()) {
            std::fs::rename(&draft, path)?;
            say(&format!(
                "finished an interrupted rotation; the key is now {}",
                next.public()
            ));
            return Ok(ExitCode::SUCCESS);
        }
        // Nothing was recorded about it.
        std::fs::remove_file(&draft)?;
    }
    let seed = chance::secret().context("the machine gives no random bytes for a key")?;
    let new = old.rotated(seed);
    log_key::write_secret(&draft, &new.spelled())
        .with_context(|| format!("{} cannot be written", draft.display()))?;
    record(&store, &old, &new).await?;
    std::fs::rename(&draft, path)
        .with_context(|| format!("{} cannot be replaced: run this again", path.display()))?;
    store.close().await;
    say(&format!(
        "the key is now {}\na running service takes it up by itself; give the new public key to the auditors",
        new.public()
    ));
    Ok(ExitCode::SUCCESS)
}

fn next_to(path: &Path) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(".next");
    name.into()
}

/// The key that the log says is in force.
async fn in_force(store: &Store) -> anyhow::Result<Option<String>> {
    let Some(entry) = ledger::latest(store, Action::KeyRotated).await? else {
        return Ok(None);
    };
    let body: Value = serde_json::from_slice(&entry.body)?;
    Ok(body["detail"]["to"].as_str().map(str::to_owned))
}

/// The detail names the keys and their signatures only: auditors read it.
async fn record(store: &Store, old: &Keys, new: &Keys) -> anyhow::Result<()> {
    let (from, to) = (old.public(), new.public());
    let statement = rotation(old.log(), &from, &to);
    let operator = Actor::Operator {
        name: open::operator(),
    };
    let entry = Entry::new(Clock::system().now(), Action::KeyRotated, operator)
        .with("from", from)
        .with("to", to)
        .with("signed_by_from", old.sign(&statement)?)
        .with("signed_by_to", new.sign(&statement)?);
    store
        .unit(move |tx| {
            let entry = entry.clone();
            Box::pin(async move { ledger::append(tx, &entry).await.map(drop) })
        })
        .await?;
    Ok(())
}
