//! Unproven triggers: an attacker who can write into the database cannot start a release; a trigger leaves only
//! when the log holds its decision and its approvals under a signed head.

use countersign::domain::{Action, Actor, Entry};
use countersign_ledger::Keys;
use serde_json::{Value, json};

use crate::support::log::Hands;
use crate::support::world::{TWO, plain_with};
use crate::support::{Engine, World, eventually, on_both};

// Whether a trigger may leave is between the database and the log; the forge has no part in it.
on_both!(
    a_trigger_that_nobody_approved_does_not_leave,
    a_copy_of_a_real_trigger_does_not_leave,
    approvals_out_of_nowhere_start_nothing,
    a_forged_entry_starts_nothing,
    nothing_leaves_while_the_log_is_broken,
);

fn three() -> String {
    plain_with(&[
        ("deployer = 1", "deployer = 3"),
        (r#"["ann", "dora"]"#, r#"["ann", "bob", "dora"]"#),
    ])
}

async fn hands(world: &World) -> Hands {
    world.is_tampered_with();
    Hands::of(&world.database).await
}

/// The trigger of a request as it was planned.
async fn planned(world: &World, request: u64) -> Value {
    let sql = format!("SELECT effect FROM outbox WHERE token LIKE 'trigger/{request}/%'");
    serde_json::from_str(&hands(world).await.text(sql).await).unwrap()
}

/// A row among what must be done outside, as if the desk had planned it.
async fn smuggle(world: &World, token: &str, effect: &Value, (cause, fence): (i64, i64)) {
    let mut hands = hands(world).await;
    let effect = effect.to_string().replace('\'', "''");
    let channel = "SELECT channel FROM outbox WHERE token LIKE 'trigger/%'";
    hands
        .run(format!(
            "INSERT INTO outbox (token, effect, cause, priority, created_at, due_at, state, fence, channel)
             VALUES ('{token}', '{effect}', {cause}, 0, 0, 0, 'waiting', {fence}, ({channel} LIMIT 1))"
        ))
        .await;
    world.shared.decided.notify_waiters();
    world.settle().await;
}

/// Dora said yes to a request, as far as the state goes.
async fn say_yes_for_dora(world: &World, request: u64) {
    let mut hands = hands(world).await;
    let ann = format!("SELECT body FROM approval WHERE request = {request}");
    let ann = hands.text(ann).await;
    let mut dora: Value = serde_json::from_str(&ann).unwrap();
    dora["by"] = json!({ "id": 7, "login": "dora" });
    hands
        .run(format!(
            "INSERT INTO approval (request, person, at, repository, comment, body, voided_at)
             SELECT request, 7, at, repository, comment, '{dora}', voided_at FROM approval WHERE request = {request}"
        ))
        .await;
}

async fn is_sound(world: &World, sound: i64) {
    let gauge = &world.shared.metrics.ledger_is_sound;
    eventually("the signer has looked", async || {
        (gauge.get() == sound).then_some(())
    })
    .await;
}

async fn a_trigger_that_nobody_approved_does_not_leave(engine: Engine) {
    let world = World::start(engine, &plain_with(&[TWO])).await;
    let (first, _) = world.ready("first").await;
    world.say("ann", first, "/deploy prod").await;
    world.say("dora", first, "/approve").await.expect("2 of 2");
    world.finish("success").await;
    assert_eq!(world.starts(), 1);
    let (second, sha) = world.ready("second").await;
    let asked = world.say("ann", second, "/deploy prod").await;
    asked.expect("1 of 2");

    let mut effect = planned(&world, 1).await;
    let soon = world.shared.clock.now() + jiff::SignedDuration::from_secs(60);
    effect["departure"]["request"] = json!(2);
    effect["departure"]["sha"] = json!(sha);
    effect["departure"]["not_after"] = json!(soon.to_string());
    let mut hands = hands(&world).await;
    let real = "SELECT MAX(seq) FROM ledger_entry WHERE action = ";
    let causes = [
        0,
        1,
        hands.number(format!("{real}'triggered'")).await,
        hands.number(format!("{real}'approved'")).await,
    ];
    for (number, cause) in (1..).zip(causes) {
        let attempt = 10 + number;
        let token = format!("trigger/2/{attempt}");
        effect["departure"]["attempt"] = json!(attempt);
        smuggle(&world, &token, &effect, (cause, 0)).await;
        assert_eq!(world.recorded("trigger.unproven").await, number);
    }
    // As if another worker had held it before: the second one never sends.
    smuggle(&world, "trigger/2/19", &effect, (causes[2], 5)).await;
    assert_eq!(world.starts(), 1);
    assert_eq!(world.state(2).await.unwrap(), "waiting");
    let parked = "SELECT COUNT(*) FROM outbox WHERE state = 'parked'";
    assert_eq!(world.number(parked).await, 4);

    // The request itself is none the worse.
    world.say("dora", second, "/approve").await.expect("2 of 2");
    world.finish("success").await;
    assert_eq!(world.starts(), 2);
}

async fn a_copy_of_a_real_trigger_does_not_leave(engine: Engine) {
    let world = World::plain(engine).await;
    let (_, other) = world.ready("other").await;
    let (pull_request, _) = world.ready("feature").await;
    world.say("ann", pull_request, "/deploy prod").await;
    assert_eq!(world.starts(), 1);
    let real = planned(&world, 1).await;
    let cause = "SELECT MAX(seq) FROM ledger_entry WHERE action = 'triggered'";
    let cause = world.number(cause).await;
    let start = |to: &str| json!({ "deployment": { "environment": to } });
    let dispatch = json!({ "repository_dispatch": { "event_type": "release" } });
    let copies = [
        // The very same, once more.
        (None, json!(null)),
        (Some("sha"), json!(other)),
        (Some("environment"), json!("staging")),
        (Some("start"), start("elsewhere")),
        (Some("start"), dispatch),
        (Some("attempt"), json!(2)),
        (Some("not_after"), json!("2100-01-01T00:00:00Z")),
        (Some("service"), json!("till")),
    ];
    for (number, (field, value)) in (1..).zip(copies) {
        let mut copy = real.clone();
        if let Some(field) = field {
            copy["departure"][field] = value;
        }
        smuggle(
            &world,
            &format!("trigger/1/copy-{number}"),
            &copy,
            (cause, 0),
        )
        .await;
        assert_eq!(
            world.recorded("trigger.unproven").await,
            number,
            "{field:?}"
        );
        assert_eq!(world.starts(), 1, "{field:?}");
    }
}

async fn approvals_out_of_nowhere_start_nothing(engine: Engine) {
    let world = World::start(engine, &three()).await;
    let (pull_request, _) = world.ready("feature").await;
    let asked = world.say("ann", pull_request, "/deploy prod").await;
    asked.expect("1 of 3");
    say_yes_for_dora(&world, 1).await;
    // The desk believes its own state, and decides.
    world
        .say("bob", pull_request, "/approve")
        .await
        .expect("3 of 3");
    assert_eq!(world.recorded("triggered").await, 1);
    assert_eq!(world.recorded("trigger.unproven").await, 1);
    assert_eq!(world.starts(), 0);
    let said = world.said(asked.comment);
    said.expect("the audit log does not allow it: the audit log holds no approval by github:7");
    assert_eq!(world.state(1).await.unwrap(), "failed");
}

async fn a_forged_entry_starts_nothing(engine: Engine) {
    let world = World::start(engine, &three()).await;
    let (pull_request, sha) = world.ready("feature").await;
    let asked = world.say("ann", pull_request, "/deploy prod").await;
    asked.expect("1 of 3");
    let dora = Actor::Person {
        forge: "github",
        id: 7,
        login: "dora".to_owned(),
    };
    let entry = Entry::new(world.shared.clock.now(), Action::Approved, dora)
        .with("service", "shop")
        .with("environment", "prod")
        .with("sha", sha.as_str())
        .with("request", 1_u64);
    let others = Keys::new("deploys.example.com/log", [8; 32]).unwrap();
    let mut hands = hands(&world).await;
    hands.begin().await;
    hands.run("UPDATE ledger_head SET size = size + 1").await;
    let seq = hands.number("SELECT size FROM ledger_head").await;
    hands.forge(seq, &entry, &others).await;
    hands.run("COMMIT").await;
    say_yes_for_dora(&world, 1).await;
    is_sound(&world, 0).await;
    world.say("bob", pull_request, "/approve").await;
    assert_eq!(world.starts(), 0);
    let said = world.said(asked.comment);
    said.expect("the audit log does not fit what was signed");
    said.expect(&format!("entry {seq}: its seal is wrong"));
    assert_eq!(world.state(1).await.unwrap(), "failed");
}

async fn nothing_leaves_while_the_log_is_broken(engine: Engine) {
    let world = World::plain(engine).await;
    let (pull_request, sha) = world.ready("feature").await;
    world.say("ann", pull_request, "/deploy prod").await;
    world.finish("failure").await;
    assert_eq!(world.starts(), 1);
    let mut hands = hands(&world).await;
    hands.unlock().await;
    hands.flip("ledger_entry", "body", "seq = 2", 300).await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("the audit log does not fit what was signed, so nothing is released");
    said.expect("entry 2:");
    assert_eq!(world.starts(), 1);
    is_sound(&world, 0).await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("nothing is released until an operator has looked");
    assert_eq!(world.starts(), 1);

    hands.flip("ledger_entry", "body", "seq = 2", 300).await;
    is_sound(&world, 1).await;
    let said = world.say("ann", pull_request, "/deploy prod").await;
    said.expect("Started");
    assert_eq!(world.deployments(), [sha.as_str(), &sha]);
}
