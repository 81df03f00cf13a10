//! One request as the world sees it, and its answer. Paths are split at their slashes, bodies are JSON;
//! sockets, trouble and limits are the door's business.

use serde_json::{Value, json};

use super::app::Issued;
use crate::escape::encoded;

/// Who asks.
#[derive(Clone, Debug)]
pub(super) enum Identity {
    Person(u64),
    App,
    Installation(Issued),
}

#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: String,
    /// Without the slashes, decoded.
    pub(super) path: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Value,
    pub(super) identity: Identity,
    /// Where the sandbox listens, and the path as it was asked for.
    pub(super) address: String,
}

#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Option<Value>,
    pub(super) headers: Vec<(&'static str, String)>,
}

/// Both sides are answers; the wrong one leaves early.
pub(super) type Outcome = Result<Answer, Answer>;

impl Answer {
    pub(super) fn new(status: u16, body: Value) -> Self {
        Self {
            status,
            body: Some(body),
            headers: Vec::new(),
        }
    }

    pub(super) fn ok(body: Value) -> Outcome {
        Ok(Self::new(200, body))
    }

    pub(super) fn created(body: Value) -> Outcome {
        Ok(Self::new(201, body))
    }

    pub(super) fn nothing() -> Outcome {
        Ok(Self {
            status: 204,
            body: None,
            headers: Vec::new(),
        })
    }

    pub(super) fn message(status: u16, text: &str) -> Self {
        Self::new(
            status,
            json!({
                "message": text,
                "documentation_url": "https://docs.github.com/rest",
                "status": status.to_string(),
            }),
        )
    }

    pub(super) fn not_found() -> Self {
        Self::message(404, "Not Found")
    }

    pub(super) fn invalid(text: &str) -> Self {
        Self::message(422, text)
    }

    pub(super) fn inaccessible() -> Self {
        Self::message(403, "Resource not accessible by integration")
    }
}

impl Call {
    pub(super) fn asked(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.body.get(field).and_then(Value::as_str)
    }

    /// A text that must be there and not be empty.
    pub(super) fn required(&self, field: &str) -> Result<&str, Answer> {
        self.text(field)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| {
                Answer::invalid(&format!("Invalid request.\n\n\"{field}\" wasn't supplied."))
            })
    }

    /// Whether the field is there at all, and true.
    pub(super) fn flag(&self, field: &str) -> Option<bool> {
        self.body.get(field).and_then(Value::as_bool)
    }

    pub(super) fn number(&self, name: &str) -> Option<usize> {
        self.asked(name)?.parse().ok()
    }

    /// One page of what there is, and the Link header to the others.
    pub(super) fn page<T>(&self, all: Vec<T>, default: usize) -> (Vec<T>, Option<String>) {
        let per_page = match self.number("per_page") {
            Some(given) => given.clamp(1, 100),
            None => default,
        };
        let page = self.number("page").unwrap_or(1).max(1);
        let last = all.len().div_ceil(per_page).max(1);
        let shown = all
            .into_iter()
            .skip(per_page * (page - 1))
            .take(per_page)
            .collect();
        let mut links = Vec::new();
        if page > 1 {
            links.push(self.link("prev", &[("page", (page - 1).min(last).to_string())]));
        }
        if page < last {
            links.push(self.link("next", &[("page", (page + 1).to_string())]));
            links.push(self.link("last", &[("page", last.to_string())]));
        }
        if page > 1 {
            links.push(self.link("first", &[("page", "1".to_owned())]));
        }
        let link = (!links.is_empty()).then(|| links.join(", "));
        (shown, link)
    }

    /// This request with other parameters, as one entry of a Link header.
    pub(super) fn link(&self, rel: &str, other: &[(&str, String)]) -> String {
        let kept = self
            .query
            .iter()
            .filter(|(key, _)| other.iter().all(|(name, _)| name != key))
            .map(|(key, value)| format!("{key}={}", encoded(value)));
        let added = other
            .iter()
            .map(|(key, value)| format!("{key}={}", encoded(value)));
        let query: Vec<String> = kept.chain(added).collect();
        format!("<{}?{}>; rel=\"{rel}\"", self.address, query.join("&"))
    }

    /// A bare list, paged.
    pub(super) fn list<T>(&self, all: Vec<T>, show: impl Fn(T) -> Value) -> Outcome {
        let (shown, link) = self.page(all, 30);
        let mut answer = Answer::new(200, shown.into_iter().map(show).collect());
        answer.headers.extend(link.map(|link| ("link", link)));
        Ok(answer)
    }

    /// A list with its count under a name, paged.
    pub(super) fn counted<T>(&self, name: &str, all: Vec<T>, show: impl Fn(T) -> Value) -> Outcome {
        let count = all.len();
        let (shown, link) = self.page(all, 30);
        let shown: Vec<Value> = shown.into_iter().map(show).collect();
        let mut answer = Answer::new(200, json!({ "total_count": count, name: shown }));
        answer.headers.extend(link.map(|link| ("link", link)));
        Ok(answer)
    }
}
