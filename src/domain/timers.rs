//! Deadlines, derived from the room: a restart, a crash or a week of downtime can neither lose
//! nor repeat one.

use serde::{Deserialize, Serialize};

use crate::domain::alert::Alert;
use crate::domain::change::Change;
use crate::domain::decide::{self, due, look, missed, shift, silence, stale};
use crate::domain::duty::WindowStage;
use crate::domain::event::Body;
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::legal;
use crate::domain::plan::Plan;
use crate::domain::room::Room;
use crate::domain::silence::Stage;
use crate::domain::talk::change::Look;
use crate::domain::talk::promise;
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
    /// The next step of an incident's escalation.
    Escalate(IncidentId),
    /// A maintenance window begins or ends.
    Window(u32),
    /// A silence begins or ends.
    Silence(u32),
    /// The people on call on a schedule change.
    Shift(String),
    /// A sender was silent for too long.
    Beat(String),
    /// Somebody was not told in time.
    Promise(IncidentId),
    /// Nobody has done anything for days.
    Stale(IncidentId),
    /// A clock of the law has run so far that people must hear of it.
    Legal(IncidentId),
    /// No message told anybody that an update waits for their look.
    Look(Look),
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
    pub fn of_incident(incident: &Incident, room: &Room) -> Vec<(Timestamp, Self)> {
        let mut timers: Vec<(Timestamp, Self)> = incident
            .remedies
            .iter()
            .filter(|remedy| remedy.is_debt() && !remedy.is_expired)
            .filter_map(|r| Some((r.expires?, Self::Remedy(incident.id, r.number))))
            .collect();
        if let Some(policy) = room.desk.policy(incident.esc.policy.as_ref())
            && let Some((at, _)) = incident.next_step(policy, &room.plan)
        {
            timers.push((at, Self::Escalate(incident.id)));
        }
        if let Some(at) = promise::next_alarm(incident, &room.plan) {
            timers.push((at, Self::Promise(incident.id)));
        }
        if let Some(at) = stale::due(incident, &room.plan) {
            timers.push((at, Self::Stale(incident.id)));
        }
        if let Some(at) = legal::next_warning(incident, &room.plan) {
            timers.push((at, Self::Legal(incident.id)));
        }
        timers
    }

    /// The deadlines that belong to no incident and no alert.
    pub fn of_desk(room: &Room) -> Vec<(Timestamp, Self)> {
        let (desk, plan) = (&room.desk, &room.plan);
        let windows = desk.windows.values().filter_map(|window| match window.stage {
            WindowStage::Planned => Some((window.from, Self::Window(window.id))),
            WindowStage::Open => Some((window.until, Self::Window(window.id))),
            WindowStage::Over => None,
        });
        let shifts = plan
            .schedules
            .keys()
            .filter_map(|name| Some((desk.next_shift(plan, name)?, Self::Shift(name.clone()))));
        let beats = desk
            .beats
            .keys()
            .filter_map(|name| Some((desk.beat_due(plan, name)?, Self::Beat(name.clone()))));
        let silences = desk.silences.values().filter_map(|silence| match silence.stage {
            Stage::Pending => Some((silence.from, Self::Silence(silence.id))),
            Stage::Active => Some((silence.until, Self::Silence(silence.id))),
            Stage::Ended { .. } => None,
        });
        let looks = look::all_lost(room).into_iter().map(|(look, at)| (at, Self::Look(look)));
        windows.chain(shifts).chain(beats).chain(silences).chain(looks).collect()
    }

    /// What its coming due means; nothing where it is no longer so.
    pub fn fired(&self, room: &Room, now: Timestamp) -> Vec<Body> {
        let member = |key: &str| room.alerts.get(key).and_then(|alert| alert.incident);
        match self {
            Self::Expire(alert) => {
                let name = room.alerts.get(alert).map(|known| known.full_name());
                let name = name.unwrap_or_default();
                vec![Body::AlertExpired { incident: member(alert), alert: alert.clone(), name }]
            }
            Self::Settle(alert) => silence::settled(room, alert, now),
            Self::Unshelve(alert) => silence::unshelve(room, alert, now),
            Self::Remedy(incident, remedy) => {
                let (incident, remedy) = (*incident, *remedy);
                vec![Body::Incident { incident, change: Change::RemedyExpired { remedy } }]
            }
            Self::Escalate(incident) => due::escalate(room, *incident, now),
            Self::Window(window) => due::window(room, *window, now),
            Self::Silence(silence) => silence::due(room, *silence, now),
            Self::Shift(schedule) => shift::shift(room, schedule, now),
            Self::Beat(name) => due::silence(room, name, now),
            Self::Promise(incident) => missed::missed(room, *incident, now),
            Self::Stale(incident) => stale::close(room, *incident, now),
            Self::Legal(incident) => decide::legal::warn(room, *incident, now),
            Self::Look(look) => look::lost(room, *look, now),
        }
    }
}

/// The timers that are due at `now`, the oldest first, at most `limit`.
pub fn due(room: &Room, now: Timestamp, limit: usize) -> Vec<(Timestamp, Timer)> {
    room.deadlines.iter().take_while(|(at, _)| *at <= now).take(limit).cloned().collect()
}
