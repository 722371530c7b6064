//! Silences: made with an owner, a reason and an end, and ended; and what follows when an alert is no
//! longer put aside.
//!
//! Invariants:
//! - No silence is for ever, and none is over everything.
//! - An alert that fired while it was put aside is not lost: it opens its incident then.

use std::collections::BTreeMap;

use crate::domain::alert::{Alert, Held};
use crate::domain::command::{Command, Order};
use crate::domain::decide::{Decision, already, bad, intake, not_now, reason};
use crate::domain::event::Body;
use crate::domain::plan::labels_match;
use crate::domain::room::Room;
use crate::domain::silence::{SILENCE_MAX_MS, Silence, Stage, facts_of};
use crate::domain::time::Timestamp;

/// Labels that one silence may name.
const MATCHERS_MAX: usize = 20;
/// Silences at a time: each alert that comes is held against all of them.
const SILENCES_MAX: usize = 500;
/// Alerts that one event names: their keys may be long.
const ALERTS_MAX: usize = 250;

pub(super) fn decide(room: &Room, order: &Order, now: Timestamp) -> Decision {
    match &order.command {
        Command::Silence { when, from, until, reason: why } => {
            let reason = reason(why, "a silence")?.to_owned();
            let from = from.unwrap_or(now).max(now);
            if *until <= from || until.since(from) > SILENCE_MAX_MS {
                return Err(bad(
                    format!("from {from} until {until} is no silence"),
                    "give an end after its beginning, at most 30 days; nothing is silent for ever",
                ));
            }
            let is_nothing_asked = labels_match(when, &BTreeMap::new());
            if when.len() > MATCHERS_MAX || is_nothing_asked {
                return Err(bad(
                    "it would put every alert aside that has none of these labels, or names too many",
                    "name what it is about (alertname=Disk* cluster=eu1); for all services there \
                     are maintenance windows",
                ));
            }
            let in_force = room.desk.silences.values();
            if in_force.filter(|s| !matches!(s.stage, Stage::Ended { .. })).count() >= SILENCES_MAX
            {
                return Err(not_now(
                    format!("there are {SILENCES_MAX} silences already"),
                    "end some that are no longer wanted ('warroom silence' lists them)",
                ));
            }
            let (matching, known) = room.matching(when);
            let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            let id = room.desk.last_silence + 1;
            let silence = Silence {
                id,
                when: when.clone(),
                from,
                until: *until,
                by: order.actor.login.clone(),
                reason,
                matched_then: count(matching.len()),
                known_then: count(known),
                stage: Stage::Pending,
                matched: 0,
                last_matched: None,
            };
            let mut bodies = vec![Body::SilenceMade { silence: Box::new(silence) }];
            if from <= now {
                bodies.extend(began(id, &matching));
            }
            Ok(bodies)
        }
        Command::EndSilence { silence } => match room.desk.silences.get(silence) {
            Some(known) if matches!(known.stage, Stage::Ended { .. }) => {
                Err(already(format!("silence {silence} has ended")))
            }
            Some(_) => Ok(vec![Body::SilenceEnded { silence: *silence, early: true }]),
            None => Err(bad(
                format!("there is no silence {silence}"),
                "list them with 'warroom silence'",
            )),
        },
        _ => Err(bad("not a command about silences", "this is a defect; please report it")),
    }
}

/// A silence begins or ends by the clock.
pub fn due(room: &Room, id: u32, now: Timestamp) -> Vec<Body> {
    let Some(silence) = room.desk.silences.get(&id) else { return Vec::new() };
    match silence.stage {
        Stage::Pending if silence.from <= now && silence.until > now => {
            let (matching, _) = room.matching(&silence.when);
            began(id, &matching)
        }
        Stage::Pending | Stage::Active if silence.until <= now => {
            vec![Body::SilenceEnded { silence: id, early: false }]
        }
        Stage::Pending | Stage::Active | Stage::Ended { .. } => Vec::new(),
    }
}

/// A shelf's time is over. An alert that has fired all the while and belongs to no live incident
/// opens one now, as if it was posted just then; or another silence takes it over.
pub fn unshelve(room: &Room, key: &str, now: Timestamp) -> Vec<Body> {
    let Some(alert) = room.alerts.get(key) else { return Vec::new() };
    let mut bodies = vec![Body::AlertUnshelved {
        alert: key.to_owned(),
        name: alert.full_name(),
        incident: alert.incident,
    }];
    let live = alert.incident.and_then(|id| room.incidents.get(&id));
    let live = live.filter(|incident| incident.phase().is_active());
    // There it may be known to fire already, from before it was put aside.
    let is_counted = live.is_some_and(|i| i.members.get(key).is_some_and(|m| m.is_firing));
    let Some(shelf) = alert.shelf.as_ref().filter(|_| alert.is_firing && !is_counted) else {
        return bodies;
    };
    // One that flaps shows first what it settles on.
    if alert.flap.is_some() {
        return bodies;
    }
    let held = shelf.held.as_deref().cloned().unwrap_or_else(|| held_of(alert));
    let silence = shelf.silence.and_then(|id| room.desk.silences.get(&id));
    let again = match silence {
        Some(silence) => silence.epilogue(now),
        None => format!("fired while {} had it put aside ({})", shelf.by, shelf.reason),
    };
    bodies.extend(intake::resurface(room, key, &held, again, now));
    bodies
}

/// An alert that flapped has settled: where it fires and no live incident has it, it opens one.
pub fn settled(room: &Room, key: &str, now: Timestamp) -> Vec<Body> {
    let Some(alert) = room.alerts.get(key) else { return Vec::new() };
    let Some(flap) = &alert.flap else { return Vec::new() };
    let (incident, firing) = (alert.incident, flap.said_firing);
    let mut bodies = vec![Body::AlertSettled {
        incident,
        alert: key.to_owned(),
        name: alert.full_name(),
        firing,
    }];
    let live = incident.and_then(|id| room.incidents.get(&id)).filter(|i| i.phase().is_active());
    let is_recorded = alert.incident.is_none() && !alert.is_answered;
    if firing && live.is_none() && alert.shelf.is_none() && !is_recorded {
        let again = format!("it flapped since {} and fires", flap.since.clock_minutes());
        bodies.extend(intake::resurface(room, key, &held_of(alert), again, now));
    }
    bodies
}

fn began(id: u32, matching: &[String]) -> Vec<Body> {
    let one = |alerts: &[String]| Body::SilenceBegan { silence: id, alerts: alerts.to_vec() };
    if matching.is_empty() {
        return vec![one(&[])];
    }
    matching.chunks(ALERTS_MAX).map(one).collect()
}

/// What an alert said that fired before it was put aside.
fn held_of(alert: &Alert) -> Held {
    Held { facts: facts_of(alert), group: alert.group.as_deref().map(str::to_owned) }
}
