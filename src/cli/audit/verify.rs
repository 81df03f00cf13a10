//! `audit verify`: checks a log where it is, an export of it, or a receipt.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;

use super::super::{ConfigFile, complain, counted, open, progress, say};
use super::anchors;
use crate::config::Config;
use crate::domain::Action;
use crate::engine::signer::{Left, Place, Problem, examine};
use crate::store::{Store, ledger};
use countersign_ledger::export::{Listed, ReadBack, check_export};
use countersign_ledger::{PublicKeys, Receipt, clean, short};

#[derive(Debug, Args)]
pub(in super::super) struct Verify {
    #[command(flatten)]
    config: ConfigFile,
    /// A public key to trust, or a file that holds one; may be given more than once. Without it, the
    /// keys of the service are trusted
    #[arg(long = "key", value_name = "KEY")]
    keys: Vec<String>,
    /// Check the export in this folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "receipt")]
    export: Option<PathBuf>,
    /// Check the receipt in this file
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
}

pub(super) async fn run(verify: Verify) -> anyhow::Result<ExitCode> {
    let given = match asked_with(&verify) {
        Ok(given) => given,
        Err(error) => {
            complain(&format!("error: {error:#}"));
            return Ok(ExitCode::from(super::super::EXIT_INVALID));
        }
    };
    match (&verify.export, &verify.receipt, &given) {
        (Some(folder), _, Some(keys)) => {
            let file = |name: &str| file_of(&folder.join(name));
            let checking = async { check_export(file, |name| list_of(&folder.join(name)), keys) };
            let checked = progress::shown("checking the export", checking).await;
            return Ok(ended(checked.map(|read| said_of_export(&read))));
        }
        (_, Some(file), Some(keys)) => return Ok(ended(check_receipt(file, keys)?)),
        _ => {}
    }
    let Some((config, store)) = open::configured(&verify.config.path).await? else {
        return Ok(ExitCode::from(super::super::EXIT_INVALID));
    };
    let checking = live(&config, &store, given);
    let checked = progress::shown("checking the audit log", checking).await?;
    store.close().await;
    Ok(ended(checked))
}

fn ended(checked: Result<String, String>) -> ExitCode {
    match checked {
        Ok(text) => {
            say(&format!("ok: {text}"));
            ExitCode::SUCCESS
        }
        Err(problem) => {
            // A receipt or an export may be anybody's.
            complain(&format!("bad: {}", clean(&problem)));
            ExitCode::FAILURE
        }
    }
}

/// The keys to trust; what is not in the database here cannot do without.
fn asked_with(verify: &Verify) -> anyhow::Result<Option<PublicKeys>> {
    let given = given_keys(&verify.keys)?;
    let what = match (&verify.export, &verify.receipt) {
        (Some(_), _) => "an export",
        (_, Some(_)) => "a receipt",
        _ => return Ok(given),
    };
    given.map(Some).with_context(|| {
        format!(
            "{what} is checked with `--key`: ask the service's operator for `countersign audit key`"
        )
    })
}

fn given_keys(given: &[String]) -> anyhow::Result<Option<PublicKeys>> {
    if given.is_empty() {
        return Ok(None);
    }
    let mut keys = Vec::new();
    for one in given {
        let text = match std::fs::read_to_string(one) {
            Ok(text) => text,
            Err(_) => one.clone(),
        };
        keys.extend(
            text.lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .map(str::to_owned),
        );
    }
    PublicKeys::new(keys)
        .context(
            "`--key` takes a public key as `countersign audit key` prints it, or a file with one",
        )
        .map(Some)
}

/// The log in the database, against what was signed there and in the second place.
pub(super) async fn live(
    config: &Config,
    store: &Store,
    given: Option<PublicKeys>,
) -> anyhow::Result<Result<String, String>> {
    let own = super::super::log_key::present(&config.ledger);
    let trusted = match (given, &own) {
        (Some(given), _) => given,
        (None, Some(own)) => PublicKeys::new(own.publics())?,
        (None, None) => {
            bail!("the key of the audit log is not readable here: give the public one with `--key`")
        }
    };
    let place = Place::new(&config.ledger.head);
    let left = match Left::read(store).await {
        Ok(left) => left,
        Err(problem) => bail!("the log could not be read: {problem}"),
    };
    let file = match place.lock() {
        Ok(locked) => match locked.read() {
            Ok(file) => file,
            Err(error) => return Ok(Err(format!("the file {}: {error}", place.path().display()))),
        },
        // A user who may only read looks without the lock.
        Err(_) => place.read_unlocked(),
    };
    let sealer = own.map(|own| own.sealer());
    let knows_writers = sealer.is_some();
    let seen = file.as_ref().map(|file| (place.path(), file, &left));
    let examined = match examine(store, sealer, &trusted, seen).await {
        Ok(examined) => examined,
        Err(Problem::Broken(why)) => return Ok(Err(why)),
        Err(Problem::Passing(why)) => bail!("the log could not be read: {why}"),
    };
    let verified = &examined.verified;
    let mut text = format!(
        "{}: {}, {}, {} erased",
        trusted.log(),
        counted(verified.edge.size(), "entry"),
        counted(verified.asides, "private value"),
        verified.erased,
    );
    match &examined.last {
        Some(last) => {
            let head = trusted.check(&last.note).ok();
            text.push_str(&format!(
                "\n    signed as far as entry {}{}",
                last.size,
                head.map(|head| format!(" ({})", short(head)))
                    .unwrap_or_default()
            ));
        }
        None => text.push_str("\n    not signed yet"),
    }
    match &file {
        Some(_) => text.push_str("\n    fits the signed head kept outside the database"),
        None => text.push_str("\n    no signed head is kept outside the database: a database that was cut short would go unnoticed"),
    }
    if !knows_writers {
        text.push_str("\n    forged entries after the last signed head would go unnoticed: the key of the service is not here");
    }
    let mut known = trusted.clone();
    for key in &verified.keys {
        known.add(key);
    }
    let last = examined.last.as_ref();
    let last = last.and_then(|last| known.check(&last.note).ok());
    let witnesses = super::super::witnesses::keys(&config.ledger)?;
    match anchors::said(store, &known, last, &witnesses).await? {
        Ok(said) => text.push_str(&said),
        Err(why) => return Ok(Err(why)),
    }
    let restores = ledger::numbers(store, Action::DatabaseRestored).await?;
    for number in restores {
        text.push_str(&format!(
            "\n    entry {number} records that the database or the head was restored: `countersign audit show {number}`"
        ));
    }
    Ok(Ok(text))
}

fn said_of_export(read: &ReadBack) -> String {
    let private = if read.has_private {
        format!(
            "{}, {} erased",
            counted(read.verified.asides, "private value"),
            read.verified.erased
        )
    } else {
        "without its private values".to_owned()
    };
    format!(
        "{}: {} ({}), {private}",
        read.log,
        counted(read.head.size, "entry"),
        short(read.head)
    )
}

/// A file of an export, if it is there.
fn file_of(path: &Path) -> Result<Option<Vec<u8>>, String> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// What lies in a folder of an export, in order.
fn list_of(path: &Path) -> Result<Listed, String> {
    let entries = std::fs::read_dir(path).map_err(|error| error.to_string())?;
    let mut listed = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| error.to_string())?;
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        listed.push((entry.file_name().to_string_lossy().into_owned(), is_folder));
    }
    listed.sort();
    Ok(listed)
}

fn check_receipt(file: &PathBuf, keys: &PublicKeys) -> anyhow::Result<Result<String, String>> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("{} cannot be read", file.display()))?;
    let receipt: Receipt = match serde_json::from_str(&text) {
        Ok(receipt) => receipt,
        Err(error) => return Ok(Err(format!("this file is not a receipt: {error}"))),
    };
    Ok(receipt.check(keys).map(|head| {
        format!(
            "request #{} in {}: {} under the signed head {}",
            receipt.request,
            receipt.log,
            counted(receipt.entries.len(), "entry"),
            short(head)
        )
    }))
}
