//! Schemas out of a published description, made ready for the `jsonschema` crate, which judges whether a body keeps
//! to one. Where a description and the service behind it contradict each other is told here, and nowhere else.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::error::{ValidationError, ValidationErrorKind};
use jsonschema::{Draft, Keyword, Validator};
use serde_json::{Map, Value, json};

use super::document::Document;

/// How literally a description can be taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// As it is written.
    Literal,
    /// GitHub's alternatives overlap, so more than one of `oneOf` may fit; and an address that is not there is an
    /// empty text.
    GitHub,
}

/// The judge of one document's schemas. A test's process judges many bodies by the same few schemas, and these lead
/// to the same parts, so each is made ready once, when the first value comes to it.
pub(crate) struct Judge {
    reading: Reading,
    ready: Mutex<HashMap<Value, Arc<Validator>>>,
}

/// The keyword that stands in place of `$ref`: the value must keep to a part of the document.
const PART: &str = "x-part";

/// A part that a schema leads to, which is not read before a value comes to it.
struct Part {
    document: &'static Document,
    reference: Value,
}

impl Part {
    fn validator(&self) -> Arc<Validator> {
        self.document
            .judge
            .validator(self.document, &self.reference)
    }
}

impl<'i> Keyword<'i> for Part {
    fn validate(&self, value: &'i Value) -> Result<(), ValidationError<'i>> {
        let found = complaints(self.document, &self.reference, value);
        match found.is_empty() {
            true => Ok(()),
            // An error of ours carries one text: a line for each complaint.
            false => Err(ValidationError::custom(found.join("\n"))),
        }
    }

    fn is_valid(&self, value: &'i Value) -> bool {
        self.validator().is_valid(value)
    }
}

impl Judge {
    pub(crate) fn of(reading: Reading) -> Self {
        Self {
            reading,
            ready: Mutex::default(),
        }
    }

    fn validator(&self, document: &'static Document, schema: &Value) -> Arc<Validator> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = ready.get(schema) {
            return Arc::clone(known);
        }
        let made = Arc::new(self.made(document, document.resolved(schema)));
        ready.insert(schema.clone(), Arc::clone(&made));
        made
    }

    fn made(&self, document: &'static Document, schema: &Value) -> Validator {
        let mut options = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .with_keyword(PART, move |_, place, _| {
                let reference = json!({ "$ref": place });
                Ok(Box::new(Part {
                    document,
                    reference,
                }))
            });
        if self.reading == Reading::GitHub {
            options = options.with_format("uri", is_address_or_absent);
        }
        options
            .build(&self.plain(schema))
            .unwrap_or_else(|error| panic!("{schema} is no schema: {error}"))
    }

    /// A schema of OpenAPI in the words of JSON Schema. Of what OpenAPI 3.0 words otherwise, GitHub uses `nullable`
    /// alone. Other keywords that hold schemas are left as they are: a reference below them would not be found, and
    /// the judge would refuse the schema.
    fn plain(&self, schema: &Value) -> Value {
        let Some(said) = schema.as_object() else {
            return schema.clone();
        };
        let mut plain = Map::new();
        for (keyword, value) in said {
            let (keyword, value) = match (keyword.as_str(), value) {
                ("$ref", place) => (PART, place.clone()),
                ("properties", Value::Object(fields)) => {
                    let fields = fields.iter();
                    let fields = fields.map(|(name, field)| (name.clone(), self.plain(field)));
                    (keyword.as_str(), Value::Object(fields.collect()))
                }
                ("items" | "additionalProperties" | "not", inner) => {
                    (keyword.as_str(), self.plain(inner))
                }
                ("allOf" | "anyOf" | "oneOf", Value::Array(parts)) => {
                    let parts = parts.iter().map(|part| self.plain(part)).collect();
                    let overlap = keyword == "oneOf" && self.reading == Reading::GitHub;
                    (if overlap { "anyOf" } else { keyword }, parts)
                }
                (keyword, value) => (keyword, value.clone()),
            };
            let twice = plain.insert(keyword.to_owned(), value);
            assert!(twice.is_none(), "{keyword} twice in {schema}");
        }
        match plain.remove("nullable") {
            Some(Value::Bool(true)) => or_null(plain),
            _ => Value::Object(plain),
        }
    }
}

/// What OpenAPI 3.0 calls nullable.
fn or_null(mut schema: Map<String, Value>) -> Value {
    let is_composed = [PART, "allOf", "anyOf", "oneOf", "not"]
        .iter()
        .any(|keyword| schema.contains_key(*keyword));
    if is_composed {
        return json!({ "anyOf": [schema, { "type": "null" }] });
    }
    if let Some(kind) = schema.get_mut("type") {
        *kind = json!([kind.take(), "null"]);
    }
    if let Some(Value::Array(allowed)) = schema.get_mut("enum") {
        allowed.push(Value::Null);
    }
    Value::Object(schema)
}

fn is_address_or_absent(text: &str) -> bool {
    static ADDRESS: LazyLock<Validator> = LazyLock::new(|| {
        let options = jsonschema::options().should_validate_formats(true);
        options.build(&json!({ "format": "uri" })).unwrap()
    });
    text.is_empty() || ADDRESS.is_valid(&json!(text))
}

/// What is wrong with a value, each complaint with its place.
pub(crate) fn complaints(
    document: &'static Document,
    schema: &Value,
    value: &Value,
) -> Vec<String> {
    let validator = document.judge.validator(document, schema);
    let errors = validator.iter_errors(value);
    errors.flat_map(|error| told(&error)).collect()
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the crate's own words do for every other kind, and for those to come"
)]
fn told(error: &ValidationError) -> Vec<String> {
    let at = error.instance_path().as_str();
    match error.kind() {
        ValidationErrorKind::Custom { keyword, message } if keyword == PART => {
            let complaints = message.lines();
            complaints.map(|what| format!("{at}{what}")).collect()
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let names = unexpected.iter();
            names.map(|name| format!("{at}/{name}: unknown")).collect()
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            let nearest = nearest(at, context);
            vec![format!(
                "{at}: no alternative fits; the nearest: {nearest:?}"
            )]
        }
        _ => vec![format!("{at}: {error}")],
    }
}

/// What is wrong by the alternative that was most likely meant: one of the value's type, if there is one.
fn nearest(at: &str, alternatives: &[Vec<ValidationError>]) -> Vec<String> {
    let tried = alternatives.iter();
    let tried = tried.map(|errors| errors.iter().flat_map(told).collect::<Vec<String>>());
    let here = format!("{at}: ");
    let is_of_another_type =
        |what: &String| what.starts_with(&here) && what.contains(" is not of type");
    tried
        .min_by_key(|found| (found.iter().any(is_of_another_type), found.len()))
        .unwrap_or_default()
}

/// A document with two parts, of which each leads to the other, and a schema that leads to both.
fn planted(reading: Reading) -> (&'static Document, Value) {
    let parts = json!({ "components": { "schemas": {
        "team": {
            "type": "object",
            "required": ["lead"],
            "properties": { "lead": { "$ref": "#/components/schemas/person" } },
            "nullable": true,
        },
        "person": {
            "type": "object",
            "required": ["login"],
            "properties": {
                "login": { "type": "string", "maxLength": 3 },
                "nullable": { "type": "boolean" },
                "teams": { "type": "array", "items": { "$ref": "#/components/schemas/team" } },
            },
            "additionalProperties": false,
        },
    } } });
    let schema = json!({
        "type": "object",
        "properties": {
            "id": { "type": "integer", "minimum": 1, "maximum": 9, "multipleOf": 2 },
            "login": { "type": "string", "minLength": 2, "maxLength": 3, "pattern": "^[a-z]*$" },
            "at": { "type": "string", "format": "date-time", "nullable": true },
            "state": { "type": "string", "enum": ["open", "closed"], "nullable": true },
            "url": { "type": "string", "format": "uri" },
            "urls": { "type": "string", "format": "uri-template" },
            "email": { "type": "string", "format": "email" },
            "day": { "type": "string", "format": "date" },
            "version": { "const": 1 },
            "free": { "not": { "type": "object" } },
            "list": { "type": "array", "items": { "type": "boolean" }, "minItems": 1, "maxItems": 2 },
            "set": { "type": "array", "uniqueItems": true },
            "one": { "oneOf": [{ "type": "string", "maxLength": 1 }, { "type": "string", "minLength": 1 }] },
            "any": { "anyOf": [{ "type": "string", "enum": ["a"] }, { "type": "null" }] },
            "all": { "allOf": [{ "type": "string" }, { "type": "string", "minLength": 1 }] },
            "perhaps": { "nullable": true, "allOf": [{ "$ref": "#/components/schemas/person" }] },
            "more": { "type": "object", "additionalProperties": { "type": "string" }, "maxProperties": 1 },
            "team": { "$ref": "#/components/schemas/team" },
            "teams": { "type": "array", "items": { "$ref": "#/components/schemas/team" } },
            "person": { "$ref": "#/components/schemas/person" },
        },
    });
    (Document::whole(parts, Judge::of(reading)), schema)
}

fn complaints_of(reading: Reading, value: &Value) -> String {
    let (document, schema) = planted(reading);
    complaints(document, &schema, value).join("; ")
}

#[test]
fn what_is_as_described_is_taken() {
    for value in [
        json!({ "id": 4, "login": "ann", "at": "2020-01-01T00:00:00Z", "state": "open" }),
        json!({ "at": null, "state": null, "team": null, "perhaps": null, "any": null }),
        json!({ "url": "https://example.com/a?b=c", "urls": "https://example.com/a{/b}" }),
        json!({ "email": "ann@example.com", "day": "2020-01-01", "version": 1, "free": [] }),
        json!({ "list": [true], "set": [1, 2], "one": "", "any": "a", "all": "a" }),
        json!({ "more": { "a": "b" }, "unsaid": 1, "perhaps": { "login": "bo" } }),
        json!({ "team": { "lead": { "login": "bo", "nullable": true, "teams": [null] } } }),
    ] {
        for reading in [Reading::Literal, Reading::GitHub] {
            assert_eq!(complaints_of(reading, &value), "", "{value}");
        }
    }
}

#[test]
fn planted_faults_are_found() {
    for (value, expect) in [
        (Value::Null, ": null is not of type \"object\""),
        (
            json!({ "id": "1" }),
            "/id: \"1\" is not of type \"integer\"",
        ),
        (
            json!({ "id": null }),
            "/id: null is not of type \"integer\"",
        ),
        (json!({ "id": 0 }), "/id: 0 is less than the minimum of 1"),
        (
            json!({ "id": 10 }),
            "/id: 10 is greater than the maximum of 9",
        ),
        (json!({ "id": 3 }), "/id: 3 is not a multiple of 2"),
        (
            json!({ "login": "a" }),
            "/login: \"a\" is shorter than 2 characters",
        ),
        (
            json!({ "login": "anna" }),
            "/login: \"anna\" is longer than 3 characters",
        ),
        (
            json!({ "login": "Ann" }),
            "/login: \"Ann\" does not match \"^[a-z]*$\"",
        ),
        (
            json!({ "at": "yesterday" }),
            "/at: \"yesterday\" is not a \"date-time\"",
        ),
        (
            json!({ "at": 1 }),
            "/at: 1 is not of types \"null\", \"string\"",
        ),
        (
            json!({ "state": "ajar" }),
            "/state: \"ajar\" is not one of \"open\", \"closed\" or null",
        ),
        (json!({ "url": "/a" }), "/url: \"/a\" is not a \"uri\""),
        (
            json!({ "url": "https://example.com/{a}" }),
            "is not a \"uri\"",
        ),
        (
            json!({ "urls": "https://example.com/{a" }),
            "is not a \"uri-template\"",
        ),
        (
            json!({ "email": "ann" }),
            "/email: \"ann\" is not a \"email\"",
        ),
        (
            json!({ "day": "2020-02-30" }),
            "/day: \"2020-02-30\" is not a \"date\"",
        ),
        (json!({ "version": 2 }), "/version: 1 was expected"),
        (json!({ "free": {} }), "/free: "),
        (
            json!({ "list": [1] }),
            "/list/0: 1 is not of type \"boolean\"",
        ),
        (json!({ "list": [] }), "/list: [] has less than 1 item"),
        (
            json!({ "list": [true, true, true] }),
            "/list: [true,true,true] has more than 2 items",
        ),
        (
            json!({ "set": [1, 1] }),
            "/set: [1,1] has non-unique elements",
        ),
        (json!({ "one": 1 }), "/one: no alternative fits"),
        (
            json!({ "any": "b" }),
            "/any: no alternative fits; the nearest: [\"/any: \\\"b\\\" is not one of",
        ),
        (
            json!({ "all": "" }),
            "/all: \"\" is shorter than 1 character",
        ),
        (
            json!({ "perhaps": {} }),
            "/perhaps: no alternative fits; the nearest: [\"/perhaps: \\\"login\\\" is a required",
        ),
        (
            json!({ "more": { "a": 1 } }),
            "/more/a: 1 is not of type \"string\"",
        ),
        (json!({ "more": { "a": "", "b": "" } }), "/more: "),
        (
            json!({ "team": {} }),
            "/team: \"lead\" is a required property",
        ),
        (
            json!({ "person": null }),
            "/person: null is not of type \"object\"",
        ),
        (
            json!({ "person": { "login": "bo", "nmae": 1 } }),
            "/person/nmae: unknown",
        ),
        (
            json!({ "team": { "lead": { "login": "anna" } } }),
            "/team/lead/login: \"anna\" is longer",
        ),
        (
            json!({ "teams": [{ "lead": {} }] }),
            "/teams/0/lead: \"login\" is a required property",
        ),
    ] {
        for reading in [Reading::Literal, Reading::GitHub] {
            let found = complaints_of(reading, &value);
            assert!(found.contains(expect), "{value}: {found}");
            assert!(!found.contains("; /"), "{value}: {found}");
        }
    }
}

#[test]
fn every_fault_is_told_and_not_the_first_alone() {
    let value = json!({ "id": "1", "person": { "a": 1, "b": 2 } });
    let (document, schema) = planted(Reading::Literal);
    let mut found = complaints(document, &schema, &value);
    found.sort();
    assert_eq!(
        found,
        [
            "/id: \"1\" is not of type \"integer\"",
            "/person/a: unknown",
            "/person/b: unknown",
            "/person: \"login\" is a required property",
        ]
    );
}

#[test]
fn only_githubs_alternatives_overlap_and_only_its_addresses_are_absent() {
    for value in [json!({ "one": "a" }), json!({ "url": "" })] {
        assert_eq!(complaints_of(Reading::GitHub, &value), "");
        assert_ne!(complaints_of(Reading::Literal, &value), "");
    }
}

#[test]
#[should_panic(expected = "is no schema")]
fn what_is_no_schema_is_said() {
    let document = Document::whole(Value::Null, Judge::of(Reading::Literal));
    complaints(document, &json!({ "type": "text" }), &Value::Null);
}
