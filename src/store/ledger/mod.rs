//! The audit log. An entry is appended in the same transaction as the change that it records. The number
//! comes from the head, whose row lock lets one writer through at a time, so that numbers have no gaps. Each
//! statement costs, so the combinations that occur and what people are called are derived by triggers.

mod derived;
mod entries;
pub mod export;
mod find;
mod heads;
mod pack;
mod period;
pub mod private;
mod proofs;
mod shown;
mod terms;
mod tiles;
pub mod witness;

pub use derived::{EntryKind, Times, kinds, times};
pub use entries::{
    Beside, Beyond, Stored, StoredAside, Stray, asides, beside, beyond, entries, latest, numbers,
    of_request, one, size,
};
pub use find::{find, find_of};
pub use heads::{
    Anchor, Checkpoint, Tile, anchor, anchors, checkpoint_after, checkpoints, last_checkpoint,
    record_anchor, record_checkpoint, record_tiles, tiles,
};

pub use pack::{Pack, pack};
pub use period::bounds;
pub use proofs::prove;
pub use shown::{shown, shown_in};
pub use tiles::{bundle, hash_tile};

pub(super) use derived::ALL as DERIVED;
pub(super) use entries::ALL as ENTRIES;
pub(super) use find::ALL as FIND;
pub(super) use heads::ALL as HEADS;
pub(super) use pack::ALL as PACK;
pub(super) use period::ALL as PERIOD;
pub(super) use private::ALL as PRIVATE;
pub(super) use shown::ALL as SHOWN;
pub(super) use terms::ALL as TERMS;
pub(super) use tiles::ALL as TILES;
pub(super) use witness::ALL as WITNESS;

use jiff::Timestamp;
use sqlx::Row as _;

use super::statement::statements;
use super::{StoreError, Tx};
use crate::domain::{Action, Actor, Entry};
use countersign_ground::chance;
use countersign_ledger::{self as ledger, Aside, Salt, Sealer, Seen};

statements! {
    COUNT = ["SELECT size FROM ledger_head WHERE log = 'main'"];
    /// `slip` is how far a time ever lay before one that had been recorded earlier.
    NEXT = ["UPDATE ledger_head SET size = size + 1,
            slip = CASE WHEN latest - $1 > slip THEN latest - $1 ELSE slip END,
            latest = CASE WHEN latest < $1 THEN $1 ELSE latest END
        WHERE log = 'main' RETURNING size"];
    APPEND = ["INSERT INTO ledger_entry (seq, at, action, outcome, service, environment, person, sha, request, about, body, leaf)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"];
    /// As many at once as most entries have.
    SET_ASIDE = ["INSERT INTO ledger_private (seq, name, salt, value) VALUES ($1, $2, $3, $4)"];
    SET_2_ASIDE = ["INSERT INTO ledger_private (seq, name, salt, value) VALUES ($1, $2, $3, $4), ($1, $5, $6, $7)"];
    SET_3_ASIDE = ["INSERT INTO ledger_private (seq, name, salt, value)
        VALUES ($1, $2, $3, $4), ($1, $5, $6, $7), ($1, $8, $9, $10)"];
    ADD_WORDS = ["INSERT INTO ledger_word (word, seq) SELECT value, $1 FROM" EACH_OF_2];
}

/// Opens the log, unless it is open.
pub async fn open(tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
    let sealer = tx.sealer().ok_or(StoreError::Unsealed)?;
    let size: i64 = sqlx::query(tx.sql(&COUNT))
        .fetch_one(tx.connection())
        .await?
        .try_get("size")?;
    if size == 0 {
        append_next(tx, &sealer, &opening(&sealer, now)).await?;
    }
    Ok(())
}

/// The first entry names the log, the key and the version.
fn opening(sealer: &Sealer, now: Timestamp) -> Entry {
    Entry::new(now, Action::LogOpened, Actor::Countersign)
        .with("key", sealer.public())
        .with("entries", u64::from(ledger::SCHEMA_VERSION))
        .with("version", env!("CARGO_PKG_VERSION"))
}

/// Appends one entry and returns its number.
pub async fn append(tx: &mut Tx, entry: &Entry) -> Result<i64, StoreError> {
    let sealer = tx.sealer().ok_or(StoreError::Unsealed)?;
    let seq = number(tx, entry.at).await?;
    if seq > 1 {
        return append_as(tx, &sealer, seq, entry).await;
    }
    append_as(tx, &sealer, seq, &opening(&sealer, entry.at)).await?;
    append_next(tx, &sealer, entry).await
}

async fn append_next(tx: &mut Tx, sealer: &Sealer, entry: &Entry) -> Result<i64, StoreError> {
    let seq = number(tx, entry.at).await?;
    append_as(tx, sealer, seq, entry).await
}

async fn number(tx: &mut Tx, at: Timestamp) -> Result<i64, StoreError> {
    Ok(sqlx::query(tx.sql(&NEXT))
        .bind(at.as_microsecond())
        .fetch_one(tx.connection())
        .await?
        .try_get("size")?)
}

async fn append_as(
    tx: &mut Tx,
    sealer: &Sealer,
    seq: i64,
    entry: &Entry,
) -> Result<i64, StoreError> {
    let mut is_random = true;
    let spelled = ledger::spell(entry, seq, sealer, || {
        chance::secret::<{ ledger::SALT_LENGTH }>().unwrap_or_else(|| {
            is_random = false;
            Salt::default()
        })
    });
    if !is_random {
        return Err(StoreError::NoRandomness);
    }
    let facets = Seen::read(&spelled.body)
        .map_err(|why| StoreError::Unusable(format!("an entry was spelled wrongly: {why}")))?
        .facets;
    let about = facets.about();
    sqlx::query(tx.sql(&APPEND))
        .bind(seq)
        .bind(facets.at.as_microsecond())
        .bind(&facets.action)
        .bind(facets.outcome)
        .bind(&facets.service)
        .bind(&facets.environment)
        .bind(&facets.person)
        .bind(&facets.sha)
        .bind(facets.request)
        .bind(&about)
        .bind(spelled.body.as_slice())
        .bind(ledger::leaf(&spelled.body).to_vec())
        .execute(tx.connection())
        .await?;
    set_aside(tx, seq, &spelled.asides).await?;
    let words = ledger::words(&spelled.body, &spelled.asides);
    if !words.is_empty() {
        add_words(tx, seq, &words).await?;
    }
    Ok(seq)
}

async fn set_aside(tx: &mut Tx, seq: i64, asides: &[Aside]) -> Result<(), StoreError> {
    for some in asides.chunks(3) {
        let statement = match some.len() {
            3 => &SET_3_ASIDE,
            2 => &SET_2_ASIDE,
            _ => &SET_ASIDE,
        };
        let mut query = sqlx::query(tx.sql(statement)).bind(seq);
        for aside in some {
            query = query
                .bind(&aside.name)
                .bind(aside.salt.as_slice())
                .bind(&aside.value);
        }
        query.execute(tx.connection()).await?;
    }
    Ok(())
}

async fn add_words(
    tx: &mut Tx,
    seq: i64,
    words: &std::collections::BTreeSet<String>,
) -> Result<(), StoreError> {
    // Only maps with keys that are not text can fail, and there are none.
    let list = serde_json::to_string(words).unwrap_or_default();
    sqlx::query(tx.sql(&ADD_WORDS))
        .bind(seq)
        .bind(list)
        .execute(tx.connection())
        .await?;
    Ok(())
}
