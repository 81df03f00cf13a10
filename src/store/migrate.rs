//! Migrations bring the schema up to date, forward only. Each is one transaction that first claims its number, so that
//! several replicas may start at once without a lock of their own.

use sqlx::{AssertSqlSafe, Executor as _};

use super::row::Row;
use super::statement::statements;
use super::{Dialect, Store, StoreError};
use countersign_ground::digest;

struct Migration {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migration {
    ($version:literal, $name:literal) => {
        Migration {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../../migrations/postgres/", $name, ".sql")),
        }
    };
}

const MIGRATIONS: &[Migration] = &[
    migration!(1, "0001_ground"),
    migration!(2, "0002_releases"),
    migration!(3, "0003_ledger"),
    migration!(4, "0004_tokens"),
    migration!(5, "0005_lean_ledger"),
    migration!(6, "0006_chats"),
    migration!(7, "0007_two_forges"),
    migration!(8, "0008_callers"),
];

const CREATE: &str = "CREATE TABLE IF NOT EXISTS schema_migration (
    version BIGINT PRIMARY KEY NOT NULL,
    name    TEXT   NOT NULL,
    digest  TEXT   NOT NULL
)";

statements! {
    APPLIED = ["SELECT version, name, digest FROM schema_migration ORDER BY version"];
    CLAIM = ["INSERT INTO schema_migration (version, name, digest) VALUES ($1, $2, $3) ON CONFLICT (version) DO NOTHING"];
}

/// Applies what is missing, or says why the database is not ours to touch.
pub(super) async fn run(store: &Store) -> Result<(), StoreError> {
    create_table(store).await?;
    is_ours(store.dialect(), &applied(store).await?).map_err(StoreError::Unusable)?;
    for migration in MIGRATIONS {
        apply(store, migration).await?;
    }
    check(store).await
}

/// Whether the schema is exactly the one this program was built for.
pub(super) async fn check(store: &Store) -> Result<(), StoreError> {
    let applied = applied(store).await?;
    is_ours(store.dialect(), &applied)
        .and_then(|()| is_complete(&applied))
        .map_err(StoreError::Unusable)
}

/// What was applied: version, name and digest.
type Applied = Vec<(i64, String, String)>;

async fn applied(store: &Store) -> Result<Applied, StoreError> {
    let rows = sqlx::query(APPLIED.text(store.dialect()))
        .fetch_all(store.reader())
        .await?;
    let mut applied = Vec::new();
    for row in &rows {
        let row = Row::of(row, "schema_migration", "version");
        applied.push((
            row.number("version")?,
            row.text("name")?,
            row.text("digest")?,
        ));
    }
    Ok(applied)
}

/// Refuses a database that a newer version migrated, or whose migrations are not ours; nothing may be applied on top.
fn is_ours(dialect: Dialect, applied: &Applied) -> Result<(), String> {
    for (version, name, digest) in applied {
        let Some(known) = MIGRATIONS.iter().find(|known| known.version == *version) else {
            return Err(format!(
                "the database was migrated by a newer countersign (migration {name}): run that version, or restore a backup"
            ));
        };
        if *digest != known.digest(dialect) {
            return Err(format!(
                "migration {name} in the database is not the one in this program: somebody changed it after it was applied"
            ));
        }
    }
    Ok(())
}

fn is_complete(applied: &Applied) -> Result<(), String> {
    match MIGRATIONS.get(applied.len()) {
        Some(missing) => Err(format!(
            "migration {} is not applied yet: `countersign serve` applies it when it starts",
            missing.name
        )),
        None => Ok(()),
    }
}

/// Two replicas that create the table at once collide in PostgreSQL's own catalogue, where
/// `IF NOT EXISTS` does not help; the loser looks again.
async fn create_table(store: &Store) -> Result<(), StoreError> {
    let create = || {
        store.unit(|tx| {
            Box::pin(async move {
                tx.connection().execute(CREATE).await?;
                Ok(())
            })
        })
    };
    match create().await {
        Err(StoreError::Refused(_)) if store.dialect() == Dialect::Postgres => create().await,
        outcome => outcome,
    }
}

async fn apply(store: &Store, migration: &'static Migration) -> Result<(), StoreError> {
    let dialect = store.dialect();
    store
        .unit(move |tx| {
            Box::pin(async move {
                let claimed = sqlx::query(tx.sql(&CLAIM))
                    .bind(migration.version)
                    .bind(migration.name)
                    .bind(migration.digest(dialect))
                    .execute(tx.connection())
                    .await?;
                if claimed.rows_affected() == 1 {
                    tx.connection()
                        .execute(AssertSqlSafe(migration.text(dialect)))
                        .await?;
                }
                Ok(())
            })
        })
        .await
}

impl Migration {
    fn text(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
        }
    }

    fn digest(&self, dialect: Dialect) -> String {
        digest::sha256_hex(self.text(dialect).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(digest: &str, version: i64) -> Applied {
        vec![(version, "0001_ground".to_owned(), digest.to_owned())]
    }

    #[test]
    fn a_foreign_schema_is_refused_with_a_way_out() {
        let ours = MIGRATIONS[0].digest(Dialect::Sqlite);
        let judge =
            |rows: Applied| is_ours(Dialect::Sqlite, &rows).and_then(|()| is_complete(&rows));
        let all = MIGRATIONS.iter().map(|known| {
            let digest = known.digest(Dialect::Sqlite);
            (known.version, known.name.to_owned(), digest)
        });
        assert_eq!(judge(all.collect()), Ok(()));
        for (rows, expect) in [
            (applied(&ours, 999), "newer countersign"),
            (applied("0", 1), "somebody changed it"),
            (Vec::new(), "not applied yet"),
            (applied(&ours, 1), "not applied yet"),
        ] {
            let refusal = judge(rows).unwrap_err();
            assert!(refusal.contains(expect), "{refusal}");
        }
    }

    #[test]
    fn versions_count_up_from_one() {
        for (index, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.version, i64::try_from(index).unwrap() + 1);
            assert!(
                migration
                    .name
                    .starts_with(&format!("{:04}_", migration.version))
            );
        }
    }
}
