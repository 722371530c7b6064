//! What is due and what is to be sent: timers, the outbox, results of attempts.
//!
//! Invariants:
//! - An attempt leaves only after the event that begins it is durable; its result is an event.
//! - Nothing is sent for an incident after the event that answers it, but for what had left.

use crate::domain::change::Change;
use crate::domain::decide;
use crate::domain::delivery::{Delivery, Stand, channel_of};
use crate::domain::duty::{Destination, WindowStage};
use crate::domain::event::{Actor, Body, Sending};
use crate::domain::ids::{BESIDE, IncidentId};
use crate::domain::incident::Incident;
use crate::domain::plan::Plan;
use crate::domain::time::Timestamp;
use crate::domain::timers;
use crate::domain::words::{AttemptResult, DeliveryKind, Origin};
use crate::keeper::engine::{Archive, Engine};
use crate::keeper::turn::{ClientId, Job, JobItem, Output, Turn};
use crate::proto::{KeeperMsg, PAGES_TOLD, Page, Push};

/// Deadlines handled in one turn; the rest follow in the next.
const DUE_MAX: usize = 256;
/// Incidents that take their policy in one turn after an upgrade.
const POLICIES_MAX: usize = 500;
/// How long an end in good order waits for what is under way, in milliseconds.
const STOP_WITHIN_MS: i64 = 8_000;

impl Engine {
    /// When something is due next; at once where a keeper before this one left an attempt open.
    pub fn next_due(&self) -> Option<Timestamp> {
        if let Some((_, until)) = &self.stopping {
            // What is due now is due at the next start: nothing more is sent.
            return Some(*until);
        }
        if self.is_fresh || self.orphans().next().is_some() {
            return Some(Timestamp(0));
        }
        [self.room.next_due(), self.next_closing_due()].into_iter().flatten().min()
    }

    /// Ends in good order: what is under way may end first, so that nothing is sent twice.
    pub(super) fn stop_soon(&mut self, reason: String, now: Timestamp, turn: &mut Turn) {
        self.stopping.get_or_insert((reason, now.plus(STOP_WITHIN_MS)));
        self.stop_if_quiet(now, turn);
    }

    /// Ends if that is wanted and nothing is under way, or it took too long.
    pub(super) fn stop_if_quiet(&mut self, now: Timestamp, turn: &mut Turn) {
        let is_time = |until: Timestamp| self.in_flight.is_empty() || until <= now;
        if self.stopping.as_ref().is_some_and(|(_, until)| is_time(*until))
            && let Some((reason, _)) = self.stopping.take()
        {
            self.stop(reason, now, turn);
        }
    }

    /// Incidents that wait for something by the clock.
    pub(super) fn waiting_incidents(&self) -> Vec<IncidentId> {
        let live = self.room.incidents.values().filter(|incident| incident.phase().is_live());
        live.map(|incident| incident.id).collect()
    }

    /// What a new plan takes away from open incidents is told, and waited for no longer.
    pub(super) fn after_plan(
        &mut self,
        before: &Plan,
        now: Timestamp,
        archive: &dyn Archive,
        turn: &mut Turn,
    ) {
        if before.stakeholders != self.room.plan.stakeholders {
            // When something is due to whom is in the lines of the queue.
            turn.touched.extend(self.room.incidents.keys().copied());
        }
        let bound = self.room.incidents.values().filter(|i| !i.legal.facts.is_empty());
        for id in bound.map(|incident| incident.id).collect::<Vec<_>>() {
            for body in decide::legal::gone(&self.room, before, id, now) {
                self.by_the_clock(body, now, archive, turn);
            }
        }
        for body in decide::due::unwatched(&self.room, now) {
            self.by_the_clock(body, now, archive, turn);
        }
        self.let_people_go(now, archive, turn);
    }

    /// Who left the plan stands in for nobody, and nothing waits for them. Again after each start: the
    /// keeper before may have ended in the middle of it.
    pub(super) fn let_people_go(&mut self, now: Timestamp, archive: &dyn Archive, turn: &mut Turn) {
        while let Some(bodies) = decide::shift::next_stranger(&self.room, now) {
            for body in bodies {
                self.by_the_clock(body, now, archive, turn);
            }
        }
        for body in decide::shift::gone(&self.room, now) {
            self.by_the_clock(body, now, archive, turn);
        }
    }

    /// What a keeper before this one may have left half done.
    fn take_care(&mut self, now: Timestamp, archive: &dyn Archive, turn: &mut Turn) {
        self.let_people_go(now, archive, turn);
        let paused = self.room.incidents.values().filter(|i| i.esc.pause.is_some());
        for id in paused.map(|incident| incident.id).collect::<Vec<_>>() {
            self.look_after(id, now, archive, turn);
        }
    }

    /// Everything that is due at `now`.
    pub(super) fn tick(&mut self, now: Timestamp, archive: &dyn Archive, turn: &mut Turn) {
        if self.is_fresh {
            self.is_fresh = self.take_policies(now, archive, turn);
        }
        self.stop_if_quiet(now, turn);
        if self.is_first {
            self.take_care(now, archive, turn);
        }
        self.end_orphans(now, archive, turn);
        for (at, timer) in timers::due(&self.room, now, DUE_MAX) {
            // One that came before it may have made it pointless.
            if !self.room.deadlines.contains(&(at, timer.clone())) {
                continue;
            }
            for body in timer.fired(&self.room, now) {
                self.by_the_clock(body, now, archive, turn);
            }
        }
        self.send_what_waits(now, archive, turn);
    }

    /// Incidents that were open before there were policies take theirs now; histories never do.
    /// Whether more of them are left for the next turn.
    fn take_policies(&mut self, now: Timestamp, archive: &dyn Archive, turn: &mut Turn) -> bool {
        let without = self.room.incidents.values().filter(|i| self.needs_policy(i));
        let found: Vec<IncidentId> = without.take(POLICIES_MAX).map(|i| i.id).collect();
        let is_more = found.len() == POLICIES_MAX;
        for incident in found {
            self.mend_policy(incident, now, archive, turn);
        }
        is_more
    }

    /// Whether an open incident should page and follows nothing that is known any more: it is as old
    /// as that, or it came back after its policy had gone with an old plan.
    fn needs_policy(&self, incident: &Incident) -> bool {
        incident.phase().is_active()
            && (incident.origin != Origin::Import || incident.reopened > 0)
            && self.room.desk.policy(incident.esc.policy.as_ref()).is_none()
            && self.room.plan.policy_for(&incident.services).is_some()
    }

    /// Sees to it that an incident that was just changed can be paged for.
    pub(super) fn look_after(
        &mut self,
        id: IncidentId,
        now: Timestamp,
        archive: &dyn Archive,
        turn: &mut Turn,
    ) {
        let Some(incident) = self.room.incidents.get(&id) else { return };
        let window = incident.esc.pause.as_ref().and_then(|pause| {
            let window = self.room.desk.windows.get(&pause.window);
            let is_covered = window
                .is_some_and(|w| w.stage == WindowStage::Open && w.covers(&incident.services));
            (!is_covered).then_some(pause.window)
        });
        if self.needs_policy(incident) {
            self.mend_policy(id, now, archive, turn);
        }
        if let Some(window) = window {
            let change = Change::EscalationResumed { window, by_hand: false };
            self.by_the_clock(Body::Incident { incident: id, change }, now, archive, turn);
        }
        // It may come back with somebody who left meanwhile.
        let left = self.room.incidents.get(&id);
        let left = left.map(|it| decide::shift::left(&self.room, it, 0, now));
        for body in left.into_iter().flatten() {
            self.by_the_clock(body, now, archive, turn);
        }
    }

    fn mend_policy(
        &mut self,
        incident: IncidentId,
        now: Timestamp,
        archive: &dyn Archive,
        turn: &mut Turn,
    ) {
        let services = self.room.incidents.get(&incident).map(|i| i.services.clone());
        let Some(policy) = self.room.policy_ref(&services.unwrap_or_default()) else { return };
        let reason = "it followed none that is known".to_owned();
        let change = Change::PolicyTaken { policy, reason };
        self.by_the_clock(Body::Incident { incident, change }, now, archive, turn);
    }

    pub(super) fn by_the_clock(
        &mut self,
        body: Body,
        now: Timestamp,
        archive: &dyn Archive,
        turn: &mut Turn,
    ) {
        let cause = self.own_id("t");
        self.record(cause, Actor::timer(), None, body, now, archive, turn);
    }

    fn send_what_waits(&mut self, now: Timestamp, archive: &dyn Archive, turn: &mut Turn) {
        if self.stopping.is_some() {
            return;
        }
        self.give_way(now, archive, turn);
        let ready = self.room.outbox.ready(&self.room, now);
        for (destination, waiting) in ready {
            let items: Vec<Sending> = waiting
                .into_iter()
                .map(|(incident, delivery)| Sending { incident, delivery })
                .collect();
            if items.is_empty() {
                continue;
            }
            let (to, method) = (destination.to.clone(), destination.method.clone());
            let body = Body::SendingBegan { to, method, items: items.clone() };
            self.by_the_clock(body, now, archive, turn);
            self.counter += 1;
            let job = self.job(self.counter, &destination, &items);
            self.carried.extend(items.iter().map(|item| (item.incident, item.delivery)));
            self.in_flight.insert(job.ticket, (destination.clone(), items));
            if destination.method == "terminal" {
                self.show(&job, now, archive, turn);
            } else {
                turn.out.push(Output::Deliver(Box::new(job)));
            }
        }
        self.close_elsewhere(now, turn);
    }

    /// Pages that the plan's limit holds back take the next way to the person, and the ledger says why.
    fn give_way(&mut self, now: Timestamp, archive: &dyn Archive, turn: &mut Turn) {
        for (destination, held) in self.room.outbox.give_way(&self.room, now) {
            let sending = |(incident, delivery)| Sending { incident, delivery };
            let items: Vec<Sending> = held.into_iter().map(sending).collect();
            let limits = self.room.plan.throttles.get(channel_of(&destination.method));
            let limits: Vec<String> =
                limits.into_iter().flatten().map(|limit| String::from(*limit)).collect();
            let detail = format!("the plan allows {} there; another way first", limits.join(", "));
            let Destination { to, method } = destination;
            let began =
                Body::SendingBegan { to: to.clone(), method: method.clone(), items: items.clone() };
            self.by_the_clock(began, now, archive, turn);
            let result = AttemptResult::Held;
            let ended = Body::SendingEnded { to, method, items, result, detail, wait_ms: 0 };
            self.by_the_clock(ended, now, archive, turn);
        }
    }

    /// What a message is made of.
    fn job(&self, ticket: u64, destination: &Destination, items: &[Sending]) -> Job {
        let person = self.room.plan.people.get(&destination.to);
        let is_person = !destination.to.contains(':');
        let mut job = Job {
            ticket,
            destination: destination.clone(),
            kind: DeliveryKind::Inform,
            name: person.map_or_else(|| destination.to.clone(), |person| person.name.clone()),
            language: person.and_then(|p| p.languages.first().cloned()).unwrap_or_default(),
            closing: None,
            sendings: items.to_vec(),
            items: Vec::new(),
            update: None,
        };
        for item in items {
            if item.incident == BESIDE {
                self.add_notice(&mut job, item.delivery);
                continue;
            }
            let Some(incident) = self.room.incidents.get(&item.incident) else { continue };
            if let Some((words, stakeholder)) = incident.letter(item.delivery) {
                job.kind = DeliveryKind::Update;
                job.language.clone_from(&words.language);
                stakeholder.clone_into(&mut job.name);
                job.update = Some((words.subject.clone(), words.text.clone()));
            }
            let Some(delivery) = incident.delivery(item.delivery) else { continue };
            let kind = delivery.wanted.kind;
            if kind == DeliveryKind::Update {
                job.kind = kind;
            }
            let asks = matches!(kind, DeliveryKind::Page | DeliveryKind::Handover);
            if asks && job.kind != DeliveryKind::Page {
                job.kind = kind;
            }
            let brief = incident.esc.handover.as_ref().filter(|_| kind == DeliveryKind::Handover);
            job.items.push(JobItem {
                incident: item.incident,
                delivery: item.delivery,
                attempt: delivery.begun,
                title: incident.title.clone(),
                severity: incident.severity,
                phase: incident.phase(),
                services: incident.services.clone(),
                why: delivery.wanted.why.clone(),
                // Who answers by a code answers for a person; a channel cannot.
                code: (kind == DeliveryKind::Page && is_person)
                    .then(|| self.code(item.incident, item.delivery)),
                brief: brief.map(|handover| handover.brief.clone()).unwrap_or_default(),
            });
        }
        let beside = items.iter().filter(|item| item.incident == BESIDE).count();
        if let Some((subject, _)) = job.update.as_mut().filter(|_| beside > 1) {
            *subject = format!("{subject} (+{} more)", beside - 1);
        }
        job
    }

    /// A word that belongs to no incident becomes a job.
    fn add_notice(&self, job: &mut Job, number: u32) {
        let Some(notice) = self.room.desk.notices.get(&number) else { return };
        job.kind = DeliveryKind::Update;
        "en".clone_into(&mut job.language);
        // Several of a kind are one message, one below the other.
        let (subject, text) = match job.update.take() {
            Some((subject, before)) => {
                (subject, format!("{before}\n\n——\n\n{}\n{}", notice.subject, notice.text))
            }
            None => (notice.subject.clone(), notice.text.clone()),
        };
        job.update = Some((subject, text));
        let attempt = notice.delivery.begun;
        job.items.push(JobItem { attempt, ..JobItem::bare(BESIDE, number) });
    }

    /// What somebody who opens a console should know at once.
    pub(super) fn tell_news(&mut self, client: ClientId, turn: &mut Turn) {
        self.tell_pages(client, turn);
        self.tell_heard(vec![client], turn);
    }

    /// What waits for the answer of somebody who opens a console, or comes back to it after the line
    /// broke: nothing proves that they saw it before.
    fn tell_pages(&mut self, client: ClientId, turn: &mut Turn) {
        let Some(login) = self.clients.get(&client).map(|c| c.who.login.clone()) else { return };
        let open = self.room.incidents.values().filter(|incident| {
            incident.phase().is_active()
                && (incident.is_called(&login)
                    || incident.is_offered(&login)
                    || incident.ack.is_none() && incident.esc.lost().contains(login.as_str()))
        });
        let pages: Vec<Page> = open
            .take(PAGES_TOLD)
            .filter_map(|incident| {
                let mut theirs = incident.esc.deliveries.iter().rev();
                let asks = |d: &&Delivery| {
                    matches!(d.wanted.kind, DeliveryKind::Page | DeliveryKind::Handover)
                        && (d.is_open() || matches!(d.stand, Stand::Failed { .. }))
                };
                let page = theirs.find(|d| d.wanted.to == login && asks(d))?;
                Some(Page {
                    incident: incident.id,
                    title: incident.title.clone(),
                    severity: incident.severity,
                    why: page.wanted.why.clone(),
                    kind: page.wanted.kind,
                })
            })
            .collect();
        if !pages.is_empty() {
            let message = Box::new(KeeperMsg::Push(Push::Paged { pages }));
            turn.out.push(Output::Tell { clients: vec![client], message });
        }
    }

    /// A page into the person's open consoles. Nobody proves that they look at them.
    fn show(&mut self, job: &Job, now: Timestamp, archive: &dyn Archive, turn: &mut Turn) {
        let consoles: Vec<ClientId> = self
            .clients
            .iter()
            .filter(|(_, c)| c.is_following && c.who.login == job.destination.to)
            .map(|(id, _)| *id)
            .collect();
        let (result, detail) = if consoles.is_empty() {
            (AttemptResult::Refused, "no console of theirs is open".to_owned())
        } else {
            (AttemptResult::HandedOver, format!("{} open console(s)", consoles.len()))
        };
        let pages = job
            .items
            .iter()
            .map(|item| Page {
                incident: item.incident,
                title: item.title.clone(),
                severity: item.severity,
                why: item.why.clone(),
                kind: job.kind,
            })
            .collect();
        if !consoles.is_empty() {
            let message = Box::new(KeeperMsg::Push(Push::Paged { pages }));
            turn.out.push(Output::Tell { clients: consoles, message });
        }
        self.delivered(job.ticket, result, detail, 0, (now, archive), turn);
    }

    /// A job ended.
    pub(super) fn delivered(
        &mut self,
        ticket: u64,
        result: AttemptResult,
        detail: String,
        wait_ms: i64,
        (now, archive): (Timestamp, &dyn Archive),
        turn: &mut Turn,
    ) {
        let said = (result, detail.as_str(), wait_ms);
        if self.closed_elsewhere(ticket, said, (now, archive), turn) {
            return;
        }
        let Some((destination, items)) = self.in_flight.remove(&ticket) else { return };
        for item in &items {
            self.carried.remove(&(item.incident, item.delivery));
        }
        let (to, method) = (destination.to, destination.method);
        let body = Body::SendingEnded { to, method, items, result, detail, wait_ms };
        self.by_the_clock(body, now, archive, turn);
    }

    /// Calls back what is under way and wanted by nobody any more.
    pub(super) fn recall(&mut self, turn: &mut Turn) {
        let is_wanted = |item: &Sending| {
            let delivery = if item.incident == BESIDE {
                self.room.desk.notices.get(&item.delivery).map(|notice| &notice.delivery)
            } else {
                let incident = self.room.incidents.get(&item.incident);
                incident.and_then(|incident| incident.delivery(item.delivery))
            };
            delivery.is_some_and(|delivery| matches!(delivery.stand, Stand::Sending { .. }))
        };
        for (ticket, (destination, items)) in &self.in_flight {
            if destination.method != "terminal" && !items.iter().any(is_wanted) {
                turn.out.push(Output::Recall(*ticket));
            }
        }
    }

    /// What is under way: ticket and destination, for tests.
    pub fn under_way(&self) -> impl Iterator<Item = (u64, &Destination)> {
        let sent = self.in_flight.iter().map(|(ticket, (destination, _))| (*ticket, destination));
        sent.chain(self.closings.under_way())
    }

    /// How many deliveries wait for a destination.
    pub fn waiting(&self) -> usize {
        let pages: usize = self.room.outbox.queues.values().map(|queue| queue.waiting.len()).sum();
        pages + self.room.outbox.letters.len()
    }
}
