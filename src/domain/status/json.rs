//! The JSON files that status page clients read: `summary.json` and its kin.
//!
//! The shape is that of the public status API of Atlassian Statuspage (version 2), of which the
//! keys that clients use are written.
//!
//! Invariants:
//! - A key is always there; what is not known is null.

use serde::Serialize;

use super::model::{
    Component, ComponentStatus, Impact, IncidentStatus, Maintenance, MaintenanceStatus, Page,
    PublicIncident, PublicUpdate, Site,
};
use crate::domain::markup::token;
use crate::domain::text::hex;
use crate::domain::time::Timestamp;

/// The incidents that `incidents.json` holds at most, as clients expect.
const INCIDENTS_MAX: usize = 50;

/// How bad everything together is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Indicator {
    /// Nothing is wrong.
    None,
    /// Something is slower or less reliable than it should be.
    Minor,
    /// Something does not work for some.
    Major,
    /// Something does not work.
    Critical,
}

/// The whole page in one value, from which each file takes its part.
#[derive(Serialize)]
pub(super) struct Body<'a> {
    page: PageOut<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<StatusOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    components: Option<Vec<ComponentOut<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incidents: Option<Vec<IncidentOut<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_maintenances: Option<Vec<MaintenanceOut<'a>>>,
}

#[derive(Serialize)]
struct PageOut<'a> {
    id: &'a str,
    name: &'a str,
    url: &'a str,
    time_zone: &'static str,
    updated_at: Timestamp,
}

#[derive(Serialize)]
struct StatusOut {
    indicator: Indicator,
    description: &'static str,
}

#[derive(Serialize)]
struct ComponentOut<'a> {
    id: String,
    name: &'a str,
    status: ComponentStatus,
    created_at: Timestamp,
    updated_at: Timestamp,
    position: usize,
    description: Option<&'a str>,
    group: bool,
    group_id: Option<String>,
    page_id: &'a str,
    only_show_if_degraded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    components: Option<Vec<&'a str>>,
}

#[derive(Serialize)]
struct IncidentOut<'a> {
    id: &'a str,
    name: &'a str,
    status: IncidentStatus,
    impact: Impact,
    created_at: Timestamp,
    updated_at: Timestamp,
    monitoring_at: Option<Timestamp>,
    resolved_at: Option<Timestamp>,
    shortlink: String,
    page_id: &'a str,
    incident_updates: Vec<UpdateOut<'a>>,
    components: Vec<ComponentOut<'a>>,
}

#[derive(Serialize)]
struct UpdateOut<'a> {
    id: &'a str,
    status: IncidentStatus,
    body: &'a str,
    incident_id: &'a str,
    display_at: Timestamp,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize)]
struct MaintenanceOut<'a> {
    id: &'a str,
    name: &'a str,
    status: MaintenanceStatus,
    impact: Impact,
    created_at: Timestamp,
    updated_at: Timestamp,
    monitoring_at: Option<Timestamp>,
    resolved_at: Option<Timestamp>,
    shortlink: String,
    scheduled_for: Timestamp,
    scheduled_until: Timestamp,
    page_id: &'a str,
    incident_updates: Vec<MaintenanceUpdateOut<'a>>,
    components: Vec<ComponentOut<'a>>,
}

#[derive(Serialize)]
struct MaintenanceUpdateOut<'a> {
    id: &'a str,
    status: MaintenanceStatus,
    body: &'a str,
    incident_id: &'a str,
    display_at: Timestamp,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// Which parts a file has.
pub(super) enum Part {
    Summary,
    Status,
    Components,
    Incidents,
    Unresolved,
    Maintenances,
}

/// How bad everything together is, and that in words.
pub fn indicator(site: &Site) -> (Indicator, &'static str) {
    let of_component = |component: &Component| match component.status {
        ComponentStatus::Operational | ComponentStatus::UnderMaintenance => Indicator::None,
        ComponentStatus::DegradedPerformance => Indicator::Minor,
        ComponentStatus::PartialOutage => Indicator::Major,
        ComponentStatus::MajorOutage => Indicator::Critical,
    };
    let of_incident = |incident: &PublicIncident| match incident.impact {
        Impact::None | Impact::Maintenance => Indicator::None,
        Impact::Minor => Indicator::Minor,
        Impact::Major => Indicator::Major,
        Impact::Critical => Indicator::Critical,
    };
    let open = site.incidents.iter().filter(|incident| incident.status.is_open());
    let worst = site.components.iter().map(of_component).chain(open.map(of_incident)).max();
    let is_maintained =
        site.components.iter().any(|c| c.status == ComponentStatus::UnderMaintenance)
            || site.maintenances.iter().any(|m| m.status == MaintenanceStatus::InProgress);
    match worst.unwrap_or(Indicator::None) {
        Indicator::None if is_maintained => (Indicator::None, "Maintenance in progress"),
        Indicator::None => (Indicator::None, "All systems operational"),
        Indicator::Minor => (Indicator::Minor, "Minor disruption"),
        Indicator::Major => (Indicator::Major, "Partial disruption"),
        Indicator::Critical => (Indicator::Critical, "Major disruption"),
    }
}

impl<'a> Body<'a> {
    /// The part of a clean site that a file holds.
    pub(super) fn of(site: &'a Site, part: &Part) -> Self {
        let mut body = Self {
            page: page(&site.page),
            status: None,
            components: None,
            incidents: None,
            scheduled_maintenances: None,
        };
        let open: fn(&PublicIncident) -> bool = |incident| incident.status.is_open();
        match part {
            Part::Status => body.status = Some(status(site)),
            Part::Components => body.components = Some(components(site)),
            Part::Incidents => body.incidents = Some(incidents(site, |_| true)),
            Part::Unresolved => body.incidents = Some(incidents(site, open)),
            Part::Maintenances => {
                body.scheduled_maintenances = Some(maintenances(site, |_| true));
            }
            Part::Summary => {
                body.status = Some(status(site));
                body.components = Some(components(site));
                body.incidents = Some(incidents(site, open));
                let is_ahead = |m: &Maintenance| m.status != MaintenanceStatus::Completed;
                body.scheduled_maintenances = Some(maintenances(site, is_ahead));
            }
        }
        body
    }
}

fn page(page: &Page) -> PageOut<'_> {
    PageOut {
        id: &page.id,
        name: &page.name,
        url: &page.url,
        time_zone: page.zone.name(),
        updated_at: page.updated_at,
    }
}

fn status(site: &Site) -> StatusOut {
    let (indicator, description) = indicator(site);
    StatusOut { indicator, description }
}

/// The address of an element of the page.
pub(super) fn shortlink(page: &Page, anchor: &str) -> String {
    format!("{}/#{anchor}", page.url)
}

/// The id of an incident's element in the page.
pub(super) fn incident_anchor(id: &str) -> String {
    format!("incident-{}", token(id))
}

/// The id of the element of a maintenance in the page.
pub(super) fn maintenance_anchor(id: &str) -> String {
    format!("maintenance-{}", token(id))
}

/// What a group is known by: made of its name, so that it stays when the order changes.
fn group_id(name: &str) -> String {
    use sha2::{Digest, Sha256};
    format!("group-{}", &hex(&Sha256::digest(name.as_bytes()))[..12])
}

/// Groups and components in the order of the site, a group right before its first component.
fn components(site: &Site) -> Vec<ComponentOut<'_>> {
    let mut out: Vec<ComponentOut<'_>> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for component in &site.components {
        if let Some(name) = component.group.as_deref().filter(|name| !seen.contains(name)) {
            seen.push(name);
            out.extend(group(site, name, out.len() + 1));
        }
        out.push(single(&site.page, component, out.len() + 1));
    }
    out
}

fn single<'a>(page: &'a Page, component: &'a Component, position: usize) -> ComponentOut<'a> {
    ComponentOut {
        id: component.id.clone(),
        name: &component.name,
        status: component.status,
        created_at: component.created_at,
        updated_at: component.updated_at,
        position,
        description: Some(component.description.as_str()).filter(|text| !text.is_empty()),
        group: false,
        group_id: component.group.as_deref().map(group_id),
        page_id: &page.id,
        only_show_if_degraded: false,
        components: None,
    }
}

/// A group is as its worst component is.
fn group<'a>(site: &'a Site, name: &'a str, position: usize) -> Option<ComponentOut<'a>> {
    let members = || site.components.iter().filter(|c| c.group.as_deref() == Some(name));
    Some(ComponentOut {
        id: group_id(name),
        name,
        status: members().map(|c| c.status).max()?,
        created_at: members().map(|c| c.created_at).min()?,
        updated_at: members().map(|c| c.updated_at).max()?,
        position,
        description: None,
        group: true,
        group_id: None,
        page_id: &site.page.id,
        only_show_if_degraded: false,
        components: Some(members().map(|c| c.id.as_str()).collect()),
    })
}

fn affected<'a>(site: &'a Site, ids: &[String]) -> Vec<ComponentOut<'a>> {
    let all = components(site).into_iter();
    all.filter(|c| !c.group && ids.contains(&c.id)).collect()
}

fn incidents(site: &Site, keep: impl Fn(&PublicIncident) -> bool) -> Vec<IncidentOut<'_>> {
    let mut kept: Vec<&PublicIncident> = site.incidents.iter().filter(|i| keep(i)).collect();
    kept.sort_by_key(|incident| std::cmp::Reverse((incident.created_at, &incident.id)));
    kept.into_iter().take(INCIDENTS_MAX).map(|incident| one(site, incident)).collect()
}

fn one<'a>(site: &'a Site, incident: &'a PublicIncident) -> IncidentOut<'a> {
    IncidentOut {
        id: &incident.id,
        name: &incident.name,
        status: incident.status,
        impact: incident.impact,
        created_at: incident.created_at,
        updated_at: incident.updated_at,
        monitoring_at: incident.monitoring_at,
        resolved_at: incident.resolved_at,
        shortlink: shortlink(&site.page, &incident_anchor(&incident.id)),
        page_id: &site.page.id,
        incident_updates: newest_first(incident)
            .into_iter()
            .map(|update| UpdateOut {
                id: &update.id,
                status: update.status,
                body: &update.body,
                incident_id: &incident.id,
                display_at: update.display_at,
                created_at: update.created_at,
                updated_at: update.created_at,
            })
            .collect(),
        components: affected(site, &incident.components),
    }
}

/// What was said, the newest first, as clients expect.
pub(super) fn newest_first(incident: &PublicIncident) -> Vec<&PublicUpdate> {
    let mut updates: Vec<&PublicUpdate> = incident.updates.iter().collect();
    updates.sort_by_key(|update| std::cmp::Reverse((update.display_at, update.created_at)));
    updates
}

fn maintenances(site: &Site, keep: impl Fn(&Maintenance) -> bool) -> Vec<MaintenanceOut<'_>> {
    let mut kept: Vec<&Maintenance> = site.maintenances.iter().filter(|m| keep(m)).collect();
    kept.sort_by_key(|maintenance| (maintenance.scheduled_for, &maintenance.id));
    kept.into_iter().map(|maintenance| planned(site, maintenance)).collect()
}

fn planned<'a>(site: &'a Site, maintenance: &'a Maintenance) -> MaintenanceOut<'a> {
    let is_over = maintenance.status == MaintenanceStatus::Completed;
    MaintenanceOut {
        id: &maintenance.id,
        name: &maintenance.name,
        status: maintenance.status,
        impact: Impact::Maintenance,
        created_at: maintenance.created_at,
        updated_at: maintenance.updated_at,
        monitoring_at: None,
        resolved_at: is_over.then_some(maintenance.updated_at),
        shortlink: shortlink(&site.page, &maintenance_anchor(&maintenance.id)),
        scheduled_for: maintenance.scheduled_for,
        scheduled_until: maintenance.scheduled_until,
        page_id: &site.page.id,
        incident_updates: vec![MaintenanceUpdateOut {
            id: &maintenance.id,
            status: maintenance.status,
            body: &maintenance.body,
            incident_id: &maintenance.id,
            display_at: maintenance.created_at,
            created_at: maintenance.created_at,
            updated_at: maintenance.updated_at,
        }],
        components: affected(site, &maintenance.components),
    }
}
