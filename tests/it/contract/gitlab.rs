//! Our calls to the sandbox GitLab and its words to us, held against GitLab's own description of its REST calls
//! and its own samples of webhooks, which lie beside the project.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::LazyLock;

use countersign_sandbox::gitlab::{Exchange, GitLab, Sent};
use serde_json::Value;

use super::literals;

/// What GitLab says about itself.
pub(crate) struct Description {
    rest: Value,
    /// By kind and place, the keys that webhooks have.
    keys: BTreeSet<String>,
}

/// Calls that the description leaves out, and which are told of elsewhere.
const UNDESCRIBED: [&str; 14] = [
    "/projects/{id}/events",
    "/user",
    "/personal_access_tokens/self",
    "/metadata",
    "/groups/{id}",
    "/groups/{id}/members",
    "/groups/{id}/members/all",
    "/groups/{id}/members/{user_id}",
    "/groups/{id}/members/all/{user_id}",
    "/projects/{id}/merge_requests/{iid}/notes",
    "/projects/{id}/merge_requests/{iid}/notes/{note_id}",
    "/projects/{id}/protected_environments",
    "/projects/{id}/protected_environments/{name}",
    "/projects/{id}/repository/merge_base",
];

/// Calls whose answers the description shows shorter than they are: it has the basic form of a played job,
/// and the number and text of a note.
const LONGER: [&str; 2] = ["/play", "/notes"];

/// Where the description forgets a field: it has one entry for two paths, of which one names the ref.
const FORGOTTEN: (&str, &str) = ("/trigger/pipeline", "ref");

/// Fields of settings and answers that are newer than the description.
const NEWER: [&str; 4] = [
    "inputs",
    "signing_token",
    "signing_token_present",
    "token_present",
];

/// Keys of webhooks that the samples lack and the documentation has.
const TOLD: [&str; 27] = [
    "push/ref_protected",
    "tag_push/ref_protected",
    "tag_push/user_email",
    "pipeline/object_attributes/name",
    "pipeline/object_attributes/protected_ref",
    "pipeline/object_attributes/url",
    "build/source_pipeline",
    "deployment/environment_tier",
    "merge_request/draft",
    "merge_request/oldrev",
    "note/object_attributes/discussion_id",
    "emoji/object_kind",
    "emoji/event_type",
    "emoji/user",
    "emoji/project_id",
    "emoji/project",
    "emoji/object_attributes",
    "emoji/object_attributes/user_id",
    "emoji/object_attributes/created_at",
    "emoji/object_attributes/id",
    "emoji/object_attributes/name",
    "emoji/object_attributes/awardable_type",
    "emoji/object_attributes/awardable_id",
    "emoji/object_attributes/updated_at",
    "emoji/object_attributes/action",
    "emoji/object_attributes/awarded_on_url",
    "emoji/merge_request",
];

static DESCRIPTION: LazyLock<Option<Description>> = LazyLock::new(|| {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let rest = std::fs::read(beside.join("specs/gitlab-rest.openapi.json")).ok()?;
    let mut keys: BTreeSet<String> = TOLD.iter().map(|told| (*told).to_owned()).collect();
    for entry in std::fs::read_dir(beside.join("payloads/gitlab")).ok()? {
        let text = std::fs::read(entry.ok()?.path()).ok()?;
        let sample: Value = serde_json::from_slice(&text).unwrap();
        keys.extend(places(&sample));
    }
    // The notes of emoji are those that webhooks of notes are about.
    let of_notes: Vec<String> = keys
        .iter()
        .filter_map(|key| {
            Some(format!(
                "emoji/note/{}",
                key.strip_prefix("note/object_attributes/")?
            ))
        })
        .collect();
    keys.extend(of_notes);
    keys.insert("emoji/note".to_owned());
    Some(Description {
        rest: serde_json::from_slice(&rest).unwrap(),
        keys,
    })
});

/// The description, or a plain word that nothing is held against it.
pub(crate) fn description() -> Option<&'static Description> {
    if DESCRIPTION.is_none() {
        // Straight to the terminal: what a passing test prints is not shown.
        let text = "SKIPPED: the contract with GitLab is not tested, because its description does not lie beside the project\n";
        let _shown = std::io::stderr().write_all(text.as_bytes());
    }
    DESCRIPTION.as_ref()
}

/// Fails where a call, an answer or a webhook is not as GitLab describes it.
pub(crate) fn check(gitlab: &GitLab) {
    let found = description().map_or_else(Vec::new, |known| known.complaints(gitlab));
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

/// Every key of a webhook with its place. What has one shape wherever it stands has one place.
fn places(body: &Value) -> BTreeSet<String> {
    let kind = body["object_kind"].as_str().unwrap_or_default().to_owned();
    let mut found = BTreeSet::new();
    gather(body, &kind, &kind, &mut found);
    found
}

fn gather(value: &Value, kind: &str, at: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let place = format!("{at}/{name}");
                let shared = match name.as_str() {
                    "project" | "source" | "target" => Some("project"),
                    "commits" | "last_commit" => Some("commit"),
                    "commit" if kind != "build" => Some("commit"),
                    "object_attributes" if kind == "merge_request" => Some("merge_request"),
                    name @ ("merge_request" | "repository" | "user" | "source_pipeline") => {
                        Some(name)
                    }
                    // What is said there depends on what changed.
                    "changes" => Some("changes"),
                    _ => None,
                };
                gather(value, kind, shared.unwrap_or(&place), found);
                found.insert(place);
            }
        }
        Value::Array(items) => {
            for item in items {
                gather(item, kind, at, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

impl Description {
    pub(crate) fn complaints(&self, gitlab: &GitLab) -> Vec<String> {
        let mut found = BTreeMap::new();
        for exchange in gitlab.exchanges() {
            let heading = format!(
                "{} {} -> {}",
                exchange.method, exchange.path, exchange.status
            );
            for what in self.of_exchange(&exchange) {
                found.insert(format!("{heading}: {what}"), ());
            }
        }
        for sent in gitlab.sent() {
            for what in self.of_webhook(&sent) {
                found.insert(format!("{}: {what}", sent.event), ());
            }
        }
        found.into_keys().collect()
    }

    fn of_webhook(&self, sent: &Sent) -> Vec<String> {
        let unknown = places(&sent.body)
            .into_iter()
            .filter(|place| !self.keys.contains(place) && !place.starts_with("changes/"));
        unknown
            .map(|place| format!("GitLab sends no {place}"))
            .collect()
    }

    fn operation(&self, exchange: &Exchange) -> Option<&Value> {
        let path = format!("/api/v4{}", exchange.path);
        let asked: Vec<&str> = path.split('/').collect();
        let method = exchange.method.to_ascii_lowercase();
        let paths = self.rest["paths"].as_object().unwrap().iter();
        paths
            .filter_map(|(template, described)| {
                let operation = described.get(&method)?;
                let template: Vec<&str> = template.split('/').collect();
                Some((literals(&template, &asked)?, operation))
            })
            .max_by_key(|(literals, _)| *literals)
            .map(|(_, operation)| operation)
    }

    fn of_exchange(&self, exchange: &Exchange) -> Vec<String> {
        let Some(operation) = self.operation(exchange) else {
            let asked: Vec<&str> = exchange.path.split('/').collect();
            let is_told = UNDESCRIBED.iter().any(|template| {
                let template: Vec<&str> = template.split('/').collect();
                literals(&template, &asked).is_some()
            });
            return match is_told {
                true => Vec::new(),
                false => vec!["GitLab knows no such call".to_owned()],
            };
        };
        let parameters = operation["parameters"].as_array();
        let parameters = || parameters.into_iter().flatten();
        let is_known = |name: &str| {
            let name = name.trim_end_matches("[]");
            let is_forgotten = exchange.path.ends_with(FORGOTTEN.0) && name == FORGOTTEN.1;
            is_forgotten
                || parameters().any(|known| known["in"] == "query" && known["name"] == name)
        };
        let mut found: Vec<String> = exchange
            .query
            .iter()
            .filter(|(name, _)| !is_known(name))
            .map(|(name, _)| format!("the parameter `{name}` is unknown"))
            .collect();
        let is_refusal = exchange.status >= 400;
        let body = parameters().find(|known| known["in"] == "body");
        match (&exchange.request_body, body) {
            // What is refused may be wrong; that is why it is refused.
            (Some(_), _) if is_refusal && !exchange.met_trouble => {}
            (Some(sent), Some(body)) => self.look(&body["schema"], sent, "request ", &mut found),
            (Some(_), None) => found.push("the call takes no body".to_owned()),
            (None, _) => {}
        }
        if exchange.path.ends_with(FORGOTTEN.0) {
            found.retain(|what| !what.contains(&format!("/{}:", FORGOTTEN.1)));
        }
        if !is_refusal && !exchange.met_trouble {
            // Which of the good statuses it is, the description gets wrong at times.
            let answers = operation["responses"].as_object().into_iter().flatten();
            let described = answers
                .filter(|(status, _)| status.starts_with('2'))
                .find_map(|(_, answer)| answer.get("schema"));
            if let (Some(schema), Some(answer)) = (described, &exchange.response_body) {
                let mut wrong = Vec::new();
                self.look(schema, answer, "answer ", &mut wrong);
                if LONGER.iter().any(|end| exchange.path.ends_with(end)) {
                    wrong.retain(|what| !what.ends_with("no such field"));
                }
                found.extend(wrong);
            }
        }
        found
    }

    fn resolved<'d>(&'d self, mut schema: &'d Value) -> &'d Value {
        while let Some(path) = schema.get("$ref").and_then(Value::as_str) {
            schema = self.rest.pointer(path.trim_start_matches('#')).unwrap();
        }
        schema
    }

    /// GitLab's description calls a text whatever it does not describe, and one thing what is a list; the names
    /// of fields it has right, and the types that it does give.
    fn look(&self, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
        let schema = self.resolved(schema);
        match value {
            Value::Null => {}
            Value::Array(items) => {
                let schema = schema.get("items").unwrap_or(schema);
                for item in items {
                    self.look(schema, item, &format!("{at}[]"), found);
                }
            }
            Value::Object(fields) => {
                let Some(known) = schema["properties"].as_object() else {
                    return;
                };
                for name in schema["required"].as_array().into_iter().flatten() {
                    if !fields.contains_key(name.as_str().unwrap()) {
                        found.push(format!("{at}: {name} is missing"));
                    }
                }
                for (name, value) in fields {
                    match known.get(name) {
                        Some(schema) => self.look(schema, value, &format!("{at}/{name}"), found),
                        None if NEWER.contains(&name.as_str()) => {}
                        None => found.push(format!("{at}/{name}: GitLab knows no such field")),
                    }
                }
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                if !fits(schema, value) {
                    found.push(format!("{at}: {value} is not {schema}"));
                }
            }
        }
    }
}

fn fits(schema: &Value, value: &Value) -> bool {
    let is_one = schema["enum"]
        .as_array()
        .is_none_or(|allowed| allowed.contains(value));
    is_one
        && match (schema["type"].as_str(), schema["format"].as_str()) {
            (Some("integer"), _) => value.is_i64() || value.is_u64(),
            (Some("number"), _) => value.is_number(),
            (Some("boolean"), _) => value.is_boolean(),
            (Some("string"), Some("date-time")) => value
                .as_str()
                .is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok()),
            (Some("array"), _) => false,
            _ => true,
        }
}
