//! Days on which business is done: computed holidays of the European payment system and of the
//! federal government of the United States, and lists of the user's own.
//!
//! Invariants:
//! - Nothing is looked up outside; a calendar answers for every year that can be written.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

/// How far a business day is searched: no calendar has a longer run of days off.
const SEARCH_MAX: u32 = 400;

/// The names of the calendars that are built in.
const BUILT_IN: [&str; 3] = ["weekdays", "target2", "us-federal"];

/// A calendar of the user's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BusinessCalendar {
    /// A built-in calendar whose days off it shares: `target2`, `us-federal`, or `weekdays`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Days of the week off; Saturday and Sunday where none are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weekend: Vec<Weekday>,
    /// Days off besides.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub days: BTreeSet<NaiveDate>,
}

/// Every calendar that a rule may name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Calendars(pub BTreeMap<String, BusinessCalendar>);

impl Calendars {
    /// Whether there is a calendar of this name.
    pub fn knows(&self, name: &str) -> bool {
        self.0.contains_key(name) || BUILT_IN.contains(&name)
    }

    /// What is wrong with the user's lists, in words.
    pub fn check(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (name, own) in &self.0 {
            if BUILT_IN.contains(&name.as_str()) {
                wrong.push(format!("the calendar '{name}' is built in; choose another name"));
            }
            if let Some(base) = own.base.as_deref().filter(|base| !BUILT_IN.contains(base)) {
                let known = BUILT_IN.join(", ");
                wrong.push(format!(
                    "the calendar '{name}' rests on '{base}', which is not built in; use one of: \
                     {known}"
                ));
            }
            if (0..7).all(|n| own.weekend.iter().any(|d| d.num_days_from_monday() == n)) {
                wrong.push(format!("the calendar '{name}' has no working day in the week"));
            }
        }
        wrong
    }

    /// Whether business is done on a day. An unknown name counts every weekday, which is the
    /// earlier reading.
    pub fn is_business_day(&self, name: &str, date: NaiveDate) -> bool {
        let Some(own) = self.0.get(name) else {
            return !is_weekend(date) && !is_built_in_holiday(name, date);
        };
        let is_off_week = if own.weekend.is_empty() {
            is_weekend(date)
        } else {
            own.weekend.contains(&date.weekday())
        };
        let base = own.base.as_deref().unwrap_or("weekdays");
        !is_off_week && !own.days.contains(&date) && !is_built_in_holiday(base, date)
    }

    /// The n-th business day after a day, which is not counted itself.
    pub fn nth_after(&self, name: &str, date: NaiveDate, n: u32) -> Option<NaiveDate> {
        (0..n).try_fold(date, |day, _| self.next_after(name, day))
    }

    /// The next business day after a day.
    pub fn next_after(&self, name: &str, date: NaiveDate) -> Option<NaiveDate> {
        let mut day = date;
        for _ in 0..SEARCH_MAX {
            day = day.succ_opt()?;
            if self.is_business_day(name, day) {
                return Some(day);
            }
        }
        None
    }
}

fn is_weekend(date: NaiveDate) -> bool {
    matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

fn is_built_in_holiday(name: &str, date: NaiveDate) -> bool {
    match name {
        "target2" => is_target_holiday(date),
        "us-federal" => is_us_holiday(date),
        _ => false,
    }
}

/// The closing days of TARGET, besides weekends, as the European Central Bank set them for 2002
/// and after: 1 January, Good Friday, Easter Monday, 1 May, 25 and 26 December.
fn is_target_holiday(date: NaiveDate) -> bool {
    if matches!((date.month(), date.day()), (1 | 5, 1) | (12, 25 | 26)) {
        return true;
    }
    easter_sunday(date.year()).is_some_and(|sunday| {
        let distance = date.signed_duration_since(sunday).num_days();
        distance == -2 || distance == 1
    })
}

/// Easter Sunday of a year in the Gregorian calendar, by the method of lunar epacts.
pub fn easter_sunday(year: i32) -> Option<NaiveDate> {
    let golden = year.rem_euclid(19);
    let century = year.div_euclid(100);
    // Leap days that the Gregorian calendar drops, and its correction of the moon's age.
    let dropped = century - century.div_euclid(4);
    let moon = (8 * century + 13).div_euclid(25);
    let epact = (19 * golden + dropped - moon + 15).rem_euclid(30);
    // Two corrections keep the full moon on or before 18 April.
    let full_moon = if epact == 29 || (epact == 28 && golden > 10) { epact - 1 } else { epact };
    // Days after 21 March, so that 22 March is the first possible Easter.
    let first = NaiveDate::from_ymd_opt(year, 3, 21)?;
    let moon_day = first.checked_add_days(Days::new(u64::try_from(full_moon).ok()?))?;
    let to_sunday = 7 - u64::from(moon_day.weekday().num_days_from_sunday());
    moon_day.checked_add_days(Days::new(to_sunday))
}

/// The holidays of 5 U.S.C. 6103(a), each on the day it is observed: Friday before a Saturday
/// (6103(b)), Monday after a Sunday (Executive Order 11582).
fn is_us_holiday(date: NaiveDate) -> bool {
    let near = [date.pred_opt(), Some(date), date.succ_opt()];
    near.into_iter().flatten().any(|day| is_named_us_holiday(day) && observed(day) == Some(date))
}

fn observed(day: NaiveDate) -> Option<NaiveDate> {
    match day.weekday() {
        Weekday::Sat => day.pred_opt(),
        Weekday::Sun => day.succ_opt(),
        Weekday::Mon | Weekday::Tue | Weekday::Wed | Weekday::Thu | Weekday::Fri => Some(day),
    }
}

fn is_named_us_holiday(day: NaiveDate) -> bool {
    let week = (day.day() - 1) / 7 + 1;
    match (day.month(), day.day(), day.weekday()) {
        // New Year, Independence Day, Veterans Day, Christmas; Juneteenth since 2021.
        (1, 1, _) | (7, 4, _) | (11, 11, _) | (12, 25, _) => true,
        (6, 19, _) => day.year() >= 2021,
        // King's and Washington's birthday, Labor Day, Columbus Day.
        (1 | 2, _, Weekday::Mon) => week == 3,
        (9, _, Weekday::Mon) => week == 1,
        (10, _, Weekday::Mon) => week == 2,
        // Memorial Day: the last Monday in May.
        (5, day, Weekday::Mon) => day >= 25,
        // Thanksgiving.
        (11, _, Weekday::Thu) => week == 4,
        _ => false,
    }
}
