//! Incidents of a Statuspage as JSON Lines, with every public update. Maintenance is imported but
//! stays out of the metrics.

use std::collections::BTreeSet;

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
    let mut seen = BTreeSet::new();
    for (index, text) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        history.rows += 1;
        let line = index as u64 + 1;
        match serde_json::from_slice::<Line>(text) {
            Ok(read) => one(&mut history, &mut seen, line, read),
            Err(error) => history.odd(line, format!("not readable, left out: {error}")),
        }
    }
    history
}

/// What the public read, update by update.
fn said(history: &mut History, number: u64, line: &Line, steps: &mut Vec<(Timestamp, Change)>) {
    let mut last = line.started_at;
    for update in &line.updates {
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
        history.check_time(number, &line.id, Some(update.at));
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
}

/// How severe it was, by its impact.
fn severity_of(history: &mut History, number: u64, line: &Line) -> Severity {
    match line.impact.as_str() {
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
    }
}

fn one(history: &mut History, seen: &mut BTreeSet<String>, number: u64, mut line: Line) {
    let external = format!("statuspage:{}", line.id);
    if !seen.insert(line.id.clone()) {
        history.odd(number, format!("{} stands above already; this one was left out", line.id));
        return;
    }
    if line.title.trim().is_empty() {
        history.odd(number, format!("{} has no title", line.id));
        line.title = format!("incident {}", line.id);
    }
    let began = line.downtime_start.unwrap_or(line.started_at);
    let ended = line.downtime_end.or(line.resolved_at);
    if let Some(at) = ended.filter(|at| *at < began) {
        history.odd(number, format!("{}: resolved at {at}, before it began; left out", line.id));
    }
    history.check_time(number, &line.id, ended);
    let severity = severity_of(history, number, &line);
    let mut steps = Vec::new();
    if line.impact == "maintenance" {
        let label = "exclude_from_metrics".to_owned();
        steps.push((
            line.started_at,
            Change::LabelSet { label, value: Some("maintenance".to_owned()) },
        ));
    }
    said(history, number, &line, &mut steps);
    let resolved = ended.filter(|at| *at >= began);
    finish(&mut steps, resolved, resolved);
    history.incidents.push(ImportedIncident {
        external,
        title: line.title,
        severity,
        services: line.components,
        opened_at: began,
        history: steps,
    });
}
