//! When a limit runs out: its earliest and its latest reading.
//!
//! Hours pass as they pass, through changes of the clock. Days and months are counted on the
//! calendar of the rule's zone, the day of the event not counted; the strict reading ends at the
//! time of day at which they began, the mild one with the last day, as in Regulation (EEC,
//! Euratom) No 1182/71, Art. 3. A month that is too short ends with its last day (Art. 3(2)(c)): no
//! reading counts the missing days into the next month.
//!
//! Invariants:
//! - The first reading is never after the last one.

use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;

use super::calendar::Calendars;
use super::rule::{Limit, Rule, Weekend};
use super::span::Span;
use crate::domain::schedule::instant;
use crate::domain::time::{HOUR_MS, Timestamp};

/// When something is due, as strictly and as mildly as its text can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Readings {
    /// The alarm is on this one.
    pub first: Timestamp,
    /// After this one it is missed by every reading, and what is handed in is late.
    pub last: Timestamp,
}

impl Readings {
    const fn one(at: Timestamp) -> Self {
        Self { first: at, last: at }
    }
}

/// What the wall clock of a zone shows.
pub(super) fn local(zone: Tz, at: Timestamp) -> NaiveDateTime {
    zone.from_utc_datetime(&at.plus(0).utc().naive_utc()).naive_local()
}

/// The last millisecond of a day.
fn end_of_day(zone: Tz, date: NaiveDate) -> Option<Timestamp> {
    Some(instant(zone, date.succ_opt()?.and_time(NaiveTime::MIN)).plus(-1))
}

/// When a limit that began to count at `since` runs out; nothing for one without a number, and
/// beyond the years that can be written.
pub(super) fn readings(
    rule: &Rule,
    limit: &Limit,
    since: Timestamp,
    calendars: &Calendars,
) -> Option<Readings> {
    let (zone, began) = (rule.zone, local(rule.zone, since));
    match limit.within {
        Span::Hours(n) => Some(Readings::one(since.plus(i64::from(n) * HOUR_MS))),
        Span::Days(n) => {
            let last = began.date().checked_add_days(Days::new(u64::from(n)))?;
            on_days(zone, began.time(), limit.by, last)
        }
        Span::Months(n) => {
            // chrono ends a month that is too short with its last day, as the Regulation does.
            let day = began.date().checked_add_months(Months::new(n))?;
            on_days(zone, began.time(), limit.by, day)
        }
        Span::BusinessDays(n) => {
            let calendar = rule.calendar.as_deref().unwrap_or("weekdays");
            let last = calendars.nth_after(calendar, began.date(), n)?;
            whole_day(zone, limit.by, last)
        }
        Span::DaysAfterYearEnd(n) => {
            let year_end = NaiveDate::from_ymd_opt(began.year(), 12, 31)?;
            whole_day(zone, limit.by, year_end.checked_add_days(Days::new(u64::from(n)))?)
        }
        Span::Promptly | Span::Immediately => None,
    }
}

/// Ends with the day, or at the time at which the office closes.
fn whole_day(zone: Tz, by: Option<NaiveTime>, day: NaiveDate) -> Option<Readings> {
    let end = match by {
        Some(by) => instant(zone, day.and_time(by)),
        None => end_of_day(zone, day)?,
    };
    Some(Readings::one(end))
}

/// Ends strictly at the time of day at which it began, mildly with the day.
fn on_days(zone: Tz, began: NaiveTime, by: Option<NaiveTime>, day: NaiveDate) -> Option<Readings> {
    let last = whole_day(zone, by, day)?.last;
    let first = instant(zone, day.and_time(by.unwrap_or(began)));
    Some(Readings { first: first.min(last), last })
}

/// What becomes of a deadline that is on no working day.
pub(super) fn over_weekend(
    rule: &Rule,
    weekend: Option<Weekend>,
    plain: Readings,
    calendars: &Calendars,
) -> Readings {
    let moved = |at: Timestamp| {
        let calendar = rule.calendar.as_deref().unwrap_or("weekdays");
        let day = local(rule.zone, at).date();
        if calendars.is_business_day(calendar, day) {
            return at;
        }
        let noon = calendars.next_after(calendar, day).and_then(|day| day.and_hms_opt(12, 0, 0));
        noon.map_or(at, |noon| instant(rule.zone, noon))
    };
    match weekend {
        None => plain,
        Some(Weekend::MayMoveToNoon) => Readings { first: plain.first, last: moved(plain.last) },
        Some(Weekend::MovesToNoon) => {
            Readings { first: moved(plain.first), last: moved(plain.last) }
        }
    }
}
