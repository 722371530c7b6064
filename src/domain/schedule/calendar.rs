//! The final schedule as calendar entries: one for each person and time on duty, with an identity
//! that stays when the plan moves it.
//!
//! Invariants:
//! - The identity of an entry does not depend on the period that was asked for, nor on its times:
//!   it is the turn (or the cover, override or temporary shift), the person, and which part of
//!   their duty in it this is.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::changes::{Changes, TurnId};
use super::duty::{Duty, Source};
use super::layer::turn_span;
use super::model::{Holidays, Schedule};
use super::shifts::{Shift, shifts};
use crate::domain::time::{DAY_MS, Timestamp};

/// How far beyond the period an entry is followed to its beginning and its end: a year. What is
/// longer is cut there.
const REACH_MS: i64 = 366 * DAY_MS;

/// More than the parts that a turn has: those beyond are pieces of a part.
const FURTHER: u32 = 1_000_000;

/// One time on duty of one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// From this instant …
    pub from: Timestamp,
    /// … up to, not including, this one.
    pub until: Timestamp,
    /// Who, and why.
    pub duty: Duty,
    /// Which part of their duty in this turn (or cover …) it is, from 1: hours, holidays and
    /// other layers divide a turn.
    pub part: u32,
}

/// What an entry is known by, apart from its part.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key<'a> {
    Turn(&'a TurnId),
    Source(&'a Source),
}

impl Duty {
    fn key(&self) -> (Key<'_>, &str) {
        // A turn that was swapped away and back is the same one.
        let key = self.turn.as_ref().map_or(Key::Source(&self.source), Key::Turn);
        (key, &self.person)
    }
}

impl Entry {
    /// Words that make the entry known for ever, unescaped: what it is, and its part.
    pub(super) fn identity(&self) -> Vec<String> {
        let mut words = match (&self.duty.turn, &self.duty.source) {
            (Some(turn), _) => vec!["turn".into(), turn.layer.clone(), turn.turn.to_string()],
            (None, Source::Layer { name }) => vec!["layer".into(), name.clone()],
            (None, Source::Override { from }) => vec!["override".into(), from.0.to_string()],
            (None, Source::Cover { id }) => vec!["cover".into(), id.to_string()],
            (None, Source::Swap { id }) => vec!["swap".into(), id.to_string()],
            (None, Source::Temporary { from }) => vec!["temporary".into(), from.0.to_string()],
        };
        words.push(self.duty.person.clone());
        words.push(self.part.to_string());
        words
    }
}

/// The entries of pieces that follow each other, in order of their beginnings. Parts count from
/// the first piece.
pub(super) fn entries_of(pieces: &[Shift]) -> Vec<Entry> {
    let mut found: Vec<Entry> = Vec::new();
    // The last entry of everything that was ever on duty, by its place in `found`.
    let mut last: BTreeMap<(Key<'_>, &str), usize> = BTreeMap::new();
    for piece in pieces {
        for duty in &piece.people {
            let place = last.get(&duty.key()).copied();
            let before = place.and_then(|place| found.get_mut(place));
            let part = match before {
                Some(entry) if entry.until == piece.from => {
                    entry.until = piece.until;
                    continue;
                }
                Some(entry) => entry.part.saturating_add(1),
                None => 1,
            };
            last.insert(duty.key(), found.len());
            let (from, until) = (piece.from, piece.until);
            found.push(Entry { from, until, duty: duty.clone(), part });
        }
    }
    found
}

/// The entries that touch a period, each from its real beginning to its real end (at most a year
/// beyond the period).
pub fn entries(
    schedule: &Schedule,
    holidays: &Holidays,
    changes: &Changes,
    from: Timestamp,
    until: Timestamp,
) -> Vec<Entry> {
    let seen = shifts(schedule, holidays, changes, from, until);
    let (mut first, mut last) = (from, until);
    for duty in seen.iter().flat_map(|shift| &shift.people) {
        if let Some((begin, end)) = extent(schedule, changes, duty) {
            first = first.min(begin);
            last = last.max(end);
        }
    }
    let first = first.max(from.plus(-REACH_MS));
    let last = last.min(until.plus(REACH_MS));
    let mut found = entries_of(&shifts(schedule, holidays, changes, first, last));
    number(&mut found, &undisturbed(schedule, holidays, changes, first, last));
    found.retain(|entry| entry.from < until && from < entry.until);
    found
}

/// How the turns would lie if nobody stood in: what their parts are numbered by, so that somebody who
/// stands in for an hour gives no other part another name.
fn undisturbed(
    schedule: &Schedule,
    holidays: &Holidays,
    changes: &Changes,
    from: Timestamp,
    until: Timestamp,
) -> Vec<Entry> {
    let plain = Schedule { overrides: Vec::new(), temporary: Vec::new(), ..schedule.clone() };
    let swaps = Changes { swaps: changes.swaps.clone(), ..Changes::default() };
    entries_of(&shifts(&plain, holidays, &swaps, from, until))
}

/// Names each part of a turn by the undisturbed part that it lies in; of several in one, the first
/// has its number, and the others one that no undisturbed part has.
fn number(found: &mut [Entry], plain: &[Entry]) {
    let mut parts: BTreeMap<(Key<'_>, &str), Vec<&Entry>> = BTreeMap::new();
    for part in plain.iter().filter(|it| it.duty.turn.is_some()) {
        parts.entry(part.duty.key()).or_default().push(part);
    }
    // How many pieces lie in an undisturbed part, which its beginning and its person name.
    let mut taken: BTreeMap<(Timestamp, String), u32> = BTreeMap::new();
    for entry in found.iter_mut() {
        let own = parts.get(&entry.duty.key()).into_iter().flatten();
        let lies_in = own.copied().find(|it| it.from <= entry.from && entry.from < it.until);
        let Some(Entry { part, from, .. }) = lies_in else { continue };
        let before = taken.entry((*from, entry.duty.person.clone())).or_default();
        entry.part = part + *before * FURTHER;
        *before += 1;
    }
}

/// From when to when somebody's duty can last at most.
fn extent(schedule: &Schedule, changes: &Changes, duty: &Duty) -> Option<(Timestamp, Timestamp)> {
    if let Some(turn) = &duty.turn {
        return turn_span(schedule, turn);
    }
    match &duty.source {
        Source::Layer { .. } | Source::Swap { .. } => None,
        Source::Override { from } => {
            let ends = schedule.overrides.iter().filter(|one| one.from == *from);
            Some((*from, ends.map(|one| one.until).max()?))
        }
        Source::Cover { id } => {
            let cover = changes.covers.iter().find(|cover| cover.id == *id)?;
            Some((cover.from, cover.until))
        }
        Source::Temporary { from } => {
            let stints = schedule.temporary.iter().flat_map(|plan| &plan.shifts);
            let ends = stints.filter(|stint| stint.from == *from);
            Some((*from, ends.map(|stint| stint.until).max()?))
        }
    }
}

/// The entries of `before` that are no longer among those of `after`, to be announced as
/// canceled. Both must have been computed for the same period, or what has only left the period
/// would be canceled too.
pub fn removed(before: &[Entry], after: &[Entry]) -> Vec<Entry> {
    let kept: BTreeSet<Vec<String>> = after.iter().map(Entry::identity).collect();
    before.iter().filter(|entry| !kept.contains(&entry.identity())).cloned().collect()
}

/// What a calendar may hold that is no longer true: what the plan alone would say, and covers that
/// were taken back. To be announced as canceled beside `entries` of the same period.
pub fn withdrawn(
    schedule: &Schedule,
    holidays: &Holidays,
    changes: &Changes,
    from: Timestamp,
    until: Timestamp,
) -> Vec<Entry> {
    let covers = changes.covers.iter().chain(&changes.revoked).cloned().collect();
    let before = Changes { covers, swaps: changes.swaps.clone(), ..Changes::default() };
    let of = |changes: &Changes| entries(schedule, holidays, changes, from, until);
    let mut gone = removed(&of(&Changes::default()), &of(changes));
    for entry in removed(&of(&before), &of(changes)) {
        if !gone.iter().any(|known| known.identity() == entry.identity()) {
            gone.push(entry);
        }
    }
    gone
}
