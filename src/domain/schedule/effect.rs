//! Whether a cover would change anything, asked before it is taken: somebody who believes that
//! another stands in goes to sleep.

use std::collections::BTreeSet;

use super::changes::{Changes, Cover};
use super::model::{Holidays, Schedule};
use super::shifts::{Shift, shifts};
use super::stand_in::temporary;
use crate::domain::time::Timestamp;

/// Why a cover would change nobody's duty from `now` on, in words: what stands against it, and
/// what to do instead. Nothing if it puts somebody on duty, or takes somebody off.
pub fn without_effect(
    schedule: &Schedule,
    holidays: &Holidays,
    changes: &Changes,
    cover: &Cover,
    now: Timestamp,
) -> Option<(String, String)> {
    let from = cover.from.max(now);
    let look = |changes: &Changes| shifts(schedule, holidays, changes, from, cover.until);
    let before = look(changes);
    let mut with = changes.clone();
    with.covers.push(cover.clone());
    if !is_same(&before, &look(&with)) {
        return None;
    }
    let person = &cover.person;
    let on_duty: BTreeSet<&str> =
        before.iter().flat_map(|shift| &shift.people).map(|duty| duty.person.as_str()).collect();
    let span = format!("between {} and {} UTC", from.clock_near(now), cover.until.clock_near(now));
    if before.iter().all(|shift| temporary(schedule, shift.from).is_some()) {
        return Some((
            format!("a temporary plan is in force {span}, and it beats every cover"),
            "change [[temporary]] in the schedule's file and adopt the plan".to_owned(),
        ));
    }
    if let Some(absent) = cover.instead_of.as_deref().filter(|who| !on_duty.contains(who)) {
        return Some((
            format!("{absent} is not on duty {span}; {}", roster(&on_duty)),
            "name one of those, or nobody to take everybody's place".to_owned(),
        ));
    }
    Some((
        format!("{person} is on duty {span} already"),
        "nothing needs to be covered; 'warroom oncall' shows who is on duty when".to_owned(),
    ))
}

fn roster(on_duty: &BTreeSet<&str>) -> String {
    let names: Vec<&str> = on_duty.iter().copied().collect();
    match names.as_slice() {
        [] => "nobody is".to_owned(),
        [only] => format!("{only} is"),
        all => format!("{} are", all.join(", ")),
    }
}

/// Whether the same people are on duty at every instant; why they are does not count.
fn is_same(a: &[Shift], b: &[Shift]) -> bool {
    changes_of_people(a) == changes_of_people(b)
}

fn changes_of_people(shifts: &[Shift]) -> Vec<(Timestamp, BTreeSet<&str>)> {
    let mut found: Vec<(Timestamp, BTreeSet<&str>)> = Vec::new();
    for shift in shifts {
        let people = shift.people.iter().map(|duty| duty.person.as_str()).collect();
        if found.last().is_none_or(|(_, last)| *last != people) {
            found.push((shift.from, people));
        }
    }
    found
}
