//! GitHub's side of the door in. Pure: signed bytes become a [`Delivery`], and [`interpret`] says what
//! stored bytes mean; nothing is asked and nothing is decided.

use std::fmt;

use http::{HeaderMap, HeaderName};

use super::payload::Envelope;
use crate::domain::{Delivery, Forge, Source};
use countersign_ground::digest;

pub use super::interpret::interpret;

const SIGNATURE: HeaderName = HeaderName::from_static("x-hub-signature-256");
const EVENT: HeaderName = HeaderName::from_static("x-github-event");
const DELIVERY: HeaderName = HeaderName::from_static("x-github-delivery");

/// What GitHub signs with: one secret, or two while one replaces the other.
#[derive(Clone)]
pub struct WebhookSecrets(Vec<Vec<u8>>);

/// Why a request was turned away; nothing of it was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    #[error("the X-Hub-Signature-256 header is missing")]
    NoSignature,
    #[error("there is more than one X-Hub-Signature-256 header")]
    SeveralSignatures,
    #[error("the X-Hub-Signature-256 header is not `sha256=` and 64 hex digits")]
    UnreadableSignature,
    #[error("the signature was made with another secret, or of another body")]
    WrongSignature,
    #[error("the X-GitHub-Event header is missing, doubled, or not an event's name")]
    BadEvent,
    #[error("the X-GitHub-Delivery header is missing, doubled, or not an id")]
    BadDelivery,
}

impl Rejected {
    /// Whether the sender failed to show that it is GitHub.
    pub fn is_unauthentic(self) -> bool {
        match self {
            Self::NoSignature
            | Self::SeveralSignatures
            | Self::UnreadableSignature
            | Self::WrongSignature => true,
            Self::BadEvent | Self::BadDelivery => false,
        }
    }
}

impl WebhookSecrets {
    /// An empty secret is one that every attacker knows, so it is left out.
    pub fn new(secrets: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self(
            secrets
                .into_iter()
                .filter(|secret| !secret.is_empty())
                .collect(),
        )
    }

    /// Without a secret nothing can be authentic.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for WebhookSecrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "WebhookSecrets({} of them)", self.0.len())
    }
}

/// Checks who sent it, then reads just enough to store it. The body may be anything.
pub fn receive(
    secrets: &WebhookSecrets,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Delivery, Rejected> {
    let tag = signature(headers)?;
    // All secrets are tried, so that the time does not tell which one is in use.
    let matches = secrets.0.iter().fold(false, |found, secret| {
        digest::hmac_sha256_matches(secret, body, &tag) | found
    });
    if !matches {
        return Err(Rejected::WrongSignature);
    }
    let event = only(headers, &EVENT)
        .filter(|event| is_name(event, 64))
        .ok_or(Rejected::BadEvent)?;
    let delivery = only(headers, &DELIVERY)
        .filter(|delivery| is_name(delivery, 64))
        .ok_or(Rejected::BadDelivery)?;
    let (lane, malformed) = match envelope(body) {
        Ok(envelope) => (lane(&envelope), None),
        Err(why) => ("github".to_owned(), Some(why)),
    };
    Ok(Delivery {
        source: Source::Forge(Forge::GitHub),
        key: format!(
            "{}/{event}/{}",
            in_time_order(delivery),
            digest::hex(&tag[..8])
        ),
        event: event.to_owned(),
        lane,
        malformed,
    })
}

fn signature(headers: &HeaderMap) -> Result<[u8; 32], Rejected> {
    let mut values = headers.get_all(&SIGNATURE).iter();
    let value = values.next().ok_or(Rejected::NoSignature)?;
    if values.next().is_some() {
        return Err(Rejected::SeveralSignatures);
    }
    value
        .to_str()
        .ok()
        .and_then(|text| text.strip_prefix("sha256="))
        .and_then(digest::unhex)
        .ok_or(Rejected::UnreadableSignature)
}

fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn is_name(text: &str, longest: usize) -> bool {
    !text.is_empty()
        && text.len() <= longest
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// GitHub's ids are UUIDs of version 1, which begin with the fastest part of their time. With the slow
/// parts first, ids of the same hour are neighbours in the database's index, which then writes a few
/// pages for many deliveries instead of one for each. Anything else is kept as it is.
fn in_time_order(delivery: &str) -> String {
    let parts: Vec<&str> = delivery.split('-').collect();
    match parts.as_slice() {
        [low, mid, high, clock, node] if delivery.len() == 36 && high.starts_with('1') => {
            format!("{high}-{mid}-{low}-{clock}-{node}")
        }
        _ => delivery.to_owned(),
    }
}

fn envelope(body: &[u8]) -> Result<Envelope, String> {
    // A struct can be read from an array too, which no event is.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err("the body is not a JSON object".to_owned());
    }
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

/// What happens in one repository stays in order; the rest is ordered by installation.
fn lane(envelope: &Envelope) -> String {
    match (&envelope.repository, &envelope.installation) {
        (Some(repository), _) => format!("github/repository/{}", repository.id.0),
        (None, Some(installation)) => format!("github/installation/{}", installation.id.0),
        (None, None) => "github".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const SECRET: &[u8] = b"It's a Secret to Everybody";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn signed(secret: &[u8], body: &[u8]) -> HeaderMap {
        headers(&[
            (
                "x-hub-signature-256",
                &format!("sha256={}", digest::hmac_sha256_hex(secret, body)),
            ),
            ("x-github-event", "ping"),
            ("x-github-delivery", "6f3a-1"),
        ])
    }

    fn secrets() -> WebhookSecrets {
        WebhookSecrets::new([SECRET.to_vec()])
    }

    #[test]
    fn only_a_right_signature_opens_the_door() {
        let body = b"{}";
        let right = format!("sha256={}", digest::hmac_sha256_hex(SECRET, body));
        let long = format!("{right}0");
        let other = format!("sha256={}", digest::hmac_sha256_hex(b"other", body));
        let sha1 = right.replace("sha256=", "sha1=");
        let not_hex = format!("sha256={}", "g".repeat(64));
        for (signatures, expect) in [
            (vec![], Rejected::NoSignature),
            (vec![""], Rejected::UnreadableSignature),
            (vec!["sha256="], Rejected::UnreadableSignature),
            (vec![&right[7..]], Rejected::UnreadableSignature),
            (vec![&right[..70]], Rejected::UnreadableSignature),
            (vec![&long], Rejected::UnreadableSignature),
            (vec![&sha1], Rejected::UnreadableSignature),
            (vec![&not_hex], Rejected::UnreadableSignature),
            (vec![&other], Rejected::WrongSignature),
            (vec![&right, &right], Rejected::SeveralSignatures),
            (vec![&right, &other], Rejected::SeveralSignatures),
        ] {
            let mut sent = headers(&[("x-github-event", "ping"), ("x-github-delivery", "1")]);
            for signature in &signatures {
                sent.append(SIGNATURE, HeaderValue::from_str(signature).unwrap());
            }
            let rejected = receive(&secrets(), &sent, body).unwrap_err();
            assert_eq!(rejected, expect, "{signatures:?}");
            assert!(rejected.is_unauthentic());
        }
    }

    #[test]
    fn either_of_two_secrets_will_do_and_an_empty_one_never_does() {
        let both = WebhookSecrets::new([b"old".to_vec(), b"new".to_vec(), Vec::new()]);
        assert!(receive(&both, &signed(b"old", b"{}"), b"{}").is_ok());
        assert!(receive(&both, &signed(b"new", b"{}"), b"{}").is_ok());
        assert_eq!(
            receive(&both, &signed(b"", b"{}"), b"{}"),
            Err(Rejected::WrongSignature)
        );
        assert_eq!(format!("{both:?}"), "WebhookSecrets(2 of them)");
    }

    #[test]
    fn lanes_follow_repositories_and_junk_is_kept_as_malformed() {
        for (body, lane, malformed) in [
            (
                &br#"{"repository":{"id":9}}"#[..],
                "github/repository/9",
                false,
            ),
            (
                br#"{"installation":{"id":4}}"#,
                "github/installation/4",
                false,
            ),
            (b"{}", "github", false),
            (b"not json", "github", true),
            (b"[]", "github", true),
            (br#"{"repository":{"id":-1}}"#, "github", true),
            (b"", "github", true),
            (b"\xff\xfe", "github", true),
        ] {
            let delivery = receive(&secrets(), &signed(SECRET, body), body).unwrap();
            assert_eq!(delivery.lane, lane);
            assert_eq!(delivery.malformed.is_some(), malformed, "{body:?}");
        }
    }

    #[test]
    fn the_same_id_with_another_body_or_event_is_another_delivery() {
        let key = |body: &[u8], event: &str| {
            let mut sent = signed(SECRET, body);
            sent.insert(EVENT, HeaderValue::from_str(event).unwrap());
            receive(&secrets(), &sent, body).unwrap().key
        };
        assert_eq!(key(b"{}", "ping"), key(b"{}", "ping"));
        assert_ne!(key(b"{}", "ping"), key(b"{ }", "ping"));
        assert_ne!(key(b"{}", "ping"), key(b"{}", "push"));
    }

    #[test]
    fn ids_made_from_time_are_ordered_by_it() {
        for (id, expect) in [
            (
                "72d3162e-cc78-11e3-81ab-4c9367dc0958",
                "11e3-cc78-72d3162e-81ab-4c9367dc0958",
            ),
            (
                "9f1c2d3e-cc78-41e3-81ab-4c9367dc0958",
                "9f1c2d3e-cc78-41e3-81ab-4c9367dc0958",
            ),
            ("a-b-1c-d-e", "a-b-1c-d-e"),
            ("", ""),
        ] {
            assert_eq!(in_time_order(id), expect);
        }
    }

    #[test]
    fn a_signed_request_without_event_or_id_is_told_so() {
        for (name, expect) in [
            (EVENT, Rejected::BadEvent),
            (DELIVERY, Rejected::BadDelivery),
        ] {
            let mut sent = signed(SECRET, b"{}");
            sent.remove(&name);
            assert_eq!(receive(&secrets(), &sent, b"{}"), Err(expect));
            sent.append(&name, HeaderValue::from_static("a"));
            sent.append(&name, HeaderValue::from_static("a"));
            assert_eq!(receive(&secrets(), &sent, b"{}"), Err(expect));
            sent.insert(&name, HeaderValue::from_static("a b"));
            assert_eq!(receive(&secrets(), &sent, b"{}"), Err(expect));
            assert!(!expect.is_unauthentic());
        }
    }
}
