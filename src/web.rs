//! Connections: how places outside are reached over HTTP: with the usual roots of trust, without proxies and redirects,
//! and never for longer or for more than was said. The same road is open to what is not HTTP after its beginning.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tower::ServiceExt as _;

pub(crate) type Web = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Bytes both ways, with TLS or without.
pub(crate) type Line = TokioIo<MaybeHttpsStream<TokioIo<TcpStream>>>;

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// There was no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unanswered {
    #[error("did not answer in time")]
    Slow,
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    #[error("broke off its answer, or answered too much: {0}")]
    BrokenOff(String),
}

pub(crate) fn web() -> Web {
    Client::builder(TokioExecutor::new()).build(connector())
}

fn connector() -> HttpsConnector<HttpConnector> {
    HttpsConnectorBuilder::new()
        .with_webpki_roots()
        .https_or_http()
        .enable_http1()
        .build()
}

/// Asks, and reads the whole answer within the deadline if it is not longer than that.
pub(crate) async fn send(
    web: &Web,
    request: Request<Full<Bytes>>,
    deadline: Duration,
    longest: usize,
) -> Result<Answer, Unanswered> {
    let ask = async {
        let answer = web.request(request).await;
        let answer = answer.map_err(|error| Unanswered::Unreachable(error.to_string()))?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, longest).collect().await;
        let body = body.map_err(|error| Unanswered::BrokenOff(error.to_string()))?;
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.to_bytes(),
        })
    };
    let answer = tokio::time::timeout(deadline, ask).await;
    answer.map_err(|_| Unanswered::Slow)?
}

/// A line to the host of an address that begins with `https` or `http`.
pub(crate) async fn line(address: Uri) -> Result<Line, Unanswered> {
    let stream = connector().oneshot(address).await;
    stream
        .map(TokioIo::new)
        .map_err(|error| Unanswered::Unreachable(error.to_string()))
}

/// A part of a path or a query, with everything escaped that could mean something there.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_means_anything_in_a_path() {
        for (text, expect) in [
            ("main", "main"),
            ("release/2.x", "release%2F2.x"),
            ("../x?a=b&c#d", "..%2Fx%3Fa%3Db%26c%23d"),
            ("dependabot[bot]", "dependabot%5Bbot%5D"),
        ] {
            assert_eq!(escaped(text), expect);
        }
    }
}
