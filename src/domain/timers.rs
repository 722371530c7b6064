//! Deadlines, derived from the room: a restart, a crash or a week of downtime can neither lose
//! nor repeat one.

use serde::{Deserialize, Serialize};

use crate::domain::alert::Alert;
use crate::domain::event::{Body, Change};
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::plan::Plan;
use crate::domain::room::Room;
use crate::domain::time::{SECOND_MS, Timestamp};

/// Something that happens by the clock.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Timer {
    /// An alert's sender said when it ends.
    Expire(String),
    /// A flapping alert has been steady long enough.
    Settle(String),
    /// Shelving ends.
    Unshelve(String),
    /// A workaround's time is over.
    Remedy(IncidentId, u32),
}

impl Timer {
    /// The deadlines of an alert.
    pub fn of_alert(key: &str, alert: &Alert, plan: &Plan) -> Vec<(Timestamp, Self)> {
        let mut timers = Vec::new();
        if let Some(flap) = &alert.flap {
            let at = flap.last_change.plus(i64::from(plan.flap_hold_s) * SECOND_MS);
            timers.push((at, Self::Settle(key.to_owned())));
        } else if let (true, Some(end)) = (alert.is_firing, alert.ends_at) {
            timers.push((end, Self::Expire(key.to_owned())));
        }
        if let Some(shelf) = &alert.shelf {
            timers.push((shelf.until, Self::Unshelve(key.to_owned())));
        }
        timers
    }

    /// The deadlines of an incident.
    pub fn of_incident(incident: &Incident) -> Vec<(Timestamp, Self)> {
        incident
            .remedies
            .iter()
            .filter(|remedy| remedy.is_debt() && !remedy.is_expired)
            .filter_map(|r| Some((r.expires?, Self::Remedy(incident.id, r.number))))
            .collect()
    }

    /// What its coming due means.
    fn fired(self, room: &Room) -> Body {
        let member = |key: &str| room.alerts.get(key).and_then(|alert| alert.incident);
        match self {
            Self::Expire(alert) => Body::AlertExpired { incident: member(&alert), alert },
            Self::Settle(alert) => {
                let firing = room
                    .alerts
                    .get(&alert)
                    .and_then(|a| a.flap.as_ref())
                    .is_some_and(|flap| flap.said_firing);
                Body::AlertSettled { incident: member(&alert), alert, firing }
            }
            Self::Unshelve(alert) => Body::AlertUnshelved { incident: member(&alert), alert },
            Self::Remedy(incident, remedy) => {
                Body::Incident { incident, change: Change::RemedyExpired { remedy } }
            }
        }
    }
}

/// When something is due next.
pub fn next_deadline(room: &Room) -> Option<Timestamp> {
    room.deadlines.first().map(|(at, _)| *at)
}

/// What is due at `now`, the oldest first, at most `limit`: what was missed comes once.
pub fn due(room: &Room, now: Timestamp, limit: usize) -> Vec<Body> {
    room.deadlines
        .iter()
        .take_while(|(at, _)| *at <= now)
        .take(limit)
        .map(|(_, timer)| timer.clone().fired(room))
        .collect()
}
