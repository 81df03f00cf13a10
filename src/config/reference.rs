//! The reference: every key of `bot.toml` on a page for people, made from the same schema that checks a file.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::schema::schema;

/// The tables in the order in which people write them.
const ORDER: [&str; 9] = [
    "server", "database", "ledger", "github", "gitlab", "discord", "slack", "roles", "service",
];

/// What a definition is called where a key may be one.
const NAMED: [(&str, &str); 4] = [
    ("Secret", "[a secret](#secrets)"),
    ("Gate", "[a gate](#gates)"),
    ("Subscription", "[a channel](#channels)"),
    ("Trigger", "[a trigger](#triggers)"),
];

/// The page, in Markdown.
pub fn reference() -> String {
    let schema = schema();
    let page = Page {
        defs: &schema["$defs"],
    };
    let mut text = String::from(
        "# Every key of bot.toml\n\n\
         This page is made from the schema that checks the file: `countersign config reference` prints it, and\n\
         `countersign config schema` prints the schema itself, for editors. `countersign check` explains a file.\n\n\
         Durations are written like `30s`, `10m`, `4h`, `2d` or `1h 30m`, sizes like `512KiB` or `25MiB`. A key in\n\
         **bold** must be there. Tables can be left out unless their description says otherwise.\n",
    );
    for name in ORDER {
        let table = &schema["properties"][name];
        match (table.get("items"), table.get("additionalProperties")) {
            (Some(items), _) => page.table(&mut text, &format!("[[{name}]]"), items),
            (None, Some(each)) if each.is_object() => {
                page.table(&mut text, &format!("[{name}.NAME]"), each);
            }
            _ => page.table(&mut text, &format!("[{name}]"), table),
        }
    }
    for (definition, title, lead) in [
        (
            "Secret",
            "Secrets",
            "A secret never stands in the file; one of these says where it is.",
        ),
        (
            "Gate",
            "Gates",
            "A gate is a text such as `check:build`, or a table with one kind and what goes with it.",
        ),
        (
            "Subscription",
            "Channels",
            "A channel is a text such as `slack:C0123456789`, or a table.",
        ),
        ("Trigger", "Triggers", "A trigger is a table in one line."),
    ] {
        let _ = write!(text, "\n## {title}\n\n{lead}\n\n");
        page.keys(&mut text, &page.defs[definition]);
    }
    text
}

struct Page<'s> {
    defs: &'s Value,
}

impl Page<'_> {
    /// One table with its keys, and then the tables in it.
    fn table(&self, text: &mut String, path: &str, table: &Value) {
        let table = self.meant(table);
        let _ = write!(text, "\n## `{path}`\n\n{}\n\n", flat(&table["description"]));
        self.keys(text, table);
        let inner = path.trim_matches(['[', ']']);
        for (name, key) in properties(table) {
            if let Some(items) = key.get("items").filter(|items| self.is_table(items)) {
                self.table(text, &format!("[[{inner}.{name}]]"), items);
            }
        }
    }

    fn keys(&self, text: &mut String, table: &Value) {
        let required = table["required"].as_array();
        let is_required =
            |name: &str| required.is_some_and(|required| required.iter().any(|one| one == name));
        text.push_str("| key | what it is | kind | for example |\n|---|---|---|---|\n");
        let mut keys: Vec<(&String, &Value)> = properties(table)
            .filter(|(_, key)| !key.get("items").is_some_and(|items| self.is_table(items)))
            .collect();
        keys.sort_by_key(|(name, _)| !is_required(name));
        for (name, key) in keys {
            let shown = if is_required(name) {
                format!("**`{name}`**")
            } else {
                format!("`{name}`")
            };
            let example = key["examples"]
                .get(0)
                .map_or_else(String::new, |example| format!("`{}`", toml_of(example)));
            let about = flat(&key["description"]).replace('|', "\\|");
            let _ = writeln!(
                text,
                "| {shown} | {about} | {} | {example} |",
                self.kind(key)
            );
        }
    }

    /// What can stand there, in a few words.
    fn kind(&self, key: &Value) -> String {
        if let Some(name) = named(key) {
            return name.to_owned();
        }
        let meant = self.meant(key);
        let choices: Vec<String> = ["enum", "oneOf"]
            .iter()
            .filter_map(|word| meant[*word].as_array())
            .flatten()
            .filter_map(|one| one.as_str().or_else(|| one["const"].as_str()))
            .map(|one| format!("`{one}`"))
            .collect();
        if !choices.is_empty() {
            return choices.join(", ");
        }
        if let Some(ways) = key["anyOf"].as_array() {
            let ways: Vec<String> = ways.iter().map(|way| self.kind(way)).collect();
            return ways.join(" or ");
        }
        match meant["type"].as_str() {
            Some("string") => "text".to_owned(),
            Some("integer") => "number".to_owned(),
            Some("boolean") => "`true` or `false`".to_owned(),
            Some("array") => format!("list: {}", self.kind(&meant["items"])),
            Some("object") if meant["additionalProperties"].is_object() => {
                format!("table: {}", self.kind(&meant["additionalProperties"]))
            }
            // A secret's keys stand in the place itself where it has a description of its own.
            Some("object") if meant["properties"]["credential"].is_object() => {
                NAMED[0].1.to_owned()
            }
            Some(_) | None => "table".to_owned(),
        }
    }

    /// Whether it gets a heading of its own.
    fn is_table(&self, key: &Value) -> bool {
        named(key).is_none() && self.meant(key)["properties"].is_object()
    }

    fn meant<'v>(&'v self, value: &'v Value) -> &'v Value {
        match definition(value) {
            Some(name) => &self.defs[name],
            None => value,
        }
    }
}

fn properties(table: &Value) -> impl Iterator<Item = (&String, &Value)> {
    table["properties"]
        .as_object()
        .into_iter()
        .flat_map(Map::iter)
}

fn definition(value: &Value) -> Option<&str> {
    value["$ref"].as_str()?.strip_prefix("#/$defs/")
}

fn named(value: &Value) -> Option<&'static str> {
    let name = definition(value)?;
    let found = NAMED.iter().find(|(known, _)| *known == name);
    found.map(|(_, shown)| *shown)
}

fn flat(description: &Value) -> String {
    description.as_str().unwrap_or_default().replace('\n', " ")
}

/// An example as it is written in the file.
fn toml_of(value: &Value) -> String {
    match value {
        Value::Array(list) => {
            let list: Vec<String> = list.iter().map(toml_of).collect();
            format!("[{}]", list.join(", "))
        }
        Value::Object(table) => {
            let pairs: Vec<String> = table
                .iter()
                .map(|(name, value)| format!("{name} = {}", toml_of(value)))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}
