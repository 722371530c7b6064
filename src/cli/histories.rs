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

use std::path::Path;

use clap::ValueEnum;

use crate::cli::Context;
use crate::cli::act::unexpected;
use crate::cli::out::{Failure, say, say_json, warn};
use crate::domain::change::Change;
use crate::domain::command::Command;
use crate::domain::post::ImportedIncident;
use crate::domain::rejection::RejectionKind;
use crate::domain::time::Timestamp;
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

/// What was read from a file.
#[derive(Debug, Default)]
pub struct History {
    pub incidents: Vec<ImportedIncident>,
    pub odd: Vec<Odd>,
    pub rows: u64,
}

impl History {
    /// The next row with its line; one that cannot be read is told and left out.
    fn readable(
        &mut self,
        record: Result<csv::StringRecord, csv::Error>,
    ) -> Option<(u64, csv::StringRecord)> {
        match record {
            Ok(record) => {
                self.rows += 1;
                Some((record.position().map_or(0, csv::Position::line), record))
            }
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                self.odd(line, format!("not readable: {error}"));
                None
            }
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
    let history = match format {
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
    let mut keeper = context.keeper()?;
    let (mut new, mut known) = (0, 0);
    for incident in history.incidents {
        let command = Box::new(Command::Import(Box::new(incident)));
        match keeper.ask(Ask::Do { command, occurred: None, seen: None })? {
            Reply::Done { .. } => new += 1,
            Reply::Rejected(r) if r.kind == RejectionKind::Already => known += 1,
            Reply::Rejected(rejection) => return Err(Failure::Rejected(rejection)),
            other => return Err(unexpected(&other)),
        }
    }
    if context.json {
        return say_json(&serde_json::json!({
            "rows": history.rows, "imported": new, "known": known, "odd": history.odd,
        }));
    }
    for odd in &history.odd {
        warn(&format!("{}:{}: {}", file.display(), odd.line, odd.what));
    }
    say(&format!(
        "{} rows: {new} incidents imported, {known} were here already, {} odd rows (told above)",
        history.rows,
        history.odd.len()
    ));
    Ok(())
}

/// A reader over CSV with a header.
fn csv_reader(bytes: &[u8]) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().flexible(true).from_reader(bytes)
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
