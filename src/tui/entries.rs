//! The entries of the timeline as the console shows them.
//!
//! Invariants:
//! - What is told elsewhere is left out here, and nothing else.

use crate::domain::event::Body;
use crate::domain::ids::{IncidentId, Seq};
use crate::domain::timeline::{self, Entry};
use crate::domain::words::AttemptResult;
use crate::tui::model::{Model, Pane};

/// From so many subscribers on the timeline does not name each that took an update.
const LIST_FROM: usize = 5;

impl Model {
    /// The incident and the entry under the cursor, where somebody looks at the timeline.
    pub fn entry_under_cursor(&self) -> Option<(IncidentId, Seq)> {
        let id = self.shown_incident().filter(|_| self.focus == Pane::Timeline)?.id;
        let entry = self.entries().into_iter().rev().nth(self.entry_back)?;
        Some((id, entry.seq))
    }

    /// The cursor stays on its entry though newer ones come.
    pub fn go_back_to_entry(&mut self, before: Option<(IncidentId, Seq)>) {
        let Some((id, seq)) = before else { return };
        if self.shown_incident().is_none_or(|incident| incident.id != id) {
            return;
        }
        let found = self.entries().iter().rev().position(|entry| entry.seq == seq);
        self.entry_back = found.unwrap_or(self.entry_back);
    }

    /// The entries of the timeline, oldest first, as known at the shown time.
    pub fn entries(&self) -> Vec<Entry> {
        let Some(watched) = &self.mirror.watched else {
            return Vec::new();
        };
        let until = self.past.as_ref().map_or(Seq::MAX, |past| past.seq);
        let id = watched.head.id;
        watched
            .events
            .iter()
            .filter(|event| event.seq <= until && !self.is_of_a_list(&event.body))
            .map(|event| {
                let mut entry = timeline::entry(event, id);
                if watched.head.redacted.contains(&entry.seq) {
                    "(redacted)".clone_into(&mut entry.text);
                }
                entry
            })
            .collect()
    }

    /// Events of the incident that the keeper holds and that are not here.
    pub fn earlier(&self) -> u64 {
        let watched = self.mirror.watched.as_ref().filter(|_| self.past.is_none());
        watched.map_or(0, |it| it.total.saturating_sub(it.events.len() as u64))
    }

    /// Goes to the entry that was looked for, if it is here.
    pub fn go_to_wanted(&mut self) {
        let Some(seq) = self.wanted_entry else { return };
        if let Some(back) = self.entries().iter().rev().position(|entry| entry.seq == seq) {
            (self.entry_back, self.wanted_entry) = (back, None);
        }
    }

    /// Whether a fact is told elsewhere: that an attempt begins is in the pane of the chain, and each
    /// of many who took an update is in the stakeholders' proof.
    fn is_of_a_list(&self, body: &Body) -> bool {
        if let Body::SendingEnded { to, result, .. } = body {
            let taken = matches!(result, AttemptResult::Accepted | AttemptResult::HandedOver);
            let name = to.strip_prefix("stakeholder:").unwrap_or_default();
            let who = self.mirror.plan.stakeholders.get(name);
            return taken && who.is_some_and(|who| who.subscribers.len() > LIST_FROM);
        }
        matches!(body, Body::SendingBegan { .. })
    }
}
