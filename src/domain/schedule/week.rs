//! Days of the week and times of day, as people write them in a plan: `mon`, `09:00`, `mon 09:00`.
//!
//! Invariants:
//! - `Display` and `FromStr` are inverse; a value that was read is a real time of day.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate, NaiveTime, TimeDelta, Timelike};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Day {
    /// Monday, on which a week begins (ISO 8601).
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// A time of day on the wall clock, to the minute: `09:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(u16);

/// A moment of the week on the wall clock: `mon 09:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    /// The day.
    pub day: Day,
    /// The time on that day.
    pub time: TimeOfDay,
}

/// A text that is not a time of day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a time of day; write 09:00, and 00:00 for midnight")]
pub struct BadTimeOfDay(pub String);

/// A text that is not a moment of the week.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a moment of the week; write mon 09:00 (mon, tue, wed, thu, fri, sat or sun)")]
pub struct BadMoment(pub String);

impl Day {
    /// Monday to Sunday.
    pub const ALL: [Self; 7] =
        [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];

    /// The day of the week of a date.
    pub fn of(date: NaiveDate) -> Self {
        let index = date.weekday().num_days_from_monday();
        usize::try_from(index).ok().and_then(|at| Self::ALL.get(at)).copied().unwrap_or(Self::Mon)
    }

    /// Days from Monday to this day.
    pub const fn from_monday(self) -> u64 {
        match self {
            Self::Mon => 0,
            Self::Tue => 1,
            Self::Wed => 2,
            Self::Thu => 3,
            Self::Fri => 4,
            Self::Sat => 5,
            Self::Sun => 6,
        }
    }

    /// `mon`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }
}

impl TimeOfDay {
    /// Midnight, at which a day begins.
    pub const MIDNIGHT: Self = Self(0);

    /// From an hour (0 to 23) and a minute (0 to 59).
    pub const fn new(hour: u16, minute: u16) -> Option<Self> {
        if hour < 24 && minute < 60 { Some(Self(hour * 60 + minute)) } else { None }
    }

    /// The same for chrono.
    pub fn naive(self) -> NaiveTime {
        NaiveTime::MIN.overflowing_add_signed(TimeDelta::minutes(i64::from(self.0))).0
    }
}

impl Moment {
    /// Seconds from the Monday midnight of its week to this moment, on the wall clock.
    pub(super) fn second_of_week(self) -> i64 {
        i64::try_from(self.day.from_monday()).unwrap_or(0) * 86_400 + i64::from(self.time.0) * 60
    }
}

/// Seconds from the Monday midnight of its week to a local time; parts of a second are left out.
pub(super) fn second_of_week(local: chrono::NaiveDateTime) -> i64 {
    i64::from(local.weekday().num_days_from_monday()) * 86_400
        + i64::from(local.num_seconds_from_midnight())
}

impl FromStr for Day {
    type Err = BadMoment;
    fn from_str(text: &str) -> Result<Self, BadMoment> {
        Self::ALL
            .into_iter()
            .find(|day| day.word().eq_ignore_ascii_case(text))
            .ok_or_else(|| BadMoment(text.to_owned()))
    }
}

impl FromStr for TimeOfDay {
    type Err = BadTimeOfDay;
    fn from_str(text: &str) -> Result<Self, BadTimeOfDay> {
        let two = |part: &str| {
            (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| part.parse().ok())
                .flatten()
        };
        text.split_once(':')
            .and_then(|(hour, minute)| Self::new(two(hour)?, two(minute)?))
            .ok_or_else(|| BadTimeOfDay(text.to_owned()))
    }
}

impl FromStr for Moment {
    type Err = BadMoment;
    fn from_str(text: &str) -> Result<Self, BadMoment> {
        let parsed = text.split_once(' ').and_then(|(day, time)| {
            Some(Self { day: day.parse().ok()?, time: time.trim().parse().ok()? })
        });
        parsed.ok_or_else(|| BadMoment(text.to_owned()))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.day, self.time)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_print_and_parse_to_themselves() {
        for text in ["mon 09:00", "sun 23:59", "thu 00:00"] {
            assert_eq!(text.parse::<Moment>().map(|moment| moment.to_string()), Ok(text.into()));
        }
        assert_eq!("Wed 17:30".parse::<Moment>().map(|m| m.to_string()), Ok("wed 17:30".into()));
    }

    #[test]
    fn what_is_not_a_moment_is_refused_with_an_example() {
        for text in ["mon", "mon 9:00", "mon 24:00", "mon 09:60", "day 09:00", "mon +9:00", ""] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
        let said = "25:00".parse::<TimeOfDay>().expect_err("not a time").to_string();
        assert!(said.contains("write 09:00"), "{said}");
    }
}
