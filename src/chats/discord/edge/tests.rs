//! The edge: who is let in, and what is answered at once.

use super::*;

const KEY: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
const OTHER_KEY: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const PING: &[u8] = br#"{"type":1}"#;
const SIGNED_AT: i64 = 1_769_868_000;
/// By the second key of RFC 8032: of the time and a ping.
const SIGNATURE: &str = "6c371a0d70d0d8b021a8f30055adf1cdb1caee68c8a19c371671b34ee7ae8b0e8ef5f9eaf06d5f3e1397406a60c1663c88cb89f11d067194b56a7c88e1712000";
/// The same, of `now` and of `-1769868000` as times.
const OF_NOW: &str = "23f9e23dfe0aa87b9c4d448e02f19fb8bec510a351f4db64f45a49d7d1c750d035b2be5fec375018234de7e53349c639f97462bb2baa2d6ed073841669fc7109";
const OF_MINUS: &str = "461a6d95733e83cddd6f94eb6a62145f47ae870f12c71c3ca192502d847f7267b891ae7761d3aab6e30e1f693dfb00029e153d6f6de5affc0742dd8f3a776d0f";

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

#[test]
fn only_discord_is_let_in() {
    let key = PublicKey::parse(KEY).unwrap();
    let (sign, time) = ("x-signature-ed25519", "x-signature-timestamp");
    let check = |pairs: &[(&'static str, &str)], body: &[u8], expect: Result<(), Rejected>| {
        let received = receive(&key, &headers(pairs), body, at(0));
        assert_eq!(received, expect.map(|()| Received::Pong), "{pairs:?}");
    };
    let now = "1769868000";
    check(&[(sign, SIGNATURE), (time, now)], PING, Ok(()));
    let no = Err(Rejected::NoSignature);
    check(&[], PING, no);
    check(&[(sign, SIGNATURE)], PING, no);
    check(&[(time, now)], PING, no);
    check(
        &[(sign, SIGNATURE), (sign, SIGNATURE), (time, now)],
        PING,
        no,
    );
    check(&[(sign, SIGNATURE), (time, now), (time, now)], PING, no);
    let wrong = Err(Rejected::WrongSignature);
    check(&[(sign, SIGNATURE), (time, now)], br#"{"type":2}"#, wrong);
    check(&[(sign, SIGNATURE), (time, now)], b"", wrong);
    check(&[(sign, SIGNATURE), (time, "1769868001")], PING, wrong);
    check(&[(sign, &SIGNATURE[2..]), (time, now)], PING, wrong);
    check(&[(sign, "zz"), (time, now)], PING, wrong);
    check(&[(sign, &"0".repeat(128)), (time, now)], PING, wrong);
    let time_is_none = Err(Rejected::UnreadableTime);
    check(&[(sign, OF_NOW), (time, "now")], PING, time_is_none);
    check(
        &[(sign, OF_MINUS), (time, "-1769868000")],
        PING,
        time_is_none,
    );
    let other = PublicKey::parse(OTHER_KEY).unwrap();
    let sent = headers(&[(sign, SIGNATURE), (time, now)]);
    assert_eq!(
        receive(&other, &sent, PING, at(0)),
        wrong.map(|()| Received::Pong)
    );
}

#[test]
fn a_signature_is_good_for_five_minutes() {
    let key = PublicKey::parse(KEY).unwrap();
    let sent = headers(&[
        ("x-signature-ed25519", SIGNATURE),
        ("x-signature-timestamp", "1769868000"),
    ]);
    for (seconds, expect) in [
        (0, true),
        (299, true),
        (300, true),
        (301, false),
        (-299, true),
        (-301, false),
        (86_400, false),
    ] {
        let received = receive(&key, &sent, PING, at(seconds));
        assert_eq!(received.is_ok(), expect, "{seconds}");
        assert!(expect || received == Err(Rejected::Stale));
    }
}

#[test]
fn a_key_is_64_hex_digits() {
    assert!(PublicKey::parse("").is_none());
    assert!(PublicKey::parse(&KEY[1..]).is_none());
}

pub(crate) fn command() -> Value {
    json!({
        "type": 2,
        "id": "1067068000000000123",
        "application_id": "9",
        "token": "aW50ZXJhY3Rpb24",
        "version": 1,
        "guild_id": "1000000000000000001",
        "channel_id": "1000000000000000002",
        "member": {
            "user": { "id": "1000000000000000003", "username": "ann", "global_name": "Ann" },
            "roles": ["1000000000000000004"],
            "permissions": "2147483647",
        },
        "data": {
            "id": "1",
            "name": "deploy",
            "type": 1,
            "options": [
                { "name": "environment", "type": 3, "value": "prod" },
                { "name": "dry-run", "type": 5, "value": true },
            ],
        },
    })
}

pub(crate) fn component(id: &str) -> Value {
    let mut pressed = command();
    pressed["type"] = json!(3);
    pressed["data"] = json!({ "custom_id": id, "component_type": 2 });
    pressed["message"] = json!({ "id": "1000000000000000009" });
    pressed
}

pub(crate) fn modal(id: &str, value: &str) -> Value {
    let mut sent = command();
    sent["type"] = json!(5);
    sent["data"] = json!({
        "custom_id": id,
        "components": [{
            "type": 18,
            "component": { "type": 4, "custom_id": "reason", "value": value },
        }],
    });
    sent
}

fn is(body: &Value) -> Received {
    read(body.to_string().as_bytes())
}

#[test]
fn what_somebody_did_is_kept_and_answered_to_them_alone() {
    for (body, event) in [
        (command(), "command"),
        (component("cs/approve/42"), "component"),
        (component("others"), "component"),
        (modal("cs/reject/42", "no"), "modal"),
    ] {
        let Received::Kept(kept) = is(&body) else {
            panic!("{body}");
        };
        assert_eq!(
            kept.delivery,
            Delivery {
                source: Source::Chat(Chat::Discord),
                key: "discord/1067068000000000123".to_owned(),
                event: event.to_owned(),
                lane: "chat/discord/1000000000000000001/1000000000000000003".to_owned(),
                malformed: None,
            }
        );
        assert_eq!(kept.answer, r#"{"data":{"flags":64},"type":5}"#);
    }
}

#[test]
fn a_button_that_asks_opens_a_form() {
    let Received::Form(form) = is(&component("cs/reject/42")) else {
        panic!("no form");
    };
    let form: Value = serde_json::from_str(&form).unwrap();
    assert_eq!(
        form,
        json!({
            "type": 9,
            "data": {
                "custom_id": "cs/reject/42",
                "title": "Reject the release",
                "components": [{
                    "type": 18,
                    "label": "Why?",
                    "component": {
                        "type": 4,
                        "custom_id": "reason",
                        "style": 2,
                        "min_length": 1,
                        "max_length": 400,
                        "required": true,
                    },
                }],
            },
        })
    );
}

#[test]
fn what_is_typed_is_completed() {
    let mut body = command();
    body["type"] = json!(4);
    body["data"]["options"] = json!([
        { "name": "service", "type": 3, "value": "shop" },
        { "name": "environment", "type": 3, "value": "pr", "focused": true },
    ]);
    assert_eq!(
        is(&body),
        Received::Choices(Wanted {
            guild: Some("1000000000000000001".to_owned()),
            channel: Some("1000000000000000002".to_owned()),
            command: "deploy".to_owned(),
            option: "environment".to_owned(),
            typed: "pr".to_owned(),
            given: vec![("service".to_owned(), "shop".to_owned())],
        })
    );
}

#[test]
fn choices_stay_within_discords_limits() {
    let pair = |shown: &str, value: &str| (shown.to_owned(), value.to_owned());
    let mut found = vec![
        pair("prod", "prod"),
        pair(&"x".repeat(200), "long"),
        pair("cut", &"y".repeat(101)),
        pair("", "empty"),
        pair("empty", ""),
    ];
    found.extend((0..40).map(|number| pair("more", &number.to_string())));
    let answer: Value = serde_json::from_str(&choices(&found)).unwrap();
    assert_eq!(answer["type"], 8);
    let choices = answer["data"]["choices"].as_array().unwrap();
    assert_eq!(choices.len(), 25);
    assert_eq!(choices[0], json!({ "name": "prod", "value": "prod" }));
    assert_eq!(choices[1]["name"], format!("{}…", "x".repeat(99)));
    assert_eq!(choices[2]["value"], "0");
}

#[test]
fn nothing_is_decided_in_private() {
    let mut body = command();
    let user = body["member"]["user"].clone();
    body.as_object_mut().unwrap().remove("guild_id");
    body.as_object_mut().unwrap().remove("member");
    body["user"] = user;
    let Received::Refused(answer) = is(&body) else {
        panic!("it was let in");
    };
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(
        (&answer["type"], &answer["data"]["flags"]),
        (&json!(4), &json!(64))
    );
    body["type"] = json!(12);
    assert!(matches!(is(&body), Received::Refused(_)));
}

#[test]
fn what_cannot_be_read_is_kept_for_whoever_looks() {
    let mut no_id = command();
    no_id["id"] = json!("12x");
    for body in [
        &b"[]"[..],
        b"",
        b"\xff",
        b"{}",
        no_id.to_string().as_bytes(),
    ] {
        let Received::Kept(kept) = read(body) else {
            panic!("{body:?}");
        };
        assert!(kept.delivery.malformed.is_some());
        assert!(kept.delivery.key.starts_with("discord/unreadable/"));
        assert!(kept.answer.contains("\"flags\":64"));
    }
}

#[test]
fn one_strange_value_in_any_place_never_panics() {
    for body in [
        command(),
        component("cs/reject/1"),
        modal("cs/reject/1", "x"),
    ] {
        crate::domain::strange::each(&body, |body| {
            if let Received::Kept(kept) = read(body)
                && kept.delivery.malformed.is_none()
            {
                let lane = kept.delivery.lane.strip_prefix("chat/discord/").unwrap();
                assert!(lane.bytes().all(|b| b.is_ascii_digit() || b == b'/'));
            }
        });
    }
}

pub(crate) fn read_any(body: &[u8]) -> Received {
    read(body)
}

/// Signed by another implementation of Ed25519, in another language.
#[test]
fn what_another_implementation_signed_is_let_in() {
    let key = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
    let key = PublicKey::parse(key).unwrap();
    let body = "{\"type\":1,\"id\":\"1\",\"application_id\":\"1\",\"name\":\"café ✓\"}";
    let headers = headers(&[
        (
            "x-signature-ed25519",
            "35e86cddc23b35366cedbe79611b3912c82df998244dcedcbd6d56dbbd0a8b0bf700b243670814e6188a02071537a1cc4f56a0a297ae2d53654a07a23af7b107",
        ),
        ("x-signature-timestamp", "1800000000"),
    ]);
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let received = receive(&key, &headers, body.as_bytes(), now);
    assert_eq!(received, Ok(Received::Pong));
}
