//! Times and days as the page tells them.
//!
//! Invariants:
//! - A time names its zone.

use chrono::NaiveDate;

use super::model::Page;
use crate::domain::time::Timestamp;

/// `2026-11-25 14:30 CET`, in the zone of the page.
pub(super) fn time_words(page: &Page, at: Timestamp) -> String {
    at.plus(0).utc().with_timezone(&page.zone).format("%Y-%m-%d %H:%M %Z").to_string()
}

/// `Wednesday, 25 November 2026`.
pub(super) fn day_words(date: NaiveDate) -> String {
    date.format("%A, %-d %B %Y").to_string()
}

/// Minutes as words: `1 h 5 min`; a day with less than a minute of downtime was down `< 1 min`.
pub(super) fn minutes_words(span_ms: i64) -> String {
    let minutes = span_ms / crate::domain::time::MINUTE_MS;
    match (minutes / 60, minutes % 60) {
        (0, 0) => "less than 1 min".to_owned(),
        (0, rest) => format!("{rest} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, rest) => format!("{hours} h {rest} min"),
    }
}
