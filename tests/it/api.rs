//! The API by which programs ask the audit log over HTTP: every entry is reached once and in order, and what
//! makes no sense is refused by name.

use std::collections::BTreeSet;
use std::time::Duration;

use countersign::domain::{Action, Actor, Entry, Scope};
use countersign::store::{Store, ledger as log};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::doorway::Opened;
use crate::support::laid::sign;
use crate::support::world::PLAIN;
use crate::support::{Database, Engine, World, on_both};

on_both!(
    pages_reach_every_entry_once_and_in_order,
    filters_are_those_of_the_commands,
    one_entry_and_the_history_of_a_request,
    what_makes_no_sense_is_refused_by_name,
    a_token_is_needed_and_only_reading_is_possible,
    strange_questions_break_nothing,
    everything_described_is_there,
);

/// What happened, after the entry that opens the log.
const EVENTS: u64 = 136;
const ENTRIES: u64 = EVENTS + 1;

/// What happened, a minute apart: requests 1 to 7 of two services, by two people.
async fn history(store: &Store) {
    let start: jiff::Timestamp = "2026-04-01T00:00:00Z".parse().unwrap();
    for number in 0..EVENTS {
        let at = start + Duration::from_secs(60 * number);
        let actor = Actor::Person {
            forge: "github",
            id: 7 + number % 2,
            login: if number % 2 == 0 { "ann" } else { "bob" }.to_owned(),
        };
        let action = match number % 3 {
            0 => Action::Requested,
            1 => Action::Approved,
            _ => Action::Refused,
        };
        let service = if number % 5 == 0 { "shop" } else { "bank" };
        let entry = Entry::new(at, action, actor)
            .with("service", service)
            .with("environment", "prod")
            .with("sha", format!("{number:040x}"))
            .with("request", 1 + number % 7)
            .with_private("reason", format!("because of tale{number}"));
        store
            .unit(move |tx| {
                let entry = entry.clone();
                Box::pin(async move { log::append(tx, &entry).await })
            })
            .await
            .unwrap();
    }
}

async fn opened(engine: Engine) -> (Database, Opened, String) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    history(&store).await;
    let opened = Opened::new(&store);
    let token = opened.token(&[Scope::Audit], None).await;
    (database, opened, token)
}

/// The JSON of an answer, which no cache may keep.
async fn json(opened: &Opened, path: &str, token: &str) -> (StatusCode, Value) {
    let answer = opened.get(path, token).await;
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let status = answer.status();
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(body["error"].is_string(), !status.is_success(), "{body}");
    (status, body)
}

fn numbers(page: &Value) -> Vec<u64> {
    let entries = page["entries"].as_array().unwrap();
    let seq = |entry: &Value| entry["seq"].as_u64().unwrap();
    entries.iter().map(seq).collect()
}

async fn pages_reach_every_entry_once_and_in_order(engine: Engine) {
    let (_database, opened, token) = opened(engine).await;
    let backwards: Vec<u64> = (1..=ENTRIES).rev().collect();
    for limit in [1, 7, 50, 136, 137, 138, 200] {
        let mut seen: Vec<u64> = Vec::new();
        let mut before = String::new();
        loop {
            let path = format!("/api/v1/audit?limit={limit}{before}");
            let (status, page) = json(&opened, &path, &token).await;
            assert_eq!(status, StatusCode::OK, "{page}");
            let found = numbers(&page);
            assert!(found.len() <= limit);
            seen.extend(&found);
            let Some(next) = page["next"].as_u64() else {
                assert!(page["next"].is_null());
                break;
            };
            assert_eq!((found.len(), found.last()), (limit, Some(&next)));
            before = format!("&before={next}");
        }
        assert_eq!(seen, backwards, "limit {limit}");
    }
    let (_, page) = json(&opened, "/api/v1/audit", &token).await;
    assert_eq!(numbers(&page).len(), 50);
}

async fn filters_are_those_of_the_commands(engine: Engine) {
    let (_database, opened, token) = opened(engine).await;
    let all = 0..EVENTS;
    let found = async |query: &str| {
        let path = format!("/api/v1/audit?limit=200&{query}");
        let (status, page) = json(&opened, &path, &token).await;
        assert_eq!(status, StatusCode::OK, "{query}: {page}");
        numbers(&page)
    };
    let expect = |passes: &dyn Fn(u64) -> bool| -> Vec<u64> {
        let passing = all.clone().rev().filter(|number| passes(*number));
        passing.map(|number| number + 2).collect()
    };
    for (query, passes) in [
        ("service=shop", (|n| n % 5 == 0) as fn(u64) -> bool),
        ("environment=prod", |_| true),
        ("environment=dev", |_| false),
        ("person=ann", |n| n % 2 == 0),
        ("person=github:8", |n| n % 2 == 1),
        ("person=github%3A8", |n| n % 2 == 1),
        ("action=approved", |n| n % 3 == 1),
        ("outcome=refused", |n| n % 3 == 2),
        ("request=3", |n| n % 7 == 2),
        ("sha=000000000000000000000000000000000000002a", |n| n == 42),
        ("environment=prod&since=2026-04-01T01:00:00Z", |n| n >= 60),
        ("environment=prod&until=2026-04-01T01:00:00Z", |n| n < 60),
        ("text=tale42", |n| n == 42),
        ("text=because+of%20tale42", |n| n == 42),
        ("service=shop&person=bob&before=60", |n| {
            n % 10 == 5 && n < 58
        }),
    ] {
        assert_eq!(found(query).await, expect(&passes), "{query}");
    }
}

async fn one_entry_and_the_history_of_a_request(engine: Engine) {
    let (_database, opened, token) = opened(engine).await;
    let (status, shown) = json(&opened, "/api/v1/audit/44", &token).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(shown["seq"], 44);
    let text = shown["entry"].to_string();
    for expect in ["because of tale42", "\"ann\"", "\"shop\"", "\"bank\""] {
        let is_there = text.contains(expect);
        assert_eq!(is_there, expect != "\"shop\"", "{expect}: {text}");
    }
    assert!(shown["erased"].as_array().unwrap().is_empty());
    for (path, expect) in [
        ("/api/v1/audit/138", 404),
        ("/api/v1/audit/9223372036854775807", 404),
        ("/api/v1/audit/9223372036854775808", 400),
        ("/api/v1/audit/0", 400),
        ("/api/v1/audit/-1", 400),
        ("/api/v1/audit/+1", 400),
        ("/api/v1/audit/one", 400),
        ("/api/v1/audit/requests", 400),
        ("/api/v1/audit/requests/8", 404),
        ("/api/v1/audit/requests/x", 400),
        ("/api/v1/audit/requests/1/2", 404),
        ("/api/v1/audits", 404),
        ("/api/v2/audit", 404),
    ] {
        assert_eq!(json(&opened, path, &token).await.0, expect, "{path}");
    }
    let (status, history) = json(&opened, "/api/v1/audit/requests/3", &token).await;
    assert_eq!(status, StatusCode::OK);
    let expect: Vec<u64> = (2..=ENTRIES).filter(|seq| seq % 7 == 4).collect();
    assert_eq!(numbers(&history), expect);
}

async fn what_makes_no_sense_is_refused_by_name(engine: Engine) {
    let (_database, opened, token) = opened(engine).await;
    for (query, expect) in [
        ("limit=0", &["`limit`", "1 to 200"][..]),
        ("limit=201", &["`limit`"]),
        ("limit=", &["`limit`"]),
        ("limit=-1", &["`limit`"]),
        ("limit=99999999999999999999", &["`limit`"]),
        ("limit=5&limit=6", &["`limit`", "twice"]),
        ("before=0", &["`before`", "`next`"]),
        ("before=x", &["`before`"]),
        ("before=9223372036854775808", &["`before`"]),
        (
            "servise=shop",
            &["`servise`", "`service`", "before", "limit"],
        ),
        ("service=shop&service=bank", &["`service`", "twice"]),
        ("service=", &["`service`"]),
        ("service=a/b", &["`service`", "a/b"]),
        ("environment=..", &["`environment`"]),
        ("person=a%20b", &["`person`"]),
        ("action=aproved", &["`action`", "`approved`", "requested"]),
        ("outcome=good", &["`outcome`", "allowed", "alarm"]),
        ("sha=xyz", &["`sha`"]),
        ("sha=ab", &["`sha`"]),
        ("request=0", &["`request`"]),
        ("request=many", &["`request`"]),
        ("since=yesterday", &["`since`", "7d"]),
        ("until=13", &["`until`"]),
        ("text=", &["`text`"]),
        ("text=%25", &["`text`"]),
        ("=", &["limit"]),
        ("x", &["`x`", "limit"]),
    ] {
        let (status, body) = json(&opened, &format!("/api/v1/audit?{query}"), &token).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}: {body}");
        let sentence = body["error"].as_str().unwrap();
        for word in expect {
            assert!(sentence.contains(word), "{query}: {sentence}");
        }
    }
}

async fn a_token_is_needed_and_only_reading_is_possible(engine: Engine) {
    let (_database, opened, token) = opened(engine).await;
    let other = opened.token(&[Scope::Log], None).await;
    let both = opened.token(&[Scope::Log, Scope::Audit], None).await;
    let paths = [
        "/api/v1/audit",
        "/api/v1/audit?limit=0",
        "/api/v1/audit/1",
        "/api/v1/audit/x",
        "/api/v1/audit/requests/1",
    ];
    for path in paths {
        for wrong in ["", "wrong", &format!("cst_{}", "0".repeat(64))] {
            let answer = opened.get(path, wrong).await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
            let scheme = answer.headers()["www-authenticate"].to_str().unwrap();
            assert!(scheme.starts_with("Bearer"), "{scheme}");
            let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            assert!(body["error"].is_string());
        }
        let (status, body) = json(&opened, path, &other).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
        assert!(body["error"].as_str().unwrap().contains("`audit`"));
    }
    assert_eq!(
        json(&opened, "/api/v1/audit", &both).await.0,
        StatusCode::OK
    );

    for path in [
        "/api/v1/audit",
        "/api/v1/audit/1",
        "/api/v1/audit/requests/1",
    ] {
        let get = opened.get(path, &token).await;
        let length = get.headers()["content-length"].clone();
        let head = opened.ask(Method::HEAD, path, &token).await;
        assert_eq!(head.status(), StatusCode::OK, "{path}");
        assert_eq!(head.headers()["content-length"], length, "{path}");
        assert!(head.bytes().await.unwrap().is_empty());
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let answer = opened.ask(method, path, &token).await;
            assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
            assert_eq!(answer.headers()["allow"], "GET,HEAD", "{path}");
            let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            assert!(body["error"].is_string());
        }
    }
}

async fn strange_questions_break_nothing(engine: Engine) {
    let (_database, opened, token) = opened(engine).await;
    let long = "a".repeat(9_000);
    for query in [
        "text=%00",
        "text=tale%00x",
        "service=%00",
        "person=%00",
        "person=%ff%fe",
        "text=%ff%fe%fd",
        "text=%F0%9F%9A%80tale",
        "text=%E2%80%AE",
        "text='%20OR%201=1--",
        "person=';DROP%20TABLE%20api_token;--",
        "text=___",
        "text=ta%25le_%5C",
        "sha=%25%25%25%25",
        "%00=1",
        "%ff=%ff",
        "&&&",
        "limit=50&",
        "a=b&c",
        "limit[]=1",
        "since=-9999-01-01",
        "since=9999-12-31T23:59:59Z",
        "until=-009999-01-01T00:00:00Z",
        "since=99999999d",
        "before=1",
        "before=9223372036854775807",
        "request=9223372036854775807",
        "request=18446744073709551615",
        "text=%zz",
        "text=%",
        &format!("text={long}"),
        &format!("{long}=1"),
    ] {
        let answer = opened.get(&format!("/api/v1/audit?{query}"), &token).await;
        let status = answer.status().as_u16();
        assert!(status == 200 || status == 400, "{query:.80}: {status}");
    }
    for path in [
        &b"/api/v1/audit/%00"[..],
        b"/api/v1/audit/%ff",
        b"/api/v1/audit/\xff",
        b"/api/v1/audit/requests/%2e%2e",
        b"/api/v1/audit?\xff",
        b"/api//audit",
        b"/api",
        b"/openapi.json/",
        b"*",
    ] {
        let status = opened.raw(path).await;
        let shown = String::from_utf8_lossy(path);
        assert!((400..500).contains(&status), "{shown}: {status}");
    }
}

async fn everything_described_is_there(engine: Engine) {
    let (_database, opened, token) = opened(engine).await;
    let both = opened.token(&[Scope::Log, Scope::Audit], None).await;
    sign(&opened.store).await;
    let answer = opened.get("/openapi.json", "").await;
    assert_eq!(answer.headers()["content-type"], "application/json");
    let description: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let paths = description["paths"].as_object().unwrap();
    let mut asked = BTreeSet::new();
    for (path, methods) in paths {
        let real = path
            .replace("{source}", "github")
            .replace("{seq}", "1")
            .replace("{request}", "1")
            .replace("{level}", "0")
            .replace("{index}", "000.p/137");
        for (method, operation) in methods.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            for token in ["", &token, &both] {
                let status = opened.ask(method.clone(), &real, token).await.status();
                let responses = operation["responses"].as_object().unwrap();
                assert_ne!(status, StatusCode::NOT_FOUND, "{method} {real}");
                assert!(
                    responses.contains_key(status.as_str()),
                    "{method} {real}: {status}"
                );
                asked.insert(status.as_u16());
            }
        }
    }
    assert_eq!(asked, BTreeSet::from([200, 401, 403]));
}

/// A door that takes from every forge and chat says what is missing in words that its description has, too.
#[tokio::test(flavor = "multi_thread")]
async fn every_hook_is_described() {
    let world = World::talking(Engine::Sqlite, PLAIN).await;
    let door = world.gitlab_door().replace("/hooks/gitlab", "");
    let http = reqwest::Client::new();
    let answer = http.get(format!("{door}/openapi.json")).send().await;
    let description: Value = serde_json::from_str(&answer.unwrap().text().await.unwrap()).unwrap();
    let hook = &description["paths"]["/hooks/{source}"]["post"];
    let parameters = hook["parameters"].as_array().unwrap();
    let named = |word: &str| parameters.iter().any(|one| one["name"] == word);
    let sources = parameters[0]["schema"]["enum"].as_array().unwrap();
    assert_eq!(
        sources,
        &["github", "gitlab", "discord", "slack"].map(Value::from)
    );
    for source in sources {
        let source = source.as_str().unwrap();
        let sent = http.post(format!("{door}/hooks/{source}")).body("{}");
        let answer = sent.send().await.unwrap();
        let status = answer.status();
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{source}");
        assert!(hook["responses"][status.as_str()].is_object());
        let said = answer.text().await.unwrap();
        let headers = said
            .split_whitespace()
            .filter(|word| word.starts_with("X-") || word.starts_with("webhook-"));
        let mut asked = 0;
        for header in headers {
            assert!(named(header), "{source}: {header}");
            asked += 1;
        }
        assert!(asked > 0, "{source}: {said}");
    }
}
