//! Interactions: what was said, pressed and filled in.

use serde_json::{Value, json};

use super::*;
use crate::chats::discord::edge::tests::{command, component, modal};

fn said(event: &str, body: &Value) -> Said {
    let found = interpret(event, body.to_string().as_bytes(), "LOT").unwrap();
    match found.as_slice() {
        [Incoming::Said(said)] => said.clone(),
        found => panic!("{found:?}"),
    }
}

fn act(event: &str, body: &Value) -> Act {
    said(event, body).act
}

#[test]
fn a_command_reads_as_it_would_be_written() {
    let said = said("command", &command());
    assert_eq!(
        said,
        Said {
            spot: Spot {
                speaker: Speaker {
                    chat: Chat::Discord,
                    tenant: "1000000000000000001".to_owned(),
                    user: "1000000000000000003".to_owned(),
                    name: "Ann".to_owned(),
                },
                channel: "1000000000000000002".to_owned(),
                id: "1067068000000000123".to_owned(),
                handle: Handle::Discord {
                    token: "aW50ZXJhY3Rpb24".to_owned(),
                },
                said_at: "2023-01-23T13:07:16.364Z".parse().unwrap(),
            },
            home: None,
            act: Act::Command("/deploy prod --dry-run".to_owned()),
            lot: "LOT".to_owned(),
        }
    );
}

#[test]
fn parts_of_every_kind_are_read() {
    let check = |name: &str, options: Value, expect: Act| {
        let mut body = command();
        body["data"]["name"] = json!(name);
        body["data"]["options"] = options;
        assert_eq!(act("command", &body), expect);
    };
    let written = |line: &str| Act::Command(line.to_owned());
    check("status", json!([]), written("/status"));
    check("status", Value::Null, written("/status"));
    check(
        "approve",
        json!([{ "name": "request", "value": 42 }]),
        written("/approve 42"),
    );
    check(
        "lock",
        json!([{ "name": "reason", "value": "a b" }, { "name": "environment", "value": "prod" }]),
        written("/lock prod --reason=\"a b\""),
    );
    check(
        "help",
        json!([{ "name": "command", "value": { "x": 1 } }]),
        written("/help"),
    );
    check("launch", json!([]), Act::Strange("/launch".to_owned()));
}

#[test]
fn buttons_are_told_apart_from_those_of_others() {
    let approve = Button::Approve { request: 42 };
    let press = |button, reason: Option<&str>| Act::Press {
        button,
        reason: reason.map(str::to_owned),
    };
    assert_eq!(
        act("component", &component("cs/approve/42")),
        press(approve, None)
    );
    assert_eq!(
        act("component", &component("their-button")),
        Act::Strange("their-button".to_owned())
    );
    let reject = Button::Reject { request: 42 };
    assert_eq!(
        act("modal", &modal("cs/reject/42", "too late")),
        press(reject, Some("too late"))
    );
    let mut row = modal("cs/reject/42", "");
    row["data"]["components"] =
        json!([{ "type": 1, "components": [{ "type": 4, "value": "as before" }] }]);
    assert_eq!(act("modal", &row), press(reject, Some("as before")));
}

#[test]
fn who_has_no_other_name_is_called_by_the_one_there_is() {
    let mut body = command();
    body["member"]["user"]["global_name"] = Value::Null;
    assert_eq!(said("command", &body).spot.speaker.name, "ann");
    body["member"]["user"]["username"] = Value::Null;
    assert_eq!(said("command", &body).spot.speaker.name, "");
}

#[test]
fn what_cannot_be_read_names_its_field() {
    let mut body = command();
    body["member"]["user"]["id"] = json!(7);
    let why = interpret("command", body.to_string().as_bytes(), "").unwrap_err();
    assert!(why.starts_with("command: member.user.id"), "{why}");
    let found = interpret("launch", b"", "").unwrap();
    assert_eq!(found, [Incoming::NotOurs("launch".to_owned())]);
}

#[test]
fn one_strange_value_in_any_place_never_panics() {
    for (event, body) in [
        ("command", command()),
        ("component", component("cs/deploy/7")),
        ("modal", modal("cs/reject/7", "x")),
    ] {
        crate::domain::strange::each(&body, |body| {
            let _ = interpret(event, body, "LOT");
        });
    }
}

proptest::proptest! {
    #[test]
    fn strange_bytes_never_panic(event in "command|component|modal|\\PC{0,9}", body in ".{0,80}") {
        let _ = interpret(&event, body.as_bytes(), "");
        let _ = super::super::edge::tests::read_any(body.as_bytes());
    }
}
