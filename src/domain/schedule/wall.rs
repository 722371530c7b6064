//! The wall clock of a zone, and the instants it stands for.
//!
//! A local time that a change of the clock skips becomes the first instant after the gap; one that
//! occurs twice is its first occurrence.
//!
//! Invariants:
//! - `instant` never goes back as the local time goes on; only times in one gap meet.

use chrono::offset::LocalResult;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::{GapInfo, Tz};

use crate::domain::time::{DAY_MS, Timestamp};

/// A wall-clock time as an instant, by the rule at the head of this file.
pub fn instant(zone: Tz, local: NaiveDateTime) -> Timestamp {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Timestamp(at.timestamp_millis()),
        LocalResult::None => GapInfo::new(&local, &zone).and_then(|gap| gap.end).map_or_else(
            // Only beyond the first and last years that can be written.
            || Timestamp(local.and_utc().timestamp_millis()),
            |end| Timestamp(end.timestamp_millis()),
        ),
    }
}

/// What is odd about a wall-clock time, where a change of the clock skips or repeats it.
pub fn oddity(zone: Tz, local: NaiveDateTime) -> Option<&'static str> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(_) => None,
        LocalResult::Ambiguous(..) => Some("comes twice that night; the first one is meant"),
        LocalResult::None => Some("does not exist that night; the first instant after it is meant"),
    }
}

/// What the wall clock shows at an instant.
pub(super) fn local(zone: Tz, at: Timestamp) -> NaiveDateTime {
    // `plus` keeps to the years that can be written, so that the offset always fits.
    zone.from_utc_datetime(&at.plus(0).utc().naive_utc()).naive_local()
}

/// The day an instant belongs to; a day begins at the first instant of its midnight.
pub fn day_of(zone: Tz, at: Timestamp) -> NaiveDate {
    let shown = local(zone, at).date();
    // Where the clock goes back over midnight, the day that has begun does not end again.
    match shown.succ_opt() {
        Some(next) if day_start(zone, next) <= at => next,
        Some(_) | None => shown,
    }
}

/// The instant at which a day begins.
pub(super) fn day_start(zone: Tz, date: NaiveDate) -> Timestamp {
    instant(zone, date.and_time(NaiveTime::MIN))
}

/// The instant at which a day ends: never later than the next day begins.
pub(super) fn day_end(zone: Tz, date: NaiveDate) -> Timestamp {
    date.succ_opt().map_or_else(|| day_start(zone, date).plus(DAY_MS), |next| day_start(zone, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(zone: &str, local: &str, expected: &str) {
        let zone: Tz = zone.parse().expect("a zone");
        let found = instant(zone, local.parse().expect("a local time"));
        assert_eq!(found.to_string(), expected, "{zone} {local}");
    }

    #[test]
    fn skipped_times_are_right_after_the_gap_and_double_ones_the_first() {
        check("Europe/Berlin", "2026-03-29T01:59:59", "2026-03-29T00:59:59.000Z");
        check("Europe/Berlin", "2026-03-29T02:00:00", "2026-03-29T01:00:00.000Z");
        check("Europe/Berlin", "2026-03-29T02:59:59", "2026-03-29T01:00:00.000Z");
        check("Europe/Berlin", "2026-10-25T02:30:00", "2026-10-25T00:30:00.000Z");
        check("Europe/Berlin", "2026-10-25T03:00:00", "2026-10-25T02:00:00.000Z");
        check("Australia/Lord_Howe", "2026-10-04T02:15:00", "2026-10-03T15:30:00.000Z");
        // A whole day that never was.
        check("Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T10:00:00.000Z");
        check("Pacific/Apia", "2011-12-31T00:00:00", "2011-12-30T10:00:00.000Z");
    }

    #[test]
    fn a_day_that_begins_late_or_twice_is_one_day() {
        let day = |zone: &str, at: &str| {
            day_of(zone.parse().expect("a zone"), at.parse().expect("a time")).to_string()
        };
        assert_eq!(day("Africa/Cairo", "2026-04-23T21:59:59Z"), "2026-04-23");
        assert_eq!(day("Africa/Cairo", "2026-04-23T22:00:00Z"), "2026-04-24", "at 01:00");
        // The clock goes from 00:01 back to 23:01 of the day before.
        assert_eq!(day("America/St_Johns", "2006-10-29T02:29:59Z"), "2006-10-28");
        assert_eq!(day("America/St_Johns", "2006-10-29T02:30:00Z"), "2006-10-29");
        assert_eq!(day("America/St_Johns", "2006-10-29T02:45:00Z"), "2006-10-29", "again 23:15");
    }
}
