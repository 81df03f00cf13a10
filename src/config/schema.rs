//! The JSON Schema of `bot.toml`, made from the structs that read it. Editors complete and
//! check with it; `shape` checks a file with it before anything else does.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::raw;

/// The JSON Schema (draft 2020-12) of `bot.toml`.
pub fn schema() -> Value {
    let mut schema = with_notes();
    drop_notes(&mut schema);
    schema
}

/// The same with the notes of ours, whose keys begin with `x-`.
pub(super) fn with_notes() -> Value {
    let generator = SchemaSettings::draft2020_12()
        .for_deserialize()
        .into_generator();
    let mut schema = generator.into_root_schema_for::<raw::File>().to_value();
    drop_null(&mut schema);
    schema
}

/// TOML has no null: a key that may be absent is simply not required.
fn drop_null(schema: &mut Value) {
    each(schema, &mut |table| {
        if let Some(Value::Array(types)) = table.get_mut("type") {
            types.retain(|one| one != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                table.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(branches)) = table.get_mut("anyOf") {
            branches.retain(|branch| branch.get("type") != Some(&Value::from("null")));
            if let [Value::Object(only)] = branches.as_slice() {
                let only = only.clone();
                table.remove("anyOf");
                for (key, value) in only {
                    table.entry(key).or_insert(value);
                }
            }
        }
    });
}

fn drop_notes(schema: &mut Value) {
    each(schema, &mut |table| {
        table.retain(|key, _| !key.starts_with("x-"));
    });
}

fn each(value: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    if let Value::Object(table) = value {
        change(table);
        table.values_mut().for_each(|inner| each(inner, change));
    } else if let Value::Array(list) = value {
        list.iter_mut().for_each(|inner| each(inner, change));
    }
}
