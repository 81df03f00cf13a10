//! A name that people chose on a forge: an environment, a job, an event type. Holds any text
//! that a forge accepts there; refuses blanks at the ends and control characters.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::Invalid;

/// The name of something on a forge, compared letter by letter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct ForgeName(String);

impl ForgeName {
    /// The name as the forge shows it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ForgeName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let way_out = "write the name exactly as the forge shows it";
        if text.is_empty() {
            return Err(Invalid::new("this name is empty", way_out));
        }
        if text.trim() != text {
            return Err(Invalid::new("there is a blank around this name", way_out));
        }
        if text.len() > 255 || text.chars().any(char::is_control) {
            return Err(Invalid::new("no forge accepts this name", way_out));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ForgeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_of_a_forge_is_accepted_but_no_stray_blanks() {
        let check = |text: &str, expect: bool| {
            assert_eq!(text.parse::<ForgeName>().is_ok(), expect, "{text:?}");
        };
        check("production", true);
        check("Deploy to prod (eu)", true);
        check("", false);
        check("prod ", false);
        check("a\tb", false);
        check(&"x".repeat(256), false);
    }
}
