//! Clocks that a law, a regulator or a contract starts, and what they wait for.
//!
//! A rule is data ([`Rule`]): stages, each with one or more limits. A clock starts with a human
//! determination that is on record, or with the submission of an earlier stage, never with the
//! opening of an incident. What is due when follows from a rule, the [`Facts`] of one incident
//! and the [`Calendars`]; nothing is stored.
//!
//! Invariants:
//! - Nothing here reads a clock, does I/O or panics, whatever a rule says.
//! - Where the law can be read in two ways, the alarm is on the earlier reading, and only the
//!   later one makes a submission late.
//! - A disabled rule has no clocks.

mod anchor;
mod calendar;
mod check;
mod clocks;
mod due;
mod facts;
mod rule;
mod shipped;
mod span;
mod state;
mod wording;

pub use anchor::{Anchor, BadAnchor};
pub use calendar::{BusinessCalendar, Calendars, easter_sunday};
pub use clocks::{clocks, next_event};
pub use facts::{Determination, Facts, NotApplicable, Submission};
pub use rule::{BadRule, Limit, Rule, RuleKind, Source, Stage, Trigger, Weekend};
pub use shipped::{SHIPPED, shipped};
pub use span::{BadSpan, Span};
pub use state::{Clock, State};

#[cfg(test)]
mod tests_calendars;
#[cfg(test)]
mod tests_clocks;
#[cfg(test)]
mod tests_regimes;
#[cfg(test)]
mod tests_rules;
