//! A folder of the demo's own below the system's temporary one, which only its owner may enter. It is removed when it
//! is let go, whatever the reason, unless the person wants to keep it.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use countersign_ground::chance;

/// How often a folder is tried to be removed into which a task still writes.
const ATTEMPTS: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    is_kept: bool,
}

impl Folder {
    /// `TMPDIR` says where, as for other programs.
    pub(super) fn make() -> anyhow::Result<Self> {
        let above = std::env::temp_dir();
        let path = above.join(format!("countersign-demo-{}", chance::id()));
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .with_context(|| {
                format!(
                    "no folder can be made in {}; set TMPDIR to one where you may write",
                    above.display()
                )
            })?;
        Ok(Self {
            path,
            is_kept: false,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// From now on it stays.
    pub(super) fn keep(&mut self) {
        self.is_kept = true;
    }

    pub(super) fn is_kept(&self) -> bool {
        self.is_kept
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        for _ in 0..ATTEMPTS {
            match std::fs::remove_dir_all(&self.path) {
                Ok(()) => return,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
                Err(_) => std::thread::sleep(BETWEEN),
            }
        }
        crate::cli::complain(&format!("{} could not be removed", self.path.display()));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn it_is_ours_alone_and_goes_with_what_it_holds() {
        let folder = Folder::make().unwrap();
        let path = folder.path().to_owned();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        std::fs::write(path.join("a"), "b").unwrap();
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn a_kept_one_stays() {
        let mut folder = Folder::make().unwrap();
        folder.keep();
        let path = folder.path().to_owned();
        drop(folder);
        assert!(path.exists());
        std::fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn a_panic_removes_it_too() {
        let folder = Folder::make().unwrap();
        let path = folder.path().to_owned();
        let ended = std::thread::spawn(move || {
            let _held = folder;
            panic!("planted");
        });
        assert!(ended.join().is_err());
        assert!(!path.exists());
    }
}
