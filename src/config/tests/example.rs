//! `bot.toml.example` is right, whole, and says all that can be said.

use std::fs;

use secrecy::ExposeSecret;
use serde_json::Value;

use crate::config::{Config, Identity, Surroundings, explain, schema};

const EXAMPLE: &str = include_str!("../../../bot.toml.example");

/// The folder is gone when the value is dropped.
fn with_secrets() -> (tempfile::TempDir, Surroundings) {
    let folder = tempfile::tempdir().unwrap();
    let key = "-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----\n";
    for (name, text) in [
        ("github-app.pem", key),
        ("gitlab-token", "t\n"),
        ("discord-token", "t\n"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let variables = [
        ("GITHUB_WEBHOOK_SECRET", "0123456789abcdef"),
        ("GITLAB_WEBHOOK_SECRET", "0123456789abcdef"),
        ("SIEM_TOKEN", "t"),
        ("SLACK_TOKEN", "t"),
        ("SLACK_APP_TOKEN", "t"),
        ("SLACK_SIGNING_SECRET", "0123456789abcdef"),
        ("DEPLOY_WEBHOOK_SECRET", "0123456789abcdef"),
        ("DEPLOY_TRIGGER_TOKEN", "t"),
        ("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap()),
    ];
    let surroundings = Surroundings::fixed(folder.path(), variables);
    (folder, surroundings)
}

fn uncommented() -> String {
    let line = |line: &'static str| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => rest,
        Some(_) | None => line,
    };
    EXAMPLE.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_active_part_is_a_valid_configuration() {
    let (folder, surroundings) = with_secrets();
    let config = Config::parse(EXAMPLE, "bot.toml", &surroundings).unwrap();
    assert_eq!(config.source, EXAMPLE.as_bytes());
    assert_eq!(config.catalog.services.len(), 2);
    let url = format!("sqlite:{}/countersign.db", folder.path().display());
    assert_eq!(config.database.url.expose_secret(), url);
    let github = config.github.unwrap();
    assert!(matches!(
        github.identity,
        Identity::App { app_id: 12345, .. }
    ));
    assert_eq!(github.web_url, "https://github.com");
}

#[test]
fn with_everything_uncommented_only_what_is_not_available_yet_is_refused() {
    let (_folder, surroundings) = with_secrets();
    let report = Config::parse(&uncommented(), "bot.toml", &surroundings).unwrap_err();
    let others: Vec<_> = report
        .problems()
        .iter()
        .filter(|problem| !problem.message.ends_with("is not available yet"))
        .collect();
    assert!(others.is_empty(), "{others:#?}");
    assert_eq!(report.problems().len(), 1);
}

#[test]
fn every_key_of_the_schema_occurs_in_the_example() {
    fn keys(value: &Value, found: &mut Vec<String>) {
        if let Some(properties) = value.get("properties").and_then(Value::as_object) {
            found.extend(properties.keys().cloned());
        }
        match value {
            Value::Object(table) => table.values().for_each(|inner| keys(inner, found)),
            Value::Array(list) => list.iter().for_each(|inner| keys(inner, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut found = Vec::new();
    keys(&schema(), &mut found);
    assert!(found.len() > 60, "{found:?}");
    for key in found {
        let ways = [
            format!("{key} = "),
            format!("[{key}]"),
            format!("[{key}."),
            format!(".{key}]"),
        ];
        assert!(
            ways.iter().any(|way| EXAMPLE.contains(way.as_str())),
            "{key}"
        );
    }
}

#[test]
fn the_schema_is_for_editors() {
    let schema = schema();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    let service = &schema["$defs"]["Service"]["properties"];
    assert_eq!(
        service["branch"]["description"],
        "The release branch. Only commits on it are released."
    );
    assert_eq!(service["branch"]["type"], "string");
    assert!(
        !schema.to_string().contains("\"x-"),
        "notes of ours are left out"
    );
    assert!(!schema.to_string().contains("\"null\""), "TOML has no null");
}

#[test]
fn the_explanation_says_who_may_do_what() {
    let (folder, surroundings) = with_secrets();
    let mut config = Config::parse(EXAMPLE, "bot.toml", &surroundings).unwrap();
    config.warnings.clear();
    let expect = "\
listens on 127.0.0.1:7878
is reached at https://deploys.example.com
signs its audit log with FOLDER/countersign-log.key
keeps its last signed head in FOLDER/countersign-log.head
uses GitHub at https://api.github.com as app 12345

service shop: github:acme/shop, branch main
  stage build: check:build, check:lint, workflow:security.yml
  stage staging: deployment:staging, then stays green for 10m
  stage regression: check:e2e / *, status:load-test (only from app 15368), check:visual (only from app 15368), deployment:preview, workflow:nightly.yml
  environment prod (also production), after stage regression
    needs 1 of deployer: GitHub teams acme/sre
    needs 1 of qa: GitHub users octocat, hubot
    not the authors of what ships, the requester
    a request expires after 4h
    GitHub is asked how a release goes after 10m without news
    starts by GitHub deployment to `production`
  environment canary, after stage staging
    needs 1 of deployer: GitHub teams acme/sre
    also releases heads of open pull requests, drafts
    a request expires after 4h
    GitHub is asked how a release goes after 10m without news
    starts by GitHub workflow `deploy.yml` at `main` with sha = {sha}, target = {environment}
";
    let text = explain(&config).replace(&folder.path().display().to_string(), "FOLDER");
    assert!(text.starts_with(expect), "{text}");
}
