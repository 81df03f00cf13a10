//! Rows by hand: what an attacker does who has the database's password: takes away what guards the audit log, and
//! writes another decider into an approval. It exists so that the demo can show how that is found out. The service
//! never comes here, and a database that is not a demo's own is refused.

use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _, Row as _};

use super::{Dialect, StoreError};

/// What was done, in the words in which it was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// The entry.
    pub seq: i64,
    pub statements: Vec<String>,
}

/// Writes another person of GitHub, by number, into the newest approval of the log with this name.
pub async fn rewrite_decider(
    url: &str,
    log: &str,
    (before, after): (u64, u64),
) -> Result<Rewritten, StoreError> {
    sqlx::any::install_default_drivers();
    if Dialect::of(url) != Some(Dialect::Sqlite) {
        return Err(not_ours());
    }
    let mut connection = AnyConnection::connect(url).await?;
    let opened = connection
        .fetch_optional("SELECT body FROM ledger_entry WHERE seq = 1")
        .await?;
    let is_ours = match opened {
        Some(row) => String::from_utf8_lossy(&row.try_get::<Vec<u8>, _>("body")?).contains(log),
        None => false,
    };
    if !is_ours {
        return Err(not_ours());
    }
    let approved = connection
        .fetch_optional(AssertSqlSafe(format!(
            "SELECT MAX(seq) AS seq FROM ledger_entry WHERE action = 'approved' AND person = 'github:{before}'"
        )))
        .await?;
    let seq = match approved {
        Some(row) => row.try_get::<Option<i64>, _>("seq")?,
        None => None,
    };
    let seq = seq.ok_or_else(|| {
        StoreError::Unusable("there is no approval yet that could be changed".to_owned())
    })?;
    let statements = vec![
        "DROP TRIGGER IF EXISTS ledger_entry_never_changes".to_owned(),
        format!(
            "UPDATE ledger_entry SET person = 'github:{after}', \
             body = CAST(replace(CAST(body AS TEXT), '\"id\":{before}', '\"id\":{after}') AS BLOB) \
             WHERE seq = {seq}"
        ),
    ];
    for statement in &statements {
        connection
            .execute(AssertSqlSafe(statement.as_str()))
            .await?;
    }
    connection.close().await?;
    Ok(Rewritten { seq, statements })
}

fn not_ours() -> StoreError {
    StoreError::Unusable("only the database of a demo is changed by hand".to_owned())
}
