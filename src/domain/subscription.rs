//! Subscriptions: what a channel is told about a service, and which commands it is for. A channel that is named by
//! services is theirs: commands there are about them and about the environments that it names.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::{ChannelRef, EnvironmentName, Happening, Invalid};

/// A channel of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subscription {
    pub channel: ChannelRef,
    /// Only these environments; all of them when it is empty.
    pub environments: Vec<EnvironmentName>,
    /// For what a new message is posted.
    pub on: Vec<Happening>,
    /// Whom to call when a commit is ready and when a release failed: the chat's own id of a role or group.
    pub call: Option<String>,
    /// When what is ready, and a stage that failed, is not told: it waits until the end of these hours.
    pub quiet: Option<QuietHours>,
}

/// The same hours of every day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuietHours {
    from: Time,
    to: Time,
    /// By the name that the IANA gave it.
    zone: String,
}

impl Subscription {
    /// Everything about a service, at any time.
    pub fn to(channel: ChannelRef) -> Self {
        Self {
            channel,
            environments: Vec::new(),
            on: Happening::ALL.to_vec(),
            call: None,
            quiet: None,
        }
    }

    /// Whether the channel is for this environment.
    pub fn covers(&self, environment: &EnvironmentName) -> bool {
        self.environments.is_empty() || self.environments.contains(environment)
    }
}

impl QuietHours {
    /// Reads `22:00-07:00 Europe/Berlin`; without a zone the hours are UTC.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let way_out = "write them like `22:00-07:00 Europe/Berlin`";
        let (hours, zone) = text.trim().split_once(' ').unwrap_or((text.trim(), "UTC"));
        let ends = hours.split_once('-').and_then(|(from, to)| {
            let read = |text: &str| {
                let (hour, minute) = text.split_once(':')?;
                let two = |text: &str| {
                    let is_pair = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
                    text.parse::<i8>().ok().filter(|_| is_pair)
                };
                Time::new(two(hour)?, two(minute)?, 0, 0).ok()
            };
            Some((read(from)?, read(to)?))
        });
        let Some((from, to)) = ends.filter(|(from, to)| from != to) else {
            return Err(Invalid::new("these are no quiet hours", way_out));
        };
        let zone = zone.trim();
        if TimeZone::get(zone).is_err() {
            return Err(Invalid::new("this time zone is not known", way_out));
        }
        Ok(Self {
            from,
            to,
            zone: zone.to_owned(),
        })
    }

    /// When the quiet that reigns at this moment ends.
    pub fn end(&self, now: Timestamp) -> Option<Timestamp> {
        let zone = TimeZone::get(&self.zone).ok()?;
        let here = now.to_zoned(zone.clone());
        let time = here.time();
        let is_quiet = if self.from < self.to {
            self.from <= time && time < self.to
        } else {
            self.from <= time || time < self.to
        };
        if !is_quiet {
            return None;
        }
        let today = here.date();
        let day = if time < self.to {
            today
        } else {
            today.tomorrow().ok()?
        };
        let end = day.to_datetime(self.to).to_zoned(zone).ok()?;
        Some(end.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_ends_in_the_morning() {
        let check = |hours: &str, now: &str, expect: Option<&str>| {
            let hours = QuietHours::parse(hours).unwrap();
            let end = hours.end(now.parse().unwrap());
            assert_eq!(
                end,
                expect.map(|end| end.parse().unwrap()),
                "{hours:?} {now}"
            );
        };
        check("22:00-07:00", "2026-01-31T21:59:59Z", None);
        check(
            "22:00-07:00",
            "2026-01-31T22:00:00Z",
            Some("2026-02-01T07:00:00Z"),
        );
        check(
            "22:00-07:00",
            "2026-02-01T06:59:59Z",
            Some("2026-02-01T07:00:00Z"),
        );
        check("22:00-07:00", "2026-02-01T07:00:00Z", None);
        check(
            "12:00-13:00",
            "2026-02-01T12:30:00Z",
            Some("2026-02-01T13:00:00Z"),
        );
        check(
            "22:00-07:00 Europe/Berlin",
            "2026-07-01T20:30:00Z",
            Some("2026-07-02T05:00:00Z"),
        );
        // The night in which the clocks go forward.
        check(
            "22:00-07:00 Europe/Berlin",
            "2026-03-28T22:00:00Z",
            Some("2026-03-29T05:00:00Z"),
        );
    }

    #[test]
    fn hours_are_two_times_and_a_zone() {
        for text in [
            "",
            "22-7",
            "22:00",
            "22:00-22:00",
            "24:00-07:00",
            "22:00-07:00 Moon/Crater",
            "2:00-07:00",
        ] {
            assert!(QuietHours::parse(text).is_err(), "{text}");
        }
    }
}
