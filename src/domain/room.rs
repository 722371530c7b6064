//! The room: everything that is live, and how the journal's facts make it.
//!
//! Invariants:
//! - `evolve` is total and never looks at a clock; folding the same journal gives the same room.
//! - The room holds what is live. A closed incident leaves it (`evict`) and is folded again from
//!   its stream when somebody reopens it (`wanted`, `hydrate`).
//! - `queue` and `deadlines` are derived from the rest: `rebuild_index` gives the same.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::alert::Alert;
use crate::domain::board::Board;
use crate::domain::duty::Desk;
use crate::domain::elsewhere::Elsewhere;
use crate::domain::escalation::PolicyRef;
use crate::domain::event::{Became, Body, Recorded, Sending};
use crate::domain::ids::{BESIDE, CommandId, IncidentId, Seq};
use crate::domain::incident::Incident;
use crate::domain::outbox::Outbox;
use crate::domain::plan::Plan;
use crate::domain::row::Rank;
use crate::domain::time::{DAY_MS, Timestamp};
use crate::domain::timers::Timer;
use crate::domain::words::{Severity, Via};

/// How many of the latest commands are remembered, so that a retry is not done twice.
pub const REMEMBERED_MAX: usize = 20_000;
/// How many of the latest refused posts are kept for showing.
pub const REFUSALS_MAX: usize = 50;
/// How many of the latest change events are kept for "what changed?".
pub const CHANGES_MAX: usize = 200;

/// What was counted for one source of alerts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SourceCounts {
    pub posts: u64,
    /// By what became of them; the sum is every alert that was taken.
    pub alerts: BTreeMap<Became, u64>,
    pub refused: u64,
    pub truncated: u64,
    /// Changes, signs of life and answers to pages that it passed on.
    #[serde(default)]
    pub changes: u64,
    #[serde(default)]
    pub beats: u64,
    #[serde(default)]
    pub answers: u64,
    pub last_at: Option<Timestamp>,
}

/// A post that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub at: Timestamp,
    pub source: String,
    pub status: u16,
    pub reason: String,
    pub excerpt: String,
    pub count: u32,
}

/// A change event, for "what changed before this?".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    pub at: Timestamp,
    pub source: String,
    pub summary: String,
    pub origin: String,
}

/// Everything that is live.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Room {
    pub seq: Seq,
    pub at: Timestamp,
    pub incidents: BTreeMap<IncidentId, Arc<Incident>>,
    pub alerts: BTreeMap<String, Arc<Alert>>,
    /// Group → its newest incident that is not closed.
    pub groups: BTreeMap<String, IncidentId>,
    pub last_incident: u32,
    /// Incidents that left the room.
    pub closed: u64,
    pub plan: Plan,
    pub plan_digest: String,
    /// Token name → its hash.
    pub tokens: BTreeMap<String, String>,
    /// Those among them that are for answers to pages only.
    #[serde(default)]
    pub answer_tokens: BTreeSet<String>,
    /// Whether a token was ever made: from then on one is asked for.
    pub asks_for_tokens: bool,
    /// Events whose words are no longer shown.
    pub redacted: BTreeSet<Seq>,
    pub sources: BTreeMap<String, SourceCounts>,
    pub refusals: VecDeque<Refusal>,
    pub changes: VecDeque<Changed>,
    /// Name elsewhere → incident here, for imports.
    pub externals: BTreeMap<String, IncidentId>,
    /// What is known of paging besides the incidents.
    pub desk: Desk,
    /// What the public was told.
    #[serde(default)]
    pub board: Board,
    /// What our pages opened in other services.
    #[serde(default)]
    pub elsewhere: Elsewhere,
    /// The latest commands, oldest first.
    pub remembered: VecDeque<(CommandId, Seq, Option<IncidentId>)>,
    #[serde(skip)]
    pub done: HashMap<CommandId, (Seq, Option<IncidentId>)>,
    /// The queue's order.
    #[serde(skip)]
    pub queue: BTreeSet<(Rank, IncidentId)>,
    #[serde(skip)]
    pub deadlines: BTreeSet<(Timestamp, Timer)>,
    /// The deadlines among them that belong to no incident and no alert.
    #[serde(skip)]
    desk_timers: Vec<(Timestamp, Timer)>,
    /// What waits to be sent.
    #[serde(skip)]
    pub outbox: Outbox,
    /// What the header counts.
    #[serde(skip)]
    pub tally: Tally,
}

impl Room {
    /// A copy of what a snapshot holds, without what is derived from it: made while everybody
    /// waits, so it is to be quick.
    #[must_use]
    pub fn copy_to_save(&self) -> Self {
        Self {
            seq: self.seq,
            at: self.at,
            incidents: self.incidents.clone(),
            alerts: self.alerts.clone(),
            groups: self.groups.clone(),
            last_incident: self.last_incident,
            closed: self.closed,
            plan: self.plan.clone(),
            plan_digest: self.plan_digest.clone(),
            tokens: self.tokens.clone(),
            answer_tokens: self.answer_tokens.clone(),
            asks_for_tokens: self.asks_for_tokens,
            redacted: self.redacted.clone(),
            sources: self.sources.clone(),
            refusals: self.refusals.clone(),
            changes: self.changes.clone(),
            externals: self.externals.clone(),
            desk: self.desk.clone(),
            board: self.board.clone(),
            elsewhere: self.elsewhere.clone(),
            remembered: self.remembered.clone(),
            done: HashMap::new(),
            queue: BTreeSet::new(),
            deadlines: BTreeSet::new(),
            desk_timers: Vec::new(),
            outbox: Outbox::default(),
            tally: Tally::default(),
        }
    }
}

/// Active incidents by what a person must see first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    pub active: u32,
    pub sev1: u32,
    pub sev2: u32,
    pub unacked: u32,
}

impl Tally {
    fn count(&mut self, incident: &Incident, step: fn(u32, u32) -> u32) {
        if !incident.phase().is_active() {
            return;
        }
        let one = |is: bool| u32::from(is);
        self.active = step(self.active, 1);
        self.sev1 = step(self.sev1, one(incident.severity == Severity::Sev1));
        self.sev2 = step(self.sev2, one(incident.severity == Severity::Sev2));
        self.unacked = step(self.unacked, one(!incident.is_answered()));
    }
}

impl Room {
    /// The incident that an event is about but that is not in the room, if any: it must be
    /// hydrated before the event is applied.
    pub fn wanted(&self, event: &Recorded) -> Option<IncidentId> {
        use crate::domain::change::Change;
        if let Body::Incident { change: Change::Opened(_), .. } = event.body {
            return None;
        }
        event.body.incidents().into_iter().find(|id| !self.incidents.contains_key(id))
    }

    /// Takes an incident (back) into the room, as it is after all its events so far.
    pub fn hydrate(&mut self, incident: Incident) {
        let id = incident.id;
        self.closed = self.closed.saturating_sub(1);
        self.incidents.insert(id, Arc::new(incident));
        self.index_incident(id);
        self.look_elsewhere(id);
    }

    /// An alert whose incident leaves: one that still fires stays known, so that its next post is
    /// a repeat and not a new incident.
    fn part(&mut self, key: &str, id: IncidentId) {
        if self.alerts.get(key).is_none_or(|alert| alert.incident != Some(id)) {
            return;
        }
        let at = self.at;
        self.unindex_alert(key);
        if let Some(alert) =
            self.alerts.get_mut(key).filter(|alert| alert.is_firing).map(Arc::make_mut)
        {
            alert.incident = None;
            alert.is_answered = true;
            // A sender that never says when it is over must not be silenced for ever.
            alert.ends_at.get_or_insert(at.plus(DAY_MS));
            self.index_alert(key);
        } else {
            self.alerts.remove(key);
        }
    }

    /// Lets an incident that is over go, with what only it needed.
    pub fn evict(&mut self, id: IncidentId) -> Option<Incident> {
        if self.incidents.get(&id)?.phase().is_live() {
            return None;
        }
        self.unindex_incident(id);
        let incident = self.incidents.remove(&id)?;
        for key in incident.members.keys() {
            self.part(key, id);
        }
        self.closed += 1;
        if let Some(group) = &incident.group
            && self.groups.get(group) == Some(&id)
        {
            self.groups.remove(group);
        }
        self.look_elsewhere(id);
        Some(Arc::unwrap_or_clone(incident))
    }

    /// Whether a command was done already: up to which event, and about which incident.
    pub fn was_done(&self, id: &CommandId) -> Option<(Seq, Option<IncidentId>)> {
        self.done.get(id).copied()
    }

    /// Senders of alerts repeat themselves in their own terms; only other commands are kept.
    fn remember(&mut self, event: &Recorded) {
        if matches!(event.actor.via, Via::Http | Via::Timer | Via::Keeper) {
            return;
        }
        if let Some((seq, _)) = self.done.get_mut(&event.cause) {
            *seq = event.seq;
            return;
        }
        let incident = event.body.incidents().first().copied();
        self.done.insert(event.cause.clone(), (event.seq, incident));
        self.remembered.push_back((event.cause.clone(), event.seq, incident));
        if self.remembered.len() > REMEMBERED_MAX
            && let Some((oldest, ..)) = self.remembered.pop_front()
        {
            self.done.remove(&oldest);
        }
    }

    /// Makes what is derived anew, after a room was read from a snapshot.
    pub fn rebuild_index(&mut self) {
        self.done = self
            .remembered
            .iter()
            .map(|(id, seq, incident)| (id.clone(), (*seq, *incident)))
            .collect();
        self.queue.clear();
        self.deadlines.clear();
        self.desk_timers.clear();
        self.outbox = Outbox::default();
        self.tally = Tally::default();
        for id in self.incidents.keys().copied().collect::<Vec<_>>() {
            self.index_incident(id);
        }
        for key in self.alerts.keys().cloned().collect::<Vec<_>>() {
            self.index_alert(&key);
        }
        for notice in self.desk.notices.values() {
            self.outbox.add_letter(BESIDE, &notice.delivery);
        }
        self.index_desk();
        self.index_elsewhere();
    }

    /// When something is due next: by the clock, or because something waits to be sent.
    pub fn next_due(&self) -> Option<Timestamp> {
        let clock = self.deadlines.first().map(|(at, _)| *at);
        let outbox = self.outbox.next_due(&self.desk, &self.plan);
        [clock, outbox].into_iter().flatten().min()
    }

    /// The policy that an incident on these services takes when it opens.
    pub fn policy_ref(&self, services: &[String]) -> Option<PolicyRef> {
        self.plan.policy_for(services).map(|(name, policy)| PolicyRef::of(name, policy))
    }

    fn index_desk(&mut self) {
        self.desk_timers = Timer::of_desk(self);
        self.deadlines.extend(self.desk_timers.iter().cloned());
    }

    fn unindex_desk(&mut self) {
        // A sign of life moves its own deadline; what is left of the list is found by its name.
        let names: Vec<String> = self.desk.beats.keys().cloned().collect();
        for name in names {
            if let Some(due) = self.desk.beat_due(&self.plan, &name) {
                self.deadlines.remove(&(due, Timer::Beat(name)));
            }
        }
        for timer in std::mem::take(&mut self.desk_timers) {
            self.deadlines.remove(&timer);
        }
    }

    pub(crate) fn index_incident(&mut self, id: IncidentId) {
        if let Some(incident) = self.incidents.get(&id)
            && incident.phase().is_live()
        {
            if self.queue.insert((Rank::of(incident), id)) {
                self.tally.count(incident, u32::saturating_add);
            }
            self.deadlines.extend(Timer::of_incident(incident, self));
            self.outbox.add(incident);
        }
    }

    pub(crate) fn unindex_incident(&mut self, id: IncidentId) {
        if let Some(incident) = self.incidents.get(&id) {
            if self.queue.remove(&(Rank::of(incident), id)) {
                self.tally.count(incident, u32::saturating_sub);
            }
            for timer in Timer::of_incident(incident, self) {
                self.deadlines.remove(&timer);
            }
            self.outbox.remove(incident);
        }
    }

    /// Takes out of the indexes what a message that begins or ends changes: an update to thousands
    /// must not cost a look at all of them for each.
    fn unindex_sending(&mut self, id: IncidentId, items: &[Sending]) {
        let Some(incident) = self.incidents.get(&id).filter(|i| i.phase().is_live()) else {
            return;
        };
        for timer in Timer::of_incident(incident, self) {
            self.deadlines.remove(&timer);
        }
        for item in items.iter().filter(|item| item.incident == id) {
            if let Some(delivery) = incident.delivery(item.delivery) {
                self.outbox.remove_one(incident, delivery);
            }
        }
    }

    fn index_sending(&mut self, id: IncidentId, items: &[Sending]) {
        let Some(incident) = self.incidents.get(&id).filter(|i| i.phase().is_live()) else {
            return;
        };
        self.deadlines.extend(Timer::of_incident(incident, self));
        for item in items.iter().filter(|item| item.incident == id) {
            if let Some(delivery) = incident.delivery(item.delivery) {
                self.outbox.add_one(incident, delivery);
            }
        }
    }

    pub(crate) fn index_alert(&mut self, key: &str) {
        if let Some(alert) = self.alerts.get(key) {
            self.deadlines.extend(Timer::of_alert(key, alert, &self.plan));
        }
    }

    pub(crate) fn unindex_alert(&mut self, key: &str) {
        if let Some(alert) = self.alerts.get(key) {
            for timer in Timer::of_alert(key, alert, &self.plan) {
                self.deadlines.remove(&timer);
            }
        }
    }

    pub(crate) fn forget_alert(&mut self, key: &str) {
        self.unindex_alert(key);
        self.alerts.remove(key);
    }
}

/// Applies one event. Total: a new fact does not compile until somebody says what it does.
pub fn evolve(room: &mut Room, event: &Recorded) {
    room.seq = event.seq;
    // A clock that was ahead and was put right is right from then on, for the next start as well.
    let is_put_right = matches!(event.body, Body::ClockJumped { by_ms, .. } if by_ms < 0);
    room.at = if is_put_right { event.at } else { room.at.max(event.at) };
    room.remember(event);
    let is_desk = event.body.moves_the_desk();
    if is_desk {
        room.unindex_desk();
    }
    let touched = event.body.incidents();
    let sent = event.body.sendings();
    for id in &touched {
        if sent.is_empty() {
            room.unindex_incident(*id);
        } else {
            room.unindex_sending(*id, sent);
        }
    }
    changed(room, event);
    room.elsewhere_changed(event);
    for id in &touched {
        if let Some(incident) = room.incidents.get_mut(id)
            && incident.last_seq < event.seq
        {
            let incident = Arc::make_mut(incident);
            incident.apply(event);
            incident.talk.page_down = room.desk.page_down;
        }
        if sent.is_empty() {
            room.index_incident(*id);
        } else {
            room.index_sending(*id, sent);
        }
        room.look_elsewhere(*id);
    }
    let first = touched.first().and_then(|id| room.incidents.get(id));
    room.board.take(event, first.map(|incident| &**incident), &room.plan);
    if is_desk {
        room.index_desk();
    }
}

/// What a fact changes beside the incidents that it is about.
fn changed(room: &mut Room, event: &Recorded) {
    match &event.body {
        Body::Incident { incident, change } => room.incident_changed(event, *incident, change),
        Body::AlertsReceived { source, group, items, truncated, first } => {
            room.alerts_received(event, source, items, (group.as_ref(), *truncated), *first);
        }
        Body::PostRefused { source, status, reason, excerpt, count } => {
            room.post_refused(event.at, source, *status, reason, excerpt, *count);
        }
        Body::AlertAcknowledged { alert, .. } => room.alert_answered(alert),
        Body::AlertShelved { alert, until, reason, .. } => {
            room.alert_shelved(event, alert, *until, reason);
        }
        Body::AlertUnshelved { alert, .. } => room.alert_unshelved(alert),
        Body::AlertExpired { alert, .. } => room.alert_steady(event.at, alert, false),
        Body::AlertSettled { alert, firing, .. } => room.alert_steady(event.at, alert, *firing),
        Body::ChangeReceived { source, summary, origin, .. } => {
            room.change_received((event.when(), event.at), source, summary, origin);
        }
        Body::PlanAdopted { plan, digest, .. } => room.plan_adopted(event.at, plan, digest),
        Body::TokenIssued { name, hash, answers } => room.token_issued(name, hash, *answers),
        Body::TokenRevoked { name } => {
            room.tokens.remove(name);
            room.answer_tokens.remove(name);
        }
        Body::ClockJumped { by_ms, incidents } if incidents.is_empty() => {
            room.clock_jumped(*by_ms);
        }
        Body::KeeperStarted { .. }
        | Body::KeeperStopped { .. }
        | Body::StoreRebuilt { .. }
        | Body::ClockJumped { .. } => {}
        Body::SendingEnded { to, method, items, result, .. } => {
            room.sending_ended(event.at, to, method, items, *result);
            room.desk_changed(event);
        }
        Body::SendingBegan { .. }
        | Body::PeopleTold { .. }
        | Body::ShiftChanged { .. }
        | Body::ShiftCovered { .. }
        | Body::CoverRevoked { .. }
        | Body::SwapAsked { .. }
        | Body::SwapAnswered { .. }
        | Body::WindowPlanned { .. }
        | Body::WindowPublished { .. }
        | Body::WindowBegan { .. }
        | Body::WindowEnded { .. }
        | Body::HeartbeatReceived { .. }
        | Body::StatusPage { .. }
        | Body::SilenceMade { .. }
        | Body::SilenceBegan { .. }
        | Body::SilenceEnded { .. }
        | Body::AuditFound { .. } => room.desk_changed(event),
    }
}
