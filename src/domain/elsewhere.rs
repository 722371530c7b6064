//! Events that our pages opened in another service that pages on its own (`PagerDuty`), and what is
//! still to be said there: that somebody answered, or that it is over. An event that nobody closes
//! goes on to wake people there.
//!
//! Each delivery is an event of its own there: a later page about the same incident is heard though
//! an earlier one was acknowledged.
//!
//! Invariants:
//! - What is to be said is derived: from the events that may be open and from how their incidents
//!   stand. An incident that left the room is over.
//! - `wanting` is derived from the rest.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::change::Change;
use crate::domain::channel::Channel;
use crate::domain::delivery::{Delivery, Stand, channel_of};
use crate::domain::event::{Body, Recorded, Sending};
use crate::domain::ids::IncidentId;
use crate::domain::room::Room;
use crate::domain::time::{DAY_MS, Timestamp};
use crate::domain::words::Moment;

/// How long an event elsewhere is remembered, in milliseconds.
const KEPT_MS: i64 = 7 * DAY_MS;

/// What is said of an event elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Closing {
    /// Somebody has it.
    Acknowledge,
    /// It is over.
    Resolve,
}

/// An event that may be open elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    pub delivery: u32,
    /// `pd:ROUTING-KEY`.
    pub method: String,
    /// When an attempt began last.
    pub at: Timestamp,
    /// An attempt is on its way just now.
    pub is_sending: bool,
    /// They know that somebody has it.
    pub is_acknowledged: bool,
    /// Since when something is to be said of it.
    #[serde(default)]
    pub wanted: Option<Timestamp>,
}

/// All events that may be open elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Elsewhere {
    pub opened: BTreeMap<IncidentId, Vec<Opened>>,
    /// Method → the incidents of which something is to be said there.
    #[serde(skip)]
    pub wanting: BTreeMap<String, BTreeSet<IncidentId>>,
}

impl Room {
    /// What is to be said of an event, if anything.
    pub fn closing(&self, id: IncidentId, opened: &Opened) -> Option<Closing> {
        if opened.is_sending {
            return None;
        }
        let Some(incident) = self.incidents.get(&id) else { return Some(Closing::Resolve) };
        let delivery = incident.delivery(opened.delivery);
        let is_open = delivery.is_some_and(Delivery::is_open);
        if !incident.phase().is_active() {
            // A word that is kept after the end is to be heard first.
            let ended = incident.moments.get(&Moment::Resolved);
            let is_later = ended.is_some_and(|ended| opened.at >= *ended);
            return (!is_open || !is_later).then_some(Closing::Resolve);
        }
        if is_open {
            return None;
        }
        let is_off = |delivery: &Delivery| {
            matches!(delivery.stand, Stand::Confirmed { .. } | Stand::Cancelled { .. })
        };
        match incident.ack {
            Some(_) => (!opened.is_acknowledged).then_some(Closing::Acknowledge),
            // It is no longer wanted: whatever pages next is an event of its own. One that failed as
            // far as we know, or that we no longer follow, may be the only call that got through.
            None => delivery.is_some_and(is_off).then_some(Closing::Resolve),
        }
    }

    /// Takes what an event says of events elsewhere.
    #[expect(clippy::wildcard_enum_match_arm, reason = "few facts are about them")]
    pub(crate) fn elsewhere_changed(&mut self, event: &Recorded) {
        match &event.body {
            Body::SendingBegan { method, items, .. } => self.may_open(event.at, method, items),
            Body::SendingEnded { method, items, .. } => {
                for item in items {
                    let opened = self.elsewhere.opened.get_mut(&item.incident);
                    let is_it =
                        |it: &&mut Opened| it.delivery == item.delivery && it.method == *method;
                    if let Some(opened) = opened.and_then(|all| all.iter_mut().find(|it| is_it(it)))
                    {
                        opened.is_sending = false;
                    }
                }
            }
            Body::Incident { incident, change: Change::ToldElsewhere(told) } => {
                let Some(all) = self.elsewhere.opened.get_mut(incident) else { return };
                let is_it = |it: &Opened| {
                    it.method == told.method && told.deliveries.contains(&it.delivery)
                };
                if told.closing == Closing::Resolve {
                    all.retain(|it| !is_it(it));
                } else {
                    // Where they could not be told that somebody has it, the end is still said.
                    all.iter_mut().filter(|it| is_it(it)).for_each(|it| it.is_acknowledged = true);
                }
                if all.is_empty() {
                    self.elsewhere.opened.remove(incident);
                    self.nothing_wanted(*incident);
                }
            }
            _ => {}
        }
    }

    fn may_open(&mut self, at: Timestamp, method: &str, items: &[Sending]) {
        let channel = self.plan.channels.get(channel_of(method));
        if !channel.is_some_and(Channel::opens_events) {
            return;
        }
        self.forget_old(at);
        for item in items {
            let all = self.elsewhere.opened.entry(item.incident).or_default();
            let is_it = |it: &&mut Opened| it.delivery == item.delivery && it.method == method;
            if let Some(known) = all.iter_mut().find(is_it) {
                (known.is_sending, known.at) = (true, at);
            } else {
                all.push(Opened {
                    delivery: item.delivery,
                    method: method.to_owned(),
                    at,
                    is_sending: true,
                    is_acknowledged: false,
                    wanted: None,
                });
            }
        }
    }

    /// What could not be said for so long is of no use to anybody there; incidents are numbered by
    /// their age.
    fn forget_old(&mut self, now: Timestamp) {
        let is_old = |all: &[Opened]| all.iter().all(|opened| now.since(opened.at) > KEPT_MS);
        let is_vain = |opened: &Opened| opened.wanted.is_some_and(|at| now.since(at) > KEPT_MS);
        let old = self.elsewhere.opened.iter().take_while(|(_, all)| is_old(all));
        let vain = old.filter(|(_, all)| all.iter().all(is_vain));
        for id in vain.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.elsewhere.opened.remove(&id);
            self.nothing_wanted(id);
        }
    }

    /// The wall clock moved: what was opened is as old as it was.
    pub(crate) fn clock_moved_elsewhere(&mut self, by_ms: i64) {
        for opened in self.elsewhere.opened.values_mut().flatten() {
            opened.at = opened.at.plus(by_ms);
            opened.wanted = opened.wanted.map(|at| at.plus(by_ms));
        }
    }

    /// Notes whether anything is to be said of an incident, after it changed, came or left.
    pub(crate) fn look_elsewhere(&mut self, id: IncidentId) {
        let Some(all) = self.elsewhere.opened.get(&id) else { return };
        let is_wanted: Vec<bool> =
            all.iter().map(|opened| self.closing(id, opened).is_some()).collect();
        self.nothing_wanted(id);
        let mut wanted = BTreeSet::new();
        let all = self.elsewhere.opened.get_mut(&id).into_iter().flatten();
        for (opened, is_wanted) in all.zip(is_wanted) {
            opened.wanted = is_wanted.then(|| opened.wanted.unwrap_or(self.at));
            if is_wanted {
                wanted.insert(opened.method.clone());
            }
        }
        for method in wanted {
            self.elsewhere.wanting.entry(method).or_default().insert(id);
        }
    }

    fn nothing_wanted(&mut self, id: IncidentId) {
        self.elsewhere.wanting.retain(|_, incidents| {
            incidents.remove(&id);
            !incidents.is_empty()
        });
    }

    /// Makes what is derived anew.
    pub(crate) fn index_elsewhere(&mut self) {
        self.elsewhere.wanting.clear();
        for id in self.elsewhere.opened.keys().copied().collect::<Vec<_>>() {
            self.look_elsewhere(id);
        }
    }

    /// What is to be said by one method next: the same of each, at most so many events.
    pub fn next_closing(&self, method: &str, most: usize) -> Option<(Closing, Vec<Sending>)> {
        let incidents = self.elsewhere.wanting.get(method)?;
        let mut found: Option<Closing> = None;
        let mut items = Vec::new();
        for id in incidents {
            let all = self.elsewhere.opened.get(id).into_iter().flatten();
            for opened in all.filter(|opened| opened.method == method) {
                let Some(closing) = self.closing(*id, opened) else { continue };
                if *found.get_or_insert(closing) == closing {
                    items.push(Sending { incident: *id, delivery: opened.delivery });
                }
            }
            if items.len() >= most {
                break;
            }
        }
        items.truncate(most);
        found.map(|closing| (closing, items))
    }
}
