//! From what the public was told to what is published.
//!
//! Invariants:
//! - Names come from the plan's public names, words from what was sent to the status page; nothing
//!   else of an incident, a service or a window is here.

use super::model::{
    Component, ComponentStatus, IncidentStatus, Maintenance, MaintenanceStatus, Page,
    PublicIncident, PublicUpdate, Site,
};
use super::uptime::Interval;
use crate::domain::board::{Board, Published, Span};
use crate::domain::duty::{Window, WindowStage};
use crate::domain::ids::IncidentId;
use crate::domain::markup::token;
use crate::domain::plan::Service;
use crate::domain::room::Room;
use crate::domain::time::Timestamp;
use crate::domain::words::PublicStatus;

/// What is published as the room stands.
pub fn site(room: &Room) -> Site {
    let (plan, board) = (&room.plan, &room.board);
    let is_told = |window: &&Window| !window.public.is_empty();
    let windows = || room.desk.windows.values().filter(is_told);
    let shown = plan.services.iter().filter(|(_, service)| !service.public_name.is_empty());
    let name = plan.page.shown_name();
    let incidents: Vec<PublicIncident> = board
        .incidents
        .iter()
        .filter(|(_, known)| known.status != PublicStatus::Unpublished)
        .map(|(id, known)| incident(known.named.unwrap_or(*id), known, room))
        .collect();
    let maintenances: Vec<Maintenance> = windows().map(|it| maintenance(it, room)).collect();
    let changes = incidents.iter().map(|it| it.updated_at);
    let changes = changes.chain(maintenances.iter().map(|it| it.updated_at));
    Site {
        page: Page {
            id: if board.page.is_empty() { token(name) } else { board.page.clone() },
            name: name.to_owned(),
            url: plan.page.url.clone(),
            zone: plan.page.zone.parse().unwrap_or(chrono_tz::UTC),
            updated_at: changes.fold(board.changed_at, Timestamp::max),
        },
        components: shown
            .map(|(service, known)| component(board, windows(), service, known))
            .collect(),
        incidents,
        maintenances,
    }
}

fn component<'a>(
    board: &Board,
    windows: impl Iterator<Item = &'a Window>,
    service: &str,
    known: &Service,
) -> Component {
    let spans: Vec<&Span> = board
        .incidents
        .values()
        .flat_map(|incident| &incident.spans)
        .filter(|span| span.service == service)
        .collect();
    let worst = spans.iter().filter(|span| span.until.is_none()).map(|span| span.status).max();
    let names =
        |window: &&Window| window.services.iter().any(|name| name == service || name == "*");
    let worked_on = windows.filter(names).filter(|window| window.stage == WindowStage::Open);
    let worked_on = worked_on.map(|window| window.from).max();
    let is_worked_on = worked_on.is_some();
    let calm =
        if is_worked_on { ComponentStatus::UnderMaintenance } else { ComponentStatus::Operational };
    let created_at = board.shown.get(service).copied().unwrap_or(board.changed_at);
    let changes = spans.iter().flat_map(|span| [Some(span.from), span.until]).flatten();
    let changes = changes.chain(worked_on);
    let is_down = |span: &&&Span| span.status >= ComponentStatus::PartialOutage;
    Component {
        id: board.component(service),
        name: known.public_name.clone(),
        group: Some(known.public_group.clone()).filter(|group| !group.is_empty()),
        description: String::new(),
        status: worst.unwrap_or(calm).max(calm),
        created_at,
        updated_at: changes.max().unwrap_or(created_at),
        downtime: spans
            .iter()
            .filter(is_down)
            .map(|span| Interval { from: span.from, until: span.until })
            .collect(),
    }
}

const fn status(status: PublicStatus) -> IncidentStatus {
    match status {
        PublicStatus::Unpublished | PublicStatus::Investigating => IncidentStatus::Investigating,
        PublicStatus::Identified => IncidentStatus::Identified,
        PublicStatus::Monitoring => IncidentStatus::Monitoring,
        PublicStatus::Resolved => IncidentStatus::Resolved,
    }
}

fn incident(id: IncidentId, known: &Published, room: &Room) -> PublicIncident {
    let plan = &room.plan;
    let is_shown = |name: &String| {
        plan.services.get(name).is_some_and(|service| !service.public_name.is_empty())
    };
    let mut components: Vec<String> = known
        .spans
        .iter()
        .map(|span| &span.service)
        .filter(|name| is_shown(name))
        .map(|name| room.board.component(name))
        .collect();
    components.sort();
    components.dedup();
    PublicIncident {
        // Its number, and no more of it, so that a link stays good.
        id: format!("i{}", id.0),
        name: known.name.clone(),
        status: status(known.status),
        impact: known.impact,
        created_at: known.at,
        updated_at: known.changed_at.max(known.at),
        monitoring_at: known.monitoring_at,
        resolved_at: known.resolved_at,
        components,
        updates: known
            .words
            .iter()
            .map(|word| PublicUpdate {
                id: format!("u{}", word.seq),
                status: status(word.status),
                body: word.text.clone(),
                display_at: word.at,
                created_at: word.at,
            })
            .collect(),
    }
}

fn maintenance(window: &Window, room: &Room) -> Maintenance {
    let plan = &room.plan;
    let is_named =
        |name: &&String| window.services.iter().any(|service| service == *name || service == "*");
    let shown = plan.services.iter().filter(|(_, service)| !service.public_name.is_empty());
    let created: Timestamp = window.planned_at.unwrap_or(window.from);
    let name = window.public.lines().next().unwrap_or_default();
    if let Some(at) = window.ended_at.filter(|_| window.is_called_off()) {
        // Whoever read of it must not look for it in vain.
        return Maintenance {
            id: format!("m{}", window.id),
            name: format!("Called off: {name}"),
            status: MaintenanceStatus::Completed,
            body: format!("This maintenance does not take place.\n\n{}", window.public),
            created_at: created,
            updated_at: at.max(created),
            scheduled_for: window.from,
            scheduled_until: window.until,
            components: Vec::new(),
        };
    }
    Maintenance {
        id: format!("m{}", window.id),
        name: name.to_owned(),
        status: match window.stage {
            WindowStage::Planned => MaintenanceStatus::Scheduled,
            WindowStage::Open => MaintenanceStatus::InProgress,
            WindowStage::Over => MaintenanceStatus::Completed,
        },
        body: window.public.clone(),
        created_at: created,
        updated_at: match window.stage {
            WindowStage::Planned => created,
            // What begins at once may be planned a moment after its beginning.
            WindowStage::Open => window.from.max(created),
            WindowStage::Over => window.end().max(created),
        },
        scheduled_for: window.from,
        scheduled_until: window.until,
        components: shown
            .map(|(name, _)| name)
            .filter(is_named)
            .map(|name| room.board.component(name))
            .collect(),
    }
}
