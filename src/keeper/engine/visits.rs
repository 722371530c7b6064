//! Incidents that are over and come back into the room for a moment, because something is decided about
//! them.

use crate::domain::command::Command;
use crate::domain::ids::IncidentId;
use crate::domain::incident::Stage;
use crate::keeper::engine::{Archive, Engine};

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
}
