//! Histories from other systems: original times kept, odd rows told one by one, nothing dropped in
//! silence, and a second import of the same file changes nothing.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an unexpected answer is handled alike, whatever it is"
)]

mod csv_mapping;
mod servicenow;
mod statuspage;
mod volvo;

use std::collections::BTreeMap;
use std::path::Path;

use clap::ValueEnum;
use sha2::{Digest as _, Sha256};

use crate::cli::Context;
use crate::cli::act::unexpected;
use crate::cli::out::{Failure, say, say_json, warn};
use crate::client::call::Caller;
use crate::clock::wall_now;
use crate::domain::change::Change;
use crate::domain::command::Command;
use crate::domain::ids::IncidentId;
use crate::domain::post::ImportedIncident;
use crate::domain::rejection::{Rejection, RejectionKind};
use crate::domain::time::{DAY_MS, Timestamp};
use crate::domain::words::{ClosureReason, Moment};
use crate::proto::{Ask, Reply};

/// Where a history comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// `ServiceNow`'s incident event log as CSV.
    Servicenow,
    /// The Volvo IT incident log (XES as CSV).
    VolvoXesCsv,
    /// Statuspage incidents as JSON Lines.
    Statuspage,
    /// Any CSV, with a mapping file.
    Csv,
}

/// Something odd about a row, with its line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Odd {
    pub line: u64,
    pub what: String,
}

/// The label of an imported incident that says by which history it came.
const DIGEST: &str = "imported_history";

/// What was read from a file.
#[derive(Debug)]
pub struct History {
    pub incidents: Vec<ImportedIncident>,
    pub odd: Vec<Odd>,
    pub rows: u64,
    now: Timestamp,
}

impl Default for History {
    fn default() -> Self {
        Self { incidents: Vec::new(), odd: Vec::new(), rows: 0, now: wall_now() }
    }
}

impl History {
    /// All rows with their lines; one that cannot be read is told and left out, one that is not as
    /// wide as the header is told.
    fn rows(
        &mut self,
        bytes: &[u8],
    ) -> Result<(csv::StringRecord, Vec<(u64, csv::StringRecord)>), Failure> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
        let headers = reader.headers().map_err(anyhow::Error::from)?.clone();
        let mut rows = Vec::new();
        for record in reader.records() {
            match record {
                Ok(record) => {
                    self.rows += 1;
                    let line = record.position().map_or(0, |at| line_of(bytes, at));
                    if record.len() != headers.len() {
                        let (has, wants) = (record.len(), headers.len());
                        self.odd(line, format!("{has} columns, and the header has {wants}"));
                    }
                    rows.push((line, record));
                }
                Err(error) => {
                    let line = error.position().map_or(0, |at| line_of(bytes, at));
                    self.odd(line, format!("not readable: {error}"));
                }
            }
        }
        if memchr::memchr_iter(b'"', bytes).count() % 2 == 1 {
            let last = rows.last().map_or(1, |(line, _)| *line);
            self.odd(last, "a quotation mark is not closed: rows after it are part of one field");
        }
        Ok((headers, rows))
    }

    /// Tells a time that lies ahead: it is kept, and no history.
    fn check_time(&mut self, line: u64, name: &str, at: Option<Timestamp>) {
        if let Some(at) = at.filter(|at| at.since(self.now) > DAY_MS) {
            self.odd(line, format!("{name}: {at} lies ahead; kept as it is"));
        }
    }

    fn odd(&mut self, line: u64, what: impl Into<String>) {
        self.odd.push(Odd { line, what: what.into() });
    }
}

/// Reads a file and hands its incidents to the keeper, one whole incident at a time.
pub fn import(
    context: &Context,
    format: Format,
    file: &Path,
    mapping: Option<&Path>,
) -> Result<(), Failure> {
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes)?;
        bytes
    } else {
        std::fs::read(file).map_err(|e| {
            anyhow::Error::from(e).context(format!("cannot read {}", file.display()))
        })?
    };
    let mut history = match format {
        Format::Servicenow => servicenow::read(&bytes)?,
        Format::VolvoXesCsv => volvo::read(&bytes)?,
        Format::Statuspage => statuspage::read(&bytes),
        Format::Csv => csv_mapping::read(&bytes, mapping.unwrap_or_else(|| Path::new("")))?,
    };
    if history.incidents.is_empty() && history.rows > 0 {
        for odd in history.odd.iter().take(3) {
            warn(&format!("{}:{}: {}", file.display(), odd.line, odd.what));
        }
        return Err(Failure::Usage(format!(
            "{}: none of its {} rows could be read; is --from right?",
            file.display(),
            history.rows
        )));
    }
    let (new, known) = hand_over(context, &mut history)?;
    if context.json {
        return say_json(&serde_json::json!({
            "rows": history.rows, "imported": new, "known": known, "odd": history.odd,
        }));
    }
    for odd in &history.odd {
        let line = if odd.line == 0 { String::new() } else { format!("{}:", odd.line) };
        warn(&format!("{}:{line} {}", file.display(), odd.what));
    }
    say(&format!(
        "{} rows: {new} incidents imported, {known} were here already, {} odd rows (told above)",
        history.rows,
        history.odd.len()
    ));
    Ok(())
}

/// Gives the incidents to the keeper: how many were new, and how many were here already.
fn hand_over(context: &Context, history: &mut History) -> Result<(u64, u64), Failure> {
    let mut keeper = context.keeper()?;
    let (mut new, mut known) = (0, 0);
    for mut incident in std::mem::take(&mut history.incidents) {
        let (name, digest) = (incident.external.clone(), digest(&incident));
        let last = incident.history.iter().map(|(at, _)| *at).max();
        let fields = BTreeMap::from([(DIGEST.to_owned(), digest.clone())]);
        incident
            .history
            .push((last.unwrap_or(incident.opened_at), Change::ExternalFields { fields }));
        let command = Box::new(Command::Import(Box::new(incident)));
        match keeper.ask(Ask::Do { command, occurred: None, seen: None })? {
            Reply::Done { .. } => new += 1,
            Reply::Rejected(r) if r.kind == RejectionKind::Already => {
                known += 1;
                if let Some(id) = changed_since(&mut keeper, &r, &digest)? {
                    history.odd(0, format!(
                        "{name} is here as {id} with another history: what is new of it was not read in"
                    ));
                }
            }
            Reply::Rejected(rejection) => return Err(Failure::Rejected(rejection)),
            other => return Err(unexpected(&other)),
        }
    }
    Ok((new, known))
}

/// The incident that a history is here as, where it came by another one.
fn changed_since(
    keeper: &mut Caller,
    already: &Rejection,
    digest: &str,
) -> Result<Option<IncidentId>, Failure> {
    let words = already.what.split_whitespace();
    let Some(incident) = words.filter_map(|word| word.parse().ok()).next_back() else {
        return Ok(None);
    };
    match keeper.ask(Ask::Incident { incident, until: None, limit: 1 })? {
        Reply::Incident(detail) => {
            let known = detail.head.labels.get(DIGEST);
            Ok(known.is_some_and(|known| known != digest).then_some(incident))
        }
        Reply::Rejected(rejection) => Err(Failure::Rejected(rejection)),
        other => Err(unexpected(&other)),
    }
}

/// The line on which a row begins. The reader stands before the line feed of the row above where lines
/// end as on Windows.
fn line_of(bytes: &[u8], at: &csv::Position) -> u64 {
    let from = usize::try_from(at.byte()).unwrap_or(usize::MAX).min(bytes.len());
    let ends = bytes[from..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    at.line() + ends.filter(|byte| **byte == b'\n').count() as u64
}

/// Names a history by all that it says.
fn digest(incident: &ImportedIncident) -> String {
    let text = serde_json::to_vec(&(&incident.history, incident.severity)).unwrap_or_default();
    crate::domain::text::hex(&Sha256::digest(text)[..8])
}

/// The column of a name, or what is wrong with the file.
fn column(headers: &csv::StringRecord, name: &str) -> Result<usize, Failure> {
    headers.iter().position(|header| header.trim() == name).ok_or_else(|| {
        Failure::Usage(format!("the file has no column '{name}'; is it of this format?"))
    })
}

/// Puts the end on a history: resolved and closed at the times that the source gives, whatever
/// order its rows were in.
fn finish(
    history: &mut Vec<(Timestamp, Change)>,
    resolved: Option<Timestamp>,
    closed: Option<Timestamp>,
) {
    history.sort_by_key(|(at, _)| *at);
    if let Some(at) = resolved {
        let change = Change::Resolved {
            reason: ClosureReason::Fixed,
            evidence: "resolved in the source".to_owned(),
            forced: None,
        };
        history.push((at, change));
    }
    if let Some(at) = closed {
        history
            .push((at, Change::Closed { note: "closed in the source".to_owned(), silent: None }));
    }
    if resolved.is_none()
        && let Some(last) = closed.or(history.last().map(|(at, _)| *at))
    {
        let reason = "the source gives no time of resolution".to_owned();
        history.push((last, Change::MomentRevised { moment: Moment::Resolved, at: None, reason }));
    }
}

/// A note in the history for what has no counterpart here.
fn noted(at: Timestamp, text: impl Into<String>) -> (Timestamp, Change) {
    (at, Change::HistoryNoted { text: text.into() })
}
