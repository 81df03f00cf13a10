//! The sandbox Discord where its behaviour is subtle, and where we depend on it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::IntoResponse as _;
use countersign::chats::discord::edge::{self, PublicKey};
use countersign_ground::clock::{Clock, Hand};
use countersign_sandbox::discord::{
    APPLICATION_ID, CHANNEL, Discord, GUILD, Mention, ROLE, Seen, Trouble,
};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

const TOKEN: &str = "bot.token.of.tests";
const ANN: u64 = 5;
const BOB: u64 = 6;

/// An answer, read to its end.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Status and code of an error.
    fn code(&self) -> (u16, u64) {
        (self.status, self.body["code"].as_u64().unwrap_or(0))
    }

    /// The first complaint about a field.
    fn complaint(&self, field: &str) -> &str {
        let place = format!("/errors/{field}/_errors/0/code");
        self.body
            .pointer(&place)
            .and_then(Value::as_str)
            .unwrap_or("")
    }
}

/// Calls without a token where `authorization` is empty.
async fn call(
    url: &str,
    method: &str,
    authorization: &str,
    body: &Value,
) -> reqwest::Result<Answer> {
    let method = method.parse::<reqwest::Method>().unwrap();
    let mut request = reqwest::Client::new()
        .request(method, url)
        .header("user-agent", "DiscordBot (https://example.com, 1)");
    if !authorization.is_empty() {
        request = request.header("authorization", authorization);
    }
    if !body.is_null() {
        let json = "application/json";
        request = request.header("content-type", json).body(body.to_string());
    }
    let response = request.send().await?;
    Ok(Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: serde_json::from_str(&response.text().await?).unwrap_or_default(),
    })
}

/// What the application does when it hears something.
enum Reply {
    Say(Value),
    Status(u16),
    /// Answers by a call of its own, then by 202.
    Call(Value),
    /// The same, and asks what became of it.
    Ask(Value),
    Never,
}

#[derive(Clone)]
struct App {
    key: PublicKey,
    api: String,
    replies: Arc<Mutex<VecDeque<Reply>>>,
    heard: Arc<Mutex<Vec<Value>>>,
}

impl App {
    async fn start(discord: &Discord) -> Self {
        let app = Self {
            key: PublicKey::parse(&discord.public_key_hex()).unwrap(),
            api: format!("{}/api/v10", discord.url()),
            replies: Arc::default(),
            heard: Arc::default(),
        };
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/discord", socket.local_addr().unwrap());
        let routes = Router::new().fallback(hear).with_state(app.clone());
        tokio::spawn(async move { axum::serve(socket, routes).await });
        discord.set_endpoint(&url).await.unwrap();
        app
    }

    fn will(&self, reply: Reply) {
        self.replies.lock().unwrap().push_back(reply);
    }

    fn say(&self, kind: u64, data: Value) {
        let mut body = json!({ "type": kind });
        body["data"] = data;
        self.will(Reply::Say(body));
    }

    async fn call_back(&self, heard: &Value, query: &str, body: &Value) -> Answer {
        let (id, token) = (&heard["id"], &heard["token"]);
        let (id, token) = (id.as_str().unwrap(), token.as_str().unwrap());
        let url = format!("{}/interactions/{id}/{token}/callback{query}", self.api);
        call(&url, "POST", "", body).await.unwrap()
    }

    fn heard(&self) -> Value {
        self.heard.lock().unwrap().last().unwrap().clone()
    }
}

async fn hear(State(app): State<App>, headers: HeaderMap, body: Bytes) -> axum::response::Response {
    // The sandbox has a time of its own.
    let said = headers.get("x-signature-timestamp");
    let said = said.and_then(|said| said.to_str().ok()?.parse().ok());
    let at = Timestamp::from_second(said.unwrap_or_default()).unwrap();
    if edge::receive(&app.key, &headers, &body, at).is_err() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let heard: Value = serde_json::from_slice(&body).unwrap();
    if heard["type"] == 1 {
        return axum::Json(json!({ "type": 1 })).into_response();
    }
    app.heard.lock().unwrap().push(heard.clone());
    let reply = app.replies.lock().unwrap().pop_front().unwrap();
    match reply {
        Reply::Say(body) => axum::Json(body).into_response(),
        Reply::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Reply::Call(body) => {
            let answer = app.call_back(&heard, "", &body).await;
            assert_eq!(answer.status, 204, "{answer:?}");
            StatusCode::ACCEPTED.into_response()
        }
        Reply::Ask(body) => {
            let answer = app.call_back(&heard, "?with_response=true", &body).await;
            app.heard.lock().unwrap().push(answer.body);
            StatusCode::ACCEPTED.into_response()
        }
        Reply::Never => std::future::pending().await,
    }
}

struct Setting {
    discord: Discord,
    hand: Hand,
    app: App,
}

impl Setting {
    /// With the command `/deploy`, and hands on the clock. Nothing is limited.
    async fn start() -> Self {
        let (clock, hand) = Clock::by_hand("2026-03-01T10:00:00Z".parse::<Timestamp>().unwrap());
        let discord = Discord::start_at(TOKEN, clock).await.unwrap();
        discord.set_global_limit(10_000, Duration::from_secs(1));
        for route in [
            "POST /channels/{id}/messages",
            "PATCH /channels/{id}/messages/{id}",
            "POST /webhooks/{id}/{id}",
        ] {
            discord.set_bucket(route, 10_000, Duration::from_secs(1));
        }
        let app = App::start(&discord).await;
        let setting = Self { discord, hand, app };
        let command = json!({
            "name": "deploy", "description": "Releases", "options": [
                { "type": 3, "name": "service", "description": "Which", "required": true, "autocomplete": true },
                { "type": 3, "name": "to", "description": "Where", "choices": [{ "name": "Prod", "value": "prod" }] },
                { "type": 6, "name": "for", "description": "Whom" },
            ],
        });
        let path = format!("/applications/{APPLICATION_ID}/guilds/{GUILD}/commands");
        assert_eq!(setting.bot("POST", &path, &command).await.status, 201);
        setting
    }

    async fn bot(&self, method: &str, path: &str, body: &Value) -> Answer {
        let url = format!("{}/api/v10{path}", self.discord.url());
        call(&url, method, &format!("Bot {TOKEN}"), body)
            .await
            .unwrap()
    }

    async fn anybody(&self, method: &str, path: &str, body: &Value) -> Answer {
        let url = format!("{}/api/v10{path}", self.discord.url());
        call(&url, method, "", body).await.unwrap()
    }

    async fn post(&self, body: &Value) -> Answer {
        self.bot("POST", &format!("/channels/{CHANNEL}/messages"), body)
            .await
    }

    /// The path of the webhook of what was heard last.
    fn webhook(&self) -> String {
        let token = self.app.heard()["token"].as_str().unwrap().to_owned();
        format!("/webhooks/{APPLICATION_ID}/{token}")
    }

    async fn deploy(&self) -> Seen {
        let options = [("service", json!("shop"))];
        self.discord.slash(ANN, CHANNEL, "deploy", &options).await
    }
}

fn long(length: usize) -> String {
    "ö".repeat(length)
}

fn row(buttons: &[Value]) -> Value {
    json!([{ "type": 1, "components": buttons }])
}

fn button(id: &str) -> Value {
    json!({ "type": 2, "style": 1, "label": "Go", "custom_id": id })
}

#[tokio::test]
async fn messages_are_limited_to_the_letter() {
    let setting = Setting::start().await;
    let embed = |embed: Value| json!({ "embeds": [embed] });
    let field = |name: usize, value: usize| json!({ "name": long(name), "value": long(value) });
    let buttons = |count: usize| -> Vec<Value> {
        (0..count).map(|index| button(&index.to_string())).collect()
    };
    let with = |part: Value| json!({ "content": "x", "components": row(&[part]) });
    let button_of = |length: usize| with(button(&long(length)));
    let link = |url: usize| {
        let url = format!("https://{}", "x".repeat(url - 8));
        with(json!({ "type": 2, "style": 5, "label": "Go", "url": url }))
    };
    let label = |length: usize| {
        with(json!({ "type": 2, "style": 2, "label": long(length), "custom_id": "x" }))
    };
    for (field, good, bad) in [
        (
            "content",
            json!({ "content": long(2_000) }),
            json!({ "content": long(2_001) }),
        ),
        (
            "embeds/0/title",
            embed(json!({ "title": long(256) })),
            embed(json!({ "title": long(257) })),
        ),
        (
            "embeds/0/description",
            embed(json!({ "description": long(4_096) })),
            embed(json!({ "description": long(4_097) })),
        ),
        (
            "embeds/0/footer/text",
            embed(json!({ "footer": { "text": long(2_048) } })),
            embed(json!({ "footer": { "text": long(2_049) } })),
        ),
        (
            "embeds/0/author/name",
            embed(json!({ "author": { "name": long(256) } })),
            embed(json!({ "author": { "name": long(257) } })),
        ),
        (
            "embeds/0/fields",
            embed(json!({ "fields": vec![field(1, 1); 25] })),
            embed(json!({ "fields": vec![field(1, 1); 26] })),
        ),
        (
            "embeds/0/fields/0/name",
            embed(json!({ "fields": [field(256, 1)] })),
            embed(json!({ "fields": [field(257, 1)] })),
        ),
        (
            "embeds/0/fields/0/value",
            embed(json!({ "fields": [field(1, 1_024)] })),
            embed(json!({ "fields": [field(1, 1_025)] })),
        ),
        (
            "embeds/0/fields/0/value",
            embed(json!({ "fields": [field(1, 1)] })),
            embed(json!({ "fields": [field(1, 0)] })),
        ),
        (
            "embeds",
            json!({ "embeds": vec![json!({ "title": "x" }); 10] }),
            json!({ "embeds": vec![json!({ "title": "x" }); 11] }),
        ),
        (
            "embeds",
            json!({ "embeds": [{ "description": long(3_000) }, { "description": long(3_000) }] }),
            json!({ "embeds": [{ "description": long(3_000) }, { "description": long(3_001) }] }),
        ),
        (
            "components/0/components",
            json!({ "content": "x", "components": row(&buttons(5)) }),
            json!({ "content": "x", "components": row(&buttons(6)) }),
        ),
        (
            "components",
            json!({ "content": "x", "components": (0..5).map(|n: u8| row(&[button(&n.to_string())])[0].clone()).collect::<Vec<_>>() }),
            json!({ "content": "x", "components": (0..6).map(|n: u8| row(&[button(&n.to_string())])[0].clone()).collect::<Vec<_>>() }),
        ),
        (
            "components/0/components/0/custom_id",
            button_of(100),
            button_of(101),
        ),
        (
            "components/0/components/0/custom_id",
            button_of(1),
            button_of(0),
        ),
        ("components/0/components/0/label", label(80), label(81)),
        ("components/0/components/0/url", link(512), link(513)),
        (
            "components/0/components/1/custom_id",
            json!({ "content": "x", "components": row(&[button("a"), button("b")]) }),
            json!({ "content": "x", "components": row(&[button("a"), button("a")]) }),
        ),
        (
            "components/0/components/0",
            with(json!({ "type": 2, "style": 5, "label": "x", "url": "https://x.y" })),
            with(
                json!({ "type": 2, "style": 5, "label": "x", "url": "https://x.y", "custom_id": "x" }),
            ),
        ),
        (
            "nonce",
            json!({ "content": "x", "nonce": "n".repeat(25) }),
            json!({ "content": "x", "nonce": "n".repeat(26) }),
        ),
    ] {
        let answer = setting.post(&good).await;
        assert_eq!(answer.status, 200, "{field} {answer:?}");
        let answer = setting.post(&bad).await;
        assert_eq!(answer.code(), (400, 50_035), "{field}");
        assert_ne!(answer.complaint(field), "", "{field} {answer:?}");
    }
    let empty = setting.post(&json!({ "content": " " })).await;
    assert_eq!(empty.code(), (400, 50_006));
}

#[tokio::test]
async fn nobody_is_pinged_but_whom_the_message_allows() {
    let setting = Setting::start().await;
    let content = format!("@everyone @here <@&{ROLE}> <@{ANN}>");
    let mentioned = async |allowed: Value| {
        let body = json!({ "content": content, "allowed_mentions": allowed });
        let id = setting.post(&body).await.body["id"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        setting.discord.message(id).unwrap().mentioned
    };
    let everybody = [
        Mention::Everyone,
        Mention::Here,
        Mention::Role(ROLE),
        Mention::User(ANN),
    ];
    assert_eq!(mentioned(Value::Null).await, everybody);
    assert_eq!(mentioned(json!({ "parse": [] })).await, []);
    assert_eq!(
        mentioned(json!({ "users": ["5"] })).await,
        [Mention::User(ANN)]
    );
    let both =
        json!({ "content": "x", "allowed_mentions": { "parse": ["users"], "users": ["5"] } });
    assert_eq!(
        setting.post(&both).await.complaint("allowed_mentions"),
        "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"
    );
    setting.app.say(4, json!({ "content": content }));
    let answer = setting.deploy().await;
    assert_eq!(answer.message().unwrap().mentioned, [Mention::User(ANN)]);
}

#[tokio::test]
async fn messages_are_edited_listed_and_deleted_by_who_may() {
    let setting = Setting::start().await;
    let first = setting
        .post(&json!({ "content": "one", "nonce": "n-1", "enforce_nonce": true }))
        .await;
    let again = setting
        .post(&json!({ "content": "two", "nonce": "n-1", "enforce_nonce": true }))
        .await;
    assert_eq!(
        (&first.body["id"], &again.body["content"]),
        (&again.body["id"], &json!("one"))
    );
    setting.hand.advance(Duration::from_secs(301));
    let later = setting
        .post(&json!({ "content": "two", "nonce": "n-1", "enforce_nonce": true }))
        .await;
    assert_ne!(first.body["id"], later.body["id"]);
    let path = |id: &Value| format!("/channels/{CHANNEL}/messages/{}", id.as_str().unwrap());
    let one = path(&first.body["id"]);
    let edited = setting
        .bot("PATCH", &one, &json!({ "embeds": [{ "title": "t" }] }))
        .await;
    assert_eq!(
        (&edited.body["content"], &edited.body["embeds"][0]["title"]),
        (&json!("one"), &json!("t"))
    );
    assert!(edited.body["edited_timestamp"].is_string());
    let edited = setting
        .bot("PATCH", &one, &json!({ "content": "new" }))
        .await;
    assert_eq!(edited.status, 200);
    let id = first.body["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(setting.discord.message(id).unwrap().earlier, ["one", "one"]);
    let thread = setting
        .bot(
            "POST",
            &format!("{one}/threads"),
            &json!({ "name": "talk" }),
        )
        .await;
    assert_eq!(
        (thread.status, &thread.body["id"]),
        (201, &first.body["id"])
    );
    let second = setting
        .bot(
            "POST",
            &format!("{one}/threads"),
            &json!({ "name": "talk" }),
        )
        .await;
    assert_eq!(second.code(), (400, 160_004));
    let long_name = json!({ "name": long(101) });
    let wrong = setting
        .bot(
            "POST",
            &format!("{}/threads", path(&later.body["id"])),
            &long_name,
        )
        .await;
    assert_eq!(wrong.complaint("name"), "BASE_TYPE_BAD_LENGTH");
    let inside = format!("/channels/{id}/messages");
    assert_eq!(
        setting
            .bot("POST", &inside, &json!({ "content": "in it" }))
            .await
            .status,
        200
    );
    assert_eq!(setting.discord.threads(CHANNEL)[0].name, "talk");
    assert_eq!(setting.discord.messages(id)[0].content, "in it");
    let listed = setting
        .bot(
            "GET",
            &format!("/channels/{CHANNEL}/messages?limit=1"),
            &Value::Null,
        )
        .await;
    assert_eq!(listed.body[0]["id"], later.body["id"], "newest first");
    let theirs = setting.discord.say(BOB, CHANNEL, "hello").to_string();
    let theirs = path(&json!(theirs));
    assert_eq!(
        setting
            .bot("PATCH", &theirs, &json!({ "content": "x" }))
            .await
            .code(),
        (403, 50_005)
    );
    assert_eq!(
        setting.bot("DELETE", &theirs, &Value::Null).await.code(),
        (403, 50_013)
    );
    assert_eq!(setting.bot("DELETE", &one, &Value::Null).await.status, 204);
    assert_eq!(
        setting.bot("GET", &one, &Value::Null).await.code(),
        (404, 10_008)
    );
}

#[tokio::test]
async fn who_is_not_let_in_is_told_why_and_counted() {
    let setting = Setting::start().await;
    let text = json!({ "content": "x" });
    let guild = setting
        .bot("GET", &format!("/guilds/{GUILD}"), &Value::Null)
        .await;
    assert_eq!(guild.body["roles"][1]["name"], "deployers");
    let unknown = setting.bot("GET", "/guilds/77", &Value::Null).await;
    assert_eq!(unknown.code(), (404, 10_004));
    let path = format!("/channels/{CHANNEL}/messages");
    assert_eq!(setting.anybody("POST", &path, &text).await.code(), (401, 0));
    assert_eq!(
        setting
            .bot("POST", "/channels/77/messages", &text)
            .await
            .code(),
        (404, 10_003)
    );
    setting.discord.set_bot_access(CHANNEL, true, false);
    assert_eq!(setting.post(&text).await.code(), (403, 50_013));
    setting.discord.set_bot_access(CHANNEL, false, false);
    assert_eq!(setting.post(&text).await.code(), (403, 50_001));
    setting.discord.set_bot_access(CHANNEL, true, true);
    setting.discord.remove_member(GUILD, APPLICATION_ID);
    assert_eq!(setting.post(&text).await.code(), (403, 50_001));
    let commands = format!("/applications/{APPLICATION_ID}/guilds/{GUILD}/commands");
    assert_eq!(
        setting.bot("GET", &commands, &Value::Null).await.code(),
        (403, 50_001)
    );
    assert_eq!(setting.discord.invalid_requests(), 5);
    let url = format!("{}/api/v10/users/@me", setting.discord.url());
    let client = reqwest::Client::new()
        .get(&url)
        .header("authorization", format!("Bot {TOKEN}"));
    let nameless = client.send().await.unwrap();
    assert_eq!(nameless.status(), 403, "Discord wants to know the library");
    let me = setting.bot("GET", "/users/@me", &Value::Null).await;
    assert_eq!(me.body["id"], APPLICATION_ID.to_string());
    let app = setting.bot("GET", "/applications/@me", &Value::Null).await;
    assert_eq!(app.body["verify_key"], setting.discord.public_key_hex());
}

#[tokio::test]
async fn commands_are_registered_replaced_and_refused() {
    let setting = Setting::start().await;
    let path = format!("/applications/{APPLICATION_ID}/commands");
    let option = |name: &str, required: bool| json!({ "type": 3, "name": name, "description": "d", "required": required });
    let command = |name: &str, description: &str, options: Vec<Value>| json!({ "name": name, "description": description, "options": options });
    let choices = |count: usize| {
        let choices: Vec<Value> = (0..count)
            .map(|n| json!({ "name": n.to_string(), "value": n.to_string() }))
            .collect();
        vec![json!({ "type": 3, "name": "o", "description": "d", "choices": choices })]
    };
    let many = |count: usize| -> Vec<Value> {
        (0..count)
            .map(|n| option(&format!("o{n}"), false))
            .collect()
    };
    let heavy = |extra: usize| {
        let choice = |name: usize, value: usize| json!({ "name": "n".repeat(name), "value": "v".repeat(value) });
        // 4 + 96 + 3 * 102 = 406 letters each.
        let one = |n: usize| json!({ "type": 3, "name": format!("o{n:03}"), "description": "d".repeat(96), "choices": vec![choice(100, 2); 3] });
        let mut options: Vec<Value> = (0..19).map(one).collect();
        let rest =
            8_000 - 19 * 406 - "heavy".len() - "d".len() - "rest".len() - "d".len() - 190 - 1;
        options.push(json!({ "type": 3, "name": "rest", "description": "d", "choices": [choice(100, 90), choice(rest + extra, 1)] }));
        command("heavy", "d", options)
    };
    for (field, good, bad) in [
        (
            "name",
            command(&"n".repeat(32), "d", vec![]),
            command(&"n".repeat(33), "d", vec![]),
        ),
        (
            "name",
            command("de-ploy_1", "d", vec![]),
            command("de ploy", "d", vec![]),
        ),
        (
            "name",
            command("größe", "d", vec![]),
            command("Deploy", "d", vec![]),
        ),
        (
            "description",
            command("x", &long(100), vec![]),
            command("x", &long(101), vec![]),
        ),
        (
            "description",
            command("x", "d", vec![]),
            command("x", "", vec![]),
        ),
        (
            "options",
            command("x", "d", many(25)),
            command("x", "d", many(26)),
        ),
        (
            "options/0/choices",
            command("x", "d", choices(25)),
            command("x", "d", choices(26)),
        ),
        (
            "options/1",
            command("x", "d", vec![option("a", true), option("b", false)]),
            command("x", "d", vec![option("a", false), option("b", true)]),
        ),
        (
            "options/1",
            command("x", "d", many(2)),
            command("x", "d", vec![option("a", true); 2]),
        ),
    ] {
        let answer = setting.bot("POST", &path, &good).await;
        assert!([200, 201].contains(&answer.status), "{field} {answer:?}");
        let answer = setting.bot("POST", &path, &bad).await;
        assert_eq!(answer.code(), (400, 50_035), "{field} {bad}");
        assert_ne!(answer.complaint(field), "", "{field} {answer:?}");
    }
    assert_eq!(setting.bot("POST", &path, &heavy(0)).await.status, 201);
    let answer = setting.bot("POST", &path, &heavy(1)).await;
    assert_eq!(
        answer.body["errors"]["_errors"][0]["code"],
        "APPLICATION_COMMAND_TOO_LARGE"
    );

    let put = json!([command("x", "new", vec![]), command("y", "d", vec![])]);
    let before = setting.bot("GET", &path, &Value::Null).await;
    let x = before
        .body
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "x")
        .unwrap()["id"]
        .clone();
    let all = setting.bot("PUT", &path, &put).await;
    assert_eq!(
        (all.body.as_array().unwrap().len(), &all.body[0]["id"]),
        (2, &x),
        "the same name keeps its id"
    );
    let twice = json!([command("x", "d", vec![]), command("x", "d", vec![])]);
    assert_eq!(
        setting.bot("PUT", &path, &twice).await.complaint("1/name"),
        "APPLICATION_COMMANDS_DUPLICATE_NAME"
    );
    let one = format!("{path}/{}", x.as_str().unwrap());
    let patched = setting
        .bot("PATCH", &one, &json!({ "description": "other" }))
        .await;
    assert_eq!(
        (&patched.body["name"], &patched.body["description"]),
        (&json!("x"), &json!("other"))
    );
    assert_eq!(setting.bot("DELETE", &one, &Value::Null).await.status, 204);
    assert_eq!(
        setting.bot("GET", &one, &Value::Null).await.code(),
        (404, 10_063)
    );
    assert_eq!(setting.discord.commands(None).len(), 1);
    assert_eq!(setting.discord.commands(Some(GUILD)).len(), 1);
}

#[tokio::test]
async fn an_endpoint_is_taken_only_if_it_refuses_wrong_signatures() {
    let setting = Setting::start().await;
    let credulous = Router::new().fallback(async || axum::Json(json!({ "type": 1 })));
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(socket, credulous).await });
    assert!(
        setting
            .discord
            .set_endpoint(&url)
            .await
            .unwrap_err()
            .contains("401")
    );
    assert!(
        setting
            .discord
            .set_endpoint("http://127.0.0.1:9")
            .await
            .is_err()
    );
    assert_eq!(
        setting.discord.ping().await,
        Some((200, json!({ "type": 1 })))
    );
    let signature = setting.discord.signed("{\"type\":1}", "1");
    let old = setting
        .discord
        .send_raw("{\"type\":1}", "1", &signature)
        .await;
    assert_eq!(old.unwrap().0, 200, "Discord names no window of time");
    let other = setting
        .discord
        .send_raw("{\"type\":1}", "2", &signature)
        .await;
    assert_eq!(other.unwrap().0, 401);
}

#[tokio::test]
async fn a_command_comes_as_discord_writes_it() {
    let setting = Setting::start().await;
    setting.app.say(4, json!({ "content": "ok", "flags": 64 }));
    let options = [
        ("service", json!("shop")),
        ("to", json!("prod")),
        ("for", json!("6")),
    ];
    let seen = setting
        .discord
        .slash(ANN, CHANNEL, "deploy", &options)
        .await;
    assert_eq!(seen.message().unwrap().ephemeral_to, Some(ANN));
    assert!(setting.discord.messages(CHANNEL).is_empty());
    assert_eq!(setting.discord.ephemeral_for(ANN)[0].content, "ok");
    let heard = setting.app.heard();
    let member = &heard["member"];
    assert_eq!(member["roles"], json!([ROLE.to_string()]));
    assert_eq!(member["user"]["id"], "5");
    assert!(heard.get("user").is_none() && heard["version"] == 1 && heard["context"] == 0);
    assert_eq!(
        heard["data"]["options"][0],
        json!({ "name": "service", "type": 3, "value": "shop" })
    );
    assert_eq!(heard["data"]["resolved"]["users"]["6"]["username"], "bob");
    assert_eq!(
        heard["authorizing_integration_owners"],
        json!({ "0": GUILD.to_string() })
    );
    setting.app.say(4, json!({ "content": "again" }));
    assert_eq!(setting.discord.repeat_last().await.unwrap().0, 200);
    let again: Vec<Value> = setting.app.heard.lock().unwrap().clone();
    assert_eq!(again[0], again[1]);

    for (user, name, options) in [
        (ANN, "destroy", &[][..]),
        (ANN, "deploy", &[][..]),
        (
            ANN,
            "deploy",
            &[("service", json!("shop")), ("to", json!("moon"))][..],
        ),
        (ANN, "deploy", &[("service", json!(7))][..]),
        (77, "deploy", &[("service", json!("shop"))][..]),
    ] {
        let seen = setting.discord.slash(user, CHANNEL, name, options).await;
        assert!(seen.is_impossible(), "{user} {name} {options:?} {seen:?}");
    }
    let dm = setting.discord.open_dm(BOB);
    let help = json!({ "name": "help", "description": "d", "options": [
        { "type": 1, "name": "all", "description": "d" }] });
    setting
        .bot(
            "POST",
            &format!("/applications/{APPLICATION_ID}/commands"),
            &help,
        )
        .await;
    setting.app.say(4, json!({ "content": "Help" }));
    assert!(
        setting
            .discord
            .slash(BOB, dm, "help", &[])
            .await
            .is_impossible()
    );
    setting.discord.slash(BOB, dm, "help all", &[]).await;
    let heard = setting.app.heard();
    assert!(heard.get("member").is_none() && heard.get("guild_id").is_none());
    assert_eq!(
        (&heard["user"]["id"], &heard["context"]),
        (&json!("6"), &json!(1))
    );
    assert_eq!(
        heard["data"]["options"][0],
        json!({ "name": "all", "type": 1, "options": [] })
    );
}

#[tokio::test]
async fn what_is_typed_is_completed() {
    let setting = Setting::start().await;
    let choices = |count: usize| -> Vec<Value> {
        (0..count)
            .map(|n| json!({ "name": n.to_string(), "value": n.to_string() }))
            .collect()
    };
    let options = [("service", json!("sh"))];
    let ask = async || {
        setting
            .discord
            .autocomplete(ANN, CHANNEL, "deploy", &options)
            .await
    };
    setting.app.say(8, json!({ "choices": choices(25) }));
    assert!(matches!(ask().await, Seen::Choices(choices) if choices.len() == 25));
    assert_eq!(setting.app.heard()["data"]["options"][0]["focused"], true);
    setting.app.say(8, json!({ "choices": choices(26) }));
    assert!(ask().await.is_failure());
    setting.app.say(4, json!({ "content": "no" }));
    assert!(ask().await.is_failure());
}

#[tokio::test]
async fn an_answer_that_is_too_late_or_wrong_is_none() {
    let setting = Setting::start().await;
    for (kind, data) in [
        (4, json!({ "content": "" })),
        (4, json!({ "content": long(2_001) })),
        (6, Value::Null),
        (7, json!({ "content": "x" })),
        (8, json!({ "choices": [] })),
        (9, json!({ "title": "t" })),
        (1, Value::Null),
    ] {
        setting.app.say(kind, data);
        let seen = setting.deploy().await;
        assert!(seen.is_failure(), "{kind}: {seen:?}");
    }
    setting.app.will(Reply::Status(500));
    assert!(setting.deploy().await.is_failure());
    setting.app.will(Reply::Never);
    let (seen, ()) = tokio::join!(setting.deploy(), async {
        while setting.app.heard.lock().unwrap().len() < 9 {
            tokio::task::yield_now().await;
        }
        setting.hand.advance(Duration::from_millis(3_001));
    });
    assert!(seen.is_failure());
    let late = setting
        .anybody("POST", &setting.webhook(), &json!({ "content": "late" }))
        .await;
    assert_eq!(late.code(), (404, 10_015));
    let heard = setting.app.heard();
    let (id, token) = (
        heard["id"].as_str().unwrap(),
        heard["token"].as_str().unwrap(),
    );
    let path = format!("/interactions/{id}/{token}/callback");
    let late = setting.anybody("POST", &path, &json!({ "type": 5 })).await;
    assert_eq!(late.code(), (404, 10_062));
}

#[tokio::test]
async fn a_deferred_answer_is_written_later_and_for_fifteen_minutes() {
    let setting = Setting::start().await;
    setting
        .app
        .will(Reply::Call(json!({ "type": 5, "data": { "flags": 64 } })));
    let seen = setting.deploy().await;
    let loading = seen.message().unwrap();
    assert!(loading.is_loading && loading.ephemeral_to == Some(ANN));
    let hook = setting.webhook();
    let heard = setting.app.heard();
    let (id, token) = (
        heard["id"].as_str().unwrap(),
        heard["token"].as_str().unwrap(),
    );
    let path = format!("/interactions/{id}/{token}/callback");
    let twice = setting.anybody("POST", &path, &json!({ "type": 5 })).await;
    assert_eq!(twice.code(), (400, 40_060));
    let first = setting
        .anybody("POST", &hook, &json!({ "content": "done", "flags": 0 }))
        .await;
    assert_eq!(
        first.body["id"],
        loading.id.to_string(),
        "the first one is the answer itself"
    );
    let now = setting.discord.message(loading.id).unwrap();
    assert!(!now.is_loading && now.ephemeral_to == Some(ANN) && now.content == "done");
    let more = setting
        .anybody("POST", &hook, &json!({ "content": "more" }))
        .await;
    assert_ne!(more.body["id"], first.body["id"]);
    assert_eq!(setting.discord.messages(CHANNEL)[0].content, "more");
    let original = format!("{hook}/messages/@original");
    let edited = setting
        .anybody("PATCH", &original, &json!({ "content": "well done" }))
        .await;
    assert_eq!(edited.body["content"], "well done");
    let by_bot = format!("/channels/{CHANNEL}/messages/{}", loading.id);
    assert_eq!(
        setting
            .bot("PATCH", &by_bot, &json!({ "content": "x" }))
            .await
            .code(),
        (404, 10_008)
    );
    setting.hand.advance(Duration::from_secs(900));
    assert_eq!(
        setting.anybody("GET", &original, &Value::Null).await.status,
        200
    );
    setting.hand.advance(Duration::from_millis(1));
    let late = setting
        .anybody("PATCH", &original, &json!({ "content": "x" }))
        .await;
    assert_eq!(late.code(), (401, 50_027));
    let unknown = setting
        .anybody(
            "POST",
            &format!("/webhooks/{APPLICATION_ID}/none"),
            &json!({ "content": "x" }),
        )
        .await;
    assert_eq!(unknown.code(), (404, 10_015));

    setting.app.say(4, json!({ "content": "x" }));
    setting.deploy().await;
    let original = format!("{}/messages/@original", setting.webhook());
    assert_eq!(
        setting
            .anybody("DELETE", &original, &Value::Null)
            .await
            .status,
        204
    );
    assert_eq!(
        setting.anybody("GET", &original, &Value::Null).await.code(),
        (404, 10_008)
    );
}

#[tokio::test]
async fn an_answer_by_a_call_can_be_told_what_it_became() {
    let setting = Setting::start().await;
    let data = json!({ "content": "ok", "flags": 64, "components": row(&[button("undo")]) });
    setting
        .app
        .will(Reply::Ask(json!({ "type": 4, "data": data })));
    let seen = setting.deploy().await;
    let message = seen.message().unwrap();
    let told = setting.app.heard();
    assert_eq!(
        told["interaction"]["response_message_id"],
        message.id.to_string()
    );
    assert_eq!(told["interaction"]["response_message_ephemeral"], true);
    assert_eq!(told["resource"]["message"]["content"], "ok");
    assert!(
        setting
            .discord
            .click(BOB, message.id, "undo")
            .await
            .is_impossible()
    );
    setting.app.will(Reply::Say(json!({ "type": 6 })));
    assert!(matches!(
        setting.discord.click(ANN, message.id, "undo").await,
        Seen::Nothing
    ));
    assert_eq!(setting.app.heard()["message"]["flags"], 64);
}

#[tokio::test]
async fn buttons_are_clicked_where_they_are() {
    let setting = Setting::start().await;
    let off = json!({ "type": 2, "style": 4, "label": "No", "custom_id": "off", "disabled": true });
    let body = json!({ "content": "Sure?", "components": row(&[button("yes"), off]) });
    let id: u64 = setting.post(&body).await.body["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    setting
        .app
        .say(7, json!({ "content": "By ann", "components": [] }));
    for absent in ["off", "other"] {
        assert!(setting.discord.click(ANN, id, absent).await.is_impossible());
    }
    assert!(setting.discord.click(77, id, "yes").await.is_impossible());
    let seen = setting.discord.click(ANN, id, "yes").await;
    assert_eq!(seen.message().unwrap().content, "By ann");
    let heard = setting.app.heard();
    assert_eq!(
        (&heard["type"], &heard["message"]["id"]),
        (&json!(3), &json!(id.to_string()))
    );
    assert_eq!(heard["data"]["custom_id"], "yes");
    let now = setting.discord.message(id).unwrap();
    assert_eq!(
        (now.components.len(), now.earlier),
        (0, vec!["Sure?".to_owned()])
    );
    assert!(setting.discord.click(BOB, id, "yes").await.is_impossible());
    setting.app.will(Reply::Say(json!({ "type": 6 })));
    assert!(matches!(
        setting.discord.click_raw(BOB, id, "yes").await,
        Seen::Nothing
    ));
    let hook = setting.webhook();
    let changed = setting
        .anybody(
            "PATCH",
            &format!("{hook}/messages/@original"),
            &json!({ "content": "Late" }),
        )
        .await;
    assert_eq!(changed.body["id"], id.to_string());
}

#[tokio::test]
async fn a_form_is_shown_filled_in_and_sent() {
    let setting = Setting::start().await;
    let input = |id: &str| json!({ "type": 4, "custom_id": id, "style": 2, "min_length": 3, "max_length": 10 });
    let label = |id: &str| json!({ "type": 18, "label": "Why?", "component": input(id) });
    let form = |id: usize, title: usize, rows: usize| {
        let rows: Vec<Value> = (0..rows).map(|n| label(&format!("why{n}"))).collect();
        json!({ "custom_id": "f".repeat(id), "title": long(title), "components": rows })
    };
    for (good, bad) in [
        (form(100, 1, 1), form(101, 1, 1)),
        (form(1, 45, 1), form(1, 46, 1)),
        (form(1, 1, 5), form(1, 1, 6)),
        (form(1, 1, 1), form(1, 1, 0)),
    ] {
        setting.app.say(9, good);
        assert!(setting.deploy().await.form().is_some());
        setting.app.say(9, bad);
        assert!(setting.deploy().await.is_failure());
    }
    let id: u64 = setting
        .post(&json!({ "content": "?", "components": row(&[button("why")]) }))
        .await
        .body["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    setting.app.say(9, form(1, 1, 1));
    let seen = setting.discord.click(ANN, id, "why").await;
    let form = seen.form().unwrap();
    for wrong in [
        &[][..],
        &[("why0", "ab")],
        &[("why0", "abcdefghijk")],
        &[("other", "abc")],
    ] {
        assert!(
            setting
                .discord
                .submit_modal(ANN, form, wrong)
                .await
                .is_impossible(),
            "{wrong:?}"
        );
    }
    setting.app.say(
        9,
        json!({ "custom_id": "x", "title": "x", "components": [label("x")] }),
    );
    assert!(
        setting
            .discord
            .submit_modal(ANN, form, &[("why0", "because")])
            .await
            .is_failure()
    );
    setting.app.say(7, json!({ "content": "Said" }));
    let seen = setting
        .discord
        .submit_modal(ANN, form, &[("why0", "because")])
        .await;
    assert_eq!(
        (
            seen.message().unwrap().id,
            setting.discord.message(id).unwrap().content.as_str()
        ),
        (id, "Said")
    );
    let heard = setting.app.heard();
    let said = &heard["data"]["components"][0];
    assert_eq!(
        (&said["type"], &said["component"]["value"]),
        (&json!(18), &json!("because"))
    );
}

#[tokio::test]
async fn buckets_run_empty_and_fill_again() {
    let setting = Setting::start().await;
    let text = json!({ "content": "x" });
    setting
        .discord
        .set_bucket("POST /channels/{id}/messages", 2, Duration::from_secs(5));
    setting.discord.add_channel(GUILD, 901, "other");
    let first = setting.post(&text).await;
    assert_eq!(
        (
            first.header("x-ratelimit-limit"),
            first.header("x-ratelimit-remaining")
        ),
        ("2", "1")
    );
    setting.hand.advance(Duration::from_millis(1_500));
    assert_eq!(
        setting.post(&text).await.header("x-ratelimit-reset-after"),
        "3.500"
    );
    let over = setting.post(&text).await;
    assert_eq!(
        (
            over.status,
            over.header("retry-after"),
            over.header("x-ratelimit-scope")
        ),
        (429, "4", "user")
    );
    assert_eq!(
        (&over.body["retry_after"], &over.body["global"]),
        (&json!(3.5), &json!(false))
    );
    assert_eq!(
        setting
            .bot("POST", "/channels/901/messages", &text)
            .await
            .status,
        200,
        "another channel"
    );
    setting.hand.advance(Duration::from_millis(3_500));
    assert_eq!(setting.post(&text).await.status, 200);
    setting.discord.set_global_limit(1, Duration::from_secs(1));
    setting.hand.advance(Duration::from_secs(2));
    assert_eq!(setting.post(&text).await.status, 200);
    let over = setting.bot("GET", "/users/@me", &Value::Null).await;
    assert_eq!(
        (over.status, over.header("x-ratelimit-global")),
        (429, "true")
    );
    assert_eq!(over.body["global"], true);
    assert_eq!(setting.discord.invalid_requests(), 2);
}

#[tokio::test]
async fn trouble_is_met_and_written_down() {
    let setting = Setting::start().await;
    let path = format!("/channels/{CHANNEL}/messages");
    setting.discord.expect_trouble([
        Trouble::too_many(7),
        Trouble::status(401),
        Trouble::status(503),
    ]);
    let limited = setting.post(&json!({ "content": "a" })).await;
    assert_eq!(
        (limited.status, &limited.body["retry_after"]),
        (429, &json!(7.0))
    );
    assert_eq!(
        setting.post(&json!({ "content": "a" })).await.code(),
        (401, 0)
    );
    assert_eq!(setting.post(&json!({ "content": "a" })).await.status, 503);
    assert!(setting.discord.messages(CHANNEL).is_empty());
    setting
        .discord
        .expect_trouble_at("POST", "/messages", Trouble::ResetAfterActing);
    let url = format!("{}/api/v10{path}", setting.discord.url());
    let lost = call(
        &url,
        "POST",
        &format!("Bot {TOKEN}"),
        &json!({ "content": "b" }),
    )
    .await;
    assert!(lost.is_err());
    assert_eq!(setting.discord.messages(CHANNEL)[0].content, "b");
    assert_eq!(setting.discord.trouble_left(), 0);
    let last = setting.discord.exchanges().pop().unwrap();
    assert_eq!(
        (last.status, last.met_trouble, last.request_body.clone()),
        (0, true, Some(json!({ "content": "b" })))
    );
}
