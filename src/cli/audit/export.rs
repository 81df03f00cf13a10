//! `audit export`: the log as C2SP's tlog-tiles lays it out in a folder, with the private values beside it.
//! What is there already is kept, so that an export goes on where the last one ended.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;

use super::super::{ConfigFile, EXIT_INVALID, complain, open, progress, say};
use crate::store::{Store, ledger};
use countersign_ledger::export::{Line, PRIVATE, entries_path, hash_path};
use countersign_ledger::{TILE_WIDTH, encode_bundle};

/// Entries to a bundle, and hashes to a tile.
const WIDTH: u64 = TILE_WIDTH as u64;

#[derive(Debug, Args)]
pub(in super::super) struct Export {
    #[command(flatten)]
    config: ConfigFile,
    /// The folder; an export that is in it is continued
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// Leave out names and free text
    #[arg(long)]
    without_private: bool,
}

pub(super) async fn run(export: Export) -> anyhow::Result<ExitCode> {
    let Some(store) = open::configured_store(&export.config.path).await? else {
        return Ok(ExitCode::from(EXIT_INVALID));
    };
    let Some(last) = ledger::last_checkpoint(&store).await? else {
        complain("the log is not signed yet: start the service, which signs it");
        return Ok(ExitCode::FAILURE);
    };
    let size = u64::try_from(last.size).unwrap_or_default();
    let folder = Folder(export.to);
    folder.is_ours(&last.note)?;
    let writing = write_tiles(&store, &folder, size);
    let written = progress::shown("writing the export", writing).await?;
    if export.without_private {
        folder.remove(PRIVATE)?;
    } else {
        write_private(&store, &folder, last.size).await?;
    }
    // Last, so that a checkpoint only stands over what is there.
    folder.write("checkpoint", last.note.as_bytes())?;
    store.close().await;
    say(&format!(
        "{} entries in {}; {written} files were new",
        last.size,
        folder.0.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// Where an export lies.
struct Folder(PathBuf);

impl Folder {
    /// A folder with something else in it is left alone.
    fn is_ours(&self, note: &str) -> anyhow::Result<()> {
        let known = self.0.join("checkpoint");
        let origin = note.lines().next();
        match fs::read_to_string(&known) {
            Ok(text) if text.lines().next() == origin => Ok(()),
            Ok(_) => bail!("{} holds the export of another log", self.0.display()),
            Err(_) => match fs::read_dir(&self.0) {
                Ok(mut entries) => {
                    let stranger = entries.any(|entry| {
                        entry.is_ok_and(|entry| {
                            entry.file_name() != "tile" && entry.file_name() != PRIVATE
                        })
                    });
                    if stranger {
                        bail!(
                            "{} has other files in it: name an empty folder",
                            self.0.display()
                        );
                    }
                    Ok(())
                }
                Err(_) => Ok(()),
            },
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.0.join(name);
        let what = || format!("{} cannot be written", path.display());
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(what)?;
        }
        let draft = path.with_extension("new");
        let mut file = fs::File::create(&draft).with_context(what)?;
        file.write_all(bytes).with_context(what)?;
        file.sync_all().with_context(what)?;
        fs::rename(&draft, &path).with_context(what)
    }

    fn remove(&self, name: &str) -> anyhow::Result<()> {
        let path = self.0.join(name);
        if path.is_dir() {
            fs::remove_dir_all(&path)
                .with_context(|| format!("{} cannot be removed", path.display()))?;
        } else if path.exists() {
            fs::remove_file(&path)
                .with_context(|| format!("{} cannot be removed", path.display()))?;
        }
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        self.0.join(name).exists()
    }
}

/// Writes what is not there yet; returns how many files that were.
async fn write_tiles(store: &Store, folder: &Folder, size: u64) -> anyhow::Result<u64> {
    let mut written = 0;
    for n in 0..size.div_ceil(WIDTH) {
        let width = (size - n * WIDTH).min(WIDTH);
        let name = entries_path(n, width);
        if !folder.has(&name) {
            let after = i64::try_from(n * WIDTH)?;
            let entries = ledger::entries(store, after, u32::try_from(width)?).await?;
            let bodies: Vec<&[u8]> = entries.iter().map(|entry| entry.body.as_slice()).collect();
            let bundle = encode_bundle(bodies)
                .filter(|_| u64::try_from(entries.len()) == Ok(width))
                .with_context(|| format!("entries {} and on are not all there", after + 1))?;
            folder.write(&name, &bundle)?;
            written += 1;
        }
        drop_partial(folder, &entries_path(n, WIDTH), width)?;
    }
    let mut hashes = size;
    for level in 0_u64.. {
        if hashes == 0 {
            break;
        }
        for n in 0..hashes.div_ceil(WIDTH) {
            let width = (hashes - n * WIDTH).min(WIDTH);
            let name = hash_path(level, n, width);
            if !folder.has(&name) {
                let tile = ledger::hash_tile(
                    store,
                    i64::try_from(level)?,
                    i64::try_from(n)?,
                    u32::try_from(width)?,
                )
                .await?
                .with_context(|| format!("tile {n} of level {level} is not all there"))?;
                folder.write(&name, &tile)?;
                written += 1;
            }
            drop_partial(folder, &hash_path(level, n, WIDTH), width)?;
        }
        hashes /= WIDTH;
    }
    Ok(written)
}

/// Removes incomplete tiles of an earlier export that a wider one replaces.
fn drop_partial(folder: &Folder, full: &str, width: u64) -> anyhow::Result<()> {
    let partial = format!("{full}.p");
    if width == WIDTH {
        return folder.remove(&partial);
    }
    let Ok(found) = fs::read_dir(folder.0.join(&partial)) else {
        return Ok(());
    };
    for file in found {
        let file = file?.file_name();
        if file.to_str() != Some(&width.to_string()) {
            folder.remove(&format!("{partial}/{}", file.to_string_lossy()))?;
        }
    }
    Ok(())
}

/// Written anew each time, because something may have been erased.
async fn write_private(store: &Store, folder: &Folder, size: i64) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    let mut first = 1;
    while first <= size {
        let last = (first + 2_047).min(size);
        for found in ledger::asides(store, first, last).await? {
            serde_json::to_writer(&mut lines, &Line::new(found.seq, &found.aside))?;
            lines.push(b'\n');
        }
        first = last + 1;
    }
    folder.write(PRIVATE, &lines)
}
