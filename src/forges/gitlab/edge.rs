//! GitLab's side of the door in. Pure: bytes with a right signature or a right token become a
//! [`Delivery`], and [`interpret`] says what stored bytes mean; nothing is asked and nothing is decided.

mod thirty_two;

use std::fmt;

use http::header::ToStrError;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use super::payload::{self, Envelope};
use crate::domain::{Delivery, Forge, Source};
use countersign_ground::digest;

pub use super::interpret::interpret;

const EVENT: HeaderName = HeaderName::from_static("x-gitlab-event");
const TOKEN: HeaderName = HeaderName::from_static("x-gitlab-token");
const EVENT_ID: HeaderName = HeaderName::from_static("x-gitlab-event-uuid");
/// The same for every repetition of a delivery.
const IDEMPOTENCY: HeaderName = HeaderName::from_static("idempotency-key");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const SIGNED_ID: HeaderName = HeaderName::from_static("webhook-id");
const SIGNED_AT: HeaderName = HeaderName::from_static("webhook-timestamp");

/// How far a signature's time may be from ours, both ways, in seconds.
const FRESH: u64 = 5 * 60;
/// While one signing token replaces another there are two signatures. Each costs a look at the whole
/// body, so there is an end to them.
const MOST_SIGNATURES: usize = 4;
const SIGNING_TOKEN: &str = "whsec_";

/// What GitLab shows that it is GitLab with: signing tokens, plain tokens, or one of them while it
/// replaces the other.
#[derive(Clone, Default)]
pub struct WebhookSecrets {
    signing: Vec<digest::Secret>,
    plain: Vec<Vec<u8>>,
}

/// A secret that looks like a signing token and is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a GitLab secret begins with `whsec_` and is no signing token: 32 bytes in base64 must follow"
)]
pub struct BadSigningToken;

/// Why a request was turned away; nothing of it was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    #[error("the webhook-signature header is missing, and no plain token would be taken")]
    NoSignature,
    #[error("there is neither a signature nor an X-Gitlab-Token header")]
    NoToken,
    #[error("there is more than one header of those that show who sent it")]
    Doubled,
    #[error("the webhook-signature header holds no `v1,` and 32 bytes in base64, or too many")]
    UnreadableSignature,
    #[error("the webhook-id or webhook-timestamp header is missing, or is no id or no second")]
    UnreadableStamp,
    #[error("the signature was made with another signing token, or of another body")]
    WrongSignature,
    #[error("the signature was made more than five minutes from now")]
    Stale,
    #[error("the X-Gitlab-Token header is not a token of ours")]
    WrongToken,
    #[error("the X-Gitlab-Event header is missing, doubled, or not an event's name")]
    BadEvent,
    #[error("the Idempotency-Key or X-Gitlab-Event-UUID header is doubled or not an id")]
    BadKey,
}

impl Rejected {
    /// Whether the sender failed to show that it is GitLab.
    pub fn is_unauthentic(self) -> bool {
        match self {
            Self::NoSignature
            | Self::NoToken
            | Self::Doubled
            | Self::UnreadableSignature
            | Self::UnreadableStamp
            | Self::WrongSignature
            | Self::Stale
            | Self::WrongToken => true,
            Self::BadEvent | Self::BadKey => false,
        }
    }
}

impl WebhookSecrets {
    /// An empty secret is one that every attacker knows, so it is left out.
    pub fn new(secrets: impl IntoIterator<Item = Vec<u8>>) -> Result<Self, BadSigningToken> {
        let (mut signing, mut plain) = (Vec::new(), Vec::new());
        for secret in secrets.into_iter().filter(|secret| !secret.is_empty()) {
            match secret.strip_prefix(SIGNING_TOKEN.as_bytes()) {
                Some(encoded) => signing.push(key(encoded).ok_or(BadSigningToken)?),
                None => plain.push(secret),
            }
        }
        Ok(Self { signing, plain })
    }

    /// Without a secret nothing can be authentic.
    pub fn is_empty(&self) -> bool {
        self.signing.is_empty() && self.plain.is_empty()
    }

    /// Checks who sent it. Where we can check a signature, a wrong one is worse than none: the plain
    /// token does not mend it. The id that was signed, if one was.
    fn verify<'h>(
        &self,
        headers: &'h HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Option<&'h str>, Rejected> {
        let only = |name: HeaderName| only(headers, &name, Rejected::Doubled);
        let (signature, token) = (only(SIGNATURE)?, only(TOKEN)?);
        let (id, stamp) = (only(SIGNED_ID)?, only(SIGNED_AT)?);
        match (signature, token) {
            (Some(signature), _) if !self.signing.is_empty() => {
                let signed = Signed::read(signature, id, stamp)?;
                signed.verify(&self.signing, body, now)?;
                Ok(Some(signed.id))
            }
            (None, _) if self.plain.is_empty() && !self.signing.is_empty() => {
                Err(Rejected::NoSignature)
            }
            (_, None) => Err(Rejected::NoToken),
            (_, Some(token)) if self.knows(token.as_bytes()) => Ok(None),
            (_, Some(_)) => Err(Rejected::WrongToken),
        }
    }

    /// Compares digests, so that the time tells neither how much of a token is right nor how long ours
    /// is. All are tried, so that it does not tell which one is in use.
    fn knows(&self, token: &[u8]) -> bool {
        const LABEL: &[u8] = b"X-Gitlab-Token";
        let tag = digest::unhex(&digest::hmac_sha256_hex(LABEL, token));
        tag.is_some_and(|tag| {
            self.plain.iter().fold(false, |found, plain| {
                digest::hmac_sha256_matches(LABEL, plain, &tag) | found
            })
        })
    }
}

fn key(encoded: &[u8]) -> Option<digest::Secret> {
    let encoded = std::str::from_utf8(encoded).ok()?;
    digest::Secret::new(&thirty_two::from_base64(encoded)?)
}

impl fmt::Debug for WebhookSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (signing, plain) = (self.signing.len(), self.plain.len());
        write!(f, "WebhookSecrets({signing} signing, {plain} plain)")
    }
}

/// What the headers of a signature say.
struct Signed<'h> {
    id: &'h str,
    stamp: &'h str,
    second: i64,
    tags: Vec<[u8; 32]>,
}

impl<'h> Signed<'h> {
    fn read(
        signature: &'h HeaderValue,
        id: Option<&'h HeaderValue>,
        stamp: Option<&'h HeaderValue>,
    ) -> Result<Self, Rejected> {
        let unreadable = |_: ToStrError| Rejected::UnreadableSignature;
        let mut tags = Vec::new();
        for one in signature
            .to_str()
            .map_err(unreadable)?
            .split_ascii_whitespace()
        {
            // A later version of signatures may come beside the one that we know.
            let Some(encoded) = one.strip_prefix("v1,") else {
                continue;
            };
            tags.push(thirty_two::from_base64(encoded).ok_or(Rejected::UnreadableSignature)?);
        }
        if tags.is_empty() || tags.len() > MOST_SIGNATURES {
            return Err(Rejected::UnreadableSignature);
        }
        let text = |value: Option<&'h HeaderValue>| {
            let text = value.and_then(|value| value.to_str().ok());
            text.ok_or(Rejected::UnreadableStamp)
        };
        let (id, stamp) = (text(id)?, text(stamp)?);
        let is_number = stamp.bytes().all(|byte| byte.is_ascii_digit());
        let second = stamp.parse().ok().filter(|_| is_number && is_id(id));
        Ok(Self {
            id,
            stamp,
            second: second.ok_or(Rejected::UnreadableStamp)?,
            tags,
        })
    }

    fn verify(&self, keys: &[digest::Secret], body: &[u8], now: Timestamp) -> Result<(), Rejected> {
        let message = [self.id.as_bytes(), b".", self.stamp.as_bytes(), b".", body];
        // All keys are tried, so that the time does not tell which one is in use.
        let matches = keys.iter().fold(false, |found, key| {
            let tags = self.tags.iter();
            tags.fold(found, |found, tag| key.matches(&message, tag) | found)
        });
        if !matches {
            return Err(Rejected::WrongSignature);
        }
        if now.as_second().abs_diff(self.second) > FRESH {
            return Err(Rejected::Stale);
        }
        Ok(())
    }
}

/// Checks who sent it, then reads just enough to store it. The body may be anything.
pub fn receive(
    secrets: &WebhookSecrets,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<Delivery, Rejected> {
    let signed = secrets.verify(headers, body, now)?;
    let event = only(headers, &EVENT, Rejected::BadEvent)?
        .and_then(|event| event.to_str().ok())
        .filter(|event| is_event(event))
        .ok_or(Rejected::BadEvent)?;
    let key = delivery_key(headers, signed, event, body)?;
    let (lane, malformed) = match envelope(body) {
        Ok(envelope) => (lane(&envelope), None),
        Err(why) => ("gitlab".to_owned(), Some(why)),
    };
    Ok(Delivery {
        source: Source::Forge(Forge::GitLab),
        key,
        event: event.to_owned(),
        lane,
        malformed,
    })
}

/// No plain token covers a header, so the event and the body are part of the key. Older servers send no
/// id of the delivery; theirs for the event is shared by all deliveries that the event leads to.
fn delivery_key(
    headers: &HeaderMap,
    signed: Option<&str>,
    event: &str,
    body: &[u8],
) -> Result<String, Rejected> {
    let (again, of_event) = (id(headers, &IDEMPOTENCY)?, id(headers, &EVENT_ID)?);
    let body = digest::sha256_hex(body);
    Ok(match signed.or(again) {
        Some(id) => format!("{id}/{event}/{}", body.get(..16).unwrap_or(&body)),
        None => {
            let event_id = of_event.unwrap_or_default();
            let whole = format!("{event}\n{event_id}\n{body}");
            format!("{event}/{}", digest::sha256_hex(whole.as_bytes()))
        }
    })
}

fn id<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Rejected> {
    let Some(value) = only(headers, name, Rejected::BadKey)? else {
        return Ok(None);
    };
    let text = value.to_str().ok().filter(|text| is_id(text));
    text.map(Some).ok_or(Rejected::BadKey)
}

/// The only header of a name, if there is one at all.
fn only<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
    doubled: Rejected,
) -> Result<Option<&'h HeaderValue>, Rejected> {
    let mut values = headers.get_all(name).iter();
    let value = values.next();
    match values.next() {
        Some(_) => Err(doubled),
        None => Ok(value),
    }
}

fn is_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(is_plain)
}

/// `Merge Request Hook`.
fn is_event(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphabetic() || byte == b' ';
    (1..=64).contains(&text.len()) && text.bytes().all(is_plain)
}

fn envelope(body: &[u8]) -> Result<Envelope, String> {
    // A struct can be read from an array too, which no event is.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err("the body is not a JSON object".to_owned());
    }
    payload::read(body)
}

/// What happens in one project stays in order.
fn lane(envelope: &Envelope) -> String {
    let project = envelope.project.map(|project| project.id);
    match project.or(envelope.project_id) {
        Some(id) => format!("gitlab/repository/{}", id.0),
        None => "gitlab".to_owned(),
    }
}

#[cfg(test)]
mod tests;
