//! Candidates, and the reports about commits. Of the reports by one source about one thing the newest is
//! kept, whatever order they are written in.

use serde::de::DeserializeOwned;

use super::{signed, spell};
use crate::domain::{Candidate, Colour, Report, RepositoryId, Seen, ServiceName, Sha};
use crate::store::row::Row;
use crate::store::statement::statements;
use crate::store::{Store, StoreError, Tx};

statements! {
    CANDIDATES = ["SELECT id, body FROM candidate WHERE repository = $1 AND sha = $2 ORDER BY id"];
    NEWEST = ["SELECT id, body FROM candidate WHERE service = $1 ORDER BY id DESC LIMIT 10"];
    PUT_CANDIDATE = ["INSERT INTO candidate (service, repository, sha, body) VALUES ($1, $2, $3, $4)
        ON CONFLICT (service, repository, sha) DO UPDATE SET body = excluded.body"];
    REPORTS = ["SELECT name, body FROM gate_report WHERE repository = $1 AND sha = $2 ORDER BY kind, name, source"];
    PUT_REPORT = ["INSERT INTO gate_report
            (repository, sha, kind, name, source, rank_id, attempt, phase, second, colour, at, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        ON CONFLICT (repository, sha, kind, name, source) DO UPDATE SET
            rank_id = excluded.rank_id, attempt = excluded.attempt, phase = excluded.phase,
            second = excluded.second, colour = excluded.colour, at = excluded.at, body = excluded.body
        WHERE (excluded.rank_id, excluded.attempt, excluded.phase, excluded.second, excluded.colour)
            > (gate_report.rank_id, gate_report.attempt, gate_report.phase, gate_report.second, gate_report.colour)"];
    PRUNE_REPORTS = ["DELETE FROM gate_report WHERE (repository, sha, kind, name, source) IN
        (SELECT repository, sha, kind, name, source FROM gate_report WHERE at < $1 ORDER BY at LIMIT $2)"];
}

pub(super) async fn candidates(
    tx: &mut Tx,
    repository: RepositoryId,
    sha: &Sha,
) -> Result<Seen, StoreError> {
    let rows = sqlx::query(tx.sql(&CANDIDATES))
        .bind(signed(repository.key())?)
        .bind(sha.as_str())
        .fetch_all(tx.connection())
        .await?;
    bodies(&rows, "candidate", "id").map(Seen::Candidates)
}

pub(super) async fn newest(tx: &mut Tx, service: &ServiceName) -> Result<Seen, StoreError> {
    let rows = sqlx::query(tx.sql(&NEWEST))
        .bind(service.as_str())
        .fetch_all(tx.connection())
        .await?;
    bodies(&rows, "candidate", "id").map(Seen::Candidates)
}

/// The newest candidates of a service, to be shown.
pub async fn newest_candidates(
    store: &Store,
    service: &ServiceName,
) -> Result<Vec<Candidate>, StoreError> {
    let rows = sqlx::query(NEWEST.text(store.dialect()))
        .bind(service.as_str())
        .fetch_all(store.reader())
        .await?;
    bodies(&rows, "candidate", "id")
}

pub(super) async fn put_candidate(tx: &mut Tx, candidate: &Candidate) -> Result<(), StoreError> {
    sqlx::query(tx.sql(&PUT_CANDIDATE))
        .bind(candidate.service.as_str())
        .bind(signed(candidate.repository.id.key())?)
        .bind(candidate.sha.as_str())
        .bind(spell(candidate)?)
        .execute(tx.connection())
        .await?;
    Ok(())
}

pub(super) async fn reports(
    tx: &mut Tx,
    repository: RepositoryId,
    sha: &Sha,
) -> Result<Seen, StoreError> {
    let rows = sqlx::query(tx.sql(&REPORTS))
        .bind(signed(repository.key())?)
        .bind(sha.as_str())
        .fetch_all(tx.connection())
        .await?;
    bodies(&rows, "gate_report", "name").map(Seen::Reports)
}

pub(super) async fn put_report(tx: &mut Tx, report: &Report) -> Result<(), StoreError> {
    let colour: i64 = match report.colour {
        Colour::Green => 0,
        Colour::Pending => 1,
        Colour::Red => 2,
    };
    sqlx::query(tx.sql(&PUT_REPORT))
        .bind(signed(report.repository.key())?)
        .bind(report.sha.as_str())
        .bind(report.kind.as_str())
        .bind(report.name.as_str())
        .bind(report.origin())
        .bind(signed(report.rank.id)?)
        .bind(signed(report.rank.attempt)?)
        .bind(i64::from(report.rank.phase))
        .bind(report.rank.second)
        .bind(colour)
        .bind(report.at.as_microsecond())
        .bind(spell(report)?)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Removes old reports. Whatever is still asked about an old commit is read from the forge again.
pub(super) async fn prune_reports(
    tx: &mut Tx,
    before: jiff::Timestamp,
    most: u32,
) -> Result<u64, StoreError> {
    let pruned = sqlx::query(tx.sql(&PRUNE_REPORTS))
        .bind(before.as_microsecond())
        .bind(i64::from(most))
        .execute(tx.connection())
        .await?;
    Ok(pruned.rows_affected())
}

/// The `body` of every row.
pub(super) fn bodies<T: DeserializeOwned>(
    rows: &[sqlx::any::AnyRow],
    table: &'static str,
    key: &'static str,
) -> Result<Vec<T>, StoreError> {
    rows.iter()
        .map(|row| body(&Row::of(row, table, key)))
        .collect()
}

pub(super) fn body<T: DeserializeOwned>(row: &Row<'_>) -> Result<T, StoreError> {
    serde_json::from_str(&row.text("body")?)
        .map_err(|error| row.unreadable("body", error.to_string()))
}
