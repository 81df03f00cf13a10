//! The sandbox GitHub where its behaviour is subtle, and where we depend on it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use countersign::domain::{Forge, Incoming, Place, Reaction, Repository, RepositoryId};
use countersign::forges::github::client::{self, Client, Identity};
use countersign::forges::github::edge::{self, WebhookSecrets};
use countersign_ground::clock::Clock;
use countersign_sandbox::github::{
    APP_ID, APP_KEY, GitHub, INSTALLATION_ID, Membership, NewCommit, Order, Trouble,
};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::contract;
use crate::support::caller::{Caller, jwt};
use crate::support::service::TOKEN;

async fn start() -> (GitHub, Caller) {
    let github = GitHub::start(TOKEN).await.unwrap();
    let caller = Caller::new(&github, TOKEN);
    (github, caller)
}

#[tokio::test]
async fn commits_are_compared_by_their_ancestry() {
    let (github, caller) = start().await;
    let root = github.head("acme/shop", "main").unwrap();
    let one = github.add_commit(
        "acme/shop",
        "main",
        NewCommit::by("ann", "One").touching(["a.rs"]),
    );
    github.set_branch("acme/shop", "side/way", &root);
    let side = github.add_commit("acme/shop", "side/way", NewCommit::by("ann", "Side"));
    let merge = NewCommit {
        merges: vec![side.clone()],
        ..NewCommit::by("ann", "Both")
    };
    let both = github.add_commit("acme/shop", "main", merge);
    for (base, head, expect, ahead, behind) in [
        ("main", "main", "identical", 0, 0),
        (root.as_str(), "main", "ahead", 3, 0),
        ("main", &root[..9], "behind", 0, 3),
        (&one, "side/way", "diverged", 1, 1),
        (&side, "heads/main", "ahead", 2, 0),
    ] {
        let answer = caller
            .get(&format!("/repos/acme/shop/compare/{base}...{head}"))
            .await;
        let found = (
            &answer.body["status"],
            &answer.body["ahead_by"],
            &answer.body["behind_by"],
        );
        assert_eq!(
            found,
            (&expect.into(), &ahead.into(), &behind.into()),
            "{base}...{head}"
        );
        assert_eq!(answer.body["total_commits"], ahead);
    }
    let path = format!("/repos/acme/shop/compare/{root}...{both}?per_page=2");
    let first = caller.get(&path).await;
    let second = caller.get(&first.link("next").unwrap()).await;
    let shas: Vec<&Value> = [&first, &second]
        .iter()
        .flat_map(|page| page.body["commits"].as_array().unwrap())
        .map(|commit| &commit["sha"])
        .collect();
    assert_eq!(
        shas,
        [&json!(one), &json!(side), &json!(both)],
        "oldest first"
    );
    assert_eq!(first.body["files"].as_array().unwrap().len(), 1);
    assert!(second.body.get("files").is_none() && second.link("next").is_none());
    let unknown = "/repos/acme/shop/compare/main...nowhere";
    assert_eq!(caller.get(unknown).await.status, 404);
    github.add_fork(12, "eve/shop", "acme/shop");
    github.add_commit("eve/shop", "main", NewCommit::default());
    let fork = caller.get("/repos/acme/shop/compare/main...eve:main").await;
    assert_eq!(fork.body["ahead_by"], 1);
}

#[tokio::test]
async fn an_answer_that_is_known_is_not_given_again_and_not_counted() {
    let (github, caller) = start().await;
    github.limit(2, i64::MAX - 1);
    let first = caller.get("/repos/acme/shop").await;
    assert_eq!(first.header("x-ratelimit-remaining"), "1");
    for _ in 0..3 {
        let same = caller
            .get_unless("/repos/acme/shop", first.header("etag"))
            .await;
        assert_eq!(
            (same.status, same.header("x-ratelimit-remaining")),
            (304, "1")
        );
    }
    github.set_private("acme/shop", true);
    let changed = caller
        .get_unless("/repos/acme/shop", first.header("etag"))
        .await;
    assert_eq!(
        (changed.status, changed.header("x-ratelimit-remaining")),
        (200, "0")
    );
    let over = caller.get("/repos/acme/shop").await;
    assert_eq!(
        (over.status, over.header("x-ratelimit-remaining")),
        (403, "0")
    );
    assert!(
        over.body["message"]
            .as_str()
            .unwrap()
            .contains("rate limit")
    );
}

#[tokio::test]
async fn a_team_shows_who_is_in_it_and_nobody_else() {
    let (github, caller) = start().await;
    github.add_person(6, "bob");
    github.add_team(21, "acme", "deployers");
    github.set_member(21, "ann", Some(Membership::Active));
    github.set_member(21, "bob", Some(Membership::Pending));
    let path = |slug: &str, login: &str| format!("/orgs/acme/teams/{slug}/memberships/{login}");
    assert_eq!(
        caller.get(&path("deployers", "ann")).await.body["state"],
        "active"
    );
    assert_eq!(
        caller.get(&path("deployers", "bob")).await.body["state"],
        "pending"
    );
    github.set_member(21, "bob", None);
    for (slug, login) in [
        ("deployers", "bob"),
        ("deployers", "eve"),
        ("others", "ann"),
    ] {
        assert_eq!(
            caller.get(&path(slug, login)).await.status,
            404,
            "{slug} {login}"
        );
    }
    github.rename_person(5, "anna");
    assert_eq!(caller.get("/users/ann").await.status, 404);
    assert_eq!(caller.get("/user/5").await.body["login"], "anna");
    assert_eq!(caller.get(&path("deployers", "anna")).await.status, 200);
    github.rename_team(21, "releasers");
    assert_eq!(caller.get(&path("deployers", "anna")).await.status, 404);
    github.add_team(22, "acme", "deployers");
    let again = caller.get("/orgs/acme/teams/deployers").await;
    assert_eq!(
        again.body["id"], 22,
        "the name is the same, the team is another"
    );
}

#[tokio::test]
async fn roles_are_named_beside_the_permission_that_folds_them() {
    let (github, caller) = start().await;
    for (role, permission) in [
        ("admin", "admin"),
        ("maintain", "write"),
        ("write", "write"),
        ("triage", "read"),
        ("read", "read"),
        ("release-manager", "write"),
    ] {
        github.set_role("acme/shop", "ann", Some(role));
        let answer = caller
            .get("/repos/acme/shop/collaborators/ann/permission")
            .await;
        let found = (&answer.body["role_name"], &answer.body["permission"]);
        assert_eq!(found, (&role.into(), &permission.into()));
    }
    github.set_role("acme/shop", "ann", None);
    github.set_private("acme/shop", true);
    let answer = caller
        .get("/repos/acme/shop/collaborators/ann/permission")
        .await;
    assert_eq!(answer.body["permission"], "none");
    let unknown = "/repos/acme/shop/collaborators/nobody/permission";
    assert_eq!(caller.get(unknown).await.status, 404);
}

#[tokio::test]
async fn a_deployment_is_made_only_where_github_makes_one() {
    let (github, caller) = start().await;
    let old = github.head("acme/shop", "main").unwrap();
    let new = github.add_commit("acme/shop", "main", NewCommit::by("ann", "New"));
    let path = "/repos/acme/shop/deployments";
    let made = async || caller.get(path).await.body.as_array().unwrap().len();
    let behind = caller.post(path, json!({ "ref": old })).await;
    assert_eq!((behind.status, made().await), (202, 0));
    github
        .status("acme/shop", &new, "ci", ("failure", "ann"))
        .await;
    let red = caller.post(path, json!({ "ref": new })).await;
    assert_eq!((red.status, made().await), (409, 0));
    let missing = json!({ "ref": new, "required_contexts": ["other"] });
    assert_eq!(caller.post(path, missing).await.status, 409);
    let unknown = caller
        .post(path, json!({ "ref": "nowhere", "auto_merge": false }))
        .await;
    assert_eq!((unknown.status, made().await), (422, 0));
    let careful = json!({ "ref": old, "auto_merge": false, "required_contexts": [] });
    assert_eq!(caller.post(path, careful).await.status, 201);
    let staging = json!({ "ref": old, "auto_merge": false, "required_contexts": [], "environment": "staging" });
    let first = caller.post(path, staging.clone()).await.body["id"]
        .as_u64()
        .unwrap();
    let second = caller.post(path, staging).await.body["id"]
        .as_u64()
        .unwrap();
    for id in [first, second] {
        let done = caller
            .post(
                &format!("{path}/{id}/statuses"),
                json!({ "state": "success" }),
            )
            .await;
        assert_eq!(done.status, 201);
    }
    let states = caller.get(&format!("{path}/{first}/statuses")).await;
    assert_eq!(
        states.body[0]["state"], "inactive",
        "the newest comes first"
    );
    let named = caller
        .get(&format!("{path}?environment=staging&sha={old}"))
        .await;
    assert_eq!(named.body[0]["id"], second);
}

#[tokio::test]
async fn a_context_takes_a_thousand_statuses_and_no_more() {
    let (github, caller) = start().await;
    let sha = github.head("acme/shop", "main").unwrap();
    for _ in 0..1_000 {
        github
            .status("acme/shop", &sha, "ci", ("pending", "ann"))
            .await;
    }
    let path = format!("/repos/acme/shop/statuses/{sha}");
    let full = caller
        .post(&path, json!({ "state": "success", "context": "CI" }))
        .await;
    assert_eq!(full.status, 422);
    let other = caller
        .post(&path, json!({ "state": "success", "context": "other" }))
        .await;
    assert_eq!(
        (other.status, &other.body["creator"]["login"]),
        (201, &"countersign".into())
    );
    let combined = caller
        .get(&format!("/repos/acme/shop/commits/{sha}/status"))
        .await;
    assert_eq!(
        (&combined.body["state"], &combined.body["total_count"]),
        (&"pending".into(), &2.into())
    );
}

#[tokio::test]
async fn a_dispatched_run_carries_what_its_name_says() {
    let (github, caller) = start().await;
    github.add_workflow("acme/shop", "release.yml", &["workflow_dispatch"]);
    github.set_run_name(
        "acme/shop",
        "release.yml",
        "Release ${{ inputs.id }} (${{ inputs.none }})",
    );
    let path = "/repos/acme/shop/actions/workflows/release.yml/dispatches";
    let body = json!({ "ref": "main", "inputs": { "id": "r-1" }, "return_run_details": true });
    let started = caller.post(path, body.clone()).await;
    assert_eq!(started.status, 200);
    let run = caller.get(started.body["run_url"].as_str().unwrap()).await;
    assert_eq!(run.body["display_title"], "Release r-1 ()");
    for (body, status) in [
        (json!({ "ref": "main" }), 204),
        (json!({ "ref": "nowhere" }), 422),
        (json!({}), 422),
    ] {
        assert_eq!(caller.post(path, body).await.status, status);
    }
    github.be_enterprise_server();
    assert_eq!(caller.post(path, body).await.status, 422);
    github.set_inputs("acme/shop", "release.yml", &["id"]);
    let misspelt = json!({ "ref": "main", "inputs": { "ids": "r-1" } });
    assert_eq!(caller.post(path, misspelt).await.status, 422);
    github.add_workflow("acme/shop", "ci.yml", &["push"]);
    let wrong = path.replace("release", "ci");
    assert_eq!(
        caller.post(&wrong, json!({ "ref": "main" })).await.status,
        422
    );
    let missing = path.replace("release", "missing");
    assert_eq!(
        caller.post(&missing, json!({ "ref": "main" })).await.status,
        404
    );
}

#[tokio::test]
async fn a_former_name_leads_to_the_number() {
    let (github, caller) = start().await;
    github
        .rename_repository("acme/shop", "acme/store", "ann")
        .await;
    let followed = caller.get("/repos/acme/shop/pulls/3").await;
    assert_eq!(
        (followed.status, &followed.body["number"]),
        (200, &3.into())
    );
    let statuses: Vec<u16> = github.exchanges().iter().map(|one| one.status).collect();
    assert_eq!(statuses, [301, 200]);
    assert_eq!(
        caller.get("/repositories/9").await.body["full_name"],
        "acme/store"
    );
}

#[tokio::test]
async fn an_app_is_known_by_its_key_and_reaches_what_it_was_given() {
    let (github, person) = start().await;
    let app = Caller::app(&github);
    assert_eq!(app.get("/app").await.body["id"], APP_ID);
    for (issuer, seconds, status) in [
        (json!(APP_ID), 540, 200),
        (json!(APP_ID.to_string()), 540, 200),
        (json!(77), 540, 404),
        (json!(APP_ID), 700, 401),
        (json!(APP_ID), -1, 401),
    ] {
        let caller = Caller::new(&github, &jwt(&issuer, seconds));
        assert_eq!(
            caller.get("/app").await.status,
            status,
            "{issuer} {seconds}"
        );
    }
    let mut forged = jwt(&json!(APP_ID), 540);
    forged.replace_range(forged.len() - 8.., "AAAAAAAA");
    assert_eq!(Caller::new(&github, &forged).get("/app").await.status, 401);

    let bot = Caller::installation(&github).await;
    let comment = json!({ "body": "Done." });
    let written = bot
        .post("/repos/acme/shop/issues/3/comments", comment.clone())
        .await;
    assert_eq!(written.body["user"]["login"], "countersign[bot]");
    github.expire_tokens();
    assert_eq!(bot.get("/repos/acme/shop").await.status, 401);
    github.set_permission(INSTALLATION_ID, "issues", None);
    github.set_permission(INSTALLATION_ID, "pull_requests", Some("read"));
    let bot = Caller::installation(&github).await;
    let refused = bot
        .post("/repos/acme/shop/issues/3/comments", comment)
        .await;
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.body["message"],
        "Resource not accessible by integration"
    );
    assert_eq!(
        bot.get("/repos/acme/shop/issues/3/comments").await.status,
        200
    );

    assert_eq!(person.get("/app/hook/deliveries").await.status, 401);
    let sha = github.head("acme/shop", "main").unwrap();
    let run = github.run("acme/shop", "deploy.yml", &sha, "push").await;
    let deployment = github.deploy("acme/shop", &sha, "prod", "ann").await;
    let rule = format!("/repos/acme/shop/actions/runs/{run}/deployment_protection_rule");
    let approved = json!({ "environment_name": "prod", "state": "approved" });
    assert_eq!(
        bot.post(&rule, approved.clone()).await.status,
        422,
        "nothing waits"
    );
    github
        .protection_rule_requested("acme/shop", run, "prod", deployment)
        .await;
    assert_eq!(person.post(&rule, approved.clone()).await.status, 403);
    assert_eq!(bot.post(&rule, approved.clone()).await.status, 204);
    assert_eq!(
        bot.post(&rule, approved).await.status,
        422,
        "nothing waits any more"
    );
}

/// Our own client gets a token with the sandbox's key.
#[tokio::test]
async fn our_client_is_let_in_as_the_app() {
    let (github, _) = start().await;
    let identity = Identity::App {
        id: APP_ID,
        private_key: APP_KEY.as_bytes().to_vec(),
    };
    let client = Client::new(&github.url(), identity, client::DEADLINE).unwrap();
    let asked = github.comment("ann", "acme/shop", 3, "/help").await;
    let place = Place {
        repository: Repository {
            id: RepositoryId::on(Forge::GitHub, 9),
            path: "acme/shop".to_owned(),
            installation: Some(INSTALLATION_ID),
        },
        pull_request: 3,
        comment: asked,
        written_at: Clock::system().now(),
    };
    client.react(&place, Reaction::Eyes).await.unwrap();
    client.say(&place, "Here you are.", "t-1").await.unwrap();
    assert!(client.said(&place, "t-1").await.unwrap().is_some());
    assert!(client.said(&place, "t-2").await.unwrap().is_none());
    assert_eq!(github.reactions("acme/shop", asked), ["eyes"]);
    github.hook("http://127.0.0.1:9/hooks", "a secret");
    github.comment("ann", "acme/shop", 3, "/status").await;
    github.delivered().await;
    let failed = client
        .failed_deliveries(Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    assert_eq!((failed.len(), failed[0].attempts), (1, 1));
    client.redeliver(failed[0].id).await.unwrap();
    github.delivered().await;
    let failed = client
        .failed_deliveries(Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    assert_eq!((failed.len(), failed[0].attempts), (1, 2));
    contract::check(&github);
}

#[tokio::test]
async fn trouble_is_made_as_it_was_planned() {
    let (github, caller) = start().await;
    let path = "/repos/acme/shop/issues/3/comments";
    let write = async |text: &str| caller.try_post(path, json!({ "body": text })).await;
    let written = || github.comments().len();
    github.expect_trouble_at("POST", "/comments", Trouble::Reset);
    assert_eq!(
        caller.get(path).await.status,
        200,
        "trouble for one kind of call only"
    );
    assert!(write("a").await.is_err());
    assert_eq!(written(), 0);
    github.expect_trouble_at("POST", "/comments", Trouble::ResetAfterActing);
    assert!(write("b").await.is_err());
    assert_eq!(written(), 1);
    github.expect_trouble([Trouble::Garbage, Trouble::secondary_limit(Some(7))]);
    let garbage = write("c").await.unwrap();
    assert_eq!(
        (garbage.status, garbage.body, written()),
        (201, Value::Null, 2)
    );
    let limited = write("d").await.unwrap();
    assert_eq!(
        (limited.status, limited.header("retry-after"), written()),
        (403, "7", 2)
    );
    for (trouble, count) in [(Trouble::SilenceBefore, 2), (Trouble::Silence, 3)] {
        github.expect_trouble([trouble]);
        let silence = tokio::time::timeout(Duration::from_millis(200), write("e")).await;
        assert!(silence.is_err() && written() == count);
    }
    assert_eq!(github.trouble_left(), 0);
}

type Heard = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// Something that listens for webhooks, and what it heard; refuses the first of them.
async fn listen(refusals: usize) -> (String, Heard) {
    let heard = Heard::default();
    let take = async move |State(heard): State<Heard>, headers: HeaderMap, body: Bytes| {
        let mut heard = heard.lock().unwrap();
        heard.push((headers, body));
        if heard.len() > refusals {
            StatusCode::ACCEPTED
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    let routes = Router::new().fallback(take).with_state(heard.clone());
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hooks/github", socket.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(socket, routes).await });
    (url, heard)
}

#[tokio::test]
async fn webhooks_are_signed_and_lost_ones_are_sent_again_only_on_request() {
    let (github, _) = start().await;
    let (url, heard) = listen(1).await;
    github.hook(&url, "a secret");
    github.comment("ann", "acme/shop", 3, "/deploy prod").await;
    github.drop_next(1);
    github.comment("ann", "acme/shop", 3, "/help").await;
    github.delivered().await;
    let outcomes: Vec<String> = github
        .deliveries()
        .into_iter()
        .map(|(_, outcome)| outcome)
        .collect();
    assert_eq!(
        outcomes,
        ["Invalid HTTP Response: 503", "failed to connect to host"]
    );

    let app = Caller::app(&github);
    let first = app.get("/app/hook/deliveries?per_page=1").await;
    let rest = app.get(&first.link("next").unwrap()).await;
    assert!(rest.link("next").is_none());
    for failed in [&rest.body[0], &first.body[0]] {
        let again = format!("/app/hook/deliveries/{}/attempts", failed["id"]);
        assert_eq!(app.post(&again, Value::Null).await.status, 202);
    }
    github.delivered().await;
    let good = app.get("/app/hook/deliveries?status=success").await;
    assert_eq!(good.body.as_array().unwrap().len(), 2);
    assert_eq!(good.body[0]["redelivery"], true);

    let heard = heard.lock().unwrap().clone();
    let secrets = WebhookSecrets::new([b"a secret".to_vec()]);
    let keys: Vec<String> = heard
        .iter()
        .map(|(headers, body)| edge::receive(&secrets, headers, body).unwrap().key)
        .collect();
    assert_eq!(keys[0], keys[1], "the same delivery under the same id");
    assert_ne!(keys[1], keys[2]);
    let (headers, body) = &heard[2];
    assert_eq!(headers["x-github-event"], "issue_comment");
    assert_eq!(
        headers["x-github-hook-installation-target-type"],
        "integration"
    );
    assert!(
        headers["user-agent"]
            .to_str()
            .unwrap()
            .starts_with("GitHub-Hookshot/")
    );
    let told = edge::interpret("issue_comment", body).unwrap();
    let [Incoming::Comment(comment)] = told.as_slice() else {
        panic!("not taken for a comment");
    };
    assert_eq!(comment.place.pull_request, 3);
}

#[tokio::test]
async fn webhooks_are_held_doubled_and_shuffled() {
    let (github, _) = start().await;
    let (url, heard) = listen(0).await;
    github.hook(&url, "a secret");
    github.hold();
    for text in ["a", "b", "c"] {
        github.comment("ann", "acme/shop", 3, text).await;
    }
    assert_eq!(github.held(), 3);
    github.release(&Order::Chosen(vec![2, 0]));
    github.repeat_each(2);
    github.comment("ann", "acme/shop", 3, "d").await;
    github.lose_next(1);
    github.comment("ann", "acme/shop", 3, "e").await;
    github.delivered().await;
    let texts: Vec<Value> = heard
        .lock()
        .unwrap()
        .iter()
        .map(|(_, body)| serde_json::from_slice::<Value>(body).unwrap()["comment"]["body"].clone())
        .collect();
    assert_eq!(texts, ["c", "a", "d", "d"]);
}

#[tokio::test]
async fn a_push_moves_the_pull_request_and_starts_workflows() {
    let (github, caller) = start().await;
    github.hook("http://127.0.0.1:9/hooks", "a secret");
    github.add_workflow("acme/shop", "ci.yml", &["push"]);
    let sha = github
        .push("acme/shop", "more", vec![NewCommit::by("ann", "Even more")])
        .await;
    let pull = caller.get("/repos/acme/shop/pulls/3").await;
    assert_eq!(pull.body["head"]["sha"], sha);
    let merged = github.merge("acme/shop", 3, "ann").await;
    let pull = caller.get("/repos/acme/shop/pulls/3").await;
    assert_eq!(
        (&pull.body["merged"], &pull.body["merge_commit_sha"]),
        (&true.into(), &json!(merged))
    );
    let brought = caller
        .get(&format!("/repos/acme/shop/commits/{sha}/pulls"))
        .await;
    assert_eq!(brought.body[0]["number"], 3);
    let commit = caller
        .get(&format!("/repos/acme/shop/commits/{merged}"))
        .await;
    let people = (
        &commit.body["author"]["login"],
        &commit.body["committer"]["login"],
    );
    assert_eq!(
        people,
        (&"ann".into(), &"web-flow".into()),
        "GitHub's button commits itself"
    );
    let told: Vec<(String, Option<String>)> = github
        .sent()
        .into_iter()
        .map(|sent| (sent.event.clone(), sent.action.clone()))
        .collect();
    let expect = [
        ("push", None),
        ("pull_request", Some("synchronize")),
        ("workflow_run", Some("requested")),
        ("pull_request", Some("closed")),
        ("push", None),
        ("workflow_run", Some("requested")),
    ];
    let expect = expect.map(|(event, action)| (event.to_owned(), action.map(str::to_owned)));
    assert_eq!(told, expect);
}

#[tokio::test]
async fn a_squash_is_a_commit_of_its_own() {
    let (github, caller) = start().await;
    let head = github.head("acme/shop", "more").unwrap();
    let main = github.head("acme/shop", "main").unwrap();
    github.add_person(6, "bob");
    let squashed = github.squash("acme/shop", 3, "bob").await;
    let commit = caller.get("/repos/acme/shop/commits/main").await;
    assert_eq!(
        (&commit.body["sha"], &commit.body["author"]["login"]),
        (&json!(squashed), &"ann".into())
    );
    let parents = commit.body["parents"].as_array().unwrap();
    assert_eq!((parents.len(), &parents[0]["sha"]), (1, &json!(main)));
    assert_eq!(commit.body["files"][0]["filename"], "src/shop.rs");
    let compared = caller
        .get(&format!("/repos/acme/shop/compare/{head}...main"))
        .await;
    assert_eq!(compared.body["status"], "diverged");
    let brought = caller
        .get(&format!("/repos/acme/shop/commits/{squashed}/pulls"))
        .await;
    assert_eq!(brought.body[0]["number"], 3);
}

#[tokio::test]
async fn old_deliveries_are_forgotten() {
    let (clock, hand) = Clock::by_hand(Clock::system().now());
    let github = GitHub::start_at(TOKEN, clock).await.unwrap();
    github.hook("http://127.0.0.1:9/hooks", "a secret");
    github.comment("ann", "acme/shop", 3, "/help").await;
    github.delivered().await;
    let list = "/app/hook/deliveries";
    assert_eq!(
        Caller::app(&github)
            .get(list)
            .await
            .body
            .as_array()
            .unwrap()
            .len(),
        1
    );
    hand.advance(Duration::from_secs(3 * 24 * 3_600));
    let later = Caller::new(&github, &jwt(&json!(APP_ID), 3 * 24 * 3_600 + 540));
    assert_eq!(later.get(list).await.body, json!([]));
}
