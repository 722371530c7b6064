//! How often a destination is called at the most: telephones and their gateways bear only so much,
//! and a phone that rings all night is switched off.
//!
//! Invariants:
//! - What is held back is not lost: it goes, all of it together, as soon as it may.
//! - What a person sends by hand is never held back.

use serde::{Deserialize, Serialize};

use crate::domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp, parse_span};

/// Messages within the span at the most that a plan may name.
const COUNT_MAX: u32 = 1_000;
/// The longest span that a plan may name: a page waits no longer than this for a place. What an old
/// journal holds is read all the same.
pub const WITHIN_MAX_MS: i64 = HOUR_MS;

/// At most so many messages within a time: written `3/15m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Throttle {
    pub count: u32,
    /// In milliseconds.
    pub within_ms: i64,
}

impl TryFrom<String> for Throttle {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("'{text}' is no throttle; write 3/15m: three in fifteen minutes");
        let (count, span) = text.split_once('/').ok_or_else(wrong)?;
        let count = count.trim().parse().ok().filter(|n| (1..=COUNT_MAX).contains(n));
        let within_ms = parse_span(span).filter(|ms| *ms > 0);
        let (Some(count), Some(within_ms)) = (count, within_ms) else { return Err(wrong()) };
        Ok(Self { count, within_ms })
    }
}

impl From<Throttle> for String {
    fn from(throttle: Throttle) -> Self {
        // Exactly as long: it is read again from the journal.
        let units = [(DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "m")];
        let whole = units.into_iter().find(|(unit, _)| throttle.within_ms % unit == 0);
        let (unit, letter) = whole.unwrap_or((SECOND_MS, "s"));
        format!("{}/{}{letter}", throttle.count, throttle.within_ms / unit)
    }
}

/// How many of the latest messages must be remembered to keep to these throttles.
pub fn remembered(throttles: &[Throttle]) -> usize {
    throttles.iter().map(|throttle| throttle.count as usize).max().unwrap_or(0)
}

/// When the next message may go, after these (the oldest first).
pub fn allowed_at(throttles: &[Throttle], sent: &[Timestamp]) -> Option<Timestamp> {
    let after = |throttle: &Throttle| {
        let before = sent.len().checked_sub(throttle.count as usize)?;
        Some(sent.get(before)?.plus(throttle.within_ms))
    };
    throttles.iter().filter_map(after).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_written_exactly() {
        for text in ["3/90s", "5/15m", "2/1h", "1/59m", "7/3599s", "20/2d"] {
            let throttle = Throttle::try_from(text.to_owned()).expect(text);
            let again = Throttle::try_from(String::from(throttle)).expect(text);
            assert_eq!(again, throttle, "{text}");
        }
    }

    #[test]
    fn throttles_are_read_and_kept_to() {
        let read = |text: &str| Throttle::try_from(text.to_owned());
        for (text, good) in [
            ("3/15m", true),
            ("7 / 1h", true),
            ("0/1h", false),
            ("3/", false),
            ("x/1h", false),
            ("3", false),
            ("3/0s", false),
        ] {
            assert_eq!(read(text).is_ok(), good, "{text}");
        }
        assert_eq!(String::from(read("3/15m").expect("good")), "3/15m");
        let both = [read("2/10m").expect("good"), read("3/1h").expect("good")];
        let minute = |n: i64| Timestamp(n * 60_000);
        assert_eq!(remembered(&both), 3);
        assert_eq!(allowed_at(&both, &[minute(0)]), None);
        assert_eq!(allowed_at(&both, &[minute(0), minute(1)]), Some(minute(10)));
        let three = [minute(0), minute(1), minute(10)];
        assert_eq!(allowed_at(&both, &three), Some(minute(60)), "the stricter one rules");
    }
}
