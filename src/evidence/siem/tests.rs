//! Entries as collectors get them, word for word.

use serde_json::{Value, json};

use super::{Format, line};
use countersign_ledger::{Action, Actor, Detail, Entry};
use countersign_ledger::{Aside, Sealer, Spelled, Whole, spell};

fn entry(action: Action, actor: Actor) -> Entry {
    let at = jiff::Timestamp::from_microsecond(1_767_225_600_123_456);
    Entry::new(at.unwrap(), action, actor)
}

fn ann() -> Actor {
    Actor::Person {
        forge: "github",
        id: 7,
        login: "ann".to_owned(),
    }
}

fn about_request(action: Action, actor: Actor) -> Entry {
    entry(action, actor)
        .with("service", "shop")
        .with("environment", "prod")
        .with("sha", "c0ffee")
        .with("request", 3)
}

fn spelled(entry: &Entry) -> Spelled {
    spell(
        entry,
        5,
        &Sealer::new("deploys.example.com/log", "key", [[1; 32]]),
        || [2; 32],
    )
}

fn mapped(format: Format, entry: &Entry, asides: &[Aside]) -> Value {
    let spelled = spelled(entry);
    let whole = Whole::join(&spelled.body, asides).unwrap();
    let line = line(format, &whole, &spelled.body, asides);
    assert!(!line.contains('\n'));
    serde_json::from_str(&line).unwrap()
}

#[track_caller]
fn check(format: Format, entry: &Entry, expect: &Value) {
    let seen = mapped(format, entry, &spelled(entry).asides);
    assert_eq!(seen, *expect, "\n{seen:#}\n");
}

/// The parts of an ECS line that tell entries apart.
#[track_caller]
fn check_ecs(entry: &Entry, (kind, category, outcome): (&str, [&str; 2], &str), message: &str) {
    let seen = mapped(Format::Ecs, entry, &spelled(entry).asides);
    let event = &seen["event"];
    assert_eq!(event["kind"], kind, "{seen:#}");
    assert_eq!(event["category"][0], category[0], "{seen:#}");
    assert_eq!(event["type"][0], category[1], "{seen:#}");
    assert_eq!(event["outcome"], outcome, "{seen:#}");
    assert_eq!(seen["message"], message);
}

/// The same of an OCSF line: activity, status, severity.
#[track_caller]
fn check_ocsf(entry: &Entry, ids: [u64; 3], entity: &str) {
    let seen = mapped(Format::Ocsf, entry, &spelled(entry).asides);
    let of = |name: &str| seen[name].as_u64().unwrap();
    assert_eq!(
        ["activity_id", "status_id", "severity_id"].map(of),
        ids,
        "{seen:#}"
    );
    assert_eq!(of("type_uid"), 300_400 + ids[0]);
    assert_eq!(seen["entity"]["type"], entity, "{seen:#}");
}

#[test]
fn an_approval_in_ecs() {
    let expect = json!({
        "@timestamp": "2026-01-01T00:00:00.123456Z",
        "ecs": { "version": "8.11.0" },
        "event": {
            "action": "approved",
            "category": ["configuration"],
            "dataset": "countersign.audit",
            "id": "deploys.example.com/log/5",
            "kind": "event",
            "module": "countersign",
            "outcome": "success",
            "sequence": 5,
            "type": ["change"],
        },
        "labels": {
            "environment": "prod",
            "log": "deploys.example.com/log",
            "outcome": "allowed",
            "request": "3",
            "service": "shop",
            "sha": "c0ffee",
        },
        "message": "approved #3 shop to prod at c0ffee by ann",
        "service": { "environment": "prod", "name": "shop" },
        "user": { "id": "github:7", "name": "ann" },
    });
    check(
        Format::Ecs,
        &about_request(Action::Approved, ann()),
        &expect,
    );
}

#[test]
fn an_approval_in_ocsf() {
    let expect = json!({
        "activity_id": 3,
        "activity_name": "Update",
        "actor": { "user": { "name": "ann", "uid": "github:7" } },
        "category_name": "Identity & Access Management",
        "category_uid": 3,
        "class_name": "Entity Management",
        "class_uid": 3004,
        "entity": { "name": "#3", "type": "Release Request", "uid": "3" },
        "message": "approved #3 shop to prod at c0ffee by ann",
        "metadata": {
            "event_code": "approved",
            "log_name": "deploys.example.com/log",
            "product": { "name": "Countersign", "vendor_name": "Countersign" },
            "sequence": 5,
            "uid": "deploys.example.com/log/5",
            "version": "1.3.0",
        },
        "severity": "Informational",
        "severity_id": 1,
        "status": "Success",
        "status_id": 1,
        "time": 1_767_225_600_123_i64,
        "type_name": "Entity Management: Update",
        "type_uid": 300_403,
        "unmapped": {
            "detail": { "environment": "prod", "request": 3, "service": "shop", "sha": "c0ffee" },
            "labels": {
                "environment": "prod",
                "log": "deploys.example.com/log",
                "outcome": "allowed",
                "request": "3",
                "service": "shop",
                "sha": "c0ffee",
            },
        },
    });
    check(
        Format::Ocsf,
        &about_request(Action::Approved, ann()),
        &expect,
    );
}

#[test]
fn other_kinds_in_ecs() {
    let shop = "shop to prod at c0ffee";
    let by_us = |action| about_request(action, Actor::Countersign);
    let change = ["configuration", "change"];
    let info = ["configuration", "info"];
    check_ecs(
        &about_request(Action::Refused, ann()),
        ("event", info, "failure"),
        &format!("refused #3 {shop} by ann"),
    );
    check_ecs(
        &by_us(Action::Failed),
        ("event", change, "failure"),
        &format!("failed #3 {shop}"),
    );
    check_ecs(
        &by_us(Action::Triggered),
        ("event", change, "unknown"),
        &format!("triggered #3 {shop}"),
    );
    check_ecs(
        &by_us(Action::Unexplained),
        ("alert", info, "unknown"),
        &format!("production.unexplained #3 {shop}"),
    );
    let operator = Actor::Operator {
        name: "root".to_owned(),
    };
    check_ecs(
        &entry(Action::TokenMade, operator),
        ("event", ["iam", "creation"], "success"),
        "token.made by root",
    );
}

#[test]
fn other_kinds_in_ocsf() {
    let request = "Release Request";
    check_ocsf(&about_request(Action::Requested, ann()), [1, 1, 1], request);
    check_ocsf(&about_request(Action::Refused, ann()), [99, 2, 2], request);
    check_ocsf(
        &about_request(Action::Failed, Actor::Countersign),
        [3, 2, 3],
        request,
    );
    let unexplained = entry(Action::Unexplained, Actor::Countersign).with("service", "shop");
    check_ocsf(&unexplained, [99, 0, 4], "Service");
    check_ocsf(&entry(Action::PrivateErased, ann()), [4, 0, 1], "Audit Log");
    check_ocsf(
        &entry(Action::Locked, ann()).with("service", "shop"),
        [9, 1, 1],
        "Service",
    );
}

#[test]
fn an_entry_as_it_is_can_be_hashed() {
    let entry = entry(Action::Locked, ann()).with("reason", Detail::private("a \"quiet\" day"));
    let Spelled { body, asides } = spelled(&entry);
    let whole = Whole::join(&body, &asides).unwrap();
    let line = line(Format::Ndjson, &whole, &body, &asides);
    assert!(line.ends_with(&format!(",\"entry\":{}}}", str::from_utf8(&body).unwrap())));
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        line["aside"],
        json!({ "actor.login": "ann", "reason": "a \"quiet\" day" })
    );
}

#[test]
fn who_was_erased_keeps_a_number() {
    let entry = about_request(Action::Approved, ann());
    let seen = mapped(Format::Ecs, &entry, &[]);
    assert_eq!(seen["user"], json!({ "id": "github:7" }));
    assert_eq!(
        seen["message"],
        "approved #3 shop to prod at c0ffee by github:7"
    );
    let seen = mapped(Format::Ocsf, &entry, &[]);
    assert_eq!(seen["actor"], json!({ "user": { "uid": "github:7" } }));
}
