//! Instants and spans as the journal holds them: milliseconds since 1970, written as RFC 3339.
//!
//! Invariants:
//! - Nothing here reads a clock.
//! - `Display` and `FromStr` are inverse for every representable instant.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::schedule::instant;

/// An instant in UTC, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

/// A text that is not an instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a time; write 2026-11-23T14:02:10Z, 14:02 (today, UTC) or -15m")]
pub struct BadTime(pub String);

/// The instants that can be written and read again: the years 1 to 9999.
const MIN_MS: i64 = -62_135_596_800_000;
const MAX_MS: i64 = 253_402_300_799_999;

/// Milliseconds in a second, a minute, an hour and a day.
pub const SECOND_MS: i64 = 1_000;
/// Milliseconds in a minute.
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
/// Milliseconds in an hour.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Milliseconds in a day.
pub const DAY_MS: i64 = 24 * HOUR_MS;

impl Timestamp {
    /// The same instant for chrono; instants out of its range become 1970.
    pub fn utc(self) -> DateTime<Utc> {
        Utc.timestamp_millis_opt(self.0).single().unwrap_or_default()
    }

    /// This instant moved by a span in milliseconds; saturates.
    #[must_use]
    pub const fn plus(self, span_ms: i64) -> Self {
        let moved = self.0.saturating_add(span_ms);
        if moved < MIN_MS {
            Self(MIN_MS)
        } else if moved > MAX_MS {
            Self(MAX_MS)
        } else {
            Self(moved)
        }
    }

    /// Milliseconds from `earlier` to this; negative if it is later.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// `14:02:31`, in UTC.
    pub fn clock(self) -> String {
        self.utc().format("%H:%M:%S").to_string()
    }

    /// `14:02`, in UTC.
    pub fn clock_minutes(self) -> String {
        self.utc().format("%H:%M").to_string()
    }

    /// `14:02`, with the day before it where that is not the day of `now`.
    pub fn clock_near(self, now: Self) -> String {
        if self.is_same_day(now) {
            self.clock_minutes()
        } else {
            format!("{} {}", self.date(), self.clock_minutes())
        }
    }

    /// `2026-11-29 03:00 CET`: by the clocks of a zone, which is named.
    pub fn in_words(self, zone: chrono_tz::Tz) -> String {
        self.utc().with_timezone(&zone).format("%Y-%m-%d %H:%M %Z").to_string()
    }

    /// `2026-11-23 14:02Z`.
    pub fn to_the_minute(self) -> String {
        self.utc().format("%Y-%m-%d %H:%MZ").to_string()
    }

    /// `2026-11-23`, in UTC.
    pub fn date(self) -> String {
        self.utc().format("%Y-%m-%d").to_string()
    }

    /// `2026-11`, in UTC: the month that statistics are grouped by.
    pub fn month(self) -> String {
        self.utc().format("%Y-%m").to_string()
    }

    /// Whether two instants lie on the same day in UTC.
    pub fn is_same_day(self, other: Self) -> bool {
        self.utc().num_days_from_ce() == other.utc().num_days_from_ce()
    }

    /// Reads what people write: RFC 3339, `2026-11-23 14:02`, `14:02` (the latest such moment
    /// not after `now`), both in UTC or by the clocks of a zone that follows them
    /// (`14:02 Europe/Berlin`), or `-15m`, `-2h`, `-1d` before `now`.
    pub fn parse_human(given: &str, now: Self) -> Result<Self, BadTime> {
        let text = given.trim();
        if let Ok(exact) = text.parse() {
            return Ok(exact);
        }
        if let Some((clock, zone)) = in_zone(text) {
            return past_in_zone(clock, zone, now).ok_or_else(|| BadTime(given.to_owned()));
        }
        if let Some(back) = text.strip_prefix('-') {
            return parse_span(back)
                .map(|span| now.plus(-span))
                .ok_or_else(|| BadTime(given.to_owned()));
        }
        for format in ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"] {
            if let Ok(naive) = NaiveDateTime::parse_from_str(text.trim_end_matches('Z'), format) {
                return Ok(Self(naive.and_utc().timestamp_millis()));
            }
        }
        if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            return Ok(Self(date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis()));
        }
        for format in ["%H:%M:%S", "%H:%M"] {
            if let Ok(time) = chrono::NaiveTime::parse_from_str(text.trim_end_matches('Z'), format)
            {
                let today =
                    Self(now.utc().date_naive().and_time(time).and_utc().timestamp_millis());
                return Ok(if today > now { today.plus(-DAY_MS) } else { today });
            }
        }
        Err(BadTime(given.to_owned()))
    }
}

impl Timestamp {
    /// Reads when something is to be: `20m` from `now`, `14:30` (the next such moment after `now`,
    /// UTC), or a full time as `parse_human` takes it.
    pub fn parse_ahead(given: &str, now: Self) -> Result<Self, NoTimeAhead> {
        let text = given.trim();
        if let Some((clock, zone)) = in_zone(text) {
            return ahead_in_zone(clock, zone, now).ok_or_else(|| NoTimeAhead(given.to_owned()));
        }
        if let Some(span) = parse_span(text) {
            return Ok(now.plus(span));
        }
        let at = (!text.starts_with('-')).then(|| Self::parse_human(text, now).ok()).flatten();
        let at = at.ok_or_else(|| NoTimeAhead(given.to_owned()))?;
        let is_of_the_day = !text.contains('-');
        Ok(if is_of_the_day && at <= now { at.plus(DAY_MS) } else { at })
    }

    /// The same by the clocks of a zone, where none is named: `02:00`, `2026-12-01 09:00`. A full time
    /// with its own offset, a span and a time with a zone of its own stay what they are.
    pub fn parse_ahead_in(
        given: &str,
        zone: chrono_tz::Tz,
        now: Self,
    ) -> Result<Self, NoTimeAhead> {
        match ahead_in_zone(given.trim(), zone, now) {
            Some(at) if in_zone(given.trim()).is_none() => Ok(at),
            Some(_) | None => Self::parse_ahead(given, now),
        }
    }
}

/// A wall-clock time and the zone whose name stands after it, if there is one.
pub fn in_zone(text: &str) -> Option<(&str, chrono_tz::Tz)> {
    let (clock, zone) = text.trim().rsplit_once(' ')?;
    Some((clock.trim(), zone.parse().ok()?))
}

/// A wall-clock time with its day; a day alone begins at midnight.
pub fn local_time(clock: &str) -> Option<NaiveDateTime> {
    let formats = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S"];
    let day = || Some(NaiveDate::parse_from_str(clock, "%Y-%m-%d").ok()?.and_time(NaiveTime::MIN));
    let exact = formats.iter().find_map(|it| NaiveDateTime::parse_from_str(clock, it).ok());
    exact.or_else(day)
}

/// `2026-12-01 09:00` or `09:00` (the next one) by the clocks of a zone.
fn ahead_in_zone(clock: &str, zone: chrono_tz::Tz, now: Timestamp) -> Option<Timestamp> {
    if let Some(local) = local_time(clock) {
        return Some(instant(zone, local));
    }
    let time = chrono::NaiveTime::parse_from_str(clock, "%H:%M").ok()?;
    let today = now.utc().with_timezone(&zone).date_naive();
    let days = [Some(today), today.succ_opt()].into_iter().flatten();
    days.map(|day| instant(zone, day.and_time(time))).find(|at| *at > now)
}

/// `2026-12-01 09:00` or `09:00` (the latest one) by the clocks of a zone.
fn past_in_zone(clock: &str, zone: chrono_tz::Tz, now: Timestamp) -> Option<Timestamp> {
    if let Some(local) = local_time(clock) {
        return Some(instant(zone, local));
    }
    let time = chrono::NaiveTime::parse_from_str(clock, "%H:%M").ok()?;
    let today = now.utc().with_timezone(&zone).date_naive();
    let days = [Some(today), today.pred_opt()].into_iter().flatten();
    days.map(|day| instant(zone, day.and_time(time))).find(|at| *at <= now)
}

/// A time ahead that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no time ahead; write 20m, 14:30 (the next one, UTC), 2026-11-23T14:30:00Z or \
     \"2026-11-23 14:30 Europe/Berlin\""
)]
pub struct NoTimeAhead(String);

/// Reads `90s`, `15m`, `2h`, `3d`, `1w` or a sum like `1h30m` as milliseconds.
pub fn parse_span(text: &str) -> Option<i64> {
    let mut total: i64 = 0;
    let mut digits = String::new();
    let mut parts = 0;
    for c in text.trim().chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let unit = match c {
            's' => SECOND_MS,
            'm' => MINUTE_MS,
            'h' => HOUR_MS,
            'd' => DAY_MS,
            'w' => 7 * DAY_MS,
            _ => return None,
        };
        total = total.checked_add(digits.parse::<i64>().ok()?.checked_mul(unit)?)?;
        digits.clear();
        parts += 1;
    }
    (parts > 0 && digits.is_empty()).then_some(total)
}

/// A span as people read it, in at most two units: `42s`, `41m`, `2h10m`, `1d11h`, `12d`.
pub fn span_words(span_ms: i64) -> String {
    let (sign, span) = if span_ms < 0 { ("-", -span_ms) } else { ("", span_ms) };
    let body = if span < MINUTE_MS {
        format!("{}s", span / SECOND_MS)
    } else if span < HOUR_MS {
        format!("{}m", span / MINUTE_MS)
    } else if span < DAY_MS {
        let minutes = (span % HOUR_MS) / MINUTE_MS;
        if minutes == 0 {
            format!("{}h", span / HOUR_MS)
        } else {
            format!("{}h{minutes:02}m", span / HOUR_MS)
        }
    } else {
        let hours = (span % DAY_MS) / HOUR_MS;
        if hours == 0 || span >= 10 * DAY_MS {
            format!("{}d", span / DAY_MS)
        } else {
            format!("{}d{hours:02}h", span / DAY_MS)
        }
    };
    format!("{sign}{body}")
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.clamp(MIN_MS, MAX_MS);
        let (year, month, day) = civil(ms.div_euclid(DAY_MS));
        let of_day = ms.rem_euclid(DAY_MS);
        let parts = [
            (year, 4, b'-'),
            (month, 2, b'-'),
            (day, 2, b'T'),
            (of_day / HOUR_MS, 2, b':'),
            (of_day % HOUR_MS / MINUTE_MS, 2, b':'),
            (of_day % MINUTE_MS / SECOND_MS, 2, b'.'),
            (of_day % SECOND_MS, 3, b'Z'),
        ];
        let mut text = [b'0'; 24];
        let mut at = 0;
        for (value, digits, after) in parts {
            let mut rest = value;
            for place in (at..at + digits).rev() {
                text[place] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
                rest /= 10;
            }
            at += digits;
            text[at] = after;
            at += 1;
        }
        f.pad(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar.
///
/// Counts in eras of 400 years that begin in March, so that a leap day is the last of its year.
const fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

/// The form that this program writes, `2026-11-23T14:02:10.000Z`, read without detours.
fn parse_own(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let is_own = bytes.len() == 24 && bytes[10] == b'T' && bytes[19] == b'.' && bytes[23] == b'Z';
    if !is_own || bytes[4] != b'-' || bytes[7] != b'-' || bytes[13] != b':' || bytes[16] != b':' {
        return None;
    }
    let number = |from: usize, to: usize| {
        bytes[from..to].iter().try_fold(0_i64, |sum, byte| {
            byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0'))
        })
    };
    let date = NaiveDate::from_ymd_opt(
        i32::try_from(number(0, 4)?).ok()?,
        u32::try_from(number(5, 7)?).ok()?,
        u32::try_from(number(8, 10)?).ok()?,
    )?;
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = i64::from(date.num_days_from_ce() - 719_163);
    let ms =
        days * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS + number(20, 23)?;
    Some(Timestamp(ms)).filter(|at| at.0 >= MIN_MS)
}

impl FromStr for Timestamp {
    type Err = BadTime;
    fn from_str(s: &str) -> Result<Self, BadTime> {
        if let Some(at) = parse_own(s) {
            return Ok(at);
        }
        // An offset can push a time out of the years that can be written again.
        DateTime::parse_from_rfc3339(s)
            .map(|time| Self(time.timestamp_millis()))
            .ok()
            .filter(|at| (MIN_MS..=MAX_MS).contains(&at.0))
            .ok_or_else(|| BadTime(s.to_owned()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Timestamp;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 time")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_on_a_schedule_is_by_its_clock_unless_it_says_otherwise() {
        let now: Timestamp = "2026-11-28T21:00:00Z".parse().expect("a time");
        let berlin = chrono_tz::Europe::Berlin;
        let table = [
            ("02:00", "2026-11-29T01:00:00.000Z"),
            ("21:30", "2026-11-29T20:30:00.000Z"),
            ("2026-12-24 18:00", "2026-12-24T17:00:00.000Z"),
            ("02:00 UTC", "2026-11-29T02:00:00.000Z"),
            ("2026-12-24T18:00:00Z", "2026-12-24T18:00:00.000Z"),
            ("8h", "2026-11-29T05:00:00.000Z"),
        ];
        for (text, expected) in table {
            let found = Timestamp::parse_ahead_in(text, berlin, now).expect(text);
            assert_eq!(found.to_string(), expected, "{text}");
        }
        assert!(Timestamp::parse_ahead_in("soon", berlin, now).is_err());
        assert_eq!(now.in_words(berlin), "2026-11-28 22:00 CET");
    }

    #[test]
    fn a_time_of_day_ahead_is_the_next_one() {
        let now: Timestamp = "2026-11-25T07:16:00Z".parse().expect("a time");
        let table = [
            ("8:30", "2026-11-25T08:30:00.000Z"),
            ("07:16", "2026-11-26T07:16:00.000Z"),
            ("06:00Z", "2026-11-26T06:00:00.000Z"),
            ("20m", "2026-11-25T07:36:00.000Z"),
            ("2026-11-24 10:00", "2026-11-24T10:00:00.000Z"),
        ];
        for (text, expected) in table {
            let read = Timestamp::parse_ahead(text, now).expect("a time");
            assert_eq!(read.to_string(), expected, "{text}");
        }
        for text in ["-20m", "25:99", "", "soon"] {
            assert!(Timestamp::parse_ahead(text, now).is_err(), "{text}");
        }
    }

    #[test]
    fn prints_and_parses_to_itself() {
        for ms in [0, 1, 1_795_411_899_741, -62_135_596_800_000] {
            assert_eq!(Timestamp(ms).to_string().parse(), Ok(Timestamp(ms)));
        }
    }

    #[test]
    fn what_cannot_be_written_again_is_not_read() {
        for text in ["9999-12-31T23:59:59-01:00", "0000-01-01T00:00:00+01:00"] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
        let last = Timestamp(MAX_MS).plus(1);
        assert_eq!(last.to_string().parse(), Ok(last));
    }

    #[test]
    fn people_write_times_in_many_ways() {
        let now: Timestamp = "2026-11-23T14:30:00Z".parse().expect("a time");
        let at = |text| Timestamp::parse_human(text, now).map(|t| t.to_string());
        assert_eq!(at("14:02"), Ok("2026-11-23T14:02:00.000Z".into()));
        assert_eq!(at("23:50"), Ok("2026-11-22T23:50:00.000Z".into()), "not in the future");
        assert_eq!(at("-15m"), Ok("2026-11-23T14:15:00.000Z".into()));
        assert_eq!(at("2026-11-20 08:00"), Ok("2026-11-20T08:00:00.000Z".into()));
        assert_eq!(at("2026-11-20T08:00:00+01:00"), Ok("2026-11-20T07:00:00.000Z".into()));
        assert_eq!(at("14:02 Europe/Berlin"), Ok("2026-11-23T13:02:00.000Z".into()));
        assert_eq!(at("23:50 Europe/Berlin"), Ok("2026-11-22T22:50:00.000Z".into()));
        assert_eq!(at("2026-07-01 08:00 Europe/Berlin"), Ok("2026-07-01T06:00:00.000Z".into()));
        assert!(at("soon").is_err() && at("soon Europe/Berlin").is_err());
    }

    #[test]
    fn spans_read_in_two_units_at_most() {
        let table = [
            (0, "0s"),
            (59_999, "59s"),
            (41 * MINUTE_MS, "41m"),
            (130 * MINUTE_MS, "2h10m"),
            (3 * DAY_MS, "3d"),
        ];
        for (ms, words) in table {
            assert_eq!(span_words(ms), words);
        }
        assert_eq!(parse_span("1h30m"), Some(90 * MINUTE_MS));
        assert_eq!(parse_span("15"), None);
    }

    #[test]
    fn a_time_ahead_may_be_that_of_a_zone() {
        let now: Timestamp = "2026-11-28T12:00:00Z".parse().expect("a time");
        let read = |text: &str| Timestamp::parse_ahead(text, now).map(|at| at.to_string());
        for (text, expected) in [
            ("2026-12-01 09:00 Europe/Berlin", "2026-12-01T08:00:00.000Z"),
            ("14:00 Europe/Berlin", "2026-11-28T13:00:00.000Z"),
            ("13:00 Europe/Berlin", "2026-11-29T12:00:00.000Z"),
            ("2027-03-28 02:30 Europe/Berlin", "2027-03-28T01:00:00.000Z"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
        assert!(read("09:00 Europe/Nowhere").is_err());
    }
}
