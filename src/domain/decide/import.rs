//! Histories that are imported, and receipts of what was not taken as alerts.
//!
//! Invariants:
//! - What was imported once is not imported again.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each file decides its own commands; `route` is the exhaustive list"
)]

use std::collections::BTreeMap;

use crate::domain::change::{Change, Opened};
use crate::domain::command::{Command, Order};
use crate::domain::decide::said::first_line;
use crate::domain::decide::{Decision, TITLE_MAX, already, bad};
use crate::domain::event::Body;
use crate::domain::ids::IncidentId;
use crate::domain::post::ImportedIncident;
use crate::domain::room::Room;
use crate::domain::words::Origin;

/// Receipts and change events.
pub(super) fn note(order: &Order) -> Decision {
    match &order.command {
        Command::NoteChange { source, summary, origin, details } => {
            Ok(vec![Body::ChangeReceived {
                source: source.clone(),
                summary: summary.clone(),
                origin: origin.clone(),
                details: details.clone(),
            }])
        }
        Command::RefusePost { source, status, reason, excerpt, count } => {
            Ok(vec![Body::PostRefused {
                source: source.clone(),
                status: *status,
                reason: reason.clone(),
                excerpt: excerpt.clone(),
                count: *count,
            }])
        }
        _ => Err(bad("not a receipt", "this is a defect; please report it")),
    }
}

/// One incident of an imported history; a second import of the same one changes nothing.
pub(super) fn import(room: &Room, imported: &ImportedIncident) -> Decision {
    if let Some(id) = room.externals.get(&imported.external) {
        return Err(already(format!("{} is here as {id}", imported.external)));
    }
    let incident = IncidentId(room.last_incident + 1);
    let opened = Opened {
        title: first_line(&imported.title, TITLE_MAX),
        origin: Origin::Import,
        severity: imported.severity,
        because: "imported".to_owned(),
        services: imported.services.clone(),
        labels: BTreeMap::new(),
        group: None,
        external: Some(imported.external.clone()),
        declared: true,
        reopen_within_s: 0,
        again: String::new(),
        policy: None,
    };
    let opening = Body::Incident { incident, change: Change::Opened(Box::new(opened)) };
    let history = imported.history.iter();
    Ok(std::iter::once(opening)
        .chain(history.map(|(_, change)| Body::Incident { incident, change: change.clone() }))
        .collect())
}
