//! Discord's side of the door in: checks that a request comes from Discord. Pure.

use http::HeaderMap;
use serenity::interactions_endpoint::Verifier;

use crate::digest;

/// The application's public key, from the developer portal.
#[derive(Clone)]
pub struct PublicKey(Verifier);

/// Why a request was turned away. Discord sends wrong signatures on purpose to see that we do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    #[error("the X-Signature-Ed25519 or X-Signature-Timestamp header is missing or doubled")]
    NoSignature,
    #[error("the signature was made with another key, or of another body")]
    WrongSignature,
}

impl PublicKey {
    /// Reads 64 hex digits; `None` when they are not a key.
    pub fn parse(hex: &str) -> Option<Self> {
        Verifier::try_new(digest::unhex(hex)?).ok().map(Self)
    }

    /// Whether Discord signed this body.
    pub fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), Rejected> {
        let only = |name: &str| {
            let mut values = headers.get_all(name).iter();
            let value = values.next()?.to_str().ok()?;
            values.next().is_none().then_some(value)
        };
        let signature = only("x-signature-ed25519").ok_or(Rejected::NoSignature)?;
        let timestamp = only("x-signature-timestamp").ok_or(Rejected::NoSignature)?;
        self.0
            .verify(signature, timestamp, body)
            .map_err(|()| Rejected::WrongSignature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first test vector of RFC 8032 has an empty message; the second signs the byte 0x72.
    const KEY: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    const SIGNATURE: &str = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

    fn headers(signature: &str, timestamp: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("x-signature-ed25519", signature.parse().unwrap());
        headers.insert("x-signature-timestamp", timestamp.parse().unwrap());
        headers
    }

    #[test]
    fn the_published_vector_passes_and_anything_else_does_not() {
        let key = PublicKey::parse(KEY).unwrap();
        assert_eq!(key.verify(&headers(SIGNATURE, "r"), b""), Ok(()));
        for (signature, timestamp, body) in [
            (SIGNATURE, "s", &b""[..]),
            (SIGNATURE, "r", b"x"),
            (&SIGNATURE[2..], "r", b""),
            ("zz", "r", b""),
            (&"0".repeat(128), "r", b""),
        ] {
            assert_eq!(
                key.verify(&headers(signature, timestamp), body),
                Err(Rejected::WrongSignature)
            );
        }
        assert_eq!(
            key.verify(&HeaderMap::new(), b""),
            Err(Rejected::NoSignature)
        );
        let mut doubled = headers(SIGNATURE, "r");
        doubled.append("x-signature-timestamp", "r".parse().unwrap());
        assert_eq!(key.verify(&doubled, b""), Err(Rejected::NoSignature));
    }

    #[test]
    fn a_key_is_64_hex_digits() {
        assert!(PublicKey::parse("").is_none());
        assert!(PublicKey::parse(&KEY[1..]).is_none());
    }
}
