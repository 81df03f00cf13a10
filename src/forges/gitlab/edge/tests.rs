//! The edge: who gets in, with what, and under which key it is kept.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::strange;

/// The key is the bytes from 0 to 31.
const SIGNING: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const ID: &str = "f5e5f430-f57b-4e6e-9fac-d9128cd7232f";
const SECOND: &str = "1767225600";
const BODY: &[u8] = br#"{"object_kind":"pipeline"}"#;
const TAG: &str = "v1,f6bnPTgLs53gAzqiBHsGcBO6Hcqx39DNdH7v+hmztxQ=";
/// A right form, and made by no key of ours.
const OTHER_TAG: &str = "v1,AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const PLAIN: &str = "it is a secret";

fn secrets(given: &[&str]) -> WebhookSecrets {
    WebhookSecrets::new(given.iter().map(|one| one.as_bytes().to_vec())).unwrap()
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn after(seconds: i64) -> Timestamp {
    let second: i64 = SECOND.parse().unwrap();
    Timestamp::from_second(second + seconds).unwrap()
}

fn signed() -> HeaderMap {
    headers(&[
        ("x-gitlab-event", "Pipeline Hook"),
        ("idempotency-key", ID),
        ("webhook-id", ID),
        ("webhook-timestamp", SECOND),
        ("webhook-signature", TAG),
    ])
}

fn plain(token: &str) -> HeaderMap {
    headers(&[
        ("x-gitlab-event", "Push Hook"),
        ("x-gitlab-token", token),
        ("idempotency-key", ID),
    ])
}

fn set(sent: &mut HeaderMap, name: &'static str, value: &str) {
    sent.insert(name, HeaderValue::from_str(value).unwrap());
}

#[track_caller]
fn refused(given: &[&str], sent: &HeaderMap, expect: Rejected) {
    let rejected = receive(&secrets(given), sent, BODY, after(0));
    assert_eq!(rejected, Err(expect), "{sent:?}");
}

#[test]
fn a_published_signature_opens_the_door() {
    let delivery = receive(&secrets(&[SIGNING]), &signed(), BODY, after(0)).unwrap();
    assert_eq!(delivery.source, Source::Forge(Forge::GitLab));
    assert_eq!(delivery.event, "Pipeline Hook");
    assert_eq!(delivery.malformed, None);
    let digest = &digest::sha256_hex(BODY)[..16];
    assert_eq!(delivery.key, format!("{ID}/Pipeline Hook/{digest}"));
}

#[test]
fn a_signature_is_fresh_for_five_minutes_both_ways() {
    for (seconds, expect) in [
        (0, true),
        (299, true),
        (300, true),
        (301, false),
        (-299, true),
        (-300, true),
        (-301, false),
        (86_400, false),
    ] {
        let received = receive(&secrets(&[SIGNING]), &signed(), BODY, after(seconds));
        let found = received.map(drop).map_err(Some);
        let expect = if expect {
            Ok(())
        } else {
            Err(Some(Rejected::Stale))
        };
        assert_eq!(found, expect, "{seconds}");
    }
}

#[test]
fn only_a_right_signature_of_this_body_opens_the_door() {
    let long = format!("{TAG} ").repeat(5);
    let bare = TAG.trim_start_matches("v1,").to_owned();
    for (name, value, expect) in [
        ("webhook-signature", "", Rejected::UnreadableSignature),
        ("webhook-signature", "v1,", Rejected::UnreadableSignature),
        ("webhook-signature", "v1", Rejected::UnreadableSignature),
        ("webhook-signature", &bare, Rejected::UnreadableSignature),
        (
            "webhook-signature",
            &TAG[..46],
            Rejected::UnreadableSignature,
        ),
        (
            "webhook-signature",
            "v2,f6bnPTgL",
            Rejected::UnreadableSignature,
        ),
        ("webhook-signature", &long, Rejected::UnreadableSignature),
        ("webhook-signature", OTHER_TAG, Rejected::WrongSignature),
        ("webhook-id", "other", Rejected::WrongSignature),
        ("webhook-id", "", Rejected::UnreadableStamp),
        ("webhook-id", "a b", Rejected::UnreadableStamp),
        ("webhook-id", "a.b", Rejected::UnreadableStamp),
        ("webhook-timestamp", "1767225601", Rejected::WrongSignature),
        ("webhook-timestamp", "", Rejected::UnreadableStamp),
        (
            "webhook-timestamp",
            "-1767225600",
            Rejected::UnreadableStamp,
        ),
        (
            "webhook-timestamp",
            "+1767225600",
            Rejected::UnreadableStamp,
        ),
        (
            "webhook-timestamp",
            "1767225600.0",
            Rejected::UnreadableStamp,
        ),
        (
            "webhook-timestamp",
            "9".repeat(30).as_str(),
            Rejected::UnreadableStamp,
        ),
    ] {
        let mut sent = signed();
        set(&mut sent, name, value);
        refused(&[SIGNING], &sent, expect);
        assert!(expect.is_unauthentic());
    }
    for (name, expect) in [
        (SIGNATURE, Rejected::NoSignature),
        (SIGNED_ID, Rejected::UnreadableStamp),
        (SIGNED_AT, Rejected::UnreadableStamp),
    ] {
        let mut sent = signed();
        sent.remove(name);
        refused(&[SIGNING], &sent, expect);
    }
    let other_body = receive(&secrets(&[SIGNING]), &signed(), b"{}", after(0));
    assert_eq!(other_body, Err(Rejected::WrongSignature));
}

#[test]
fn one_right_signature_of_several_is_enough() {
    for several in [
        format!("{OTHER_TAG} {TAG}"),
        format!("{TAG} {OTHER_TAG}"),
        format!("v2,bmV3 {TAG}"),
        format!("v1a,bmV3 {OTHER_TAG} {OTHER_TAG} {OTHER_TAG} {TAG}"),
    ] {
        let mut sent = signed();
        set(&mut sent, "webhook-signature", &several);
        let received = receive(&secrets(&[SIGNING]), &sent, BODY, after(0));
        assert!(received.is_ok(), "{several}");
    }
}

#[test]
fn doubled_headers_show_nothing() {
    for name in [SIGNATURE, SIGNED_ID, SIGNED_AT, TOKEN] {
        let mut sent = signed();
        set(&mut sent, "x-gitlab-token", PLAIN);
        let again = sent.get(&name).unwrap().clone();
        sent.append(&name, again);
        refused(&[SIGNING, PLAIN], &sent, Rejected::Doubled);
        assert!(Rejected::Doubled.is_unauthentic());
    }
}

#[test]
fn a_plain_token_opens_the_door_only_whole() {
    let received = receive(&secrets(&[PLAIN]), &plain(PLAIN), BODY, after(0));
    assert_eq!(received.unwrap().event, "Push Hook");
    for wrong in [
        "",
        "it is a secre",
        "it is a secret ",
        "It is a secret",
        "x",
    ] {
        refused(&[PLAIN], &plain(wrong), Rejected::WrongToken);
    }
    let mut long = plain("x");
    set(&mut long, "x-gitlab-token", &"x".repeat(10_000));
    refused(&[PLAIN], &long, Rejected::WrongToken);
    let mut bytes = plain("x");
    bytes.insert(TOKEN, HeaderValue::from_bytes(b"\xff\xfe").unwrap());
    refused(&[PLAIN], &bytes, Rejected::WrongToken);
    let mut none = plain("x");
    none.remove(TOKEN);
    refused(&[PLAIN], &none, Rejected::NoToken);
    // A signing token is no plain one.
    refused(&[SIGNING], &plain(SIGNING), Rejected::NoSignature);
    refused(&[SIGNING, PLAIN], &plain(SIGNING), Rejected::WrongToken);
    for rejected in [
        Rejected::NoToken,
        Rejected::WrongToken,
        Rejected::NoSignature,
    ] {
        assert!(rejected.is_unauthentic());
    }
}

#[test]
fn a_wrong_signature_is_not_mended_by_a_right_token() {
    let mut sent = signed();
    set(&mut sent, "x-gitlab-token", PLAIN);
    set(&mut sent, "webhook-signature", OTHER_TAG);
    refused(&[SIGNING, PLAIN], &sent, Rejected::WrongSignature);
    set(&mut sent, "webhook-signature", "");
    refused(&[SIGNING, PLAIN], &sent, Rejected::UnreadableSignature);
    // A right signature needs no token.
    let mut sent = signed();
    set(&mut sent, "x-gitlab-token", "wrong");
    assert!(receive(&secrets(&[SIGNING, PLAIN]), &sent, BODY, after(0)).is_ok());
    // Without a signing token of ours we cannot say whether a signature is right.
    set(&mut sent, "x-gitlab-token", PLAIN);
    set(&mut sent, "webhook-signature", OTHER_TAG);
    assert!(receive(&secrets(&[PLAIN]), &sent, BODY, after(9_999)).is_ok());
    sent.remove(TOKEN);
    refused(&[PLAIN], &sent, Rejected::NoToken);
}

#[test]
fn either_of_two_secrets_will_do_and_an_empty_one_never_does() {
    let other = "whsec_//////////////////////////////////////////8=";
    for given in [[SIGNING, other], [other, SIGNING], [SIGNING, PLAIN]] {
        assert!(receive(&secrets(&given), &signed(), BODY, after(0)).is_ok());
    }
    refused(&[other], &signed(), Rejected::WrongSignature);
    for given in [["old", PLAIN], [PLAIN, ""], [SIGNING, PLAIN]] {
        assert!(receive(&secrets(&given), &plain(PLAIN), BODY, after(0)).is_ok());
    }
    refused(&["old", "new"], &plain(PLAIN), Rejected::WrongToken);
    let nothing = secrets(&["", ""]);
    assert!(nothing.is_empty() && !secrets(&[SIGNING]).is_empty());
    assert!(!secrets(&[PLAIN]).is_empty());
    refused(&["", ""], &plain(""), Rejected::WrongToken);
    refused(&[""], &signed(), Rejected::NoToken);
}

#[test]
fn a_signing_token_that_is_none_is_refused_and_never_shown() {
    for wrong in [
        "whsec_",
        "whsec_canary",
        "whsec_canaryAAAAAAAAAAAAAAAAAAAA==",
        &SIGNING[..49],
    ] {
        let error = WebhookSecrets::new([wrong.as_bytes().to_vec()]).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("canary"), "{shown}");
        assert!(shown.contains("32 bytes in base64"), "{shown}");
    }
    assert!(WebhookSecrets::new([b"whsec_\xff".to_vec()]).is_err());
    let both = secrets(&[SIGNING, PLAIN, "canary"]);
    assert_eq!(format!("{both:?}"), "WebhookSecrets(1 signing, 2 plain)");
}

#[test]
fn lanes_follow_projects_and_junk_is_kept_as_malformed() {
    for (body, lane, malformed) in [
        (
            &br#"{"project":{"id":9},"project_id":8}"#[..],
            "gitlab/repository/9",
            false,
        ),
        (br#"{"project_id":8}"#, "gitlab/repository/8", false),
        (
            br#"{"project":null,"project_id":8}"#,
            "gitlab/repository/8",
            false,
        ),
        (br#"{"group_id":4}"#, "gitlab", false),
        (b"{}", "gitlab", false),
        (b"not json", "gitlab", true),
        (b"[]", "gitlab", true),
        (br#"{"project":{"id":-1}}"#, "gitlab", true),
        (br#"{"project":{"id":"canary"}}"#, "gitlab", true),
        (br#"{"project_id":4611686018427387904}"#, "gitlab", true),
        (b"", "gitlab", true),
        (b"\xff\xfe", "gitlab", true),
    ] {
        let delivery = receive(&secrets(&[PLAIN]), &plain(PLAIN), body, after(0)).unwrap();
        assert_eq!(delivery.lane, lane);
        assert_eq!(delivery.malformed.is_some(), malformed, "{body:?}");
        let why = delivery.malformed.unwrap_or_default();
        assert!(!why.contains("canary"), "{why}");
    }
}

#[test]
fn the_same_id_with_another_body_or_event_is_another_delivery() {
    let key = |body: &[u8], change: &dyn Fn(&mut HeaderMap)| {
        let mut sent = plain(PLAIN);
        set(&mut sent, "x-gitlab-event-uuid", "7");
        change(&mut sent);
        let delivery = receive(&secrets(&[PLAIN]), &sent, body, after(0));
        delivery.unwrap().key
    };
    let same: &dyn Fn(&mut HeaderMap) = &|_| ();
    let other_event: &dyn Fn(&mut HeaderMap) = &|sent| set(sent, "x-gitlab-event", "Note Hook");
    let other_uuid: &dyn Fn(&mut HeaderMap) = &|sent| set(sent, "x-gitlab-event-uuid", "8");
    let other_id: &dyn Fn(&mut HeaderMap) = &|sent| set(sent, "idempotency-key", "8");
    assert_eq!(key(b"{}", same), key(b"{}", same));
    assert_eq!(key(b"{}", same), key(b"{}", other_uuid));
    assert_ne!(key(b"{}", same), key(b"{}", other_id));
    assert_ne!(key(b"{}", same), key(b"{}", other_event));
    assert_ne!(key(b"{}", same), key(b"{ }", same));
    // Older servers send no such key.
    let old = |body: &[u8], change: &dyn Fn(&mut HeaderMap)| {
        key(body, &|sent| {
            sent.remove(IDEMPOTENCY);
            change(sent);
        })
    };
    let no_uuid: &dyn Fn(&mut HeaderMap) = &|sent| drop(sent.remove(EVENT_ID));
    assert_eq!(old(b"{}", same), old(b"{}", same));
    assert_eq!(old(b"{}", no_uuid), old(b"{}", no_uuid));
    assert_ne!(old(b"{}", same), old(b"{}", other_uuid));
    assert_ne!(old(b"{}", same), old(b"{}", no_uuid));
    assert_ne!(old(b"{}", same), old(b"{}", other_event));
    assert_ne!(old(b"{}", same), old(b"{ }", same));
}

#[test]
fn what_was_signed_names_the_delivery_whatever_stands_beside_it() {
    let key = |id: Option<&str>| {
        let mut sent = signed();
        sent.remove(IDEMPOTENCY);
        if let Some(id) = id {
            set(&mut sent, "idempotency-key", id);
        }
        receive(&secrets(&[SIGNING]), &sent, BODY, after(0))
            .unwrap()
            .key
    };
    assert_eq!(key(Some(ID)), key(None));
    assert_eq!(key(Some(ID)), key(Some("another")));
}

#[test]
fn an_authentic_request_without_event_or_with_a_strange_id_is_told_so() {
    let check = |name: &HeaderName, values: &[&str], expect: Rejected| {
        let mut sent = plain(PLAIN);
        sent.remove(name);
        for value in values {
            sent.append(name, HeaderValue::from_str(value).unwrap());
        }
        refused(&[PLAIN], &sent, expect);
        assert!(!expect.is_unauthentic());
    };
    let long = "a".repeat(65);
    check(&EVENT, &[], Rejected::BadEvent);
    for wrong in ["", "Push/Hook", "Push\tHook", "Push Hook 2", &long] {
        check(&EVENT, &[wrong], Rejected::BadEvent);
    }
    check(&EVENT, &["Push Hook", "Push Hook"], Rejected::BadEvent);
    for name in [&IDEMPOTENCY, &EVENT_ID] {
        for wrong in ["", "a b", "a/b", "é", &long] {
            check(name, &[wrong], Rejected::BadKey);
        }
        check(name, &["a", "a"], Rejected::BadKey);
    }
}

#[test]
fn one_strange_value_in_any_place_never_panics() {
    let payload =
        json!({"object_kind": "push", "project": {"id": 9, "name": "x"}, "project_id": 9});
    strange::each(&payload, |body| {
        let delivery = receive(&secrets(&[PLAIN]), &plain(PLAIN), body, after(0)).unwrap();
        assert!(delivery.lane.starts_with("gitlab"), "{delivery:?}");
    });
}

proptest! {
    #[test]
    fn strange_headers_never_panic(
        given in prop::collection::vec(
            (
                prop::sample::select(vec![SIGNATURE, SIGNED_ID, SIGNED_AT, TOKEN, EVENT, EVENT_ID, IDEMPOTENCY]),
                "[ -~]{0,60}|v1,[A-Za-z0-9+/]{43}=|[0-9]{1,20}|\\PC{0,9}",
            ),
            0..9,
        ),
        second in any::<i32>(),
        body in any::<Vec<u8>>(),
    ) {
        let mut sent = signed();
        for (name, value) in given {
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                sent.insert(name, value);
            }
        }
        let now = Timestamp::from_second(second.into()).unwrap();
        for given in [&[SIGNING, PLAIN][..], &[SIGNING], &[PLAIN], &[]] {
            prop_assert!(receive(&secrets(given), &sent, &body, now).is_err());
        }
    }
}
