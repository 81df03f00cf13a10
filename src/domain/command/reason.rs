//! Reasons: why a person did something, in their own words. Refuses silence, novels, and characters that cannot be
//! seen.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::words::tidy;
use crate::domain::Invalid;

const LONGEST: usize = 500;
const WAY_OUT: &str = "write it in quotes, such as `--reason \"fixes the login\"`";

/// A text of 1 to 500 characters on one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reason(String);

impl Reason {
    /// The text as it was written, without the space around it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Reason {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.chars().any(char::is_control) {
            return Err(Invalid::new(
                "the reason holds characters that cannot be seen",
                "write it as plain text on one line",
            ));
        }
        // As in the line of a command, wherever it was written: so a command that has it can be spelled and read again.
        let text = tidy(text);
        let text = text.trim();
        if text.is_empty() {
            return Err(Invalid::new("the reason is empty", WAY_OUT));
        }
        let length = text.chars().count();
        if length > LONGEST {
            return Err(Invalid::new(
                format!("the reason is {length} characters long"),
                format!("at most {LONGEST} are kept; put the rest elsewhere and link to it"),
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Reason {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_short_texts_on_one_line() {
        let check = |text: &str, expect: Result<&str, &str>| {
            let found = text.parse::<Reason>();
            let found = found.as_ref().map(Reason::as_str);
            let found = found.map_err(|invalid| invalid.problem.as_str());
            assert_eq!(found, expect, "{text:?}");
        };
        check(" fixes the login ", Ok("fixes the login"));
        check(
            "it’s “late”, »very« late",
            Ok("it's \"late\", \"very\" late"),
        );
        check("late\u{202e}\u{200b} again", Ok("late again"));
        check("\u{200b}", Err("the reason is empty"));
        check(&"é".repeat(500), Ok(&"é".repeat(500)));
        check(&"é".repeat(501), Err("the reason is 501 characters long"));
        check(" ", Err("the reason is empty"));
        check(
            "a\u{1b}[31m",
            Err("the reason holds characters that cannot be seen"),
        );
        check(
            "a\nb",
            Err("the reason holds characters that cannot be seen"),
        );
    }
}
