//! Questions that the store answers, on threads of their own, beside the writer.

use std::collections::{BTreeMap, VecDeque};
use std::os::unix::fs::OpenOptionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use chrono::Timelike;

use crate::domain::event::{Body, Recorded};
use crate::domain::ids::{IncidentId, Seq};
use crate::domain::incident::Incident;
use crate::domain::rejection::{Rejection, RejectionKind};
use crate::domain::resemble::Resembling;
use crate::domain::row::Row;
use crate::domain::stats::Sample;
use crate::domain::time::Timestamp;
use crate::domain::words::{AttemptResult, DeliveryKind};
use crate::keeper::drafts;
use crate::keeper::gate::Gate;
use crate::keeper::turn::ReadJob;
use crate::proto::{Detail, Hit, PageCount, Reply};
use crate::store::batch::{Head, RawEvent};
use crate::store::journal::Paths;
use crate::store::sled_log::SledLog;
use crate::store::snapshot::{self, ClosedRow};
use crate::store::{Reader, StoreError, text_index, transfer, verify};

/// Bytes of events in one answer: well below the longest line.
const ANSWER_BYTES: usize = 600 * 1024;

/// What reads need.
pub struct Places {
    pub reader: Arc<dyn Reader>,
    pub log: SledLog,
    pub paths: Paths,
    pub gate: Arc<Gate>,
}

/// Answers one question; `head` is the last durable event.
pub fn run(job: ReadJob, places: &Places, head: Head) -> Reply {
    // The database may panic on a damaged page; whoever asked gets an answer all the same.
    let result =
        catch_unwind(AssertUnwindSafe(|| answer(job, places, head))).unwrap_or_else(|_| {
            Err(StoreError::Corrupt { seq: 0, text: "the database is damaged".to_owned() })
        });
    result.unwrap_or_else(|error| {
        Reply::Rejected(Rejection::new(
            RejectionKind::Unavailable,
            error.to_string(),
            "look at keeper.log",
        ))
    })
}

fn answer(job: ReadJob, places: &Places, head: Head) -> Result<Reply, StoreError> {
    match job {
        ReadJob::Incident { incident, head: room, policy, page_down, until, limit } => {
            let mut reply = one_incident(places, incident, room, until, limit)?;
            if let Reply::Incident(detail) = &mut reply {
                detail.policy = policy;
                detail.head.talk.page_down = page_down;
            }
            Ok(reply)
        }
        ReadJob::Search { query, limit } => {
            let found =
                text_index::search(&*places.reader, head.seq, &query, (limit as usize).min(500));
            found.map(|hits| Reply::Hits {
                hits: hits
                    .into_iter()
                    .filter(|hit| !places.gate.is_redacted(hit.seq))
                    .map(|h| Hit { seq: h.seq, incident: h.incident, text: h.text })
                    .collect(),
            })
        }
        ReadJob::Closed { query, limit } => closed(&*places.reader, &query, limit as usize),
        ReadJob::Samples { live } => samples(&*places.reader, live),
        ReadJob::Events { after, limit } => events(places, after, limit as usize, head),
        ReadJob::Pages { from, until, zones } => pages(&*places.reader, from, until, &zones),
        ReadJob::Drafts { login } => drafts::all(&*places.reader, &login),
        ReadJob::SaveDraft { login, key, text, only_new } => {
            if !(only_new && drafts::is_known(&*places.reader, &login, &key)?) {
                drafts::save(&*places.reader, &login, &key, &text)?;
            }
            Ok(Reply::done(head.seq, None))
        }
        ReadJob::Backup { dest } => backup(places, head, Path::new(&dest)),
        ReadJob::Verify => check(places, head),
    }
}

/// An event as it may be shown.
fn shown(places: &Places, mut event: Recorded) -> Recorded {
    if places.gate.is_redacted(event.seq) {
        event.redact();
    }
    event
}

fn one_incident(
    places: &Places,
    id: IncidentId,
    room: Option<Box<Incident>>,
    until: Option<Seq>,
    limit: u32,
) -> Result<Reply, StoreError> {
    let reader = &*places.reader;
    let head = match room {
        Some(head) => Some(*head),
        None => snapshot::incident(reader, id, until)?.map(|mut then| {
            // What was hidden later is not shown by looking back.
            for entry in places.gate.redacted_until(until.unwrap_or(Seq::MAX)) {
                then.redact(entry);
            }
            then
        }),
    };
    let Some(head) = head else {
        return Ok(Reply::Rejected(Rejection::new(
            RejectionKind::NotFound,
            format!("{id} does not exist"),
            "list what is open with 'warroom list'",
        )));
    };
    let (events, total) = latest(places, id, until, limit.clamp(1, 5_000) as usize)?;
    // The newest are kept when not all fit in an answer.
    let mut bytes = 0;
    let kept = events.iter().rev().take_while(|(size, _)| {
        bytes += size;
        bytes <= ANSWER_BYTES
    });
    let surplus = events.len() - kept.count().min(limit as usize);
    let events = events.into_iter().skip(surplus).map(|(_, event)| event).collect();
    Ok(Reply::Incident(Box::new(Detail { head, events, total, policy: None })))
}

/// The latest events of an incident, each with its size, and how many there are at least.
fn latest(
    places: &Places,
    id: IncidentId,
    until: Option<Seq>,
    limit: usize,
) -> Result<(VecDeque<(usize, Recorded)>, u64), StoreError> {
    let mut events = VecDeque::new();
    let (mut passed, mut failed) = (0, None);
    let mut take = |raw: RawEvent<'_>| {
        if until.is_some_and(|until| raw.seq > until) {
            return false;
        }
        match raw.decode() {
            Ok(event) => events.push_back((raw.json.len(), shown(places, event))),
            Err(error) => failed = Some(error),
        }
        if until.is_some() && events.len() > limit {
            events.pop_front();
            passed += 1;
        }
        failed.is_none()
    };
    if until.is_some() {
        // Where it ends is only known from its beginning on.
        places.reader.stream(id, &mut take)?;
    } else {
        // What was not looked at holds at least one event in each unit.
        let units = places.reader.stream_tail(id, limit, &mut take)?;
        passed = units.saturating_sub(limit as u64);
    }
    if let Some(error) = failed {
        return Err(error);
    }
    let total = passed + events.len() as u64;
    Ok((events, total))
}

/// Incidents that are over and hold the words; where none does, those that resemble them.
fn closed(reader: &dyn Reader, query: &str, limit: usize) -> Result<Reply, StoreError> {
    let needle = query.trim().to_lowercase();
    let limit = limit.min(1_000);
    let mut rows = Vec::new();
    reader.rows(&mut |bytes| {
        if let Ok(closed) = serde_json::from_slice::<ClosedRow>(bytes) {
            let row = closed.row;
            let hay = row_text(&row).to_lowercase();
            if needle.split_whitespace().all(|word| hay.contains(word)) {
                rows.push(row);
            }
        }
        rows.len() < limit
    })?;
    if rows.is_empty() && !needle.is_empty() {
        rows = resembling(reader, query, limit)?;
    }
    Ok(Reply::Rows { rows, done: true })
}

fn row_text(row: &Row) -> String {
    format!("{} {} {}", row.id, row.title, row.services)
}

/// The best of them first.
fn resembling(reader: &dyn Reader, query: &str, limit: usize) -> Result<Vec<Row>, StoreError> {
    let mut typed = Resembling::new(query.trim());
    let mut found: Vec<(u32, Row)> = Vec::new();
    reader.rows(&mut |bytes| {
        if let Ok(closed) = serde_json::from_slice::<ClosedRow>(bytes)
            && let Some(score) = typed.score(&row_text(&closed.row))
        {
            found.push((score, closed.row));
        }
        true
    })?;
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.truncate(limit);
    Ok(found.into_iter().map(|(_, row)| row).collect())
}

fn samples(reader: &dyn Reader, live: Vec<Sample>) -> Result<Reply, StoreError> {
    let mut samples = live;
    reader.rows(&mut |bytes| {
        if let Ok(closed) = serde_json::from_slice::<ClosedRow>(bytes) {
            samples.extend(closed.sample);
        }
        true
    })?;
    Ok(Reply::Samples { samples })
}

fn events(places: &Places, after: Seq, limit: usize, head: Head) -> Result<Reply, StoreError> {
    let mut events = Vec::new();
    let mut bytes = 0;
    places.reader.scan(after, &mut |raw| {
        // What is not durable in both copies may never have been.
        if raw.seq > head.seq {
            return false;
        }
        bytes += raw.json.len();
        if bytes > ANSWER_BYTES && !events.is_empty() {
            return false;
        }
        events.extend(raw.decode().ok().map(|event| shown(places, event)));
        events.len() < limit.min(5_000)
    })?;
    Ok(Reply::Events { events })
}

/// Events that say who is wanted, and that somebody was reached.
const CALLS: [&str; 5] =
    ["sending-ended", "level-reached", "fallback-paged", "paged-by-hand", "handover-offered"];

/// Counts what each person was called upon for: an incident once, however many messages it took.
fn pages(
    reader: &dyn Reader,
    from: Timestamp,
    until: Timestamp,
    zones: &BTreeMap<String, String>,
) -> Result<Reply, StoreError> {
    let mut kinds: BTreeMap<(IncidentId, u32), DeliveryKind> = BTreeMap::new();
    // Who, for what, and whether it was a page → whether one came at night.
    let mut calls: BTreeMap<(String, IncidentId, bool), bool> = BTreeMap::new();
    let markers = CALLS.map(|word| format!("\"{word}\""));
    let finders = markers.each_ref().map(|marker| memchr::memmem::Finder::new(marker.as_bytes()));
    reader.scan(0, &mut |raw| {
        // Cheap to pass over: most events call nobody.
        let is_call = finders.iter().any(|finder| finder.find(raw.json).is_some());
        let Some(event) = is_call.then(|| raw.decode().ok()).flatten() else { return true };
        if let Body::Incident { incident, change } = &event.body {
            kinds.extend(change.wanted().map(|want| ((*incident, want.number), want.kind)));
        }
        if let Body::SendingEnded { to, result, items, .. } = &event.body
            && matches!(result, AttemptResult::Accepted | AttemptResult::HandedOver)
            && (from..until).contains(&event.at)
        {
            let zone = zones.get(to).and_then(|zone| zone.parse().ok()).unwrap_or(chrono_tz::UTC);
            let hour = event.at.utc().with_timezone(&zone).hour();
            for item in items {
                let kind = kinds.get(&(item.incident, item.delivery));
                let is_page = match kind {
                    Some(DeliveryKind::Page) => true,
                    Some(DeliveryKind::Handover) => false,
                    Some(DeliveryKind::Inform | DeliveryKind::Update) | None => continue,
                };
                let night = calls.entry((to.clone(), item.incident, is_page)).or_default();
                *night |= !(6..22).contains(&hour);
            }
        }
        true
    })?;
    let mut pages: BTreeMap<String, PageCount> = BTreeMap::new();
    for ((who, _, is_page), night) in calls {
        let count = pages.entry(who).or_default();
        count.pages += u32::from(is_page);
        count.at_night += u32::from(is_page && night);
        count.handovers += u32::from(!is_page);
    }
    Ok(Reply::Pages { pages })
}

/// Copies the journal, up to this moment, as an export and its head; readable on any machine.
fn backup(places: &Places, head: Head, dest: &Path) -> Result<Reply, StoreError> {
    std::fs::create_dir_all(dest).map_err(StoreError::io("create", dest))?;
    let path = dest.join("journal.jsonl");
    // A name of its own, never followed through a link, for the owner's eyes only.
    let partial = dest.join(format!("journal.{}.part", ulid::Ulid::generate()));
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&partial)
        .map_err(StoreError::io("create", &partial))?;
    let reached = copy(places, file, &partial)
        .and_then(|reached| {
            std::fs::rename(&partial, &path).map_err(StoreError::io("rename", &partial))?;
            Ok(reached)
        })
        // What is half a copy is none, and takes the space that was missing.
        .inspect_err(|_| drop(std::fs::remove_file(&partial)))?;
    crate::store::twin::sync_dir(dest)?;
    let text = format!("{} {}\n", reached.seq, crate::domain::text::hex(&reached.hash));
    crate::store::twin::write_atomically(&dest.join("head"), text.as_bytes())?;
    let lines = vec![format!(
        "{} events are in {} (at least {} were wanted)",
        reached.seq,
        path.display(),
        head.seq
    )];
    Ok(Reply::Text { lines, ok: reached.seq >= head.seq })
}

/// Writes the journal into a file, and makes it durable.
fn copy(places: &Places, file: std::fs::File, path: &Path) -> Result<Head, StoreError> {
    let mut out = std::io::BufWriter::new(file);
    let reached = transfer::export(&*places.reader, Head::default(), &mut out, &mut |_| {})?;
    let file = out.into_inner().map_err(|e| StoreError::io("write", path)(e.into_error()))?;
    file.sync_all().map_err(StoreError::io("sync", path))?;
    Ok(reached)
}

fn check(places: &Places, head: Head) -> Result<Reply, StoreError> {
    let sled = verify::check_sled(&places.log, &mut |_| {})?;
    let mut twin = verify::check_twin(&places.paths.twin, &mut |_| {})?;
    // What is being written just now may be seen half; all that was durable when asked must be whole.
    if twin.sound >= head.seq {
        twin.broken = None;
    }
    let is_whole = sled.sound >= head.seq && twin.sound >= head.seq;
    let ok = sled.broken.is_none() && twin.broken.is_none() && is_whole;
    Ok(Reply::Text { lines: vec![sled.words("database"), twin.words("twin")], ok })
}
