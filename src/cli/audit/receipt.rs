//! `audit receipt` and `audit proof`: what proves a release, or one entry, to an auditor who has neither the service
//! nor its database.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;

use super::super::{ConfigFile, EXIT_INVALID, complain, counted, open, say, say_json};
use crate::domain::Action;
use crate::store::Store;
use crate::store::ledger::{self, Checkpoint, Stored};
use countersign_ledger::{
    Proved, PublicKeys, Receipt, Revealed, TILE_WIDTH, Wanted, base64, tlog_proof,
};

#[derive(Debug, Args)]
pub(in super::super) struct ReceiptOf {
    #[command(flatten)]
    config: ConfigFile,
    /// The request, like 42 or #42
    #[arg(value_name = "REQUEST")]
    request: String,
    /// Write it into this file instead of printing it
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Leave out names and free text
    #[arg(long)]
    without_private: bool,
}

#[derive(Debug, Args)]
pub(in super::super) struct ProofOf {
    #[command(flatten)]
    config: ConfigFile,
    /// The number of the entry
    #[arg(value_name = "ENTRY")]
    entry: i64,
}

pub(super) async fn run(of: ReceiptOf) -> anyhow::Result<ExitCode> {
    let request = of.request.strip_prefix('#').unwrap_or(&of.request);
    let request: i64 = request
        .parse()
        .with_context(|| format!("{request:?} is not the number of a request"))?;
    let Some(store) = open::configured_store(&of.config.path).await? else {
        return Ok(ExitCode::from(EXIT_INVALID));
    };
    let entries = ledger::of_request(&store, request).await?;
    let started = |entry: &&Stored| entry.action == Action::Triggered.as_str();
    let Some(triggered) = entries.iter().find(started) else {
        complain(&format!(
            "request #{request} started no release: `countersign audit query --request {request}` shows what is known of it"
        ));
        return Ok(ExitCode::FAILURE);
    };
    let head = signed(&store, triggered.seq).await?;
    // What is newer than the signed head comes with the next receipt.
    let covered = entries.iter().filter(|entry| entry.seq <= head.size);
    let mut proved = Vec::new();
    for entry in covered {
        proved.push(prove(&store, entry, &head, of.without_private).await?);
    }
    let keys = PublicKeys::new(keys_of(&store).await?)?;
    let receipt = Receipt::new(request, &keys, head.note.clone(), proved);
    receipt
        .check(&keys)
        .map_err(|problem| anyhow::anyhow!("the log does not prove this release: {problem}"))?;
    let text = serde_json::to_string_pretty(&receipt)?;
    store.close().await;
    match &of.to {
        Some(path) => {
            std::fs::write(path, text + "\n")
                .with_context(|| format!("{} cannot be written", path.display()))?;
            say(&format!(
                "{} of request #{request} under the signed head of {} entries",
                counted(receipt.entries.len(), "entry"),
                head.size
            ));
        }
        None => say_json(&text),
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn proof(of: ProofOf) -> anyhow::Result<ExitCode> {
    let Some(store) = open::configured_store(&of.config.path).await? else {
        return Ok(ExitCode::from(EXIT_INVALID));
    };
    let Some(entry) = ledger::one(&store, of.entry).await? else {
        complain(&format!("there is no entry {}", of.entry));
        return Ok(ExitCode::FAILURE);
    };
    let head = signed(&store, entry.seq).await?;
    let (index, hashes) = hashes(&store, &entry, &head).await?;
    store.close().await;
    say(tlog_proof(index, &hashes, &head.note).trim_end());
    Ok(ExitCode::SUCCESS)
}

/// The newest signed head, which must cover an entry.
async fn signed(store: &Store, seq: i64) -> anyhow::Result<Checkpoint> {
    match ledger::last_checkpoint(store).await? {
        Some(head) if head.size >= seq => Ok(head),
        Some(_) | None => bail!(
            "entry {seq} is not under a signed head yet: a running service signs within a second"
        ),
    }
}

async fn hashes(
    store: &Store,
    entry: &Stored,
    head: &Checkpoint,
) -> anyhow::Result<(u64, Vec<[u8; 32]>)> {
    let index = u64::try_from(entry.seq)? - 1;
    let size = u64::try_from(head.size)?;
    let wanted = Wanted::Leaf { size, index };
    let hashes = ledger::prove(store, wanted).await?.with_context(|| {
        format!("the tiles of {TILE_WIDTH} hashes around entry {} are not all there: `countersign audit verify` says what is wrong", entry.seq)
    })?;
    Ok((index, hashes))
}

async fn prove(
    store: &Store,
    entry: &Stored,
    head: &Checkpoint,
    without_private: bool,
) -> anyhow::Result<Proved> {
    let (_, hashes) = hashes(store, entry, head).await?;
    let asides = if without_private {
        Vec::new()
    } else {
        ledger::asides(store, entry.seq, entry.seq).await?
    };
    Ok(Proved {
        seq: entry.seq,
        body: String::from_utf8(entry.body.clone())
            .with_context(|| format!("entry {} is not text", entry.seq))?,
        private: asides
            .iter()
            .map(|found| Revealed::from(&found.aside))
            .collect(),
        proof: hashes.iter().map(|hash| base64(hash)).collect(),
    })
}

/// The keys that the log names, the one in force last.
async fn keys_of(store: &Store) -> anyhow::Result<Vec<String>> {
    let mut keys = Vec::new();
    let opened = ledger::numbers(store, Action::LogOpened).await?;
    let rotated = ledger::numbers(store, Action::KeyRotated).await?;
    for (number, field) in opened
        .into_iter()
        .map(|number| (number, "key"))
        .chain(rotated.into_iter().map(|number| (number, "to")))
    {
        if let Some(entry) = ledger::one(store, number).await? {
            let body: serde_json::Value = serde_json::from_slice(&entry.body)?;
            keys.extend(body["detail"][field].as_str().map(str::to_owned));
        }
    }
    Ok(keys)
}
