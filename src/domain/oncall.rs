//! Who would be reached, computed from the plan at an instant.
//!
//! Hand-overs follow the wall clock of the schedule's zone: a local time that a change to summer
//! time skips becomes the first instant after the gap, one that occurs twice is its first
//! occurrence.

use chrono::offset::LocalResult;
use chrono::{Days, Months, NaiveDateTime, TimeDelta, TimeZone};
use serde::{Deserialize, Serialize};

use crate::domain::plan::{Plan, Policy, Rotation, Schedule, Turn};
use crate::domain::time::{MINUTE_MS, Timestamp};

/// A level of the escalation chain as it stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// The level's name.
    pub level: String,
    /// Logins that would be reached; empty means nobody is on call.
    pub people: Vec<String>,
    /// How the first of them is reached, in order of preference.
    pub contacts: Vec<String>,
    /// When this level is due, counted from the opening.
    pub due: Timestamp,
    /// Targets that name nothing or nobody, in words.
    pub gaps: Vec<String>,
}

/// The chain for an incident opened at `opened` on these services, as it would be worked at `now`.
pub fn chain(plan: &Plan, services: &[String], opened: Timestamp, now: Timestamp) -> Vec<Reach> {
    let Some((_, policy)) = plan.policy_for(services) else {
        return Vec::new();
    };
    levels(plan, policy, opened, now)
}

fn levels(plan: &Plan, policy: &Policy, opened: Timestamp, now: Timestamp) -> Vec<Reach> {
    let mut due = opened;
    policy
        .levels
        .iter()
        .map(|level| {
            due = due.plus(i64::from(level.after_min) * MINUTE_MS);
            let mut people: Vec<String> = Vec::new();
            let mut gaps = Vec::new();
            for target in &level.targets {
                let found = resolve_target(plan, target, now);
                if found.is_empty() {
                    gaps.push(format!("{target}: nobody"));
                }
                for login in found {
                    if !people.contains(&login) {
                        people.push(login);
                    }
                }
            }
            let contacts = people
                .first()
                .and_then(|login| plan.people.get(login))
                .map(|person| person.contacts.clone())
                .unwrap_or_default();
            Reach { level: level.name.clone(), people, contacts, due, gaps }
        })
        .collect()
}

/// The people behind `person:…`, `team:…` or `schedule:…` at an instant.
pub fn resolve_target(plan: &Plan, target: &str, now: Timestamp) -> Vec<String> {
    match target.split_once(':') {
        Some(("person", login)) if plan.people.contains_key(login) => vec![login.to_owned()],
        Some(("team", name)) => plan.teams.get(name).cloned().unwrap_or_default(),
        Some(("schedule", name)) => plan
            .schedules
            .get(name)
            .and_then(|schedule| on_call(schedule, now))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// Who is on call on this schedule at an instant, if anybody.
pub fn on_call(schedule: &Schedule, now: Timestamp) -> Option<String> {
    let covered =
        schedule.overrides.iter().rev().find(|cover| cover.from <= now && now < cover.until);
    if let Some(cover) = covered {
        return Some(cover.person.clone());
    }
    schedule.rotations.iter().rev().find_map(|rotation| on_duty(schedule.zone, rotation, now))
}

fn on_duty(zone: chrono_tz::Tz, rotation: &Rotation, now: Timestamp) -> Option<String> {
    if rotation.people.is_empty() || instant(zone, rotation.start) > now {
        return None;
    }
    let count = i64::try_from(rotation.people.len()).ok()?;
    let turn = turn_at(zone, rotation, now);
    rotation.people.get(usize::try_from(turn.rem_euclid(count)).ok()?).cloned()
}

/// How many turns have been completed at `now`; the rotation has started.
fn turn_at(zone: chrono_tz::Tz, rotation: &Rotation, now: Timestamp) -> i64 {
    let times = i64::from(rotation.times.max(1));
    let local = zone.from_utc_datetime(&now.utc().naive_utc()).naive_local();
    let elapsed = local - rotation.start;
    let guess = match rotation.every {
        Turn::Hour => return now.since(instant(zone, rotation.start)) / (times * 60 * MINUTE_MS),
        Turn::Day => elapsed.num_days() / times,
        Turn::Week => elapsed.num_days() / (7 * times),
        Turn::Month => elapsed.num_days() / (31 * times),
    };
    // The guess is off by a little at most: at changes of summer time and in short months.
    let mut turn = (guess - 1).max(0);
    while boundary(zone, rotation, turn + 1).is_some_and(|next| next <= now) {
        turn += 1;
    }
    turn
}

/// The instant at which turn number `turn` begins.
fn boundary(zone: chrono_tz::Tz, rotation: &Rotation, turn: i64) -> Option<Timestamp> {
    let steps = u64::try_from(turn).ok()?.checked_mul(u64::from(rotation.times.max(1)))?;
    let local = match rotation.every {
        Turn::Hour => {
            let start = instant(zone, rotation.start);
            return Some(start.plus(i64::try_from(steps).ok()? * 60 * MINUTE_MS));
        }
        Turn::Day => rotation.start.checked_add_days(Days::new(steps))?,
        Turn::Week => rotation.start.checked_add_days(Days::new(steps.checked_mul(7)?))?,
        Turn::Month => {
            rotation.start.checked_add_months(Months::new(u32::try_from(steps).ok()?))?
        }
    };
    Some(instant(zone, local))
}

/// A wall-clock time as an instant, by the rule at the head of this file.
pub fn instant(zone: chrono_tz::Tz, local: NaiveDateTime) -> Timestamp {
    let mut probe = local;
    for _ in 0..(26 * 60) {
        match zone.from_local_datetime(&probe) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => {
                return Timestamp(at.timestamp_millis());
            }
            LocalResult::None => probe += TimeDelta::minutes(1),
        }
    }
    Timestamp(local.and_utc().timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weekly(zone: &str, start: &str) -> Schedule {
        Schedule {
            zone: zone.parse().expect("a zone"),
            rotations: vec![Rotation {
                start: start.parse().expect("a local time"),
                every: Turn::Week,
                times: 1,
                people: vec!["ann".into(), "bob".into()],
            }],
            overrides: Vec::new(),
        }
    }

    #[track_caller]
    fn check(schedule: &Schedule, at: &str, expected: Option<&str>) {
        assert_eq!(on_call(schedule, at.parse().expect("a time")).as_deref(), expected, "{at}");
    }

    #[test]
    fn a_hand_over_stays_at_the_same_wall_clock_time_across_summer_time() {
        let schedule = weekly("Europe/Berlin", "2026-10-19T09:00:00");
        check(&schedule, "2026-10-19T06:59:59Z", None);
        check(&schedule, "2026-10-19T07:00:00Z", Some("ann"));
        check(&schedule, "2026-10-26T07:59:59Z", Some("ann")); // 09:00 is now 08:00Z
        check(&schedule, "2026-10-26T08:00:00Z", Some("bob"));
        // 210 weeks after the first hand-over: an even number of turns.
        check(&schedule, "2030-10-28T08:00:00Z", Some("ann"));
    }

    #[test]
    fn a_hand_over_in_the_gap_happens_right_after_it() {
        let berlin = "Europe/Berlin".parse().expect("a zone");
        let local = "2026-03-29T02:30:00".parse().expect("a local time");
        assert_eq!(instant(berlin, local).to_string(), "2026-03-29T01:00:00.000Z");
        let twice = "2026-10-25T02:30:00".parse().expect("a local time");
        assert_eq!(instant(berlin, twice).to_string(), "2026-10-25T00:30:00.000Z");
    }

    #[test]
    fn an_override_beats_the_rotation() {
        let mut schedule = weekly("UTC", "2026-01-05T09:00:00");
        schedule.overrides.push(crate::domain::plan::Override {
            from: "2026-01-06T00:00:00Z".parse().expect("a time"),
            until: "2026-01-07T00:00:00Z".parse().expect("a time"),
            person: "eve".into(),
            reason: "swap".into(),
        });
        check(&schedule, "2026-01-06T12:00:00Z", Some("eve"));
        check(&schedule, "2026-01-07T00:00:00Z", Some("ann"));
    }
}
