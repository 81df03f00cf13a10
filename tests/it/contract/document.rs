//! Documents: published descriptions of an API. A large one is cut once into its parts, which lie beside it, so that
//! a test reads the few that it needs.

use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::schema::Judge;

/// What is cut apart entry by entry. The rest is prose for people.
const SECTIONS: [&str; 7] = [
    "/paths",
    "/webhooks",
    "/components/schemas",
    "/components/parameters",
    "/components/responses",
    "/components/requestBodies",
    "/components/headers",
];
/// Prose and samples, which nothing is held against.
const PROSE: [&str; 5] = [
    "description",
    "summary",
    "example",
    "examples",
    "externalDocs",
];

pub(crate) struct Document {
    text: Text,
    pub(super) judge: Judge,
}

enum Text {
    Whole(Value),
    Cut(Parts),
}

/// The parts of a document, by section and name.
struct Parts {
    index: BTreeMap<String, BTreeMap<String, (usize, usize)>>,
    bytes: Vec<u8>,
    /// What was read; a test's process is short.
    read: Mutex<HashMap<(String, String), &'static Value>>,
}

impl Document {
    /// The document in this file, cut where that was not done yet; nothing without the file.
    pub(crate) fn cut(file: &Path, judge: Judge) -> Option<&'static Self> {
        let parts = file.with_extension("parts");
        if !parts.exists() {
            let text = std::fs::read(file).ok()?;
            write(&serde_json::from_slice(&text).unwrap(), &parts);
        }
        let bytes = std::fs::read(parts).unwrap();
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        let index = serde_json::from_slice(&bytes[..end]).unwrap();
        let text = Text::Cut(Parts {
            index,
            bytes: bytes[end + 1..].to_vec(),
            read: Mutex::default(),
        });
        Some(Self::kept(text, judge))
    }

    /// A document that is small enough to be read whole.
    pub(crate) fn whole(value: Value, judge: Judge) -> &'static Self {
        Self::kept(Text::Whole(value), judge)
    }

    /// What is made ready by the judge looks things up in the document for as long as the process lives.
    fn kept(text: Text, judge: Judge) -> &'static Self {
        Box::leak(Box::new(Self { text, judge }))
    }

    /// What stands at a place like `#/components/schemas/commit`.
    pub(crate) fn at(&self, place: &str) -> &Value {
        let place = place.trim_start_matches('#');
        let found = match &self.text {
            Text::Whole(value) => value.pointer(place),
            Text::Cut(parts) => parts.at(place),
        };
        found.unwrap_or_else(|| panic!("{place} leads nowhere"))
    }

    /// Follows references.
    pub(crate) fn resolved<'d>(&'d self, mut value: &'d Value) -> &'d Value {
        while let Some(place) = value.get("$ref").and_then(Value::as_str) {
            value = self.at(place);
        }
        value
    }

    /// The names in a section.
    pub(crate) fn names(&self, section: &str) -> Vec<&str> {
        match &self.text {
            Text::Whole(value) => {
                let entries = value.pointer(section).and_then(Value::as_object);
                entries
                    .into_iter()
                    .flatten()
                    .map(|(name, _)| name.as_str())
                    .collect()
            }
            Text::Cut(parts) => {
                let entries = parts.index.get(section).into_iter().flatten();
                entries.map(|(name, _)| name.as_str()).collect()
            }
        }
    }

    pub(crate) fn entry(&self, section: &str, name: &str) -> Option<&Value> {
        match &self.text {
            Text::Whole(value) => value.pointer(section)?.get(name),
            Text::Cut(parts) => parts.entry(section, name),
        }
    }
}

impl Parts {
    fn at(&self, place: &str) -> Option<&Value> {
        let section = SECTIONS.iter().find(|section| {
            let rest = place.strip_prefix(**section);
            rest.is_some_and(|rest| rest.starts_with('/'))
        })?;
        let rest = &place[section.len() + 1..];
        let (name, within) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        self.entry(section, name)?.pointer(within)
    }

    fn entry(&self, section: &str, name: &str) -> Option<&'static Value> {
        let (start, end) = *self.index.get(section)?.get(name)?;
        let key = (section.to_owned(), name.to_owned());
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        Some(*read.entry(key).or_insert_with(|| {
            let value: Value = serde_json::from_slice(&self.bytes[start..end]).unwrap();
            Box::leak(Box::new(value))
        }))
    }
}

/// The index on the first line, then the parts. Whoever comes first wins, and another process writes the same.
fn write(document: &Value, file: &Path) {
    let mut index: BTreeMap<&str, BTreeMap<&str, (usize, usize)>> = BTreeMap::new();
    let mut bytes = Vec::new();
    for section in SECTIONS {
        let entries = document.pointer(section).and_then(Value::as_object);
        for (name, value) in entries.into_iter().flatten() {
            let start = bytes.len();
            serde_json::to_writer(&mut bytes, &without_prose(value, false)).unwrap();
            let place = (start, bytes.len());
            index.entry(section).or_default().insert(name, place);
        }
    }
    let folder = file.parent().unwrap();
    let mut made = tempfile::NamedTempFile::new_in(folder).unwrap();
    serde_json::to_writer(&mut made, &index).unwrap();
    made.write_all(b"\n").unwrap();
    made.write_all(&bytes).unwrap();
    made.persist(file).unwrap();
}

/// A field of the described things may itself be called `description`: names of properties stay.
fn without_prose(value: &Value, are_names: bool) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields
                .iter()
                .filter(|(name, _)| are_names || !PROSE.contains(&name.as_str()));
            kept.map(|(name, value)| {
                let value = match name.as_str() {
                    "enum" | "required" if !are_names => value.clone(),
                    _ => without_prose(value, !are_names && name == "properties"),
                };
                (name.clone(), value)
            })
            .collect::<serde_json::Map<_, _>>()
            .into()
        }
        Value::Array(items) => items
            .iter()
            .map(|item| without_prose(item, false))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
