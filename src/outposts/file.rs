//! A file to which lines are appended. It is opened for each piece, so that it may be moved away meanwhile, and what
//! was appended is on the disk before it is reported.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Appends whole lines, durably.
pub async fn append(path: PathBuf, lines: Vec<u8>) -> io::Result<()> {
    tokio::task::spawn_blocking(move || append_now(&path, &lines))
        .await
        .map_err(io::Error::other)?
}

fn append_now(path: &Path, lines: &[u8]) -> io::Result<()> {
    let is_new = !path.exists();
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o640)
        .open(path)?;
    // A process that died in the middle of a line left a piece of it: it is sent again, on a line of its own.
    if ends_torn(&mut file)? {
        file.write_all(b"\n")?;
    }
    file.write_all(lines)?;
    file.sync_all()?;
    if let (true, Some(folder)) = (is_new, path.parent()) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn ends_torn(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_torn_line_does_not_spoil_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.ndjson");
        append(path.clone(), b"one\n".to_vec()).await.unwrap();
        std::fs::write(&path, "one\ntw").unwrap();
        append(path.clone(), b"two\nthree\n".to_vec())
            .await
            .unwrap();
        append(path.clone(), b"four\n".to_vec()).await.unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "one\ntw\ntwo\nthree\nfour\n");
        let nowhere = folder.path().join("no/such/folder");
        assert!(append(nowhere, b"x\n".to_vec()).await.is_err());
    }
}
