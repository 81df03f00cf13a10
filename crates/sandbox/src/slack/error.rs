//! Slack's errors: status 200 with a word, and complaints that name a place.

use serde_json::{Value, json};

use crate::desk::{Answer, Outcome};

pub(super) fn error(word: &str) -> Answer {
    Answer::json(200, json!({ "ok": false, "error": word }))
}

pub(super) fn fail(word: &str) -> Outcome {
    Err(error(word))
}

/// An error with what is wrong in it, each line with its place.
pub(super) fn explained(word: &str, complaints: &[String]) -> Answer {
    let messages: Vec<String> = complaints
        .iter()
        .map(|text| format!("[ERROR] {text}"))
        .collect();
    Answer::json(
        200,
        json!({
            "ok": false, "error": word, "errors": complaints,
            "response_metadata": { "messages": messages },
        }),
    )
}

pub(super) fn missing(field: &str) -> Answer {
    explained(
        "invalid_arguments",
        &[format!("missing required field: {field}")],
    )
}

pub(super) fn ratelimited(seconds: i64) -> Answer {
    let mut answer = Answer::json(429, json!({ "ok": false, "error": "ratelimited" }));
    answer.headers.push(("retry-after", seconds.to_string()));
    answer
}

/// What an answer looks like that a test has planned; 401 is told as Slack tells it, with status 200.
pub(super) fn planned(status: u16, headers: Vec<(&'static str, String)>, message: &str) -> Answer {
    let body = |word: &str| json!({ "ok": false, "error": word });
    let mut answer = match status {
        401 => error("invalid_auth"),
        429 => Answer::json(429, body("ratelimited")),
        _ => Answer::text(status, message),
    };
    answer.headers.extend(headers);
    answer
}

/// What is wrong with blocks or a view.
#[derive(Debug, Default)]
pub(super) struct Complaints(pub(super) Vec<String>);

impl Complaints {
    /// The place is a JSON pointer.
    pub(super) fn add(&mut self, at: &str, what: impl AsRef<str>) {
        self.0
            .push(format!("{} [json-pointer:{at}]", what.as_ref()));
    }

    /// A text with this many characters; nothing where it is missing.
    pub(super) fn text(&mut self, at: &str, value: &Value, (least, most): (usize, usize)) {
        let Some(text) = value.as_str() else {
            if !value.is_null() {
                self.add(at, "must be a string");
            }
            return;
        };
        let length = text.chars().count();
        if length < least {
            self.add(
                at,
                format!("must be more than {} characters", least.saturating_sub(1)),
            );
        }
        if length > most {
            self.add(at, format!("must be less than {} characters", most + 1));
        }
    }

    pub(super) fn required(&mut self, at: &str, field: &str) {
        self.add(at, format!("missing required field: {field}"));
    }

    /// The items of a list, if they are neither too few nor too many.
    pub(super) fn list<'v>(
        &mut self,
        at: &str,
        value: &'v Value,
        (least, most): (usize, usize),
    ) -> &'v [Value] {
        let Some(items) = value.as_array() else {
            if !value.is_null() || least > 0 {
                self.add(at, "must be an array");
            }
            return &[];
        };
        if items.len() > most {
            self.add(at, format!("no more than {most} items allowed"));
        }
        if items.len() < least {
            self.add(at, format!("no less than {least} items allowed"));
        }
        items
    }
}
