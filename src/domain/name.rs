//! Names of services, environments, stages and roles: lower-case letters, digits and
//! dashes, so that they can be typed in a command and stand in a URL as they are.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Invalid;

const LONGEST: usize = 40;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(text: String) -> Result<Self, Invalid> {
                parse(&text).map(Self)
            }
        }

        impl $name {
            /// The name as it is written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// What is deployed.
    ServiceName
}
name! {
    /// Where a candidate can be released.
    EnvironmentName
}
name! {
    /// An ordered step of a service.
    StageName
}
name! {
    /// A group of people who may approve.
    RoleName
}

fn parse(text: &str) -> Result<String, Invalid> {
    let way_out = || {
        let likely = likely(text);
        let rule = format!(
            "a name is 1 to {LONGEST} lower-case letters, digits and dashes, and begins with a letter or digit"
        );
        if likely.is_empty() {
            rule
        } else {
            format!("{rule}, such as `{likely}`")
        }
    };
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.is_empty() {
        return Err(Invalid::new("this name is empty", way_out()));
    }
    if text.len() > LONGEST {
        return Err(Invalid::new("this name is too long", way_out()));
    }
    if let Some(stranger) = text.chars().find(|&c| !allowed(c)) {
        return Err(Invalid::new(
            format!("{stranger:?} cannot be part of a name"),
            way_out(),
        ));
    }
    if text.starts_with('-') || text.ends_with('-') {
        return Err(Invalid::new(
            "a name cannot begin or end with a dash",
            way_out(),
        ));
    }
    Ok(text.to_owned())
}

/// The name that was probably meant.
fn likely(text: &str) -> String {
    let dashed: String = text
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .take(LONGEST)
        .collect();
    dashed.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_can_be_typed_are_accepted() {
        for good in ["shop", "a", "7", "prod-eu-1", &"x".repeat(40)] {
            assert_eq!(
                good.parse::<ServiceName>().map(|name| name.to_string()),
                Ok(good.to_owned())
            );
        }
    }

    #[test]
    fn other_names_are_refused_with_the_one_that_was_probably_meant() {
        let check = |text: &str, problem: &str, hint: &str| {
            let refused = text.parse::<RoleName>().unwrap_err();
            assert_eq!(refused.problem, problem, "{text}");
            assert!(refused.way_out.ends_with(hint), "{}", refused.way_out);
        };
        check("", "this name is empty", "letter or digit");
        check("Shop", "'S' cannot be part of a name", "such as `shop`");
        check(
            "prod_eu",
            "'_' cannot be part of a name",
            "such as `prod-eu`",
        );
        check(
            "-a",
            "a name cannot begin or end with a dash",
            "such as `a`",
        );
        check("läden", "'ä' cannot be part of a name", "such as `l-den`");
        check(&"x".repeat(41), "this name is too long", "x`");
        check("a\u{1b}[0m", "'\\u{1b}' cannot be part of a name", "`");
    }
}
