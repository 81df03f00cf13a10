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
