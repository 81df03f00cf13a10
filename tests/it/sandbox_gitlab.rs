//! The sandbox GitLab where its behaviour is subtle, and where we depend on it.

mod commits;
mod deployments;
mod door;
mod hooks;
mod people;
mod pipelines;
mod talk;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use countersign_ground::clock::{Clock, Hand};
use countersign_sandbox::gitlab::{Access, GitLab, JobPlan, NewCommit, Sent};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::contract;

const TOKEN: &str = "glpat-a_token_of_the_tests";
const SHOP: &str = "acme/shop";

/// An answer, read to its end.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    /// What is not JSON is a text.
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let found = self.headers.get(name);
        found.map_or("", |value| value.to_str().unwrap())
    }

    fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }

    /// One field of every item of a list.
    fn each(&self, field: &str) -> Vec<Value> {
        let items = self.body.as_array().unwrap().iter();
        items.map(|item| item[field].clone()).collect()
    }

    /// The address of another page.
    fn link(&self, rel: &str) -> Option<String> {
        let rel = format!("rel=\"{rel}\"");
        let links = self.header("link").to_owned();
        let link = links.split(", ").find(|link| link.ends_with(&rel))?;
        Some(link.split(['<', '>']).nth(1)?.to_owned())
    }
}

/// Asks as any client would. Paths without a leading slash belong to the project.
struct Caller {
    url: String,
    token: String,
    http: reqwest::Client,
}

impl Caller {
    fn new(gitlab: &GitLab, token: &str) -> Self {
        Self {
            url: gitlab.url(),
            token: token.to_owned(),
            http: reqwest::Client::new(),
        }
    }

    fn address(&self, path: &str) -> String {
        match path {
            _ if path.starts_with("http") => path.to_owned(),
            _ if path.starts_with('/') => format!("{}/api/v4{path}", self.url),
            _ => format!("{}/api/v4/projects/acme%2Fshop/{path}", self.url),
        }
    }

    async fn try_ask(&self, method: &str, path: &str, body: Value) -> reqwest::Result<Answer> {
        let mut request = self
            .http
            .request(method.parse().unwrap(), self.address(path));
        if !self.token.is_empty() {
            request = request.header("private-token", &self.token);
        }
        if !body.is_null() {
            let json = ("content-type", "application/json");
            request = request.header(json.0, json.1).body(body.to_string());
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        Ok(Answer {
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        })
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        self.try_ask(method, path, body).await.unwrap()
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, Value::Null).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask("POST", path, body).await
    }
}

async fn start() -> (GitLab, Caller) {
    let gitlab = GitLab::start(TOKEN).await.unwrap();
    let caller = Caller::new(&gitlab, TOKEN);
    (gitlab, caller)
}

async fn at_hand() -> (GitLab, Caller, Hand) {
    let (clock, hand) = Clock::by_hand("2026-01-02T03:04:05Z".parse::<Timestamp>().unwrap());
    let gitlab = GitLab::start_at(TOKEN, clock).await.unwrap();
    let caller = Caller::new(&gitlab, TOKEN);
    (gitlab, caller, hand)
}

/// Another person, with a token of their own.
fn with_token(gitlab: &GitLab, username: &str) -> Caller {
    let token = format!("glpat-{username}");
    gitlab.add_token(&token, username);
    Caller::new(gitlab, &token)
}

/// What listens to webhooks.
#[derive(Clone, Default)]
struct Ear {
    heard: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    /// What it answers; 204 once nothing is left.
    replies: Arc<Mutex<VecDeque<u16>>>,
}

impl Ear {
    async fn open(&self) -> String {
        async fn hear(State(ear): State<Ear>, headers: HeaderMap, body: Bytes) -> StatusCode {
            ear.heard.lock().unwrap().push((headers, body));
            let reply = ear.replies.lock().unwrap().pop_front();
            StatusCode::from_u16(reply.unwrap_or(204)).unwrap()
        }
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks/gitlab", socket.local_addr().unwrap());
        let routes = Router::new().fallback(hear).with_state(self.clone());
        tokio::spawn(async move { axum::serve(socket, routes).await });
        url
    }

    fn say(&self, status: u16, times: usize) {
        let mut replies = self.replies.lock().unwrap();
        replies.extend(std::iter::repeat_n(status, times));
    }

    fn header(&self, name: &str) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        let found = heard.iter().map(|(headers, _)| headers.get(name));
        found
            .map(|value| value.map_or(String::new(), |it| it.to_str().unwrap().to_owned()))
            .collect()
    }
}

/// A GitLab with an ear at its webhooks.
async fn overheard() -> (GitLab, Caller, Hand) {
    let (gitlab, caller, hand) = at_hand().await;
    gitlab.hook(&Ear::default().open().await, "plain");
    (gitlab, caller, hand)
}

/// The newest webhook of a kind.
fn last(gitlab: &GitLab, event: &str) -> Arc<Sent> {
    let sent = gitlab.sent().into_iter().rfind(|sent| sent.event == event);
    sent.unwrap_or_else(|| panic!("no {event}"))
}

async fn every_act(gitlab: &GitLab) {
    let commits = vec![
        NewCommit::by("ann", "One"),
        NewCommit::by("bob", "Two").touching(["a.rs", "b.rs => c.rs"]),
    ];
    let sha = gitlab.push(SHOP, "topic", commits).await;
    let iid = gitlab
        .open_merge_request(SHOP, "ann", "topic", "main")
        .await;
    gitlab.convert_to_draft(SHOP, iid, "ann").await;
    gitlab.ready_for_review(SHOP, iid, "ann").await;
    gitlab
        .push(SHOP, "topic", vec![NewCommit::by("ann", "Three")])
        .await;
    gitlab.approve_merge_request("bob", SHOP, iid).await;
    gitlab.force_push(SHOP, "topic", &sha).await;
    let note = gitlab.comment("ann", SHOP, iid, "/status").await;
    gitlab.edit_comment("ann", SHOP, note, "/help").await;
    let award = gitlab.award("bob", SHOP, note, "eyes").await.unwrap();
    gitlab.revoke(SHOP, award).await;
    gitlab.status(SHOP, &sha, "lint", ("success", "bob")).await;
    gitlab.job(SHOP, &sha, "build", "failed").await;
    let (build, _) = gitlab.job_of(SHOP, &sha, "build").unwrap();
    gitlab.retry(build, "bob").await.unwrap();
    gitlab.pass(SHOP, &sha).await;
    let (prod, _) = gitlab.job_of(SHOP, &sha, "deploy-prod").unwrap();
    assert!(gitlab.play(prod, "ann").await);
    gitlab.job_moves(prod, "running").await;
    gitlab.job_moves(prod, "success").await;
    let staging = gitlab.deploy(SHOP, &sha, "staging", "bob").await;
    gitlab.deployment_status(staging, "success").await;
    let merged = gitlab.merge(SHOP, iid, "ann").await;
    gitlab.run_merge_request_pipeline(SHOP, 3).await.unwrap();
    gitlab.delete_branch(SHOP, "topic").await;
    gitlab.close(SHOP, 3, "ann").await;
    gitlab.tag(SHOP, "v1", &merged, "ann").await;
    gitlab.publish_release(SHOP, "v1").await;
    gitlab.set_jobs(
        SHOP,
        vec![JobPlan::new("tests", "test").starting(vec![JobPlan::new("unit", "test")])],
    );
    gitlab
        .push(SHOP, "main", vec![NewCommit::by("bob", "Bridged")])
        .await;
    let pipeline = gitlab.run_pipeline(SHOP, "main", "bob").await.unwrap();
    gitlab.cancel_pipeline(pipeline).await;
}

async fn every_call(gitlab: &GitLab, caller: &Caller) {
    gitlab.set_jobs(
        SHOP,
        vec![JobPlan::new("ship", "ship").manual().to("production")],
    );
    gitlab.protect_environment(SHOP, "production", &[Access::Level(40)], 1);
    gitlab.add_trigger_token(SHOP, "glptt-release", "bob");
    let sha = gitlab
        .push(SHOP, "main", vec![NewCommit::by("ann", "Ship it")])
        .await;
    let pipeline = gitlab.pipeline_of(SHOP, &sha).unwrap();
    let (job, _) = gitlab.job_of(SHOP, &sha, "ship").unwrap();
    let (deployment, _, _) = gitlab.deployments(SHOP, "production").pop().unwrap();
    let own = json!({
        "environment": "staging", "sha": sha, "ref": "main", "tag": false, "status": "running",
    });
    let hook = json!({
        "url": "http://127.0.0.1:9/", "token": "a", "note_events": true,
        "signing_token": "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    });
    let mut made = Vec::new();
    for (path, body, status) in [
        (
            "merge_requests/3/notes".to_owned(),
            json!({ "body": "Hello" }),
            201,
        ),
        (
            format!("statuses/{sha}"),
            json!({ "state": "success", "name": "gate", "description": "Green" }),
            201,
        ),
        (
            "pipeline".to_owned(),
            json!({ "ref": "main", "variables": [{ "key": "A", "value": "b" }], "inputs": { "a": 1 } }),
            201,
        ),
        (
            "trigger/pipeline?ref=main".to_owned(),
            json!({ "token": "glptt-release", "variables": { "A": "b" } }),
            201,
        ),
        (
            format!("deployments/{deployment}/approval"),
            json!({ "status": "approved", "comment": "Fine" }),
            201,
        ),
        (
            format!("jobs/{job}/play"),
            json!({ "job_variables_attributes": [{ "key": "A", "value": "b" }] }),
            200,
        ),
        ("deployments".to_owned(), own, 201),
        ("hooks".to_owned(), hook, 201),
        (
            "merge_requests/3/award_emoji".to_owned(),
            json!({ "name": "eyes" }),
            201,
        ),
        (format!("pipelines/{pipeline}/cancel"), Value::Null, 200),
        (format!("jobs/{job}/retry"), Value::Null, 201),
    ] {
        let answer = caller.post(&path, body).await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        made.push(answer.body["id"].clone());
    }
    let (note, own, hook, award) = (&made[0], &made[6], &made[7], &made[8]);
    for (path, body) in [
        (
            format!("merge_requests/3/notes/{note}"),
            json!({ "body": "Good bye" }),
        ),
        (format!("deployments/{own}"), json!({ "status": "success" })),
        (format!("hooks/{hook}"), json!({ "push_events": false })),
    ] {
        assert_eq!(caller.ask("PUT", &path, body).await.status, 200, "{path}");
    }
    for path in [
        "/projects/9",
        "members",
        "members/5",
        "members/all",
        "members/all/5",
        "merge_requests/3",
        "merge_requests/3/notes",
        "merge_requests/3/award_emoji",
        "merge_requests?state=merged",
        "repository/branches/main",
        "repository/compare?from=more&to=main&straight=true",
        "repository/merge_base?refs[]=more&refs[]=main",
        "pipelines?source=push&order_by=id&sort=desc",
        "pipelines/latest?ref=main",
        "jobs?scope[]=success",
        "environments?name=production",
        "deployments?environment=production&order_by=updated_at&sort=desc",
        "hooks",
        "protected_environments",
        "protected_environments/production",
        "/user",
        "/users?username=ann",
        "/users/5",
        "/version",
        "/metadata",
        "/groups/90",
        "/groups/acme",
        "/groups/90/members/all/5",
    ] {
        let answer = caller.get(path).await;
        let expect = if path.starts_with("/groups/90/members") {
            404
        } else {
            200
        };
        assert_eq!(answer.status, expect, "{path}: {answer:?}");
    }
    for path in [
        format!("merge_requests/3/notes/{note}"),
        format!("merge_requests/3/notes/{note}/award_emoji"),
        format!("repository/commits/{sha}"),
        format!("repository/commits/{sha}/refs"),
        format!("repository/commits/{sha}/statuses?all=true"),
        format!("repository/commits/{sha}/merge_requests"),
        format!("pipelines/{pipeline}"),
        format!("pipelines/{pipeline}/jobs?include_retried=true"),
        format!("pipelines/{pipeline}/bridges"),
        format!("pipelines/{pipeline}/variables"),
        format!("jobs/{job}"),
        format!("deployments/{deployment}"),
        format!("hooks/{hook}"),
        format!("hooks/{hook}/events?status=successful&per_page=20"),
    ] {
        assert_eq!(caller.get(&path).await.status, 200, "{path}");
    }
    for path in [
        format!("merge_requests/3/award_emoji/{award}"),
        format!("hooks/{hook}"),
    ] {
        assert_eq!(caller.ask("DELETE", &path, Value::Null).await.status, 204);
    }
}

#[tokio::test]
async fn the_sandbox_speaks_and_listens_as_gitlab_does() {
    let (gitlab, caller, _hand) = overheard().await;
    every_act(&gitlab).await;
    gitlab.delivered().await;
    every_call(&gitlab, &caller).await;
    gitlab.delivered().await;
    contract::gitlab::check(&gitlab);
}

#[tokio::test]
async fn what_gitlab_would_not_understand_is_found() {
    let Some(description) = contract::gitlab::description() else {
        return;
    };
    let (gitlab, caller) = start().await;
    let sha = gitlab.head(SHOP, "main").unwrap();
    caller.get("merge_requests/3/nothing").await;
    caller.get("pipelines?head=main").await;
    let misspelt = json!({ "state": "success", "contex": "gate" });
    caller.post(&format!("statuses/{sha}"), misspelt).await;
    let wrong = json!({ "state": "failed", "pipeline_id": "7", "name": "other" });
    caller.post(&format!("statuses/{sha}"), wrong).await;
    let complaints = description.complaints(&gitlab);
    for expect in [
        "no such call",
        "parameter `head`",
        "/contex",
        "/pipeline_id",
    ] {
        assert!(
            complaints.iter().any(|one| one.contains(expect)),
            "{expect}: {complaints:#?}"
        );
    }
    assert_eq!(complaints.len(), 4, "{complaints:#?}");
}
