//! Whatever arrives, interpreting it never panics: it has a meaning, or a sentence about what cannot be
//! read.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::interpret;
use super::planted::{EVENTS, payload};

/// What a field may become.
fn strange() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e300),
        json!(0.5),
        json!(""),
        json!("0".repeat(40)),
        json!("é".repeat(40)),
        json!("x".repeat(5000)),
        json!("{\"countersign\":{\"correlation\":7}}"),
        json!("{\"countersign\":"),
        json!("9999-99-99T99:99:99Z"),
        json!("/actions/runs//deployment_protection_rule"),
        json!([]),
        json!([null, [[]], {"id": -1}]),
        json!({}),
        json!({"id": "x"}),
    ]
}

/// How many values a payload holds, itself included.
fn size(value: &Value) -> usize {
    let below = match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(fields) => fields.values().map(size).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    };
    1 + below
}

/// Replaces the value at a place in reading order, or takes it away from its object.
fn change(value: &mut Value, place: &mut usize, by: Option<&Value>) -> bool {
    if *place == 0 {
        *value = by.cloned().unwrap_or(Value::Null);
        return true;
    }
    *place -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| change(item, place, by)),
        Value::Object(fields) => {
            let keys: Vec<String> = fields.keys().cloned().collect();
            keys.iter().any(|key| {
                if *place == 0 && by.is_none() {
                    return fields.remove(key).is_some();
                }
                change(&mut fields[key], place, by)
            })
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[test]
fn one_strange_value_in_any_place_never_panics() {
    for event in EVENTS {
        for place in 0..size(&payload(event)) {
            for by in strange().iter().map(Some).chain([None]) {
                let mut changed = payload(event);
                change(&mut changed, &mut place.clone(), by);
                let _ = interpret(event, changed.to_string().as_bytes());
            }
        }
    }
}

#[test]
fn a_truncated_body_is_refused_and_never_panics() {
    for event in EVENTS {
        let body = payload(event).to_string();
        assert!(interpret(event, body.as_bytes()).is_ok(), "{event}");
        for end in 0..body.len() {
            let why = interpret(event, &body.as_bytes()[..end]).unwrap_err();
            assert!(why.starts_with(event), "{why}");
        }
    }
}

proptest! {
    #[test]
    fn several_strange_values_never_panic(
        event in prop::sample::select(EVENTS),
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), prop::option::of(prop::sample::select(strange()))),
            1..8,
        ),
    ) {
        let mut changed = payload(event);
        for (place, by) in changes {
            let mut place = place.index(size(&changed));
            change(&mut changed, &mut place, by.as_ref());
        }
        let _ = interpret(event, changed.to_string().as_bytes());
    }

    #[test]
    fn strange_bytes_never_panic(
        event in prop::sample::select(EVENTS),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut body = payload(event).to_string().into_bytes();
        for (place, byte) in flips {
            let place = place.index(body.len());
            body[place] = byte;
        }
        let _ = interpret(event, &body);
    }

    #[test]
    fn no_event_whatever_its_name_panics(event in "\\PC{0,80}", body in any::<Vec<u8>>()) {
        let _ = interpret(&event, &body);
    }
}
