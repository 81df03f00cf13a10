//! The contract: what we say to the sandbox and what it says to us, held against GitHub's own descriptions:
//! every call with its answer, every webhook. `script/fixtures` brings the descriptions.

pub(crate) mod discord;
mod document;
pub(crate) mod gitlab;
mod schema;
mod whole_world;

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::LazyLock;

use countersign_sandbox::github::{Exchange, GitHub, Sent};
use serde_json::{Map, Value};

use document::Document;
use schema::{Judge, Reading};

/// What GitHub says about itself.
pub(crate) struct Descriptions {
    rest: &'static Document,
    webhooks: &'static Document,
}

static DESCRIPTIONS: LazyLock<Option<Descriptions>> = LazyLock::new(|| {
    let document = |name| Document::cut(&file(name), Judge::of(Reading::GitHub));
    Some(Descriptions {
        rest: document("rest-23.0.2.json")?,
        webhooks: document("webhooks-12.1.0.json")?,
    })
});

fn file(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".cache/github");
    folder.join(name)
}

/// The examples of webhooks that GitHub published.
pub(crate) fn examples() -> Option<Vec<Value>> {
    descriptions()?;
    let text = std::fs::read(file("examples-7.6.1.json")).ok()?;
    Some(serde_json::from_slice(&text).unwrap())
}

/// The descriptions, or a plain word that nothing is held against them.
pub(crate) fn descriptions() -> Option<&'static Descriptions> {
    if DESCRIPTIONS.is_none() {
        // Straight to the terminal: what a passing test prints is not shown.
        let text = "SKIPPED: the contract with GitHub is not tested, because .cache/github is not there; script/test fetches it\n";
        let _shown = std::io::stderr().write_all(text.as_bytes());
    }
    DESCRIPTIONS.as_ref()
}

/// Fails where a call, an answer or a webhook is not as GitHub describes it.
pub(crate) fn check(github: &GitHub) {
    let complaints = descriptions().map_or_else(Vec::new, |known| known.complaints(github));
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

impl Descriptions {
    fn complaints(&self, github: &GitHub) -> Vec<String> {
        let mut complaints: Vec<String> = Vec::new();
        for exchange in github.exchanges() {
            let heading = format!(
                "{} {} -> {}",
                exchange.method, exchange.path, exchange.status
            );
            let found = self.of_exchange(&exchange);
            complaints.extend(found.into_iter().map(|what| format!("{heading}: {what}")));
        }
        for sent in github.sent() {
            let heading = format!(
                "webhook {} {}",
                sent.event,
                sent.action.as_deref().unwrap_or("")
            );
            let found = self.of_webhook(&sent);
            complaints.extend(found.into_iter().map(|what| format!("{heading}: {what}")));
        }
        complaints.sort();
        complaints.dedup();
        complaints
    }

    fn of_exchange(&self, exchange: &Exchange) -> Vec<String> {
        let Some((operation, shared)) = self.operation(&exchange.method, &exchange.path) else {
            return vec!["GitHub knows no such call".to_owned()];
        };
        let mut found = self.of_query(operation, shared, &exchange.query);
        let is_refusal = exchange.status >= 400;
        let body = &operation["requestBody"];
        let schema = &self.resolved(body)["content"]["application/json"]["schema"];
        match &exchange.request_body {
            // What is refused may be wrong; that is why it is refused.
            Some(_) if is_refusal && !exchange.met_trouble => {}
            // An empty object says as little as no body.
            Some(sent) if body.is_null() && sent.as_object().is_some_and(Map::is_empty) => {}
            Some(_) if body.is_null() => found.push("the call takes no body".to_owned()),
            Some(sent) => {
                let wrong = schema::complaints(self.rest, schema, sent);
                found.extend(wrong.into_iter().map(|what| format!("request {what}")));
                found.extend(self.unknown_fields(schema, sent));
            }
            None if self.resolved(body)["required"] == true && !is_refusal => {
                found.push("the call needs a body".to_owned());
            }
            None => {}
        }
        if !exchange.met_trouble {
            found.extend(self.of_answer(operation, exchange));
        }
        found
    }

    fn of_answer(&self, operation: &Value, exchange: &Exchange) -> Vec<String> {
        let status = exchange.status.to_string();
        let described = operation["responses"].get(&status);
        if described.is_none() && exchange.status >= 300 {
            // Redirects, 304 and many refusals are described in prose only.
            return Vec::new();
        }
        let Some(described) = described else {
            return vec!["no such status is described".to_owned()];
        };
        let schema = &self.resolved(described)["content"]["application/json"]["schema"];
        match &exchange.response_body {
            Some(_) if schema.is_null() && exchange.status >= 400 => Vec::new(),
            Some(_) if schema.is_null() => vec!["the answer has no body".to_owned()],
            Some(body) => schema::complaints(self.rest, schema, body),
            None if schema.is_null() || exchange.status == 304 => Vec::new(),
            None => vec!["the answer has a body".to_owned()],
        }
    }

    fn of_query(
        &self,
        operation: &Value,
        shared: &Value,
        query: &[(String, String)],
    ) -> Vec<String> {
        let known: Vec<&str> = [&operation["parameters"], shared]
            .into_iter()
            .filter_map(Value::as_array)
            .flatten()
            .map(|parameter| self.resolved(parameter))
            .filter(|parameter| parameter["in"] == "query")
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        let unknown = query
            .iter()
            .filter(|(name, _)| !known.contains(&name.as_str()));
        unknown
            .map(|(name, _)| format!("the parameter `{name}` is unknown"))
            .collect()
    }

    /// A field that GitHub does not know is most likely a misspelt one.
    fn unknown_fields(&self, schema: &Value, sent: &Value) -> Vec<String> {
        let schema = self.resolved(schema);
        let Some(known) = schema["properties"].as_object() else {
            return Vec::new();
        };
        let fields = sent.as_object().into_iter().flatten();
        fields
            .filter(|(name, _)| !known.contains_key(*name))
            .map(|(name, _)| format!("request /{name}: GitHub knows no such field"))
            .collect()
    }

    fn resolved<'d>(&'d self, value: &'d Value) -> &'d Value {
        self.rest.resolved(value)
    }

    /// The operation whose path says most literally what was asked for, and what its path shares.
    fn operation(&self, method: &str, path: &str) -> Option<(&Value, &Value)> {
        let asked: Vec<&str> = path.split('/').collect();
        let method = method.to_ascii_lowercase();
        let templates = self.rest.names("/paths").into_iter();
        templates
            .filter_map(|path| {
                let template: Vec<&str> = path.split('/').collect();
                Some((literals(&template, &asked)?, path))
            })
            .filter_map(|(literals, path)| {
                let described = self.rest.entry("/paths", path)?;
                described.get(&method)?;
                Some((literals, described))
            })
            .max_by_key(|(literals, _)| *literals)
            .map(|(_, described)| (&described[&method], &described["parameters"]))
    }

    fn of_webhook(&self, sent: &Sent) -> Vec<String> {
        let Some(schema) = self.webhook_schema(&sent.event, sent.action.as_deref()) else {
            return vec!["GitHub sends no such event".to_owned()];
        };
        schema::complaints(self.webhooks, schema, &sent.body)
    }

    fn webhook_schema(&self, event: &str, action: Option<&str>) -> Option<&Value> {
        let name = match (event, action) {
            // The action is whatever the caller chose; one is described as a sample.
            ("repository_dispatch", _) => "repository-dispatch-sample.collected".to_owned(),
            (event, None) => event.replace('_', "-"),
            (event, Some(action)) => format!("{event}-{action}").replace('_', "-"),
        };
        let body = &self.webhooks.entry("/webhooks", &name)?["post"]["requestBody"];
        Some(&body["content"]["application/json"]["schema"])
    }
}

/// How many parts of a template are said literally, if it fits; a ref may have slashes.
fn literals(template: &[&str], asked: &[&str]) -> Option<usize> {
    let (Some(first), Some(part)) = (template.first(), asked.first()) else {
        return (template.is_empty() && asked.is_empty()).then_some(0);
    };
    if !first.starts_with('{') {
        return (first == part)
            .then(|| literals(&template[1..], &asked[1..]))
            .flatten()
            .map(|rest| rest + 1);
    }
    let longest = match *first {
        "{ref}" | "{basehead}" | "{branch}" => asked.len(),
        _ => 1,
    };
    (1..=longest)
        .filter_map(|length| literals(&template[1..], &asked[length..]))
        .max()
}
