//! How a clock stands.
//!
//! Invariants:
//! - A state is derived at an instant and never stored.

use serde::{Deserialize, Serialize};

use super::anchor::Anchor;
use crate::domain::time::Timestamp;

/// One stage of one obligation, at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// The id of the stage.
    pub stage: String,
    /// What is sent, to whom.
    pub title: String,
    /// What the limit that rules counts from; while it waits, what it waits for.
    pub anchor: Anchor,
    /// The instant it counts from, if that is known.
    pub since: Option<Timestamp>,
    /// When it is due, by the earliest reading; nothing for a limit without a number.
    pub due: Option<Timestamp>,
    /// When it is due by the latest reading that is defended, if that differs.
    pub other_reading: Option<Timestamp>,
    /// How it stands.
    pub state: State,
    /// How `due` came about, in words.
    pub why_due: String,
    /// The next instant at which people must be told: 50, 75 or 90 % of the time is gone, the
    /// deadline comes, its other reading comes, or a reminder is due.
    pub next_warning: Option<Timestamp>,
}

/// How a clock stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// It has not begun.
    Waiting {
        /// For what, in words.
        for_what: String,
    },
    /// It runs.
    Running {
        /// How much of the time is gone, of the marks 0, 50, 75, 90; 100 is after the earlier
        /// reading and before the other one.
        warned: u8,
    },
    /// It was sent.
    Met {
        /// When.
        at: Timestamp,
        /// After even the latest reading of the deadline.
        late: bool,
    },
    /// The deadline has come, by every reading, and nothing was sent.
    Missed,
    /// It is not owed.
    NotApplicable {
        /// Because of what.
        why: String,
    },
}

impl State {
    /// Whether somebody still has to do something about it, or wait.
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Waiting { .. } | Self::Running { .. } | Self::Missed)
    }
}
