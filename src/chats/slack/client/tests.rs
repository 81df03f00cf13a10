//! Calls: what is sent, and what answers mean, against a small server.

use super::*;
use crate::chats::listener::{Listener, Told};
use crate::chats::sample;
use crate::domain::{Chat, News, Speaker};

const TOKEN: &str = "xoxb-canary";
const APP_TOKEN: &str = "xapp-canary";
const DONE: Told = (200, "", r#"{"ok":true,"ts":"1.2","channel":"C1"}"#);
const LIMITED: Told = (
    429,
    "retry-after: 30\r\n",
    r#"{"ok":false,"error":"ratelimited"}"#,
);

const SHOWN: Shown<'_> = Shown {
    token: "notice/1",
    call: None,
    anchor: None,
};

async fn speaking(answers: Vec<Told>) -> (Listener, Client) {
    let listener = Listener::answering(answers).await;
    let client = Client::new(Settings {
        api_url: format!("{}/api", listener.url),
        hooks_url: format!("{}/", listener.url),
        token: TOKEN.to_owned(),
        app_token: Some(APP_TOKEN.to_owned()),
    });
    (listener, client.unwrap())
}

fn spot(response: Option<&str>, trigger: Option<&str>) -> Spot {
    Spot {
        speaker: Speaker {
            chat: Chat::Slack,
            tenant: "T1".to_owned(),
            user: "U1".to_owned(),
            name: "ann".to_owned(),
        },
        channel: "C1".to_owned(),
        id: "5".to_owned(),
        handle: Handle::Slack {
            response: response.map(str::to_owned),
            trigger: trigger.map(str::to_owned),
        },
        said_at: jiff::Timestamp::UNIX_EPOCH,
    }
}

fn lines(listener: &Listener) -> Vec<String> {
    listener
        .asked()
        .into_iter()
        .map(|asked| asked.line)
        .collect()
}

#[tokio::test]
async fn a_notice_is_posted_and_named() {
    let (listener, client) = speaking(vec![DONE]).await;
    let notice = sample::notice(News::Ready);
    assert_eq!(
        client.notice("C1", &notice, SHOWN).await,
        Ok("1.2".to_owned())
    );
    let asked = listener.asked();
    assert_eq!(asked[0].line, "POST /api/chat.postMessage");
    assert!(asked[0].head.contains("authorization: bearer xoxb-canary"));
    assert!(asked[0].head.contains("application/json; charset=utf-8"));
    assert_eq!(asked[0].body["channel"], "C1");
    assert_eq!(asked[0].body["unfurl_links"], false);
}

#[tokio::test]
async fn a_change_says_whether_the_message_is_there() {
    let notice = sample::notice(News::Ready);
    let later = |seconds: Option<u64>| Err(seconds.map(Duration::from_secs));
    for (answer, expect) in [
        (DONE, Ok(Some(true))),
        (
            (200, "", r#"{"ok":false,"error":"message_not_found"}"#),
            Ok(Some(false)),
        ),
        (
            (200, "", r#"{"ok":false,"error":"channel_not_found"}"#),
            Ok(None),
        ),
        (
            (200, "", r#"{"ok":false,"error":"token_revoked"}"#),
            Ok(None),
        ),
        (
            (200, "", r#"{"ok":false,"error":"msg_too_long"}"#),
            Ok(None),
        ),
        (LIMITED, later(Some(30))),
        (
            (200, "", r#"{"ok":false,"error":"ratelimited"}"#),
            later(Some(5)),
        ),
        ((429, "", ""), later(Some(5))),
        ((500, "", "oops"), later(None)),
        ((200, "", "no json"), later(None)),
        ((404, "", "no json"), Ok(None)),
    ] {
        let (listener, client) = speaking(vec![answer]).await;
        let found = client.change("C1", "1.2", &notice, SHOWN).await;
        match (&found, expect) {
            (Ok(found), Ok(Some(expect))) => assert_eq!(*found, expect, "{answer:?}"),
            (Err(CallError::Never(why)), Ok(None)) => assert!(!why.contains(TOKEN)),
            (Err(CallError::Later { wait, .. }), Err(expect)) => assert_eq!(*wait, expect),
            (found, _) => panic!("{answer:?}: {found:?}"),
        }
        assert_eq!(lines(&listener), ["POST /api/chat.update"]);
        assert_eq!(listener.asked()[0].body["ts"], "1.2");
    }
}

#[tokio::test]
async fn an_answer_goes_to_slacks_address_only() {
    let gone = (404, "", "used_url");
    let expired = (200, "", r#"{"ok":false,"error":"expired_url"}"#);
    for answer in [(200, "", "ok"), (200, "", ""), DONE, gone, expired] {
        let (listener, client) = speaking(vec![answer]).await;
        let spot = spot(Some("/actions/T1/2/x3"), None);
        assert_eq!(
            client.reply(&spot, &sample::said("Hello"), &[]).await,
            Ok(()),
            "{answer:?}"
        );
        let asked = listener.asked();
        assert_eq!(asked[0].line, "POST /actions/T1/2/x3");
        assert!(!asked[0].head.contains("authorization"));
        assert_eq!(asked[0].body["response_type"], "ephemeral");
        assert_eq!(asked[0].body["replace_original"], false);
    }
    for response in [
        None,
        Some("@evil.example/"),
        Some("//evil.example"),
        Some("/../x"),
    ] {
        let (listener, client) = speaking(vec![DONE]).await;
        let spot = spot(response, None);
        assert_eq!(
            client.reply(&spot, &sample::said("Hello"), &[]).await,
            Ok(())
        );
        assert_eq!(lines(&listener), ["POST /api/chat.postEphemeral"]);
        assert_eq!(listener.asked()[0].body["user"], "U1");
    }
    let (_listener, client) = speaking(vec![(500, "", "")]).await;
    let error = client
        .reply(
            &spot(Some("/actions/secret"), None),
            &sample::said("Hello"),
            &[],
        )
        .await;
    let error = error.unwrap_err();
    assert!(matches!(error, CallError::Later { .. }));
    assert!(!format!("{error:?}").contains("secret"));
    let (_listener, client) = speaking(vec![(400, "", "invalid_blocks")]).await;
    let error = client
        .reply(&spot(Some("/actions/x"), None), &sample::said("Hello"), &[])
        .await;
    assert!(matches!(error, Err(CallError::Never(_))), "{error:?}");
}

#[tokio::test]
async fn a_form_opens_or_whoever_pressed_is_told() {
    let button = Button::Reject { request: 42 };
    let (listener, client) = speaking(vec![DONE]).await;
    let pressed = spot(Some("/actions/x"), Some("12.34"));
    assert_eq!(client.form(&pressed, button).await, Ok(()));
    let asked = listener.asked();
    assert_eq!(asked[0].line, "POST /api/views.open");
    assert_eq!(asked[0].body["trigger_id"], "12.34");
    assert_eq!(asked[0].body["view"]["callback_id"], "cs/reject/42");
    let late = (200, "", r#"{"ok":false,"error":"expired_trigger_id"}"#);
    let (listener, client) = speaking(vec![late, (200, "", "ok")]).await;
    assert_eq!(client.form(&pressed, button).await, Ok(()));
    assert_eq!(
        lines(&listener),
        ["POST /api/views.open", "POST /actions/x"]
    );
    let (_listener, client) = speaking(vec![]).await;
    let asks_nothing = client.form(&pressed, Button::Deploy { notice: 1 }).await;
    assert!(matches!(asks_nothing, Err(CallError::Never(_))));
}

#[tokio::test]
async fn a_remark_stands_in_the_thread_of_its_notice_or_alone() {
    let remark = Remark {
        under: Some("1.2"),
        kind: None,
        text: &sample::said("Approved"),
        call: None,
        title: "shop",
        token: "remark/1",
    };
    let (listener, client) = speaking(vec![DONE]).await;
    assert_eq!(client.remark("C1", &remark).await, Ok(()));
    assert_eq!(listener.asked()[0].body["thread_ts"], "1.2");
    let gone = (200, "", r#"{"ok":false,"error":"thread_not_found"}"#);
    let (listener, client) = speaking(vec![gone, DONE]).await;
    assert_eq!(client.remark("C1", &remark).await, Ok(()));
    assert_eq!(listener.asked()[1].body.get("thread_ts"), None);
}

#[tokio::test]
async fn a_socket_is_opened_at_slacks_own_address() {
    let (listener, client) =
        speaking(vec![(200, "", r#"{"ok":true,"url":"ws://127.0.0.1:9/x"}"#)]).await;
    assert_eq!(
        client.open_socket().await,
        Ok("ws://127.0.0.1:9/x".to_owned())
    );
    assert!(listener.asked()[0].head.contains("bearer xapp-canary"));
    let slack = Client::new(Settings {
        api_url: "https://slack.com/api".to_owned(),
        hooks_url: "https://hooks.slack.com".to_owned(),
        token: TOKEN.to_owned(),
        app_token: None,
    })
    .unwrap();
    for (url, expect) in [
        ("wss://wss-primary.slack.com/link/?ticket=x", true),
        ("ws://wss-primary.slack.com/link", false),
        ("wss://slack.com.evil.example/", false),
        ("wss://evilslack.com/", false),
        ("https://slack.com/", false),
        ("", false),
    ] {
        assert_eq!(slack.is_socket(url), expect, "{url}");
    }
    assert!(matches!(
        slack.open_socket().await,
        Err(CallError::Never(_))
    ));
}

#[test]
fn tokens_are_not_shown_and_must_be_sendable() {
    let settings = |url: &str, token: &str| Settings {
        api_url: url.to_owned(),
        hooks_url: url.to_owned(),
        token: token.to_owned(),
        app_token: Some(APP_TOKEN.to_owned()),
    };
    let good = settings("https://slack.com/api", TOKEN);
    assert!(!format!("{good:?}").contains("canary"));
    assert!(!format!("{:?}", Client::new(good).unwrap()).contains("canary"));
    let bad = Client::new(settings("https://slack.com", "two\nlines"));
    assert_eq!(bad.unwrap_err(), Unusable::Token);
    let bad = Client::new(settings("/api", TOKEN));
    assert_eq!(bad.unwrap_err(), Unusable::Address);
}
