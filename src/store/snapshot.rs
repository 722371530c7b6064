//! Snapshots of the room, for a fast start: a file beside the journal that may be lost at any time.
//!
//! Invariants:
//! - A snapshot is only used if its checksum and version are right and the journal still holds the
//!   event it was taken at, with the same hash; otherwise the room is folded from the first event.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::domain::event::Recorded;
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::room::{Room, evolve};
use crate::domain::row::Row;
use crate::domain::stats::Sample;
use crate::domain::text::hex;
use crate::store::batch::{Batch, Head, unhex};
use crate::store::twin::sync_dir;
use crate::store::{Journal, Reader, StoreError};

/// Raised whenever the room's own shape changes; an older snapshot is then not used.
const VERSION: &str = "warroom-room-31";

/// A row of the table of incidents that are over.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct ClosedRow {
    pub row: Row,
    /// For statistics; `None` where the incident is out by construction.
    pub sample: Option<Sample>,
}

impl ClosedRow {
    /// What is kept of an incident when it leaves the room.
    pub fn of(incident: &Incident) -> Self {
        Self { row: Row::of(incident), sample: Sample::of(incident) }
    }
}

/// Writes a snapshot, piece by piece; a failure is no harm.
pub fn save(path: &Path, room: &Room, head: Head) -> Result<(), StoreError> {
    let beside = path.with_extension("new");
    let io = |doing| StoreError::io(doing, &beside);
    let file = File::create(&beside).map_err(io("create"))?;
    let mut out = Summed { out: BufWriter::new(file), sum: crc32fast::Hasher::new() };
    writeln!(out.out, "{VERSION} {} {}", head.seq, hex(&head.hash)).map_err(io("write"))?;
    serde_json::to_writer(&mut out, room).map_err(|e| StoreError::Refused(e.to_string()))?;
    write!(out.out, "\n{:08x}", out.sum.finalize()).map_err(io("write"))?;
    let file = out.out.into_inner().map_err(|e| io("write")(e.into_error()))?;
    file.sync_all().map_err(io("sync"))?;
    fs::rename(&beside, path).map_err(StoreError::io("rename", &beside))?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Writes through and sums up.
struct Summed<W> {
    out: W,
    sum: crc32fast::Hasher,
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.out.write(bytes)?;
        self.sum.update(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Reads a snapshot, if there is one that can be used; where in the journal it belongs.
pub fn read(path: &Path) -> Option<(Room, Head)> {
    let bytes = fs::read(path).ok()?;
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let (body, sum) = bytes[end + 1..].split_at_checked(bytes.len().checked_sub(end + 10)?)?;
    let mut words = head.split(' ');
    if words.next()? != VERSION {
        return None;
    }
    let (seq, hash) = (words.next()?.parse().ok()?, unhex(words.next()?)?);
    let sum = std::str::from_utf8(sum.strip_prefix(b"\n")?).ok()?;
    if u32::from_str_radix(sum, 16).ok()? != crc32fast::hash(body) {
        return None;
    }
    let mut room: Room = serde_json::from_slice(body).ok()?;
    room.rebuild_index();
    Some((room, Head { seq, hash }))
}

/// A row of the table of incidents that are over; `None` takes it away.
pub type RowEntry = (IncidentId, Option<Vec<u8>>);

/// The summary rows of all incidents that are over, from a fold of the whole journal: for a
/// database that was rebuilt.
pub fn closed_rows(reader: &dyn Reader) -> Result<Vec<RowEntry>, StoreError> {
    let mut room = Room::default();
    let mut rows = BTreeMap::new();
    let mut failed = None;
    reader.scan(0, &mut |raw| {
        match raw.decode().and_then(|event| apply(reader, &mut room, &event)) {
            Ok(moved) => {
                rows.extend(moved.into_iter().map(|(id, i)| (id, i.map(|i| row_bytes(&i)))));
            }
            Err(error) => failed = Some(error),
        }
        failed.is_none()
    })?;
    failed.map_or(Ok(rows.into_iter().collect()), Err)
}

/// The same of some incidents; nothing for those that are not over.
pub fn rows_of(
    reader: &dyn Reader,
    about: &BTreeSet<IncidentId>,
) -> Result<Vec<RowEntry>, StoreError> {
    let mut rows = Vec::new();
    for id in about {
        let over = incident(reader, *id, None)?.filter(|incident| !incident.phase().is_live());
        rows.push((*id, over.map(|incident| row_bytes(&incident))));
    }
    Ok(rows)
}

/// The row of an incident that is over, as it is kept.
pub fn row_bytes(incident: &Incident) -> Vec<u8> {
    serde_json::to_vec(&ClosedRow::of(incident))
        .expect("invariant: a row has only string keys, so it always serialises")
}

/// Writes rows, a few at a time.
pub fn write_rows(journal: &mut dyn Journal, rows: &[RowEntry]) -> Result<(), StoreError> {
    for part in rows.chunks(500) {
        journal.append(&Batch { rows: part.to_vec(), head: journal.head(), ..Batch::default() })?;
    }
    Ok(())
}

/// Applies one event to a room that may have let go of the incident it is about, and lets go of
/// those that are over after it. Returns which left (with what they were) and which came back.
pub fn apply(
    reader: &dyn Reader,
    room: &mut Room,
    event: &Recorded,
) -> Result<Vec<(IncidentId, Option<Incident>)>, StoreError> {
    let mut moved = Vec::new();
    while let Some(id) = room.wanted(event) {
        match incident(reader, id, Some(event.seq - 1))? {
            Some(found) => room.hydrate(found),
            None => break,
        }
        moved.push((id, None));
    }
    evolve(room, event);
    for id in event.body.incidents() {
        if let Some(incident) = room.evict(id) {
            moved.retain(|(other, _)| *other != id);
            moved.push((id, Some(incident)));
        }
    }
    Ok(moved)
}

/// One incident, folded from its stream, up to an event if wanted.
pub fn incident(
    reader: &dyn Reader,
    id: IncidentId,
    until: Option<u64>,
) -> Result<Option<Incident>, StoreError> {
    Ok(Incident::fold(id, stream(reader, id, until)?.iter()))
}

/// The events of one incident's stream, up to an event if wanted.
pub fn stream(
    reader: &dyn Reader,
    id: IncidentId,
    until: Option<u64>,
) -> Result<Vec<Recorded>, StoreError> {
    let mut events: Vec<Recorded> = Vec::new();
    let mut failed = None;
    reader.stream(id, &mut |raw| {
        if until.is_some_and(|until| raw.seq > until) {
            return false;
        }
        match raw.decode() {
            Ok(event) => {
                events.push(event);
                true
            }
            Err(error) => {
                failed = Some(error);
                false
            }
        }
    })?;
    failed.map_or(Ok(events), Err)
}
