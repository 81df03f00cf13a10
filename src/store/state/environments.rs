//! Environments: what is live, what is locked, and which runs wait at a protection rule.

use super::commits::bodies;
use super::{signed, spell};
use crate::domain::{
    Account, EnvironmentName, Live, Lock, RepositoryId, RuleRequested, Seen, ServiceName, Sha,
};
use crate::store::row::Row;
use crate::store::statement::statements;
use crate::store::{StoreError, Tx};

statements! {
    LIVE = ["SELECT environment, sha, request, since FROM live WHERE service = $1 ORDER BY environment"];
    SET_LIVE = ["INSERT INTO live (service, environment, sha, request, since) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (service, environment) DO UPDATE
            SET sha = excluded.sha, request = excluded.request, since = excluded.since"];
    LOCKS = ["SELECT by_forge, environment, by_id, by_login, reason, since, until_at FROM env_lock WHERE service = $1 ORDER BY environment"];
    LOCK = ["INSERT INTO env_lock (service, environment, by_id, by_login, reason, since, until_at, by_forge)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (service, environment) DO UPDATE SET by_forge = excluded.by_forge, by_id = excluded.by_id, by_login = excluded.by_login,
            reason = excluded.reason, since = excluded.since, until_at = excluded.until_at"];
    UNLOCK = ["DELETE FROM env_lock WHERE service = $1 AND environment = $2"];
    WAITING_RUNS = ["SELECT run, body FROM waiting_run WHERE repository = $1 AND environment = $2 ORDER BY run"];
    RUN_WAITS = ["INSERT INTO waiting_run (repository, run, environment, body) VALUES ($1, $2, $3, $4)
        ON CONFLICT (repository, run, environment) DO UPDATE SET body = excluded.body"];
    RUN_GOES_ON = ["DELETE FROM waiting_run WHERE repository = $1 AND run = $2"];
}

pub(super) async fn live(tx: &mut Tx, service: &ServiceName) -> Result<Seen, StoreError> {
    let rows = sqlx::query(tx.sql(&LIVE))
        .bind(service.as_str())
        .fetch_all(tx.connection())
        .await?;
    let mut live = Vec::with_capacity(rows.len());
    for row in &rows {
        let row = Row::of(row, "live", "environment");
        live.push(Live {
            service: service.clone(),
            environment: environment(&row)?,
            sha: row
                .text("sha")?
                .parse::<Sha>()
                .map_err(|error| row.unreadable("sha", error.to_string()))?,
            request: row.maybe_count("request")?,
            since: row.time("since")?,
        });
    }
    Ok(Seen::Live(live))
}

pub(super) async fn set_live(tx: &mut Tx, live: &Live) -> Result<(), StoreError> {
    let request = live.request.map(signed).transpose()?;
    sqlx::query(tx.sql(&SET_LIVE))
        .bind(live.service.as_str())
        .bind(live.environment.as_str())
        .bind(live.sha.as_str())
        .bind(request)
        .bind(live.since.as_microsecond())
        .execute(tx.connection())
        .await?;
    Ok(())
}

pub(super) async fn locks(tx: &mut Tx, service: &ServiceName) -> Result<Seen, StoreError> {
    let rows = sqlx::query(tx.sql(&LOCKS))
        .bind(service.as_str())
        .fetch_all(tx.connection())
        .await?;
    let mut locks = Vec::with_capacity(rows.len());
    for row in &rows {
        let row = Row::of(row, "env_lock", "environment");
        locks.push(Lock {
            service: service.clone(),
            environment: environment(&row)?,
            by: Account {
                forge: super::forge(&row, "by_forge")?,
                id: row.count("by_id")?,
                login: row.text("by_login")?,
            },
            reason: row.text("reason")?,
            since: row.time("since")?,
            until: row.maybe_time("until_at")?,
        });
    }
    Ok(Seen::Locks(locks))
}

pub(super) async fn lock(tx: &mut Tx, lock: &Lock) -> Result<(), StoreError> {
    sqlx::query(tx.sql(&LOCK))
        .bind(lock.service.as_str())
        .bind(lock.environment.as_str())
        .bind(signed(lock.by.id)?)
        .bind(lock.by.login.as_str())
        .bind(lock.reason.as_str())
        .bind(lock.since.as_microsecond())
        .bind(lock.until.map(jiff::Timestamp::as_microsecond))
        .bind(lock.by.forge.prefix())
        .execute(tx.connection())
        .await?;
    Ok(())
}

pub(super) async fn unlock(
    tx: &mut Tx,
    service: &ServiceName,
    environment: &EnvironmentName,
) -> Result<(), StoreError> {
    sqlx::query(tx.sql(&UNLOCK))
        .bind(service.as_str())
        .bind(environment.as_str())
        .execute(tx.connection())
        .await?;
    Ok(())
}

pub(super) async fn waiting_runs(
    tx: &mut Tx,
    repository: RepositoryId,
    environment: &str,
) -> Result<Seen, StoreError> {
    let rows = sqlx::query(tx.sql(&WAITING_RUNS))
        .bind(signed(repository.key())?)
        .bind(environment)
        .fetch_all(tx.connection())
        .await?;
    bodies(&rows, "waiting_run", "run").map(Seen::WaitingRuns)
}

pub(super) async fn run_waits(tx: &mut Tx, requested: &RuleRequested) -> Result<(), StoreError> {
    sqlx::query(tx.sql(&RUN_WAITS))
        .bind(signed(requested.repository.id.key())?)
        .bind(signed(requested.run)?)
        .bind(requested.environment.to_ascii_lowercase())
        .bind(spell(requested)?)
        .execute(tx.connection())
        .await?;
    Ok(())
}

pub(super) async fn run_goes_on(
    tx: &mut Tx,
    repository: RepositoryId,
    run: u64,
) -> Result<(), StoreError> {
    sqlx::query(tx.sql(&RUN_GOES_ON))
        .bind(signed(repository.key())?)
        .bind(signed(run)?)
        .execute(tx.connection())
        .await?;
    Ok(())
}

fn environment(row: &Row<'_>) -> Result<EnvironmentName, StoreError> {
    row.text("environment")?
        .parse()
        .map_err(|error: crate::domain::Invalid| row.unreadable("environment", error.to_string()))
}
