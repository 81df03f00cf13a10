//! A full commit id. Refuses short forms, because an approval is for exactly one commit.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Invalid;

/// 40 (SHA-1) or 64 (SHA-256) hexadecimal digits in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Sha(String);

impl Sha {
    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve digits, for people to read; never for deciding.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl FromStr for Sha {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for Sha {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if matches!(text.len(), 40 | 64) && text.bytes().all(hex) {
            return Ok(Self(text));
        }
        Err(Invalid::new(
            "this is not a full commit id",
            "a commit id has 40 or 64 hexadecimal digits in lower case",
        ))
    }
}

impl fmt::Display for Sha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_full_lower_case_ids_are_accepted() {
        let check = |text: &str, expect: bool| {
            assert_eq!(text.parse::<Sha>().is_ok(), expect, "{text:?}");
        };
        check(&"a1".repeat(20), true);
        check(&"0f".repeat(32), true);
        check(&"A1".repeat(20), false);
        check(&"g1".repeat(20), false);
        check("a1b2c3d", false);
        check("", false);
        check(&"é".repeat(20), false);
        check(&format!("{}\n", "a".repeat(39)), false);
    }

    #[test]
    fn the_short_form_is_for_reading() {
        let sha: Sha = "0123456789abcdef0123456789abcdef01234567".parse().unwrap();
        assert_eq!(sha.short(), "0123456789ab");
    }
}
