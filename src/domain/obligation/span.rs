//! How long a limit is, in the units that laws use.
//!
//! Invariants:
//! - Every span prints and parses to itself, apart from the number of its noun.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest span that a rule may name, in its own unit: nothing lawful is longer, and
/// arithmetic with it cannot overflow.
pub(super) const LENGTH_MAX: u32 = 10_000;

/// A length of time as a law states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Span {
    /// Hours that pass whatever the calendar says: `72 hours`.
    Hours(u32),
    /// Days of the calendar, the day of the event not counted: `60 days`.
    Days(u32),
    /// Days on which business is done, the day of the event not counted: `4 business days`.
    BusinessDays(u32),
    /// Months, kept to the end of a shorter one: `1 month`.
    Months(u32),
    /// Days of the calendar after the end of the event's year: `60 days after year end`.
    DaysAfterYearEnd(u32),
    /// `without undue delay`: no number, so that nothing runs out; people are reminded.
    Promptly,
    /// `immediately`: as [`Span::Promptly`], reminded more often.
    Immediately,
}

/// A text that is no span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no limit; write '72 hours', '60 days', '4 business days', '1 month', \
     '60 days after year end', 'without undue delay' or 'immediately'"
)]
pub struct BadSpan(pub String);

impl FromStr for Span {
    type Err = BadSpan;
    fn from_str(text: &str) -> Result<Self, BadSpan> {
        let bad = || BadSpan(text.to_owned());
        match text {
            "without undue delay" => return Ok(Self::Promptly),
            "immediately" => return Ok(Self::Immediately),
            _ => {}
        }
        let (number, unit) = text.split_once(' ').ok_or_else(bad)?;
        let length: u32 = number.parse().map_err(|_| bad())?;
        if length == 0 || length > LENGTH_MAX {
            return Err(bad());
        }
        match unit {
            "hour" | "hours" => Ok(Self::Hours(length)),
            "day" | "days" => Ok(Self::Days(length)),
            "business day" | "business days" => Ok(Self::BusinessDays(length)),
            "month" | "months" => Ok(Self::Months(length)),
            "day after year end" | "days after year end" => Ok(Self::DaysAfterYearEnd(length)),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |n: u32| if n == 1 { "" } else { "s" };
        match *self {
            Self::Hours(n) => write!(f, "{n} hour{}", plural(n)),
            Self::Days(n) => write!(f, "{n} day{}", plural(n)),
            Self::BusinessDays(n) => write!(f, "{n} business day{}", plural(n)),
            Self::Months(n) => write!(f, "{n} month{}", plural(n)),
            Self::DaysAfterYearEnd(n) => write!(f, "{n} day{} after year end", plural(n)),
            Self::Promptly => f.write_str("without undue delay"),
            Self::Immediately => f.write_str("immediately"),
        }
    }
}

impl TryFrom<String> for Span {
    type Error = BadSpan;
    fn try_from(text: String) -> Result<Self, BadSpan> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}
