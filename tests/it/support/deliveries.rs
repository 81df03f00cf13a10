//! Signed deliveries as GitHub sends them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_ground::clock::Clock;
use countersign_ground::digest;
use serde_json::{Value, json};

pub(crate) const SECRET: &str = "a webhook secret of the tests";

/// The headers of a delivery, signed.
pub(crate) fn headers(event: &str, id: &str, body: &[u8]) -> Vec<(&'static str, String)> {
    vec![
        ("x-github-event", event.to_owned()),
        ("x-github-delivery", id.to_owned()),
        (
            "x-hub-signature-256",
            format!(
                "sha256={}",
                digest::hmac_sha256_hex(SECRET.as_bytes(), body)
            ),
        ),
        ("content-type", "application/json".to_owned()),
    ]
}

/// A whole HTTP/1.1 request, for those who write to sockets themselves.
pub(crate) fn raw_request(event: &str, id: &str, body: &[u8]) -> Vec<u8> {
    let mut request = b"POST /hooks/github HTTP/1.1\r\nhost: test\r\n".to_vec();
    for (name, value) in headers(event, id, body) {
        request.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    request.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    request.extend_from_slice(body);
    request
}

/// Something small that happens in a repository.
pub(crate) fn push(repository: u64) -> Vec<u8> {
    json!({ "ref": "refs/heads/main", "repository": { "id": repository, "full_name": "acme/shop" } })
        .to_string()
        .into_bytes()
}

/// Ann writes a comment on a pull request.
pub(crate) fn comment(repository: u64, comment: u64, text: &str) -> Value {
    comment_by((5, "ann"), repository, comment, text)
}

/// The same by somebody else.
pub(crate) fn comment_by(
    (id, login): (u64, &str),
    repository: u64,
    comment: u64,
    text: &str,
) -> Value {
    let by = json!({ "id": id, "login": login, "type": "User" });
    json!({
        "action": "created",
        "comment": {
            "id": comment, "body": text, "created_at": Clock::system().now().to_string(),
            "user": by, "performed_via_github_app": null
        },
        "issue": { "number": 3, "pull_request": { "url": "" } },
        "repository": { "id": repository, "full_name": "acme/shop" },
        "sender": by
    })
}

/// The signature of a delivery from GitLab with this id, at this second, as Standard Webhooks wants it.
pub(crate) fn signed_by_gitlab(key: &[u8], (id, second): (&str, i64), body: &[u8]) -> String {
    let message = [format!("{id}.{second}.").as_bytes(), body].concat();
    let tag = digest::unhex::<32>(&digest::hmac_sha256_hex(key, &message)).unwrap();
    format!("v1,{}", STANDARD.encode(tag))
}
