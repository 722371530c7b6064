//! How much duty falls to whom: hours, nights, weekends.
//!
//! Invariants:
//! - Somebody who is on duty together with others has all of that time; times with nobody are
//!   counted as uncovered, never left out.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::calendar::entries_of;
use super::changes::Changes;
use super::model::{Holidays, Schedule};
use super::shifts::shifts;
use super::wall::{day_end, day_of, day_start, instant};
use super::week::{Day, TimeOfDay};
use crate::domain::time::Timestamp;

/// A night begins at this hour of the wall clock …
const NIGHT_FROM: u16 = 22;
/// … and ends at this one of the next day.
const NIGHT_UNTIL: u16 = 6;

/// The duty of a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// From this instant …
    pub from: Timestamp,
    /// … up to, not including, this one.
    pub until: Timestamp,
    /// Login → what fell to them.
    pub people: BTreeMap<String, PersonLoad>,
    /// Milliseconds in which nobody was on duty.
    pub uncovered_ms: i64,
}

/// What fell to one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PersonLoad {
    /// Milliseconds on duty.
    pub total_ms: i64,
    /// Milliseconds of those between 22:00 and 06:00 in the schedule's zone.
    pub night_ms: i64,
    /// Milliseconds of those on Saturdays and Sundays in the schedule's zone.
    pub weekend_ms: i64,
    /// Times on duty; a hand-over to oneself begins a new one.
    pub shifts: u32,
}

/// The duty of a period, for everybody who has some. The period is cut as for [`shifts`].
pub fn load(
    schedule: &Schedule,
    holidays: &Holidays,
    changes: &Changes,
    from: Timestamp,
    until: Timestamp,
) -> Load {
    let pieces = shifts(schedule, holidays, changes, from, until);
    let until = pieces.last().map_or(from, |last| last.until);
    let mut found = Load { from, until, people: BTreeMap::new(), uncovered_ms: 0 };
    for piece in pieces.iter().filter(|piece| piece.people.is_empty()) {
        found.uncovered_ms += piece.until.since(piece.from);
    }
    for entry in entries_of(&pieces) {
        let share = found.people.entry(entry.duty.person).or_default();
        share.shifts = share.shifts.saturating_add(1);
        share.total_ms += entry.until.since(entry.from);
        let (night, weekend) = unsocial(schedule.zone, entry.from, entry.until);
        share.night_ms += night;
        share.weekend_ms += weekend;
    }
    found
}

/// Milliseconds of a period at night and at the weekend.
fn unsocial(zone: Tz, from: Timestamp, until: Timestamp) -> (i64, i64) {
    let (mut night, mut weekend) = (0, 0);
    // The night of the day before may still be going on.
    let mut next = day_of(zone, from).pred_opt();
    while let Some(date) = next.filter(|date| day_start(zone, *date) < until) {
        let begin = at_hour(zone, date, NIGHT_FROM);
        let end = date.succ_opt().map_or(begin, |morning| at_hour(zone, morning, NIGHT_UNTIL));
        night += overlap((from, until), (begin, end));
        match Day::of(date) {
            Day::Sat | Day::Sun => {
                let day = (day_start(zone, date), day_end(zone, date));
                weekend += overlap((from, until), day);
            }
            Day::Mon | Day::Tue | Day::Wed | Day::Thu | Day::Fri => {}
        }
        next = date.checked_add_days(Days::new(1));
    }
    (night, weekend)
}

fn at_hour(zone: Tz, date: NaiveDate, hour: u16) -> Timestamp {
    let time = TimeOfDay::new(hour, 0).unwrap_or(TimeOfDay::MIDNIGHT);
    instant(zone, date.and_time(time.naive()))
}

/// Milliseconds that two periods share.
fn overlap(one: (Timestamp, Timestamp), other: (Timestamp, Timestamp)) -> i64 {
    one.1.min(other.1).since(one.0.max(other.0)).max(0)
}
