//! Export, import, backup and restore: the journal as JSON Lines.
//!
//! A line is `{"hash":"…","event":{…}}`: the hash of the chain after the event, and the event's
//! own bytes, so that the chain can be checked on another machine with any JSON reader.
//!
//! Invariants:
//! - An import is checked link by link before anything of it is kept.

use std::io::{BufRead, Write};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::event::Recorded;
use crate::domain::ids::{IncidentId, Seq};
use crate::domain::text::hex;
use crate::store::batch::{Batch, Hash, Head, link, unhex};
use crate::store::verify::ChainCheck;
use crate::store::{Journal, Reader, StoreError};

/// Bytes appended between two syncs while importing.
const STEP_BYTES: usize = 256 * 1024;

#[derive(Serialize)]
struct LineOut<'a> {
    hash: String,
    /// The words of this event are hidden; its hash is that of the words.
    #[serde(skip_serializing_if = "is_false")]
    redacted: bool,
    event: &'a RawValue,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[derive(Deserialize)]
struct LineIn<'a> {
    hash: String,
    #[serde(default)]
    redacted: bool,
    #[serde(borrow)]
    event: &'a RawValue,
}

/// Writes the events after `after` (whose chain hash is `hash`) as lines; returns the new head.
pub fn export(
    reader: &dyn Reader,
    from: Head,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(Seq),
) -> Result<Head, StoreError> {
    let mut head = from;
    let mut failed = None;
    reader.scan(from.seq, &mut |raw| {
        head = Head { seq: raw.seq, hash: link(&head.hash, raw.json) };
        progress(raw.seq);
        match write_line(out, raw.json, head.hash) {
            Ok(()) => true,
            Err(error) => {
                failed = Some(error);
                false
            }
        }
    })?;
    failed.map_or(Ok(head), Err)
}

/// Writes one event as a line.
pub fn write_line(out: &mut dyn Write, json: &[u8], hash: Hash) -> Result<(), StoreError> {
    let text = std::str::from_utf8(json).map_err(|e| StoreError::Refused(e.to_string()))?;
    let event: &RawValue =
        serde_json::from_str(text).map_err(|e| StoreError::Refused(e.to_string()))?;
    serde_json::to_writer(&mut *out, &LineOut { hash: hex(&hash), redacted: false, event })
        .map_err(|e| StoreError::Refused(format!("cannot write the export: {e}")))?;
    out.write_all(b"\n").map_err(StoreError::io("write", "the export"))
}

/// The same for an event whose words are hidden: what is left of it, with the hash of the words.
pub fn write_redacted(out: &mut dyn Write, json: &[u8], hash: Hash) -> Result<(), StoreError> {
    let mut event: Recorded =
        serde_json::from_slice(json).map_err(|e| StoreError::Refused(e.to_string()))?;
    event.redact();
    let text = serde_json::to_string(&event).map_err(|e| StoreError::Refused(e.to_string()))?;
    let event: &RawValue =
        serde_json::from_str(&text).map_err(|e| StoreError::Refused(e.to_string()))?;
    serde_json::to_writer(&mut *out, &LineOut { hash: hex(&hash), redacted: true, event })
        .map_err(|e| StoreError::Refused(format!("cannot write the export: {e}")))?;
    out.write_all(b"\n").map_err(StoreError::io("write", "the export"))
}

/// One exported line, read and not yet checked.
pub struct ExportedLine {
    pub event: Recorded,
    pub json: Vec<u8>,
    pub hash: Hash,
    /// Its words are hidden, so that its hash cannot be computed here.
    pub redacted: bool,
}

/// Reads one line of an export.
pub fn read_line(number: usize, text: &str) -> Result<ExportedLine, StoreError> {
    let refuse = |why: String| StoreError::Refused(format!("line {number}: {why}"));
    let line: LineIn<'_> =
        serde_json::from_str(text).map_err(|e| refuse(format!("not an exported event ({e})")))?;
    let hash = unhex(&line.hash)
        .ok_or_else(|| refuse("the hash is not 64 hexadecimal digits".to_owned()))?;
    let json = line.event.get().as_bytes().to_vec();
    let event = serde_json::from_slice(&json)
        .map_err(|e| refuse(format!("the event cannot be read ({e})")))?;
    Ok(ExportedLine { event, json, hash, redacted: line.redacted })
}

/// Checks an export without keeping it: how many events are sound, and where the chain breaks.
pub fn check(lines: &mut dyn BufRead) -> Result<crate::store::verify::Verdict, StoreError> {
    let mut check = ChainCheck::default();
    for (index, text) in lines.lines().enumerate() {
        let text = text.map_err(StoreError::io("read", "the export"))?;
        let line = read_line(index + 1, &text)?;
        let goes_on = if line.redacted {
            check.skip(line.event.seq, line.hash)
        } else {
            check.step_hash(line.event.seq, &line.json, Some(line.hash))
        };
        if !goes_on {
            break;
        }
    }
    Ok(check.finish())
}

/// Appends an export to an empty journal, or to one that holds its beginning because an import was cut
/// short, checking every link. `fold` is told each event once it is durable.
pub fn import(
    journal: &mut dyn Journal,
    lines: &mut dyn BufRead,
    fold: &mut dyn FnMut(&Recorded) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let known = journal.head();
    let other = || {
        StoreError::Refused(
            "the journal holds another history; import into a new home (WARROOM_HOME)".to_owned(),
        )
    };
    let mut check = ChainCheck::default();
    let mut pending: Vec<(Vec<u8>, Vec<IncidentId>)> = Vec::new();
    let mut events: Vec<Recorded> = Vec::new();
    let mut size = 0;
    let mut number = 0;
    for text in lines.lines() {
        number += 1;
        let text = text.map_err(StoreError::io("read", "the export"))?;
        let line = read_line(number, &text)?;
        if line.redacted {
            return Err(StoreError::Refused(format!(
                "line {number}: its words are hidden; to move a journal, export it --with-redacted",
            )));
        }
        if !check.step_hash(line.event.seq, &line.json, Some(line.hash)) {
            let broken = check.finish().broken.unwrap_or_default();
            return Err(StoreError::Refused(format!(
                "line {number}: {broken}; nothing after event {} was imported",
                journal.head().seq
            )));
        }
        if line.event.seq <= known.seq {
            if line.event.seq == known.seq && line.hash != known.hash {
                return Err(other());
            }
            fold(&line.event)?;
            continue;
        }
        size += line.json.len();
        pending.push((line.json, line.event.body.incidents()));
        events.push(line.event);
        if size > STEP_BYTES {
            step(journal, &mut pending, &mut events, fold)?;
            size = 0;
        }
    }
    let ends = check.finish().sound;
    if ends < known.seq {
        return Err(StoreError::Refused(format!(
            "the file ends at event {ends}, and the journal already holds {}: nothing was changed",
            known.seq
        )));
    }
    step(journal, &mut pending, &mut events, fold)?;
    Ok(journal.head().seq)
}

fn step(
    journal: &mut dyn Journal,
    pending: &mut Vec<(Vec<u8>, Vec<IncidentId>)>,
    events: &mut Vec<Recorded>,
    fold: &mut dyn FnMut(&Recorded) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let batch = Batch::from_lines(journal.head(), std::mem::take(pending).into_iter());
    journal.append(&batch)?;
    events.drain(..).try_for_each(|event| fold(&event))
}
