//! Any CSV, with a mapping file that says which column is what:
//!
//! ```toml
//! source = "jira"          # names the origin
//! id = "Key"               # required: rows with the same id are one incident
//! opened = "Created"       # required
//! title = "Summary"
//! resolved = "Resolved"
//! closed = "Closed"
//! severity = "Priority"
//! service = "Component"
//! note = "Status"          # kept as an entry for each row, at the time in `at`
//! at = "Updated"
//! [severities]             # the column's words → ours
//! Blocker = "SEV2"
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::cli::histories::{History, column, finish, noted};
use crate::cli::out::Failure;
use crate::config::places;
use crate::domain::post::ImportedIncident;
use crate::domain::time::Timestamp;
use crate::domain::words::Severity;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mapping {
    #[serde(default = "source_default")]
    source: String,
    id: String,
    opened: String,
    title: Option<String>,
    resolved: Option<String>,
    closed: Option<String>,
    severity: Option<String>,
    service: Option<String>,
    note: Option<String>,
    at: Option<String>,
    #[serde(default)]
    severities: BTreeMap<String, Severity>,
}

impl Mapping {
    fn severity_of(&self, word: &str) -> Option<Severity> {
        self.severities.get(word).copied().or_else(|| Severity::parse_loose(word).ok())
    }
}

fn source_default() -> String {
    "csv".to_owned()
}

type Building = (ImportedIncident, Option<Timestamp>, Option<Timestamp>);

/// Reads a file by its mapping.
pub(super) fn read(bytes: &[u8], mapping: &Path) -> Result<History, Failure> {
    let mapping = load(mapping)?;
    let mut history = History::default();
    let (headers, rows) = history.rows(bytes)?;
    let find =
        |name: &Option<String>| name.as_deref().map(|name| column(&headers, name)).transpose();
    let (id, opened) = (column(&headers, &mapping.id)?, column(&headers, &mapping.opened)?);
    let (title, resolved, closed) =
        (find(&mapping.title)?, find(&mapping.resolved)?, find(&mapping.closed)?);
    let (severity, service) = (find(&mapping.severity)?, find(&mapping.service)?);
    let (note, at) = (find(&mapping.note)?, find(&mapping.at)?);
    let mut order = Vec::new();
    let mut building: BTreeMap<String, Building> = BTreeMap::new();
    for (line, record) in rows {
        let get =
            |column: Option<usize>| column.and_then(|c| record.get(c)).unwrap_or_default().trim();
        let time = |column: Option<usize>| {
            Timestamp::parse_human(get(column), Timestamp(i64::MAX / 2)).ok()
        };
        let key = get(Some(id)).to_owned();
        let Some(begun) = time(Some(opened)).filter(|_| !key.is_empty()) else {
            history.odd(line, left_out(&key, get(Some(opened)), &mapping.opened));
            continue;
        };
        let entry = building.entry(key.clone()).or_insert_with(|| {
            order.push(key.clone());
            let incident = ImportedIncident {
                external: format!("{}:{key}", mapping.source),
                title: if title.is_some() { get(title).to_owned() } else { key.clone() },
                severity: Severity::Sev3,
                services: Some(get(service))
                    .filter(|s| !s.is_empty())
                    .map(ToOwned::to_owned)
                    .into_iter()
                    .collect(),
                opened_at: begun,
                history: Vec::new(),
            };
            (incident, None, None)
        });
        if severity.is_some() {
            match mapping.severity_of(get(severity)) {
                Some(known) => entry.0.severity = known,
                None => history
                    .odd(line, format!("{key}: '{}' is not mapped; SEV3 was kept", get(severity))),
            }
        }
        let ends =
            [("resolved", get(resolved), time(resolved)), ("closed", get(closed), time(closed))];
        times(&mut history, (line, &key, begun), ends, entry);
        if note.is_some() {
            entry.0.history.push(noted(time(at).unwrap_or(begun), get(note)));
        }
    }
    finish_all(order, building, &mut history);
    Ok(history)
}

/// When it ended, as a row says it, and what is odd about its times.
fn times(
    history: &mut History,
    (line, key, begun): (u64, &str, Timestamp),
    ends: [(&str, &str, Option<Timestamp>); 2],
    (incident, resolved, closed): &mut Building,
) {
    let opened = incident.opened_at;
    for ((word, said, at), end) in ends.into_iter().zip([resolved, closed]) {
        let what = match at {
            None if said.is_empty() => continue,
            None => format!("{key}: {word} '{said}' is no time; left out"),
            Some(at) if at < opened => {
                format!("{key}: {word} {at} is before it was opened; left out")
            }
            Some(at) => {
                history.check_time(line, key, Some(at));
                match end.replace(at) {
                    Some(before) if before != at => {
                        format!("{key}: {word} {at}, and above {before}")
                    }
                    Some(_) | None => continue,
                }
            }
        };
        history.odd(line, what);
    }
    if begun != opened {
        history.odd(line, format!("{key}: opened {begun}, and above {opened}, which was kept"));
    }
    history.check_time(line, key, Some(begun));
}

/// Why a row is left out.
fn left_out(key: &str, opened: &str, column: &str) -> String {
    match (key.is_empty(), opened.is_empty()) {
        (true, _) => "it has no id; left out".to_owned(),
        (false, true) => format!("{key}: '{column}' is empty; left out"),
        (false, false) => format!("{key}: '{opened}' in '{column}' is no time; left out"),
    }
}

fn load(mapping: &Path) -> Result<Mapping, Failure> {
    let text = std::fs::read_to_string(mapping).map_err(|e| {
        anyhow::Error::from(e).context(format!("cannot read the mapping {}", mapping.display()))
    })?;
    places::read(&mapping.display().to_string(), &text).map_err(|mistakes| {
        let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        Failure::Usage(lines.join("\n"))
    })
}

fn finish_all(order: Vec<String>, mut building: BTreeMap<String, Building>, history: &mut History) {
    for key in order {
        if let Some((mut incident, resolved, closed)) = building.remove(&key) {
            finish(&mut incident.history, resolved, closed);
            history.incidents.push(incident);
        }
    }
}
