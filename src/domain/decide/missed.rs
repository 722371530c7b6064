//! What follows where somebody was not told in time: those who lead communication hear of it, then
//! those who command.
//!
//! Invariants:
//! - A miss is a fact, whether or not anybody is there to hear of it.

use crate::domain::decide::talk::body;
use crate::domain::event::Body;
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::reach::{self, Asked, Reached};
use crate::domain::room::Room;
use crate::domain::stakeholder::Audience;
use crate::domain::talk::change::{MissedOne, TalkChange};
use crate::domain::talk::promise;
use crate::domain::time::Timestamp;
use crate::domain::words::{DeliveryKind, Role};

/// What is told where a promise was missed, and to whom.
pub fn missed(room: &Room, id: IncidentId, now: Timestamp) -> Vec<Body> {
    let Some(incident) = room.incidents.get(&id) else { return Vec::new() };
    let (missed, step) = promise::missed(incident, &room.plan, now);
    if missed.is_empty() {
        return Vec::new();
    }
    let is_inside = |who: &str| {
        let known = room.plan.stakeholders.get(who);
        known.is_some_and(|s| s.audience == Audience::Internal)
    };
    let lead = if missed.iter().all(|promise| promise.who.starts_with("press ")) {
        Role::Spokesperson
    } else if missed.iter().all(|promise| is_inside(promise.who)) {
        Role::InternalLiaison
    } else {
        Role::CustomerLiaison
    };
    let asked = Asked { plan: &room.plan, desk: &room.desk, severity: incident.severity, now };
    let reached = first_reached(asked, ranks(incident, lead, step));
    let names: Vec<&str> = missed.iter().map(|promise| promise.who).collect();
    let why = format!("{} not told in time", names.join(", "));
    let number = incident.esc.last_number + 1;
    let pages = reach::wanted(reached, DeliveryKind::Inform, number, &why);
    let names = missed.iter().map(|p| MissedOne { who: p.who.to_owned(), due: p.due }).collect();
    vec![body(id, TalkChange::Missed { names, step, pages })]
}

/// Who hears of a miss, in order: first the one who leads communication, then who commands; then
/// whoever holds the incident.
pub(super) fn ranks(incident: &Incident, lead: Role, step: u8) -> [Vec<String>; 4] {
    let role = |role: Role| incident.roles.get(&role).cloned().unwrap_or_default();
    let other =
        if lead == Role::InternalLiaison { Role::CustomerLiaison } else { Role::InternalLiaison };
    let own = role(lead);
    let liaisons = if own.is_empty() { role(other) } else { own };
    let commander = role(Role::Commander);
    let command = if commander.is_empty() { role(Role::Deputy) } else { commander };
    let ack = incident.ack.as_ref().map(|ack| ack.by.clone());
    let holder: Vec<String> = ack.or_else(|| incident.owner.clone()).into_iter().collect();
    let deputy = role(Role::Deputy);
    if step == 0 {
        [liaisons, command, deputy, holder]
    } else {
        [command, deputy, liaisons, holder]
    }
}

/// The first of them of whom somebody can be reached now.
pub(super) fn first_reached(asked: Asked<'_>, ranks: [Vec<String>; 4]) -> Vec<Reached> {
    let reach = |people: Vec<String>| -> Vec<Reached> {
        people
            .into_iter()
            .filter_map(|to| {
                let methods = reach::methods(asked, &to).ok()?;
                Some(Reached { to, methods, through: "by their part".to_owned() })
            })
            .collect()
    };
    ranks.into_iter().map(reach).find(|reached| !reached.is_empty()).unwrap_or_default()
}
