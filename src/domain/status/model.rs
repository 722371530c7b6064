//! What is published: a page, its components, incidents and maintenance.
//!
//! Invariants:
//! - The words are those of the JSON that status page clients read.
//! - Nothing of an incident is here that the public may not see.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::uptime::Interval;
use crate::domain::time::Timestamp;

/// Everything that is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// The page itself.
    pub page: Page,
    /// Its components, in the order in which they are shown.
    pub components: Vec<Component>,
    /// Incidents, in any order.
    pub incidents: Vec<PublicIncident>,
    /// Maintenance, in any order.
    pub maintenances: Vec<Maintenance>,
}

/// The page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// What clients know it by.
    pub id: String,
    /// Whose status it is.
    pub name: String,
    /// Where it is served, without a file name; links are left out where it is no web address.
    pub url: String,
    /// The zone in which times and days are told.
    pub zone: Tz,
    /// When what it says last changed.
    pub updated_at: Timestamp,
}

/// Something that people use and that can fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// What clients know it by.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The group it is shown in.
    pub group: Option<String>,
    /// What it is for; may be empty.
    pub description: String,
    /// How it is.
    pub status: ComponentStatus,
    /// Since when it is shown; days before have no uptime.
    pub created_at: Timestamp,
    /// When its status last changed.
    pub updated_at: Timestamp,
    /// When it was down; may overlap.
    pub downtime: Vec<Interval>,
}

/// How a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComponentStatus {
    Operational,
    UnderMaintenance,
    DegradedPerformance,
    PartialOutage,
    MajorOutage,
}

/// How bad an incident is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    None,
    /// Of planned work only.
    Maintenance,
    Minor,
    Major,
    Critical,
}

/// How far an incident has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentStatus {
    Investigating,
    Identified,
    Monitoring,
    Resolved,
    /// Resolved, with a report on it.
    Postmortem,
}

/// How far maintenance has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaintenanceStatus {
    Scheduled,
    InProgress,
    Verifying,
    Completed,
}

/// An incident, as the public sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicIncident {
    /// What clients know it by.
    pub id: String,
    /// Its public title.
    pub name: String,
    /// How far it has come.
    pub status: IncidentStatus,
    /// How bad it is.
    pub impact: Impact,
    /// When it was published.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Since when its remedy is watched.
    pub monitoring_at: Option<Timestamp>,
    /// When it ended.
    pub resolved_at: Option<Timestamp>,
    /// The ids of the components it affects.
    pub components: Vec<String>,
    /// What was said, in any order.
    pub updates: Vec<PublicUpdate>,
}

/// One thing that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicUpdate {
    /// What clients know it by.
    pub id: String,
    /// How far the incident had come.
    pub status: IncidentStatus,
    /// The words.
    pub body: String,
    /// The time it is shown with.
    pub display_at: Timestamp,
    /// When it was published.
    pub created_at: Timestamp,
}

/// Planned work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintenance {
    /// What clients know it by.
    pub id: String,
    /// Its title.
    pub name: String,
    /// How far it has come.
    pub status: MaintenanceStatus,
    /// What it means for those who use the components.
    pub body: String,
    /// When it was published.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it begins.
    pub scheduled_for: Timestamp,
    /// When it ends.
    pub scheduled_until: Timestamp,
    /// The ids of the components it affects.
    pub components: Vec<String>,
}

impl Maintenance {
    /// When it ends, or ended, whatever was planned.
    pub fn ends_at(&self) -> Timestamp {
        let planned = self.scheduled_until;
        let is_over = self.status == MaintenanceStatus::Completed && !self.is_called_off();
        if is_over { planned.min(self.updated_at) } else { planned }
    }

    /// It was over before it began.
    pub fn is_called_off(&self) -> bool {
        self.status == MaintenanceStatus::Completed && self.updated_at < self.scheduled_for
    }

    /// When it belongs to the past.
    pub fn is_past_since(&self) -> Timestamp {
        if self.is_called_off() { self.updated_at } else { self.scheduled_for }
    }
}

impl ComponentStatus {
    /// What people read.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Operational => "Operational",
            Self::UnderMaintenance => "Under maintenance",
            Self::DegradedPerformance => "Degraded performance",
            Self::PartialOutage => "Partial outage",
            Self::MajorOutage => "Major outage",
        }
    }
}

impl Impact {
    /// What people read.
    pub const fn words(self) -> &'static str {
        match self {
            Self::None => "No impact",
            Self::Maintenance => "Maintenance",
            Self::Minor => "Minor impact",
            Self::Major => "Major impact",
            Self::Critical => "Critical impact",
        }
    }
}

impl IncidentStatus {
    /// Whether it goes on.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Investigating | Self::Identified | Self::Monitoring)
    }

    /// What people read.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Investigating => "Investigating",
            Self::Identified => "Identified",
            Self::Monitoring => "Monitoring",
            Self::Resolved => "Resolved",
            Self::Postmortem => "Report",
        }
    }
}

impl MaintenanceStatus {
    /// What people read.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Scheduled => "Scheduled",
            Self::InProgress => "In progress",
            Self::Verifying => "Verifying",
            Self::Completed => "Completed",
        }
    }
}
