//! How long something was down: overlapping times are counted once.
//!
//! Invariants:
//! - A union is never longer than the period it is taken over.
//! - Uptime is rounded down: what was ever down is never shown as 100 %.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate, NaiveTime};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::domain::schedule::{day_of, instant};
use crate::domain::time::{DAY_MS, MINUTE_MS, Timestamp};

/// A time during which something was down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Interval {
    /// From this instant …
    pub from: Timestamp,
    /// … up to, not including, this one; nothing while it goes on.
    pub until: Option<Timestamp>,
}

/// One day of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// The day, in the zone of the page.
    pub date: NaiveDate,
    /// How long it was up or down at all, in milliseconds: less than a day on the first day and
    /// today, 0 before it existed.
    pub known_ms: i64,
    /// How long of that it was down.
    pub down_ms: i64,
}

/// Milliseconds of the period that lie in at least one interval; what goes on ends at `until`.
fn union_ms(intervals: &[Interval], from: Timestamp, until: Timestamp) -> i64 {
    let clip = |interval: &Interval| {
        let end = interval.until.unwrap_or(until).min(until);
        (interval.from.max(from), end)
    };
    let mut pieces: Vec<_> = intervals.iter().map(clip).filter(|(a, b)| a < b).collect();
    pieces.sort_unstable();
    let (mut total, mut covered) = (0, from);
    for (start, end) in pieces {
        total += end.since(start.max(covered)).max(0);
        covered = covered.max(end);
    }
    total
}

/// Whole minutes of a period that lie in at least one interval.
pub fn union_minutes(intervals: &[Interval], from: Timestamp, until: Timestamp) -> i64 {
    union_ms(intervals, from, until) / MINUTE_MS
}

/// Whole minutes for each calendar year of a zone in which something was down, up to `now`.
pub fn union_by_year(intervals: &[Interval], zone: Tz, now: Timestamp) -> BTreeMap<i32, i64> {
    let year_of = |at: Timestamp| day_of(zone, at).year();
    let ends = intervals.iter().map(|interval| interval.until.unwrap_or(now).min(now));
    let (Some(first), Some(last)) = (intervals.iter().map(|i| i.from).min(), ends.max()) else {
        return BTreeMap::new();
    };
    let start = |year| {
        NaiveDate::from_ymd_opt(year, 1, 1).map(|day| instant(zone, day.and_time(NaiveTime::MIN)))
    };
    let years = year_of(first)..=year_of(last.max(first));
    let minutes = |year: i32| {
        let until = start(year + 1)?.min(now);
        Some((year, union_minutes(intervals, start(year)?, until)))
    };
    years.filter_map(minutes).filter(|(_, minutes)| *minutes > 0).collect()
}

/// The last `count` days up to today, the oldest first.
pub fn days(
    intervals: &[Interval],
    since: Timestamp,
    zone: Tz,
    now: Timestamp,
    count: u32,
) -> Vec<Day> {
    let today = day_of(zone, now);
    let back = (0..count).rev();
    let dates = back.filter_map(|n| today.checked_sub_days(Days::new(u64::from(n))));
    let midnight = |date: NaiveDate| instant(zone, date.and_time(NaiveTime::MIN));
    let day = |date: NaiveDate| {
        let from = midnight(date).max(since);
        let until = date.succ_opt().map_or(now, midnight).min(now);
        let known_ms = until.since(from).max(0);
        Day { date, known_ms, down_ms: union_ms(intervals, from, until).min(known_ms) }
    };
    dates.map(day).collect()
}

/// Uptime over some days: `99.95 %`, rounded down; `no data` where nothing is known.
pub fn uptime_words(days: &[Day]) -> String {
    let known: i64 = days.iter().map(|day| day.known_ms).sum();
    let down: i64 = days.iter().map(|day| day.down_ms).sum();
    if known == 0 {
        return "no data".to_owned();
    }
    if known < DAY_MS {
        return "less than a day of data".to_owned();
    }
    let hundredths = i128::from(known - down) * 10_000 / i128::from(known);
    match hundredths % 100 {
        0 => format!("{} %", hundredths / 100),
        rest => format!("{}.{rest:02} %", hundredths / 100),
    }
}
