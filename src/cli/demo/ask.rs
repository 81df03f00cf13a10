//! A question to the running service by HTTP, as a load balancer or a person with curl would.

use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The status and the body of the answer.
pub(super) async fn get(address: SocketAddr, path: &str) -> anyhow::Result<(u16, String)> {
    let mut socket = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await?;
    parted(&answer).context("the service gave no answer that can be read")
}

fn parted(answer: &str) -> Option<(u16, String)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split_whitespace().nth(1)?.parse().ok()?;
    Some((status, body.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_apart() {
        let answer = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: a\r\n\r\n{\"ready\":false}";
        assert_eq!(parted(answer), Some((503, "{\"ready\":false}".to_owned())));
        assert_eq!(parted("HTTP/1.1"), None);
    }
}
