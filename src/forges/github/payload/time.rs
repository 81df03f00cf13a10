//! GitHub's times: text with or without a fraction or an offset, or whole seconds. Refuses anything
//! else, except where a time is for display only.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::Value;

/// A time that must be there and readable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written(pub(crate) Timestamp);

/// A time that may be absent, `null` or nonsense.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Moment(Option<Timestamp>);

impl Moment {
    /// This one, or another one if this one tells nothing.
    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0.or(other.0))
    }

    /// The time, or the epoch.
    pub(crate) fn or_epoch(self) -> Timestamp {
        self.0.unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        read(&value)
            .map(Self)
            .ok_or_else(|| D::Error::custom("this is not a time"))
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(Self(read(&value)))
    }
}

fn read(value: &Value) -> Option<Timestamp> {
    if let Some(second) = value.as_i64() {
        return Timestamp::from_second(second).ok();
    }
    let text = value.as_str()?;
    text.parse().ok().or_else(|| {
        // Without an offset it is meant as universal time.
        let civil: DateTime = text.parse().ok()?;
        TimeZone::UTC.to_timestamp(civil).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_way_that_github_writes_them() {
        let check = |json: &str, expect: Option<&str>| {
            let expect = expect.map(|text| text.parse::<Timestamp>().unwrap());
            let moment: Moment = serde_json::from_str(json).unwrap();
            assert_eq!(moment.0, expect, "{json}");
            let written = serde_json::from_str::<Written>(json).ok();
            assert_eq!(written.map(|written| written.0), expect, "{json}");
        };
        check(r#""2019-05-15T15:20:55Z""#, Some("2019-05-15T15:20:55Z"));
        check(
            r#""2019-05-15T15:20:55.123Z""#,
            Some("2019-05-15T15:20:55.123Z"),
        );
        check(
            r#""2019-05-15T17:20:55+02:00""#,
            Some("2019-05-15T15:20:55Z"),
        );
        check(r#""2019-05-15T15:20:55""#, Some("2019-05-15T15:20:55Z"));
        check(r#""2019-05-15 15:20:55""#, Some("2019-05-15T15:20:55Z"));
        check("1557933655", Some("2019-05-15T15:20:55Z"));
        check("9223372036854775807", None);
        check("-1e300", None);
        check(r#""yesterday""#, None);
        check(r#""""#, None);
        check("null", None);
        check("{}", None);
        check("[1]", None);
    }

    #[test]
    fn what_is_unreadable_falls_back_to_another_time_and_then_to_the_epoch() {
        let moment = |json: &str| serde_json::from_str::<Moment>(json).unwrap();
        assert_eq!(moment("null").or(moment("7")).or_epoch().as_second(), 7);
        assert_eq!(moment("5").or(moment("7")).or_epoch().as_second(), 5);
        assert_eq!(moment("null").or_epoch(), Timestamp::UNIX_EPOCH);
    }
}
