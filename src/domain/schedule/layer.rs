//! The turns of one layer: where they begin, and whose they are.
//!
//! Turn `k` begins `k × times` units of wall-clock time after the start. A turn whose beginning
//! and end fall into one gap of the clock lasts no time and is nobody's.
//!
//! Invariants:
//! - A turn is found by arithmetic and a correction of at most `STEPS_MAX` turns.
//! - The turns of a layer cover the time from its start to its end without gap or overlap.

use chrono::{Datelike, Days, Months, NaiveDateTime, NaiveTime, TimeDelta};
use chrono_tz::Tz;

use super::changes::TurnId;
use super::model::{Rotation, Schedule, Turn};
use super::wall::{instant, local};
use super::week::second_of_week;
use crate::domain::time::Timestamp;

/// Turns between a guess and the truth: the clock was never set back by more than a day, and no
/// turn is shorter than a minute of hand-over times or an hour.
const STEPS_MAX: u32 = 2_000;

/// The end of time, for what has no end.
pub(super) const NEVER: Timestamp = Timestamp(i64::MAX);

/// A layer together with what its turns are computed from.
#[derive(Debug, Clone)]
pub(super) struct Layer<'a> {
    pub(super) zone: Tz,
    pub(super) name: String,
    pub(super) rotation: &'a Rotation,
    begins: Timestamp,
    ends: Timestamp,
    /// Seconds of the week at which it hands over, sorted.
    moments: Vec<i64>,
}

/// The name of the layer at a place (from 0).
pub(super) fn name_of(rotation: &Rotation, place: usize) -> String {
    if rotation.name.is_empty() { format!("layer {}", place + 1) } else { rotation.name.clone() }
}

impl<'a> Layer<'a> {
    pub(super) fn new(zone: Tz, place: usize, rotation: &'a Rotation) -> Self {
        let mut moments: Vec<i64> = match rotation.every {
            Turn::Handovers => rotation.handovers.iter().map(|at| at.second_of_week()).collect(),
            Turn::Hour | Turn::Day | Turn::Week | Turn::Month => Vec::new(),
        };
        moments.sort_unstable();
        moments.dedup();
        Self {
            zone,
            name: name_of(rotation, place),
            rotation,
            begins: instant(zone, rotation.start),
            ends: rotation.until.map_or(NEVER, |until| instant(zone, until)),
            moments,
        }
    }

    fn named(schedule: &'a Schedule, name: &str) -> Option<Self> {
        let (place, rotation) = schedule
            .rotations
            .iter()
            .enumerate()
            .find(|(place, rotation)| name_of(rotation, *place) == name)?;
        Some(Self::new(schedule.zone, place, rotation))
    }

    fn times(&self) -> i64 {
        i64::from(self.rotation.times.max(1))
    }

    /// The instant at which a turn begins, without regard to the layer's end.
    fn boundary(&self, turn: i64) -> Option<Timestamp> {
        if turn <= 0 {
            return (turn == 0).then_some(self.begins);
        }
        let step = turn.checked_mul(self.times())?;
        Some(instant(self.zone, self.wall_of(step)?))
    }

    /// What the wall clock shows when a number of units have passed.
    fn wall_of(&self, step: i64) -> Option<NaiveDateTime> {
        let start = self.rotation.start;
        let count = u64::try_from(step).ok()?;
        match self.rotation.every {
            Turn::Hour => start.checked_add_signed(TimeDelta::try_hours(step)?),
            Turn::Day => start.checked_add_days(Days::new(count)),
            Turn::Week => start.checked_add_days(Days::new(count.checked_mul(7)?)),
            Turn::Month => start.checked_add_months(Months::new(u32::try_from(step).ok()?)),
            Turn::Handovers => {
                let in_week = i64::try_from(self.moments.len()).ok()?;
                let index = self.moments_by(second_of_week(start)) + step - 1;
                let week = index.checked_div(in_week)?;
                let slot = usize::try_from(index.checked_rem(in_week)?).ok()?;
                monday(start)?
                    .checked_add_days(Days::new(u64::try_from(week).ok()?.checked_mul(7)?))?
                    .checked_add_signed(TimeDelta::try_seconds(*self.moments.get(slot)?)?)
            }
        }
    }

    /// Hand-over times of a week that are not after a second of it.
    fn moments_by(&self, second: i64) -> i64 {
        i64::try_from(self.moments.partition_point(|moment| *moment <= second)).unwrap_or(0)
    }

    /// How many units have passed when the wall clock shows `now`, or a few less.
    fn steps_by(&self, now: NaiveDateTime) -> i64 {
        let start = self.rotation.start;
        let elapsed = now - start;
        match self.rotation.every {
            Turn::Hour => elapsed.num_hours(),
            Turn::Day => elapsed.num_days(),
            Turn::Week => elapsed.num_weeks(),
            // The month that has begun may not be complete.
            Turn::Month => {
                let years = i64::from(now.year()) - i64::from(start.year());
                years * 12 + i64::from(now.month()) - i64::from(start.month()) - 1
            }
            Turn::Handovers => {
                let in_week = i64::try_from(self.moments.len()).unwrap_or(0);
                let weeks = match (monday(start), monday(now)) {
                    (Some(first), Some(last)) => (last - first).num_weeks(),
                    (None, _) | (_, None) => 0,
                };
                weeks * in_week + self.moments_by(second_of_week(now))
                    - self.moments_by(second_of_week(start))
            }
        }
    }

    /// The turn that is on at an instant, and when the next one begins.
    pub(super) fn turn_at(&self, at: Timestamp) -> Option<(i64, Timestamp)> {
        if at < self.begins || at >= self.ends {
            return None;
        }
        // The units of the wall clock never count too many: a time that the clock shows now has
        // had its first occurrence. They count too few in an hour that occurs twice.
        let mut turn = (self.steps_by(local(self.zone, at)) / self.times()).max(0);
        for _ in 0..STEPS_MAX {
            match self.boundary(turn + 1) {
                Some(next) if next <= at => turn += 1,
                Some(next) => return Some((turn, next.min(self.ends))),
                None => break,
            }
        }
        Some((turn, self.ends))
    }

    /// When the layer's activity changes at an instant without a turn.
    pub(super) fn wakes(&self, at: Timestamp) -> Timestamp {
        if at < self.begins { self.begins } else { NEVER }
    }

    /// From when to when a turn lasts; nothing if it lasts no time.
    pub(super) fn span(&self, turn: i64) -> Option<(Timestamp, Timestamp)> {
        let from = self.boundary(turn)?;
        let until = self.boundary(turn.checked_add(1)?).unwrap_or(NEVER).min(self.ends);
        (from < until).then_some((from, until))
    }

    /// Who has a turn by the rotation alone, in order.
    pub(super) fn people(&self, turn: i64) -> Vec<&'a str> {
        let people = &self.rotation.people;
        let together = usize::from(self.rotation.together.max(1)).min(people.len());
        let Ok(count) = i64::try_from(people.len()) else { return Vec::new() };
        let first = turn.checked_rem_euclid(count).and_then(|first| usize::try_from(first).ok());
        let Some(first) = first.filter(|_| turn >= 0) else { return Vec::new() };
        let mut found: Vec<&str> = Vec::with_capacity(together);
        for login in people.iter().cycle().skip(first).take(together) {
            if !found.contains(&login.as_str()) {
                found.push(login);
            }
        }
        found
    }
}

fn monday(local: NaiveDateTime) -> Option<NaiveDateTime> {
    let back = Days::new(u64::from(local.weekday().num_days_from_monday()));
    Some(local.date().checked_sub_days(back)?.and_time(NaiveTime::MIN))
}

/// The turn of a layer that is on at an instant, by the rotation alone: hours and holidays do not
/// end a turn. Nothing before the layer's start, after its end, or if it has nobody.
pub fn turn_of(schedule: &Schedule, layer: &str, at: Timestamp) -> Option<TurnId> {
    let layer = Layer::named(schedule, layer).filter(|layer| !layer.rotation.people.is_empty())?;
    let (turn, _) = layer.turn_at(at)?;
    Some(TurnId { layer: layer.name, turn })
}

/// From when up to when a turn lasts; nothing if there is no such turn, or if it lasts no time
/// because the clock skips it.
pub fn turn_span(schedule: &Schedule, turn: &TurnId) -> Option<(Timestamp, Timestamp)> {
    let layer = Layer::named(schedule, &turn.layer)?;
    let (from, until) = layer.span(turn.turn)?;
    // What never ends is over at the last instant that can be written.
    Some((from, until.plus(0)))
}

/// Who has a turn by the rotation alone, in order; see `holders` for what swaps make of it.
pub fn rota(schedule: &Schedule, turn: &TurnId) -> Vec<String> {
    let Some(layer) = Layer::named(schedule, &turn.layer) else { return Vec::new() };
    layer.people(turn.turn).into_iter().map(str::to_owned).collect()
}
