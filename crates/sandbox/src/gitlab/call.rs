//! One request as the world sees it, and its answer. Paths are split at their slashes, bodies are read;
//! sockets, trouble and limits are the door's business.

use serde_json::{Map, Value, json};

use super::hooks::Parcel;
use crate::escape::encoded;

#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: String,
    /// Below `/api/v4`, without the slashes, decoded.
    pub(super) path: Vec<String>,
    /// The same as it was asked for.
    pub(super) asked_path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Value,
    /// The person whose token it carries.
    pub(super) who: Option<u64>,
    /// The webhook that it pretends to be, if it does.
    pub(super) event: Option<String>,
    /// What that webhook belongs to.
    pub(super) chain: Option<String>,
    /// Where the sandbox was asked, for links to other pages.
    pub(super) address: String,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Nothing,
    Json(Value),
    Text(String),
}

#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content: Content,
    pub(super) headers: Vec<(&'static str, String)>,
    /// A webhook that must be answered before this can be.
    pub(super) errand: Option<Box<Parcel>>,
}

/// Both sides are answers; the wrong one leaves early.
pub(super) type Outcome = Result<Answer, Answer>;

impl Answer {
    pub(super) fn new(status: u16, content: Content) -> Self {
        Self {
            status,
            content,
            headers: Vec::new(),
            errand: None,
        }
    }

    pub(super) fn ok(body: Value) -> Outcome {
        Ok(Self::new(200, Content::Json(body)))
    }

    pub(super) fn created(body: Value) -> Outcome {
        Ok(Self::new(201, Content::Json(body)))
    }

    pub(super) fn nothing() -> Outcome {
        Ok(Self::new(204, Content::Nothing))
    }

    pub(super) fn message(status: u16, text: &str) -> Self {
        Self::new(status, Content::Json(json!({ "message": text })))
    }

    /// What Grape says about parameters.
    pub(super) fn error(status: u16, text: &str) -> Self {
        Self::new(status, Content::Json(json!({ "error": text })))
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::message(404, &format!("404 {what} Not Found"))
    }

    /// There is no such place.
    pub(super) fn nowhere() -> Self {
        Self::error(404, "404 Not Found")
    }

    pub(super) fn unauthorized() -> Self {
        Self::message(401, "401 Unauthorized")
    }

    pub(super) fn forbidden() -> Self {
        Self::message(403, "403 Forbidden")
    }

    pub(super) fn bad_request(why: &str) -> Self {
        Self::message(400, &format!("400 Bad request - {why}"))
    }

    pub(super) fn json(&self) -> Option<&Value> {
        match &self.content {
            Content::Json(body) => Some(body),
            Content::Nothing | Content::Text(_) => None,
        }
    }
}

impl Call {
    pub(super) fn asked(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Every value of a list, which has `[]` behind its name or not.
    pub(super) fn asked_all(&self, name: &str) -> Vec<&str> {
        let list = format!("{name}[]");
        let found = self
            .query
            .iter()
            .filter(|(key, _)| key == name || *key == list);
        found.map(|(_, value)| value.as_str()).collect()
    }

    /// A field of the body; the query may hold it as well.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        let said = self.body.get(field).and_then(Value::as_str);
        said.or_else(|| self.asked(field))
    }

    /// A text that must be there and not be empty.
    pub(super) fn required(&self, field: &str) -> Result<&str, Answer> {
        match self.text(field) {
            None => Err(Answer::error(400, &format!("{field} is missing"))),
            Some("") => Err(Answer::error(400, &format!("{field} is empty"))),
            Some(text) => Ok(text),
        }
    }

    /// A text that must be one of these.
    pub(super) fn one_of(&self, field: &str, allowed: &[&str]) -> Result<&str, Answer> {
        let text = self.required(field)?;
        if allowed.contains(&text) {
            return Ok(text);
        }
        Err(Answer::error(
            400,
            &format!("{field} does not have a valid value"),
        ))
    }

    /// Whether the field is there at all, and true.
    pub(super) fn flag(&self, field: &str) -> Option<bool> {
        let said = self.body.get(field).and_then(Value::as_bool);
        said.or_else(|| self.asked(field).map(|text| matches!(text, "true" | "1")))
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        let said = self.body.get(name).and_then(Value::as_u64);
        said.or_else(|| self.asked(name)?.parse().ok())
    }

    /// A list of `{key, value}`, as some calls take variables.
    pub(super) fn pairs(&self, field: &str) -> Result<Vec<(String, String)>, Answer> {
        let wrong = |what: &str| Answer::error(400, &format!("{field}{what}"));
        match self.body.get(field) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(list)) => list
                .iter()
                .map(|pair| {
                    let key = pair.get("key").and_then(Value::as_str);
                    let key = key.ok_or_else(|| wrong("[0][key] is missing"))?;
                    let value = pair.get("value").and_then(Value::as_str);
                    Ok((key.to_owned(), value.unwrap_or_default().to_owned()))
                })
                .collect(),
            Some(_) => Err(wrong(" is invalid")),
        }
    }

    /// A map, as other calls take them.
    pub(super) fn map(&self, field: &str) -> Result<Map<String, Value>, Answer> {
        match self.body.get(field) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(map)) => Ok(map.clone()),
            Some(_) => Err(Answer::error(400, &format!("{field} is invalid"))),
        }
    }

    /// One page of a list, with what leads to the others.
    pub(super) fn list<T>(&self, all: Vec<T>, show: impl Fn(T) -> Value) -> Outcome {
        let per_page = self.number("per_page").unwrap_or(20).clamp(1, 100) as usize;
        let page = self.number("page").unwrap_or(1).max(1) as usize;
        let total = all.len();
        let last = total.div_ceil(per_page).max(1);
        let shown = all.into_iter().skip(per_page * (page - 1)).take(per_page);
        let shown: Vec<Value> = shown.map(show).collect();
        let mut answer = Answer::new(200, Content::Json(shown.into()));
        let number = |number: Option<usize>| number.map_or(String::new(), |it| it.to_string());
        let previous = (page > 1).then(|| (page - 1).min(last));
        let next = (page < last).then_some(page + 1);
        let links = [
            ("prev", previous),
            ("next", next),
            ("first", Some(1)),
            ("last", Some(last)),
        ];
        let links: Vec<String> = links
            .iter()
            .filter_map(|(rel, page)| Some(self.link(rel, (*page)?, per_page)))
            .collect();
        answer.headers = vec![
            ("link", links.join(", ")),
            ("x-next-page", number(next)),
            ("x-prev-page", number(previous)),
            ("x-page", page.to_string()),
            ("x-per-page", per_page.to_string()),
            ("x-total", total.to_string()),
            ("x-total-pages", last.to_string()),
        ];
        Ok(answer)
    }

    /// This request for another page, as one entry of a Link header.
    fn link(&self, rel: &str, page: usize, per_page: usize) -> String {
        let kept = self
            .query
            .iter()
            .filter(|(key, _)| key != "page" && key != "per_page")
            .map(|(key, value)| format!("{}={}", encoded(key), encoded(value)));
        let added = [format!("page={page}"), format!("per_page={per_page}")];
        let query: Vec<String> = kept.chain(added).collect();
        format!("<{}?{}>; rel=\"{rel}\"", self.address, query.join("&"))
    }
}
