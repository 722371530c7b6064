//! Incidents of a Statuspage as JSON Lines, with every public update. Maintenance is imported but
//! stays out of the metrics.

use serde::Deserialize;

use crate::cli::histories::{History, finish};
use crate::domain::change::Change;
use crate::domain::post::ImportedIncident;
use crate::domain::stakeholder::Audience;
use crate::domain::time::Timestamp;
use crate::domain::words::{PublicStatus, Severity};

#[derive(Deserialize)]
struct Line {
    id: String,
    #[serde(default)]
    title: String,
    started_at: Timestamp,
    #[serde(default)]
    resolved_at: Option<Timestamp>,
    #[serde(default)]
    downtime_start: Option<Timestamp>,
    #[serde(default)]
    downtime_end: Option<Timestamp>,
    #[serde(default)]
    updates: Vec<Update>,
    #[serde(default)]
    impact: String,
    #[serde(default)]
    components: Vec<String>,
}

#[derive(Deserialize)]
struct Update {
    at: Timestamp,
    #[serde(default)]
    status: String,
    #[serde(default)]
    message: String,
}

/// Reads the lines.
pub(super) fn read(bytes: &[u8]) -> History {
    let mut history = History::default();
    for (index, text) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        history.rows += 1;
        let line = index as u64 + 1;
        match serde_json::from_slice::<Line>(text) {
            Ok(read) => one(&mut history, line, read),
            Err(error) => history.odd(line, format!("not readable, left out: {error}")),
        }
    }
    history
}

fn one(history: &mut History, number: u64, line: Line) {
    let severity = match line.impact.as_str() {
        "critical" => Severity::Sev1,
        "major" => Severity::Sev2,
        "minor" => Severity::Sev3,
        "none" | "maintenance" => Severity::Sev5,
        other => {
            history.odd(
                number,
                format!("{}: the impact '{other}' is not known; SEV3 was kept", line.id),
            );
            Severity::Sev3
        }
    };
    let mut steps = Vec::new();
    if line.impact == "maintenance" {
        let label = "exclude_from_metrics".to_owned();
        steps.push((
            line.started_at,
            Change::LabelSet { label, value: Some("maintenance".to_owned()) },
        ));
    }
    let mut last = line.started_at;
    for update in line.updates {
        if update.at < last {
            history.odd(
                number,
                format!(
                    "{}: an update at {} stands after a later one; put in order",
                    line.id, update.at
                ),
            );
        }
        last = update.at;
        let status = match update.status.as_str() {
            "Investigating" => Some(PublicStatus::Investigating),
            "Identified" => Some(PublicStatus::Identified),
            "Monitoring" => Some(PublicStatus::Monitoring),
            "Resolved" => Some(PublicStatus::Resolved),
            _ => None,
        };
        steps.extend(status.map(|status| (update.at, Change::PublicStatusSet { status })));
        let (stakeholder, channel) = ("public".to_owned(), "status page".to_owned());
        let text = format!("{}: {}", update.status, update.message);
        steps.push((
            update.at,
            Change::ContactLogged {
                stakeholder,
                channel,
                text,
                next_by: None,
                audience: Some(Audience::Public),
                last: false,
                person: String::new(),
                asked: String::new(),
                aside: false,
            },
        ));
    }
    let resolved = line.downtime_end.or(line.resolved_at);
    finish(&mut steps, resolved, resolved);
    history.incidents.push(ImportedIncident {
        external: format!("statuspage:{}", line.id),
        title: line.title,
        severity,
        services: line.components,
        opened_at: line.downtime_start.unwrap_or(line.started_at),
        history: steps,
    });
}
