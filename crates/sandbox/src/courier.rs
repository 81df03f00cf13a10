//! The courier: it carries one POST to loopback over plain HTTP/1.1, and brings the answer back. What refuses
//! early may close before the body is through; its answer counts all the same.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// An answer, as far as it came.
#[derive(Clone, Debug, Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    pub(super) fn is_json(&self) -> bool {
        let kind = self.header("content-type").split(';').next();
        kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
    }
}

/// Nothing where no status came back.
pub(super) async fn post(url: &str, headers: &[(String, String)], body: &[u8]) -> Option<Reply> {
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
    let _written = socket.write_all(body).await;
    let mut answer = Vec::new();
    let mut piece = [0; 4_096];
    while !is_whole(&answer) {
        match socket.read(&mut piece).await {
            Ok(0) | Err(_) => break,
            Ok(count) => answer.extend_from_slice(&piece[..count]),
        }
    }
    read(&answer)
}

/// Where the headers end and the body begins.
fn body_of(answer: &[u8]) -> Option<usize> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(end + 4)
}

fn is_whole(answer: &[u8]) -> bool {
    let Some((reply, start)) = read(answer).zip(body_of(answer)) else {
        return false;
    };
    match reply.header("content-length").parse() {
        Ok(length) => answer.len() - start >= length,
        Err(_) => reply.status == 204 || answer.ends_with(b"0\r\n\r\n"),
    }
}

fn read(answer: &[u8]) -> Option<Reply> {
    let start = body_of(answer).unwrap_or(answer.len());
    let head = String::from_utf8_lossy(&answer[..start]);
    let mut lines = head.lines();
    let status = lines.next()?.split_whitespace().nth(1)?.parse().ok()?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut reply = Reply {
        status,
        headers,
        body: answer[start..].to_vec(),
    };
    if reply.header("transfer-encoding") == "chunked" {
        reply.body = unchunked(&answer[start..]);
    }
    Some(reply)
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = str::from_utf8(&rest[..end]).ok();
        let size = size.and_then(|size| usize::from_str_radix(size.trim(), 16).ok());
        let chunk = size.and_then(|size| rest.get(end + 2..)?.get(..size));
        let Some(chunk) = chunk.filter(|chunk| !chunk.is_empty()) else {
            break;
        };
        body.extend_from_slice(chunk);
        rest = rest.get(end + 4 + chunk.len()..).unwrap_or_default();
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_far_as_they_came() {
        for (answer, status, body, whole) in [
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                200,
                "ok",
                true,
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
                200,
                "ok",
                false,
            ),
            ("HTTP/1.1 202 Accepted\r\n", 202, "", false),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n1\r\n!\r\n0\r\n\r\n",
                200,
                "ok!",
                true,
            ),
        ] {
            let read = read(answer.as_bytes()).unwrap();
            assert_eq!(
                (read.status, read.body.as_slice()),
                (status, body.as_bytes())
            );
            assert_eq!(is_whole(answer.as_bytes()), whole, "{answer}");
        }
        assert!(read(b"").is_none());
    }
}
