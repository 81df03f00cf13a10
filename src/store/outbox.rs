//! The outbox: what must be done outside and is not yet done. A row is claimed with a lease and a fence, and every
//! outcome names the fence, so that a holder who was too slow cannot overwrite the next one.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::Row as _;

use super::lease::micros;
use super::row::Row;
use super::statement::statements;
use super::{Store, StoreError, Tx};
use crate::domain::{Effect, Planned, Priority};

statements! {
    ADD = ["INSERT INTO outbox (token, effect, cause, priority, created_at, due_at, state, channel, thread)
        VALUES ($1, $2, $3, $4, $5, $8, 'waiting', $6, $7) ON CONFLICT (token) DO NOTHING"];
    /// What is not acted on yet is not worth showing any more.
    REPLACE = ["UPDATE outbox SET state = 'done', finished_at = $2, problem = 'a newer one replaced it'
        WHERE thread = $1 AND state = 'waiting' AND token LIKE 'notice/%' AND lease_until <=" NOW];
    /// The rows are chosen once and then claimed: within the UPDATE itself, PostgreSQL may choose again
    /// for every row and so claim more than were asked for.
    /// Within a thread an effect waits for those before it; while a channel is quiet, all of it waits.
    CLAIM = ["WITH chosen AS MATERIALIZED
            (SELECT id FROM outbox WHERE state = 'waiting' AND due_at <= $2 AND lease_until <=" NOW "
            AND NOT EXISTS (SELECT 1 FROM outbox AS earlier
                WHERE earlier.thread = outbox.thread AND earlier.id < outbox.id AND earlier.state = 'waiting')
            AND NOT EXISTS (SELECT 1 FROM quiet WHERE quiet.channel = outbox.channel AND quiet.until_at > $2)
            ORDER BY priority, due_at, id LIMIT $3" SKIP_LOCKED ")
        UPDATE outbox SET fence = fence + 1, attempts = attempts + 1, lease_until =" NOW "+ $1
        WHERE id IN (SELECT id FROM chosen) AND state = 'waiting' AND lease_until <=" NOW "
        RETURNING id, token, effect, cause, priority, attempts, fence, thread"];
    RESULT = ["SELECT id, result FROM outbox WHERE thread = $1 AND result IS NOT NULL ORDER BY id DESC LIMIT 1"];
    DONE = ["UPDATE outbox SET state = 'done', finished_at = $3, result = $4, lease_until = 0, problem = NULL
        WHERE id = $1 AND fence = $2 AND state = 'waiting'"];
    LATER = ["UPDATE outbox SET due_at = $3, lease_until = 0, problem = $4
        WHERE id = $1 AND fence = $2 AND state = 'waiting'"];
    PARK = ["UPDATE outbox SET state = 'parked', lease_until = 0, problem = $3
        WHERE id = $1 AND fence = $2 AND state = 'waiting'"];
    GIVE_BACK = ["UPDATE outbox SET lease_until = 0, attempts = attempts - 1
        WHERE id = $1 AND fence = $2 AND state = 'waiting'"];
    RETRY = ["UPDATE outbox SET state = 'waiting', due_at = $2, attempts = 0, lease_until = 0, fence = fence + 1
        WHERE id = $1 AND (state = 'parked' OR (state = 'waiting' AND lease_until <=" NOW "))"];
    DROP = ["UPDATE outbox SET state = 'dropped', finished_at = $2, fence = fence + 1
        WHERE id = $1 AND (state = 'parked' OR (state = 'waiting' AND lease_until <=" NOW "))"];
    FIND = ["SELECT id, token, effect, state, fence, attempts, created_at, due_at, problem FROM outbox WHERE id = $1"];
    LIST = ["SELECT id, token, effect, state, fence, attempts, created_at, due_at, problem FROM outbox
        WHERE state = $1 AND id > $2 ORDER BY id LIMIT $3"];
    NEXT_DUE = ["SELECT MIN(due_at) AS due_at, 0 AS id FROM outbox WHERE state = 'waiting'"];
    PARKED = ["SELECT COUNT(*) AS found FROM outbox WHERE state = 'parked'"];
    PRUNE = ["DELETE FROM outbox WHERE id IN
        (SELECT id FROM outbox WHERE finished_at IS NOT NULL AND finished_at < $1 ORDER BY finished_at LIMIT $2)"];
}

/// A row that is ours until its lease ends.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub id: i64,
    /// Names the row in the outside world, the same for every attempt.
    pub token: String,
    /// Or why the stored effect makes no sense to this program.
    pub effect: Result<Effect, String>,
    /// The entry of the audit log that explains it.
    pub cause: i64,
    pub attempts: u64,
    pub fence: i64,
    pub thread: Option<String>,
}

/// A row as people see it.
#[derive(Clone, Debug)]
pub struct Listed {
    pub id: i64,
    pub token: String,
    pub effect: Result<Effect, String>,
    pub state: String,
    /// How often it was ever claimed, or given another chance.
    pub fence: i64,
    pub attempts: u64,
    pub created_at: Timestamp,
    pub due_at: Timestamp,
    pub problem: Option<String>,
}

/// Adds an effect, once for each token; `cause` is the ledger entry that explains it. What is said in a
/// thread may be said again: each decision says it once.
pub async fn add(
    tx: &mut Tx,
    planned: &Planned,
    cause: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let priority = match planned.priority() {
        // The first version knew the others.
        Priority::Back => -1_i64,
        Priority::Trigger => 0,
        Priority::Reply => 1,
        Priority::Notice => 2,
    };
    let thread = planned.effect.thread();
    let token = match &thread {
        Some(_) => format!("{}@{cause}", planned.token),
        None => planned.token.clone(),
    };
    if let (Some(thread), true) = (&thread, planned.effect.replaces_older()) {
        sqlx::query(tx.sql(&REPLACE))
            .bind(thread.as_str())
            .bind(now.as_microsecond())
            .execute(tx.connection())
            .await?;
    }
    let due_at = planned
        .not_before
        .map_or(now, |not_before| not_before.max(now));
    let added = sqlx::query(tx.sql(&ADD))
        .bind(token)
        .bind(spell(&planned.effect))
        .bind(cause)
        .bind(priority)
        .bind(now.as_microsecond())
        .bind(planned.effect.limit())
        .bind(thread)
        .bind(due_at.as_microsecond())
        .execute(tx.connection())
        .await?;
    Ok(added.rows_affected() == 1)
}

/// Claims rows that are due: triggers before replies, replies before notices.
pub async fn claim(
    store: &Store,
    now: Timestamp,
    lease: Duration,
    most: u32,
) -> Result<Vec<Claimed>, StoreError> {
    store
        .unit(move |tx| {
            Box::pin(async move {
                let rows = sqlx::query(tx.sql(&CLAIM))
                    .bind(micros(lease))
                    .bind(now.as_microsecond())
                    .bind(i64::from(most))
                    .fetch_all(tx.connection())
                    .await?;
                let mut claimed = Vec::with_capacity(rows.len());
                for row in &rows {
                    let row = Row::of(row, "outbox", "id");
                    claimed.push((
                        row.number("priority")?,
                        Claimed {
                            id: row.number("id")?,
                            token: row.text("token")?,
                            effect: parse(&row.text("effect")?),
                            cause: row.number("cause")?,
                            attempts: row.count("attempts")?,
                            fence: row.number("fence")?,
                            thread: row.maybe_text("thread")?,
                        },
                    ));
                }
                claimed.sort_by_key(|(priority, row)| (*priority, row.id));
                Ok(claimed.into_iter().map(|(_, row)| row).collect())
            })
        })
        .await
}

/// What the outside world calls what the newest effect of a thread made.
pub async fn result(store: &Store, thread: &str) -> Result<Option<String>, StoreError> {
    let row = sqlx::query(RESULT.text(store.dialect()))
        .bind(thread)
        .fetch_optional(store.reader())
        .await?;
    row.map(|row| Row::of(&row, "outbox", "id").maybe_text("result"))
        .transpose()
        .map(Option::flatten)
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    Done {
        at: Timestamp,
        /// What the outside world calls what was made.
        result: Option<String>,
    },
    Later {
        due_at: Timestamp,
        problem: String,
    },
    Parked {
        problem: String,
    },
    /// Not attempted: the claim is returned as if it had never been made.
    GivenBack,
}

/// Records how an attempt ended; `false` when the claim was lost in the meantime.
pub async fn end(tx: &mut Tx, row: &Claimed, ending: &Ending) -> Result<bool, StoreError> {
    let statement = match ending {
        Ending::Done { .. } => &DONE,
        Ending::Later { .. } => &LATER,
        Ending::Parked { .. } => &PARK,
        Ending::GivenBack => &GIVE_BACK,
    };
    let query = sqlx::query(tx.sql(statement)).bind(row.id).bind(row.fence);
    let query = match ending {
        Ending::Done { at, result } => query.bind(at.as_microsecond()).bind(result.clone()),
        Ending::Later { due_at, problem } => {
            query.bind(due_at.as_microsecond()).bind(problem.as_str())
        }
        Ending::Parked { problem } => query.bind(problem.as_str()),
        Ending::GivenBack => query,
    };
    Ok(query.execute(tx.connection()).await?.rows_affected() == 1)
}

/// Lets a parked row be tried again at once; `false` when there is nothing to retry.
pub async fn retry(tx: &mut Tx, id: i64, now: Timestamp) -> Result<bool, StoreError> {
    change(tx, &RETRY, id, now).await
}

/// Gives a row up for good; `false` when it is being acted on, done, or dropped already.
pub async fn drop_row(tx: &mut Tx, id: i64, now: Timestamp) -> Result<bool, StoreError> {
    change(tx, &DROP, id, now).await
}

async fn change(
    tx: &mut Tx,
    statement: &super::Statement,
    id: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed = sqlx::query(tx.sql(statement))
        .bind(id)
        .bind(now.as_microsecond())
        .execute(tx.connection())
        .await?;
    Ok(changed.rows_affected() == 1)
}

pub async fn find(store: &Store, id: i64) -> Result<Option<Listed>, StoreError> {
    let row = sqlx::query(FIND.text(store.dialect()))
        .bind(id)
        .fetch_optional(store.reader())
        .await?;
    row.map(|row| listed(&Row::of(&row, "outbox", "id")))
        .transpose()
}

/// Rows in one state, by id, after `after`.
pub async fn list(
    store: &Store,
    state: &str,
    after: i64,
    most: u32,
) -> Result<Vec<Listed>, StoreError> {
    let rows = sqlx::query(LIST.text(store.dialect()))
        .bind(state)
        .bind(after)
        .bind(i64::from(most))
        .fetch_all(store.reader())
        .await?;
    rows.iter()
        .map(|row| listed(&Row::of(row, "outbox", "id")))
        .collect()
}

/// When the next waiting row is due.
pub async fn next_due(store: &Store) -> Result<Option<Timestamp>, StoreError> {
    let row = sqlx::query(NEXT_DUE.text(store.dialect()))
        .fetch_one(store.reader())
        .await?;
    Row::of(&row, "outbox", "id").maybe_time("due_at")
}

/// How many rows wait for a person.
pub async fn parked(store: &Store) -> Result<i64, StoreError> {
    let row = sqlx::query(PARKED.text(store.dialect()))
        .fetch_one(store.reader())
        .await?;
    Ok(row.try_get("found")?)
}

/// Removes rows that ended before `before`; returns how many.
pub async fn prune(tx: &mut Tx, before: Timestamp, most: u32) -> Result<u64, StoreError> {
    let pruned = sqlx::query(tx.sql(&PRUNE))
        .bind(before.as_microsecond())
        .bind(i64::from(most))
        .execute(tx.connection())
        .await?;
    Ok(pruned.rows_affected())
}

fn listed(row: &Row<'_>) -> Result<Listed, StoreError> {
    Ok(Listed {
        id: row.number("id")?,
        token: row.text("token")?,
        effect: parse(&row.text("effect")?),
        state: row.text("state")?,
        fence: row.number("fence")?,
        attempts: row.count("attempts")?,
        created_at: row.time("created_at")?,
        due_at: row.time("due_at")?,
        problem: row.maybe_text("problem")?,
    })
}

fn spell(effect: &Effect) -> String {
    // Only maps with keys that are not text can fail, and there are none.
    serde_json::to_string(effect).unwrap_or_default()
}

fn parse(text: &str) -> Result<Effect, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}
