//! `ServiceNow`'s incident event log: one row for each update of an incident; times without a zone
//! are read as UTC.

use std::collections::BTreeMap;

use crate::cli::histories::{History, column, finish, noted};
use crate::cli::out::Failure;
use crate::domain::change::Change;
use crate::domain::post::ImportedIncident;
use crate::domain::time::Timestamp;
use crate::domain::words::{Phase, Severity};

const STATES: &[&str] = &[
    "New",
    "Active",
    "Awaiting User Info",
    "Awaiting Problem",
    "Awaiting Vendor",
    "Awaiting Evidence",
    "Resolved",
    "Closed",
];

struct Columns {
    number: usize,
    state: usize,
    opened: usize,
    updated: usize,
    resolved: usize,
    closed: usize,
    priority: usize,
    category: usize,
    group: usize,
    assigned: usize,
    reopened: usize,
}

struct Building {
    incident: ImportedIncident,
    state: String,
    reopened: String,
    resolved: Option<Timestamp>,
    closed: Option<Timestamp>,
    fields: BTreeMap<String, String>,
}

/// Reads the log; rows of one incident need not stand together.
pub(super) fn read(bytes: &[u8]) -> Result<History, Failure> {
    let mut history = History::default();
    let (headers, rows) = history.rows(bytes)?;
    let c = columns(&headers)?;
    let mut order = Vec::new();
    let mut building: BTreeMap<String, Building> = BTreeMap::new();
    for (line, record) in rows {
        let number = record.get(c.number).unwrap_or_default().to_owned();
        if number.is_empty() {
            history.odd(line, "has no incident number; it belongs to nothing and was left out");
            continue;
        }
        if !building.contains_key(&number) {
            let Some(opened) = time(&record, c.opened) else {
                history
                    .odd(line, format!("{number}: opened_at is not a time; the row was left out"));
                continue;
            };
            order.push(number.clone());
            building.insert(number.clone(), begin(&number, opened, &record, &c));
        }
        if let Some(entry) = building.get_mut(&number) {
            row(entry, &record, &c, line, &mut history);
        }
    }
    for number in order {
        if let Some(entry) = building.remove(&number) {
            history.incidents.push(end(entry));
        }
    }
    Ok(history)
}

fn columns(headers: &csv::StringRecord) -> Result<Columns, Failure> {
    Ok(Columns {
        number: column(headers, "number")?,
        state: column(headers, "incident_state")?,
        opened: column(headers, "opened_at")?,
        updated: column(headers, "sys_updated_at")?,
        resolved: column(headers, "resolved_at")?,
        closed: column(headers, "closed_at")?,
        priority: column(headers, "priority")?,
        category: column(headers, "category")?,
        group: column(headers, "assignment_group")?,
        assigned: column(headers, "assigned_to")?,
        reopened: column(headers, "reopen_count")?,
    })
}

fn time(record: &csv::StringRecord, column: usize) -> Option<Timestamp> {
    let text = record.get(column)?.trim();
    Timestamp::parse_human(text, Timestamp(i64::MAX / 2)).ok().filter(|_| text.len() >= 16)
}

fn begin(number: &str, opened: Timestamp, record: &csv::StringRecord, c: &Columns) -> Building {
    let category = record.get(c.category).unwrap_or_default();
    Building {
        incident: ImportedIncident {
            external: format!("servicenow:{number}"),
            title: format!("{number} (category {category})"),
            severity: Severity::Sev3,
            services: Vec::new(),
            opened_at: opened,
            history: Vec::new(),
        },
        state: String::new(),
        reopened: "0".to_owned(),
        resolved: None,
        closed: None,
        fields: BTreeMap::new(),
    }
}

fn row(
    entry: &mut Building,
    record: &csv::StringRecord,
    c: &Columns,
    line: u64,
    history: &mut History,
) {
    let number = record.get(c.number).unwrap_or_default();
    let state = record.get(c.state).unwrap_or_default();
    let at = time(record, c.updated).unwrap_or_else(|| {
        history.odd(
            line,
            format!("{number}: sys_updated_at is not a time; kept at the time of opening"),
        );
        entry.incident.opened_at
    });
    if at < entry.incident.opened_at {
        history.odd(
            line,
            format!(
                "{number}: updated at {at}, before it was opened at {}; kept as it is",
                entry.incident.opened_at
            ),
        );
    }
    if !STATES.contains(&state) {
        history.odd(line, format!("{number}: the state '{state}' is not known; kept as a note"));
    }
    if entry.state == "Closed" && state != "Closed" {
        history.odd(line, format!("{number}: '{state}' after 'Closed'; kept as a note"));
    }
    let who = format!(
        "group {}, assigned to {}",
        record.get(c.group).unwrap_or("-"),
        record.get(c.assigned).unwrap_or("-")
    );
    entry.incident.history.push(noted(at, format!("state {state} ({who})")));
    if state == "Active" && matches!(entry.state.as_str(), "" | "New") {
        let reason = "active in the source".to_owned();
        entry
            .incident
            .history
            .push((at, Change::PhaseChanged { to: Phase::Investigating, reason }));
    }
    let reopened = record.get(c.reopened).unwrap_or_default();
    if reopened != entry.reopened && !reopened.is_empty() {
        entry
            .incident
            .history
            .push(noted(at, format!("reopened in the source (count {reopened})")));
        reopened.clone_into(&mut entry.reopened);
    }
    state.clone_into(&mut entry.state);
    // "3" or "3 - Moderate"; the last row tells the truth.
    let priority = record.get(c.priority).unwrap_or_default();
    match priority.get(..1).and_then(|digit| Severity::parse_loose(digit).ok()) {
        Some(severity) => entry.incident.severity = severity,
        None => history
            .odd(line, format!("{number}: the priority '{priority}' is not known; SEV3 was kept")),
    }
    ends(entry, record, (c, line), history);
    history.check_time(line, number, Some(at));
    entry.fields.insert("reopen_count".to_owned(), entry.reopened.clone());
    entry
        .fields
        .insert("assignment_group".to_owned(), record.get(c.group).unwrap_or_default().to_owned());
}

/// When it ended, as a row says it.
fn ends(
    entry: &mut Building,
    record: &csv::StringRecord,
    (c, line): (&Columns, u64),
    history: &mut History,
) {
    let number = record.get(c.number).unwrap_or_default();
    let opened = entry.incident.opened_at;
    for (column, end, word) in
        [(c.resolved, &mut entry.resolved, "resolved"), (c.closed, &mut entry.closed, "closed")]
    {
        let given = time(record, column);
        if let Some(at) = given.filter(|at| *at < opened) {
            let what = format!("{number}: {word} at {at}, before it was opened; kept as it is");
            history.odd(line, what);
        }
        history.check_time(line, number, given);
        *end = given.or(*end);
    }
}

fn end(mut entry: Building) -> ImportedIncident {
    let closed = entry.closed.filter(|_| entry.state == "Closed");
    finish(&mut entry.incident.history, entry.resolved, closed);
    let last = entry.incident.history.last().map_or(entry.incident.opened_at, |(at, _)| *at);
    entry.incident.history.push((last, Change::ExternalFields { fields: entry.fields }));
    entry.incident
}
