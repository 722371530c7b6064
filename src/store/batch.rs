//! Packs: how a turn's events lie in the journal, and the hash chain through them.
//!
//! A pack is one durable unit: version, count, the events as length-prefixed JSON, and the chain's
//! hash after the last of them. sled and the twin hold the same packs, byte for byte.
//!
//! Invariants:
//! - Pure: bytes in, bytes out.
//! - An event's bytes are what was hashed; they are never written anew.

use sha2::{Digest, Sha256};

use crate::domain::event::Recorded;
use crate::domain::ids::{IncidentId, Seq};
use crate::store::StoreError;

/// The version of the pack layout.
pub const PACK_VERSION: u8 = 1;
/// Events' bytes in one pack, at most, unless a single event is larger.
pub const PACK_BYTES_MAX: usize = 30 * 1024;
/// The largest event, in bytes.
pub const EVENT_BYTES_MAX: usize = 1 << 20;

const PACK_HEADER: usize = 5;
const HASH: usize = 32;

/// A hash in the chain.
pub type Hash = [u8; HASH];

/// Where the journal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// The last event; 0 for an empty journal.
    pub seq: Seq,
    /// The chain's hash there.
    pub hash: Hash,
}

/// An event as it lies in the journal.
#[derive(Debug, Clone, Copy)]
pub struct RawEvent<'a> {
    pub seq: Seq,
    /// The JSON that was hashed.
    pub json: &'a [u8],
    /// The chain's hash after it, where the reader knows it (at a pack's end).
    pub hash: Option<Hash>,
}

impl RawEvent<'_> {
    /// The event itself.
    pub fn decode(&self) -> Result<Recorded, StoreError> {
        serde_json::from_slice(self.json).map_err(|e| {
            let (seq, text) = (self.seq, e.to_string());
            // The line is sound, and says something that came after this program.
            let is_sound = serde_json::from_slice::<serde::de::IgnoredAny>(self.json).is_ok();
            if is_sound && text.starts_with("unknown variant") {
                return StoreError::Unknown { seq, text };
            }
            StoreError::Corrupt { seq, text }
        })
    }
}

/// One durable unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    pub first: Seq,
    pub last: Seq,
    pub bytes: Vec<u8>,
}

/// What one append makes durable.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    pub packs: Vec<Pack>,
    /// In which incident's stream each pack stands.
    pub streams: Vec<(IncidentId, Seq)>,
    /// Summary rows of incidents that left the room (`None`: came back).
    pub rows: Vec<(IncidentId, Option<Vec<u8>>)>,
    pub head: Head,
}

/// The chain's next hash.
pub fn link(before: &Hash, json: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(before);
    hasher.update(json);
    hasher.finalize().into()
}

/// A hash from text.
pub fn unhex(text: &str) -> Option<Hash> {
    if text.len() != HASH * 2 || !text.is_ascii() {
        return None;
    }
    let mut hash = [0; HASH];
    for (i, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[i * 2..i * 2 + 2], 16).ok()?;
    }
    Some(hash)
}

/// A quick look at an event's text: whether it may stand in an incident's stream. It may say yes
/// too often, never no where `Body::incidents` names the incident.
pub struct Mentions {
    one: memchr::memmem::Finder<'static>,
    list: memchr::memmem::Finder<'static>,
}

impl Mentions {
    /// The look for one incident.
    pub fn of(incident: IncidentId) -> Self {
        let one = format!("\"incident\":{}", incident.0);
        let list = memchr::memmem::Finder::new("\"incidents\":[").into_owned();
        Self { one: memchr::memmem::Finder::new(&one).into_owned(), list }
    }

    /// Whether the event may be about it.
    pub fn may_be_in(&self, json: &[u8]) -> bool {
        self.one.find(json).is_some() || self.list.find(json).is_some()
    }
}

impl Batch {
    /// Lays events out in packs that continue the chain at `head`.
    pub fn build(head: Head, events: &[Recorded]) -> Self {
        let lines = events.iter().map(|event| {
            let json = serde_json::to_vec(event)
                .expect("invariant: an event has only string keys, so it always serialises");
            (json, event.body.incidents())
        });
        Self::from_lines(head, lines)
    }

    /// The same from events that are JSON already, with the incidents each is about.
    pub fn from_lines(head: Head, lines: impl Iterator<Item = (Vec<u8>, Vec<IncidentId>)>) -> Self {
        let mut batch = Self { head, ..Self::default() };
        let mut open: Vec<Vec<u8>> = Vec::new();
        let mut known = std::collections::HashSet::new();
        let mut size = 0;
        for (json, incidents) in lines {
            if !open.is_empty() && size + json.len() > PACK_BYTES_MAX {
                batch.seal(&mut open);
                size = 0;
            }
            size += json.len();
            // A pack begins with the event after the last sealed one.
            let first = batch.head.seq + 1;
            for incident in incidents {
                debug_assert!(
                    Mentions::of(incident).may_be_in(&json),
                    "an event that stands in a stream is found there"
                );
                if known.insert((incident, first)) {
                    batch.streams.push((incident, first));
                }
            }
            open.push(json);
        }
        batch.seal(&mut open);
        batch
    }

    fn seal(&mut self, open: &mut Vec<Vec<u8>>) {
        if open.is_empty() {
            return;
        }
        let first = self.head.seq + 1;
        let total: usize = open.iter().map(|json| json.len() + 4).sum();
        let mut bytes = Vec::with_capacity(PACK_HEADER + total + HASH);
        bytes.push(PACK_VERSION);
        bytes.extend_from_slice(&len_bytes(open.len()));
        for json in open.iter() {
            bytes.extend_from_slice(&len_bytes(json.len()));
            bytes.extend_from_slice(json);
            self.head.hash = link(&self.head.hash, json);
            self.head.seq += 1;
        }
        bytes.extend_from_slice(&self.head.hash);
        self.packs.push(Pack { first, last: self.head.seq, bytes });
        open.clear();
    }

    /// Bytes that an append of this writes, about.
    pub fn bytes(&self) -> usize {
        self.packs.iter().map(|pack| pack.bytes.len()).sum()
    }
}

fn len_bytes(n: usize) -> [u8; 4] {
    u32::try_from(n).expect("invariant: events are at most 1 MiB").to_be_bytes()
}

/// Visits the events of a pack; the hash is known at its last one. Says whether to go on.
pub fn unpack(
    first: Seq,
    bytes: &[u8],
    visit: &mut dyn FnMut(RawEvent<'_>) -> bool,
) -> Result<bool, StoreError> {
    let damage = |text: &str| StoreError::Corrupt { seq: first, text: text.to_owned() };
    let (count, mut rest, hash) = split(bytes).ok_or_else(|| damage("the pack is cut short"))?;
    for index in 0..count {
        let (len, tail) =
            rest.split_first_chunk::<4>().ok_or_else(|| damage("the pack is cut short"))?;
        let len = u32::from_be_bytes(*len) as usize;
        if len > tail.len() {
            return Err(damage("the pack is cut short"));
        }
        let (json, tail) = tail.split_at(len);
        rest = tail;
        let seq = first + u64::from(index);
        let hash = (index + 1 == count).then_some(hash);
        if !visit(RawEvent { seq, json, hash }) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// How many events a pack holds, and the chain's hash after them.
pub fn pack_end(bytes: &[u8]) -> Option<(u32, Hash)> {
    split(bytes).map(|(count, _, hash)| (count, hash))
}

fn split(bytes: &[u8]) -> Option<(u32, &[u8], Hash)> {
    let (head, rest) = bytes.split_at_checked(PACK_HEADER)?;
    if head[0] != PACK_VERSION {
        return None;
    }
    let count = u32::from_be_bytes(head[1..].try_into().ok()?);
    let (rest, hash) = rest.split_last_chunk::<HASH>()?;
    (count > 0).then_some((count, rest, *hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(n: usize, len: usize) -> Vec<(Vec<u8>, Vec<IncidentId>)> {
        let line = |i: usize| {
            let id = u32::try_from(i % 2).unwrap_or(0);
            let mut json = format!("\"incident\":{id}").into_bytes();
            json.resize(len, b'x');
            (json, vec![IncidentId(id)])
        };
        (0..n).map(line).collect()
    }

    #[test]
    fn packs_keep_events_order_and_chain() {
        let batch = Batch::from_lines(Head::default(), lines(5, 20_000).into_iter());
        assert_eq!(batch.packs.len(), 5, "20 kB events do not share a pack of 30 kB");
        assert_eq!(batch.head.seq, 5);
        let mut hash = Hash::default();
        let mut seqs = Vec::new();
        for pack in &batch.packs {
            let went_on = unpack(pack.first, &pack.bytes, &mut |event| {
                seqs.push(event.seq);
                hash = link(&hash, event.json);
                event.hash.is_none_or(|said| said == hash)
            });
            assert!(matches!(went_on, Ok(true)));
        }
        assert_eq!(seqs, [1, 2, 3, 4, 5]);
        assert_eq!(hash, batch.head.hash);
        assert_eq!(unhex(&crate::domain::text::hex(&hash)), Some(hash));
    }

    #[test]
    fn a_cut_pack_is_an_error_at_any_length() {
        let batch = Batch::from_lines(Head::default(), lines(3, 20).into_iter());
        let bytes = &batch.packs[0].bytes;
        for cut in 0..bytes.len() {
            let result = unpack(1, &bytes[..cut], &mut |_| true);
            assert!(result.is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn what_came_after_this_program_is_no_damage() {
        let decode = |json: &str| RawEvent { seq: 7, json: json.as_bytes(), hash: None }.decode();
        let newer = r#"{"seq":7,"cause":"c","at":"2026-11-28T12:00:00.000Z","actor":{"login":"a","via":"cli"},"body":{"event":"of-tomorrow"}}"#;
        assert!(
            matches!(decode(newer), Err(StoreError::Unknown { seq: 7, .. })),
            "{:?}",
            decode(newer)
        );
        assert!(matches!(decode(&newer[..40]), Err(StoreError::Corrupt { .. })));
    }
}
