//! The outbox: which wanted deliveries wait for which destination, and when the next one may go.
//!
//! A destination is one person by one method. It gets one message at a time, and one in
//! `bundle_s`: what comes meanwhile goes together in the next. The first page about a service that
//! the destination has not heard of within the hour does not wait, nor does one by hand.
//!
//! Invariants:
//! - Derived from the incidents and `Desk::sent`: `Room::rebuild_index` gives the same.
//! - What waits is never dropped here; it leaves when its attempt begins or it is called back.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::delivery::{Delivery, Stand};
use crate::domain::duty::{Desk, Destination, KNOWN_FOR_MS};
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::time::{SECOND_MS, Timestamp};
use crate::domain::words::DeliveryKind;

/// Deliveries in one message; the rest go in the next one.
pub const BUNDLE_MAX: usize = 200;

/// What waits for one destination, and what is on its way to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Queue {
    /// When due, of which incident, its number.
    pub waiting: BTreeSet<(Timestamp, IncidentId, u32)>,
    pub on_its_way: BTreeSet<(IncidentId, u32)>,
    /// Services of what waits, counted; and what was wanted by hand.
    services: BTreeMap<String, u32>,
    by_hand: u32,
}

/// Everything that waits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outbox {
    pub queues: BTreeMap<Destination, Queue>,
}

/// The services of an incident for the outbox; one name stands for none.
pub fn services_of(incident: &Incident) -> impl Iterator<Item = String> {
    let none = incident.services.is_empty().then(|| "-".to_owned());
    incident.services.iter().cloned().chain(none)
}

fn is_by_hand(delivery: &Delivery) -> bool {
    delivery.level.is_none() && delivery.wanted.kind == DeliveryKind::Page
}

impl Outbox {
    /// Takes in what an incident wants delivered.
    pub fn add(&mut self, incident: &Incident) {
        for delivery in incident.esc.deliveries.iter().filter(|d| d.is_open()) {
            match delivery.stand {
                Stand::Queued { due } => {
                    let queue = self.queue(delivery);
                    queue.waiting.insert((due, incident.id, delivery.wanted.number));
                    queue.by_hand += u32::from(is_by_hand(delivery));
                    for service in services_of(incident) {
                        *queue.services.entry(service).or_default() += 1;
                    }
                }
                Stand::Sending { .. } => {
                    let key = (incident.id, delivery.wanted.number);
                    self.queue(delivery).on_its_way.insert(key);
                }
                Stand::Waiting { .. }
                | Stand::Confirmed { .. }
                | Stand::Failed { .. }
                | Stand::Cancelled { .. } => {}
            }
        }
    }

    /// Takes out what an incident wanted, as it was when it was added.
    pub fn remove(&mut self, incident: &Incident) {
        for delivery in incident.esc.deliveries.iter().filter(|d| d.is_open()) {
            let destination = destination(delivery);
            let Some(queue) = self.queues.get_mut(&destination) else { continue };
            match delivery.stand {
                Stand::Queued { due } => {
                    if !queue.waiting.remove(&(due, incident.id, delivery.wanted.number)) {
                        continue;
                    }
                    queue.by_hand -= u32::from(is_by_hand(delivery)).min(queue.by_hand);
                    for service in services_of(incident) {
                        if let Some(count) = queue.services.get_mut(&service) {
                            *count -= 1;
                            if *count == 0 {
                                queue.services.remove(&service);
                            }
                        }
                    }
                }
                Stand::Sending { .. } => {
                    queue.on_its_way.remove(&(incident.id, delivery.wanted.number));
                }
                Stand::Waiting { .. }
                | Stand::Confirmed { .. }
                | Stand::Failed { .. }
                | Stand::Cancelled { .. } => {}
            }
            if queue.waiting.is_empty() && queue.on_its_way.is_empty() {
                self.queues.remove(&destination);
            }
        }
    }

    fn queue(&mut self, delivery: &Delivery) -> &mut Queue {
        self.queues.entry(destination(delivery)).or_default()
    }

    /// When the next message may go, for the soonest destination.
    pub fn next_due(&self, desk: &Desk, bundle_s: u32) -> Option<Timestamp> {
        self.queues
            .iter()
            .filter_map(|(destination, queue)| queue.may_go(desk.sent.get(destination), bundle_s))
            .min()
    }

    /// The destinations whose next message may go now, with what goes in it.
    pub fn ready(
        &self,
        desk: &Desk,
        bundle_s: u32,
        now: Timestamp,
    ) -> Vec<(Destination, Vec<(IncidentId, u32)>)> {
        self.queues
            .iter()
            .filter(|(destination, queue)| {
                queue.may_go(desk.sent.get(destination), bundle_s).is_some_and(|at| at <= now)
            })
            .map(|(destination, queue)| (destination.clone(), queue.bundle(now)))
            .collect()
    }
}

/// Where a delivery goes next, or is going.
pub fn destination(delivery: &Delivery) -> Destination {
    let (to, method) = (delivery.wanted.to.clone(), delivery.next_method().to_owned());
    Destination { to, method }
}

impl Queue {
    /// When the next message may go; none while one is on its way.
    fn may_go(
        &self,
        sent: Option<&crate::domain::duty::LastSent>,
        bundle_s: u32,
    ) -> Option<Timestamp> {
        let (first, ..) = *self.waiting.first()?;
        if !self.on_its_way.is_empty() {
            return None;
        }
        let Some(sent) = sent else { return Some(first) };
        let knows = |service: &String| {
            sent.services.get(service).is_some_and(|then| first.since(*then) < KNOWN_FOR_MS)
        };
        if self.by_hand > 0 || !self.services.keys().all(knows) {
            return Some(first);
        }
        Some(first.max(sent.at.plus(i64::from(bundle_s) * SECOND_MS)))
    }

    fn bundle(&self, now: Timestamp) -> Vec<(IncidentId, u32)> {
        self.waiting
            .iter()
            .take_while(|(due, ..)| *due <= now)
            .take(BUNDLE_MAX)
            .map(|(_, incident, number)| (*incident, *number))
            .collect()
    }
}
