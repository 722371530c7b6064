//! Full-text search over the whole journal: immutable segments of 8,192 events, each a sorted
//! dictionary of words with the events they occur in, cut into values below 32 KiB.
//!
//! Built behind the writer, never in its way; what is not indexed yet is read through. Everything
//! here can be rebuilt.
//!
//! Invariants:
//! - A segment is found only once its closing record is written, after all its chunks.

use std::collections::HashMap;

use crate::domain::change::Change;
use crate::domain::event::{AlertItem, Became, Body, Recorded};
use crate::domain::ids::{IncidentId, Seq};
use crate::store::{Reader, StoreError, Table};

/// Events in a segment.
pub const SEGMENT_EVENTS: u64 = 8_192;
const CHUNK_BYTES: usize = 24 * 1024;
const WORD_BYTES_MAX: usize = 40;
/// The text of a hit, at most.
const HIT_BYTES: usize = 400;
const CLOSED: u8 = 0;
const CHUNK: u8 = 1;

/// Something found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Hit {
    pub seq: Seq,
    pub incident: Option<IncidentId>,
    pub text: String,
}

/// The words of a text: runs of letters and digits, lower case, at most 40 bytes each.
pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    raw_words(text).map(|word| {
        let mut lower = String::new();
        lower_into(word, &mut lower);
        lower
    })
}

fn raw_words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.len() > 1 || word.chars().any(char::is_numeric))
}

/// Writes a word as it is indexed over what `into` held.
fn lower_into(word: &str, into: &mut String) {
    into.clear();
    if word.is_ascii() {
        into.push_str(word);
        into.make_ascii_lowercase();
    } else {
        into.push_str(&word.to_lowercase());
    }
    crate::domain::text::cut_bytes(into, WORD_BYTES_MAX);
}

/// Whether an alert says something new: what only says again what is known is found by what it said
/// first.
fn is_news(item: &AlertItem) -> bool {
    !matches!(
        item.became,
        Became::Repeated
            | Became::RepeatedEnd
            | Became::Resolved
            | Became::Acknowledged
            | Became::FlappingFiring
            | Became::FlappingResolved
    )
}

/// The text of an event that a search looks through.
pub fn searchable(event: &Recorded) -> String {
    let mut text = String::new();
    let mut add = |part: &str| {
        if !part.is_empty() {
            text.push_str(part);
            text.push(' ');
        }
    };
    match &event.body {
        Body::Incident { incident, change } => {
            if let Change::Opened(opened) = change {
                add(&opened.title);
                opened.services.iter().for_each(|s| add(s));
                opened.external.iter().for_each(|s| add(s));
            }
            let entry = crate::domain::timeline::entry(event, *incident);
            add(&entry.text);
            add(&entry.who);
        }
        Body::AlertsReceived { items, .. } => {
            for facts in
                items.iter().filter(|item| is_news(item)).filter_map(|item| item.facts.as_ref())
            {
                add(&facts.name);
                add(&facts.summary);
                facts.labels.values().for_each(|value| add(value));
            }
        }
        Body::ChangeReceived { summary, origin, .. } => {
            add(summary);
            add(origin);
        }
        Body::PostRefused { .. }
        | Body::AlertAcknowledged { .. }
        | Body::AlertShelved { .. }
        | Body::AlertUnshelved { .. }
        | Body::AlertExpired { .. }
        | Body::AlertSettled { .. }
        | Body::PlanAdopted { .. }
        | Body::TokenIssued { .. }
        | Body::TokenRevoked { .. }
        | Body::KeeperStarted { .. }
        | Body::KeeperStopped { .. }
        | Body::ClockJumped { .. }
        | Body::StoreRebuilt { .. }
        | Body::SendingBegan { .. }
        | Body::SendingEnded { .. }
        | Body::ShiftChanged { .. }
        | Body::ShiftCovered { .. }
        | Body::CoverRevoked { .. }
        | Body::SwapAsked { .. }
        | Body::SwapAnswered { .. }
        | Body::PeopleTold { .. }
        | Body::WindowPlanned { .. }
        | Body::WindowPublished { .. }
        | Body::WindowBegan { .. }
        | Body::WindowEnded { .. }
        | Body::HeartbeatReceived { .. }
        | Body::StatusPage { .. }
        | Body::SilenceMade { .. }
        | Body::SilenceBegan { .. }
        | Body::SilenceEnded { .. }
        | Body::AuditFound { .. } => {}
    }
    text
}

fn segment_key(segment: u32, kind: u8, word: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(5 + word.len());
    key.extend_from_slice(&segment.to_be_bytes());
    key.push(kind);
    key.extend_from_slice(word.as_bytes());
    key
}

/// How many segments are complete.
pub fn closed_segments(reader: &dyn Reader) -> Result<u32, StoreError> {
    let mut low = 0;
    let mut step = 1;
    let has = |n: u32| reader.get(Table::Text, &segment_key(n, CLOSED, "")).map(|v| v.is_some());
    while has(low + step - 1)? {
        low += step;
        step *= 2;
    }
    while step > 1 {
        step /= 2;
        if has(low + step - 1)? {
            low += step;
        }
    }
    Ok(low)
}

/// Builds the next segment if the journal holds enough events for it; false if it does not.
pub fn build_next(reader: &dyn Reader, head: Seq) -> Result<bool, StoreError> {
    let segment = closed_segments(reader)?;
    let after = u64::from(segment) * SEGMENT_EVENTS;
    if head < after + SEGMENT_EVENTS {
        return Ok(false);
    }
    let mut dictionary: HashMap<String, Vec<u16>> = HashMap::new();
    let mut lower = String::new();
    reader.scan(after, &mut |raw| {
        if raw.seq > after + SEGMENT_EVENTS {
            return false;
        }
        if let (Ok(event), Ok(offset)) = (raw.decode(), u16::try_from(raw.seq - after - 1)) {
            for word in raw_words(&searchable(&event)) {
                lower_into(word, &mut lower);
                match dictionary.get_mut(lower.as_str()) {
                    Some(postings) if postings.last() == Some(&offset) => {}
                    Some(postings) => postings.push(offset),
                    None => drop(dictionary.insert(lower.clone(), vec![offset])),
                }
            }
        }
        raw.seq < after + SEGMENT_EVENTS
    })?;
    let mut sorted: Vec<(String, Vec<u16>)> = dictionary.into_iter().collect();
    sorted.sort_unstable();
    write_segment(reader, segment, &sorted)?;
    Ok(true)
}

fn write_segment(
    reader: &dyn Reader,
    segment: u32,
    dictionary: &[(String, Vec<u16>)],
) -> Result<(), StoreError> {
    let mut entries: Vec<(Vec<u8>, Option<Vec<u8>>)> = Vec::new();
    let mut size = 0;
    let mut first = String::new();
    let mut chunk: Vec<u8> = Vec::new();
    for (word, postings) in dictionary {
        if !chunk.is_empty() && chunk.len() + word.len() + postings.len() * 2 + 5 > CHUNK_BYTES {
            size += chunk.len();
            entries.push((segment_key(segment, CHUNK, &first), Some(std::mem::take(&mut chunk))));
            if size > 256 * 1024 {
                reader.put(Table::Text, &std::mem::take(&mut entries))?;
                size = 0;
            }
        }
        if chunk.is_empty() {
            first.clone_from(word);
        }
        chunk.push(u8::try_from(word.len()).unwrap_or(u8::MAX));
        chunk.extend_from_slice(word.as_bytes());
        chunk.extend_from_slice(
            &u16::try_from(postings.len() - 1).unwrap_or(u16::MAX).to_be_bytes(),
        );
        for offset in postings {
            chunk.extend_from_slice(&offset.to_be_bytes());
        }
    }
    if !chunk.is_empty() {
        entries.push((segment_key(segment, CHUNK, &first), Some(chunk)));
    }
    reader.put(Table::Text, &entries)?;
    reader.put(Table::Text, &[(segment_key(segment, CLOSED, ""), Some(Vec::new()))])
}

/// Visits the words of a chunk that begin with `word`, with their postings.
fn matches(chunk: &[u8], word: &str, found: &mut Vec<u16>) -> Option<bool> {
    let mut rest = chunk;
    while let Some((len, tail)) = rest.split_first() {
        let (name, tail) = tail.split_at_checked(usize::from(*len))?;
        let (count, tail) = tail.split_first_chunk::<2>()?;
        let bytes = (usize::from(u16::from_be_bytes(*count)) + 1) * 2;
        let (postings, tail) = tail.split_at_checked(bytes)?;
        rest = tail;
        if name.starts_with(word.as_bytes()) {
            found.extend(postings.chunks_exact(2).map(|p| u16::from_be_bytes([p[0], p[1]])));
        } else if name > word.as_bytes() {
            return Some(false);
        }
    }
    Some(true)
}

/// The events of a segment that hold a word that begins with `word`.
fn postings(reader: &dyn Reader, segment: u32, word: &str) -> Result<Vec<u16>, StoreError> {
    let mut found = Vec::new();
    let start = segment_key(segment, CHUNK, word);
    if let Some((key, chunk)) = reader.at_or_before(Table::Text, &start)?
        && key.starts_with(&segment_key(segment, CHUNK, ""))
        && key != start
    {
        matches(&chunk, word, &mut found);
    }
    reader.prefix(Table::Text, &start, &mut |_, chunk| {
        matches(chunk, word, &mut found).unwrap_or(false)
    })?;
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Finds the newest events that hold all words of a query (each may be the beginning of a word).
pub fn search(
    reader: &dyn Reader,
    head: Seq,
    query: &str,
    limit: usize,
) -> Result<Vec<Hit>, StoreError> {
    let wanted: Vec<String> = words(query).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let segments = closed_segments(reader)?;
    let indexed = u64::from(segments) * SEGMENT_EVENTS;
    let mut hits = scan_for(reader, indexed, head, &wanted)?;
    hits.reverse();
    for segment in (0..segments).rev() {
        if hits.len() >= limit {
            break;
        }
        let mut common: Option<Vec<u16>> = None;
        for word in &wanted {
            let found = postings(reader, segment, word)?;
            common = Some(match common {
                None => found,
                Some(before) => {
                    before.into_iter().filter(|o| found.binary_search(o).is_ok()).collect()
                }
            });
        }
        let base = u64::from(segment) * SEGMENT_EVENTS + 1;
        for offset in common.unwrap_or_default().into_iter().rev().take(limit - hits.len()) {
            hits.extend(hit_at(reader, base + u64::from(offset))?);
        }
    }
    hits.truncate(limit);
    Ok(hits)
}

fn hit_at(reader: &dyn Reader, seq: Seq) -> Result<Option<Hit>, StoreError> {
    let mut hit = None;
    reader.scan(seq - 1, &mut |raw| {
        if raw.seq == seq {
            hit = raw.decode().ok().map(|event| hit_of(&event));
        }
        raw.seq < seq
    })?;
    Ok(hit)
}

fn hit_of(event: &Recorded) -> Hit {
    let mut text = searchable(event).trim().to_owned();
    crate::domain::text::cut_bytes(&mut text, HIT_BYTES);
    Hit { seq: event.seq, incident: event.body.incidents().first().copied(), text }
}

/// Reads through events that are not indexed (yet).
fn scan_for(
    reader: &dyn Reader,
    after: Seq,
    until: Seq,
    wanted: &[String],
) -> Result<Vec<Hit>, StoreError> {
    let mut hits = Vec::new();
    reader.scan(after, &mut |raw| {
        if raw.seq > until {
            return false;
        }
        if let Ok(event) = raw.decode() {
            let text: Vec<String> = words(&searchable(&event)).collect();
            if wanted.iter().all(|w| text.iter().any(|have| have.starts_with(w.as_str()))) {
                hits.push(hit_of(&event));
            }
        }
        true
    })?;
    Ok(hits)
}
