//! The second place: a file beside the database that holds the last signed head. It is written before the
//! database learns of a head, so that a database which knows more than its file tells of a file that was
//! put back, and a file which knows more than its database tells of a database that was.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use countersign_ground::chance;

const TITLE: &str = "countersign signed head, version 1";

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadFile {
    /// Names the file, so that the database can remember how far it was.
    pub id: String,
    /// The largest head that the database held when this was written; it never holds less.
    pub recorded: u64,
    /// The last signed head.
    pub note: String,
}

/// Where the file is.
#[derive(Clone, Debug)]
pub struct Place {
    path: PathBuf,
}

/// While it is held, no other process reads or writes the file.
#[derive(Debug)]
pub struct Locked<'p> {
    place: &'p Place,
    _lock: File,
}

impl HeadFile {
    /// A new file for a head that is the first one here.
    pub fn new(note: String, recorded: u64) -> Self {
        Self {
            id: chance::id(),
            recorded,
            note,
        }
    }

    /// What the database calls the file.
    pub fn name(&self) -> String {
        format!("head:{}", self.id)
    }

    fn parse(text: &str) -> Option<Self> {
        let (frame, note) = text.split_once("\n\n")?;
        let mut lines = frame.lines();
        if lines.next() != Some(TITLE) {
            return None;
        }
        let id = lines.next()?.strip_prefix("file ")?;
        let recorded = lines.next()?.strip_prefix("recorded ")?.parse().ok()?;
        if id.is_empty() || lines.next().is_some() {
            return None;
        }
        Some(Self {
            id: id.to_owned(),
            recorded,
            note: note.to_owned(),
        })
    }

    fn spelled(&self) -> String {
        format!(
            "{TITLE}\nfile {}\nrecorded {}\n\n{}",
            self.id, self.recorded, self.note
        )
    }
}

impl Place {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until no other process has the file.
    pub fn lock(&self) -> io::Result<Locked<'_>> {
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.beside("lock"))?;
        lock.lock()?;
        Ok(Locked {
            place: self,
            _lock: lock,
        })
    }

    /// What the file says, for a reader who may not write beside it.
    pub fn read_unlocked(&self) -> Option<HeadFile> {
        let text = std::fs::read_to_string(&self.path).ok()?;
        HeadFile::parse(&text)
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".");
        name.push(suffix);
        name.into()
    }
}

impl Locked<'_> {
    /// What the file says; nothing when there is none.
    pub fn read(&self) -> io::Result<Option<HeadFile>> {
        match std::fs::read_to_string(&self.place.path) {
            Ok(text) => HeadFile::parse(&text).map(Some).ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    "it is not a file with a signed head",
                )
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces what the file says, in full or not at all, durably.
    pub fn write(&self, head: &HeadFile) -> io::Result<()> {
        let draft = self.place.beside("new");
        let mut file = File::create(&draft)?;
        file.write_all(head.spelled().as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&draft, &self.place.path)?;
        let folder = match self.place.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            Some(_) | None => Path::new("."),
        };
        File::open(folder)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path().join("log.head"));
        let locked = place.lock().unwrap();
        assert_eq!(locked.read().unwrap(), None);
        let head = HeadFile::new("a\n1\nroot\n\n— a sig\n".to_owned(), 0);
        locked.write(&head).unwrap();
        assert_eq!(locked.read().unwrap(), Some(head.clone()));
        let next = HeadFile {
            recorded: 7,
            ..head
        };
        locked.write(&next).unwrap();
        assert_eq!(locked.read().unwrap(), Some(next));
    }

    #[test]
    fn anything_else_is_no_head() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path().join("log.head"));
        for text in [
            "",
            "hello",
            "countersign signed head, version 1\n\nnote",
            "countersign signed head, version 1\nfile \nrecorded 1\n\nnote",
            "countersign signed head, version 1\nfile a\nrecorded x\n\nnote",
            "countersign signed head, version 2\nfile a\nrecorded 1\n\nnote",
        ] {
            std::fs::write(place.path(), text).unwrap();
            assert!(place.lock().unwrap().read().is_err(), "{text:?}");
        }
    }
}
