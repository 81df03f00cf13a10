//! A digest that names a policy: SHA-256 over its canonical text. Refuses everything that is not such a digest,
//! an empty text before all, so that two policies that are not known are never the same one.

use std::fmt;
use std::str::FromStr;

use countersign_ground::digest::sha256_hex;
use serde::{Deserialize, Serialize};

use super::Invalid;

/// 64 hexadecimal digits in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct PolicyDigest(String);

impl PolicyDigest {
    /// The digest of a policy's text.
    pub fn of(text: &str) -> Self {
        Self(sha256_hex(text.as_bytes()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PolicyDigest {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let is_digit = |c: char| matches!(c, '0'..='9' | 'a'..='f');
        if text.len() == 64 && text.chars().all(is_digit) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            "this is not the digest of a policy",
            "it has 64 hexadecimal digits in lower case",
        ))
    }
}

impl TryFrom<String> for PolicyDigest {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl fmt::Display for PolicyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_digest_is_accepted() {
        let whole = "0123456789abcdef".repeat(4);
        assert_eq!(whole.parse::<PolicyDigest>().unwrap().as_str(), whole);
        let bad = [
            String::new(),
            "d".to_owned(),
            whole.to_uppercase(),
            format!("{whole}0"),
            whole.replace('f', "g"),
            format!("sha256:{}", &whole[7..]),
        ];
        for bad in bad {
            assert!(bad.parse::<PolicyDigest>().is_err(), "{bad:?}");
            let json = serde_json::to_string(&bad).unwrap();
            assert!(
                serde_json::from_str::<PolicyDigest>(&json).is_err(),
                "{bad:?}"
            );
        }
        // The example of the standard.
        let made = PolicyDigest::of("abc");
        assert_eq!(
            made.as_str(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(made.as_str().parse(), Ok(made));
    }
}
