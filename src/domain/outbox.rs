//! The outbox: which wanted deliveries wait for which destination, and when the next one may go.
//!
//! A destination is one person by one method. It gets one message at a time, and one in
//! `bundle_s`: what comes meanwhile goes together in the next. The first page about a service that
//! the destination has not heard of within the hour does not wait, nor does one that is worse than
//! all that it heard of, nor one by hand. Throttles of the plan hold back what is not by hand. Where
//! a message hangs, what is worse than all in it goes beside it.
//!
//! Invariants:
//! - Derived from the incidents and `Desk::sent`: `Room::rebuild_index` gives the same.
//! - What waits is never dropped here; it leaves when its attempt begins or it is called back.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::delivery::{Delivery, Stand, channel_of};
use crate::domain::duty::{Desk, Destination, KNOWN_FOR_MS, LastSent};
use crate::domain::ids::{BESIDE, IncidentId};
use crate::domain::incident::Incident;
use crate::domain::plan::Plan;
use crate::domain::room::Room;
use crate::domain::throttle::allowed_at;
use crate::domain::time::{SECOND_MS, Timestamp};
use crate::domain::words::{DeliveryKind, Severity};

/// Deliveries in one message; the rest go in the next one.
pub const BUNDLE_MAX: usize = 200;
/// The same where each incident is an event of its own: `PagerDuty` takes a limited number in a
/// minute, and refuses a bundle as a whole above it.
const EVENTS_MAX: usize = 50;
/// Services that the plan does not know and that do not wait for the bundle, for one destination in
/// an hour.
const STRANGE_MAX: usize = 12;

/// What waits for one destination, and what is on its way to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Queue {
    /// When due, of which incident, its number.
    pub waiting: BTreeSet<(Timestamp, IncidentId, u32)>,
    /// The same by severity, the worst first.
    by_severity: BTreeSet<(Severity, Timestamp, IncidentId, u32)>,
    /// With its severity, and since when.
    pub on_its_way: BTreeMap<(IncidentId, u32), (Severity, Timestamp)>,
    /// Services of what waits, counted.
    services: BTreeMap<String, u32>,
    /// When what was wanted by hand is due.
    by_hand: BTreeSet<(Timestamp, IncidentId, u32)>,
    /// When what was not, and has another way after this one, is due.
    has_more: BTreeSet<(Timestamp, IncidentId, u32)>,
}

/// Incidents about which one message says the same, at the most.
const TOGETHER_MAX: usize = 1_000;
/// Updates to stakeholders that are on their way at once; pages are not held up behind them.
pub const LETTERS_MAX: usize = 64;
/// The same by one channel: one that hangs holds up no other.
const LETTERS_OF_CHANNEL: usize = 40;

/// How long the plan's limit may hold back a page to whom another way leads, in milliseconds.
const HELD_MAX_MS: i64 = 60 * SECOND_MS;
/// How long a message is on its way before something worse passes it, in milliseconds.
const HANGS_MS: i64 = 2 * SECOND_MS;

/// Everything that waits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outbox {
    pub queues: BTreeMap<Destination, Queue>,
    /// Updates to stakeholders: they wait for no bundle, and each goes alone but for the same words
    /// about several incidents. When due, of which incident, its number.
    pub letters: BTreeMap<(Timestamp, IncidentId, u32), Destination>,
    /// Those that are on their way.
    pub letters_out: BTreeMap<(IncidentId, u32), Destination>,
}

/// The services of an incident for the outbox; one name stands for none.
pub fn services_of(incident: &Incident) -> impl Iterator<Item = String> {
    let none = incident.services.is_empty().then(|| "-".to_owned());
    incident.services.iter().cloned().chain(none)
}

impl Outbox {
    /// Takes in what an incident wants delivered.
    pub fn add(&mut self, incident: &Incident) {
        for delivery in incident.deliveries() {
            self.add_one(incident, delivery);
        }
    }

    /// Pages that the plan's limit holds back although another way leads to the person: they take that
    /// one. Each destination with what waits there.
    pub fn give_way(
        &self,
        room: &Room,
        now: Timestamp,
    ) -> Vec<(Destination, Vec<(IncidentId, u32)>)> {
        let mut all = Vec::new();
        for (to, queue) in &self.queues {
            let gives = queue.gives_way(to, room.desk.sent.get(to), &room.plan);
            if gives.is_some_and(|at| at <= now) {
                let due = queue.has_more.iter().take_while(|(due, ..)| *due <= now);
                let items = due.take(BUNDLE_MAX).map(|(_, id, number)| (*id, *number)).collect();
                all.push((to.clone(), items));
            }
        }
        all
    }

    /// Takes in one delivery of an incident.
    pub fn add_one(&mut self, incident: &Incident, delivery: &Delivery) {
        let (id, number) = (incident.id, delivery.wanted.number);
        if delivery.wanted.kind == DeliveryKind::Update {
            return self.add_letter(id, delivery);
        }
        match delivery.stand {
            Stand::Queued { due } => {
                let queue = self.queue(delivery);
                queue.waiting.insert((due, id, number));
                queue.by_severity.insert((incident.severity, due, id, number));
                if delivery.origin.by_hand {
                    queue.by_hand.insert((due, id, number));
                } else if delivery.may_give_way() {
                    queue.has_more.insert((due, id, number));
                }
                for service in services_of(incident) {
                    *queue.services.entry(service).or_default() += 1;
                }
            }
            Stand::Sending { since } => {
                let on_its_way = &mut self.queue(delivery).on_its_way;
                on_its_way.insert((id, number), (incident.severity, since));
            }
            Stand::Waiting { .. }
            | Stand::Confirmed { .. }
            | Stand::Failed { .. }
            | Stand::Cancelled { .. } => {}
        }
    }

    /// Takes in a message that goes alone and waits for no bundle: an update, or a word that belongs to
    /// no incident.
    pub fn add_letter(&mut self, id: IncidentId, delivery: &Delivery) {
        let number = delivery.wanted.number;
        if let Stand::Queued { due } = delivery.stand {
            self.letters.insert((due, id, number), destination(delivery));
        } else if matches!(delivery.stand, Stand::Sending { .. }) {
            self.letters_out.insert((id, number), destination(delivery));
        }
    }

    /// Takes it out, as it was when it was added.
    pub fn remove_letter(&mut self, id: IncidentId, delivery: &Delivery) {
        let number = delivery.wanted.number;
        if let Stand::Queued { due } = delivery.stand {
            self.letters.remove(&(due, id, number));
        }
        self.letters_out.remove(&(id, number));
    }

    /// Takes out what an incident wanted, as it was when it was added.
    pub fn remove(&mut self, incident: &Incident) {
        for delivery in incident.deliveries() {
            self.remove_one(incident, delivery);
        }
    }

    /// Takes out one delivery of an incident, as it was when it was added.
    pub fn remove_one(&mut self, incident: &Incident, delivery: &Delivery) {
        let (id, number) = (incident.id, delivery.wanted.number);
        if delivery.wanted.kind == DeliveryKind::Update {
            return self.remove_letter(id, delivery);
        }
        if !matches!(delivery.stand, Stand::Queued { .. } | Stand::Sending { .. }) {
            return;
        }
        let destination = destination(delivery);
        let Some(queue) = self.queues.get_mut(&destination) else { return };
        if let Stand::Queued { due } = delivery.stand {
            if !queue.waiting.remove(&(due, id, number)) {
                return;
            }
            queue.by_hand.remove(&(due, id, number));
            queue.has_more.remove(&(due, id, number));
            queue.by_severity.remove(&(incident.severity, due, id, number));
            for service in services_of(incident) {
                if let Some(count) = queue.services.get_mut(&service) {
                    *count -= 1;
                    if *count == 0 {
                        queue.services.remove(&service);
                    }
                }
            }
        } else {
            queue.on_its_way.remove(&(id, number));
        }
        if queue.waiting.is_empty() && queue.on_its_way.is_empty() {
            self.queues.remove(&destination);
        }
    }

    fn queue(&mut self, delivery: &Delivery) -> &mut Queue {
        self.queues.entry(destination(delivery)).or_default()
    }

    /// When the next message may go, for the soonest destination.
    pub fn next_due(&self, desk: &Desk, plan: &Plan) -> Option<Timestamp> {
        let letter = self.next_letters(1).first().map(|((due, ..), _)| *due);
        self.queues
            .iter()
            .flat_map(|(to, queue)| {
                let sent = desk.sent.get(to);
                [queue.may_go(to, sent, plan), queue.gives_way(to, sent, plan)]
            })
            .flatten()
            .chain(letter)
            .min()
    }

    /// The destinations whose next message may go now, with what goes in it.
    pub fn ready(&self, room: &Room, now: Timestamp) -> Vec<(Destination, Vec<(IncidentId, u32)>)> {
        let mut ready = Vec::new();
        for (destination, queue) in &self.queues {
            let sent = room.desk.sent.get(destination);
            if queue.may_go(destination, sent, &room.plan).is_some_and(|at| at <= now) {
                ready.push((
                    destination.clone(),
                    queue.bundle(sent, room, now, most(&room.plan, destination)),
                ));
            }
        }
        // Pages come first; of the updates only as many as there is room for.
        let letters = self.next_letters(LETTERS_MAX).into_iter();
        let due = letters.filter(|((due, ..), _)| *due <= now);
        let mut taken = BTreeSet::new();
        for ((_, id, number), to) in due {
            if !taken.insert((*id, *number)) {
                continue;
            }
            let mut items = vec![(*id, *number)];
            let others = self.same_words(room, (*id, *number), to);
            items.extend(others.into_iter().filter(|other| taken.insert(*other)));
            ready.push((to.clone(), items));
        }
        ready
    }

    /// Messages with the same words to the same destination, about other incidents. They go with the
    /// first one, whenever they are due: a reader gets one message.
    fn same_words(
        &self,
        room: &Room,
        (id, number): (IncidentId, u32),
        to: &Destination,
    ) -> Vec<(IncidentId, u32)> {
        if id == BESIDE {
            let notices = &room.desk.notices;
            let goes = |number: u32| notices.get(&number).is_some_and(|notice| notice.together);
            let others = self.letters.iter().filter(|((_, other, its), place)| {
                goes(number) && *other == BESIDE && *its != number && *place == to && goes(*its)
            });
            return others.map(|((_, other, its), _)| (*other, *its)).take(BUNDLE_MAX).collect();
        }
        let letter = |id: &IncidentId, number: u32| {
            let incident = room.incidents.get(id).filter(|it| it.goes_together(number))?;
            incident.letter(number)
        };
        let Some(first) = letter(&id, number) else { return Vec::new() };
        let same = |((_, other, its), place): (&(Timestamp, IncidentId, u32), &Destination)| {
            let is_other = *other != id && place == to;
            (is_other && letter(other, *its) == Some(first)).then_some((*other, *its))
        };
        self.letters.iter().filter_map(same).take(TOGETHER_MAX).collect()
    }

    /// The updates for which there is room, at most so many.
    fn next_letters(&self, most: usize) -> Vec<(&(Timestamp, IncidentId, u32), &Destination)> {
        let mut out: BTreeMap<&str, usize> = BTreeMap::new();
        // One message about several incidents is one.
        let messages: BTreeSet<&Destination> = self.letters_out.values().collect();
        for to in &messages {
            *out.entry(channel_of(&to.method)).or_default() += 1;
        }
        let room_left = LETTERS_MAX.saturating_sub(messages.len()).min(most);
        if room_left == 0 {
            return Vec::new();
        }
        let mut next = Vec::new();
        for (key, to) in &self.letters {
            let count = out.entry(channel_of(&to.method)).or_default();
            if *count < LETTERS_OF_CHANNEL {
                *count += 1;
                next.push((key, to));
            }
            if next.len() >= room_left {
                break;
            }
        }
        next
    }
}

/// How many incidents one message to a destination may hold.
fn most(plan: &Plan, destination: &Destination) -> usize {
    match plan.channels.get(channel_of(&destination.method)) {
        Some(channel) if channel.opens_events() => EVENTS_MAX,
        _ => BUNDLE_MAX,
    }
}

/// Where a delivery goes next, or is going.
pub fn destination(delivery: &Delivery) -> Destination {
    let (to, method) = (delivery.wanted.to.clone(), delivery.next_method().to_owned());
    Destination { to, method }
}

impl Queue {
    /// When the next message may go; none while one is on its way, unless that one hangs and what
    /// waits is worse than all in it.
    fn may_go(&self, to: &Destination, sent: Option<&LastSent>, plan: &Plan) -> Option<Timestamp> {
        let (first, ..) = *self.waiting.first()?;
        let (worst, worst_due, ..) = *self.by_severity.first()?;
        let throttles = plan.throttles.get(channel_of(&to.method));
        let allowed = throttles.zip(sent).and_then(|(list, sent)| allowed_at(list, &sent.recent));
        let allowed = |due: Timestamp| allowed.map_or(due, |at| due.max(at));
        if let Some(held_by) = self.on_its_way.values().map(|(severity, _)| *severity).min() {
            let since = self.on_its_way.values().map(|(_, since)| *since).max()?;
            let is_worse = worst < held_by;
            return is_worse.then(|| allowed(worst_due.max(since.plus(HANGS_MS))));
        }
        let Some(sent) = sent else { return Some(first) };
        let by_hand = self.by_hand.first().map(|(due, ..)| *due);
        if by_hand.is_some_and(|due| due <= first) {
            return by_hand;
        }
        let is_new = Jumps::of(Some(sent), plan).any(&self.services, first);
        let bundled = sent.at.plus(i64::from(plan.bundle_s) * SECOND_MS);
        let mut due = if is_new { first } else { first.max(bundled) };
        if sent.worst(worst_due).is_none_or(|known| worst < known) {
            due = due.min(worst_due);
        }
        let due = allowed(due);
        Some(by_hand.map_or(due, |at| due.min(at)))
    }

    /// When what waits takes another way, because the plan's limit holds it back for longer than it
    /// would wait for a bundle.
    fn gives_way(
        &self,
        to: &Destination,
        sent: Option<&LastSent>,
        plan: &Plan,
    ) -> Option<Timestamp> {
        let (first, ..) = *self.has_more.first().filter(|_| self.on_its_way.is_empty())?;
        let throttles = plan.throttles.get(channel_of(&to.method))?;
        let allowed = allowed_at(throttles, &sent?.recent)?;
        (allowed.since(first) > HELD_MAX_MS).then_some(first)
    }

    /// What goes in the next message: first what may not wait, then the oldest.
    fn bundle(
        &self,
        sent: Option<&LastSent>,
        room: &Room,
        now: Timestamp,
        most: usize,
    ) -> Vec<(IncidentId, u32)> {
        let new = Jumps::of(sent, &room.plan);
        let jumps = |id: &IncidentId, number: u32| {
            let Some(incident) = room.incidents.get(id) else { return false };
            let by_hand = incident.delivery(number).is_some_and(|d| d.origin.by_hand);
            let is_worst = sent.is_none_or(|s| s.worst(now).is_none_or(|w| incident.severity < w));
            by_hand || is_worst || services_of(incident).any(|service| new.jumps(&service, now))
        };
        let due = || self.waiting.iter().take_while(|(due, ..)| *due <= now);
        // What made it go leads: it must not be looked for among hundreds.
        let first = due().filter(|(_, id, number)| jumps(id, *number));
        let mut bundle: Vec<(IncidentId, u32)> =
            first.take(most).map(|(_, id, number)| (*id, *number)).collect();
        let room_left = most - bundle.len();
        let rest: Vec<(IncidentId, u32)> = due()
            .map(|(_, id, number)| (*id, *number))
            .filter(|item| !bundle.contains(item))
            .take(room_left)
            .collect();
        bundle.extend(rest);
        bundle
    }
}

/// Which services do not wait for the bundle: those of which the destination has not heard within the
/// hour. A sender may make up names: of services that the plan does not know only so many jump.
struct Jumps<'a> {
    sent: Option<&'a LastSent>,
    plan: &'a Plan,
    /// No more unknown names jump within this hour.
    is_full: bool,
}

impl<'a> Jumps<'a> {
    fn of(sent: Option<&'a LastSent>, plan: &'a Plan) -> Self {
        let heard = sent.iter().flat_map(|sent| sent.services.keys());
        let strange = heard.filter(|service| !plan.services.contains_key(*service));
        Self { sent, plan, is_full: strange.take(STRANGE_MAX).count() == STRANGE_MAX }
    }

    /// Whether any of these does.
    fn any(&self, services: &BTreeMap<String, u32>, now: Timestamp) -> bool {
        if self.is_full {
            // Only those of the plan may, and they are few beside what a sender makes up.
            let known = self.plan.services.keys().filter(|name| services.contains_key(*name));
            return known.into_iter().any(|service| !knows(self.sent, service, now));
        }
        services.keys().any(|service| self.jumps(service, now))
    }

    fn jumps(&self, service: &str, now: Timestamp) -> bool {
        let may = !self.is_full || self.plan.services.contains_key(service);
        may && !knows(self.sent, service, now)
    }
}

/// Whether a destination has heard of a service within the hour.
fn knows(sent: Option<&LastSent>, service: &str, now: Timestamp) -> bool {
    let then = sent.and_then(|sent| sent.services.get(service));
    then.is_some_and(|then| now.since(*then) < KNOWN_FOR_MS)
}
