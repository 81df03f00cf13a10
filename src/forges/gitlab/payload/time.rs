//! GitLab's times: with a `T` or a space, with `Z`, `UTC`, an offset or nothing after them, or whole
//! seconds. Refuses anything else, except where a time is for display and order only.

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) Option<Timestamp>);

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
    let text = value.as_str()?.trim();
    if let Ok(exact) = text.parse() {
        return Some(exact);
    }
    match text.rsplit_once(' ') {
        Some((civil, "UTC" | "GMT" | "Z")) => in_utc(civil),
        // `+0200` and `+02:00` both stand apart from the time.
        Some((civil, offset)) if offset.starts_with(['+', '-']) => {
            format!("{civil}{offset}").parse().ok()
        }
        // Without an offset it is meant as universal time.
        _ => in_utc(text),
    }
}

fn in_utc(text: &str) -> Option<Timestamp> {
    let civil: DateTime = text.parse().ok()?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_way_that_gitlab_writes_them() {
        let check = |json: &str, expect: Option<&str>| {
            let expect = expect.map(|text| text.parse::<Timestamp>().unwrap());
            let moment: Moment = serde_json::from_str(json).unwrap();
            assert_eq!(moment.0, expect, "{json}");
            let written = serde_json::from_str::<Written>(json).ok();
            assert_eq!(written.map(|written| written.0), expect, "{json}");
        };
        let noon = Some("2021-04-28T12:00:00Z");
        check(r#""2021-04-28T12:00:00Z""#, noon);
        check(r#""2021-04-28T12:00:00.000Z""#, noon);
        check(r#""2021-04-28T14:00:00+02:00""#, noon);
        check(r#""2021-04-28T14:00:00+0200""#, noon);
        check(r#""2021-04-28T05:00:00-07:00""#, noon);
        check(r#""2021-04-28 12:00:00 UTC""#, noon);
        check(r#""2021-04-28T12:00:00 UTC""#, noon);
        check(r#""2021-04-28 12:00:00 GMT""#, noon);
        check(r#""2021-04-28 14:00:00 +0200""#, noon);
        check(r#""2021-04-28 14:00:00 +02:00""#, noon);
        check(r#""2021-04-28 05:00:00 -0700""#, noon);
        check(r#""2021-04-28 17:30:00 +0530""#, noon);
        check(r#""2021-04-28 12:00:00""#, noon);
        check(r#""2021-04-28T12:00:00""#, noon);
        check(r#"" 2021-04-28 12:00:00 UTC ""#, noon);
        check(
            r#""2021-02-23T02:41:37.886Z""#,
            Some("2021-02-23T02:41:37.886Z"),
        );
        check(
            r#""2021-02-23 02:41:37.886 UTC""#,
            Some("2021-02-23T02:41:37.886Z"),
        );
        check("1619611200", noon);
        check(r#""2021-04-28 12:00:00 CEST""#, None);
        check(r#""2021-04-28 12:00:00 +9999""#, None);
        check(r#""2021-04-31 12:00:00 UTC""#, None);
        check("9223372036854775807", None);
        check("-1e300", None);
        check(r#""yesterday""#, None);
        check(r#"" UTC""#, None);
        check(r#"" +""#, None);
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
        assert_eq!(moment("null").max(moment("7")), moment("7"));
    }
}
