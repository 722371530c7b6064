//! Attempts that a keeper before this one began and did not see the end of.
//!
//! Invariants:
//! - What was on its way and is wanted is begun again: at most one duplicate for each attempt, and
//!   only across such an end.
//! - What is no longer wanted is ended as well: nothing is on its way for ever.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::decide;
use crate::domain::delivery::{Delivery, Stand, channel_of};
use crate::domain::duty::Destination;
use crate::domain::event::{Body, Sending};
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::time::Timestamp;
use crate::domain::words::AttemptResult;
use crate::keeper::engine::{Archive, Engine};
use crate::keeper::turn::Turn;

impl Engine {
    /// Attempts that began and that nobody here is carrying out.
    pub(super) fn orphans(&self) -> impl Iterator<Item = (&Destination, Vec<Sending>)> {
        let sending = |(incident, delivery): &(IncidentId, u32)| Sending {
            incident: *incident,
            delivery: *delivery,
        };
        let letters = self.room.outbox.letters_out.iter();
        let letters = letters.filter(|(item, _)| !self.carried.contains(item));
        let letters = letters.map(move |(item, to)| (to, vec![sending(item)]));
        let pages = self.room.outbox.queues.iter().filter_map(move |(destination, queue)| {
            let items = queue.on_its_way.keys().filter(|item| !self.carried.contains(item));
            let items: Vec<Sending> = items.map(sending).collect();
            (!items.is_empty()).then_some((destination, items))
        });
        pages.chain(letters)
    }

    /// Attempts that a keeper before this one left open and that are no longer wanted: nobody will
    /// begin them again, and they may be heard of no more.
    fn left_behind(&self) -> BTreeMap<Destination, Vec<Sending>> {
        let mut found: BTreeMap<Destination, BTreeSet<(IncidentId, u32)>> = BTreeMap::new();
        for incident in self.room.incidents.values() {
            let unended = |d: &&Delivery| d.attempts.last().is_some_and(|a| a.result.is_none());
            let is_off = |d: &&Delivery| !matches!(d.stand, Stand::Sending { .. });
            for delivery in incident.deliveries().filter(unended).filter(is_off) {
                let number = delivery.wanted.number;
                let method = delivery.attempts.last().map_or(0, |attempt| attempt.method);
                let method = delivery.wanted.methods.get(usize::from(method));
                let method = method.map(|method| method.name.clone()).unwrap_or_default();
                let to = Destination { to: delivery.wanted.to.clone(), method };
                found.entry(to).or_default().insert((incident.id, number));
            }
        }
        for (id, all) in &self.room.elsewhere.opened {
            let is_on_its_way = |delivery: u32| {
                let known = self.room.incidents.get(id).and_then(|i| i.delivery(delivery));
                known.is_some_and(|d| matches!(d.stand, Stand::Sending { .. }))
            };
            for opened in all.iter().filter(|o| o.is_sending && !is_on_its_way(o.delivery)) {
                // To whom it was is not known once its incident has left.
                let to = format!("channel:{}", channel_of(&opened.method));
                let is_known = found.iter().any(|(destination, items)| {
                    destination.method == opened.method && items.contains(&(*id, opened.delivery))
                });
                if !is_known {
                    let to = Destination { to, method: opened.method.clone() };
                    found.entry(to).or_default().insert((*id, opened.delivery));
                }
            }
        }
        let sending = |(incident, delivery)| Sending { incident, delivery };
        found
            .into_iter()
            .map(|(to, items)| (to, items.into_iter().map(sending).collect()))
            .collect()
    }

    /// Sends what was to follow an update when the keeper before this one ended.
    fn finish_letters(&mut self, now: Timestamp, archive: &dyn Archive, turn: &mut Turn) {
        let is_cut = |incident: &Incident| incident.talk.updates.iter().any(|u| u.more > 0);
        let cut = self.room.incidents.values().filter(|incident| is_cut(incident));
        for id in cut.map(|incident| incident.id).collect::<Vec<_>>() {
            for body in decide::talk::unfinished(&self.room, id, now) {
                self.by_the_clock(body, now, archive, turn);
            }
        }
    }

    /// Puts their end on record.
    pub(super) fn end_orphans(&mut self, now: Timestamp, archive: &dyn Archive, turn: &mut Turn) {
        let orphans = self.orphans().map(|(destination, items)| (destination.clone(), items));
        let mut orphans: Vec<(Destination, Vec<Sending>)> = orphans.collect();
        if self.is_first {
            self.is_first = false;
            orphans.extend(self.left_behind());
            self.finish_letters(now, archive, turn);
        }
        for (destination, items) in orphans {
            let detail = "the keeper ended while it was on its way".to_owned();
            let (to, method) = (destination.to, destination.method);
            let result = AttemptResult::Unknown;
            let body = Body::SendingEnded { to, method, items, result, detail, wait_ms: 0 };
            self.by_the_clock(body, now, archive, turn);
        }
    }
}
