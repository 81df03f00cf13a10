//! Sends one webhook over plain HTTP/1.1, to loopback only, and reads no more than the status.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// As long as GitHub waits.
const ANSWER: Duration = Duration::from_secs(10);

/// The status of the answer, or what GitHub writes when there is none.
pub(super) async fn post(
    url: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> Result<u16, String> {
    match tokio::time::timeout(ANSWER, attempt(url, headers, body)).await {
        Ok(answered) => answered.ok_or_else(|| "failed to connect to host".to_owned()),
        Err(_) => Err("timed out".to_owned()),
    }
}

async fn attempt(url: &str, headers: &[(String, String)], body: &[u8]) -> Option<u16> {
    let rest = url.strip_prefix("http://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut socket = TcpStream::connect(host).await.ok()?;
    if !socket.peer_addr().ok()?.ip().is_loopback() {
        return None;
    }
    let mut request = format!("POST /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    socket.write_all(request.as_bytes()).await.ok()?;
    // Whoever refuses early may close before the body is through; the answer counts all the same.
    let _written = socket.write_all(body).await;
    let mut answer = Vec::new();
    let mut piece = [0; 1_024];
    while !answer.contains(&b'\n') {
        let count = socket.read(&mut piece).await.ok()?;
        if count == 0 {
            return None;
        }
        answer.extend_from_slice(&piece[..count]);
    }
    let line = String::from_utf8_lossy(&answer);
    line.split_whitespace().nth(1)?.parse().ok()
}
