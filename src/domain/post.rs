//! What comes in from senders of alerts and from imported histories, read and capped.

use serde::{Deserialize, Serialize};

use crate::domain::change::Change;
use crate::domain::event::AlertFacts;
use crate::domain::time::Timestamp;
use crate::domain::words::Severity;

/// A post from a sender of alerts, read and capped.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Post {
    /// The token's name, or the protocol where no token is asked for.
    pub source: String,
    /// The sender's own group, if it has one.
    pub group: Option<String>,
    pub alerts: Vec<Incoming>,
    /// How many the sender left out.
    pub truncated: u32,
}

/// One alert of a post.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Incoming {
    /// Identity within the source.
    pub fingerprint: String,
    pub signal: Signal,
    /// The sender's word for severity.
    pub severity_word: String,
    pub facts: AlertFacts,
}

/// What an alert's post says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signal {
    /// It fires.
    #[default]
    Firing,
    /// It is over.
    Resolved,
    /// Somebody acknowledged it at the sender.
    Acknowledged,
}

/// An incident from another system, with its history in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedIncident {
    /// `servicenow:INC0000045`.
    pub external: String,
    pub title: String,
    pub severity: Severity,
    pub services: Vec<String>,
    pub opened_at: Timestamp,
    /// What happened, with the original times.
    pub history: Vec<(Timestamp, Change)>,
}
