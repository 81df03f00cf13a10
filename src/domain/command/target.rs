//! The target: the commit that a command means, by its id, the beginning of its id, or the pull request that brought
//! it. Refuses branches and tags, because they move.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::words::shown;
use crate::domain::{Invalid, Sha};

const WAY_OUT: &str = "write a commit id, of at least 7 digits, or a pull request such as `#12`";
const SHORTEST: usize = 7;

/// The digits of the longest number that is taken for one.
const LONGEST_NUMBER: usize = 18;

/// What stands behind the environment of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The whole id.
    Sha(Sha),
    /// The beginning of an id: 7 to 39 hexadecimal digits in lower case.
    Short(String),
    PullRequest(u64),
}

impl FromStr for Target {
    type Err = Invalid;

    /// Up to 6 decimal digits, or any number behind `#` (or GitLab's `!`), are a pull request.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        if let Some(digits) = text.strip_prefix(['#', '!']) {
            return number(digits)
                .map(Self::PullRequest)
                .ok_or_else(|| no_pull_request(text));
        }
        if text.len() < SHORTEST && is_decimal(text) {
            return number(text)
                .map(Self::PullRequest)
                .ok_or_else(|| no_pull_request(text));
        }
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Invalid::new(
                format!("{} is neither a commit nor a pull request", shown(text)),
                WAY_OUT,
            ));
        }
        let digits = text.to_ascii_lowercase();
        match digits.len() {
            0..SHORTEST => Err(Invalid::new(
                format!("{} is too short for a commit id", shown(text)),
                WAY_OUT,
            )),
            SHORTEST..40 => Ok(Self::Short(digits)),
            length => Sha::try_from(digits).map(Self::Sha).map_err(|_| {
                Invalid::new(
                    format!("{} has {length} digits", shown(text)),
                    "a full commit id has 40 or 64",
                )
            }),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha(sha) => sha.fmt(f),
            Self::Short(digits) => f.write_str(digits),
            Self::PullRequest(number) => write!(f, "#{number}"),
        }
    }
}

/// The number of a request or pull request: it counts from 1.
pub(super) fn number(digits: &str) -> Option<u64> {
    let is_number = is_decimal(digits) && digits.len() <= LONGEST_NUMBER;
    digits
        .parse()
        .ok()
        .filter(|&number| is_number && number > 0)
}

fn is_decimal(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn no_pull_request(text: &str) -> Invalid {
    Invalid::new(
        format!("{} is not the number of a pull request", shown(text)),
        "write it like `#12`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_and_pull_requests_are_told_apart() {
        let full = "0123456789abcdef0123456789abcdef01234567";
        let check = |text: &str, expect: Target| {
            let target: Target = text.parse().unwrap();
            assert_eq!(target, expect, "{text}");
            assert_eq!(target.to_string().parse::<Target>().unwrap(), expect);
        };
        check("#12", Target::PullRequest(12));
        check("12", Target::PullRequest(12));
        check("!12", Target::PullRequest(12));
        check("123456", Target::PullRequest(123_456));
        check("#1234567", Target::PullRequest(1_234_567));
        check("1234567", Target::Short("1234567".to_owned()));
        check("ABC1234", Target::Short("abc1234".to_owned()));
        check(&full[..39], Target::Short(full[..39].to_owned()));
        check(full, Target::Sha(full.parse().unwrap()));
        check(&full.to_uppercase(), Target::Sha(full.parse().unwrap()));
        let long = "a1".repeat(32);
        check(&long, Target::Sha(long.parse().unwrap()));
    }

    #[test]
    fn everything_else_is_refused_with_a_way_out() {
        let check = |text: &str, expect: &str| {
            assert_eq!(text.parse::<Target>().unwrap_err().to_string(), expect);
        };
        check(
            "main",
            "`main` is neither a commit nor a pull request; write a commit id, of at least 7 digits, or a pull request such as `#12`",
        );
        check(
            "abc12",
            "`abc12` is too short for a commit id; write a commit id, of at least 7 digits, or a pull request such as `#12`",
        );
        check(
            "#x",
            "`#x` is not the number of a pull request; write it like `#12`",
        );
        check(
            "#+1",
            "`#+1` is not the number of a pull request; write it like `#12`",
        );
        check(
            "0",
            "`0` is not the number of a pull request; write it like `#12`",
        );
        check(
            "#9999999999999999999",
            "`#9999999999999999999` is not the number of a pull request; write it like `#12`",
        );
        check(
            &"a".repeat(41),
            "`aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…` has 41 digits; a full commit id has 40 or 64",
        );
    }
}
