//! Scopes: what the bearer of a token may read. There is no scope to write anything.

use std::fmt;
use std::str::FromStr;

use super::Invalid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Asking the audit log, with what lies aside.
    Audit,
    /// The bytes of its entries, for a reader who checks it or keeps a copy.
    Log,
}

impl Scope {
    pub const ALL: [Self; 2] = [Self::Audit, Self::Log];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Log => "log",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| {
                Invalid::new(
                    "there is no such scope",
                    "a token is for `audit` (asking the audit log) or `log` (copying its entries)",
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
        }
        let refused = "admin".parse::<Scope>().map_err(|invalid| invalid.problem);
        assert_eq!(refused, Err("there is no such scope".to_owned()));
    }
}
