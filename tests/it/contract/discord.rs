//! Our calls to Discord, held against its own published description, which lies beside the project.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::LazyLock;

use countersign_sandbox::discord::{Discord, Exchange};

use super::document::Document;
use super::schema::{Judge, Reading};
use super::{literals, schema};

static DESCRIPTION: LazyLock<Option<&'static Document>> = LazyLock::new(|| {
    let file = "../shared/specs/discord-rest.openapi.json";
    let text = std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file)).ok()?;
    let description = serde_json::from_slice(&text).unwrap();
    Some(Document::whole(description, Judge::of(Reading::Literal)))
});

/// Fails where a call is not as Discord describes it.
pub(crate) fn check(discord: &Discord) {
    let Some(description) = *DESCRIPTION else {
        // Straight to the terminal: what a passing test prints is not shown.
        let text = "SKIPPED: the contract with Discord is not tested, because its description does not lie beside the project\n";
        let _shown = std::io::stderr().write_all(text.as_bytes());
        return;
    };
    let mut found: Vec<String> = discord
        .exchanges()
        .iter()
        .filter(|exchange| exchange.status < 400)
        .flat_map(|exchange| complaints(description, exchange))
        .collect();
    found.sort();
    found.dedup();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

fn complaints(description: &'static Document, exchange: &Exchange) -> Vec<String> {
    let heading = format!("{} {}", exchange.method, exchange.path);
    let asked: Vec<&str> = exchange.path.split('/').collect();
    let method = exchange.method.to_ascii_lowercase();
    let templates = description.names("/paths").into_iter();
    let operation = templates
        .filter_map(|path| {
            let operation = description.entry("/paths", path)?.get(&method)?;
            let template: Vec<&str> = path.split('/').collect();
            Some((literals(&template, &asked)?, operation))
        })
        .max_by_key(|(literals, _)| *literals);
    let Some((_, operation)) = operation else {
        return vec![format!("{heading}: Discord knows no such call")];
    };
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let mut found = Vec::new();
    if let Some(sent) = &exchange.request_body {
        let wrong = schema::complaints(description, schema, sent);
        found.extend(
            wrong
                .into_iter()
                .map(|what| format!("{heading}: request {what}")),
        );
    }
    let status = exchange.status.to_string();
    let described = &operation["responses"][&status]["content"]["application/json"]["schema"];
    if let (Some(body), false) = (&exchange.response_body, described.is_null()) {
        let wrong = schema::complaints(description, described, body);
        found.extend(
            wrong
                .into_iter()
                .map(|what| format!("{heading}: answer {what}")),
        );
    }
    found
}
