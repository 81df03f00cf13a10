//! Discord's errors: a code with a message, and for forms the complaints by field. The codes of forms
//! are the ones that Discord was seen to send; they are not in its description.

use serde_json::{Map, Value, json};

use crate::desk::Answer;

pub(super) fn error(status: u16, code: u32, message: &str) -> Answer {
    Answer::json(status, json!({ "message": message, "code": code }))
}

pub(super) fn no_such_route() -> Answer {
    error(404, 0, "404: Not Found")
}

pub(super) fn unauthorized() -> Answer {
    error(401, 0, "401: Unauthorized")
}

pub(super) fn missing_access() -> Answer {
    error(403, 50_001, "Missing Access")
}

pub(super) fn missing_permissions() -> Answer {
    error(403, 50_013, "Missing Permissions")
}

pub(super) fn unknown_channel() -> Answer {
    error(404, 10_003, "Unknown Channel")
}

pub(super) fn unknown_message() -> Answer {
    error(404, 10_008, "Unknown Message")
}

/// What an answer looks like that a test has planned.
pub(super) fn planned(status: u16, headers: Vec<(&'static str, String)>, message: &str) -> Answer {
    let wait = headers.iter().find(|(name, _)| *name == "retry-after");
    let wait = wait.and_then(|(_, seconds)| seconds.parse().ok());
    let mut answer = match status {
        401 => unauthorized(),
        429 => too_many(wait.unwrap_or(1.0), false),
        _ => error(status, 0, message),
    };
    if status == 429 {
        answer
            .headers
            .push(("x-ratelimit-scope", "user".to_owned()));
    }
    answer.headers.extend(headers);
    answer
}

pub(super) fn too_many(seconds: f64, is_global: bool) -> Answer {
    Answer::json(
        429,
        json!({
            "message": "You are being rate limited.",
            "retry_after": seconds,
            "global": is_global,
        }),
    )
}

/// What is wrong with a form, by field.
#[derive(Debug, Default)]
pub(super) struct Complaints(Vec<(String, &'static str, String)>);

impl Complaints {
    /// The place is a path with slashes, such as `embeds/0/title`.
    pub(super) fn add(&mut self, at: &str, code: &'static str, message: impl Into<String>) {
        self.0.push((at.to_owned(), code, message.into()));
    }

    pub(super) fn required(&mut self, at: &str) {
        self.add(at, "BASE_TYPE_REQUIRED", "This field is required");
    }

    pub(super) fn choices(&mut self, at: &str, choices: &str) {
        let text = format!("Value must be one of {{{choices}}}.");
        self.add(at, "BASE_TYPE_CHOICES", text);
    }

    /// A text with this many characters; nothing where it is missing.
    pub(super) fn text(&mut self, at: &str, value: &Value, (least, most): (usize, usize)) {
        let Some(text) = value.as_str() else {
            if !value.is_null() {
                let code = "STRING_TYPE_CONVERT";
                self.add(
                    at,
                    code,
                    format!("Could not interpret \"{value}\" as string."),
                );
            }
            return;
        };
        let length = text.chars().count();
        if (least..=most).contains(&length) {
            return;
        }
        if length == 0 {
            self.required(at);
        } else if least > 0 {
            let text = format!("Must be between {least} and {most} in length.");
            self.add(at, "BASE_TYPE_BAD_LENGTH", text);
        } else {
            let text = format!("Must be {most} or fewer in length.");
            self.add(at, "BASE_TYPE_MAX_LENGTH", text);
        }
    }

    /// The same for a text that must be there.
    pub(super) fn required_text(&mut self, at: &str, value: &Value, limits: (usize, usize)) {
        if value.is_null() {
            self.required(at);
        }
        self.text(at, value, limits);
    }

    /// The items of a list, if they are not too many.
    pub(super) fn list<'v>(&mut self, at: &str, value: &'v Value, most: usize) -> &'v [Value] {
        let Some(items) = value.as_array() else {
            if !value.is_null() {
                self.add(
                    at,
                    "LIST_TYPE_CONVERT",
                    "Only iterables may be used in a ListType",
                );
            }
            return &[];
        };
        if items.len() > most {
            let text = format!("Must be {most} or fewer in length.");
            self.add(at, "BASE_TYPE_MAX_LENGTH", text);
        }
        items
    }

    /// Nothing if there are none, else the refusal.
    pub(super) fn settle(self) -> Result<(), Answer> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut errors = Value::Object(Map::new());
        for (at, code, message) in self.0 {
            let mut place = &mut errors;
            for part in at.split('/').filter(|part| !part.is_empty()) {
                place = &mut place[part];
            }
            let complaint = json!({ "code": code, "message": message });
            match place["_errors"].as_array_mut() {
                Some(known) => known.push(complaint),
                None => place["_errors"] = json!([complaint]),
            }
        }
        let body = json!({ "message": "Invalid Form Body", "code": 50_035, "errors": errors });
        Err(Answer::json(400, body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::Said;

    #[test]
    fn complaints_stand_at_their_fields() {
        let mut complaints = Complaints::default();
        complaints.text("embeds/0/title", &"x".repeat(3).into(), (0, 2));
        complaints.required("name");
        complaints.text("content", &json!(7), (0, 2));
        let Said::Json(body) = complaints.settle().unwrap_err().said else {
            unreachable!("a refusal has a body");
        };
        assert_eq!(
            body["errors"]["embeds"]["0"]["title"]["_errors"][0]["message"],
            "Must be 2 or fewer in length."
        );
        assert_eq!(
            body["errors"]["name"]["_errors"][0]["code"],
            "BASE_TYPE_REQUIRED"
        );
        assert_eq!(
            body["errors"]["content"]["_errors"][0]["code"],
            "STRING_TYPE_CONVERT"
        );
        assert!(Complaints::default().settle().is_ok());
    }
}
