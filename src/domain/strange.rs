//! Odd values in any place of a payload, for the tests of every edge.

use serde_json::{Value, json};

/// What a field may become.
pub(crate) fn values() -> Vec<Value> {
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
        json!("9999-99-99T99:99:99Z"),
        json!("99999999999999999999999"),
        json!("18446744073709551615"),
        json!("é".repeat(40)),
        json!("x".repeat(5_000)),
        json!("cs/deploy/99999999999999999999"),
        json!("https://evil.example/../@x"),
        json!("/actions/runs//deployment_protection_rule"),
        json!("{\"channel\":7}"),
        json!("{\"countersign\":{\"correlation\":7}}"),
        json!("{\"countersign\":"),
        json!("/countersign /help\n\u{202e}"),
        json!([]),
        json!([null, [[]], {"id": -1}]),
        json!({}),
        json!({"id": "x"}),
    ]
}

/// How many values a payload holds, itself included.
pub(crate) fn size(value: &Value) -> usize {
    let below = match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(fields) => fields.values().map(size).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    };
    1 + below
}

/// Replaces the value at a place in reading order, or takes it away from its object.
pub(crate) fn change(value: &mut Value, place: &mut usize, by: Option<&Value>) -> bool {
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

/// Every payload with one odd value.
pub(crate) fn one(payload: &Value, mut look: impl FnMut(&[u8])) {
    for place in 0..size(payload) {
        for by in values().iter().map(Some).chain([None]) {
            let mut changed = payload.clone();
            change(&mut changed, &mut place.clone(), by);
            look(changed.to_string().as_bytes());
        }
    }
}

/// Every payload with one odd value, and every beginning of it.
pub(crate) fn each(payload: &Value, mut look: impl FnMut(&[u8])) {
    one(payload, &mut look);
    let whole = payload.to_string();
    for end in 0..whole.len() {
        look(&whole.as_bytes()[..end]);
    }
}
