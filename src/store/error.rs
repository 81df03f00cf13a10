//! Errors: what can go wrong with a database, sorted by what the caller can do about it.

use std::borrow::Cow;

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Busy, full, read-only, unreachable: nothing was acknowledged; it may work again later.
    #[error("the database is not available: {0}")]
    Unavailable(sqlx::Error),
    /// Another writer won every time; nothing was written.
    #[error("gave up after {attempts} conflicts with other writers: {cause}")]
    Conflict { attempts: u32, cause: sqlx::Error },
    /// A stored value is not what was written.
    #[error("{table}.{column} of row {row} cannot be read: {why}")]
    Unreadable {
        table: &'static str,
        column: &'static str,
        row: String,
        why: String,
    },
    /// A statement was refused by the schema: a defect of ours.
    #[error("the database refused a statement: {0}")]
    Refused(sqlx::Error),
    /// The configured database cannot be used at all.
    #[error("{0}")]
    Unusable(String),
    /// A process that writes here must have the key of the audit log.
    #[error("this process has no key of the audit log, so it cannot record anything")]
    Unsealed,
    /// A text to look for that nothing could match, or too much.
    #[error("{0}")]
    Unsearchable(String),
    #[error("the machine gives no random bytes")]
    NoRandomness,
    /// The task that did the work ended before it could tell how it went.
    #[error("the database work was stopped before it finished")]
    Stopped,
}

impl StoreError {
    /// Another writer changed what this unit had looked at.
    pub(super) fn overtaken() -> Self {
        Self::Conflict {
            attempts: 1,
            cause: sqlx::Error::RowNotFound,
        }
    }

    /// What was to be written breaks a rule of the schema: the same will be refused again, whoever tries it.
    pub(crate) fn is_by_content(&self) -> bool {
        let Self::Refused(sqlx::Error::Database(error)) = self else {
            return false;
        };
        let code = error.code().unwrap_or(Cow::Borrowed(""));
        if error_is_from_postgres(&code) {
            // Data exceptions and broken constraints.
            return ["22", "23"].iter().any(|class| code.starts_with(class));
        }
        // TOOBIG, CONSTRAINT, MISMATCH.
        let extended = code.parse::<u32>().unwrap_or_default();
        [18, 19, 20].contains(&(extended & 0xff))
    }
}

/// What a failed statement means for the unit it was part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Try the whole unit again.
    Conflict,
    Unavailable,
    Refused,
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match classify(&error) {
            Failure::Conflict => Self::Conflict {
                attempts: 1,
                cause: error,
            },
            Failure::Unavailable => Self::Unavailable(error),
            Failure::Refused => Self::Refused(error),
        }
    }
}

pub(super) fn classify(error: &sqlx::Error) -> Failure {
    let Some(database) = error.as_database_error() else {
        let connection_failed = matches!(
            error,
            sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
                | sqlx::Error::BeginFailed
        );
        return if connection_failed {
            Failure::Unavailable
        } else {
            Failure::Refused
        };
    };
    let code = database.code().unwrap_or(Cow::Borrowed(""));
    if error_is_from_postgres(&code) {
        classify_postgres(&code)
    } else {
        classify_sqlite(&code)
    }
}

/// SQLSTATE has five characters; SQLite's extended codes are numbers of at most four digits.
fn error_is_from_postgres(code: &str) -> bool {
    code.len() == 5
}

/// Whether another writer kept its lock for as long as we wait for one.
pub(super) fn waited_for_a_lock(cause: &sqlx::Error) -> bool {
    let database = cause.as_database_error();
    database.is_some_and(|database| database.code().as_deref() == Some("55P03"))
}

fn classify_postgres(code: &str) -> Failure {
    match code {
        // Serialization failure, deadlock, another writer's lock.
        "40001" | "40P01" | "55P03" => Failure::Conflict,
        // Statement time-out, read-only, idle time-out.
        "57014" | "25006" | "25P03" => Failure::Unavailable,
        // Connection lost, resources, operator intervention, system error.
        _ if ["08", "53", "57", "58", "XX"]
            .iter()
            .any(|class| code.starts_with(class)) =>
        {
            Failure::Unavailable
        }
        _ => Failure::Refused,
    }
}

fn classify_sqlite(code: &str) -> Failure {
    let Ok(extended) = code.parse::<u32>() else {
        return Failure::Refused;
    };
    match extended & 0xff {
        // BUSY_SNAPSHOT and BUSY_RECOVERY are conflicts; a plain BUSY has already waited its time.
        5 if extended != 5 => Failure::Conflict,
        // BUSY, LOCKED, READONLY, INTERRUPT, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB.
        5 | 6 | 8 | 9 | 10 | 11 | 13 | 14 | 15 | 26 => Failure::Unavailable,
        _ => Failure::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_by_what_can_be_done() {
        for (code, expect) in [
            ("40001", Failure::Conflict),
            ("40P01", Failure::Conflict),
            ("55P03", Failure::Conflict),
            ("57P01", Failure::Unavailable),
            ("53100", Failure::Unavailable),
            ("23505", Failure::Refused),
            ("42P01", Failure::Refused),
        ] {
            assert_eq!(classify_postgres(code), expect, "{code}");
        }
        for (code, expect) in [
            ("5", Failure::Unavailable),
            ("517", Failure::Conflict),
            ("8", Failure::Unavailable),
            ("13", Failure::Unavailable),
            ("1032", Failure::Unavailable),
            ("2067", Failure::Refused),
            ("1811", Failure::Refused),
            ("", Failure::Refused),
        ] {
            assert_eq!(classify_sqlite(code), expect, "{code}");
        }
    }

    #[test]
    fn a_lost_pool_is_unavailable() {
        assert_eq!(classify(&sqlx::Error::PoolTimedOut), Failure::Unavailable);
        assert_eq!(classify(&sqlx::Error::RowNotFound), Failure::Refused);
    }
}
