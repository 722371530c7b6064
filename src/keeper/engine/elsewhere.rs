//! Saying elsewhere that what our pages opened there was answered, or is over.
//!
//! Invariants:
//! - One message at a time to each place, and no more of them in a minute than it takes.
//! - What failed is said again after a growing pause; what was refused, or failed for hours, is on
//!   record as not said. A keeper that starts anew begins with the first try.

use std::collections::BTreeMap;

use crate::domain::change::{Change, ToldElsewhere};
use crate::domain::delivery::{BACKOFF_MAX_MS, backoff_ms, channel_of};
use crate::domain::duty::Destination;
use crate::domain::elsewhere::Closing;
use crate::domain::event::{Body, Sending};
use crate::domain::ids::IncidentId;
use crate::domain::time::Timestamp;
use crate::domain::words::{AttemptResult, DeliveryKind};
use crate::keeper::engine::{Archive, Engine};
use crate::keeper::turn::{Job, JobItem, Output, Turn};

/// Events in one message.
const EVENTS_MAX: usize = 50;
/// The pause after each event that was said, in milliseconds: `PagerDuty` takes about 120 calls in a
/// minute for each key, and our pages come first.
const PACE_MS: i64 = 1_000;
/// Tries until it is on record that it was not said: with two minutes between them, about six hours.
const TRIES_MAX: u16 = 180;
/// The same where the other side refuses: a plan or a secret may be wrong for a while.
const REFUSALS_MAX: u16 = 8;

/// How one place stands.
#[derive(Debug, Default)]
struct Place {
    /// What is on its way there.
    under_way: Option<u64>,
    tries: u16,
    not_before: Timestamp,
    /// Something in the last message was refused: what it is shows when each goes alone.
    one_by_one: bool,
}

/// What is said elsewhere just now.
#[derive(Debug, Default)]
pub(super) struct Closings {
    places: BTreeMap<String, Place>,
    jobs: BTreeMap<u64, (Destination, Closing, Vec<Sending>)>,
}

impl Closings {
    /// What is on its way: ticket and destination.
    pub(super) fn under_way(&self) -> impl Iterator<Item = (u64, &Destination)> {
        self.jobs.iter().map(|(ticket, (destination, ..))| (*ticket, destination))
    }

    /// The wall clock moved: pauses last as long as they were to last.
    pub(super) fn clock_moved(&mut self, by_ms: i64) {
        for place in self.places.values_mut() {
            place.not_before = place.not_before.plus(by_ms);
        }
    }
}

impl Engine {
    /// When something may be said elsewhere next.
    pub(super) fn next_closing_due(&self) -> Option<Timestamp> {
        let wanting = self.room.elsewhere.wanting.keys();
        let due = wanting.filter_map(|method| match self.closings.places.get(method) {
            Some(place) if place.under_way.is_some() => None,
            Some(place) => Some(place.not_before),
            None => Some(Timestamp(0)),
        });
        due.min()
    }

    /// Says what is to be said and may be said now.
    pub(super) fn close_elsewhere(&mut self, now: Timestamp, turn: &mut Turn) {
        for method in self.room.elsewhere.wanting.keys().cloned().collect::<Vec<_>>() {
            let place = self.closings.places.entry(method.clone()).or_default();
            if place.under_way.is_some() || place.not_before > now {
                continue;
            }
            let most = if place.one_by_one { 1 } else { EVENTS_MAX };
            let Some((closing, items)) = self.room.next_closing(&method, most) else {
                continue;
            };
            self.counter += 1;
            place.under_way = Some(self.counter);
            let job = self.closing_job(self.counter, &method, closing, &items);
            self.closings.jobs.insert(job.ticket, (job.destination.clone(), closing, items));
            turn.out.push(Output::Deliver(Box::new(job)));
        }
    }

    fn closing_job(&self, ticket: u64, method: &str, closing: Closing, items: &[Sending]) -> Job {
        let to = format!("channel:{}", channel_of(method));
        let item = |sending: &Sending| {
            let incident = self.room.incidents.get(&sending.incident);
            let bare = JobItem::bare(sending.incident, sending.delivery);
            let title = incident.map(|incident| incident.title.clone()).unwrap_or_default();
            JobItem { title, severity: incident.map_or(bare.severity, |i| i.severity), ..bare }
        };
        Job {
            ticket,
            destination: Destination { to: to.clone(), method: method.to_owned() },
            kind: DeliveryKind::Inform,
            closing: Some(closing),
            name: to,
            language: String::new(),
            sendings: items.to_vec(),
            items: items.iter().map(item).collect(),
            update: None,
        }
    }

    /// Something was said elsewhere, or could not be; whether the ticket was of that.
    pub(super) fn closed_elsewhere(
        &mut self,
        ticket: u64,
        (result, detail, wait_ms): (AttemptResult, &str, i64),
        (now, archive): (Timestamp, &dyn Archive),
        turn: &mut Turn,
    ) -> bool {
        let Some((destination, closing, items)) = self.closings.jobs.remove(&ticket) else {
            return false;
        };
        let method = destination.method;
        let place = self.closings.places.entry(method.clone()).or_default();
        place.under_way = None;
        let done = matches!(result, AttemptResult::Accepted | AttemptResult::HandedOver);
        let is_refused = result == AttemptResult::Refused;
        let most = if is_refused { REFUSALS_MAX } else { TRIES_MAX };
        // Those that go with one that is refused are not to be given up with it.
        let is_alone = items.len() == 1;
        place.one_by_one = is_refused && !is_alone || place.one_by_one && !done;
        if !done && (place.tries < most || is_refused && !is_alone) {
            place.tries += 1;
            let tries = u8::try_from(place.tries).unwrap_or(u8::MAX);
            let pause = backoff_ms(tries, ticket).max(wait_ms);
            place.not_before = now.plus(pause.min(BACKOFF_MAX_MS));
            return true;
        }
        place.tries = 0;
        let said = i64::try_from(items.len()).unwrap_or(0);
        place.not_before = now.plus(said * PACE_MS);
        let mut by_incident: BTreeMap<IncidentId, Vec<u32>> = BTreeMap::new();
        for item in items {
            by_incident.entry(item.incident).or_default().push(item.delivery);
        }
        for (incident, deliveries) in by_incident {
            let (method, detail) = (method.clone(), detail.to_owned());
            let told = ToldElsewhere { method, deliveries, closing, done, detail };
            let change = Change::ToldElsewhere(Box::new(told));
            self.by_the_clock(Body::Incident { incident, change }, now, archive, turn);
        }
        true
    }
}
