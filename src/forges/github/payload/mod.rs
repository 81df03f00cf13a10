//! The parts of GitHub's payloads that we use. Fields we do not name are passed over; fields that may
//! be absent are optional; numbers, commit ids and needed times that cannot be right are refused.

pub(crate) mod commits;
pub(crate) mod releases;
pub(crate) mod talk;
mod time;

use serde::Deserialize;

pub(crate) use time::{Moment, Written};

/// What is common to all events.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope {
    #[serde(default)]
    pub(crate) repository: Option<Numbered>,
    #[serde(default)]
    pub(crate) installation: Option<Numbered>,
}

/// What an event says that happened, for events of which we need no more.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Acted {
    #[serde(default)]
    pub(crate) action: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Numbered {
    pub(crate) id: Id,
}

/// A number of GitHub's. Refuses what GitHub never gives and a database cannot hold.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u64")]
pub(crate) struct Id(pub(crate) u64);

impl TryFrom<u64> for Id {
    type Error = &'static str;

    fn try_from(number: u64) -> Result<Self, Self::Error> {
        if number == 0 || i64::try_from(number).is_err() {
            return Err("this is not a number that GitHub gives to anything");
        }
        Ok(Self(number))
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Repository {
    pub(crate) id: Id,
    pub(crate) full_name: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct User {
    pub(crate) id: Id,
    pub(crate) login: String,
    #[serde(default, rename = "type")]
    pub(crate) kind: Option<String>,
}
