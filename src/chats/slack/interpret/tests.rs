//! Requests: what was said, pressed and filled in.

use serde_json::{Value, json};

use super::*;
use crate::chats::slack::edge::tests::{actions, form, slash, view};
use crate::domain::{Chat, Speaker};

fn now() -> Timestamp {
    "2026-01-31T14:00:00Z".parse().unwrap()
}

fn said(event: &str, body: &[u8]) -> Said {
    let found = interpret(event, body, now(), "LOT").unwrap();
    match found.as_slice() {
        [Incoming::Said(said)] => said.clone(),
        found => panic!("{found:?}"),
    }
}

#[test]
fn a_command_reads_as_it_would_be_written() {
    assert_eq!(
        said("command", &slash("/deploy", "prod --dry-run")),
        Said {
            spot: Spot {
                speaker: Speaker {
                    chat: Chat::Slack,
                    tenant: "T1".to_owned(),
                    user: "U1".to_owned(),
                    name: "ann".to_owned(),
                },
                channel: "C0123456789".to_owned(),
                id: "398738663015.47445629121.803a".to_owned(),
                handle: Handle::Slack {
                    response: Some("/commands/T1/2/x3".to_owned()),
                    trigger: Some("398738663015.47445629121.803a".to_owned()),
                },
                said_at: now(),
            },
            home: None,
            act: Act::Command("/deploy prod --dry-run".to_owned()),
            lot: "LOT".to_owned(),
        }
    );
}

#[test]
fn one_command_of_slacks_stands_for_all() {
    for (command, text, expect) in [
        ("/deploy", "", "/deploy"),
        ("/deploy", " prod ", "/deploy prod"),
        ("/countersign", "", "/help"),
        ("/countersign", "  ", "/help"),
        ("/countersign", "who prod", "/who prod"),
        ("/countersign", "/who prod", "/who prod"),
        (
            "/countersign",
            "status\n/deploy prod",
            "/status /deploy prod",
        ),
        (
            "/lock",
            "prod --reason \"a &lt; b &amp;amp; c\"",
            "/lock prod --reason \"a < b &amp; c\"",
        ),
        (
            "/lock",
            "prod --reason “late”",
            "/lock prod --reason “late”",
        ),
    ] {
        let act = said("command", &slash(command, text)).act;
        assert_eq!(act, Act::Command(expect.to_owned()), "{command} {text}");
    }
}

#[test]
fn buttons_are_told_apart_from_those_of_others() {
    let found = said("actions", &form(&actions("cs/reject/42")));
    assert_eq!(
        found.act,
        Act::Press {
            button: Button::Reject { request: 42 },
            reason: None,
        }
    );
    assert_eq!(
        found.spot.handle,
        Handle::Slack {
            response: Some("/actions/T1/2/x3".to_owned()),
            trigger: Some("12.34.ab".to_owned()),
        }
    );
    let strange = said("actions", &form(&actions("their-button")));
    assert_eq!(strange.act, Act::Strange("their-button".to_owned()));
}

#[test]
fn a_form_goes_back_the_way_of_its_button() {
    let found = said("view", &form(&view("cs/reject/42", "too late")));
    assert_eq!(
        found.act,
        Act::Press {
            button: Button::Reject { request: 42 },
            reason: Some("too late".to_owned()),
        }
    );
    assert_eq!(found.spot.channel, "C0123456789");
    assert_eq!(found.spot.id, "V1/156772938.1827394");
    let response = |metadata: Value| {
        let mut sent = view("cs/reject/42", "no");
        sent["view"]["private_metadata"] = json!(metadata.to_string());
        match said("view", &form(&sent)).spot.handle {
            Handle::Slack { response, .. } => response,
            Handle::Discord { .. } => panic!("another chat"),
        }
    };
    assert_eq!(
        response(json!({ "channel": "C1", "response": "/a/b" })).as_deref(),
        Some("/a/b")
    );
    for path in ["//evil.example", "/a/../b", "@evil.example/", "a", "/a\n"] {
        assert_eq!(response(json!({ "channel": "C1", "response": path })), None);
    }
    assert_eq!(response(json!({ "channel": "C1" })), None);
}

#[test]
fn an_address_of_somebody_else_is_no_way_back() {
    for url in [
        "https://evil.example/x",
        "http://169.254.169.254/",
        "file:///x",
        "x",
    ] {
        let mut pressed = actions("cs/approve/42");
        pressed["response_url"] = json!(url);
        let handle = said("actions", &form(&pressed)).spot.handle;
        assert!(
            matches!(handle, Handle::Slack { response: None, .. }),
            "{url}"
        );
    }
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let mut foreign = view("others", "no");
    assert_eq!(
        said("view", &form(&foreign)).act,
        Act::Strange("others".to_owned())
    );
    foreign["view"]["private_metadata"] = json!("theirs");
    let mut nowhere = actions("cs/approve/42");
    nowhere["channel"] = Value::Null;
    for (event, body) in [
        ("view", form(&foreign)),
        ("view", form(&actions("cs/approve/42"))),
        ("actions", form(&nowhere)),
        ("unreadable", Vec::new()),
    ] {
        let found = interpret(event, &body, now(), "").unwrap();
        assert!(
            matches!(found.as_slice(), [Incoming::NotOurs(_)]),
            "{found:?}"
        );
    }
    let mut unreadable = actions("cs/approve/42");
    unreadable["user"]["id"] = json!(7);
    let why = interpret("actions", &form(&unreadable), now(), "").unwrap_err();
    assert!(why.starts_with("actions: user.id"), "{why}");
}

#[test]
fn one_strange_value_in_any_place_never_panics() {
    for (event, payload) in [
        ("actions", actions("cs/reject/1")),
        ("view", view("cs/reject/1", "x")),
        (
            "command",
            json!({ "command": "/deploy", "text": "prod", "team_id": "T1", "user_id": "U1", "channel_id": "C1", "trigger_id": "1.2", "response_url": "https://hooks.slack.com/x" }),
        ),
    ] {
        crate::domain::strange::each(&payload, |body| {
            let _ = interpret(event, body, now(), "LOT");
        });
    }
    let whole = slash("/deploy", "prod");
    for end in 0..whole.len() {
        let _ = interpret("command", &whole[..end], now(), "LOT");
    }
}

proptest::proptest! {
    #[test]
    fn strange_bytes_never_panic(event in "command|actions|view|\\PC{0,9}", body in ".{0,80}") {
        let _ = interpret(&event, body.as_bytes(), now(), "");
        let _ = crate::chats::slack::edge::from_socket("interactive", &event, body.as_bytes());
    }
}
