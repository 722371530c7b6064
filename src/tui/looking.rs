//! What is looked at, and whether somebody writes meanwhile.

use crate::domain::incident::Incident;
use crate::domain::time::Timestamp;
use crate::tui::form::Form;
use crate::tui::model::{Modal, Model};

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
}
