//! A socket against a small Slack on this machine.

use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_async;

use super::*;

async fn slack() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/link?ticket=canary", listener.local_addr().unwrap());
    (listener, url)
}

async fn accepted(listener: TcpListener) -> WebSocketStream<TcpStream> {
    let (stream, _) = listener.accept().await.unwrap();
    accept_async(stream).await.unwrap()
}

#[tokio::test]
async fn what_slack_sends_is_heard_and_acknowledged() {
    let (listener, url) = slack().await;
    let server = tokio::spawn(async move {
        let mut stream = accepted(listener).await;
        for text in [
            r#"{"type":"hello","num_connections":1}"#,
            r#"{"type":"interactive","envelope_id":"e-1","payload":{"type":"block_actions"},"accepts_response_payload":false}"#,
        ] {
            stream.send(Message::Text(text.into())).await.unwrap();
        }
        let answer = stream.next().await.unwrap().unwrap();
        stream
            .send(Message::Text(
                r#"{"type":"disconnect","reason":"refresh_requested"}"#.into(),
            ))
            .await
            .unwrap();
        stream.close(None).await.unwrap();
        answer.into_text().unwrap().to_string()
    });
    let mut socket = Socket::open(&url).await.unwrap();
    assert_eq!(socket.next().await, Ok(Heard::Hello));
    assert_eq!(
        socket.next().await,
        Ok(Heard::Envelope(Envelope {
            kind: "interactive".to_owned(),
            id: "e-1".to_owned(),
            payload: br#"{"type":"block_actions"}"#.to_vec(),
        }))
    );
    socket.acknowledge("e-1").await.unwrap();
    let refresh = Heard::Disconnect("refresh_requested".to_owned());
    assert_eq!(socket.next().await, Ok(refresh));
    assert!(matches!(socket.next().await, Ok(Heard::Disconnect(_))));
    assert_eq!(server.await.unwrap(), r#"{"envelope_id":"e-1"}"#);
}

#[tokio::test]
async fn a_silent_socket_is_asked_and_then_given_up() {
    let (listener, url) = slack().await;
    let (heard, has_heard) = tokio::sync::oneshot::channel();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let stream = accept_async(stream).await.unwrap();
        // A server that does not read does not answer pings.
        let _ = has_heard.await;
        drop(stream);
    });
    let mut socket = Socket::open(&url).await.unwrap();
    socket.silence = Duration::from_millis(20);
    let error = socket.next().await.unwrap_err();
    assert!(error.to_string().contains("silent"), "{error}");
    heard.send(()).unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn what_is_no_socket_is_an_error_without_its_address() {
    let (listener, url) = slack().await;
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 1_024];
        stream.readable().await.unwrap();
        let _ = stream.try_read(&mut buffer);
        let _ = stream.try_write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
    });
    let error = Socket::open(&url).await.unwrap_err();
    assert!(error.to_string().contains("403"), "{error}");
    assert!(!error.to_string().contains("canary"), "{error}");
    server.await.unwrap();
    for url in ["", "https://slack.com/", "wss://", "ftp://x/"] {
        assert!(Socket::open(url).await.is_err(), "{url}");
    }
    let error = Socket::open("ws://127.0.0.1:1/?ticket=canary")
        .await
        .unwrap_err();
    assert!(!error.to_string().contains("canary"), "{error}");
}

#[test]
fn whatever_slack_says_is_heard() {
    for (text, expect) in [
        ("", Heard::Nothing),
        ("[]", Heard::Nothing),
        ("{}", Heard::Nothing),
        (r#"{"type":7}"#, Heard::Nothing),
        (r#"{"type":"hello"}"#, Heard::Hello),
        (r#"{"type":"disconnect"}"#, Heard::Disconnect(String::new())),
        (
            r#"{"type":"events_api","envelope_id":"e"}"#,
            Heard::Envelope(Envelope {
                kind: "events_api".to_owned(),
                id: "e".to_owned(),
                payload: b"null".to_vec(),
            }),
        ),
    ] {
        assert_eq!(heard(text.as_bytes()), expect, "{text}");
    }
}
