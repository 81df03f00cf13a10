//! Webhooks: what they wear, what they say, and how they fail.

use std::collections::BTreeSet;
use std::time::Duration;

use countersign_ground::digest;
use countersign_sandbox::gitlab::{NewCommit, Order};
use serde_json::{Value, json};

use super::{Ear, SHOP, TOKEN, at_hand, last, overheard, start};

#[tokio::test]
async fn webhooks_wear_the_headers_that_their_settings_ask_for() {
    let (gitlab, caller, _hand) = at_hand().await;
    let signing = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let ear = Ear::default();
    let url = ear.open().await;
    let hook = json!({
        "url": url, "token": "plain", "signing_token": signing, "push_events": false,
        "note_events": true,
    });
    let made = caller.post("hooks", hook.clone()).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.body["signing_token_present"], true);
    assert!(made.body.get("signing_token").is_none() && made.body.get("token").is_none());
    assert_eq!(
        (&made.body["note_events"], &made.body["push_events"]),
        (&true.into(), &false.into())
    );
    gitlab
        .push(SHOP, "main", vec![NewCommit::by("bob", "Unheard")])
        .await;
    gitlab.comment("ann", SHOP, 3, "Heard").await;
    gitlab.delivered().await;
    let (headers, body) = ear.heard.lock().unwrap().pop().unwrap();
    assert!(ear.heard.lock().unwrap().is_empty());
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("x-gitlab-event"), "Note Hook");
    assert_eq!(header("x-gitlab-token"), "plain");
    assert_eq!(header("x-gitlab-instance"), gitlab.url());
    assert_eq!(header("user-agent"), "GitLab/19.1.0-ee");
    assert_eq!(header("webhook-id"), header("idempotency-key"));
    let at = header("webhook-timestamp");
    assert_eq!(at, "1767323045");
    let key: Vec<u8> = (0..32).collect();
    let mut message = format!("{}.{at}.", header("webhook-id")).into_bytes();
    message.extend_from_slice(&body);
    let tag = digest::hmac_sha256_hex(&key, &message);
    let signature = header("webhook-signature");
    assert_eq!(
        digest::hex(&unbase64(signature.strip_prefix("v1,").unwrap())),
        tag
    );

    let path = format!("hooks/{}", made.body["id"]);
    let wrong = json!({ "signing_token": "whsec_short" });
    assert_eq!(caller.ask("PUT", &path, wrong).await.status, 422);
    let moved = caller
        .ask("PUT", &path, json!({ "push_events": true }))
        .await;
    assert_eq!(moved.body["push_events"], true);
    gitlab.set_version("18.4.0-ee");
    let old = caller.post("hooks", hook).await;
    assert!(
        old.body.get("signing_token_present").is_none(),
        "nothing is known of it there"
    );
    gitlab.comment("ann", SHOP, 3, "Again").await;
    gitlab.delivered().await;
    assert_eq!(ear.header("webhook-signature"), ["", ""]);
    assert_eq!(caller.ask("DELETE", &path, Value::Null).await.status, 204);
    assert_eq!(caller.get(&path).await.status, 404);
    gitlab.set_version("19.0.1");
    let signed = gitlab.hook_signed(&url, signing);
    ear.heard.lock().unwrap().clear();
    let note = gitlab.comment("ann", SHOP, 3, "Signed").await;
    gitlab.set_signing_token(signed, None);
    gitlab.edit_comment("ann", SHOP, note, "Bare").await;
    gitlab.delivered().await;
    let tokens = ear.header("x-gitlab-token");
    assert_eq!(tokens, ["plain", "", "plain", ""]);
    let signatures = ear.header("webhook-signature");
    let is_signed: Vec<bool> = signatures
        .iter()
        .map(|tag| tag.starts_with("v1,"))
        .collect();
    assert_eq!(
        is_signed,
        [false, true, false, false],
        "a token that was not heard is not remembered either"
    );
    gitlab.set_version("18.4.0-ee");
    assert_eq!(caller.get("/version").await.body["version"], "18.4.0-ee");
    assert_eq!(
        caller.get("hooks").await.each("id"),
        [old.body["id"].clone()]
    );
}

/// As plain as it gets, to have another opinion.
fn unbase64(text: &str) -> Vec<u8> {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letters = text.trim_end_matches('=').chars();
    let digits = letters.map(|letter| LETTERS.find(letter).unwrap());
    let bits: Vec<bool> = digits
        .flat_map(|digit| (0..6).rev().map(move |bit| digit >> bit & 1 == 1))
        .collect();
    let bytes = bits.chunks_exact(8);
    bytes
        .map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | u8::from(*bit)))
        .collect()
}

#[tokio::test]
async fn deliveries_can_be_held_shuffled_repeated_and_lost() {
    let (gitlab, _caller) = start().await;
    let ear = Ear::default();
    gitlab.hook(&ear.open().await, "plain");
    let texts = |ear: &Ear| -> Vec<String> {
        let heard = std::mem::take(&mut *ear.heard.lock().unwrap());
        let bodies = heard
            .iter()
            .map(|(_, body)| serde_json::from_slice::<Value>(body).unwrap());
        bodies
            .map(|body| {
                body["object_attributes"]["note"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    };
    for (order, expect) in [
        (Order::AsTheyCame, vec!["1", "2", "3"]),
        (Order::Backwards, vec!["3", "2", "1"]),
        (Order::Chosen(vec![2, 0, 2]), vec!["3", "1", "3"]),
    ] {
        gitlab.hold();
        for text in ["1", "2", "3"] {
            gitlab.comment("ann", SHOP, 3, text).await;
        }
        assert_eq!(gitlab.held(), 3);
        gitlab.release(&order);
        gitlab.delivered().await;
        assert_eq!(texts(&ear), expect, "{order:?}");
    }
    gitlab.lose_next(1);
    gitlab.drop_next(1);
    for text in ["lost", "dropped", "heard"] {
        gitlab.comment("ann", SHOP, 3, text).await;
    }
    gitlab.delivered().await;
    assert_eq!(texts(&ear), ["heard"]);
    assert_eq!(gitlab.sent().len(), 12);
    gitlab.repeat_each(3);
    gitlab.comment("ann", SHOP, 3, "often").await;
    gitlab.delivered().await;
    let (keys, uuids) = (
        ear.header("idempotency-key"),
        ear.header("x-gitlab-webhook-uuid"),
    );
    let distinct = |texts: &[String]| texts.iter().collect::<BTreeSet<_>>().len();
    assert_eq!((keys.len(), distinct(&keys), distinct(&uuids)), (3, 1, 3));
    assert_eq!(texts(&ear), ["often"; 3]);
}

#[tokio::test]
async fn a_webhook_that_fails_is_called_less_and_then_no_more() {
    let (gitlab, caller, hand) = at_hand().await;
    let ear = Ear::default();
    let url = ear.open().await;
    let hook = gitlab.project_hook(SHOP, &url, "plain");
    let path = format!("hooks/{hook}");
    let status = async || {
        let shown = caller.get(&path).await;
        let word = |field: &str| shown.body[field].as_str().unwrap_or("").to_owned();
        (word("alert_status"), word("disabled_until"))
    };
    let speak = async || {
        gitlab.comment("ann", SHOP, 3, "Hello").await;
        gitlab.delivered().await;
        ear.heard.lock().unwrap().len()
    };
    ear.say(500, 3);
    ear.say(302, 1);
    for heard in 1..=4 {
        assert_eq!(speak().await, heard);
    }
    assert_eq!(status().await.0, "executable", "a redirect is fine");
    ear.say(401, 4);
    for heard in 5..=8 {
        assert_eq!(speak().await, heard);
    }
    let minute = "2026-01-02T03:05:05.000Z".to_owned();
    assert_eq!(status().await, ("temporarily_disabled".to_owned(), minute));
    assert_eq!(
        speak().await,
        8,
        "nothing is sent meanwhile, and nothing later"
    );
    hand.advance(Duration::from_secs(60));
    assert_eq!(status().await, ("executable".to_owned(), String::new()));
    ear.say(500, 1);
    assert_eq!(speak().await, 9);
    let two = "2026-01-02T03:07:05.000Z".to_owned();
    assert_eq!(status().await, ("temporarily_disabled".to_owned(), two));
    ear.say(500, 35);
    for _ in 0..35 {
        hand.advance(Duration::from_secs(24 * 60 * 60));
        speak().await;
    }
    hand.advance(Duration::from_secs(24 * 60 * 60));
    assert_eq!(status().await, ("disabled".to_owned(), String::new()));
    let heard = speak().await;
    assert_eq!(heard, 44);
    let test = format!("{path}/test/note_events");
    ear.say(500, 1);
    assert_eq!(caller.post(&test, Value::Null).await.status, 422);
    assert_eq!(status().await.0, "disabled");
    assert_eq!(caller.post(&test, Value::Null).await.status, 201);
    assert_eq!(status().await.0, "executable");
    assert_eq!(speak().await, heard + 3);
    let push = caller
        .post(&format!("{path}/test/push_events"), Value::Null)
        .await;
    assert_eq!(push.status, 201);
    assert_eq!(ear.header("x-gitlab-event").last().unwrap(), "Push Hook");
    gitlab.never_disable_hooks();
    ear.say(500, 9);
    for _ in 0..9 {
        speak().await;
    }
    assert_eq!(status().await.0, "executable");
    for (trigger, status) in [("releases_events", 422), ("nothing", 400)] {
        let tested = caller
            .post(&format!("{path}/test/{trigger}"), Value::Null)
            .await;
        assert_eq!(tested.status, status, "{trigger}");
    }
}

#[tokio::test]
async fn what_did_not_arrive_is_written_down_and_can_be_sent_again() {
    let (gitlab, caller, hand) = at_hand().await;
    let ear = Ear::default();
    let hook = gitlab.project_hook(SHOP, &ear.open().await, "plain");
    ear.say(500, 1);
    gitlab.comment("ann", SHOP, 3, "failed").await;
    gitlab.delivered().await;
    gitlab.drop_next(1);
    gitlab.lose_next(1);
    for text in ["lost", "dropped", "heard"] {
        gitlab.comment("ann", SHOP, 3, text).await;
    }
    gitlab.delivered().await;
    let path = format!("hooks/{hook}/events");
    let all = caller.get(&path).await;
    let statuses = ["204", "internal error", "500"];
    assert_eq!(
        all.each("response_status"),
        statuses,
        "newest first; what is lost is nowhere"
    );
    assert_eq!(all.each("trigger"), ["note_hooks"; 3]);
    let shown = &all.body[1];
    assert_eq!(
        shown["request_data"]["object_attributes"]["note"],
        "dropped"
    );
    assert_eq!(shown["request_headers"]["X-Gitlab-Token"], "[REDACTED]");
    for (query, count) in [
        ("?status=successful", 1),
        ("?status=server_failure", 1),
        ("?status=500,204", 2),
    ] {
        let found = caller.get(&format!("{path}{query}")).await;
        assert_eq!(found.body.as_array().unwrap().len(), count, "{query}");
    }
    let unknown = caller.get(&format!("{path}?status=internal%20error")).await;
    assert_eq!(
        unknown.status, 400,
        "there is no word for what got no answer"
    );
    let again = format!("{path}/{}/resend", shown["id"]);
    let sent = caller.post(&again, Value::Null).await;
    assert_eq!(
        (sent.status, &sent.body["response_status"]),
        (201, &200.into())
    );
    ear.say(503, 1);
    assert_eq!(caller.post(&again, Value::Null).await.status, 422);
    let keys = ear.header("idempotency-key");
    assert_eq!(keys[2..], [keys[2].clone(), keys[2].clone()]);
    assert_eq!(shown["request_headers"]["Idempotency-Key"], keys[2]);
    let events = ear.header("x-gitlab-event-uuid");
    assert_eq!(events[2], shown["request_headers"]["X-Gitlab-Event-UUID"]);
    let outcomes: Vec<String> = gitlab
        .deliveries()
        .into_iter()
        .map(|(_, word)| word)
        .collect();
    assert_eq!(outcomes, ["500", "internal error", "204", "204", "503"]);
    assert_eq!(
        caller
            .post(&format!("{path}/1/resend"), Value::Null)
            .await
            .status,
        404
    );
    assert_eq!(caller.get(&format!("{path}?per_page=50")).await.status, 400);
    hand.advance(Duration::from_secs(8 * 24 * 60 * 60));
    assert_eq!(caller.get(&path).await.body, json!([]));
    gitlab.set_version("17.2.0");
    assert_eq!(caller.get(&path).await.status, 404);
}

#[tokio::test]
async fn what_a_webhook_sets_off_belongs_to_its_event() {
    let (gitlab, _caller) = start().await;
    let ear = Ear::default();
    gitlab.hook(&ear.open().await, "plain");
    let asked = reqwest::Client::new()
        .post(format!(
            "{}/api/v4/projects/9/merge_requests/3/notes",
            gitlab.url()
        ))
        .header("private-token", TOKEN)
        .header("content-type", "application/json")
        .header(
            "x-gitlab-event-uuid",
            "00000000-0000-4000-8000-000000000001",
        )
        .body(r#"{"body":"Hello"}"#);
    assert_eq!(asked.send().await.unwrap().status(), 201);
    gitlab.comment("ann", SHOP, 3, "Hello").await;
    gitlab.delivered().await;
    let events = ear.header("x-gitlab-event-uuid");
    assert_eq!(events[0], "00000000-0000-4000-8000-000000000001");
    assert_ne!(events[0], events[1]);
}

#[tokio::test]
async fn webhooks_say_things_in_their_own_ways() {
    let (gitlab, _caller, _hand) = overheard().await;
    let sha = gitlab
        .push(SHOP, "main", vec![NewCommit::by("bob", "Change\n\nWhy")])
        .await;
    let push = &last(&gitlab, "Push Hook").body;
    assert_eq!(
        (&push["after"], &push["checkout_sha"]),
        (&sha.as_str().into(), &sha.as_str().into())
    );
    assert_eq!(
        (&push["ref"], &push["user_id"]),
        (&"refs/heads/main".into(), &6.into())
    );
    assert!(push.get("user").is_none(), "flat fields only");
    assert_eq!(push["commits"][0]["timestamp"], "2026-01-02T03:04:05+00:00");
    gitlab.job(SHOP, &sha, "build", "running").await;
    let job = &last(&gitlab, "Job Hook").body;
    let pipeline = gitlab.pipeline_of(SHOP, &sha).unwrap();
    assert_eq!(job["object_kind"], "build");
    assert_eq!(job["commit"]["id"], pipeline, "not the commit's");
    assert_eq!(job["commit"]["sha"], sha);
    assert_eq!(job["build_started_at"], "2026-01-02 03:04:05 UTC");
    gitlab.pass(SHOP, &sha).await;
    let job = &last(&gitlab, "Job Hook").body;
    assert_eq!(
        (&job["build_name"], &job["build_status"]),
        (&"deploy-prod".into(), &"manual".into())
    );
    assert_eq!(job["environment"]["name"], "production");
    let deployed = &last(&gitlab, "Deployment Hook").body;
    assert_eq!(
        (&deployed["environment"], &deployed["status"]),
        (&"staging".into(), &"success".into())
    );
    assert_eq!(deployed["status_changed_at"], "2026-01-02 03:04:05 +0000");
    assert!(deployed.get("sha").is_none());
    assert_eq!(deployed["short_sha"], sha[..8]);
    let url = deployed["commit_url"].as_str().unwrap();
    assert!(url.ends_with(&format!("/-/commit/{sha}")), "{url}");
    let whole = &last(&gitlab, "Pipeline Hook").body;
    assert_eq!(whole["object_attributes"]["status"], "success");
    assert_eq!(whole["object_attributes"]["detailed_status"], "passed");
    assert_eq!(
        whole["object_attributes"]["stages"],
        json!(["build", "test", "staging", "production"])
    );
    let statuses: Vec<&Value> = whole["builds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| &job["status"])
        .collect();
    assert_eq!(statuses, ["success", "success", "success", "manual"]);
    gitlab
        .push_as("ann", SHOP, "main", vec![NewCommit::by("bob", "Lent")])
        .await;
    let push = &last(&gitlab, "Push Hook").body;
    assert_eq!(push["user_username"], "ann");
    assert_eq!(push["commits"][0]["author"]["email"], "bob@example.com");
    let many = (0..25).map(|number| NewCommit::by("bob", &format!("Commit {number}")));
    gitlab.push(SHOP, "main", many.collect()).await;
    let push = &last(&gitlab, "Push Hook").body;
    assert_eq!(push["commits"].as_array().unwrap().len(), 20);
    assert_eq!(push["total_commits_count"], 25);
    assert_eq!(push["commits"][19]["title"], "Commit 24");
    gitlab.delete_branch(SHOP, "more").await;
    let push = &last(&gitlab, "Push Hook").body;
    assert_eq!(
        (&push["checkout_sha"], &push["after"]),
        (&Value::Null, &"0".repeat(40).into())
    );
    gitlab.tag(SHOP, "v1", &sha, "ann").await;
    assert_eq!(last(&gitlab, "Tag Push Hook").body["ref"], "refs/tags/v1");
    gitlab.publish_release(SHOP, "v1").await;
    let release = last(&gitlab, "Release Hook");
    assert_eq!(
        (release.action.as_deref(), &release.body["tag"]),
        (Some("create"), &"v1".into())
    );
}
