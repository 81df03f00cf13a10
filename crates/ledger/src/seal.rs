//! The seal of an entry: a keyed hash that only a process with the log's key can make. It tells the signer that an
//! entry came from us, so that a row from any other writer is never signed.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Hexadecimal digits of a seal.
pub(super) const SEAL_LENGTH: usize = 64;
const FIELD: &[u8] = br#""seal":""#;

/// Seals entries of one log. The first key seals; every key is believed, so that processes which have
/// not seen a new key yet may go on.
#[derive(Clone)]
pub struct Sealer {
    log: String,
    public: String,
    keys: Vec<Hmac<Sha256>>,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer")
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}

impl Sealer {
    /// `public` is the public half of the key that signs the log.
    pub fn new(
        log: impl Into<String>,
        public: impl Into<String>,
        keys: impl IntoIterator<Item = [u8; 32]>,
    ) -> Self {
        Self {
            log: log.into(),
            public: public.into(),
            keys: keys
                .into_iter()
                .filter_map(|key| Hmac::new_from_slice(&key).ok())
                .collect(),
        }
    }

    /// The name of the log.
    pub fn log(&self) -> &str {
        &self.log
    }

    /// The key that signs the log, as all may know it.
    pub fn public(&self) -> &str {
        &self.public
    }

    /// Writes the seal into the empty field that waits for it.
    pub(super) fn seal(&self, mut unsealed: Vec<u8>) -> Vec<u8> {
        if let (Some(at), Some(key)) = (place(&unsealed), self.keys.first()) {
            let seal = key.clone().chain_update(&unsealed).finalize();
            unsealed.splice(at..at, hex(&seal.into_bytes()).into_bytes());
        }
        unsealed
    }

    /// Whether one of our keys sealed these bytes.
    pub fn is_ours(&self, body: &[u8]) -> bool {
        let Some(at) = place(body) else { return false };
        let Some(seal) = body.get(at..at + SEAL_LENGTH).and_then(unhex) else {
            return false;
        };
        let (before, after) = (&body[..at], &body[at + SEAL_LENGTH..]);
        self.keys.iter().any(|key| {
            let mac = key.clone().chain_update(before).chain_update(after);
            mac.verify_slice(&seal).is_ok()
        })
    }
}

/// Where the digits of the seal stand. Quotes within text are escaped, so only a key looks like this.
fn place(body: &[u8]) -> Option<usize> {
    body.windows(FIELD.len())
        .rposition(|window| window == FIELD)
        .map(|at| at + FIELD.len())
}

/// Bytes as lower-case digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// The bytes of exactly as many digits, of either case, as a seal has.
fn unhex(digits: &[u8]) -> Option<[u8; SEAL_LENGTH / 2]> {
    let mut bytes = [0; SEAL_LENGTH / 2];
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

    const BODY: &[u8] = br#"{"detail":{"x":"\"seal\":\"no"},"seal":"","seq":1}"#;

    #[test]
    fn only_who_has_a_key_can_seal() {
        let (old, new) = ([1; 32], [2; 32]);
        let sealed = Sealer::new("log", "", [old]).seal(BODY.to_vec());
        assert_eq!(sealed.len(), BODY.len() + SEAL_LENGTH);
        assert!(Sealer::new("log", "", [old]).is_ours(&sealed));
        assert!(Sealer::new("log", "", [new, old]).is_ours(&sealed));
        assert!(!Sealer::new("log", "", [new]).is_ours(&sealed));
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(!Sealer::new("log", "", [old]).is_ours(&changed), "{index}");
        }
        assert!(!Sealer::new("log", "", [old]).is_ours(BODY));
        assert!(!Sealer::new("log", "", [old]).is_ours(b""));
    }
}
