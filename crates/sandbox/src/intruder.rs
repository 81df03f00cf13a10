//! An intruder who has the database's password: takes away what guards the audit log, and writes another decider into
//! an approval, so that the demo can show how that is found out. A database that is not a demo's own is refused.

use std::fmt;

use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _, Row as _};

/// Why nothing was rewritten.
#[derive(Debug)]
pub enum Unchanged {
    /// The database said no.
    Database(sqlx::Error),
    /// Only the database of a demo is rewritten.
    NotOurs,
    NoApproval,
}

impl fmt::Display for Unchanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(error) => write!(f, "the database refused: {error}"),
            Self::NotOurs => f.write_str("only the database of a demo is rewritten"),
            Self::NoApproval => f.write_str("there is no approval yet that could be changed"),
        }
    }
}

impl std::error::Error for Unchanged {}

impl From<sqlx::Error> for Unchanged {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// What was done, in the words in which it was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// The entry.
    pub seq: i64,
    pub statements: Vec<String>,
}

/// One person in the place of another, by their numbers on a forge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swap {
    /// As persons of the log begin: `github`, `gitlab`.
    pub forge: &'static str,
    pub before: u64,
    pub after: u64,
}

/// Writes another person into the newest approval by one, in the log with this name.
pub async fn rewrite_decider(url: &str, log: &str, swap: Swap) -> Result<Rewritten, Unchanged> {
    let Swap {
        forge,
        before,
        after,
    } = swap;
    sqlx::any::install_default_drivers();
    if !url.starts_with("sqlite:") {
        return Err(Unchanged::NotOurs);
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
        return Err(Unchanged::NotOurs);
    }
    let approved = connection
        .fetch_optional(AssertSqlSafe(format!(
            "SELECT MAX(seq) AS seq FROM ledger_entry WHERE action = 'approved' AND person = '{forge}:{before}'"
        )))
        .await?;
    let seq = match approved {
        Some(row) => row.try_get::<Option<i64>, _>("seq")?,
        None => None,
    };
    let seq = seq.ok_or(Unchanged::NoApproval)?;
    let statements = vec![
        "DROP TRIGGER IF EXISTS ledger_entry_never_changes".to_owned(),
        format!(
            "UPDATE ledger_entry SET person = '{forge}:{after}', \
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
