//! A digest that names a policy: SHA-256 over its canonical text. Refuses everything that is not such a digest,
//! an empty text before all, so that two policies that are not known are never the same one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Invalid;

/// 64 hexadecimal digits in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct PolicyDigest(String);

impl PolicyDigest {
    /// The digest of these bytes, which the caller hashed.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
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
        let mut bytes = [0; 32];
        bytes[0] = 0xab;
        let made = PolicyDigest::from_bytes(bytes);
        assert_eq!(made.as_str(), format!("ab{}", "0".repeat(62)));
        assert_eq!(made.as_str().parse(), Ok(made));
    }
}
