//! The door, where calls come in: the token, the scopes, the limits, arguments as JSON or as a form.

use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::error;
use super::world::World;
use super::{APP_TOKEN, BOT_TOKEN, Shared};
use crate::desk::{self, Answer, Asked, Outcome, Said};
use crate::escape::pairs;
use crate::lock;

/// Arguments that are JSON inside of a form.
const NESTED: [&str; 4] = ["attachments", "blocks", "metadata", "view"];

pub(super) async fn enter(State(shared): State<Shared>, request: Request) -> Response {
    let Some(asked) = Asked::read(request).await else {
        return desk::response(Answer::text(413, "Payload Too Large"));
    };
    let act = || lock(&shared.world).serve(&asked);
    desk::meet(&shared.desk, &asked, error::planned, act).await
}

impl World {
    fn serve(&mut self, asked: &Asked) -> Answer {
        let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
        let served = match path.as_slice() {
            ["api", method] => self.call(method, asked),
            ["commands" | "actions", ..] => self.use_response_url(asked),
            _ => Err(Answer::text(404, "Not Found")),
        };
        match served {
            Ok(answer) | Err(answer) => answer,
        }
    }

    fn call(&mut self, method: &str, asked: &Asked) -> Outcome {
        let Some((needed, takes_json)) = needs(method) else {
            let mut answer = error::error("unknown_method");
            if let Said::Json(body) = &mut answer.said {
                body["req_method"] = method.into();
            }
            return Err(answer);
        };
        let (arguments, warning) = arguments(asked, takes_json)?;
        let bearer = asked.header("authorization").strip_prefix("Bearer ");
        let in_form = asked.content_type() != "application/json";
        let in_body = arguments["token"].as_str().filter(|_| in_form);
        let token = bearer
            .or(in_body)
            .ok_or_else(|| error::error("not_authed"))?;
        self.let_in(method, token, needed)?;
        let channel = arguments["channel"].as_str().unwrap_or_default();
        let channel = self.channel_id(channel, true).unwrap_or_default();
        let now = self.now();
        self.limits.admit(now, method, &channel)?;
        let mut answer = self.answer(method, &arguments)?;
        let scopes: Vec<&str> = self.scopes.iter().map(String::as_str).collect();
        answer.headers.push(("x-oauth-scopes", scopes.join(",")));
        if let (Some(warning), Said::Json(body)) = (warning, &mut answer.said) {
            body["warning"] = warning.into();
            body["response_metadata"]["warnings"] = json!([warning]);
        }
        Ok(answer)
    }

    fn let_in(&self, method: &str, token: &str, needed: &str) -> Result<(), Answer> {
        let is_of_app = method == "apps.connections.open";
        if self.is_revoked && [BOT_TOKEN, APP_TOKEN].contains(&token) {
            return Err(error::error("token_revoked"));
        }
        match (token, is_of_app) {
            (APP_TOKEN, true) => return Ok(()),
            (BOT_TOKEN, false) => {}
            (APP_TOKEN | BOT_TOKEN, _) => return Err(error::error("not_allowed_token_type")),
            _ => return Err(error::error("invalid_auth")),
        }
        if needed.is_empty() || self.scopes.contains(needed) {
            return Ok(());
        }
        let provided: Vec<&str> = self.scopes.iter().map(String::as_str).collect();
        Err(Answer::json(
            200,
            json!({
                "ok": false, "error": "missing_scope", "needed": needed,
                "provided": provided.join(","),
            }),
        ))
    }
}

/// The scope that a method needs, and whether it takes its arguments as JSON.
fn needs(method: &str) -> Option<(&'static str, bool)> {
    Some(match method {
        "auth.test" | "views.open" | "views.update" => ("", true),
        "apps.connections.open" => ("connections:write", true),
        "chat.postMessage" | "chat.postEphemeral" | "chat.update" | "chat.delete" => {
            ("chat:write", true)
        }
        "reactions.add" => ("reactions:write", true),
        "users.info" => ("users:read", false),
        "usergroups.users.list" => ("usergroups:read", false),
        _ => return None,
    })
}

/// The arguments, and what Slack finds odd about how they came.
fn arguments(asked: &Asked, takes_json: bool) -> Result<(Value, Option<&'static str>), Answer> {
    let mut fields = asked.query.clone();
    let charset = asked.header("content-type").split_once("charset=");
    match asked.content_type() {
        _ if asked.bytes.is_empty() => {}
        "application/json" => {
            let warning = charset.is_none().then_some("missing_charset");
            // Methods that only read do not look into JSON.
            if takes_json {
                let body: Value = serde_json::from_slice(&asked.bytes)
                    .map_err(|_| error::error("invalid_json"))?;
                if !body.is_object() {
                    return Err(error::error("json_not_object"));
                }
                return Ok((body, warning));
            }
            return Ok((read(fields)?, warning));
        }
        "application/x-www-form-urlencoded" => {
            fields.extend(pairs(&String::from_utf8_lossy(&asked.bytes)));
            let warning = charset.is_some().then_some("superfluous_charset");
            return Ok((read(fields)?, warning));
        }
        "" => return Err(error::error("missing_post_type")),
        _ => return Err(error::error("invalid_post_type")),
    }
    Ok((read(fields)?, None))
}

fn read(fields: Vec<(String, String)>) -> Result<Value, Answer> {
    let mut read = Map::new();
    for (name, value) in fields {
        let value = if NESTED.contains(&name.as_str()) {
            let word = if name == "blocks" {
                "invalid_blocks_format"
            } else {
                "invalid_arguments"
            };
            serde_json::from_str(&value).map_err(|_| error::error(word))?
        } else {
            match value.as_str() {
                "true" => true.into(),
                "false" => false.into(),
                _ => value.into(),
            }
        };
        read.insert(name, value);
    }
    Ok(Value::Object(read))
}
