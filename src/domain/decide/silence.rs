//! Silences: made with an owner, a reason and an end, and ended; and what follows when an alert is no
//! longer put aside.
//!
//! Invariants:
//! - No silence is for ever, and none is over everything.
//! - An alert that fired while it was put aside is not lost: it opens its incident then.

use crate::domain::alert::{Alert, Held};
use crate::domain::command::{Command, Order};
use crate::domain::decide::due::in_parts;
use crate::domain::decide::{Decision, already, bad, intake, reason};
use crate::domain::event::{AlertFacts, Body};
use crate::domain::room::Room;
use crate::domain::silence::{SILENCE_MAX_MS, Silence, Stage, is_everything, labels_of};
use crate::domain::time::Timestamp;

/// Labels that one silence may name.
const MATCHERS_MAX: usize = 20;

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
            if when.len() > MATCHERS_MAX || when.values().all(|pattern| is_everything(pattern)) {
                return Err(bad(
                    "it would put every alert aside, or names too many labels",
                    "name what it is about (alertname=Disk* cluster=eu1); for all services there \
                     are maintenance windows",
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
                bodies.extend(in_parts(matching, |alerts| Body::SilenceBegan {
                    silence: id,
                    alerts,
                }));
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
            in_parts(matching, |alerts| Body::SilenceBegan { silence: id, alerts })
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
    let mut bodies = vec![Body::AlertUnshelved { alert: key.to_owned(), incident: alert.incident }];
    let has_live = alert
        .incident
        .and_then(|id| room.incidents.get(&id))
        .is_some_and(|incident| incident.phase().is_active());
    let Some(shelf) = alert.shelf.as_ref().filter(|_| alert.is_firing && !has_live) else {
        return bodies;
    };
    let held = shelf.held.as_deref().cloned().unwrap_or_else(|| held_of(alert));
    let silence = shelf.silence.and_then(|id| room.desk.silences.get(&id));
    let again = match silence {
        Some(silence) => silence.epilogue(now),
        None => format!("fired while {} had it put aside ({})", shelf.by, shelf.reason),
    };
    bodies.extend(intake::resurface(room, key, &held, again, now));
    bodies
}

/// What an alert said that fired before it was put aside, as far as it is known.
fn held_of(alert: &Alert) -> Held {
    let facts = AlertFacts {
        name: alert.name.clone(),
        summary: alert.summary.clone(),
        labels: labels_of(alert),
        starts_at: alert.starts_at,
        ends_at: alert.ends_at,
        ..AlertFacts::default()
    };
    Held { facts, group: None }
}
