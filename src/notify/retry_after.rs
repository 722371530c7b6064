//! What the other side says about when to come back: `Retry-After` (RFC 9110, 10.2.3).
//!
//! Invariants:
//! - What is read is never negative and never longer than a day: a page does not sleep on the
//!   word of a stranger.

use chrono::NaiveDateTime;

use crate::domain::time::{DAY_MS, SECOND_MS, Timestamp};

/// Milliseconds from `now` until the time that the header names; `None` if it is no time.
pub(crate) fn read(value: &str, now: Timestamp) -> Option<u64> {
    let value = value.trim();
    let wait = if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than fit are still "very long".
        value.parse::<i64>().unwrap_or(i64::MAX).saturating_mul(SECOND_MS)
    } else {
        http_date(value)?.since(now)
    };
    u64::try_from(wait.clamp(0, DAY_MS)).ok()
}

/// The three forms that a recipient must take (RFC 9110, 5.6.7).
fn http_date(value: &str) -> Option<Timestamp> {
    ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(value, form).ok())
        .map(|at| Timestamp(at.and_utc().timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read() {
        let now: Timestamp = "2026-11-25T10:00:00Z".parse().expect("a time");
        let table = [
            ("0", Some(0)),
            (" 17 ", Some(17_000)),
            ("99999999999999999999999", Some(86_400_000)),
            ("Wed, 25 Nov 2026 10:00:30 GMT", Some(30_000)),
            ("Wednesday, 25-Nov-26 10:01:00 GMT", Some(60_000)),
            ("Wed Nov 25 10:00:05 2026", Some(5_000)),
            ("Wed, 25 Nov 2026 09:00:00 GMT", Some(0)),
            ("soon", None),
            ("-5", None),
            ("1.5", None),
            ("", None),
        ];
        for (value, expected) in table {
            assert_eq!(read(value, now), expected, "{value:?}");
        }
    }
}
