//! Calls: what is sent, and what answers mean, against a small server.

use serde_json::json;

use super::*;
use crate::chats::listener::{Listener, Told};
use crate::chats::sample;
use crate::domain::{Chat, News, Speaker};

const TOKEN: &str = "canary-token";
const INTERACTION: &str = "canary-interaction";
const DONE: Told = (200, "", r#"{"id":"77"}"#);

async fn speaking(answers: Vec<Told>) -> (Listener, Client) {
    let listener = Listener::answering(answers).await;
    let client = Client::new(Settings {
        api_url: format!("{}/api/v10/", listener.url),
        application_id: 9,
        token: TOKEN.to_owned(),
    });
    (listener, client.unwrap())
}

fn spot(token: &str) -> Spot {
    Spot {
        speaker: Speaker {
            chat: Chat::Discord,
            tenant: "1".to_owned(),
            user: "3".to_owned(),
            name: "ann".to_owned(),
        },
        channel: "2".to_owned(),
        id: "5".to_owned(),
        handle: Handle::Discord {
            token: token.to_owned(),
        },
        said_at: jiff::Timestamp::UNIX_EPOCH,
    }
}

const SHOWN: Shown<'_> = Shown {
    token: "notice/1",
    call: None,
    anchor: None,
};

fn remark(text: &Message) -> Remark<'_> {
    Remark {
        under: Some("77"),
        kind: None,
        text,
        call: None,
        title: "shop → prod",
        token: "remark/1",
    }
}

fn lines(listener: &Listener) -> Vec<String> {
    listener
        .asked()
        .into_iter()
        .map(|asked| asked.line)
        .collect()
}

fn wait(error: &CallError) -> Option<Duration> {
    match error {
        CallError::Later { wait, .. } => *wait,
        CallError::Absent(_) | CallError::Never(_) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn a_notice_is_posted_once_and_named() {
    let (listener, client) = speaking(vec![DONE]).await;
    let notice = sample::notice(News::Ready);
    assert_eq!(client.notice(2, &notice, SHOWN).await, Ok("77".to_owned()));
    let asked = listener.asked();
    assert_eq!(asked[0].line, "POST /api/v10/channels/2/messages");
    assert!(asked[0].head.contains("authorization: bot canary-token"));
    assert!(asked[0].head.contains("user-agent: discordbot ("));
    assert_eq!(asked[0].body["enforce_nonce"], true);
}

#[tokio::test]
async fn a_change_says_whether_the_message_is_there() {
    let notice = sample::notice(News::Unclear { request: 1 });
    for (answer, expect) in [
        (DONE, Ok(true)),
        (
            (404, "", r#"{"code":10008,"message":"Unknown Message"}"#),
            Ok(false),
        ),
        ((404, "", ""), Ok(false)),
        (
            (404, "", r#"{"code":10003,"message":"Unknown Channel"}"#),
            Err("does not see"),
        ),
        (
            (403, "", r#"{"code":50013,"message":"Missing Permissions"}"#),
            Err("lacks a permission"),
        ),
        (
            (401, "", r#"{"code":0,"message":"401: Unauthorized"}"#),
            Err("token is not valid"),
        ),
        (
            (400, "", r#"{"code":50035,"message":"Invalid Form Body"}"#),
            Err("50035"),
        ),
    ] {
        let (listener, client) = speaking(vec![answer]).await;
        match (client.change(2, "77", &notice, SHOWN).await, expect) {
            (Ok(found), Ok(expect)) => assert_eq!(found, expect),
            (Err(CallError::Never(why)), Err(expect)) => {
                assert!(why.contains(expect), "{why}");
                assert!(!why.contains(TOKEN), "{why}");
            }
            (found, _) => panic!("{answer:?}: {found:?}"),
        }
        assert_eq!(lines(&listener), ["PATCH /api/v10/channels/2/messages/77"]);
        assert_eq!(listener.asked()[0].body["components"], json!([]));
    }
    let (listener, client) = speaking(vec![]).await;
    assert_eq!(client.change(2, "../x", &notice, SHOWN).await, Ok(false));
    assert!(lines(&listener).is_empty());
}

#[tokio::test]
async fn a_limit_is_obeyed_before_it_is_hit() {
    let empty = "x-ratelimit-remaining: 0\r\nx-ratelimit-reset-after: 60\r\n";
    let (listener, client) = speaking(vec![(200, empty, r#"{"id":"77"}"#), DONE]).await;
    let notice = sample::notice(News::Ready);
    assert!(client.notice(2, &notice, SHOWN).await.is_ok());
    let error = client.notice(2, &notice, SHOWN).await.unwrap_err();
    let wait = wait(&error).unwrap();
    assert!(wait > Duration::from_secs(50) && wait <= Duration::from_secs(60));
    // Another channel has a bucket of its own.
    assert!(client.notice(3, &notice, SHOWN).await.is_ok());
    assert_eq!(listener.asked().len(), 2);
}

#[tokio::test]
async fn a_global_limit_stops_everything_but_answers() {
    let body = r#"{"message":"limited","retry_after":64.57,"global":true}"#;
    let (listener, client) = speaking(vec![(429, "", body), DONE]).await;
    let notice = sample::notice(News::Ready);
    let error = client.notice(2, &notice, SHOWN).await.unwrap_err();
    assert_eq!(wait(&error), Some(Duration::from_secs_f64(64.57)));
    assert!(wait(&client.notice(3, &notice, SHOWN).await.unwrap_err()).is_some());
    assert!(wait(&client.register(&[]).await.unwrap_err()).is_some());
    assert_eq!(
        client
            .reply(&spot(INTERACTION), &sample::said("Hello"), &[])
            .await,
        Ok(())
    );
    assert_eq!(listener.asked().len(), 2);
}

#[tokio::test]
async fn what_was_refused_is_not_asked_again_at_once() {
    let no = (401, "", r#"{"message":"401: Unauthorized"}"#);
    let (listener, client) = speaking(vec![no]).await;
    let notice = sample::notice(News::Ready);
    for channel in 2..20 {
        let error = client.notice(channel, &notice, SHOWN).await.unwrap_err();
        assert!(matches!(error, CallError::Never(_)), "{error:?}");
    }
    assert_eq!(listener.asked().len(), 1);
}

#[tokio::test]
async fn what_may_work_later_says_so() {
    let notice = sample::notice(News::Ready);
    for answer in [(500, "", "oops"), (503, "", ""), (200, "", "no json")] {
        let (_listener, client) = speaking(vec![answer]).await;
        let error = client.notice(2, &notice, SHOWN).await.unwrap_err();
        assert_eq!(wait(&error), None);
    }
    let client = Client::new(Settings {
        api_url: "http://127.0.0.1:1/api".to_owned(),
        application_id: 9,
        token: TOKEN.to_owned(),
    })
    .unwrap();
    let error = client.notice(2, &notice, SHOWN).await.unwrap_err();
    assert_eq!(wait(&error), None);
    assert!(!error.to_string().contains(TOKEN), "{error}");
}

#[tokio::test]
async fn an_answer_reaches_only_whoever_asked_or_nobody() {
    let gone = r#"{"code":10015,"message":"Unknown Webhook"}"#;
    let invalid = r#"{"code":50027,"message":"Invalid Webhook Token"}"#;
    for answer in [DONE, (404, "", gone), (401, "", invalid)] {
        let (listener, client) = speaking(vec![answer]).await;
        assert_eq!(
            client
                .reply(&spot(INTERACTION), &sample::said("Hello"), &[])
                .await,
            Ok(())
        );
        let asked = listener.asked();
        assert_eq!(asked[0].line, "POST /api/v10/webhooks/9/canary-interaction");
        assert!(!asked[0].head.contains("authorization"));
        assert_eq!(asked[0].body["flags"], 68);
    }
    let (listener, client) = speaking(vec![(500, "", "")]).await;
    let error = client
        .reply(&spot(INTERACTION), &sample::said("Hello"), &[])
        .await
        .unwrap_err();
    assert!(!format!("{error:?}").contains(INTERACTION));
    assert_eq!(listener.asked().len(), 1);
    for token in ["", "../../channels/1/messages", "a/b", "a?b"] {
        let (listener, client) = speaking(vec![]).await;
        assert!(
            client
                .reply(&spot(token), &sample::said("Hello"), &[])
                .await
                .is_err()
        );
        assert!(listener.asked().is_empty());
    }
}

#[tokio::test]
async fn a_remark_finds_or_makes_its_thread() {
    let approved = sample::said("Approved");
    let unknown_channel = (404, "", r#"{"code":10003,"message":"Unknown Channel"}"#);
    let unknown_message = (404, "", r#"{"code":10008,"message":"Unknown Message"}"#);
    let exists = (
        400,
        "",
        r#"{"code":160004,"message":"A thread has already been created"}"#,
    );
    let say = "POST /api/v10/channels/77/messages";
    let open = "POST /api/v10/channels/2/messages/77/threads";
    let channel = "POST /api/v10/channels/2/messages";
    for (answers, expect) in [
        (vec![DONE], vec![say]),
        (vec![unknown_channel, DONE, DONE], vec![say, open, say]),
        (vec![unknown_channel, exists, DONE], vec![say, open, say]),
        (
            vec![unknown_channel, unknown_message, DONE],
            vec![say, open, channel],
        ),
    ] {
        let (listener, client) = speaking(answers).await;
        assert_eq!(client.remark(2, &remark(&approved)).await, Ok(()));
        assert_eq!(lines(&listener), expect);
    }
    let (listener, client) = speaking(vec![DONE]).await;
    let remark = Remark {
        under: None,
        ..remark(&approved)
    };
    assert_eq!(client.remark(2, &remark).await, Ok(()));
    assert_eq!(lines(&listener), [channel]);
}

#[tokio::test]
async fn commands_are_registered_where_they_belong() {
    let (listener, client) = speaking(vec![DONE]).await;
    assert_eq!(client.register(&[]).await, Ok(()));
    assert_eq!(lines(&listener), ["PUT /api/v10/applications/9/commands"]);
    assert_eq!(listener.asked()[0].body[0]["contexts"], json!([0]));
    let (listener, client) = speaking(vec![DONE, DONE]).await;
    let guilds = ["1".to_owned(), "2".to_owned()];
    assert_eq!(client.register(&guilds).await, Ok(()));
    assert_eq!(
        lines(&listener),
        [
            "PUT /api/v10/applications/9/guilds/1/commands",
            "PUT /api/v10/applications/9/guilds/2/commands",
        ]
    );
    assert!(client.register(&["x/../y".to_owned()]).await.is_err());
}

#[test]
fn tokens_are_not_shown_and_must_be_sendable() {
    let settings = |url: &str, token: &str| Settings {
        api_url: url.to_owned(),
        application_id: 9,
        token: token.to_owned(),
    };
    let good = settings("https://discord.com/api/v10", TOKEN);
    assert!(!format!("{good:?}").contains(TOKEN));
    assert!(!format!("{:?}", Client::new(good).unwrap()).contains(TOKEN));
    let bad = Client::new(settings("https://discord.com", "two\nlines"));
    assert_eq!(bad.unwrap_err(), Unusable::Token);
    for url in ["", "/api", "discord.com:x"] {
        let bad = Client::new(settings(url, TOKEN));
        assert_eq!(bad.unwrap_err(), Unusable::Address, "{url}");
    }
}
