//! Spans of time: how long something lasts, as people write it: `10m`, `4h`, `2d`, `1h 30m`, `90 minutes`. Refuses
//! zero, fractions, months and years: a month has no fixed length.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Invalid;

const WAY_OUT: &str = "write it like `30s`, `10m`, `4h`, `2d` or `1h 30m`";
const LONGEST: u64 = 366 * DAY;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

/// A length of time of at least one second and at most a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimeSpan(u64);

impl TimeSpan {
    /// So many seconds; nothing when outside the limits.
    pub const fn from_seconds(seconds: u64) -> Option<Self> {
        if seconds == 0 || seconds > LONGEST {
            None
        } else {
            Some(Self(seconds))
        }
    }

    /// The length in seconds.
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// The length for timers.
    pub const fn as_duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

impl FromStr for TimeSpan {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let mut total: u64 = 0;
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(Invalid::new("this duration is empty", WAY_OUT));
        }
        while !rest.is_empty() {
            let (number, after) = split(rest, |c| c.is_ascii_digit());
            let (unit, after) = split(after.trim_start(), |c| c.is_ascii_alphabetic());
            if number.is_empty() {
                return Err(Invalid::new("this is not a duration", WAY_OUT));
            }
            let seconds = seconds_in(unit)?;
            let part = number
                .parse::<u64>()
                .ok()
                .and_then(|count| count.checked_mul(seconds));
            total = part
                .and_then(|part| total.checked_add(part))
                .ok_or_else(too_long)?;
            rest = after.trim_start();
        }
        if total == 0 {
            return Err(Invalid::new("this duration is zero", WAY_OUT));
        }
        Self::from_seconds(total).ok_or_else(too_long)
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        let mut gap = "";
        for (unit, seconds) in [("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", 1)] {
            if rest >= seconds {
                write!(f, "{gap}{}{unit}", rest / seconds)?;
                rest %= seconds;
                gap = " ";
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for TimeSpan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for TimeSpan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    text.split_at(end)
}

fn seconds_in(unit: &str) -> Result<u64, Invalid> {
    match unit {
        "s" | "sec" | "secs" | "second" | "seconds" => Ok(1),
        "m" | "min" | "mins" | "minute" | "minutes" => Ok(MINUTE),
        "h" | "hr" | "hrs" | "hour" | "hours" => Ok(HOUR),
        "d" | "day" | "days" => Ok(DAY),
        "w" | "week" | "weeks" => Ok(WEEK),
        "" => Err(Invalid::new("the unit is missing", WAY_OUT)),
        "M" | "mo" | "month" | "months" | "y" | "year" | "years" => Err(Invalid::new(
            "months and years differ in length",
            "count in days, like `30d`",
        )),
        _ => Err(Invalid::new(
            format!("`{unit}` is not a unit of time"),
            WAY_OUT,
        )),
    }
}

fn too_long() -> Invalid {
    Invalid::new("this duration is longer than a year", WAY_OUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_like_words_and_are_written_back_short() {
        let check = |text: &str, seconds: u64, written: &str| {
            let span: TimeSpan = text.parse().unwrap();
            assert_eq!(
                (span.seconds(), span.to_string().as_str()),
                (seconds, written)
            );
        };
        check("10m", 600, "10m");
        check("4h", 14_400, "4h");
        check("2d", 172_800, "2d");
        check("1h 30m", 5_400, "1h 30m");
        check("1h30m", 5_400, "1h 30m");
        check(" 90 minutes ", 5_400, "1h 30m");
        check("1 week", 604_800, "7d");
        check("61s", 61, "1m 1s");
    }

    #[test]
    fn what_is_not_a_duration_is_refused() {
        let check = |text: &str, problem: &str| {
            assert_eq!(text.parse::<TimeSpan>().unwrap_err().problem, problem);
        };
        check("", "this duration is empty");
        check("0m", "this duration is zero");
        check("10", "the unit is missing");
        check("-5m", "this is not a duration");
        check("1.5h", "the unit is missing");
        check("soon", "this is not a duration");
        check("2 months", "months and years differ in length");
        check("1y", "months and years differ in length");
        check("3 fortnights", "`fortnights` is not a unit of time");
        check("400d", "this duration is longer than a year");
        check(
            "99999999999999999999h",
            "this duration is longer than a year",
        );
        check(
            "18446744073709551615w",
            "this duration is longer than a year",
        );
    }
}
