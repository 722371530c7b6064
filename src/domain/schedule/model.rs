//! A schedule as a plan says it.
//!
//! Invariants:
//! - Fields are added with a default, never renamed, and a field that has its default is not
//!   written: a plan that uses nothing new stays the same text.
//! - A value may be wrong in itself (see `check`); whatever is evaluated copes with that.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime};
use serde::{Deserialize, Serialize};

use super::week::{Day, Moment, TimeOfDay};
use crate::domain::time::Timestamp;

/// Name of a calendar → its days off, as dates of whatever zone they are looked at in.
pub type Holidays = BTreeMap<String, Vec<NaiveDate>>;

/// Who is on call when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// The zone whose wall clock the hand-overs follow.
    pub zone: chrono_tz::Tz,
    /// Layers; the last one with somebody on duty wins.
    #[serde(default)]
    pub rotations: Vec<Rotation>,
    /// Exceptions; they beat every layer, and a later one beats an earlier one.
    #[serde(default)]
    pub overrides: Vec<Override>,
    /// Plans that stand in for everything else for a while; a later one beats an earlier one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub temporary: Vec<Temporary>,
}

impl Schedule {
    /// The logins of everybody who is named in it, some of them more than once.
    pub fn people(&self) -> impl Iterator<Item = &String> {
        let rotas = self.rotations.iter().flat_map(|rotation| &rotation.people);
        let others = self.overrides.iter().map(|other| &other.person);
        let stints = self.temporary.iter().flat_map(|plan| &plan.shifts);
        rotas.chain(others).chain(stints.map(|stint| &stint.person))
    }
}

/// A layer: people who take turns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// What the layer is called; empty: `layer N`, counted from 1. Swaps name their layer, so a
    /// layer whose turns are swapped needs a name that does not depend on its place.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Beginning of turn 0, on the schedule's wall clock.
    pub start: NaiveDateTime,
    /// How long a turn is.
    pub every: Turn,
    /// How many of those a turn lasts; 0 counts as 1.
    #[serde(default = "one")]
    pub times: u16,
    /// Logins, in order.
    pub people: Vec<String>,
    /// How many are on duty at once: the one whose turn it is and the next ones in order.
    #[serde(default = "one_together", skip_serializing_if = "is_one")]
    pub together: u8,
    /// End of the layer, on the schedule's wall clock; a version of it that begins there is a
    /// layer of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDateTime>,
    /// Hand-over times of a week, for `every = "handovers"`; turn 0 lasts from `start` to the
    /// first of them after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handovers: Vec<Moment>,
    /// When the layer is on duty; empty: always. Turns go on without regard to this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<Hours>,
    /// Holiday calendars on whose days the layer is off duty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_on: Vec<String>,
    /// Holiday calendars; if there are any, the layer is on duty on their days only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only_on: Vec<String>,
}

const fn one() -> u16 {
    1
}

const fn one_together() -> u8 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_one(together: &u8) -> bool {
    *together == 1
}

/// The unit of a turn, on the wall clock: an hour in which summer time begins lasts no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Turn {
    /// Hours.
    Hour,
    /// Days.
    Day,
    /// Weeks.
    Week,
    /// Months of the calendar, clamped at their end: Jan 31, Feb 28, Mar 31.
    Month,
    /// From one of the layer's hand-over times to the next.
    Handovers,
}

/// A part of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// The days on which it begins.
    pub days: Vec<Day>,
    /// From this time …
    pub from: TimeOfDay,
    /// … up to this one; on the next day if it is not after `from`.
    pub until: TimeOfDay,
}

/// Somebody who stands in for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// From this instant …
    pub from: Timestamp,
    /// … up to, not including, this one.
    pub until: Timestamp,
    /// Who stands in (login).
    pub person: String,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// Whose place they take; without one they replace everybody on duty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<String>,
    /// Who asked for it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub asked_by: String,
    /// Who said yes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub approved_by: String,
}

/// A plan that replaces everything else in its period: what it leaves open is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Temporary {
    /// From this instant …
    pub from: Timestamp,
    /// … up to, not including, this one.
    pub until: Timestamp,
    /// Who is on duty in it.
    #[serde(default)]
    pub shifts: Vec<Stint>,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// A time on duty in a temporary plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stint {
    /// From this instant …
    pub from: Timestamp,
    /// … up to, not including, this one.
    pub until: Timestamp,
    /// Who (login).
    pub person: String,
}
