//! When a layer is on duty at all: hours of the week, and holidays.
//!
//! Invariants:
//! - An answer comes with an instant up to which it holds, which is always later than the one
//!   asked about.

use chrono::Days;
use chrono_tz::Tz;

use super::layer::NEVER;
use super::model::{Holidays, Hours, Rotation};
use super::wall::{day_end, day_of, instant};
use super::week::Day;
use crate::domain::time::Timestamp;

/// Days looked at: the one before (what goes overnight), this one, and a week with one more on
/// each side for a clock that is set by a day.
const DAYS: u64 = 10;

/// Whether something is on, and up to when that certainly holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Phase {
    pub(super) is_on: bool,
    pub(super) until: Timestamp,
}

/// Whether a layer's hours and holidays let it be on duty.
pub(super) fn phase(zone: Tz, rotation: &Rotation, holidays: &Holidays, at: Timestamp) -> Phase {
    let hours = hours_phase(zone, &rotation.hours, at);
    if rotation.not_on.is_empty() && rotation.only_on.is_empty() {
        return hours;
    }
    let day = day_of(zone, at);
    let is_in = |names: &[String]| {
        names.iter().any(|name| holidays.get(name).is_some_and(|days| days.contains(&day)))
    };
    let is_allowed =
        !is_in(&rotation.not_on) && (rotation.only_on.is_empty() || is_in(&rotation.only_on));
    Phase { is_on: hours.is_on && is_allowed, until: hours.until.min(day_end(zone, day)) }
}

fn hours_phase(zone: Tz, hours: &[Hours], at: Timestamp) -> Phase {
    let mut found = Phase { is_on: hours.is_empty(), until: NEVER };
    for window in hours {
        let one = window_phase(zone, window, at);
        found.is_on |= one.is_on;
        found.until = found.until.min(one.until);
    }
    found
}

/// Windows of one line begin a day of the wall clock apart and last a day at most, so the first
/// one that is not over decides.
fn window_phase(zone: Tz, hours: &Hours, at: Timestamp) -> Phase {
    let off = Phase { is_on: false, until: NEVER };
    if hours.days.is_empty() {
        return off;
    }
    let Some(first) = day_of(zone, at).checked_sub_days(Days::new(2)) else { return off };
    let days = (0..DAYS).filter_map(|ahead| first.checked_add_days(Days::new(ahead)));
    for date in days.filter(|date| hours.days.contains(&Day::of(*date))) {
        let from = instant(zone, date.and_time(hours.from.naive()));
        if at < from {
            return Phase { is_on: false, until: from };
        }
        let is_overnight = hours.until <= hours.from;
        let last = if is_overnight { date.succ_opt().unwrap_or(date) } else { date };
        let until = instant(zone, last.and_time(hours.until.naive()));
        if at < until {
            return Phase { is_on: true, until };
        }
    }
    off
}
