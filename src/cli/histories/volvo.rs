//! The Volvo IT incident log (XES flattened to CSV): status and sub-status with offset times. An
//! incident counts as resolved at its first `Completed`.

use std::collections::BTreeMap;

use crate::cli::histories::{History, column, finish, noted};
use crate::cli::out::Failure;
use crate::domain::post::ImportedIncident;
use crate::domain::time::Timestamp;
use crate::domain::words::Severity;

const STATUSES: &[&str] = &["Accepted", "Queued", "Completed", "Unmatched"];

struct Building {
    incident: ImportedIncident,
    resolved: Option<Timestamp>,
    last: Timestamp,
    status: String,
}

/// Reads the log.
pub(super) fn read(bytes: &[u8]) -> Result<History, Failure> {
    let mut history = History::default();
    let (headers, rows) = history.rows(bytes)?;
    let case = column(&headers, "case")?;
    let status = column(&headers, "concept:name")?;
    let sub = column(&headers, "lifecycle:transition")?;
    let time = column(&headers, "time:timestamp")?;
    let (impact, product, group) =
        (column(&headers, "impact")?, column(&headers, "product")?, column(&headers, "org:group")?);
    let mut order = Vec::new();
    let mut building: BTreeMap<String, Building> = BTreeMap::new();
    for (line, record) in rows {
        let get = |column: usize| record.get(column).unwrap_or_default();
        let number = get(case).to_owned();
        let Ok(at) = get(time).parse::<Timestamp>() else {
            history.odd(
                line,
                format!("{number}: '{}' is not a time; the row was left out", get(time)),
            );
            continue;
        };
        let severity = severity_of(get(impact)).unwrap_or_else(|| {
            let what =
                format!("{number}: the impact '{}' is not known; SEV3 was kept", get(impact));
            history.odd(line, what);
            Severity::Sev3
        });
        let entry = building.entry(number.clone()).or_insert_with(|| {
            order.push(number.clone());
            begin(&number, get(product), at)
        });
        history.check_time(line, &number, Some(at));
        if !STATUSES.contains(&get(status)) {
            let what =
                format!("{number}: the status '{}' is not known; kept as a note", get(status));
            history.odd(line, what);
        }
        if at < entry.last {
            history.odd(line, format!("{number}: the time goes back to {at}; kept as it is"));
        }
        entry.last = at;
        entry.incident.severity = severity;
        entry
            .incident
            .history
            .push(noted(at, format!("{}/{} ({})", get(status), get(sub), get(group))));
        if get(status) == "Completed" && entry.resolved.is_none() {
            entry.resolved = Some(at);
        } else if entry.resolved.is_some()
            && get(status) != "Completed"
            && entry.status == "Completed"
        {
            history.odd(
                line,
                format!("{number}: '{}' after 'Completed'; kept as a note", get(status)),
            );
        }
        get(status).clone_into(&mut entry.status);
    }
    finish_all(order, building, &mut history);
    Ok(history)
}

fn finish_all(order: Vec<String>, mut building: BTreeMap<String, Building>, history: &mut History) {
    for number in order {
        if let Some(mut entry) = building.remove(&number) {
            let closed = (entry.status == "Completed").then_some(entry.last);
            finish(&mut entry.incident.history, entry.resolved, closed);
            history.incidents.push(entry.incident);
        }
    }
}

fn severity_of(impact: &str) -> Option<Severity> {
    match impact {
        "Major" => Some(Severity::Sev1),
        "High" => Some(Severity::Sev2),
        "Medium" => Some(Severity::Sev3),
        "Low" => Some(Severity::Sev4),
        _ => None,
    }
}

fn begin(number: &str, product: &str, at: Timestamp) -> Building {
    Building {
        incident: ImportedIncident {
            external: format!("volvo:{number}"),
            title: format!("{number} on {product}"),
            severity: Severity::Sev3,
            services: vec![product.to_owned()],
            opened_at: at,
            history: Vec::new(),
        },
        resolved: None,
        last: at,
        status: String::new(),
    }
}
