//! What nobody has touched for days is ended by the system, so that the queue tells the truth.
//!
//! Invariants:
//! - Only what somebody holds, for which no alert fires, and that owes nobody anything: no last word,
//!   no approval, no workaround in force, no clock of the law. Everything else stays where it is.

use crate::domain::change::Change;
use crate::domain::event::Body;
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::plan::Plan;
use crate::domain::room::Room;
use crate::domain::talk::promise;
use crate::domain::time::{DAY_MS, Timestamp};
use crate::domain::words::ClosureReason;

/// When it has been untouched for too long, as things stand.
pub fn due(incident: &Incident, plan: &Plan) -> Option<Timestamp> {
    let owes_nothing = incident.firing == 0
        && incident.esc.snooze.is_none()
        && incident.talk.letters.is_empty()
        && incident.talk.by_hand.is_empty()
        && incident.legal.facts.is_empty()
        && incident.debts().next().is_none()
        && incident.talk.waiting().next().is_none()
        && promise::left_in_the_dark(incident, plan).is_empty();
    let is_held = incident.ack.is_some() || !incident.phase().is_active();
    let is_stale = plan.stale_days > 0 && incident.phase().is_live() && is_held && owes_nothing;
    let touched = incident.worked_at.max(incident.changed_at);
    is_stale.then(|| touched.plus(i64::from(plan.stale_days) * DAY_MS))
}

/// Its end: resolved where it was open, closed where it was over.
pub fn close(room: &Room, id: IncidentId, now: Timestamp) -> Vec<Body> {
    let Some(incident) = room.incidents.get(&id) else { return Vec::new() };
    if due(incident, &room.plan).is_none_or(|at| at > now) {
        return Vec::new();
    }
    let days = room.plan.stale_days;
    let change = if incident.phase().is_active() {
        let evidence = format!("no alert fires and nobody did anything for {days} days");
        Change::Resolved { reason: ClosureReason::Stale, evidence, forced: None }
    } else {
        let note = format!("closed by the system: nobody did anything for {days} days");
        Change::Closed { note, silent: None }
    };
    vec![Body::Incident { incident: id, change }]
}
