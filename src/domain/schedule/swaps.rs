//! Whose a turn is after swaps.
//!
//! Invariants:
//! - A swap that no longer fits the plan takes nobody off duty: each side of it applies only
//!   where the person who gives the turn really has it.

use std::collections::BTreeMap;

use super::changes::{Changes, Swap, SwapState, TurnId};
use super::duty::{Duty, Source};
use super::layer::{Layer, NEVER, rota, turn_span};
use super::model::Schedule;
use crate::domain::time::Timestamp;

/// A place in a turn.
struct Place {
    person: String,
    /// The swap that put them there.
    swap: Option<u32>,
}

/// Everybody who has a turn at an instant of it, with why, and up to when that holds at the most.
pub(super) fn seats(
    layer: &Layer<'_>,
    changes: &Changes,
    turn: i64,
    at: Timestamp,
) -> (Vec<Duty>, Timestamp) {
    let id = TurnId { layer: layer.name.clone(), turn };
    let people = layer.people(turn).into_iter().map(str::to_owned);
    let is_of_turn = |swap: &&Swap| swap.a == id || swap.b.as_ref() == Some(&id);
    let begins = accepted(changes).filter(is_of_turn).filter_map(|swap| swap.since);
    let until = begins.filter(|since| *since > at).min().unwrap_or(NEVER);
    let counts = |swap: &Swap| swap.since.is_none_or(|since| since <= at);
    let duties = after_swaps(people, changes, &id, counts)
        .into_iter()
        .map(|place| Duty {
            person: place.person,
            source: match place.swap {
                Some(id) => Source::Swap { id },
                None => Source::Layer { name: layer.name.clone() },
            },
            turn: Some(id.clone()),
        })
        .collect();
    (duties, until)
}

/// Who has a turn after all accepted swaps, in order.
pub fn holders(schedule: &Schedule, changes: &Changes, turn: &TurnId) -> Vec<String> {
    after_swaps(rota(schedule, turn).into_iter(), changes, turn, |_| true)
        .into_iter()
        .map(|place| place.person)
        .collect()
}

fn after_swaps(
    people: impl Iterator<Item = String>,
    changes: &Changes,
    turn: &TurnId,
    counts: impl Fn(&Swap) -> bool,
) -> Vec<Place> {
    let mut places: Vec<Place> = people.map(|person| Place { person, swap: None }).collect();
    for swap in accepted(changes).filter(|swap| counts(swap)) {
        for side in sides(swap).filter(|side| side.turn == turn) {
            exchange(&mut places, &side);
        }
    }
    places
}

/// Accepted swaps of which at least one side no longer has the turn it gives, by number: the plan
/// changed under them, and somebody should look.
pub fn stale_swaps(schedule: &Schedule, changes: &Changes) -> Vec<u32> {
    let mut known: BTreeMap<&TurnId, Vec<Place>> = BTreeMap::new();
    let mut stale = Vec::new();
    for swap in accepted(changes) {
        let mut fits = true;
        for side in sides(swap) {
            let places = known.entry(side.turn).or_insert_with(|| {
                let people = rota(schedule, side.turn).into_iter();
                people.map(|person| Place { person, swap: None }).collect()
            });
            fits &= exchange(places, &side);
        }
        if !fits {
            stale.push(swap.id);
        }
    }
    stale
}

/// One turn that changes hands by a swap.
struct Side<'a> {
    swap: u32,
    turn: &'a TurnId,
    gives: &'a str,
    takes: &'a str,
}

fn accepted(changes: &Changes) -> impl Iterator<Item = &Swap> {
    changes.swaps.iter().filter(|swap| match swap.state {
        SwapState::Accepted => true,
        SwapState::Asked | SwapState::Refused => false,
    })
}

fn sides(swap: &Swap) -> impl Iterator<Item = Side<'_>> {
    let side = |turn, gives, takes| Side { swap: swap.id, turn, gives, takes };
    let given = side(&swap.a, swap.person_a.as_str(), swap.person_b.as_str());
    let returned = swap.b.as_ref().map(|turn| side(turn, &swap.person_b, &swap.person_a));
    [Some(given), returned].into_iter().flatten()
}

/// Puts one person in another's place; false if the other is not there. Somebody who is there
/// already does not take a second place.
fn exchange(places: &mut Vec<Place>, side: &Side<'_>) -> bool {
    let Some(at) = places.iter().position(|place| place.person == side.gives) else {
        return false;
    };
    if places.iter().any(|place| place.person == side.takes) {
        places.remove(at);
    } else if let Some(place) = places.get_mut(at) {
        *place = Place { person: side.takes.to_owned(), swap: Some(side.swap) };
    }
    true
}

/// A swap in words: its number, whose turn goes to whom and when that is by the schedule's clock, and
/// what comes in return.
pub fn swap_words(schedule: &Schedule, swap: &Swap) -> String {
    let span = |turn: &TurnId| {
        let Some((from, until)) = turn_span(schedule, turn) else {
            return "a turn that is gone".to_owned();
        };
        let local = |at: Timestamp| at.utc().with_timezone(&schedule.zone);
        let (from, until) = (local(from), local(until));
        let is_one_day = from.date_naive() == until.date_naive();
        let ends = if is_one_day { "%H:%M %Z" } else { "%Y-%m-%d %H:%M %Z" };
        format!("{} … {}", from.format("%Y-%m-%d %H:%M"), until.format(ends))
    };
    let (id, a, b) = (swap.id, &swap.person_a, &swap.person_b);
    let given = span(&swap.a);
    match &swap.b {
        Some(turn) => format!("{id}: {a} → {b} {given}, for {}", span(turn)),
        None => format!("{id}: {a} → {b} {given}, nothing in return"),
    }
}
