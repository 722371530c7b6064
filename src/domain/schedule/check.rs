//! Mistakes in one schedule that can be seen without knowing anything else.
//!
//! Invariants:
//! - Each is a plain sentence fragment that names the layer, override or temporary plan.
//! - What is found here never stops an evaluation; it makes its result useless or surprising.

use super::layer::name_of;
use super::model::{Holidays, Override, Rotation, Schedule, Temporary, Turn};
use super::wall::instant;
use crate::domain::time::Timestamp;

/// Everything that is wrong with a schedule, in its order; nothing is an empty list.
pub fn check(schedule: &Schedule, holidays: &Holidays) -> Vec<String> {
    let mut found = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for (place, rotation) in schedule.rotations.iter().enumerate() {
        let name = name_of(rotation, place);
        let mut wrong = layer(schedule.zone, rotation, holidays);
        if names.contains(&name) {
            wrong.push("is a name said twice; swaps could not tell the two apart".into());
        }
        found.extend(wrong.into_iter().map(|what| format!("layer '{name}': {what}")));
        names.push(name);
    }
    for one in &schedule.overrides {
        let title = format!("override from {} by '{}'", one.from, one.person);
        found.extend(stand_in(one).into_iter().map(|what| format!("{title}: {what}")));
    }
    for (place, plan) in schedule.temporary.iter().enumerate() {
        let earlier = schedule.temporary.get(..place).unwrap_or_default();
        let title = format!("temporary plan from {}", plan.from);
        found.extend(temporary(plan, earlier).into_iter().map(|what| format!("{title}: {what}")));
    }
    found
}

fn layer(zone: chrono_tz::Tz, rotation: &Rotation, holidays: &Holidays) -> Vec<String> {
    let mut wrong = Vec::new();
    let people = rotation.people.len();
    if people == 0 {
        wrong.push("has nobody".into());
    }
    if rotation.people.iter().any(|login| login.trim().is_empty()) {
        wrong.push("has a person without a login".into());
    }
    if rotation.times == 0 {
        wrong.push("times is 0; a turn lasts 1 or more".into());
    }
    if rotation.together == 0 {
        wrong.push("together is 0; at least 1 is on duty".into());
    }
    if people > 0 && usize::from(rotation.together) > people {
        wrong.push(format!("together is {}, but it has only {people}", rotation.together));
    }
    if rotation.until.is_some_and(|until| instant(zone, until) <= instant(zone, rotation.start)) {
        wrong.push("until is not after start".into());
    }
    wrong.extend(handovers(rotation));
    for (index, hours) in rotation.hours.iter().enumerate() {
        if hours.days.is_empty() {
            wrong.push(format!("hours {} name no day of the week", index + 1));
        }
    }
    wrong.extend(calendars(rotation, holidays));
    wrong
}

fn handovers(rotation: &Rotation) -> Vec<String> {
    let mut wrong = Vec::new();
    match rotation.every {
        Turn::Handovers if rotation.handovers.is_empty() => {
            wrong.push("every is handovers, but it has no handovers".into());
        }
        Turn::Handovers => {
            for pair in rotation.handovers.windows(2) {
                let [one, next] = pair else { continue };
                if one == next {
                    wrong.push(format!("handover {one} is said twice"));
                } else if one > next {
                    wrong.push(format!("handover {next} comes after {one}; sort them from monday"));
                }
            }
        }
        Turn::Hour | Turn::Day | Turn::Week | Turn::Month if !rotation.handovers.is_empty() => {
            wrong.push("has handovers, which count only with every = \"handovers\"".into());
        }
        Turn::Hour | Turn::Day | Turn::Week | Turn::Month => {}
    }
    wrong
}

fn calendars(rotation: &Rotation, holidays: &Holidays) -> Vec<String> {
    let mut wrong = Vec::new();
    for (field, names) in [("not_on", &rotation.not_on), ("only_on", &rotation.only_on)] {
        for name in names.iter().filter(|name| !holidays.contains_key(*name)) {
            wrong.push(format!("{field} names the holidays '{name}', which nobody defined"));
        }
    }
    let both = rotation.only_on.iter().filter(|name| rotation.not_on.contains(name));
    wrong.extend(both.map(|name| format!("'{name}' is in both not_on and only_on")));
    wrong
}

fn stand_in(one: &Override) -> Vec<String> {
    let mut wrong = Vec::new();
    if one.until <= one.from {
        wrong.push("until is not after from".into());
    }
    if one.person.trim().is_empty() {
        wrong.push("names nobody".into());
    }
    if one.instead_of.as_deref() == Some(one.person.as_str()) {
        wrong.push("somebody stands in for themselves".into());
    }
    wrong
}

fn temporary(plan: &Temporary, earlier: &[Temporary]) -> Vec<String> {
    let mut wrong = Vec::new();
    if plan.until <= plan.from {
        wrong.push("until is not after from".into());
    }
    let meets = |a: (Timestamp, Timestamp), b: (Timestamp, Timestamp)| a.0 < b.1 && b.0 < a.1;
    for other in earlier {
        if meets((plan.from, plan.until), (other.from, other.until)) {
            wrong.push(format!("overlaps the one from {}", other.from));
        }
    }
    for (index, stint) in plan.shifts.iter().enumerate() {
        let title = format!("the shift of '{}' from {}", stint.person, stint.from);
        if stint.person.trim().is_empty() {
            wrong.push(format!("{title} names nobody"));
        }
        if stint.until <= stint.from {
            wrong.push(format!("{title} ends before it begins"));
        } else if stint.from < plan.from || plan.until < stint.until {
            wrong.push(format!("{title} is not inside the plan's period"));
        }
        let before = plan.shifts.get(..index).unwrap_or_default();
        let is_double = before.iter().any(|other| {
            other.person == stint.person
                && meets((stint.from, stint.until), (other.from, other.until))
        });
        if is_double {
            wrong.push(format!("{title} overlaps another one of theirs"));
        }
    }
    if plan.shifts.is_empty() {
        wrong.push("has no shifts, so that nobody would be on call".into());
    }
    wrong
}
