//! What a console knows of the room: a pure fold of what the keeper tells.
//!
//! Invariants:
//! - The watched incident is folded by the same `Incident::apply` as in the keeper; its state here
//!   equals the keeper's after the same events.

use std::collections::{BTreeSet, HashMap};

use crate::domain::change::Change;
use crate::domain::duty::{Beside, Desk};
use crate::domain::event::{Body, Recorded};
use crate::domain::ids::{IncidentId, Seq};
use crate::domain::incident::Incident;
use crate::domain::plan::{Plan, Policy};
use crate::domain::row::{Rank, Row};
use crate::domain::time::Timestamp;
use crate::proto::{Counts, Detail, Heard, Present, Push, Queue};

/// Events of the watched incident that are kept while new ones come; who goes back to older ones has
/// them too, until another incident is looked at.
pub const EVENTS_MAX: usize = 2_000;

/// Late words that are looked at, the latest of all first.
pub const LATE_MAX: usize = 100;

/// The incident that is looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    pub head: Incident,
    /// Its latest events, oldest first.
    pub events: Vec<Recorded>,
    pub total: u64,
    /// The escalation policy that it took.
    pub policy: Option<Box<Policy>>,
    /// Events that may be here.
    kept_max: usize,
}

/// What a console knows.
#[derive(Debug, Default)]
pub struct Mirror {
    rows: HashMap<IncidentId, Row>,
    order: BTreeSet<(Rank, IncidentId)>,
    /// The next words that were promised, the soonest first.
    promised: BTreeSet<(Timestamp, IncidentId)>,
    /// Who looks at it, and what waits for their answer, what is worst first.
    login: String,
    wanting: BTreeSet<(Rank, IncidentId)>,
    pub counts: Counts,
    pub seq: Seq,
    pub plan: Plan,
    /// When each sender was heard last, those that are silent first.
    pub heard: Vec<Heard>,
    /// Covers and swaps, for computing who is on call.
    pub desk: Desk,
    pub people: Vec<Present>,
    pub watching: Option<IncidentId>,
    pub watched: Option<Watched>,
    /// Events of the watched incident that came before its first answer.
    early: Vec<Recorded>,
    /// The answer to the latest watch has not come.
    is_awaited: bool,
    /// Raised with every change of the rows.
    pub version: u64,
    /// Incidents that left the queue since the last full view of it.
    gone: BTreeSet<IncidentId>,
    /// Known from a link before this one, and not told again yet: the cursor may be on one of them.
    old: BTreeSet<IncidentId>,
}

impl Mirror {
    /// A line of the queue.
    pub fn row(&self, id: IncidentId) -> Option<&Row> {
        self.rows.get(&id)
    }

    /// How many lines the queue has here (fewer than `counts.live` while they are being loaded).
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether the queue is empty.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The queue in order of need.
    pub fn ordered(&self) -> impl Iterator<Item = &Row> {
        self.order.iter().filter_map(|(_, id)| self.rows.get(id))
    }

    /// What waits for an answer of whoever looks at it, what is worst first.
    pub fn wanting(&self) -> impl DoubleEndedIterator<Item = IncidentId> {
        self.wanting.iter().map(|(_, id)| *id)
    }

    /// Who looks at it.
    pub fn is_for(&mut self, login: &str) {
        if self.login != login {
            login.clone_into(&mut self.login);
            let mine = self.rows.values().filter(|row| row.wants(login));
            self.wanting = mine.map(|row| (Rank::of_row(row), row.id)).collect();
        }
    }

    /// The head of the queue: a new link begins. What is known from before stays until all rows have
    /// come, or it is told otherwise.
    pub fn take_queue(&mut self, queue: Queue) {
        self.gone.clear();
        self.old = self.rows.keys().copied().collect();
        self.version += 1;
        self.seq = queue.seq;
        self.counts = queue.counts;
        for row in queue.rows {
            self.put(row);
        }
    }

    /// More rows; a row that was told later, or that has left since, is not undone.
    pub fn take_rows(&mut self, rows: Vec<Row>) {
        for row in rows {
            let known = self.rows.get(&row.id).filter(|_| !self.old.contains(&row.id));
            let is_newer = known.is_none_or(|known| known.seq <= row.seq);
            if is_newer && !self.gone.contains(&row.id) {
                self.put(row);
            }
        }
    }

    /// All rows have come: what was not told again is no longer open.
    pub fn took_all(&mut self) {
        for id in std::mem::take(&mut self.old) {
            self.remove(id);
        }
    }

    fn put(&mut self, row: Row) {
        self.version += 1;
        self.old.remove(&row.id);
        let key = (Rank::of_row(&row), row.id);
        let known = self.rows.get(&row.id).and_then(|old| old.promise);
        if let Some(before) = known.filter(|_| known != row.promise) {
            self.promised.remove(&(before, row.id));
        }
        self.promised.extend(row.promise.map(|at| (at, row.id)));
        let is_wanting = row.wants(&self.login);
        if let Some(old) = self.rows.insert(row.id, row) {
            let before = (Rank::of_row(&old), old.id);
            if before != key {
                self.order.remove(&before);
            }
            self.wanting.remove(&before);
        }
        if is_wanting {
            self.wanting.insert(key);
        }
        self.order.insert(key);
    }

    fn remove(&mut self, id: IncidentId) {
        self.version += 1;
        self.gone.insert(id);
        self.old.remove(&id);
        if let Some(old) = self.rows.remove(&id) {
            self.order.remove(&(Rank::of_row(&old), id));
            self.wanting.remove(&(Rank::of_row(&old), id));
            if let Some(at) = old.promise {
                self.promised.remove(&(at, id));
            }
        }
    }

    /// The word that was promised for the soonest, but for one incident.
    pub fn promised(&self, but: Option<IncidentId>) -> Option<(Timestamp, IncidentId)> {
        self.promised.iter().find(|(_, id)| Some(*id) != but).copied()
    }

    /// The words that are late, but for one incident: the one for the worst incident, and how many
    /// there are, as far as they are looked at: a header is drawn often.
    pub fn late(
        &self,
        now: Timestamp,
        but: Option<IncidentId>,
    ) -> Option<(Timestamp, IncidentId, usize)> {
        let late = self.promised.iter().take_while(|(at, _)| *at < now);
        let late = late.filter(|(_, id)| Some(*id) != but).take(LATE_MAX);
        let late: Vec<_> = late.copied().collect();
        let severity = |id: IncidentId| self.row(id).map(|row| row.severity);
        let (at, id) = late.iter().copied().min_by_key(|(at, id)| (severity(*id), *at))?;
        Some((at, id, late.len()))
    }

    /// The next word that is due until an instant, but for one incident.
    pub fn soon(
        &self,
        now: Timestamp,
        until: Timestamp,
        but: Option<IncidentId>,
    ) -> Option<(Timestamp, IncidentId)> {
        let ahead = self.promised.range((now, IncidentId(0))..).take_while(|(at, _)| *at <= until);
        ahead.copied().find(|(_, id)| Some(*id) != but)
    }

    /// From now on this incident is looked at.
    pub fn watch(&mut self, id: IncidentId) {
        self.watching = Some(id);
        self.is_awaited = true;
        self.early.clear();
    }

    /// The answer to a watch.
    pub fn take_detail(&mut self, detail: Detail) {
        if self.watching != Some(detail.head.id) {
            return;
        }
        self.is_awaited = false;
        let Detail { head, events, total, policy } = detail;
        let mut watched = Watched { head, events, total, policy, kept_max: EVENTS_MAX };
        for event in std::mem::take(&mut self.early) {
            take_policy(&mut watched, &event, &self.plan);
            add(&mut watched, event);
        }
        watched.head.talk.page_down = self.desk.page_down;
        self.watched = Some(watched);
    }

    /// Events before those that are here.
    pub fn take_older(&mut self, detail: Detail) {
        let Some(watched) = self.watched.as_mut().filter(|w| w.head.id == detail.head.id) else {
            return;
        };
        let first = watched.events.first().map_or(Seq::MAX, |event| event.seq);
        let mut events: Vec<Recorded> =
            detail.events.into_iter().take_while(|event| event.seq < first).collect();
        watched.kept_max = watched.kept_max.max(events.len() + watched.events.len() + EVENTS_MAX);
        events.append(&mut watched.events);
        watched.events = events;
    }

    /// What is in force beside the plan's files, as it is now.
    pub fn take_beside(&mut self, beside: Beside) {
        self.desk = beside.desk();
        if let Some(watched) = &mut self.watched {
            watched.head.talk.page_down = self.desk.page_down;
        }
    }

    /// What the keeper tells without being asked.
    pub fn push(&mut self, push: Push) {
        match push {
            Push::Rows { seq, rows, gone, counts } => {
                self.seq = seq;
                self.counts = counts;
                for row in rows {
                    self.gone.remove(&row.id);
                    self.put(row);
                }
                for id in gone {
                    self.remove(id);
                }
            }
            Push::Events { incident, events } => {
                if self.watching != Some(incident) {
                    return;
                }
                // The answer may be older than what comes before it.
                if self.is_awaited && self.early.len() < EVENTS_MAX {
                    self.early.extend(events.iter().cloned());
                }
                if let Some(watched) = self.watched.as_mut().filter(|w| w.head.id == incident) {
                    for event in events {
                        take_policy(watched, &event, &self.plan);
                        add(watched, event);
                    }
                }
            }
            Push::Presence { people } => self.people = people,
            Push::Plan { plan, beside } => {
                self.plan = *plan;
                self.take_beside(*beside);
            }
            Push::Heard { sources } => self.heard = sources,
            Push::Paged { .. } | Push::Goodbye { .. } => {}
        }
    }
}

/// An incident that takes a policy takes it as the plan has it now.
fn take_policy(watched: &mut Watched, event: &Recorded, plan: &Plan) {
    if let Body::Incident { change: Change::PolicyTaken { policy, .. }, .. } = &event.body {
        watched.policy = plan.policies.get(&*policy.name).cloned().map(Box::new);
    }
}

fn add(watched: &mut Watched, event: Recorded) {
    let is_new = watched.events.last().is_none_or(|last| last.seq < event.seq);
    if watched.head.last_seq < event.seq {
        watched.head.apply(&event);
    }
    if is_new {
        watched.total += 1;
        watched.events.push(event);
        if watched.events.len() > watched.kept_max {
            watched.events.remove(0);
        }
    }
}
