//! What people changed about a schedule while it runs: covers and swaps.
//!
//! Invariants:
//! - A swap names its shifts by layer and turn, never by times, so that it follows them when the
//!   plan moves them.

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;

/// The changes to one schedule, each list in the order in which they were made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Changes {
    /// They rank like overrides and come after them; a later one wins.
    pub covers: Vec<Cover>,
    /// Only accepted ones count; each applies to what the ones before it made.
    pub swaps: Vec<Swap>,
    /// Covers that were taken back: calendars that took them are told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revoked: Vec<Cover>,
}

/// Somebody who stands in for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cover {
    /// Its number, never used again.
    pub id: u32,
    /// From this instant …
    pub from: Timestamp,
    /// … up to, not including, this one.
    pub until: Timestamp,
    /// Who stands in (login).
    pub person: String,
    /// Whose place they take; without one they replace everybody on duty.
    #[serde(default)]
    pub instead_of: Option<String>,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// Who entered it (login).
    #[serde(default)]
    pub by: String,
}

/// Two people who exchange turns, or one who gives a turn to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Swap {
    /// Its number, never used again.
    pub id: u32,
    /// The turn that `person_a` gives to `person_b`.
    pub a: TurnId,
    /// The turn that `person_b` gives in return, if any.
    #[serde(default)]
    pub b: Option<TurnId>,
    /// Who gives turn `a` (login).
    pub person_a: String,
    /// Who takes turn `a` (login).
    pub person_b: String,
    /// Whether it counts.
    #[serde(default)]
    pub state: SwapState,
    /// Since when it counts: what was worked of a turn before belongs to whoever worked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// How far a swap has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SwapState {
    /// Nobody has answered.
    #[default]
    Asked,
    /// It counts.
    Accepted,
    /// It never counts.
    Refused,
}

/// A shift by its place in a layer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TurnId {
    /// The layer's name.
    pub layer: String,
    /// Turns since the layer's start, from 0.
    pub turn: i64,
}
