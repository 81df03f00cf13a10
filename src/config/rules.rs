//! Rules, read from the JSON Schema of `bot.toml`: which alternatives a value has, which words are allowed, where a key
//! belongs, what would be an example. They know nothing of a file.

use serde_json::{Map, Value};

use super::report::Problem;

/// The keywords of one schema.
pub(super) type Rules = Map<String, Value>;

/// A whole schema, in which references are looked up.
#[derive(Clone, Copy)]
pub(super) struct Rulebook<'s>(pub(super) &'s Value);

impl<'s> Rulebook<'s> {
    /// The alternatives of a schema, with references followed.
    pub(super) fn branches(&self, rules: &'s Value) -> Vec<&'s Rules> {
        let Some(own) = rules.as_object() else {
            return Vec::new();
        };
        let inner = ["anyOf", "oneOf"]
            .into_iter()
            .find_map(|word| own.get(word).and_then(Value::as_array));
        if let Some(inner) = inner {
            return inner
                .iter()
                .flat_map(|inner| self.branches(inner))
                .collect();
        }
        let target = own
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| self.0.pointer(reference.strip_prefix('#')?));
        match target {
            Some(target) => self.branches(target),
            None => vec![own],
        }
    }

    /// The section that knows a key, as its header is written.
    pub(super) fn home_of(&self, key: &str) -> Option<String> {
        let root = self.0.get("properties")?.as_object()?;
        root.iter()
            .find_map(|(name, rules)| self.home_within(key, name, rules))
    }

    fn home_within(&self, key: &str, path: &str, rules: &'s Value) -> Option<String> {
        self.branches(rules).into_iter().find_map(|rules| {
            if let Some(items) = rules.get("items") {
                return self.home_within(key, path, items).map(|home| {
                    if home == format!("[{path}]") {
                        format!("[{home}]")
                    } else {
                        home
                    }
                });
            }
            if let Some(others) = rules
                .get("additionalProperties")
                .filter(|other| other.is_object())
            {
                return self.home_within(key, &format!("{path}.NAME"), others);
            }
            let known = rules.get("properties")?.as_object()?;
            if known.contains_key(key) {
                return Some(format!("[{path}]"));
            }
            known
                .iter()
                .find_map(|(name, rules)| self.home_within(key, &format!("{path}.{name}"), rules))
        })
    }
}

impl Problem {
    /// The way out that a schema knows: a note of ours, or an example.
    pub(super) fn help_from(self, rules: &Rules, key: &str) -> Self {
        if self.help.is_some() {
            return self;
        }
        if let Some(note) = rules.get("x-missing").and_then(Value::as_str) {
            return self.help(note);
        }
        let example = rules.get("examples").and_then(|examples| examples.get(0));
        match example {
            Some(example) => self.help(format!("for example: {key} = {}", as_toml(example))),
            None if rules.contains_key("x-secret") => {
                self.help(format!("for example: {key} = {{ env = \"NAME\" }}"))
            }
            None => self,
        }
    }
}

fn as_toml(example: &Value) -> String {
    match example {
        Value::Object(table) => {
            let pairs: Vec<String> = table
                .iter()
                .map(|(key, value)| format!("{key} = {}", as_toml(value)))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Value::Array(list) => {
            let items: Vec<String> = list.iter().map(as_toml).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => example.to_string(),
    }
}

/// The words that a schema allows, where it allows only some.
pub(super) fn words(rules: &Rules) -> Vec<&str> {
    let several = rules.get("enum").and_then(Value::as_array);
    let one = rules.get("const").into_iter();
    several
        .into_iter()
        .flatten()
        .chain(one)
        .filter_map(Value::as_str)
        .collect()
}

pub(super) fn quoted(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

pub(super) fn allows(rules: &Rules, found: &str) -> bool {
    rules.get("type").and_then(Value::as_str) == Some(found)
}

pub(super) fn wanted(rules: &Rules) -> &'static str {
    match rules.get("type").and_then(Value::as_str) {
        Some("string") => "text in quotes",
        Some("integer") => "a whole number",
        Some("boolean") => "true or false",
        Some("array") => "a list",
        _ => "a table",
    }
}
