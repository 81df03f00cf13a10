//! The state that decisions are about, one look and one change at a time, always within the transaction
//! of the decision. What is open and what is live is found by an index, never by reading history.

mod callers;
mod chats;
mod commits;
mod entries;
mod environments;
mod names;
mod requests;

pub use chats::{Linked, links, unlink};
pub use commits::newest_candidates;
pub use names::repin;

use jiff::Timestamp;

use super::row::Row;
use super::{StoreError, Tx};
use crate::domain::{Change, Forge, Look, Seen};

pub(in crate::store) use callers::ALL as CALLERS;
pub(in crate::store) use chats::ALL as CHATS;
pub(in crate::store) use commits::ALL as COMMITS;
pub(in crate::store) use environments::ALL as ENVIRONMENTS;
pub(in crate::store) use names::ALL as NAMES;
pub(in crate::store) use requests::ALL as REQUESTS;

/// Looks something up.
pub async fn look(tx: &mut Tx, look: &Look) -> Result<Seen, StoreError> {
    match look {
        Look::Repository { id, path } => names::repositories(tx, id.key(), path).await,
        Look::BoundRepository { path } => names::repositories(tx, 0, path).await,
        Look::Pin { kind, name } => names::pin(tx, *kind, name).await,
        Look::Caller {
            repository,
            account,
        } => callers::caller(tx, *repository, *account).await,
        Look::Remembered { token } => names::remembered(tx, token).await,
        Look::Entries {
            services,
            filter,
            most,
        } => entries::noted(tx, services, filter, *most).await,
        Look::NextNumber => names::next_number(tx).await,
        Look::NextNotice { .. } => chats::next_notice(tx).await,
        Look::Notice {
            service,
            environment,
            sha,
        } => chats::notice(tx, service, environment, sha).await,
        Look::NoticeOf { number } => chats::notice_of(tx, *number).await,
        Look::Offered {
            service,
            environment,
        } => chats::offered(tx, service, environment).await,
        Look::Identity { speaker, forge } => chats::identity(tx, speaker, *forge).await,
        Look::Linked { forge, account } => chats::linked(tx, (*forge, *account)).await,
        Look::Code { code } => chats::offer_by_code(tx, code).await,
        Look::Offer { number } => chats::offer(tx, *number).await,
        Look::Candidates { repository, sha } => commits::candidates(tx, *repository, sha).await,
        Look::Newest { service } => commits::newest(tx, service).await,
        Look::Reports { repository, sha } => commits::reports(tx, *repository, sha).await,
        Look::OpenRequests { service } => requests::open(tx, service).await,
        Look::Request { number } => requests::one(tx, *number).await,
        Look::RequestOf {
            repository,
            kind,
            id,
        } => requests::of(tx, *repository, (*kind, *id)).await,
        Look::RequestsOfCommit { repository, sha } => {
            requests::of_commit(tx, *repository, sha).await
        }
        Look::History {
            service,
            environment,
        } => requests::history(tx, service, environment).await,
        Look::RequestsOfComment {
            repository,
            comment,
        } => requests::of_comment(tx, *repository, *comment).await,
        Look::Live { service } => environments::live(tx, service).await,
        Look::Locks { service } => environments::locks(tx, service).await,
        Look::WaitingRuns {
            repository,
            environment,
        } => environments::waiting_runs(tx, *repository, environment).await,
    }
}

/// Makes a change.
pub async fn apply(tx: &mut Tx, change: &Change, now: Timestamp) -> Result<(), StoreError> {
    match change {
        Change::Bind(bound) => names::bind(tx, bound).await,
        Change::Remember { token } => names::remember(tx, token, now).await,
        Change::Caller(caller) => callers::put(tx, caller).await,
        Change::Report(report) => commits::put_report(tx, report).await,
        Change::Candidate(candidate) => commits::put_candidate(tx, candidate).await,
        Change::Request(request) => requests::put(tx, request, now).await,
        Change::Live(live) => environments::set_live(tx, live).await,
        Change::Lock(lock) => environments::lock(tx, lock).await,
        Change::Unlock {
            service,
            environment,
        } => environments::unlock(tx, service, environment).await,
        Change::WaitingRun(requested) => environments::run_waits(tx, requested).await,
        Change::RunGoesOn { repository, run } => {
            environments::run_goes_on(tx, *repository, *run).await
        }
        Change::Timer {
            due,
            repository,
            at,
        } => super::timer::set_due(tx, due, *repository, *at).await,
        Change::NoTimer { due } => super::timer::cancel(tx, &due.key()).await,
        Change::Notice(notice) => chats::put_notice(tx, notice).await,
        Change::OfferLink { offer, code } => chats::put_offer(tx, offer, code).await,
        Change::ClaimLink { offer, account } => chats::claim_offer(tx, *offer, account).await,
        Change::EndOffer { offer } => chats::end_offer(tx, *offer).await,
        Change::Link { speaker, account } => chats::link(tx, speaker, account, now).await,
        Change::Unlink { speaker, forge } => unlink(tx, speaker, *forge).await.map(drop),
        Change::Note { repository, note } => {
            super::note::leave(tx, &super::note::lane(*repository), note, now).await
        }
    }
}

/// Removes what is too old to matter; returns how many rows of the fuller table.
pub async fn prune(
    tx: &mut Tx,
    memory_before: Timestamp,
    reports_before: Timestamp,
    most: u32,
) -> Result<u64, StoreError> {
    let forgotten = names::forget(tx, memory_before, most).await?;
    let reports = commits::prune_reports(tx, reports_before, most).await?;
    chats::forget_offers(tx, memory_before).await?;
    callers::forget(tx, memory_before).await?;
    Ok(forgotten.max(reports))
}

/// The forge that a column names; GitHub, where it was written while there was no other.
fn forge(row: &Row<'_>, column: &'static str) -> Result<Forge, StoreError> {
    let Some(text) = row.maybe_text(column)? else {
        return Ok(Forge::first());
    };
    Forge::of_prefix(&text).ok_or_else(|| row.unreadable(column, format!("{text:?} is no forge")))
}

/// A number as the database keeps it.
fn signed(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number)
        .map_err(|_| StoreError::Unusable(format!("the number {number} is too large to be stored")))
}

/// A value as JSON text.
fn spell<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::Unusable(format!("a value has no spelling: {error}")))
}
