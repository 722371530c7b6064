//! Incidents that are over and come back into the room for a moment, because something is decided about
//! them.

use crate::domain::command::Command;
use crate::domain::ids::IncidentId;
use crate::domain::incident::{Incident, Stage};
use crate::keeper::engine::{Archive, Engine};

/// Merges that are followed from one incident to the next.
const MERGES_MAX: usize = 64;

impl Engine {
    /// Brings in all incidents that a command is about; those that must leave again.
    pub(super) fn visit(&mut self, command: &Command, archive: &dyn Archive) -> Vec<IncidentId> {
        let mut wanted = vec![command.incident(), command.other_incident()];
        let mut visiting = Vec::new();
        while let Some(next) = wanted.pop() {
            let Some(id) = next else { continue };
            if self.fetch(id, archive) {
                visiting.push(id);
            }
            // What became part of another one may have gone on with it into a third.
            if matches!(command, Command::Unmerge { .. })
                && let Some(incident) = self.room.incidents.get(&id)
                && let Stage::Merged { into, .. } = incident.stage
            {
                wanted.push(Some(into));
            }
        }
        visiting
    }

    /// Brings an incident that is over back into the room, to decide about it.
    pub(super) fn fetch(&mut self, id: IncidentId, archive: &dyn Archive) -> bool {
        if self.room.incidents.contains_key(&id) || id.0 == 0 || id.0 > self.room.last_incident {
            return false;
        }
        match self.limbo.remove(&id).or_else(|| archive.incident(id)) {
            Some(incident) => {
                self.room.hydrate(incident);
                true
            }
            None => false,
        }
    }

    /// An incident as it is, wherever it is kept; the room does not change.
    pub(super) fn known(&self, id: IncidentId, archive: &dyn Archive) -> Option<Incident> {
        let here = self.room.incidents.get(&id).map(|incident| (**incident).clone());
        here.or_else(|| self.limbo.get(&id).cloned()).or_else(|| archive.incident(id))
    }

    /// The incident that goes on for this one: itself, or the one that it became part of.
    pub(super) fn survivor(&self, id: IncidentId, archive: &dyn Archive) -> Option<IncidentId> {
        let mut id = id;
        for _ in 0..MERGES_MAX {
            if self.room.incidents.get(&id).is_some_and(|it| it.phase().is_live()) {
                return Some(id);
            }
            match self.known(id, archive)?.stage {
                Stage::Merged { into, .. } => id = into,
                _ => return None,
            }
        }
        None
    }
}
