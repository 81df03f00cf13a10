//! Statements are constants, written once for both engines. Where the engines must differ, a
//! snippet's name stands between the literals: `NOW` is the database's clock in epoch microseconds, `SKIP_LOCKED`
//! lets PostgreSQL's workers pass each other's rows, `EACH_OF_2` is a row `value` for each item of the JSON list `$2`,
//! and `EACH_OF_4` for each of `$4`.
//! `WANTED` is written once for all that look for entries of the audit log: the services `$2`, the environment `$3`,
//! the people `$4`, the action `$5` and the outcome `$6`, each only if it is given. `LISTS` makes one JSON list of a list for each
//! row, `JOINED` one value of the bytes of all rows, and `NO_BYTES` counts rows of SQLite that hold something else in
//! these columns. `OWN` is true of the actions about
//! the log and the service themselves, in the words of the index by which they are found.

use super::Dialect;

/// One SQL statement in the words of both engines.
#[derive(Debug)]
pub struct Statement {
    pub name: &'static str,
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

impl Statement {
    pub fn text(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
        }
    }
}

/// Defines constants, and the list of them that the test prepares on both engines.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = [$($piece:tt)*];)*) => {
        $($(#[$doc])* const $name: $crate::store::Statement = $crate::store::Statement {
            name: concat!(module_path!(), "::", stringify!($name)),
            sqlite: $crate::store::statement::words!(sqlite [] $($piece)*),
            postgres: $crate::store::statement::words!(postgres [] $($piece)*),
        };)*
        pub(in crate::store) const ALL: &[&$crate::store::Statement] = &[$(&$name),*];
    };
}

/// Joins literals and the names of snippets into one literal.
macro_rules! words {
    ($engine:ident [$($done:expr,)*]) => { concat!($($done,)*) };
    (sqlite [$($done:expr,)*] NOW $($rest:tt)*) => {
        $crate::store::statement::words!(sqlite [$($done,)* "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",] $($rest)*)
    };
    (postgres [$($done:expr,)*] NOW $($rest:tt)*) => {
        $crate::store::statement::words!(postgres [$($done,)* "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)",] $($rest)*)
    };
    (sqlite [$($done:expr,)*] EACH_OF_2 $($rest:tt)*) => {
        $crate::store::statement::words!(sqlite [$($done,)* "json_each($2)",] $($rest)*)
    };
    (postgres [$($done:expr,)*] EACH_OF_2 $($rest:tt)*) => {
        $crate::store::statement::words!(postgres [$($done,)* "json_array_elements_text(CAST(CAST($2 AS TEXT) AS JSON)) AS each(value)",] $($rest)*)
    };
    (sqlite [$($done:expr,)*] EACH_OF_4 $($rest:tt)*) => {
        $crate::store::statement::words!(sqlite [$($done,)* "json_each($4)",] $($rest)*)
    };
    (postgres [$($done:expr,)*] EACH_OF_4 $($rest:tt)*) => {
        $crate::store::statement::words!(postgres [$($done,)* "json_array_elements_text(CAST(CAST($4 AS TEXT) AS JSON)) AS each(value)",] $($rest)*)
    };
    ($engine:ident [$($done:expr,)*] WANTED $($rest:tt)*) => {
        $crate::store::statement::words!($engine [$($done,)*]
            "(CAST($2 AS TEXT) IS NULL OR service IN (SELECT value FROM" EACH_OF_2 "))
            AND (CAST($3 AS TEXT) IS NULL OR environment = $3)
            AND (CAST($4 AS TEXT) IS NULL OR person IN (SELECT value FROM" EACH_OF_4 "))
            AND (CAST($5 AS TEXT) IS NULL OR action = $5)
            AND (CAST($6 AS TEXT) IS NULL OR outcome = $6)" $($rest)*)
    };
    (sqlite [$($done:expr,)*] LISTS $($rest:tt)*) => {
        $crate::store::statement::words!(sqlite [$($done,)* "json_group_array(json_array",] $($rest)*)
    };
    (postgres [$($done:expr,)*] LISTS $($rest:tt)*) => {
        $crate::store::statement::words!(postgres [$($done,)* "json_agg(json_build_array",] $($rest)*)
    };
    (sqlite [$($done:expr,)*] JOINED ($column:literal) $($rest:tt)*) => {
        $crate::store::statement::words!(sqlite [$($done,)* "CAST(group_concat(", $column, ", '') AS BLOB) ",] $($rest)*)
    };
    (postgres [$($done:expr,)*] JOINED ($column:literal) $($rest:tt)*) => {
        $crate::store::statement::words!(postgres [$($done,)* "string_agg(", $column, ", CAST('' AS BYTEA)) ",] $($rest)*)
    };
    (sqlite [$($done:expr,)*] NO_BYTES ($one:literal, $other:literal) $($rest:tt)*) => {
        $crate::store::statement::words!(sqlite
            [$($done,)* "SUM(typeof(", $one, ") <> 'blob' OR typeof(", $other, ") <> 'blob') ",] $($rest)*)
    };
    (postgres [$($done:expr,)*] NO_BYTES ($one:literal, $other:literal) $($rest:tt)*) => {
        $crate::store::statement::words!(postgres [$($done,)* "CAST(0 AS BIGINT) ",] $($rest)*)
    };
    ($engine:ident [$($done:expr,)*] OWN $($rest:tt)*) => {
        $crate::store::statement::words!($engine [$($done,)*]
            "action IN ('log.opened', 'key.rotated', 'head.adopted', 'database.restored', 'private.erased',
            'checkpoint.anchored', 'configuration.loaded', 'token.made', 'token.revoked')" $($rest)*)
    };
    (sqlite [$($done:expr,)*] SKIP_LOCKED $($rest:tt)*) => {
        $crate::store::statement::words!(sqlite [$($done,)*] $($rest)*)
    };
    (postgres [$($done:expr,)*] SKIP_LOCKED $($rest:tt)*) => {
        $crate::store::statement::words!(postgres [$($done,)* "FOR UPDATE SKIP LOCKED",] $($rest)*)
    };
    ($engine:ident [$($done:expr,)*] $text:literal $($rest:tt)*) => {
        $crate::store::statement::words!($engine [$($done,)* $text, " ",] $($rest)*)
    };
}

pub(super) use {statements, words};

/// Every statement of the store.
pub fn every_statement() -> impl Iterator<Item = &'static Statement> {
    [
        super::inbox::ALL,
        super::inbox_door::ALL,
        super::lanes::ALL,
        super::lease::ALL,
        super::ledger::ALL,
        super::ledger::DERIVED,
        super::ledger::ENTRIES,
        super::ledger::FIND,
        super::ledger::HEADS,
        super::ledger::PACK,
        super::ledger::PERIOD,
        super::ledger::PRIVATE,
        super::ledger::TILES,
        super::ledger::SHOWN,
        super::ledger::TERMS,
        super::ledger::WITNESS,
        super::migrate::ALL,
        super::note::ALL,
        super::outbox::ALL,
        super::probe::ALL,
        super::quiet::ALL,
        super::state::CHATS,
        super::state::COMMITS,
        super::state::CALLERS,
        super::state::ENVIRONMENTS,
        super::state::NAMES,
        super::state::REQUESTS,
        super::timer::ALL,
        super::tokens::ALL,
    ]
    .into_iter()
    .flatten()
    .copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    statements! {
        SAMPLE = ["SELECT" NOW ", 1 FROM t" SKIP_LOCKED];
    }

    #[test]
    fn snippets_differ_and_the_rest_does_not() {
        assert_eq!(
            SAMPLE.text(Dialect::Sqlite),
            "SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER), 1 FROM t "
        );
        assert_eq!(
            SAMPLE.text(Dialect::Postgres),
            "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT), 1 FROM t FOR UPDATE SKIP LOCKED"
        );
        assert_eq!(ALL.len(), 1);
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = every_statement().map(|statement| statement.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
