//! Reading ahead: the log is read on while what was read is checked, on as many cores as there are. How entries follow
//! each other is for the caller; they come in order.

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::found::Found;
use super::survey::{Trouble, chunk};
use crate::store::Store;
use crate::store::ledger::{self, Beside};
use countersign_ledger::{Checked, Checker, Row};

/// Entries that are read at once.
const PIECE: u32 = 1_024;
/// Pieces that are read and checked before they are wanted.
const AHEAD: usize = 3;

/// Entries that were checked by themselves, up to the first that is wrong.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) found: Found,
    /// Number, time, and what is wrong.
    pub(super) entries: Vec<(i64, i64, Result<Checked, String>)>,
}

type Checking = JoinHandle<Result<Piece, Trouble>>;

/// Pieces of the log after `after`, each as it was when it was read: after one that is not full, a caller that wants
/// more starts again.
pub(super) fn read(store: &Store, checker: &Checker, after: i64) -> mpsc::Receiver<Checking> {
    let (send, receive) = mpsc::channel(AHEAD);
    let (store, checker) = (store.clone(), checker.clone());
    tokio::spawn(async move {
        let mut after = after;
        loop {
            let piece = piece(store.clone(), checker.clone(), after);
            if send.send(tokio::spawn(piece)).await.is_err() {
                return;
            }
            after += i64::from(PIECE);
        }
    });
    receive
}

async fn piece(store: Store, checker: Checker, after: i64) -> Result<Piece, Trouble> {
    let last = after + i64::from(PIECE);
    let again = checker.clone();
    let quick = match ledger::pack(&store, after, last).await {
        Ok(None) => Some(Piece::default()),
        Ok(Some(pack)) => {
            let checking = tokio::task::spawn_blocking(move || {
                let mut piece = Piece::default();
                let is_exact = pack.unpack(|row, beside| piece.read(&checker, &row, &beside));
                is_exact.then_some(piece)
            });
            checking.await?
        }
        Err(_) => None,
    };
    if let Some(piece) = quick {
        return Ok(piece);
    }
    // Read one by one, it can be said which one cannot be read.
    let mut piece = Piece::default();
    for whole in chunk(&store, after, PIECE).await? {
        if whole.stored.seq > last || !piece.read(&again, &whole.stored.row(), &whole.beside) {
            break;
        }
    }
    Ok(piece)
}

impl Piece {
    /// Whether there may be more after it, as it was when it was read.
    pub(super) fn is_full(&self) -> bool {
        u32::try_from(self.entries.len()) == Ok(PIECE)
    }

    /// Whether the next entry is wanted as well.
    fn read(&mut self, checker: &Checker, row: &Row<'_>, beside: &Beside) -> bool {
        self.found.read(row);
        let checked = checker.row(row, &beside.asides, &beside.words);
        let is_sound = checked.is_ok();
        self.entries.push((row.seq, row.at, checked));
        is_sound
    }
}
