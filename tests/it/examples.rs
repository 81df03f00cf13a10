//! GitHub's own example payloads, sent to the real service: all are let in and handled, and nothing is
//! concluded from them.

use crate::contract::examples;
use crate::support::{Database, Engine, Service, eventually, on_both};

on_both!(every_example_of_githubs_is_accepted);

async fn every_example_of_githubs_is_accepted(engine: Engine) {
    let Some(examples) = examples() else { return };
    let database = Database::migrated(engine).await;
    let service = Service::start(&database, None).await;
    let mut sent = 0;
    for event in &examples {
        let name = event["name"].as_str().unwrap();
        for example in event["examples"].as_array().unwrap() {
            sent += 1;
            let body = example.to_string().into_bytes();
            let answer = service
                .deliver(name, &format!("example-{sent}"), body)
                .await;
            assert_eq!(answer.unwrap(), 202, "{name}");
        }
    }
    assert!(sent > 200, "only {sent} examples");
    eventually("everything is handled", async || {
        let open = "SELECT COUNT(*) FROM inbox WHERE handled_at IS NULL";
        (database.number(open).await == 0).then_some(())
    })
    .await;
    let bad = "SELECT COUNT(*) FROM inbox WHERE outcome IN ('parked', 'malformed')";
    assert_eq!(database.number(bad).await, 0);
    // None of them is about a repository of ours.
    for table in ["request", "approval", "candidate", "live", "outbox"] {
        let rows = format!("SELECT COUNT(*) FROM {table}");
        assert_eq!(database.number(&rows).await, 0, "{table}");
    }
    assert_eq!(service.stop().await, 0);
}
