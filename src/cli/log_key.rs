//! The key that signs the audit log: read from where the configuration says, and made at the first start.

use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use secrecy::ExposeSecret as _;

use crate::config::{KeyPlace, Ledger};
use crate::store::{Store, ledger};
use countersign_ground::chance;
use countersign_ledger::Keys;

/// The keys as they are now. A log that has entries never gets another key by accident.
pub(super) async fn keys(settings: &Ledger, store: &Store) -> anyhow::Result<Keys> {
    let path = match &settings.key {
        KeyPlace::Given(text) => {
            return Keys::parse(text.expose_secret())
                .context("the key of the audit log that was handed over cannot be used");
        }
        KeyPlace::File(path) => path,
    };
    if let Some(keys) = read(path)? {
        return Ok(keys);
    }
    let size = ledger::size(store).await?;
    if size > 0 {
        bail!(
            "the audit log has {size} entries, and its key is missing: put {} back, or say in `[ledger]` where it is",
            path.display()
        );
    }
    make(path, &settings.name)
}

/// The keys as they are now, while the service runs.
pub(super) fn again(settings: &Ledger) -> Result<Keys, String> {
    match &settings.key {
        KeyPlace::Given(text) => {
            Keys::parse(text.expose_secret()).map_err(|error| error.to_string())
        }
        KeyPlace::File(path) => match read(path) {
            Ok(Some(keys)) => Ok(keys),
            Ok(None) => Err(format!(
                "the key of the audit log is gone: {}",
                path.display()
            )),
            Err(error) => Err(format!("{error:#}")),
        },
    }
}

/// The keys, if they are there and may be read.
pub(super) fn present(settings: &Ledger) -> Option<Keys> {
    match &settings.key {
        KeyPlace::Given(text) => Keys::parse(text.expose_secret()).ok(),
        KeyPlace::File(path) => read(path).ok().flatten(),
    }
}

/// The keys of a file, if it is there.
pub(super) fn read(path: &Path) -> anyhow::Result<Option<Keys>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("{} cannot be read", path.display()));
        }
    };
    let mode = std::fs::metadata(path)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        bail!(
            "other users of this machine can use {} (mode {mode:o}) to sign the audit log: `chmod 600` it",
            path.display()
        );
    }
    Keys::parse(&text)
        .with_context(|| format!("{} is not the key of an audit log", path.display()))
        .map(Some)
}

/// Makes a key, once: of two processes that start together, the second takes the first one's.
pub(super) fn make(path: &Path, log: &str) -> anyhow::Result<Keys> {
    let seed = chance::secret().context("the machine gives no random bytes for a key")?;
    let keys = Keys::new(log, seed)?;
    let draft = path.with_extension(format!("new-{}", chance::id()));
    write_secret(&draft, &keys.spelled()).with_context(|| {
        format!(
            "the key of the audit log cannot be written to {}",
            draft.display()
        )
    })?;
    // Unlike a rename, a link does not replace what is there.
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Ok(()) => {
            tracing::info!(
                file = %path.display(),
                public = keys.public(),
                "made the key that signs the audit log; keep a copy of the file in a safe place"
            );
            Ok(keys)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            read(path)?.context("the key of the audit log was there and is gone")
        }
        Err(error) => Err(error).with_context(|| format!("{} cannot be made", path.display())),
    }
}

/// Writes a file that only its owner may read, durably.
pub(super) fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
