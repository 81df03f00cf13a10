//! JSON Schema, as much of it as GitHub's descriptions use, in the dialects of OpenAPI 3.0 and 3.1.

use serde_json::Value;

use super::document::Document;

/// What is wrong with a value, each complaint with its place.
pub(crate) fn complaints(document: &Document, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(document, schema, value, "", &mut found);
    found
}

fn check(document: &Document, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let schema = document.resolved(schema);
    if value.is_null() && schema["nullable"] == true {
        return;
    }
    for part in alternatives(schema, "allOf") {
        check(document, part, value, at, found);
    }
    for kind in ["anyOf", "oneOf"] {
        // GitHub's alternatives overlap, so more than one may fit.
        let parts = alternatives(schema, kind);
        let tried: Vec<Vec<String>> = parts
            .iter()
            .map(|part| {
                let mut found = Vec::new();
                check(document, part, value, at, &mut found);
                found
            })
            .collect();
        if !tried.is_empty() && tried.iter().all(|complaints| !complaints.is_empty()) {
            let nearest = tried.into_iter().min_by_key(Vec::len).unwrap_or_default();
            found.push(format!(
                "{at}: no alternative fits; the nearest: {nearest:?}"
            ));
        }
    }
    if !is_of_type(schema, value) {
        found.push(format!("{at}: {value} is not {}", schema["type"]));
        return;
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        found.push(format!("{at}: {value} is none of {}", schema["enum"]));
    }
    match value {
        Value::Object(fields) => {
            for name in schema["required"].as_array().into_iter().flatten() {
                if !fields.contains_key(name.as_str().unwrap()) {
                    found.push(format!("{at}: {name} is missing"));
                }
            }
            for (name, value) in fields {
                let at = format!("{at}/{name}");
                let known = schema["properties"].get(name);
                match (known, &schema["additionalProperties"]) {
                    (Some(known), _) => check(document, known, value, &at, found),
                    (None, Value::Bool(false)) => found.push(format!("{at}: unknown")),
                    (None, more @ Value::Object(_)) => check(document, more, value, &at, found),
                    (None, _) => {}
                }
            }
        }
        Value::Array(items) => {
            let limits = [("minItems", true), ("maxItems", false)];
            for (name, is_least) in limits {
                let limit = schema[name].as_u64().map(|limit| limit as usize);
                let holds = |limit| {
                    if is_least {
                        items.len() >= limit
                    } else {
                        items.len() <= limit
                    }
                };
                if !limit.is_none_or(holds) {
                    found.push(format!(
                        "{at}: {} items, {name} is {}",
                        items.len(),
                        schema[name]
                    ));
                }
            }
            if !schema["items"].is_null() {
                for (index, item) in items.iter().enumerate() {
                    check(
                        document,
                        &schema["items"],
                        item,
                        &format!("{at}/{index}"),
                        found,
                    );
                }
            }
        }
        Value::String(text) => {
            if !is_in_form(schema["format"].as_str().unwrap_or_default(), text) {
                found.push(format!("{at}: `{text}` is no {}", schema["format"]));
            }
            let length = text.chars().count() as u64;
            if schema["maxLength"]
                .as_u64()
                .is_some_and(|most| length > most)
            {
                found.push(format!("{at}: longer than {}", schema["maxLength"]));
            }
            if schema["minLength"]
                .as_u64()
                .is_some_and(|least| length < least)
            {
                found.push(format!("{at}: shorter than {}", schema["minLength"]));
            }
        }
        Value::Number(number) => {
            let number = number.as_f64();
            let beyond = |limit: &Value, is_beyond: fn(f64, f64) -> bool| {
                number
                    .zip(limit.as_f64())
                    .is_some_and(|(number, limit)| is_beyond(number, limit))
            };
            if beyond(&schema["minimum"], |number, limit| number < limit)
                || beyond(&schema["maximum"], |number, limit| number > limit)
            {
                found.push(format!("{at}: {value} is out of range"));
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn alternatives<'s>(schema: &'s Value, kind: &str) -> &'s [Value] {
    schema[kind].as_array().map_or(&[], Vec::as_slice)
}

fn is_of_type(schema: &Value, value: &Value) -> bool {
    let is = |kind: &Value| match kind.as_str().unwrap_or_default() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        unknown => panic!("`{unknown}` is no type"),
    };
    let kind = &schema["type"];
    match kind.as_array() {
        Some(kinds) => kinds.iter().any(is),
        None => kind.is_null() || is(kind),
    }
}

fn is_in_form(form: &str, text: &str) -> bool {
    match form {
        "date-time" => text.parse::<jiff::Timestamp>().is_ok(),
        // An address that is not there is an empty text in GitHub's answers.
        "uri" => {
            text.is_empty() || text.contains("://") && !text.contains(['{', '}', ' ', '[', ']'])
        }
        _ => true,
    }
}
