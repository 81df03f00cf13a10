//! A server for the tests of both clients: it answers what it was told to, in order, and keeps what it was asked.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What was asked.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// `POST /path`.
    pub(super) line: String,
    pub(super) head: String,
    pub(super) body: Value,
}

pub(super) struct Listener {
    pub(super) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// An answer: status, headers, body.
pub(super) type Told = (u16, &'static str, &'static str);

impl Listener {
    pub(super) async fn answering(answers: Vec<Told>) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        tokio::spawn(async move {
            for answer in answers {
                let (stream, _) = socket.accept().await.unwrap();
                let one = serve(stream, answer).await;
                kept.lock().unwrap().push(one);
            }
        });
        Self { url, asked }
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, (status, headers, body): Told) -> Asked {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        stream.read_buf(&mut bytes).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                let is_length = name.eq_ignore_ascii_case("content-length");
                value.parse::<usize>().ok().filter(|_| is_length)
            });
            break (head.to_owned(), length.unwrap_or_default());
        }
    };
    let start = head.len() + 4;
    while bytes.len() < start + length {
        stream.read_buf(&mut bytes).await.unwrap();
    }
    let answer = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let line = head.lines().next().unwrap_or_default();
    Asked {
        line: line.trim_end_matches(" HTTP/1.1").to_owned(),
        body: serde_json::from_slice(&bytes[start..]).unwrap_or_default(),
        head: head.to_ascii_lowercase(),
    }
}
