//! What is due and what is to be sent: timers, the outbox, results of attempts, codes.
//!
//! Invariants:
//! - An attempt leaves only after the event that begins it is durable; its result is an event.
//! - What was on its way when a keeper went is found here as nobody's, and begun again: at most one
//!   duplicate for each attempt, and only across such an end.
//! - Nothing is sent for an incident after the event that answers it, but for what had left.

use crate::domain::change::Change;
use crate::domain::command::{Command, Order};
use crate::domain::delivery::Stand;
use crate::domain::duty::Destination;
use crate::domain::escalation::PolicyRef;
use crate::domain::event::{Actor, Body, Sending};
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::outbox;
use crate::domain::rejection::{Rejection, RejectionKind};
use crate::domain::time::Timestamp;
use crate::domain::timers;
use crate::domain::words::{AttemptResult, DeliveryKind, Origin, Right, Via};
use crate::keeper::engine::{Archive, Engine};
use crate::keeper::turn::{ClientId, Job, JobItem, Output, Turn};
use crate::proto::{KeeperMsg, Page, Push};

/// Deadlines handled in one turn; the rest follow in the next.
const DUE_MAX: usize = 256;
/// Letters of a code: no I, L, O or U, so that nobody misreads one (Crockford's base 32).
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl Engine {
    /// When something is due next; at once where a keeper before this one left an attempt open.
    pub fn next_due(&self) -> Option<Timestamp> {
        if self.is_fresh || self.orphans().next().is_some() {
            return Some(Timestamp(0));
        }
        self.room.next_due()
    }

    /// Attempts that began and that nobody here is carrying out.
    fn orphans(&self) -> impl Iterator<Item = (&Destination, Vec<Sending>)> {
        self.room.outbox.queues.iter().filter_map(|(destination, queue)| {
            if queue.on_its_way.is_empty() || self.in_flight.contains_key(destination) {
                return None;
            }
            let items = queue.on_its_way.iter();
            let items = items
                .map(|(incident, delivery)| Sending { incident: *incident, delivery: *delivery });
            Some((destination, items.collect()))
        })
    }

    /// Incidents that wait for something by the clock.
    pub(super) fn waiting_incidents(&self) -> Vec<IncidentId> {
        let active = self.room.incidents.values().filter(|incident| incident.phase().is_active());
        active.filter(|incident| incident.esc.policy.is_some()).map(|i| i.id).collect()
    }

    /// Everything that is due at `now`.
    pub(super) fn tick(&mut self, now: Timestamp, archive: &dyn Archive, turn: &mut Turn) {
        if std::mem::take(&mut self.is_fresh) {
            self.take_policies(now, archive, turn);
        }
        let orphans: Vec<(Destination, Vec<Sending>)> =
            self.orphans().map(|(destination, items)| (destination.clone(), items)).collect();
        for (destination, items) in orphans {
            let detail = "the keeper ended while it was on its way".to_owned();
            let (to, method) = (destination.to, destination.method);
            let result = AttemptResult::Unknown;
            let body = Body::SendingEnded { to, method, items, result, detail, wait_ms: 0 };
            self.by_the_clock(body, now, archive, turn);
        }
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
    fn take_policies(&mut self, now: Timestamp, archive: &dyn Archive, turn: &mut Turn) {
        let is_without = |incident: &&Incident| {
            incident.phase().is_active()
                && incident.esc.policy.is_none()
                && incident.origin != Origin::Import
        };
        let found: Vec<(IncidentId, PolicyRef)> = self
            .room
            .incidents
            .values()
            .filter(is_without)
            .filter_map(|i| Some((i.id, self.room.policy_ref(&i.services)?)))
            .collect();
        for (incident, policy) in found {
            let reason = "it had none".to_owned();
            let change = Change::PolicyTaken { policy, reason };
            self.by_the_clock(Body::Incident { incident, change }, now, archive, turn);
        }
    }

    fn by_the_clock(&mut self, body: Body, now: Timestamp, archive: &dyn Archive, turn: &mut Turn) {
        let cause = self.own_id("t");
        self.record(cause, Actor::timer(), None, body, now, archive, turn);
    }

    fn send_what_waits(&mut self, now: Timestamp, archive: &dyn Archive, turn: &mut Turn) {
        let ready = self.room.outbox.ready(&self.room.desk, self.room.plan.bundle_s, now);
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
            let job = self.job(&destination, &items);
            self.in_flight.insert(destination.clone(), items.clone());
            if destination.method == "terminal" {
                self.show(job, now, archive, turn);
            } else {
                turn.out.push(Output::Deliver(Box::new(job)));
            }
        }
    }

    /// What a message is made of.
    fn job(&self, destination: &Destination, items: &[Sending]) -> Job {
        let person = self.room.plan.people.get(&destination.to);
        let mut job = Job {
            destination: destination.clone(),
            kind: DeliveryKind::Inform,
            name: person.map_or_else(|| destination.to.clone(), |person| person.name.clone()),
            language: person.and_then(|p| p.languages.first().cloned()).unwrap_or_default(),
            sendings: items.to_vec(),
            items: Vec::new(),
        };
        for item in items {
            let Some(incident) = self.room.incidents.get(&item.incident) else { continue };
            let Some(delivery) = incident.esc.delivery(item.delivery) else { continue };
            let kind = delivery.wanted.kind;
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
                code: (kind == DeliveryKind::Page).then(|| self.code(item.incident, item.delivery)),
                brief: brief.map(|handover| handover.brief.clone()).unwrap_or_default(),
            });
        }
        job
    }

    /// A page into the person's open consoles. Nobody proves that they look at them.
    fn show(&mut self, job: Job, now: Timestamp, archive: &dyn Archive, turn: &mut Turn) {
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
        self.delivered(job.destination, job.sendings, result, detail, 0, (now, archive), turn);
    }

    /// An attempt ended.
    #[expect(clippy::too_many_arguments, reason = "an attempt's end has this many parts")]
    pub(super) fn delivered(
        &mut self,
        destination: Destination,
        items: Vec<Sending>,
        result: AttemptResult,
        detail: String,
        wait_ms: i64,
        (now, archive): (Timestamp, &dyn Archive),
        turn: &mut Turn,
    ) {
        self.in_flight.remove(&destination);
        let (to, method) = (destination.to, destination.method);
        let body = Body::SendingEnded { to, method, items, result, detail, wait_ms };
        self.by_the_clock(body, now, archive, turn);
    }

    /// Calls back what is on its way and wanted by nobody any more.
    pub(super) fn recall(&mut self, turn: &mut Turn) {
        let is_wanted = |item: &Sending| {
            let incident = self.room.incidents.get(&item.incident);
            incident
                .and_then(|i| i.esc.delivery(item.delivery))
                .is_some_and(|delivery| matches!(delivery.stand, Stand::Sending { .. }))
        };
        for (destination, items) in &self.in_flight {
            if destination.method != "terminal" && !items.iter().any(is_wanted) {
                turn.out.push(Output::Recall(destination.clone()));
            }
        }
    }

    /// The one-time code of a page: whoever has it may answer for the person it was sent to. It is
    /// worth nothing once the page was answered or called back.
    pub fn code(&self, incident: IncidentId, delivery: u32) -> String {
        use sha2::{Digest, Sha256};
        let mut hasher = Sha256::new();
        hasher.update(self.secret);
        hasher.update(format!("{incident}/{delivery}"));
        let digest = hasher.finalize();
        let letters: String =
            digest.iter().take(8).map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect();
        format!("{}-{delivery}-{letters}", incident.0)
    }

    /// An answer by code becomes the acknowledgement of the person to whom it was sent.
    pub(super) fn by_code(&self, order: &Order) -> Result<Option<Order>, Rejection> {
        let Command::AcknowledgeByCode { code } = &order.command else { return Ok(None) };
        let wrong = || {
            Rejection::new(
                RejectionKind::NotFound,
                "that code belongs to no page that is open",
                "it may be answered already; look with 'warroom list'",
            )
        };
        let given = code.trim().to_ascii_uppercase().replace(' ', "-");
        let mut parts = given.split('-');
        let number = |part: Option<&str>| part.and_then(|text| text.parse::<u32>().ok());
        let (Some(incident), Some(delivery)) = (number(parts.next()), number(parts.next())) else {
            return Err(wrong());
        };
        let id = IncidentId(incident);
        if self.code(id, delivery) != given {
            return Err(wrong());
        }
        let incident = self.room.incidents.get(&id).ok_or_else(wrong)?;
        let page = incident.esc.delivery(delivery).filter(|d| d.is_open()).ok_or_else(wrong)?;
        let actor = Actor { login: page.wanted.to.clone(), via: Via::Gateway };
        let command = Command::Acknowledge { incident: id };
        // The one whose page it was may answer; whoever holds the code acts for them.
        let right = order.right.max(Right::Respond);
        Ok(Some(Order { actor, right, command, ..order.clone() }))
    }

    /// The destinations something is on its way to, for tests and for the shell's own check.
    pub fn on_its_way(&self) -> impl Iterator<Item = &Destination> {
        self.in_flight.keys()
    }

    /// How many deliveries wait for a destination.
    pub fn waiting(&self) -> usize {
        self.room.outbox.queues.values().map(|queue: &outbox::Queue| queue.waiting.len()).sum()
    }
}
