//! Glances: views are read without writing, from a database that refuses every write.

use std::collections::BTreeMap;
use std::sync::Arc;

use countersign::clerk::{self, Answers, Asker, Viewed};
use countersign::domain::view::{Glance, View};
use countersign::domain::{Finding, Look, Question, Rule, Verdict};
use countersign::store::{Options, Store, state};
use sqlx::{AssertSqlSafe, Executor as _};

use crate::support::world::{TWO, catalog, plain_with};
use crate::support::{Engine, World, on_both};

on_both!(a_view_is_read_from_a_database_that_refuses_writes);

/// Knows nothing, as a page does that waits for no forge.
struct Nobody;

impl Asker for Nobody {
    fn ask(&self, questions: Vec<Question>) -> Answers<'_> {
        let unknown = |question| (question, Err("it was not asked".to_owned()));
        let answers: BTreeMap<Question, Finding> = questions.into_iter().map(unknown).collect();
        Box::pin(async move { answers })
    }
}

/// The same database, which refuses whatever would change it.
async fn closed(world: &World, engine: Engine) -> Store {
    let url = match engine {
        Engine::Sqlite => format!("{}?mode=ro", world.database.url),
        Engine::Postgres => {
            let name = world.database.url.rsplit('/').next().unwrap();
            let refuse = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
            let mut connection = world.database.direct().await;
            connection.execute(AssertSqlSafe(refuse)).await.unwrap();
            world.database.url.clone()
        }
    };
    Store::attach(&Options::new(url)).await.unwrap()
}

async fn a_view_is_read_from_a_database_that_refuses_writes(engine: Engine) {
    let services = plain_with(&[TWO]);
    let world = World::start(engine, &services).await;
    let (pull_request, sha) = world.ready("feature").await;
    world.say("ann", pull_request, "/deploy prod").await;
    let lock = "/lock prod --reason audit";
    world.say("dora", pull_request, lock).await;
    let store = closed(&world, engine).await;
    let write = store
        .unit(|tx| Box::pin(state::look(tx, &Look::NextNumber)))
        .await;
    assert!(write.is_err(), "{write:?}");

    let catalog = Arc::new(catalog(&services));
    let now = world.shared.clock.now();
    let see = async |glance: Glance| {
        clerk::view(&store, &glance, &catalog, &Nobody, now)
            .await
            .unwrap()
    };
    let shop = || "shop".parse().unwrap();
    let status = Glance::Status {
        services: vec![shop()],
    };
    let Viewed::Seen(seen) = see(status).await else {
        panic!("no status");
    };
    let View::Status(status) = *seen else {
        panic!("{seen:?}");
    };
    let prod = &status.services[0].environments[0];
    assert_eq!(prod.open[0].number, 1);
    assert_eq!(prod.open[0].sha.as_str(), sha);
    assert_eq!(prod.closed[0].rule, Rule::LOCK);

    let examined = Glance::Examined {
        service: shop(),
        environment: "prod".parse().unwrap(),
        sha: sha.parse().unwrap(),
    };
    let Viewed::Seen(seen) = see(examined).await else {
        panic!("nothing examined");
    };
    let View::Examined(examined) = *seen else {
        panic!("{seen:?}");
    };
    assert_eq!(examined.request, Some(1));
    // What is stored is known; what only the forge knows was not asked, which refuses, too.
    let verdict = |rule: Rule| {
        let mut under = examined.tree.under.iter();
        under.find(|one| one.rule == rule).map(|one| one.verdict)
    };
    assert_eq!(verdict(Rule::LOCK), Some(Verdict::Refuses));
    assert_eq!(verdict(Rule::BRANCH), Some(Verdict::Unknown));

    let people = Glance::People {
        service: shop(),
        environment: "prod".parse().unwrap(),
    };
    let Viewed::Seen(seen) = see(people).await else {
        panic!("nobody");
    };
    let View::People(people) = *seen else {
        panic!("{seen:?}");
    };
    assert_eq!(people.roles[0].count, 2);
    assert_eq!(people.roles[0].who.plain(), "deployer (ann, dora)");
    let nowhere = Glance::People {
        service: shop(),
        environment: "nowhere".parse().unwrap(),
    };
    let Viewed::Refused(reason) = see(nowhere).await else {
        panic!("somewhere");
    };
    assert_eq!(reason.says.plain(), "there is no environment nowhere");
}
