//! Apps that are made from a manifest: the page that takes it, whose reader always confirms, and the handover of
//! the app's key for a code that is good once.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::app::{APP_CLIENT_ID, APP_ID};
use super::door::Exchange;
use super::hooks::Listener;
use super::people::merge;
use super::world::World;
use super::{Shared, lock};
use crate::escape::{encoded, pairs};
use countersign_ground::digest;

/// No manifest is longer.
const LONGEST: usize = 1 << 20;
const STATE: &str = "state";

/// An app that an operator wished for, before it is taken over.
#[derive(Clone, Debug)]
pub(super) struct Wished {
    code: String,
    manifest: Value,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    state: String,
}

/// `POST /settings/apps/new`, and the same of an organization: a form in a browser.
pub(super) async fn wish(
    State(shared): State<Shared>,
    Query(asked): Query<Asked>,
    request: Request,
) -> Response {
    let Ok(body) = axum::body::to_bytes(request.into_body(), LONGEST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let fields = pairs(&String::from_utf8_lossy(&body));
    let manifest = fields.iter().find(|(name, _)| name == "manifest");
    let manifest = manifest.and_then(|(_, text)| serde_json::from_str::<Value>(text).ok());
    let Some(manifest) = manifest.filter(is_whole) else {
        return (StatusCode::UNPROCESSABLE_ENTITY, "Invalid manifest").into_response();
    };
    let code = {
        let mut world = lock(&shared.world);
        let number = world.next_id();
        let code = digest::sha256_hex(format!("code {number}").as_bytes())[..40].to_owned();
        world.wished = Some(Wished {
            code: code.clone(),
            manifest: manifest.clone(),
        });
        code
    };
    let back = manifest["redirect_url"].as_str().unwrap_or_default();
    let place = format!("{back}?code={code}&{STATE}={}", encoded(&asked.state));
    (StatusCode::FOUND, [(header::LOCATION, place)]).into_response()
}

fn is_whole(manifest: &Value) -> bool {
    let has = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    let name = manifest["name"].as_str().unwrap_or_default();
    has(&manifest["url"])
        && has(&manifest["hook_attributes"]["url"])
        && has(&manifest["redirect_url"])
        && (1..=34).contains(&name.chars().count())
}

/// `POST /app-manifests/{code}/conversions`
pub(super) async fn take_over(State(shared): State<Shared>, Path(code): Path<String>) -> Response {
    let made = lock(&shared.world).convert(&code);
    let (status, body) = made.map_or_else(
        || {
            let text = json!({ "message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404" });
            (StatusCode::NOT_FOUND, text)
        },
        |app| (StatusCode::CREATED, app),
    );
    lock(&shared.desk).exchanges.push(Arc::new(Exchange {
        method: "POST".to_owned(),
        path: format!("/app-manifests/{code}/conversions"),
        query: Vec::new(),
        request_body: None,
        status: status.as_u16(),
        response_body: Some(body.clone()),
        met_trouble: false,
    }));
    let json = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    (status, json, Body::from(body.to_string())).into_response()
}

impl World {
    /// The app is as its manifest says from now on.
    fn convert(&mut self, code: &str) -> Option<Value> {
        let wished = self.wished.take_if(|wished| wished.code == code)?;
        let manifest = &wished.manifest;
        let texts = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let permissions = manifest["default_permissions"].as_object();
        self.asked.permissions = permissions
            .into_iter()
            .flatten()
            .map(|(name, access)| (name.clone(), texts(access)))
            .collect();
        let events = manifest["default_events"].as_array();
        self.asked.events = events.into_iter().flatten().map(texts).collect();
        let secret = digest::sha256_hex(format!("secret {code}").as_bytes())[..40].to_owned();
        let id = self.next_id();
        self.hooks.listeners.retain(|one| one.repository.is_some());
        self.hooks.listeners.push(Listener {
            id,
            url: texts(&manifest["hook_attributes"]["url"]),
            secret: secret.clone(),
            repository: None,
            content_type: "json".to_owned(),
            is_active: true,
        });
        let mut json = self.our_app().map(|app| self.app_json(app))?;
        merge(
            &mut json,
            json!({
                "id": APP_ID, "client_id": APP_CLIENT_ID, "client_secret": &secret[..20],
                "webhook_secret": secret, "pem": self.key.private, "name": manifest["name"],
            }),
        );
        Some(json)
    }
}
