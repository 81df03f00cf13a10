//! Requests and the approvals that belong to them. What was asked for and what was said never changes;
//! an approval can only become void.

use jiff::Timestamp;

use super::commits::body;
use super::{signed, spell};
use crate::domain::{
    EnvironmentName, ExternalKind, Given, RepositoryId, Request, Seen, ServiceName, Sha,
};
use crate::store::row::Row;
use crate::store::statement::statements;
use crate::store::{StoreError, Tx};

statements! {
    OPEN = ["SELECT number, body FROM request WHERE service = $1
        AND state IN ('waiting', 'departing', 'unknown', 'sent', 'running') ORDER BY number"];
    ONE = ["SELECT number, body FROM request WHERE number = $1"];
    OF = ["SELECT number, body FROM request WHERE repository = $1 AND external_kind = $2 AND external_id = $3 ORDER BY number"];
    HISTORY = ["SELECT number, body FROM request WHERE service = $1 AND environment = $2 AND state = 'succeeded'
        ORDER BY number DESC LIMIT 50"];
    OF_COMMIT = ["SELECT number, body FROM request WHERE repository = $1 AND sha = $2 ORDER BY number"];
    OF_COMMENT = ["SELECT number, body FROM request WHERE repository = $1 AND comment = $2
        UNION SELECT number, body FROM request WHERE number IN
            (SELECT request FROM approval WHERE repository = $1 AND comment = $2) ORDER BY number"];
    PUT = ["INSERT INTO request (number, service, environment, repository, sha, comment, state, external_kind, external_id, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (number) DO UPDATE SET state = excluded.state, external_kind = excluded.external_kind,
            external_id = excluded.external_id, body = excluded.body"];
    APPROVALS = ["SELECT person, body FROM approval WHERE request = $1 AND voided_at IS NULL ORDER BY at, person"];
    APPROVE = ["INSERT INTO approval (request, person, at, repository, comment, body) VALUES ($1, $2, $3, $4, $5, $6)"];
    VOID = ["UPDATE approval SET voided_at = $3 WHERE request = $1 AND person = $2 AND voided_at IS NULL"];
}

pub(super) async fn open(tx: &mut Tx, service: &ServiceName) -> Result<Seen, StoreError> {
    let rows = sqlx::query(tx.sql(&OPEN))
        .bind(service.as_str())
        .fetch_all(tx.connection())
        .await?;
    with_approvals(tx, &rows).await
}

pub(super) async fn one(tx: &mut Tx, number: u64) -> Result<Seen, StoreError> {
    // A number that the database cannot hold belongs to no request.
    let Ok(number) = i64::try_from(number) else {
        return Ok(Seen::Requests(Vec::new()));
    };
    let rows = sqlx::query(tx.sql(&ONE))
        .bind(number)
        .fetch_all(tx.connection())
        .await?;
    with_approvals(tx, &rows).await
}

pub(super) async fn of(
    tx: &mut Tx,
    repository: RepositoryId,
    (kind, id): (ExternalKind, u64),
) -> Result<Seen, StoreError> {
    let rows = sqlx::query(tx.sql(&OF))
        .bind(signed(repository.key())?)
        .bind(kind.as_str())
        .bind(signed(id)?)
        .fetch_all(tx.connection())
        .await?;
    with_approvals(tx, &rows).await
}

pub(super) async fn history(
    tx: &mut Tx,
    service: &ServiceName,
    environment: &EnvironmentName,
) -> Result<Seen, StoreError> {
    let rows = sqlx::query(tx.sql(&HISTORY))
        .bind(service.as_str())
        .bind(environment.as_str())
        .fetch_all(tx.connection())
        .await?;
    super::commits::bodies(&rows, "request", "number").map(Seen::Requests)
}

pub(super) async fn of_commit(
    tx: &mut Tx,
    repository: RepositoryId,
    sha: &Sha,
) -> Result<Seen, StoreError> {
    let rows = sqlx::query(tx.sql(&OF_COMMIT))
        .bind(signed(repository.key())?)
        .bind(sha.as_str())
        .fetch_all(tx.connection())
        .await?;
    with_approvals(tx, &rows).await
}

pub(super) async fn of_comment(
    tx: &mut Tx,
    repository: RepositoryId,
    comment: u64,
) -> Result<Seen, StoreError> {
    let rows = sqlx::query(tx.sql(&OF_COMMENT))
        .bind(signed(repository.key())?)
        .bind(signed(comment)?)
        .fetch_all(tx.connection())
        .await?;
    with_approvals(tx, &rows).await
}

async fn with_approvals(tx: &mut Tx, rows: &[sqlx::any::AnyRow]) -> Result<Seen, StoreError> {
    let mut requests = Vec::with_capacity(rows.len());
    for row in rows {
        let mut request: Request = body(&Row::of(row, "request", "number"))?;
        request.given = approvals(tx, request.number).await?;
        requests.push(request);
    }
    Ok(Seen::Requests(requests))
}

async fn approvals(tx: &mut Tx, number: u64) -> Result<Vec<Given>, StoreError> {
    let rows = sqlx::query(tx.sql(&APPROVALS))
        .bind(signed(number)?)
        .fetch_all(tx.connection())
        .await?;
    super::commits::bodies(&rows, "approval", "person")
}

/// Writes a request as it stands now, and what its approvals gained and lost.
pub(super) async fn put(tx: &mut Tx, request: &Request, now: Timestamp) -> Result<(), StoreError> {
    let mut alone = request.clone();
    alone.given.clear();
    let external = request
        .last_flight()
        .and_then(|flight| flight.external.as_ref());
    let external_id = external.map(|external| signed(external.id)).transpose()?;
    sqlx::query(tx.sql(&PUT))
        .bind(signed(request.number)?)
        .bind(request.service.as_str())
        .bind(request.environment.as_str())
        .bind(signed(request.repository.id.key())?)
        .bind(request.sha.as_str())
        .bind(comment(
            request.origin.comment().map(|place| place.comment),
        )?)
        .bind(request.state.word())
        .bind(external.map(|external| external.kind.as_str()))
        .bind(external_id)
        .bind(spell(&alone)?)
        .execute(tx.connection())
        .await?;
    let known = approvals(tx, request.number).await?;
    for given in request.given.iter().filter(|given| !known.contains(given)) {
        approve(tx, request, given).await?;
    }
    for gone in known
        .iter()
        .filter(|known| request.given.iter().all(|given| given.by.id != known.by.id))
    {
        sqlx::query(tx.sql(&VOID))
            .bind(signed(request.number)?)
            .bind(signed(gone.by.id)?)
            .bind(now.as_microsecond())
            .execute(tx.connection())
            .await?;
    }
    Ok(())
}

/// What was not said in a comment has none: zero is no comment's number.
fn comment(number: Option<u64>) -> Result<i64, StoreError> {
    signed(number.unwrap_or_default())
}

async fn approve(tx: &mut Tx, request: &Request, given: &Given) -> Result<(), StoreError> {
    sqlx::query(tx.sql(&APPROVE))
        .bind(signed(request.number)?)
        .bind(signed(given.by.id)?)
        .bind(given.at.as_microsecond())
        .bind(signed(request.repository.id.key())?)
        .bind(comment(given.comment)?)
        .bind(spell(given)?)
        .execute(tx.connection())
        .await?;
    Ok(())
}
