//! The schema fits the program, and holds what must never change.

use countersign::store::{Options, Store};
use sqlx::{AssertSqlSafe, Executor as _};

use crate::support::{Database, Engine, on_both};

on_both!(every_statement_fits_the_schema);

async fn every_statement_fits_the_schema(engine: Engine) {
    let database = Database::fresh(engine).await;
    let store = database.open().await;
    let prepared = store.prepare_every_statement().await.unwrap();
    assert!(prepared > countersign::store::every_statement().count());

    // And the check can fail: a column that is gone is found.
    database
        .direct()
        .await
        .execute(AssertSqlSafe(
            "ALTER TABLE timer RENAME COLUMN due_at TO due".to_owned(),
        ))
        .await
        .unwrap();
    // A connection remembers the schema that it saw, so these are new ones.
    let store = Store::attach(&Options::new(database.url.clone()))
        .await
        .unwrap();
    let error = store.prepare_every_statement().await.unwrap_err();
    assert!(error.to_string().contains("timer"), "{error}");
}

#[tokio::test]
async fn on_sqlite_only_a_file_that_is_no_database_is_refused_by_that_name_because_postgres_has_no_file()
 {
    let database = Database::fresh(Engine::Sqlite).await;
    std::fs::write(database.folder.path().join("test.db"), "hello").unwrap();
    let error = Store::open(&Options::new(database.url.clone())).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("file is not a database"), "{error}");
}
