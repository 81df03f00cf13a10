//! One transaction of intake: loads the state that the desk asks for, lets it decide, writes what was
//! decided. A lane stops where the desk must know what only the forge can tell.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::facts::Purpose;
use crate::chats;
use crate::clerk::{self, Settled};
use crate::domain::{
    Action, Actor, Catalog, Change, Entry, Finding, Incoming, Outcome, Question, Source, unfold,
};
use crate::forges;
use crate::store::inbox::{self, Verdict};
use crate::store::lanes::Received;
use crate::store::lease::{self, Hold};
use crate::store::{Store, StoreError, Tx, ledger, outbox, state};
use countersign_ground::chance;

/// After so many vanished holders a delivery is set aside, so that its lane goes on. High enough that
/// a row of power cuts does not look like a deadly delivery.
const ATTEMPTS: u64 = 10;

/// What is decided in one transaction.
#[derive(Debug)]
pub(super) struct Turn {
    /// The hold is all that its holder has.
    pub(super) whole: bool,
    pub(super) hold: Hold,
    pub(super) rows: Arc<[Received]>,
    /// What was found out for the first row.
    pub(super) known: Option<Asking>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) spoilt: Spoilt,
}

/// Which row the database will not have the outcome of. A lane goes on without it, instead of failing on it for ever.
#[derive(Debug, Default)]
pub(super) struct Spoilt {
    /// The row that is being handled; 0 while none is.
    at: AtomicI64,
    /// Where it failed last: once may be chance.
    once: i64,
    rows: BTreeMap<i64, String>,
}

/// Where a lane stopped, and what must be found out.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    pub(super) lane: String,
    pub(super) row: i64,
    /// Which of the things that the delivery means.
    pub(super) part: usize,
    pub(super) purpose: Purpose,
    pub(super) questions: Vec<Question>,
    pub(super) known: BTreeMap<Question, Finding>,
}

/// What became of a turn.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) handled: Vec<(Source, &'static str)>,
    pub(super) asking: Vec<Asking>,
    pub(super) has_effects: bool,
    pub(super) has_timers: bool,
}

/// Takes the turn; nothing when the lanes were lost to another holder.
pub(super) async fn take(
    store: &Store,
    mut turn: Turn,
    lease: Duration,
    now: Timestamp,
) -> Result<Option<Done>, StoreError> {
    loop {
        let taken = Arc::new(turn);
        let error = match take_once(store, &taken, lease, now).await {
            Err(error) if error.is_by_content() => error,
            ended => return ended,
        };
        // The unit is over, and nobody else holds it.
        turn = match Arc::try_unwrap(taken) {
            Ok(turn) => turn,
            Err(_) => return Err(error),
        };
        let row = *turn.spoilt.at.get_mut();
        if row == 0 || turn.spoilt.rows.contains_key(&row) {
            return Err(error);
        }
        if turn.spoilt.once == row {
            turn.spoilt.rows.insert(row, error.to_string());
        }
        turn.spoilt.once = row;
    }
}

async fn take_once(
    store: &Store,
    turn: &Arc<Turn>,
    lease: Duration,
    now: Timestamp,
) -> Result<Option<Done>, StoreError> {
    let turn = turn.clone();
    store
        .unit(move |tx| {
            let turn = turn.clone();
            Box::pin(async move { take_in(tx, &turn, lease, now).await })
        })
        .await
}

async fn take_in(
    tx: &mut Tx,
    turn: &Turn,
    lease: Duration,
    now: Timestamp,
) -> Result<Option<Done>, StoreError> {
    let is_ours = if turn.whole {
        lease::give_back(tx, &turn.hold).await?
    } else {
        lease::give_part_back(tx, &turn.hold).await?
    };
    if !is_ours {
        return Ok(None);
    }
    let mut done = Done::default();
    let mut stopped: BTreeSet<&str> = BTreeSet::new();
    let mut ended: BTreeMap<Verdict, Vec<i64>> = BTreeMap::new();
    for row in turn.rows.iter() {
        if stopped.contains(row.lane.as_str()) {
            continue;
        }
        turn.spoilt.at.store(row.id, Ordering::Relaxed);
        match handle(tx, turn, row, now, &mut done).await? {
            Handled::Ended(verdict) => {
                done.handled.push((row.source, verdict.columns().0));
                ended.entry(verdict).or_default().push(row.id);
            }
            Handled::Asks(asking) => {
                stopped.insert(row.lane.as_str());
                done.asking.push(asking);
            }
        }
    }
    turn.spoilt.at.store(0, Ordering::Relaxed);
    for (verdict, ids) in ended {
        inbox::handled(tx, &ids, &verdict, now).await?;
    }
    let kept = turn.hold.only(|name| {
        name.strip_prefix("inbox/")
            .is_some_and(|lane| stopped.contains(lane))
    });
    lease::keep(tx, &kept, lease).await?;
    Ok(Some(done))
}

/// How far one delivery came.
enum Handled {
    Ended(Verdict),
    Asks(Asking),
}

async fn handle(
    tx: &mut Tx,
    turn: &Turn,
    row: &Received,
    now: Timestamp,
    done: &mut Done,
) -> Result<Handled, StoreError> {
    if row.attempts >= ATTEMPTS {
        let why = format!("its handler vanished {} times", row.attempts);
        return park(tx, row, now, why).await;
    }
    if let Some(why) = turn.spoilt.rows.get(&row.id) {
        return park(tx, row, now, why.clone()).await;
    }
    let parts = match read(row) {
        Ok(parts) => parts,
        Err(Unread::Malformed(why)) => {
            tracing::warn!(
                delivery.row = row.id,
                event = row.event,
                why,
                "a delivery cannot be read"
            );
            return Ok(Handled::Ended(Verdict::Malformed(why)));
        }
        Err(Unread::Panicked) => {
            return park(tx, row, now, "its handler panicked".to_owned()).await;
        }
    };
    let known = turn.known.as_ref().filter(|known| known.row == row.id);
    let mut ignored = None;
    let mut is_ours = false;
    for (part, incoming) in parts.iter().enumerate() {
        if known.is_some_and(|known| part < known.part) {
            // It was recorded on an earlier turn.
            is_ours = true;
            continue;
        }
        let known = known.filter(|known| known.part == part);
        let facts = known.map(|known| known.known.clone()).unwrap_or_default();
        let settled = match clerk::settle(tx, incoming, &turn.catalog, facts, now).await {
            // What is stored makes no sense: that costs this delivery, not all the others.
            Err(error @ StoreError::Unreadable { .. }) => {
                return park(tx, row, now, error.to_string()).await;
            }
            settled => settled?,
        };
        match settled {
            Settled::Outcome(outcome) => {
                match &outcome.ignored {
                    Some(why) => ignored = Some(why.clone()),
                    None => is_ours = true,
                }
                record(tx, &outcome, now, done).await?;
            }
            Settled::Asks {
                first,
                questions,
                facts,
            } => {
                record(tx, &first, now, done).await?;
                return Ok(Handled::Asks(Asking {
                    lane: row.lane.clone(),
                    row: row.id,
                    part,
                    purpose: if incoming.releases() {
                        Purpose::Release
                    } else {
                        Purpose::Other
                    },
                    questions,
                    known: facts,
                }));
            }
            Settled::Panicked => {
                return park(tx, row, now, "its handler panicked".to_owned()).await;
            }
        }
    }
    let verdict = match ignored {
        Some(why) if !is_ours => Verdict::Ignored(why),
        Some(_) | None => Verdict::Handled,
    };
    Ok(Handled::Ended(verdict))
}

/// Why a delivery has no meaning for us.
enum Unread {
    Malformed(String),
    Panicked,
}

fn read(row: &Received) -> Result<Vec<Incoming>, Unread> {
    let reading = catch_unwind(AssertUnwindSafe(|| match row.source {
        Source::Forge(forge) => forges::door::interpret(forge, &row.event, &row.body),
        Source::Chat(chat) => {
            chats::door::interpret(chat, &row.event, &row.body, row.received_at, &lot())
        }
        Source::Countersign => serde_json::from_slice(&row.body)
            .map(|note| vec![Incoming::Internal(note)])
            .map_err(|error| format!("a note of another version: {error}")),
    }));
    match reading {
        Ok(Ok(parts)) => Ok(parts.into_iter().flat_map(unfold).collect()),
        Ok(Err(why)) => Err(Unread::Malformed(why)),
        Err(_) => Err(Unread::Panicked),
    }
}

/// Without randomness there is none, and no link is offered.
fn lot() -> String {
    chance::code().unwrap_or_default()
}

/// Writes an outcome: the state, the ledger, and what must be done outside because of it.
async fn record(
    tx: &mut Tx,
    outcome: &Outcome,
    now: Timestamp,
    done: &mut Done,
) -> Result<(), StoreError> {
    for change in &outcome.changes {
        done.has_timers |= matches!(change, Change::Timer { .. });
        state::apply(tx, change, now).await?;
    }
    let mut cause = 0;
    for entry in &outcome.entries {
        if entry.action == Action::Unexplained {
            tracing::error!(
                detail = ?entry.detail,
                "production moved, and no approval explains it"
            );
        }
        cause = ledger::append(tx, entry).await?;
    }
    for planned in &outcome.effects {
        done.has_effects |= outbox::add(tx, planned, cause, now).await?;
    }
    Ok(())
}

/// Sets a delivery aside for a person to look at.
async fn park(
    tx: &mut Tx,
    row: &Received,
    now: Timestamp,
    why: String,
) -> Result<Handled, StoreError> {
    tracing::error!(
        delivery.row = row.id,
        event = row.event,
        why,
        "a delivery was set aside: see `countersign inbox list`"
    );
    let entry = Entry::new(now, Action::DeliveryParked, Actor::Countersign)
        .with("inbox", row.id.to_string())
        .with("problem", why.as_str())
        .with("source", row.source.as_str());
    ledger::append(tx, &entry).await?;
    Ok(Handled::Ended(Verdict::Parked(why)))
}
