//! What is looked at, whether somebody writes meanwhile, and what is not listened to.

use std::collections::BTreeMap;

use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::time::Timestamp;
use crate::tui::form::Form;
use crate::tui::model::{Held, Modal, Model, Notice, Reading, Tone};

/// Notices that can be read again.
const SAID_MAX: usize = 100;

impl Model {
    /// Whether somebody writes, or is asked about what they wrote.
    pub fn is_writing(&self) -> bool {
        let is_one = |modal: &Modal| matches!(modal, Modal::Form(_) | Modal::Confirm { .. });
        self.modals.iter().any(is_one)
    }

    /// The incident that a form is about, as it is known now, where it is the one that is looked at.
    pub fn watched_for(&self, form: &Form) -> Option<&Incident> {
        self.watched().filter(|incident| form.incidents.first() == Some(&incident.id))
    }

    /// The incident that the panes beside the queue show, as it is known now.
    pub fn watched(&self) -> Option<&Incident> {
        self.mirror.watched.as_ref().map(|watched| &watched.head)
    }

    /// The incident as it is shown: now, or at the time that was stepped back to.
    pub fn shown_incident(&self) -> Option<&Incident> {
        match &self.past {
            Some(past) => past.head.as_deref().or(self.watched()),
            None => self.watched(),
        }
    }

    /// The time that is shown: now, or that of the event that was stepped back to.
    pub fn shown_now(&self) -> Timestamp {
        let Some(past) = &self.past else { return self.now };
        let mut events = self.mirror.watched.iter().flat_map(|watched| watched.events.iter());
        let then = events.rfind(|event| event.seq <= past.seq).map(|event| event.at);
        then.unwrap_or(self.now)
    }

    /// Who else looks at an incident, and whether they write.
    pub fn others_at(&self, id: IncidentId) -> Vec<(String, bool)> {
        let mut others: BTreeMap<String, bool> = BTreeMap::new();
        let mut skipped_self = false;
        for person in self.mirror.people.iter().filter(|p| p.incident == Some(id)) {
            if person.login == self.login && !skipped_self {
                skipped_self = true;
                continue;
            }
            let writes = others.entry(person.login.clone()).or_default();
            *writes |= person.writing;
        }
        others.into_iter().collect()
    }

    /// Says what came of an act on many incidents.
    pub fn say_result(&mut self, tone: Tone, text: String) {
        self.show(Notice { text, tone, at: self.now, is_result: true });
    }

    /// Shows a notice, and keeps it to be read again. What came of an act on many is kept once it is
    /// over: each step of it takes the place of the one before.
    pub(super) fn show(&mut self, notice: Notice) {
        if self.said.back().is_some_and(|last| last.is_result && notice.is_result) {
            self.said.pop_back();
        }
        self.said.push_back(notice.clone());
        if self.said.len() > SAID_MAX {
            self.said.pop_front();
        }
        self.notice = Some(notice);
    }

    /// Says what happens meanwhile: what came of an act on many is still to be read.
    pub fn say_beside(&mut self, tone: Tone, text: &str) {
        let Some(result) = self.notice.as_ref().filter(|notice| notice.is_result) else {
            return self.say(tone, text);
        };
        let before = result.text.split(" | ").next().unwrap_or_default();
        // Shown beside it, and kept by itself: the next one takes its place on the screen.
        let at = self.said.len().saturating_sub(1);
        let alone = Notice { text: text.to_owned(), tone, at: self.now, is_result: false };
        self.said.insert(at, alone);
        let text = format!("{before} | {text}");
        self.say_result(tone, text);
    }

    /// What was typed too early is not done. More of it may come, and none of that may be taken for
    /// keys: all are put aside until the person has read why.
    pub fn drop_held(&mut self, why: &str) {
        let keys = self.held.iter().filter(|held| !matches!(held, Held::Act(..))).count();
        self.held.clear();
        let typed = match keys {
            0 => String::new(),
            1 => " One key that you struck after it is lost.".to_owned(),
            n => format!(" {n} keys that you struck after it are lost."),
        };
        self.dropped = format!("Nothing was done: {why}.{typed}\nesc goes on");
        self.modals.push(Modal::Page { what: Reading::Dropped, scroll: 0 });
    }

    /// Whether only esc is a key now.
    pub fn is_deaf(&self) -> bool {
        matches!(self.modals.last(), Some(Modal::Page { what: Reading::Dropped, .. }))
    }
}
