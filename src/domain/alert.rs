//! One alert: the state machine of ISA 18.2, and flapping.
//!
//! Invariants:
//! - The state is derived from four facts (firing, answered, shelved, seen); two of them can never
//!   contradict each other because none is stored twice.

use serde::{Deserialize, Serialize};

use crate::domain::event::AlertFacts;
use crate::domain::ids::IncidentId;
use crate::domain::silence::labels_of;
use crate::domain::time::Timestamp;
use crate::domain::words::AlertState;

/// Put aside by a person, always with an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelf {
    pub by: String,
    pub until: Timestamp,
    pub reason: String,
    /// The silence that did it; none: a person, for this alert alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<u32>,
    /// What it said when it began to fire meanwhile.
    #[serde(default)]
    pub held: Option<Box<Held>>,
}

/// What an alert said that began to fire while it was put aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub facts: AlertFacts,
    pub group: Option<String>,
}

/// Changing too often; what it said last counts when it has been steady for the hold-down time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flap {
    pub since: Timestamp,
    pub last_change: Timestamp,
    pub said_firing: bool,
    pub changes: u32,
}

/// An alert that fires, or that fired and was not seen yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    pub name: String,
    pub summary: String,
    /// The label set as one line, without the name: `job="api", severity="critical"`. In values,
    /// quotes and backslashes have a backslash before them.
    pub labels: String,
    /// The name is a label (`alertname`), as Prometheus has it.
    #[serde(default)]
    pub is_named_by_label: bool,
    /// How bad the sender said it is, where no label says so.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub severity_word: Box<str>,
    /// The sender's own group, where it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Box<str>>,
    pub source: String,
    pub incident: Option<IncidentId>,
    /// The rule that decided what became of it.
    pub rule: String,
    pub is_firing: bool,
    pub is_answered: bool,
    pub shelf: Option<Shelf>,
    pub flap: Option<Flap>,
    /// By the sender's clock; part of the identity of an occurrence.
    pub starts_at: Option<Timestamp>,
    /// The end unless it is posted again, where the sender gives one.
    pub ends_at: Option<Timestamp>,
    pub since: Timestamp,
    pub last_seen: Timestamp,
    pub repeats: u32,
    /// The latest changes between firing and not, newest last; at most as many as flapping needs.
    pub changes: Vec<Timestamp>,
}

/// The labels that say on what an alert fires, or what it is about.
pub const WHERE_LABELS: [&str; 2] = ["instance", "about"];

impl Alert {
    /// Whether a person put this one aside; a silence has room for what comes anew.
    pub fn is_put_aside_by_hand(&self) -> bool {
        self.shelf.as_ref().is_some_and(|shelf| shelf.silence.is_none())
    }

    /// What it is called, with what it fires on: `HighErrors api-1`.
    pub fn full_name(&self) -> String {
        let labels = labels_of(self);
        let value = |label: &&str| labels.get(*label).filter(|text| !text.is_empty());
        match WHERE_LABELS.iter().find_map(value) {
            Some(place) => format!("{} {place}", self.name),
            None => self.name.clone(),
        }
    }

    /// Its state in the terms of ISA 18.2.
    pub const fn state(&self) -> AlertState {
        match (self.shelf.is_some(), self.is_firing, self.is_answered) {
            (true, _, _) => AlertState::Shelved,
            (false, true, false) => AlertState::Unacknowledged,
            (false, true, true) => AlertState::Acknowledged,
            (false, false, false) => AlertState::Returned,
            (false, false, true) => AlertState::Normal,
        }
    }

    /// Notes a change between firing and not.
    pub fn changed(&mut self, at: Timestamp, keep: usize) {
        self.changes.push(at);
        let surplus = self.changes.len().saturating_sub(keep.max(1));
        self.changes.drain(..surplus);
    }

    /// Whether one more change at `now` makes it flap.
    pub fn would_flap(&self, now: Timestamp, changes: u8, window_ms: i64) -> bool {
        if changes < 2 {
            return false;
        }
        let recent = self.changes.iter().filter(|at| now.since(**at) <= window_ms).count();
        recent + 1 >= usize::from(changes)
    }
}
