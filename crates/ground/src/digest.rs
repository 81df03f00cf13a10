//! SHA-256 as lower-case hex, and the constant-time check of an HMAC-SHA-256 signature.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Whether `tag` is the HMAC-SHA-256 of `message` under `secret`; takes the same time for every
/// wrong tag.
pub fn hmac_sha256_matches(secret: &[u8], message: &[u8], tag: &[u8; 32]) -> bool {
    match Hmac::<Sha256>::new_from_slice(secret) {
        Ok(mut mac) => {
            mac.update(message);
            mac.verify_slice(tag).is_ok()
        }
        Err(_) => false,
    }
}

/// A secret that is ready for many messages.
#[derive(Clone)]
pub struct Secret(Hmac<Sha256>);

impl Secret {
    /// Nothing only if the secret cannot be one.
    pub fn new(secret: &[u8]) -> Option<Self> {
        Hmac::<Sha256>::new_from_slice(secret).ok().map(Self)
    }

    /// Whether `tag` is the HMAC-SHA-256 of the message that these parts make.
    pub fn matches(&self, parts: &[&[u8]], tag: &[u8; 32]) -> bool {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        mac.verify_slice(tag).is_ok()
    }

    /// The HMAC-SHA-256 of `message` as hex.
    pub fn hex(&self, message: &[u8]) -> String {
        let mut mac = self.0.clone();
        mac.update(message);
        hex(&mac.finalize().into_bytes())
    }
}

/// The HMAC-SHA-256 of `message` as hex, for a caller that has to sign.
pub fn hmac_sha256_hex(secret: &[u8], message: &[u8]) -> String {
    match Hmac::<Sha256>::new_from_slice(secret) {
        Ok(mut mac) => {
            mac.update(message);
            hex(&mac.finalize().into_bytes())
        }
        Err(_) => String::new(),
    }
}

pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// Exactly `N` bytes written as hex of either case, or nothing.
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != N * 2 {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_round_trips_and_refuses_the_rest() {
        assert_eq!(hex(&[0, 255, 16]), "00ff10");
        assert_eq!(unhex::<3>("00FF10"), Some([0, 255, 16]));
        for wrong in ["", "00ff1", "00ff100", "00fg10", "é0ff1"] {
            assert_eq!(unhex::<3>(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn githubs_published_example_matches() {
        let secret = b"It's a Secret to Everybody";
        let tag = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert_eq!(hmac_sha256_hex(secret, b"Hello, World!"), tag);
        assert!(hmac_sha256_matches(
            secret,
            b"Hello, World!",
            &unhex(tag).unwrap()
        ));
        assert!(!hmac_sha256_matches(
            secret,
            b"Hello, World?",
            &unhex(tag).unwrap()
        ));
    }
}
