//! The final schedule: who is on duty from when to when.
//!
//! Invariants:
//! - Pieces follow each other without gap or overlap and cover the period exactly; a time with
//!   nobody on duty is a piece with no people.
//! - Neighbors differ in somebody, in why, or in the turn: a hand-over to oneself is kept, so
//!   that every turn can be seen and swapped.

use serde::{Deserialize, Serialize};

use super::changes::Changes;
use super::duty::{Duty, Lane, compose, lane, layers};
use super::layer::{Layer, NEVER};
use super::model::{Holidays, Schedule};
use super::stand_in::edges;
use crate::domain::time::{DAY_MS, Timestamp};

/// The longest period that is computed, in milliseconds: ten years. Longer ones are cut there.
pub const MAX_PERIOD_MS: i64 = 3_653 * DAY_MS;

/// A time in which the same people are on duty for the same reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// From this instant …
    pub from: Timestamp,
    /// … up to, not including, this one.
    pub until: Timestamp,
    /// Who is on duty; nobody: a gap.
    pub people: Vec<Duty>,
}

/// Walks over a period, from one instant at which something may change to the next.
struct Walk<'a> {
    schedule: &'a Schedule,
    holidays: &'a Holidays,
    changes: &'a Changes,
    layers: Vec<(Layer<'a>, Lane)>,
    edges: Vec<Timestamp>,
    /// Edges that are not later than `at`.
    passed: usize,
    at: Timestamp,
    until: Timestamp,
}

impl<'a> Walk<'a> {
    fn new(
        schedule: &'a Schedule,
        holidays: &'a Holidays,
        changes: &'a Changes,
        from: Timestamp,
        until: Timestamp,
    ) -> Self {
        // What has never been looked at holds up to the beginning: it is looked at first.
        let unknown = || Lane { duties: Vec::new(), until: from };
        Self {
            schedule,
            holidays,
            changes,
            layers: layers(schedule).map(|layer| (layer, unknown())).collect(),
            edges: edges(schedule, changes),
            passed: 0,
            at: from,
            until: until.min(from.plus(MAX_PERIOD_MS)),
        }
    }

    fn next_edge(&mut self) -> Timestamp {
        while self.edges.get(self.passed).is_some_and(|edge| *edge <= self.at) {
            self.passed += 1;
        }
        self.edges.get(self.passed).copied().unwrap_or(NEVER)
    }
}

impl Iterator for Walk<'_> {
    type Item = Shift;

    fn next(&mut self) -> Option<Shift> {
        let at = self.at;
        if at >= self.until {
            return None;
        }
        let mut until = self.until.min(self.next_edge());
        for (layer, known) in &mut self.layers {
            if known.until <= at {
                *known = lane(layer, self.holidays, self.changes, at);
            }
            until = until.min(known.until);
        }
        let people = compose(self.schedule, self.changes, at, || {
            let highest = self.layers.iter().rev().find(|(_, known)| !known.duties.is_empty());
            highest.map(|(_, known)| known.duties.clone()).unwrap_or_default()
        });
        // Every answer holds longer than up to now; if one did not, this would still end.
        let until = until.max(at.plus(1));
        self.at = until;
        Some(Shift { from: at, until, people })
    }
}

/// The final schedule of a period. Nothing if it ends before it begins; a period of more than
/// [`MAX_PERIOD_MS`] is cut there.
pub fn shifts(
    schedule: &Schedule,
    holidays: &Holidays,
    changes: &Changes,
    from: Timestamp,
    until: Timestamp,
) -> Vec<Shift> {
    let mut found: Vec<Shift> = Vec::new();
    for shift in Walk::new(schedule, holidays, changes, from, until) {
        match found.last_mut() {
            Some(last) if last.people == shift.people => last.until = shift.until,
            Some(_) | None => found.push(shift),
        }
    }
    found
}

/// The times of a period in which nobody is on duty, each from and up to.
pub fn gaps(
    schedule: &Schedule,
    holidays: &Holidays,
    changes: &Changes,
    from: Timestamp,
    until: Timestamp,
) -> Vec<(Timestamp, Timestamp)> {
    shifts(schedule, holidays, changes, from, until)
        .into_iter()
        .filter(|shift| shift.people.is_empty())
        .map(|shift| (shift.from, shift.until))
        .collect()
}

/// The first instant after `after` and before `horizon` at which other people are on duty than at
/// `after`; a hand-over to oneself, or another order, is no change.
pub fn next_change(
    schedule: &Schedule,
    holidays: &Holidays,
    changes: &Changes,
    after: Timestamp,
    horizon: Timestamp,
) -> Option<Timestamp> {
    let mut walk = Walk::new(schedule, holidays, changes, after, horizon);
    let first = walk.next()?.people;
    let is_same = |people: &[Duty]| {
        people.len() == first.len()
            && people.iter().all(|duty| first.iter().any(|other| other.person == duty.person))
    };
    walk.find(|shift| !is_same(&shift.people)).map(|shift| shift.from)
}
