//! Places: where signed heads are kept besides the database: the second place, and the anchor.

use std::io;
use std::path::PathBuf;

use super::head_file::{HeadFile, Locked};
use super::{Known, Problem, Signer, as_signed};
use crate::store::ledger::{self, Anchor};
use countersign_ledger::{Head, PublicKeys};

impl Signer {
    /// Writes the file, unless another process wrote a newer head meanwhile.
    pub(super) async fn keep(
        &self,
        known: &Known,
        file: HeadFile,
        size: u64,
    ) -> Result<HeadFile, Problem> {
        let keys = PublicKeys::new(known.keys.publics())?;
        let left = known.file.clone();
        let shown = self.shown();
        self.with_file(move |locked| {
            let found = locked.read()?;
            if let Some(found) = found.filter(|found| *found != left) {
                // Only another process that signs may have written meanwhile.
                let before = keys.check(&left.note).map_or(0, |head| head.size);
                let after = keys.check(&found.note).ok().map(|head| head.size);
                match after.filter(|after| *after >= before && found.id == file.id) {
                    Some(after) if after >= size => return Ok(found),
                    Some(_) => {}
                    None => {
                        return Err(io::Error::new(
                            io::ErrorKind::InvalidData,
                            "it was changed while the log was being signed",
                        ));
                    }
                }
            }
            locked.write(&file)?;
            Ok(file)
        })
        .await
        .map_err(|problem| match problem {
            Problem::Passing(why) => Problem::Passing(format!(
                "the signed head could not be kept in {shown}: {why}"
            )),
            broken @ Problem::Broken(_) => broken,
        })
    }

    /// Appends the head to the file that sits on other storage. That it does not work keeps no release waiting.
    pub(super) async fn append_to_anchor(
        &self,
        path: PathBuf,
        head: Head,
        note: &str,
    ) -> Result<(), Problem> {
        let text = format!("{note}\n");
        let shown = path.display().to_string();
        let appended = tokio::task::spawn_blocking(move || {
            use std::io::Write as _;
            let mut file = std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(&path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .await;
        match appended {
            Ok(Ok(())) => {
                let anchor = Anchor {
                    place: format!("file:{shown}"),
                    kind: "file".to_owned(),
                    size: as_signed(head.size),
                    at: self.shared.clock.now(),
                    note: None,
                };
                self.shared
                    .store
                    .unit(move |tx| {
                        let anchor = anchor.clone();
                        Box::pin(async move { ledger::record_anchor(tx, &anchor).await })
                    })
                    .await?;
            }
            Ok(Err(error)) => {
                tracing::error!(file = shown, error = %error, "the signed head could not be appended to its anchor");
            }
            Err(error) => tracing::error!(error = %error, "the anchor's writer died"),
        }
        Ok(())
    }

    /// What the second place says now.
    pub(super) async fn held(&self) -> Result<Option<HeadFile>, Problem> {
        self.with_file(read).await
    }

    /// Does something with the second place while no other process does.
    pub(super) async fn with_file<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Locked<'_>) -> io::Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let place = self.place.clone();
        let shown = self.shown();
        let done = tokio::task::spawn_blocking(move || work(&place.lock()?)).await;
        match done {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                Err(Problem::Broken(format!("the file {shown}: {error}")))
            }
            Ok(Err(error)) => Err(Problem::Passing(format!("the file {shown}: {error}"))),
            Err(error) => Err(Problem::Passing(error.to_string())),
        }
    }
}

fn read(locked: &Locked<'_>) -> io::Result<Option<HeadFile>> {
    locked.read()
}
