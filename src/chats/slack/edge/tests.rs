//! The edge: who is let in, and what is answered at once.

use super::*;
use crate::domain::{Act, Button, Incoming};
use serde_json::Value;

/// Slack's own published example.
const SECRET: &[u8] = b"8f742231b10e8888abcd99yyyzzz85a5";
const SIGNED_AT: i64 = 1_531_420_618;
const BODY: &[u8] = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

fn secrets() -> SigningSecrets {
    SigningSecrets::new([SECRET.to_vec()])
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, value.parse().unwrap());
    }
    headers
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(SIGNED_AT + seconds).unwrap()
}

fn signed(secret: &[u8], body: &[u8]) -> HeaderMap {
    let time = SIGNED_AT.to_string();
    let message = [b"v0:", time.as_bytes(), b":", body].concat();
    let signature = format!("v0={}", digest::hmac_sha256_hex(secret, &message));
    headers(&[
        ("x-slack-signature", &signature),
        ("x-slack-request-timestamp", &time),
    ])
}

fn received(body: &[u8]) -> Received {
    receive(&secrets(), &signed(SECRET, body), body, at(0)).unwrap()
}

fn kept(body: &[u8]) -> Kept {
    match received(body) {
        Received::Kept(kept) => kept,
        Received::Nothing(answer) => panic!("{answer}"),
    }
}

pub(crate) fn form(payload: &Value) -> Vec<u8> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("payload", &payload.to_string());
    form.finish().into_bytes()
}

pub(crate) fn slash(command: &str, text: &str) -> Vec<u8> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in [
        ("team_id", "T1"),
        ("channel_id", "C0123456789"),
        ("user_id", "U1"),
        ("user_name", "ann"),
        ("command", command),
        ("text", text),
        ("response_url", "https://hooks.slack.com/commands/T1/2/x3"),
        ("trigger_id", "398738663015.47445629121.803a"),
        ("is_enterprise_install", "false"),
        ("enterprise_id", ""),
    ] {
        form.append_pair(name, value);
    }
    form.finish().into_bytes()
}

pub(crate) fn actions(id: &str) -> Value {
    json!({
        "type": "block_actions",
        "api_app_id": "A1",
        "team": { "id": "T1", "domain": "acme" },
        "user": { "id": "U1", "username": "ann", "name": "ann", "team_id": "T1" },
        "container": { "type": "message", "message_ts": "1.2", "channel_id": "C0123456789" },
        "channel": { "id": "C0123456789", "name": "releases" },
        "message": { "ts": "1.2", "text": "Ready" },
        "state": { "values": {} },
        "response_url": "https://hooks.slack.com/actions/T1/2/x3",
        "trigger_id": "12.34.ab",
        "actions": [{ "action_id": id, "block_id": "b", "value": id, "type": "button", "action_ts": "1.3" }],
    })
}

pub(crate) fn view(id: &str, reason: &str) -> Value {
    let metadata = json!({ "channel": "C0123456789", "response": "/actions/T1/2/x3" });
    json!({
        "type": "view_submission",
        "team": null,
        "user": { "id": "U1", "username": "ann", "name": "ann", "team_id": "T1" },
        "trigger_id": "12.35.cd",
        "response_urls": [],
        "view": {
            "id": "V1",
            "hash": "156772938.1827394",
            "callback_id": id,
            "private_metadata": metadata.to_string(),
            "state": { "values": { "reason": { "reason": { "type": "plain_text_input", "value": reason } } } },
        },
    })
}

#[test]
fn only_slack_is_let_in() {
    let (sign, time, now) = (
        "x-slack-signature",
        "x-slack-request-timestamp",
        "1531420618",
    );
    let check = |pairs: &[(&'static str, &str)], body: &[u8], expect: Option<Rejected>| {
        let received = receive(&secrets(), &headers(pairs), body, at(0));
        assert_eq!(received.err(), expect, "{pairs:?}");
    };
    check(&[(sign, SIGNATURE), (time, now)], BODY, None);
    let no = Some(Rejected::NoSignature);
    check(&[], BODY, no);
    check(&[(sign, SIGNATURE)], BODY, no);
    check(&[(time, now)], BODY, no);
    check(
        &[(sign, SIGNATURE), (sign, SIGNATURE), (time, now)],
        BODY,
        no,
    );
    check(&[(sign, SIGNATURE), (time, now), (time, now)], BODY, no);
    let unreadable = Some(Rejected::UnreadableSignature);
    check(&[(sign, &SIGNATURE[3..]), (time, now)], BODY, unreadable);
    check(&[(sign, &SIGNATURE[..60]), (time, now)], BODY, unreadable);
    check(
        &[(sign, &SIGNATURE.replace("v0", "v1")), (time, now)],
        BODY,
        unreadable,
    );
    let not_time = Some(Rejected::UnreadableTime);
    for text in [
        "",
        "now",
        "-1531420618",
        "1531420618.0",
        "99999999999999999999",
    ] {
        check(&[(sign, SIGNATURE), (time, text)], BODY, not_time);
    }
    let wrong = Some(Rejected::WrongSignature);
    check(&[(sign, SIGNATURE), (time, "1531420619")], BODY, wrong);
    check(&[(sign, SIGNATURE), (time, now)], b"", wrong);
    check(&[(sign, SIGNATURE), (time, now)], &BODY[1..], wrong);
    check(
        &[(sign, &format!("v0={}", "0".repeat(64))), (time, now)],
        BODY,
        wrong,
    );
}

#[test]
fn a_signature_is_good_for_five_minutes() {
    for (seconds, expect) in [
        (299, true),
        (300, true),
        (301, false),
        (-299, true),
        (-301, false),
    ] {
        let received = receive(&secrets(), &signed(SECRET, BODY), BODY, at(seconds));
        assert_eq!(received.is_ok(), expect, "{seconds}");
        assert!(expect || received == Err(Rejected::Stale));
    }
}

#[test]
fn two_secrets_hold_while_one_replaces_the_other() {
    let both = SigningSecrets::new([b"new".to_vec(), SECRET.to_vec(), Vec::new()]);
    for (secret, expect) in [
        (&b"new"[..], true),
        (SECRET, true),
        (b"old", false),
        (b"", false),
    ] {
        let received = receive(&both, &signed(secret, BODY), BODY, at(0));
        assert_eq!(received.is_ok(), expect);
    }
    assert!(SigningSecrets::new([Vec::new()]).is_empty());
    assert_eq!(format!("{both:?}"), "SigningSecrets(2 of them)");
}

#[test]
fn questions_about_the_address_are_answered_and_forgotten() {
    let nothing = Received::Nothing(String::new());
    let unsigned = receive(&secrets(), &HeaderMap::new(), b"ssl_check=1&token=x", at(0));
    assert_eq!(unsigned, Ok(nothing.clone()));
    let smuggled = slash("/deploy", "prod&ssl_check=1");
    assert!(receive(&secrets(), &HeaderMap::new(), &smuggled, at(0)).is_err());
    let asked = br#"{"type":"url_verification","challenge":"abc","token":"x"}"#;
    assert_eq!(received(asked), Received::Nothing("abc".to_owned()));
    for kind in ["view_closed", "shortcut", "block_suggestion"] {
        let mut payload = actions("x");
        payload["type"] = json!(kind);
        assert_eq!(received(&form(&payload)), nothing, "{kind}");
    }
}

#[test]
fn what_somebody_did_is_kept_under_its_own_name() {
    for (body, event, key) in [
        (
            slash("/deploy", "prod"),
            "command",
            "slack/398738663015.47445629121.803a",
        ),
        (form(&actions("cs/approve/42")), "actions", "slack/12.34.ab"),
        (
            form(&view("cs/reject/42", "no")),
            "view",
            "slack/V1/156772938.1827394",
        ),
    ] {
        let kept = kept(&body);
        assert_eq!(
            kept.delivery,
            Delivery {
                source: Source::Chat(Chat::Slack),
                key: key.to_owned(),
                event: event.to_owned(),
                lane: "chat/slack/T1/U1".to_owned(),
                malformed: None,
            }
        );
        // Whatever else is answered to a press is not shown, and would keep a form open.
        assert_eq!(kept.answer.is_empty(), event != "command");
    }
    let answer = kept(&slash("/deploy", "prod")).answer;
    assert_eq!(
        answer,
        r#"{"response_type":"ephemeral","text":"⏳ One moment."}"#
    );
}

#[test]
fn an_organisation_without_a_team_has_a_tenant() {
    let mut payload = actions("cs/approve/42");
    payload["team"] = Value::Null;
    assert_eq!(kept(&form(&payload)).delivery.lane, "chat/slack/T1/U1");
    payload["user"]["team_id"] = Value::Null;
    payload["enterprise"] = json!({ "id": "E1" });
    assert_eq!(kept(&form(&payload)).delivery.lane, "chat/slack/E1/U1");
    payload["enterprise"] = Value::Null;
    assert!(kept(&form(&payload)).delivery.malformed.is_some());
}

#[test]
fn a_socket_brings_the_same() {
    let json_of_slash = json!({
        "team_id": "T1", "channel_id": "C0123456789", "user_id": "U1", "user_name": "ann",
        "command": "/deploy", "text": "prod", "trigger_id": "398738663015.47445629121.803a",
        "response_url": "https://hooks.slack.com/commands/T1/2/x3",
    });
    for (kind, payload, same) in [
        ("slash_commands", json_of_slash, slash("/deploy", "prod")),
        (
            "interactive",
            actions("cs/approve/42"),
            form(&actions("cs/approve/42")),
        ),
        (
            "interactive",
            view("cs/reject/42", "no"),
            form(&view("cs/reject/42", "no")),
        ),
    ] {
        let payload = payload.to_string();
        let found = from_socket(kind, "e-1", payload.as_bytes()).unwrap();
        assert_eq!(found, kept(&same).delivery);
        assert_eq!(
            interpret(&found.event, payload.as_bytes(), at(0), "LOT"),
            interpret(&found.event, &same, at(0), "LOT")
        );
    }
    assert_eq!(from_socket("events_api", "e-1", b"{}"), None);
    assert_eq!(from_socket("hello", "e-1", b"{}"), None);
    let mut nameless = actions("cs/approve/42");
    nameless["trigger_id"] = Value::Null;
    let found = from_socket("interactive", "e-1", nameless.to_string().as_bytes()).unwrap();
    assert_eq!(found.key, "slack/envelope/e-1");
    let broken = from_socket("interactive", "e-1", b"[").unwrap();
    assert!(broken.malformed.is_some());
}

#[test]
fn what_cannot_be_read_is_kept_for_whoever_looks() {
    for body in [
        &b""[..],
        b"\xff",
        b"payload=[]",
        b"payload=%7B%22type%22%3A7%7D",
        b"command=/deploy",
        b"command=/deploy&user_id=..%2F&channel_id=C1",
        b"{}",
    ] {
        let delivery = kept(body).delivery;
        assert!(delivery.malformed.is_some(), "{body:?}");
        assert_eq!(delivery.lane, "chat/slack");
    }
}

#[test]
fn one_strange_value_in_any_place_never_panics() {
    for payload in [actions("cs/reject/1"), view("cs/reject/1", "x")] {
        crate::domain::strange::each(&payload, |body| {
            let _ = from_socket("interactive", "e-1", body);
            if let Ok(payload) = serde_json::from_slice(body)
                && let Received::Kept(kept) = received(&form(&payload))
                && kept.delivery.malformed.is_none()
            {
                let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'/';
                assert!(kept.delivery.lane.bytes().all(is_plain));
            }
        });
    }
}

#[test]
fn the_published_example_is_a_command() {
    let found = interpret("command", BODY, at(0), "").unwrap();
    assert!(matches!(
        found.as_slice(),
        [Incoming::Said(said)] if said.act == Act::Command("/webhook-collect".to_owned())
    ));
    assert_eq!(Button::parse("/webhook-collect"), None);
}

/// Signed and let in by the code of Slack's own framework for Node, with letters, signs and escapes in it.
#[test]
fn what_slacks_own_framework_lets_in_is_let_in() {
    let body = "command=%2Fdeploy&text=prod+--reason+%22caf%C3%A9+%26+%2B1+%E2%9C%93%22&team_id=T0ACMECORP&channel_id=C0DEPLOYS&user_id=U0ANN&user_name=ann&trigger_id=1.T0ACMECORP.a&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT0ACMECORP%2F1%2Fx";
    let secrets = SigningSecrets::new([b"0123456789abcdef0123456789abcdef".to_vec()]);
    let headers = headers(&[
        (
            "x-slack-signature",
            "v0=f2ecae125659c91d3209134ecc5118cb8edcb63262fbf9e9590da161dd7541ff",
        ),
        ("x-slack-request-timestamp", "1800000000"),
    ]);
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let Ok(Received::Kept(kept)) = receive(&secrets, &headers, body.as_bytes(), now) else {
        panic!("it is not let in");
    };
    assert_eq!(kept.delivery.malformed, None);
}
