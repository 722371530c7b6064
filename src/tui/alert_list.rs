//! The alerts of one incident as a list to choose from.
//!
//! Invariants:
//! - What is chosen is named by the alert's key, so a list that changed cannot mean another alert.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::ids::IncidentId;
use crate::tui::action::Action;

/// An alert, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRow {
    pub key: String,
    pub name: String,
    /// In words.
    pub state: String,
    pub is_flapping: bool,
    /// How often it was posted.
    pub repeats: u32,
    /// What differs from alerts of the same name comes first.
    pub labels: String,
    pub pairs: BTreeMap<String, String>,
}

/// The alerts of an incident, to choose from.
#[derive(Debug)]
pub struct AlertList {
    pub incident: IncidentId,
    /// What enter does to the chosen ones.
    pub purpose: Action,
    pub rows: Vec<AlertRow>,
    pub at: usize,
    /// Keys of alerts.
    pub marks: BTreeSet<String>,
}

impl Default for AlertList {
    fn default() -> Self {
        let (incident, purpose) = (IncidentId(0), Action::Alerts);
        Self { incident, purpose, rows: Vec::new(), at: 0, marks: BTreeSet::new() }
    }
}

impl AlertList {
    /// The marked ones in the order of the list, else the one under the cursor.
    pub fn chosen(&self) -> Vec<String> {
        let is_chosen = |(index, row): &(usize, &AlertRow)| {
            if self.marks.is_empty() { *index == self.at } else { self.marks.contains(&row.key) }
        };
        self.rows.iter().enumerate().filter(is_chosen).map(|(_, row)| row.key.clone()).collect()
    }
}
