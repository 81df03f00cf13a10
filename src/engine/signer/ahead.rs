//! Reads on while what was read is checked, on as many cores as there are. How entries follow each other is for
//! whoever asked; they come in order.

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::found::Found;
use super::survey::{Trouble, chunk};
use crate::ledger::{Checked, Checker, Row};
use crate::store::Store;
use crate::store::ledger::{self, Beside};

/// Entries that are read at once.
const PIECE: u32 = 1_024;
/// Pieces that are read before they are wanted.
const AHEAD: usize = 3;

/// Entries that were checked by themselves, up to the first that is wrong.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) found: Found,
    /// Number, time, and what is wrong.
    pub(super) entries: Vec<(i64, i64, Result<Checked, String>)>,
}

type Checking = JoinHandle<Result<Piece, Trouble>>;

/// Ends with the log, or when nobody wants more.
pub(super) fn read(store: &Store, checker: &Checker) -> mpsc::Receiver<Checking> {
    let (send, receive) = mpsc::channel(AHEAD);
    let (store, checker) = (store.clone(), checker.clone());
    tokio::spawn(async move {
        let mut after = 0;
        loop {
            let first = after;
            let checking = match ledger::pack(&store, after, PIECE).await {
                Ok(None) => return,
                Ok(Some(pack)) => {
                    after = pack.last;
                    let checker = checker.clone();
                    let one_by_one = (store.clone(), first);
                    check(pack, checker, one_by_one)
                }
                Err(_) => {
                    // Whoever reads them one by one can say which one cannot be read.
                    let read = slowly(&store, &checker, first).await;
                    after = match &read {
                        Ok(piece) => piece.entries.last().map_or(i64::MAX, |last| last.0),
                        Err(_) => i64::MAX,
                    };
                    tokio::spawn(async move { read })
                }
            };
            if send.send(checking).await.is_err() || after == i64::MAX {
                return;
            }
        }
    });
    receive
}

fn check(pack: ledger::Pack, checker: Checker, (store, first): (Store, i64)) -> Checking {
    tokio::spawn(async move {
        let again = checker.clone();
        let checked = tokio::task::spawn_blocking(move || {
            let mut piece = Piece::default();
            let is_exact = pack.unpack(|row, beside| piece.read(&checker, &row, &beside));
            is_exact.then_some(piece)
        });
        match checked.await? {
            Some(piece) => Ok(piece),
            None => slowly(&store, &again, first).await,
        }
    })
}

async fn slowly(store: &Store, checker: &Checker, after: i64) -> Result<Piece, Trouble> {
    let mut piece = Piece::default();
    for whole in chunk(store, after, PIECE).await? {
        if !piece.read(checker, &whole.stored.row(), &whole.beside) {
            break;
        }
    }
    Ok(piece)
}

impl Piece {
    /// Whether the next entry is wanted as well.
    fn read(&mut self, checker: &Checker, row: &Row<'_>, beside: &Beside) -> bool {
        self.found.read(row);
        let checked = checker.row(row, &beside.asides, &beside.words);
        let is_sound = checked.is_ok();
        self.entries.push((row.seq, row.at, checked));
        is_sound
    }
}
