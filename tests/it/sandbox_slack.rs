//! The sandbox Slack where its behaviour is subtle, and where we depend on it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::IntoResponse as _;
use countersign_ground::clock::{Clock, Hand};
use countersign_ground::digest;
use countersign_sandbox::slack::{
    ANN, APP, APP_TOKEN, BOB, BOT, BOT_TOKEN, CHANNEL, GROUP, Mention, SIGNING_SECRET, Seen, Slack,
    TEAM, Trouble,
};
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

const JSON: &str = "application/json; charset=utf-8";
const FORM: &str = "application/x-www-form-urlencoded";

/// An answer, read to its end.
#[derive(Debug)]
struct Answer {
    status: u16,
    retry_after: String,
    /// What is not JSON is a text.
    body: Value,
}

impl Answer {
    fn error(&self) -> &str {
        self.body["error"].as_str().unwrap_or("")
    }

    fn ts(&self) -> &str {
        self.body["ts"].as_str().unwrap()
    }
}

async fn send(url: &str, token: &str, kind: &str, body: String) -> reqwest::Result<Answer> {
    let mut request = reqwest::Client::new().post(url).body(body);
    if !kind.is_empty() {
        request = request.header("content-type", kind);
    }
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = request.send().await?;
    let status = response.status().as_u16();
    let retry_after = response.headers().get("retry-after").cloned();
    let text = response.text().await?;
    Ok(Answer {
        status,
        retry_after: retry_after.map_or(String::new(), |it| it.to_str().unwrap().to_owned()),
        body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
    })
}

/// What the app does when it hears something.
enum Reply {
    Say(Value),
    Text(&'static str),
    Status(u16),
    Nothing,
    Never,
}

#[derive(Clone, Default)]
struct App {
    replies: Arc<Mutex<VecDeque<Reply>>>,
    /// Fields of commands, and payloads.
    heard: Arc<Mutex<Vec<Value>>>,
}

impl App {
    async fn start(slack: &Slack) -> Self {
        let app = Self::default();
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/slack", socket.local_addr().unwrap());
        let routes = Router::new().fallback(hear).with_state(app.clone());
        tokio::spawn(async move { axum::serve(socket, routes).await });
        slack.set_commands_url(&url);
        slack.set_interactivity_url(&url);
        app
    }

    fn will(&self, reply: Reply) {
        self.replies.lock().unwrap().push_back(reply);
    }

    fn heard(&self) -> Value {
        self.heard.lock().unwrap().last().unwrap().clone()
    }
}

async fn hear(State(app): State<App>, headers: HeaderMap, body: Bytes) -> axum::response::Response {
    let header = |name: &str| {
        headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    };
    let url =
        reqwest::Url::parse(&format!("http://x/?{}", str::from_utf8(&body).unwrap())).unwrap();
    let fields: serde_json::Map<String, Value> = url
        .query_pairs()
        .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
        .collect();
    if fields.contains_key("ssl_check") {
        return StatusCode::OK.into_response();
    }
    let message = [
        b"v0:",
        header("x-slack-request-timestamp").as_bytes(),
        b":",
        &body,
    ]
    .concat();
    let tag = digest::hmac_sha256_hex(SIGNING_SECRET.as_bytes(), &message);
    if header("x-slack-signature") != format!("v0={tag}") || header("content-type") != FORM {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let heard = match fields.get("payload") {
        Some(payload) => serde_json::from_str(payload.as_str().unwrap()).unwrap(),
        None => Value::Object(fields),
    };
    app.heard.lock().unwrap().push(heard);
    let reply = app
        .replies
        .lock()
        .unwrap()
        .pop_front()
        .unwrap_or(Reply::Nothing);
    match reply {
        Reply::Say(body) => axum::Json(body).into_response(),
        Reply::Text(text) => text.into_response(),
        Reply::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Reply::Nothing => StatusCode::OK.into_response(),
        Reply::Never => std::future::pending().await,
    }
}

struct Setting {
    slack: Slack,
    hand: Hand,
    app: App,
}

impl Setting {
    async fn start() -> Self {
        let (clock, hand) = Clock::by_hand("2026-03-01T10:00:00Z".parse::<Timestamp>().unwrap());
        let slack = Slack::start_at(clock).await.unwrap();
        for method in ["chat.postMessage", "views.open", "chat.update"] {
            slack.set_limit(method, 10_000, Duration::from_secs(1));
        }
        let app = App::start(&slack).await;
        Self { slack, hand, app }
    }

    async fn call(&self, method: &str, body: &Value) -> Answer {
        self.call_as(BOT_TOKEN, method, JSON, body.to_string())
            .await
    }

    async fn call_as(&self, token: &str, method: &str, kind: &str, body: String) -> Answer {
        let url = format!("{}/api/{method}", self.slack.url());
        send(&url, token, kind, body).await.unwrap()
    }

    async fn post(&self, body: Value) -> Answer {
        let mut body = body;
        body["channel"] = CHANNEL.into();
        self.call("chat.postMessage", &body).await
    }

    /// Answers at the address that was heard last.
    async fn respond(&self, body: Value) -> Answer {
        let url = self.app.heard()["response_url"]
            .as_str()
            .unwrap()
            .to_owned();
        send(&url, "", JSON, body.to_string()).await.unwrap()
    }

    async fn button(&self) -> countersign_sandbox::slack::Message {
        let button =
            json!({ "type": "button", "action_id": "go", "value": "r-1", "text": plain(2) });
        let actions = json!({ "type": "actions", "block_id": "b", "elements": [button] });
        let ts = self
            .post(json!({ "text": "Sure?", "blocks": [actions] }))
            .await;
        self.slack.message(CHANNEL, ts.ts()).unwrap()
    }

    /// Ann clicks, and the app opens this view.
    async fn open(&self, view: &Value) -> Answer {
        let message = self.button().await;
        self.slack.click(ANN, &message, "go").await;
        let trigger = self.app.heard()["trigger_id"].clone();
        self.call(
            "views.open",
            &json!({ "trigger_id": trigger, "view": view }),
        )
        .await
    }
}

fn long(length: usize) -> String {
    "ö".repeat(length)
}

fn plain(length: usize) -> Value {
    json!({ "type": "plain_text", "text": long(length) })
}

fn marked(length: usize) -> Value {
    json!({ "type": "mrkdwn", "text": long(length) })
}

#[tokio::test]
async fn blocks_are_limited_to_the_letter() {
    let setting = Setting::start().await;
    let section = |text: Value| json!({ "type": "section", "text": text });
    let fields = |count: usize, length: usize| json!({ "type": "section", "fields": vec![marked(length); count] });
    let header = |text: Value| json!({ "type": "header", "text": text });
    let context = |count: usize| json!({ "type": "context", "elements": vec![marked(1); count] });
    let button = |part: Value| {
        let mut button = json!({ "type": "button", "text": plain(1) });
        for (name, value) in part.as_object().unwrap() {
            button[name] = value.clone();
        }
        json!({ "type": "actions", "elements": [button] })
    };
    let actions = |count: usize| json!({ "type": "actions", "elements": vec![json!({ "type": "button", "text": plain(1) }); count] });
    let named = |id: usize| json!({ "type": "divider", "block_id": long(id) });
    let confirm = |title: usize, text: usize, yes: usize| {
        button(
            json!({ "confirm": { "title": plain(title), "text": plain(text), "confirm": plain(yes), "deny": plain(1) } }),
        )
    };
    for (place, good, bad) in [
        ("/text/text", section(marked(3_000)), section(marked(3_001))),
        ("/text/text", section(marked(1)), section(marked(0))),
        (
            "/text/type",
            section(plain(1)),
            section(json!({ "type": "markdown", "text": "x" })),
        ),
        ("/fields", fields(10, 1), fields(11, 1)),
        ("/fields/0/text", fields(1, 2_000), fields(1, 2_001)),
        ("/text/text", header(plain(150)), header(plain(151))),
        ("/text/type", header(plain(1)), header(marked(1))),
        ("/elements", context(10), context(11)),
        ("/elements", actions(25), actions(26)),
        (
            "/elements/0/text/text",
            button(json!({ "text": plain(75) })),
            button(json!({ "text": plain(76) })),
        ),
        (
            "/elements/0/text/type",
            button(json!({})),
            button(json!({ "text": marked(1) })),
        ),
        (
            "/elements/0/value",
            button(json!({ "value": long(2_000) })),
            button(json!({ "value": long(2_001) })),
        ),
        (
            "/elements/0/url",
            button(json!({ "url": long(3_000) })),
            button(json!({ "url": long(3_001) })),
        ),
        (
            "/elements/0/action_id",
            button(json!({ "action_id": long(255) })),
            button(json!({ "action_id": long(256) })),
        ),
        (
            "/elements/0/style",
            button(json!({ "style": "danger" })),
            button(json!({ "style": "green" })),
        ),
        (
            "/elements/0/confirm/title/text",
            confirm(100, 1, 1),
            confirm(101, 1, 1),
        ),
        (
            "/elements/0/confirm/text/text",
            confirm(1, 300, 1),
            confirm(1, 301, 1),
        ),
        (
            "/elements/0/confirm/confirm/text",
            confirm(1, 1, 30),
            confirm(1, 1, 31),
        ),
        ("/block_id", named(255), named(256)),
        (
            "/type",
            named(1),
            json!({ "type": "input", "label": plain(1), "element": { "type": "plain_text_input" } }),
        ),
    ] {
        let answer = setting.post(json!({ "text": "x", "blocks": [good] })).await;
        assert_eq!(answer.error(), "", "{place} {answer:?}");
        let answer = setting.post(json!({ "text": "x", "blocks": [bad] })).await;
        let said = answer.body["response_metadata"]["messages"][0]
            .as_str()
            .unwrap();
        assert_eq!((answer.status, answer.error()), (200, "invalid_blocks"));
        let expect = format!("[json-pointer:/blocks/0{place}]");
        assert!(
            said.starts_with("[ERROR] ") && said.ends_with(&expect),
            "{said}, not {expect}"
        );
    }
    let dividers = |count: usize| json!({ "blocks": vec![json!({ "type": "divider" }); count] });
    assert_eq!(setting.post(dividers(50)).await.error(), "");
    assert_eq!(setting.post(dividers(51)).await.error(), "invalid_blocks");
    let twice = json!({ "blocks": [named(1), named(1)] });
    assert_eq!(setting.post(twice).await.error(), "invalid_blocks");
    let same = json!({ "type": "button", "action_id": "a", "text": plain(1) });
    let twice = json!({ "blocks": [{ "type": "actions", "elements": [same, same] }] });
    assert_eq!(setting.post(twice).await.error(), "invalid_blocks");
    assert_eq!(
        setting.post(json!({ "blocks": "x" })).await.error(),
        "invalid_blocks_format"
    );
}

#[tokio::test]
async fn who_may_call_and_how_is_checked() {
    let setting = Setting::start().await;
    let body = json!({ "channel": CHANNEL, "text": "x" });
    for (token, method, kind, body, expect) in [
        ("", "auth.test", JSON, json!({}), "not_authed"),
        ("xoxb-other", "auth.test", JSON, json!({}), "invalid_auth"),
        (
            APP_TOKEN,
            "auth.test",
            JSON,
            json!({}),
            "not_allowed_token_type",
        ),
        (
            BOT_TOKEN,
            "apps.connections.open",
            JSON,
            json!({}),
            "not_allowed_token_type",
        ),
        (BOT_TOKEN, "chat.shout", JSON, json!({}), "unknown_method"),
        (
            BOT_TOKEN,
            "chat.postMessage",
            "text/plain",
            body.clone(),
            "invalid_post_type",
        ),
        (
            BOT_TOKEN,
            "chat.postMessage",
            "",
            body.clone(),
            "missing_post_type",
        ),
        (
            BOT_TOKEN,
            "chat.postMessage",
            JSON,
            json!([]),
            "json_not_object",
        ),
        (
            BOT_TOKEN,
            "users.info",
            JSON,
            json!({ "user": ANN }),
            "invalid_arguments",
        ),
    ] {
        let answer = setting.call_as(token, method, kind, body.to_string()).await;
        assert_eq!((answer.status, answer.error()), (200, expect), "{method}");
    }
    let broken = setting
        .call_as(BOT_TOKEN, "auth.test", JSON, "{".to_owned())
        .await;
    assert_eq!(broken.error(), "invalid_json");
    let odd = setting
        .call_as(
            BOT_TOKEN,
            "chat.postMessage",
            "application/json",
            body.to_string(),
        )
        .await;
    assert_eq!(odd.body["warning"], "missing_charset");
    let blocks = "%5B%7B%22type%22%3A%22divider%22%7D%5D";
    let form = format!("channel=%23deploys&text=a+b&blocks={blocks}");
    let posted = setting
        .call_as(BOT_TOKEN, "chat.postMessage", FORM, form)
        .await;
    assert_eq!(posted.body["message"]["text"], "a b");
    assert_eq!(posted.body["message"]["blocks"][0]["type"], "divider");
    let info = setting
        .call_as(BOT_TOKEN, "users.info", FORM, format!("user={ANN}"))
        .await;
    assert_eq!(info.body["user"]["name"], "ann");
    let group = setting
        .call_as(
            BOT_TOKEN,
            "usergroups.users.list",
            FORM,
            format!("usergroup={GROUP}"),
        )
        .await;
    assert_eq!(group.body["users"], json!([ANN]));
    let group = setting
        .call_as(
            BOT_TOKEN,
            "usergroups.users.list",
            FORM,
            "usergroup=S1".to_owned(),
        )
        .await;
    assert_eq!(group.error(), "no_such_subteam");
    let me = setting.call("auth.test", &json!({})).await;
    assert_eq!(
        (&me.body["team_id"], &me.body["user_id"]),
        (&json!(TEAM), &json!(BOT))
    );
    setting.slack.set_scopes(&["commands"]);
    let refused = setting.post(json!({ "text": "x" })).await;
    assert_eq!(
        (refused.error(), &refused.body["needed"]),
        ("missing_scope", &json!("chat:write"))
    );
    setting.slack.revoke_tokens();
    assert_eq!(
        setting.call("auth.test", &json!({})).await.error(),
        "token_revoked"
    );
}

#[tokio::test]
async fn messages_are_posted_changed_and_deleted_where_one_may() {
    let setting = Setting::start().await;
    setting.slack.add_channel("C0OTHER", "other", &[ANN], false);
    for (body, expect) in [
        (json!({ "text": "x" }), "invalid_arguments"),
        (
            json!({ "channel": "C0NONE", "text": "x" }),
            "channel_not_found",
        ),
        (
            json!({ "channel": "C0OTHER", "text": "x" }),
            "not_in_channel",
        ),
        (json!({ "channel": CHANNEL }), "no_text"),
        (
            json!({ "channel": CHANNEL, "text": long(40_001) }),
            "msg_too_long",
        ),
        (json!({ "channel": CHANNEL, "text": long(40_000) }), ""),
        (
            json!({ "channel": CHANNEL, "text": "x", "thread_ts": "1.000000" }),
            "thread_not_found",
        ),
        (
            json!({ "channel": CHANNEL, "text": "x", "metadata": { "event_type": "x" } }),
            "invalid_metadata_format",
        ),
    ] {
        assert_eq!(
            setting.call("chat.postMessage", &body).await.error(),
            expect,
            "{body}"
        );
    }
    let metadata = json!({ "event_type": "release", "event_payload": { "id": "r-1" } });
    let first = setting
        .post(json!({ "text": "one", "metadata": metadata, "blocks": [{ "type": "divider" }] }))
        .await;
    let second = setting
        .post(json!({ "text": "two", "thread_ts": first.ts() }))
        .await;
    assert!(
        first.ts() < second.ts(),
        "at the same time, and still in order"
    );
    assert_eq!(setting.slack.replies(CHANNEL, first.ts())[0].text, "two");
    let update = async |body: Value| {
        let mut body = body;
        body["ts"] = first.ts().into();
        setting.call("chat.update", &body).await
    };
    for (body, expect) in [
        (
            json!({ "channel": "#deploys", "text": "new" }),
            "channel_not_found",
        ),
        (json!({ "channel": CHANNEL }), "no_text"),
        (
            json!({ "channel": CHANNEL, "text": long(4_001) }),
            "msg_too_long",
        ),
        (json!({ "channel": CHANNEL, "text": "new" }), ""),
    ] {
        assert_eq!(update(body.clone()).await.error(), expect, "{body}");
    }
    let now = setting.slack.message(CHANNEL, first.ts()).unwrap();
    assert_eq!(
        (now.text.as_str(), now.earlier.as_slice(), now.blocks.len()),
        ("new", &["one".to_owned()][..], 1)
    );
    assert_eq!(now.metadata, Some(metadata));
    update(json!({ "channel": CHANNEL, "text": "new", "blocks": [], "metadata": {} })).await;
    let now = setting.slack.message(CHANNEL, first.ts()).unwrap();
    assert_eq!((now.blocks.len(), now.metadata), (0, None));
    let theirs = setting.slack.say(ANN, CHANNEL, "hello");
    let about = |ts: &str| json!({ "channel": CHANNEL, "ts": ts, "text": "x" });
    assert_eq!(
        setting.call("chat.update", &about(&theirs)).await.error(),
        "cant_update_message"
    );
    assert_eq!(
        setting.call("chat.delete", &about(&theirs)).await.error(),
        "cant_delete_message"
    );
    assert_eq!(
        setting
            .call("chat.update", &about("1.000000"))
            .await
            .error(),
        "message_not_found"
    );
    assert_eq!(
        setting
            .call("chat.delete", &about(first.ts()))
            .await
            .error(),
        ""
    );
    assert_eq!(
        setting
            .call("chat.delete", &about(first.ts()))
            .await
            .error(),
        "message_not_found"
    );

    let quiet = json!({ "channel": CHANNEL, "user": BOB, "text": "psst" });
    let quiet = setting.call("chat.postEphemeral", &quiet).await;
    let ts = quiet.body["message_ts"].as_str().unwrap();
    assert_eq!(setting.slack.ephemeral_for(BOB)[0].text, "psst");
    assert_eq!(
        setting.call("chat.update", &about(ts)).await.error(),
        "message_not_found"
    );
    let stranger = json!({ "channel": CHANNEL, "user": "U0EVE", "text": "psst" });
    assert_eq!(
        setting.call("chat.postEphemeral", &stranger).await.error(),
        "user_not_in_channel"
    );
    let eyes = json!({ "channel": CHANNEL, "timestamp": theirs, "name": "eyes" });
    assert_eq!(setting.call("reactions.add", &eyes).await.error(), "");
    assert_eq!(
        setting.call("reactions.add", &eyes).await.error(),
        "already_reacted"
    );
    let named = json!({ "channel": CHANNEL, "timestamp": theirs, "name": ":eyes:" });
    assert_eq!(
        setting.call("reactions.add", &named).await.error(),
        "invalid_name"
    );
    setting.slack.archive(CHANNEL);
    assert_eq!(
        setting.post(json!({ "text": "x" })).await.error(),
        "is_archived"
    );
}

#[tokio::test]
async fn whom_a_message_mentions_is_kept() {
    let setting = Setting::start().await;
    let section = json!({ "type": "section", "text": { "type": "mrkdwn", "text": "<!subteam^S1> &lt;!here&gt;" } });
    let header =
        json!({ "type": "header", "text": { "type": "plain_text", "text": "<!everyone>" } });
    let body = json!({ "text": "<!channel> <@U0ANN>", "blocks": [section, header] });
    let posted = setting.post(body).await;
    let expect = [
        Mention::Channel,
        Mention::Group("S1".to_owned()),
        Mention::User(ANN.to_owned()),
    ];
    assert_eq!(
        setting
            .slack
            .message(CHANNEL, posted.ts())
            .unwrap()
            .mentioned,
        expect
    );
}

#[tokio::test]
async fn a_command_is_signed_and_answered_in_three_seconds() {
    let setting = Setting::start().await;
    let deploy = async || {
        setting
            .slack
            .slash(ANN, CHANNEL, "/deploy", "shop <& ö")
            .await
    };
    setting.app.will(Reply::Say(
        json!({ "text": "On it", "response_type": "in_channel" }),
    ));
    let seen = deploy().await;
    assert_eq!(seen.message().unwrap().ephemeral_to, None);
    let heard = setting.app.heard();
    for (field, expect) in [
        ("command", "/deploy"),
        ("text", "shop <& ö"),
        ("user_id", ANN),
        ("user_name", "ann"),
        ("team_id", TEAM),
        ("channel_id", CHANNEL),
        ("channel_name", "deploys"),
        ("api_app_id", APP),
        ("is_enterprise_install", "false"),
    ] {
        assert_eq!(heard[field], expect, "{field}");
    }
    setting.app.will(Reply::Text("Only for you"));
    assert_eq!(
        deploy().await.message().unwrap().ephemeral_to.as_deref(),
        Some(ANN)
    );
    assert!(matches!(deploy().await, Seen::Nothing));
    setting.app.will(Reply::Status(500));
    assert!(deploy().await.is_failure());
    setting
        .app
        .will(Reply::Say(json!({ "blocks": [{ "type": "input" }] })));
    assert!(deploy().await.is_failure());
    setting.app.will(Reply::Never);
    let (seen, ()) = tokio::join!(deploy(), async {
        while setting.app.heard.lock().unwrap().len() < 6 {
            tokio::task::yield_now().await;
        }
        setting.hand.advance(Duration::from_secs(3));
    });
    assert!(matches!(seen, Seen::Failed(why) if why == "operation_timeout"));
    assert!(
        setting
            .slack
            .slash("U0EVE", CHANNEL, "/deploy", "")
            .await
            .is_impossible()
    );

    let before = setting.app.heard();
    assert_eq!(setting.slack.repeat_last().await.unwrap().0, 200);
    assert_eq!(setting.app.heard(), before);
    assert_eq!(setting.slack.ssl_check().await, Some(200));
    let body = "command=%2Fdeploy";
    let sent = async |timestamp: &str, signature: &str| {
        let headers = [
            ("Content-Type", FORM),
            ("X-Slack-Request-Timestamp", timestamp),
            ("X-Slack-Signature", signature),
        ];
        setting.slack.send_raw(&headers, body).await.unwrap().0
    };
    let signature = setting.slack.signed(body, "1");
    assert_eq!(sent("1", &signature).await, 200);
    assert_eq!(sent("2", &signature).await, 401);
    setting.slack.set_org_wide(true);
    deploy().await;
    assert_eq!(setting.app.heard()["is_enterprise_install"], "true");
}

#[tokio::test]
async fn a_response_url_serves_five_times_in_thirty_minutes() {
    let setting = Setting::start().await;
    let message = setting.button().await;
    setting.slack.click(ANN, &message, "go").await;
    let heard = setting.app.heard();
    let action = &heard["actions"][0];
    assert_eq!(
        (&action["action_id"], &action["value"], &action["block_id"]),
        (&json!("go"), &json!("r-1"), &json!("b"))
    );
    assert_eq!(
        (&heard["message"]["ts"], &heard["team"]["id"]),
        (&json!(message.ts), &json!(TEAM))
    );
    let quiet = setting.respond(json!({ "text": "psst" })).await;
    assert_eq!((quiet.status, &quiet.body), (200, &json!("ok")));
    assert_eq!(setting.slack.ephemeral_for(ANN)[0].text, "psst");
    let loud = json!({ "text": "loud", "response_type": "in_channel", "thread_ts": message.ts });
    setting.respond(loud).await;
    assert_eq!(setting.slack.replies(CHANNEL, &message.ts)[0].text, "loud");
    setting
        .respond(json!({ "text": "By ann", "replace_original": true }))
        .await;
    let now = setting.slack.message(CHANNEL, &message.ts).unwrap();
    assert_eq!((now.text.as_str(), now.blocks.len()), ("By ann", 0));
    assert_eq!(
        setting.respond(json!({})).await.body,
        "no_text",
        "which is not a use"
    );
    assert!(
        setting
            .slack
            .click(BOB, &message, "go")
            .await
            .is_impossible()
    );
    assert!(matches!(
        setting.slack.click_raw(BOB, &message, "go").await,
        Seen::Nothing
    ));
    setting.app.heard.lock().unwrap().pop();
    setting.respond(json!({ "delete_original": true })).await;
    assert!(setting.slack.message(CHANNEL, &message.ts).is_none());
    assert_eq!(setting.respond(json!({ "text": "five" })).await.status, 200);
    let over = setting.respond(json!({ "text": "six" })).await;
    assert_eq!((over.status, &over.body), (404, &json!("used_url")));

    setting.slack.slash(ANN, CHANNEL, "/deploy", "").await;
    setting.hand.advance(Duration::from_secs(1_800));
    assert_eq!(
        setting.respond(json!({ "text": "first" })).await.status,
        200
    );
    setting
        .respond(json!({ "text": "better", "replace_original": true }))
        .await;
    assert_eq!(
        setting.slack.ephemeral_for(ANN).last().unwrap().text,
        "better"
    );
    setting.hand.advance(Duration::from_millis(1));
    let late = setting.respond(json!({ "text": "late" })).await;
    assert_eq!((late.status, &late.body), (404, &json!("expired_url")));

    let quiet = setting.slack.ephemeral_for(ANN)[0].clone();
    assert!(setting.slack.click(BOB, &quiet, "go").await.is_impossible());
}

fn view() -> Value {
    let input = json!({ "type": "plain_text_input", "action_id": "text", "min_length": 3, "max_length": 10 });
    json!({
        "type": "modal", "callback_id": "why", "private_metadata": "r-1", "title": plain(1), "submit": plain(1),
        "blocks": [{ "type": "input", "block_id": "why", "label": plain(1), "element": input }],
    })
}

#[tokio::test]
async fn views_are_limited_to_the_letter_and_opened_once() {
    let setting = Setting::start().await;
    let with = |part: Value| {
        let mut view = view();
        for (name, value) in part.as_object().unwrap() {
            view[name] = value.clone();
        }
        view
    };
    let blocks = |count: usize| vec![json!({ "type": "divider" }); count];
    for (place, good, bad) in [
        (
            "/title/text",
            json!({ "title": plain(24) }),
            json!({ "title": plain(25) }),
        ),
        (
            "/submit/text",
            json!({ "submit": plain(24) }),
            json!({ "submit": plain(25) }),
        ),
        (
            "/close/text",
            json!({ "close": plain(24) }),
            json!({ "close": plain(25) }),
        ),
        (
            "/private_metadata",
            json!({ "private_metadata": long(3_000) }),
            json!({ "private_metadata": long(3_001) }),
        ),
        (
            "/callback_id",
            json!({ "callback_id": long(255) }),
            json!({ "callback_id": long(256) }),
        ),
        (
            "/blocks",
            json!({ "blocks": blocks(100) }),
            json!({ "blocks": blocks(101) }),
        ),
        ("", json!({}), json!({ "submit": null })),
        ("", json!({}), json!({ "title": null })),
    ] {
        assert_eq!(setting.open(&with(good)).await.error(), "", "{place}");
        let answer = setting.open(&with(bad)).await;
        let said = answer.body["response_metadata"]["messages"][0]
            .as_str()
            .unwrap();
        assert_eq!(answer.error(), "invalid_arguments");
        assert!(
            said.ends_with(&format!("[json-pointer:/view{place}]")),
            "{said}"
        );
    }
    let opened = setting.open(&view()).await;
    assert_eq!(opened.body["view"]["private_metadata"], "r-1");
    let trigger = setting.app.heard()["trigger_id"].clone();
    let again = json!({ "trigger_id": trigger, "view": view() });
    assert_eq!(
        setting.call("views.open", &again).await.error(),
        "exchanged_trigger_id"
    );
    let message = setting.button().await;
    setting.slack.click(ANN, &message, "go").await;
    let late = json!({ "trigger_id": setting.app.heard()["trigger_id"], "view": view() });
    setting.hand.advance(Duration::from_millis(3_001));
    assert_eq!(
        setting.call("views.open", &late).await.error(),
        "expired_trigger_id"
    );
    let id = &opened.body["view"]["id"];
    let update = json!({ "view_id": id, "hash": "old", "view": view() });
    assert_eq!(
        setting.call("views.update", &update).await.error(),
        "hash_conflict"
    );
    let update = json!({ "view_id": id, "hash": opened.body["view"]["hash"], "view": with(json!({ "title": plain(2) })) });
    assert_eq!(
        setting.call("views.update", &update).await.body["view"]["title"],
        plain(2)
    );
    let unknown = json!({ "view_id": "V1", "view": view() });
    assert_eq!(
        setting.call("views.update", &unknown).await.error(),
        "not_found"
    );
}

#[tokio::test]
async fn a_view_is_filled_in_sent_and_closed() {
    let setting = Setting::start().await;
    setting.open(&view()).await;
    let open = || setting.slack.views_of(ANN).pop();
    let shown = open().unwrap();
    for wrong in [
        &[][..],
        &[("why", "ab")],
        &[("why", "abcdefghijk")],
        &[("other", "abc")],
    ] {
        assert!(
            setting
                .slack
                .submit_view(ANN, &shown, wrong)
                .await
                .is_impossible(),
            "{wrong:?}"
        );
    }
    assert!(
        setting
            .slack
            .submit_view(BOB, &shown, &[("why", "abc")])
            .await
            .is_impossible()
    );
    let submit = async |reply: Reply| {
        setting.app.will(reply);
        setting
            .slack
            .submit_view(ANN, &open().unwrap(), &[("why", "because")])
            .await
    };
    let errors =
        |block: &str| json!({ "response_action": "errors", "errors": { block: "Say more." } });
    assert!(
        matches!(submit(Reply::Say(errors("why"))).await, Seen::Errors(errors) if errors["why"] == "Say more.")
    );
    let heard = setting.app.heard();
    assert_eq!(
        (&heard["type"], &heard["view"]["callback_id"]),
        (&json!("view_submission"), &json!("why"))
    );
    assert_eq!(
        heard["view"]["state"]["values"]["why"]["text"],
        json!({ "type": "plain_text_input", "value": "because" })
    );
    assert!(submit(Reply::Say(errors("other"))).await.is_failure());
    assert!(submit(Reply::Text("thanks")).await.is_failure());
    let mut next = view();
    next["notify_on_close"] = true.into();
    let update = json!({ "response_action": "update", "view": next });
    assert!(matches!(submit(Reply::Say(update)).await, Seen::View(_)));
    setting.slack.set_org_wide(true);
    assert!(matches!(
        setting.slack.close_view(ANN, &open().unwrap()).await,
        Seen::Closed
    ));
    let heard = setting.app.heard();
    assert_eq!(
        (
            &heard["type"],
            &heard["team"],
            heard["enterprise"]["id"].is_string()
        ),
        (&json!("view_closed"), &Value::Null, true)
    );
    setting.open(&view()).await;
    assert!(matches!(submit(Reply::Nothing).await, Seen::Closed));
    assert!(open().is_none());
    setting.open(&view()).await;
    assert!(matches!(
        submit(Reply::Say(json!({ "response_action": "clear" }))).await,
        Seen::Closed
    ));
    assert!(open().is_none());
}

type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn connect(setting: &Setting) -> Socket {
    let opened = setting
        .call_as(APP_TOKEN, "apps.connections.open", JSON, "{}".to_owned())
        .await;
    let url = opened.body["url"].as_str().unwrap();
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    assert_eq!(next(&mut socket).await["type"], "hello");
    assert!(
        tokio_tungstenite::connect_async(url).await.is_err(),
        "a ticket is for one"
    );
    socket
}

/// What comes next; null at the end.
async fn next(socket: &mut Socket) -> Value {
    match socket.next().await {
        Some(Ok(tokio_tungstenite::tungstenite::Message::Text(text))) => {
            serde_json::from_str(&text).unwrap()
        }
        _ => Value::Null,
    }
}

async fn acknowledge(socket: &mut Socket, envelope: &Value, payload: Value) {
    let mut body = json!({ "envelope_id": envelope["envelope_id"] });
    if !payload.is_null() {
        body["payload"] = payload;
    }
    socket
        .send(tokio_tungstenite::tungstenite::Message::text(
            body.to_string(),
        ))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_socket_hears_what_people_do_until_it_is_told_to_go() {
    let setting = Setting::start().await;
    setting.slack.socket_mode(true);
    assert!(
        setting
            .slack
            .slash(ANN, CHANNEL, "/deploy", "shop")
            .await
            .is_failure()
    );
    let mut socket = connect(&setting).await;
    let (seen, ()) = tokio::join!(
        setting.slack.slash(ANN, CHANNEL, "/deploy", "shop"),
        async {
            let envelope = next(&mut socket).await;
            assert_eq!(
                (&envelope["type"], &envelope["payload"]["text"]),
                (&json!("slash_commands"), &json!("shop"))
            );
            assert!(envelope.get("retry_attempt").is_none());
            acknowledge(&mut socket, &envelope, json!({ "text": "On it" })).await;
        }
    );
    assert_eq!(seen.message().unwrap().text, "On it");
    let message = setting.button().await;
    let (seen, lost) = tokio::join!(setting.slack.click(ANN, &message, "go"), async {
        let envelope = next(&mut socket).await;
        setting.hand.advance(Duration::from_secs(3));
        envelope
    });
    assert!(seen.is_failure());
    assert_eq!(
        (&lost["type"], setting.slack.unacknowledged()),
        (&json!("interactive"), 1)
    );
    setting.slack.disconnect("refresh_requested");
    assert_eq!(next(&mut socket).await["reason"], "refresh_requested");
    assert_eq!(next(&mut socket).await, Value::Null);
    assert_eq!(setting.slack.sockets(), 0);

    let mut socket = connect(&setting).await;
    let again = next(&mut socket).await;
    assert_eq!(
        (&again["envelope_id"], &again["retry_attempt"]),
        (&lost["envelope_id"], &json!(1))
    );
    acknowledge(&mut socket, &again, Value::Null).await;
    let (seen, ()) = tokio::join!(setting.slack.click(ANN, &message, "go"), async {
        let envelope = next(&mut socket).await;
        acknowledge(&mut socket, &envelope, Value::Null).await;
    });
    assert!(matches!(seen, Seen::Nothing));
    assert_eq!(setting.slack.unacknowledged(), 0);
    assert!(
        setting.app.heard.lock().unwrap().is_empty(),
        "nothing came over HTTP"
    );
}

#[tokio::test]
async fn too_many_calls_are_sent_away() {
    let setting = Setting::start().await;
    setting
        .slack
        .set_limit("chat.postMessage", 1, Duration::from_secs(2));
    setting.slack.add_channel("C0OTHER", "other", &[ANN], true);
    assert_eq!(setting.post(json!({ "text": "x" })).await.error(), "");
    setting.hand.advance(Duration::from_millis(500));
    let over = setting.post(json!({ "text": "x" })).await;
    assert_eq!(
        (over.status, over.error(), over.retry_after.as_str()),
        (429, "ratelimited", "2")
    );
    let other = json!({ "channel": "C0OTHER", "text": "x" });
    assert_eq!(setting.call("chat.postMessage", &other).await.status, 200);
    setting.hand.advance(Duration::from_millis(1_500));
    assert_eq!(setting.post(json!({ "text": "x" })).await.status, 200);
    setting
        .slack
        .set_limit("auth.test", 0, Duration::from_secs(60));
    assert_eq!(setting.call("auth.test", &json!({})).await.status, 429);
}

#[tokio::test]
async fn trouble_is_met_and_written_down() {
    let setting = Setting::start().await;
    setting.slack.expect_trouble([
        Trouble::too_many(7),
        Trouble::status(401),
        Trouble::status(503),
    ]);
    let limited = setting.post(json!({ "text": "a" })).await;
    assert_eq!((limited.status, limited.retry_after.as_str()), (429, "7"));
    let refused = setting.post(json!({ "text": "a" })).await;
    assert_eq!((refused.status, refused.error()), (200, "invalid_auth"));
    assert_eq!(setting.post(json!({ "text": "a" })).await.status, 503);
    assert!(setting.slack.messages(CHANNEL).is_empty());
    setting
        .slack
        .expect_trouble_at("POST", "chat.postMessage", Trouble::ResetAfterActing);
    let url = format!("{}/api/chat.postMessage", setting.slack.url());
    let body = json!({ "channel": CHANNEL, "text": "b" });
    assert!(send(&url, BOT_TOKEN, JSON, body.to_string()).await.is_err());
    assert_eq!(setting.slack.messages(CHANNEL)[0].text, "b");
    assert_eq!(setting.slack.trouble_left(), 0);
    let last = setting.slack.exchanges().pop().unwrap();
    assert_eq!(
        (last.status, last.met_trouble, last.request_body.clone()),
        (0, true, Some(body))
    );
}
