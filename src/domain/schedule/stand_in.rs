//! What beats the layers: overrides, covers and temporary plans.
//!
//! Invariants:
//! - Overrides apply in the plan's order, then covers in the order in which they were made, each
//!   to what the ones before it made.

use super::changes::Changes;
use super::duty::{Duty, Source};
use super::model::{Schedule, Temporary};
use crate::domain::time::Timestamp;

/// An override or a cover.
struct StandIn<'a> {
    person: &'a str,
    instead_of: Option<&'a str>,
    source: Source,
}

/// A duty, and whose it was before anybody stood in.
struct Seat {
    owner: String,
    duty: Duty,
}

fn is_in(at: Timestamp, from: Timestamp, until: Timestamp) -> bool {
    from <= at && at < until
}

/// The temporary plan that replaces everything at an instant, if there is one.
pub(super) fn temporary(schedule: &Schedule, at: Timestamp) -> Option<&Temporary> {
    schedule.temporary.iter().rev().find(|plan| is_in(at, plan.from, plan.until))
}

/// Who is on duty by a temporary plan.
pub(super) fn by_temporary(plan: &Temporary, at: Timestamp) -> Vec<Duty> {
    let mut duties: Vec<Duty> = plan
        .shifts
        .iter()
        .filter(|stint| is_in(at, stint.from, stint.until))
        .map(|stint| Duty {
            person: stint.person.clone(),
            source: Source::Temporary { from: stint.from },
            turn: None,
        })
        .collect();
    unique(&mut duties);
    duties
}

/// What overrides and covers make of what the layers say.
pub(super) fn stand_in(
    schedule: &Schedule,
    changes: &Changes,
    at: Timestamp,
    duties: Vec<Duty>,
) -> Vec<Duty> {
    let overrides = schedule.overrides.iter().filter(|one| is_in(at, one.from, one.until));
    let covers = changes.covers.iter().filter(|one| is_in(at, one.from, one.until));
    let all = overrides
        .map(|one| StandIn {
            person: &one.person,
            instead_of: one.instead_of.as_deref(),
            source: Source::Override { from: one.from },
        })
        .chain(covers.map(|one| StandIn {
            person: &one.person,
            instead_of: one.instead_of.as_deref(),
            source: Source::Cover { id: one.id },
        }));
    let mut seats: Vec<Seat> =
        duties.into_iter().map(|duty| Seat { owner: duty.person.clone(), duty }).collect();
    for one in all {
        seats = apply(seats, one);
    }
    let mut duties = seats.into_iter().map(|seat| seat.duty).collect();
    unique(&mut duties);
    duties
}

/// A stand-in for one person takes the place that this person has, or had before an earlier one
/// took it: the later word counts.
fn apply(mut seats: Vec<Seat>, one: StandIn<'_>) -> Vec<Seat> {
    let duty = Duty { person: one.person.to_owned(), source: one.source, turn: None };
    let Some(whose) = one.instead_of else {
        return vec![Seat { owner: duty.person.clone(), duty }];
    };
    let place = seats
        .iter()
        .position(|seat| seat.duty.person == whose)
        .or_else(|| seats.iter().position(|seat| seat.owner == whose));
    if let Some(seat) = place.and_then(|place| seats.get_mut(place)) {
        seat.duty = duty;
    }
    seats
}

/// Nobody is on duty twice; the first reason counts.
fn unique(duties: &mut Vec<Duty>) {
    let mut kept: Vec<Duty> = Vec::with_capacity(duties.len());
    for duty in duties.drain(..) {
        if kept.iter().all(|other| other.person != duty.person) {
            kept.push(duty);
        }
    }
    *duties = kept;
}

/// Every instant at which a stand-in or a temporary plan begins or ends, sorted.
pub(super) fn edges(schedule: &Schedule, changes: &Changes) -> Vec<Timestamp> {
    let overrides = schedule.overrides.iter().map(|one| (one.from, one.until));
    let covers = changes.covers.iter().map(|one| (one.from, one.until));
    let plans = schedule.temporary.iter().map(|plan| (plan.from, plan.until));
    let stints = schedule.temporary.iter().flat_map(|plan| &plan.shifts);
    let mut edges: Vec<Timestamp> = overrides
        .chain(covers)
        .chain(plans)
        .chain(stints.map(|stint| (stint.from, stint.until)))
        .flat_map(|(from, until)| [from, until])
        .collect();
    edges.sort_unstable();
    edges.dedup();
    edges
}
